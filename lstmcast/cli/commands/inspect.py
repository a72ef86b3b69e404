"""`lstmcast inspect`: what the tool sees in a file, and the command line that pins it down."""

import shlex
import textwrap
from typing import TYPE_CHECKING, Annotated, Any

from typer import Option

from lstmcast.cli.data import format_source
from lstmcast.cli.options import (
    OUTPUT,
    ColumnOptions,
    Data,
    DataOptions,
    ShowOptions,
    WindowOptions,
)
from lstmcast.cli.pinned import pin_command_line
from lstmcast.cli.show import console, output
from lstmcast.cli.show.console import Reporter

if TYPE_CHECKING:
    from lstmcast.inspection.columns import ColumnProfile
    from lstmcast.inspection.findings import Inspection
    from lstmcast.tables.table import Table

EXAMPLES = """\
lstmcast inspect sample_data/price.csv
lstmcast inspect sample_data/shop.csv --target sold --plot shop.png
lstmcast inspect sales.csv.gz --delimiter ";" --decimal ,"""
InspectPlot = Annotated[
    str | None,
    Option(
        metavar="FILE",
        help="Draw series, season and gaps into this file: .png, .svg or .pdf.",
        show_default="no picture",
        rich_help_panel=OUTPUT,
    ),
]
MAX_LINE_COLUMNS = 80
_MAX_LISTED_COLUMNS = 40
"""Columns of a wide table that are listed unasked."""
_SPARKLINE_BLOCKS = "▁▂▃▄▅▆▇█"
_MAX_DRAWN_SERIES = 3


def inspect(
    data: Data,
    columns: ColumnOptions,
    reading: DataOptions,
    window: WindowOptions,
    *,
    plot: InspectPlot = None,
    show: ShowOptions,
) -> None:
    """Show what is seen in DATA, and how to pin it down.

    What is done about each finding is said, too. Nothing is learnt or saved. Roles that are not
    given are guessed, of the target too; the last line is the command that fits what was shown,
    with every guess spelled out.
    """
    report, config = Reporter.of(show), reading.config()
    if plot:
        from lstmcast.reporting import plots

        plots.require_matplotlib()
        plots.parse_picture_format(plot)
    report.say(f"reading {format_source(data)}")
    from lstmcast.inspection.columns import infer_roles, profile_columns, with_column_roles
    from lstmcast.inspection.findings import inspect_panel
    from lstmcast.panel.panel import Panel
    from lstmcast.tables.read import read_table

    table = read_table(data, config)
    seen = profile_columns(table)
    try:
        roles = infer_roles(table, seen, columns.given())
        panel = Panel.from_table(table, roles, config)
    except Exception:
        if not show.json:
            _write_lines(
                _table_lines(table, seen)
            )  # needed most where no series can be made of them
        raise
    seen = with_column_roles(table, seen, panel.columns, config)
    found = inspect_panel(panel, season=window.season, horizon=window.horizon, fill=config.fill)
    line = shlex.join(pin_command_line(data, table, found, reading, window))
    if plot:
        from lstmcast.reporting.inspection_plot import plot_inspection

        plots.write_picture(plot_inspection(found), plot)
        report.say(f"drawn into {plot!r}")
    if show.json:
        output.write_object(
            "inspect", {**_inspection_to_dict(table, seen, found), "command_line": line}
        )
        return
    _write_lines(
        [
            *_table_lines(table, seen),
            "",
            *_sparkline_lines(found),
            *_finding_lines(found, table.notes),
            *_next_step_lines(seen),
            console.escape_unprintable(line),
        ]
    )


def _write_lines(lines: list[str]) -> None:
    output.write_stdout("".join(f"{line}\n" for line in lines).encode(errors="backslashreplace"))


def _table_lines(table: "Table", seen: "list[ColumnProfile]") -> list[str]:
    header = ("column", "kind", "missing", "distinct", "first", "role")
    listed = seen[:_MAX_LISTED_COLUMNS]
    room = (
        MAX_LINE_COLUMNS
        - 31
        - max(len(_format_role(one)) for one in listed)
        - max(len(_cut_text(one.name, 22)) for one in listed)
    )
    rows = [
        [
            *(_cut_text(one.name, 22), one.kind, f"{one.missing:,}", f"{one.distinct:,}"),
            *(_cut_text(one.first, max(room, 10)), _format_role(one)),
        ]
        for one in listed
    ]
    size = f"{len(table):,} rows, {len(seen):,} columns"
    lines = [
        *_wrap_text("file", "; ".join([size, *_describe_text_format(table), *table.notes])),
        "",
    ]
    head, *body = console.format_table(header, rows, left=(0, 1, 4, 5))
    lines += [console.format_heading(head), *body]
    return lines + (
        [f"and {len(seen) - _MAX_LISTED_COLUMNS:,} more columns"]
        if len(seen) > _MAX_LISTED_COLUMNS
        else []
    )


