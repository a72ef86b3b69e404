"""`lstmcast detect DATA`: a file by itself, again as it grows, and row by row on stdin."""

import csv
import io
import json
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.conftest import Program, keep_running, run_program

COLUMNS = ["when", "actual", "expected", "low", "high", "score", "anomaly", "kind"]
COLUMNS += ["event", "reason"]
LENGTH, SPIKE = 240, 180


def sensor_lines(seed: int = 0) -> list[str]:
    """Lines of a sensor that reports when it likes, one of them far off."""
    noise = random.Random(seed)
    lines = []
    moment = datetime(2024, 5, 1, 10)
    for number in range(LENGTH):
        moment += timedelta(minutes=noise.randint(1, 15))
        value = 400.0 if number == SPIKE else 50 + noise.gauss(0, 2)
        lines.append(f"{moment:%Y-%m-%d %H:%M},{value:.2f}")
    return lines


@pytest.fixture
def sensor(tmp_path: Path) -> Path:
    path = tmp_path / "cpu.csv"
    path.write_text("\n".join(["when,cpu", *sensor_lines(), ""]))
    return path


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines()))


def test_a_file_alone_is_judged_row_by_row(lstmcast: Program, sensor: Path) -> None:
    done = lstmcast("detect", sensor)
    found = rows(done.stdout)
    assert (done.returncode, list(found[0])) == (0, COLUMNS)
    assert [f"{row['when']},{float(row['actual']):.2f}" for row in found] == (
        sensor_lines()
    )
    assert [row["kind"] for row in found[:50]] == ["warm-up"] * 50
    assert all(row["score"] for row in found[50:])
    [flagged] = [place for place, row in enumerate(found) if row["anomaly"] == "1"]
    assert flagged == SPIKE and float(found[SPIKE]["score"]) > 0.999
    assert done.stderr.splitlines()[:3] == [
        f"reading {sensor}",
        "  target is 'cpu', the only column of numbers",
        "  time is 'when'",
    ]
    assert done.stderr.splitlines()[-1].startswith("1 event in 190 rows judged")


def test_a_job_that_passes_the_growing_file_judges_each_row_once(
    quickly: Program, sensor: Path
) -> None:
    line = ("detect", sensor.name, "--state", "cpu.state", "-q")
    whole = rows(quickly("detect", sensor.name, "-q").stdout)
    text = sensor.read_text().splitlines()
    sensor.write_text("\n".join([*text[:171], ""]))
    gate = ("--fail-if", "anomalies>0")
    assert quickly(*line, "-t", "cpu", *gate).returncode == 0
    sensor.write_text("\n".join([*text, ""]))
    done = quickly(*line, *gate, "--only-anomalies")
    assert (done.returncode, done.stderr.splitlines()[-1]) == (
        7,
        "  --fail-if anomalies>0",
    )
    expected = [row for row in whole[170:] if row["event"]]
    assert rows(done.stdout) == expected and expected
    done = quickly(*line[:-1], *gate)
    assert (done.returncode, {row["kind"] for row in rows(done.stdout)}) == (
        0,
        {"known"},
    )
    assert "  240 of 240 rows were judged before" in done.stderr.splitlines()


def test_several_series_have_what_they_share_said_and_in_json(
    quickly: Program, tmp_path: Path
) -> None:
    lines = sensor_lines()
    values = [line.split(",")[1] for line in lines]
    calm = [line.split(",")[1] for line in sensor_lines(5)]
    calm[SPIKE] = "51"
    wide = [
        f"{line},{two},{three}"
        for line, two, three in zip(lines, values, calm, strict=True)
    ]
    (tmp_path / "wide.csv").write_text("\n".join(["when,a,b,c", *wide, ""]))
    targets = ("-t", "a", "-t", "b", "-t", "c")
    done = quickly("detect", "wide.csv", *targets, "--json")
    content = json.loads(done.stdout)
    when = lines[SPIKE].split(",")[0]
    shared = {"time": when, "series": ["a", "b"], "n_series": 3}
    assert content["shared"] == [shared]
    assert f"  unusual at once: 2 of 3 series at {when}: a, b" in done.stderr
    assert len(content["rows"]) == 3 * LENGTH
    assert {event["target"] for event in content["events"]} >= {"a", "b"}


