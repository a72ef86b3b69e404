"""The simple method that a forecast falls back on: chosen by its errors, with their intervals.

Knows panels and baselines, no networks.

Axes: N series, K windows, E earlier windows, H horizon, S simple methods, Q quantiles.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lstmcast.features.steps import Seasons
from lstmcast.forecasting.quantiles import (
    fit_error_quantiles,
    interpolate_quantiles,
    round_count_quantiles,
)
from lstmcast.ragged import Bools, Floats, Ints, choose_evenly
from lstmcast.scoring.baselines import (
    SECOND_SEASON_SUFFIX,
    forecast_baseline,
    forecast_baselines,
    mean_change,
)
from lstmcast.scoring.verdict import actuals_after_origins

if TYPE_CHECKING:
    from lstmcast.forecasting.predictor import Predictor
    from lstmcast.panel.panel import Panel

METHOD_DESCRIPTIONS = {
    "naive": "repeating the last value",
    "seasonal_naive": "repeating the last season",
    "seasonal_naive_2": "repeating the last long season",
    "drift": "extending the line from the first to the last value",
    "mean": "the mean of all values so far",
    "median": "the median of all values so far",
    "seasonal_mean": "the mean of the last four seasons",
    "seasonal_mean_2": "the mean of the last four long seasons",
}
"""What each simple method is called in sentences."""
MAX_EARLIER_STEPS = 250_000
"""Steps of the horizons of all earlier windows together, at most."""
MAX_EVIDENCE_SERIES = 25
"""Series beyond which evidence gets no sharper: their errors share the times that they are from."""
MIN_INDEPENDENT_WINDOWS = 3
"""Windows without overlap from which on a tie is the simple method's."""
TIE_ERRORS = 0.2
"""By how many standard errors the ensemble must beat the best simple method to be preferred to it.

Chosen on the last horizon inside the training parts of M1, M3 and tourism, on long daily and hourly
series, and on invented series of other kinds and seeds than those of the tests."""
FEW_WINDOWS_ERRORS = 0.5
"""By how many standard errors a simple method must be better with fewer windows than
`MIN_INDEPENDENT_WINDOWS`, which are next to no evidence. Chosen as `TIE_ERRORS`."""
BLIND_ERRORS = 2.0
"""By how many standard errors a method must be better that knows of no covariates: windows without
a holiday or a promotion say nothing of those to come."""
_PRIOR_ERROR = 0.15
"""Standard deviation, as a share of the error, that differences of two forecasts usually have in a
window of one horizon."""
_PRIOR_WINDOWS = 3
"""Windows that this prior counts as."""
_FEW_WINDOWS = 6
"""Windows up to which intervals are wider by up to 30 %, as those of the ensemble are."""


class SimpleForecasts(NamedTuple):
    """What simple methods forecast for validation windows, and how far off they were before these.

    names: of the S methods. forecasts: [K, H, S]. origins: [K]. unit: what errors are measured in
    for intervals, known at each origin, [K]. earlier: errors of windows that end before those
    begin, actual less forecast, [E, H, S], with the series, origin and unit of each, [E].
    are_blind: whether the network reads covariates, of which simple methods know nothing.
    """

    names: tuple[str, ...]
    forecasts: Floats
    origins: Ints
    unit: Floats
    earlier: Floats
    earlier_series: Ints
    earlier_origins: Ints
    earlier_unit: Floats
    are_blind: bool = False

    def select(self, mask: Bools) -> "SimpleForecasts":
        """Return only the validation windows of a mask [K]; the earlier ones stay."""
        return self._replace(
            forecasts=self.forecasts[mask],
            origins=self.origins[mask],
            unit=self.unit[mask],
        )


def forecast_simple_methods(
    panel: "Panel",
    series: Ints,
    origins: Ints,
    ends: Ints,
    horizon: int,
    seasons: Seasons,
    memory: int,
    *,
    are_blind: bool = False,
) -> SimpleForecasts:
    """Forecast validation windows [K] of a panel by all simple methods, and earlier windows too.

    ends: [N], steps of each series before its validation windows; the earlier windows lie within
    them. memory: newest steps that a method looks back on. are_blind: see `SimpleForecasts`.
    """
    values, offsets = panel.values, panel.offsets
    where = values, offsets, series, origins
    by_name = forecast_baselines(*where, horizon, seasons, memory)
    forecasts = np.stack(list(by_name.values()), -1)

    # The same in windows before, whose outcome is known.
    early_series, early_origins = _choose_earlier_windows(ends, horizon, seasons)
    early = values, offsets, early_series, early_origins
    early_by_name = forecast_baselines(*early, horizon, seasons, memory)
    early_forecasts = np.stack(list(early_by_name.values()), -1)
    actual = actuals_after_origins(panel, early_series, early_origins, horizon)
    return SimpleForecasts(
        names=tuple(by_name),
        forecasts=forecasts,
        origins=origins,
        unit=mean_change(*where, memory),
        earlier=actual[..., None] - early_forecasts,
        earlier_series=early_series,
        earlier_origins=early_origins,
        earlier_unit=mean_change(*early, memory),
        are_blind=are_blind,
    )


