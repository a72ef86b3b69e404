"""Forecasts from past cutoffs, scored on the values observed after them.

`backtest` fits for the purpose, `evaluate` takes a fitted forecaster, and `score` a table of
forecasts. Knows neither how a forecast is made nor how a score is shown.

Axes: N series, K windows, H horizon, Q quantiles. A window is a series and an origin, the index of
the last step that its forecast may know; a fold is the windows that are forecast by one fit.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from lstmcast.compute.jobs import run_followed_jobs
from lstmcast.compute.progress import Event, OnEvent
from lstmcast.compute.seeds import with_derived_seed
from lstmcast.config import NETWORK_QUANTILES, Config
from lstmcast.errors import DataError, suggest_similar
from lstmcast.evaluation.cutoffs import (
    ForecastWindows,
    choose_backtest_windows,
    choose_evaluation_windows,
    find_training_ends,
    fold_ends,
    keep_latest_windows,
    require_positive_option,
    require_whole_windows,
)
from lstmcast.evaluation.result import Result as Result
from lstmcast.evaluation.rivals import find_rival_season, require_rival_of_fit
from lstmcast.features.preprocessing import resolve_horizon
from lstmcast.features.steps import Seasons
from lstmcast.forecasting.predictor import Predictor
from lstmcast.panel.categories import drop_unseen_categories, with_columns_of
from lstmcast.panel.extend import with_training_history
from lstmcast.panel.forecast_table import (
    find_point_column,
    find_quantile_columns,
    match_series,
)
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Bools, Floats, Ints
from lstmcast.scoring.theta import require_rival
from lstmcast.scoring.verdict import (
    Verdict,
    actuals_after_origins,
    first_origins,
    score_forecasts,
)

_DEFAULT_CONFIG = Config()


class _Forecasts(NamedTuple):
    """Medians [K, H] and quantiles [K, H, Q] at levels [Q], and the seasons of the last fit."""

    point: Floats
    quantiles: Floats
    levels: Floats
    seasons: Seasons

    @classmethod
    def of(cls, quantiles: Floats, levels: Floats, seasons: Seasons) -> "_Forecasts":
        """Split off the median, the last of the quantiles [K, H, Q + 1]."""
        return cls(quantiles[..., -1], quantiles[..., :-1], levels, seasons)

    @property
    def horizon(self) -> int:
        return int(self.quantiles.shape[1])

    def select(self, mask: Bools) -> "_Forecasts":
        """Return only the windows of a mask [K]."""
        return self._replace(point=self.point[mask], quantiles=self.quantiles[mask])


def backtest(
    panel: Panel,
    config: Config = _DEFAULT_CONFIG,
    *,
    windows: int = 3,
    step: int | None = None,
    refit: bool = True,
    expanding: bool = True,
    jobs: int = 1,
    quantiles: Sequence[float] = NETWORK_QUANTILES,
    against: str = "",
    on_event: OnEvent | None = None,
) -> Result:
    """Score a configuration on the last `windows` horizons of every series.

    Cutoffs count back from each series' own end (rolling origins: Tashman 2000). Nothing after the
    cutoffs of a fold is used to fit it, nor to forecast from it.

    Args:
        panel: all data; left as it is.
        config: what to fit; each fold's seed derives from its seed and the fold's number. A
            horizon left out is that of a fit of all of `panel`.
        windows: cutoffs per series, as far as a series is long enough.
        step: steps from one cutoff to the next (default: the horizon).
        refit: fit anew at every cutoff, or once before the first one and forecast from all.
        expanding: fit to all history, or (rolling) to no more steps than the first fold has.
        jobs: folds at a time, each in a process of its own with one thread. Any number gives the
            same result, to the bit.
        quantiles: levels of the forecasts.
        against: the simple method that the verdict compares with (default: the best).
        on_event: called as folds begin, go on and end.

    Raises:
        DataError: no series is long enough.
        UsageError: a number is out of range, or there is no such method.
        ResourceError: a worker process was lost.
    """
    _require_free_names(panel)
    # Resolved once, so that all folds forecast the same steps.
    horizon = resolve_horizon(panel, config)
    window = replace(config.window, horizon=horizon)
    config = replace(config, window=window)
    chosen = choose_backtest_windows(
        panel,
        horizon,
        require_positive_option("windows", windows),
        require_positive_option("step", horizon if step is None else step),
    )
    levels = np.array(sorted(quantiles))
    # Known before the first fit; the verdict has the seasons of the last one.
    last_fold = int(chosen.fold.max()) if refit else 0
    ends = fold_ends(panel, chosen, last_fold)
    max_steps = None if expanding or not refit else _count_first_steps(panel, chosen)
    if against:
        require_rival_of_fit(against, _cut_past(panel, ends, max_steps), config)
    if refit:
        forecasts = _forecast_with_refits(
            panel,
            config,
            chosen,
            levels,
            max_steps,
            jobs=jobs,
            on_event=on_event,
        )
    else:
        forecasts = _forecast_with_one_fit(panel, config, chosen, levels, on_event)
    return _make_result(panel, chosen, forecasts, config, against=against)


def evaluate(
    forecaster: Predictor,
    panel: Panel,
    *,
    windows: int | None = None,
    step: int | None = None,
    horizon: int | None = None,
    quantiles: Sequence[float] = NETWORK_QUANTILES,
    against: str = "",
) -> Result:
    """Score a fitted forecaster on rows newer than those it was trained on, without a new fit.

    The first cutoff of a series is the end of its training; the others follow while a whole horizon
    of rows is left. Fewer new rows than a horizon make one window. A series that was not trained on
    starts where training ended for the others.

    Args:
        forecaster: what to score.
        panel: new rows, with or without the history before them; where it is not there, the history
            that the run keeps goes before them.
        windows: only the newest so many windows of each series (default: all).
        step: steps from one cutoff to the next (default: the horizon).
        horizon: steps to forecast (default: the trained horizon).
        quantiles: levels of the forecasts.
        against: the simple method that the verdict compares with (default: the best).

    Raises:
        DataError: no series has a row after the training cutoff, or one has none before it to
            forecast from.
        UsageError: a number is out of range, or there is no such method.
    """
    _require_free_names(panel)
    panel = with_training_history(
        panel, forecaster.panel, forecaster.context, since=True
    )
    if horizon is None:
        horizon = forecaster.horizon
    else:
        require_positive_option("horizon", horizon)
    seasons = forecaster.scaling.seasons
    require_rival(against, seasons[:2], probability=forecaster.probability)
    cutoff = find_training_ends(forecaster, panel)
    chosen = choose_evaluation_windows(
        panel,
        cutoff,
        horizon,
        require_positive_option("step", horizon if step is None else step),
    )
    if windows is not None:
        chosen = keep_latest_windows(
            chosen, require_positive_option("windows", windows)
        )
    where = panel, chosen.series, chosen.origins, horizon
    levels = np.array(sorted(quantiles))
    at_levels = forecaster.quantiles(*where, _and_median(levels))
    forecasts = _Forecasts.of(at_levels, levels, seasons)
    # What was trained on is the in-sample part that errors are scaled by.
    ends = cutoff + 1
    result = _make_result(
        panel, chosen, forecasts, forecaster.config, ends, against=against
    )
    result.verdict.model.update(forecaster.likelihood(*where))
    return result


def score(
    forecasts: pd.DataFrame, panel: Panel, *, season: int | None = None
) -> Verdict:
    """Score a table of forecasts, from lstmcast or elsewhere, against what `panel` holds.

    Args:
        forecasts: one row per series and step: the panel's series columns and time column,
            `forecast` (or, of 0/1 targets, `probability`), quantiles as `q10`, `q90` ... where
            there are any, and `cutoff` where there is more than one origin a series. Every window
            must be whole: all steps from the first after its cutoff, as many in each.
        panel: history and actual values.
        season: steps of the season (default: that of the panel's frequency).

    Raises:
        DataError: a column is missing, a series is unknown, or a window is not whole.
    """
    columns = find_quantile_columns(forecasts)
    point_column = find_point_column(forecasts)
    axis = panel.axis
    _require_columns(forecasts, [*panel.key_names, axis.name, point_column])

    # Each row as its series, its step there and its origin.
    series = match_series(forecasts, panel)
    start = panel.start[series]
    steps = axis.ordinals(forecasts[axis.name]) - start
    if "cutoff" in forecasts:
        origins = axis.ordinals(forecasts["cutoff"]) - start
    else:  # one window a series, which begins at the earliest of its rows
        origins = first_origins(panel, series, steps)[series] - 1

    # Sorted rows are windows of as many steps each, which is checked, one after the other.
    order = np.lexsort((steps, origins, series))
    series = series[order]
    origins = origins[order]
    ahead = steps[order] - origins
    horizon = int(ahead.max(initial=1))
    require_whole_windows(panel, series, origins, ahead, horizon)
    quantiles = forecasts[list(columns.values())]
    table = quantiles.to_numpy(np.float64)[order]
    season = season or axis.season
    return score_forecasts(
        panel,
        series[::horizon],
        origins[::horizon],
        table.reshape(-1, horizon, len(columns)),
        np.array(list(columns)),
        season,
        second_season=find_rival_season(panel, season),
        by_series=True,
        probability=point_column == "probability",
    )


def _forecast_with_one_fit(
    panel: Panel,
    config: Config,
    chosen: ForecastWindows,
    levels: Floats,
    on_event: OnEvent | None,
) -> _Forecasts:
    """Forecast all windows by one fit to what is before the first cutoffs."""
    # Training needs torch, which `evaluate` need not load.
    from lstmcast.training.forecaster import Forecaster

    past = _cut_past(panel, fold_ends(panel, chosen, 0), None)
    forecaster = Forecaster(config).fit_part(past, on_event=on_event)
    panel = with_columns_of(panel, past)
    quantiles = forecaster.quantiles(
        panel,
        chosen.series,
        chosen.origins,
        config.window.horizon,
        _and_median(levels),
    )
    return _Forecasts.of(quantiles, levels, forecaster.scaling.seasons)


def _and_median(levels: Floats) -> Floats:
    """Return the levels and behind them that of the median, which is the point forecast."""
    return np.append(levels, 0.5)


def _forecast_with_refits(
    panel: Panel,
    config: Config,
    chosen: ForecastWindows,
    levels: Floats,
    max_steps: int | None,
    *,
    jobs: int,
    on_event: OnEvent | None,
) -> _Forecasts:
    """Forecast each fold by a fit of its own to at most `max_steps`, several folds at a time."""
    folds = int(chosen.fold.max()) + 1
    jobs = min(require_positive_option("jobs", jobs), folds)
    horizon = resolve_horizon(panel, config)  # the configured one by now
    n_windows = len(chosen.series)
    point = np.empty((n_windows, horizon))
    quantiles = np.empty((n_windows, horizon, len(levels)))
    seasons = Seasons(1, 0)
    tasks = (
        (
            fold_ends(panel, chosen, fold),
            max_steps,
            _with_fold_seed(config, fold),
            levels,
        )
        for fold in range(folds)
    )
    begin = Event("backtest", f"{folds} cutoffs", total=folds)
    results = run_followed_jobs(
        _backtest_fold, tasks, jobs, on_event, begin, shared=(panel,)
    )
    for fold, forecasts in enumerate(results):
        in_fold = chosen.fold == fold
        point[in_fold] = forecasts.point
        quantiles[in_fold] = forecasts.quantiles
        seasons = forecasts.seasons
    return _Forecasts(point, quantiles, levels, seasons)


def _count_first_steps(panel: Panel, chosen: ForecastWindows) -> int:
    """Return the steps of the longest series in the first fold."""
    return int(fold_ends(panel, chosen, 0).max())


def _cut_past(panel: Panel, ends: Ints, max_steps: int | None) -> Panel:
    """Return what a fold may know: `ends` [N] steps of each series, the newest `max_steps`."""
    past = panel.head(ends)
    if max_steps is not None:
        past = past.tail(max_steps)
    return drop_unseen_categories(past)


def _with_fold_seed(config: Config, fold: int) -> Config:
    """Return the configuration of a fold: a seed of its own, and no jobs within its job."""
    seeded = with_derived_seed(config, fold)
    train = replace(seeded.train, jobs=1)
    return replace(seeded, train=train)


def _backtest_fold(
    panel: Panel,
    ends: Ints,
    max_steps: int | None,
    config: Config,
    levels: Floats,
    on_event: OnEvent,
) -> _Forecasts:
    """Fit one fold and forecast from its end; the future is cut off before anything else.

    ends: steps of each series that are past, [N]. max_steps: the most of them to fit to, None for
    all.
    """
    from lstmcast.training.forecaster import Forecaster  # needs torch, as above

    past = _cut_past(panel, ends, max_steps)
    forecaster = Forecaster(config).fit_part(past, on_event=on_event)
    series = np.arange(len(past))
    origins = past.lengths - 1
    horizon = config.window.horizon
    with_median = _and_median(levels)
    quantiles = forecaster.quantiles(past, series, origins, horizon, with_median)
    return _Forecasts.of(quantiles, levels, forecaster.scaling.seasons)


def _make_result(
    panel: Panel,
    chosen: ForecastWindows,
    forecasts: _Forecasts,
    config: Config,
    ends: Ints | None = None,
    *,
    against: str = "",
) -> Result:
    """Score all windows and each fold, and lay the forecasts out as a table.

    ends: steps of each series that are in-sample for the scale of errors, see `score_forecasts`.
    """
    probability = config.train.loss == "bernoulli"
    verdict = score_forecasts(
        panel,
        chosen.series,
        chosen.origins,
        forecasts.quantiles,
        forecasts.levels,
        forecasts.seasons.main,
        second_season=forecasts.seasons.second,
        ends=ends,
        point=forecasts.point,
        by_series=True,
        probability=probability,
        against=against,
    )

    # A fold of which nothing was observed has no verdict.
    actual = actuals_after_origins(
        panel, chosen.series, chosen.origins, forecasts.horizon
    )
    observed = ~np.isnan(actual).all(axis=1)
    folds = []
    for fold in np.unique(chosen.fold[observed]):
        in_fold = chosen.fold == fold
        windows = chosen.select(in_fold)
        part = forecasts.select(in_fold)
        fold_verdict = score_forecasts(
            panel,
            windows.series,
            windows.origins,
            part.quantiles,
            part.levels,
            part.seasons.main,
            second_season=part.seasons.second,
            ends=ends,
            point=part.point,
            probability=probability,
            against=against,
        )
        folds.append(fold_verdict)
    at_all_levels = [forecasts.quantiles, forecasts.point[..., None]]
    frame = make_forecast_frame(
        panel,
        chosen,
        np.concatenate(at_all_levels, -1),
        forecasts.levels.tolist(),
        probability=verdict.of_events,
    )
    return Result(verdict, tuple(folds), frame)


def make_forecast_frame(
    panel: Panel,
    chosen: ForecastWindows,
    quantiles: Floats,
    levels: Sequence[float],
    *,
    probability: bool,
) -> pd.DataFrame:
    """Return the forecast table of windows, with their cutoffs and actual values.

    quantiles: [K, H, Q + 1], those at `levels` [Q] and behind them the median.
    """
    horizon = quantiles.shape[1]
    frame = panel.forecast_frame(
        chosen.series,
        chosen.origins,
        quantiles,
        [*levels, 0.5],
        probability=probability,
        shown=levels,
    )
    # One cutoff a window, repeated for each of its rows.
    cutoffs = panel.start[chosen.series] + chosen.origins
    stamps = panel.axis.stamps(np.repeat(cutoffs, horizon))
    actual = actuals_after_origins(panel, chosen.series, chosen.origins, horizon)
    n_keys = len(panel.key_names)
    frame.insert(n_keys, "cutoff", stamps)
    frame.insert(n_keys + 2, "actual", actual.ravel())  # behind the time column
    return frame


def _require_free_names(panel: Panel) -> None:
    """Raise DataError where a column of the panel has a name that the result needs."""
    taken = {*panel.key_names, panel.axis.name}
    for name in sorted(taken & {"cutoff", "actual"}):
        raise DataError(
            f"the table of forecasts has a column {name!r} of its own",
            "rename that column of the data",
        )


def _require_columns(forecasts: pd.DataFrame, names: Sequence[str]) -> None:
    """Raise DataError for a column that a table of forecasts lacks."""
    for name in names:
        if name not in forecasts:
            raise DataError(
                f"the forecasts have no column {name!r}",
                suggest_similar(name, map(str, forecasts)),
            )
