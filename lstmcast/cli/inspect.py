"""`lstmcast inspect`: what the tool sees in a file, and the command line that pins it down."""

import shlex
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

from lstmcast.cli import console, output
from lstmcast.cli.console import Report
from lstmcast.cli.options import Data, DataOptions, ShowOptions
from lstmcast.cli.source import shown
from lstmcast.config import Columns, DataConfig
from lstmcast.errors import DataError

if TYPE_CHECKING:
    from lstmcast.panel import Panel
    from lstmcast.read import Table

EXAMPLES = """\
lstmcast inspect sample_data/price.csv
lstmcast inspect sales.csv.gz --delimiter ";" --decimal ,"""
_FEW = 20
"""A column of no more values than this is rather a flag or a class than a target."""
_TRIED = 8
"""Columns tried as the name of the series, alone and together, where a stamp stands in several rows."""


@dataclass(frozen=True)
class _Seen:
    """A column as it is seen: number, time or text."""

    name: str
    kind: str
    missing: int
    distinct: int
    first: str


def inspect(data: Data, reading: DataOptions, *, show: ShowOptions) -> None:
    """Show what is seen in DATA, and the options that pin it down.

    Nothing is learnt or written. Where several columns could be the target, the first likely one is the example.
    """
    report, config = Report.of(show), reading.config()
    report.say(f"reading {shown(data)}")
    from lstmcast.read import read_table

    table = read_table(data, config)
    columns = _columns(table)
    if not show.json:
        _write(_column_lines(columns))  # needed most where no series can be made of them
    panel, others = _panel(table, columns, config)
    line = _command(data, panel, reading)
    if show.json:
        output.write_object("inspect", {**_facts(table, columns, panel), "command_line": line})
        return
    report.found(panel.notes)
    _write(["", *_panel_lines(table, panel, others), "", console.escape(line)])


def _columns(table: "Table") -> list[_Seen]:
    import numpy as np

    from lstmcast.timecolumn import find_time

    times, _ = find_time(table, Columns(target=("",)), np.zeros(len(table.frame), dtype=np.int64))
    found = []
    for name in map(str, table.frame.columns):
        values = table.frame[name]
        known = values.dropna()
        kind = "time" if name in times else "number" if _is_number(table, name) else "text"
        first = str(known.iloc[0]) if len(known) else ""
        found.append(_Seen(name, kind, int(values.isna().sum()), int(known.nunique()), first))
    return found


def _is_number(table: "Table", name: str) -> bool:
    from lstmcast.read import to_number

    try:
        to_number(table, name)
    except DataError:
        return False
    return True


def _panel(table: "Table", columns: list[_Seen], config: DataConfig) -> tuple["Panel", list[str]]:
    """Read the table with the likeliest roles; also returns the other columns that could be the target."""
    from lstmcast.panel import Panel

    times = tuple(column.name for column in columns if column.kind == "time")
    series = _key(table, columns, times)
    numbers = [column for column in columns if column.kind == "number" and column.name not in series]
    if not numbers:
        raise DataError(f"{table.name} has no column of numbers", "give a file with a column to forecast")
    first, *others = [column.name for column in sorted(numbers, key=lambda column: column.distinct <= _FEW)]
    return Panel.from_table(table, Columns((first,), times, series), config), others


def _key(table: "Table", columns: list[_Seen], times: tuple[str, ...]) -> tuple[str, ...]:
    """Return the fewest columns that tell rows of one time apart; none where there are none such."""
    if not times or not table.frame.duplicated(list(times)).any():
        return ()
    likely = [column for column in columns if column.kind != "time" and 1 < column.distinct <= len(table.frame) // 3]
    names = [column.name for column in sorted(likely, key=lambda column: column.kind != "text")][:_TRIED]
    tried = (key for size in (1, 2, 3) for key in combinations(names, size))
    return next((key for key in tried if not table.frame.duplicated([*times, *key]).any()), ())


def _write(lines: list[str]) -> None:
    output.write_stdout("".join(f"{line}\n" for line in lines).encode(errors="backslashreplace"))


def _column_lines(columns: list[_Seen]) -> list[str]:
    header = ("column", "kind", "missing", "distinct", "first")
    rows = [[one.name, one.kind, str(one.missing), str(one.distinct), one.first[:40]] for one in columns]
    return console.plain_table(header, rows)


def _panel_lines(table: "Table", panel: "Panel", others: list[str]) -> list[str]:
    axis, keys = panel.axis, panel.columns.series
    told = (
        ("rows", f"{len(table.frame):,}"),
        ("series", f"{len(panel):,}" + (f" by {', '.join(keys)}" if keys else "")),
        ("steps", f"{int(panel.offsets[-1]):,}, {axis.grid.words} ({axis.freq})"),
        ("season", str(axis.season)),
        ("horizon", str(axis.horizon)),
        ("target", panel.columns.target[0] + (f"  (or {', '.join(others)})" if others else "")),
    )
    return [f"{name:<8} {console.escape(value)}" for name, value in told]


def _facts(table: "Table", columns: list[_Seen], panel: "Panel") -> dict[str, Any]:
    axis = panel.axis
    return {
        "rows": len(table.frame),
        "columns": [vars(column) for column in columns],
        "time": list(panel.columns.time),
        "series": list(panel.columns.series),
        "target": list(panel.columns.target),
        "n_series": len(panel),
        "steps": int(panel.offsets[-1]),
        "freq": axis.freq,
        "season": axis.season,
        "horizon": axis.horizon,
        "notes": list(panel.notes),
    }


def _command(data: str, panel: "Panel", reading: DataOptions) -> str:
    """Return the line that fits the same reading of the file with nothing left to be found."""
    axis, roles = panel.axis, panel.columns
    words = ["lstmcast", "fit", data]
    for option, names in (("--target", roles.target), ("--time", roles.time), ("--series", roles.series)):
        words += [word for name in names for word in (option, name)]
    words += [] if reading.resample else ["--freq", axis.freq]
    words += ["--season", str(axis.season), "--horizon", str(axis.horizon)]
    for name, value in vars(reading).items():
        if name != "freq" and value != getattr(DataOptions, name):
            option = f"--{'no-' if value is False else ''}{name.replace('_', '-')}"
            if isinstance(value, bool):
                words.append(option)
                continue
            words += [word for text in (value if isinstance(value, list) else [value]) for word in (option, str(text))]
    return shlex.join(words)
