"""Holidays stand at their days, whatever the frequency, for as long as a forecast reaches."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lstmcast import extras
from lstmcast.config import Config, InputConfig, TrainConfig, WindowConfig
from lstmcast.errors import UsageError
from lstmcast.extras import install_command
from lstmcast.panel.calendar import (
    DAILY_HOLIDAY_NAMES,
    PERIOD_HOLIDAY_NAMES,
    tabulate_holidays,
    with_holidays,
)
from lstmcast.panel.panel import Panel
from lstmcast.timeaxis.axis import TimeAxis
from lstmcast.training.forecaster import Forecaster


def axis_of(first: str, freq: str, periods: int = 8) -> tuple[TimeAxis, int]:
    """An axis, and the ordinal of its first stamp."""
    stamps = pd.date_range(first, periods=periods, freq=freq)
    panel = Panel.from_frame(
        pd.DataFrame({"t": stamps, "y": np.arange(float(periods))}),
        target="y",
        time="t",
    )
    return panel.axis, int(panel.start[0])


def rows(
    first: str, freq: str, count: int, country: str = "DE", periods: int = 8
) -> list[list[float]]:
    axis, start = axis_of(first, freq, periods)
    return tabulate_holidays(axis, start + np.arange(count), country).tolist()


def test_of_days_the_holiday_and_its_neighbours_are_known() -> None:
    holidays = rows("2023-12-23", "D", 5)
    assert holidays == [[0, 0, 0], [0, 1, 0], [1, 1, 0], [1, 0, 1], [0, 0, 1]]


def test_of_hours_all_those_of_a_holiday_are_known_by_the_clock_on_the_wall() -> None:
    holidays = np.array(rows("2024-12-31 22:00", "h", 4))
    assert holidays[:, 0].tolist() == [0, 0, 1, 1]
    stamps = pd.date_range(
        "2024-12-31 21:00", periods=8, freq="h", tz="UTC"
    ).tz_convert("Europe/Berlin")
    panel = Panel.from_frame(
        pd.DataFrame({"t": stamps, "y": np.arange(8.0)}), target="y", time="t"
    )
    local = tabulate_holidays(panel.axis, panel.start[0] + np.arange(4), "DE")
    assert local[:, 0].tolist() == [0, 0, 1, 1]


def test_of_weeks_and_months_holidays_are_counted_on_both_sides_of_the_stamp() -> None:
    weeks = rows(
        "2023-12-10", "W-SUN", 4
    )  # 25 and 26 December lie between the 24th and the 31st
    assert weeks == [[0, 0], [0, 0], [0, 2], [2, 1]]
    months = rows("2023-01-01", "MS", 4)
    assert [row[1] for row in months] == [1, 0, 0, 2]  # Easter came in April
    ends = rows("2023-01-31", "ME", 4)
    assert [row[0] for row in ends] == [1, 0, 0, 2]


def test_a_part_of_a_country_has_holidays_of_its_own() -> None:
    epiphany = "2024-01-05"
    assert rows(epiphany, "D", 2, "DE")[1][0] == 0
    assert rows(epiphany, "D", 2, "DE-BY")[1][0] == 1
    assert rows(epiphany, "D", 2, "de-by")[1][0] == 1


@pytest.mark.parametrize(
    ("country", "message", "hint"),
    [
        ("Atlantis", "no holidays are known", "DE, US or FR"),
        ("DE-XX", "DE has no part 'XX'", "'BY'"),
    ],
)
def test_a_country_that_is_not_known_is_refused(
    country: str, message: str, hint: str
) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        rows("2024-01-01", "D", 2, country)
    assert hint in caught.value.hint


@pytest.mark.parametrize("freq", ["YS", "integer"])
def test_steps_that_have_no_holidays_are_refused(freq: str) -> None:
    axis, start = (
        axis_of("2001-01-01", freq) if freq != "integer" else (integers().axis, 0)
    )
    with pytest.raises(UsageError, match="holidays='DE' does not apply"):
        tabulate_holidays(axis, start + np.arange(3), "DE")


def integers() -> Panel:
    return Panel.from_frame(
        pd.DataFrame({"t": np.arange(8), "y": np.arange(8.0)}), target="y", time="t"
    )


def test_without_the_package_the_error_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "holidays", raising=False)
    monkeypatch.setattr(extras, "find_spec", lambda _: None)
    with pytest.raises(UsageError, match="holidays, which is not installed") as caught:
        rows("2024-01-01", "D", 2)
    assert caught.value.hint == install_command("holidays")


def test_what_else_is_known_ahead_stays_and_is_missing_where_only_holidays_reach() -> (
    None
):
    stamps = pd.date_range("2023-12-01", periods=26, freq="D")
    y = np.where(np.arange(26) < 22, np.arange(26.0), np.nan)
    frame = pd.DataFrame({"t": stamps, "y": y, "price": np.arange(26.0)})
    panel = Panel.from_frame(frame, target="y", time="t", future="price")
    wide = with_holidays(panel, "DE", 10)
    assert wide.future_names == ("price", *DAILY_HOLIDAY_NAMES)
    assert wide.ahead.tolist() == [10]
    np.testing.assert_array_equal(wide.future[:26, 0], np.arange(26.0))
    assert np.isnan(wide.future[26:, 0]).all()
    assert np.flatnonzero(wide.future[:, 1]).tolist() == [24, 25, 31]
    assert panel.future.shape == (26, 1)
    monthly, _ = axis_of("2023-01-01", "MS")
    assert (
        len(PERIOD_HOLIDAY_NAMES)
        == tabulate_holidays(monthly, np.arange(3), "DE").shape[1]
    )


def busy(series: int = 1, days: int = 700) -> pd.DataFrame:
    """Daily sales that fall by half on the holidays of Germany."""
    stamps = pd.date_range("2022-01-24", periods=days, freq="D")
    axis, start = axis_of("2022-01-24", "D")
    holidays = tabulate_holidays(axis, start + np.arange(days), "DE")[:, 0]
    rng = np.random.default_rng(0)
    parts = []
    for number in range(series):
        week = 1 + 0.2 * np.sin(np.arange(days) * 2 * np.pi / 7)
        y = (
            100
            * (1 + number)
            * week
            * np.where(holidays == 1, 0.5, 1.0)
            * np.exp(0.02 * rng.normal(size=days))
        )
        parts.append(pd.DataFrame({"id": f"s{number}", "t": stamps, "y": y}))
    return pd.concat(parts, ignore_index=True)


def zero_shot(country: str | None, horizon: int = 7) -> Config:
    window, inputs = WindowConfig(horizon=horizon), InputConfig(holidays=country)
    return Config(window=window, train=TrainConfig(steps=0), inputs=inputs)


def test_a_forecast_goes_down_on_the_holidays_to_come_and_a_saved_run_knows_them(
    tmp_path: Path,
) -> None:
    panel = Panel.from_frame(
        busy(2), target="y", time="t", series="id"
    )  # ends on 24 December 2023
    plain = Forecaster(zero_shot(None)).fit(panel).predict()
    forecaster = Forecaster(zero_shot("DE")).fit(panel)
    forecast = forecaster.predict()
    low = forecast["forecast"].to_numpy().reshape(2, 7) / plain[
        "forecast"
    ].to_numpy().reshape(2, 7)
    assert (low[:, :2] < 0.7).all()  # 25 and 26 December
    assert (low[:, 3:] > 0.85).all()
    again = Forecaster.load(forecaster.save(tmp_path / "run"))
    assert again.predict()["forecast"].tolist() == forecast["forecast"].tolist()
    longer = again.predict(panel, horizon=9)["forecast"].to_numpy().reshape(2, 9)
    assert (longer[:, 7] / longer[:, 6] < 0.75).all()  # 1 January
