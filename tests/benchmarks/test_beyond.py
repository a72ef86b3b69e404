"""Benchmarks of steps beyond the horizon, of gaps and of covariates: what they show and merge."""

import numpy as np
import pandas as pd

from benchmarks import beyond, covariates, gaps
from benchmarks.beyond import compare
from lstmcast.panel.panel import Panel


def panel(length: int) -> Panel:
    days = pd.date_range("2020-01-01", periods=length, freq="D")
    y = 50 + 10 * np.sin(np.arange(length) * 2 * np.pi / 7)
    return Panel.from_frame(pd.DataFrame({"t": days, "y": y}), target="y", time="t")


def test_what_is_beyond_the_horizon_is_compared_where_the_history_is_long_enough() -> (
    None
):
    found = compare(panel(100), 7, 2)
    assert found is not None and found["mae"] > 0 and found["wql"] > 0
    assert compare(panel(60), 7, 2) is None


def test_the_page_has_geometric_means_and_the_ends() -> None:
    files = {"a": {"mae": 0.5, "wql": 1.0}, "b": {"mae": 2.0, "wql": 4.0}}
    walks = {"walks": 9, "horizons": 7, "width": 2.91, "coverage": 0.971}
    text = beyond.sentences({"times": {"3": files}, "walks": walks})
    assert "| 3 horizons | 2 | 1.00 | 2.00 | a 0.50 | b 2.00 |" in text
    assert "2.9 times as wide as the true one; 97% of" in text


def test_the_table_of_gaps_says_how_many_values_are_missing_of_how_many() -> None:
    one = {
        **{"case": "air", "steps": 43_800, "missing": 2_043, "windows": 20},
        **{"horizon": 24, "mase": 0.9, "coverage": 0.8},
        "simple": {"seasonal_naive": 0.95, "drift": 1.2},
    }
    text = gaps.table({"cases": [one]})
    row = "| air | 2,043 of 43,800 | 20 of 24 steps | 0.900 | seasonal naive 0.950 | 80% |"
    assert text.splitlines()[-1] == row


def test_a_case_that_is_measured_again_takes_its_own_place_alone() -> None:
    names = [case.name for case in covariates.CASES]
    old = {"cases": [{"case": name, "saved": 0.0} for name in names[:3]], "source": "x"}
    found = covariates.merge(old, [{"case": names[1], "saved": 0.5}])
    assert [one["saved"] for one in found["cases"]] == [0.0, 0.5, 0.0]
    assert "measured" in found["cases"][1] and found["source"] == "x"
