import csv
import json
from pathlib import Path

from tests.cli.conftest import run_program


def test_lags_and_past_steps_are_ranked_in_a_table_and_as_json(fitted: Path) -> None:
    done = run_program("explain", "runs/old-price", "--top", 2, cwd=fitted)
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert [row["kind"] for row in rows] == ["lag", "lag", "past step", "past step"]
    assert float(rows[0]["moved"]) >= float(rows[1]["moved"]) > 0
    assert "windows of 12 steps" in done.stderr
    said = json.loads(run_program("explain", "runs/old-price", "new.csv", "--json", "-q", cwd=fitted).stdout)
    assert (said["command"], said["horizon"]) == ("explain", 12)
    assert set(said["factors"][0]) == {"kind", "name", "moved", "helps"}
