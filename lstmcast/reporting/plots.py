"""Pictures of forecasts and of how good they were, drawn with matplotlib (the extra `plot`).

Each picture is a figure with a title and a caption in plain words. Names are drawn as they are,
never as formulas. Knows no terminal and no pages.

Axes: N series, H horizon, Q quantiles.
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
from lstmcast.panel.forecast_table import find_point_column, list_quantile_columns
from lstmcast.panel.panel import Panel
from lstmcast.runs.disk import write_file
from lstmcast.scoring.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK_COLOUR, MODEL_COLOUR, BASELINE_COLOUR = "#24292f", "#2f7ed8", "#d9822b"
PICTURE_FORMATS = ("png", "svg", "pdf")
FIGURE_WIDTH_INCHES = 6.4
"""Inches; narrow, so that letters stay readable on a phone."""
MAX_PLOTTED_SERIES = 4
"""Series of a panel that a picture shows: the first ones."""
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
    **dict.fromkeys(
        (
            "text.color",
            "axes.edgecolor",
            "axes.labelcolor",
            "xtick.color",
            "ytick.color",
            "grid.color",
        ),
        INK_COLOUR,
    ),
}
_METHOD_LABELS = {
    "model": "lstmcast",
    "naive": "repeating the last value",
    "seasonal_naive": "repeating the last season",
    "drift": "extending the line",
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
    """Return the form of a picture file by its extension; raises UsageError for one that is not known."""
    form = Path(file).suffix.lower().lstrip(".")
    if form not in PICTURE_FORMATS:
        raise UsageError(
            f"no picture is known by the extension of {file!r}",
            suggest_similar(form, PICTURE_FORMATS),
        )
    return form


def write_picture(picture: Picture, file: str | Path) -> None:
    """Write a picture; its extension is its form. Raises UsageError, or OSError where the place cannot be written."""
    write_file(file, encode_picture(picture, parse_picture_format(str(file))))


def encode_picture(picture: Picture, form: str) -> bytes:
    """Return a picture as bytes of one of FORMS: the same figure gives the same bytes."""
    out = io.BytesIO()
    undated: dict[str, Any] = {
        "png": {},
        "svg": {"Date": None},
        "pdf": {"CreationDate": None},
    }
    with picture_style():
        picture.figure.savefig(
            out, format=form, dpi=144, metadata=undated[form], transparent=form == "svg"
        )
    return out.getvalue()


def plot_forecast(panel: Panel, forecast: pd.DataFrame) -> Picture:
    """History and forecast of the first series, with the interval; `forecast` is a table of `Forecaster.predict`."""
    levels = list_quantile_columns(forecast)
    horizon = len(forecast) // len(panel)
    with picture_style():
        figure, places = _make_series_figure(panel, MAX_PLOTTED_SERIES)
        for i, axes in enumerate(places):
            rows = forecast.iloc[i * horizon : (i + 1) * horizon]
            last = int(panel.lengths[i])
            begin = max(0, last - max(4 * horizon, 2 * panel.axis.season, 40))
            draw_series_line(
                axes,
                panel,
                i,
                np.arange(begin, last),
                panel.series(i)[begin:],
                INK_COLOUR,
                "measured",
            )
            x = to_plot_times(panel, i, np.arange(last, last + horizon))
            _draw_interval(axes, x, rows, levels)
            axes.plot(
                x,
                rows[find_point_column(rows)],
                color=MODEL_COLOUR,
                label="forecast",
                marker=_choose_marker(horizon),
                markersize=3,
            )
            label_series_axes(axes, panel, i)
        places[0].legend(loc="upper left", ncols=3)
    inside = f" {_describe_coverage(levels)}" if len(levels) > 1 else ""
    caption = f"The last values that were measured, and the {horizon} steps ahead.{inside}{_describe_plotted_series(panel)}"
    return Picture("forecast", "Forecast", caption, figure)


def plot_backtest(panel: Panel, forecasts: pd.DataFrame) -> Picture:
    """What was forecast from past cutoffs and what came: `forecasts` is the table of a backtest or an evaluation."""
    levels = list_quantile_columns(forecasts)
    at = panel.axis.ordinals(forecasts[panel.axis.name])
    own = _series_numbers(panel, forecasts)
    with picture_style():
        figure, places = _make_series_figure(panel, MAX_PLOTTED_SERIES)
        for i, axes in enumerate(places):
            rows, steps = forecasts[own == i], at[own == i] - panel.start[i]
            first = int(steps.min(initial=int(panel.lengths[i])))
            begin = max(0, first - 2 * max(panel.axis.season, 10))
            shown = np.arange(begin, int(panel.lengths[i]))
            draw_series_line(
                axes, panel, i, shown, panel.series(i)[begin:], INK_COLOUR, "measured"
            )
            for number, (_, part) in enumerate(rows.groupby("cutoff", sort=False)):
                x = to_plot_times(panel, i, steps[rows.index.get_indexer(part.index)])
                _draw_interval(
                    axes,
                    x,
                    part,
                    [levels[0], levels[-1]] if len(levels) > 1 else levels,
                )
                axes.axvline(x[0], color=INK_COLOUR, linewidth=0.6, linestyle=":")
                label = "forecast" if number == 0 else None
                axes.plot(
                    x,
                    part[find_point_column(part)],
                    color=MODEL_COLOUR,
                    label=label,
                    marker=_choose_marker(len(part)),
                    markersize=3,
                )
            label_series_axes(axes, panel, i)
        places[0].legend(loc="upper left", ncols=3)
    caption = "Each dotted line is a past date: from there on the forecast knew nothing of what is drawn in black."
    return Picture(
        "backtest",
        "Forecasts from past dates",
        caption + _describe_plotted_series(panel),
        figure,
    )


def plot_error_by_step(verdict: Verdict) -> Picture:
    """Mean absolute (of probabilities squared) error at each step ahead, of the model and the best baseline."""
    measure, name = _choose_error_measure(verdict)
    steps = [row["step"] for row in verdict.by_step]
    with picture_style():
        figure, axes = _make_figure()
        own, rival = (
            [row[key] for row in verdict.by_step]
            for key in (measure, f"baseline_{measure}")
        )
        axes.plot(
            steps,
            own,
            color=MODEL_COLOUR,
            marker=_choose_marker(len(steps)),
            label="lstmcast",
        )
        axes.plot(
            steps,
            rival,
            color=BASELINE_COLOUR,
            marker=_choose_marker(len(steps)),
            label=_METHOD_LABELS[verdict.best_baseline],
        )
        axes.set(xlabel="steps ahead", ylabel=name, ylim=(0, None))
        axes.legend()
    return Picture(
        "error",
        "Error by step",
        "How far off it was on average, by how far ahead it looked.",
        figure,
    )


def plot_coverage(verdict: Verdict) -> Picture:
    """Share of the actual values inside the interval at each step of the horizon."""
    steps = [row["step"] for row in verdict.by_step]
    width = 100 * (verdict.interval[1] - verdict.interval[0])
    with picture_style():
        figure, axes = _make_figure()
        shares = [100 * row["coverage"] for row in verdict.by_step]
        axes.plot(
            steps,
            shares,
            color=MODEL_COLOUR,
            marker=_choose_marker(len(steps)),
            label="inside the interval",
        )
        axes.axhline(
            width,
            color=INK_COLOUR,
            linestyle="--",
            linewidth=1,
            label=f"aim: {width:.0f} %",
        )
        axes.set(xlabel="steps ahead", ylabel="% of actual values", ylim=(0, 105))
        axes.legend(loc="lower left")
    caption = f"Of the actual values, how many fell inside the {width:.0f} % interval; the dashed line is the aim."
    return Picture("coverage", "Are the intervals honest?", caption, figure)


def plot_training(history: Sequence[dict[str, Any]]) -> Picture:
    """Training and validation loss of every member, by training step."""
    with picture_style():
        figure, axes = _make_figure()
        members = list(dict.fromkeys(row["member"] for row in history))
        for number, member in enumerate(members):
            rows = [row for row in history if row["member"] == member]
            colour, steps = f"C{number % 10}", [row["step"] for row in rows]
            axes.plot(
                steps,
                [row["validation"] for row in rows],
                color=colour,
                marker="o",
                markersize=3,
                label=member,
            )
            axes.plot(
                steps,
                [row["loss"] for row in rows],
                color=colour,
                linestyle=":",
                linewidth=1,
            )
        axes.set(xlabel="training steps", ylabel="loss")
        axes.legend(fontsize=8)
    caption = "Error on data held back (lines) and on the training data (dotted) while each network learnt."
    return Picture("training", "Training", caption, figure)


def plot_baselines(verdict: Verdict) -> Picture:
    """Mean absolute (of probabilities squared) error of the model beside that of each baseline."""
    measure, name = _choose_error_measure(verdict)
    scores = {"model": verdict.model, **verdict.baselines}
    with picture_style():
        figure, axes = _make_figure(0.5 + 0.45 * len(scores))
        names = [_METHOD_LABELS[name] for name in scores]
        values = [row[measure] for row in scores.values()]
        bars = axes.barh(
            names, values, color=[MODEL_COLOUR] + [BASELINE_COLOUR] * (len(scores) - 1)
        )
        axes.bar_label(
            bars, [f"{value:.4g}" for value in values], padding=3, color=INK_COLOUR
        )
        axes.invert_yaxis()
        axes.grid(visible=False)
        axes.set(xlabel=name, xlim=(0, 1.15 * max(values, default=1)))
    return Picture(
        "methods",
        "Against simple methods",
        "How far off each was on average; shorter is better.",
        figure,
    )


@contextmanager
def picture_style() -> Iterator[None]:
    """Draw in the one style of all pictures; a sign that no font has is a box, not a warning."""
    require_matplotlib()
    import matplotlib

    with matplotlib.rc_context(_RC_PARAMS), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


def _make_figure(height: float = 2.8) -> "tuple[Figure, Axes]":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(FIGURE_WIDTH_INCHES, height), layout="constrained")
    return figure, figure.add_subplot()


def _make_series_figure(panel: Panel, most: int) -> "tuple[Figure, list[Axes]]":
    from matplotlib.figure import Figure

    count = min(len(panel), most)
    figure = Figure(
        figsize=(FIGURE_WIDTH_INCHES, 3.0 if count == 1 else 2.1 * count),
        layout="constrained",
    )
    return figure, [figure.add_subplot(count, 1, number + 1) for number in range(count)]


def draw_series_line(
    axes: "Axes",
    panel: Panel,
    i: int,
    steps: NDArray[Any],
    values: Any,
    colour: str,
    label: str,
) -> None:
    """Draw steps of series i; dots where there are few."""
    axes.plot(
        to_plot_times(panel, i, steps),
        values,
        color=colour,
        linewidth=1.2,
        label=label,
        marker=_choose_marker(len(steps), 8),
    )


def _draw_interval(
    axes: "Axes", x: Any, rows: pd.DataFrame, levels: Sequence[str]
) -> None:
    for low, high in zip(levels, reversed(levels), strict=True):
        if float(low[1:]) < float(high[1:]):
            axes.fill_between(
                x, rows[low], rows[high], color=MODEL_COLOUR, alpha=0.2, linewidth=0
            )


def to_plot_times(panel: Panel, i: int, steps: NDArray[Any]) -> NDArray[Any]:
    """The steps of series i as times that matplotlib knows, or as whole numbers."""
    instants = panel.axis.grid.instants(
        panel.start[i] + np.asarray(steps, dtype=np.int64)
    )
    return (
        instants
        if panel.axis.kind == "integer"
        else panel.axis.form.local(instants).view("M8[us]")
    )


def _series_numbers(panel: Panel, forecasts: pd.DataFrame) -> NDArray[np.int64]:
    if not panel.key_names:
        return np.zeros(len(forecasts), dtype=np.int64)
    numbers = {key: number for number, key in enumerate(panel.keys)}
    keys = zip(*(forecasts[name].astype(str) for name in panel.key_names), strict=True)
    return np.array([numbers.get(tuple(key), -1) for key in keys], dtype=np.int64)


def label_series_axes(axes: "Axes", panel: Panel, i: int) -> None:
    """Give a picture of series i its name and an axis of times."""
    name = " / ".join(panel.keys[i]) if panel.keys[i] else panel.columns.target[0]
    axes.set_title(
        name if len(name) <= 60 else f"{name[:59]}…", loc="left", fontsize=10
    )
    axes.margins(x=0.01)
    if panel.axis.kind != "integer":
        from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

        where = AutoDateLocator(maxticks=7)  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_locator(where)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(where))  # type: ignore[no-untyped-call]


def _describe_coverage(levels: Sequence[str]) -> str:
    share = float(levels[-1][1:]) - float(levels[0][1:])
    return f"Of 100 values to come, {share:g} should fall inside the shaded band."


def _choose_marker(points: int, few: int = 16) -> str:
    """A marker where there are so few points that a line alone would hide them."""
    return "o" if points <= few else ""


def _describe_plotted_series(panel: Panel) -> str:
    return (
        f" Shown are the first {MAX_PLOTTED_SERIES} of {len(panel):,} series."
        if len(panel) > MAX_PLOTTED_SERIES
        else ""
    )


def _choose_error_measure(verdict: Verdict) -> tuple[str, str]:
    """The error that is drawn, and its name."""
    return (
        ("brier", "mean squared error") if verdict.of_events else ("mae", "mean error")
    )
