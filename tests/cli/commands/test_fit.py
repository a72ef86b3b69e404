import json
from pathlib import Path

from tests.cli.conftest import Program, on_terminal, write_months

QUICK = ("--target", "price", "--steps", 0)


def test_a_run_holds_only_its_documented_files(fitted: Path) -> None:
    assert {file.name for file in (fitted / "runs" / "old-price").iterdir()} == {
        "run.json", "model.safetensors", "scaler.json", "context.parquet", "history.csv",
        "metrics.json",
    }  # fmt: skip
    assert [entry.name for entry in (fitted / "runs").iterdir()] == ["old-price"]


def test_json_is_one_object_with_the_verdict(lstmcast: Program, fitted: Path) -> None:
    done = lstmcast("fit", fitted / "old.csv", *QUICK, "--json")
    content = json.loads(done.stdout)
    assert (content["schema_version"], content["command"], content["run"]) == (
        1,
        "fit",
        "runs/old-price",
    )
    assert (content["horizon"], content["season"]) == (12, 12)
    assert content["verdict"]["model"]["mase"] > 0


def test_the_rival_that_is_named_is_the_one_of_the_run(
    quickly: Program, tmp_path: Path
) -> None:
    write_months(tmp_path / "x.csv", 60)
    line = ("fit", "x.csv", "--target", "price", "--steps", 0, "--against", "drift")
    done = quickly(*line, "--out", "run", "--json", "-q")
    assert done.returncode == 0, done.stderr
    verdict = json.loads(done.stdout)["verdict"]
    assert verdict["best_baseline"] == "drift"
    skill = 1 - verdict["model"]["mae"] / verdict["baselines"]["drift"]["mae"]
    assert abs(verdict["skill"] - skill) < 1e-9
    shown = json.loads(quickly("runs", "show", "run", "--json").stdout)
    assert shown["verdict"]["best_baseline"] == "drift"


def test_without_out_a_taken_name_gets_the_next_free_number(
    quickly: Program, tmp_path: Path, fitted: Path
) -> None:
    line = ("fit", fitted / "old.csv", *QUICK)
    assert quickly(*line, "-q", cwd=tmp_path).stdout == "runs/old-price\n"
    second = quickly(*line, cwd=tmp_path)
    assert second.stdout == "runs/old-price-2\n"
    assert "'runs/old-price' holds a run already" in second.stderr
    assert "next: lstmcast predict runs/old-price-2" in second.stderr
    refused = quickly(*line, "--if-exists", "fail", cwd=tmp_path)
    assert (refused.returncode, refused.stdout) == (4, "")
    made = json.loads((tmp_path / "runs" / "old-price-2" / "run.json").read_text())
    assert made["made"]["file"] == "old.csv"


def test_a_panel_of_a_wide_file_is_fitted_at_once(
    lstmcast: Program, tmp_path: Path
) -> None:
    rows = [
        f"{2010 + i // 12}-{i % 12 + 1:02}-01,{i % 12 + 10},{i % 12 * 2 + 7}"
        for i in range(48)
    ]
    (tmp_path / "wide [usd].csv").write_text("\n".join(["date,north,south", *rows]))
    done = lstmcast(
        "fit", "wide [usd].csv", "--target", "north", "--target", "south", "--steps", 0
    )
    assert (done.returncode, done.stdout) == (0, "runs/wide_usd_-north-south\n")
    assert "reading wide [usd].csv\n" in done.stderr
    assert "2 series, 96 steps" in done.stderr
    forecast = lstmcast(
        "predict", "runs/wide_usd_-north-south", "--horizon", 1
    ).stdout.splitlines()
    assert [line.split(",")[:2] for line in forecast] == [
        ["target", "date"], ["north", "2014-01-01"], ["south", "2014-01-01"],
    ]  # fmt: skip


def test_a_terminal_sees_a_bar_and_a_pipe_gets_only_the_path(tmp_path: Path) -> None:
    write_months(tmp_path / "m.csv", 48)
    line = (
        "fit",
        "m.csv",
        "--target",
        "price",
        "--steps",
        4,
        "--members",
        1,
        "--from",
        "scratch",
        "--hidden",
        8,
    )
    screen = on_terminal(line, tmp_path, only="stderr")
    assert screen.status == 0
    assert "train" in screen.text and "\x1b[" in screen.raw
    assert screen.text.endswith("\nruns/m-price\n")
