import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lstmcast.config import Config, TrainConfig
from lstmcast.errors import ResourceError, RunError, UsageError
from lstmcast.extras import install_command
from lstmcast.reporting import trackers
from lstmcast.runs.directory import open_run
from lstmcast.training.forecaster import Forecaster
from tests.make import panel_of, wavy


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a panel of two series, with some training."""
    panel = panel_of([wavy(np.random.default_rng(i), 60) for i in range(2)])
    config = Config(train=TrainConfig(steps=20, members=2, jobs=1))
    return Forecaster(config).fit(panel).save(tmp_path_factory.mktemp("run") / "small")


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose network must not be touched."""

    def refuse(*_: Any) -> None:
        raise AssertionError("something is sent over the network")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def test_csv_has_settings_curves_and_scores(run: Path, tmp_path: Path) -> None:
    (place,) = trackers.track_run(run, ["csv"], tmp_path)
    assert place == tmp_path / "csv" / "small"
    settings = pd.read_csv(place / "settings.csv").set_index("setting")["value"]
    assert (settings["train.steps"], settings["horizon"], settings["model.cell"]) == (
        "20",
        "12",
        "lstm",
    )
    assert settings["data"] == open_run(run).manifest["data"]["fingerprint"]
    curves = pd.read_csv(place / "curves.csv")
    pd.testing.assert_frame_equal(
        curves, pd.read_csv(run / "history.csv")[list(curves)]
    )
    assert curves["step"].max() == 20
    scores = pd.read_csv(place / "scores.csv").set_index(["method", "score"])["value"]
    verdict = json.loads((run / "metrics.json").read_text())["verdict"]
    assert scores["model", "mase"] == verdict["model"]["mase"]
    files = pd.read_csv(place / "files.csv").set_index("file")
    assert (
        files["bytes"][str(run / "history.csv")] == (run / "history.csv").stat().st_size
    )
    assert set(map(Path, files.index)) == {
        file for file in run.iterdir() if file.name != "run.json"
    }
    assert (
        scores["model", "skill"] == verdict["skill"]
        and ("naive", "mae") in scores.index
    )


def test_a_name_that_is_taken_gets_a_number(run: Path, tmp_path: Path) -> None:
    names = [trackers.track_run(run, ["csv"], tmp_path)[0].name for _ in range(3)]
    assert names == ["small", "small-2", "small-3"]


@pytest.mark.usefixtures("offline")
def test_tensorboard_shows_curves_verdict_and_settings(
    run: Path, tmp_path: Path
) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    (place,) = trackers.track_run(run, ["tensorboard"], tmp_path)
    events = EventAccumulator(str(place))
    events.Reload()
    tags = events.Tags()
    history = pd.read_csv(run / "history.csv")
    name = history["member"].iloc[-1]
    points = {event.step: event.value for event in events.Scalars(f"validation/{name}")}
    expected = history[history["member"] == name].set_index("step")["validation"]
    assert points == pytest.approx(expected.to_dict(), rel=1e-6)
    verdict = json.loads((run / "metrics.json").read_text())["verdict"]
    assert events.Scalars("verdict/mase")[0].value == pytest.approx(
        verdict["model"]["mase"], rel=1e-6
    )
    assert {"verdict/text_summary", "settings/text_summary"} <= set(tags["tensors"])


@pytest.mark.usefixtures("offline")
def test_mlflow_has_settings_curves_verdict_and_files_on_this_machine(
    run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (database,) = trackers.track_run(run, ["mlflow"], "tracked")
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert capfd.readouterr() == ("", "")
    assert (database, [path.name for path in tmp_path.iterdir()]) == (
        tmp_path / "tracked" / "mlflow.db",
        ["tracked"],
    )
    trackers.track_run(run, ["mlflow"], "tracked")
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{database}")
    experiment = client.get_experiment_by_name("lstmcast")
    assert experiment
    runs = client.search_runs([experiment.experiment_id])
    assert len(runs) == 2
    found = runs[0]
    assert (found.info.run_name, found.info.status) == ("small", "FINISHED")
    assert (found.data.params["train.steps"], found.data.params["horizon"]) == (
        "20",
        "12",
    )
    verdict = json.loads((run / "metrics.json").read_text())["verdict"]
    assert found.data.metrics["verdict/mase"] == verdict["model"]["mase"]
    history = pd.read_csv(run / "history.csv")
    name = history["member"].iloc[-1].replace(",", "_")
    points = {
        metric.step: metric.value
        for metric in client.get_metric_history(found.info.run_id, f"validation/{name}")
    }
    expected = history[history["member"] == history["member"].iloc[-1]].set_index(
        "step"
    )["validation"]
    assert points == expected.to_dict()
    for file in run.iterdir():
        copies = list((tmp_path / "tracked" / "mlflow").rglob(file.name))
        assert len(copies) == 2 and all(
            copy.read_bytes() == file.read_bytes() for copy in copies
        )


def test_a_file_that_is_no_database_is_refused_with_a_way_out(
    run: Path, tmp_path: Path
) -> None:
    (tmp_path / "mlflow.db").write_text("my notes\n" * 50)
    with pytest.raises(ResourceError, match="MLflow cannot write to") as caught:
        trackers.track_run(run, ["mlflow"], tmp_path)
    assert "--track-to" in caught.value.hint
    assert (tmp_path / "mlflow.db").read_text() == "my notes\n" * 50


def test_a_run_without_a_verdict_is_tracked_too(tmp_path: Path) -> None:
    panel = panel_of([np.arange(5.0)])
    run = (
        Forecaster(Config(train=TrainConfig(steps=0)))
        .fit(panel)
        .save(tmp_path / "short")
    )
    for place in trackers.track_run(run, ["csv", "tensorboard"], tmp_path / "tracked"):
        assert place.exists()
    assert len(pd.read_csv(tmp_path / "tracked" / "csv" / "short" / "scores.csv")) == 0


def test_an_unknown_tracker_is_refused_with_a_suggestion() -> None:
    with pytest.raises(UsageError, match="track='tensorbord' is unknown") as caught:
        trackers.require_trackers(["tensorbord"])
    assert caught.value.hint == "did you mean 'tensorboard'?"


@pytest.mark.parametrize(
    ("name", "package"), [("tensorboard", "tensorboard"), ("mlflow", "alembic")]
)
def test_a_tracker_that_is_not_installed_is_named_with_its_extra(
    name: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UsageError, match=f"track='{name}' needs {package}") as caught:
        trackers.require_trackers([name])
    assert caught.value.hint == install_command(name)


def test_what_is_no_run_is_not_tracked(tmp_path: Path) -> None:
    with pytest.raises(RunError):
        trackers.track_run(tmp_path, ["csv"], tmp_path / "tracked")
    assert not (tmp_path / "tracked").exists()
