import json
import sqlite3
from pathlib import Path

import pandas as pd
import pytest

from tests.cli.conftest import Program, write_months

FIT = ("fit", "x.csv", "--target", "price", "--steps", 0)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_months(tmp_path / "x.csv", 60)


@pytest.mark.usefixtures("data")
def test_nothing_is_tracked_unless_requested(quickly: Program, tmp_path: Path) -> None:
    assert quickly(*FIT).returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["runs", "x.csv"]


@pytest.mark.usefixtures("data")
def test_every_tracker_gets_the_run_and_stdout_is_its_path(
    lstmcast: Program, tmp_path: Path
) -> None:
    done = lstmcast(
        *FIT, "--track", "csv", "--track", "tensorboard", "--track", "mlflow", "-q"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "runs/x-price\n", "")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "runs",
        "tracking",
        "x.csv",
    ]
    folder = tmp_path / "tracking"
    assert [path.name for path in folder.glob("csv/x-price/*")]
    assert any(folder.glob("tensorboard/x-price/events.out.tfevents.*"))
    with sqlite3.connect(folder / "mlflow.db") as database:
        assert database.execute("select name, status from runs").fetchall() == [
            ("x-price", "FINISHED")
        ]


@pytest.mark.usefixtures("data")
def test_where_it_is_tracked_is_reported_in_words_and_in_json(
    quickly: Program, tmp_path: Path
) -> None:
    done = quickly(*FIT, "--track", "csv", "--track-to", "here")
    assert f"tracked in '{tmp_path}/here/csv/x-price'\n" in done.stderr
    content = json.loads(
        quickly(
            *FIT, "--track", "csv", "--track-to", "here", "--force", "--json", "-q"
        ).stdout
    )
    assert content["tracked"] == [f"{tmp_path}/here/csv/x-price-2"]


@pytest.mark.usefixtures("data")
def test_an_unknown_tracker_is_refused_before_any_work(
    quickly: Program, tmp_path: Path
) -> None:
    done = quickly(*FIT, "--track", "tensorbord")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "error: --track 'tensorbord' is unknown",
        "  did you mean 'tensorboard'?",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["x.csv"]


@pytest.mark.usefixtures("data")
def test_a_tracker_that_cannot_write_leaves_the_run_saved_and_says_so(
    quickly: Program, tmp_path: Path
) -> None:
    (tmp_path / "here").write_text("a file")
    done = quickly(*FIT, "--track", "csv", "--track-to", "here")
    assert (done.returncode, done.stdout) == (6, "")
    assert "the run itself is saved in 'runs/x-price'" in done.stderr
    assert quickly("predict", "runs/x-price").returncode == 0


@pytest.mark.usefixtures("data")
def test_a_fit_that_went_on_has_whole_curves(
    quickly: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lstmcast.training import checkpoint

    line = (
        "fit",
        "x.csv",
        "--target",
        "price",
        "--steps",
        30,
        "--members",
        2,
        "-j",
        1,
        "--checkpoint-every",
        "1",
    )
    due = checkpoint.TrainingCheckpoint.is_due
    steps = iter(range(1000))

    def stop_once(training: checkpoint.TrainingCheckpoint) -> bool:
        if next(steps) == 25:
            training.keep_then_fail = True  # type: ignore[attr-defined]
            return True
        return due(training)

    def keep_and_fail(training: checkpoint.TrainingCheckpoint, state: object) -> None:
        keep(training, state)  # type: ignore[arg-type]
        if getattr(training, "keep_then_fail", False):
            raise OSError(5, "the disk is gone")

    keep = checkpoint.TrainingCheckpoint.keep
    with monkeypatch.context() as patched:
        patched.setattr(checkpoint.TrainingCheckpoint, "is_due", stop_once)
        patched.setattr(checkpoint.TrainingCheckpoint, "keep", keep_and_fail)
        assert quickly(*line).returncode == 6
    done = quickly("fit", "--resume", "runs/x-price", "--track", "csv")
    assert done.returncode == 0, done.stderr
    curves = pd.read_csv(tmp_path / "tracking" / "csv" / "x-price" / "curves.csv")
    assert quickly(*line, "--out", "runs/whole").returncode == 0
    whole = pd.read_csv(tmp_path / "runs" / "whole" / "history.csv")
    same = ["member", "step", "loss", "validation", "lr"]
    pd.testing.assert_frame_equal(curves[same], whole[same])
