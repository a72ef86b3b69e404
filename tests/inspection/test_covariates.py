"""Columns are told by their values: those that follow from the time, those that hold the target."""

import numpy as np
import pandas as pd
import pytest

from lstmcast.config import Columns, DataConfig
from lstmcast.inspection.columns import profile_columns, with_column_roles
from lstmcast.inspection.covariates import (
    CalendarColumn,
    Leak,
    describe_calendar,
    describe_leaks,
    find_covariates,
)
from lstmcast.panel.panel import Panel
from lstmcast.tables.table import Table

RNG = np.random.default_rng(0)


def look(
    frame: pd.DataFrame, **roles: str
) -> tuple[dict[str, CalendarColumn], list[Leak]]:
    table = Table(frame, "frame")
    columns = Columns(("y",), ("t",), **{role: (name,) for role, name in roles.items()})
    panel = Panel.from_table(table, columns)
    profiles = with_column_roles(
        table, profile_columns(table), panel.columns, DataConfig()
    )
    calendar, leaks = find_covariates(table, panel, profiles, DataConfig())
    return {column.name: column for column in calendar}, leaks


def hourly(days: int = 60) -> pd.DataFrame:
    t = pd.date_range("2024-01-01", periods=24 * days, freq="h")
    return pd.DataFrame({"t": t, "y": RNG.normal(50, 9, len(t))})


def daily(days: int = 800) -> pd.DataFrame:
    t = pd.date_range("2022-01-01", periods=days, freq="D")
    return pd.DataFrame({"t": t, "y": RNG.normal(50, 9, days)})


def test_calendar_columns_are_told_by_values_and_not_by_names() -> None:
    frame = hourly()
    time = frame["t"].dt
    frame["a"] = time.hour
    frame["b"] = time.day_name()
    frame["c"] = (time.day_of_week >= 5).astype(int)
    frame["d"] = np.sin(2 * np.pi * time.hour / 24)
    frame["hour"] = RNG.integers(0, 24, len(frame))
    calendar, _ = look(frame)
    fields = {name: (one.field, one.certainty) for name, one in calendar.items()}
    assert fields == {
        "a": ("hour", "fact"),
        "b": ("weekday", "fact"),
        "c": ("weekday", "fact"),
        "d": ("hour", "fact"),
    }


def test_longer_cycles_need_years() -> None:
    frame = daily()
    frame["month"] = frame["t"].dt.month
    frame["doy"] = frame["t"].dt.day_of_year
    frame["payday"] = (frame["t"].dt.day == 15).astype(int)
    calendar, _ = look(frame)
    assert calendar["month"] == CalendarColumn("month", "month", "fact")
    assert calendar["payday"].field == "day of the month"
    assert calendar["doy"].certainty == "likely"
    short, _ = look(frame.head(300))
    assert "doy" not in short


@pytest.mark.parametrize("name", ["is_holiday", "Feiertag", "promo_1", "School"])
def test_flags_with_a_telling_name_are_likely_known_ahead(name: str) -> None:
    frame = daily(200)
    frame[name] = (RNG.random(200) < 0.1).astype(int)
    frame["flag"] = (RNG.random(200) < 0.1).astype(int)
    calendar, _ = look(frame)
    assert calendar == {name: CalendarColumn(name, "", "likely")}


def test_days_that_recur_each_year_are_told_without_a_name() -> None:
    frame = daily(1100)
    days = frame["t"].dt.strftime("%m-%d")
    # Easter moves, the others do not.
    fixed = days.isin(["12-25", "12-26", "01-01", "05-01"])
    frame["x"] = (fixed | frame["t"].isin(pd.to_datetime(["2022-04-18"]))).astype(int)
    calendar, _ = look(frame)
    assert calendar["x"] == CalendarColumn("x", "", "likely")


def test_weather_is_not_known_ahead() -> None:
    frame = hourly()
    frame["heat"] = RNG.normal(size=len(frame)).round(1)
    frame["rain"] = (RNG.random(len(frame)) < 0.2).astype(int)
    assert look(frame) == ({}, [])


@pytest.mark.parametrize(
    ("column", "how"),
    [
        (lambda y: y, "is a copy of the target"),
        (lambda y: y * 1.8 + 32, "is the target in other units"),
        (lambda y: y.shift(-1), "holds the target of the next row"),
        (lambda y: y.shift(-3), "holds the target of the row 3 later"),
        (lambda y: y.cumsum(), "is the running total of the target"),
    ],
)
def test_columns_that_hold_the_target_are_named(column: object, how: str) -> None:
    frame = daily(200)
    frame["x"] = column(frame["y"])  # type: ignore[operator]
    assert look(frame)[1] == [Leak(("x",), how)]


def test_what_is_only_like_the_target_is_no_leak() -> None:
    frame = daily(200)
    frame["noisy"] = frame["y"] + RNG.normal(0, 0.1, 200)
    frame["before"] = frame["y"].shift(1)
    assert look(frame)[1] == []


def test_values_at_the_ends_of_floating_point_are_no_trouble() -> None:
    frame = daily(100)
    frame["y"] = np.where(np.arange(100) % 2, 1.7e308, -1.7e308)
    frame.loc[:9, "y"] = np.arange(10) * 1e300
    frame["x"] = frame["y"] * 0.9
    frame["z"] = RNG.normal(size=100) * 1e307
    _, leaks = look(frame)
    assert {name for leak in leaks for name in leak.names} <= {"x"}


def test_parts_of_the_target_are_named() -> None:
    frame = daily(200)
    frame["some"] = RNG.normal(20, 3, 200)
    frame["others"] = frame["y"] - frame["some"]
    assert look(frame)[1] == [Leak(("some", "others"), "add up to the target")]


def test_the_total_over_series_is_named() -> None:
    one, other = daily(200), daily(200)
    frame = pd.concat([one.assign(id="a"), other.assign(id="b")])
    frame["all"] = frame.groupby("t")["y"].transform("sum")
    _, leaks = look(frame, series="id")
    assert leaks == [Leak(("all",), "is the total of the target over all series")]


def test_findings_say_what_to_do() -> None:
    finding = describe_calendar(
        [CalendarColumn("hour", "hour", "fact"), CalendarColumn("off", "", "likely")]
    )
    assert finding is not None and finding.certainty == "likely"
    assert finding.found == "hour (by hour) follows from the time; off marks some days"
    assert "--future" in finding.done and "--calendar" in finding.done
    leak = describe_leaks([Leak(("x",), "is a copy of the target")])
    assert leak is not None and leak.found == "'x' is a copy of the target"
    assert (describe_calendar([]), describe_leaks([])) == (None, None)
