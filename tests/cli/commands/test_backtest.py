import json
from pathlib import Path

from tests.cli.conftest import Program

TINY = (
    "--target",
    "price",
    "--steps",
    2,
    "--members",
    1,
    "--from",
    "scratch",
    "--hidden",
    4,
    "--horizon",
    4,
)


def test_one_fit_and_a_rolling_window_are_options(
    lstmcast: Program, fitted: Path
) -> None:
    line = (
        "backtest",
        fitted / "old.csv",
        *TINY,
        "--windows",
        2,
        "--step",
        2,
        "--no-refit",
        "--rolling",
        "--json",
        "-q",
    )
    done = lstmcast(*line)
    content = json.loads(done.stdout)
    assert (content["command"], content["verdict"]["windows"], done.stderr) == (
        "backtest",
        2,
        "",
    )


def test_too_short_a_series_says_what_is_needed(
    lstmcast: Program, fitted: Path
) -> None:
    done = lstmcast("backtest", fitted / "old.csv", *TINY, "--horizon", 59)
    assert (done.returncode, done.stdout) == (3, "")
    assert "error: " in done.stderr
