"""The data of a report's chart, and the sentence on how high a forecast is."""

import json

import numpy as np
import pandas as pd
import pytest

from lstmcast.panel.panel import Panel
from lstmcast.reporting.pages.report_chart import (
    describe_outlook,
    make_chart_data,
    show_forecast,
)


def make_panel(*lengths: int) -> Panel:
    frames = []
    for number, length in enumerate(lengths):
        stamps = pd.date_range(end="2026-01-31", periods=length, freq="D")
        values = np.full(length, 10.0 * (number + 1))
        frames.append(pd.DataFrame({"day": stamps, "shop": f"<{number}>", "y": values}))
    return Panel.from_frame(pd.concat(frames), target="y", time="day", series="shop")


def make_forecast(panel: Panel, *levels: float, horizon: int = 2) -> pd.DataFrame:
    values = np.repeat(levels, horizon)
    return pd.DataFrame(
        {
            "shop": np.repeat([key[0] for key in panel.keys], horizon),
            "day": ["2026-02-01", "2026-02-02"] * len(panel),
            "forecast": values,
            "q10": values - 1,
            "q90": values + 1,
        }
    )


def test_stamps_are_shared_and_each_series_knows_its_place_among_them() -> None:
    panel = make_panel(30, 5)
    chart = make_chart_data(panel, make_forecast(panel, 11.0, 21.0))
    first, second = chart["series"]
    assert (first["at"], second["at"]) == (0, 25)
    assert chart["labels"][second["at"]] == "2026-01-27"
    assert chart["labels"][-2:] == ["2026-02-01", "2026-02-02"]
    assert second["history"] == [20.0] * 5
    (window,) = second["windows"]
    assert chart["intervals"] == [80.0]
    assert chart["labels"][window["at"]] == "2026-02-01"
    assert window["forecast"] == [21.0, 21.0]
    assert window["bands"] == [[[20.0, 20.0], [22.0, 22.0]]]


def test_each_stamp_of_a_day_has_its_weekday_and_one_of_a_month_has_none() -> None:
    panel = make_panel(30, 5)
    chart = make_chart_data(panel, make_forecast(panel, 11.0, 21.0))
    weekdays = pd.to_datetime(chart["labels"]).day_of_week
    assert [int(day) for day in chart["weekdays"]] == weekdays.tolist()
    months = pd.period_range("2025-01", periods=8, freq="M").to_timestamp()
    frame = pd.DataFrame({"month": months, "y": np.arange(8.0)})
    monthly = Panel.from_frame(frame, target="y", time="month")
    ahead = pd.DataFrame({"month": ["2025-09", "2025-10"], "forecast": [1.0, 2.0]})
    assert make_chart_data(monthly, ahead)["weekdays"] == ""


def test_each_interval_has_a_band_the_widest_first() -> None:
    panel = make_panel(30)
    forecast = make_forecast(panel, 11.0).assign(**{"q2.5": 8.0, "q97.5": 14.0})
    forecast = forecast[["shop", "day", "forecast", "q2.5", "q10", "q90", "q97.5"]]
    chart = make_chart_data(panel, forecast)
    assert chart["intervals"] == [95.0, 80.0]
    wide, narrow = chart["series"][0]["windows"][0]["bands"]
    assert wide == [[8.0, 8.0], [14.0, 14.0]]
    assert narrow == [[10.0, 10.0], [12.0, 12.0]]
    header = show_forecast(panel, forecast).rows[0]
    assert header == ["", "forecast", "95 % from", "to", "80 % from", "to"]


def test_a_backtest_has_a_window_for_each_cutoff_over_what_came() -> None:
    panel = make_panel(30, 5)
    days = pd.date_range("2026-01-28", periods=4).strftime("%Y-%m-%d")
    forecasts = pd.DataFrame(
        {
            "shop": "<0>",
            "cutoff": np.repeat(["2026-01-27", "2026-01-29"], 2),
            "day": days,
            "forecast": [1.0, 2.0, 3.0, 4.0],
        }
    )
    chart = make_chart_data(panel, forecasts)
    # The other series was too short to be forecast from the past.
    (series,) = chart["series"]
    assert [window["forecast"] for window in series["windows"]] == [[1, 2], [3, 4]]
    assert [chart["labels"][window["at"]] for window in series["windows"]] == [
        "2026-01-28",
        "2026-01-30",
    ]
    assert len(series["history"]) == 30


def test_no_name_ends_the_script_that_the_data_stand_in() -> None:
    panel = make_panel(30)
    shown = show_forecast(panel, make_forecast(panel, 11.0))
    assert "<" not in shown.chart
    assert json.loads(shown.chart)["series"][0]["name"] == "<0>"
    assert shown.rows[1] == ["2026-02-01", "11", "10", "12"]
    shown = show_forecast(panel, make_forecast(panel, 11.5))
    assert shown.rows[1] == ["2026-02-01", "11.50", "10.50", "12.50"]


@pytest.mark.parametrize(
    ("level", "words"),
    [
        (10.0, "10 a day, as much as the last 2 days."),
        (10.4, "10.4 a day, 4\N{NO-BREAK SPACE}% above the last 2 days."),
        (5.0, "5 a day, 50\N{NO-BREAK SPACE}% below the last 2 days."),
        (0.0, "0 on half of the days or more; the last 2 days had 10 a day."),
    ],
)
def test_the_level_is_compared_with_as_many_steps_before(
    level: float, words: str
) -> None:
    panel = make_panel(30)
    outlook = describe_outlook(panel, make_forecast(panel, level))
    assert outlook == f"The next 2 days: {words}"


def test_of_several_series_it_is_their_sum() -> None:
    panel = make_panel(30, 30)
    outlook = describe_outlook(panel, make_forecast(panel, 10.0, 50.0))
    assert outlook == (
        "The next 2 days: 60 a day in all 2 series together, "
        "100\N{NO-BREAK SPACE}% above the last 2 days."
    )


def test_an_hour_has_its_own_article() -> None:
    stamps = pd.date_range("2026-01-01", periods=30, freq="h")
    panel = Panel.from_frame(
        pd.DataFrame({"hour": stamps, "y": 10.0}), target="y", time="hour"
    )
    forecast = pd.DataFrame({"hour": ["x", "y"], "forecast": [10.0, 10.0]})
    assert "The next 2 hours: 10 an hour," in describe_outlook(panel, forecast)
