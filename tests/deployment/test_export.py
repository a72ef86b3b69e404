"""A run as a file that forecasts by itself: under ONNX Runtime, and only where it can."""

import json
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstmcast.config import (
    NETWORK_QUANTILES,
    Config,
    InputConfig,
    TrainConfig,
    WindowConfig,
)
from lstmcast.deployment.export import export, require_exportable
from lstmcast.errors import RunError, UsageError
from lstmcast.panel.panel import Panel
from lstmcast.training.forecaster import Forecaster
from tests.deployment.graph.test_forecast import MIXED, config, with_covariates
from tests.make import panel_of, wavy

onnxruntime = pytest.importorskip("onnxruntime", reason="needs the extra onnx")
pytest.importorskip("onnx", reason="needs the extra onnx")
PARITY = 1e-4


@cache
def session_of(file: Path) -> Any:
    return onnxruntime.InferenceSession(file.read_bytes())


def forecast(file: Path, **feed: Any) -> np.ndarray:
    session = session_of(file)
    assert [taken.name for taken in session.get_inputs()] == list(feed)
    arrays = {name: np.asarray(value) for name, value in feed.items()}
    return np.asarray(session.run(None, arrays)[0])


def expected(run: Forecaster, panel: Panel, number: int = 0) -> np.ndarray:
    series = np.array([number])
    return run.quantiles(
        panel, series, panel.lengths[series] - 1, levels=NETWORK_QUANTILES
    )[0]


@pytest.mark.parametrize(
    "settings",
    [
        {"cell": "gru", "layers": 3, "layer_norm": True},
        {"cell": "rnn", "loss": "mse", "scale": "standard"},
        {"bidirectional": True, "attention": True, "loss": "huber"},
    ],
    ids=str,
)
def test_any_number_of_series_of_any_length_are_forecast_as_predict_does(
    settings: dict[str, Any], tmp_path: Path
) -> None:
    run = Forecaster(config(**settings)).fit(MIXED)
    exported = export(run, tmp_path / "m.onnx")
    assert exported.difference < PARITY
    assert exported.facts["series"] == [["s0"], ["s1"], ["s2"], ["s3"]]
    for end in (9, 40, 100):
        shorter = MIXED.head(np.full(4, end))
        for numbers in ([1], [1, 0, 1]):
            values = [shorter.series(i) for i in numbers]
            found = forecast(exported.file, values=values, series=numbers)
            for row, number in zip(found, numbers, strict=True):
                wanted = expected(run, shorter, number)
                np.testing.assert_allclose(
                    row, wanted, atol=PARITY * np.abs(wanted).max()
                )


def test_a_file_forecasts_from_newer_rows_than_those_of_the_training(
    tmp_path: Path,
) -> None:
    longer = panel_of([wavy(np.random.default_rng(3), 90)])
    run = Forecaster(Config(train=TrainConfig(steps=0))).fit(
        longer.head(np.array([70]))
    )
    file = export(run, tmp_path / "m.onnx").file
    wanted = expected(run, longer)
    found = forecast(file, values=longer.series(0)[None])[0]
    np.testing.assert_allclose(found, wanted, atol=PARITY * wanted.max())


def test_covariates_go_in_by_name_and_in_the_order_of_the_page(tmp_path: Path) -> None:
    panel = with_covariates()
    run = Forecaster(config(horizon=7)).fit(panel)
    exported = export(run, tmp_path / "m.onnx")
    facts = json.loads(exported.page.read_text())
    assert facts == exported.facts
    assert list(facts["inputs"]) == ["values", "series", "past", "future"]
    assert (facts["past"], facts["future"]) == (
        ["heat"],
        ["promo", "sky=rain", "sky=sun"],
    )
    assert (facts["horizon"], facts["levels"], facts["trained_to"]) == (
        7,
        list(NETWORK_QUANTILES),
        "2023-06-29",
    )
    steps = int(panel.lengths[0])
    ahead = panel.future[: steps + 7]
    calm = ahead.copy()
    calm[steps:, 0] = 0.0
    found = [
        forecast(
            exported.file,
            values=panel.series(0)[None],
            series=[0],
            past=panel.past[None, :steps],
            future=[plan],
        )[0]
        for plan in (ahead, calm)
    ]
    wanted = expected(run, panel)
    np.testing.assert_allclose(found[0], wanted, atol=PARITY * wanted.max())
    assert ahead[steps:, 0].any() and not np.allclose(found[0], found[1])


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"train": TrainConfig(loss="student-t")}, "loss='student-t'"),
        ({"train": TrainConfig(loss="negative-binomial")}, "loss='negative-binomial'"),
        ({"inputs": InputConfig(calendar=True, joint=True)}, "calendar, joint"),
        ({"inputs": InputConfig(holidays="DE")}, "holidays='DE'"),
    ],
)
def test_what_cannot_be_exported_is_refused_by_name(
    change: dict[str, Any], named: str
) -> None:
    with pytest.raises(UsageError, match=f"a run with {named} cannot be exported"):
        require_exportable(Forecaster(replace(Config(), **change)))


def test_an_export_without_its_packages_names_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UsageError, match="onnxruntime") as refused:
        export(Forecaster(), tmp_path / "m.onnx")
    assert "[onnx]" in refused.value.hint


def test_a_file_that_does_not_forecast_what_the_run_does_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = panel_of([wavy(np.random.default_rng(3), 60)])
    run = Forecaster(
        Config(window=WindowConfig(horizon=3), train=TrainConfig(steps=0))
    ).fit(panel)
    monkeypatch.setattr(
        Forecaster,
        "quantiles",
        lambda *_, **__: np.ones((1, 3, len(NETWORK_QUANTILES))),
    )
    with pytest.raises(RunError, match="is off by"):
        export(run, tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())
