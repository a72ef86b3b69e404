"""The forecaster of the library: frames in, frames out, and all that can be asked of a fit.

Axes: K windows, H horizon, Q quantiles.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from lstmcast.api.arguments import (
    list_reading_settings,
    read_future,
    read_to_fit,
    refuse_unknown,
    resolve_horizon,
    resolve_levels,
    to_percents,
)
from lstmcast.api.detection import Detection, name_detection
from lstmcast.api.pictures import PlottedForecaster
from lstmcast.api.progress import follow_progress
from lstmcast.api.tables import make_future_frame, tabulate_paths, to_nixtla_columns
from lstmcast.compute.progress import OnEvent
from lstmcast.config import DEFAULT_FALSE_ALARM_RATE, NETWORK_QUANTILES, Config
from lstmcast.errors import ArgumentError, UsageError
from lstmcast.evaluation import backtest as scoring
from lstmcast.evaluation import explain as explanation
from lstmcast.evaluation.in_sample import forecast_in_sample
from lstmcast.forecasting.estimator import with_settings
from lstmcast.forecasting.recursive import PATH_LEVELS, draw_sample_paths
from lstmcast.monitoring import detect as detecting
from lstmcast.monitoring import update as updating
from lstmcast.monitoring.rates import Alarm
from lstmcast.panel.checks import require_future_covariates
from lstmcast.panel.frames.native import FrameKind, to_native, with_periods
from lstmcast.panel.panel import Panel

if TYPE_CHECKING:
    # It loads torch, which a forecaster that is not trained can do without.
    from lstmcast.training.checkpoint import Checkpoint

_FIT_ARGUMENTS = ("panel", "y", "against", "progress", "on_event", "checkpoint")
_PREDICT_ARGUMENTS = ("panel", "horizon", "future", "level", "quantiles")


class Forecaster(PlottedForecaster):
    """A forecaster of many time series, by a small LSTM that must beat the classical methods.

        from lstmcast import Forecaster

        forecaster = Forecaster(horizon=14).fit(frame)   # columns unique_id, ds, y
        forecast = forecaster.predict(level=[80])        # a row for each series and step
        print(*forecaster.verdict.sentences())           # how good it is, beside the baselines

    Every setting of the command line is an argument of the same name: `Forecaster(horizon=14,
    season=7, cell="gru")`; settings left out are inferred from the data. `Config` lists them all.
    A frame is one of pandas, polars or Arrow, and results come in the same kind; where its times
    are periods of pandas, theirs are too.

    Args:
        config: settings as a `Config`; those given by name change it.
        quantiles: levels that `predict` gives where it is not asked for others (default: 0.1, 0.5
            and 0.9). They are no part of a saved run.
        settings: settings by name.

    Raises:
        ArgumentError: an unknown setting, with the one that may be meant.
        UsageError: a value out of range.
    """

    def __init__(
        self,
        config: Config | None = None,
        *,
        quantiles: Sequence[float] | None = None,
        **settings: Any,
    ) -> None:
        if config is None:
            config = Config()
        if not isinstance(config, Config):
            raise ArgumentError(
                f"config of type {type(config).__name__!r} is no Config",
                "data go to fit: Forecaster(horizon=14).fit(frame)",
            )
        super().__init__(with_settings(config, settings) if settings else config)
        resolve_levels(None, quantiles)
        self._usual_quantiles = quantiles

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the settings by name: each with `deep`, else `config` and `quantiles`."""
        return super().get_params(deep) | {"quantiles": self._usual_quantiles}

    def set_params(self, **params: Any) -> Self:
        """Change settings by name, for the next `fit`, and the quantiles of the next `predict`.

        Raises ArgumentError for an unknown name, UsageError for a value out of range; then nothing
        is changed.
        """
        quantiles = params.pop("quantiles", self._usual_quantiles)
        resolve_levels(None, quantiles)
        super().set_params(**params)
        self._usual_quantiles = quantiles
        return self

    def fit(
        self,
        panel: Any = None,
        y: Any = None,
        *,
        against: str = "",
        progress: bool = False,
        on_event: OnEvent | None = None,
        checkpoint: "Checkpoint | None" = None,
        **options: Any,
    ) -> Self:
        """Learn from data; their newest windows are first held out to validate on.

            Forecaster().fit(frame, target="sales", series="shop", future=["price"])

        Args:
            panel: a frame of pandas, polars or Arrow in long format, one row per series and time; a
                Series or an array of one series; or a `Panel`. Columns `unique_id`, `ds` and `y`
                need no role.
            y: values of the target, where the frame has them not, as scikit-learn passes them.
            against: the simple method that the verdict compares with, such as "seasonal_naive"
                (default: the best one).
            progress: show a bar, in a notebook or on a terminal.
            on_event: called with an `Event` as the training goes on.
            checkpoint: where progress is kept, so that an interrupted fit goes on.
            options: roles of columns (target, time, series, past, future, static), each a name or
                a list of them, and settings of the reading (freq, fill, duplicates, ...), as of
                `Panel.from_frame`.

        Raises:
            DataError: the data cannot be used.
            UsageError: settings that contradict the data, or there is no such method.
            DivergedError: the loss explodes.
        """
        refuse_unknown(
            {name: 0 for name in options if name in ("h", "fh", "df")}, _FIT_ARGUMENTS
        )
        if panel is None and y is None:
            raise ArgumentError(
                "fit needs data", "give a frame with the columns unique_id, ds, y"
            )
        read, data = read_to_fit(panel, y, options, self.config.data)
        if data != self.config.data:
            self.set_params(
                config=with_settings(self.config, list_reading_settings(data))
            )
        self._kind = read.kind
        with follow_progress(progress, on_event) as listener:
            super().fit(
                read.panel, against=against, on_event=listener, checkpoint=checkpoint
            )
        return self

    def predict(
        self,
        panel: Any = None,
        *,
        horizon: Any = None,
        future: Any = None,
        level: float | Sequence[float] | None = None,
        quantiles: Sequence[float] | None = None,
        **unknown: Any,
    ) -> Any:
        """Forecast from the end of the training data, or from the last row of each series.

        Args:
            panel: later data, or other series; the history of the fit goes before series that are
                too short to look back on. A number is the horizon, a frame of covariates known
                ahead without a target is the future.
            horizon: steps to forecast, or a span such as "7D" (default: the trained horizon).
            future: frame of the covariates known ahead, as `make_future_frame` lays it out.
            level: percent that intervals should hold, such as [80, 95]: the columns of 80 are `q10`
                and `q90`.
            quantiles: levels of quantiles, between 0 and 1 (default: those of the forecaster, which
                are 0.1, 0.5 and 0.9 unless it was given others).
            unknown: refused, with the name that an argument has here.

        Returns:
            A frame of the kind that was fitted, or passed here, with the series columns, the time,
            `forecast` (the median), and a column for each quantile, such as `q10`.

        Raises:
            NotFittedError: before `fit`.
            DataError: covariates known ahead are missing for a step of the horizon, or the data do
                not go with those of the training.
            UsageError: a horizon or level out of range.
        """
        refuse_unknown(unknown, _PREDICT_ARGUMENTS)
        known, steps, kind = self._read_to_predict(panel, horizon, future)
        if level is None and quantiles is None:
            quantiles = self._usual_quantiles
        levels = resolve_levels(level, quantiles)
        columns = self.columns(
            None if known is self.panel else known, horizon=steps, quantiles=levels
        )
        return to_native(pd.DataFrame(columns), kind)

    def cross_validation(
        self,
        df: Any = None,
        *,
        n_windows: int = 3,
        step_size: int | None = None,
        refit: bool = True,
        horizon: int | None = None,
        level: float | Sequence[float] | None = None,
        jobs: int = 1,
        progress: bool = False,
        on_event: OnEvent | None = None,
        **options: Any,
    ) -> Any:
        """Forecast the last windows of every series from past cutoffs, by fits of their own.

        Nothing after a cutoff is used for its forecast. This forecaster stays as it is; its
        settings are those of the fits.

        Args:
            df: data as of `fit` (default: those of the fit).
            n_windows: cutoffs of each series, as far as it is long enough.
            step_size: steps from one cutoff to the next (default: the horizon).
            refit: fit anew at every cutoff, or once before the first.
            horizon: steps to forecast (default: as in a fit).
            level: percent that intervals should hold, such as [80, 95].
            jobs: fits at a time.
            progress: show a bar, in a notebook or on a terminal.
            on_event: called as windows are done.
            options: roles of columns and settings of the reading, as of `fit`.

        Returns:
            A frame as of Nixtla: the series columns, the time, `cutoff`, the target, `lstmcast`,
            and for each level `lstmcast-lo-80` and `lstmcast-hi-80`.

        Raises:
            DataError: no series is long enough.
            UsageError: a number out of range.
        """
        panel, kind, config = self._read_for_scoring(df, options)
        if horizon is not None:
            config = with_settings(config, {"horizon": resolve_horizon(horizon, panel)})
        with follow_progress(progress, on_event) as listener:
            result = scoring.backtest(
                panel,
                config,
                windows=n_windows,
                step=step_size,
                refit=refit,
                jobs=jobs,
                quantiles=_and_median(resolve_levels(level, ())),
                on_event=listener,
            )
        table = to_nixtla_columns(result.forecasts, panel, to_percents(level))
        return to_native(table, kind)

    def backtest(
        self,
        data: Any = None,
        *,
        progress: bool = False,
        on_event: OnEvent | None = None,
        **options: Any,
    ) -> scoring.Result:
        """Score these settings on the last windows of data, see `lstmcast.backtest`.

        data: as of `fit` (default: those of the fit). progress: show a bar. on_event: called as
        folds begin and end. options: arguments of `lstmcast.backtest`, roles of columns and
        settings of the reading.
        """
        own = ("windows", "step", "refit", "expanding", "jobs", "quantiles", "against")
        passed = {name: options.pop(name) for name in own if name in options}
        panel, kind, config = self._read_for_scoring(data, options)
        with follow_progress(progress, on_event) as listener:
            result = scoring.backtest(panel, config, on_event=listener, **passed)
        return _with_native_forecasts(result, kind)

    def evaluate(
        self,
        data: Any,
        *,
        windows: int | None = None,
        step: int | None = None,
        horizon: int | None = None,
        quantiles: Sequence[float] = NETWORK_QUANTILES,
        against: str = "",
    ) -> scoring.Result:
        """Score on rows newer than those of the training, without a new fit.

        See `lstmcast.evaluate`, whose arguments these are.
        """
        panel, kind = self._read(data)
        result = scoring.evaluate(
            self,
            panel,
            windows=windows,
            step=step,
            horizon=resolve_horizon(horizon, panel),
            quantiles=quantiles,
            against=against,
        )
        return _with_native_forecasts(result, kind)

    def score(self, data: Any, y: Any = None) -> float:
        """Return the negative MASE on rows newer than those of the training: the larger the better.

        MASE (Hyndman & Koehler 2006) is 1 for an error as large as the usual one of the seasonal
        naive forecast. Of a 0/1 target it is the negative Brier score. y: as of `fit`.

        Raises DataError where no row is newer than the training.
        """
        if y is not None:
            self._require_fitted()
            target = self.panel.columns.target[0]
            data = data.assign(**{target: np.asarray(y)})
        model = self.evaluate(data).verdict.model
        return -float(model["brier"] if "brier" in model else model["mase"])

    def detect(
        self,
        data: Any,
        *,
        rate: float = DEFAULT_FALSE_ALARM_RATE,
        adapt: bool = True,
        alarm: Alarm = "event",
    ) -> Detection:
        """Judge which rows newer than the training are not as expected, see `lstmcast.detect`."""
        panel, kind = self._read(data)
        found = detecting.detect(self, panel, rate=rate, adapt=adapt, alarm=alarm)
        found = replace(found, rows=with_periods(found.rows, kind))
        return name_detection(found, panel)

    def update(
        self,
        data: Any,
        *,
        progress: bool = False,
        on_event: OnEvent | None = None,
        **options: Any,
    ) -> updating.Update:
        """Go on from newer rows and learn from them, see `lstmcast.update`.

        This forecaster stays as it is: the one that goes on is the result's `forecaster`.
        progress: show a bar. on_event: called as the training goes on. options: arguments of
        `lstmcast.update`.
        """
        panel, _ = self._read(data)
        with follow_progress(progress, on_event) as listener:
            return updating.update(self, panel, on_event=listener, **options)

    def explain(
        self,
        data: Any = None,
        *,
        progress: bool = False,
        on_event: OnEvent | None = None,
    ) -> explanation.Explanation:
        """Explain forecasts by taking inputs away, see `lstmcast.explain`.

        progress: show a bar. on_event: called with each input that was taken away.
        """
        panel, _ = self._read(data)
        with follow_progress(progress, on_event) as listener:
            return explanation.explain(self, panel, on_event=listener)

    def predict_insample(
        self,
        *,
        step_size: int | None = None,
        level: float | Sequence[float] | None = None,
    ) -> Any:
        """Forecast the data of the fit from all their past cutoffs, with what was learnt from them.

        What is scored on these is too good: `cross_validation` is not. Of large data, only the
        newest steps are kept to forecast.

        step_size: steps from one cutoff to the next (default: the horizon). level: percent that
        intervals should hold. Returns a frame as of `cross_validation`.
        """
        self._require_fitted()
        levels = _and_median(resolve_levels(level, ()))
        forecasts = forecast_in_sample(self, levels, step_size or self.horizon)
        table = to_nixtla_columns(forecasts, self.panel, to_percents(level))
        return to_native(table, self._kind)

    def residuals(self, *, step_size: int | None = None) -> Any:
        """Return the frame of `predict_insample`, and `residual`: the value less the forecast."""
        self._require_fitted()
        forecasts = forecast_in_sample(self, (0.5,), step_size or self.horizon)
        table = to_nixtla_columns(forecasts, self.panel, ())
        table["residual"] = forecasts["actual"] - table["lstmcast"]
        return to_native(table, self._kind)

    def simulate(
        self,
        n_paths: int = 100,
        *,
        horizon: Any = None,
        future: Any = None,
        seed: int = 0,
    ) -> Any:
        """Draw sample paths of the future, whose steps depend on each other as in the data.

        Sums, extremes and other figures over several steps have their distribution over the paths,
        which quantiles of single steps cannot tell. Series are drawn independently of each other.

        Args:
            n_paths: paths of each series.
            horizon: as of `predict`.
            future: as of `predict`.
            seed: of what is random; the same seed gives the same paths.

        Returns:
            A frame with the series columns, the time, `path` (from 0 on) and the target.

        Raises:
            UsageError: a 0/1 target, whose forecast is a probability; a number out of range.
        """
        self._require_fitted()
        if self.probability:
            raise UsageError(
                "the forecast is the probability of a 1, which has no paths",
                "draw 0 and 1 with the column probability of predict()",
            )
        if n_paths < 1:
            raise UsageError(f"n_paths={n_paths} is out of range", "give 1 or more")
        panel = self.panel
        steps = resolve_horizon(horizon, panel) or self.horizon
        if future is not None:
            panel = read_future(future, panel, self)
        require_future_covariates(panel, steps)
        series = np.arange(len(panel))
        origins = panel.lengths - 1
        quantiles = self.quantiles(panel, series, origins, steps, PATH_LEVELS)
        paths = draw_sample_paths(quantiles, n_paths, seed)
        if self.config.train.loss == "negative-binomial":
            paths = np.rint(paths)
        return to_native(tabulate_paths(panel, paths), self._kind)

    def make_future_frame(self, horizon: Any = None) -> Any:
        """Return a frame of the steps to forecast, to fill in what is known ahead.

        It has the series columns, the time, and the covariates known ahead, missing where they are
        not known; filled in, it is the `future` of `predict`.

        horizon: as of `predict`.
        """
        self._require_fitted()
        steps = resolve_horizon(horizon, self.panel) or self.horizon
        return to_native(make_future_frame(self.panel, steps), self._kind)

    def _read_for_scoring(
        self, data: Any, options: dict[str, Any]
    ) -> tuple[Panel, FrameKind, Config]:
        """Read data to fit other forecasters to, with the settings of this one."""
        if data is None:
            panel, kind = self._read(None)
            return panel, kind, self.config
        read, reading = read_to_fit(data, None, options, self.config.data)
        return (
            read.panel,
            read.kind,
            with_settings(self.config, list_reading_settings(reading)),
        )


def _and_median(levels: Sequence[float]) -> tuple[float, ...]:
    """Levels and the median, which has a column of its own."""
    return tuple(sorted({*levels, 0.5}))


def _with_native_forecasts(result: scoring.Result, kind: FrameKind) -> scoring.Result:
    """The result with its table as the caller's kind of frame."""
    native = to_native(result.forecasts, kind)
    return scoring.Result(result.verdict, result.folds, native)
