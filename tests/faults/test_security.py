"""Rows X of the faults: what a hostile file, name or run may try. X2 is in test_files.py."""

import base64
import csv
import hashlib
import io
import os
import pickle
import re
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from lstmcast.cli.data import default_run_path
from lstmcast.runs import directory
from lstmcast.runs.disk import sha256_hex
from tests.cli.conftest import run_program, write_months
from tests.faults.conftest import Refused, days, run_inside
from tests.faults.test_run_directory import FIT, edit

IDS = (
    "../../x",
    "CON",
    "i" * 300,
    '=cmd|"/c calc"!A1',
    "\x1b]0;owned\x07\x1b[31mred",
    "[/red] [usd]",
    "\u202egnp.exe",
    "<script>alert(1)</script>",
    "{{ 7*7 }} %s",
    "'; drop table",
)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of `h.csv`, whose series have the names IDS, and stderr of its fit."""
    folder = tmp_path_factory.mktemp("hostile")
    rows = [
        line.split(",")
        for line in write_months(folder / "m.csv", 40).read_text().splitlines()[1:]
    ]
    with (folder / "h.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["month", "price", "[red]shop\x1b[2J"])
        table.writerows([[*row, name] for name in IDS for row in rows])
    done = run_program(
        *("fit", "h.csv", *FIT, "--series", "[red]shop\x1b[2J", "--out", "run", "-v"),
        cwd=folder,
        env={"SECRET_TOKEN": "correct-horse-battery", "USER": "somebody-in-person"},
    )
    assert done.returncode == 0, done.stderr
    (folder / "stderr").write_text(done.stderr)
    return folder


def seal_in(run: Path, name: str, data: bytes) -> None:
    """Replace a file of a run, as someone does who knows how runs are sealed."""
    (run / name).write_bytes(data)
    entry = {"bytes": len(data), "sha256": sha256_hex(data)}
    edit(run, lambda manifest: manifest["files"].update({name: entry}))


class Payload:
    """As a pickle it makes the file `opened` when it is read."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.touch, (Path("opened"),)


def test_x1_a_pickle_in_a_run_is_never_opened(
    refused: Refused, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = pickle.dumps(Payload())
    for name in ("model.pkl", "scaler.joblib", "weights.pt"):
        (run / name).write_bytes(bomb)
    assert run_program("predict", "run", cwd=tmp_path).returncode == 0
    for name in directory.RUN_FILES:
        seal_in(run, name, bomb)
        refused(
            "predict",
            "run",
            inside=True,
            status=4,
            says=["does not hold what it should"],
        )
    assert not (tmp_path / "opened").exists()
    monkeypatch.chdir(tmp_path)
    pickle.loads(bomb)  # it is armed
    assert (tmp_path / "opened").exists()


def test_x3_ids_are_never_file_names(hostile: Path) -> None:
    assert {entry.name for entry in (hostile / "run").iterdir()} == {
        directory.MANIFEST_FILE,
        *directory.RUN_FILES,
    }
    assert {entry.name for entry in hostile.iterdir()} == {
        "m.csv",
        "h.csv",
        "stderr",
        "run",
    }
    assert default_run_path("../../CON.csv", ("../../x" * 60,)).parent == Path("runs")


def forecast_ids(text: str) -> set[str]:
    return {row[0] for row in csv.reader(io.StringIO(text, newline=""))} - {
        "[red]shop\x1b[2J"
    }


def test_x4_ids_are_written_as_they_are_and_guarded_from_spreadsheets_where_asked(
    hostile: Path,
) -> None:
    plain = run_program("predict", "run", cwd=hostile)
    assert forecast_ids(plain.stdout) == set(IDS)
    assert "a spreadsheet may take" in plain.stderr and "--excel-safe" in plain.stderr
    safe = run_inside("predict", "run", "--excel-safe", cwd=hostile)
    assert forecast_ids(safe.stdout) == {
        f"'{name}" if name.startswith("=") else name for name in IDS
    }
    assert safe.stderr == ""
    assert (
        run_inside(
            "predict", "run", "--format", "jsonl", "--excel-safe", cwd=hostile
        ).stdout.count("=cmd")
        == 12
    )


def test_x4_numbers_are_numbers_for_spreadsheets_too(hostile: Path) -> None:
    rows = list(
        csv.DictReader(
            io.StringIO(
                run_inside("predict", "run", "--excel-safe", cwd=hostile).stdout
            )
        )
    )
    assert all(float(row["forecast"]) > 0 for row in rows)


def test_x5_a_report_escapes_every_name_and_fetches_nothing(
    hostile: Path, tmp_path: Path
) -> None:
    done = run_inside("report", "run", "-o", str(tmp_path / "page.html"), cwd=hostile)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "page.html").read_text()
    # The one script is the page's own, which the policy knows by its hash; before it is its data.
    scripts = re.findall(r"<script[^>]*>(.*?)</script>", page, re.DOTALL)
    _, script = scripts
    assert page.count("<script") == 2 and "alert" not in script
    assert "<script>alert" not in page
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in page
    assert "\x1b" not in page and "\u202e" not in page
    assert "default-src 'none'" in page


