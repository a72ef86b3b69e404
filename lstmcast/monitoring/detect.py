"""Rows that are not as expected: single ones, and runs of rows that are each a little off.

A row is judged twice. By a forecast from the row before it, for what happens at once; and by one
from the last whole block of rows before it, which a fault that lasts cannot pull along, summed up
over the last few rows. What of either is rare, the errors on rows that are not judged say. Knows
neither files nor the terminal.

Axes: N series, K rows or windows, Q quantiles (0.1, 0.5, 0.9), W lengths of runs.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lstmcast.config import DEFAULT_FALSE_ALARM_RATE
from lstmcast.errors import DataError, UsageError
from lstmcast.forecasting.predictor import Predictor
from lstmcast.monitoring.thresholds import MIN_SCORES, Threshold
from lstmcast.panel.extend import append_new_series, with_training_history
from lstmcast.panel.holdout import split_holdout
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Floats, Ints, concat_ranges

NUMERIC_COLUMNS = ("actual", "expected", "low", "high", "score")
"""Numbers that the table has of each row."""
_QUANTILE_LEVELS = (0.1, 0.5, 0.9)
_ROWS_PER_STRIP = 32
"""Rows whose forecasts from the row before are made together."""
_MIN_HELD_BACK_ROWS = 30
"""Held-back rows from which it can be told how much larger errors are on rows that training has not
seen."""
_MAX_ERROR_IN_RUN = 2.0
"""Most that one row adds to a run, in half-widths of the 80 % interval: no run is made of one
row."""
_MIN_RUN_LENGTH = 4
_HISTORY_TO_RUN_FACTOR = 20
"""So many times the length of a run the history must be to say how far such runs usually stray."""


class _RowErrors(NamedTuple):
    """Of rows [K]: the expected value, the half-widths of the 80 % interval around it, and the error in half-widths.

    runs: how far the runs that end here strayed, to one side and in size, [K, 2 W]. NaN where
    unknown.
    """

    expected: Floats
    above: Floats
    below: Floats
    point: Floats
    runs: Floats


@dataclass(frozen=True, eq=False)
class Detection:
    """Rows that were judged, and how many of them are not as expected.

    rows: the series columns, the time column, `actual`, `expected`, `low` and `high` (between them
    lies an ordinary row, but for the rate), `score` (1 and more is flagged; missing where a row
    could not be judged), `anomaly` (0 or 1) and `kind`: point or run for an anomaly; warm-up,
    missing or known for a row that was not judged.
    """

    rows: pd.DataFrame
    notes: tuple[str, ...] = ()

    @property
    def figures(self) -> dict[str, float]:
        """How many rows are anomalies, single ones and in runs; how many were judged; and the anomalies' share."""
        points, runs = (int((self.rows["kind"] == kind).sum()) for kind in ("point", "run"))
        judged = int(self.rows["score"].notna().sum())
        share = (points + runs) / max(judged, 1)
        return {
            "anomalies": points + runs,
            "points": points,
            "runs": runs,
            "judged": judged,
            "share": share,
        }


