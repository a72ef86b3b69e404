"""The page of a run: what stands on it, and that values from the data are nothing but text."""

import base64
import hashlib
import html
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lstmcast.config import Config, TrainConfig, WindowConfig
from lstmcast.evaluation.backtest import evaluate
from lstmcast.panel.panel import Panel
from lstmcast.reporting.pages.report import ReportPage, make_report_page
from lstmcast.runs.directory import open_run
from lstmcast.training.forecaster import Forecaster
from tests.make import wavy
from tests.reporting.make import make_table

pytest.importorskip("matplotlib", reason="needs the extra plot")
CONFIG = Config(window=WindowConfig(horizon=4), train=TrainConfig(steps=0))
COMMAND = "lstmcast fit DATA --target y"


def monthly(values: Any, name: str = "y", **columns: Any) -> pd.DataFrame:
    stamps = pd.date_range("2001-01-01", periods=len(values), freq="MS").strftime(
        "%Y-%m"
    )
    return pd.DataFrame({"month": stamps, name: values, **columns})


def page_of(
    frame: pd.DataFrame,
    folder: Path,
    *,
    config: Config = CONFIG,
    target: str = "y",
    command: str = COMMAND,
    **roles: Any,
) -> ReportPage:
    """The page of a run on all rows of a frame."""
    panel = Panel.from_frame(frame, target=target, time="month", **roles)
    forecaster = Forecaster(config).fit(panel)
    return make_report_page(
        open_run(forecaster.save(folder / "run")), forecaster, command
    )


def names(page: ReportPage) -> list[str]:
    return [picture.name for picture in page.pictures]


@pytest.fixture(scope="module")
def values() -> np.ndarray:
    return wavy(np.random.default_rng(0), 60, noise=0.01)