@pytest.mark.parametrize(
    "command",
    ["runs show run", "inspect h.csv --target price --series=[red]shop\x1b[2J"],
)
def test_x6_and_x7_names_are_shown_escaped_and_are_no_markup(
    command: str, hostile: Path
) -> None:
    done = run_inside(*command.split(" "), cwd=hostile)
    assert done.returncode == 0, done.stderr
    shown = done.stdout + done.stderr + (hostile / "stderr").read_text()
    assert "[red]shop" in shown
    assert [c for c in shown if not c.isprintable() and c != "\n"] == []


def test_x6_and_x7_hold_in_tables_and_errors_too(
    hostile: Path, refused: Refused, tmp_path: Path
) -> None:
    table = run_inside("predict", "run", "--format", "table", cwd=hostile).stdout
    assert (
        "[/red] [usd]" in table
        and "\\x1b]0;owned" in table
        and "\x1b" not in table
        and "\u202e" not in table
    )
    (tmp_path / "e.csv").write_text(
        days(y=lambda day: "[/red]\x1b[2J\u202e" if day == 9 else day)
    )
    stderr = refused(
        "fit", "e.csv", "--target", "y", says=["e.csv:10", "[/red]\\x1b[2J\\u202e"]
    )
    assert "\x1b" not in stderr and "\u202e" not in stderr


def test_x8_yaml_is_no_settings_format(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(
        "!!python/object/apply:os.system ['touch opened']\n"
    )
    refused("config", "show", "--config", "s.yaml", status=2, says=["s.yaml"])


def test_x9_a_run_holds_no_secrets_nor_who_made_it_where(hostile: Path) -> None:
    for file in [*(hostile / "run").iterdir(), hostile / "stderr"]:
        data = file.read_bytes()
        for private in ("correct-horse-battery", "somebody-in-person", str(hostile)):
            assert private.encode() not in data, f"{private} in {file.name}"


@pytest.mark.parametrize(
    ("mask", "folder", "file"), [(0o077, 0o700, 0o600), (0o002, 0o775, 0o664)]
)
def test_x9_files_follow_the_umask(
    mask: int, folder: int, file: int, fitted: Path, tmp_path: Path
) -> None:
    before = os.umask(mask)
    try:
        fit = ("fit", str(fitted / "old.csv"), *FIT, "--out", "a/run", "-q")
        done = run_inside(*fit, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert (
            run_inside("predict", "a/run", "-o", "f.csv", cwd=tmp_path).returncode == 0
        )
    finally:
        os.umask(before)
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")
    }
    assert {modes["a"], modes["run"]} == {folder}
    assert {mode for name, mode in modes.items() if "." in name} == {file}
