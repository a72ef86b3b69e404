"""The theta method, which is hard to beat: exponential smoothing with half a trend.

Source: Assimakopoulos & Nikolopoulos (2000); in the closed form of Hyndman & Billah (2003), with
the seasonal adjustment by moving averages of the M3 competition. Knows arrays only.

Axes: K windows, T time steps, A smoothing weights, H horizon, m season length.
"""

from collections.abc import Sequence

import numpy as np

from lstmcast.errors import UsageError, format_names
from lstmcast.ragged import Floats, Ints
from lstmcast.scoring.baselines import (
    SECOND_SEASON_SUFFIX,
    choose_rival,
    forecast_baselines,
    list_baselines,
)

MAX_THETA_STEPS = 200
"""Newest steps of a window that the method looks at, or four seasons if that is more."""
MAX_WINDOWS_AT_A_TIME = 2_000
_TWO_SEASONS = 2, 3
"""Any two seasons: with them every seasonal method has a name."""
_ALPHAS = np.linspace(0.1, 0.9, 9)
"""Weights of the newest value that are tried; the one of least squared error is taken."""


def forecast_rivals(
    values: Floats,
    offsets: Ints,
    series: Ints,
    origins: Ints,
    horizon: int,
    seasons: Sequence[int],
) -> dict[str, Floats]:
    """Forecast by every baseline and by the theta method, [K, H] each, by name.

    In the order of the score table; of equally good ones the first is the best.
    """
    where = values, offsets, series, origins, horizon
    forecasts = forecast_baselines(*where, seasons)
    forecasts["theta"] = theta_forecast(*where, max(seasons[0], 1))
    return forecasts


def require_rival(name: str, seasons: Sequence[int], *, probability: bool) -> None:
    """Raise UsageError where a verdict with these seasons would compare with no such method.

    probability: whether the forecasts are probabilities, whose one rival is the base rate.
    """
    names = ("base_rate",) if probability else (*list_baselines(seasons), "theta")
    if not name or name in names:
        return
    if not probability and name in list_baselines(_TWO_SEASONS):
        missing = (
            "a second season" if name.endswith(SECOND_SEASON_SUFFIX) else "a season"
        )
        quoted = [repr(other) for other in names]
        raise UsageError(
            f"{name!r} needs {missing}, and these data show none",
            f"there is {format_names(quoted, most=len(quoted))}",
        )
    choose_rival(dict.fromkeys(names, {}), name)


def theta_forecast(
    values: Floats,
    offsets: Ints,
    series: Ints,
    origins: Ints,
    horizon: int,
    season: int,
) -> Floats:
    """Forecast by the theta method. Returns [K, H]; NaN with nothing observed up to an origin.

    Arguments are those of the functions in `baselines`. season: steps of a season that the data
    show; 1 for none.
    """
    parts = [np.empty((0, horizon))]
    for first in range(0, len(series), MAX_WINDOWS_AT_A_TIME):
        part = slice(first, first + MAX_WINDOWS_AT_A_TIME)
        past = _cut_histories(values, offsets, series[part], origins[part], season)
        # Values near the largest float overflow, and ratios to a trend around 0 are none.
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            parts.append(_forecast_histories(past, horizon, season))
    return np.concatenate(parts)


def _cut_histories(
    values: Floats, offsets: Ints, series: Ints, origins: Ints, season: int
) -> Floats:
    """Return the newest steps up to each origin, [K, T]; NaN before the start of a series."""
    longest = int((origins + 1).max(initial=1))
    n_steps = min(longest, max(MAX_THETA_STEPS, 4 * season))
    back = np.arange(n_steps)[::-1]
    step = origins[:, None] - back
    at = offsets[series][:, None] + step
    exists = step >= 0
    # Row 0 stands in where there is none, to be masked.
    found = values[np.where(exists, at, 0)]
    return np.where(exists, found, np.nan)


def _forecast_histories(past: Floats, horizon: int, season: int) -> Floats:
    """Forecast histories [K, T] that end at their origins, [K, H]."""
    n_steps = past.shape[1]
    steps_ahead = np.arange(1, horizon + 1)
    factor, shift = _fit_season(past, season)
    phase = -np.arange(n_steps)[::-1] % season
    adjusted = (past - shift[:, phase]) / factor[:, phase]

    slope = _fit_slope(adjusted)
    level, alpha, count = _smooth(adjusted)
    # The drift of the smoothed line with theta = 0, on its way to the forecast: (10) of Hyndman &
    # Billah.
    settled = (1 - (1 - alpha) ** count) / alpha
    drift_steps = steps_ahead - 1 + settled[:, None]
    line = level[:, None] + slope[:, None] / 2 * drift_steps

    of_step = steps_ahead % season
    forecast: Floats = line * factor[:, of_step] + shift[:, of_step]
    return forecast


