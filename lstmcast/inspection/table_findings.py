"""What the columns of a table say beside its series: sentinels, calendar, leaks, guesses."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lstmcast.config import DataConfig
from lstmcast.errors import DataError
from lstmcast.inspection.columns import ColumnProfile, Roles
from lstmcast.inspection.covariates import (
    CalendarColumn,
    Leak,
    describe_calendar,
    describe_leaks,
    find_covariates,
)
from lstmcast.inspection.findings import Inspection
from lstmcast.inspection.sentinels import (
    Sentinel,
    describe_sentinels,
    find_sentinel_cells,
)
from lstmcast.inspection.structure import with_certainty
from lstmcast.panel.panel import Panel
from lstmcast.tables.table import Table


@dataclass(frozen=True)
class TableFindings:
    """What a table says of itself; profiles: its columns, with the roles that they could have."""

    table: Table
    profiles: list[ColumnProfile]
    requested: Roles
    config: DataConfig
    sentinels: dict[str, list[Sentinel]]
    calendar: list[CalendarColumn]
    leaks: list[Leak]
    target: tuple[str, ...]

    @property
    def target_sentinels(self) -> list[float]:
        """Numbers of the targets that rather mean missing."""
        found = [self.sentinels.get(name, []) for name in self.target]
        return [one.value for several in found for one in several]

    def add_to(self, found: Inspection) -> Inspection:
        """Return the inspection of the panel with these findings, and with how sure its own are."""
        # The horizon is told last, after what the table says.
        *others, horizon = with_certainty(
            found.findings,
            self.table,
            self.profiles,
            found.panel,
            self.requested,
            self.config,
        )
        own = (
            describe_sentinels(self.table, self.sentinels),
            describe_calendar(self.calendar),
            describe_leaks(self.leaks),
        )
        seen = [finding for finding in own if finding is not None]
        return replace(found, findings=(*others, *seen, horizon))


def find_in_table(
    table: Table,
    panel: Panel,
    profiles: Sequence[ColumnProfile],
    requested: Roles,
    config: DataConfig,
) -> TableFindings:
    """Look at the columns of a table beside the series that were made of it.

    requested: roles that the user gave.
    """
    # A code such as -1 may well be the name of a series.
    keys = (*panel.columns.series, *panel.columns.time)
    numbers = [
        profile.name
        for profile in profiles
        if profile.kind == "number" and profile.name not in keys
    ]
    try:
        calendar, leaks = find_covariates(table, panel, profiles, config)
    except DataError:
        # Rows that only a panel can make sense of, as those that were resampled.
        calendar, leaks = [], []

    return TableFindings(
        table,
        _with_calendar_roles(profiles, calendar, leaks),
        requested,
        config,
        find_sentinel_cells(table, numbers),
        calendar,
        leaks,
        panel.columns.target,
    )


def _with_calendar_roles(
    profiles: Sequence[ColumnProfile],
    calendar: Sequence[CalendarColumn],
    leaks: Sequence[Leak],
) -> list[ColumnProfile]:
    """Columns of the calendar are known ahead; those that hold the target are of no use."""
    ahead = {column.name for column in calendar}
    leaking = {name for leak in leaks for name in leak.names}

    changed = []
    for profile in profiles:
        # What is known ahead tells nothing too early, even where it is like the target.
        if profile.name in ahead:
            profile = replace(profile, could=("future",))
        elif profile.name in leaking:
            profile = replace(profile, could=())
        changed.append(profile)
    return changed
