"""Many ways to write time columns: each is read in its frequency and goes on in its own form."""
# What strangers' files hold: names of periods and months, clocks in columns of their own.

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lstmcast.errors import DataError
from lstmcast.panel.panel import Panel
from lstmcast.tables.read import read_table
from lstmcast.timeaxis.language.month_table import LANGUAGES, MONTHS

Rows = list[tuple[Any, ...]]


def read_rows(path: Path, header: str, rows: Rows, *, parquet: bool = False) -> Panel:
    """The panel of rows whose last column, `y`, is the target."""
    names = header.split(",")
    if parquet:
        columns = {name: [row[i] for row in rows] for i, name in enumerate(names)}
        pq.write_table(pa.table(columns), path / "x.parquet")
        return Panel.from_table(read_table(path / "x.parquet"), _columns("y"))
    lines = [header, *(";".join(map(str, row)) for row in rows)]
    lines[0] = header.replace(",", ";")
    (path / "x.csv").write_text("\n".join([*lines, ""]))
    return Panel.from_table(read_table(path / "x.csv"), _columns("y"))


def _columns(target: str) -> Any:
    from lstmcast.config import Columns

    return Columns(target=(target,))


def ahead(panel: Panel, steps: int = 1) -> list[str]:
    """The stamps that follow the last one."""
    last = panel.start + panel.lengths
    return [panel.axis.texts(last + step)[0] for step in range(steps)]


