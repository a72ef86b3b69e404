"""Accuracy by series and step, and what drives a forecast, as tables of a report."""

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lstmcast.config import Config, TrainConfig, WindowConfig
from lstmcast.panel.panel import Panel
from lstmcast.reporting.pages import report_tables
from lstmcast.reporting.plots import label_method
from lstmcast.training.forecaster import Forecaster
from tests.make import wavy

CONFIG = Config(window=WindowConfig(horizon=4), train=TrainConfig(steps=0))


@pytest.fixture(scope="module")
def forecaster() -> Forecaster:
    rng = np.random.default_rng(0)
    frames = []
    for shop, noise in (("calm", 0.01), ("wild", 2.0)):
        stamps = pd.date_range("2001-01-01", periods=60, freq="MS")
        values = wavy(rng, 60, noise=noise)
        frames.append(pd.DataFrame({"month": stamps, "shop": shop, "y": values}))
    panel = Panel.from_frame(pd.concat(frames), target="y", time="month", series="shop")
    return Forecaster(CONFIG).fit(panel)


def test_series_come_worst_first_with_the_best_simple_method_beside_them(
    forecaster: Forecaster,
) -> None:
    verdict: Any = forecaster.verdict
    table = report_tables.tabulate_series(verdict, forecaster.panel)
    assert table
    header, *rows = table
    assert header == [
        "shop",
        "windows",
        "mase",
        "mae",
        f"mae of {label_method(verdict.best_baseline, verdict)}",
    ]
    worst = max(verdict.by_series, key=lambda row: row["mase"])
    assert rows[0][0] == worst["key"][0]
    assert rows[0][2] == f"{worst['mase']:#.4g}"
    assert {row[0] for row in rows} == {"calm", "wild"}
    alone = replace(verdict, by_series=verdict.by_series[:1])
    assert report_tables.tabulate_series(alone, forecaster.panel) is None


def test_each_step_ahead_has_a_row(forecaster: Forecaster) -> None:
    verdict: Any = forecaster.verdict
    header, *rows = report_tables.tabulate_steps(verdict)
    assert header == [
        "step",
        "mae",
        f"mae of {label_method(verdict.best_baseline, verdict)}",
        "inside the interval",
    ]
    assert [row[0] for row in rows] == ["1", "2", "3", "4"]


def test_what_drives_the_forecast_is_said_in_words(forecaster: Forecaster) -> None:
    table = report_tables.tabulate_drivers(forecaster, forecaster.panel)
    assert table
    inputs = [row[0] for row in table[1:]]
    lags = [name for name in inputs if name.startswith("the value ")]
    assert lags and all(
        name.endswith((" months before", " 1 month before")) for name in lags
    )
    figures = [cell for row in table[1:] for cell in row[1:]]
    assert all(
        re.search(r"^[\d.]+ %( larger| smaller)?$|^the same$", cell) for cell in figures
    )
    assert len(inputs) <= 2 * report_tables.MAX_DRIVERS


def test_large_figures_keep_all_digits_before_the_point(forecaster: Forecaster) -> None:
    verdict: Any = forecaster.verdict
    large = replace(verdict, model={**verdict.model, "mae": 35436.4})
    _, model, *_ = report_tables.tabulate_scores(large)
    assert model[1] == "35,436"


def test_the_subject_says_when_and_from_what_where_the_run_knows(
    forecaster: Forecaster,
) -> None:
    panel = forecaster.panel
    plain = report_tables.describe_subject(panel, forecaster)
    assert plain == "2 series, monthly, 4 months ahead, until 2006-04-01."
    made = {"file": "x.csv", "until": "2005-12-01", "at": "2026-01-31T09:30:00Z"}
    forecaster.made |= made
    assert report_tables.describe_subject(panel, forecaster).endswith(
        "Learnt from x.csv, up to 2005-12-01. Made on 2026-01-31 at 09:30 UTC."
    )


def test_each_method_has_a_row_of_scores_in_plain_words(forecaster: Forecaster) -> None:
    verdict: Any = forecaster.verdict
    header, model, *rows = report_tables.tabulate_scores(verdict)
    assert header[:3] == ["", "mae", "rmse"] and header[-1] == "coverage"
    assert model[:2] == ["lstmcast", f"{verdict.model['mae']:#.4g}"]
    assert len(rows) == len(verdict.baselines)
    assert [row[0] for row in rows if "theta" in row[0]] == ["the theta method"]
    # Only an interval has a coverage.
    assert {row[-1] for row in rows} == {""}
    meanings = report_tables.explain_scores(verdict)
    assert [line.split(":")[0] for line in meanings] == [
        *header[1:],
        "the theta method",
    ]
