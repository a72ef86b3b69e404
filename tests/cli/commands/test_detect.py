"""`lstmcast detect`: on files, in cron, and row by row on stdin."""

import csv
import gzip
import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import (
    Program,
    keep_running,
    on_terminal,
    run_program,
    write_months,
)

COLUMNS = ["month", "actual", "expected", "low", "high", "score", "anomaly", "kind"]
COLUMNS += ["event", "reason"]
LOUD = ("--rate", "0.05")


@pytest.fixture(scope="session")
def odd(fitted: Path) -> Path:
    """The newer months, one of which is wrong."""
    lines = (fitted / "new.csv").read_text().splitlines()
    month, value = lines[65].split(",")
    lines[65] = f"{month},{float(value) + 90:.2f}"
    path = fitted / "odd.csv"
    path.write_text("\n".join([*lines, ""]))
    return path


def detect(
    folder: Path, *arguments: object, **more: object
) -> subprocess.CompletedProcess[str]:
    return run_program("detect", "runs/old-price", *arguments, cwd=folder, **more)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines()))


def test_each_newer_row_is_judged_and_the_wrong_one_is_found(
    fitted: Path, odd: Path
) -> None:
    done = detect(fitted, odd, *LOUD)
    found = rows(done.stdout)
    assert (done.returncode, list(found[0])) == (0, COLUMNS)
    assert [row["month"] for row in found] == [
        f"2015-{month:02}" for month in range(1, 13)
    ]
    [wrong] = [row for row in found if row["anomaly"] == "1"]
    assert (wrong["month"], wrong["kind"]) == ("2015-05", "point")
    assert (wrong["event"], wrong["reason"]) == ("1", "error")
    assert 0.95 < float(wrong["score"]) <= 1
    assert float(wrong["actual"]) > float(wrong["high"]) > float(wrong["low"])
    last = done.stderr.splitlines()[-1]
    assert last == "1 event in 12 rows judged, with unusual rows: 1 single"


def test_a_gate_for_cron(fitted: Path, odd: Path, quickly: Program) -> None:
    done = detect(
        fitted, odd, *LOUD, "-q", "--fail-if", "anomalies>0", "-o", "judged.csv"
    )
    assert (done.returncode, done.stdout) == (7, "")
    assert (
        done.stderr
        == "error: quality gate not met: anomalies is 1\n  --fail-if anomalies>0\n"
    )
    assert len(rows((fitted / "judged.csv").read_text())) == 12
    assert (
        quickly(
            "detect",
            "runs/old-price",
            "new.csv",
            *LOUD,
            "--fail-if",
            "share>0.5",
            cwd=fitted,
        ).returncode
        == 0
    )
    done = quickly(
        "detect", "runs/old-price", "new.csv", "--fail-if", "mase>1", cwd=fitted
    )
    assert (done.returncode, done.stderr.splitlines()[0]) == (
        2,
        "error: --fail-if 'mase>1': unknown metric 'mase'",
    )


def test_as_json_there_is_one_object_with_rows_and_figures(
    fitted: Path, odd: Path, quickly: Program
) -> None:
    done = quickly("detect", "runs/old-price", odd, *LOUD, "--json", "-q", cwd=fitted)
    content = json.loads(done.stdout)
    assert (
        content["command"],
        content["anomalies"],
        content["judged"],
        len(content["rows"]),
    ) == (
        "detect",
        1,
        12,
        12,
    )
    assert set(content["rows"][0]) == set(COLUMNS)
    [event] = content["events"]
    assert (event["kind"], event["from"], event["rows"]) == ("point", "2015-05", 1)


def test_a_stuck_sensor_is_said_in_a_sentence_and_as_an_event(
    fitted: Path, tmp_path: Path, quickly: Program
) -> None:
    lines = (fitted / "new.csv").read_text().splitlines()
    stuck = [f"{line.split(',')[0]},170" for line in lines[63:]]
    path = tmp_path / "stuck.csv"
    path.write_text("\n".join([*lines[:63], *stuck, ""]))
    done = quickly("detect", "runs/old-price", path, *LOUD, "--json", cwd=fitted)
    content = json.loads(done.stdout)
    [event] = [one for one in content["events"] if one["kind"] == "stuck"]
    expected = {"from": "2015-03", "to": "2015-12", "rows": 10, "value": 170.0}
    assert event.items() >= expected.items()
    assert event["reason"] == "stuck" and event["peak"] > 0.9
    assert content["stuck"] == 6
    sentence = "stuck at 170 for 10 rows, month 2015-03 to 2015-12"
    assert sentence in done.stderr and "6 stuck" in done.stderr


