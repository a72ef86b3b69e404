"""How far rows lie from their forecasts: each row alone, and the rows of a run summed up.

A single row is measured against a forecast from the row before it. A run of rows is measured
against forecasts from the last row before a whole block of rows, which a lasting fault cannot pull
along with it. Knows neither limits nor tables.

Axes: N series, K rows or windows, H horizon, Q quantiles (0.1, 0.5, 0.9), W run lengths.
"""

from copy import copy
from typing import NamedTuple

import numpy as np

from lstmcast.forecasting.predictor import Predictor
from lstmcast.monitoring.evidence.measures import Reference
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Floats, Ints, concat_ranges

QUANTILE_LEVELS = (0.1, 0.5, 0.9)
"""Ends and middle of the 80 % interval that errors are measured by."""
MIN_WARM_UP_STEPS = 10
"""Steps of a series before the first row that is judged, or a season where that is longer."""
_ROWS_PER_STRIP = 32
"""Forecasts from the row before that are read from one context, which is faster."""
_MAX_ERROR_IN_RUN = 2.0
"""Half-widths that one row adds to a run at most, so that no single row makes a run."""
_MIN_RUN_LENGTH = 4
_MAX_RUN_LENGTH_LOG2 = 15
_HISTORY_TO_RUN_FACTOR = 20
"""How many times longer than a run the history must be to show how far such runs usually stray."""


def list_steps(lower: Ints, upper: Ints) -> tuple[Ints, Ints]:
    """Series number and step of all steps lower to upper [N] of each series, [K] each."""
    count = upper - lower
    series = np.repeat(np.arange(len(count)), count)
    return series, concat_ranges(lower, count)


def look_up_values(panel: Panel, series: Ints, rows: Ints) -> Floats:
    """Values of steps `rows` of the series with these numbers, [K] each."""
    places = panel.offsets[series] + rows
    return np.asarray(panel.values[places])


class Interval(NamedTuple):
    """Medians of rows, and the half-widths of the 80 % interval above and below them, each [K]."""

    expected: Floats
    above: Floats
    below: Floats

    @classmethod
    def from_quantiles(cls, quantiles: Floats) -> "Interval":
        """Intervals of quantiles [K, 3]; never of width 0, which a constant series would have."""
        low, median, high = quantiles.T
        # Of a median of 0 that is 0, too: a tiny number stands in.
        rounding = 1e-9 * np.abs(median)
        min_width = rounding + 1e-300

        width_above = high - median
        width_below = median - low
        above = np.maximum(width_above, min_width)
        below = np.maximum(width_below, min_width)
        return cls(median, above, below)

    def take(self, row: int) -> Reference:
        """What the error of one row is measured from."""
        expected = float(self.expected[row])
        below, above = float(self.below[row]), float(self.above[row])
        return Reference(expected, expected, below, above)

    def scale_errors(self, actual: Floats) -> Floats:
        """Errors of actual values in half-widths of the side that they lie on, [K]."""
        is_above = actual > self.expected
        half_width = np.where(is_above, self.above, self.below)
        errors = actual - self.expected
        return np.asarray(errors / half_width)


class RowErrors(NamedTuple):
    """Errors of rows [K]; NaN where a row could not be forecast, or has no value.

    point: error of each row in half-widths of its interval. runs: how far the runs that end in a
    row strayed, in their sum and in the size of their errors, [K, 2 W].
    """

    interval: Interval
    point: Floats
    runs: Floats


def _judge_by_networks(forecaster: Predictor) -> Predictor:
    """Return a run that forecasts by its networks even where a simple method does as well.

    The mean of some seasons would repeat an anomaly for as long, and its errors come in runs.
    """
    combination = forecaster.combination
    if not combination.method:
        return forecaster
    judging = copy(forecaster)
    judging.combination = combination._replace(method="", spread=None, network=1.0)
    return judging


