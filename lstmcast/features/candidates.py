"""Classical forecasts of every window, which the network corrects and the ensemble is mixed with.

Axes: K windows, H horizon, A candidates, m season, m2 second season; windows of any shape [...].
"""

import numpy as np

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
)
CANDIDATE_DESCRIPTIONS = {
    "last": "the last value",
    "seasonal_naive": "the value one season before",
    "seasonal_naive_2": "the value one long season before",
    "level": "a short-memory average",
    "damped_trend": "a damped trend",
    "slow_level": "a long-memory average",
    "theta": "the theta method",
    "profile_2": "the pattern of the long season",
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
    m, m2 = seasons
    features = [
        np.log(h) / 3,
        1 / h,
        np.minimum(h / m / 4, 3),
        np.sqrt(h) / 5,
        np.full_like(h, np.log(m) / 4),
        np.full_like(h, float(m2 > 0)),
    ]
    table = np.broadcast_to(np.stack(features, -1), (len(log), horizon, len(features)))
    flag = np.broadcast_to(log[:, None, None], (len(log), horizon, 1))
    return np.concatenate([table, flag], -1).astype(np.float32)


def forecast_candidates(
    steps: StepArrays, series: Ints, origins: Ints, horizon: int
) -> Floats:
    """Classical forecasts of windows in transformed units, [..., H, A].

    series, origins: [...], the series of each window and the index of its last known step. Level
    and index follow Holt-Winters' additive form with fixed smoothing, `theta` adds half the slope
    of the least-squares line to the level (Assimakopoulos & Nikolopoulos 2000; Hyndman & Billah
    2003).
    """
    m, m2 = steps.seasons
    first = steps.offsets[series][..., None]
    at = first + origins[..., None]
    h = np.arange(1, horizon + 1)
    last = np.broadcast_to(steps.z[at], (*at.shape[:-1], horizon))

    # Before the end of its first season a series has no value of the phase: the last one stands in.
    seasonal_at = at + same_phase_offsets(h, m)
    known = seasonal_at >= first
    seasonal_at = np.maximum(seasonal_at, first)
    naive = np.where(known, steps.z[seasonal_at], last)
    index = np.where(known, steps.index[seasonal_at], 0.0) if m > 1 else 0.0
    level = steps.level[at] + index

    naive2, profile = naive, level
    if m2:
        second_at = at + same_phase_offsets(h, m2)
        known = second_at >= first
        second_at = np.maximum(second_at, first)
        naive2 = np.where(known, steps.z[second_at], naive)
        # Inside its first season the profile knows the rest of that season.
        known &= at >= first + m2 - 1
        profile = np.where(known, steps.level[at] + steps.profile[second_at], level)

    # A damped trend goes on by d + d^2 + ... + d^h of itself (Gardner & McKenzie 1985).
    damping = np.cumsum((_DAMPING_WITHOUT_SEASON if m == 1 else _DAMPING) ** h)
    damped_trend = level + steps.trend[at] * damping
    slow_level = steps.slow_level[at] + index
    theta = level + 0.5 * steps.slope[at] * h
    candidates = [last, naive, naive2, level, damped_trend, slow_level, theta, profile]
    return np.stack(np.broadcast_arrays(*candidates), -1)


def older_seasonal_values(
    steps: StepArrays, series: Ints, origins: Ints, horizon: int, back: int
) -> Floats:
    """Value `back` seasons before the seasonal-naive one, or the oldest of that phase, [..., H]."""
    m = steps.seasons.main
    first = steps.offsets[series][..., None]
    at = first + origins[..., None] + same_phase_offsets(np.arange(1, horizon + 1), m)
    for _ in range(back):
        at = np.where(at - m >= first, at - m, at)
    return np.asarray(steps.z[np.maximum(at, first)])


def same_phase_offsets(h: Ints, season: int) -> Ints:
    """Offset from the origin to the newest known step of the same phase as origin + h."""
    return h - season * -(-h // season)
