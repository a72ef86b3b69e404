"""What covariates that are known ahead do to a series: a linear effect, taken out first and put back in the forecast.

It is a regression with the errors of an LSTM, where dynamic regression has those of an ARIMA model
(Pankratz 1991). Only arrays: knows no frames, files, calendars or torch.

Axes: N series, T steps, C known-future covariates, K folds; flat arrays hold all series end to end.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.features.steps import FEATURE_CLIP, StepArrays, group_by_length
from lstmcast.ragged import Floats, Ints

N_FOLDS = 4
POOLING_STRENGTHS = (1.0, 10.0, 100.0, np.inf)
"""Steps that the other series' effect counts for against a series' own; infinity leaves nothing to
a series itself."""
SHRINKAGE_STRENGTHS = (1.0, 100.0, np.inf)
"""Steps that "no effect" counts for against the effect in all series; infinity is no effect at
all."""
MIN_GAIN_SHARE_AND_STEPS = 0.002, 6.0
"""What an effect must save of the squared error, on steps that its estimate has not seen, to be
believed: a share of it, and so many steps' worth, as chance may save of a short series."""
_ROUNDING_TOLERANCE = 1e-9
_REWEIGHTING_ROUNDS = 3
_MAX_MATRIX_CELLS = 20_000_000
"""Bound of the matrices at work, and of the effects that series have for themselves."""


