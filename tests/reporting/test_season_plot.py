"""The season of a series is drawn around its mean, with the names of the calendar."""

from dataclasses import replace

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
        # 2026-01-01 is a Thursday, so 400 days end with a Thursday.
        ("D", 7, "Fri", "Thu"),
        ("MS", 12, "May", "Apr"),
        ("QS", 4, "Q1", "Q4"),
        ("h", 24, "16:00", "15:00"),
        ("h", 168, "Sat", "Sat"),
        ("W", 52, "Sep", "Aug"),
        ("D", 5, "1", "5"),
    ],
)
def test_phases_have_the_names_of_the_calendar(
    freq: str, season: int, first: str, last: str
) -> None:
    names, rank = name_phases(panel_of(freq, 400), season)
    assert (len(names), names[0], names[-1]) == (season, first, last)
    assert len(np.unique(rank)) == season


def test_a_week_of_hours_has_a_name_a_day_from_monday_on() -> None:
    picture = plot_season(panel_of("h", 400), 168)
    assert picture and picture.title == "Season: the week"
    (axes,) = picture.figure.axes
    assert axes.get_xticks().tolist() == list(range(0, 168, 24))
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert labels == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


def test_a_day_without_any_value_is_a_break_and_no_warning() -> None:
    panel = panel_of("D", 28)
    panel = replace(panel, values=np.where(np.arange(28) % 7, panel.values, np.nan))
    picture = plot_season(panel, 7)
    assert picture
    (axes,) = picture.figure.axes
    median = next(line for line in axes.get_lines() if line.get_marker() == "o")
    assert np.isnan(median.get_ydata()).sum() == 1


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