def _fit_season(past: Floats, season: int) -> tuple[Floats, Floats]:
    """Return the season as factors and as shifts, [K, m] each: one of them changes nothing.

    Factors are for histories above 0. Phase 0 is that of the origin. Where no two seasons are known
    neither changes anything.
    """
    count, n_steps = past.shape
    factor = np.ones((count, season))
    shift = np.zeros((count, season))
    if season < 2 or n_steps < 2 * season:
        return factor, shift

    known = ~np.isnan(past)
    is_ratio = np.all((past > 0) | ~known, axis=1)
    trend = _centred_mean(past, season)
    ratios = _mean_by_phase(past / trend, season)
    differences = _mean_by_phase(past - trend, season)
    # The season moves no level.
    ratios /= ratios.mean(axis=1, keepdims=True)
    differences -= differences.mean(axis=1, keepdims=True)

    enough = known.sum(axis=1) >= 2 * season
    by_ratio = enough & is_ratio & np.all(ratios > 0, axis=1)
    by_difference = enough & ~is_ratio & np.all(np.isfinite(differences), axis=1)
    factor = np.where(by_ratio[:, None], ratios, factor)
    shift = np.where(by_difference[:, None], differences, shift)
    return factor, shift


def _mean_by_phase(part: Floats, season: int) -> Floats:
    """Return the mean of each phase, counted back from the last step, [K, m]; NaN for none."""
    phase = -np.arange(part.shape[1])[::-1] % season
    means = np.full((len(part), season), np.nan)
    for place in range(season):
        of_phase = part[:, phase == place]
        known = ~np.isnan(of_phase)
        number = known.sum(axis=1)
        total = np.where(known, of_phase, 0.0).sum(axis=1)
        np.divide(total, number, out=means[:, place], where=number > 0)
    return means


def _centred_mean(past: Floats, season: int) -> Floats:
    """Return the mean of a season around each step, [K, T]; NaN where it is not whole."""
    # An even season takes half of each end, so that it has a middle: weights 1/2 1 ... 1 1/2.
    width = season + 1 - season % 2
    weights = np.full(width, 1.0)
    if season % 2 == 0:
        weights[[0, -1]] = 0.5
    weights /= weights.sum()

    mean = np.full(past.shape, np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(past, width, axis=1)
    half = width // 2
    mean[:, half : half + windows.shape[1]] = windows @ weights
    return mean


def _fit_slope(adjusted: Floats) -> Floats:
    """Return the slope of the least-squares line through each history, [K]; 0 for one value."""
    known = ~np.isnan(adjusted)
    count = np.maximum(known.sum(axis=1), 1)
    time = np.where(known, np.arange(adjusted.shape[1]), 0.0)
    value = np.where(known, adjusted, 0.0)
    mean_time = (time.sum(axis=1) / count)[:, None]
    mean_value = (value.sum(axis=1) / count)[:, None]
    from_time = np.where(known, time - mean_time, 0.0)
    from_value = np.where(known, value - mean_value, 0.0)
    spread = (from_time**2).sum(axis=1)
    slope = np.zeros(len(adjusted))
    np.divide((from_time * from_value).sum(axis=1), spread, out=slope, where=spread > 0)
    return slope


def _smooth(adjusted: Floats) -> tuple[Floats, Floats, Floats]:
    """Smooth each history exponentially; returns level, weight and number of values, [K] each.

    A missing value changes nothing. The weight is the one with the least squared error one step
    ahead.
    """
    shape = (len(adjusted), len(_ALPHAS))
    level = np.full(shape, np.nan)
    squared = np.zeros(shape)
    for step in range(adjusted.shape[1]):
        value = adjusted[:, step, None]
        error = value - level
        is_known = ~np.isnan(value)
        has_level = is_known & ~np.isnan(level)
        np.add(squared, error**2, out=squared, where=has_level)
        level = np.where(has_level, level + _ALPHAS * error, level)
        # A first value is the first level.
        is_first = is_known & ~has_level
        level = np.where(is_first, value, level)

    rows = np.arange(len(adjusted))
    best = squared.argmin(axis=1)
    count = np.count_nonzero(~np.isnan(adjusted), axis=1)
    return level[rows, best], _ALPHAS[best], count.astype(float)
