"""The rows T of faults: times as people write them, and what the program makes of them."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd
import pytest

from tests.cli.conftest import run_program
from tests.faults.conftest import Refused, Seen, days

Write = Callable[[str], int]
Following = Callable[..., list[str]]
FIT = ("fit", "x.csv", "--target", "y")


def table(stamps: Iterable[object], header: str = "date,y") -> str:
    """A CSV of these times and values that go up and down."""
    return "\n".join(
        [
            header,
            *(f"{stamp},{100 + i % 7 + i / 10}" for i, stamp in enumerate(stamps)),
            "",
        ]
    )


def local(
    start: str, periods: int, form: str = "%Y-%m-%d %H:%M", zone: str = "Europe/Berlin"
) -> list[str]:
    """What clocks in a zone show every hour."""
    return list(pd.date_range(start, periods=periods, freq="h", tz=zone).strftime(form))


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """`write(text)` makes the file `x.csv`."""
    return (tmp_path / "x.csv").write_text


@pytest.fixture
def following(tmp_path: Path) -> Following:
    """`following()` gives the next three times after `x.csv`, as a forecast has them."""

    def run(*options: str) -> list[str]:
        done = run_program(
            "forecast", "x.csv", "--target", "y", "--horizon", 3, *options, cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr
        return [line.split(",")[0] for line in done.stdout.splitlines()[1:]]

    return run


def test_T1_a_day_that_does_not_exist_is_refused_with_its_line(
    refused: Refused, write: Write
) -> None:
    write(days(31, "2023-02-{:02}", y=float))
    refused(
        *FIT,
        says=[
            "x.csv:30",
            "column 'date'",
            "'2023-02-29' is not a date",
            "and 2 more",
            "correct it: the others are dates like '2023-02-01'",
        ],
    )


def test_T2_mixed_formats_are_refused_with_an_example_of_each(
    refused: Refused, write: Write
) -> None:
    write(days(20, y=float).replace("2024-03-15", "15.03.2024"))
    refused(
        *FIT,
        says=[
            "x.csv:16",
            "column 'date'",
            "mixes date formats",
            "'2024-03-01' and '15.03.2024'",
            "1 row",
        ],
    )


def test_T3_days_that_could_all_be_months_ask_for_the_format(
    refused: Refused, seen: Seen, write: Write
) -> None:
    write(days(12, "{:02}/02/2024", y=float))
    refused(
        *FIT,
        says=[
            "x.csv:2",
            "12 rows",
            "'01/02/2024'",
            "--date-format %d/%m/%Y or --date-format %m/%d/%Y",
        ],
    )
    assert seen("x.csv", "--date-format", "%m/%d/%Y")["freq"] == "MS"


def test_T4_numbers_are_known_by_their_range(seen: Seen, write: Write) -> None:
    write(
        table(
            range(1_700_000_000_000, 1_700_000_000_000 + 40 * 3_600_000, 3_600_000),
            "timestamp,y",
        )
    )
    found = seen("x.csv")
    assert found["freq"] == "h"
    assert "'timestamp' holds epochs in ms" in found["notes"]


def test_T4_numbers_of_no_known_range_are_refused(
    refused: Refused, write: Write
) -> None:
    write(table([50_000, *range(1_700_000_000, 1_700_000_020)], "timestamp,y"))
    refused(
        *FIT,
        says=[
            "x.csv:2",
            "'timestamp'",
            "50000 to 1700000019",
            "--date-format s, ms, us or ns (since 1970) or excel",
        ],
    )


def test_T5_mixed_offsets_are_read_in_utc_and_written_in_the_inputs_zone(
    following: Following, write: Write
) -> None:
    hours = local("2024-10-26 20:00", 60, "%Y-%m-%dT%H:%M:%S%z")
    write(table(hours[:57]))
    assert following("--tz", "Europe/Berlin") == hours[57:]


def test_T6_an_hour_that_clocks_repeat_is_no_duplicate(
    refused: Refused, seen: Seen, write: Write
) -> None:
    write(table(local("2024-10-26 20:00", 40)))
    refused(
        *FIT,
        says=[
            "1 row repeats",
            "2024-10-27 02:00 (x.csv:8 and 9)",
            "--tz Europe/Berlin",
        ],
    )
    assert seen("x.csv", "--tz", "Europe/Berlin")["steps"] == 40


def test_T6_an_hour_that_clocks_skip_is_no_gap(refused: Refused, write: Write) -> None:
    write(table(local("2024-03-30 20:00", 40)))
    refused(
        *FIT,
        says=[
            "x.csv:7",
            "the hour of 2024-03-31 02:00 is left out",
            "--tz Europe/Berlin",
        ],
    )


def test_T7_duplicates_are_refused_with_count_and_examples(
    refused: Refused, seen: Seen, write: Write
) -> None:
    write(days(20, y=float) + "2024-03-04,9\n2024-03-07,9\n2024-03-08,9\n")
    refused(
        *FIT,
        says=[
            "3 rows repeat",
            "2024-03-04 (x.csv:5 and 22); 2024-03-07 (8 and 23)",
            "--duplicates first",
        ],
    )
    assert (
        "3 rows repeated a time stamp: took the mean"
        in seen("x.csv", "--duplicates", "mean")["notes"]
    )


def test_T8_rows_that_stand_newest_first_are_sorted_and_that_is_said(
    seen: Seen, write: Write
) -> None:
    header, *rows = days(20, y=float).splitlines()
    write("\n".join([header, *rows[::-1]]))
    found = seen("x.csv")
    assert (found["freq"], found["steps"]) == ("D", 20)
    assert "rows stood newest first: sorted" in found["notes"]


def test_T9_gaps_are_counted_and_filled_as_asked_and_the_run_remembers(
    tmp_path: Path, write: Write
) -> None:
    kept = (
        pd.date_range("2024-01-01", periods=60)
        .delete([10, 20, 21, 22])
        .strftime("%Y-%m-%d")
    )
    write(table(kept))
    done = run_program(
        *FIT, "--steps", 0, "--fill", "linear", "--horizon", 3, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert "missing rows: 4 in 2 gaps" in done.stderr
    assert "the longest is 3, between 2024-01-20 and 2024-01-24" in done.stderr
    run = json.loads((tmp_path / "runs/x-y/run.json").read_text())
    assert run["config"]["data"]["fill"] == "linear"


def test_T9_a_series_of_which_more_than_half_is_missing_is_refused(
    refused: Refused, write: Write
) -> None:
    write(
        table(
            [
                "2024-01-01",
                "2024-01-02",
                "2024-01-03",
                "2024-01-04",
                "2024-01-20",
                "2024-01-21",
            ]
        )
    )
    refused(
        *FIT,
        says=["more than half", "15 of 21 steps (daily)", "--fill zero", "--resample"],
    )


def test_T10_irregular_times_are_refused_and_can_be_gathered(
    refused: Refused, seen: Seen, write: Write
) -> None:
    stamps = pd.date_range("2024-01-01", periods=300, freq="h") + pd.to_timedelta(
        [i * i % 59 for i in range(300)], "m"
    )
    write(table(stamps))
    refused(
        *FIT,
        says=["x.csv:", "is off the regular steps", "of 300", "--freq", "--resample"],
    )
    found = seen("x.csv", "--resample", "D:sum")
    assert (found["freq"], found["steps"]) == ("D", 12)


def test_T11_different_frequencies_are_refused_and_their_series_listed(
    refused: Refused, write: Write
) -> None:
    daily = pd.date_range("2024-01-01", periods=60).strftime("%Y-%m-%d,a").tolist()
    monthly = (
        pd.date_range("2024-01-01", periods=9, freq="MS")
        .strftime("%Y-%m-%d,b")
        .tolist()
    )
    write(table(daily + monthly, "date,id,y"))
    refused(
        *FIT,
        "--series",
        "id",
        says=["different frequencies", "daily: a", "monthly: b", "--resample"],
    )


def test_T12_a_frequency_that_the_data_contradict_is_refused(
    refused: Refused, write: Write
) -> None:
    write(days(30, y=float))
    refused(
        *FIT,
        "--freq",
        "MS",
        says=[
            "x.csv:3",
            "contradict the frequency MS",
            "'2024-03-02'",
            "and 28 more of 30",
        ],
    )


def test_T13_times_after_the_last_of_january_are_right(
    following: Following, write: Write
) -> None:
    ends = pd.date_range("2022-01-31", periods=25, freq="ME").strftime("%Y-%m-%d")
    write(table(ends))
    assert following() == ["2024-02-29", "2024-03-31", "2024-04-30"]


def test_T14_business_days_are_told_over_all_rows_and_said(
    seen: Seen, write: Write
) -> None:
    stamps = pd.bdate_range("2024-01-01", periods=40).strftime("%Y-%m-%d")
    write(table(stamps))
    assert seen("x.csv")["freq"] == "B"
    write(table(stamps[:5]))
    assert seen("x.csv")["freq"] == "D"


def test_T15_a_53rd_week_is_no_gap(seen: Seen, write: Write) -> None:
    weeks = [f"2020-W{week:02}" for week in range(30, 54)] + [
        f"2021-W{week:02}" for week in range(1, 20)
    ]
    write(table(weeks))
    found = seen("x.csv")
    assert (found["freq"], found["steps"]) == ("W-MON", len(weeks))
    assert not [note for note in found["notes"] if "missing" in note]


def test_T16_integer_steps_come_out_as_integers(
    following: Following, write: Write
) -> None:
    write(table(range(5, 245, 5), "t,y"))
    assert following() == ["245", "250", "255"]


def test_T17_times_in_the_future_are_said(seen: Seen, write: Write) -> None:
    write(table([f"{year}-01-01" for year in range(2080, 2100)]))
    assert "the last value is dated in the future: 2099-01-01" in seen("x.csv")["notes"]


def test_T18_far_years_are_years_like_others(
    following: Following, write: Write
) -> None:
    write(table([f"{year}-01-01" for year in range(9960, 9997)]))
    assert following() == ["9997-01-01", "9998-01-01", "9999-01-01"]


def test_T19_an_empty_time_is_refused_with_its_line(
    refused: Refused, write: Write
) -> None:
    write(days(20, y=float).replace("2024-03-07,", ",").replace("2024-03-09,", "NA,"))
    refused(
        *FIT,
        says=[
            "x.csv:8",
            "column 'date'",
            "the time is empty (and 1 more)",
            "give every row a time",
        ],
    )


def test_T20_two_rows_are_refused(refused: Refused, write: Write) -> None:
    write(days(2, y=float))
    refused(*FIT, says=["too few values", "need 3, have 2", "give more rows"])


def test_T21_a_date_over_several_columns_is_named_so(
    following: Following, write: Write
) -> None:
    stamps = pd.date_range("2024-02-27", periods=50, freq="h")
    write(
        table(
            (f"{at.hour},{at.day},{at.month},{at.year}" for at in stamps),
            "hour,day,month,year,y",
        )
    )
    assert following("--time", "year,month,day,hour") == [
        "2024-02-29 02:00",
        "2024-02-29 03:00",
        "2024-02-29 04:00",
    ]