def test_a_short_history_is_reported(fitted: Path, quickly: Program) -> None:
    done = quickly("detect", "runs/old-price", "new.csv", cwd=fitted)
    assert (
        "  48 rows of history are too few for a rate of 0.001 (1000 are needed)"
        in done.stderr
    )


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("old.csv",), 3, "nothing newer than what the run was trained on"),
        (("new.csv", "--rate", "0.7"), 2, "--rate 0.7 is out of range"),
        (("nothing.csv",), 3, "there is no file 'nothing.csv'"),
    ],
)
def test_what_cannot_be_judged_is_an_error(
    arguments: tuple[str, ...],
    status: int,
    message: str,
    fitted: Path,
    quickly: Program,
) -> None:
    done = quickly("detect", "runs/old-price", *arguments, "-q", cwd=fitted)
    assert (done.returncode, done.stdout) == (status, "")
    assert message in done.stderr and len(done.stderr.splitlines()) <= 3


def test_a_day_without_new_rows_can_be_no_error(fitted: Path, quickly: Program) -> None:
    line = ("detect", "runs/old-price", "old.csv", "--fail-if", "judged<1")
    done = quickly(*line, "--if-nothing-new", "skip", cwd=fitted)
    assert (done.returncode, done.stdout) == (0, "")
    last = done.stderr.splitlines()[-1]
    assert last.startswith("skipped: nothing newer than") and "2014-12" in last
    json_line = (*line, "--if-nothing-new", "skip", "--json", "-q")
    content = json.loads(quickly(*json_line, cwd=fitted).stdout)
    assert (content["judged"], content["share"], content["rows"]) == (0, 0.0, [])
    refused = quickly(*line, cwd=fitted)
    assert refused.returncode == 3
    assert "--if-nothing-new skip" in refused.stderr.splitlines()[-1]


def test_stdin_is_judged_as_the_file_is(fitted: Path, odd: Path) -> None:
    whole = rows(detect(fitted, odd, *LOUD, "-q").stdout)
    done = detect(fitted, "-", *LOUD, input=odd.read_text())
    found = rows(done.stdout)
    assert (done.returncode, len(found)) == (0, 72)
    assert {row["kind"] for row in found[:60]} == {"known"}
    assert [(row["month"], row["kind"]) for row in found[60:]] == [
        (row["month"], row["kind"]) for row in whole
    ]
    for one, other in zip(found[60:], whole, strict=True):
        assert float(one["expected"]) == pytest.approx(
            float(other["expected"]), rel=1e-4
        )


def test_packed_stdin_is_unpacked(fitted: Path, odd: Path) -> None:
    done = detect(
        fitted, "-", *LOUD, "-q", input=gzip.compress(odd.read_bytes()), text=False
    )
    assert done.stdout.decode() == detect(fitted, odd, *LOUD, "-q").stdout


@pytest.fixture
def live(fitted: Path) -> Iterator[subprocess.Popen[str]]:
    """The program, waiting for rows."""
    with keep_running(("detect", "runs/old-price", "-", *LOUD), fitted) as program:
        yield program


def test_a_line_comes_out_for_each_line_in_at_once_and_a_signal_ends_it(
    live: subprocess.Popen[str], fitted: Path
) -> None:
    assert live.stdin and live.stdout and live.stderr
    lines = (fitted / "new.csv").read_text().splitlines()
    live.stdin.write(f"{lines[0]}\n{lines[61]}\n")
    live.stdin.flush()
    assert live.stdout.readline().strip() == ",".join(COLUMNS)
    assert live.stdout.readline().startswith("2015-01,")
    for line, kind in (
        (lines[62], ""),
        ("2015-03,", "missing"),
        ("2015-04,400", "point"),
    ):
        live.stdin.write(f"{line}\n")
        live.stdin.flush()
        out = live.stdout.readline().strip().split(",")
        assert (out[0], out[7]) == (line.split(",")[0], kind)
    live.send_signal(signal.SIGTERM)
    assert live.wait(10) == 143
    assert live.stderr.read().splitlines()[-1] == "terminated"


BAD = {
    "2015-01,101,7": "stdin:3: 3 values where the header names 2 columns",
    "2015-13,101": "stdin:3: column 'month': '2015-13' is not a date",
    "2015-02,lots": "stdin:3: column 'price' holds text",
    "2015-01,101": "stdin:3: 2015-01 is not newer than the row before it",
    "2015-01-17,101": "stdin:3: the data contradict the frequency MS",
}


def test_a_bad_line_ends_it_with_the_number_of_the_line(fitted: Path) -> None:
    done = detect(
        fitted, "-", "-q", input="month,price\n2015-01,101\n2015-02,lots\n2015-03,102\n"
    )
    assert done.returncode == 3
    assert done.stderr.startswith("error: stdin:3: column 'price' holds text")
    assert len(done.stderr.splitlines()) <= 3 and len(rows(done.stdout)) == 1


def test_bad_lines_are_skipped_if_requested_and_each_is_reported(fitted: Path) -> None:
    for_each = "\n".join(["month,price", "2015-01,101", *BAD, "2015-02,102", ""])
    done = detect(fitted, "-", "--bad-rows", "skip", input=for_each)
    assert [row["month"] for row in rows(done.stdout)] == ["2015-01", "2015-02"]
    messages = [
        line for line in done.stderr.splitlines() if line.startswith("skipped: ")
    ]
    for number, (line, expected) in enumerate(
        zip(messages, BAD.values(), strict=True), 3
    ):
        assert line.startswith(
            f"skipped: {expected}".replace("stdin:3", f"stdin:{number}")
        )


