"""The options that `inspect` prints read a file as it was read when everything was found."""

from pathlib import Path
from typing import Any

import pytest

from lstmcast.cli.options.columns import ColumnOptions
from lstmcast.cli.options.fitting import WindowOptions
from lstmcast.cli.options.reading import DataOptions
from lstmcast.cli.pinned import pin_command_line
from lstmcast.inspection.columns import infer_roles, profile_columns
from lstmcast.inspection.findings import inspect_panel
from lstmcast.panel.panel import Panel
from lstmcast.tables.read import read_table
from tests.conftest import SHARED_DATA, shared_file
from tests.panel.test_panel import EVERYDAY

NOT_SERIES = {"README.md"}


def options(words: list[str]) -> tuple[ColumnOptions, DataOptions, WindowOptions]:
    """The groups of options that the words of a command line make."""
    values: dict[str, Any] = {}
    rest = list(words[3:])
    while rest:
        name = rest.pop(0).removeprefix("--").replace("-", "_")
        if name in ("header", "no_header"):
            values["header"] = name == "header"
        else:
            values.setdefault(name, []).append(rest.pop(0))
    groups = []
    for group in (ColumnOptions, DataOptions, WindowOptions):
        own = {
            name: values.pop(name)
            for name in list(values)
            if name in group.__dataclass_fields__
        }
        many = group is ColumnOptions
        groups.append(
            group(
                **{
                    k: v if many or k in ("na", "header") else v[0]
                    for k, v in own.items()
                }
            )
        )
    assert not values
    columns, reading, window = groups
    return (
        columns,
        reading,
        WindowOptions(**{k: v and int(v) for k, v in vars(window).items()}),
    )


def check(
    path: Path,
    reading: DataOptions = DataOptions(),  # noqa: B008
    **values: tuple[str, ...],
) -> list[str]:
    """Pin what is found in a file, read it by that, and compare."""
    table = read_table(path, reading.config())
    roles = infer_roles(table, profile_columns(table), values)
    panel = Panel.from_table(table, roles, reading.config())
    words = pin_command_line(
        str(path), table, inspect_panel(panel), reading, WindowOptions()
    )
    columns, reading, _ = options(words)
    again = Panel.from_table(
        read_table(path, reading.config()), columns.roles(), reading.config()
    )
    assert again.fingerprint() == panel.fingerprint()
    assert again.axis == panel.axis
    return words


@pytest.mark.parametrize("name", EVERYDAY)
def test_everyday_files_are_read_by_their_pinned_options_as_they_were_by_none(
    name: str,
) -> None:
    target, series, *_ = EVERYDAY[name]
    check(
        shared_file(f"everyday/{name}.csv"),
        target=(target,),
        **({"series": series} if series else {}),
    )


def test_other_real_files_are_pinned_too() -> None:
    shared_file("panel/walmart_store_sales.csv")
    files = [
        *sorted((SHARED_DATA / "panel").glob("*.csv")),
        *sorted((SHARED_DATA / "nab").rglob("*.csv"))[:2],
    ]
    for path in [
        *files,
        SHARED_DATA / "ett/ETTh1.csv",
        SHARED_DATA / "everyday/vic_electricity.csv",
    ]:
        check(path)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            "{:02}.03.2024;{},5\n",
            ["--delimiter", ";", "--decimal", ",", "--date-format", "%d.%m.%Y"],
        ),
        ("2024-03-{:02}\t{}\n", ["--delimiter", "tab", "--date-format", "%Y-%m-%d"]),
        ("Mar {} 2024|{}.5\n", ["--delimiter", "|", "--decimal", "."]),
        ("202403{:02},{}\n", ["--freq", "D"]),
        ("17{:02}000000,{}\n", ["--date-format", "s"]),
    ],
)
@pytest.mark.parametrize("headed", [True, False])
def test_dialects_forms_of_times_and_headers_are_pinned(
    text: str, wanted: list[str], headed: bool, tmp_path: Path
) -> None:
    rows = "".join(text.format(day, day * 7 % 5) for day in range(13, 31))
    mark = next(mark for mark in "\t;|," if mark in rows)
    (tmp_path / "x.csv").write_text((f"date{mark}y\n" if headed else "") + rows)
    words = check(
        tmp_path / "x.csv",
        DataOptions() if headed else DataOptions(header=False, delimiter=mark),
        **({} if headed else {"time": ("column1",)}),
    )
    assert ("--header" if headed else "--no-header") in words
    pairs = list(zip(words, words[1:], strict=False))
    assert all(pair in pairs for pair in zip(wanted[::2], wanted[1::2], strict=True))


def test_what_the_user_requested_is_repeated(tmp_path: Path) -> None:
    rows = (
        "".join(f"2024-01-{day:02},{day % 7 or 'none'}\n" for day in range(1, 29))
        + "2024-01-28,5\n"
    )
    (tmp_path / "x.csv").write_text("date,y\n" + rows)
    words = check(
        tmp_path / "x.csv", DataOptions(na=["none"], duplicates="mean", fill="linear")
    )
    text = " ".join(words)
    assert (
        "--na none" in text and "--duplicates mean" in text and "--fill linear" in text
    )
