"""Pictures of forecasts and of how good they were, drawn with matplotlib (the extra `plot`).

Each picture is a figure with a title and a caption in plain words. Names are drawn as they are,
never as formulas. Knows no terminal and no pages.
"""

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from lstmcast.errors import UsageError, suggest_similar
from lstmcast.extras import require_extra
from lstmcast.panel.forecast_table import find_series_numbers
from lstmcast.panel.panel import Panel
from lstmcast.reporting.series_axes import (
    INK_COLOUR,
    MODEL_COLOUR,
    choose_marker,
    describe_intervals,
    describe_shown_series,
    draw_forecast_window,
    draw_legend,
    draw_observed,
    find_intervals,
    format_steps,
    label_series_axes,
    shorten_name,
    to_plot_times,
)
from lstmcast.runs.disk import write_file
from lstmcast.scoring.verdict import Verdict
from lstmcast.scoring.wording import describe_baseline, format_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BASELINE_COLOUR = "#d9822b"
PICTURE_FORMATS = ("png", "svg", "pdf")
FIGURE_WIDTH_INCHES = 6.4
"""Narrow, so that letters stay readable on a phone."""
MAX_PLOTTED_SERIES = 4
"""Series of a panel that a picture shows: the first ones."""
MIN_HISTORY_STEPS = 40
"""Least number of past steps beside a forecast, where the series has as many."""
_INK_PARAMS = (
    "text.color",
    "axes.edgecolor",
    "axes.labelcolor",
    "xtick.color",
    "ytick.color",
    "grid.color",
)
_RC_PARAMS: Any = {
    "text.parse_math": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "lstmcast",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.2,
    "legend.frameon": False,
    **dict.fromkeys(_INK_PARAMS, INK_COLOUR),
}
_METHOD_LABELS = {
    "model": "lstmcast",
    "naive": "repeating the last value",
    "drift": "extending the line",
    "mean": "the mean so far",
    "median": "the median so far",
    "base_rate": "always the share of ones so far",
}


class Picture(NamedTuple):
    """A figure, with the name of its file, its title and what it shows in words."""

    name: str
    title: str
    caption: str
    figure: "Figure"


def require_matplotlib() -> None:
    """Raise UsageError where matplotlib is not installed."""
    require_extra("pictures need", "plot", "matplotlib")


def parse_picture_format(file: str) -> str:
    """Return the format that a picture file's extension names; UsageError for an unknown one."""
    form = Path(file).suffix.lower().lstrip(".")
    if form not in PICTURE_FORMATS:
        raise UsageError(
            f"no picture is known by the extension of {file!r}",
            suggest_similar(form, PICTURE_FORMATS),
        )
    return form


def write_picture(picture: Picture, file: str | Path) -> None:
    """Write a picture in the format of the file's extension.

    Raises UsageError for an unknown one, OSError where the file cannot be written.
    """
    form = parse_picture_format(str(file))
    data = encode_picture(picture, form)
    write_file(file, data)


def encode_picture(picture: Picture, form: str) -> bytes:
    """Return a picture as bytes of one of PICTURE_FORMATS; the same figure gives the same bytes."""
    out = io.BytesIO()
    # Without the date of the writing, which SVG and PDF would hold.
    undated: dict[str, Any] = {
        "png": {},
        "svg": {"Date": None},
        "pdf": {"CreationDate": None},
    }
    metadata = undated[form]
    # A page shows its own colour behind an SVG, light or dark.
    is_transparent = form == "svg"
    with picture_style():
        picture.figure.savefig(
            out, format=form, dpi=144, metadata=metadata, transparent=is_transparent
        )
    return out.getvalue()


def plot_forecast(
    panel: Panel,
    forecast: pd.DataFrame,
    *,
    most: int = MAX_PLOTTED_SERIES,
    n_history: int | None = None,
) -> Picture:
    """Draw history and forecast of the first series, with each interval that the forecast has.

    forecast: a table of `Forecaster.predict`. most: series that are drawn at most. n_history: past
    steps (default: four horizons or two seasons).
    """
    intervals = find_intervals(forecast)
    horizon = len(forecast) // len(panel)
    usual_history = max(4 * horizon, 2 * panel.axis.season, MIN_HISTORY_STEPS)

    with picture_style():
        figure, series_axes = make_stacked_figure(min(len(panel), most))
        for i, axes in enumerate(series_axes):
            length = int(panel.lengths[i])
            begin = max(0, length - (n_history or usual_history))
            draw_observed(axes, panel, i, begin)
            rows = forecast.iloc[i * horizon : (i + 1) * horizon]
            draw_forecast_window(axes, panel, i, rows, length - 1, intervals)
            label_series_axes(axes, panel, i)
        draw_legend(figure, series_axes[0])
        ahead = format_steps(panel, horizon)
        title = _title_figure(figure, panel, f"Forecast of {{}}, {ahead} ahead")

    caption = _join_sentences(
        f"The last observed values, and the {ahead} ahead.",
        describe_intervals(intervals),
        describe_shown_series(panel, most),
    )
    return Picture("forecast", title, caption, figure)


