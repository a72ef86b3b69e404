"""Forecasts held against what the series itself has shown: whole numbers, zeros, range, spread.

Knows only arrays and panels, no networks.

Axes: N series, K windows, H horizon, Q quantiles.
"""

from typing import NamedTuple

import numpy as np

from lstmcast.errors import DivergedError
from lstmcast.features.rows import are_first_steps, series_of_rows
from lstmcast.forecasting.quantiles import DEVIATION_PER_MEAN_ERROR, STANDARD_NORMAL
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Floats, Ints

MAX_COUNT_STEPS = 10.0
"""A series counts in small numbers where its middle value above 0 is at most so many steps."""
MIN_COUNT_VALUES = 8
"""Fewest values above 0 that show the step in which a series counts."""
MIN_ZERO_SHARE = 0.1
"""From this share of zeros on, a forecast that is small beside the usual values is 0."""
SMALL_SHARE = 0.5
"""What is small: this share of a value that nine of ten values above 0 exceed."""
MIN_LIMIT_SHARE = 0.1
MIN_ARRIVALS = 5
LIMIT_EXCESS = 2.0
"""A series has a limit where its highest (or lowest) value is a tenth of all, was reached so many
times from elsewhere, and is so many times as frequent as the value next to it: what merely wanders
to its highest value passes the next one on the way there and back."""
RANGE_FACTOR = 3.0
"""How many times the range of a series its forecast may lie beyond that range, and more if it is
forecast farther than it is long."""
MIN_RANGE_VALUES = 8
"""Fewest values whose range bounds a forecast."""
MIN_OWN_VALUES = 3
"""Fewest values of a new series that show how far it may stray."""
_ROUNDING = 1e-9


class Grid(NamedTuple):
    """The values that series take, [N] each.

    step: of the counts of a series, 0 where it does not count. zero_below: forecasts below it are
    0; 0 where no value is. lowest, highest: limits, infinite where there are none.
    """

    step: Floats
    zero_below: Floats
    lowest: Floats
    highest: Floats

    def snap(self, quantiles: Floats, series: Ints) -> Floats:
        """Move quantiles [K, H, Q] of these series [K] to the nearest values that there can be.

        The quantile of a rounded number is its rounded quantile.
        """
        step = self.step[series]
        step = step[:, None, None]
        zero_below = self.zero_below[series]
        zero_below = zero_below[:, None, None]

        # Without a step any divisor does: the result is not used there.
        is_count = step > 0
        divisor = np.where(is_count, step, 1.0)
        n_steps = np.round(quantiles / divisor)
        counts = n_steps * step
        snapped = np.where(is_count, counts, quantiles)

        has_zeros = zero_below > 0
        is_small = has_zeros & (snapped < zero_below)
        snapped = np.where(is_small, 0.0, snapped)

        # The quantile of a limited number is its limited quantile.
        lowest = self.lowest[series]
        highest = self.highest[series]
        return np.clip(snapped, lowest[:, None, None], highest[:, None, None])

    def slack(self, actual: Floats, series: Ints) -> Floats:
        """How far an interval may miss actual values [K, H] and still cover them when snapped."""
        step = self.step[series]
        half_step = step[:, None] / 2

        # A series that was only zero so far has no size below which to become 0.
        zero_below = self.zero_below[series]
        is_endless = np.isinf(zero_below)
        zero_below = np.where(is_endless, 0.0, zero_below)

        # Whatever is small enough becomes 0, which an observed 0 then equals.
        is_zero = actual == 0
        to_zero = np.where(is_zero, zero_below[:, None], 0.0)
        return np.maximum(half_step, to_zero)


def find_grid(panel: Panel, ends: Ints) -> Grid:
    """Find the values that series take in their first `ends` [N] steps."""
    offsets = panel.offsets
    is_past = are_first_steps(offsets, ends)
    past = np.where(is_past, panel.values, np.nan)
    step, zero_below = _find_counts_and_zeros(past, offsets)
    highest = _find_upper_limits(past, offsets)
    lowest = -_find_upper_limits(-past, offsets)
    return Grid(step, zero_below, lowest, highest)


