"""The season of a series as a picture: how much higher or lower than its mean, by day or month."""

import numpy as np
from numpy.typing import NDArray

from lstmcast.panel.panel import Panel
from lstmcast.ragged import Floats
from lstmcast.reporting.plots import (
    FIGURE_WIDTH_INCHES,
    INK_COLOUR,
    MODEL_COLOUR,
    Picture,
    picture_style,
    to_plot_times,
)

MAX_PLOTTED_CYCLES = 60
"""Newest seasons that a picture shows: what was long ago need not hold any more."""
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)


def plot_season(panel: Panel, season: int) -> Picture | None:
    """Draw the season of the first series around its mean; None where it has none to show.

    Each thin line is one season, the thick one their median.
    """
    around = compute_season_around_mean(panel.series(0), season)
    if season < 2 or len(around) < 2:
        return None
    from matplotlib.figure import Figure

    names = name_phases(panel, season)
    # In the order of the calendar: the week begins on Monday, the year in January.
    order = np.arange(season)
    if names[0] in _WEEKDAYS + _MONTHS:
        calendar = _WEEKDAYS + _MONTHS
        order = np.argsort([calendar.index(name) for name in names])
    around = around[:, order]
    places = np.arange(season)

    with picture_style():
        figure = Figure(figsize=(FIGURE_WIDTH_INCHES, 2.8), layout="constrained")
        axes = figure.add_subplot()
        axes.plot(places, around.T, color=INK_COLOUR, alpha=0.15, linewidth=0.7)
        median = np.nanmedian(around, axis=0)
        axes.plot(places, median, color=MODEL_COLOUR, linewidth=2, marker="o")
        axes.axhline(0, color=INK_COLOUR, linewidth=0.6, linestyle=":")
        stride = -(-season // 12)  # rounded up: twelve names fit beside each other
        shown = places[::stride]
        labels = [names[order[place]] for place in shown]
        axes.set_xticks(shown, labels)
        axes.set_ylabel("above or below the mean")
    caption = (
        f"Each thin line is one season of {season} steps around its own mean, the thick one their"
        " median."
    )
    return Picture("season", "Season", caption, figure)


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


def name_phases(panel: Panel, season: int) -> list[str]:
    """Return a name for each step of a season that ends with the first series.

    Weekdays for a week of days, months for a year of months, clock times for a day; else numbers.
    """
    numbers = [str(step) for step in range(1, season + 1)]
    if panel.axis.kind == "integer":
        return numbers
    length = int(panel.lengths[0])
    times: NDArray[np.datetime64] = to_plot_times(
        panel, 0, np.arange(length - season, length)
    )
    days = times.astype("M8[D]")
    within_day = times - days
    freq = panel.axis.freq
    if season == 7 and freq == "D":
        # The first of January 1970 was a Thursday.
        weekdays = (days.astype(np.int64) + 3) % 7
        return [_WEEKDAYS[day] for day in weekdays]
    if season == 12 and freq.startswith("M"):
        months = days.astype("M8[M]").astype(np.int64) % 12
        return [_MONTHS[month] for month in months]
    span = times[-1] - times[0]
    if span < np.timedelta64(1, "D"):
        minutes = within_day.astype("m8[m]").astype(np.int64)
        return [f"{minute // 60:02}:{minute % 60:02}" for minute in minutes]
    return numbers
