"""The season of a series as a picture: how much higher or lower than its mean, by day or month."""

import warnings
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.panel.panel import Panel
from lstmcast.ragged import Floats, Ints
from lstmcast.reporting.plots import FIGURE_WIDTH_INCHES, Picture, picture_style
from lstmcast.reporting.series_axes import (
    INK_COLOUR,
    MODEL_COLOUR,
    choose_marker,
    shorten_name,
    to_plot_times,
)
from lstmcast.scoring.wording import name_season

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_PLOTTED_CYCLES = 60
"""Newest seasons that a picture shows: what was long ago need not hold any more."""
MAX_TICKS = 12
"""Names that fit beside each other under a picture."""
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
_MINUTES_PER_DAY = 24 * 60


class SeasonPhases(NamedTuple):
    """The steps of a season as the calendar knows them, in the order of the data.

    names: of each step; steps of the same day of the week or month share one. rank: [m], what the
    calendar sorts them by: the week begins on Monday, the year in January, the day at midnight.
    """

    names: list[str]
    rank: Ints


def plot_season(panel: Panel, season: int) -> Picture | None:
    """Draw the season of the first series around its mean; None where it has none to show.

    Each thin line is one season, the thick one their median.
    """
    around = compute_season_around_mean(panel.series(0), season)
    if season < 2 or len(around) < 2:
        return None
    from matplotlib.figure import Figure

    with picture_style():
        figure = Figure(figsize=(FIGURE_WIDTH_INCHES, 3.1), layout="constrained")
        axes = figure.add_subplot()
        draw_season(axes, panel, season, around)
        words = name_season(panel.axis.freq, season, panel.axis.stretch)
        title = f"Season: the {words}" if words else f"Season of {season} steps"
        figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    owner = ""
    if len(panel) > 1:
        name = shorten_name(" / ".join(panel.keys[0]))
        owner = f" Shown is {name}, the first of {len(panel):,} series."
    caption = (
        f"Each thin line is one {words or 'season'} around its own mean, the thick one their"
        f" median.{owner}"
    )
    return Picture("season", title, caption, figure)


def draw_season(axes: "Axes", panel: Panel, season: int, around: Floats) -> None:
    """Draw seasons of the first series around their means, [cycles, m], in calendar order."""
    phases = name_phases(panel, season)
    order = np.argsort(phases.rank, kind="stable")
    around = around[:, order]
    places = np.arange(season)
    with warnings.catch_warnings():
        # A day on which the shop is always closed has no median: the line breaks there.
        warnings.simplefilter("ignore", RuntimeWarning)
        median = np.nanmedian(around, axis=0)

    axes.plot(places, around.T, color=INK_COLOUR, alpha=0.15, linewidth=0.7)
    marker = choose_marker(season)
    axes.plot(places, median, color=MODEL_COLOUR, linewidth=2, marker=marker)
    axes.axhline(0, color=INK_COLOUR, linewidth=0.6, linestyle=":")
    names = [phases.names[place] for place in order]
    ticks = _choose_ticks(names)
    axes.set_xticks(ticks, [names[place] for place in ticks])
    target = panel.columns.target[0]
    axes.set_ylabel(f"{shorten_name(target, 24)} against its mean")


def compute_season_around_mean(values: Floats, season: int) -> Floats:
    """Return the newest whole seasons around their own means, [cycles, m]."""
    if season < 1:
        return np.empty((0, 1))
    whole = values[len(values) % season :].reshape(-1, season)
    whole = whole[-MAX_PLOTTED_CYCLES:]
    # A season without a value has no mean.
    whole = whole[~np.isnan(whole).all(axis=1)]
    around: Floats = whole - np.nanmean(whole, axis=1, keepdims=True)
    return around


def name_phases(panel: Panel, season: int) -> SeasonPhases:
    """Return what the steps of a season are called that ends with the first series.

    Clock times for a day, weekdays for a week, months or quarters for a year; else numbers.
    """
    numbers = [str(step) for step in range(1, season + 1)]
    as_they_come = SeasonPhases(numbers, np.arange(season))
    if panel.axis.kind == "integer":
        return as_they_come
    length = int(panel.lengths[0])
    times: NDArray[np.datetime64] = to_plot_times(
        panel, 0, np.arange(length - season, length)
    )
    days = times.astype("M8[D]")
    minutes = (times - days).astype("m8[m]").astype(np.int64)
    # The first of January 1970 was a Thursday.
    weekdays = (days.astype(np.int64) + 3) % 7
    months = days.astype("M8[M]").astype(np.int64) % 12
    unit = name_season(panel.axis.freq, season, panel.axis.stretch)

    if unit == "day":
        clock = [f"{minute // 60:02}:{minute % 60:02}" for minute in minutes]
        return SeasonPhases(clock, minutes)
    if unit == "week":
        names = [_WEEKDAYS[day] for day in weekdays]
        return SeasonPhases(names, weekdays * _MINUTES_PER_DAY + minutes)
    if unit == "year" and season == 4:
        quarters = months // 3
        return SeasonPhases([f"Q{quarter + 1}" for quarter in quarters], quarters)
    if unit == "year":
        names = [_MONTHS[month] for month in months]
        year_days = (days - days.astype("M8[Y]")).astype(np.int64)
        return SeasonPhases(names, year_days * _MINUTES_PER_DAY + minutes)
    return as_they_come


def _choose_ticks(names: list[str]) -> list[int]:
    """Return the places whose names stand under the picture: where one begins, and evenly."""
    begins = [
        place
        for place, name in enumerate(names)
        if place == 0 or name != names[place - 1]
    ]
    stride = -(-len(begins) // MAX_TICKS)  # rounded up
    return begins[::stride]
