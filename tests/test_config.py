"""Each setting of a fit changes what is learnt, in any kind of fit, or is refused with a reason."""

import ast
import inspect
import re
from dataclasses import FrozenInstanceError, fields, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lstmcast.config import Config, InputConfig, ModelConfig, TrainConfig, WindowConfig
from lstmcast.errors import UsageError
from lstmcast.evaluation.backtest import backtest
from lstmcast.panel.panel import Panel
from lstmcast.training.checkpoint import Checkpoint, TrainingCheckpoint
from lstmcast.training.forecaster import MIN_PANEL_SERIES, Forecaster
from lstmcast.training.loop import TrainingState
from tests.make import panel_of, wavy

Change = dict[str, dict[str, Any]]
BASE = Config(
    model=ModelConfig(hidden=6, layers=1),
    train=TrainConfig(
        start="scratch",
        steps=3,
        members=1,
        batch_size=4,
        origins=4,
        jobs=1,
        precision="float32",
        lr=0.02,
    ),
    window=WindowConfig(horizon=4),
)
MODEL: dict[str, list[Any]] = {
    "cell": ["gru", "rnn"],
    "layers": [2, 3],
    "hidden": [9],
    "bidirectional": [True],
    "attention": [True],
    "layer_norm": [True],
    "dropout": [0.5],
    "scale": ["standard", "robust", "minmax", "none"],
    "transform": ["none"],
}
TRAIN: dict[str, list[Any]] = {
    "loss": ["mse", "mae", "huber", "student-t"],
    "steps": [4],
    "lr": [0.1],
    "batch_size": [6],
    "origins": [6],
    "optimizer": ["adam", "sgd", "rmsprop"],
    "schedule": ["cosine", "onecycle"],
    "weight_decay": [5.0],
    "grad_clip": [1e-4],
    "members": [3],
    "seed": [1],
    "precision": ["bfloat16"],
}
WINDOW: dict[str, list[Any]] = {"context": [9], "season": [5], "validation": [9]}
ELSEWHERE = {"start", "patience", "time_budget", "jobs", "device", "horizon"}
"""What changes nothing in so short a fit, or more than a forecast can show; tests of their own are
of these."""
CHANGES: list[Change] = [
    {section: {name: value}}
    for section, table in (("model", MODEL), ("train", TRAIN), ("window", WINDOW))
    for name, values in table.items()
    for value in values
]


def changed(change: Change) -> Config:
    return replace(
        BASE, **{section: replace(getattr(BASE, section), **new) for section, new in change.items()}
    )


def panel_with(count: int) -> Panel:
    return panel_of([wavy(np.random.default_rng(i), 48 + i % 3) for i in range(count)])


def forecast(config: Config, panel: Panel, kept: Checkpoint | None = None) -> pd.DataFrame:
    return Forecaster(config).fit(panel, checkpoint=kept).predict()


@pytest.fixture(scope="module")
def usual() -> dict[int, pd.DataFrame]:
    """The forecasts of the base configuration, by the number of series."""
    return {count: forecast(BASE, panel_with(count)) for count in (1, MIN_PANEL_SERIES)}


@pytest.mark.parametrize("section", [ModelConfig, TrainConfig, WindowConfig, InputConfig])
def test_every_setting_says_what_it_is_and_cannot_be_changed_by_accident(section: type) -> None:
    body = ast.parse(inspect.getsource(section)).body[0]
    assert isinstance(body, ast.ClassDef)
    said = {
        one.target.id: ast.literal_eval(after.value)
        for one, after in pairwise(body.body)
        if isinstance(one, ast.AnnAssign)
        and isinstance(one.target, ast.Name)
        and isinstance(after, ast.Expr)
    }
    assert set(said) == {field.name for field in fields(section)}
    for field in fields(section):
        if field.type in (int, float, int | None, float | None):
            assert re.search(r"\b(or more|above|to below)\b", said[field.name]), field.name
    with pytest.raises(FrozenInstanceError):
        setattr(section(), fields(section)[0].name, None)


