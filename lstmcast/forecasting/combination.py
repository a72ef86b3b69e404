"""Members and classical candidates mixed by validation error; intervals calibrated on what is left.

Only arrays: knows no networks, frames or files.

Axes: M members, K windows, H horizon, Q quantiles, A candidates.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.config import NETWORK_QUANTILES
from lstmcast.features.candidates import CANDIDATE_DESCRIPTIONS, CANDIDATES
from lstmcast.ragged import Floats, Ints

MEMBER_SHARPNESS = 10.0
"""How fast a member's weight falls with its error: one that is 10 % worse than the best counts 1/e
of it."""
CANDIDATE_SHARPNESS = 1.0
MIX_SHARPNESS = 8.0
"""The same for the candidates and for the share of the network, from one series: so little evidence hardly chooses
among candidates, and their mean is a good one (Bates & Granger 1969). The evidence of N series is
sharper by N, of at most 25: their errors share the times that they are from. For the members it is
not: even a worse one errs in its own way, and helps."""
NETWORK_MARGIN = 0.1
"""How much better, as a share, the candidates alone must look than the network alone to be
preferred: a few windows are easily beaten by the best of many."""
_MEDIAN = NETWORK_QUANTILES.index(0.5)
_LOW, _HIGH = 0, len(NETWORK_QUANTILES) - 1
_COVERAGE = NETWORK_QUANTILES[_HIGH] - NETWORK_QUANTILES[_LOW]


class Combination(NamedTuple):
    """What validation decided.

    members: [M] and candidates: [A], weights that sum to 1. network: share of the members in the
    mix. widen: factor on the half-widths of the intervals. windows: validation windows behind it.
    """

    members: Floats
    candidates: Floats
    network: float
    widen: float
    windows: int

    def to_dict(self) -> dict[str, Any]:
        """JSON form that `from_dict` reads back."""
        return self._replace(
            members=self.members.tolist(), candidates=self.candidates.tolist()
        )._asdict()

    def sentence(self) -> str:
        """What the forecast is made of, in plain words."""
        network = round(100 * self.network)
        if network >= 99:
            return "The forecast is the network's."
        by_weight = sorted(zip(self.candidates, CANDIDATES, strict=True), reverse=True)
        *most, last = (
            CANDIDATE_DESCRIPTIONS[name] for weight, name in by_weight[:3] if weight > 0.05
        )
        methods = f"{', '.join(most)} and {last}" if most else last
        return (
            f"The forecast is {network} % network and {100 - network} % simple methods, "
            f"mostly {methods}."
        )

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Combination":
        """Rebuild from `to_dict`'s form."""
        return cls(
            **{
                **data,
                "members": np.array(data["members"]),
                "candidates": np.array(data["candidates"]),
            }
        )


def default_combination(members: int, candidates: int, widen: float = 1.3) -> Combination:
    """The guard where nothing could be validated: trust the members alike, and the intervals a little less."""
    return Combination(
        np.full(members, 1 / members), np.full(candidates, 1 / candidates), 1.0, widen, 0
    )


class ValidationForecasts(NamedTuple):
    """Validation windows with all that is known of them.

    Forecasts of the members [M, K, H, Q] and candidates [K, H, A], what came [K, H] (NaN where
    missing), the series of each window [K], and what its errors are divided by [K]. prior: weights
    of the members before any evidence [M].
    loyalty: see LOYALTY. power: 2 for forecasts of a mean or a probability, whose errors count
    squared.
    """

    members: Floats
    candidates: Floats
    actual: Floats
    owner: Ints
    scale: Floats
    prior: Floats | None = None
    network_margin: float = NETWORK_MARGIN
    power: float = 1.0

    def where(self, kept: NDArray[np.bool_]) -> "ValidationForecasts":
        """The windows of a mask [K]."""
        return self._replace(
            members=self.members[:, kept],
            candidates=self.candidates[kept],
            actual=self.actual[kept],
            owner=self.owner[kept],
            scale=self.scale[kept],
        )


