"""One series on the axes of a picture."""

import numpy as np
import pandas as pd
from matplotlib.dates import date2num
from matplotlib.figure import Figure

from lstmcast.panel.panel import Panel
from lstmcast.reporting.series_axes import (
    describe_intervals,
    draw_forecast_window,
    draw_legend,
    draw_observed,
    find_intervals,
    label_series_axes,
    shorten_name,
    shorten_stamps,
    to_plot_times,
)


def make_panel() -> Panel:
    stamps = pd.date_range("2026-01-01", periods=20)
    return Panel.from_frame(
        pd.DataFrame({"day": stamps, "units": np.arange(20.0)}),
        target="units",
        time="day",
    )


ROWS = pd.DataFrame(
    {
        "forecast": [21.0, 22.0],
        "q2.5": [17.0, 16.0],
        "q10": [19.0, 18.0],
        "q50": [21.0, 22.0],
        "q90": [23.0, 26.0],
        "q97.5": [25.0, 28.0],
    }
)


def test_intervals_are_pairs_of_quantiles_the_widest_first() -> None:
    intervals = find_intervals(ROWS)
    assert intervals == [("q2.5", "q97.5", 95.0), ("q10", "q90", 80.0)]
    assert "95 and 80 should fall inside" in describe_intervals(intervals)
    assert find_intervals(ROWS[["forecast", "q50"]]) == []
    assert describe_intervals([]) == ""


def test_line_and_bands_begin_at_the_last_observed_value() -> None:
    panel = make_panel()
    figure = Figure()
    axes = figure.add_subplot()
    draw_observed(axes, panel, 0, 10)
    draw_forecast_window(axes, panel, 0, ROWS, 19, find_intervals(ROWS))
    observed, forecast = axes.get_lines()
    assert forecast.get_ydata().tolist() == [19.0, 21.0, 22.0]
    assert forecast.get_xdata()[0] == observed.get_xdata()[-1]
    wide = axes.collections[0].get_paths()[0].vertices
    assert wide[:, 1].max() == 28.0 and 19.0 in wide[:, 1]


def test_the_legend_names_each_interval() -> None:
    panel = make_panel()
    figure = Figure(layout="constrained")
    axes = figure.add_subplot()
    draw_observed(axes, panel, 0, 0)
    draw_forecast_window(axes, panel, 0, ROWS, 19, find_intervals(ROWS))
    draw_legend(figure, axes)
    (legend,) = figure.legends
    texts = [text.get_text() for text in legend.get_texts()]
    assert texts == ["observed", "forecast", "95 % interval", "80 % interval"]


def test_a_forecast_from_before_the_first_value_is_drawn_without_it() -> None:
    panel = make_panel()
    axes = Figure().add_subplot()
    draw_forecast_window(axes, panel, 0, ROWS, -1, [])
    (forecast,) = axes.get_lines()
    assert np.isnan(forecast.get_ydata()[0]) and forecast.get_ydata()[2] == 22.0


def test_the_axes_name_the_values_and_long_names_are_cut() -> None:
    axes = Figure().add_subplot()
    label_series_axes(axes, make_panel(), 0)
    assert axes.get_ylabel() == "units"
    assert shorten_name("x" * 99) == "x" * 59 + "…"
    assert to_plot_times(make_panel(), 0, np.array([1]))[0] == np.datetime64(
        "2026-01-02"
    )


def test_the_margin_of_a_picture_stays_in_the_years_that_have_dates() -> None:
    stamps = [f"{year}-{month:02}" for year in (1, 2, 3) for month in range(1, 13)]
    frame = pd.DataFrame({"month": stamps, "units": np.arange(36.0)})
    panel = Panel.from_frame(frame, target="units", time="month")
    figure = Figure()
    axes = figure.add_subplot()
    draw_observed(axes, panel, 0, 0)
    label_series_axes(axes, panel, 0)
    figure.canvas.draw()  # it would raise for a date before the year 1
    assert axes.get_xlim()[0] == date2num(np.datetime64("0001-01-01"))


def test_seconds_are_left_out_where_all_of_them_are_zero() -> None:
    assert shorten_stamps(["2026-01-31 09:00:00"]) == ["2026-01-31 09:00"]
    mixed = ["2026-01-31 09:00:00", "2026-01-31 09:00:30"]
    assert shorten_stamps(mixed) == mixed
    assert shorten_stamps(["2026-01-31", "12:00"]) == ["2026-01-31", "12:00"]
