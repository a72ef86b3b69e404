"""Forecasts held against what the series itself has shown: whole numbers, zeros, range, spread.

Knows only arrays and panels, no networks.

Axes: N series, K windows, H horizon, Q quantiles.
"""

from typing import NamedTuple

import numpy as np

from lstmcast.errors import DivergedError
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
    0; 0 where no value is.
    """

    step: Floats
    zero_below: Floats

    def snap(self, quantiles: Floats, series: Ints) -> Floats:
        """Move quantiles [K, H, Q] of these series [K] to the nearest values that there can be.

        The quantile of a rounded number is its rounded quantile.
        """
        step = self.step[series][:, None, None]
        zero_below = self.zero_below[series][:, None, None]
        counts = np.round(quantiles / np.where(step > 0, step, 1.0)) * step
        snapped = np.where(step > 0, counts, quantiles)
        is_small = (zero_below > 0) & (snapped < zero_below)
        return np.where(is_small, 0.0, snapped)

    def slack(self, actual: Floats, series: Ints) -> Floats:
        """How far an interval may miss actual values [K, H] and still cover them when snapped."""
        half_step = self.step[series][:, None] / 2
        zero_below = self.zero_below[series][:, None]
        zero_below = np.where(np.isinf(zero_below), 0.0, zero_below)
        return np.maximum(half_step, np.where(actual == 0, zero_below, 0.0))


def find_grid(panel: Panel, ends: Ints) -> Grid:
    """Find the values that series take in their first `ends` [N] steps."""
    n_series = len(panel)
    lengths = panel.lengths
    owner = np.repeat(np.arange(n_series), lengths)
    place = np.arange(len(owner)) - panel.offsets[owner]
    past = np.where(place < ends[owner], panel.values, np.nan)
    known = ~np.isnan(past)
    count = np.bincount(owner, known, n_series)
    zeros = np.bincount(owner, past == 0, n_series)
    negative = np.bincount(owner, past < 0, n_series)
    is_fraction = known & (past != np.round(past))
    is_whole = np.bincount(owner, is_fraction, n_series) == 0
    has_zeros = zeros >= np.maximum(MIN_ZERO_SHARE * count, 1)

    # Most series are neither: only of the others the values are put in order.
    candidates = np.flatnonzero((is_whole | has_zeros) & (negative == 0))
    step = np.zeros(n_series)
    zero_below = np.zeros(n_series)
    if not len(candidates):
        return Grid(step, zero_below)

    is_candidate = np.zeros(n_series, bool)
    is_candidate[candidates] = True
    rows = is_candidate[owner]
    positive = np.where(past > 0, past, np.nan)[rows]
    number = np.cumsum(is_candidate) - 1
    group = number[owner[rows]]
    order = np.lexsort((positive, group))
    own_lengths = lengths[candidates]
    first = np.cumsum(own_lengths) - own_lengths
    n_positive = (count - zeros)[candidates].astype(np.int64)

    def ranked(share: float) -> Floats:
        """The positive value at this share of each candidate's, NaN where there is none."""
        rank = (share * np.maximum(n_positive - 1, 0)).astype(np.int64)
        return np.asarray(positive[order[first + rank]])

    least = ranked(0.0)
    middle = ranked(0.5)
    steps = np.zeros(len(candidates))
    for unit in (np.ones(len(candidates)), least):
        safe = np.where(unit > 0, unit, 1.0)
        parts = positive / safe[group]
        distance = np.abs(parts - np.round(parts))
        is_off = distance > _ROUNDING * np.maximum(parts, 1.0)
        is_multiple = np.bincount(group, is_off, len(candidates)) == 0
        is_small = middle <= MAX_COUNT_STEPS * safe
        steps = np.where(is_multiple & is_small, safe, steps)
    step[candidates] = np.where(n_positive >= MIN_COUNT_VALUES, steps, 0.0)

    small = SMALL_SHARE * np.nan_to_num(ranked(0.1))
    # Zero stays zero.
    small = np.where(n_positive > 0, small, np.inf)
    zero_below[candidates] = np.where(has_zeros[candidates], small, 0.0)
    return Grid(step, zero_below)


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
        return self._grid_of(panel, series, origins).snap(quantiles, series)

    def _grid_of(self, panel: Panel, series: Ints, origins: Ints) -> Grid:
        """Return the grid of training, of new series that of what lies before the origins."""
        place = panel.align(self.panel)
        step = self.grid.step[place]
        zero_below = self.grid.zero_below[place]
        # A series that was only zero so far may have begun since.
        is_new = (place < 0) | np.isinf(zero_below)
        if is_new[series].any():
            ends = panel.lengths.copy()
            np.minimum.at(ends, series, origins + 1)
            own = find_grid(panel, ends)
            step = np.where(is_new, own.step, step)
            zero_below = np.where(is_new, own.zero_below, zero_below)
        return Grid(step, zero_below)


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
        last = first + origins
        known = ~np.isnan(panel.values)
        so_far = np.concatenate([[0], np.cumsum(known)])
        count = so_far[last + 1] - so_far[first]

        low = np.empty(len(series))
        high = np.empty(len(series))
        own, number = np.unique(series, return_inverse=True)
        if 2 * len(own) < len(series):
            # Many windows of one series: its range grows from step to step.
            for place, one in enumerate(own.tolist()):
                y = panel.series(one)
                windows = number == place
                low[windows] = np.fmin.accumulate(y)[origins[windows]]
                high[windows] = np.fmax.accumulate(y)[origins[windows]]
            return cls(low, high, count)

        # Between the past of one window and the next lies a stretch that is not looked at.
        bounds = np.stack([first, last + 1], 1).ravel()
        values = np.append(panel.values, np.nan)
        low = np.fmin.reduceat(values, bounds)[::2]
        high = np.fmax.reduceat(values, bounds)[::2]
        return cls(low, high, count)


