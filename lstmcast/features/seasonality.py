"""Which of the calendar's seasons the values really show.

The frequency proposes (hourly: a day and a week), the values decide. Knows no stamps.

Axes: N series, T steps, m season.
"""

import numpy as np

from lstmcast.features.steps import Seasons
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Floats, Ints, choose_evenly

_MAX_SERIES = 200
_MAX_STEPS_PER_SERIES = 5000
_CANDIDATE_SEASONS = (4, 7, 12, 24, 48, 52, 96, 144, 168, 288)
"""Seasons looked for where there is no calendar."""


def infer_seasons(panel: Panel, forced: int | None = None) -> Seasons:
    """Seasons of a panel, in steps: what its calendar proposes or, without one, what is found, as its values show."""
    axis = panel.axis
    if axis.kind == "integer" and forced is None and axis.season == 1:
        return search_seasons(panel.values, panel.offsets)
    return confirm_seasons(
        panel.values, panel.offsets, Seasons(axis.season, axis.second_season), forced
    )


def default_horizon(panel: Panel, main: int) -> int:
    """The frequency's horizon; one season where steps have no calendar."""
    return main if panel.axis.kind == "integer" and main > 1 else panel.axis.horizon


def confirm_seasons(
    values: Floats, offsets: Ints, proposed: Seasons, forced: int | None = None
) -> Seasons:
    """Seasons of a panel, in steps.

    A proposed main season is kept where it is significant in one series of five, so that the
    network has it at hand. Without one, a yearly (weekly data) or unnamed (integer steps) season
    must show clearly in most series. `forced` is the user's word and is not questioned. values:
    [sum T], NaN where missing; offsets: [N+1].
    """
    longest = int(np.diff(offsets).max())
    second = proposed.second if longest >= 2 * proposed.second else 0
    if forced is not None:
        return Seasons(forced, second if second > forced and second % forced == 0 else 0)
    series = _sample_differences(values, offsets)
    if proposed.main > 1:
        shown = [
            season_significance(d, proposed.main) > 1 for d in series if len(d) >= 2 * proposed.main
        ]
        main = proposed.main if not shown or np.mean(shown) >= 0.2 else 1
        return Seasons(main, second)
    if proposed.second:
        strong = _significant_autocorrelation(series, proposed.second)
        return Seasons(proposed.second, 0) if second and strong > 0.3 else Seasons(1, second)
    return Seasons(1, 0)


def search_seasons(values: Floats, offsets: Ints) -> Seasons:
    """Seasons of a panel whose steps have no calendar: the shortest usual one that shows clearly in most series."""
    series = _sample_differences(values, offsets)
    longest = int(np.diff(offsets).max())
    strength = {
        m: _significant_autocorrelation(series, m) for m in _CANDIDATE_SEASONS if longest >= 3 * m
    }
    best = max(strength.values(), default=0.0)
    if best <= 0.3:
        return Seasons(1, 0)
    main = min(m for m, s in strength.items() if s >= 0.8 * best)
    week = 7 * main
    second = (
        week
        if main >= 24 and longest >= 2 * week and _significant_autocorrelation(series, week) > 0.3
        else 0
    )
    return Seasons(main, second)


def season_significance(differences: Floats, m: int) -> float:
    """Autocorrelation of the differences at lag m over its 90 % bound; above 1 there is a season.

    The test of the M4 competition (Makridakis et al. 2020), on differences so that a trend is no
    season.
    """
    rho = _autocorrelation(differences, m)
    bound = 1.645 * np.sqrt((1 + 2 * np.sum(rho[:-1] ** 2)) / len(differences))
    return float(rho[-1] / bound)


def _significant_autocorrelation(series: list[Floats], m: int) -> float:
    """Median over the long enough series of the autocorrelation at lag m where significant, else 0."""
    found = [
        _autocorrelation(d, m)[-1] * (season_significance(d, m) > 1)
        for d in series
        if len(d) >= 2 * m
    ]
    return float(np.median(found)) if found else 0.0


def _autocorrelation(d: Floats, most: int) -> Floats:
    """Autocorrelation at lags 1..most, by FFT."""
    n = len(d)
    size = 1 << (2 * n - 1).bit_length()
    spectrum = np.fft.rfft(
        np.ldexp(d, -_binary_exponent(d)), size
    )  # squares of what is far from 1 overflow, or vanish
    power = np.fft.irfft(spectrum * spectrum.conj(), size)[: most + 1]
    return power[1:] / power[0] if power[0] > 0 else np.zeros(most)


def _binary_exponent(d: Floats) -> int:
    """Power of two nearest to the largest of the values: to divide by it changes no digit."""
    return int(np.frexp(np.max(np.abs(d), initial=0.0))[1])


def _sample_differences(values: Floats, offsets: Ints) -> list[Floats]:
    """Differences of evenly chosen series, without their mean, outliers cut at four deviations."""
    chosen = choose_evenly(len(offsets) - 1, _MAX_SERIES)
    return [
        _robust_differences(values[offsets[i] : offsets[i + 1]][-_MAX_STEPS_PER_SERIES:])
        for i in chosen
    ]


def _robust_differences(y: Floats) -> Floats:
    if not (y <= 0).any():
        y = np.log(y)
    d = np.diff(y)
    seen = ~np.isnan(y)
    if seen.any() and 2 * np.isnan(d).sum() > len(
        d
    ):  # hardly two in a row: lines between them stand in
        d = np.diff(np.interp(np.arange(len(y)), np.flatnonzero(seen), y[seen]))
    d = d - np.nanmedian(d) if len(d) and not np.isnan(d).all() else np.zeros(len(d))
    spread = 1.4826 * np.nanmedian(np.abs(d)) if len(d) else 0.0
    if spread > 0:
        d = np.clip(d, -4 * spread, 4 * spread)
    return np.nan_to_num(d)
