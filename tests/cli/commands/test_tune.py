"""`lstmcast tune` as it is used. Fits train nothing (`--steps 0`): the context is searched."""

import json
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lstmcast import extras
from lstmcast.extras import install_command
from tests.cli.conftest import PROGRAM, Program, environment, run_program, write_months

QUICK = ("--target", "price", "--steps", 0, "--trials", 4, "--param", "context=6,24")


@pytest.fixture(scope="module")
def tuned(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, "subprocess.CompletedProcess[str]"]:
    folder = tmp_path_factory.mktemp("tuned")
    write_months(folder / "x.csv", 100)
    return folder, run_program(
        "tune", "x.csv", *QUICK, "--plot", "trials.png", cwd=folder
    )


def test_the_best_settings_the_trials_and_a_picture_are_written(
    tuned: tuple[Path, Any],
) -> None:
    folder, done = tuned
    assert (done.returncode, done.stdout) == (0, "tuning/x-price/best.toml\n"), (
        done.stderr
    )
    assert "default stays" in done.stderr or "settings are taken" in done.stderr
    table = pd.read_csv(folder / "tuning" / "x-price" / "trials.csv")
    assert list(table) == [
        "trial",
        "state",
        "windows",
        "error",
        "ratio",
        "context",
        "seconds",
        "why",
    ]
    assert table["trial"].tolist() == [0, 1, 2, 3] and table["context"][0] == "auto"
    assert (folder / "trials.png").read_bytes().startswith(b"\x89PNG")
    assert {path.name for path in folder.rglob("*")} == {
        *("x.csv", "trials.png", "tuning", "x-price", "best.toml", "trials.csv")
    }


def test_fit_takes_the_best_settings_for_its_own(tuned: tuple[Path, Any]) -> None:
    folder, _ = tuned
    best = tomllib.loads((folder / "tuning" / "x-price" / "best.toml").read_text())
    assert (
        best["columns"] == {"target": ["price"], "time": ["month"]}
        and best["train"]["steps"] == 0
    )
    fit = run_program(
        "fit",
        "x.csv",
        "--config",
        "tuning/x-price/best.toml",
        "--out",
        "run",
        "-q",
        cwd=folder,
    )
    assert (fit.returncode, fit.stdout, fit.stderr) == (0, "run\n", "")


def test_tuned_settings_that_were_not_taken_stand_there_as_comments(
    tuned: tuple[Path, Any],
) -> None:
    folder, done = tuned
    text = (folder / "tuning" / "x-price" / "best.toml").read_text()
    context = tomllib.loads(text).get("window", {}).get("context")
    if "are taken" in done.stderr:
        assert context in (6, 24)
    elif "Best of" in done.stderr:
        assert context is None and "# context = " in text
    assert all(line in text for line in done.stderr.splitlines() if "never saw" in line)


def test_an_existing_result_is_kept_unless_forced(
    tuned: tuple[Path, Any], quickly: Program
) -> None:
    folder, _ = tuned
    done = quickly("tune", "x.csv", *QUICK, cwd=folder)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.splitlines() == [
        "error: 'tuning/x-price/best.toml' exists already",
        "  give --force to replace it, or another --out",
    ]  # fmt: skip
    assert quickly("tune", "x.csv", *QUICK, "--force", "-q", cwd=folder).returncode == 0


def test_a_study_goes_on_and_refuses_other_data(
    tuned: tuple[Path, Any], quickly: Program, tmp_path: Path
) -> None:
    folder, _ = tuned
    places = ("--study", tmp_path / "s.journal", "--out", tmp_path / "best")
    assert (
        quickly(
            "tune", "x.csv", *QUICK, *places, "-q", "--trials", 2, cwd=folder
        ).returncode
        == 0
    )
    done = quickly("tune", "x.csv", *QUICK, *places, cwd=folder)
    assert (
        done.returncode == 0
        and f"going on from 2 trials in '{tmp_path}/s.journal'" in done.stderr
    )
    pd.testing.assert_frame_equal(
        pd.read_csv(tmp_path / "best" / "trials.csv").drop(columns="seconds"),
        pd.read_csv(folder / "tuning" / "x-price" / "trials.csv").drop(
            columns="seconds"
        ),
    )
    done = quickly("tune", "x.csv", *QUICK, *places, "--horizon", 6, cwd=folder)
    assert (
        done.returncode == 4 and "was begun with other data and settings" in done.stderr
    )
    done = quickly(
        "tune", "x.csv", *QUICK, "--study", "x.csv", "--out", "new", cwd=folder
    )
    assert done.returncode == 4 and "no study that can be read" in done.stderr
    assert not (folder / "new").exists()


@pytest.mark.parametrize(
    "place", [("--out", "x.csv/best"), ("--study", "nowhere/s.journal")]
)
def test_a_place_that_cannot_be_written_is_refused_before_the_search(
    place: tuple[str, str], quickly: Program, tmp_path: Path
) -> None:
    write_months(tmp_path / "x.csv", 100)
    done = quickly("tune", "x.csv", *QUICK, *place)
    assert (done.returncode, done.stdout) == (6, "")
    assert place[1] in done.stderr and "searching" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["x.csv"]


