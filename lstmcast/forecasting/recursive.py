"""Forecasts beyond the trained horizon: forward on paths drawn from the network's own quantiles.

Paths are sampled as by Salinas et al. (2020), but a whole horizon at a time: each path goes on from
what was drawn of it so far. Knows no networks.

Axes: N series, K windows, S paths, H trained horizon, G requested steps, Q quantiles, V levels that
paths are drawn from, C covariates.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from lstmcast.forecasting.quantiles import STANDARD_NORMAL
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Floats, Ints, concat_ranges, offsets_from_lengths

ForecastFunction = Callable[[Panel, Ints, Ints, int, Floats], Floats]
"""Quantiles [K, H, Q] of a panel's windows: series [K], origins [K], horizon H, levels [Q]."""

PATHS_PER_WINDOW = 200
MAX_STEP_CORRELATION = 0.999
"""Most that the random numbers of a path are correlated from one step to the next."""
SAMPLED_LEVELS = (np.arange(20) + 0.5) / 20
"""Levels of the quantiles that paths are drawn from; together they stand for the whole
distribution."""
PATH_LEVELS = (np.arange(100) + 0.5) / 100
"""Levels of the quantiles that whole sample paths are drawn from, for a user to see."""
_LOW, _HIGH = 3, -4
"""Places among SAMPLED_LEVELS between which the width of an interval is measured."""
_WIDTH_LEVELS = (SAMPLED_LEVELS[_LOW], 0.5, SAMPLED_LEVELS[_HIGH])
_MAX_CELLS = 500_000
"""Most steps of all paths that are followed at once, which bounds the memory."""


class ForecastLimits(NamedTuple):
    """What a forecaster can do at once.

    horizon: steps H that it forecasts. memory: steps of the past that matter to it. together:
    whether windows of one series may be in one panel; where they would be taken for each other's
    past, paths are followed one by one.
    """

    horizon: int
    memory: int
    together: bool = True


def forecast_recursively(
    forecast: ForecastFunction,
    limits: ForecastLimits,
    panel: Panel,
    series: Ints,
    origins: Ints,
    horizon: int,
    levels: Floats,
) -> Floats:
    """Forecast quantiles [K, G, Q] of windows for `horizon` G steps, more than the limits allow.

    The first H steps are those of `forecast` as they are. For later steps each path has quantiles
    of its own, and the result is the quantiles of all paths mixed. Past covariates are unknown
    there; covariates known ahead stay as they are.
    """
    # A path has at most so many steps, those it is forecast from included.
    longest = int(panel.lengths.max())
    steps = min(limits.memory, longest) + horizon

    n_windows = len(series)
    quantiles = np.empty((n_windows, horizon, len(levels)))
    for part in _split_windows(series, steps, limits.together):
        quantiles[part] = _follow_paths(
            forecast, limits, panel, series[part], origins[part], horizon, levels
        )

    return quantiles


def _follow_paths(
    forecast: ForecastFunction,
    limits: ForecastLimits,
    panel: Panel,
    series: Ints,
    origins: Ints,
    horizon: int,
    levels: Floats,
) -> Floats:
    """Do what `forecast_recursively` does, for windows that fit into memory at once."""
    trained = limits.horizon
    n_windows = len(series)
    n_levels = len(levels)
    quantiles = np.empty((n_windows, horizon, n_levels))

    # One forecast has the levels asked for, and then those that paths are drawn from.
    requested = np.concatenate([levels, SAMPLED_LEVELS])
    first = forecast(panel, series, origins, trained, requested)
    quantiles[:, :trained] = first[..., :n_levels]

    to_draw_from = first[..., n_levels:]
    widest = _extrapolate_widths(to_draw_from, horizon)

    # Every window becomes a series of its own that ends at the origin, and then S paths.
    past = panel.select(series)
    past = past.head(origins + 1)
    past = past.tail(limits.memory)
    targets = _index_targets(past)
    correlations = infer_step_correlations(to_draw_from)
    every = np.arange(len(past))
    numbers = np.tile(every, PATHS_PER_WINDOW)
    paths = past.select(numbers)
    sampled = np.tile(to_draw_from, (PATHS_PER_WINDOW, 1, 1))  # (S * K, H, V)

    # A block is a trained horizon: values are drawn for the one before, which this one follows.
    for begin in range(trained, horizon, trained):
        block = begin // trained
        drawn_levels = _draw_levels(block, correlations, targets)
        values = _interpolate_at_levels(sampled, drawn_levels)
        paths = _append_steps(paths, values)
        paths = paths.tail(limits.memory)
        sampled = _forecast_paths(forecast, paths, trained, limits.together)
        wanted_levels = np.append(levels, _WIDTH_LEVELS)
        later = _mix_paths(sampled, wanted_levels)

        # The last block may reach beyond what was asked for.
        end = min(begin + trained, horizon)
        n_steps = end - begin
        wanted = later[:, :n_steps]
        quantiles[:, begin:end] = _narrow_to(wanted, widest[:, begin:end])

    return quantiles


