"""Each setting of a fit changes what is learnt, in any kind of fit, or is refused with a reason."""

import ast
import inspect
import json
import re
from collections.abc import Iterator
from dataclasses import FrozenInstanceError, fields, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lstmcast.config import (
    SECTION_OF,
    SECTIONS,
    Columns,
    Config,
    DataConfig,
    InputConfig,
    ModelConfig,
    TrainConfig,
    WindowConfig,
    parse_duration,
    parse_quantile_levels,
)
from lstmcast.errors import UsageError
from lstmcast.evaluation.backtest import backtest
from lstmcast.forecasting import combination
from lstmcast.panel.panel import Panel
from lstmcast.training.checkpoint import Checkpoint, TrainingCheckpoint
from lstmcast.training.device import has_bfloat16_lstm
from lstmcast.training.forecaster import MIN_PANEL_SERIES, Forecaster
from lstmcast.training.loop import TrainingState
from lstmcast.validation import OTHER_NAMES
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
"""Settings that change nothing in so short a fit, or more than a forecast can show; they have tests
of their own."""
CHANGES: list[Change] = [
    {section: {name: value}}
    for section, table in (("model", MODEL), ("train", TRAIN), ("window", WINDOW))
    for name, values in table.items()
    for value in values
]


@pytest.fixture(autouse=True, scope="module")
def keep_the_network() -> Iterator[None]:
    """What was learnt shows in no forecast that is a simple method's: there is none here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(combination, "choose_method", lambda *_: None)
        yield


@pytest.fixture(autouse=True)
def skip_what_this_processor_cannot_do(request: pytest.FixtureRequest) -> None:
    callspec = getattr(request.node, "callspec", None)
    change = callspec.params.get("change", {}) if callspec else {}
    if change == {"train": {"precision": "bfloat16"}} and not has_bfloat16_lstm():
        pytest.skip("torch has no LSTM in bfloat16 for this processor")


def with_changes(change: Change) -> Config:
    return replace(
        BASE,
        **{
            section: replace(getattr(BASE, section), **new)
            for section, new in change.items()
        },
    )


def panel_with(count: int) -> Panel:
    return panel_of([wavy(np.random.default_rng(i), 48 + i % 3) for i in range(count)])


def forecast(
    config: Config, panel: Panel, checkpoint: Checkpoint | None = None
) -> pd.DataFrame:
    return Forecaster(config).fit(panel, checkpoint=checkpoint).predict()


@pytest.fixture(scope="module")
def usual() -> dict[int, pd.DataFrame]:
    """The forecasts of the base configuration, by the number of series."""
    return {count: forecast(BASE, panel_with(count)) for count in (1, MIN_PANEL_SERIES)}


@pytest.mark.parametrize(
    "section", [ModelConfig, TrainConfig, WindowConfig, InputConfig]
)
def test_every_setting_is_documented_and_cannot_be_changed_by_accident(
    section: type,
) -> None:
    body = ast.parse(inspect.getsource(section)).body[0]
    assert isinstance(body, ast.ClassDef)
    documented = {
        field.target.id: ast.literal_eval(text.value)
        for field, text in pairwise(body.body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
    }
    assert set(documented) == {field.name for field in fields(section)}
    for field in fields(section):
        if field.type in (int, float, int | None, float | None):
            assert re.search(r"\b(or more|above|to below)\b", documented[field.name]), (
                field.name
            )
    with pytest.raises(FrozenInstanceError):
        setattr(section(), fields(section)[0].name, None)


def test_every_setting_is_tried() -> None:
    named = {
        field.name
        for part in (ModelConfig, TrainConfig, WindowConfig)
        for field in fields(part)
    }
    assert {*MODEL, *TRAIN, *WINDOW} | ELSEWHERE == named
    assert not {*MODEL, *TRAIN, *WINDOW} & ELSEWHERE


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_a_setting_changes_what_is_learnt_and_is_saved_with_it(
    change: Change, usual: dict[int, pd.DataFrame], tmp_path: Path
) -> None:
    panel = panel_with(1)
    fitted = Forecaster(with_changes(change)).fit(panel)
    forecasts = fitted.predict()
    assert np.isfinite(forecasts["forecast"]).all()
    assert forecasts["q10"].tolist() != usual[1]["q10"].tolist()
    loaded = Forecaster.load(fitted.save(tmp_path / "run"))
    assert loaded.config == fitted.config
    pd.testing.assert_frame_equal(loaded.predict(), forecasts, check_exact=True)


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_a_setting_works_for_many_series_too(
    change: Change, usual: dict[int, pd.DataFrame]
) -> None:
    forecasts = forecast(with_changes(change), panel_with(MIN_PANEL_SERIES))
    assert np.isfinite(forecasts["forecast"]).all()
    if change != {"train": {"members": 3}}:  # the first of them are the same
        assert forecasts["q10"].tolist() != usual[MIN_PANEL_SERIES]["q10"].tolist()


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_an_interrupted_fit_with_any_setting_resumes_to_the_same_forecast(
    change: Change, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel, config = panel_with(1), with_changes(change)
    checkpoint, keep = Checkpoint(tmp_path / "run", seconds=0), TrainingCheckpoint.keep

    def cut_off(self: TrainingCheckpoint, state: TrainingState) -> None:
        keep(self, state)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(TrainingCheckpoint, "keep", cut_off)
        with pytest.raises(KeyboardInterrupt):
            forecast(config, panel, checkpoint)
    assert checkpoint.fit()[0] == config
    resumed = forecast(config, panel, Checkpoint(tmp_path / "run"))
    pd.testing.assert_frame_equal(resumed, forecast(config, panel), check_exact=True)


@pytest.mark.parametrize("change", [c for c in CHANGES if "window" not in c], ids=str)
def test_a_backtest_works_with_any_setting(change: Change) -> None:
    result = backtest(
        panel_with(2), with_changes(change), windows=1, quantiles=(0.1, 0.5, 0.9)
    )
    assert result.verdict.windows == 2
    assert np.isfinite(result.forecasts["forecast"]).all()


@pytest.mark.parametrize(
    ("section", "name", "value"),
    [
        *(("model", name, 0) for name in ("layers", "hidden")),
        *(("model", "dropout", value) for value in (-0.1, 1.0)),
        *(("model", name, "x") for name in ("cell", "scale", "transform")),
        *(
            ("train", name, 0)
            for name in (
                "lr",
                "grad_clip",
                "batch_size",
                "origins",
                "patience",
                "members",
                "jobs",
            )
        ),
        *(("train", name, -1) for name in ("steps", "seed", "weight_decay")),
        *(
            ("train", name, "x")
            for name in ("loss", "optimizer", "schedule", "precision", "time_budget")
        ),
        *(
            ("window", name, 0)
            for name in ("horizon", "context", "season", "validation")
        ),
        ("train", "lr", float("inf")),
    ],
)
def test_a_value_out_of_range_is_refused_by_its_name(
    section: str, name: str, value: Any
) -> None:
    with pytest.raises(UsageError) as caught:
        with_changes({section: {name: value}})
    assert f"--{name.replace('_', '-')}" in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            {"train": {"loss": "bernoulli"}, "model": {"transform": "log"}},
            "loss='bernoulli' .* transform='log'",
        ),
        (
            {"train": {"loss": "negative-binomial"}, "model": {"transform": "log"}},
            "loss='negative.* transform='log'",
        ),
        (
            {"train": {"precision": "bfloat16"}, "model": {"cell": "gru"}},
            "precision='bfloat16' .* cell='gru'",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_refused(
    change: Change, says: str
) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        with_changes(change)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90.0), ("60s", 60.0), ("1.5h", 5400.0), (" .5 m ", 30.0), (7, 7.0)],
)
def test_a_duration_is_a_number_of_seconds_or_has_a_unit(
    text: str | int, seconds: float
) -> None:
    assert parse_duration(text, "--time-budget") == seconds


@pytest.mark.parametrize("text", ["", "0", "-5", "5d", "m", "inf", "nan"])
def test_what_is_not_a_duration_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="time_budget=.* is not a duration") as caught:
        parse_duration(text, "--time-budget")
    assert "60s" in caught.value.hint


def test_quantile_levels_are_sorted_and_each_is_there_once() -> None:
    assert parse_quantile_levels("0.9,0.1, 0.5,0.1") == (0.1, 0.5, 0.9)


@pytest.mark.parametrize("text", ["", "0.1,x", "0,0.5", "1", "nan"])
def test_levels_outside_of_0_to_1_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="quantiles .* is out of range"):
        parse_quantile_levels(text)


def test_a_column_has_one_role_but_a_series_column_may_be_static_too() -> None:
    Columns(target=("y",), series=("shop",), static=("shop",))
    with pytest.raises(UsageError, match="'y' is given both as target and as past"):
        Columns(target=("y",), past=("y",))
    with pytest.raises(UsageError, match="no target column"):
        Columns(target=())


@pytest.mark.parametrize(
    ("separators", "hint"),
    [
        ({"delimiter": ";;"}, "one character"),
        ({"delimiter": "\n"}, "one character"),
        ({"decimal": ";"}, "'.' ','"),
        ({"thousands": "x"}, "'_'"),
        ({"thousands": ",", "decimal": ","}, "one meaning"),
    ],
)
def test_separators_that_cannot_be_used_are_refused(
    separators: Change, hint: str
) -> None:
    with pytest.raises(UsageError) as caught:
        DataConfig(**separators)  # type: ignore[arg-type]
    assert hint in caught.value.hint


@pytest.mark.parametrize("zone", ["Europe/Berlin", "UTC", "+01:00"])
def test_a_time_zone_is_a_name_or_an_offset(zone: str) -> None:
    assert DataConfig(tz=zone).tz == zone


def test_an_unknown_time_zone_is_refused_with_a_similar_one() -> None:
    with pytest.raises(UsageError, match="'Europe/Berln' is not known") as caught:
        DataConfig(tz="Europe/Berln")
    assert caught.value.hint == "did you mean 'Europe/Berlin'?"


def test_a_configuration_comes_back_from_its_dictionary() -> None:
    config = Config(data=DataConfig(na=("", "-")), train=TrainConfig(steps=3))
    assert Config.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_unknown_sections_and_settings_are_refused_with_a_similar_one() -> None:
    with pytest.raises(UsageError, match="unknown section 'trian'") as caught:
        Config.from_dict({"trian": {}})
    assert caught.value.hint == "did you mean 'train'?"
    with pytest.raises(UsageError, match="unknown setting 'step'") as caught:
        Config.from_dict({"train": {"step": 3}})
    assert caught.value.hint == "did you mean 'steps'?"


def test_a_configuration_takes_settings_by_their_own_names() -> None:
    config = Config(
        horizon=14, cell="gru", na=["x"], train=TrainConfig(seed=3), steps=5
    )
    assert config.window.horizon == 14 and config.model.cell == "gru"
    assert config.data.na == ("x",)
    assert config.train == TrainConfig(seed=3, steps=5)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"horzion": 3}, "unknown setting 'horzion'; did you mean 'horizon'"),
        ({"h": 3}, "it is called 'horizon' here: horizon="),
        ({"random_state": 3}, "it is called 'seed' here"),
        ({"model": "gru"}, r"model='gru' is no ModelConfig; .*Config\(cell="),
        ({"train": ModelConfig()}, "is no TrainConfig"),
    ],
)
def test_an_unknown_setting_or_section_is_a_type_error_that_says_what_to_write(
    settings: dict[str, Any], says: str
) -> None:
    with pytest.raises(TypeError, match=says):
        Config(**settings)


def test_every_setting_has_a_name_of_its_own() -> None:
    settings = [name for fields in Config().to_dict().values() for name in fields]
    assert sorted(settings) == sorted(SECTION_OF)
    assert not OTHER_NAMES.keys() & SECTION_OF.keys()
    assert set(OTHER_NAMES.values()) <= SECTION_OF.keys()
    assert not SECTION_OF.keys() & SECTIONS.keys()