def plot_backtest(
    panel: Panel,
    forecasts: pd.DataFrame,
    *,
    most: int = MAX_PLOTTED_SERIES,
    n_history: int | None = None,
) -> Picture:
    """Draw what was forecast from past cutoffs, and what was observed after them.

    forecasts: the table of a backtest or of an evaluation. most: series that are drawn at most.
    n_history: steps before the first cutoff (default: two seasons).
    """
    # One band only: those of several windows may lie over one another.
    intervals = find_intervals(forecasts)[:1]
    owners = find_series_numbers(forecasts, panel)
    cutoffs = panel.axis.ordinals(forecasts["cutoff"])
    n_history = n_history or 2 * max(panel.axis.season, 10)

    with picture_style():
        figure, series_axes = make_stacked_figure(min(len(panel), most))
        for i, axes in enumerate(series_axes):
            is_own = owners == i
            rows = forecasts[is_own]
            origins = cutoffs[is_own] - panel.start[i]
            first = int(origins.min(initial=int(panel.lengths[i]) - 1))
            draw_observed(axes, panel, i, max(0, first + 1 - n_history))
            for number, origin in enumerate(np.unique(origins)):
                window = rows[origins == origin]
                draw_forecast_window(
                    axes, panel, i, window, int(origin), intervals, labelled=not number
                )
                at_cutoff = to_plot_times(panel, i, np.array([origin]))
                axes.axvline(
                    at_cutoff[0], color=INK_COLOUR, linewidth=0.6, linestyle=":"
                )
            label_series_axes(axes, panel, i)
        draw_legend(figure, series_axes[0])
        title = _title_figure(figure, panel, "Forecasts of {} from past dates")

    caption = _join_sentences(
        "Each dotted line is a past date: from there on the forecast knew nothing of what is drawn"
        " in black.",
        describe_shown_series(panel, most),
    )
    return Picture("backtest", title, caption, figure)


def plot_error_by_step(verdict: Verdict) -> Picture:
    """Draw the error at each step ahead, of the model and of the best baseline.

    It is the mean absolute error, of probabilities the mean squared one.
    """
    measure, name = _choose_error_measure(verdict)
    steps = [row["step"] for row in verdict.by_step]
    marker = choose_marker(len(steps))
    baseline = label_method(verdict.best_baseline, verdict)
    lines = (
        (measure, "lstmcast", MODEL_COLOUR),
        (f"baseline_{measure}", baseline, BASELINE_COLOUR),
    )

    with picture_style():
        figure, axes = _make_figure()
        for key, label, colour in lines:
            errors = [row[key] for row in verdict.by_step]
            axes.plot(steps, errors, color=colour, marker=marker, label=label)
        axes.set(ylabel=name, ylim=(0, None))
        _label_steps_ahead(axes)
        axes.legend()
    caption = "How far off it was on average, by how far ahead it looked."
    return Picture("error", "Error by step", caption, figure)


def plot_coverage(verdict: Verdict) -> Picture:
    """Draw the share of the actual values inside the interval at each step of the horizon."""
    low, high = verdict.interval
    width = 100 * (high - low)
    steps = [row["step"] for row in verdict.by_step]
    shares = [100 * row["coverage"] for row in verdict.by_step]
    marker = choose_marker(len(steps))
    label = "inside the interval"
    aim = f"aim: {width:.0f} %"

    with picture_style():
        figure, axes = _make_figure()
        axes.plot(steps, shares, color=MODEL_COLOUR, marker=marker, label=label)
        axes.axhline(width, color=INK_COLOUR, linestyle="--", linewidth=1, label=aim)
        # From 0 to a little above 100: a coverage of all values does not lie on the frame.
        axes.set(ylabel="% of actual values", ylim=(0, 105))
        _label_steps_ahead(axes)
        axes.legend(loc="lower left")
    caption = (
        f"Of the actual values, how many fell inside the {width:.0f} % interval; the dashed line is"
        " the aim."
    )
    return Picture("coverage", "Are the intervals honest?", caption, figure)