def _find_counts_and_zeros(past: Floats, offsets: Ints) -> tuple[Floats, Floats]:
    """Find `step` and `zero_below` of a grid, [N] each; past: [sum T], NaN where unknown."""
    lengths = np.diff(offsets)
    n_series = len(lengths)
    owner = series_of_rows(offsets)

    # What the values of each series are like.
    known = ~np.isnan(past)
    count = np.bincount(owner, known, n_series)
    zeros = np.bincount(owner, past == 0, n_series)
    negative = np.bincount(owner, past < 0, n_series)
    is_fraction = known & (past != np.round(past))
    fractions = np.bincount(owner, is_fraction, n_series)

    # Most series are neither: only of the others the values are put in order.
    is_whole = fractions == 0
    fewest_zeros = np.maximum(MIN_ZERO_SHARE * count, 1)
    has_zeros = zeros >= fewest_zeros
    is_never_negative = negative == 0
    has_grid = (is_whole | has_zeros) & is_never_negative
    candidates = np.flatnonzero(has_grid)

    step = np.zeros(n_series)
    zero_below = np.zeros(n_series)
    if not len(candidates):
        return step, zero_below

    # The rows of the candidates, each with the number of its series among them.
    is_candidate = np.zeros(n_series, bool)
    is_candidate[candidates] = True
    rows = is_candidate[owner]
    number = np.cumsum(is_candidate) - 1
    group = number[owner[rows]]

    # Their values above 0 in order, series by series; what is none of them comes last.
    candidate_past = past[rows]
    positive = np.where(candidate_past > 0, candidate_past, np.nan)
    order = np.lexsort((positive, group))

    # Where each of them begins in that order, and how many of its values are above 0.
    own_lengths = lengths[candidates]
    first = np.cumsum(own_lengths) - own_lengths
    above_zero = count - zeros
    n_positive = above_zero[candidates].astype(np.int64)

    def ranked(share: float) -> Floats:
        """The positive value at this share of each candidate's, NaN where there is none."""
        last_rank = np.maximum(n_positive - 1, 0)
        rank = (share * last_rank).astype(np.int64)
        places = order[first + rank]
        return np.asarray(positive[places])

    steps = _find_count_steps(positive, group, ranked(0.0), ranked(0.5))
    has_enough = n_positive >= MIN_COUNT_VALUES
    step[candidates] = np.where(has_enough, steps, 0.0)

    # The least value of all may be an exception: one in ten lies below this.
    usual_least = np.nan_to_num(ranked(0.1))
    small = SMALL_SHARE * usual_least
    # Zero stays zero.
    small = np.where(n_positive > 0, small, np.inf)
    zero_below[candidates] = np.where(has_zeros[candidates], small, 0.0)
    return step, zero_below


def _find_upper_limits(past: Floats, offsets: Ints) -> Floats:
    """Find the value that each series [N] reaches again and again and never exceeds.

    past: [sum T], NaN where nothing is known. Returns infinity for a series without a limit.
    """
    owner = series_of_rows(offsets)
    n_series = len(offsets) - 1
    highest = np.fmax.reduceat(past, offsets[:-1])
    is_at_limit = past == highest[owner]
    at_limit = np.bincount(owner, is_at_limit, n_series)
    known = np.bincount(owner, ~np.isnan(past), n_series)
    is_limit = at_limit >= MIN_LIMIT_SHARE * known
    # Hardly any series is often at its highest value: no more is asked of the others.
    if not is_limit.any():
        return np.full(n_series, np.inf)

    # A series of one value has no limit, as nothing is known of what else it may be.
    below = np.where(is_at_limit, np.nan, past)
    next_highest = np.fmax.reduceat(below, offsets[:-1])
    at_next = np.bincount(owner, below == next_highest[owner], n_series)
    is_limit &= (at_next > 0) & (at_limit >= LIMIT_EXCESS * at_next)

    # A series arrives at its limit where it was elsewhere one step before.
    arrives = is_at_limit.copy()
    stays = is_at_limit[1:] & is_at_limit[:-1] & (owner[1:] == owner[:-1])
    arrives[1:] &= ~stays
    is_limit &= np.bincount(owner, arrives, n_series) >= MIN_ARRIVALS
    return np.where(is_limit, highest, np.inf)


