"""What errors about times say to do is done, on the file that provoked them, and is right.

The options are taken from the printed hint: each choice that it offers must lead to the stamps
which it stands for.
"""

import re
import shlex
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest

from lstmcast.config import Columns, DataConfig
from lstmcast.errors import DataError, UsageError
from lstmcast.panel.panel import Panel
from lstmcast.tables.read import read_table


class Case(NamedTuple):
    """A file that is refused, and the frequency and next stamp that each choice leads to."""

    header: str
    cells: list[str]
    right: list[tuple[str, str]]
    settings: dict[str, Any] = {}


def stamps(form: str, start: str, periods: int, freq: str, **more: Any) -> list[str]:
    return list(pd.date_range(start, periods=periods, freq=freq, **more).strftime(form))


def clocks(zone: str, start: str = "2023-01-01", periods: int = 2 * 8760) -> list[str]:
    """What the clocks of a zone show every hour."""
    return stamps("%Y-%m-%d %H:%M", start, periods, "h", tz=zone)


def days_in_utc(zone: str, form: str) -> list[str]:
    days = pd.date_range("2020-01-01", periods=400, freq="D", tz=zone)
    return list(days.tz_convert("UTC").strftime(form))


INDIAN = [f"{text} IST" for text in stamps("%Y-%m-%d %H:%M", "2024-01-01", 50, "h")]
CASES = {
    "bars": Case("date,y", stamps("%Y|%m|%d", "2024-01-20", 40, "D"), [("D", "2024|02|29")]),
    "clock first": Case(
        "stamp,y", stamps("%H:%M %Y-%m-%d", "2024-01-20", 40, "h"), [("h", "16:00 2024-01-21")]
    ),
    "month name first": Case(
        "fecha,y", stamps("%b~%Y", "2020-01-01", 30, "MS"), [("MS", "Jul~2022")]
    ),
    "newest first": Case(
        "mes,y", stamps("%m~%Y", "2016-01-01", 48, "MS")[::-1], [("MS", "01~2020")]
    ),
    "day or month": Case(
        "date,y", stamps("%d/%m/%Y", "2024-01-01", 12, "D"),
        [("D", "13/01/2024"), ("MS", "01/01/2025")],
    ),
    "a language": Case(
        "date,y", [f"lis {year}" for year in range(2000, 2020)],
        [("YS-NOV", "lis 2020"), ("YS-OCT", "lis 2020")],
    ),
    "a wrong format": Case(
        "date,y", stamps("%Y-%m-%d", "2024-01-20", 40, "D"), [("D", "2024-02-29")],
        {"date_format": "%d/%m/%Y"},
    ),
    "a clock of several meanings": Case(
        "date,y", INDIAN, [("h", "2024-01-03 02:00 IST")] * 2
    ),
    "days of London by UTC": Case(
        "t,y", days_in_utc("Europe/London", "%Y-%m-%dT%H:%M:%SZ"), [("D", "2021-02-04T00:00:00Z")]
    ),
    "days of Berlin, UTC unsaid": Case(
        "t,y", days_in_utc("Europe/Berlin", "%Y-%m-%d %H:%M"), [("D", "2021-02-03 23:00")]
    ),
    "days of New York by UTC": Case(
        "t,y", days_in_utc("America/New_York", "%Y-%m-%d %H:%M"), [("D", "2021-02-04 05:00")]
    ),
    "a utility in the US": Case("t,y", clocks("America/Chicago"), [("h", "2024-12-31 00:00")]),
    "a utility in Germany": Case("t,y", clocks("Europe/Berlin"), [("h", "2024-12-31 00:00")]),
    "a utility in Australia": Case(
        "t,y", clocks("Australia/Sydney"), [("h", "2024-12-31 00:00")]
    ),
    "skipped hours alone": Case(
        "t,y", list(dict.fromkeys(clocks("America/Denver"))), [("h", "2024-12-31 00:00")]
    ),
    "numbers day first": Case(
        "date,y", [str(int(text)) for text in stamps("%d%m%Y", "2024-01-20", 40, "D")],
        [("D", "29022024")],
    ),
    "seconds since a start": Case("t,y", [f"{i / 2}" for i in range(60)], [("500ms", "30")]),
}  # fmt: skip


def read(folder: Path, **settings: Any) -> Panel:
    config = DataConfig(**settings)
    table = read_table(folder / "x.csv", config)
    return Panel.from_table(table, Columns(target=("y",)), config)


def options_of(hint: str) -> list[dict[str, str]]:
    """The options that a hint names, as settings."""
    without_remarks = re.sub(r"\([^)]*\)", "", hint)
    words = shlex.split(without_remarks.replace(";", " ").replace(",", " "))
    found = []
    for option, value in zip(words, words[1:], strict=False):
        if option in ("--date-format", "--tz"):
            found.append({option[2:].replace("-", "_"): value})
    return found


@pytest.mark.parametrize("name", CASES)
def test_each_choice_of_a_hint_leads_to_what_it_stands_for(
    tmp_path: Path, name: str
) -> None:
    case = CASES[name]
    rows = [f"{cell},{i}" for i, cell in enumerate(case.cells)]
    (tmp_path / "x.csv").write_text("\n".join([case.header, *rows, ""]))
    with pytest.raises(DataError) as caught:
        read(tmp_path, **case.settings)

    choices = [
        choice for choice in options_of(caught.value.hint) if choice != {"tz": "UTC"}
    ]
    assert len(choices) == len(case.right), caught.value.hint
    for choice, (freq, following) in zip(choices, case.right, strict=True):
        panel = read(tmp_path, **case.settings | choice)
        assert panel.axis.freq == freq, choice
        assert panel.axis.texts(panel.start + panel.lengths) == [following], choice
        rows_read = len(set(case.cells)) if "tz" not in choice else len(case.cells)
        assert panel.lengths.tolist()[0] >= rows_read


def test_a_zone_that_explains_all_changes_is_proposed_and_its_likes_are_named(
    tmp_path: Path,
) -> None:
    rows = [f"{cell},{i}" for i, cell in enumerate(clocks("America/Los_Angeles"))]
    (tmp_path / "x.csv").write_text("\n".join(["t,y", *rows, ""]))
    with pytest.raises(DataError) as caught:
        read(tmp_path)
    assert "--tz America/New_York" in caught.value.hint
    assert "America/Los_Angeles" in caught.value.hint


def test_a_quarter_that_could_be_a_month_says_how_to_read_it_so(tmp_path: Path) -> None:
    rows = [f"{i % 4 + 1}-{2015 + i // 4},{i}" for i in range(24)]
    (tmp_path / "x.csv").write_text("\n".join(["date,y", *rows, ""]))
    panel = read(tmp_path)
    assert panel.axis.freq == "QS"
    [note] = [note for note in panel.notes if "--date-format" in note]
    [choice] = options_of(note)
    # Months of which two thirds never occur, which are closed then.
    assert read(tmp_path, **choice).axis.grid.closed == "may-dec"
    assert read(tmp_path, **choice, fill="forward").axis.freq == "MS"


def test_an_unknown_language_is_refused_with_those_that_are_known() -> None:
    from lstmcast.timeaxis.formats import format_to_regex

    with pytest.raises(UsageError, match="'xx' is no language") as caught:
        format_to_regex("xx:%b %Y")
    assert "pt" in caught.value.hint
