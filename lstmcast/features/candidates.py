"""Classical forecasts of every window, which the network corrects and the ensemble is mixed with.

Axes: K windows, H horizon, A candidates, m season, m2 second season; windows of any shape [...].
"""

import numpy as np

from lstmcast.features.seasonal.long_memory import (
    LEVEL_NAMES,
    PATTERN_NAMES,
    list_patterns,
)
from lstmcast.features.steps import Seasons, StepArrays
from lstmcast.ragged import Bools, Floats, Ints, Singles

CANDIDATES = (
    "last",
    "seasonal_naive",
    "seasonal_naive_2",
    "level",
    "damped_trend",
    "slow_level",
    "theta",
    "profile_2",
    "pattern_level",
    "pattern_slow_level",
    "pattern_long_level",
    "pattern_season_level",
)
N_FAST_CANDIDATES = 8
"""Candidates that remember a few cycles; those after them remember all."""
CANDIDATE_DESCRIPTIONS = {
    "last": "the last value",
    "seasonal_naive": "the value one season before",
    "seasonal_naive_2": "the value one long season before",
    "level": "a short-memory average",
    "damped_trend": "a damped trend",
    "slow_level": "a long-memory average",
    "theta": "the theta method",
    "profile_2": "the pattern of the long season",
    "pattern_level": "the mean pattern on a short-memory level",
    "pattern_slow_level": "the mean pattern on a slow level",
    "pattern_long_level": "the mean pattern on a long-memory level",
    "pattern_season_level": "the mean pattern on the level of one season",
}
"""What each candidate is called in sentences; docs/guide.md explains them under these names."""
N_HORIZON_FEATURES = 7
N_LOCAL_FEATURES = len(CANDIDATES) + 3 + N_HORIZON_FEATURES
"""Of a window at a step ahead: the candidates, three differences of seasonal values (see
`windows`), and the features of the horizon step."""
_DAMPING, _DAMPING_WITHOUT_SEASON = 0.98, 0.9
"""Share of the trend of one step ahead that is left at the next."""


def horizon_features(horizon: int, seasons: Seasons, log: Bools) -> Singles:
    """What the decoder knows of a horizon step besides the candidates, [K, H, N_HORIZON_FEATURES].

    log: [K], whether the series of each window is in logs.
    """
    h = np.arange(1, horizon + 1, dtype=np.float64)
    m, m2, _ = seasons

    # Each is divided so that it is about as large as 1 at usual horizons.
    seasons_ahead = h / m
    log_season = np.log(m) / 4
    has_second = float(m2 > 0)
    features = [
        np.log(h) / 3,
        1 / h,
        np.minimum(seasons_ahead / 4, 3),
        np.sqrt(h) / 5,
        np.full_like(h, log_season),
        np.full_like(h, has_second),
    ]
    by_step = np.stack(features, -1)

    # All windows share these features; only the flag of the logarithm is their own.
    n_windows = len(log)
    shape = (n_windows, *by_step.shape)
    shared = np.broadcast_to(by_step, shape)
    flag_shape = (n_windows, horizon, 1)
    in_logs = np.broadcast_to(log[:, None, None], flag_shape)
    table = np.concatenate([shared, in_logs], -1)
    return table.astype(np.float32)


