import csv
import json
from pathlib import Path

from tests.cli.conftest import Program, run_program


def test_lags_and_past_steps_are_ranked_in_a_table_and_as_json(fitted: Path) -> None:
    done = run_program("explain", "runs/old-price", "--top", 2, cwd=fitted)
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert [row["kind"] for row in rows] == ["lag", "lag", "past step", "past step"]
    assert float(rows[0]["moved"]) >= float(rows[1]["moved"]) > 0
    assert "windows of 12 steps" in done.stderr
    content = json.loads(
        run_program(
            "explain", "runs/old-price", "new.csv", "--json", "-q", cwd=fitted
        ).stdout
    )
    assert (content["command"], content["horizon"]) == ("explain", 12)
    assert set(content["factors"][0]) == {"kind", "name", "moved", "helps"}


def test_what_moves_the_forecast_is_drawn(quickly: Program, fitted: Path) -> None:
    place = fitted / "moves.svg"
    line = ("explain", "runs/old-price", "--top", 2, "--plot", place)
    done = quickly(*line, cwd=fitted)
    assert done.returncode == 0, done.stderr
    assert f"picture written to {str(place)!r}" in done.stderr
    text = place.read_text()
    assert "What moves the forecast" in text and "error without it grows by" in text
    place.unlink()


def test_attention_is_shown_where_there_is_any(
    quickly: Program, fitted: Path, tmp_path: Path
) -> None:
    refused = quickly("explain", "runs/old-price", "--attention", cwd=fitted)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert (
        refused.stderr
        == "error: this run has no attention to show\n  fit with --attention\n"
    )
    line = (
        "--target",
        "price",
        "--attention",
        "--steps",
        2,
        "--members",
        1,
        "--hidden",
        8,
        "--from",
        "scratch",
    )
    assert (
        quickly(
            "fit", fitted / "old.csv", *line, "--out", "run", cwd=tmp_path
        ).returncode
        == 0
    )
    rows = list(
        csv.DictReader(
            quickly("explain", "run", "--attention", cwd=tmp_path).stdout.splitlines()
        )
    )
    assert rows[-1]["month"] == "2014-12"
    assert abs(sum(float(row["attention"]) for row in rows) - 1) < 1e-5


def test_what_the_forecast_is_made_of_is_said(quickly: Program, tmp_path: Path) -> None:
    line = ["day,v", *(f"2024-01-{day:02},{5 + 3 * day}" for day in range(1, 32))]
    line += [f"2024-02-{day:02},{98 + 3 * day}" for day in range(1, 30)]
    (tmp_path / "line.csv").write_text("\n".join([*line, ""]))
    fit = ("fit", "line.csv", "--target", "v", "--steps", 0, "--out", "run", "-q")
    assert quickly(*fit, cwd=tmp_path).returncode == 0
    done = quickly("explain", "run", "--json", cwd=tmp_path)
    sentence = json.loads(done.stdout)["forecast"]
    assert sentence in " ".join(done.stderr.split())
    assert "a simple method's: extending the line" in sentence