def test_without_times_or_with_times_of_any_form(
    quickly: Program, tmp_path: Path
) -> None:
    values = [line.split(",")[1].replace(".", ",") for line in sensor_lines()]
    lines = [f"{value};V" for value in values]
    (tmp_path / "bare.csv").write_text("\n".join(["cpu;unit", *lines, ""]))
    done = quickly("detect", "bare.csv", "-t", "cpu", "--time", "none", "-q")
    found = rows(done.stdout)
    assert [row["step"] for row in found] == [str(n) for n in range(1, LENGTH + 1)]
    assert found[SPIKE]["anomaly"] == "1"
    days = [
        f"{1 + n % 28}/{1 + n // 28}/2024;{value}" for n, value in enumerate(values)
    ]
    (tmp_path / "days.csv").write_text("\n".join(["day;cpu", *days, ""]))
    refused = quickly("detect", "days.csv", "-t", "cpu", "--date-format", "%m/%d/%Y")
    assert refused.returncode == 3 and "--date-format %d/%m/%Y" in refused.stderr
    done = quickly("detect", "days.csv", "-t", "cpu", "--date-format", "%d/%m/%Y", "-q")
    assert (done.returncode, rows(done.stdout)[SPIKE]["anomaly"]) == (0, "1")


MISUSED = {
    (): "missing argument 'DATA'",
    ("cpu.csv", "--fixed"): "--fixed is for a run: without one there is nothing but",
    ("cpu.csv", "--snap"): "--snap is for a run: without one rows are judged as they",
    ("cpu.csv", "--if-nothing-new", "skip"): "--if-nothing-new is for a run",
    ("cpu.csv", "-t", "cpv"): "no column 'cpv'",
    ("cpu.csv", "--rate", "0.7"): "--rate 0.7 is out of range",
    ("cpu.csv", "--state", "cpu.csv"): "'cpu.csv' is no state of detect, or damaged",
    ("run",): "'run' is a run, and DATA is missing",
    ("run", "cpu.csv", "--target", "cpu"): "--target is for DATA without a RUN",
    ("run", "cpu.csv", "--state", "x"): "--state is for DATA without a RUN: with a run",
    ("-", "--events"): "--events needs all rows before it can list their events",
}


