"""Networks and classical methods combined by their validation errors, with calibrated intervals.

Where a simple method does no worse, the forecast is that method's alone. Knows only arrays: no
networks, frames or files.

Axes: M ensemble members, K validation windows, H horizon, Q quantiles, A classical candidates.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from lstmcast.config import NETWORK_QUANTILES
from lstmcast.features.candidates import CANDIDATE_DESCRIPTIONS, CANDIDATES
from lstmcast.forecasting.simple_methods import (
    MAX_EVIDENCE_SERIES,
    METHOD_DESCRIPTIONS,
    SimpleForecasts,
    add_spread,
    count_blocks,
    fit_spread,
    is_simple_preferred,
    rank_methods,
)
from lstmcast.network.generations import upgrade_candidate_weights
from lstmcast.ragged import Bools, Floats, Ints

MEMBER_SHARPNESS = 10.0
"""How fast a member's weight falls with its error: 10 % worse than the best counts 1/e of it."""
CANDIDATE_SHARPNESS = 1.0
MIX_SHARPNESS = 8.0
"""The same for the candidates, and for the share of the network, from the evidence of one series.

One series hardly chooses among candidates, and their mean is a good one (Bates & Granger 1969). The
evidence of N series is N times as sharp, up to MAX_EVIDENCE_SERIES. For the members it is not: even
a worse one errs in its own way, and helps."""
NETWORK_MARGIN = 0.1
"""How much better, as a share, the candidates must look than the network to replace it.

The best of many methods easily wins on a few windows."""
NETWORK_SHARES = np.linspace(0, 1, 11)
"""Shares of the network that are tried in the mix with the candidates."""
UNVALIDATED_WIDEN = 1.3
"""Factor on the half-widths of intervals that no validation window could calibrate."""
WIDEN_RANGE = (0.4, 4.0)
"""Least and largest conformal factor on the half-widths of intervals."""
MIN_LISTED_WEIGHT = 0.05
"""Weight above which a candidate is named in the description of a combination."""

_MEDIAN = NETWORK_QUANTILES.index(0.5)
_LOWEST, _HIGHEST = 0, len(NETWORK_QUANTILES) - 1
_COVERAGE = NETWORK_QUANTILES[_HIGHEST] - NETWORK_QUANTILES[_LOWEST]