class RowErrorModel:
    """Measures rows of a panel against the forecasts of a run.

    block: steps that are forecast together for runs. warm_up: steps of a series before its first
    forecast. run_lengths: numbers of rows that a run is summed over. They and what is usual for a
    run come from the errors that `fit` measures.
    """

    def __init__(self, forecaster: Predictor) -> None:
        self.forecaster = _judge_by_networks(forecaster)
        # A series without a season counts as one of 1 step, but a run takes more than that.
        season = max(forecaster.season, 2)
        block = min(forecaster.horizon, season)
        self.block = max(block, 2)
        self.warm_up = max(forecaster.season, MIN_WARM_UP_STEPS)
        self.run_lengths: list[int] = []
        self._mean_size: float | None = None
        self._usual: Floats = np.ones(1)

    def fit(self, panel: Panel, lower: Ints, upper: Ints) -> RowErrors:
        """Measure steps lower to upper [N] of each series, and learn from them what is usual."""
        steps = int((upper - lower).sum())
        steps_each = steps // len(panel)
        longest_shown = steps_each // _HISTORY_TO_RUN_FACTOR
        longest = min(self.block, longest_shown)

        # Each run is twice as long as the one before it: few lengths cover all durations.
        self.run_lengths = []
        for power in range(2, _MAX_RUN_LENGTH_LOG2 + 1):
            length = 2**power
            if _MIN_RUN_LENGTH <= length <= longest:
                self.run_lengths.append(length)

        # Nothing is known yet of what is usual: the errors themselves say it.
        self._mean_size = None
        errors = self.measure(panel, lower, upper)
        runs = errors.runs
        lacks_run = np.isnan(runs).any(axis=1)
        measured = ~lacks_run
        usual = np.zeros(runs.shape[1])
        if measured.any():
            usual = np.quantile(runs[measured], 0.9, axis=0)

        # Where runs usually do not stray at all they are counted in half-widths, as they are.
        self._usual = np.where(usual > 0, usual, 1.0)
        return errors

    def measure(self, panel: Panel, lower: Ints, upper: Ints) -> RowErrors:
        """Measure steps lower to upper [N] of each series, by forecasts from the rows before."""
        series, rows = list_steps(lower, upper)

        # Rows of the warm-up have no forecast.
        warm = rows >= self.warm_up
        origins = rows[warm] - 1
        one_ahead = self._forecast_quantiles(panel, series[warm], origins, 1)
        quantiles = _missing_quantiles(len(rows))
        quantiles[warm] = one_ahead[:, 0]

        interval = Interval.from_quantiles(quantiles)
        actual = look_up_values(panel, series, rows)
        point = interval.scale_errors(actual)
        runs = self._run_deviations(panel, lower, upper)
        return RowErrors(interval, point, runs)

    def measure_past_alarm(
        self, panel: Panel, series: int, row: int
    ) -> tuple[Interval, Floats]:
        """Interval and error of one row, forecast from two rows before it instead of one."""
        alone = panel.select(np.array([series]))
        first = np.zeros(1, np.int64)
        origin = np.array([row - 2])
        quantiles = self.forecaster.quantiles(
            alone, first, origin, 2, QUANTILE_LEVELS, as_it_is=True
        )

        # The second step of the forecast is the row itself.
        two_ahead = quantiles[:, 1]
        interval = Interval.from_quantiles(two_ahead)
        actual = alone.values[[row]]
        error = interval.scale_errors(actual)
        return interval, error

    def largest_run_deviations(self, errors: RowErrors) -> tuple[Floats, Ints]:
        """Largest of the runs that end in each row, and how many rows it has, [K] each.

        It is relative to how far such runs usually stray.
        """
        relative = errors.runs / self._usual
        missing = np.isnan(relative)

        # Deviations are 0 at least: -1 is never the largest, unless all of them are missing.
        comparable = np.where(missing, -1.0, relative)
        largest = comparable.max(1)
        largest[missing.all(1)] = np.nan
        # Each length has two sums, and without any there is a column of missing ones.
        lengths = np.array([*self.run_lengths, *self.run_lengths] or [1])
        return largest, lengths[comparable.argmax(1)]

    def _forecast_quantiles(
        self, panel: Panel, series: Ints, origins: Ints, horizon: int
    ) -> Floats:
        """Forecast quantiles [K, H, 3] of windows; what a row is judged by does not see that row.

        A series that is new to the run is scaled by what lies before the first origin asked for, so
        its windows are asked for in groups: each is scaled by at least half of its own past.
        """
        place_in_run = panel.align(self.forecaster.panel)
        is_new = place_in_run[series] < 0

        # The origins of a group lie within a factor of 2; series of the run are one group.
        past = np.maximum(origins, 1)
        doublings = np.log2(past)
        octaves = np.where(is_new, doublings, 0).astype(np.int64)

        n_windows = len(series)
        n_levels = len(QUANTILE_LEVELS)
        strip = _ROWS_PER_STRIP if horizon == 1 else 1
        quantiles = np.empty((n_windows, horizon, n_levels))
        for octave in np.unique(octaves).tolist():
            group = octaves == octave
            group_series = series[group]
            group_origins = origins[group]
            quantiles[group] = self.forecaster.quantiles(
                panel,
                group_series,
                group_origins,
                horizon,
                QUANTILE_LEVELS,
                strip=strip,
                as_it_is=True,
            )

        return quantiles

    def _run_deviations(self, panel: Panel, lower: Ints, upper: Ints) -> Floats:
        """How far the runs that end in steps lower to upper [N] strayed, [K, 2 W]."""
        series, rows = list_steps(lower, upper)
        if not self.run_lengths:
            return np.full((len(rows), 1), np.nan)

        # A run that ends in the first row begins before it, as far back as the longest one.
        longest = self.run_lengths[-1]
        begin = np.maximum(lower - longest + 1, 0)
        span = np.where(upper > lower, upper - begin, 0)
        errors = self._block_errors(panel, begin, begin + span)

        # Of each row: where the errors of its series begin, and where the run in it ends.
        series_ends = np.cumsum(span)
        series_starts = series_ends - span
        starts = series_starts[series]
        rows_after = upper[series] - rows - 1
        ends = series_ends[series] - rows_after
        return self._sum_runs(errors, starts, ends)

    def _block_errors(self, panel: Panel, lower: Ints, upper: Ints) -> Floats:
        """Errors of steps lower to upper [N], forecast a whole block at a time, clipped, [K]."""
        series, rows = list_steps(lower, upper)
        # Blocks lie at multiples of their length on the time axis, wherever the rows begin.
        ordinals = panel.start[series] + rows
        phase = ordinals % self.block
        origins = rows - phase - 1
        warm = origins >= self.warm_up

        # Rows of one block share a window, which is forecast only once.
        windows = np.stack([series[warm], origins[warm]])
        blocks, block_of_row = np.unique(windows, axis=1, return_inverse=True)
        block_series, block_origins = blocks
        forecasts = self._forecast_quantiles(
            panel, block_series, block_origins, self.block
        )

        # Back from blocks to rows, each at its own step of the block.
        quantiles = _missing_quantiles(len(rows))
        block_of_row = block_of_row.ravel()
        step_in_block = phase[warm]
        quantiles[warm] = forecasts[block_of_row, step_in_block]

        actual = look_up_values(panel, series, rows)
        interval = Interval.from_quantiles(quantiles)
        errors = interval.scale_errors(actual)
        return errors.clip(-_MAX_ERROR_IN_RUN, _MAX_ERROR_IN_RUN)

    def _sum_runs(self, errors: Floats, starts: Ints, ends: Ints) -> Floats:
        """Moving sums of errors before `ends` [K], of runs that begin at `starts` at the earliest.

        A sum grows with the errors' side (a shift) or with how much larger than usual they are (a
        restless series); divided by the root of the number of errors, its deviation where they are
        independent (moving sums: Bauer & Hackl 1978). Returns [K, 2 W].
        """
        observed = ~np.isnan(errors)
        excess = self._excess_sizes(errors)
        known_errors = np.where(observed, errors, 0.0)
        known_excess = np.where(observed, excess, 0.0)

        # The sum of a run is the difference of two running sums.
        counts = np.cumsum(observed)
        numbers = np.concatenate([[0], counts])
        shifts = _running_sums(known_errors)
        excesses = _running_sums(known_excess)

        n_rows = len(ends)
        n_lengths = len(self.run_lengths)
        last_observed = observed[ends - 1]
        deviations = np.full((n_rows, 2, n_lengths), np.nan)
        for column, length in enumerate(self.run_lengths):
            full_begins = ends - length
            begins = np.maximum(full_begins, starts)
            before = numbers[begins]
            number = numbers[ends] - before

            # Half of a run may be missing, but not its last row, which is the one judged.
            half_observed = 2 * number >= length
            enough = half_observed & last_observed
            root = np.sqrt(number[enough])

            for kind, sums in enumerate((shifts, excesses)):
                total = sums[ends] - sums[begins]
                deviations[enough, kind, column] = total[enough] / root

        # A shift counts to either side, but errors smaller than usual are no anomaly.
        deviations[:, 0] = np.abs(deviations[:, 0])
        positive = np.maximum(deviations, 0.0)
        return np.asarray(positive.reshape(n_rows, 2 * n_lengths))

    def _excess_sizes(self, errors: Floats) -> Floats:
        """How much larger errors are than usual, which is the mean of the first ones seen, [K]."""
        sizes = np.abs(errors)
        if self._mean_size is None:
            self._mean_size = 0.0
            if not np.isnan(sizes).all():
                self._mean_size = float(np.nanmean(sizes))
        return np.asarray(sizes - self._mean_size)


def _missing_quantiles(n_rows: int) -> Floats:
    """Quantiles [K, 3] of rows of which none is forecast yet."""
    shape = (n_rows, len(QUANTILE_LEVELS))
    return np.full(shape, np.nan)


def _running_sums(values: Floats) -> Floats:
    """Sums of the first 0, 1, ... K values, [K + 1]."""
    sums = np.cumsum(values)
    return np.concatenate([[0.0], sums])
