import json
import re
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


def test_past_forecasts_are_drawn_of_the_series_that_are_named(
    quickly: Program, tmp_path: Path
) -> None:
    lines = ["shop,month,price"]
    for shop in "abc":
        lines += [
            f"{shop},{2010 + i // 12}-{i % 12 + 1:02},{i % 12 + i / 50 + ord(shop)}"
            for i in range(60)
        ]
    (tmp_path / "shops.csv").write_text("\n".join(lines) + "\n")
    line = ("backtest", "shops.csv", "-s", "shop", *TINY, "--windows", 2, "--no-refit")
    done = quickly(*line, "--plot", "past.html", "--plot-series", "c,a", "-q")
    assert done.returncode == 0, done.stderr
    page = Path(tmp_path, "past.html").read_text()
    data = re.search(r'id="chart-data">(.*?)</script>', page, re.DOTALL)
    assert data
    series = json.loads(data[1])["series"]
    assert [one["name"] for one in series] == ["c", "a"]
    assert [len(one["windows"]) for one in series] == [2, 2]

    done = quickly(*line, "--plot", "-", "--plot-series", "worst")
    assert "the last values, then the forecast from 2014-09 to 2014-12" in done.stderr
