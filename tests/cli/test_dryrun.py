import json
from pathlib import Path

from tests.cli.conftest import Program, write_months


def test_a_dry_run_says_what_a_fit_takes_and_writes_nothing(
    quickly: Program, tmp_path: Path
) -> None:
    write_months(tmp_path / "x.csv", 40)
    line = (
        "fit",
        "x.csv",
        "--target",
        "price",
        "--steps",
        3,
        "--members",
        1,
        "--dry-run",
    )
    done = quickly(*line)
    assert done.returncode == 0, done.stderr
    facts = dict(row.split(None, 1) for row in done.stdout.splitlines())
    assert facts["seconds"].endswith("(on an idle machine)") and facts[
        "memory"
    ].endswith(" MiB")
    content = json.loads(quickly(*line, "--json").stdout)
    assert (
        content["dry_run"] is True and content["memory"] > 0 and content["seconds"] > 0
    )
    assert [path.name for path in tmp_path.iterdir()] == ["x.csv"]
