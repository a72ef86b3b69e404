"""`lstmcast inspect`: what the tool sees in a file, and the command line that pins it down."""

import shlex
import sys
import textwrap
from typing import TYPE_CHECKING, Annotated, Any

from lstmcast.cli.data import format_source
from lstmcast.cli.options.columns import ColumnOptions
from lstmcast.cli.options.declare import OUTPUT, make_option, refuse_address
from lstmcast.cli.options.fitting import WindowOptions
from lstmcast.cli.options.reading import DataOptions
from lstmcast.cli.options.results import Data, ShowOptions
from lstmcast.cli.pinned import pin_command_line
from lstmcast.cli.show import console, output
from lstmcast.cli.show.console import Reporter
from lstmcast.cli.show.pictures import check_picture, write_picture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lstmcast.inspection.columns import ColumnProfile
    from lstmcast.inspection.finding import Finding
    from lstmcast.inspection.findings import Inspection
    from lstmcast.tables.table import Table

EXAMPLES = """\
lstmcast inspect sample_data/price.csv
lstmcast inspect sample_data/shop.csv --target sold --plot shop.png
lstmcast inspect sales.csv.gz --delimiter ";" --decimal ,"""
InspectPlot = Annotated[
    str | None,
    make_option(
        OUTPUT,
        "FILE",
        "Draw series, season and gaps into this file: .png, .svg or .pdf.",
        "no picture",
        callback=refuse_address,
    ),
]
MIN_LINE_COLUMNS, MAX_LINE_COLUMNS = 40, 80
MIN_FIRST_COLUMNS = 10
"""Columns of a terminal below which first values are not worth showing."""
_LABEL_COLUMNS = 12
"""Columns of a line that its label takes."""
_FIXED_TABLE_COLUMNS = 31
"""Columns of a line of the table of columns that kind, missing, distinct and the gaps take."""
_MAX_NAME_COLUMNS = 22
_MAX_LISTED_COLUMNS = 40
"""Columns of a wide table that are listed."""
_MAX_SUGGESTED_OPTIONS = 8
_MAX_DRAWN_SERIES = 3
_SPARKLINE_BLOCKS = "▁▂▃▄▅▆▇█"
_CERTAINTY_WORDS = {"likely": "likely", "guess": "a guess"}
_COVARIATE_ROLES = ("past", "future", "static")


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

    Each finding comes with what is done about it, and where it is no fact, with how sure it is:
    likely, or a guess. Nothing is learnt or saved. Roles that are left out are guessed, that of the
    target too; the last line is the command that fits what was shown, with every guess spelled out.
    """
    report = Reporter.of(show)
    config = reading.config()
    check_picture(plot)
    report.say(f"reading {format_source(data)}")
    from lstmcast.inspection.columns import (
        infer_roles,
        profile_columns,
        with_column_roles,
    )
    from lstmcast.inspection.findings import inspect_panel
    from lstmcast.panel.panel import Panel
    from lstmcast.tables.read import read_table

    table = read_table(data, config)
    profiles = profile_columns(table)
    try:
        roles = infer_roles(table, profiles, columns.requested())
        panel = Panel.from_table(table, roles, config)
    except Exception:
        # The table is needed most where no series can be made of it.
        if not show.json:
            output.write_lines(_table_lines(table, profiles))
        raise
    from lstmcast.inspection.table_findings import find_in_table

    profiles = with_column_roles(table, profiles, panel.columns, config)
    seen = find_in_table(table, panel, profiles, columns.requested(), config)
    found = inspect_panel(
        panel,
        season=window.season,
        horizon=window.horizon,
        fill=config.fill,
        sentinels=seen.target_sentinels,
    )
    found = seen.add_to(found)
    profiles = seen.profiles
    words = pin_command_line(data, table, found, reading, window)
    command_line = shlex.join(words)

    # The picture comes first: stdout ends with the command line, to be copied.
    if plot:
        from lstmcast.reporting.inspection_plot import plot_inspection

        write_picture(report, plot, plot_inspection(found))
    if show.json:
        content = _inspection_to_dict(table, profiles, found)
        output.write_object("inspect", {**content, "command_line": command_line})
        return
    output.write_lines(
        [
            *_table_lines(table, profiles),
            "",
            *_sparkline_lines(found),
            *_finding_lines(found, table.notes),
            *_next_step_lines(profiles, found.findings),
            console.escape_unprintable(command_line),
        ]
    )


def _table_lines(table: "Table", profiles: "Sequence[ColumnProfile]") -> list[str]:
    """Return the lines on the file and its columns."""
    facts = [f"{len(table):,} rows, {len(profiles):,} columns"]
    if table.source is not None and table.source.dialect.delimiter == ",":
        facts.append("comma-separated")  # of other dialects the notes say what they are
    lines = _wrap_text("file", "; ".join([*facts, *table.notes]))

    listed = profiles[:_MAX_LISTED_COLUMNS]
    names = [_cut_text(profile.name, _MAX_NAME_COLUMNS) for profile in listed]
    roles = [_format_role(profile) for profile in listed]
    # The first values take the room that is left of the line.
    name_columns = max(map(len, names))
    role_columns = max(map(len, roles))
    room = count_line_columns() - _FIXED_TABLE_COLUMNS - role_columns - name_columns
    # On a narrow terminal they are left out, so that no line is broken.
    has_first = room >= MIN_FIRST_COLUMNS or not console.is_live(sys.stdout)
    rows = []
    for profile, name, role in zip(listed, names, roles, strict=True):
        first = _cut_text(profile.first, max(room, MIN_FIRST_COLUMNS))
        counts = [f"{profile.missing:,}", f"{profile.distinct:,}"]
        rows.append([name, profile.kind, *counts, *[first] * has_first, role])
    header = ["column", "kind", "missing", "distinct", *["first"] * has_first, "role"]
    # Words are at the left, numbers at the right.
    left = (0, 1, *range(4, len(header)))
    head, *body = console.format_table(header, rows, left)
    lines += ["", console.format_heading(head), *body]
    left_out = len(profiles) - len(listed)
    if left_out:
        lines.append(f"and {left_out:,} more columns")
    return lines


def _format_role(profile: "ColumnProfile") -> str:
    """Return the role of a column, or in brackets those that it could have."""
    if profile.role or not profile.could:
        return profile.role
    return f"({' or '.join(profile.could)}?)"


def count_line_columns() -> int:
    """Return the columns that a line may take: fewer on a narrow terminal than elsewhere."""
    if not console.is_live(sys.stdout):
        return MAX_LINE_COLUMNS
    width = console.get_terminal_width() - 1
    return max(MIN_LINE_COLUMNS, min(width, MAX_LINE_COLUMNS))


def _cut_text(text: str, width: int) -> str:
    text = console.escape_unprintable(text)
    if len(text) <= width:
        return text
    return f"{text[: width - 1]}…"


def _finding_lines(found: "Inspection", shown_notes: "Sequence[str]") -> list[str]:
    """Return the findings, and those notes on the panel that neither they nor the table show."""
    lines = []
    for finding in found.findings:
        done = f" → {finding.done}" if finding.done else ""
        sure = _format_certainty(finding)
        lines += _wrap_text(finding.name, f"{finding.found}{sure}{done}")
    for note in found.panel.notes[len(shown_notes) :]:
        is_finding = note.startswith("time is") or (
            note.startswith("missing ") and len(found.gaps)
        )
        if not is_finding:
            lines += _wrap_text("note", note)
    return lines


def _format_certainty(finding: "Finding") -> str:
    """Return how sure a finding is, and what else it could be; nothing for a fact."""
    if finding.certainty == "fact":
        return ""
    words = [_CERTAINTY_WORDS[finding.certainty], *finding.alternatives]
    return f" ({', or '.join(words)})"


def _wrap_text(label: str, text: str) -> list[str]:
    """Return a label and its text in lines of a terminal's width, the text indented."""
    first, *more = textwrap.wrap(
        f"{label:<{_LABEL_COLUMNS}}{console.escape_unprintable(text)}",
        count_line_columns(),
        subsequent_indent=" " * _LABEL_COLUMNS,
        break_long_words=False,
        break_on_hyphens=False,
    )
    heading = console.format_heading(first[:_LABEL_COLUMNS])
    return [heading + first[_LABEL_COLUMNS:], *more]


