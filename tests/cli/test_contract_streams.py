"""The contract's rows on streams, formats, surroundings, by number: 1 to 9, 28, 29, 31 to 33."""

import io
import json
import re
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from tests.cli.conftest import PROGRAM, Program, environment, on_terminal, run_program


def predicted(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return run_program("predict", "runs/old-price", *arguments, cwd=folder)


def as_frame(text: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(text))


def test_01_a_dash_on_a_terminal_shows_the_help(tmp_path: Path) -> None:
    screen = on_terminal(["fit", "-", "--target", "y"], tmp_path, only="stdin")
    assert screen.status == 2
    assert "Usage: lstmcast fit" in screen.text


def test_02_a_pipe_gets_the_forecast_table_as_csv(fitted: Path) -> None:
    done = predicted(fitted)
    assert (done.returncode, done.stderr) == (0, "")
    forecast = as_frame(done.stdout)
    assert list(forecast) == ["month", "forecast", "q10", "q50", "q90"]
    assert forecast["month"].tolist() == [f"2015-{month:02}" for month in range(1, 13)]
    assert (forecast["forecast"] == forecast["q50"]).all()
    assert (forecast["q10"] <= forecast["q50"]).all() and (
        forecast["q50"] <= forecast["q90"]
    ).all()


def test_03_stdout_has_the_same_bytes_under_v_and_q(fitted: Path) -> None:
    plain, verbose, quiet = (
        predicted(fitted, "new.csv", *flag) for flag in ([], ["-v"], ["-q"])
    )
    assert plain.stdout == verbose.stdout == quiet.stdout
    assert quiet.stderr == ""


def test_05_a_file_holds_the_same_numbers_in_the_format_of_its_extension(
    fitted: Path, tmp_path: Path
) -> None:
    expected = as_frame(predicted(fitted).stdout)
    for name, read in (("f.csv", pd.read_csv), ("f.parquet", pd.read_parquet)):
        done = predicted(fitted, "-o", tmp_path / name)
        assert (done.returncode, done.stdout) == (0, "")
        assert done.stderr == f"12 rows written to '{tmp_path / name}'\n"
        pd.testing.assert_frame_equal(
            read(tmp_path / name), expected, check_exact=True, check_dtype=False
        )
    assert sorted(file.name for file in tmp_path.iterdir()) == ["f.csv", "f.parquet"]


def test_09_json_turns_an_error_into_one_json_line(lstmcast: Program) -> None:
    done = lstmcast("predict", "no\nwhere", "--json")
    assert json.loads(done.stderr) == {
        "code": 4,
        "kind": "run",
        "message": "no run at 'no\\nwhere'",
        "hint": "make one with `lstmcast fit`",
    }
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (4, "", 1)


def test_28_a_reader_that_has_enough_is_no_error(fitted: Path) -> None:
    # More than a pipe holds: a few wide rows take less time than many narrow ones.
    levels = [f"{level / 100:g}" for level in range(1, 100)]
    program = (
        f"{' '.join(PROGRAM)} predict runs/old-price --quantiles {','.join(levels)}"
    )
    line = f"set -o pipefail; {program} --horizon 120 | head -1"
    done = subprocess.run(
        ["bash", "-c", line],
        cwd=fitted,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("month,forecast,q1,q2,")
    assert done.stdout.count("\n") == 1


@pytest.mark.parametrize("where", ["/dev/full", "&-"])
def test_29_a_full_or_closed_stdout_is_one_line_and_status_6(
    where: str, fitted: Path
) -> None:
    line = f"{' '.join(PROGRAM)} predict runs/old-price >{where}"
    done = subprocess.run(
        ["bash", "-c", line],
        cwd=fitted,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr.count("\n")) == (6, 1)
    assert done.stderr.startswith("error: cannot write to stdout: ")


def test_31_a_forecast_is_the_same_to_the_byte_in_any_locale(fitted: Path) -> None:
    outputs = {
        run_program(
            "predict",
            "runs/old-price",
            cwd=fitted,
            env={"LC_ALL": locale, "LANG": locale},
        ).stdout
        for locale in ("C", "de_DE.UTF-8", "tr_TR.UTF-8")
    }
    assert len(outputs) == 1


def test_32_cron_needs_no_environment(fitted: Path) -> None:
    line = [*PROGRAM, "predict", "runs/old-price"]
    bare = subprocess.run(
        line,
        cwd=fitted,
        env={},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert (bare.returncode, bare.stdout) == (0, predicted(fitted).stdout)


def test_33_quiet_is_silent_and_gives_the_same_path(
    lstmcast: Program, fitted: Path
) -> None:
    done = lstmcast(
        "fit",
        "-",
        "--target",
        "price",
        "--steps",
        0,
        "-q",
        input=(fitted / "old.csv").read_text(),
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "runs/stdin-price\n", "")


def test_04_no_bar_no_colour_and_no_carriage_return_off_a_terminal(
    lstmcast: Program, fitted: Path
) -> None:
    line = (
        "fit",
        fitted / "old.csv",
        "--target",
        "price",
        "--steps",
        2,
        "--members",
        1,
        "-v",
        "--out",
        "r",
    )
    for done in (
        lstmcast(*line),
        lstmcast("predict", "r", "--format", "table"),
        lstmcast("predict", "none"),
    ):
        assert not re.search(r"[\x1b\r]", done.stdout + done.stderr)


@pytest.mark.parametrize("form", ["csv", "tsv", "json", "jsonl"])
def test_05_a_flag_names_the_format_of_stdout_too(form: str, fitted: Path) -> None:
    text = predicted(fitted, "--format", form, "--horizon", 2).stdout
    read = {
        "csv": lambda: pd.read_csv(io.StringIO(text)),
        "tsv": lambda: pd.read_csv(io.StringIO(text), sep="\t"),
        "json": lambda: pd.DataFrame(json.loads(text)),
        "jsonl": lambda: pd.DataFrame([json.loads(line) for line in text.splitlines()]),
    }[form]()
    assert list(read) == ["month", "forecast", "q10", "q50", "q90"] and len(read) == 2


@pytest.mark.parametrize(
    ("changes", "flags", "red"),
    [
        ({}, [], True),
        ({"NO_COLOR": "1"}, [], False),
        ({"TERM": "dumb"}, [], False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, [], False),
        ({}, ["--no-color"], False),
    ],
    ids=str,
)
def test_07_errors_are_red_on_a_terminal_that_wants_colours(
    changes: dict[str, str],
    flags: list[str],
    red: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "tests.cli.conftest.environment", lambda **more: environment(**more) | changes
    )
    screen = on_terminal(["predict", "nowhere", *flags], tmp_path, only="stderr")
    assert ("\x1b[1;31m" in screen.raw) is red
    assert screen.text.startswith("error: no run at 'nowhere'")


def test_07_colours_are_a_stream_at_a_time_and_can_be_forced(tmp_path: Path) -> None:
    assert (
        "\x1b" not in on_terminal(["predict", "nowhere"], tmp_path, only="stdout").raw
    )
    done = run_program("predict", "nowhere", cwd=tmp_path, env={"FORCE_COLOR": "1"})
    assert done.stderr.startswith("\x1b[1;31merror:\x1b[0m no run at")
