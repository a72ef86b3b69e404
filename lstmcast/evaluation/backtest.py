"""Forecasts from past cutoffs, scored on what came after: `backtest`, `evaluate` (one without refit) and `score`.

Axes: `N` series, `K` windows, `H` horizon, `Q` quantiles. A window is a series and an origin, the
last step that its forecast may know. Knows how to cut history and compare, not how a forecast is
made nor how a score is shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd

from lstmcast.compute.jobs import run_jobs
from lstmcast.compute.progress import Event, OnEvent
from lstmcast.compute.seeds import with_derived_seed
from lstmcast.config import NETWORK_QUANTILES, Config
from lstmcast.errors import DataError, UsageError, format_more, suggest_similar
from lstmcast.forecasting.predictor import Predictor
from lstmcast.panel.extend import with_training_history
from lstmcast.panel.forecast_table import find_point_column, find_quantile_columns, match_series
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Floats, Ints
from lstmcast.scoring.verdict import Verdict, actuals_after_origins, first_origins, score_forecasts

_DEFAULT_CONFIG = Config()
MIN_HISTORY_STEPS = 2
"""Steps of a series that a cutoff must leave to learn from."""


@dataclass(frozen=True, eq=False)
class Result:
    """What forecasts from past cutoffs were worth.

    forecasts: one row per series, cutoff and step: the series columns, `cutoff` (last stamp known),
    the time column, `actual` (NaN where missing), then the columns of the forecast table. folds:
    one verdict a cutoff, oldest first.
    """

    verdict: Verdict
    folds: tuple[Verdict, ...]
    forecasts: pd.DataFrame


class _ForecastWindows(NamedTuple):
    """Windows, all [K], sorted by series, then origin."""

    series: Ints
    origins: Ints
    fold: Ints


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
    on_event: OnEvent | None = None,
) -> Result:
    """Score a configuration on the last `windows` horizons of every series.

    Cutoffs count back from each series' own end. A fold is learnt from, and forecasts from, nothing
    after its cutoffs.

    Args:
        panel: all data; left as it is.
        config: what to fit; each fold's seed derives from its seed and the fold's number.
        windows: cutoffs per series, as far as a series is long enough.
        step: steps from one cutoff to the next (default: the horizon).
        refit: learn anew at every cutoff, or once before the first one and forecast from all.
        expanding: learn from all history, or (rolling) from no more steps than the first fold has.
        jobs: folds at a time, each in a process of its own with one thread. Any number gives the
            same result, to the bit.
        quantiles: levels of the forecasts.
        on_event: called as folds begin and end.

    Raises:
        DataError: no series is long enough.
        ResourceError: a worker process was lost.
    """
    _require_free_names(panel)
    horizon = config.window.horizon or panel.axis.horizon
    config = replace(config, window=replace(config.window, horizon=horizon))
    chosen = _choose_backtest_windows(
        panel,
        horizon,
        _require_positive_option("windows", windows),
        _require_positive_option("step", horizon if step is None else step),
    )
    levels = np.array(sorted(quantiles))
    if refit:
        made, season = _forecast_with_refits(
            panel, config, chosen, levels, expanding, jobs, on_event
        )
    else:
        from lstmcast.training.forecaster import (
            Forecaster,
        )  # training needs torch, which `evaluate` need not load

        past = panel.head(_fold_ends(panel, chosen, 0))
        forecaster = Forecaster(config).fit_part(past, on_event=on_event)
        made, season = (
            forecaster.quantiles(panel, chosen.series, chosen.origins, horizon, levels),
            forecaster.season,
        )
    return _make_result(panel, chosen, made, levels, season, config)


def evaluate(
    forecaster: Predictor,
    panel: Panel,
    *,
    windows: int | None = None,
    step: int | None = None,
    horizon: int | None = None,
    quantiles: Sequence[float] = NETWORK_QUANTILES,
) -> Result:
    """Score a fitted forecaster on the rows of `panel` that are newer than what it was trained on; nothing is refitted.

    The first cutoff of a series is the end of its training; the others follow `step` by `step`
    (default: the horizon) while a whole horizon of rows is left, the last `windows` of them if
    given. Fewer new rows than a horizon make one window. A series that was not trained on starts
    where training ended for the others. Where `panel` holds new rows only, the history that the run
    keeps goes before them.

    Raises:
        DataError: no series has a row after the training cutoff, or one has none before it to
            forecast from.
    """
    _require_free_names(panel)
    panel = with_training_history(panel, forecaster.panel, forecaster.context, since=True)
    horizon = (
        forecaster.horizon if horizon is None else _require_positive_option("horizon", horizon)
    )
    cutoff = _training_ends(forecaster, panel)
    chosen = _choose_evaluation_windows(
        panel, cutoff, horizon, _require_positive_option("step", horizon if step is None else step)
    )
    if windows is not None:
        chosen = _keep_latest_windows(chosen, _require_positive_option("windows", windows))
    levels = np.array(sorted(quantiles))
    made = forecaster.quantiles(panel, chosen.series, chosen.origins, horizon, levels)
    found = _make_result(
        panel, chosen, made, levels, forecaster.season, forecaster.config, ends=cutoff + 1
    )
    found.verdict.model.update(forecaster.likelihood(panel, chosen.series, chosen.origins, horizon))
    return found


def score(forecasts: pd.DataFrame, panel: Panel, *, season: int | None = None) -> Verdict:
    """Score a table of forecasts, from lstmcast or elsewhere, against what `panel` holds.

    Args:
        forecasts: one row per series and step: the panel's series columns and time column,
            `forecast` (or, of 0/1 targets, `probability`), quantiles as `q10`, `q90` ... where
            there are any, and `cutoff` where there is more than one origin a series. Every window
            must be whole: all steps from the first after its cutoff, as many in each.
        panel: history and actual values.
        season: steps of the season (default: found from the panel's frequency).

    Raises:
        DataError: a column is missing, a series is unknown, or a window is not whole.
    """
    levels = find_quantile_columns(forecasts)
    _require_columns(forecasts, [*panel.key_names, panel.axis.name, find_point_column(forecasts)])
    series = match_series(forecasts, panel)
    at = panel.axis.ordinals(forecasts[panel.axis.name]) - panel.start[series]
    if "cutoff" in forecasts:
        origins = panel.axis.ordinals(forecasts["cutoff"]) - panel.start[series]
    else:
        origins = first_origins(panel, series, at)[series] - 1
    order = np.lexsort((at, origins, series))
    series, origins, ahead = (column[order] for column in (series, origins, at - origins))
    horizon = int(ahead.max(initial=1))
    _require_whole_windows(panel, series, origins, ahead, horizon)
    made = (
        forecasts[list(levels.values())]
        .to_numpy(np.float64)[order]
        .reshape(-1, horizon, len(levels))
    )
    first = slice(None, None, horizon)
    season = season or panel.axis.season
    events = find_point_column(forecasts) == "probability"
    where = panel, series[first], origins[first]
    return score_forecasts(
        *where, made, np.array(list(levels)), season, by_series=True, probability=events
    )


def _choose_backtest_windows(
    panel: Panel, horizon: int, windows: int, step: int
) -> _ForecastWindows:
    """Origins whose horizon ends at each series' end, and `step` by `step` before it."""
    back = np.arange(windows)[::-1]
    origins = (panel.lengths - 1 - horizon)[:, None] - step * back  # (N, windows)
    series, fold = np.nonzero(origins >= MIN_HISTORY_STEPS - 1)
    if not len(series):
        need, have = MIN_HISTORY_STEPS + horizon, int(panel.lengths.max(initial=0))
        raise DataError(
            f"too short for a backtest of {horizon} steps ahead: need {need} steps, the longest series has {have}",
            "give more rows or a shorter --horizon",
        )
    return _ForecastWindows(series, origins[series, fold], fold - fold.min())


def _training_ends(forecaster: Predictor, panel: Panel) -> Ints:
    """Index in each series of `panel` of the last step that the forecaster was trained on, [N]."""
    known = panel.align(forecaster.panel)
    ends = np.where(known >= 0, forecaster.cutoff[known], forecaster.cutoff.max()) - panel.start
    late = np.flatnonzero((known >= 0) & (ends < 0))
    if len(late):
        begins, end = panel.axis.texts(panel.start[late[0]] + np.array([0, ends[late[0]]]))
        raise DataError(
            f"{_format_series_name(panel, late[0])} begins at {begins}, after the end of its training at {end}"
            f"{format_more(len(late), 'series')}",
            "give the history too: forecasts are made from it",
        )
    return np.maximum(ends, MIN_HISTORY_STEPS - 1)


def _choose_evaluation_windows(
    panel: Panel, cutoff: Ints, horizon: int, step: int
) -> _ForecastWindows:
    """Origins from each series' cutoff on while a whole horizon is left; one where only part of a horizon is."""
    newer = panel.lengths - 1 - cutoff
    if not (newer > 0).any():
        have = panel.axis.texts(np.array([int((panel.start + panel.lengths - 1).max())]))[0]
        end = panel.axis.texts(np.array([int((panel.start + cutoff).max())]))[0]
        raise DataError(
            f"nothing newer than what the run was trained on: need rows after {end}, the data ends at {have}",
            "give rows that were not there when the run was fitted",
        )
    count = np.where(newer >= horizon, (newer - horizon) // step + 1, newer > 0)
    series = np.repeat(np.arange(len(panel)), count)
    fold = np.arange(len(series)) - np.repeat(np.cumsum(count) - count, count)
    return _ForecastWindows(series, cutoff[series] + step * fold, fold)


def _keep_latest_windows(chosen: _ForecastWindows, windows: int) -> _ForecastWindows:
    """The last `windows` windows of each series, numbered so that the newest are of one fold."""
    count = np.bincount(chosen.series)[chosen.series]
    kept = chosen.fold >= count - windows
    fold = (windows - count + chosen.fold)[kept]
    return _ForecastWindows(chosen.series[kept], chosen.origins[kept], fold - fold.min())


def _fold_ends(panel: Panel, chosen: _ForecastWindows, fold: int) -> Ints:
    """Steps of each series that may be learnt from in a fold, [N]; 0 for a series without a window in it."""
    ends = np.zeros(len(panel), np.int64)
    here = chosen.fold == fold
    ends[chosen.series[here]] = chosen.origins[here] + 1
    return ends


def _forecast_with_refits(
    panel: Panel,
    config: Config,
    chosen: _ForecastWindows,
    levels: Floats,
    expanding: bool,
    jobs: int,
    on_event: OnEvent | None,
) -> tuple[Floats, int]:
    """Quantiles of all windows, [K, H, Q], each from a fit of its own fold; and the season that the last fit found."""
    horizon, folds = config.window.horizon or panel.axis.horizon, int(chosen.fold.max()) + 1
    longest = None if expanding else int(_fold_ends(panel, chosen, 0).max())
    tasks = (
        (_fold_ends(panel, chosen, fold), longest, _with_fold_seed(config, fold), levels)
        for fold in range(folds)
    )
    made, season = np.empty((len(chosen.series), horizon, len(levels))), 1
    results = run_jobs(
        _backtest_fold, tasks, min(_require_positive_option("jobs", jobs), folds), shared=(panel,)
    )
    for fold, forecast in enumerate(results):
        made[chosen.fold == fold], season = forecast
        if on_event is not None:
            on_event(
                Event(
                    phase="backtest",
                    message=f"cutoff {fold + 1} of {folds}",
                    step=fold + 1,
                    total=folds,
                )
            )
    return made, season


def _with_fold_seed(config: Config, fold: int) -> Config:
    seeded = with_derived_seed(config, fold)
    return replace(seeded, train=replace(seeded.train, jobs=1))


def _backtest_fold(
    panel: Panel, ends: Ints, longest: int | None, config: Config, levels: Floats
) -> tuple[Floats, int]:
    """Fit on the past and forecast from its end: all that a fold does; the future is cut off first of all.

    ends: [N], steps of each series that are past; longest: the most of them to learn from, None for
    all.
    """
    from lstmcast.training.forecaster import Forecaster  # see above

    past = panel.head(ends)
    past = past if longest is None else past.tail(longest)
    forecaster = Forecaster(config).fit_part(past)
    series = np.arange(len(past))
    return forecaster.quantiles(
        past, series, past.lengths - 1, config.window.horizon, levels
    ), forecaster.season


def _make_result(
    panel: Panel,
    chosen: _ForecastWindows,
    made: Floats,
    levels: Floats,
    season: int,
    config: Config,
    ends: Ints | None = None,
) -> Result:
    scored = partial(score_forecasts, ends=ends, probability=config.train.loss == "bernoulli")
    verdict = scored(panel, chosen.series, chosen.origins, made, levels, season, by_series=True)
    known = ~np.isnan(
        actuals_after_origins(panel, chosen.series, chosen.origins, made.shape[1])
    ).all(axis=1)
    folds = []
    for fold in np.unique(chosen.fold[known]):
        here = chosen.fold == fold
        folds.append(
            scored(panel, chosen.series[here], chosen.origins[here], made[here], levels, season)
        )
    return Result(
        verdict, tuple(folds), _make_forecast_frame(panel, chosen, made, levels, verdict.of_events)
    )


def _make_forecast_frame(
    panel: Panel, chosen: _ForecastWindows, made: Floats, levels: Floats, probability: bool
) -> pd.DataFrame:
    horizon = made.shape[1]
    frame = panel.forecast_frame(
        chosen.series, chosen.origins, made, levels.tolist(), probability=probability
    )
    cutoff = panel.axis.stamps(np.repeat(panel.start[chosen.series] + chosen.origins, horizon))
    frame.insert(len(panel.key_names), "cutoff", cutoff)
    frame.insert(
        len(panel.key_names) + 2,
        "actual",
        actuals_after_origins(panel, chosen.series, chosen.origins, horizon).ravel(),
    )
    return frame


def _require_free_names(panel: Panel) -> None:
    for name in ("cutoff", "actual"):
        if name in (*panel.key_names, panel.axis.name):
            raise DataError(
                f"the table of forecasts has a column {name!r} of its own",
                "rename that column of the data",
            )


def _require_columns(forecasts: pd.DataFrame, names: Sequence[str]) -> None:
    for name in names:
        if name not in forecasts:
            raise DataError(
                f"the forecasts have no column {name!r}", suggest_similar(name, map(str, forecasts))
            )


def _require_whole_windows(
    panel: Panel, series: Ints, origins: Ints, ahead: Ints, horizon: int
) -> None:
    """Check that the rows, sorted, are windows of the steps 1 ... horizon each."""
    expected = np.arange(len(ahead)) % horizon + 1
    start = np.arange(len(ahead)) // horizon * horizon
    wrong = (ahead != expected) | (series != series[start]) | (origins != origins[start])
    if wrong.any() or len(ahead) % horizon:
        row = int(np.argmax(wrong)) if wrong.any() else len(ahead) - 1
        cutoff = panel.axis.texts(panel.start[series[row : row + 1]] + origins[row])[0]
        raise DataError(
            f"the forecasts of {_format_series_name(panel, series[row])} from {cutoff} are not the steps 1 to {horizon} after it",
            "give every step of a window once, and a column 'cutoff' where a series has several",
        )


def _format_series_name(panel: Panel, series: int) -> str:
    return f"series {', '.join(panel.keys[series])!r}" if panel.key_names else "the series"


def _require_positive_option(name: str, value: int) -> int:
    if value < 1:
        raise UsageError(f"--{name} {value} is out of range", "give 1 or more")
    return value
