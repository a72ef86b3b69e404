"""A trained forecaster: load, predict, save. Read this first; the other modules are its parts.

    panel -> seasons, scaling -> networks -> combination -> forecasts

Knows neither training nor the command line, and loads neither torch nor pandas before they are
needed.

Axes: N series, K windows, H horizon, Q quantiles, M ensemble members. A window is a series and an
origin, the index of the last step that its forecast may know.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from lstmcast.config import NETWORK_QUANTILES, QUANTILE_SOURCES, Config
from lstmcast.errors import UsageError
from lstmcast.features.preprocessing import Scaling
from lstmcast.forecasting import saved
from lstmcast.forecasting.combination import Combination, combine_forecasts
from lstmcast.forecasting.cut_windows import iter_cut_windows
from lstmcast.forecasting.inputs import RunInputs
from lstmcast.forecasting.plausible import Habits, require_finite
from lstmcast.forecasting.quantiles import (
    interpolate_quantiles,
    match_horizon,
    round_count_quantiles,
)
from lstmcast.forecasting.recent import split_windows
from lstmcast.forecasting.recursive import ForecastLimits, forecast_recursively
from lstmcast.forecasting.simple_methods import forecast_by_method
from lstmcast.network.inference import forecast_windows
from lstmcast.network.trained import TrainedNetwork
from lstmcast.panel import calendar
from lstmcast.panel.checks import require_binary_values, require_future_covariates
from lstmcast.panel.extend import with_training_history
from lstmcast.panel.forecast_table import with_median
from lstmcast.panel.gaps import without_lines
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Floats, Ints
from lstmcast.runs.directory import PreviousVersion
from lstmcast.scoring.verdict import Verdict

if TYPE_CHECKING:
    import pandas as pd


MAX_HISTORY_STEPS = 200_000
"""Most time steps of a panel whose whole history a run keeps to forecast from.

