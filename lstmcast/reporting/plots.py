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
from numpy.typing import NDArray

from lstmcast.errors import UsageError, suggest_similar
from lstmcast.extras import require_extra
from lstmcast.panel.forecast_table import (
    find_point_column,
    find_series_numbers,
    list_quantile_columns,
)
from lstmcast.panel.panel import Panel
from lstmcast.runs.disk import write_file
from lstmcast.scoring.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK_COLOUR, MODEL_COLOUR, BASELINE_COLOUR = "#24292f", "#2f7ed8", "#d9822b"
PICTURE_FORMATS = ("png", "svg", "pdf")
FIGURE_WIDTH_INCHES = 6.4
"""Narrow, so that letters stay readable on a phone."""
MAX_PLOTTED_SERIES = 4
"""Series of a panel that a picture shows: the first ones."""
MAX_TITLE_CHARS = 60
"""Characters of a series' name in a picture; longer names are cut."""
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
    "seasonal_naive": "repeating the last season",
    "seasonal_naive_2": "repeating the last long season",
    "drift": "extending the line",
    "mean": "the mean so far",
    "median": "the median so far",
    "seasonal_mean": "the mean of four seasons",
    "seasonal_mean_2": "the mean of four long seasons",
    "theta": "the theta method",
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
    """Draw history and forecast of the first series, with the interval.

    forecast: a table of `Forecaster.predict`. most: series that are drawn at most. n_history: past
    steps (default: four horizons or two seasons).
    """
    levels = list_quantile_columns(forecast)
    horizon = len(forecast) // len(panel)
    usual_history = max(4 * horizon, 2 * panel.axis.season, MIN_HISTORY_STEPS)

    with picture_style():
        figure, series_axes = _make_series_figure(panel, most)
        for i, axes in enumerate(series_axes):
            length = int(panel.lengths[i])
            begin = max(0, length - (n_history or usual_history))
            _draw_observed(axes, panel, i, begin)
            rows = forecast.iloc[i * horizon : (i + 1) * horizon]
            times = to_plot_times(panel, i, np.arange(length, length + horizon))
            _draw_interval(axes, times, rows, levels)
            _draw_point_forecast(axes, times, rows, "forecast")
            _join_to_history(axes, panel, i, rows)
            label_series_axes(axes, panel, i)
        series_axes[0].legend(loc="upper left", ncols=3)

    caption = _join_sentences(
        f"The last observed values, and the {horizon} steps ahead.",
        _describe_coverage(levels),
        describe_shown_series(panel, most),
    )
    return Picture("forecast", "Forecast", caption, figure)


def plot_backtest(panel: Panel, forecasts: pd.DataFrame) -> Picture:
    """Draw what was forecast from past cutoffs, and what was observed after them.

    forecasts: the table of a backtest or of an evaluation.
    """
    levels = list_quantile_columns(forecasts)
    # One band only: those of several windows may lie over one another.
    outer = [levels[0], levels[-1]] if len(levels) > 1 else levels
    ordinals = panel.axis.ordinals(forecasts[panel.axis.name])
    owners = find_series_numbers(forecasts, panel)
    n_history = 2 * max(panel.axis.season, 10)

    with picture_style():
        figure, series_axes = _make_series_figure(panel)
        for i, axes in enumerate(series_axes):
            is_own = owners == i
            rows = forecasts[is_own]
            steps = ordinals[is_own] - panel.start[i]
            length = int(panel.lengths[i])
            first = int(steps.min(initial=length))
            begin = max(0, first - n_history)
            _draw_observed(axes, panel, i, begin)
            windows = rows.groupby("cutoff", sort=False)
            for number, (_, window) in enumerate(windows):
                places = rows.index.get_indexer(window.index)
                times = to_plot_times(panel, i, steps[places])
                _draw_interval(axes, times, window, outer)
                axes.axvline(times[0], color=INK_COLOUR, linewidth=0.6, linestyle=":")
                # Once in the legend.
                label = "forecast" if number == 0 else None
                _draw_point_forecast(axes, times, window, label)
            label_series_axes(axes, panel, i)
        series_axes[0].legend(loc="upper left", ncols=3)

    caption = _join_sentences(
        "Each dotted line is a past date: from there on the forecast knew nothing of what is drawn"
        " in black.",
        describe_shown_series(panel, MAX_PLOTTED_SERIES),
    )
    return Picture("backtest", "Forecasts from past dates", caption, figure)


