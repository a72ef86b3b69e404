"""Every field of every file of a run is of its type, or the run is refused by file and field."""

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lstmcast.errors import RunError
from lstmcast.forecasting.combination import Combination
from lstmcast.forecasting.predictor import Predictor
from lstmcast.runs import contents
from lstmcast.runs.contents import open_trained_run, read_metrics, read_scaling
from tests.conftest import ROOT
from tests.faults.forge import seal

OLD = ROOT / "tests" / "old_files"
RUNS = sorted(place.parents[1].name for place in OLD.glob("*/run/run.json"))
Change = Callable[[dict[str, Any]], object]


def forge(folder: Path, name: str, change: Change) -> Path:
    """A run, one file of which was changed and sealed again."""
    run = OLD / "mae" / "run"
    files = {entry.name: entry.read_bytes() for entry in run.iterdir()}
    manifest = json.loads(files.pop("run.json"))
    content = manifest if name == "run.json" else json.loads(files[name])
    change(content)
    if name != "run.json":
        files[name] = json.dumps(content).encode()
    seal(folder / "run", manifest, files)
    return folder / "run"


@pytest.mark.parametrize("name", RUNS)
def test_old_runs_hold_what_is_described(name: str) -> None:
    run = open_trained_run(OLD / name / "run")
    assert read_metrics(run)["guard"]["members"]
    assert read_scaling(run)["seasons"]["main"] >= 1


def test_all_that_a_combination_is_saved_with_is_described() -> None:
    described = contents.CombinationFields.__annotations__
    assert set(Combination._fields) == set(described)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("run.json", lambda run: run.update(data=3), "data is a whole number (3)"),
        (
            "run.json",
            lambda run: run["panel"]["columns"].update(target=[7]),
            "panel.columns.target[0] is a whole number (7), not text",
        ),
        (
            "run.json",
            lambda run: run["config"].update(model="lstm"),
            "config.model is text ('lstm'), not an object",
        ),
        ("run.json", lambda run: run.pop("panel"), "panel is missing"),
        (
            "run.json",
            lambda run: run.update(horizon=2**70),
            "horizon is a whole number",
        ),
        ("run.json", lambda run: run.update(members=[]), "members is empty"),
        ("run.json", lambda run: run["panel"]["keys"].pop(), "panel.keys has not one"),
        ("run.json", lambda run: run.update(start={}), "start.from is missing"),
        (
            "run.json",
            lambda run: run["panel"]["axis"]["grid"].update(step=0),
            "panel.axis.grid.step is a whole number (0), not a whole number of 1 or more",
        ),
        (
            "run.json",
            lambda run: run["panel"]["axis"]["form"].update(zone="Europe"),
            "panel.axis.form.zone is 'Europe', not a time zone",
        ),
        ("run.json", lambda run: run.update(versions=[]), "versions is a list of 0"),
        (
            "metrics.json",
            lambda metrics: metrics["guard"].update(network=2.0),
            "guard.network is a number (2.0), not a number from 0 to 1",
        ),
        (
            "metrics.json",
            lambda metrics: metrics["verdict"].update(best_baseline="x"),
            "verdict.best_baseline is none of verdict.baselines",
        ),
        (
            "metrics.json",
            lambda metrics: metrics["verdict"]["model"].pop("mae"),
            "verdict.model.mae is missing",
        ),
        (
            "metrics.json",
            lambda metrics: metrics["verdict"]["by_step"][2].pop("mae"),
            "verdict.by_step[2].mae is missing",
        ),
        (
            "metrics.json",
            lambda metrics: metrics["verdict"].update(by_series=[{"windows": 1}]),
            "verdict.by_series[0].key is missing",
        ),
        (
            "scaler.json",
            lambda scaler: scaler["series"].update(shift=[0.0, "x", 0.0]),
            "series.shift[1] is text ('x'), not a number",
        ),
        (
            "scaler.json",
            lambda scaler: scaler["seasons"].update(main=0),
            "seasons.main is a whole number (0)",
        ),
    ],
)
def test_a_field_that_is_not_what_it_should_be_is_named_with_its_file(
    name: str, change: Change, message: str, tmp_path: Path
) -> None:
    run = forge(tmp_path, name, change)
    with pytest.raises(RunError) as caught:
        Predictor.load(run)
    start = f"{str(run / name)!r} does not hold what it should: {message}"
    assert caught.value.message.startswith(start)
    assert caught.value.hint == "take the run from a backup, or fit it again"


def test_fields_of_a_later_version_change_nothing(tmp_path: Path) -> None:
    def add_fields(manifest: dict[str, Any]) -> None:
        manifest["later"] = {"anything": [1]}
        manifest["config"]["later"] = {"a": 1}
        manifest["config"]["train"]["later"] = "x"
        manifest["members"][0]["later"] = 0
        manifest["panel"]["axis"]["grid"]["later"] = None

    run = forge(tmp_path, "run.json", add_fields)
    forecast = Predictor.load(run).columns()["forecast"]
    expected = Predictor.load(OLD / "mae" / "run").columns()["forecast"]
    assert (forecast == expected).all()
    shutil.rmtree(run)
    run = forge(tmp_path, "metrics.json", lambda metrics: metrics["guard"].update(x=1))
    assert (Predictor.load(run).columns()["forecast"] == expected).all()


def test_null_figures_of_a_verdict_are_missing_ones(tmp_path: Path) -> None:
    def without_mase(metrics: dict[str, Any]) -> None:
        metrics["verdict"]["model"]["mase"] = None
        metrics["verdict"]["skill"] = None

    verdict = Predictor.load(forge(tmp_path, "metrics.json", without_mase)).verdict
    assert verdict is not None and verdict.skill != verdict.skill
    assert dataclasses.asdict(verdict)["model"]["mase"] != 0