def _sparkline_lines(found: "Inspection") -> list[str]:
    """Return the first series in one line each, drawn with blocks; a gap is a gap."""
    panel = found.panel
    lines = []
    for number in range(min(len(panel), _MAX_DRAWN_SERIES)):
        name = "/".join(panel.keys[number]) or panel.columns.target[0]
        label = _cut_text(name, _LABEL_COLUMNS - 1).ljust(_LABEL_COLUMNS)
        sparkline = _draw_sparkline(panel.series(number))
        lines.append(console.format_heading(label) + sparkline)
    return [*lines, ""]


def _draw_sparkline(values: Any) -> str:
    import numpy as np

    n_parts = min(len(values), count_line_columns() - _LABEL_COLUMNS)
    parts = np.array_split(values, n_parts)
    # numpy warns of the median of nothing.
    medians = np.array(
        [np.nan if np.isnan(part).all() else np.nanmedian(part) for part in parts]
    )
    low = np.nanmin(medians)
    high = np.nanmax(medians)
    # Each value is halved first, since the difference of two large values may overflow.
    span = high / 2 - low / 2
    if span > 0:
        shares = (medians / 2 - low / 2) / span
        heights = shares * (len(_SPARKLINE_BLOCKS) - 1)
    else:
        heights = medians * 0 + 3
    return "".join(
        " " if np.isnan(height) else _SPARKLINE_BLOCKS[round(height)]
        for height in heights
    )