def test_where_tail_left_the_header_behind_two_columns_are_known_by_their_order(
    fitted: Path,
) -> None:
    done = detect(fitted, "-", input="2015-01,101\n2015-02,102\n")
    assert [row["month"] for row in rows(done.stdout)] == ["2015-01", "2015-02"]
    assert (
        "  the first line is no header: its columns are taken for 'month' and 'price'"
        in done.stderr
    )
    done = detect(fitted, "-", "-q", input="north,2015-01,101\n")
    assert done.returncode == 3
    assert "let the header come first: tail -f -n +1 FILE" in done.stderr


def test_several_targets_give_a_line_each(tmp_path: Path) -> None:
    lines = write_months(tmp_path / "one.csv", 72).read_text().splitlines()
    wide = [f"{line},{line.split(',')[1]}" for line in lines[1:]]
    (tmp_path / "wide.csv").write_text("\n".join(["month,a,b", *wide[:60], ""]))
    options = ("--target", "a", "--target", "b", "--steps", 0, "-q", "--out", "run")
    assert run_program("fit", "wide.csv", *options, cwd=tmp_path).returncode == 0
    text = "\n".join(["month,a,b", *wide[60:63], "2015-04,,", ""])
    found = rows(
        run_program("detect", "run", "-", "-q", cwd=tmp_path, input=text).stdout
    )
    assert [(row["month"][-2:], row["target"]) for row in found] == [
        (month, name) for month in ("01", "02", "03", "04") for name in "ab"
    ]
    assert [row["kind"] for row in found] == [""] * 6 + ["missing"] * 2


def test_events_are_a_table_of_their_own_and_rows_of_events_can_stand_alone(
    fitted: Path, odd: Path, quickly: Program
) -> None:
    line = ("detect", "runs/old-price", odd, *LOUD, "-q")
    [event] = rows(quickly(*line, "--events", cwd=fitted).stdout)
    names = ["event", "kind", "from", "to", "rows", "peak", "reason", "value"]
    assert list(event) == names and event["from"] == "2015-05"
    [row] = rows(quickly(*line, "--only-anomalies", cwd=fitted).stdout)
    assert row["month"] == "2015-05"
    refused = run_program(*line[:2], "-", "--events", cwd=fitted, input="month,price\n")
    assert refused.returncode == 2
    assert "--events needs all rows" in refused.stderr


def test_a_rate_can_be_said_in_words(fitted: Path, odd: Path, quickly: Program) -> None:
    line = ("detect", "runs/old-price", odd, "--json", "-q")
    content = json.loads(quickly(*line, "--sensitivity", "high", cwd=fitted).stdout)
    assert content["rate"] == 0.003
    refused = quickly(*line, *LOUD, "--sensitivity", "high", cwd=fitted)
    assert refused.returncode == 2 and "in two ways" in refused.stderr


def test_a_gate_can_be_about_events(fitted: Path, odd: Path, quickly: Program) -> None:
    line = ("detect", "runs/old-price", odd, *LOUD, "-q", "-o", "judged.csv")
    done = quickly(*line, "--fail-if", "events>0", cwd=fitted)
    assert done.returncode == 7 and "events is 1" in done.stderr


def test_a_picture_is_drawn_beside_the_rows(fitted: Path, odd: Path) -> None:
    plot = ("--plot", "odd.svg", "-o", "judged.csv")
    done = detect(fitted, odd, *LOUD, *plot)
    assert done.returncode == 0 and "picture written to 'odd.svg'" in done.stderr
    drawn = (fitted / "odd.svg").read_text()
    assert "Anomalies in price: 1 event in 12 rows judged" in drawn
    assert "1 error" in drawn


def test_rows_of_stdin_are_drawn_together_once_all_have_come(
    fitted: Path, odd: Path
) -> None:
    plot = ("--plot", "-", "--plot-history", "9")
    done = detect(fitted, "-", *LOUD, *plot, input=odd.read_text())
    assert (done.returncode, len(rows(done.stdout))) == (0, 12)
    chart = done.stderr
    assert "^1" in chart and "2015-04" in chart and "2015-03" not in chart


def test_a_picture_of_another_format_is_refused_before_any_work(
    fitted: Path, odd: Path
) -> None:
    done = detect(fitted, odd, "--plot", "odd.bmp")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no picture is known by the extension" in done.stderr


def test_on_a_terminal_only_rows_of_events_are_shown(fitted: Path, odd: Path) -> None:
    line = ("detect", "runs/old-price", odd, *LOUD)
    shown = on_terminal(line, fitted).text
    assert "2015-05" in shown and "2015-04" not in shown
    assert "11 other rows are not shown: -o FILE has all of them" in shown
    whole = on_terminal([*line, "--format", "table"], fitted).text
    assert "2015-04" in whole and "not shown" not in whole
