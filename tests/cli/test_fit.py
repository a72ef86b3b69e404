import json
import re
from pathlib import Path

import pytest

from tests.cli.conftest import Program, on_terminal, run_program, write_months

QUICK = ("--target", "price", "--steps", 0)


def test_fit_says_what_it_finds_how_good_it_is_and_what_comes_next(fitted: Path) -> None:
    lines = (fitted / "fit.stderr").read_text().splitlines()
    assert lines[:4] == [
        "reading old.csv",
        "  time is 'month'",
        "  one series, 60 steps, monthly (MS)",
        "  season 12, horizon 12",
    ]
    assert any(line.startswith("seasonal_naive ") for line in lines)
    assert lines[-1] == "saved; next: lstmcast predict runs/old-price"
    assert not re.search(r"[\x1b\r]", "\n".join(lines))


def test_a_run_holds_only_its_documented_files(fitted: Path) -> None:
    assert {file.name for file in (fitted / "runs" / "old-price").iterdir()} == {
        "run.json", "model.safetensors", "scaler.json", "context.parquet", "history.csv", "metrics.json",
    }  # fmt: skip
    assert [entry.name for entry in (fitted / "runs").iterdir()] == ["old-price"]


def test_a_run_that_is_there_is_left_alone_unless_forced(lstmcast: Program, tmp_path: Path, fitted: Path) -> None:
    data, run = fitted / "old.csv", tmp_path / "run"
    assert lstmcast("fit", data, *QUICK, "--out", run).returncode == 0
    before = (run / "run.json").read_bytes()
    refused = lstmcast("fit", data, *QUICK, "--out", run)
    assert (refused.returncode, refused.stdout) == (4, "")
    assert "holds a run already" in refused.stderr and "--force" in refused.stderr
    skipped = lstmcast("fit", data, *QUICK, "--out", run, "--if-exists", "skip")
    assert (skipped.returncode, skipped.stdout) == (0, f"{run}\n")
    assert (run / "run.json").read_bytes() == before
    (run / "notes.txt").write_text("mine")
    assert lstmcast("fit", data, *QUICK, "--out", run, "--force", "--season", 4).returncode == 0
    assert (run / "run.json").read_bytes() != before
    assert (run / "notes.txt").read_text() == "mine"


def test_quiet_is_silent_and_gives_the_same_path(lstmcast: Program, fitted: Path) -> None:
    done = lstmcast("fit", "-", *QUICK, "-q", input=(fitted / "old.csv").read_text())
    assert (done.returncode, done.stdout, done.stderr) == (0, "runs/stdin-price\n", "")


def test_json_is_one_object_with_the_verdict(lstmcast: Program, fitted: Path) -> None:
    done = lstmcast("fit", fitted / "old.csv", *QUICK, "--json")
    said = json.loads(done.stdout)
    assert (said["schema_version"], said["command"], said["run"]) == (1, "fit", "runs/old-price")
    assert (said["horizon"], said["season"]) == (12, 12)
    assert said["verdict"]["model"]["mase"] > 0


def test_a_gate_that_trips_exits_7_after_the_run_is_saved(lstmcast: Program, tmp_path: Path, fitted: Path) -> None:
    done = lstmcast("fit", fitted / "old.csv", *QUICK, "-q", "--fail-if", "mase>0", "--fail-if", "coverage<0")
    assert (done.returncode, done.stdout) == (7, "runs/old-price\n")
    assert re.fullmatch(r"error: quality gate not met: mase is \S+\n  --fail-if mase>0\n", done.stderr)
    assert (tmp_path / "runs" / "old-price" / "run.json").exists()


def test_the_same_seed_gives_the_same_weights(lstmcast: Program, tmp_path: Path, fitted: Path) -> None:
    options = ("--target", "price", "--steps", 3, "--members", 2, "--from", "scratch", "--hidden", 8, "--seed", 7)
    for name in "ab":
        assert lstmcast("fit", fitted / "old.csv", *options, "--out", name).returncode == 0
    assert (tmp_path / "a" / "model.safetensors").read_bytes() == (tmp_path / "b" / "model.safetensors").read_bytes()


def test_a_panel_of_a_wide_file_is_fitted_at_once(lstmcast: Program, tmp_path: Path) -> None:
    rows = [f"{2010 + i // 12}-{i % 12 + 1:02}-01,{i % 12 + 10},{i % 12 * 2 + 7}" for i in range(48)]
    (tmp_path / "wide [usd].csv").write_text("\n".join(["date,north,south", *rows]))
    done = lstmcast("fit", "wide [usd].csv", "--target", "north", "--target", "south", "--steps", 0)
    assert (done.returncode, done.stdout) == (0, "runs/wide_usd_-north-south\n")
    assert "reading wide [usd].csv\n" in done.stderr
    assert "2 series, 96 steps" in done.stderr
    forecast = lstmcast("predict", "runs/wide_usd_-north-south", "--horizon", 1).stdout.splitlines()
    assert [line.split(",")[:2] for line in forecast] == [
        ["target", "date"], ["north", "2014-01-01"], ["south", "2014-01-01"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (
            "month,price\n2010-01,1\n2010-02,2\n2010-03,x\n2010-04,4\n",
            [],
            "x.csv:4: column 'price': 'x' is not a number",
        ),
        ("month,price\n2010-01,1\n2010-02,inf\n2010-03,2\n", [], "x.csv:3: column 'price': 'inf'"),
        ("month,price\n2010-01,1\n2010-01,2\n2010-02,2\n", [], "repeat a time stamp"),
        ("month,pirce\n2010-01,1\n2010-02,2\n", [], "no column 'price'"),
        ("month,price\n2010-01,1\n2010-02,2\n", [], "too few values"),
        ("", [], "x.csv"),
        ("month,price\n2010-01,1\n2010-02,2\n2010-03,3\n", ["--time", "mnth"], "no column 'mnth'"),
    ],
)
def test_bad_data_is_told_in_three_lines_and_leaves_nothing(
    text: str, options: list[str], message: str, lstmcast: Program, tmp_path: Path
) -> None:
    (tmp_path / "x.csv").write_text(text)
    done = lstmcast("fit", "x.csv", *QUICK, *options)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("reading x.csv\nerror: ")
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 3
    assert [file.name for file in tmp_path.iterdir()] == ["x.csv"]


def test_a_terminal_sees_a_bar_and_a_pipe_gets_only_the_path(tmp_path: Path) -> None:
    write_months(tmp_path / "m.csv", 48)
    line = ("fit", "m.csv", "--target", "price", "--steps", 4, "--members", 1, "--from", "scratch", "--hidden", 8)
    seen = on_terminal(line, tmp_path, only="stderr")
    assert seen.status == 0
    assert "train" in seen.text and "\x1b[" in seen.raw
    assert seen.text.endswith("\nruns/m-price\n")


def test_a_forecast_is_the_same_to_the_byte_in_any_locale(fitted: Path) -> None:
    seen = {
        run_program("predict", "runs/old-price", cwd=fitted, env={"LC_ALL": locale, "LANG": locale}).stdout
        for locale in ("C", "tr_TR.UTF-8")
    }
    assert len(seen) == 1
