"""Findings about a panel: what is there is found, and what is not there is not."""

import json
from typing import Any

import numpy as np
import pytest

from lstmcast.inspection.finding import findings_to_dicts
from lstmcast.inspection.findings import inspect_panel
from lstmcast.panel.checks import is_binary
from tests.make import panel_of, wavy

T = np.arange(96)


def found(*series: Any, **settings: Any) -> dict[str, dict[str, Any]]:
    return dict(
        findings_to_dicts(
            inspect_panel(
                panel_of([np.asarray(y, dtype=float) for y in series]), **settings
            ).findings
        )
    )


def wave() -> Any:
    return wavy(np.random.default_rng(0), 96)


def test_a_plain_series_has_a_season_a_trend_and_nothing_amiss() -> None:
    findings = found(wave())
    assert list(findings) == [
        "series",
        "time",
        "season",
        "trend",
        "gaps",
        "outliers",
        "horizon",
    ]
    assert (findings["season"]["main"], findings["season"]["strength"] > 0.8) == (
        12,
        True,
    )
    assert (
        findings["trend"]["rising"],
        findings["gaps"]["steps"],
        findings["outliers"]["count"],
    ) == (1, 0, 0)
    assert findings["time"]["found"] == "monthly (MS), from 2001-01-01 to 2008-12-01"


def test_gaps_are_counted_and_the_longest_is_named() -> None:
    one, two = wave(), wave()
    one[[5, 6, 50]] = np.nan
    two[20:24] = np.nan
    findings = found(one, two)["gaps"]
    assert (findings["steps"], findings["count"], findings["longest"]) == (7, 3, 4)
    assert (findings["from"], findings["to"]) == ("2002-09-01", "2002-12-01")
    assert (
        "3 gaps, the longest in s1, 2002-09-01 to 2002-12-01 (4 steps)"
        in findings["found"]
    )
    assert found(one, fill="linear")["gaps"]["found"].startswith("3 of 96 steps")


def test_a_season_that_the_values_do_not_show_is_not_claimed() -> None:
    walk = 1000 + np.cumsum(np.random.default_rng(3).normal(size=200))
    findings = found(walk)["season"]
    assert (findings["main"], "--season" in findings["done"]) == (1, True)
    assert found(walk, season=6)["season"]["main"] == 6


def test_constant_series_zeros_scales_and_a_target_of_0_and_1_are_reported() -> None:
    findings = found(np.full(40, 3.0), wave(), 1e7 * wave(), np.where(T % 3, 0, wave()))
    assert findings["constant"]["series"] == ["s0"]
    assert findings["scales"]["orders_of_magnitude"] > 6
    assert 0 < findings["zeros"]["share"] < 0.5
    flags = found(T % 4 == 0)
    assert (
        flags["target"]["share"],
        "--loss bernoulli" in flags["target"]["done"],
    ) == (0.25, True)
    assert "upper quantiles" in flags["zeros"]["done"]


@pytest.mark.parametrize(
    ("values", "binary"),
    [
        ([0, 1, 1, 0], True),
        ([0, np.nan, 1, 1], True),
        ([0, 0, 0], False),
        ([1, 1, 1], False),
        ([0, 1, 2], False),
    ],
)
def test_a_target_is_binary_where_both_0_and_1_are_there_and_nothing_else(
    values: list[float], binary: bool
) -> None:
    assert is_binary(panel_of([np.array(values, dtype=float)])) == binary


@pytest.mark.parametrize("unit", [1e300, 1e-320, 1e-300])
def test_findings_at_the_ends_of_floating_point_are_finite(unit: float) -> None:
    findings = found(np.round(wave()) * unit, np.round(wave()))
    assert json.dumps(findings, allow_nan=False)
    assert findings["season"]["main"] == 12
