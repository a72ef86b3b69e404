"""Components add up to what was observed and forecast, and are those that made the data."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from lstmcast.config import Config
from lstmcast.errors import DataError
from lstmcast.evaluation.components import decompose_series
from lstmcast.panel.panel import Panel
from lstmcast.training.forecaster import Forecaster
from tests.make import panel_of, wavy

DAYS = 210
WEEK = np.array([-9.0, -4, 0, 2, 5, 8, -2])
CONFIG = Config(horizon=7, steps=0)


def read_days(values: dict[str, object], **roles: str) -> Panel:
    length = max(np.size(value) for value in values.values())
    stamps = pd.date_range("2024-01-01", periods=length)
    frame = pd.DataFrame({"day": stamps, **values})
    return Panel.from_frame(frame, target="y", time="day", **roles)


def sum_parts(table: pd.DataFrame) -> "pd.Series[float]":
    names = [
        name
        for name in map(str, table)
        if name in ("level", "remainder") or name.startswith(("season_", "effect_"))
    ]
    return table[names].sum(axis=1, skipna=False)


@pytest.fixture(scope="module")
def promoted() -> Iterator[tuple[Panel, Forecaster]]:
    """A week, a slow rise, and 20 more on each of the days of a promotion."""
    rng = np.random.default_rng(1)
    steps = np.arange(DAYS)
    promotion = (rng.random(DAYS + 7) < 0.15).astype(float)
    values = np.full(DAYS + 7, np.nan)
    values[:DAYS] = -50 + 0.1 * steps + WEEK[steps % 7] + 20 * promotion[:DAYS]
    values[:DAYS] += rng.normal(size=DAYS)
    panel = read_days({"promotion": promotion, "y": values}, future="promotion")
    yield panel, Forecaster(CONFIG).fit(panel)


def test_the_parts_are_those_that_made_the_data(
    promoted: tuple[Panel, Forecaster],
) -> None:
    panel, forecaster = promoted
    table = decompose_series(forecaster)
    past, ahead = table[:DAYS], table[DAYS:]
    assert list(table) == [
        *("day", "y", "forecast", "level", "trend"),
        *("season_7", "effect_promotion", "remainder"),
    ]

    by_promotion = table.groupby(panel.future[:, 0])["effect_promotion"].mean()
    assert by_promotion[1.0] - by_promotion[0.0] == pytest.approx(20, abs=1)
    week = past["season_7"][-7:].to_numpy()
    np.testing.assert_allclose(week, WEEK, atol=1.5)
    np.testing.assert_allclose(past["trend"][-90:].mean(), 0.1, atol=0.05)
    assert past["remainder"][30:].std() < 2
    # The level goes on by a trend that fades.
    rise = ahead["level"].diff()[1:]
    np.testing.assert_allclose(rise, ahead["trend"][1:])
    assert (rise.abs().diff()[1:] < 0).all()


def test_the_parts_add_up(promoted: tuple[Panel, Forecaster]) -> None:
    _, forecaster = promoted
    table = decompose_series(forecaster, horizon=5)
    assert len(table) == DAYS + 5
    np.testing.assert_allclose(sum_parts(table), table["y"].fillna(table["forecast"]))
    expected = forecaster.predict(horizon=5)
    np.testing.assert_array_equal(table["forecast"][DAYS:], expected["forecast"])
    assert table["forecast"][:DAYS].isna().all() and table["y"][DAYS:].isna().all()


def test_in_logs_too_the_parts_add_up_and_a_gap_stays_one() -> None:
    rng = np.random.default_rng(0)
    values = wavy(rng, 80)
    values[40] = np.nan
    panel = panel_of([values, wavy(rng, 30)])
    forecaster = Forecaster(Config(horizon=4, steps=0)).fit(panel)
    assert forecaster.scaling.scaler.log.any()
    table = decompose_series(forecaster)
    assert len(table) == 80 + 30 + 2 * 4
    wanted = table["y"].fillna(table["forecast"])
    np.testing.assert_allclose(sum_parts(table), wanted)
    assert np.flatnonzero(table["remainder"].isna()).tolist() == [40]


def test_a_long_season_is_what_it_adds_to_the_short_one() -> None:
    hours = np.arange(24 * 7 * 8)
    rng = np.random.default_rng(3)
    day = 5 * np.sin(2 * np.pi * hours / 24)
    weekend = np.where(hours // 24 % 7 > 4, -12.0, 0.0)
    values = 10 + day + weekend + 0.1 * rng.normal(size=len(hours))
    stamps = pd.date_range("2024-01-01", periods=len(hours), freq="h")
    frame = pd.DataFrame({"hour": stamps, "y": values - 100})
    panel = Panel.from_frame(frame, target="y", time="hour")
    forecaster = Forecaster(Config(horizon=24, steps=0)).fit(panel)
    table = decompose_series(forecaster)[24 * 7 * 4 : len(hours)]
    both = table["season_24"] + table["season_168"]
    np.testing.assert_allclose(
        both - both.mean(), (day + weekend)[table.index] - np.mean(weekend), atol=3
    )
    assert table["remainder"].abs().max() < 3


def test_the_weekday_of_a_year_ago_is_no_part_of_the_year() -> None:
    steps = np.arange(3 * 365)
    year = 30 * np.sin(2 * np.pi * steps / 365)
    rng = np.random.default_rng(4)
    values = 5 * WEEK[steps % 7] + year + rng.normal(size=len(steps)) - 200
    panel = read_days({"y": values})
    forecaster = Forecaster(Config(horizon=14, steps=0)).fit(panel)
    assert forecaster.scaling.seasons == (7, 365, 0)
    table = decompose_series(forecaster)[2 * 365 :]
    # Without the average over a week, differences of weekdays of up to 85 would be in it.
    np.testing.assert_allclose(
        table["season_365"], 30 * np.sin(2 * np.pi * table.index / 365), atol=8
    )
    assert table["season_7"].std() == pytest.approx(5 * WEEK.std(), rel=0.1)


def test_other_data_are_taken_apart_as_those_of_the_fit(
    promoted: tuple[Panel, Forecaster],
) -> None:
    panel, forecaster = promoted
    shorter = panel.head(panel.lengths - 10)
    table = decompose_series(forecaster, shorter)
    own = decompose_series(forecaster)
    past = slice(0, DAYS - 10)
    np.testing.assert_allclose(table["level"][past], own["level"][past])
    with pytest.raises(DataError, match="promotion"):
        decompose_series(forecaster, horizon=8)


def test_a_year_under_a_week_of_hours_is_a_component_of_its_own() -> None:
    hours = np.arange(2 * 8760 + 2000)
    year = 30 * np.sin(2 * np.pi * hours / 8760)
    day = 10 * np.sin(2 * np.pi * hours / 24)
    weekday = np.where(hours // 24 % 7 < 5, 5.0, -12.5)
    rng = np.random.default_rng(2)
    y = -20 + year + day + weekday + rng.normal(size=len(hours))
    stamps = pd.date_range("2022-01-01", periods=len(hours), freq="h")
    frame = pd.DataFrame({"hour": stamps, "y": y})
    panel = Panel.from_frame(frame, target="y", time="hour")
    forecaster = Forecaster(Config(horizon=24, steps=0)).fit(panel)
    assert tuple(forecaster.scaling.seasons) == (24, 168, 8760)

    table = decompose_series(forecaster)
    late = table[8760 * 2 : len(hours)]
    found = late["season_8760"].to_numpy()
    assert np.corrcoef(found, year[8760 * 2 :])[0, 1] > 0.9
    total = sum_parts(table[: len(hours)]).to_numpy()
    np.testing.assert_allclose(total, y)
