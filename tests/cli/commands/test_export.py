"""`lstmcast export`: what a person sees of it."""

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import run_program, write_months
from tests.faults.conftest import Refused, run_inside
from tests.faults.conftest import refused as refused  # a fixture

pytest.importorskip("onnxruntime", reason="needs the extra onnx")
pytest.importorskip("onnx", reason="needs the extra onnx")


def test_export_writes_a_file_and_its_page_into_the_run(
    fitted: Path, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(fitted / "runs" / "old-price", tmp_path / "run"))
    done = run_program("export", "run", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "run/model.onnx\n"), done.stderr
    first, second = done.stderr.splitlines()
    assert first.startswith(
        "its forecasts differ from those of the run by "
    ) and first.endswith(" at most")
    assert second == "its inputs (values) are explained in run/model.json"
    assert run_inside("runs", "check", "run", cwd=tmp_path).stderr == ""
    write_months(tmp_path / "m.csv", 61)
    again = (
        "fit",
        "m.csv",
        "--target",
        "price",
        "--steps",
        0,
        "--out",
        "run",
        "--force",
        "-q",
    )
    assert run_inside(*again, cwd=tmp_path).returncode == 0
    assert not (run / "model.onnx").exists() and not (run / "model.json").exists()


def test_a_run_that_cannot_be_exported_is_refused_by_name(
    refused: Refused, tmp_path: Path
) -> None:
    write_months(tmp_path / "m.csv", 60)
    fit = (
        "fit",
        "m.csv",
        "--target",
        "price",
        "--steps",
        0,
        "--calendar",
        "--out",
        "run",
        "-q",
    )
    assert run_inside(*fit, cwd=tmp_path).returncode == 0
    refused(
        "export",
        "run",
        inside=True,
        status=2,
        says=["a run with --calendar cannot be exported", "--future"],
    )
    refused("export", "nowhere", inside=True, status=4, says=["no run at 'nowhere'"])