Of a larger panel it keeps what a forecast depends on."""
MAX_SERIES_IN_VERDICT = 1000
"""Most series for which a verdict has a line each."""
DEFAULT_LEVELS = (0.1, 0.5, 0.9)


class Predictor(RunInputs):
    """A forecaster of one panel that has been trained, here or in a run directory.

    panel: the history that `predict` goes on from; of a large panel its newest part.
    horizon, context: steps that a network forecasts at once, and that it looks back on.
    lead: steps that are read before the context.
    scaling: seasons, scales and transforms, fitted to the training part.
    networks: the members of the ensemble, M of them.
    combination: how much each member and each classical method counts.
    spread: quantiles of the errors of point forecasts, in scales, [M, H, Q]; None where the
        networks make their own.
    verdict: how good the forecasts were on the hold-out; None where the series were too short to
        hold anything back.
    history: rows of the training.
    cutoff: ordinal of the last training step of each series, [N].
    start: what training started from, with its SHA-256.
    fingerprint: of the panel that was fitted.
    notes: what a user should know about the fit.
    made: device, precision and processor of the training, and of a run when it was written (`at`,
    UTC), from which `file` and `until` which stamp; what an older run does not say is not there.
    """

    panel: Panel
    horizon: int
    context: int
    scaling: Scaling
    networks: list[TrainedNetwork]
    combination: Combination
    spread: Floats | None
    verdict: Verdict | None
    history: list[dict[str, Any]]
    cutoff: Ints
    start: dict[str, str]
    fingerprint: str
    notes: tuple[str, ...]
    made: dict[str, str]
    _habits: Habits | None = None

    def __init__(self, config: Config = Config()) -> None:  # noqa: B008 - frozen
        super().__init__(config)

    @property
    def guard(self) -> Combination:
        """The combination, under its name in `metrics.json`."""
        return self.combination

    @guard.setter
    def guard(self, combination: Combination) -> None:
        self.combination = combination

    @property
    def covariate_names(self) -> tuple[str, ...]:
        """The source of each covariate that the network reads: a column, calendar or holidays."""
        panel = self.with_calendar_inputs(self.panel, 0)
        return calendar.list_covariate_sources(panel, self.config.inputs)

    @property
    def probability(self) -> bool:
        """Whether the target is 0 or 1, and the forecast its probability of being 1."""
        return self.config.train.loss == "bernoulli"

    def predict(
        self,
        panel: Panel | None = None,
        *,
        horizon: int | None = None,
        quantiles: Sequence[float] = DEFAULT_LEVELS,
    ) -> "pd.DataFrame":
        """Forecast from the end of the training data, or from the last row of each series.

        Args:
            panel: later data, or other series; the run's history goes before series that are too
                short to look back on.
            horizon: steps to forecast (default: the trained horizon).
            quantiles: levels of the quantiles, between 0 and 1.

        Returns:
            A table with the series columns, the time column, `forecast` (the median) and a column
            for each quantile, such as `q10`.

        Raises:
            DataError: covariates known ahead are missing for a step of the horizon, or the panel
                does not go with that of the training, such as by values other than 0 and 1 where
                those were 0 and 1.
            UsageError: a level is not between 0 and 1.
        """
        import pandas as pd

        columns = self.columns(panel, horizon=horizon, quantiles=quantiles)
        return pd.DataFrame(columns)

    def columns(
        self,
        panel: Panel | None = None,
        *,
        horizon: int | None = None,
        quantiles: Sequence[float] = DEFAULT_LEVELS,
    ) -> dict[str, Any]:
        """Forecast as `predict` does, as columns by name.

        They need no pandas where the timestamps are texts or numbers.
        """
        if panel is None:
            panel = self.panel
        else:
            if self.probability:
                require_binary_values(panel)
            panel = with_training_history(panel, self.panel, self.context)

        horizon = horizon or self.horizon
        require_future_covariates(panel, horizon)
        series = np.arange(len(panel))
        origins = panel.lengths - 1
        levels = with_median(quantiles)
        forecasts = self.quantiles(panel, series, origins, horizon, levels)

        return panel.forecast_columns(
            series,
            origins,
            forecasts,
            levels,
            probability=self.probability,
            shown=quantiles,
        )

    def quantiles(
        self,
        panel: Panel,
        series: Ints,
        origins: Ints,
        horizon: int | None = None,
        levels: Sequence[float] | Floats = DEFAULT_LEVELS,
        *,
        strip: int = 1,
        as_it_is: bool = False,
    ) -> Floats:
        """Forecast quantiles [K, H, Q] of windows of a panel, from nothing after their origins.

        Steps beyond the trained horizon are reached recursively, on paths drawn from the
        forecaster's own quantiles. Values just before an origin that are unlikely, such as those of
        a day that is not over, are left out, and a level that has shifted is followed.

        Args:
            panel: holds the history of the windows.
            series: number of the series of each window, [K].
            origins: index in its series of the last step that each window may know, [K].
            horizon: steps to forecast (default: the trained horizon).
            levels: levels of the quantiles, [Q].
            strip: most windows with neighbouring origins that are read as one, which is faster;
                the later ones of a strip look back farther.
            as_it_is: whether unlikely values count like any others, as with `--last keep`.

        Raises:
            UsageError: a level is not between 0 and 1.
            DivergedError: a forecast is not a number.
        """
        levels = np.asarray(levels, dtype=np.float64)
        in_range = (levels > 0) & (levels < 1)
        if not in_range.all():
            raise UsageError(
                f"quantile levels {levels.tolist()} are out of range",
                "give numbers between 0 and 1",
            )

        series = np.asarray(series, dtype=np.int64)
        origins = np.asarray(origins, dtype=np.int64)
        horizon = horizon or self.horizon
        if as_it_is or self.takes_values_as_they_are:
            forecasts = self._quantiles_as_it_is(
                panel, series, origins, horizon, levels, strip
            )
        else:
            forecasts = np.empty((len(series), horizon, len(levels)))
            joint = self.config.inputs.joint
            seasons = self.scaling.seasons
            for part in split_windows(panel, series, origins, seasons, joint=joint):
                forecasts[part.windows] = self._quantiles_as_it_is(
                    *part[1:], horizon, levels, strip
                )

        # The one way out of here: nothing that is not a number passes.
        require_finite(forecasts)
        if self.probability or not len(series):
            return forecasts
        if self._habits is None or self._habits.panel is not self.panel:
            self._habits = Habits(self.panel)
        forecasts = self._habits.hold(forecasts, panel, series, origins, levels)
        return round_count_quantiles(forecasts, self.config.train.loss)

    def _quantiles_as_it_is(
        self,
        panel: Panel,
        series: Ints,
        origins: Ints,
        horizon: int,
        levels: Floats,
        strip: int,
    ) -> Floats:
        """Forecast quantiles [K, H, Q] of windows whose values are all taken as they are."""
        if self.combination.method:
            return forecast_by_method(self, panel, series, origins, horizon, levels)

        # Probabilities are not drawn from: there the decoder is asked for later steps directly.
        if horizon <= self.horizon or self.probability or not len(series):
            return self._quantiles_within_horizon(
                panel, series, origins, horizon, levels, strip
            )

        limits = ForecastLimits(
            self.horizon, self.memory, together=not self.config.inputs.joint
        )
        return forecast_recursively(
            self._quantiles_within_horizon,
            limits,
            panel,
            series,
            origins,
            horizon,
            levels,
        )

    def _quantiles_within_horizon(
        self,
        panel: Panel,
        series: Ints,
        origins: Ints,
        horizon: int,
        levels: Floats,
        strip: int = 1,
    ) -> Floats:
        """Forecast quantiles of windows that the networks reach at once, [K, H, Q]."""
        quantiles = np.empty((len(series), horizon, len(levels)))
        joint = self.config.inputs.joint
        panel = without_lines(panel, joint=joint)
        done = np.zeros(len(series), dtype=bool)
        for windows, past, numbers in iter_cut_windows(
            panel, series, origins, self.season, joint=joint
        ):
            last = origins[windows]
            quantiles[windows] = self._combined_quantiles(
                past, numbers, last, horizon, levels
            )
            done[windows] = True

        rest = np.flatnonzero(~done)
        if len(rest):
            quantiles[rest] = self._combined_quantiles(
                panel, series[rest], origins[rest], horizon, levels, strip
            )

        return quantiles

    def _combined_quantiles(
        self,
        panel: Panel,
        series: Ints,
        origins: Ints,
        horizon: int,
        levels: Floats,
        strip: int = 1,
    ) -> Floats:
        """Forecast by all networks and classical methods, and combine these, [K, H, Q]."""
        windows = self.windows_at_origins(panel, series, origins, horizon)
        # A distribution has every level itself; other networks know those they were trained for.
        any_level = self.networks[0].interval == "likelihood"
        network_levels: tuple[float, ...] = NETWORK_QUANTILES
        if any_level:
            network_levels += tuple(levels)

        spread = None
        if self.spread is not None:
            spread = match_horizon(self.spread, horizon)
            spread = spread[:, None]  # (M, 1, H, Q)

        members, candidates = forecast_windows(
            self.networks,
            windows,
            series,
            origins,
            network_levels,
            spread,
            strip,
            panel.start[series] + origins,
        )
        combined = combine_forecasts(self.combination, members, candidates)
        if any_level:
            quantiles = combined[..., len(NETWORK_QUANTILES) :]
        else:
            quantiles = interpolate_quantiles(combined, levels)

        lowest = windows.steps.state.low[series]
        return np.maximum(quantiles, lowest[:, None, None])

    def likelihood(
        self, panel: Panel, series: Ints, origins: Ints, horizon: int
    ) -> dict[str, float]:
        """Return the mean log-likelihood of the values observed after the origins [K].

        It is under the key `log_likelihood`; the result is empty unless the loss is the likelihood
        of a distribution.
        """
        if QUANTILE_SOURCES[self.config.train.loss] != "likelihood":
            return {}
        from lstmcast.network import diagnostics  # needs torch, as these losses do

        windows = self.windows_at_origins(panel, series, origins, horizon)
        densities = diagnostics.log_densities(self.networks, windows, series, origins)
        return diagnostics.mean_log_likelihood(densities, self.combination.members)

    def save(
        self,
        path: str | Path,
        *,
        force: bool = False,
        previous: PreviousVersion = "none",
    ) -> Path:
        """Write the run directory, with a manifest of the hashes of its files, and return its path.

        Args:
            path: the folder of the run.
            force: replace a run that is there.
            previous: which previous version the run keeps, see `runs.publish.publish_run`.

        Raises:
            RunError: the place is taken.
            LockedError: another process writes there.
        """
        return saved.save_forecaster(self, path, force=force, previous=previous)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Load the forecaster that `save` wrote; every file is verified before use.

        Raises RunError for what is not a run, or is damaged.
        """
        return saved.load_forecaster(cls, path)
