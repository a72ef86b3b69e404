"""What moves a forecast, as a picture: bars of inputs, and the past steps that it attends to."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lstmcast.evaluation.explain import Explanation, Factor
from lstmcast.panel.forecast_table import find_series_numbers
from lstmcast.panel.panel import Panel
from lstmcast.reporting.plots import (
    BASELINE_COLOUR,
    FIGURE_WIDTH_INCHES,
    MAX_PLOTTED_SERIES,
    Picture,
    picture_style,
)
from lstmcast.reporting.series_axes import (
    INK_COLOUR,
    MODEL_COLOUR,
    describe_shown_series,
    draw_series_line,
    label_series_axes,
    shorten_name,
    to_plot_times,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_DRAWN_FACTORS = 10
"""Inputs of each kind that are drawn: those that moved forecasts most."""
_KIND_TITLES = {
    "covariate": "Covariates",
    "lag": "Lags: values so many steps before the one that is forecast",
    "past step": "Past steps: the last value is 1",
}


def plot_explanation(explanation: Explanation, top: int = MAX_DRAWN_FACTORS) -> Picture:
    """Draw how far each input moved the forecasts, and how much larger errors are without it.

    top: inputs of each kind that are drawn.
    """
    from matplotlib.figure import Figure

    by_kind: dict[str, list[Factor]] = {}
    for factor in explanation.factors:
        by_kind.setdefault(factor.kind, []).append(factor)
    by_kind = {kind: factors[:top] for kind, factors in by_kind.items()}

    counts = [len(factors) for factors in by_kind.values()]
    with picture_style():
        height = 0.32 * sum(counts) + 0.8 * len(counts) + 0.7  # rows, titles, legend
        figure = Figure(figsize=(FIGURE_WIDTH_INCHES, height), layout="constrained")
        all_axes = figure.subplots(
            len(counts),
            squeeze=False,
            sharex=True,
            gridspec_kw={"height_ratios": [count + 1 for count in counts]},
        )
        for axes, (kind, factors) in zip(all_axes[:, 0], by_kind.items(), strict=True):
            _draw_factors(axes, kind, factors)
        all_axes[-1, 0].set_xlabel("in units of the seasonal naive's usual error")
        handles, labels = all_axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower left", ncols=2, fontsize=8)
        figure.suptitle("What moves the forecast", x=0.01, ha="left", fontsize=11)
    caption = (
        "Each input was taken away in turn: how far the forecast moves, and how much larger its"
        " error becomes."
    )
    return Picture("explanation", "What moves the forecast", caption, figure)


def plot_attention(panel: Panel, attention: pd.DataFrame) -> Picture:
    """Draw the last values of the first series, and how much the next forecast attends to each.

    attention: a table of `compute_attention`, shares of 1.
    """
    from matplotlib.figure import Figure

    owners = find_series_numbers(attention, panel)
    ordinals = panel.axis.ordinals(attention[panel.axis.name])
    count = min(len(panel), MAX_PLOTTED_SERIES)
    with picture_style():
        height = 2.4 * count + 0.7  # the title and the legend
        figure = Figure(figsize=(FIGURE_WIDTH_INCHES, height), layout="constrained")
        for i in range(count):
            axes = figure.add_subplot(count, 1, i + 1)
            steps = ordinals[owners == i] - panel.start[i]
            shares = attention["attention"].to_numpy(np.float64)[owners == i]
            values = panel.series(i)[steps]
            draw_series_line(axes, panel, i, steps, values, INK_COLOUR, "observed")
            label_series_axes(axes, panel, i)
            _draw_shares(axes, panel, i, steps, shares)
        handles, labels = figure.axes[0].get_legend_handles_labels()
        share_handles, share_labels = figure.axes[1].get_legend_handles_labels()
        figure.legend(
            handles + share_handles,
            labels + share_labels,
            loc="outside lower left",
            ncols=2,
            fontsize=8,
        )
        figure.suptitle(
            "Attention of the next forecast", x=0.01, ha="left", fontsize=11
        )
    caption = "How much the next forecast attends to each of the last values."
    shown = describe_shown_series(panel, MAX_PLOTTED_SERIES)
    return Picture(
        "attention",
        "Attention of the next forecast",
        f"{caption} {shown}".strip(),
        figure,
    )


def _draw_factors(axes: "Axes", kind: str, factors: list[Factor]) -> None:
    """Draw two bars for each input of a kind, the one that moved most on top."""
    places = np.arange(len(factors))
    moved = [factor.moved for factor in factors]
    helps = [factor.helps for factor in factors]
    axes.barh(
        places - 0.2, moved, 0.4, color=MODEL_COLOUR, label="moves the forecast by"
    )
    axes.barh(
        places + 0.2,
        helps,
        0.4,
        color=BASELINE_COLOUR,
        label="error without it grows by",
    )
    axes.set_yticks(places, [shorten_name(factor.name, 30) for factor in factors])
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_axisbelow(True)
    axes.axvline(0, color=INK_COLOUR, linewidth=0.6)
    axes.set_title(_KIND_TITLES.get(kind, kind), loc="left", fontsize=10)


def _draw_shares(
    axes: "Axes", panel: Panel, i: int, steps: np.ndarray, shares: np.ndarray
) -> None:
    """Draw shares of attention behind a series, on an axis of their own at the right."""
    right = axes.twinx()
    right.fill_between(
        to_plot_times(panel, i, steps),
        0,
        100 * shares,
        step="mid",
        color=MODEL_COLOUR,
        alpha=0.35,
        linewidth=0,
        label="attention",
    )
    right.set(ylabel="% of attention", ylim=(0, None))
    right.grid(visible=False)
    right.spines["right"].set_visible(True)