@pytest.fixture(scope="module")
def page(values: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> ReportPage:
    return page_of(monthly(values), tmp_path_factory.mktemp("page"))


def test_every_picture_is_inside_the_page_with_its_caption(page: ReportPage) -> None:
    assert names(page) == [
        *("forecast", "methods", "error", "coverage", "season", "components"),
    ]
    assert page.text.count("data:image/svg+xml;base64,") == len(page.pictures)
    for picture in page.pictures:
        assert html.escape(picture.caption) in page.text


def test_the_page_says_what_data_and_which_command_it_is_of(page: ReportPage) -> None:
    assert "60 steps from 2001-01 to 2005-12, with a season of 12 steps" in page.text
    assert "of 12 steps (the year)" in page.text
    assert "These rows were held back from the training." in page.text
    assert f"<pre>{COMMAND}</pre>" in page.text


def test_only_settings_that_differ_from_the_defaults_stand_outside_the_list_of_all(
    values: np.ndarray, tmp_path: Path
) -> None:
    config = Config(window=WindowConfig(horizon=4), train=TrainConfig(steps=0, seed=7))
    text = page_of(monthly(values), tmp_path, config=config).text
    chosen, everything = text.split("<summary>All settings</summary>")
    chosen = chosen.split("<h2>Settings</h2>")[1]
    for name in ("horizon", "steps", "seed", "target"):
        assert f"<td>{name}</td>" in chosen and f"<td>{name}</td>" in everything
    assert "<td>hidden</td>" not in chosen and "<td>hidden</td>" in everything
    assert "<td>season</td><td>12 (inferred)</td>" in everything
    assert "<td>time_budget</td><td>not set</td>" in everything


def test_rows_after_the_training_are_what_the_verdict_is_of(
    values: np.ndarray, tmp_path: Path
) -> None:
    frame = monthly(values)
    trained = Panel.from_frame(frame.head(50), target="y", time="month")
    forecaster = Forecaster(CONFIG).fit(trained)
    run = open_run(forecaster.save(tmp_path / "run"))
    newer = Panel.from_frame(frame, like=trained)
    page = make_report_page(
        run, forecaster, COMMAND, newer, evaluate(forecaster, newer)
    )
    assert names(page)[:2] == ["forecast", "backtest"]
    assert "These are rows that came after the training." in page.text
    assert "60 steps from 2001-01" in page.text


def test_a_series_too_short_for_a_verdict_has_no_scores(tmp_path: Path) -> None:
    page = page_of(monthly(np.arange(5.0)), tmp_path)
    assert "The series were too short to hold back data" in page.text
    assert "<h3>Scores</h3>" not in page.text
    assert names(page) == ["forecast", "components"]
    assert "What drives it" not in page.text


def test_a_forecast_that_needs_covariates_which_are_missing_is_not_drawn(
    values: np.ndarray, tmp_path: Path
) -> None:
    frame = monthly(values, sale=(np.arange(60) % 7 == 0).astype(float))
    page = page_of(frame, tmp_path, future="sale")
    assert (
        "There is no forecast on this page: covariates known ahead (sale) are missing"
        in page.text
    )
    assert "The command report takes them with --future-data FILE." in page.text
    assert not {"forecast", "components"} & set(names(page))
    assert "methods" in names(page)


def test_the_parts_of_the_first_series_have_the_effect_of_its_covariate(
    values: np.ndarray, tmp_path: Path
) -> None:
    sale = (np.random.default_rng(4).random(66) < 0.2).astype(float)
    wave = np.append(values, [np.nan] * 6)
    frames = [
        monthly(wave + 5 * sale * values.std(), sale=sale, shop=shop) for shop in "xy"
    ]
    page = page_of(pd.concat(frames), tmp_path, future="sale", series="shop")
    (picture,) = (one for one in page.pictures if one.name == "components")
    assert picture.caption.startswith("What the series x is made of")
    titles = [axes.get_title(loc="left") for axes in picture.figure.axes]
    assert titles[1:3] == ["level", "trend: change of the level in a step"]
    assert "season of 12 steps (the year)" in titles and "effect of sale" in titles
    assert "<h2>What it is made of</h2>" in page.text
    data = re.search(r'id="chart-data">(.*?)</script>', page.text, re.DOTALL)
    assert data
    chart = json.loads(data[1])
    assert "effect of sale" in chart["parts"]
    assert [len(one["parts"]) for one in chart["series"]] == [len(chart["parts"])] * 2
    # A list to choose a series from stands above each chart.
    assert page.text.count('<select class="series">') == 3


def test_of_probabilities_there_is_no_interval_to_draw(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    config = Config(
        window=WindowConfig(horizon=4),
        train=TrainConfig(
            loss="bernoulli", start="scratch", steps=2, members=1, jobs=1
        ),
    )
    page = page_of(
        monthly((rng.random(80) < 0.3).astype(float)), tmp_path, config=config
    )
    assert {"methods", "error"} <= set(names(page))
    assert not {"coverage", "components"} & set(names(page))
    assert "brier: mean squared error of the probabilities" in page.text


def test_names_and_commands_are_escaped(values: np.ndarray, tmp_path: Path) -> None:
    name = "<b onclick=x>&'\""
    page = page_of(
        monthly(values, name), tmp_path, target=name, command=f"fit --target {name}"
    )
    assert "<b " not in page.text and "<b onclick" not in page.text
    assert f"<h1>Forecast of {html.escape(name).replace('&quot;', '&#34;')}" in (
        page.text.replace("&#39;", "&#x27;")
    )


def test_characters_that_reverse_or_hide_text_are_spelled_out(
    values: np.ndarray, tmp_path: Path
) -> None:
    name = "price\u202eecirp\u200b"
    page = page_of(monthly(values, name), tmp_path, target=name)
    shown, _, data = page.text.partition('<script type="application/json"')
    assert "\u202e" not in shown and "\u200b" not in shown
    assert "\u202e" not in data
    assert r"Forecast of price\u202eecirp\u200b" in page.text


def test_the_first_screen_says_how_high_the_forecast_is_and_until_when(
    page: ReportPage,
) -> None:
    assert "One series, monthly, 4 months ahead, until 2006-04." in page.text
    assert re.search(r'class="outlook">The next 4 months: [\d.]+ a month', page.text)
    places = [
        page.text.index(part)
        for part in (
            *('class="outlook"', 'class="verdict', 'id="chart"', "forecast-table"),
            *("How good it is", "What drives it", "<h2>What it is made of"),
            *("<h2>Data", "<h2>Settings"),
        )
    ]
    assert places == sorted(places)


def test_the_one_script_is_allowed_by_its_hash_and_the_data_of_the_chart_are_no_script(
    page: ReportPage,
) -> None:
    scripts = re.findall(r"<script([^>]*)>(.*?)</script>", page.text, re.DOTALL)
    (data_kind, data), (kind, script) = scripts
    assert (data_kind, kind) == (' type="application/json" id="chart-data"', "")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in page.text
    assert len(json.loads(data)["series"][0]["windows"][0]["forecast"]) == 4
    # It fetches nothing and makes no HTML of texts.
    assert not re.search(
        r"fetch|XMLHttp|innerHTML|import\(|eval|https?:",
        script.replace("http://www.w3.org/2000/svg", ""),
    )


def test_no_title_stands_twice_on_the_page_but_each_stays_in_its_picture(
    page: ReportPage,
) -> None:
    inside = [
        base64.b64decode(data).decode()
        for data in re.findall(r"data:image/svg\+xml;base64,([^\"]+)", page.text)
    ]
    (forecast,) = [svg for svg in inside if ">forecast<" in svg]
    assert "Forecast of y" not in forecast
    assert page.pictures[0].figure.get_suptitle() == "Forecast of y, 4 months ahead"


def test_the_whole_forecast_can_be_saved_from_the_page(page: ReportPage) -> None:
    address = re.search(r'href="data:text/csv;base64,([^"]+)"', page.text)
    assert address
    lines = base64.b64decode(html.unescape(address[1])).decode().splitlines()
    assert lines[0] == "month,forecast,q10,q50,q90" and len(lines) == 5


def test_a_page_of_a_thousand_series_is_small_and_has_all_of_them(
    tmp_path: Path,
) -> None:
    rng = np.random.default_rng(0)
    frames = [
        monthly(wavy(rng, 48, noise=0.1), shop=f"shop {i:04}") for i in range(1000)
    ]
    page = page_of(pd.concat(frames), tmp_path, series="shop")
    assert len(page.text.encode()) < 3_000_000
    data = re.search(r'id="chart-data">(.*?)</script>', page.text, re.DOTALL)
    assert data
    names_of_series = [series["name"] for series in json.loads(data[1])["series"]]
    assert names_of_series == [f"shop {i:04}" for i in range(1000)]
    assert "in all 1,000 series together" in page.text
    with_parts = ["parts" in series for series in json.loads(data[1])["series"]]
    assert with_parts == sorted(with_parts, reverse=True)
    if not all(with_parts):
        shown = f"The page has room for the first {sum(with_parts):,} of 1,000 series"
        assert shown in page.text


def test_judged_rows_have_a_section_with_their_chart_and_events(
    tmp_path: Path, values: np.ndarray
) -> None:
    frame = monthly(values)
    forecaster = Forecaster(CONFIG).fit(
        Panel.from_frame(frame, target="y", time="month")
    )
    run = open_run(forecaster.save(tmp_path / "run"))
    events = {40: (1, "point", "error, range"), 50: (2, "stuck", "stuck")}
    judged = make_table(len(frame), events, frame["month"]).rename(
        columns={"day": "month"}
    )
    page = make_report_page(run, forecaster, COMMAND, judged=judged)
    assert "anomalies" in names(page)
    assert "<h2>Anomalies in the newer rows</h2>" in page.text
    assert "2 events in 60 rows judged." in page.text
    assert "<td>2004-05</td>" in page.text and "<td>error, range</td>" in page.text
    # One script for both charts, allowed by its hash.
    script = page.text.rpartition("<script>")[2].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page.text
    assert page.text.count("<script>") == 1
    plain = make_report_page(run, forecaster, COMMAND)
    assert "detection" not in plain.text.split("<body>")[1]
