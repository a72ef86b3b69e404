"""Components and seasons of series as data of a page."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lstmcast.config import Config, TrainConfig, WindowConfig
from lstmcast.evaluation.components import decompose_series
from lstmcast.panel.panel import Panel
from lstmcast.reporting.pages.components_chart import add_components
from lstmcast.reporting.pages.report_chart import make_chart_data
from lstmcast.training.forecaster import Forecaster
from tests.make import wavy

CONFIG = Config(window=WindowConfig(horizon=4), train=TrainConfig(steps=0))
PLENTY = 1_000_000


@pytest.fixture(scope="module")
def forecaster() -> Forecaster:
    rng = np.random.default_rng(0)
    frames = []
    for shop, length in (("a", 60), ("b", 48), ("c", 60)):
        stamps = pd.date_range(end="2005-12-01", periods=length, freq="MS")
        values = wavy(rng, length, noise=0.05)
        frames.append(pd.DataFrame({"month": stamps, "shop": shop, "y": values}))
    panel = Panel.from_frame(pd.concat(frames), target="y", time="month", series="shop")
    return Forecaster(CONFIG).fit(panel)


def make_chart(
    forecaster: Forecaster, room: int = PLENTY
) -> tuple[dict[str, Any], int]:
    panel = forecaster.panel
    chart = make_chart_data(panel, forecaster.predict())
    components = decompose_series(forecaster, panel)
    shown = add_components(chart, panel, components, forecaster.season, room)
    return chart, shown


def test_the_parts_of_each_series_add_up_to_what_the_chart_above_shows(
    forecaster: Forecaster,
) -> None:
    chart, shown = make_chart(forecaster)
    assert shown == 3
    is_trend = [name.startswith("trend") for name in chart["parts"]]
    assert sum(is_trend) == 1
    for entry in chart["series"]:
        (window,) = entry["windows"]
        parts = np.array(entry["parts"])[~np.array(is_trend)]
        values = np.array(entry["history"] + window["forecast"])
        assert parts.shape[1] == len(values)
        assert parts.sum(axis=0) == pytest.approx(values, abs=2e-3 * np.ptp(values))


def test_a_season_begins_in_january_whenever_the_data_end(
    forecaster: Forecaster,
) -> None:
    chart, _ = make_chart(forecaster)
    assert chart["phases"][:2] == ["Jan", "Feb"] and len(chart["phases"]) == 12
    lower, middle, upper = np.array(chart["series"][0]["season"])
    assert (lower <= middle).all() and (middle <= upper).all()
    one = forecaster.panel.series(0).reshape(-1, 12)
    around = one - one.mean(axis=1, keepdims=True)
    assert middle == pytest.approx(np.median(around, axis=0), rel=1e-3, abs=1e-3)


def test_series_without_room_have_none_but_the_first_always_has(
    forecaster: Forecaster,
) -> None:
    chart, shown = make_chart(forecaster, room=1)
    assert shown == 1
    assert ["parts" in entry for entry in chart["series"]] == [True, False, False]
    size = len(json.dumps(chart["series"][0]["parts"], separators=(",", ":")))
    assert make_chart(forecaster, room=3 * size)[1] == 2


def test_what_is_no_sum_of_parts_still_has_its_season(forecaster: Forecaster) -> None:
    panel = forecaster.panel
    chart = make_chart_data(panel, forecaster.predict())
    assert add_components(chart, panel, None, 12, PLENTY) == 3
    assert chart["parts"] == []
    assert all("parts" not in entry and entry["season"] for entry in chart["series"])
    plain = make_chart_data(panel, forecaster.predict())
    assert add_components(plain, panel, None, 1, PLENTY) == 0
    assert plain["phases"] == []
