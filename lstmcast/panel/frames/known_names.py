"""Columns whose names say their role: those that other forecasting libraries prescribe.

unique_id, ds, y               Nixtla's libraries; ds and y of Prophet
item_id, timestamp, target     AutoGluon, Chronos, GluonTS
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import NamedTuple

from lstmcast.config import Columns


class KnownNames(NamedTuple):
    """Names of the three columns that a library prescribes."""

    series: str
    time: str
    target: str


KNOWN_NAMES = (
    KnownNames("unique_id", "ds", "y"),
    KnownNames("item_id", "timestamp", "target"),
)


def find_known_target(names: Collection[str]) -> str | None:
    """Return the column whose name says that it is the target; None where there is none."""
    for known in KNOWN_NAMES:
        if known.target in names:
            return known.target
    return None


def complete_columns(columns: Columns, names: Collection[str]) -> Columns:
    """Return the roles, and those that columns without one have by their names.

    A series column goes with its name alone, the time only beside a series or target of the same
    library: `ds` may be anything else.
    """
    for known in KNOWN_NAMES:
        found = _find_roles(known, columns, names)
        if found:
            return replace(columns, **found)
    return columns


def _find_roles(
    known: KnownNames, columns: Columns, names: Collection[str]
) -> Mapping[str, tuple[str, ...]]:
    """The roles of columns that have one library's names and no role yet."""
    taken = {name for role in vars(columns).values() for name in role}
    is_series = known.series in names and known.series not in taken
    is_time = known.time in names and known.time not in taken
    has_target = known.target in columns.target

    roles = {}
    if is_series and not columns.series:
        roles["series"] = (known.series,)
    same_library = "series" in roles or known.series in columns.series or has_target
    if is_time and same_library and not columns.time:
        roles["time"] = (known.time,)
    return roles