def test_without_optuna_it_says_what_to_install(
    tuned: tuple[Path, Any], quickly: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "optuna", raising=False)
    monkeypatch.setattr(extras, "find_spec", lambda name: name != "optuna" or None)
    done = quickly("tune", "x.csv", *QUICK, "--out", "new", cwd=tuned[0])
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == f"  {install_command('tune')}"


def test_a_gate_that_is_not_met_exits_7_with_the_result_written(
    quickly: Program, tmp_path: Path
) -> None:
    write_months(tmp_path / "x.csv", 100)
    done = quickly("tune", "x.csv", *QUICK, "--fail-if", "mase>0", "--json", "-q")
    assert done.returncode == 7
    assert Path(tmp_path, json.loads(done.stdout)["best"]).is_file()


@pytest.mark.parametrize(("command", "file"), [("tune", "-"), ("backtest", "x.bmp")])
def test_a_picture_that_cannot_be_drawn_is_refused_before_any_work(
    command: str, file: str, quickly: Program, tmp_path: Path
) -> None:
    write_months(tmp_path / "x.csv", 100)
    done = quickly(command, "x.csv", "--target", "price", "--plot", file)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"no picture is known by the extension of '{file}'" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["x.csv"]


def test_a_time_budget_ends_the_search(quickly: Program, tmp_path: Path) -> None:
    write_months(tmp_path / "x.csv", 100)
    line = (
        "tune",
        "x.csv",
        *QUICK,
        "--trials",
        100000,
        "--time-budget",
        "2s",
        "-j",
        1,
        "--json",
        "-q",
    )
    began = time.monotonic()
    done = quickly(*line)
    assert done.returncode == 0 and time.monotonic() - began < 20
    assert 1 <= sum(json.loads(done.stdout)["trials"].values()) < 100000


def test_a_series_that_is_too_short_is_refused(
    quickly: Program, tmp_path: Path
) -> None:
    write_months(tmp_path / "x.csv", 40)
    done = quickly("tune", "x.csv", *QUICK)
    assert (
        done.returncode == 3
        and "need 48 steps, the longest series has 40" in done.stderr
    )
    assert [path.name for path in tmp_path.iterdir()] == ["x.csv"]


def test_a_panel_with_covariates_is_tuned(
    quickly: Program, sample: Path, tmp_path: Path
) -> None:
    roles = (
        "--series",
        "shop",
        "--static",
        "region",
        "--future",
        "promotion",
        "--past",
        "temperature",
    )
    line = (
        "tune",
        sample / "shop.csv",
        "--target",
        "sold",
        *roles,
        "--steps",
        0,
        "--trials",
        2,
        "--json",
        "-q",
    )
    done = quickly(*line, "--param", "context=14", "--windows", 1, "--unseen", 2)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["verdict"]["series"] > 1 and (found["windows"], found["unseen"]) == (
        1,
        2,
    )
    best = tomllib.loads((tmp_path / found["best"]).read_text())
    assert best["columns"]["future"] == ["promotion"]


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_a_signal_ends_the_search_and_the_study_goes_on(
    number: int, status: int, tmp_path: Path
) -> None:
    write_months(tmp_path / "x.csv", 100)
    line = [*QUICK, "--study", "s.journal"]
    long = [*map(str, line), "--trials", "100000", "-v"]
    with subprocess.Popen(
        [*PROGRAM, "tune", "x.csv", *long], cwd=tmp_path, env=environment(), stderr=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True,
    ) as program:  # fmt: skip
        assert program.stderr
        while "trial 1 " not in (message := program.stderr.readline()):
            assert message, "it ended by itself"
        began = time.monotonic()
        program.send_signal(number)
        rest = program.communicate(timeout=60)
    assert (program.returncode, rest[0]) == (status, "")
    assert time.monotonic() - began < 5
    assert "the same command continues" in rest[1].splitlines()[-1]
    assert "Traceback" not in rest[1]
    assert not (tmp_path / "tuning").exists()
    if number == signal.SIGTERM:
        done = run_program("tune", "x.csv", *line, "-q", cwd=tmp_path)
        assert (done.returncode, done.stdout) == (0, "tuning/x-price/best.toml\n"), (
            done.stderr
        )


def test_two_processes_share_a_study_and_the_last_one_writes_the_outcome(
    tmp_path: Path,
) -> None:
    write_months(tmp_path / "x.csv", 100)
    line = [
        *PROGRAM,
        "tune",
        "x.csv",
        *map(str, QUICK),
        "--trials",
        "12",
        "--study",
        "s.db",
    ]
    both = [
        subprocess.Popen(
            line,
            cwd=tmp_path,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    outputs = [program.communicate(timeout=120) for program in both]
    assert [program.returncode for program in both] == [0, 0], outputs
    assert any(out == "tuning/x-price/best.toml\n" for out, _ in outputs)
    table = pd.read_csv(tmp_path / "tuning" / "x-price" / "trials.csv")
    assert 12 <= len(table) <= 15 and set(table["state"]) <= {"done", "pruned"}
    assert (table["context"] == "auto").sum() >= 1