def _next_step_lines(
    profiles: "Sequence[ColumnProfile]", findings: "Sequence[Finding]"
) -> list[str]:
    """Return what to try, before the command line itself."""
    from lstmcast.inspection.structure import list_guesses

    options = _suggested_options(profiles, findings)
    lines = [""]
    if options:
        shown = " ".join(options[:_MAX_SUGGESTED_OPTIONS])
        more = " ..." if len(options) > _MAX_SUGGESTED_OPTIONS else ""
        text = console.escape_unprintable(shown) + more
        lines += [*_wrap_text("to add", text), ""]

    guesses = list_guesses(findings)
    if guesses:
        doubts = [
            f"{name} ({_CERTAINTY_WORDS[sure]})" for name, sure in guesses.items()
        ]
        heading = f"to fit it so, if these are right: {', '.join(doubts)}:"
    else:
        heading = "to fit it so, with nothing left to be guessed:"
    wrapped = textwrap.wrap(heading, count_line_columns())
    return [*lines, *map(console.format_heading, wrapped)]


def _suggested_options(
    profiles: "Sequence[ColumnProfile]", findings: "Sequence[Finding]"
) -> list[str]:
    """Return options that the findings suggest, and the covariates that there could be."""
    figures = {finding.name: finding.figures for finding in findings}
    options = list(figures.get("sentinel", {}).get("options", []))
    if "counts" in figures:
        options.append(f"--loss {figures['counts']['loss']}")
    # Those of the calendar first, then what else is known ahead.
    calendar = figures.get("calendar", {}).get("columns", [])
    first = [column["name"] for column in calendar]
    ranked = sorted(profiles, key=lambda profile: _rank_suggestion(profile, first))
    covariates = [
        f"--{profile.could[0]} {shlex.quote(profile.name)}"
        for profile in ranked
        if profile.could and profile.could[0] in _COVARIATE_ROLES
    ]
    return options + covariates


def _rank_suggestion(
    profile: "ColumnProfile", calendar: list[str]
) -> tuple[bool, bool]:
    """Return the rank of a column among those to add."""
    is_ahead = bool(profile.could) and profile.could[0] in ("future", "static")
    return profile.name not in calendar, not is_ahead


def _dialect_to_dict(table: "Table") -> dict[str, Any] | None:
    """Return how a text file is written; None for a typed one."""
    if table.source is None:
        return None
    dialect = table.source.dialect
    return {
        "delimiter": dialect.delimiter,
        "decimal": dialect.decimal,
        "thousands": dialect.thousands,
        "header": dialect.has_header,
    }


def _inspection_to_dict(
    table: "Table", profiles: "Sequence[ColumnProfile]", found: "Inspection"
) -> dict[str, Any]:
    """Return what --json says of a file."""
    from lstmcast.inspection.finding import findings_to_dicts
    from lstmcast.inspection.structure import list_guesses

    panel = found.panel
    return {
        "file": table.name,
        "dialect": _dialect_to_dict(table),
        "rows": len(table),
        "columns": [
            {**vars(profile), "could": list(profile.could)} for profile in profiles
        ],
        "time": list(panel.columns.time),
        "series": list(panel.columns.series),
        "target": list(panel.columns.target),
        "n_series": len(panel),
        "steps": int(panel.offsets[-1]),
        "freq": panel.axis.freq,
        "season": found.seasons.main,
        "horizon": found.horizon,
        "guesses": list_guesses(found.findings),
        "findings": dict(findings_to_dicts(found.findings)),
        "notes": list(panel.notes),
    }