def forecast_candidates(
    steps: StepArrays, series: Ints, origins: Ints, horizon: int
) -> Floats:
    """Classical forecasts of windows in transformed units, [..., H, A].

    series, origins: [...], the series of each window and the index of its last known step. Level
    and index follow Holt-Winters' additive form with fixed smoothing, `theta` adds half the slope
    of the least-squares line to the level (Assimakopoulos & Nikolopoulos 2000; Hyndman & Billah
    2003).
    """
    m, m2, _ = steps.seasons
    h = np.arange(1, horizon + 1)

    # Rows of the origins, with an axis for the horizon.
    first = steps.offsets[series]
    first = first[..., None]
    origin = origins[..., None]
    at = first + origin
    z = steps.z
    level_at_origin = steps.level[at]
    last = z[at]

    # Before the end of its first season a series has no value of the phase: the last one stands in.
    season_ago, known = _same_phase_rows(first, at, h, m)
    value_ago = z[season_ago]
    naive = np.where(known, value_ago, last)

    index: Floats | float = 0.0
    if m > 1:
        index = steps.index[season_ago]
        index = np.where(known, index, 0.0)
    level = level_at_origin + index

    # The same with the second season, where there is one.
    naive2 = naive
    profile = level
    if m2:
        season_ago, known = _same_phase_rows(first, at, h, m2)
        value_ago = z[season_ago]
        naive2 = np.where(known, value_ago, naive)

        # Inside its first season the profile knows the rest of that season.
        last_of_first = first + m2 - 1
        known &= at >= last_of_first
        profile = level_at_origin + steps.profile[season_ago]
        profile = np.where(known, profile, level)

    damping = accumulate_damping(horizon, m)
    trend = steps.trend[at]
    damped_trend = level + trend * damping

    slow_level = steps.slow_level[at] + index

    # The theta method: half of the slope of the line is kept.
    half_slope = 0.5 * steps.slope[at]
    theta = level + half_slope * h

    candidates = [last, naive, naive2, level, damped_trend, slow_level, theta, profile]
    pattern = _patterns_ahead(steps, first, at, h)
    for name in LEVEL_NAMES:
        without_pattern = getattr(steps, name)[at]
        candidates.append(without_pattern + pattern)
    # Some do not change over the horizon.
    candidates = list(np.broadcast_arrays(*candidates))
    return np.stack(candidates, -1)


def _patterns_ahead(steps: StepArrays, first: Ints, at: Ints, h: Ints) -> Floats:
    """Sum of the slow patterns at each step ahead of origins, [..., H]; first, at: [..., 1]."""
    total = np.zeros((*at.shape[:-1], len(h)))
    for pattern in list_patterns(steps.seasons):
        rows, known = _same_phase_rows(first, at, h, pattern.season)
        # A moving average of some steps describes the one in their middle; near the origin the
        # newest there is stands in.
        rows = np.minimum(rows + pattern.width // 2, at)
        if pattern.name != PATTERN_NAMES[0]:
            last_of_first = first + pattern.season - 1
            known &= at >= last_of_first
        value = getattr(steps, pattern.name)[rows]
        total += np.where(known, value, 0.0)
    return total


def accumulate_damping(horizon: int, season: int) -> Floats:
    """How often the trend of one step is added up to each step ahead, [H], at most h times.

    A damped trend goes on by d + d^2 + ... + d^h of itself (Gardner & McKenzie 1985).
    """
    h = np.arange(1, horizon + 1)
    share_left = _DAMPING_WITHOUT_SEASON if season == 1 else _DAMPING
    return np.asarray(np.cumsum(share_left**h))


def older_seasonal_values(
    steps: StepArrays, series: Ints, origins: Ints, horizon: int, back: int
) -> Floats:
    """Value `back` seasons before the seasonal-naive one, or the oldest of that phase, [..., H]."""
    m = steps.seasons.main
    h = np.arange(1, horizon + 1)
    first = steps.offsets[series]
    first = first[..., None]
    at_origin = first + origins[..., None]
    at = at_origin + same_phase_offsets(h, m)

    # Back by seasons, as long as that stays inside the series.
    for _ in range(back):
        season_before = at - m
        exists = season_before >= first
        at = np.where(exists, season_before, at)

    # The oldest step of the phase, or the first of all, in a series that is too short.
    at = np.maximum(at, first)
    return np.asarray(steps.z[at])


def _same_phase_rows(first: Ints, at: Ints, h: Ints, season: int) -> tuple[Ints, Bools]:
    """Newest known rows of the phase of each step ahead, and which exist; [..., H] each.

    first, at: [..., 1], rows where the series begin and of the origins. The first row stands in
    where none exists.
    """
    offsets = same_phase_offsets(h, season)
    rows = at + offsets
    exists = rows >= first
    safe_rows = np.maximum(rows, first)
    return safe_rows, exists


def same_phase_offsets(h: Ints, season: int) -> Ints:
    """Offset from the origin to the newest known step of the same phase as origin + h."""
    seasons_back = -(-h // season)  # rounded up, so that no offset is above 0
    return h - season * seasons_back