class Detector:
    """Judges rows as they come, with the forecasts of a run.

    rate: share of ordinary rows that may be flagged, half of it for single rows, half for runs.
    Thresholds follow from the errors on the newest rows of the run's own history; with `adapt`
    errors of judged rows join them, each after its row was judged. `notes` says what is worth
    saying of that. Raises UsageError for a rate that is none, and for a run of probabilities.
    """

    def __init__(
        self, forecaster: Predictor, *, rate: float = DEFAULT_FALSE_ALARM_RATE, adapt: bool = True
    ) -> None:
        if not 0 < rate < 0.5:
            raise UsageError(
                f"--rate {rate:g} is out of range",
                "give a share above 0 and below 0.5, such as 0.001",
            )
        if forecaster.probability:
            raise UsageError(
                "a run of probabilities has no interval to lie outside of", "fit it with --loss mse"
            )
        self.forecaster, self.rate, self.adapt = forecaster, rate, adapt
        self.known = forecaster.panel
        self.notes: tuple[str, ...] = ()
        self.ahead = max(min(forecaster.horizon, max(forecaster.season, 2)), 2)
        self.warm = max(forecaster.season, 10)
        self._cutoff = dict(zip(self.known.keys, forecaster.cutoff.tolist(), strict=True))
        self._alarmed: dict[tuple[str, ...], int] = {}
        self._set_thresholds()

    def judge(self, panel: Panel, *, every: bool = False) -> Detection:
        """Judge the rows of a panel that are newer than what the run was trained on; its history goes on with them.

        every: have a row in the table for those that are not newer, too, which are not judged.
        """
        memory = self.forecaster.memory
        joined = with_training_history(panel, self.known, memory, since=True)
        ends = joined.start + joined.lengths
        newer = self._first_new_ordinals(joined)
        first = panel.start if every else np.maximum(newer, panel.start)
        lower, upper = (np.clip(bound - joined.start, 0, joined.lengths) for bound in (first, ends))
        series = np.repeat(np.arange(len(joined)), upper - lower)
        rows = concat_ranges(lower, upper - lower)
        fresh = joined.start[series] + rows >= newer[series]
        table = self._judge_rows(
            joined, series, rows, self._row_errors(joined, lower, upper), fresh
        )
        if fresh.any():
            self.known = append_new_series(joined, self.known)
        if (self.known.lengths > 2 * memory).any():
            self.known = self.known.tail(memory)
        return Detection(table, joined.notes)

    def is_new(self, panel: Panel) -> bool:
        """Whether every row of a panel is newer than those that are known of its series."""
        place = panel.align(self.known)
        ends = (self.known.start + self.known.lengths)[place]
        return bool(((place < 0) | (panel.start >= ends)).all())

    def is_known(self, panel: Panel) -> bool:
        """Whether no row of a panel is newer than what the run was trained on."""
        return bool((panel.start + panel.lengths <= self._first_new_ordinals(panel)).all())

    def require(self, found: Detection) -> None:
        """Raise DataError where there was nothing to judge."""
        if not len(found.rows):
            last = self.forecaster.axis.texts(np.array([self.forecaster.cutoff.max()]))[0]
            raise DataError(
                f"nothing newer than what the run was trained on, which ends at {last}",
                "give newer rows",
            )

    def _first_new_ordinals(self, panel: Panel) -> Ints:
        """Ordinal of the first step of each series that is newer than its training."""
        return np.array([self._cutoff.get(key, -(2**62)) + 1 for key in panel.keys], dtype=np.int64)

    def _set_thresholds(self) -> None:
        """Set the thresholds by the errors on the newest rows of the history."""
        panel, need = self.known, Threshold.scores_needed(self.rate / 2)
        each = -(-2 * max(need, 100) // len(panel))
        upper = panel.lengths
        lower = np.maximum(np.minimum(upper - each, upper), np.minimum(self.warm, upper))
        count = int((upper - lower).sum())
        longest = min(self.ahead, count // len(panel) // _HISTORY_TO_RUN_FACTOR)
        self.lengths = [
            2**power for power in range(2, 16) if _MIN_RUN_LENGTH <= 2**power <= longest
        ]
        self._size: float | None = None
        errors = self._row_errors(panel, lower, upper)
        known = ~np.isnan(errors.runs).any(axis=1)
        usual = (
            np.quantile(errors.runs[known], 0.9, axis=0)
            if known.any()
            else np.zeros(errors.runs.shape[1])
        )
        self._usual = np.where(usual > 0, usual, 1.0)
        series = np.repeat(np.arange(len(panel)), upper - lower)
        point = np.abs(errors.point) * self._out_of_sample_factor(
            series, concat_ranges(lower, upper - lower), np.abs(errors.point)
        )
        strayed = self._largest_run_deviations(errors)
        rated = self.rate / 2
        pooled = [
            Threshold(rated, values[~np.isnan(values)].tolist()) for values in (point, strayed)
        ]
        self._limits: dict[tuple[str, ...], list[Threshold]] = {}
        self._pooled = pooled
        for i, key in enumerate(panel.keys) if len(panel) > 1 and each > need else ():
            mine = series == i
            own = [Threshold(rated, v[mine & ~np.isnan(v)].tolist()) for v in (point, strayed)]
            if not own[0].is_extrapolated:
                self._limits[key] = own
        if pooled[0].is_extrapolated:
            what = (
                "beyond what was seen it is extrapolated"
                if len(pooled[0]) >= MIN_SCORES
                else "nothing can be flagged"
            )
            said = f"{len(pooled[0])} rows of history are too few for a rate of {self.rate:g} ({need} are not)"
            self.notes += (f"{said}: {what}",)

    def _out_of_sample_factor(self, series: Ints, rows: Ints, errors: Floats) -> Floats:
        """Factor on the errors of rows that were trained on: how much larger they are on rows held back, [K]."""
        if not any(record["step"] for record in self.forecaster.history):
            return np.ones(len(rows))
        window = self.forecaster.config.window
        ends, _, _ = split_holdout(
            self.known, self.forecaster.horizon, self.forecaster.season, window.validation
        )
        held = rows >= ends[series]
        seen = ~np.isnan(errors)
        unseen, trained = errors[held & seen], errors[~held & seen]
        if (
            len(unseen) < _MIN_HELD_BACK_ROWS
            or len(trained) < _MIN_HELD_BACK_ROWS
            or not (usual := float(np.median(trained))) > 0
        ):
            return np.ones(len(rows))
        return np.where(held, 1.0, max(1.0, float(np.median(unseen)) / usual))

    def _row_errors(self, panel: Panel, lower: Ints, upper: Ints) -> _RowErrors:
        """Errors of steps lower to upper [N] of each series; nothing but its covariates is known of a row before it."""
        count = upper - lower
        series, rows = np.repeat(np.arange(len(panel)), count), concat_ranges(lower, count)
        able = rows >= self.warm
        made = np.full((len(rows), 3), np.nan)
        made[able] = self._forecast_quantiles(panel, series[able], rows[able] - 1, 1)[:, 0]
        actual = panel.values[panel.offsets[series] + rows]
        expected, above, below = _interval_half_widths(made)
        point = _scale_errors(actual, expected, above, below)
        return _RowErrors(expected, above, below, point, self._run_deviations(panel, lower, upper))

    def _forecast_quantiles(
        self, panel: Panel, series: Ints, origins: Ints, horizon: int
    ) -> Floats:
        """Quantiles [K, H, 3] of windows, series of no training by as much of them as was there when half as long.

        A forecaster scales these by what lies before the first origin that it is asked for.
        """
        new = panel.align(self.forecaster.panel)[series] < 0
        octave = np.where(new, np.log2(np.maximum(origins, 1)), 0).astype(np.int64)
        out = np.empty((len(series), horizon, len(_QUANTILE_LEVELS)))
        for one in np.unique(octave).tolist():
            part = octave == one
            strip = _ROWS_PER_STRIP if horizon == 1 else 1
            out[part] = self.forecaster.quantiles(
                panel, series[part], origins[part], horizon, _QUANTILE_LEVELS, strip=strip
            )
        return out

    def _run_deviations(self, panel: Panel, lower: Ints, upper: Ints) -> Floats:
        """How far the last rows strayed from forecasts of whole blocks, [K, W].

        It is the sum of their errors, or of how much larger these are than usual; each clipped, by
        the root of their number.
        """
        count = upper - lower
        if not self.lengths:
            return np.full((int(count.sum()), 1), np.nan)
        # A run that ends in the first row begins before it.
        begin = np.maximum(lower - self.lengths[-1] + 1, 0)
        wide = np.where(count > 0, upper - begin, 0)
        series, rows = np.repeat(np.arange(len(panel)), wide), concat_ranges(begin, wide)
        phase = (panel.start[series] + rows) % self.ahead
        origins = rows - phase - 1
        able = origins >= self.warm
        made = np.full((len(rows), 3), np.nan)
        blocks, which = np.unique(
            np.stack([series[able], origins[able]]), axis=1, return_inverse=True
        )
        ahead = self._forecast_quantiles(panel, blocks[0], blocks[1], self.ahead)
        made[able] = ahead[which.ravel(), phase[able]]
        actual = panel.values[panel.offsets[series] + rows]
        error = _scale_errors(actual, *_interval_half_widths(made)).clip(
            -_MAX_ERROR_IN_RUN, _MAX_ERROR_IN_RUN
        )
        seen = ~np.isnan(error)
        total = np.concatenate([[0.0], np.cumsum(np.where(seen, error, 0.0))])
        known = np.concatenate([[0], np.cumsum(seen)])
        owner = np.repeat(np.arange(len(panel)), count)
        stop = np.cumsum(wide)
        last = stop[owner] - upper[owner] + concat_ranges(lower, count) + 1
        start = (stop - wide)[owner]
        size = np.abs(error)
        if self._size is None:
            self._size = float(np.nanmean(size)) if seen.any() else 0.0
        large = np.concatenate([[0.0], np.cumsum(np.where(seen, size - self._size, 0.0))])
        out = np.full((len(last), 2, len(self.lengths)), np.nan)
        for w, length in enumerate(self.lengths):
            since = np.maximum(last - length, start)
            number = known[last] - known[since]
            enough = (2 * number >= length) & seen[last - 1]
            for side, sums in enumerate((total, large)):
                out[enough, side, w] = (sums[last] - sums[since])[enough] / np.sqrt(number[enough])
        out[:, 0] = np.abs(out[:, 0])
        return np.asarray(np.maximum(out, 0.0).reshape(len(last), 2 * len(self.lengths)))

    def _largest_run_deviations(self, errors: _RowErrors) -> Floats:
        """The largest of the runs that end in each row, in units of how far such runs usually stray, [K]."""
        each = errors.runs / self._usual
        return np.asarray(
            np.where(np.isnan(each).all(1), np.nan, np.where(np.isnan(each), -1.0, each).max(1))
        )

    def _judge_rows(
        self, panel: Panel, series: Ints, rows: Ints, errors: _RowErrors, fresh: NDArray[np.bool_]
    ) -> pd.DataFrame:
        """The table of the rows: thresholds are looked up, and learn, in the order of time."""
        actual, stamps = panel.values[panel.offsets[series] + rows], panel.start[series] + rows
        strayed = self._largest_run_deviations(errors)
        score, limit = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
        kind = np.where(np.isnan(actual), "missing", "warm-up").astype(object)
        kind[~fresh] = "known"
        limits = [self._limits.get(key, self._pooled) for key in panel.keys]
        for k in np.lexsort((series, stamps)).tolist():
            single, run = limits[series[k]]
            limit[k] = single.limit if np.isfinite(single.limit) else np.nan
            if not fresh[k] or np.isnan(limit[k]) or np.isnan(errors.point[k]):
                continue
            key, stamp = panel.keys[series[k]], int(stamps[k])
            if self._alarmed.get(key) == stamp - 1:
                self._rejudge_after_alarm(panel, int(series[k]), int(rows[k]), k, errors)
            values = abs(float(errors.point[k])), float(strayed[k])
            parts = _score_against_limit(values[0], single), _score_against_limit(values[1], run)
            score[k] = max(parts)
            kind[k] = "" if score[k] < 1 else "point" if parts[0] >= 1 else "run"
            if parts[0] >= 1:
                self._alarmed[key] = stamp
            if self.adapt:
                for value, threshold, part in zip(values, (single, run), parts, strict=True):
                    if not np.isnan(value):
                        threshold.add(value, alarm=part >= 1)
        columns = {
            **panel.key_columns(series),
            panel.axis.name: pd.Index(panel.axis.stamps(stamps)),
            "actual": actual,
        }
        columns |= {"expected": errors.expected, "low": errors.expected - limit * errors.below}
        columns |= {"high": errors.expected + limit * errors.above, "score": score}
        return pd.DataFrame(
            {**columns, "anomaly": (score >= 1).astype(np.int64), "kind": kind.astype(str)}
        )

    def _rejudge_after_alarm(
        self, panel: Panel, series: int, row: int, k: int, errors: _RowErrors
    ) -> None:
        """Judge row `k` of `errors`, which comes after an alarm, by a forecast that has not seen that, if it is nearer.

        The forecast from the row of the alarm took a wrong value for a right one.
        """
        if row - 2 < self.warm - 1:
            return
        one = panel.select(np.array([series]))
        first, origin = np.zeros(1, np.int64), np.array([row - 2])
        expected, above, below = _interval_half_widths(
            self.forecaster.quantiles(one, first, origin, 2, _QUANTILE_LEVELS)[:, 1]
        )
        point = _scale_errors(one.values[[row]], expected, above, below)
        if abs(point[0]) < abs(errors.point[k]):
            for part, better in zip(errors, (expected, above, below, point), strict=False):
                part[k] = better[0]


def detect(
    forecaster: Predictor,
    panel: Panel,
    *,
    rate: float = DEFAULT_FALSE_ALARM_RATE,
    adapt: bool = True,
) -> Detection:
    """Judge the rows of `panel` that are newer than what the forecaster was trained on, see `Detector`.

    Raises DataError where none is, UsageError for a rate that is none, and for a run of
    probabilities.
    """
    detector = Detector(forecaster, rate=rate, adapt=adapt)
    found = detector.judge(panel)
    detector.require(found)
    return Detection(found.rows, (*found.notes, *detector.notes))


def _score_against_limit(value: float, threshold: Threshold) -> float:
    """A score in units of its limit; one that equals the limit is not beyond it."""
    if np.isnan(value) or not np.isfinite(threshold.limit):
        return 0.0
    if value <= threshold.limit:
        return min(float(value / threshold.limit), 1 - 1e-9) if threshold.limit > 0 else 0.0
    return max(float(value / threshold.limit), 1.0) if threshold.limit > 0 else float("inf")


def _interval_half_widths(made: Floats) -> tuple[Floats, Floats, Floats]:
    """Median and half-widths above and below it [K] of quantiles [K, 3]; never quite 0, whatever was constant."""
    low, middle, high = made.T
    least = 1e-9 * np.abs(middle) + 1e-300
    return middle, np.maximum(high - middle, least), np.maximum(middle - low, least)


def _scale_errors(actual: Floats, expected: Floats, above: Floats, below: Floats) -> Floats:
    """Errors in half-widths of their side, [K]."""
    return np.asarray((actual - expected) / np.where(actual > expected, above, below))
