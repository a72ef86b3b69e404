"""What a run reads a panel by: its seasons and scales, its context, and the windows they make.

Knows neither networks nor files.

Axes: N series, K windows, H horizon.
"""

from dataclasses import replace

import numpy as np

from lstmcast.config import Last
from lstmcast.features.joint import joint_inputs
from lstmcast.features.preprocessing import Scaling, fit_scaling
from lstmcast.features.scaler import ScalerState
from lstmcast.features.steps import Seasons
from lstmcast.features.windows import Windows
from lstmcast.forecasting.estimator import Estimator
from lstmcast.forecasting.recent import describe_recent, without_unlikely_values
from lstmcast.panel import calendar
from lstmcast.panel.gaps import without_lines
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Ints
from lstmcast.timeaxis.axis import TimeAxis


class RunInputs(Estimator):
    """The side of a run that panels come in by; the attributes are those of a `Predictor`."""

    panel: Panel
    context: int
    lead: int = 0
    scaling: Scaling

    def set_last(self, last: Last) -> None:
        """Set whether the newest values count in forecasts, see `config.DataConfig`."""
        data = replace(self.config.data, last=last)
        self.config = replace(self.config, data=data)

    @property
    def takes_values_as_they_are(self) -> bool:
        """Whether no value is too unlikely to forecast from."""
        of_events = self.config.train.loss == "bernoulli"
        return of_events or self.config.data.last == "keep"

    def describe_recent(self, panel: Panel) -> list[str]:
        """Say which newest values of a panel are unlikely, and which levels have shifted."""
        if self.takes_values_as_they_are:
            return []
        return describe_recent(panel, self.scaling.seasons)

    def without_unlikely_values(self, panel: Panel) -> Panel:
        """Return a panel to score against: unlikely newest values are no forecaster's fault."""
        if self.takes_values_as_they_are:
            return panel
        return without_unlikely_values(panel, self.scaling.seasons)

    @property
    def axis(self) -> TimeAxis:
        """The time axis of the panel."""
        return self.panel.axis

    @property
    def season(self) -> int:
        """Steps of the main season, 1 where there is none."""
        return self.scaling.seasons.main

    @property
    def memory(self) -> int:
        """Past steps that a forecast depends on: the context, and what features remember of more.

        Moving averages and ages weigh steps by how long ago they were; after some dozen seasons
        what is left of a step hardly changes a forecast.
        """
        main, second, third = self.scaling.seasons
        of_features = max(40 * main, 20 * second, 10 * third, 200)
        return 2 * self.context + of_features

    def fit_scaling(
        self, panel: Panel, seasons: Seasons, ends: Ints | None = None
    ) -> Scaling:
        """Fit scales and transforms to the first `ends` [N] steps of each series of a panel."""
        panel = without_lines(panel, joint=self.config.inputs.joint)
        return fit_scaling(panel, seasons, self.config, ends)

    def with_calendar_inputs(self, panel: Panel, horizon: int) -> Panel:
        """Return the panel with calendar and holidays as covariates, `horizon` steps ahead."""
        return calendar.with_calendar_covariates(panel, self.config.inputs, horizon)

    def windows_at_origins(
        self, panel: Panel, series: Ints, origins: Ints, horizon: int
    ) -> Windows:
        """Return the windows of any panel, for forecasts of `series` [K] from `origins` [K].

        Series that were not trained on are scaled by what lies before their origins.
        """
        trained = panel.align(self.panel)
        ends = panel.lengths.copy()
        np.minimum.at(ends, series, origins + 1)
        scaler = self.scaling.scaler_for_panel(panel, trained, ends)
        return self.build_windows(panel, scaler, horizon, trained, ends)

    def build_windows(
        self, panel: Panel, scaler: ScalerState, horizon: int, trained: Ints, ends: Ints
    ) -> Windows:
        """Build the windows of a panel, its covariates and their effects included.

        Args:
            panel: any panel with the covariates of the training.
            scaler: scales of its series.
            horizon: steps ahead of each origin.
            trained: number of each series in the training, [N]; -1 for one that is new.
            ends: steps of each new series from which effects of covariates may be fitted, [N].
        """
        panel = without_lines(panel, joint=self.config.inputs.joint)
        longest = int(self.panel.lengths.max())
        stride = min(2 * self.context, longest)
        panel = self.with_calendar_inputs(panel, horizon)
        effect = self.scaling.effect(panel, scaler, trained, ends)
        steps = self.scaling.steps(panel, scaler, effect)
        joint = None
        if self.config.inputs.joint:
            joint = joint_inputs(panel, steps)

        covariates = self.scaling.covariates(panel, effect, joint)
        return Windows(steps, horizon, self.context, stride, covariates, self.lead)
