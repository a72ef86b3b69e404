"""Data judged without a run: frames of any kind, or a file, by the past of each series."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from lstmcast.api.arguments import refuse_unknown, to_names
from lstmcast.api.detection import Detection
from lstmcast.config import Columns, DataConfig
from lstmcast.errors import ArgumentError
from lstmcast.inspection.columns import infer_only_target
from lstmcast.monitoring.rates import Alarm
from lstmcast.monitoring.watch.rows import OrderedRows, read_ordered_rows
from lstmcast.monitoring.watch.shared import describe_shared_moments
from lstmcast.monitoring.watch.state import hold_watcher
from lstmcast.monitoring.watch.watcher import RowWatcher
from lstmcast.panel.frames.accept import accept_data
from lstmcast.panel.frames.known_names import find_known_target
from lstmcast.panel.frames.native import FrameKind, with_periods
from lstmcast.panel.panel import Panel
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

    with hold_watcher(state, rate, alarm=alarm) as (watcher, save):
        rows, kind = _read_rows(data, roles, config, watcher)
        judged = watcher.judge(rows)
        save()
    found, moments, target, form = judged
    notes = (*found.notes, *describe_shared_moments(moments))
    table = found.rows if kind is None else with_periods(found.rows, kind)
    return Detection(table, notes, target, form)


def _read_rows(
    data: Any,
    roles: dict[str, tuple[str, ...]],
    config: DataConfig,
    watcher: RowWatcher,
) -> tuple[OrderedRows, FrameKind | None]:
    """Read rows, and the kind of frame that they came in; None for a path.

    Roles that are not given are those of the rows before, if there were any.
    """
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
        accepted = None
        target = find_known_target(table.names)
    else:
        accepted = accept_data(data, roles["time"], roles["target"])
        table = replace(accepted.table, na=config.na)
        target = accepted.target
    if not roles["target"]:
        known = {role: names for role, names in roles.items() if names}
        roles["target"] = (target or infer_only_target(table, known),)
    rows = read_ordered_rows(table, Columns(**roles), config, watcher.form)
    return rows, accepted.find_kind(rows.time) if accepted else None