def plot_error_by_step(verdict: Verdict) -> Picture:
    """Draw the error at each step ahead, of the model and of the best baseline.

    It is the mean absolute error, of probabilities the mean squared one.
    """
    measure, name = _choose_error_measure(verdict)
    steps = [row["step"] for row in verdict.by_step]
    marker = _choose_marker(len(steps))
    baseline = _label_method(verdict.best_baseline)
    lines = (
        (measure, "lstmcast", MODEL_COLOUR),
        (f"baseline_{measure}", baseline, BASELINE_COLOUR),
    )

    with picture_style():
        figure, axes = _make_figure()
        for key, label, colour in lines:
            errors = [row[key] for row in verdict.by_step]
            axes.plot(steps, errors, color=colour, marker=marker, label=label)
        axes.set(xlabel="steps ahead", ylabel=name, ylim=(0, None))
        axes.legend()
    caption = "How far off it was on average, by how far ahead it looked."
    return Picture("error", "Error by step", caption, figure)


def plot_coverage(verdict: Verdict) -> Picture:
    """Draw the share of the actual values inside the interval at each step of the horizon."""
    low, high = verdict.interval
    width = 100 * (high - low)
    steps = [row["step"] for row in verdict.by_step]
    shares = [100 * row["coverage"] for row in verdict.by_step]
    marker = _choose_marker(len(steps))
    label = "inside the interval"
    aim = f"aim: {width:.0f} %"

    with picture_style():
        figure, axes = _make_figure()
        axes.plot(steps, shares, color=MODEL_COLOUR, marker=marker, label=label)
        axes.axhline(width, color=INK_COLOUR, linestyle="--", linewidth=1, label=aim)
        # From 0 to a little above 100: a coverage of all values does not lie on the frame.
        axes.set(xlabel="steps ahead", ylabel="% of actual values", ylim=(0, 105))
        axes.legend(loc="lower left")
    caption = (
        f"Of the actual values, how many fell inside the {width:.0f} % interval; the dashed line is"
        " the aim."
    )
    return Picture("coverage", "Are the intervals honest?", caption, figure)


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
    names = [_label_method(method) for method in scores]
    errors = [row[measure] for row in scores.values()]
    colours = [MODEL_COLOUR] + [BASELINE_COLOUR] * len(verdict.baselines)

    height = 0.5 + 0.45 * len(scores)  # the axis, and so much a bar
    with picture_style():
        figure, axes = _make_figure(height)
        bars = axes.barh(names, errors, color=colours)
        labels = [f"{error:.4g}" for error in errors]
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


def _make_series_figure(
    panel: Panel, most: int = MAX_PLOTTED_SERIES
) -> "tuple[Figure, list[Axes]]":
    """Make a figure with axes for each of the first series, one below the other."""
    from matplotlib.figure import Figure

    count = min(len(panel), most)
    height = 3.0 if count == 1 else 2.1 * count
    figure = Figure(figsize=(FIGURE_WIDTH_INCHES, height), layout="constrained")
    # matplotlib counts places from 1.
    series_axes = [figure.add_subplot(count, 1, i + 1) for i in range(count)]
    return figure, series_axes


def draw_series_line(
    axes: "Axes",
    panel: Panel,
    i: int,
    steps: NDArray[Any],
    values: Any,
    colour: str,
    label: str,
) -> None:
    """Draw steps of series i as a line, with dots where there are few."""
    axes.plot(
        to_plot_times(panel, i, steps),
        values,
        color=colour,
        linewidth=1.2,
        label=label,
        marker=_choose_marker(len(steps), 8),
    )


def _draw_observed(axes: "Axes", panel: Panel, i: int, begin: int) -> None:
    """Draw what was observed of series i, from a step on."""
    end = int(panel.lengths[i])
    steps = np.arange(begin, end)
    values = panel.series(i)[begin:]
    draw_series_line(axes, panel, i, steps, values, INK_COLOUR, "observed")


