"""The picture of a search of settings: the error of every trial beside that of the default."""

import math
from typing import Any

import numpy as np

from lstmcast.reporting.plots import (
    BASELINE_COLOUR,
    FIGURE_WIDTH_INCHES,
    Picture,
    picture_style,
)
from lstmcast.reporting.series_axes import (
    INK_COLOUR,
    MODEL_COLOUR,
    place_legend_beside_title,
)
from lstmcast.tuning.study import DONE, PRUNED
from lstmcast.tuning.tune import Tuning

MAX_PLOTTED_RATIO = 1.5
"""Trials that ended early with a greater ratio to the default's error are counted, not drawn."""


def plot_trials(found: Tuning) -> Picture:
    """Draw the trials in their order, and how the least error came down.

    Trials that finished all windows of the search are dots, those that ended early are rings.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    done = _list_ratios(found, DONE)
    ended = _list_ratios(found, PRUNED)
    # One that failed early would press all others together at the foot of the picture.
    shown = [(number, ratio) for number, ratio in ended if ratio <= MAX_PLOTTED_RATIO]

    with picture_style():
        figure = Figure(figsize=(FIGURE_WIDTH_INCHES, 3.0), layout="constrained")
        axes = figure.add_subplot()
        dashed: Any = {"linestyle": "--", "linewidth": 1}
        axes.axhline(1.0, color=BASELINE_COLOUR, label="default", **dashed)
        if done:
            numbers, ratios = np.array(done).T
            best = np.minimum.accumulate(ratios)  # the best trial so far
            axes.plot(
                numbers, best, color=MODEL_COLOUR, drawstyle="steps-post", linewidth=1
            )
            axes.plot(
                numbers,
                ratios,
                "o",
                color=MODEL_COLOUR,
                markersize=5,
                label="all windows",
            )
        if shown:
            numbers, ratios = np.array(shown).T
            ring: Any = {"color": INK_COLOUR, "fillstyle": "none", "markersize": 5}
            axes.plot(numbers, ratios, "o", label="ended early", **ring)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set(xlabel="trial", ylabel="error / that of the default")
        place_legend_beside_title(axes)
    caption = (
        f"Error ({found.measure}) of each trial over that of the default on the same windows of the"
        " search."
    )
    n_hidden = len(ended) - len(shown)
    if n_hidden:
        caption += f" {n_hidden} more ended early, above {MAX_PLOTTED_RATIO:g}."
    return Picture("tune", "Trials", caption, figure)


def _list_ratios(found: Tuning, state: str) -> list[tuple[int, float]]:
    """Return number and ratio to the default's error of the trials in a state that have one."""
    pairs = zip(found.trials, found.ratios(), strict=True)
    return [
        (trial.number, ratio)
        for trial, ratio in pairs
        if trial.state == state and not math.isnan(ratio)
    ]
