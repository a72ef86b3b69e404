"""The contract's rows on fits and runs, named by their numbers: 6, 12, 30, 34 to 36, 38."""

import csv
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.main import get_command

from lstmcast.cli import app
from lstmcast.cli.settings import iter_commands
from tests.cli.commands.test_backtest import TINY
from tests.cli.commands.test_evaluate import evaluate, rows
from tests.cli.conftest import Program
from tests.conftest import ROOT

QUICK = ("--target", "price", "--steps", 0)


def test_30_the_same_bytes_at_any_number_of_jobs(
    lstmcast: Program, tmp_path: Path, fitted: Path
) -> None:
    done: list[subprocess.CompletedProcess[str]] = []
    for jobs in (1, 2):
        line = (
            "backtest",
            fitted / "old.csv",
            *TINY,
            "--windows",
            2,
            "-j",
            jobs,
            "-o",
            f"{jobs}.csv",
        )
        done.append(lstmcast(*line))
        assert done[-1].returncode == 0, done[-1].stderr
    assert done[0].stdout == done[1].stdout
    assert [row["method"] for row in csv.DictReader(done[0].stdout.splitlines())][
        0
    ] == "model"
    assert (tmp_path / "1.csv").read_bytes() == (tmp_path / "2.csv").read_bytes()
    assert "8 rows written to '1.csv'" in done[0].stderr
    forecasts = pd.read_csv(tmp_path / "1.csv")
    assert list(forecasts)[:4] == ["cutoff", "month", "actual", "forecast"]
    assert forecasts["cutoff"].tolist() == ["2014-04"] * 4 + ["2014-08"] * 4


def test_30_the_same_seed_gives_the_same_weights(
    lstmcast: Program, quickly: Program, tmp_path: Path, fitted: Path
) -> None:
    options = (
        "--target",
        "price",
        "--steps",
        3,
        "--members",
        2,
        "--from",
        "scratch",
        "--hidden",
        8,
        "--seed",
        7,
    )
    assert lstmcast("fit", fitted / "old.csv", *options, "--out", "a").returncode == 0
    assert quickly("fit", fitted / "old.csv", *options, "--out", "b").returncode == 0
    assert (tmp_path / "a" / "model.safetensors").read_bytes() == (
        tmp_path / "b" / "model.safetensors"
    ).read_bytes()


def test_34_fit_says_what_it_finds_how_good_it_is_and_what_comes_next(
    fitted: Path,
) -> None:
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


def test_35_an_existing_run_is_left_as_it_is_unless_forced(
    quickly: Program, tmp_path: Path, fitted: Path
) -> None:
    data, run = fitted / "old.csv", tmp_path / "run"
    assert quickly("fit", data, *QUICK, "--out", run).returncode == 0
    before = (run / "run.json").read_bytes()
    refused = quickly("fit", data, *QUICK, "--out", run)
    assert (refused.returncode, refused.stdout) == (4, "")
    assert "holds a run already" in refused.stderr and "--force" in refused.stderr
    skipped = quickly("fit", data, *QUICK, "--out", run, "--if-exists", "skip")
    assert (skipped.returncode, skipped.stdout) == (0, f"{run}\n")
    assert (run / "run.json").read_bytes() == before
    (run / "notes.txt").write_text("mine")
    assert (
        quickly("fit", data, *QUICK, "--out", run, "--force", "--season", 4).returncode
        == 0
    )
    assert (run / "run.json").read_bytes() != before
    assert (run / "notes.txt").read_text() == "mine"


def test_36_a_gate_that_trips_exits_7_after_the_run_is_saved(
    quickly: Program, tmp_path: Path, fitted: Path
) -> None:
    done = quickly(
        "fit",
        fitted / "old.csv",
        *QUICK,
        "-q",
        "--fail-if",
        "mase>0",
        "--fail-if",
        "coverage<0",
    )
    assert (done.returncode, done.stdout) == (7, "runs/old-price\n")
    assert re.fullmatch(
        r"error: quality gate not met: mase is \S+\n  --fail-if mase>0\n", done.stderr
    )
    assert (tmp_path / "runs" / "old-price" / "run.json").exists()


def test_36_a_gate_that_trips_exits_7_with_the_scores_on_stdout(fitted: Path) -> None:
    done = evaluate(fitted, "new.csv", "-q", "--fail-if", "skill<1")
    assert done.returncode == 7
    methods = [row["method"] for row in rows(done.stdout)]
    assert {"naive", "drift", "mean", "median"} < {*methods}
    assert methods[0] == "model"
    assert done.stderr.startswith("error: quality gate not met: skill is ")