def _extrapolate_widths(quantiles: Floats, horizon: int) -> Floats:
    """Extrapolate the widths of intervals as they grow within the trained horizon, [K, G].

    quantiles: [K, H, V] at SAMPLED_LEVELS. The growth is a power of the step, as that of a random
    walk (1/2) or of noise around a level (0). Where widths rise and fall with the season, the
    result is as high as they rise.
    """
    width = _measure_width(quantiles, _LOW, _HIGH)
    trained = width.shape[1]
    steps = np.log(np.arange(1, trained + 1))

    # An interval without a width has no logarithm: nothing is known of its growth.
    is_wide = width > 0
    usable = np.asarray(is_wide.all(1))
    usable = usable[:, None]
    logs = np.log(np.where(usable, width, 1.0))

    # The least-squares line through the logs of widths and steps, per window. A width that grows
    # faster than the step, or shrinks, is taken for chance.
    centred = steps - steps.mean()
    norm = max(centred @ centred, 1e-12)
    slope = logs @ centred / norm
    power = slope.clip(0, 1)
    power = power[:, None]
    mean = logs.mean(1, keepdims=True)
    level = mean - power * steps.mean()

    # Moved up to the widest step, so that a season does not narrow what follows.
    residual = logs - level - power * steps
    above = residual.max(1, keepdims=True)

    later = np.log(np.arange(1, horizon + 1))
    line = level + power * later
    widest = np.exp(line + above)
    return np.where(usable, widest, np.inf)


def _narrow_to(quantiles: Floats, widest: Floats) -> Floats:
    """Narrow quantiles around their median to the widest interval of each step.

    Paths of a network that corrects what it drew itself grow rougher from block to block, and
    their intervals too wide.

    quantiles: [K, H, Q + 3], the last three at _WIDTH_LEVELS, which are left out of the result.
    widest: [K, H].
    """
    wanted = quantiles[..., :-3]
    median = quantiles[..., -2, None]

    # Intervals that are narrow enough keep all of their width.
    width = _measure_width(quantiles, -3, -1)
    share = np.ones_like(width)
    is_too_wide = width > widest
    np.divide(widest, width, out=share, where=is_too_wide)

    distance = wanted - median
    return np.asarray(median + share[..., None] * distance)


def _measure_width(quantiles: Floats, low: int, high: int) -> Floats:
    """Width [K, H] between two places of quantiles [K, H, V]."""
    upper = quantiles[..., high]
    lower = quantiles[..., low]
    return np.asarray(upper - lower)


def _index_targets(panel: Panel) -> list[int]:
    """Return which target of the table each series is, [N]: targets have draws of their own."""
    targets = panel.columns.target
    if len(targets) == 1:
        return [0] * len(panel)

    # The target is the last part of a key.
    return [targets.index(key[-1]) for key in panel.keys]


