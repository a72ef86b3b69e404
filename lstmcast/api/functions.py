"""The functions of the library: as those of the rooms below, and they take frames of any kind.

Where data are a frame, roles of columns (`target`, `time`, `series`, `past`, `future`, `static`)
and settings of the reading (`freq`, `fill`, ...) may be given by name, as of `Panel.from_frame`.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from lstmcast.api.arguments import (
    list_reading_settings,
    read_like_forecaster,
    read_to_fit,
)
from lstmcast.api.detection import Detection, name_detection
from lstmcast.api.progress import follow_progress
from lstmcast.api.watching import watch_data
from lstmcast.compute.progress import OnEvent
from lstmcast.config import (
    DEFAULT_FALSE_ALARM_RATE,
    NETWORK_QUANTILES,
    SECTION_OF,
    Config,
)
from lstmcast.errors import ArgumentError
from lstmcast.evaluation import backtest as scoring
from lstmcast.evaluation import explain as explanation
from lstmcast.forecasting.estimator import with_settings
from lstmcast.forecasting.predictor import Predictor
from lstmcast.monitoring import detect as detecting
from lstmcast.monitoring import update as updating
from lstmcast.monitoring.rates import Alarm
from lstmcast.panel.frames.native import (
    FrameKind,
    from_periods,
    to_native,
    with_periods,
)
from lstmcast.scoring.gates import Gate
from lstmcast.scoring.verdict import Verdict
from lstmcast.tuning import tune as tuning


def backtest(
    panel: Any,
    config: Config | None = None,
    *,
    windows: int = 3,
    step: int | None = None,
    refit: bool = True,
    expanding: bool = True,
    jobs: int = 1,
    quantiles: Sequence[float] = NETWORK_QUANTILES,
    against: str = "",
    progress: bool = False,
    on_event: OnEvent | None = None,
    **options: Any,
) -> scoring.Result:
    """Score a configuration on the last `windows` horizons of every series.

        backtest(frame, horizon=14, windows=4).verdict

    Cutoffs count back from each series' own end (rolling origins: Tashman 2000). Nothing after the
    cutoffs of a fold is used to fit it, nor to forecast from it.

    Args:
        panel: all data, as a frame or a `Panel`; left as they are.
        config: what to fit; each fold's seed derives from its seed and the fold's number. A
            horizon left out is that of a fit of all of `panel`.
        windows: cutoffs per series, as far as a series is long enough.
        step: steps from one cutoff to the next (default: the horizon).
        refit: fit anew at every cutoff, or once before the first one and forecast from all.
        expanding: fit to all history, or (rolling) to no more steps than the first fold has.
        jobs: folds at a time, each in a process of its own with one thread. Any number gives the
            same result, to the bit.
        quantiles: levels of the forecasts.
        against: the simple method that the verdict compares with, such as "seasonal_naive"
            (default: the best one).
        progress: show a bar, in a notebook or on a terminal.
        on_event: called as folds begin and end.
        options: settings by name, which change `config`; roles of columns, and settings of the
            reading, of a frame.

    Raises:
        DataError: no series is long enough.
        UsageError: a number is out of range, or there is no such method.
        ResourceError: a worker process was lost.
    """
    config = _take_settings(_require_config(config), options)
    read, reading = read_to_fit(panel, None, options, config.data)
    with follow_progress(progress, on_event) as listener:
        result = scoring.backtest(
            read.panel,
            with_settings(config, list_reading_settings(reading)),
            windows=windows,
            step=step,
            refit=refit,
            expanding=expanding,
            jobs=jobs,
            quantiles=quantiles,
            against=against,
            on_event=listener,
        )
    return _in_kind(result, read.kind)


def evaluate(
    forecaster: Predictor,
    panel: Any,
    *,
    windows: int | None = None,
    step: int | None = None,
    horizon: int | None = None,
    quantiles: Sequence[float] = NETWORK_QUANTILES,
    against: str = "",
) -> scoring.Result:
    """Score a fitted forecaster on rows newer than those it was trained on, without a new fit.

    The first cutoff of a series is the end of its training; the others follow while a whole horizon
    of rows is left. Fewer new rows than a horizon make one window. A series that was not trained on
    starts where training ended for the others.

    Args:
        forecaster: what to score.
        panel: new rows as a frame or a `Panel`, with or without the history before them; where it
            is not there, the history that the run keeps goes before them.
        windows: only the newest so many windows of each series (default: all).
        step: steps from one cutoff to the next (default: the horizon).
        horizon: steps to forecast (default: the trained horizon).
        quantiles: levels of the forecasts.
        against: the simple method that the verdict compares with (default: the best one).

    Raises:
        DataError: no series has a row after the training cutoff, or one has none before it to
            forecast from.
        UsageError: a number is out of range, or there is no such method.
    """
    read = read_like_forecaster(panel, forecaster)
    result = scoring.evaluate(
        forecaster,
        read.panel,
        windows=windows,
        step=step,
        horizon=horizon,
        quantiles=quantiles,
        against=against,
    )
    return _in_kind(result, read.kind)


def score(forecasts: Any, panel: Any, *, season: int | None = None) -> Verdict:
    """Score a table of forecasts, from lstmcast or elsewhere, against what `panel` holds.

    Args:
        forecasts: a frame with one row per series and step: the panel's series columns and time
            column, `forecast` (or, of 0/1 targets, `probability`), quantiles as `q10`, `q90` ...
            where there are any, and `cutoff` where there is more than one origin a series. Every
            window must be whole: all steps from the first after its cutoff, as many in each.
        panel: history and actual values, as a frame or a `Panel`.
        season: steps of the season (default: that of the panel's frequency).

    Raises:
        DataError: a column is missing, a series is unknown, or a window is not whole.
    """
    read, _ = read_to_fit(panel, None, {}, Config().data)
    return scoring.score(_to_pandas(forecasts), read.panel, season=season)


def detect(
    forecaster: Any = None,
    panel: Any = None,
    *,
    rate: float = DEFAULT_FALSE_ALARM_RATE,
    adapt: bool = True,
    alarm: Alarm = "event",
    state: str | Path | None = None,
    **options: Any,
) -> Detection:
    """Judge rows by a forecaster, see `Detector`, or by the past of their own series.

        detect(forecaster, frame)                # rows newer than its training
        detect(frame, target="cpu", time="when")  # every row from the 51st on, without a forecaster

    Without a forecaster rows need no regular steps: each is judged as it stands, and has its row in
    the result, in the order of the data.

    Args:
        forecaster: fitted or loaded; it may be left out, and the data may stand in its place.
        panel: newer rows, as a frame or a `Panel`; without a forecaster a frame or a path.
        rate: share of ordinary rows that may open an event.
        adapt: whether what is usual is learnt from the rows that are judged, too.
        alarm: whether the row that opens an event is flagged, or every row of it.
        state: without a forecaster, a file that remembers what was judged; no row is judged again.
        options: without a forecaster, roles of columns (target, time, series), each a name or a
            list of them, and settings of the reading (date_format, tz, na, decimal, ...).

    Raises:
        DataError: no row is newer than the training, or the data cannot be used.
        UsageError: a rate out of range, a forecaster of probabilities, or a state of other columns
            or of another rate.
        ArgumentError: an argument that goes with the other form only.
        RunError: the file of the state is damaged.
    """
    if isinstance(forecaster, Predictor):
        given = {**options, **({} if state is None else {"state": state})}
        if given:
            raise ArgumentError(
                f"{next(iter(given))!r} is for data without a forecaster",
                "leave it out, or leave out the forecaster",
            )
        read = read_like_forecaster(panel, forecaster)
        found = detecting.detect(
            forecaster, read.panel, rate=rate, adapt=adapt, alarm=alarm
        )
        found = replace(found, rows=with_periods(found.rows, read.kind))
        return name_detection(found, read.panel)

    if forecaster is not None and panel is not None:
        raise ArgumentError(
            f"{type(forecaster).__name__!r} is no forecaster",
            "give one that is fitted or loaded, or the data alone: detect(frame)",
        )
    if not adapt:
        raise ArgumentError(
            "adapt=False is for a forecaster: without one there is nothing to learn from"
            " but the rows",
            "leave it out",
        )
    data = forecaster if panel is None else panel
    if data is None:
        raise ArgumentError("detect needs data", "give a frame, or a path")
    return watch_data(data, options, rate, alarm, state)


def update(
    forecaster: Predictor,
    panel: Any,
    *,
    gates: Sequence[Gate] | None = None,
    steps: int | None = None,
    lr: float | None = None,
    validation: int | None = None,
    time_budget: float | str | None = None,
    revised: bool = False,
    progress: bool = False,
    on_event: OnEvent | None = None,
) -> updating.Update:
    """Let a forecaster go on from the newer rows of data, and learn from them.

    The forecaster passed in stays as it is.

    Args:
        forecaster: fitted or loaded.
        panel: a frame or a `Panel`; the whole history, or new rows only.
        gates: what must hold of the networks trained further for them to be kept; by default
            `mase<=old`, or `brier<=old` of a 0/1 target.
        steps: training steps of each network (default 60).
        lr: learning rate (default: that of a gentle fine-tuning).
        validation: newest steps to hold out (default: half of those not learnt from yet, a horizon
            at least).
        time_budget: seconds, or text like `5m`, after which training stops.
        revised: whether rows that the run already has may have changed; the newer values count.
        progress: show a bar, in a notebook or on a terminal.
        on_event: called as the training goes on.

    Raises:
        DataError: frequency or covariates are not those of the training; values of rows that the
            run already has have changed.
        DivergedError: the loss explodes.
    """
    read = read_like_forecaster(panel, forecaster)
    with follow_progress(progress, on_event) as listener:
        return updating.update(
            forecaster,
            read.panel,
            gates=gates,
            steps=steps,
            lr=lr,
            validation=validation,
            time_budget=time_budget,
            revised=revised,
            on_event=listener,
        )


def explain(forecaster: Predictor, panel: Any = None) -> explanation.Explanation:
    """Explain the forecasts of the newest windows of data by taking inputs away.

    Args:
        forecaster: whose forecasts are explained; left as it is.
        panel: what to forecast, as a frame or a `Panel` (default: the run's own history, and so its
            validation windows).

    Raises:
        DataError: no series is long enough to hold a horizon back, or none ever changes.
    """
    if panel is None:
        return explanation.explain(forecaster)
    read = read_like_forecaster(panel, forecaster)
    return explanation.explain(forecaster, read.panel)


def tune(
    panel: Any,
    config: Config = tuning.UNTUNED_CONFIG,
    *,
    progress: bool = False,
    on_event: OnEvent | None = None,
    **options: Any,
) -> tuning.Tuning | None:
    """Search the settings of a fit, and measure on unseen windows what that was worth.

    Args:
        panel: all data, as a frame or a `Panel`; left as they are.
        config: what every trial starts from, and trial 0 is.
        progress: show a bar, in a notebook or on a terminal.
        on_event: called as trials go on.
        options: how to search, as of `lstmcast.tuning.tune.tune`: trials, windows, unseen, params,
            study, jobs, time_budget. Then settings by name, which change `config`, roles of columns
            and settings of the reading.

    Returns:
        What was found; None where other processes are still at work on the study.

    Raises:
        UsageError: settings that cannot be searched, or Optuna is not installed.
        DataError: no series is long enough.
        RunError: the study is of another search.
    """
    search = {name: options.pop(name) for name in _SEARCH_OPTIONS if name in options}
    config = _take_settings(config, options)
    read, reading = read_to_fit(panel, None, options, config.data)
    settings = with_settings(config, list_reading_settings(reading))
    with follow_progress(progress, on_event) as listener:
        return tuning.tune(read.panel, settings, on_event=listener, **search)


_SEARCH_OPTIONS = (
    *("trials", "windows", "unseen", "params"),
    *("study", "jobs", "time_budget"),
)


def _require_config(config: Config | None) -> Config:
    if config is None:
        return Config()
    if not isinstance(config, Config):
        raise ArgumentError(
            f"config of type {type(config).__name__!r} is no Config",
            "give a Config, as in backtest(frame, Config(horizon=14)); a Forecaster has"
            " backtest and evaluate of its own",
        )
    return config


def _take_settings(config: Config, options: dict[str, Any]) -> Config:
    """Return the configuration with the settings among the options, which are taken out of them.

    Settings of the reading are left: they are read with the data.
    """
    names = [name for name in options if SECTION_OF.get(name, "data") != "data"]
    return with_settings(config, {name: options.pop(name) for name in names})


def _in_kind(result: scoring.Result, kind: FrameKind) -> scoring.Result:
    """Return a result with its forecasts in the caller's kind of frame."""
    return replace(result, forecasts=to_native(result.forecasts, kind))


def _to_pandas(frame: Any) -> pd.DataFrame:
    """A table of forecasts of any kind in pandas."""
    if isinstance(frame, pd.DataFrame):
        return from_periods(frame)
    import narwhals as nw

    native: pd.DataFrame = nw.from_native(frame, eager_only=True).to_pandas()
    return native