def test_12_a_dry_run_says_what_it_would_take_and_writes_nothing(
    fitted: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    data = str(fitted / "old.csv")
    assert (
        app.run_command_line(["fit", data, "--target", "price", "--dry-run", "--json"])
        == 0
    )
    fit = json.loads(capsys.readouterr().out)
    assert (
        fit["series"],
        fit["steps"],
        fit["freq"],
        fit["horizon"],
        fit["windows"],
    ) == (
        1,
        60,
        "MS",
        12,
        48,
    )
    assert (
        fit["members"] == 2
        and fit["parameters"] > 1e5
        and 0 < fit["seconds"] < 600
        and fit["memory"] > 2**27
    )
    assert (
        app.run_command_line(
            [
                "backtest",
                data,
                "--target",
                "price",
                "--windows",
                "5",
                "--dry-run",
                "--json",
            ]
        )
        == 0
    )
    past = json.loads(capsys.readouterr().out)
    assert past["fits"] == 5 and past["seconds"] > 5 * 0.1
    assert (
        app.run_command_line(
            [
                "tune",
                data,
                "--target",
                "price",
                "--trials",
                "5",
                "--steps",
                "0",
                "--dry-run",
                "--json",
            ]
        )
        == 0
    )
    search = json.loads(capsys.readouterr().out)
    assert (search["trials"], search["fits"], search["horizon"]) == (
        5,
        5 * 1 + 2 * 2,
        12,
    )
    assert (
        app.run_command_line(
            ["fit", data, "--target", "price", "--dry-run", "--steps", "0"]
        )
        == 0
    )
    lines = capsys.readouterr().out.splitlines()
    assert {"series           1", "horizon          12", "windows          48"} <= set(
        lines
    )
    assert list(tmp_path.iterdir()) == []


def test_38_runs_are_listed_shown_and_compared_as_json(
    fitted: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(fitted)
    content: list[dict[str, Any]] = []
    for line in (
        ["ls"],
        ["show", "runs/old-price"],
        ["diff", "runs/old-price", "runs/old-price"],
    ):
        assert app.run_command_line(["runs", *line, "--json"]) == 0
        content.append(json.loads(capsys.readouterr().out))
    listed, shown, compared = content
    assert [row["run"] for row in listed["runs"]] == ["runs/old-price"]
    assert (
        shown["horizon"] == 12
        and shown["data"]["steps"] == 60
        and shown["verdict"]["model"]["mase"] > 0
    )
    assert compared["differences"] == []


def documented() -> dict[str, dict[str, str]]:
    """Keys and kinds of every object in docs/schemas.md, by its heading."""
    found: dict[str, dict[str, str]] = {}
    for part in (
        (ROOT / "docs" / "schemas.md").read_text(encoding="utf-8").split("\n## ")[1:]
    ):
        heading, _, text = part.partition("\n")
        found[heading.strip("`")] = dict(
            re.findall(r"^\| `(\w+)` \| ([\w ]+) \|", text, re.MULTILINE)
        )
    return found


KINDS: dict[str, Any] = {
    "text": str, "whole": int, "number": (int, float), "flag": bool, "list": list, "object": dict,
    "null": type(None)
}  # fmt: skip


def check(content: dict[str, Any], heading: str) -> None:
    """An object has exactly the keys that the page names, each of its kind."""
    known = documented()[heading]
    assert set(content) - {"schema_version", "command"} == set(known), heading
    for key, kind in known.items():
        expected = [
            KINDS[one] for one in kind.replace("yes or no", "flag").split(" or ")
        ]
        assert any(isinstance(content[key], one) for one in expected), (
            heading,
            key,
            content[key],
        )


@pytest.mark.parametrize(
    ("heading", "line"),
    [
        ("demo", "demo {new}.csv"),
        ("fit", "fit old.csv --target price --steps 0 --out {new}"),
        ("fit --dry-run", "fit old.csv --target price --steps 0 --dry-run"),
        ("predict", "predict runs/old-price"),
        ("forecast", "forecast old.csv --target price"),
        ("evaluate", "evaluate runs/old-price new.csv"),
        ("backtest", "backtest old.csv --target price --steps 0 --windows 1"),
        (
            "backtest --dry-run",
            "backtest old.csv --target price --steps 0 --windows 1 --dry-run",
        ),
        ("predict --output FOLDER/", "predict runs/old-price {shards} -o {new}/ -j 1"),
        (
            "forecast --output FOLDER/",
            "forecast {shards} --target price -o {new}/ -j 1",
        ),
        (
            "backtest --output FOLDER/",
            "backtest {shards} --target price --steps 0 --windows 1 -o {new}/ -j 1",
        ),
        ("detect --output FOLDER/", "detect runs/old-price {shards} -o {new}/ -j 1"),
        (
            "tune",
            "tune old.csv --target price --steps 0 --trials 1 --unseen 1 --windows 1 --out {new}",
        ),
        (
            "tune --dry-run",
            "tune old.csv --target price --steps 0 --trials 1 --dry-run",
        ),
        ("detect", "detect runs/old-price new.csv"),
        ("detect --target COL", "detect --target price new.csv"),
        ("update", "update runs/old-price new.csv --dry-run"),
        ("explain", "explain runs/old-price"),
        ("inspect", "inspect old.csv"),
        ("report", "report runs/old-price -o {new}"),
        ("export", "export runs/old-price -o {new}.onnx"),
        ("runs ls", "runs ls"),
        ("runs show", "runs show runs/old-price"),
        ("runs diff", "runs diff runs/old-price runs/old-price"),
        ("runs check", "runs check runs/old-price"),
        ("config show", "config show"),
    ],
)
def test_06_json_of_every_command_is_as_documented(
    heading: str, line: str, fitted: Path, tmp_path: Path, quickly: Program
) -> None:
    shards = tmp_path / "shards"
    shards.mkdir()
    pd.read_csv(fitted / "new.csv").to_parquet(shards / "new.parquet")
    done = quickly(
        *line.format(new=tmp_path / "new", shards=shards).split(),
        "--json",
        "-q",
        cwd=fitted,
    )
    assert (done.returncode, done.stderr) == (0, "")
    content = json.loads(done.stdout)
    assert done.stdout.count("\n") == 1
    assert (content["schema_version"], content["command"]) == (
        1,
        heading.partition(" --")[0],
    )
    check(content, heading)
    if content.get("verdict") and heading != "runs show":
        check(content["verdict"], "verdict")


def test_06_every_command_with_json_is_documented() -> None:
    root = get_command(app.app)
    with_json = {
        command.name
        for command in iter_commands(root)
        if any("--json" in one.opts for one in command.params)
    }
    assert with_json == {
        heading.split(" --")[0].split()[-1] for heading in documented()
    } - {
        "verdict",
        "error",
        "row",
    }
