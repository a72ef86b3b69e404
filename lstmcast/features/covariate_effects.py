"""Linear effects of covariates known ahead: taken out of a series first, put back in its forecast.

It is a regression with the errors of an LSTM, where dynamic regression has those of an ARIMA model
(Pankratz 1991). Only arrays: knows no frames, files, calendars or torch.

Axes: N series, T steps, C known-future covariates, K folds; flat arrays hold all series end to end.
"""

from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.features.rows import are_first_steps, series_of_rows
from lstmcast.features.scaler import positive_or
from lstmcast.features.steps import FEATURE_CLIP, StepArrays, group_by_length
from lstmcast.ragged import Bools, Floats, Ints

N_FOLDS = 4
POOLING_STRENGTHS = (1.0, 10.0, 100.0, np.inf)
"""How strongly a series' effect is drawn to that in all series: as many steps of its own as that
counts for. Infinity gives every series the common effect."""
SHRINKAGE_STRENGTHS = (1.0, 100.0, np.inf)
"""How strongly the common effect is drawn to zero, in steps; infinity is no effect at all."""
MIN_GAIN_SHARE, MIN_GAIN_STEPS = 0.002, 6.0
"""What an effect must save of the squared error out of sample, to be believed: a share of it, and
so many steps' worth, as chance may save of a short series."""
_ROUNDING_TOLERANCE = 1e-9
_REWEIGHTING_ROUNDS = 3
_REWEIGHTING_POOLING, _REWEIGHTING_SHRINKAGE = 10.0, 1.0
"""Strengths of the ridges while the weights of rows are found."""
_MIN_WEIGHT = 1e-300
"""Least weight that sums are divided by."""
_MAX_MATRIX_CELLS = 20_000_000
"""Most cells of the matrices at work, and of the effects that single series have."""


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
        mean = self.mean[owner]
        deviation = table - mean
        deviation = np.nan_to_num(deviation)
        deviation *= self.effect[owner]
        return np.asarray(deviation.sum(1))

    def to_dict(self) -> dict[str, Any]:
        """JSON form that `from_dict` reads back exactly."""
        parts = self._asdict()
        return {name: part.tolist() for name, part in parts.items()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "CovariateEffects":
        """Rebuild from `to_dict`'s form."""
        usual = np.array(data["usual"], dtype=np.float64)
        n_covariates = len(usual)
        mean = _matrix_of(data["mean"], n_covariates)
        effect = _matrix_of(data["effect"], n_covariates)
        return cls(mean, effect, usual)


class CovariateUnits(NamedTuple):
    """Of each series: mean and deviation of its covariates [N, C], and its own usual scale [N]."""

    mean: Floats
    deviation: Floats
    scale: Floats


def no_effects(series: int, covariates: int) -> CovariateEffects:
    """Effects of 0 for so many series and covariates."""
    zeros = np.zeros((series, covariates))
    usual = np.zeros(covariates)
    return CovariateEffects(zeros, zeros, usual)


def measure_units(steps: StepArrays, table: Floats, ends: Ints) -> CovariateUnits:
    """Mean, deviation and scale over the first `ends` [N] steps of each series.

    table: [sum T, C], the covariates at the steps.
    """
    n = len(ends)
    in_sample = are_first_steps(steps.offsets, ends)
    owner = series_of_rows(steps.offsets)
    owner = owner[in_sample]
    rows = table[in_sample]
    mean, deviation = _mean_and_deviation(rows, owner, n)

    # The mean of equal numbers may differ from them by rounding, which is no deviation to count in.
    rounding = _ROUNDING_TOLERANCE * np.abs(mean)
    is_real = deviation > rounding
    deviation = np.where(is_real, deviation, 0.0)

    scale = steps.scale[in_sample]
    total = np.bincount(owner, scale, n)
    count = np.maximum(ends, 1)
    usual_scale = total / count
    return CovariateUnits(mean, deviation, usual_scale)


def fit_effects(steps: StepArrays, table: Floats, ends: Ints) -> CovariateEffects:
    """Estimate effects from the first `ends` [N] steps of each series; table: [sum T, C].

    Differences over a season of the series are regressed on those of its covariates, robustly
    (Huber 1964) and by ridge regression (Hoerl & Kennard 1970) towards the effect in all series
    (partial pooling); how far is chosen by cross-validation over stretches of time, "no effect"
    being among the choices.
    """
    units = measure_units(steps, table, ends)
    zeros = np.zeros_like(units.mean)
    moments = _sum_moments(steps, table, ends, units, zeros)

    # Iteratively reweighted least squares: rows far from the fit so far count for less.
    for _ in range(_REWEIGHTING_ROUNDS):
        pooled = moments.over_all_folds()
        effect, _ = _solve_effects(pooled, _REWEIGHTING_POOLING, _REWEIGHTING_SHRINKAGE)
        moments = _sum_moments(steps, table, ends, units, effect)

    # Nothing is believed that does not prove itself out of sample.
    strengths = _choose_strengths(moments)
    if strengths is None:
        return CovariateEffects(units.mean, zeros, zeros[0])

    pooled = moments.over_all_folds()
    pooling, shrinkage = strengths
    effect, usual = _solve_effects(pooled, pooling, shrinkage)
    standard = CovariateEffects(units.mean, effect, usual)
    return to_series_units(standard, units)


def to_series_units(
    effects: CovariateEffects, units: CovariateUnits
) -> CovariateEffects:
    """Convert effects of standardised covariates on series of scale 1 to these units."""
    # A covariate that never changed gets no effect.
    deviation = positive_or(units.deviation, np.inf)

    scale = units.scale[:, None]
    scale_by_deviation = scale / deviation
    effect = effects.effect * scale_by_deviation
    return effects._replace(effect=effect)


def _matrix_of(rows: list[list[float]], columns: int) -> Floats:
    """Rows as an array; without any row it still has its columns."""
    array = np.array(rows, dtype=np.float64)
    n_rows = len(rows)
    return array.reshape(n_rows, columns)


def _mean_and_deviation(rows: Floats, owner: Ints, count: int) -> tuple[Floats, Floats]:
    """Mean and standard deviation of the known values of rows [n, C], [count, C] each."""
    is_known = ~np.isnan(rows)
    known = _sum_by_series(is_known, owner, count)
    known = np.maximum(known, 1)
    total = _sum_by_series(np.nan_to_num(rows), owner, count)
    mean = total / known

    # In a second pass: the mean of squares less the square of the mean would lose digits.
    distance = rows - mean[owner]
    distance = np.nan_to_num(distance)
    squares = distance**2
    total = _sum_by_series(squares, owner, count)
    variance = total / known
    return mean, np.sqrt(variance)


class _Moments(NamedTuple):
    """Weighted sums over the rows of each series and fold, which are all that regression needs.

    xx: [N, K, C, C], products among covariates. xy: [N, K, C], products with the series. yy: [N,
    K], squares of the series. weight: [N, K].
    """

    xx: Floats
    xy: Floats
    yy: Floats
    weight: Floats

    def over_all_folds(self) -> "_Moments":
        """Summed over the folds, [N, 1, ...]."""
        totals = [part.sum(1, keepdims=True) for part in self]
        return _Moments._make(totals)

    def without_each_fold(self) -> "_Moments":
        """For each fold the sum of the others."""
        pairs = zip(self.over_all_folds(), self, strict=True)
        return _Moments._make(total - part for total, part in pairs)


def _sum_moments(
    steps: StepArrays, table: Floats, ends: Ints, units: CovariateUnits, effect: Floats
) -> _Moments:
    """Sum the moments of all rows, weighted by how well the effects [N, C] so far explain them."""
    n, c = units.mean.shape
    lag = steps.seasons.main
    n_rows = np.maximum(ends - lag, 0)

    slots = np.arange(n)
    if n * c * c > _MAX_MATRIX_CELLS:
        # Effects of single series would take too much memory: all series share one.
        slots = np.zeros(n, np.int64)
    n_slots = int(slots[-1]) + 1
    moments = _no_moments(n_slots, c)

    for series, t in _iter_blocks(n_rows, c):
        slot = slots[series]
        length = n_rows[series, None]
        inside = t < length
        # The first row stands in where there is none, and gets no weight.
        at = t + lag
        at = np.where(inside, at, lag)
        x, y, known = _seasonal_differences(steps, table, series, at, units)

        # Huber's weights: 1 up to an error of one scale, then falling as 1 / error.
        effect_of_each = effect[slot, :, None]
        explained = x @ effect_of_each
        residual = y - explained[..., 0]
        error = np.maximum(1.0, np.abs(residual))
        usable = known & inside
        weight = usable / error

        # Folds are stretches of time, since neighbouring steps are alike.
        divisor = np.maximum(length, 1)
        fold = t * N_FOLDS // divisor
        for k in range(N_FOLDS):
            in_fold = fold == k
            weight_in_fold = weight * in_fold
            sums = _weighted_moments(x, y, weight_in_fold)
            pairs = zip(moments, sums, strict=True)
            for total, part in pairs:
                # Series that share a slot are added up.
                np.add.at(total[:, k], slot, part)
    return moments


def _no_moments(n: int, c: int) -> _Moments:
    """Sums over no rows."""
    return _Moments(
        xx=np.zeros((n, N_FOLDS, c, c)),
        xy=np.zeros((n, N_FOLDS, c)),
        yy=np.zeros((n, N_FOLDS)),
        weight=np.zeros((n, N_FOLDS)),
    )


def _iter_blocks(n_rows: Ints, covariates: int) -> Iterator[tuple[Ints, Ints]]:
    """Yield series of similar length and a stretch of their rows that memory has room for."""
    for series, width in group_by_length(n_rows):
        # A row holds its covariates and the value of the series.
        cells_a_row = len(series) * (covariates + 1)
        most = max(1, _MAX_MATRIX_CELLS // cells_a_row)

        for begin in range(0, width, most):
            end = min(begin + most, width)
            rows = np.arange(begin, end)
            yield series, rows


def _weighted_moments(x: Floats, y: Floats, weight: Floats) -> _Moments:
    """Moments of rows x [n, T, C], y and weight [n, T], summed over T; no axis of folds."""
    weighted_x = x * weight[..., None]
    weighted_x = np.swapaxes(weighted_x, 1, 2)  # (n, C, T)

    column = y[..., None]
    xy = weighted_x @ column
    yy = weight * y * y
    return _Moments(
        xx=weighted_x @ x,
        xy=xy[..., 0],
        yy=yy.sum(1),
        weight=weight.sum(1),
    )


def _seasonal_differences(
    steps: StepArrays, table: Floats, series: Ints, t: Ints, units: CovariateUnits
) -> tuple[Floats, Floats, Bools]:
    """Seasonal differences of covariates [n, T, C] and of series [n, T], and where both are known.

    t: [n, T], the steps. Both are in scales, so that a volatile time of a series does not outvote
    a calm one.
    """
    # Rows of the steps and of those one season before, kept within the table.
    first = steps.offsets[series, None]
    last_row = len(steps.z) - 1
    at = np.minimum(first + t, last_row)
    season = steps.seasons.main
    back = np.maximum(at - season, 0)

    observed = steps.observed
    is_known_now = observed[at]
    is_known_before = observed[back]
    known = is_known_now & is_known_before

    z = steps.z
    scale = steps.scale[at]
    y = z[at] - z[back]
    y /= scale
    # One wild step must not decide the fit: it is cut as the features of the network are.
    y = y.clip(-FEATURE_CLIP, FEATURE_CLIP)

    # A covariate that never changes explains nothing: its differences become 0.
    deviation = units.deviation[series]
    divisor = positive_or(deviation, np.inf)
    change = table[at] - table[back]
    change = np.nan_to_num(change)
    change /= divisor[:, None]

    # In scales of the step as well, like the series.
    usual_scale = units.scale[series, None]
    relative_scale = usual_scale / scale
    x = change * relative_scale[..., None]
    return x, y, known


def _solve_effects(
    moments: _Moments, pooling: float, shrinkage: float
) -> tuple[Floats, Floats]:
    """Effects in each series [N, K, C] and in all [K, C]; without the axis K where it is 1."""
    xx, xy, _, weight = moments

    # The ridge of a covariate is in units of its own mean square, so that strengths count in steps.
    total = weight.sum(0)
    total = np.maximum(total, _MIN_WEIGHT)
    sum_of_squares = np.einsum("nkcc->kc", xx)
    mean_square = sum_of_squares / total[:, None]
    mean_square = positive_or(mean_square, 1.0)
    n_covariates = xx.shape[-1]
    identity = np.eye(n_covariates)
    ridge = mean_square[..., None] * identity

    common_xx = xx.sum(0)
    common_xy = xy.sum(0)
    usual = _solve_ridge(common_xx, ridge, common_xy, shrinkage)

    # Infinite pooling: no series has an effect of its own.
    effect = np.broadcast_to(usual, xy.shape)
    if np.isfinite(pooling):
        # Ridge regression towards `usual`: as if `pooling` more steps showed exactly that effect.
        step_like_usual = ridge @ usual[..., None]
        towards_usual = pooling * step_like_usual[..., 0]
        pooled_xy = xy + towards_usual
        ridge_of_each = ridge[None]
        effect = _solve_ridge(xx, ridge_of_each, pooled_xy, pooling)

    if xx.shape[1] == 1:
        return effect[:, 0], usual[0]
    return effect, usual


def _solve_ridge(xx: Floats, ridge: Floats, xy: Floats, strength: float) -> Floats:
    """Solve (xx + strength * ridge) b = xy for b [..., C]; 0 for an infinite strength."""
    if np.isinf(strength):
        return np.zeros_like(xy)

    penalized = xx + strength * ridge
    column = xy[..., None]
    b = np.linalg.solve(penalized, column)
    return np.asarray(b[..., 0])


def _choose_strengths(moments: _Moments) -> tuple[float, float] | None:
    """Strengths of pooling and shrinkage that explain most out of sample; None for no effect."""
    training = moments.without_each_fold()

    # No effect is the choice that others have to beat, clearly.
    n_rows = max(moments.weight.sum(), 1.0)
    share_of_steps = MIN_GAIN_STEPS / n_rows
    least_share = MIN_GAIN_SHARE + share_of_steps
    best_gain = least_share * moments.yy.sum()
    best: tuple[float, float] | None = None

    # One series alone has nothing to be drawn to.
    is_single = len(moments.yy) == 1
    poolings = POOLING_STRENGTHS[-1:] if is_single else POOLING_STRENGTHS

    for pooling, shrinkage in product(poolings, SHRINKAGE_STRENGTHS):
        effect, _ = _solve_effects(training, pooling, shrinkage)
        gain = _squared_error_saved(moments, effect)
        if gain > best_gain:
            best_gain = gain
            best = (pooling, shrinkage)

    return best


def _squared_error_saved(moments: _Moments, effect: Floats) -> float:
    """Sum of y^2 - (y - x b)^2 = 2 b xy - b xx b, where b is the effect [N, K, C] of each fold."""
    b_xy = 2 * effect * moments.xy

    # The product of a matrix and a column, for each fold of each series.
    column = effect[..., None]
    xx_b = moments.xx @ column
    b_xx_b = effect * xx_b[..., 0]
    saved = b_xy - b_xx_b
    return float(saved.sum())


def _sum_by_series(rows: NDArray[Any], owner: Ints, count: int) -> Floats:
    """Sum of the rows [n, C] of each series, [count, C]."""
    columns = rows.T.astype(np.float64)
    sums = [np.bincount(owner, column, count) for column in columns]
    return np.stack(sums, 1)