def _describe_text_format(table: "Table") -> list[str]:
    """Return what a text file is, where its notes do not say it."""
    usual = table.source is not None and table.source.dialect.delimiter == ","
    return ["comma-separated"] if usual else []


def _format_role(one: "ColumnProfile") -> str:
    return one.role or (f"({' or '.join(one.could)}?)" if one.could else "")


def _cut_text(text: str, most: int) -> str:
    text = console.escape_unprintable(text)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _finding_lines(found: "Inspection", said: tuple[str, ...]) -> list[str]:
    lines = []
    for one in found.findings:
        lines += _wrap_text(one.name, f"{one.found} → {one.done}" if one.done else one.found)
    for note in found.panel.notes[len(said) :]:
        if not note.startswith("time is") and not (note.startswith("missing ") and len(found.gaps)):
            lines += _wrap_text("note", note)
    return lines


def _wrap_text(label: str, text: str) -> list[str]:
    """Return a label and its text in lines of a terminal's width, the text indented."""
    first, *more = textwrap.wrap(
        f"{label:<12}{console.escape_unprintable(text)}",
        MAX_LINE_COLUMNS,
        subsequent_indent=" " * 12,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [console.format_heading(first[:12]) + first[12:], *more]


def _sparkline_lines(found: "Inspection") -> list[str]:
    """Return the first series in one line each, drawn with blocks; a gap is a gap."""
    panel = found.panel
    count = min(len(panel), _MAX_DRAWN_SERIES)
    labels = [
        f"{_cut_text('/'.join(panel.keys[i]) or panel.columns.target[0], 11):<12}"
        for i in range(count)
    ]
    return [
        console.format_heading(label) + _draw_sparkline(panel.series(i))
        for i, label in enumerate(labels)
    ] + [""]


def _draw_sparkline(values: Any) -> str:
    import numpy as np

    parts = np.array_split(values, min(len(values), MAX_LINE_COLUMNS - 12))
    means = np.array([np.nan if np.isnan(part).all() else np.nanmedian(part) for part in parts])
    low, high = np.nanmin(means), np.nanmax(means)
    span = high / 2 - low / 2
    heights = (
        (means / 2 - low / 2) / span * (len(_SPARKLINE_BLOCKS) - 1) if span > 0 else means * 0 + 3
    )
    return "".join(
        " " if np.isnan(height) else _SPARKLINE_BLOCKS[round(height)] for height in heights
    )


def _next_step_lines(seen: "list[ColumnProfile]") -> list[str]:
    """Return what to try, before the command line itself."""
    options = [
        f"--{one.could[0]} {shlex.quote(one.name)}"
        for one in seen
        if one.could and one.could[0] in _COVARIATE_ROLES
    ]
    lines = [""]
    if options:
        lines += [
            *_wrap_text(
                "to add",
                console.escape_unprintable(" ".join(options[:8]))
                + (" ..." if len(options) > 8 else ""),
            ),
            "",
        ]
    return [*lines, console.format_heading("to fit it so, with nothing left to be guessed:")]


_COVARIATE_ROLES = ("past", "future", "static")


def _dialect_to_dict(table: "Table") -> dict[str, Any] | None:
    """Return how a text file is written; None for a typed one."""
    if table.source is None:
        return None
    found = table.source.dialect
    marks = {"delimiter": found.delimiter, "decimal": found.decimal, "thousands": found.thousands}
    return {**marks, "header": found.has_header}


def _inspection_to_dict(
    table: "Table", seen: "list[ColumnProfile]", found: "Inspection"
) -> dict[str, Any]:
    from lstmcast.inspection.findings import findings_to_dicts

    panel = found.panel
    return {
        "file": table.name,
        "dialect": _dialect_to_dict(table),
        "rows": len(table),
        "columns": [{**vars(one), "could": list(one.could)} for one in seen],
        "time": list(panel.columns.time),
        "series": list(panel.columns.series),
        "target": list(panel.columns.target),
        "n_series": len(panel),
        "steps": int(panel.offsets[-1]),
        "freq": panel.axis.freq,
        "season": found.seasons.main,
        "horizon": found.horizon,
        "findings": dict(findings_to_dicts(found.findings)),
        "notes": list(panel.notes),
    }