def bound_by_range(quantiles: Floats, past: Past) -> Floats:
    """Keep quantiles [K, H, Q] within reach of the range that their series had so far."""
    horizon = quantiles.shape[1]
    extent = past.high - past.low
    farther = np.maximum(horizon / np.maximum(past.n_values, 1), 1.0)
    with np.errstate(over="ignore"):
        reach = RANGE_FACTOR * farther * extent
    usable = (past.n_values >= MIN_RANGE_VALUES) & (extent > 0)
    lower = np.where(usable, past.low - reach, -np.inf)
    upper = np.where(usable, past.high + reach, np.inf)
    return np.clip(quantiles, lower[:, None, None], upper[:, None, None])


def widen_young(quantiles: Floats, past: Past, known: Panel, levels: Floats) -> Floats:
    """Give series of one or two values [K] the spread that values had in training.

    Their own differences say too little of it. known: the panel that the run was trained on.
    """
    young = past.n_values < MIN_OWN_VALUES
    if not young.any():
        return quantiles

    half_width = _usual_change(known) * np.maximum(np.abs(past.high), np.abs(past.low))
    deviations = [STANDARD_NORMAL.inv_cdf(level) for level in levels.tolist()]
    distance = half_width[young, None] * DEVIATION_PER_MEAN_ERROR * np.array(deviations)
    own = quantiles[young]
    place = int(np.argmin(np.abs(levels - 0.5)))
    usual = own[..., place : place + 1] + distance[:, None]
    never_negative = past.low[young] >= 0
    usual = np.where(never_negative[:, None, None], np.maximum(usual, 0.0), usual)

    widened = quantiles.copy()
    outward = np.where(levels < 0.5, np.minimum(own, usual), np.maximum(own, usual))
    widened[young] = np.where(levels == 0.5, own, outward)
    return widened


def _usual_change(panel: Panel) -> float:
    """Change from step to step that is usual in the series of a panel, as a share of their size."""
    change = np.abs(np.diff(panel.values, prepend=np.nan))
    change[panel.offsets[:-1]] = np.nan
    owner = np.repeat(np.arange(len(panel)), panel.lengths)
    total = np.bincount(owner, np.nan_to_num(change), len(panel))
    size = np.bincount(owner, np.nan_to_num(np.abs(panel.values)), len(panel))
    has_size = size > 0
    if not has_size.any():
        return 0.0
    return float(np.median(total[has_size] / size[has_size]))
