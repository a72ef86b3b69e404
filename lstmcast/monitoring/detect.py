"""Rows that are not as expected: single rows, runs that are each a little off, stuck values.

A row is judged by its own error and by the run of rows that ends in it, see `row_errors`. Either is
an anomaly where it is rarer than among the errors on the run's own history, see `thresholds`. A
value that does not change for too long is one too, see `flat_runs`. Knows neither files nor the
terminal.

Axes: N series, K rows.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from lstmcast.config import DEFAULT_FALSE_ALARM_RATE
from lstmcast.errors import DataError, UsageError
from lstmcast.forecasting.predictor import Predictor
from lstmcast.monitoring.events import ANOMALY_KINDS, find_events
from lstmcast.monitoring.flat_runs import FlatRunCounter
from lstmcast.monitoring.row_errors import (
    Interval,
    RowErrorModel,
    RowErrors,
    list_steps,
    look_up_values,
)
from lstmcast.monitoring.thresholds import MIN_SCORES, Threshold
from lstmcast.panel.extend import append_new_series, with_training_history
from lstmcast.panel.holdout import split_holdout
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Bools, Floats, Ints
from lstmcast.scoring.result_views import ResultView, count_things

NUMERIC_COLUMNS = ("actual", "expected", "low", "high", "score")
"""Numbers that the table has of each row."""
_MIN_HOLDOUT_ROWS = 30
"""Hold-out rows that show how much larger errors are on rows that training has not seen."""
_MIN_HISTORY_ROWS = 100
"""Rows of history that thresholds are meant to follow from, however few their rate needs."""
_NEVER = -(2**62)
"""Ordinal before any time step: of the end of a training that a series had no part in."""

_SeriesKey = tuple[str, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Detection(ResultView):
    """Rows that were judged, and how many of them are not as expected.

    rows: the series columns, the time column, `actual`, `expected`, `low` and `high` (an ordinary
    row lies between them, except for the rate), `score` (1 or more is flagged; missing where a row
    could not be judged), `anomaly` (0 or 1) and `kind`: point, run or stuck for an anomaly;
    warm-up, missing or known for a row that was not judged.
    """

    rows: pd.DataFrame
    notes: tuple[str, ...] = ()

    @property
    def figures(self) -> dict[str, float]:
        """Numbers of anomalies, of each kind and together; rows judged; share of anomalies."""
        kind = self.rows["kind"]
        points, runs, stuck = (int((kind == one).sum()) for one in ANOMALY_KINDS)
        anomalies = points + runs + stuck
        judged = int(self.rows["score"].notna().sum())

        return {
            "anomalies": anomalies,
            "points": points,
            "runs": runs,
            "stuck": stuck,
            "judged": judged,
            "share": anomalies / max(judged, 1),
        }

    @property
    def events(self) -> pd.DataFrame:
        """Anomalies that follow each other, as one row each, see `events.find_events`."""
        return find_events(self.rows)

    def sentences(self) -> list[str]:
        """Return how many rows are not as expected, and the notes."""
        figures = {name: int(figure) for name, figure in self.figures.items()}
        judged = count_things(figures["judged"], "row")
        kinds = f"{figures['points']:,} single, {figures['runs']:,} in runs"
        kinds += f", {figures['stuck']:,} stuck"
        found = f"{figures['anomalies']:,} of {judged} judged are anomalies: {kinds}."
        return [found, *self.notes]

    def make_summary_table(self) -> pd.DataFrame:
        """Return the events."""
        return self.events


class ThresholdPair(NamedTuple):
    """Thresholds of the errors of single rows, and of the deviations of runs."""

    point: Threshold
    run: Threshold

    @classmethod
    def from_scores(cls, rate: float, point: Floats, run: Floats) -> "ThresholdPair":
        """Thresholds of past scores [K], NaN where a row has none."""
        observed_points = point[~np.isnan(point)]
        observed_runs = run[~np.isnan(run)]
        point_threshold = Threshold(rate, observed_points.tolist())
        run_threshold = Threshold(rate, observed_runs.tolist())
        return cls(point_threshold, run_threshold)


class _Judgement(NamedTuple):
    """What was found of rows: their scores, the limits that they met, their kinds, [K] each."""

    score: Floats
    limit: Floats
    kind: npt.NDArray[np.object_]


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
        cutoffs = forecaster.cutoff.tolist()
        self._cutoff = dict(zip(self.known.keys, cutoffs, strict=True))
        self._last_alarms: dict[_SeriesKey, int] = {}
        self._flat_runs = FlatRunCounter(self.known, rate, adapt=adapt)
        self._fit_thresholds()

    def judge(self, panel: Panel, *, every: bool = False) -> Detection:
        """Judge the rows of a panel that are newer than the training, and append them to `known`.

        every: have a row in the table for those that are not newer, too, which are not judged.
        """
        memory = self.forecaster.memory
        joined = with_training_history(panel, self.known, memory, since=True)
        first_new = self._first_new_ordinals(joined)
        first = panel.start if every else np.maximum(first_new, panel.start)

        # The joined history begins before these rows: from ordinals to its steps.
        lower = np.clip(first - joined.start, 0, joined.lengths)
        upper = joined.lengths
        series, rows = list_steps(lower, upper)

        # Each of the rows, also as a place on the time axis.
        ordinals = joined.start[series] + rows
        is_new = ordinals >= first_new[series]

        errors = self.errors.measure(joined, lower, upper)
        judgement = self._judge_rows(joined, series, rows, errors, is_new)
        table = _build_table(joined, series, rows, errors.interval, judgement)

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
        known_ends = self.known.start + self.known.lengths
        is_unknown = place < 0
        is_later = panel.start >= known_ends[place]
        return bool((is_unknown | is_later).all())

    def is_known(self, panel: Panel) -> bool:
        """Whether no row of a panel is newer than the rows that the run was trained on."""
        ends = panel.start + panel.lengths
        is_trained_on = ends <= self._first_new_ordinals(panel)
        return bool(is_trained_on.all())

    def require(self, found: Detection) -> None:
        """Raise DataError where there was nothing to judge."""
        if len(found.rows):
            return

        cutoff = self.forecaster.cutoff.max()
        ordinals = np.array([cutoff])
        (last,) = self.forecaster.axis.texts(ordinals)
        raise DataError(
            f"nothing newer than what the run was trained on, which ends at {last}",
            "give newer rows",
        )

    def _first_new_ordinals(self, panel: Panel) -> Ints:
        """Ordinal of the first step of each series that is newer than its training, [N]."""
        cutoffs = [self._cutoff.get(key, _NEVER) for key in panel.keys]
        last_trained = np.array(cutoffs, dtype=np.int64)
        return last_trained + 1

    def _fit_thresholds(self) -> None:
        """Set the thresholds by the errors on the newest rows of the history."""
        panel = self.known
        # Single rows and runs share the rate.
        rate = self.rate / 2
        needed = Threshold.scores_needed(rate)

        # Twice as many as needed, so that the largest error alone does not set the limit.
        wanted = 2 * max(needed, _MIN_HISTORY_ROWS)
        wanted_each = -(-wanted // len(panel))  # rounded up

        # The newest rows of each series, if they can be forecast.
        upper = panel.lengths
        first_forecast = np.minimum(self.errors.warm_up, upper)
        lower = np.maximum(upper - wanted_each, first_forecast)
        errors = self.errors.fit(panel, lower, upper)

        series, rows = list_steps(lower, upper)
        sizes = np.abs(errors.point)
        factor = self._out_of_sample_factor(series, rows, sizes)

        # What the errors would be, had training not seen these rows.
        point = sizes * factor
        run = self.errors.largest_run_deviations(errors)

        self.pooled = ThresholdPair.from_scores(rate, point, run)
        self._by_series: dict[_SeriesKey, ThresholdPair] = {}
        if len(panel) > 1 and wanted_each > needed:
            self._by_series = _fit_each_series(panel, rate, series, point, run)
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
        forecaster = self.forecaster
        unchanged = np.ones(len(rows))
        if not any(record["step"] for record in forecaster.history):
            return unchanged  # nothing was trained: all rows are out of sample

        validation = forecaster.config.window.validation
        split = split_holdout(
            self.known, forecaster.horizon, forecaster.season, validation
        )

        # Errors on either side of the end of the training.
        held_out = rows >= split.ends[series]
        observed = ~np.isnan(sizes)
        holdout = sizes[held_out & observed]
        trained = sizes[~held_out & observed]
        if min(len(holdout), len(trained)) < _MIN_HOLDOUT_ROWS:
            return unchanged

        # A series that is forecast without any error has no ratio.
        usual = float(np.median(trained))
        if not usual > 0:
            return unchanged

        ratio = float(np.median(holdout)) / usual
        return np.where(held_out, 1.0, max(1.0, ratio))

    def _judge_rows(
        self, panel: Panel, series: Ints, rows: Ints, errors: RowErrors, is_new: Bools
    ) -> _Judgement:
        """Judge rows; thresholds are looked up, and learn, in the order of time."""
        n_rows = len(rows)
        stamps = panel.start[series] + rows
        actual = look_up_values(panel, series, rows)
        score = np.full(n_rows, np.nan)
        limit = np.full(n_rows, np.nan)

        # Kinds of the rows that stay without a score.
        kind = np.full(n_rows, "warm-up", dtype=object)
        kind[np.isnan(actual)] = "missing"
        kind[~is_new] = "known"

        run = self.errors.largest_run_deviations(errors)
        pairs = [self._by_series.get(key, self.pooled) for key in panel.keys]

        # Rows of one time step are judged in the order of the series, so that results are the same
        # whether rows arrive together or one by one.
        in_time = np.lexsort((series, stamps))
        for place in in_time.tolist():
            number = int(series[place])
            pair = pairs[number]
            # Rows that are not judged have bounds in the table, too.
            if np.isfinite(pair.point.limit):
                limit[place] = pair.point.limit

            if not is_new[place]:
                continue

            # Every row counts, also where its series is too young for a forecast.
            key = panel.keys[number]
            stamp = int(stamps[place])
            value = float(actual[place])
            flat_score = self._flat_runs.measure_excess(key, stamp, value)
            is_stuck = flat_score > 1

            error = errors.point[place]
            if np.isnan(limit[place]) or np.isnan(error):
                continue

            # The row before was wrong: a forecast that took it for right is not to be trusted.
            if self._last_alarms.get(key) == stamp - 1:
                row = int(rows[place])
                self._remeasure(panel, number, row, place, errors)

            size = abs(float(errors.point[place]))
            deviation = float(run[place])
            # How well a stuck value is forecast says nothing of ordinary rows.
            learn = self.adapt and not is_stuck
            point_score = _score_and_learn(pair.point, size, learn=learn)
            run_score = _score_and_learn(pair.run, deviation, learn=learn)
            if point_score >= 1:
                self._last_alarms[key] = stamp

            score[place] = max(point_score, run_score, flat_score if is_stuck else 0.0)
            kind[place] = _name_anomaly(point_score, run_score, is_stuck=is_stuck)

        return _Judgement(score, limit, kind)

    def _remeasure(
        self, panel: Panel, series: int, row: int, place: int, errors: RowErrors
    ) -> None:
        """Measure a row after an alarm by a forecast that has not seen the alarm, if it is nearer.

        The forecast from the row of the alarm took a wrong value for a right one. Changes
        `errors` at `place`.
        """
        origin = row - 2
        if origin < self.errors.warm_up - 1:
            return

        interval, errors_past_alarm = self.errors.measure_past_alarm(panel, series, row)
        error = errors_past_alarm[0]
        if abs(error) < abs(errors.point[place]):
            for column, nearer in zip(errors.interval, interval, strict=True):
                column[place] = nearer[0]
            errors.point[place] = error


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
    notes = (*found.notes, *detector.notes)
    return Detection(found.rows, notes)


def _fit_each_series(
    panel: Panel, rate: float, series: Ints, point: Floats, run: Floats
) -> dict[_SeriesKey, ThresholdPair]:
    """Thresholds of their own for the series that have enough rows for the rate."""
    pairs = {}
    for number, key in enumerate(panel.keys):
        own = series == number
        pair = ThresholdPair.from_scores(rate, point[own], run[own])
        if not pair.point.is_extrapolated:
            pairs[key] = pair

    return pairs


def _build_table(
    panel: Panel, series: Ints, rows: Ints, interval: Interval, judgement: _Judgement
) -> pd.DataFrame:
    """The table of judged rows, see `Detection`."""
    stamps = panel.start[series] + rows
    expected, above, below = interval
    score, limit, kind = judgement
    is_anomaly = score >= 1
    return pd.DataFrame(
        {
            **panel.key_columns(series),
            panel.axis.name: pd.Index(panel.axis.stamps(stamps)),
            "actual": look_up_values(panel, series, rows),
            "expected": expected,
            "low": expected - limit * below,
            "high": expected + limit * above,
            "score": score,
            "anomaly": is_anomaly.astype(np.int64),
            "kind": kind.astype(str),
        }
    )


def _name_anomaly(point_score: float, run_score: float, *, is_stuck: bool) -> str:
    """Kind of a judged row; empty for an ordinary one."""
    if is_stuck:
        return "stuck"
    # A row that stands out by itself is no part of a run.
    if point_score >= 1:
        return "point"
    return "run" if run_score >= 1 else ""


def _score_and_learn(threshold: Threshold, value: float, *, learn: bool) -> float:
    """Score of a row's error, or of its run; the threshold learns from it afterwards."""
    score = _score_against_limit(value, threshold)
    if learn and not np.isnan(value):
        threshold.add(value, alarm=score >= 1)
    return score


def _score_against_limit(value: float, threshold: Threshold) -> float:
    """A score in units of its limit: below 1 up to the limit, which is not beyond itself."""
    limit = threshold.limit
    if np.isnan(value) or not np.isfinite(limit):
        return 0.0
    if limit <= 0:
        return 0.0 if value <= limit else float("inf")

    quotient = float(value / limit)
    # Rounding must not carry a quotient over to the wrong side of 1.
    if value <= limit:
        return min(quotient, 1 - 1e-9)
    return max(quotient, 1.0)