@pytest.mark.parametrize("arguments", MISUSED, ids=" ".join)
def test_options_that_do_not_fit_are_refused(
    arguments: tuple[str, ...], quickly: Program, sensor: Path, tmp_path: Path
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text("{}")
    done = quickly("detect", *arguments, cwd=sensor.parent)
    assert done.returncode in (2, 3, 4) and done.stdout == ""
    error = [line for line in done.stderr.splitlines() if "error: " in line]
    assert MISUSED[arguments] in error[0]
    assert len(done.stderr.splitlines()) <= 4


def test_settings_of_the_other_form_do_not_matter(
    quickly: Program, sensor: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toml = (
        'target = "cpu"\nduplicates = "last"\nadapt = false\nif-nothing-new = "skip"\n'
    )
    (sensor.parent / "lstmcast.toml").write_text(toml)
    monkeypatch.setenv("LSTMCAST_SENSITIVITY", "high")
    assert quickly("detect", sensor.name, "-q", "--rate", "0.01").returncode == 2
    monkeypatch.delenv("LSTMCAST_SENSITIVITY")
    assert quickly("detect", sensor.name, "-q").returncode == 0
    done = quickly("detect", "missing-run", sensor.name)
    assert (done.returncode, "no run at 'missing-run'" in done.stderr) == (4, True)


def test_a_state_of_other_columns_or_of_another_rate_is_refused(
    quickly: Program, sensor: Path
) -> None:
    line = ("detect", sensor.name, "--state", "s", "-q")
    assert quickly(*line).returncode == 0
    before = (sensor.parent / "s").read_bytes()
    text = sensor.read_text().replace("cpu", "ram", 1)
    sensor.write_text(text)
    done = quickly(*line, "-t", "ram")
    assert (done.returncode, done.stderr.splitlines()[0]) == (
        2,
        "error: the rows before had --target cpu, these have --target ram",
    )
    done = quickly(*line, "--sensitivity", "high")
    assert done.returncode == 2 and "was made with --rate 0.001" in done.stderr
    assert (sensor.parent / "s").read_bytes() == before


def test_a_state_that_another_process_has_is_locked(
    quickly: Program, sensor: Path
) -> None:
    line = ("detect", "-", "-t", "cpu", "--state", "s")
    with keep_running(line, sensor.parent) as program:
        program.stdin.write("when,cpu\n2024-05-01 10:00,50\n")
        program.stdin.flush()
        program.stdout.readline()
        done = quickly("detect", sensor.name, "--state", "s", cwd=sensor.parent)
        assert done.returncode == 8 and "name another --state" in done.stderr
        program.stdin.close()
        assert program.wait(20) == 0


def test_stdin_is_judged_as_the_file_is_also_after_a_break(
    lstmcast: Program, sensor: Path, tmp_path: Path
) -> None:
    whole = rows(lstmcast("detect", sensor, "-q").stdout)
    text = sensor.read_text().splitlines()
    line = ("detect", "-", "--state", "s", "-t", "cpu")
    first = run_program(*line, cwd=tmp_path, input="\n".join([*text[:150], ""]))
    assert (first.returncode, rows(first.stdout)) == (0, whole[:149])
    second = run_program(*line, "-q", cwd=tmp_path, input="\n".join([*text, ""]))
    found = rows(second.stdout)
    assert [row["kind"] for row in found[:149]] == ["known"] * 149
    assert found[149:] == whole[149:]
    # Without a header, which is in what is remembered.
    more = "2024-06-09 10:00,50\n"
    third = run_program(*line, cwd=tmp_path, input=more)
    assert [row["kind"] for row in rows(third.stdout)] == ["gap"]
    assert "its columns are taken for 'when' and 'cpu'" in third.stderr


@pytest.fixture
def live(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """The program, waiting for rows."""
    line = ("detect", "-", "-t", "cpu", "--state", "s")
    with keep_running(line, tmp_path) as program:
        yield program


def test_a_line_comes_out_for_each_line_in_and_a_signal_saves_the_state(
    live: subprocess.Popen[str], lstmcast: Program, tmp_path: Path
) -> None:
    assert live.stdin and live.stdout and live.stderr
    lines = sensor_lines()
    live.stdin.write("\n".join(["when,cpu", *lines[:120], ""]))
    live.stdin.flush()
    assert live.stdout.readline().strip() == ",".join(COLUMNS)
    for _ in range(120):
        live.stdout.readline()
    late = lines[100].split(",")[0]
    for line, kind in (
        (lines[120], ""),
        (f"{lines[121].split(',')[0]},", "missing"),
        (f"{late},51", ""),
        (f"{lines[122].split(',')[0]},400", "point"),
    ):
        live.stdin.write(f"{line}\n")
        live.stdin.flush()
        row = next(csv.reader([live.stdout.readline()]))
        assert (row[0], row[-3]) == (line.split(",")[0], kind)
    live.send_signal(signal.SIGTERM)
    assert live.wait(10) == 143
    assert live.stderr.read().splitlines()[1:3] == [
        "  time is 'when'",
        "  a row came late, after a newer one: such rows are judged as they come",
    ]
    (tmp_path / "more.csv").write_text("\n".join(["when,cpu", *lines, ""]))
    found = rows(lstmcast("detect", "more.csv", "--state", "s", "-q").stdout)
    kinds = [row["kind"] for row in found]
    assert kinds[:123] == ["known"] * 123 and "known" not in kinds[123:]


BAD = {
    "2024-05-09 10:00,51,7": "stdin:3: 3 values where the header names 2 columns",
    "2024-05-09 25:00,51": "stdin:3: column 'when': '2024-05-09 25:00' is not a date",
    "2024-05-09 10:00,lots": "stdin:3: column 'cpu': 'lots' is not a number",
    ",51": "stdin:3: column 'when': the time is empty",
    "2024-05-09": "stdin:3: 1 value where the header names 2 columns",
}


def test_torn_lines_end_it_or_are_skipped_and_each_is_named(
    tmp_path: Path,
) -> None:
    good = ["2024-05-09 09:00,50", "2024-05-09 11:00,50"]
    text = "\n".join(["when,cpu", good[0], *BAD, good[1], ""])
    line = ("detect", "-", "-t", "cpu")
    done = run_program(*line, cwd=tmp_path, input=text)
    assert (done.returncode, len(rows(done.stdout))) == (3, 1)
    assert f"error: {next(iter(BAD.values()))}" in done.stderr
    done = run_program(*line, "--bad-rows", "skip", cwd=tmp_path, input=text)
    assert [row["when"] for row in rows(done.stdout)] == [
        "2024-05-09 09:00",
        "2024-05-09 11:00",
    ]
    skipped = [one for one in done.stderr.splitlines() if one.startswith("skipped: ")]
    for number, (one, expected) in enumerate(zip(skipped, BAD.values(), strict=True)):
        message = expected.replace("stdin:3", f"stdin:{number + 3}")
        assert one.startswith(f"skipped: {message}")


def test_rows_before_a_bad_line_are_remembered(
    quickly: Program, sensor: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def feed(text: str) -> subprocess.CompletedProcess[str]:
        stdin = io.TextIOWrapper(io.BufferedReader(io.BytesIO(text.encode())))  # type: ignore[arg-type]
        monkeypatch.setattr(sys, "stdin", stdin)
        return quickly("detect", "-", "-t", "cpu", "--state", "s", "-q")

    lines = sensor_lines()
    assert feed("\n".join(["when,ram", *lines[:3], ""])).returncode == 3
    assert not (sensor.parent / "s").exists()
    done = feed("\n".join(["when,cpu", *lines[:60], "torn", ""]))
    assert (done.returncode, len(rows(done.stdout))) == (3, 60)
    found = rows(feed("\n".join(["when,cpu", *lines[:61], ""])).stdout)
    assert [row["kind"] for row in found] == ["known"] * 60 + [""]


def test_targets_of_a_line_that_are_unusual_at_once_are_said(
    tmp_path: Path,
) -> None:
    wide = [f"{line},{line.split(',')[1]}" for line in sensor_lines()]
    text = "\n".join(["when,a,b", *wide, ""])
    line = ("detect", "-", "-t", "a", "-t", "b")
    done = run_program(*line, cwd=tmp_path, input=text)
    assert [row["target"] for row in rows(done.stdout)[:4]] == ["a", "b", "a", "b"]
    when = wide[SPIKE].split(",")[0]
    assert f"  unusual at once: 2 of 2 series at {when}: a, b" in done.stderr


def test_a_header_that_lacks_the_target_is_an_error(tmp_path: Path) -> None:
    text = "when,cpu\n2024-05-09 09:00,50\n"
    done = run_program("detect", "-", "-t", "cpv", cwd=tmp_path, input=text)
    assert done.returncode == 3 and "did you mean 'cpu'" in done.stderr
    done = run_program("detect", "-", cwd=tmp_path, input=text)
    assert (done.returncode, len(rows(done.stdout))) == (0, 1)
    assert "  target is 'cpu', the only column of numbers" in done.stderr