def fit_combination(case: ValidationForecasts) -> Combination:
    """Weigh members, pick candidates, mix both, and calibrate the intervals on validation windows."""
    members, candidates = case.members, case.candidates
    error = _ScaledError(case.actual, case.owner, case.scale, case.power)
    if not error.usable:
        return default_combination(len(members), candidates.shape[-1])
    trust = min(len(np.unique(case.owner)), 25)
    weights = soft_weights([error(m[..., _MEDIAN]) for m in members], MEMBER_SHARPNESS, case.prior)
    network = np.tensordot(weights, members[..., _MEDIAN], 1)
    options = [candidates[..., a] for a in range(candidates.shape[-1])]
    choice = soft_weights(
        [error(option) for option in [*options, candidates.mean(-1)]], CANDIDATE_SHARPNESS * trust
    )
    chosen = choice[:-1] + choice[-1] / len(options)
    classical = candidates @ chosen
    shares = np.linspace(0, 1, 11)
    losses = np.array([error(w * network + (1 - w) * classical) for w in shares])
    mixed = soft_weights(
        losses + losses.min() * case.network_margin * (1 - shares), MIX_SHARPNESS * trust
    )
    guard = Combination(weights, chosen, float(mixed @ shares), 1.0, len(case.actual))
    return guard._replace(
        widen=_conformal_factor(
            combine_forecasts(guard, members, candidates), case.actual, case.owner
        )
    )


def assign_folds(owner: Ints, count: int = 4) -> Ints:
    """A fold [K] for each window: those of one series [K] in runs of neighbours, since neighbours overlap.

    A series with one window goes whole.
    """
    rank = np.arange(len(owner)) - np.searchsorted(owner, owner)
    windows = np.bincount(owner)[owner]
    return np.where(windows > 1, rank * count // windows, owner % count)


def cross_fit_forecasts(case: ValidationForecasts) -> Floats:
    """The forecasts [K, H, Q] of windows by a guard that was decided on the others: an honest look at itself."""
    fold = assign_folds(case.owner)
    out = np.empty(case.members.shape[1:])
    for k in np.unique(fold):
        here = fold == k
        rest = fit_combination(case.where(~here))
        part = case.where(here)
        out[here] = combine_forecasts(rest, part.members, part.candidates)
    return out


def combine_forecasts(guard: Combination, members: Floats, candidates: Floats) -> Floats:
    """The forecast, sorted quantiles [K, H, Q], from [M, K, H, Q] and [K, H, A]."""
    quantiles = np.tensordot(guard.members, members, 1)
    median = quantiles[..., _MEDIAN : _MEDIAN + 1]
    centre = (
        guard.network * median + (1 - guard.network) * (candidates @ guard.candidates)[..., None]
    )
    return np.asarray(centre + guard.widen * (quantiles - median))


def soft_weights(
    losses: Sequence[float] | Floats, sharpness: float, prior: Floats | None = None
) -> Floats:
    """Weights that fall exponentially with the excess over the least loss, times `prior`; they sum to 1."""
    losses = np.asarray(losses, dtype=np.float64)
    least = losses.min()
    weights = (
        np.exp(-sharpness * (losses / least - 1))
        if least > 0
        else (losses <= least).astype(np.float64)
    )
    weights = weights if prior is None else weights * prior
    return np.asarray(weights / weights.sum())


class _ScaledError:
    """Mean scaled absolute error, to a power: over the steps of a window, the windows of a series, the series."""

    def __init__(self, actual: Floats, owner: Ints, scale: Floats, power: float) -> None:
        self.power = power
        known = ~np.isnan(actual)
        usable = known & (scale > 0)[:, None]
        _, owner = np.unique(owner, return_inverse=True)
        steps = np.bincount(owner, usable.sum(1))
        self.usable = bool(usable.any())
        share = np.where(usable, 1 / np.maximum(steps[owner] * scale, 1e-300)[:, None], 0.0)
        self.weight = np.where(usable, share / max((steps > 0).sum(), 1), 0.0)
        self.actual = np.where(known, actual, 0.0)

    def __call__(self, forecast: Floats) -> float:
        size = np.abs(forecast - self.actual)
        return float(((size if self.power == 1 else size**self.power) * self.weight).sum())


def _conformal_factor(quantiles: Floats, actual: Floats, owner: Ints) -> float:
    """Factor on the half-widths that covers the share asked for.

    The conformal factor (Vovk et al. 2005), with its finite-sample correction, is trusted in full
    where 25 series speak. The windows of one series overlap and say little against intervals that
    are right on average before they are touched: there it enters by a root. Where windows are few,
    intervals are wider by a third.
    """
    median = quantiles[..., _MEDIAN]
    up, down = quantiles[..., _HIGH] - median, median - quantiles[..., _LOW]
    error = actual - median
    width = np.where(error > 0, up, down)
    known = ~np.isnan(error) & (width > 0)
    if not known.any():
        return 1.0
    ratio = np.abs(error[known]) / width[known]
    windows = len(actual)
    factor = np.quantile(ratio, min(1.0, _COVERAGE * (1 + 1 / windows)))
    power = min(1.0, 0.2 + len(np.unique(owner)) / 25)
    caution = 1 + 0.3 * min(1.0, 6 / windows) ** 2
    return float(caution * np.clip(factor, 0.4, 4.0) ** power)