def _find_count_steps(
    positive: Floats, group: Ints, least: Floats, middle: Floats
) -> Floats:
    """Find the step in which each series [n] counts, 0 where it does not.

    positive, group: values above 0, NaN for others, and the number of the series of each. least,
    middle: [n], the least and the median of each series' values above 0.
    """
    n_series = len(least)
    steps = np.zeros(n_series)

    # Counts are in ones, or in lots as large as the least of them, which has the last word.
    for unit in (np.ones(n_series), least):
        safe = np.where(unit > 0, unit, 1.0)
        parts = positive / safe[group]
        distance = np.abs(parts - np.round(parts))
        tolerance = _ROUNDING * np.maximum(parts, 1.0)
        is_off = distance > tolerance
        n_off = np.bincount(group, is_off, n_series)

        # Large numbers lie so close to a multiple that rounding to one would say little.
        is_small = middle <= MAX_COUNT_STEPS * safe
        is_counted = (n_off == 0) & is_small
        steps = np.where(is_counted, safe, steps)
    return steps


class Habits:
    """What the panel that a run was trained on shows of its series: the values that they take."""

    def __init__(self, panel: Panel) -> None:
        self.panel = panel
        self.grid = find_grid(panel, panel.lengths)

    def hold(
        self,
        quantiles: Floats,
        panel: Panel,
        series: Ints,
        origins: Ints,
        levels: Floats,
    ) -> Floats:
        """Hold quantiles [K, H, Q] of windows of any panel against the past of their series.

        Series of one or two values get the usual spread, nothing lies absurdly far away, and zeros
        and counts are exact.
        """
        past = Past.of(panel, series, origins)
        quantiles = widen_young(quantiles, past, self.panel, levels)
        quantiles = bound_by_range(quantiles, past)

        # Last, as the steps before leave values that the series cannot take.
        grid = self._grid_of(panel, series, origins)
        return grid.snap(quantiles, series)

    def _grid_of(self, panel: Panel, series: Ints, origins: Ints) -> Grid:
        """Return the grid of training, of new series that of what lies before the origins."""
        place = panel.align(self.panel)
        trained = Grid(*(values[place] for values in self.grid))

        # A series that was only zero so far may have begun since.
        is_unknown = place < 0
        was_only_zero = np.isinf(trained.zero_below)
        is_new = is_unknown | was_only_zero
        if not is_new[series].any():
            return trained

        # The earliest window of a series must not see what follows it.
        ends = panel.lengths.copy()
        np.minimum.at(ends, series, origins + 1)
        own = find_grid(panel, ends)
        both = zip(own, trained, strict=True)
        return Grid(*(np.where(is_new, new, old) for new, old in both))


def require_finite(quantiles: Floats) -> Floats:
    """Return forecasts [K, H, Q]; raise DivergedError where one is not a number."""
    wrong = ~np.isfinite(quantiles)
    if wrong.any():
        raise DivergedError(
            f"{int(wrong.sum()):,} of {wrong.size:,} values of the forecast are not a number",
            "the weights are damaged, or their training went wrong: fit again",
        )
    return quantiles


