"""Rows that are not as expected: single rows, and runs of rows that are each a little off.

A row is judged by its own error and by the run of rows that ends in it, see `row_errors`. Either is
an anomaly where it is rarer than among the errors on the run's own history, see `thresholds`. Knows
neither files nor the terminal.

Axes: N series, K rows.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from lstmcast.config import DEFAULT_FALSE_ALARM_RATE
from lstmcast.errors import DataError, UsageError
from lstmcast.forecasting.predictor import Predictor
from lstmcast.monitoring.row_errors import RowErrorModel, RowErrors, list_steps
from lstmcast.monitoring.thresholds import MIN_SCORES, Threshold
from lstmcast.panel.extend import append_new_series, with_training_history
from lstmcast.panel.holdout import split_holdout
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Bools, Floats, Ints

NUMERIC_COLUMNS = ("actual", "expected", "low", "high", "score")
"""Numbers that the table has of each row."""
_MIN_HOLDOUT_ROWS = 30
"""Hold-out rows that show how much larger errors are on rows that training has not seen."""
_MIN_HISTORY_ROWS = 100
"""Rows of history that thresholds are meant to follow from, however few their rate needs."""
_NEVER = -(2**62)
"""Ordinal before any time step: of the end of a training that a series had no part in."""


@dataclass(frozen=True, eq=False)
class Detection:
    """Rows that were judged, and how many of them are not as expected.

    rows: the series columns, the time column, `actual`, `expected`, `low` and `high` (an ordinary
    row lies between them, except for the rate), `score` (1 or more is flagged; missing where a row
    could not be judged), `anomaly` (0 or 1) and `kind`: point or run for an anomaly; warm-up,
    missing or known for a row that was not judged.
    """

    rows: pd.DataFrame
    notes: tuple[str, ...] = ()

    @property
    def figures(self) -> dict[str, float]:
        """Numbers of anomalies, single rows and rows in runs; rows judged; share of anomalies."""
        points, runs = (
            int((self.rows["kind"] == kind).sum()) for kind in ("point", "run")
        )
        judged = int(self.rows["score"].notna().sum())
        return {
            "anomalies": points + runs,
            "points": points,
            "runs": runs,
            "judged": judged,
            "share": (points + runs) / max(judged, 1),
        }


class ThresholdPair(NamedTuple):
    """Thresholds of the errors of single rows, and of the deviations of runs."""

    point: Threshold
    run: Threshold

    @classmethod
    def from_scores(cls, rate: float, point: Floats, run: Floats) -> "ThresholdPair":
        """Thresholds of past scores [K], NaN where a row has none."""
        observed = (scores[~np.isnan(scores)].tolist() for scores in (point, run))
        return cls(*(Threshold(rate, scores) for scores in observed))


class Detector:
    """Judges rows as they come, by the forecasts of a run.

    rate: share of ordinary rows that may be flagged, half of it for single rows, half for runs.
    Thresholds follow from the errors on the newest rows of the run's own history; with `adapt` the
    errors of judged rows join them, each after its row was judged. `notes` says where the history
    was too short. `known` is the history that the next rows go on from. Raises UsageError for a
    rate out of range, and for a run that forecasts probabilities.
    """

    def __init__(
        self,
        forecaster: Predictor,
        *,
        rate: float = DEFAULT_FALSE_ALARM_RATE,
        adapt: bool = True,
    ) -> None:
        if not 0 < rate < 0.5:
            raise UsageError(
                f"--rate {rate:g} is out of range",
                "give a share above 0 and below 0.5, such as 0.001",
            )
        if forecaster.probability:
            raise UsageError(
                "a run that forecasts probabilities has no intervals to detect anomalies with",
                "fit it with --loss mse",
            )
        self.forecaster = forecaster
        self.rate = rate
        self.adapt = adapt
        self.known = forecaster.panel
        self.notes: tuple[str, ...] = ()
        self.errors = RowErrorModel(forecaster)
        self._cutoff = dict(
            zip(self.known.keys, forecaster.cutoff.tolist(), strict=True)
        )
        self._last_alarms: dict[tuple[str, ...], int] = {}
        self._fit_thresholds()

    def judge(self, panel: Panel, *, every: bool = False) -> Detection:
        """Judge the rows of a panel that are newer than the training, and append them to `known`.

        every: have a row in the table for those that are not newer, too, which are not judged.
        """
        memory = self.forecaster.memory
        joined = with_training_history(panel, self.known, memory, since=True)
        first_new = self._first_new_ordinals(joined)
        first = panel.start if every else np.maximum(first_new, panel.start)
        end = joined.start + joined.lengths
        lower, upper = (
            np.clip(bound - joined.start, 0, joined.lengths) for bound in (first, end)
        )
        series, rows = list_steps(lower, upper)
        is_new = joined.start[series] + rows >= first_new[series]
        errors = self.errors.measure(joined, lower, upper)
        table = self._judge_rows(joined, series, rows, errors, is_new)
        # The next rows go on from these.
        if is_new.any():
            self.known = append_new_series(joined, self.known)
        # Trimmed only now and then, since that copies all of it.
        if (self.known.lengths > 2 * memory).any():
            self.known = self.known.tail(memory)
        return Detection(table, joined.notes)

    def is_new(self, panel: Panel) -> bool:
        """Whether every row of a panel is newer than the known rows of its series."""
        place = panel.align(self.known)
        ends = (self.known.start + self.known.lengths)[place]
        return bool(((place < 0) | (panel.start >= ends)).all())

    def is_known(self, panel: Panel) -> bool:
        """Whether no row of a panel is newer than the rows that the run was trained on."""
        ends = panel.start + panel.lengths
        return bool((ends <= self._first_new_ordinals(panel)).all())

    def require(self, found: Detection) -> None:
        """Raise DataError where there was nothing to judge."""
        if not len(found.rows):
            last = self.forecaster.axis.texts(np.array([self.forecaster.cutoff.max()]))[
                0
            ]
            raise DataError(
                f"nothing newer than what the run was trained on, which ends at {last}",
                "give newer rows",
            )

    def _first_new_ordinals(self, panel: Panel) -> Ints:
        """Ordinal of the first step of each series that is newer than its training, [N]."""
        cutoffs = (self._cutoff.get(key, _NEVER) for key in panel.keys)
        return np.array([cutoff + 1 for cutoff in cutoffs], dtype=np.int64)

    def _fit_thresholds(self) -> None:
        """Set the thresholds by the errors on the newest rows of the history."""
        # Single rows and runs share the rate.
        panel, rate = self.known, self.rate / 2
        needed = Threshold.scores_needed(rate)
        # Twice as many as needed, so that the limit does not hang on the single largest error.
        wanted = 2 * max(needed, _MIN_HISTORY_ROWS)
        wanted_each = -(-wanted // len(panel))  # rounded up
        upper = panel.lengths
        lower = np.maximum(upper - wanted_each, np.minimum(self.errors.warm_up, upper))
        errors = self.errors.fit(panel, lower, upper)
        series, rows = list_steps(lower, upper)
        sizes = np.abs(errors.point)
        point = sizes * self._out_of_sample_factor(series, rows, sizes)
        run = self.errors.largest_run_deviations(errors)
        self.pooled = ThresholdPair.from_scores(rate, point, run)
        self._by_series: dict[tuple[str, ...], ThresholdPair] = {}
        # A series with enough rows for the rate gets thresholds of its own.
        if len(panel) > 1 and wanted_each > needed:
            for number, key in enumerate(panel.keys):
                mine = series == number
                pair = ThresholdPair.from_scores(rate, point[mine], run[mine])
                if not pair.point.is_extrapolated:
                    self._by_series[key] = pair
        if self.pooled.point.is_extrapolated:
            self.notes += (self._describe_short_history(needed),)

    def _describe_short_history(self, needed: int) -> str:
        count = len(self.pooled.point)
        effect = "nothing can be flagged"
        if count >= MIN_SCORES:
            effect = "thresholds are extrapolated beyond the errors observed"
        problem = f"{count} rows of history are too few for a rate of {self.rate:g}"
        return f"{problem} ({needed} are needed): {effect}"

    def _out_of_sample_factor(self, series: Ints, rows: Ints, sizes: Floats) -> Floats:
        """How many times larger errors are on hold-out rows than on rows trained on, [K].

        It is 1 for hold-out rows themselves, and where there are too few rows to compare.
        """
        unchanged = np.ones(len(rows))
        if not any(record["step"] for record in self.forecaster.history):
            return unchanged  # nothing was trained: all rows are out of sample
        ends, _, _ = split_holdout(
            self.known,
            self.forecaster.horizon,
            self.forecaster.season,
            self.forecaster.config.window.validation,
        )
        held_out = rows >= ends[series]
        observed = ~np.isnan(sizes)
        holdout, trained = sizes[held_out & observed], sizes[~held_out & observed]
        if min(len(holdout), len(trained)) < _MIN_HOLDOUT_ROWS:
            return unchanged
        usual = float(np.median(trained))
        if not usual > 0:
            return unchanged
        factor = max(1.0, float(np.median(holdout)) / usual)
        return np.where(held_out, 1.0, factor)

    def _judge_rows(
        self, panel: Panel, series: Ints, rows: Ints, errors: RowErrors, is_new: Bools
    ) -> pd.DataFrame:
        """The table of the rows; thresholds are looked up, and learn, in the order of time."""
        actual = panel.values[panel.offsets[series] + rows]
        stamps = panel.start[series] + rows
        score = np.full(len(rows), np.nan)
        limit = np.full(len(rows), np.nan)
        kind = np.where(np.isnan(actual), "missing", "warm-up").astype(object)
        kind[~is_new] = "known"
        run = self.errors.largest_run_deviations(errors)
        pairs = [self._by_series.get(key, self.pooled) for key in panel.keys]
        # Rows of one time step are judged in the order of the series, so that results are the same
        # whether rows arrive together or one by one.
        for place in np.lexsort((series, stamps)).tolist():
            pair = pairs[series[place]]
            if np.isfinite(pair.point.limit):
                limit[place] = pair.point.limit
            if (
                not is_new[place]
                or np.isnan(limit[place])
                or np.isnan(errors.point[place])
            ):
                continue
            key, stamp = panel.keys[series[place]], int(stamps[place])
            # The row before was wrong: a forecast that took it for right is not to be trusted.
            if self._last_alarms.get(key) == stamp - 1:
                self._remeasure(
                    panel, int(series[place]), int(rows[place]), place, errors
                )
            values = (abs(float(errors.point[place])), float(run[place]))
            scores = self._score_and_learn(pair, values)
            score[place] = max(scores)
            is_point = scores[0] >= 1
            if is_point:
                self._last_alarms[key] = stamp
            kind[place] = ""
            if score[place] >= 1:
                kind[place] = "point" if is_point else "run"
        expected, above, below = errors.interval
        return pd.DataFrame(
            {
                **panel.key_columns(series),
                panel.axis.name: pd.Index(panel.axis.stamps(stamps)),
                "actual": actual,
                "expected": expected,
                "low": expected - limit * below,
                "high": expected + limit * above,
                "score": score,
                "anomaly": (score >= 1).astype(np.int64),
                "kind": kind.astype(str),
            }
        )

    def _score_and_learn(
        self, pair: ThresholdPair, values: tuple[float, float]
    ) -> tuple[float, float]:
        """Scores of a row's error and of its run; the thresholds learn from them afterwards."""
        scores = (
            _score_against_limit(values[0], pair.point),
            _score_against_limit(values[1], pair.run),
        )
        if self.adapt:
            for value, threshold, score in zip(values, pair, scores, strict=True):
                if not np.isnan(value):
                    threshold.add(value, alarm=score >= 1)
        return scores

    def _remeasure(
        self, panel: Panel, series: int, row: int, place: int, errors: RowErrors
    ) -> None:
        """Measure a row after an alarm by a forecast that has not seen the alarm, if it is nearer.

        The forecast from the row of the alarm took a wrong value for a right one. Changes
        `errors` at `place`.
        """
        if row - 2 < self.errors.warm_up - 1:
            return
        interval, point = self.errors.measure_past_alarm(panel, series, row)
        if abs(point[0]) < abs(errors.point[place]):
            for column, nearer in zip(errors.interval, interval, strict=True):
                column[place] = nearer[0]
            errors.point[place] = point[0]


def detect(
    forecaster: Predictor,
    panel: Panel,
    *,
    rate: float = DEFAULT_FALSE_ALARM_RATE,
    adapt: bool = True,
) -> Detection:
    """Judge the rows of `panel` that are newer than the forecaster's training, see `Detector`.

    Raises DataError where no row is newer, and UsageError for a rate out of range or a run that
    forecasts probabilities.
    """
    detector = Detector(forecaster, rate=rate, adapt=adapt)
    found = detector.judge(panel)
    detector.require(found)
    return Detection(found.rows, (*found.notes, *detector.notes))


def _score_against_limit(value: float, threshold: Threshold) -> float:
    """A score in units of its limit: below 1 up to the limit, which is not beyond itself."""
    limit = threshold.limit
    if np.isnan(value) or not np.isfinite(limit):
        return 0.0
    if limit <= 0:
        return 0.0 if value <= limit else float("inf")
    # Rounding must not carry a quotient over to the wrong side of 1.
    if value <= limit:
        return min(float(value / limit), 1 - 1e-9)
    return max(float(value / limit), 1.0)
