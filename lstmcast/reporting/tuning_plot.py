"""The picture of a search of settings: how every trial did beside the default, and how the best came down."""

import math

import numpy as np

from lstmcast.reporting.plots import (
    BASELINE_COLOUR,
    FIGURE_WIDTH_INCHES,
    INK_COLOUR,
    MODEL_COLOUR,
    Picture,
    picture_style,
)
from lstmcast.tuning.study import DONE, PRUNED
from lstmcast.tuning.tune import Tuning

MAX_PLOTTED_RATIO = 1.5
"""Ratio above which a trial is only counted: how much worse it was is of no interest."""


def plot_trials(found: Tuning) -> Picture:
    """Trials in their order: dots for those that did all windows of the search, rings for those that ended early."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    every = [
        (one, ratio)
        for one, ratio in zip(found.trials, found.ratios(), strict=True)
        if not math.isnan(ratio)
    ]
    done = [(one.number, ratio) for one, ratio in every if one.state == DONE]
    ended = [(one.number, ratio) for one, ratio in every if one.state == PRUNED]
    shown = [pair for pair in ended if pair[1] <= MAX_PLOTTED_RATIO]
    with picture_style():
        figure = Figure(figsize=(FIGURE_WIDTH_INCHES, 3.0), layout="constrained")
        axes = figure.add_subplot()
        axes.axhline(
            1.0, color=BASELINE_COLOUR, linestyle="--", linewidth=1, label="default"
        )
        if done:
            numbers, ratios = np.array(done).T
            axes.plot(
                numbers,
                np.minimum.accumulate(ratios),
                color=MODEL_COLOUR,
                drawstyle="steps-post",
                linewidth=1,
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
            axes.plot(
                *np.array(shown).T,
                "o",
                color=INK_COLOUR,
                fillstyle="none",
                markersize=5,
                label="ended early",
            )
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set(xlabel="trial", ylabel="error / that of the default")
        axes.legend(
            loc="lower right",
            bbox_to_anchor=(1, 1),
            borderaxespad=0.2,
            ncols=3,
            fontsize=8,
        )
    caption = f"Error ({found.measure}) of each trial over that of the default on the same windows of the search."
    far = len(ended) - len(shown)
    return Picture(
        "tune",
        "Trials",
        caption
        + (f" {far} more ended early, above {MAX_PLOTTED_RATIO:g}." if far else ""),
        figure,
    )
