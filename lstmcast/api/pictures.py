"""The pictures of a forecaster, as figures of pyplot: shown in notebooks, and by `plt.show()`.

Draws nothing itself: the pictures are those of `reporting`.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lstmcast.api.arguments import resolve_levels
from lstmcast.api.base import FrameForecaster
from lstmcast.errors import UsageError
from lstmcast.evaluation.backtest import evaluate
from lstmcast.evaluation.components import decompose_series
from lstmcast.panel.frames.native import to_native
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Ints
from lstmcast.reporting import plots
from lstmcast.reporting.chosen_series import choose_series, select_series
from lstmcast.reporting.component_plot import plot_series_components
from lstmcast.reporting.plots import MAX_PLOTTED_SERIES, Picture, require_matplotlib

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ChosenSeries = str | int | Sequence[str | int] | None


class PlottedForecaster(FrameForecaster):
    """A forecaster that draws its forecasts, what they are made of, and how far off they were."""

    def plot(
        self,
        data: Any = None,
        *,
        horizon: Any = None,
        future: Any = None,
        level: float | Sequence[float] | None = 80,
        series: ChosenSeries = None,
        history: int | None = None,
    ) -> Any:
        """Draw the newest values and the forecast, with its intervals.

            forecaster.plot(level=[80, 95], series=["airport", "harbour"])

        Args:
            data: as of `predict`.
            horizon: as of `predict`.
            future: as of `predict`.
            level: percent that the intervals should hold; none are drawn for [].
            series: those to draw: a name or a list of them (with slashes between the parts of one
                of several columns), a number of series, "worst" or "best" by their error on the
                hold-out (default: the first four).
            history: past steps to draw (default: four horizons or two seasons).

        Returns:
            The matplotlib Axes, of several series an array of them. In a notebook the figure is
            shown; in a program `plt.show()` does that.

        Raises:
            NotFittedError: before `fit`.
            UsageError: matplotlib is not installed (the extra `plot`), or a series is unknown.
        """
        require_matplotlib()
        known, steps, _ = self._read_to_predict(data, horizon, future)
        chosen = self._choose_series(known, series)
        levels = resolve_levels([] if level is None else level, None)
        # Series that are read together are forecast together.
        drawn = known if self.config.inputs.joint else known.select(chosen)
        forecast = pd.DataFrame(
            self.columns(drawn, horizon=steps, quantiles=levels or (0.5,))
        )
        if self.config.inputs.joint:
            drawn, forecast = select_series(drawn, forecast, chosen)
        picture = plots.plot_forecast(
            drawn, forecast, most=len(drawn), n_history=history
        )
        return show_pictures([picture])

    def plot_components(
        self,
        data: Any = None,
        *,
        horizon: Any = None,
        future: Any = None,
        series: str | int | None = None,
        history: int | None = None,
    ) -> Any:
        """Draw what one series and its forecast are made of, as `decompose` has it.

        A row each for level, trend, seasons, the effects of holidays and of other covariates known
        ahead, and the remainder. Covariates without an effect are left out.

        Args:
            data: as of `predict`.
            horizon: as of `predict`.
            future: as of `predict`.
            series: name of the series (default: the first one).
            history: past steps to draw (default: four horizons or two seasons).

        Returns:
            An array of matplotlib Axes, one a row; shown as of `plot`.

        Raises:
            NotFittedError: before `fit`.
            UsageError: matplotlib is not installed (the extra `plot`), or a series is unknown.
        """
        require_matplotlib()
        known, steps, _ = self._read_to_predict(data, horizon, future)
        chosen = self._choose_series(known, 1 if series is None else series)[:1]
        picture = plot_series_components(self, known, int(chosen[0]), steps, history)
        return show_pictures([picture])

    def plot_errors(self, data: Any = None) -> Any:
        """Draw how far off forecasts were: by step ahead, beside simple methods, and intervals.

        data: rows newer than the training, to score on (default: the windows that the fit held
        back). Returns an array of matplotlib Axes, one a picture; shown as of `plot`.

        Raises UsageError where matplotlib is not installed (the extra `plot`), or the data of the
        fit were too short to hold anything back.
        """
        require_matplotlib()
        self._require_fitted()
        verdict = self.verdict
        if data is not None:
            panel, _ = self._read(data)
            verdict = evaluate(self, panel).verdict
        if verdict is None:
            raise UsageError(
                "nothing was held back to score on: the series are too short",
                "give newer rows: plot_errors(frame)",
            )
        pictures = [plots.plot_error_by_step(verdict), plots.plot_baselines(verdict)]
        if not verdict.of_events:
            pictures.append(plots.plot_coverage(verdict))
        for picture in pictures:
            picture.figure.suptitle(picture.title, x=0.01, ha="left")
        return show_pictures(pictures)

    def decompose(
        self, data: Any = None, *, horizon: Any = None, future: Any = None
    ) -> Any:
        """Take series and their forecasts apart: level, trend, seasons, effects of covariates.

        data, horizon, future: as of `predict`.

        Returns:
            A frame with a row for each series and step, of the past and then of the horizon: the
            series columns, the time, the target, `forecast`, `level`, `trend` (change of the level
            in one step), `season_7` for a season of 7 steps, `effect_price` for each covariate
            known ahead, `effect_holidays`, and `remainder`. All but the trend add up to the target,
            and in the horizon to the forecast. Seasons and effects are those that the network is
            given; level and trend are of a double exponential smoothing of what they leave.

        Raises:
            NotFittedError: before `fit`.
            DataError: covariates known ahead are missing for a step of the horizon.
        """
        known, steps, kind = self._read_to_predict(data, horizon, future)
        return to_native(decompose_series(self, known, steps), kind)

    def _choose_series(self, panel: Panel, series: ChosenSeries) -> Ints:
        """Numbers of the series that are asked for."""
        if series is None:
            series = MAX_PLOTTED_SERIES
        if isinstance(series, str | int | np.integer):
            return choose_series(panel, str(series), self.verdict)
        return choose_series(panel, [str(name) for name in series], self.verdict)


def show_pictures(pictures: Sequence[Picture]) -> "Axes | np.ndarray[Any, Any]":
    """Hand figures to pyplot, which shows them; returns their axes, several as an array."""
    from matplotlib import pyplot

    for picture in pictures:
        # pyplot makes a figure by calling the class that it is given: it takes up this one instead.
        pyplot.figure(FigureClass=lambda *_, figure=picture.figure, **__: figure)  # type: ignore[arg-type]
    axes = [one for picture in pictures for one in picture.figure.axes]
    return axes[0] if len(axes) == 1 else np.array(axes)