class Combination(NamedTuple):
    """What validation decided about how much each forecast counts.

    members: [M] and candidates: [A], weights that sum to 1. network: share of the members in the
    mix. widen: factor on the half-widths of the intervals. windows: validation windows behind it.
    method: the simple method that the forecast is, of `METHOD_DESCRIPTIONS`; empty where it is the
    mix. spread: quantiles of the errors of that method, in units, [H, Q].
    """

    members: Floats
    candidates: Floats
    network: float
    widen: float
    windows: int
    method: str = ""
    spread: Floats | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form that `from_dict` reads back."""
        weights = {
            "members": self.members.tolist(),
            "candidates": self.candidates.tolist(),
            "spread": None if self.spread is None else self.spread.tolist(),
        }
        return self._asdict() | weights

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Combination":
        """Rebuild a combination from the form of `to_dict`."""
        weights = {
            "members": np.array(data["members"]),
            "candidates": upgrade_candidate_weights(np.array(data["candidates"])),
        }
        # Runs of older versions have no method.
        method = data.get("method", "")
        spread = data.get("spread")
        if spread is not None:
            weights["spread"] = np.array(spread, dtype=np.float64)
            if weights["spread"].shape[1:] != (len(NETWORK_QUANTILES),):
                raise ValueError("the spread has not a column for each quantile")

        is_known = method in ("", *METHOD_DESCRIPTIONS)
        is_alone = bool(method) != bool(spread)
        if not is_known or is_alone:
            raise ValueError(f"no such simple method, or without a spread: {method!r}")
        return cls(**(data | weights))

    def sentence(self) -> str:
        """Say in plain words what the forecast is made of."""
        if self.method:
            return (
                f"The forecast is not the network's but a simple method's: "
                f"{METHOD_DESCRIPTIONS[self.method]}. On the held-out windows the network did not "
                "do better."
            )
        network = round(100 * self.network)
        if network >= 99:
            return "The forecast is the network's."

        by_weight = sorted(zip(self.candidates, CANDIDATES, strict=True), reverse=True)
        *most, last = (
            CANDIDATE_DESCRIPTIONS[name]
            for weight, name in by_weight[:3]
            if weight > MIN_LISTED_WEIGHT
        )
        methods = last
        if most:
            methods = f"{', '.join(most)} and {last}"
        return (
            f"The forecast is {network} % network and {100 - network} % simple methods, "
            f"mostly {methods}."
        )


def default_combination(members: int, candidates: int) -> Combination:
    """Return the combination where nothing could be validated: equal members, wider intervals."""
    return Combination(
        members=np.full(members, 1 / members),
        candidates=np.full(candidates, 1 / candidates),
        network=1.0,
        widen=UNVALIDATED_WIDEN,
        windows=0,
    )


class ValidationForecasts(NamedTuple):
    """Validation windows, what was forecast for them, and what was observed.

    members: forecasts of the members, [M, K, H, Q]. candidates: those of the classical methods,
    [K, H, A]. actual: observed values, [K, H], NaN where missing. series: the series of each
    window, [K]. scale: what the errors of each window are divided by, [K]. prior: weights of the
    members before any evidence, [M]. network_margin: see NETWORK_MARGIN. power: 2 for forecasts of
    a mean or a probability, whose errors count squared. slack: [K, H], how far outside of an
    interval a value is still inside once its ends are rounded, as of counts. simple: forecasts of
    simple methods, one of which may take the place of the mix; None for no such choice.
    """

    members: Floats
    candidates: Floats
    actual: Floats
    series: Ints
    scale: Floats
    prior: Floats | None = None
    network_margin: float = NETWORK_MARGIN
    power: float = 1.0
    slack: Floats | None = None
    simple: SimpleForecasts | None = None

    def select(self, mask: Bools) -> "ValidationForecasts":
        """Return only the windows of a mask [K]."""
        return self._replace(
            members=self.members[:, mask],
            candidates=self.candidates[mask],
            actual=self.actual[mask],
            series=self.series[mask],
            scale=self.scale[mask],
            slack=None if self.slack is None else self.slack[mask],
            simple=None if self.simple is None else self.simple.select(mask),
        )


def fit_combination(validation: ValidationForecasts) -> Combination:
    """Weigh members and candidates, mix both, and calibrate the intervals on validation windows.

    Where the mix is no better than a simple method, that method takes its place.
    """
    mix = _fit_mix(validation)
    method = choose_method(validation, mix)
    if method is None:
        return mix
    assert validation.simple is not None  # else there is nothing to choose from
    return mix._replace(
        network=0.0,
        windows=len(validation.actual),
        method=validation.simple.names[method],
        spread=fit_spread(validation.simple, method, validation.actual),
    )


def choose_method(validation: ValidationForecasts, mix: Combination) -> int | None:
    """Return which simple method takes the place of the mix; None for the mix.

    It is the best in the windows of the validation and before, if the mix is not better by more
    than chance.
    """
    simple = validation.simple
    if simple is None or not len(simple.names):
        return None
    scale = validation.scale
    if not (scale > 0).any():
        # Series that never changed are measured by their plain errors.
        scale = np.ones_like(scale)
    error = _ScaledError(validation._replace(scale=scale))
    if not error.usable:
        return None

    # How far off each method was, here and in the windows before.
    n_methods = len(simple.names)
    each = [np.nan_to_num(simple.forecasts[..., s]) for s in range(n_methods)]
    by_window = np.array([error.by_window(forecast) for forecast in each])  # (S, K)
    # A method that forecasts nothing from somewhere is no choice.
    is_whole = np.asarray(~np.isnan(simple.forecasts).any((0, 1)))
    losses = np.where(is_whole, by_window.sum(1), np.inf)

    # Windows here and before count by how many of them do not overlap.
    horizon = validation.actual.shape[1]
    blocks, n_blocks = count_blocks(validation.series, simple.origins, horizon)
    earlier, n_earlier = _earlier_losses(validation, scale)
    best = int(rank_methods(losses, n_blocks, earlier, n_earlier)[0])
    if not is_whole[best]:
        return None

    mixed = combine_forecasts(mix, validation.members, validation.candidates)
    of_mix = error.by_window(mixed[..., _MEDIAN])
    n_series = len(np.unique(validation.series))
    gain = of_mix - by_window[best]
    is_preferred = is_simple_preferred(
        gain, float(of_mix.sum()), blocks, n_series, are_blind=simple.are_blind
    )
    return best if is_preferred else None


def _earlier_losses(
    validation: ValidationForecasts, scale: Floats
) -> tuple[Floats, int]:
    """Mean scaled errors of the simple methods before the validation, [S], and of how many windows.

    Of the series that are validated, in the scales [K] of their windows.
    """
    simple = validation.simple
    assert simple is not None
    n_methods = len(simple.names)
    n_series = max(simple.earlier_series.max(initial=-1), validation.series.max()) + 1
    scale_of_series = np.zeros(n_series)
    scale_of_series[validation.series] = scale
    scale = scale_of_series[simple.earlier_series]

    # Only steps for which every method has a forecast, or they could not be compared.
    is_missing = np.isnan(simple.earlier)
    observed = ~is_missing.any(-1)
    has_scale = scale > 0
    usable = observed & has_scale[:, None]
    if not usable.any():
        return np.zeros(n_methods), 0

    windows = usable.any(1)
    n_steps = np.maximum(usable.sum(1), 1)
    safe_scale = np.where(has_scale, scale, 1.0)
    losses = []
    for s in range(n_methods):
        size = np.abs(simple.earlier[..., s])
        error = np.where(usable, size, 0.0)
        scaled = error**validation.power / safe_scale[:, None]
        of_windows = scaled.sum(1) / n_steps
        losses.append(of_windows[windows].mean())

    horizon = usable.shape[1]
    _, n_windows = count_blocks(
        simple.earlier_series[windows], simple.earlier_origins[windows], horizon
    )
    return np.array(losses), n_windows


def _fit_mix(validation: ValidationForecasts) -> Combination:
    """Weigh members and candidates, mix both, and calibrate the intervals."""
    members = validation.members
    candidates = validation.candidates
    error = _ScaledError(validation)
    if not error.usable:
        n_candidates = candidates.shape[-1]
        return default_combination(len(members), n_candidates)

    # Many series are more evidence than few, up to a point.
    n_series = len(np.unique(validation.series))
    evidence = min(n_series, MAX_EVIDENCE_SERIES)

    # The members, by their medians.
    medians = members[..., _MEDIAN]
    member_losses = [error(median) for median in medians]
    member_weights = soft_weights(member_losses, MEMBER_SHARPNESS, validation.prior)
    network = np.tensordot(member_weights, medians, 1)

    candidate_weights = _weigh_candidates(candidates, error, evidence)
    classical = candidates @ candidate_weights

    # The share of the network: each share the network lacks costs a part of the margin.
    losses = np.empty(len(NETWORK_SHARES))
    for i, share in enumerate(NETWORK_SHARES):
        losses[i] = error(_mix(share, network, classical))

    margin = losses.min() * validation.network_margin
    handicap = margin * (1 - NETWORK_SHARES)
    share_weights = soft_weights(losses + handicap, MIX_SHARPNESS * evidence)

    # Intervals are calibrated last: their factor is that of the combination itself.
    uncalibrated = Combination(
        members=member_weights,
        candidates=candidate_weights,
        network=float(share_weights @ NETWORK_SHARES),
        widen=1.0,
        windows=len(validation.actual),
    )
    quantiles = combine_forecasts(uncalibrated, members, candidates)
    widen = _conformal_factor(
        quantiles, validation.actual, validation.series, validation.slack
    )
    return uncalibrated._replace(widen=widen)


def _weigh_candidates(
    candidates: Floats, error: "_ScaledError", evidence: int
) -> Floats:
    """Weigh candidates [K, H, A] by their errors, with the evidence of so many series, [A]."""
    one_by_one = np.moveaxis(candidates, -1, 0)  # (A, K, H)
    losses = [error(candidate) for candidate in one_by_one]

    # Their mean is one option more: its weight is spread over all of them.
    mean = candidates.mean(-1)
    losses.append(error(mean))
    sharpness = CANDIDATE_SHARPNESS * evidence
    *own, of_mean = soft_weights(losses, sharpness)
    share_of_mean = of_mean / len(own)
    return np.array([weight + share_of_mean for weight in own])


def assign_folds(series: Ints, count: int = 4) -> Ints:
    """Assign each window a fold [K], from the series [K] of the windows, which are sorted.

    The windows of one series form runs of neighbours, since neighbours overlap. A series with one
    window goes whole into one of the folds.
    """
    first = np.searchsorted(series, series)
    rank = np.arange(len(series)) - first
    per_series = np.bincount(series)
    windows = per_series[series]
    run = rank * count // windows
    return np.where(windows > 1, run, series % count)


def cross_fit_forecasts(validation: ValidationForecasts) -> Floats:
    """Forecast each fold of windows by a combination fitted to the other folds, [K, H, Q].

    No window has a say in its own forecast, so errors of these forecasts are out-of-sample
    (cross-fitting: Chernozhukov et al. 2018).
    """
    folds = assign_folds(validation.series)
    quantiles = np.empty(validation.members.shape[1:])
    for fold in np.unique(folds):
        held_out = folds == fold
        others = validation.select(~held_out)
        combination = fit_combination(others)

        windows = validation.select(held_out)
        quantiles[held_out] = _combine_windows(combination, windows)

    return quantiles


def _combine_windows(combination: Combination, windows: ValidationForecasts) -> Floats:
    """Forecast validation windows as the combination does, [K, H, Q]."""
    simple = windows.simple
    if not combination.method or simple is None or combination.spread is None:
        return combine_forecasts(combination, windows.members, windows.candidates)
    method = simple.names.index(combination.method)
    centre = simple.forecasts[..., method]
    return add_spread(centre, simple.unit, combination.spread)


def combine_forecasts(
    combination: Combination, members: Floats, candidates: Floats
) -> Floats:
    """Mix forecasts [M, K, H, Q] and [K, H, A] into sorted quantiles [K, H, Q].

    The forecast of a combination with a simple method is that method's instead.
    """
    quantiles = np.tensordot(combination.members, members, 1)

    # A slice keeps the last axis, so that the median can be taken from all quantiles.
    median = quantiles[..., _MEDIAN : _MEDIAN + 1]
    classical = candidates @ combination.candidates
    centre = _mix(combination.network, median, classical[..., None])

    # Candidates are points: the mix moves the centre, the intervals are the network's.
    distance = quantiles - median
    return np.asarray(centre + combination.widen * distance)


def _mix(share: float, network: Floats, classical: Floats) -> Floats:
    """Mix points of the network, with this share, and of the classical methods."""
    return np.asarray(share * network + (1 - share) * classical)


def soft_weights(
    losses: Sequence[float] | Floats, sharpness: float, prior: Floats | None = None
) -> Floats:
    """Return weights that fall exponentially with the relative excess over the least loss.

    They are multiplied by `prior` and sum to 1. Where the least loss is 0, those that reach it
    share alike.
    """
    losses = np.asarray(losses, dtype=np.float64)
    least = losses.min()
    if least > 0:
        excess = losses / least - 1
        weights = np.exp(-sharpness * excess)
    else:  # no excess is relative to zero
        weights = (losses <= least).astype(np.float64)
    if prior is not None:
        weights = weights * prior

    return np.asarray(weights / weights.sum())


class _ScaledError:
    """Mean scaled absolute error to a power, of forecasts [K, H].

    The mean is over the steps of each series, then over the series, so that one with many windows
    counts no more than another. `usable` is whether there is anything to measure by.
    """

    def __init__(self, validation: ValidationForecasts) -> None:
        observed = ~np.isnan(validation.actual)
        has_scale = validation.scale > 0
        usable = observed & has_scale[:, None]
        self.usable = bool(usable.any())
        self.power = validation.power
        self.actual = np.where(observed, validation.actual, 0.0)

        # One factor a step for both means: 1 / (steps of its series * scale * number of series).
        _, series = np.unique(validation.series, return_inverse=True)
        steps = np.bincount(series, usable.sum(1))
        n_series = max((steps > 0).sum(), 1)
        scaled_steps = steps[series] * validation.scale
        step_weight = 1 / np.maximum(scaled_steps, 1e-300) / n_series
        step_weight = step_weight[:, None]
        self.weight = np.where(usable, step_weight, 0.0)

    def __call__(self, forecast: Floats) -> float:
        return float(self._weighted(forecast).sum())

    def by_window(self, forecast: Floats) -> Floats:
        """Return what each window adds to the error, [K]."""
        return np.asarray(self._weighted(forecast).sum(1))

    def _weighted(self, forecast: Floats) -> Floats:
        size = np.abs(forecast - self.actual)
        if self.power != 1:
            size = size**self.power
        return np.asarray(size * self.weight)


def _conformal_factor(
    quantiles: Floats, actual: Floats, series: Ints, slack: Floats | None = None
) -> float:
    """Return the factor on the half-widths that makes intervals cover their nominal share.

    It is the conformal factor (Vovk et al. 2005) with its finite-sample correction, trusted in full
    from about 20 series on. The windows of one series overlap and say little against intervals that
    are right on average before they are touched: there it enters by a root. Where windows are few,
    intervals are wider by up to 30 %.
    """
    median = quantiles[..., _MEDIAN]
    error = actual - median
    upper = quantiles[..., _HIGHEST] - median
    lower = median - quantiles[..., _LOWEST]
    half_width = np.where(error > 0, upper, lower)
    usable = ~np.isnan(error) & (half_width > 0)
    if not usable.any():
        return 1.0

    # An interval covers an error whose ratio is at most the factor on its half-width.
    size = np.abs(error)
    if slack is not None:
        size = np.maximum(size - slack, 0.0)
    ratio = size[usable] / half_width[usable]
    n_windows = len(actual)
    level = min(1.0, _COVERAGE * (1 + 1 / n_windows))
    factor = np.quantile(ratio, level)
    factor = np.clip(factor, *WIDEN_RANGE)

    n_series = len(np.unique(series))
    power = min(1.0, 0.2 + n_series / 25)
    fewness = min(1.0, 6 / n_windows)  # 1 for six windows or fewer
    caution = 1 + 0.3 * fewness**2
    return float(caution * factor**power)
