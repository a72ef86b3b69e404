# ruff: noqa: F811
"""Files whose times were misread: what is inferred from them, and the stamps that follow."""

from collections.abc import Callable
from typing import Any

import pytest

from lstmcast.config import Columns, DataConfig
from lstmcast.panel.panel import Panel
from lstmcast.tables.read import read_table
from tests.cli.conftest import Program, quickly  # noqa: F401  (a fixture)
from tests.conftest import shared_file


def panel_of(name: str, target: str, **settings: Any) -> Panel:
    config = DataConfig(**settings)
    table = read_table(shared_file(f"reports/{name}"), config)
    return Panel.from_table(table, Columns(target=(target,)), config)


@pytest.mark.parametrize(
    ("name", "target", "freq", "steps", "first", "following"),
    [
        ("m_pt_newest_first.csv", "y", "MS", 108, "jan-12", "jan-21"),
        ("q-YYYY_single.csv", "sales", "QS", 28, "1-2015", "1-2022"),
        ("excel_hourly_full.csv", "kw", "h", 504, "43534.0", "43555.0"),
        ("w_year_weekofyear.csv", "cases", "W-MON", 339, "2015-W02", "2021-W27"),
        (
            *("airquality_like.csv", "kw", "h", 504),
            *("10/03/2019 00.00.00", "31/03/2019 00.00.00"),
        ),
    ],
)
def test_the_times_of_a_report_are_read(
    name: str, target: str, freq: str, steps: int, first: str, following: str
) -> None:
    panel = panel_of(name, target)
    assert panel.axis.freq == freq
    assert panel.lengths.tolist() == [steps]
    assert panel.axis.texts(panel.start)[0].removesuffix(".0") == first.removesuffix(
        ".0"
    )
    [text] = panel.axis.texts(panel.start + panel.lengths)
    assert text.removesuffix(".0") == following.removesuffix(".0")


def test_months_that_stand_newest_first_are_forecast_forwards(
    quickly: Program, shared: Callable[[str], Any]
) -> None:
    path = shared("reports/m_pt_newest_first.csv")
    done = quickly("forecast", path, "--target", "y", "--horizon", 2)
    assert done.returncode == 0, done.stderr
    stamps = [line.split(",")[0] for line in done.stdout.splitlines()]
    assert stamps == ["mes", "jan-21", "fev-21"]
    assert "rows stood newest first: sorted" in done.stderr


def test_days_of_london_are_forecast_by_following_the_hint(
    quickly: Program, shared: Callable[[str], Any]
) -> None:
    line = ["forecast", shared("reports/daily_utc_of_london.csv"), "--target", "y"]
    refused = quickly(*line)
    assert refused.returncode == 3
    assert "--tz Europe/London" in refused.stderr
    done = quickly(*line, "--tz", "Europe/London", "--horizon", 2)
    stamps = [text.split(",")[0] for text in done.stdout.splitlines()[1:]]
    assert stamps == ["2021-07-31T23:00:00Z", "2021-08-01T23:00:00Z"]
    assert "578 steps, daily (D)" in done.stderr


@pytest.mark.parametrize(
    ("name", "time"),
    [
        ("w_year_weekofyear.csv", "year,weekofyear"),
        ("airquality_like.csv", "Date,Time"),
    ],
)
def test_inspect_sees_one_series_whose_time_is_in_two_columns(
    quickly: Program, shared: Callable[[str], Any], name: str, time: str
) -> None:
    done = quickly("inspect", shared(f"reports/{name}"))
    assert done.returncode == 0, done.stderr
    assert f"--time {time}" in done.stdout
    assert "one of" in done.stdout
    assert "--series" not in done.stdout