def _label_steps_ahead(axes: "Axes") -> None:
    """Name the steps of the horizon, which are whole numbers."""
    from matplotlib.ticker import MaxNLocator

    axes.set_xlabel("steps ahead")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def plot_training(history: Sequence[dict[str, Any]]) -> Picture:
    """Draw the training and validation loss of every member, by training step."""
    rows_by_member: dict[str, list[dict[str, Any]]] = {}
    for row in history:
        rows_by_member.setdefault(row["member"], []).append(row)

    dots: Any = {"marker": "o", "markersize": 3}
    with picture_style():
        figure, axes = _make_figure()
        for number, (member, rows) in enumerate(rows_by_member.items()):
            # Both lines of a member in one colour, of matplotlib's cycle of ten.
            colour = f"C{number % 10}"
            steps = [row["step"] for row in rows]
            validation = [row["validation"] for row in rows]
            axes.plot(steps, validation, color=colour, label=member, **dots)
            loss = [row["loss"] for row in rows]
            axes.plot(steps, loss, color=colour, linestyle=":", linewidth=1)
        axes.set(xlabel="training steps", ylabel="loss")
        axes.locator_params(axis="x", integer=True)
        axes.legend(fontsize=8)
    caption = (
        "Error on data held back (lines) and on the training data (dotted) while each network"
        " learnt."
    )
    return Picture("training", "Training", caption, figure)


def plot_baselines(verdict: Verdict) -> Picture:
    """Draw the error of the model beside that of each baseline.

    It is the mean absolute error, of probabilities the mean squared one.
    """
    measure, axis_name = _choose_error_measure(verdict)
    scores = {"model": verdict.model, **verdict.baselines}
    names = [label_method(method, verdict) for method in scores]
    errors = [row[measure] for row in scores.values()]
    colours = [MODEL_COLOUR] + [BASELINE_COLOUR] * len(verdict.baselines)

    height = 0.5 + 0.45 * len(scores)  # the axis, and so much a bar
    with picture_style():
        figure, axes = _make_figure(height)
        bars = axes.barh(names, errors, color=colours)
        labels = list(map(format_figure, errors))
        axes.bar_label(bars, labels, padding=3, color=INK_COLOUR)
        axes.invert_yaxis()  # the model on top
        axes.grid(visible=False)
        # Room to the right of the longest bar for its number.
        right = 1.15 * max(errors, default=1)
        axes.set(xlabel=axis_name, xlim=(0, right))

    caption = "How far off each was on average; shorter is better."
    return Picture("methods", "Against simple methods", caption, figure)


@contextmanager
def picture_style() -> Iterator[None]:
    """Draw in the one style of all pictures; a character that no font has is a box, no warning."""
    require_matplotlib()
    import matplotlib

    with matplotlib.rc_context(_RC_PARAMS), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


def _make_figure(height: float = 2.8) -> "tuple[Figure, Axes]":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(FIGURE_WIDTH_INCHES, height), layout="constrained")
    return figure, figure.add_subplot()


def make_stacked_figure(count: int) -> "tuple[Figure, list[Axes]]":
    """Make a figure with axes for so many series, one below the other."""
    from matplotlib.figure import Figure

    height = 3.6 if count == 1 else 2.1 * count + 0.6  # the title and the legend
    figure = Figure(figsize=(FIGURE_WIDTH_INCHES, height), layout="constrained")
    # matplotlib counts places from 1.
    series_axes = [figure.add_subplot(count, 1, i + 1) for i in range(count)]
    return figure, series_axes


def _title_figure(figure: "Figure", panel: Panel, title: str) -> str:
    """Write the title, with the name of the target at its "{}", over a figure; returns it."""
    text = shorten_name(title.format(" and ".join(panel.columns.target)), 90)
    shown = len(figure.axes)
    # The caption is not part of a file: which series are shown must be said here.
    part = (
        f" (the first {shown} of {len(panel):,} series)" if shown < len(panel) else ""
    )
    figure.suptitle(text + part, x=0.01, ha="left", fontsize=11)
    return text


def _join_sentences(*sentences: str) -> str:
    return " ".join(filter(None, sentences))


def label_method(method: str, verdict: Verdict) -> str:
    """Return the plain words for a method of a verdict, with its own seasons."""
    return _METHOD_LABELS.get(method) or describe_baseline(verdict, method)


def _choose_error_measure(verdict: Verdict) -> tuple[str, str]:
    """Return the score that is drawn, and the name of its axis."""
    if verdict.of_events:
        return "brier", "mean squared error"
    return "mae", "mean error"
