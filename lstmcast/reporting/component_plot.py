"""What one series is made of as a picture: a row each for level, trend, seasons, effects, the rest.

Axes: T steps, H horizon.
"""

import numpy as np
import pandas as pd

from lstmcast.evaluation.components import (
    EFFECT_PREFIX,
    SEASON_PREFIX,
    decompose_series,
)
from lstmcast.forecasting.predictor import Predictor
from lstmcast.panel.panel import Panel
from lstmcast.reporting.plots import (
    FIGURE_WIDTH_INCHES,
    MIN_HISTORY_STEPS,
    Picture,
    picture_style,
)
from lstmcast.reporting.series_axes import (
    INK_COLOUR,
    MODEL_COLOUR,
    label_series_axes,
    to_plot_times,
)
from lstmcast.scoring.wording import name_season

_ROW_INCHES = 1.4


def plot_series_components(
    forecaster: Predictor,
    panel: Panel,
    series: int,
    horizon: int | None = None,
    n_history: int | None = None,
) -> Picture:
    """Take a series and its forecast apart, and draw what they are made of.

    Args:
        forecaster: whose seasons, scales and effects of covariates are used.
        panel: what to forecast from.
        series: the number of the series in the panel.
        horizon: steps ahead (default: the trained horizon).
        n_history: past steps to draw (default: four horizons or two seasons).

    Raises:
        DataError: covariates known ahead are missing for a step of the horizon.
    """
    horizon = horizon or forecaster.horizon
    one = panel.select(np.array([series]))
    if forecaster.config.inputs.joint:
        # Parts of a series that is read together with others depend on them.
        components = decompose_series(forecaster, panel, horizon)
        ends = np.cumsum(panel.lengths + horizon)
        end = int(ends[series])
        begin = end - int(one.lengths[0]) - horizon
        components = components.iloc[begin:end].reset_index(drop=True)
    else:
        components = decompose_series(forecaster, one, horizon)
    usual = max(4 * horizon, 2 * forecaster.season, MIN_HISTORY_STEPS)
    return plot_components(one, components, n_history or usual)


def plot_components(
    panel: Panel, components: pd.DataFrame, n_history: int | None = None
) -> Picture:
    """Draw the components of the first series, the past in black and the steps ahead in colour.

    components: of `evaluation.components.decompose_series` for this series, T + H rows. n_history:
    past steps (default: all of them).
    """
    length = int(panel.lengths[0])
    begin = 0 if n_history is None else max(0, length - n_history)
    past = np.arange(begin, length)
    # From the last observed step on, so that there is no gap.
    ahead = np.arange(length - 1, len(components))
    # The column before the forecast is the target.
    target = list(components).index("forecast") - 1
    value = components.iloc[:, target].fillna(components["forecast"])
    rows = {"": value} | {
        name_component(name, panel): components[name]
        for name in list_components(components)
    }
    from matplotlib.figure import Figure

    with picture_style():
        size = (FIGURE_WIDTH_INCHES, _ROW_INCHES * len(rows))
        figure = Figure(figsize=size, layout="constrained")
        stacked = figure.subplots(len(rows), sharex=True, squeeze=False)[:, 0]
        for axes, (title, values) in zip(stacked, rows.items(), strict=True):
            numbers = values.to_numpy()
            axes.plot(to_plot_times(panel, 0, past), numbers[past], color=INK_COLOUR)
            axes.plot(
                to_plot_times(panel, 0, ahead), numbers[ahead], color=MODEL_COLOUR
            )
            axes.set_title(title, loc="left", fontsize=9)
            if title and title != "level":
                axes.axhline(0, color=INK_COLOUR, linewidth=0.6, linestyle=":")
        label_series_axes(stacked[0], panel, 0)
    key = " / ".join(panel.keys[0])
    subject = f"the series {key}" if key else "the series"
    caption = (
        f"What {subject} is made of: level, seasons, effects and remainder add up to the values on"
        f" top. The last {len(ahead) - 1} steps are forecast."
    )
    return Picture("components", "Components", caption, figure)


def list_components(components: pd.DataFrame) -> list[str]:
    """Return the columns of components that are not 0 throughout, in their order."""
    # They come after the forecast.
    first = list(components).index("forecast") + 1
    return [str(name) for name in components.columns[first:] if components[name].any()]


def name_component(name: str, panel: Panel) -> str:
    """Return a component in plain words."""
    if name.startswith(SEASON_PREFIX):
        steps = int(name.removeprefix(SEASON_PREFIX))
        words = name_season(panel.axis.freq, steps, panel.axis.stretch)
        steps_words = f"season of {steps} steps"
        return f"{steps_words} (the {words})" if words else steps_words
    if name.startswith(EFFECT_PREFIX):
        return f"effect of {name.removeprefix(EFFECT_PREFIX)}"
    return {"trend": "trend: change of the level in a step"}.get(name, name)
