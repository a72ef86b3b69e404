"""A trained forecaster: load, predict, save. Read this first; the other modules are its parts.

    panel -> seasons, scaling -> networks -> guard -> forecasts

Knows neither training nor the command line, and loads neither torch nor pandas before they are
needed.

Axes: N series, K windows, H horizon, Q quantiles, M members.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from lstmcast.config import NETWORK_QUANTILES, QUANTILE_SOURCES, Config
from lstmcast.errors import UsageError
from lstmcast.features.joint import joint_inputs
from lstmcast.features.preprocessing import Scaling, fit_scaling
from lstmcast.features.steps import Seasons
from lstmcast.features.windows import Windows
from lstmcast.forecasting import combination, recursive
from lstmcast.forecasting.combination import Combination
from lstmcast.forecasting.estimator import Estimator
from lstmcast.forecasting.quantiles import (
    interpolate_quantiles,
    match_horizon,
    round_count_quantiles,
)
from lstmcast.network import inference
from lstmcast.network.trained import TrainedNetwork
from lstmcast.panel import calendar
from lstmcast.panel.checks import require_future_covariates
from lstmcast.panel.extend import with_training_history
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Floats, Ints
from lstmcast.runs import directory, publish, serialization
from lstmcast.scoring.verdict import Verdict
from lstmcast.timeaxis.axis import TimeAxis

if TYPE_CHECKING:
    import pandas as pd


MAX_HISTORY_STEPS = 200_000
"""Up to so many time steps a run keeps the whole history to forecast from; of more, what a forecast
can see."""
MAX_SERIES_IN_VERDICT = 1000
"""Up to so many series a verdict has a line for each."""


class Predictor(Estimator):
    """A forecaster of one panel that has been trained, here or in a run directory.

    It has `panel` (the history that `predict` goes on from; of a large panel its newest part),
    `axis`, `horizon`, `season`, `scaling`, `networks`, `guard`, `spread` (quantiles of the errors
    of point forecasts, in scales, [M, H, Q]; None where networks make their own), `verdict` (None
    where the series were too short to hold anything back), `history` (rows of the training),
    `cutoff` (int64 [N], ordinal of each series' last training step), `start` (what training started
    from, with its SHA-256), `fingerprint` (of the panel that was fitted) and `notes` (what is worth
    saying).
    """

    panel: Panel
    horizon: int
    context: int
    scaling: Scaling
    networks: list[TrainedNetwork]
    guard: Combination
    spread: Floats | None
    verdict: Verdict | None
    history: list[dict[str, Any]]
    cutoff: Ints
    start: dict[str, str]
    fingerprint: str
    notes: tuple[str, ...]

    def __init__(self, config: Config = Config()) -> None:  # noqa: B008 - frozen
        super().__init__(config)

    @property
    def axis(self) -> TimeAxis:
        """The time axis of the panel."""
        return self.panel.axis

    @property
    def season(self) -> int:
        """Steps of the main season, 1 where there is none."""
        return self.scaling.seasons.main

    @property
    def covariate_names(self) -> tuple[str, ...]:
        """What each covariate that the network reads comes from, in its order: a column, calendar or holidays."""
        return calendar.list_covariate_sources(
            self.with_calendar_inputs(self.panel, 0), self.config.inputs
        )

    @property
    def probability(self) -> bool:
        """Whether the target is 0 or 1, and the forecast its probability of being 1."""
        return self.config.train.loss == "bernoulli"

    def predict(
        self,
        panel: Panel | None = None,
        *,
        horizon: int | None = None,
        quantiles: Sequence[float] = (0.1, 0.5, 0.9),
    ) -> "pd.DataFrame":
        """Forecast table from the end of the training data, or from the last row of each series of `panel`.

        Columns: the series columns, the time column, `forecast` (the median) and one a quantile
        (`q10`). Raises DataError where covariates known ahead are missing for a step of the
        horizon.
        """
        import pandas as pd

        return pd.DataFrame(self.columns(panel, horizon=horizon, quantiles=quantiles))

    def columns(
        self,
        panel: Panel | None = None,
        *,
        horizon: int | None = None,
        quantiles: Sequence[float] = (0.1, 0.5, 0.9),
    ) -> dict[str, Any]:
        """The columns of `predict`, which need no pandas where stamps are texts or numbers."""
        panel = (
            self.panel if panel is None else with_training_history(panel, self.panel, self.context)
        )
        horizon = horizon or self.horizon
        require_future_covariates(panel, horizon)
        series = np.arange(len(panel))
        made = self.quantiles(panel, series, panel.lengths - 1, horizon, quantiles)
        return panel.forecast_columns(
            series, panel.lengths - 1, made, quantiles, probability=self.probability
        )

    def quantiles(
        self,
        panel: Panel,
        series: Ints,
        origins: Ints,
        horizon: int | None = None,
        levels: Sequence[float] | Floats = (0.1, 0.5, 0.9),
        *,
        strip: int = 1,
    ) -> Floats:
        """Forecast quantiles [K, H, Q] of windows: series numbers [K] of `panel` and the last step each may know [K].

        Nothing after an origin is seen. Steps beyond the horizon of the training are reached by
        rolling forward on the forecaster's own quantiles. strip: most windows with neighbouring
        origins that are read as one, which is faster; the later ones look back farther. Raises
        UsageError for levels outside 0 to 1.
        """
        asked = np.asarray(levels, dtype=np.float64)
        if not ((asked > 0) & (asked < 1)).all():
            raise UsageError(
                f"quantile levels {asked.tolist()} are out of range", "give numbers between 0 and 1"
            )
        series, origins = np.asarray(series, dtype=np.int64), np.asarray(origins, dtype=np.int64)
        horizon = horizon or self.horizon
        if horizon <= self.horizon or self.probability or not len(series):
            made = self._quantiles_within_horizon(panel, series, origins, horizon, asked, strip)
        else:
            reach = recursive.ForecastLimits(
                self.horizon, self.memory, together=not self.config.inputs.joint
            )
            made = recursive.forecast_recursively(
                self._quantiles_within_horizon, reach, panel, series, origins, horizon, asked
            )
        return round_count_quantiles(made, self.config.train.loss)

    def _quantiles_within_horizon(
        self, panel: Panel, series: Ints, origins: Ints, horizon: int, asked: Floats, strip: int = 1
    ) -> Floats:
        """Quantiles of windows that the network forecasts at once."""
        out = np.empty((len(series), horizon, len(asked)))
        # Before the end of its first season a series is a short one: its features would use the
        # rest of that season.
        early = np.flatnonzero(origins < self.season - 1)
        joint = (
            self.config.inputs.joint
        )  # then series see each other, which these were cut too differently for
        for part in (
            np.split(early, np.arange(1, len(early)) if joint else []) if len(early) else []
        ):
            alone = panel.select(series[part]).head(origins[part] + 1)
            out[part] = self._combined_quantiles(
                alone, np.arange(len(part)), origins[part], horizon, asked
            )
        rest = np.setdiff1d(np.arange(len(series)), early)
        if len(rest):
            out[rest] = self._combined_quantiles(
                panel, series[rest], origins[rest], horizon, asked, strip
            )
        return out

    def likelihood(
        self, panel: Panel, series: Ints, origins: Ints, horizon: int
    ) -> dict[str, float]:
        """Mean log-likelihood of what came after the origins [K]; empty unless the loss is one of a distribution."""
        if QUANTILE_SOURCES[self.config.train.loss] != "likelihood":
            return {}
        from lstmcast.network import diagnostics  # needs torch, as these losses do

        windows = self.seen_windows(panel, series, origins, horizon)
        densities = diagnostics.log_densities(self.networks, windows, series, origins)
        return diagnostics.mean_log_likelihood(densities, self.guard.members)

    def save(
        self, path: str | Path, *, force: bool = False, previous: directory.PreviousVersion = "none"
    ) -> Path:
        """Write the run directory: weights, scaler state, context, history, verdict and a manifest with their hashes.

        force, previous: as of `rundir.publish`. Raises RunError where the place is taken,
        LockedError while another process writes there.
        """
        manifest = {
            "config": self.config.to_dict(),
            "horizon": self.horizon,
            "context": self.context,
            "seed": self.config.train.seed,
            "start": self.start,
            "members": [network.shape._asdict() for network in self.networks],
            "data": {
                "fingerprint": self.fingerprint,
                "cutoff": self.cutoff.tolist(),
                "notes": self.notes,
            },
        }
        metrics_json = {
            "verdict": None if self.verdict is None else self.verdict.to_dict(),
            "guard": self.guard.to_dict(),
            "spread": None if self.spread is None else self.spread.tolist(),
        }
        files = {
            "model.safetensors": serialization.pack_networks(self.networks),
            "history.csv": serialization.pack_history(self.history),
            "metrics.json": serialization.pack_json(metrics_json),
        }
        context, facts = serialization.pack_panel(self.panel)
        files["context.parquet"] = context
        files["scaler.json"] = serialization.pack_json(self.scaling.to_dict())
        return publish.publish_run(
            path, files, {**manifest, "panel": facts}, force=force, previous=previous
        )

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """The forecaster that `save` wrote; every file is verified before use. Raises RunError."""
        run = directory.open_run(path)
        manifest = run.manifest
        with serialization.as_run_errors(run.path):
            self = cls(Config.from_dict(manifest["config"]))
            self.horizon, self.context = (
                serialization.parse_steps(manifest[name]) for name in ("horizon", "context")
            )
            self.panel = serialization.unpack_panel(run.read("context.parquet"), manifest["panel"])
            self.scaling = Scaling.from_dict(serialization.unpack_json(run.read("scaler.json")))
            self.networks = serialization.unpack_networks(
                run.read("model.safetensors"), manifest["members"]
            )
            report = serialization.unpack_json(run.read("metrics.json"))
            self.guard = Combination.from_dict(report["guard"])
            self.verdict = (
                None if report["verdict"] is None else Verdict.from_dict(report["verdict"])
            )
            self.spread = (
                None
                if report.get("spread") is None
                else np.array(report["spread"], dtype=np.float64)
            )
            self.history = serialization.unpack_history(run.read("history.csv"))
            self.cutoff = np.array(manifest["data"]["cutoff"], dtype=np.int64)
            self.notes = tuple(manifest["data"]["notes"])
            self.start = manifest["start"]
            self.fingerprint = manifest["data"]["fingerprint"]
            if len(self.cutoff) != len(self.panel) or self.guard.members.shape != (
                len(self.networks),
            ):
                raise ValueError("its parts do not belong together")
            self._check_consistency()
        return self

    def _check_consistency(self) -> None:
        """Forecast one step of one series: parts that do not fit together are found out here and not later."""
        one, first = self.panel.select(np.zeros(1, np.int64)), np.zeros(1, np.int64)
        made = self.quantiles(one, first, one.lengths - 1, 1, NETWORK_QUANTILES)
        one.forecast_columns(first, one.lengths - 1, made, NETWORK_QUANTILES)

    @property
    def memory(self) -> int:
        """Steps after which the past has no say: the context, and what moving averages and ages remember."""
        main, second = self.scaling.seasons
        return 2 * self.context + max(20 * main, 10 * second, 200)

    def fit_scaling(self, panel: Panel, seasons: Seasons, ends: Ints | None = None) -> Scaling:
        """Fit scales and transforms to the first `ends` [N] steps of each series of a panel."""
        return fit_scaling(panel, seasons, self.config, ends)

    def with_calendar_inputs(self, panel: Panel, horizon: int) -> Panel:
        """The panel with what a calendar knows of the steps ahead."""
        return calendar.with_calendar_covariates(panel, self.config.inputs, horizon)

    def build_windows(
        self, panel: Panel, scaler: Any, horizon: int, trained: Ints, ends: Ints
    ) -> Windows:
        """Build the windows of a panel, its covariates and their effects included."""
        stride = min(2 * self.context, int(self.panel.lengths.max()))
        panel = self.with_calendar_inputs(panel, horizon)
        effect = self.scaling.effect(panel, scaler, trained, ends)
        steps = self.scaling.steps(panel, scaler, effect)
        joint = joint_inputs(panel, steps) if self.config.inputs.joint else None
        return Windows(
            steps, horizon, self.context, stride, self.scaling.covariates(panel, effect, joint)
        )

    def seen_windows(self, panel: Panel, series: Ints, origins: Ints, horizon: int) -> Windows:
        """Windows of any panel; of series of no training, only what lies before their origins is looked at."""
        trained = panel.align(self.panel)
        ends = panel.lengths.copy()
        np.minimum.at(ends, series, origins + 1)
        return self.build_windows(
            panel, self.scaling.scaler_for_panel(panel, trained, ends), horizon, trained, ends
        )

    def _combined_quantiles(
        self,
        panel: Panel,
        series: Ints,
        origins: Ints,
        horizon: int,
        levels: Floats,
        strip: int = 1,
    ) -> Floats:
        windows = self.seen_windows(panel, series, origins, horizon)
        asked = (
            (*NETWORK_QUANTILES, *levels)
            if self.networks[0].interval == "likelihood"
            else NETWORK_QUANTILES
        )
        spread = None if self.spread is None else match_horizon(self.spread, horizon)[:, None]
        made, options = inference.forecast_windows(
            self.networks, windows, series, origins, asked, spread, strip
        )
        full = combination.combine_forecasts(self.guard, made, options)
        low = windows.steps.state.low[series][:, None, None]
        exact = (
            full[..., len(NETWORK_QUANTILES) :]
            if len(asked) > len(NETWORK_QUANTILES)
            else interpolate_quantiles(full, levels)
        )
        return np.maximum(exact, low)
