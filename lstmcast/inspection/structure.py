"""How sure the roles of columns are: what is certain, what is a guess, and what else it could be.

Axes: n rows of the table.
"""

import re
import shlex
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np

from lstmcast.config import Columns, DataConfig
from lstmcast.errors import DataError
from lstmcast.ingest.time_column import NO_TIME_COLUMN, read_time_column
from lstmcast.inspection.columns import (
    USUAL_TARGET_NAMES,
    ColumnProfile,
    Roles,
    is_row_number,
)
from lstmcast.inspection.finding import Certainty, Finding
from lstmcast.panel.panel import Panel
from lstmcast.tables.number_columns import to_float_column
from lstmcast.tables.table import Table

_PART_OF_TIME_NAME = re.compile(
    r".*(hour|hora|heure|stunde|uhrzeit|time|zeit|clock|minute|week|woche|semana|semaine"
    r"|month|monat|mois|weekday|quarter|quartal|trimest).*|(day|tag|kw|mes|dia|jour|wk|hr)",
    re.IGNORECASE,
)
_CLOCK = re.compile(r"\d?\d[.:h]\d\d([.:]\d\d)?")
_CYCLES = (
    range(24),
    range(1, 25),
    range(1, 13),
    range(1, 53),
    range(1, 54),
    range(1, 8),
)
"""Whole numbers that count the parts of a day, a year or a week."""
_STRUCTURE = ("target", "series", "time")
"""Findings that say how the file is read."""
_MAX_ALTERNATIVES = 3
_MANY_MISSING = 0.3
"""Share of missing steps from which on the frequency may be another one."""

Judgement = tuple[Certainty, tuple[str, ...]]


def with_certainty(
    findings: Sequence[Finding],
    table: Table,
    profiles: Sequence[ColumnProfile],
    panel: Panel,
    requested: Roles,
    config: DataConfig,
) -> tuple[Finding, ...]:
    """Return the findings with how sure time and series are, after one on the target.

    requested: the roles that the user gave, which are certain.
    """
    time = _judge_time(panel, profiles, requested, config)
    series = _judge_series(table, panel, requested)
    target = _describe_target(table, panel, profiles, requested)

    judged = []
    for finding in findings:
        if finding.name == "target":
            # What its values are, and what is done about that.
            found = f"{target.found}: {finding.found}"
            figures = {**target.figures, **finding.figures}
            target = replace(target, found=found, done=finding.done, figures=figures)
            continue
        if finding.name == "time":
            certainty, alternatives = time
            finding = replace(finding, certainty=certainty, alternatives=alternatives)
        if finding.name == "series":
            certainty, alternatives = series
            finding = replace(finding, certainty=certainty, alternatives=alternatives)
        judged.append(finding)
    return (target, *judged)


def list_guesses(findings: Sequence[Finding]) -> dict[str, Certainty]:
    """The findings that say how the file is read and are not certain, and how sure they are."""
    return {
        finding.name: finding.certainty
        for finding in findings
        if finding.name in _STRUCTURE and finding.certainty != "fact"
    }


def _describe_target(
    table: Table,
    panel: Panel,
    profiles: Sequence[ColumnProfile],
    requested: Roles,
) -> Finding:
    targets = panel.columns.target
    found = ", ".join(targets)
    figures = {"target": list(targets)}
    if requested.get("target"):
        return Finding("target", found, figures=figures)

    with_role = {name for names in vars(panel.columns).values() for name in names}
    others = [
        profile
        for profile in profiles
        if profile.kind == "number"
        and profile.name not in with_role
        and profile.could != ("future",)
        and profile.distinct > 1
        and not is_row_number(table, profile)
    ]
    # What has many values is the likelier target.
    others.sort(key=lambda profile: -profile.distinct)
    if not others:
        # Others may have been ruled out, as one value in all rows, or as a calendar column.
        is_only = not any(
            profile.kind == "number" and profile.name not in with_role
            for profile in profiles
        )
        done = (
            f"the only column{'' if is_only else ' of many numbers'} that could be it"
        )
        return Finding("target", found, done, figures, "fact" if is_only else "likely")

    names = [profile.name for profile in others]
    is_usual = found.casefold() in USUAL_TARGET_NAMES
    return Finding(
        "target",
        found,
        "" if is_usual else f"one of {len(others) + 1} columns of numbers",
        figures,
        "likely" if is_usual else "guess",
        _limit([f"--target {shlex.quote(name)}" for name in names]),
    )