def _choose_earlier_windows(
    ends: Ints, horizon: int, seasons: Seasons
) -> tuple[Ints, Ints]:
    """Choose windows within the first `ends` [N] steps of each series: series and origins, [E]."""
    # Windows of few steps are little evidence each, and cost little.
    most = max(24, 200 // horizon)
    fair_share = 200 // len(ends)
    per_series = int(np.clip(fair_share, 4, most))
    shares = np.linspace(0, 1, per_series)

    # What lies before the first of them is to look back on: a season at least, also the long one
    # where that leaves half of the steps, or its methods would be judged by what stands in for it.
    fits_long = seasons.second <= ends // 2
    long = max(seasons.main, seasons.second, 2)
    short = max(seasons.main, 2)
    season = np.where(fits_long, long, short)
    first = np.maximum(ends // 4, season)
    last = ends - 1 - horizon

    # Spread evenly between the first origin and the last.
    room = np.maximum(last - first, 0)
    beyond_first = room[:, None] * shares
    spread_out = np.round(first[:, None] + beyond_first)
    origins = spread_out.astype(np.int64)

    # Where room is scarce, several of them fall on the same step.
    moves_on = np.diff(origins, axis=1, prepend=-1) > 0
    has_room = last >= first
    distinct = moves_on & has_room[:, None]
    series, _ = np.nonzero(distinct)

    # Of too many, a part that is spread over all series.
    most_windows = max(MAX_EARLIER_STEPS // horizon, 1)
    chosen = choose_evenly(len(series), most_windows)
    distinct_origins = origins[distinct]
    return series[chosen], distinct_origins[chosen]


def rank_methods(
    losses: Floats, n_windows: int, earlier: Floats, n_earlier: int
) -> Ints:
    """Order the methods [S] by their loss in validation and earlier windows, the best first.

    losses, earlier: [S] each, means over windows; n_windows, n_earlier: how many without overlap.
    """
    total = losses * n_windows
    # Without earlier windows their means are of nothing.
    if n_earlier:
        total = total + earlier * n_earlier
    return np.argsort(total, kind="stable")


def count_blocks(series: Ints, origins: Ints, horizon: int) -> tuple[Ints, int]:
    """Number the stretches of one horizon that windows [K] lie in: of each window, and how many.

    Windows of one stretch overlap, and are no more evidence than one.
    """
    distinct, number = np.unique(series, return_inverse=True)

    # The first origin of each series is where its first stretch begins.
    latest = np.iinfo(np.int64).max
    first = np.full(len(distinct), latest)
    np.minimum.at(first, number, origins)
    begin = first[number]
    since_first = origins - begin
    stretch = since_first // horizon

    # One number for series and stretch, then without gaps.
    most = int(stretch.max(initial=0)) + 1
    combined = number * most + stretch
    blocks, block = np.unique(combined, return_inverse=True)
    return block, len(blocks)


def is_simple_preferred(
    gain_by_window: Floats,
    loss: float,
    blocks: Ints,
    n_series: int,
    *,
    are_blind: bool = False,
) -> bool:
    """Whether a simple method takes the place of the ensemble, by the evidence of the windows.

    gain_by_window: [K], how much less its error was in each, adding up to what its loss is below
    `loss`, that of the ensemble. blocks: [K], see `count_blocks`. are_blind: see `SimpleForecasts`.
    """
    if loss <= 0:
        # The ensemble is without error, and so has to be the other one.
        return bool(gain_by_window.sum() >= 0)

    # Windows that overlap err alike: their gains are one piece of evidence.
    gains = np.bincount(blocks, gain_by_window)
    count = len(gains)
    variance = 0.0
    if count > 1:
        variance = count * gains.var(ddof=1)

    # With few windows their own variance says little; the usual one takes part.
    usual = (_PRIOR_ERROR * loss) ** 2 / count
    known = variance * (count - 1) + usual * _PRIOR_WINDOWS
    variance = known / (count - 1 + _PRIOR_WINDOWS)

    # The errors of many series share the times that they are from.
    sharing = max(n_series / MAX_EVIDENCE_SERIES, 1.0)
    error = np.sqrt(variance * sharing)
    enough = count >= MIN_INDEPENDENT_WINDOWS
    limit = -TIE_ERRORS if enough else FEW_WINDOWS_ERRORS
    if are_blind:
        limit = BLIND_ERRORS
    return bool(gains.sum() > limit * error)


def fit_spread(simple: SimpleForecasts, method: int, actual: Floats) -> Floats:
    """Fit the quantiles [H, Q] of a method's errors, in units, on validation and earlier windows.

    actual: [K, H], what was observed in the validation windows.
    """
    forecasts = simple.forecasts[..., method]
    later_errors = actual - forecasts
    earlier_errors = simple.earlier[..., method]
    errors = np.concatenate([earlier_errors, later_errors])
    unit = np.concatenate([simple.earlier_unit, simple.unit])

    # Where nothing ever changed, errors have no size: such windows take no part.
    has_size = unit > 0
    unit = np.where(has_size, unit, np.nan)
    relative = errors / unit[:, None]

    # Few errors hardly show the largest that there can be.
    n_windows = len(relative)
    fewness = min(1.0, _FEW_WINDOWS / n_windows)
    caution = 1 + 0.3 * fewness**2
    return caution * fit_error_quantiles(relative)


def add_spread(centre: Floats, unit: Floats, spread: Floats) -> Floats:
    """Return quantiles [K, H, Q] around points [K, H], from a spread [H, Q] in units [K]."""
    distance = unit[:, None, None] * spread
    quantiles = centre[..., None] + distance
    return np.asarray(quantiles)


def lengthen_spread(
    spread: Floats, method: str, horizon: int, seasons: Seasons
) -> Floats:
    """Cut or lengthen a spread [H, Q] to another horizon, wider from step to step.

    As the errors of a random walk grow, by step for the last value and by cycle for a season; those
    of a level stay as they are.
    """
    known = len(spread)
    if horizon <= known:
        return spread[:horizon]

    # Steps of one move of the random walk: within a season the spread stays as it is, since all of
    # its steps are forecast from the same one before.
    steps = 1
    if method.startswith("seasonal"):
        is_second = method.endswith(SECOND_SEASON_SUFFIX)
        steps = seasons[int(is_second)]

    # The variance grows with the moves, the spread with their root.
    h = np.arange(known + 1, horizon + 1)
    moves = np.ceil(h / steps)
    known_moves = np.ceil(known / steps)
    growth = np.sqrt(moves / known_moves)
    if method in ("mean", "median"):
        growth = np.ones(len(h))

    last = spread[-1]
    later = growth[:, None] * last
    return np.concatenate([spread, later])


def least_probability(windows: int) -> float:
    """Return how likely at least an event is of which so many held-out windows showed none.

    Laplace's rule of succession: nothing is certain, however often it was so.
    """
    return 1 / (windows + 2)


def forecast_by_method(
    run: "Predictor",
    panel: "Panel",
    series: Ints,
    origins: Ints,
    horizon: int,
    levels: Floats,
) -> Floats:
    """Forecast quantiles [K, H, Q] of windows by the simple method that a run's forecast is.

    As `Predictor.quantiles`, for any horizon. NaN where nothing was observed up to an origin.
    """
    combination = run.combination
    method = combination.method
    spread = combination.spread
    assert spread is not None  # as in every combination with a method

    seasons = run.scaling.seasons
    where = panel.values, panel.offsets, series, origins
    centre = forecast_baseline(method, *where, horizon, seasons, run.memory)
    if run.probability:
        # A probability has no interval: all of its quantiles are the probability.
        shape = (*centre.shape, len(levels))
        probability = np.broadcast_to(centre[..., None], shape)
        chance = least_probability(combination.windows)
        return probability.clip(chance, 1 - chance)

    unit = mean_change(*where, run.memory)
    wide = lengthen_spread(spread, method, horizon, seasons)
    at_known_levels = add_spread(centre, unit, wide)
    quantiles = interpolate_quantiles(at_known_levels, levels)

    # A series that was never negative is not forecast to be. Of a new one, only what lies before
    # its earliest window is looked at.
    trained = panel.align(run.panel)
    ends = panel.lengths.copy()
    np.minimum.at(ends, series, origins + 1)
    scaler = run.scaling.scaler_for_panel(panel, trained, ends)
    low = scaler.low[series]
    quantiles = np.maximum(quantiles, low[:, None, None])
    return round_count_quantiles(quantiles, run.config.train.loss)