class Past(NamedTuple):
    """What windows [K] may know of their series: lowest and highest value, how many there are."""

    low: Floats
    high: Floats
    n_values: Ints

    @classmethod
    def of(cls, panel: Panel, series: Ints, origins: Ints) -> "Past":
        """Find it for windows of a panel."""
        first = panel.offsets[series]
        end = first + origins + 1

        # How many values are known up to each place of the panel.
        known = ~np.isnan(panel.values)
        so_far = np.concatenate([[0], np.cumsum(known)])
        count = so_far[end] - so_far[first]

        n_windows = len(series)
        low = np.empty(n_windows)
        high = np.empty(n_windows)
        own, number = np.unique(series, return_inverse=True)
        if 2 * len(own) < n_windows:
            # Many windows of one series: its range grows from step to step.
            for place, one in enumerate(own.tolist()):
                y = panel.series(one)
                lowest = np.fmin.accumulate(y)
                highest = np.fmax.accumulate(y)

                windows = number == place
                ends_at = origins[windows]
                low[windows] = lowest[ends_at]
                high[windows] = highest[ends_at]

            return cls(low, high, count)

        # Between the past of one window and the next lies a stretch that is not looked at.
        pairs = np.stack([first, end], 1)
        bounds = pairs.ravel()
        # One value more, since the last window may end where the panel does.
        values = np.append(panel.values, np.nan)
        lowest = np.fmin.reduceat(values, bounds)
        highest = np.fmax.reduceat(values, bounds)
        low = lowest[::2]
        high = highest[::2]
        return cls(low, high, count)


def bound_by_range(quantiles: Floats, past: Past) -> Floats:
    """Keep quantiles [K, H, Q] within reach of the range that their series had so far."""
    horizon = quantiles.shape[1]
    extent = past.high - past.low

    # The farther ahead beside what is known, the farther it may go.
    n_values = np.maximum(past.n_values, 1)
    farther = np.maximum(horizon / n_values, 1.0)
    # A range near the largest number there is has no bound.
    with np.errstate(over="ignore"):
        reach = RANGE_FACTOR * farther * extent

    # Few values, or one value again and again, say nothing of the range.
    has_enough = past.n_values >= MIN_RANGE_VALUES
    usable = has_enough & (extent > 0)
    lower = np.where(usable, past.low - reach, -np.inf)
    upper = np.where(usable, past.high + reach, np.inf)

    lower = lower[:, None, None]
    upper = upper[:, None, None]
    return np.clip(quantiles, lower, upper)


def widen_young(quantiles: Floats, past: Past, known: Panel, levels: Floats) -> Floats:
    """Give series of one or two values [K] the spread that values had in training.

    Their own differences say too little of it. known: the panel that the run was trained on.
    """
    young = past.n_values < MIN_OWN_VALUES
    if not young.any():
        return quantiles

    # The change that is usual in training, in the size of the series.
    size = np.maximum(np.abs(past.high), np.abs(past.low))
    half_width = _usual_change(known) * size

    # As far from the median as normal errors of that size are, level by level.
    deviations = [STANDARD_NORMAL.inv_cdf(level) for level in levels.tolist()]
    deviation = half_width[young, None] * DEVIATION_PER_MEAN_ERROR
    distance = deviation * np.array(deviations)

    own = quantiles[young]
    from_median = np.abs(levels - 0.5)
    place = int(np.argmin(from_median))
    median = own[..., place : place + 1]
    usual = median + distance[:, None]

    # What was never negative is not made so.
    low = past.low[young]
    never_negative = low[:, None, None] >= 0
    at_least_zero = np.maximum(usual, 0.0)
    usual = np.where(never_negative, at_least_zero, usual)

    # Intervals are only made wider, and the median is left where it is.
    lower = np.minimum(own, usual)
    upper = np.maximum(own, usual)
    outward = np.where(levels < 0.5, lower, upper)
    widened = quantiles.copy()
    widened[young] = np.where(levels == 0.5, own, outward)
    return widened


def _usual_change(panel: Panel) -> float:
    """Change from step to step that is usual in the series of a panel, as a share of their size."""
    n_series = len(panel)
    change = np.abs(np.diff(panel.values, prepend=np.nan))

    # From the end of one series to the next nothing changes.
    first = panel.offsets[:-1]
    change[first] = np.nan

    # Sums over the known steps of each series.
    owner = np.repeat(np.arange(n_series), panel.lengths)
    known_change = np.nan_to_num(change)
    known_size = np.nan_to_num(np.abs(panel.values))
    total = np.bincount(owner, known_change, n_series)
    size = np.bincount(owner, known_size, n_series)

    # A series of zeros alone has no size to measure by.
    has_size = size > 0
    if not has_size.any():
        return 0.0
    shares = total[has_size] / size[has_size]
    return float(np.median(shares))