def months_of(names: list[str], form: Callable[[int, str], str]) -> list[str]:
    """Two years of months, written by their year and name."""
    return [form(2019 + i // 12, names[i % 12]) for i in range(24)]


SPELLINGS = [
    (language, spelling) for language in LANGUAGES for spelling in MONTHS[language]
]
FORMS: list[Callable[[int, str], str]] = [
    lambda year, name: f"{name} {year}",
    lambda year, name: f"{name}-{year % 100}",
    lambda year, name: f"{name.upper()} {year}",
    lambda year, name: f"1 {name} {year}",
    lambda year, name: f"{name[:1].upper()}{name[1:]}. {year}",
]


@pytest.mark.parametrize(
    "place", range(len(SPELLINGS)), ids=lambda i: "-".join(SPELLINGS[i])[:12]
)
def test_months_in_each_language_are_read_and_go_on_as_they_are_written(
    tmp_path: Path, place: int
) -> None:
    language, spelling = SPELLINGS[place]
    names = spelling.split("|")
    stamps = months_of(names, FORMS[place % len(FORMS)])
    rows: Rows = [(stamp, i) for i, stamp in enumerate(stamps[:-1])]
    newest_first, parquet = place % 2 == 0, place % 3 == 0
    if newest_first:
        rows.reverse()
    panel = read_rows(tmp_path, "mes,y", rows, parquet=parquet)
    assert panel.axis.freq == "MS"
    assert ahead(panel) == [stamps[-1]], (language, panel.notes)
    assert panel.values.tolist() == list(range(23))


def weeks(form: str, start: str = "2019-12-02", count: int = 70) -> list[str]:
    """ISO weeks, written by pandas."""
    return list(pd.date_range(start, periods=count, freq="7D").strftime(form))


def cdc_weeks(form: str) -> list[str]:
    """Weeks of the CDC from 29 December 2019 on: 2020 has 53 of them."""
    pairs = [(2020, week) for week in range(1, 54)] + [
        (2021, week) for week in range(1, 18)
    ]
    return [form.format(year=year, week=week) for year, week in pairs]


def quarters(form: str) -> list[str]:
    """Quarters of three years and one more."""
    return [
        form.format(Y=2007 + i // 4, y=f"{7 + i // 4:02d}", q=i % 4 + 1)
        for i in range(13)
    ]


PERIODS: list[tuple[str, list[str], str]] = [
    *[
        ("period", quarters(form), "QS")
        for form in (
            *("Q{q}-{y}", "FY{y}Q{q}", "FY{Y}Q{q}", "{Y}Q{q}", "Q{q} {Y}", "{q}Q{y}"),
            *(
                "T{q} {Y}",
                "{q}T{Y}",
                "Q{q}'{y}",
                "{Y}-Q{q}",
                "{q}. Quartal {Y}",
                "FY{Y} Q{q}",
            ),
            *(
                "{Y}q{q}",
                "Q{q}/{Y}",
                "{q}-{Y}",
                "{Y}-{q}",
                "{Y}/{q}",
                "{q}/{Y}",
                "{Y} {q}Q",
            ),
        )
    ],
    ("quarter", [f"{2015 + i // 4}{i % 4 + 1}" for i in range(13)], "QS"),
    ("half", [f"H{i % 2 + 1} {2008 + i // 2}" for i in range(9)], "6MS"),
    ("half", [f"S{i % 2 + 1} {2008 + i // 2}" for i in range(9)], "6MS"),
    ("year", [f"FY{2000 + i}" for i in range(9)], "YS"),
    *[
        ("woche", weeks(form), "W-MON")
        for form in (
            *("%G-W%V", "%GW%V", "W%V-%G", "KW%V/%G", "KW %V %G", "%G-KW%V", "S%V-%G"),
            *("semana %V %G", "%G week %V", "wk%V %G", "%G-%V", "%V/%G", "%G%V"),
        )
    ],
    ("x", weeks("%G-%V"), "W-MON"),
    ("week", weeks("%G%V", "2021-01-04", 11), "W-MON"),
    ("week", weeks("%G-%V", "2021-01-04", 11), "W-MON"),
    ("epiweek", cdc_weeks("{year}{week:02d}"), "W-SUN"),
    ("epiweek", cdc_weeks("{year}-W{week:02d}"), "W-SUN"),
    ("mmwr_week", cdc_weeks("{year}-{week:02d}"), "W-SUN"),
    ("yearmonth", [f"2021{m:02d}" for m in range(1, 12)], "MS"),
]


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("parquet", [False, True])
@pytest.mark.parametrize(
    ("name", "stamps", "freq"), PERIODS, ids=lambda value: str(value[0])[:15]
)
def test_names_of_periods_are_read_and_go_on_as_they_are_written(
    tmp_path: Path,
    name: str,
    stamps: list[str],
    freq: str,
    parquet: bool,
    newest_first: bool,
) -> None:
    if name == "x" and not parquet:
        name = "date"  # in a column without a name of its own as well as in one
    rows = [(stamp, float(i)) for i, stamp in enumerate(stamps[:-1])]
    if newest_first:
        rows.reverse()
    panel = read_rows(tmp_path, f"{name},y", rows, parquet=parquet)
    assert panel.axis.freq == freq, panel.notes
    assert ahead(panel) == [stamps[-1]]
    assert panel.values.tolist() == [float(i) for i in range(len(stamps) - 1)]


HOURS = pd.date_range("2019-03-20", periods=60, freq="h")
DAYS = pd.date_range("2019-03-10", periods=30, freq="D")
TEXTS: list[tuple[str, pd.DatetimeIndex, str]] = [
    *[
        (form, HOURS, "h")
        for form in (
            *(
                "%a %b %d %H:%M:%S UTC %Y",
                "%a, %d %b %Y %H:%M:%S +0000",
                "%d.%m.%Y %H.%M.%S",
            ),
            *(
                "%Y-%m-%d %H.%M",
                "%Y-%m-%d %Hh%M",
                "%Y-%m-%d %H:%M:%S,000",
                "%Y-%m-%d %H:%M CET",
            ),
            *(
                "%a %b %d %H:%M:%S EST %Y",
                "%a, %d %b %Y %H:%M:%S GMT",
                "%Y年%m月%d日 %H:%M",
            ),
            *(
                "%d/%m/%Y %I:%M:%S %p",
                "%a %b %d %Y %H:%M:%S GMT+0100",
                "%Y-%m-%d - %H:%M",
            ),
        )
    ],
    *[
        (form, DAYS, "D")
        for form in ("%Y年%m月%d日", "%d %b %y", "%d.%b.%Y", "%Y_%m_%d", "tháng %m %d")[
            :4
        ]
    ],
]


@pytest.mark.parametrize("parquet", [False, True])
@pytest.mark.parametrize(("form", "stamps", "freq"), TEXTS, ids=lambda v: str(v)[:24])
def test_times_of_many_programs_are_read_and_go_on_as_they_are_written(
    tmp_path: Path, form: str, stamps: pd.DatetimeIndex, freq: str, parquet: bool
) -> None:
    texts = list(stamps.strftime(form))
    rows = [(text, float(i)) for i, text in enumerate(texts[:-1])]
    panel = read_rows(tmp_path, "logged,y", rows, parquet=parquet)
    assert panel.axis.freq == freq
    assert ahead(panel) == [texts[-1]]
    assert panel.lengths.tolist() == [len(texts) - 1]


def split(form: str, stamps: pd.DatetimeIndex = HOURS) -> list[tuple[str, ...]]:
    """Stamps written over columns that `|` parts."""
    return [tuple(text.split("|")) for text in stamps.strftime(form)]


SPLITS: list[tuple[str, list[tuple[Any, ...]], str, str]] = [
    ("Date,Time", split("%d/%m/%Y|%H.%M.%S"), "h", "%d/%m/%Y %H.%M.%S"),
    ("datum,uhrzeit", split("%d.%m.%Y|%H:%M"), "h", "%d.%m.%Y %H:%M"),
    ("date,clock", split("%Y-%m-%d|%I:%M %p"), "h", "%Y-%m-%d %I:%M %p"),
    ("date,hour", split("%Y-%m-%d|%H"), "h", "%Y-%m-%d %H"),
    ("date,time", split("%Y-%m-%d|%H%M"), "h", "%Y-%m-%d %H%M"),
    ("date,hour,minute", split("%Y-%m-%d|%H|%M"), "h", "%Y-%m-%d %H:%M"),
    ("year,month", split("%Y|%m", pd.date_range("2019", periods=30, freq="MS")), "MS", "%Y-%m"),
    ("ano,mes", split("%Y|%m", pd.date_range("2019", periods=30, freq="MS")), "MS", "%Y-%m"),
    ("year,month", split("%Y|%b", pd.date_range("2019", periods=30, freq="MS")), "MS", "%Y %b"),
    ("year,doy", split("%Y|%j", DAYS), "D", "%Y-%j"),
    *[
        (f"year,{week}", split("%G|%V", pd.date_range("2019-12-02", periods=70, freq="7D")),
         "W-MON", "%G-W%V")
        for week in ("weekofyear", "KW", "semana", "week", "wk", "iso_week", "semaine", "week_no")
    ],
]  # fmt: skip


@pytest.mark.parametrize("parquet", [False, True])
@pytest.mark.parametrize(
    ("header", "parts", "freq", "form"), SPLITS, ids=lambda value: str(value)[:24]
)
def test_times_in_several_columns_are_one(
    tmp_path: Path,
    header: str,
    parts: list[tuple[Any, ...]],
    freq: str,
    form: str,
    parquet: bool,
) -> None:
    rows = [(*part, float(i)) for i, part in enumerate(parts[:-1])]
    panel = read_rows(tmp_path, f"{header},y", rows, parquet=parquet)
    assert panel.axis.freq == freq, panel.notes
    assert panel.columns.time == tuple(header.split(","))
    assert panel.lengths.tolist() == [len(rows)]
    [text] = ahead(panel)
    one = " ".join(parts[-1])
    assert text in (one, _rewrite(parts, form)), (text, one)


def _rewrite(parts: list[tuple[Any, ...]], form: str) -> str:
    marks = {"%Y-%m": "-", "%Y-%j": "-", "%G-W%V": "-W"}
    if form in marks:
        return marks[form].join(parts[-1])
    day, *clock = parts[-1]
    return f"{day} {':'.join(clock)}"


def test_hours_from_1_to_24_end_then(tmp_path: Path) -> None:
    rows: Rows = [(f"2024-02-{28 + i // 24}", i % 24 + 1, i) for i in range(47)]
    for name in ("HE", "hour_ending", "hour"):
        panel = read_rows(
            tmp_path, f"Date,{name},y", rows[:-1] if name == "HE" else rows
        )
        assert panel.axis.freq == "h"
        assert ahead(panel) == ["2024-02-29 23" if name == "HE" else "2024-02-29 24"][
            :1
        ] or (name == "hour")


def test_epidemiological_weeks_beside_a_year_begin_on_sunday(tmp_path: Path) -> None:
    rows: Rows = [(2020, week, week) for week in range(1, 54)]
    panel = read_rows(tmp_path, "year,epiweek,y", rows)
    assert (panel.axis.freq, ahead(panel)) == ("W-SUN", ["2021-W01"])
    assert any("CDC" in note for note in panel.notes)


def test_weeks_that_iso_years_do_not_have_are_those_of_the_cdc(tmp_path: Path) -> None:
    rows: Rows = [(2014, week, week) for week in range(40, 54)] + [(2015, 1, 1)]
    panel = read_rows(tmp_path, "year,week,y", rows)
    assert panel.axis.freq == "W-SUN"
    assert panel.lengths.tolist() == [15]


@pytest.mark.parametrize("start", [43831.0, 43831.25])
@pytest.mark.parametrize("digits", [4, 5, 7, 12])
@pytest.mark.parametrize("name", ["t", "time", "date", "timestamp"])
def test_excels_hours_with_rounded_fractions_are_hours(
    tmp_path: Path, start: float, digits: int, name: str
) -> None:
    rows: Rows = [(round(start + i / 24, digits), i) for i in range(100)]
    panel = read_rows(tmp_path, f"{name},y", rows)
    assert (panel.axis.freq, panel.lengths.tolist()) == ("h", [100])
    assert float(ahead(panel)[0]) == pytest.approx(start + 100 / 24, abs=1e-9)


def test_a_name_that_two_languages_read_differently_is_asked_about(
    tmp_path: Path,
) -> None:
    rows: Rows = [(f"lis {year}", year) for year in range(2000, 2020)]
    with pytest.raises(
        DataError, match=r"'lis 2000' is 2000-11-01 in Polish and 2000-10"
    ):
        read_rows(tmp_path, "date,y", rows)


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("sku,y", [f"SKU-2020-{i:05d}" for i in range(30)]),
        ("name,y", [f"North {i}" for i in range(30)]),
        ("city,y", ["Paris", "Rome", "Bern"] * 10),
        ("mon,y", ["Mon", "Tue", "Wed", "Thu", "Fri"] * 6),
        ("month,y", ["Jan", "Feb", "Mar"] * 10),
        ("period,y", ["before", "after"] * 15),
        ("order,y", [f"2020-{i:05d}" for i in range(30)]),
        ("comment,y", [f"the march of {i} men" for i in range(30)]),
        ("code,y", [f"K{i}-A{i % 7}" for i in range(30)]),
        ("phone,y", [f"555-01{i:02d}" for i in range(30)]),
        ("ip,y", [f"10.0.0.{i}" for i in range(30)]),
        ("version,y", [f"v1.{i}" for i in range(30)]),
    ],
)
def test_ids_and_classes_stop_nobody(
    tmp_path: Path, header: str, cells: list[str]
) -> None:
    panel = read_rows(tmp_path, header, [(cell, i) for i, cell in enumerate(cells)])
    assert panel.columns.time == ("none",)


@pytest.mark.parametrize(
    ("header", "form"),
    [
        ("mes,y", "{month}~{year}"),
        ("when,y", "{year}: {month}"),
        ("x,y", "zz{letter}-{year}"),
        ("periodo,y", "{year}*{month}*"),
    ],
)
@pytest.mark.parametrize("newest_first", [False, True])
def test_a_column_that_could_be_the_time_is_not_passed_over(
    tmp_path: Path, header: str, form: str, newest_first: bool
) -> None:
    rows: Rows = [
        (
            form.format(
                year=2015 + i // 12, month=i % 12 + 1, letter="abcdefghijkl"[i % 12]
            ),
            i,
        )
        for i in range(48)
    ]
    with pytest.raises(DataError, match="does not read as time"):
        read_rows(tmp_path, header, rows[::-1] if newest_first else rows)