class CovariateEffects(NamedTuple):
    """Effects in transformed units: a covariate c adds (c - mean) * effect to its series.

    mean, effect: [N, C]. usual: [C], the effect of a deviation of c on a series of scale 1, for
    series of no training.
    """

    mean: Floats
    effect: Floats
    usual: Floats

    def any(self) -> bool:
        """Whether there is any effect."""
        return bool(self.usual.any() or self.effect.any())

    def added(self, table: Floats, owner: Ints) -> Floats:
        """What covariates [n, C] of the series `owner` [n] add, [n]; a missing one adds nothing."""
        return np.asarray((np.nan_to_num(table - self.mean[owner]) * self.effect[owner]).sum(1))

    def to_dict(self) -> dict[str, Any]:
        """JSON form that `from_dict` reads back exactly."""
        return {name: part.tolist() for name, part in self._asdict().items()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "CovariateEffects":
        """Rebuild from `to_dict`'s form."""
        usual = np.array(data["usual"], dtype=np.float64)
        mean, effect = (
            np.array(data[name], dtype=np.float64).reshape(len(data[name]), len(usual))
            for name in ("mean", "effect")
        )
        return cls(mean, effect, usual)


class CovariateUnits(NamedTuple):
    """Of each series: mean and deviation of its covariates [N, C], and its own usual scale [N]."""

    mean: Floats
    deviation: Floats
    scale: Floats


def no_effects(series: int, covariates: int) -> CovariateEffects:
    """No effects."""
    nothing = np.zeros((series, covariates))
    return CovariateEffects(nothing, nothing, np.zeros(covariates))


def measure_units(steps: StepArrays, table: Floats, ends: Ints) -> CovariateUnits:
    """Measure the first `ends` [N] steps of each series; table: [sum T, C], the covariates at its steps."""
    known = _is_in_sample(steps, ends)
    owner = np.repeat(np.arange(len(ends)), np.diff(steps.offsets))
    here, rows = owner[known], table[known]
    count = _sum_by_series(~np.isnan(rows), here, len(ends))
    mean = _sum_by_series(np.nan_to_num(rows), here, len(ends)) / np.maximum(count, 1)
    square = _sum_by_series(np.nan_to_num(rows - mean[here]) ** 2, here, len(ends)) / np.maximum(
        count, 1
    )
    scale = _sum_by_series(steps.scale[known, None], here, len(ends))[:, 0] / np.maximum(ends, 1)
    deviation = np.sqrt(square)
    # The mean of equal numbers may differ from them by rounding, which is no deviation to count in.
    return CovariateUnits(
        mean, np.where(deviation > _ROUNDING_TOLERANCE * np.abs(mean), deviation, 0.0), scale
    )


def fit_effects(steps: StepArrays, table: Floats, ends: Ints) -> CovariateEffects:
    """Estimate effects from the first `ends` [N] steps of each series.

    Differences over a season of the series are regressed on those of its covariates, robustly
    (Huber 1964) and by ridge regression (Hoerl & Kennard 1970) towards the effect in all series;
    how far is chosen by cross-validation over stretches of time, "no effect" being among the
    choices.
    """
    measured = measure_units(steps, table, ends)
    nothing = np.zeros_like(measured.mean)
    moments = _sum_moments(steps, table, ends, measured, nothing)
    for _ in range(_REWEIGHTING_ROUNDS):
        own, _ = _solve_effects(moments.whole(), 10.0, 1.0)
        moments = _sum_moments(steps, table, ends, measured, own)
    choice = _choose_strengths(moments)
    if choice is None:
        return CovariateEffects(measured.mean, nothing, nothing[0])
    own, usual = _solve_effects(moments.whole(), *choice)
    return to_series_units(CovariateEffects(measured.mean, own, usual), measured)


def to_series_units(effects: CovariateEffects, measured: CovariateUnits) -> CovariateEffects:
    """Effects of standard covariates on series of scale 1 as those of these covariates on these series."""
    unit = measured.scale[:, None] / np.where(measured.deviation > 0, measured.deviation, np.inf)
    return effects._replace(effect=effects.effect * unit)


class _Moments(NamedTuple):
    """Weighted sums over rows of each series and fold: of products among covariates, with the series, of its squares.

    xx [N, K, C, C], xy [N, K, C], yy [N, K], weight [N, K].
    """

    xx: Floats
    xy: Floats
    yy: Floats
    weight: Floats

    def whole(self) -> "_Moments":
        """Summed over the folds, [N, 1, ...]."""
        return _Moments(*(part.sum(1, keepdims=True) for part in self))

    def others(self) -> "_Moments":
        """For each fold the sum of the others."""
        return _Moments(*(part.sum(1, keepdims=True) - part for part in self))


def _sum_moments(
    steps: StepArrays, table: Floats, ends: Ints, measured: CovariateUnits, effect: Floats
) -> _Moments:
    """Sums of rows that are weighed by how well the effects [N, C] so far explain them."""
    n, c = measured.mean.shape
    lag = steps.seasons.main
    rows = np.maximum(ends - lag, 0)
    slot: Ints = (
        np.arange(n) if n * c * c <= _MAX_MATRIX_CELLS else np.zeros(n, np.int64)
    )  # else one effect for all series
    out = _Moments(*(np.zeros((slot[-1] + 1, N_FOLDS, *shape)) for shape in ((c, c), (c,), (), ())))
    for series, width in group_by_length(rows):
        most = max(1, _MAX_MATRIX_CELLS // (len(series) * (c + 1)))
        for begin in range(0, width, most):
            t = np.arange(begin, min(begin + most, width))
            inside = t < rows[series, None]
            x, y, known = _seasonal_differences(
                steps, table, series, np.where(inside, t + lag, lag), measured
            )
            weight = (known & inside) / np.maximum(
                1.0, np.abs(y - (x @ effect[slot[series], :, None])[..., 0])
            )
            fold = t * N_FOLDS // np.maximum(rows[series, None], 1)
            for k in range(N_FOLDS):
                w = weight * (fold == k)
                wx = np.swapaxes(x * w[..., None], 1, 2)  # (n, C, T)
                sums = wx @ x, (wx @ y[..., None])[..., 0], (w * y * y).sum(1), w.sum(1)
                for total, part in zip(out, sums, strict=True):
                    np.add.at(total[:, k], slot[series], part)
    return out


def _seasonal_differences(
    steps: StepArrays, table: Floats, series: Ints, t: Ints, measured: CovariateUnits
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Seasonal differences at steps t [n, T]: of covariates [n, T, C], of the series [n, T], and where both are known.

    Both are in scales, so that a restless time of a series does not outvote a calm one.
    """
    at = np.minimum(steps.offsets[series, None] + t, len(steps.z) - 1)
    back = np.maximum(at - steps.seasons.main, 0)
    size = steps.scale[at]
    y = ((steps.z[at] - steps.z[back]) / size).clip(-FEATURE_CLIP, FEATURE_CLIP)
    deviation = measured.deviation[series]
    moved = (
        np.nan_to_num(table[at] - table[back]) / np.where(deviation > 0, deviation, np.inf)[:, None]
    )
    return (
        moved * (measured.scale[series, None] / size)[..., None],
        y,
        steps.seen[at] & steps.seen[back],
    )


def _solve_effects(moments: _Moments, own: float, common: float) -> tuple[Floats, Floats]:
    """Effects of each series and fold, and of all series: [N, K, C] and [K, C], one fold less where K is 1."""
    xx, xy, _, weight = moments
    total = np.maximum(weight.sum(0), 1e-300)[:, None]
    size = np.einsum("nkcc->kc", xx) / total
    size = np.where(size > 0, size, 1.0)
    ridge = size[..., None] * np.eye(xx.shape[-1])
    usual = _solve_ridge(xx.sum(0), ridge, xy.sum(0), common)
    every = np.broadcast_to(usual, xy.shape)
    if np.isfinite(own):
        every = _solve_ridge(xx, ridge[None], xy + own * (ridge @ usual[..., None])[..., 0], own)
    return (every[:, 0], usual[0]) if xx.shape[1] == 1 else (every, usual)


def _solve_ridge(xx: Floats, ridge: Floats, xy: Floats, strength: float) -> Floats:
    if np.isinf(strength):
        return np.zeros_like(xy)
    return np.asarray(np.linalg.solve(xx + strength * ridge, xy[..., None])[..., 0])


def _choose_strengths(moments: _Moments) -> tuple[float, float] | None:
    """Strengths of the two ridges that explain what they have not seen best; None if none explains anything."""
    rest = moments.others()
    share, steps = MIN_GAIN_SHARE_AND_STEPS
    best, chosen = (share + steps / max(moments.weight.sum(), 1.0)) * moments.yy.sum(), None
    for own in POOLING_STRENGTHS if len(moments.yy) > 1 else POOLING_STRENGTHS[-1:]:
        for common in SHRINKAGE_STRENGTHS:
            every, _ = _solve_effects(rest, own, common)
            fitted = 2 * every * moments.xy - every * (moments.xx @ every[..., None])[..., 0]
            gain = float(fitted.sum())
            if gain > best:
                best, chosen = gain, (own, common)
    return chosen


def _is_in_sample(steps: StepArrays, ends: Ints) -> NDArray[np.bool_]:
    """Which of all steps are among the first `ends` [N] of their series, [sum T]."""
    step = np.arange(len(steps.z)) - np.repeat(steps.offsets[:-1], np.diff(steps.offsets))
    return np.asarray(step < np.repeat(ends, np.diff(steps.offsets)))


def _sum_by_series(rows: NDArray[Any], owner: Ints, count: int) -> Floats:
    """Sum of the rows [n, C] of each series, [count, C]."""
    return np.stack([np.bincount(owner, column, count) for column in rows.T.astype(np.float64)], 1)
