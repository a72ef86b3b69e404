"""Series of a picture are chosen by name, by number, or by how well they are forecast."""

from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from lstmcast.errors import UsageError
from lstmcast.panel.panel import Panel
from lstmcast.reporting.chosen_series import choose_series, select_series

VERDICT: Any = SimpleNamespace(
    of_events=False,
    by_series=[
        {"key": [name], "mase": error}
        for name, error in zip("abc", (1, 3, 2), strict=True)
    ],
)


@pytest.fixture
def panel() -> Panel:
    stamps = pd.date_range("2026-01-01", periods=9)
    frames = [pd.DataFrame({"day": stamps, "shop": shop, "y": 1.0}) for shop in "abc"]
    return Panel.from_frame(pd.concat(frames), target="y", time="day", series="shop")


@pytest.mark.parametrize(
    ("which", "chosen"),
    [
        ("c,a", [2, 0]),
        (["c", "a"], [2, 0]),
        ("2", [0, 1]),
        ("worst", [1, 2, 0]),
        ("best", [0, 2, 1]),
    ],
)
def test_series_are_chosen_as_they_are_named(
    which: str | list[str], chosen: list[int], panel: Panel
) -> None:
    assert choose_series(panel, which, VERDICT).tolist() == chosen


def test_an_unknown_name_and_a_missing_verdict_are_errors(panel: Panel) -> None:
    with pytest.raises(UsageError, match="no series is called 'd'"):
        choose_series(panel, "d")
    with pytest.raises(UsageError, match="no verdict"):
        choose_series(panel, "worst")


def test_chosen_series_keep_their_rows_of_the_forecast(panel: Panel) -> None:
    forecast = pd.DataFrame({"shop": list("aabbcc"), "forecast": range(6)})
    chosen = choose_series(panel, "c,a")
    part, rows = select_series(panel, forecast, chosen)
    assert part.keys == (("c",), ("a",))
    assert rows["forecast"].tolist() == [4, 5, 0, 1]


def test_chosen_series_keep_all_windows_of_a_backtest(panel: Panel) -> None:
    forecasts = pd.DataFrame(
        {"shop": list("abcc"), "cutoff": list("xyxy"), "forecast": range(4)}
    )
    part, rows = select_series(panel, forecasts, choose_series(panel, "c,a"))
    assert part.keys == (("c",), ("a",))
    assert rows["forecast"].tolist() == [0, 2, 3]
