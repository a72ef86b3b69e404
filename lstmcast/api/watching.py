"""Data judged without a run: frames of any kind, or a file, by the past of each series."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from lstmcast.api.arguments import refuse_unknown, to_names
from lstmcast.config import Columns, DataConfig
from lstmcast.errors import ArgumentError
from lstmcast.inspection.columns import infer_only_target
from lstmcast.monitoring.detection import Detection
from lstmcast.monitoring.rates import Alarm
from lstmcast.monitoring.watch.rows import OrderedRows, read_ordered_rows
from lstmcast.monitoring.watch.shared import describe_shared_moments
from lstmcast.monitoring.watch.state import load_watcher, save_watcher
from lstmcast.monitoring.watch.watcher import RowWatcher
from lstmcast.panel.frames.accept import accept_data
from lstmcast.panel.frames.known_names import find_known_target
from lstmcast.panel.panel import Panel
from lstmcast.runs.lock import hold_write_lock
from lstmcast.tables.read import read_table

_ROLES = ("target", "time", "series")
_SETTINGS = (
    *("delimiter", "decimal", "thousands", "encoding", "header"),
    *("bad_rows", "max_bytes", "na", "tz", "date_format"),
)
"""Settings of the reading that do not ask for regular steps."""


def watch_data(
    data: Any,
    options: Mapping[str, Any],
    rate: float,
    alarm: Alarm,
    state: str | Path | None,
) -> Detection:
    """Judge the rows of a frame or a file by the past of their series, see `functions.detect`.

    options: roles of columns, and settings of the reading.
    """
    known = [*_ROLES, *_SETTINGS]
    refuse_unknown({name: 0 for name in options if name not in known}, known)
    roles = {role: to_names(options.get(role)) for role in _ROLES}
    settings = {name: options[name] for name in options if name not in _ROLES}
    if "na" in settings:
        settings["na"] = (*DataConfig.na, *to_names(settings["na"]))
    config = DataConfig(**settings)

    if state is None:
        watcher = RowWatcher(rate, alarm=alarm)
        judged = watcher.judge(_read_rows(data, roles, config, watcher))
    else:
        with hold_write_lock(state, "wait for it, or name another --state"):
            watcher = load_watcher(state, rate, alarm=alarm)
            judged = watcher.judge(_read_rows(data, roles, config, watcher))
            save_watcher(watcher, state)
    shared = describe_shared_moments(judged.shared)
    found = judged.detection
    return replace(found, notes=(*found.notes, *shared))


def _read_rows(
    data: Any,
    roles: dict[str, tuple[str, ...]],
    config: DataConfig,
    watcher: RowWatcher,
) -> OrderedRows:
    """Read rows; roles that are not given are those of the rows before, if there were any."""
    if watcher.columns is not None:
        roles = {
            role: names or getattr(watcher.columns, role)
            for role, names in roles.items()
        }
    if isinstance(data, Panel):
        raise ArgumentError(
            "a Panel has regular steps already, and rows are judged as they stand",
            "give the frame itself, or a forecaster before the Panel",
        )
    if isinstance(data, str | Path):
        table = read_table(data, config)
        target = find_known_target(table.names)
    else:
        table, _, target = accept_data(data, roles["time"], roles["target"])
        table = replace(table, na=config.na)
    if not roles["target"]:
        known = {role: names for role, names in roles.items() if names}
        roles["target"] = (target or infer_only_target(table, known),)
    return read_ordered_rows(table, Columns(**roles), config, watcher.form)