def _split_windows(series: Ints, steps: int, together: bool) -> Iterator[Ints]:
    """Split windows into parts that fit into memory at once.

    Where windows of one series must not be together, each part holds each series once.
    """
    if together:
        count = len(series)
        every = np.arange(count)
        cells_per_window = PATHS_PER_WINDOW * steps
        size = max(1, _MAX_CELLS // cells_per_window)
        begins = range(size, count, size)
        yield from np.split(every, begins)
        return

    # The number of each window within its series.
    rank = np.zeros(len(series), np.int64)
    for number in np.unique(series):
        windows = series == number
        rank[windows] = np.arange(windows.sum())

    n_parts = int(rank.max()) + 1
    for part in range(n_parts):
        yield np.flatnonzero(rank == part)


def _forecast_paths(
    forecast: ForecastFunction, paths: Panel, horizon: int, together: bool
) -> Floats:
    """Forecast the quantiles of the next steps of each path, [S * K, H, V]."""
    # Where windows of one series must not be together, neither must its paths.
    every = np.arange(len(paths))
    groups = [every] if together else np.split(every, PATHS_PER_WINDOW)
    quantiles = []
    for group in groups:
        panel = paths.select(group)

        # Every path is forecast from its end.
        series = np.arange(len(panel))
        origins = panel.lengths - 1
        forecasts = forecast(panel, series, origins, horizon, SAMPLED_LEVELS)
        quantiles.append(forecasts)

    return np.concatenate(quantiles)


def _mix_paths(sampled: Floats, levels: Floats) -> Floats:
    """Return the quantiles [K, H, Q] of all paths of a window mixed, from each one's [S * K, H, V].

    The quantiles of each path stand for its distribution, so together they are a sample of the
    mixture.
    """
    paths, horizon, n_levels = sampled.shape
    windows = paths // PATHS_PER_WINDOW

    # The paths of a window stand side by side with their levels: all of them are one sample.
    by_path = sampled.reshape(PATHS_PER_WINDOW, windows, horizon, n_levels)
    by_window = by_path.transpose(1, 2, 0, 3)  # (K, H, S, V)
    sample = by_window.reshape(windows, horizon, -1)
    quantiles = np.quantile(sample, levels, axis=-1)  # (Q, K, H)

    return np.moveaxis(quantiles, 0, -1)


def infer_step_correlations(quantiles: Floats) -> Floats:
    """Infer how errors of neighbouring steps go together from their widths, [K, H].

    quantiles: [K, H, V] at SAMPLED_LEVELS. The first column is not used. Where errors w(h) add up
    as those of an autoregression do, w(h)^2 = w(1)^2 + phi^2 w(h-1)^2, and the correlation of a
    step with the one before is phi w(h-1) / w(h). For a random walk (phi 1) that is what its steps
    have; for noise around a level (phi 0) it is none. With one correlation for all series, paths
    of a random walk would be rougher than the series, and each horizon wider than it should be.
    """
    width = _measure_width(quantiles, _LOW, _HIGH)
    variance = width**2
    before = variance[:, :-1]

    # w(h)^2 - w(1)^2, which is phi^2 w(h-1)^2.
    first = variance[:, :1]
    grown = variance[:, 1:] - first

    # The least-squares slope of what was added since the first step.
    products = grown * before
    moment = products.sum(1)
    squares = before**2
    norm = squares.sum(1)
    phi_squared = np.zeros_like(norm)
    np.divide(moment, norm, out=phi_squared, where=norm > 0)
    phi = np.sqrt(phi_squared.clip(0, 1))

    # How wide each step before was, beside the step itself.
    ratio = np.zeros_like(width)
    earlier = width[:, :-1]
    later = width[:, 1:]
    np.divide(earlier, later, out=ratio[:, 1:], where=later > 0)
    correlations = phi[:, None] * ratio
    return np.asarray(correlations.clip(0, MAX_STEP_CORRELATION))


def _draw_levels(block: int, correlations: Floats, targets: list[int]) -> Floats:
    """Draw the levels of all paths at the steps of a block, [S * K, H].

    correlations: those of each step with the one before, [K, H]. targets: number of the target of
    each window, [K].
    """
    by_window = []
    for correlation, target in zip(correlations, targets, strict=True):
        drawn = _draw_antithetic_levels(block, correlation, target)
        by_window.append(drawn)

    levels = np.stack(by_window, 1)  # (S, K, H)

    # All first paths of the windows, then all second ones, as the panel of paths has them.
    steps = correlations.shape[1]
    return levels.reshape(-1, steps)


def _draw_antithetic_levels(block: int, correlation: Floats, target: int) -> Floats:
    """Draw the levels of the paths at the steps of a block, [S, H], for a window of a target.

    They come in antithetic pairs (Hammersley & Morton 1956), and their ranks are spread evenly at
    every step, so that few paths do. From step to step they follow a Gaussian autoregression, with
    a correlation of its own at every step, [H].
    """
    rng = np.random.default_rng([block, target])
    steps = len(correlation)
    n_pairs = PATHS_PER_WINDOW // 2
    normal = rng.normal(size=(n_pairs, steps))

    # Keeps the variance of every step at 1.
    innovation = np.sqrt(1 - correlation**2)
    for step in range(1, steps):
        kept = correlation[step] * normal[:, step - 1]
        new = innovation[step] * normal[:, step]
        normal[:, step] = kept + new

    pairs = np.concatenate([normal, -normal])

    # Sorting twice turns values into their ranks.
    order = pairs.argsort(axis=0)
    rank = order.argsort(axis=0)
    middle = rank + 0.5
    return np.asarray(middle / PATHS_PER_WINDOW)


def draw_sample_paths(quantiles: Floats, n_paths: int, seed: int) -> Floats:
    """Draw sample paths [K, S, H] from quantiles [K, H, V] of windows at PATH_LEVELS.

    Each step has the distribution of its quantiles. From step to step the levels follow a Gaussian
    copula, an autoregression whose correlations are those of `infer_step_correlations`: sums and
    extremes over the horizon are as uncertain as the widths of the intervals say. Windows are drawn
    independently of each other.
    """
    n_windows, horizon, _ = quantiles.shape
    # Every fifth of the fine levels is one of SAMPLED_LEVELS.
    correlations = infer_step_correlations(quantiles[..., 2::5])
    rng = np.random.default_rng(seed)
    normal = rng.normal(size=(n_windows, n_paths, horizon))
    for step in range(1, horizon):
        kept = correlations[:, None, step]
        new = np.sqrt(1 - kept**2)
        normal[..., step] = kept * normal[..., step - 1] + new * normal[..., step]
    # One by one: numpy has no distributions, and a library of them takes longer to import.
    one_by_one = np.vectorize(STANDARD_NORMAL.cdf, otypes=[np.float64])
    levels = one_by_one(normal).reshape(-1, horizon)
    by_path = np.repeat(quantiles, n_paths, axis=0)
    values = _interpolate_at_levels(by_path, levels)
    return values.reshape(n_windows, n_paths, horizon)


def _interpolate_at_levels(quantiles: Floats, levels: Floats) -> Floats:
    """Return values [n, H] at levels [n, H], linear between quantiles [n, H, V].

    The quantiles are at levels (v + 0.5) / V, as SAMPLED_LEVELS are; levels beyond the outermost of
    them get its value.
    """
    count = quantiles.shape[-1]

    # This turns a level into its place v.
    place = levels * count - 0.5
    place = place.clip(0, count - 1)

    # The known level on either side, and how far the place is between them.
    whole = place.astype(np.int64)
    left = np.minimum(whole, count - 2)
    share = place - left
    low = _take_last_axis(quantiles, left)
    high = _take_last_axis(quantiles, left + 1)

    return np.asarray(low + (high - low) * share)


def _take_last_axis(values: Floats, places: Ints) -> Floats:
    """Take the value at a place [n, H] of the last axis of values [n, H, V]."""
    index = places[..., None]
    taken = np.take_along_axis(values, index, -1)
    return np.asarray(taken[..., 0])


def _append_steps(panel: Panel, values: Floats) -> Panel:
    """Append steps `values` [N, H] to each series; past covariates are unknown there."""
    n_series, n_steps = values.shape
    lengths = panel.lengths + n_steps
    offsets = offsets_from_lengths(lengths)
    longer = _spread_rows(panel.values, panel.lengths, offsets)

    # The new values follow the old ones of their series.
    first_new = offsets[:-1] + panel.lengths
    counts = np.full(n_series, n_steps)
    new = concat_ranges(first_new, counts)
    longer[new] = values.ravel()

    # Covariates known ahead may already reach beyond the new steps.
    known_steps = np.diff(panel.future_offsets)
    future_steps = np.maximum(known_steps, lengths)
    future_offsets = offsets_from_lengths(future_steps)
    return replace(
        panel,
        values=longer,
        offsets=offsets,
        past=_spread_rows(panel.past, panel.lengths, offsets),
        future=_spread_rows(panel.future, known_steps, future_offsets),
        future_offsets=future_offsets,
    )


def _spread_rows(rows: Floats, lengths: Ints, offsets: Ints) -> Floats:
    """Lay out the rows of series at the starts of longer stretches, with NaN behind them.

    lengths: rows of each series, [N]. offsets: where the stretches begin, and the last ends,
    [N + 1].
    """
    places = concat_ranges(offsets[:-1], lengths)
    total = int(offsets[-1])
    _, *columns = rows.shape
    longer = np.full((total, *columns), np.nan)
    longer[places] = rows
    return longer
