import csv
import json
import re
import shutil
from pathlib import Path

import pytest

from lstmcast.cli import app
from tests.cli.conftest import on_terminal, run_program


def test_a_run_that_cannot_be_trusted_is_listed_with_what_is_wrong(
    fitted: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("good", "bad"):
        shutil.copytree(fitted / "runs" / "old-price", tmp_path / name)
    (tmp_path / "bad" / "metrics.json").write_text("{}")
    (tmp_path / "no run").mkdir()
    assert app.run_command_line(["runs", "ls", str(tmp_path)]) == 0
    bad, good = csv.DictReader(capsys.readouterr().out.splitlines())
    assert (good["run"], good["target"], good["freq"], good["horizon"]) == (
        str(tmp_path / "good"),
        "price",
        "MS",
        "12",
    )
    assert float(good["mase"]) > 0 and good["problem"] == ""
    assert "metrics.json' is not what was saved" in bad["problem"]


def test_a_folder_that_is_not_there_is_a_run_error(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert app.run_command_line(["runs", "ls", str(tmp_path / "none")]) == 4
    assert "error: no folder" in capsys.readouterr().err


def test_a_run_is_shown_a_fact_a_line(
    fitted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        app.run_command_line(["runs", "show", str(fitted / "runs" / "old-price")]) == 0
    )
    lines = capsys.readouterr().out.splitlines()
    assert {
        "horizon = 12",
        "season = 12",
        'data.columns.target = ["price"]',
        "config.train.steps = 0",
    } <= set(lines)


def test_a_run_is_shown_in_five_lines_for_people_first(
    fitted: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(fitted)
    assert app.run_command_line(["runs", "show", "runs/old-price"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("price of old.csv: one series, 60 steps to ")
    assert lines[1] == "forecasts 12 steps ahead, season 12"
    assert re.fullmatch(
        r"made \d{4}-\d\d-\d\d \d\d:\d\d UTC with lstmcast \S+, \d+ KiB", lines[2]
    )
    assert "mase" in lines[3]
    assert lines[4:6] == ["next: lstmcast predict runs/old-price", ""]


def test_runs_are_sorted_and_those_without_a_value_come_last(
    fitted: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b", "c"):
        shutil.copytree(fitted / "runs" / "old-price", tmp_path / name)
    (tmp_path / "a" / "metrics.json").write_text("{}")
    assert (
        app.run_command_line(["runs", "ls", str(tmp_path), "--sort", "made", "--json"])
        == 0
    )
    runs = json.loads(capsys.readouterr().out)["runs"]
    assert [Path(run["run"]).name for run in runs] == ["b", "c", "a"]
    assert runs[0]["file"] == "old.csv" and runs[0]["bytes"] > 1000
    assert runs[0]["until"] and runs[0]["verdict"]


def test_on_a_narrow_terminal_no_figure_of_a_verdict_is_cut(fitted: Path) -> None:
    wide = on_terminal(["runs", "ls", "runs"], fitted, columns=200)
    narrow = on_terminal(["runs", "ls", "runs"], fitted, columns=70)
    assert ", mase " in wide.text and "..." not in wide.text
    assert " than " in narrow.text and ", mase " not in narrow.text
    assert "..." not in narrow.text


def test_removing_a_run_leaves_files_that_are_not_its_own(
    fitted: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("whole", "damaged", "shared"):
        shutil.copytree(fitted / "runs" / "old-price", tmp_path / name)
    (tmp_path / "damaged" / "metrics.json").write_text("{}")
    (tmp_path / "shared" / "notes.txt").write_text("mine")
    places = [str(tmp_path / name) for name in ("whole", "damaged", "shared")]
    assert app.run_command_line(["runs", "rm", *places]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == places
    assert "stays, with files that are not the run's: notes.txt" in err
    assert [entry.name for entry in tmp_path.iterdir()] == ["shared"]
    assert [entry.name for entry in (tmp_path / "shared").iterdir()] == ["notes.txt"]


def test_nothing_is_removed_where_one_of_the_names_is_no_run(
    fitted: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    shutil.copytree(fitted / "runs" / "old-price", run)
    assert app.run_command_line(["runs", "rm", str(run), str(tmp_path)]) == 4
    assert "holds no run" in capsys.readouterr().err
    assert (run / "run.json").is_file()


def test_runs_differ_in_settings_and_in_results(
    fitted: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = (
        "fit",
        "old.csv",
        "--target",
        "price",
        "--steps",
        0,
        "--season",
        4,
        "--out",
        tmp_path / "b",
        "-q",
    )
    assert run_program(*line, cwd=fitted).returncode == 0
    one, two = str(fitted / "runs" / "old-price"), str(tmp_path / "b")
    assert app.run_command_line(["runs", "diff", one, two]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "season: 12 -> 4" in lines and "config.window.season: - -> 4" in lines
    assert not any(line.startswith(("seed", "data.")) for line in lines)
    assert app.run_command_line(["runs", "diff", one, two, "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert {"name": "season", "run": 12, "other": 4} in content["differences"]
    assert app.run_command_line(["runs", "diff", one, one]) == 0
    assert capsys.readouterr().out == ""