def _join_to_history(axes: "Axes", panel: Panel, i: int, rows: pd.DataFrame) -> None:
    """Draw the way from the last observed value of series i to its forecast."""
    last = int(panel.lengths[i]) - 1
    value = panel.series(i)[last]
    point = rows[find_point_column(rows)].iloc[0]
    times = to_plot_times(panel, i, np.array([last, last + 1]))
    axes.plot(times, [value, point], color=MODEL_COLOUR, linewidth=1.5)


def _draw_point_forecast(
    axes: "Axes", times: Any, rows: pd.DataFrame, label: str | None
) -> None:
    values = rows[find_point_column(rows)]
    marker = _choose_marker(len(rows))
    axes.plot(
        times, values, color=MODEL_COLOUR, label=label, marker=marker, markersize=3
    )


def _draw_interval(
    axes: "Axes", times: Any, rows: pd.DataFrame, levels: Sequence[str]
) -> None:
    """Shade between the outermost levels, then the next ones, and so on: darker to the middle."""
    for low, high in zip(levels, reversed(levels), strict=True):
        # Past the middle the pairs come again, the other way around.
        if float(low[1:]) < float(high[1:]):
            axes.fill_between(
                times, rows[low], rows[high], color=MODEL_COLOUR, alpha=0.2, linewidth=0
            )


def to_plot_times(panel: Panel, i: int, steps: NDArray[Any]) -> NDArray[Any]:
    """Return steps of series i as local times that matplotlib knows, or as whole numbers."""
    offsets = np.asarray(steps, dtype=np.int64)
    ordinals = panel.start[i] + offsets
    instants = panel.axis.grid.instants(ordinals)
    if panel.axis.kind == "integer":
        return instants
    return panel.axis.form.local(instants).view("M8[us]")


def label_series_axes(axes: "Axes", panel: Panel, i: int) -> None:
    """Give the axes of series i its name and marks of time."""
    key = panel.keys[i]
    # A single series has no key: it goes by the name of what is forecast.
    name = " / ".join(key) if key else panel.columns.target[0]
    if len(name) > MAX_TITLE_CHARS:
        name = f"{name[: MAX_TITLE_CHARS - 1]}…"
    axes.set_title(name, loc="left", fontsize=10)
    axes.margins(x=0.01)
    if panel.axis.kind != "integer":
        from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

        locator = AutoDateLocator(maxticks=7)  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]


def place_legend_beside_title(axes: "Axes", **style: Any) -> None:
    """Draw the legend above the picture at the right, where the title leaves room."""
    axes.legend(
        loc="lower right",
        bbox_to_anchor=(1, 1),
        borderaxespad=0.2,
        ncols=3,
        fontsize=8,
        **style,
    )


def describe_shown_series(panel: Panel, most: int) -> str:
    """Return a sentence that says which series are shown, or "" where all are."""
    if len(panel) <= most:
        return ""
    return f"Shown are the first {most} of {len(panel):,} series."


def _describe_coverage(levels: Sequence[str]) -> str:
    """Return a sentence on the interval between the outermost levels, "" where there is none."""
    if len(levels) < 2:
        return ""
    low = float(levels[0][1:])  # of a name such as q10
    high = float(levels[-1][1:])
    percent = high - low
    return f"Of 100 values to come, {percent:g} should fall inside the shaded band."


def _join_sentences(*sentences: str) -> str:
    return " ".join(filter(None, sentences))


def _choose_marker(n_points: int, few: int = 16) -> str:
    """Return a marker where there are so few points that a line without dots would hide them."""
    return "o" if n_points <= few else ""


def _label_method(method: str) -> str:
    # A run of a later version may have a method that has no words here.
    return _METHOD_LABELS.get(method, "another simple method")


def _choose_error_measure(verdict: Verdict) -> tuple[str, str]:
    """Return the score that is drawn, and the name of its axis."""
    if verdict.of_events:
        return "brier", "mean squared error"
    return "mae", "mean error"
