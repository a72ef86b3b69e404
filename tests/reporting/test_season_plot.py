"""The season of a series is drawn around its mean, with the names of the calendar."""

import numpy as np
import pandas as pd
import pytest

from lstmcast.panel.panel import Panel
from lstmcast.reporting.season_plot import (
    compute_season_around_mean,
    name_phases,
    plot_season,
)

pytest.importorskip("matplotlib", reason="needs the extra plot")


def panel_of(freq: str, count: int) -> Panel:
    stamps = pd.date_range("2026-01-01", periods=count, freq=freq)
    frame = pd.DataFrame({"time": stamps, "y": np.arange(count) % 7.0})
    return Panel.from_frame(frame, target="y", time="time")


@pytest.mark.parametrize(
    ("freq", "season", "first", "last"),
    [
        # 2026-01-01 is a Thursday, so 28 days end with a Wednesday.
        ("D", 7, "Thu", "Wed"),
        ("MS", 12, "May", "Apr"),
        ("h", 24, "04:00", "03:00"),
        ("D", 5, "1", "5"),
    ],
)
def test_phases_have_the_names_of_the_calendar(
    freq: str, season: int, first: str, last: str
) -> None:
    names = name_phases(panel_of(freq, 28), season)
    assert (len(names), names[0], names[-1]) == (season, first, last)


def test_each_season_is_seen_around_its_own_mean() -> None:
    values = np.array([9.0, 1.0, 3.0, 11.0, 13.0, np.nan, np.nan])
    around = compute_season_around_mean(values, 2)
    assert around.tolist() == [[-1.0, 1.0], [-1.0, 1.0]]


def test_a_week_is_drawn_from_monday_on() -> None:
    picture = plot_season(panel_of("D", 28), 7)
    assert picture
    (axes,) = picture.figure.axes
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert labels == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    # The values count from Thursday: Monday has 4 of 0 to 6, whose mean is 3.
    median = next(line for line in axes.get_lines() if line.get_marker() == "o")
    assert median.get_ydata().tolist() == [1, 2, 3, -3, -2, -1, 0]


def test_without_two_seasons_there_is_no_picture() -> None:
    assert plot_season(panel_of("D", 10), 7) is None
    assert plot_season(panel_of("D", 28), 1) is None
