"""What is passed in: horizons as numbers and spans, levels as percents, options by name."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from lstmcast.api.arguments import (
    interval_ends,
    is_future_frame,
    read_to_fit,
    resolve_horizon,
    resolve_levels,
)
from lstmcast.config import Columns, DataConfig
from lstmcast.errors import ArgumentError, UsageError
from lstmcast.panel.panel import Panel


def monthly() -> Panel:
    stamps = pd.date_range("2020-01-01", periods=24, freq="MS")
    return Panel.from_frame(pd.Series(np.arange(24.0), stamps))


@pytest.mark.parametrize(("span", "steps"), [("3MS", 3), (5, 5), (np.int64(2), 2)])
def test_a_horizon_is_a_number_or_a_span(span: Any, steps: int) -> None:
    assert resolve_horizon(span, monthly()) == steps
    assert resolve_horizon(None, monthly()) is None


@pytest.mark.parametrize("wrong", [True, 1.5, [1, 2]])
def test_another_kind_of_horizon_is_a_type_error(wrong: Any) -> None:
    with pytest.raises(TypeError, match="give a whole number"):
        resolve_horizon(wrong, monthly())


def test_steps_without_dates_have_no_spans() -> None:
    with pytest.raises(UsageError, match="the data have no dates"):
        resolve_horizon("7D", Panel.from_frame(np.arange(9.0)))


def test_levels_are_the_ends_of_intervals() -> None:
    assert resolve_levels(None, None) == (0.1, 0.5, 0.9)
    assert resolve_levels(80, None) == (0.1, 0.9)
    assert resolve_levels([95], (0.5,)) == (0.025, 0.5, 0.975)
    assert interval_ends(90) == (0.05, 0.95)


@pytest.mark.parametrize("level", [0.8, 100, -3])
def test_a_level_is_a_percent(level: float) -> None:
    with pytest.raises(UsageError, match="percent"):
        resolve_levels(level, None)


def test_settings_of_the_reading_are_kept_with_those_of_the_fit() -> None:
    frame = pd.DataFrame({"ds": [1, 2, 2, 3], "y": [1.0, 2, 4, 3]})
    options = {"duplicates": "mean"}
    read, config = read_to_fit(frame, None, options, DataConfig(fill="zero"))
    assert read.panel.values.tolist() == [1.0, 3.0, 3.0]
    assert (config.duplicates, config.fill) == ("mean", "zero")


def test_a_target_beside_the_frame_is_joined() -> None:
    frame = pd.DataFrame({"ds": pd.date_range("2024-01-01", periods=3)})
    read, _ = read_to_fit(frame, pd.Series([1, 2, 3], name="sales"), {}, DataConfig())
    assert read.panel.columns.target == ("sales",)
    read, _ = read_to_fit(None, np.array([1.0, 2, 3]), {}, DataConfig())
    assert read.panel.values.tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"id_col": "shop"}, "called 'series' here"),
        ({"futr_exog_list": ["price"]}, "called 'future' here"),
        ({"sereis": "shop"}, "did you mean 'series'"),
    ],
)
def test_an_unknown_option_is_answered(options: dict[str, Any], says: str) -> None:
    with pytest.raises(ArgumentError, match=says):
        read_to_fit(pd.DataFrame({"y": [1, 2, 3]}), None, options, DataConfig())


def test_a_panel_takes_no_roles() -> None:
    with pytest.raises(ArgumentError, match="has its roles"):
        read_to_fit(monthly(), None, {"target": "y"}, DataConfig())


def test_a_frame_of_the_future_has_no_target() -> None:
    columns = Columns(("y",), time=("ds",), future=("price",))
    plan = pd.DataFrame({"ds": [1], "price": [2.0]})
    assert is_future_frame(plan, columns)
    assert not is_future_frame(plan.assign(y=1.0), columns)
    assert not is_future_frame(plan, Columns(("y",)))