def _judge_time(
    panel: Panel,
    profiles: Sequence[ColumnProfile],
    requested: Roles,
    config: DataConfig,
) -> Judgement:
    # On a grid that is too fine most of the steps have no row.
    missing = float(np.isnan(panel.values).mean())
    if missing > _MANY_MISSING and not (config.freq or config.resample):
        return "guess", ("a coarser step: --freq or --resample",)

    names = panel.columns.time
    if requested.get("time"):
        return "fact", ()
    if names == (NO_TIME_COLUMN,):
        return "guess", ("a column of times: --time COL --date-format FORMAT",)

    others = [
        profile.name
        for profile in profiles
        if profile.kind == "time" and profile.name not in names
    ]
    if others:
        return "guess", _limit([f"--time {shlex.quote(name)}" for name in others])
    # A date says what it is; a number, or columns that belong together, less so.
    is_written_out = panel.axis.kind == "datetime" and panel.axis.form.kind != "number"
    if len(names) == 1 and is_written_out:
        return "fact", ()
    in_order = "rows in order: --time none" if len(names) == 1 else ""
    return "likely", tuple(filter(None, (in_order,)))


def _judge_series(table: Table, panel: Panel, requested: Roles) -> Judgement:
    names = panel.columns.series
    if requested.get("series") or not names:
        return "fact", ()

    parts = [name for name in names if _looks_like_part_of_time(table, name)]
    if parts:
        return "guess", tuple(
            _describe_part_of_time(table, panel, name) for name in parts
        )

    # Numbers may be names of series, or measurements.
    if any(to_numbers(table, name) is not None for name in names):
        return "guess", ("rows of one time that belong together: --duplicates sum",)
    return "likely", ()


def _describe_part_of_time(table: Table, panel: Panel, name: str) -> str:
    """What else a column of series could be: a part of the time, with the option that reads it."""
    both = (*panel.columns.time, name)
    one_series = np.zeros(len(table), np.int64)

    # Only an option that works is named.
    with suppress(DataError):
        columns = Columns(panel.columns.target, both)
        read_time_column(table, columns, DataConfig(), one_series, None)
        return f"a part of the time: --time {shlex.quote(','.join(both))}"
    return f"{name!r} as a part of the time: then join it to {both[0]!r} in the file"


def _looks_like_part_of_time(table: Table, name: str) -> bool:
    """Whether a column may be the hour, the week, the month ... of the rows, and no series."""
    if _PART_OF_TIME_NAME.fullmatch(name):
        return True
    cells = table.series(name).dropna()
    if not len(cells):
        return False
    some = [str(cell).strip() for cell in cells.unique()[:100]]
    if all(_CLOCK.fullmatch(text) for text in some):
        return True

    # All numbers of a cycle, and no other: three shops named 1 to 3 are none.
    numbers = to_numbers(table, name)
    if numbers is None:
        return False
    values = set(np.unique(numbers).tolist())
    return values in map(set, _CYCLES)


def to_numbers(table: Table, name: str) -> np.ndarray | None:
    """The numbers of a column; None where it holds anything else."""
    try:
        return to_float_column(table, name)
    except DataError:
        return None


def _limit(alternatives: list[str]) -> tuple[str, ...]:
    more = len(alternatives) - _MAX_ALTERNATIVES
    shown = alternatives[:_MAX_ALTERNATIVES]
    return (*shown, f"{more} more") if more > 0 else tuple(shown)