def test_every_setting_is_tried() -> None:
    named = {
        field.name for part in (ModelConfig, TrainConfig, WindowConfig) for field in fields(part)
    }
    assert {*MODEL, *TRAIN, *WINDOW} | ELSEWHERE == named
    assert not {*MODEL, *TRAIN, *WINDOW} & ELSEWHERE


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_a_setting_changes_what_is_learnt_and_is_kept_with_it(
    change: Change, usual: dict[int, pd.DataFrame], tmp_path: Path
) -> None:
    panel = panel_with(1)
    one = Forecaster(changed(change)).fit(panel)
    made = one.predict()
    assert np.isfinite(made["forecast"]).all()
    assert made["q10"].tolist() != usual[1]["q10"].tolist()
    again = Forecaster.load(one.save(tmp_path / "run"))
    assert again.config == one.config
    pd.testing.assert_frame_equal(again.predict(), made, check_exact=True)


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_a_setting_works_for_many_series_too(
    change: Change, usual: dict[int, pd.DataFrame]
) -> None:
    made = forecast(changed(change), panel_with(MIN_PANEL_SERIES))
    assert np.isfinite(made["forecast"]).all()
    if change != {"train": {"members": 3}}:  # the first of them are the same
        assert made["q10"].tolist() != usual[MIN_PANEL_SERIES]["q10"].tolist()


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_a_fit_with_any_setting_that_was_cut_off_goes_on_to_the_same_forecast(
    change: Change, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel, config = panel_with(1), changed(change)
    kept, keep = Checkpoint(tmp_path / "run", seconds=0), TrainingCheckpoint.keep

    def cut_off(self: TrainingCheckpoint, state: TrainingState) -> None:
        keep(self, state)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(TrainingCheckpoint, "keep", cut_off)
        with pytest.raises(KeyboardInterrupt):
            forecast(config, panel, kept)
    assert kept.fit()[0] == config
    made = forecast(config, panel, Checkpoint(tmp_path / "run"))
    pd.testing.assert_frame_equal(made, forecast(config, panel), check_exact=True)


@pytest.mark.parametrize("change", [c for c in CHANGES if "window" not in c], ids=str)
def test_a_backtest_is_made_with_any_setting(change: Change) -> None:
    made = backtest(panel_with(2), changed(change), windows=1, quantiles=(0.1, 0.5, 0.9))
    assert made.verdict.windows == 2
    assert np.isfinite(made.forecasts["forecast"]).all()


@pytest.mark.parametrize(
    ("section", "name", "value"),
    [
        *(("model", name, 0) for name in ("layers", "hidden")),
        *(("model", "dropout", value) for value in (-0.1, 1.0)),
        *(("model", name, "x") for name in ("cell", "scale", "transform")),
        *(
            ("train", name, 0)
            for name in ("lr", "grad_clip", "batch_size", "origins", "patience", "members", "jobs")
        ),
        *(("train", name, -1) for name in ("steps", "seed", "weight_decay")),
        *(
            ("train", name, "x")
            for name in ("loss", "optimizer", "schedule", "precision", "time_budget")
        ),
        *(("window", name, 0) for name in ("horizon", "context", "season", "validation")),
        ("train", "lr", float("inf")),
    ],
)
def test_a_value_out_of_range_is_refused_by_its_name(section: str, name: str, value: Any) -> None:
    with pytest.raises(UsageError) as caught:
        changed({section: {name: value}})
    assert f"--{name.replace('_', '-')}" in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            {"train": {"loss": "bernoulli"}, "model": {"transform": "log"}},
            "--loss bernoulli .* --transform log",
        ),
        (
            {"train": {"loss": "negative-binomial"}, "model": {"transform": "log"}},
            "--loss negative.* --transform log",
        ),
        (
            {"train": {"precision": "bfloat16"}, "model": {"cell": "gru"}},
            "--precision bfloat16 .* --cell gru",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_refused(change: Change, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        changed(change)
    assert caught.value.hint
