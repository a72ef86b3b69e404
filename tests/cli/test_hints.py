"""A hint leads to the right result on the very file that provoked it."""

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from tests.cli.conftest import Program

RNG = np.random.default_rng(3)


class Kind(NamedTuple):
    """Stamps that are refused, the options that the hint names, and what they lead to.

    freq and steps as `inspect` shows them.
    """

    stamps: list[pd.Timestamp]
    options: str
    freq: str
    steps: int


def periods(weeks: list[int], begin: str = "2015-01-04") -> list[pd.Timestamp]:
    ends = np.concatenate([[0], np.cumsum(weeks)])
    return [pd.Timestamp(begin) + pd.Timedelta(weeks=int(end)) for end in ends]


def off_by(step: str, count: int, most: int) -> list[pd.Timestamp]:
    """Regular stamps, each some seconds off."""
    regular = pd.date_range("2022-01-01", periods=count, freq=step)
    return list(regular + pd.to_timedelta(RNG.integers(-most, most, count), unit="s"))


def days_in_utc(zone: str) -> list[pd.Timestamp]:
    return list(pd.date_range("2021-01-01", periods=300, tz=zone).tz_convert("UTC"))


KINDS = {
    "4-4-5": Kind(periods([4, 4, 5] * 16), "--time none --season 12", "1", 49),
    "4-4-5 with a 53rd week": Kind(
        periods([4, 4, 5] * 11 + [4, 4, 6] + [4, 4, 5] * 8),
        "--time none --season 12",
        "1",
        61,
    ),
    "quarters of 13 weeks": Kind(
        periods([13, 13, 13, 13] * 5 + [13, 13, 13, 14] + [13] * 8),
        "--time none --season 4",
        "1",
        33,
    ),
    "13 periods of 4 weeks": Kind(
        periods([4] * 25 + [5] + [4] * 26), "--time none --season 13", "1", 53
    ),
    "hours far off": Kind(off_by("h", 200, 900), "--snap", "h", 200),
    "weeks a day late": Kind(
        [
            pd.Timestamp("2022-01-03") + pd.Timedelta(days=7 * week + (week % 9 == 4))
            for week in range(60)
        ],
        "--snap",
        "W-MON",
        60,
    ),
    "days of a zone": Kind(
        days_in_utc("Europe/Berlin"), "--tz Europe/Berlin", "D", 300
    ),
    "days of New York": Kind(
        days_in_utc("America/New_York"), "--tz America/New_York", "D", 300
    ),
    "once a month on any day": Kind(
        [
            pd.Timestamp(2015 + month // 12, month % 12 + 1, int(RNG.integers(2, 28)))
            for month in range(48)
        ],
        "--resample MS:mean",
        "MS",
        48,
    ),
}


@pytest.mark.parametrize("name", KINDS)
def test_a_hint_about_stamps_loses_and_averages_no_row(
    name: str, quickly: Program, tmp_path: Path
) -> None:
    kind = KINDS[name]
    values = np.round(RNG.normal(100, 5, len(kind.stamps)), 2)
    frame = pd.DataFrame({"t": [str(stamp) for stamp in kind.stamps], "y": values})
    frame.to_csv(tmp_path / "x.csv", index=False)

    refused = quickly("forecast", "x.csv", "--target", "y")
    assert refused.returncode == 3
    hint = refused.stderr.splitlines()[-1]
    assert kind.options in hint
    # No other way is named before it.
    assert (
        kind.options.split()[0]
        == re.findall(
            r"--[a-z-]+",
            hint.replace("give the frequency with --freq, or gather", "gather"),
        )[0]
    )

    options = shlex.split(kind.options)
    shown = quickly("inspect", "x.csv", "--target", "y", *options, "--json")
    found = json.loads(shown.stdout)
    assert (found["freq"], found["steps"]) == (kind.freq, kind.steps)
    assert kind.steps == len(kind.stamps)
    assert not [note for note in found["notes"] if "missing" in note]


def test_the_hint_for_series_of_two_frequencies_averages_the_faster_only(
    quickly: Program, tmp_path: Path
) -> None:
    hours = pd.date_range("2022-01-01", periods=24 * 60, freq="h")
    days = pd.date_range("2022-01-01", periods=60)
    frame = pd.DataFrame(
        {
            "t": [*hours, *days],
            "id": ["fast"] * len(hours) + ["slow"] * len(days),
            "y": [*np.repeat(np.arange(60.0), 24), *np.arange(60.0)],
        }
    )
    frame.to_csv(tmp_path / "x.csv", index=False)
    words = ("inspect", "x.csv", "--target", "y", "--series", "id")
    refused = quickly(*words)
    assert "series have different frequencies" in refused.stderr
    assert "--resample D:mean" in refused.stderr
    found = json.loads(quickly(*words, "--resample", "D:mean", "--json").stdout)
    assert (found["freq"], found["n_series"], found["steps"]) == ("D", 2, 120)


SHOPS: dict[str, tuple[Callable[[pd.Timestamp], bool], str]] = {
    "closed on Sundays": (lambda stamp: stamp.weekday() != 6, "D"),
    "Mondays, Wednesdays and Fridays": (
        lambda stamp: stamp.weekday() in (0, 2, 4),
        "D",
    ),
    "nine to five": (lambda stamp: 9 <= stamp.hour < 17, "h"),
    "nine to five on working days": (
        lambda stamp: stamp.weekday() < 5 and 9 <= stamp.hour < 17,
        "h",
    ),
}


@pytest.mark.parametrize("name", SHOPS)
def test_no_step_is_forecast_that_never_occurs(
    name: str, quickly: Program, tmp_path: Path
) -> None:
    is_open, freq = SHOPS[name]
    every = pd.date_range("2022-01-03", "2022-03-27 23:00", freq=freq)
    stamps = [stamp for stamp in every if is_open(stamp)]
    frame = pd.DataFrame(
        {"t": stamps, "y": np.round(RNG.normal(50, 2, len(stamps)), 2)}
    )
    frame.to_csv(tmp_path / "x.csv", index=False)
    done = quickly("forecast", "x.csv", "--target", "y", "--horizon", "20", "--json")
    rows = json.loads(done.stdout)["forecast"]
    after = pd.date_range(every[-1], periods=24 * 30, freq=freq)[1:]
    expected = [stamp for stamp in after if is_open(stamp)][:20]
    assert [pd.Timestamp(row["t"]) for row in rows] == expected
    assert "--closed none" in done.stderr

    # The command that `inspect` prints pins what was found.
    shown = quickly("inspect", "x.csv", "--target", "y").stdout.splitlines()[-1]
    options = dict(zip(shlex.split(shown), shlex.split(shown)[1:], strict=False))
    again = quickly(
        *("inspect", "x.csv", "--target", "y", "--json"),
        *("--freq", options["--freq"], "--closed", options["--closed"]),
    )
    assert json.loads(again.stdout)["steps"] == len(stamps)
