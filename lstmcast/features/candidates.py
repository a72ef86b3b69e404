"""Classical forecasts of every window, which the network corrects and the ensemble is combined with."""

import numpy as np
from numpy.typing import NDArray

from lstmcast.features.steps import Seasons, StepArrays
from lstmcast.ragged import Bools, Floats, Ints

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
N_HORIZON_FEATURES = 7
N_LOCAL_FEATURES = len(CANDIDATES) + 3 + N_HORIZON_FEATURES


def horizon_features(horizon: int, seasons: Seasons, log: Bools) -> NDArray[np.float32]:
    """What the decoder knows of a horizon step besides the candidates: [K, H, HORIZON_FEATURES]."""
    h = np.arange(1, horizon + 1, dtype=np.float64)
    m, m2 = seasons
    shared = [np.log(h) / 3, 1 / h, np.minimum(h / m / 4, 3), np.sqrt(h) / 5]
    shared += [np.full_like(h, np.log(m) / 4), np.full_like(h, float(m2 > 0))]
    table = np.broadcast_to(np.stack(shared, -1), (len(log), horizon, len(shared)))
    flag = np.broadcast_to(log[:, None, None], (len(log), horizon, 1))
    return np.concatenate([table, flag], -1).astype(np.float32)


def forecast_candidates(steps: StepArrays, series: Ints, origins: Ints, horizon: int) -> Floats:
    """Classical forecasts in transformed units: [..., H, len(CANDIDATES)] for windows of any shape [...].

    Level and index follow Holt-Winters' additive form with fixed smoothing, `theta` adds half the
    slope of the least-squares line to the level (Assimakopoulos & Nikolopoulos 2000; Hyndman &
    Billah 2003).
    """
    m, m2 = steps.seasons
    first = steps.offsets[series][..., None]
    at = first + origins[..., None]
    h = np.arange(1, horizon + 1)
    last = np.broadcast_to(steps.z[at], (*at.shape[:-1], horizon))
    seasonal_at = at + same_phase_offsets(h, m)
    naive = np.where(seasonal_at >= first, steps.z[np.maximum(seasonal_at, first)], last)
    index = (
        np.where(seasonal_at >= first, steps.index[np.maximum(seasonal_at, first)], 0.0)
        if m > 1
        else 0.0
    )
    level = steps.level[at] + index
    naive2, profile = naive, level
    if m2:
        second_at = at + same_phase_offsets(h, m2)
        known = second_at >= first
        second_at = np.maximum(second_at, first)
        naive2 = np.where(known, steps.z[second_at], naive)
        known &= (
            at >= first + m2 - 1
        )  # inside its first season the profile knows the rest of that season
        profile = np.where(known, steps.level[at] + steps.profile[second_at], level)
    damping = np.cumsum((0.9 if m == 1 else 0.98) ** h)
    return np.stack(
        np.broadcast_arrays(
            last,
            naive,
            naive2,
            level,
            level + steps.trend[at] * damping,
            steps.slow_level[at] + index,
            level + 0.5 * steps.slope[at] * h,
            profile,
        ),
        -1,
    )


def older_seasonal_values(
    steps: StepArrays, series: Ints, origins: Ints, horizon: int, back: int
) -> Floats:
    """The value `back` seasons before the seasonal-naive one, or the oldest of that phase: [..., H]."""
    m = steps.seasons.main
    first = steps.offsets[series][..., None]
    at = first + origins[..., None] + same_phase_offsets(np.arange(1, horizon + 1), m)
    for _ in range(back):
        at = np.where(at - m >= first, at - m, at)
    return np.asarray(steps.z[np.maximum(at, first)])


def same_phase_offsets(h: Ints, season: int) -> Ints:
    """Offset from the origin to the newest known step of the same phase as origin + h."""
    return h - season * -(-h // season)
