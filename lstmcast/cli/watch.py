"""Judge DATA by itself, without a run, and remember in a file what was judged."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

from typer import Context

from lstmcast.cli.data import read_rows
from lstmcast.cli.options.columns import WatchOptions
from lstmcast.cli.options.declare import DEFAULT_NONE, WINDOW, make_option
from lstmcast.cli.options.reading import RunDataOptions
from lstmcast.cli.show.console import Reporter
from lstmcast.config import DataConfig
from lstmcast.errors import UsageError

if TYPE_CHECKING:
    from lstmcast.monitoring.watch.watcher import JudgedRows, RowWatcher

StateFile = Annotated[
    str | None,
    make_option(
        WINDOW,
        "FILE",
        "Remember here what was judged, where there is no RUN, and go on from it next time.",
        DEFAULT_NONE,
    ),
]
_AS_THEY_STAND = "rows are judged as they stand"
_OPTIONS_OF_A_RUN = {
    "adapt": "there is nothing but the rows to learn from",
    "if_nothing_new": "each row is judged once",
    **dict.fromkeys(("duplicates", "snap", "ended"), _AS_THEY_STAND),
}
"""Options that make sense only with a run, and why."""
_OPTIONS_WITHOUT_RUN = {
    **dict.fromkeys(("target", "time", "series"), "a run knows its columns"),
    "state": "with a run all that is newer than its training is judged",
}
"""Options that make sense only without a run, and why."""


def refuse_options_of_other_form(call: Context, *, has_run: bool) -> None:
    """Raise UsageError for an option on the command line that goes with the other form of it.

    What settings say of all commands does not matter here.
    """
    reasons = _OPTIONS_WITHOUT_RUN if has_run else _OPTIONS_OF_A_RUN
    for option in call.command.params:
        name = option.name or ""
        source = call.get_parameter_source(name)
        is_given = source is not None and source.name == "COMMANDLINE"
        if not is_given or name not in reasons:
            continue
        flags = option.secondary_opts if call.params[name] is False else option.opts
        flag = max(flags, key=len)
        if has_run:
            message = f"{flag} is for DATA without a RUN: {reasons[name]}"
            raise UsageError(message, "leave it out, or leave out RUN")
        message = f"{flag} is for a run: without one {reasons[name]}"
        raise UsageError(message, "leave it out, or give a RUN before DATA")


def with_remembered_roles(columns: WatchOptions, watcher: "RowWatcher") -> WatchOptions:
    """Return the roles that are given, and those that the rows before had for the others."""
    if watcher.columns is None:
        return columns
    remembered: dict[str, Any] = {
        role: list(getattr(watcher.columns, role))
        for role, names in vars(columns).items()
        if not names
    }
    return replace(columns, **remembered)


def watch_file(
    report: Reporter,
    data: str,
    columns: WatchOptions,
    reading: RunDataOptions,
    watcher: "RowWatcher",
) -> "JudgedRows":
    """Read a file, and judge its rows that were not judged before; reports what there is to say.

    That is in the notes of the result, too.
    """
    from lstmcast.monitoring.watch.shared import describe_shared_moments

    config = reading.apply(DataConfig())
    roles = with_remembered_roles(columns, watcher)
    rows = read_rows(report, data, roles, config, watcher.form)
    judged = watcher.judge(rows)
    notes = list(judged.detection.notes)
    known = int((judged.detection.rows["kind"] == "known").sum())
    if known:
        notes.append(f"{known:,} of {len(rows):,} rows were judged before")
    notes += describe_shared_moments(judged.shared)
    report.found(notes)
    return judged._replace(detection=replace(judged.detection, notes=tuple(notes)))
