"""Read DATA into a panel, and report on stderr what was found in it."""

import os
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from lstmcast.cli.options.columns import RoleOptions
from lstmcast.cli.options.reading import RunDataOptions
from lstmcast.cli.show.console import Reporter
from lstmcast.config import Columns, Config, DataConfig
from lstmcast.runs.disk import sha256_hex

if TYPE_CHECKING:
    from lstmcast.forecasting.predictor import Predictor
    from lstmcast.monitoring.watch.rows import OrderedRows
    from lstmcast.panel.panel import Panel
    from lstmcast.tables.table import Table
    from lstmcast.timeaxis.timestamp_format import TimestampFormat


_MAX_NAME_BYTES = 100
_RESERVED_NAMES = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)")
"""Names that Windows keeps for devices."""
_DATA_SUFFIXES = re.compile(
    r"(?i)(\.(csv|tsv|txt|parquet|arrow|feather|jsonl?|ndjson|xlsx?|xlsb|ods"
    r"|db|sqlite3?|duckdb|gz|zst))+$"
)


def read_panel(
    report: Reporter,
    data: str,
    columns: Columns,
    config: DataConfig,
    fit: Config | None = None,
    *,
    ahead: bool = False,
    sample: int | None = None,
    table: "Table | None" = None,
) -> "Panel":
    """Read and validate a file; reports that it begins before anything heavy is loaded.

    `sample` is how many rows of a folder are kept: 0 for as many as memory suggests, None for all.
    `table` is the file where `find_roles` has read it already.
    With `fit` the data are checked for what that fit requires, and with `ahead` for what its
    forecast requires, before the notes on them are shown: an error comes first.

    Raises DataError where the file cannot be used.
    """
    if table is None:
        table = _read_data(report, data, config, fit, columns.series, sample)
    from lstmcast.features.preprocessing import (
        resolve_horizon,
        resolve_required_horizon,
    )
    from lstmcast.ingest.duplicates import RepeatedTimesError
    from lstmcast.panel.checks import require_fit, require_future_covariates
    from lstmcast.panel.panel import Panel

    try:
        panel = Panel.from_table(table, columns, config)
    except RepeatedTimesError as error:
        error.hint = _with_series_proposal(error.hint, table, columns)
        raise
    if fit:
        require_fit(panel, fit, resolve_required_horizon(panel, fit))
        if ahead and panel.columns.future:
            require_future_covariates(panel, resolve_horizon(panel, fit))
    report.found(panel.notes)
    return panel


def find_roles(
    report: Reporter,
    data: str,
    columns: RoleOptions,
    config: DataConfig,
    fit: Config | None = None,
    *,
    sample: int | None = None,
) -> "tuple[Columns, Table | None]":
    """Return the columns by role, and the table where it was read to find them.

    Without --target it is a column `y` or `target`, else the only column of numbers, which is
    reported. Raises UsageError where there are several, DataError where there is none.
    """
    roles = columns.known_roles(data)
    if roles is not None:
        return roles, None
    requested = columns.requested()
    series = requested.get("series", ())
    table = _read_data(report, data, config, fit, series, sample)
    from lstmcast.inspection.columns import infer_only_target

    target = infer_only_target(table, requested)
    report.found([f"target is {target!r}, the only column of numbers"])
    return Columns(**{**requested, "target": (target,)}), table


def _read_data(
    report: Reporter,
    data: str,
    config: DataConfig,
    fit: Config | None,
    series: tuple[str, ...],
    sample: int | None,
) -> "Table":
    """Read a file; reports that it begins before anything heavy is loaded."""
    report.say(f"reading {format_source(data)}")
    from lstmcast.tables.read import read_table

    seed = fit.train.seed if fit else 0
    return read_table(data, config, sample=sample, series=series, seed=seed)


def _with_series_proposal(hint: str, table: "Table", columns: Columns) -> str:
    """Return a hint at rows that share a time, with the columns that tell their series apart."""
    from lstmcast.ingest.duplicates import SERIES_HINT
    from lstmcast.inspection.columns import propose_series_columns

    names = propose_series_columns(table, columns)
    if not names:
        return hint
    options = " ".join(
        f"--series {shlex.quote(name)}" for name in (*columns.series, *names)
    )
    others = hint.replace(SERIES_HINT, "")
    return f"if these are several series, name them: {options}; or {others}"


def read_newer(
    report: Reporter,
    data: str,
    forecaster: "Predictor",
    reading: RunDataOptions,
    *,
    ahead: int = 0,
    since: bool = False,
) -> "Panel":
    """Read a file as the data of a run were read, with the run's history before new rows.

    `reading` is what differs in how they are read. `ahead` is for how many steps the covariates
    must be known; 0 where they come from elsewhere. With `since`, forecasts start at the end of
    the training, not at the last rows.
    """
    from lstmcast.panel.checks import require_future_covariates
    from lstmcast.panel.extend import with_training_history

    panel = read_like_run(report, data, forecaster, reading)
    panel = with_training_history(
        panel, forecaster.panel, forecaster.context, since=since
    )
    if ahead:
        require_future_covariates(panel, ahead)
    report.found(panel.notes)
    return panel


def read_rows(
    report: Reporter,
    data: str,
    columns: RoleOptions,
    config: DataConfig,
    like: "TimestampFormat | None" = None,
) -> "OrderedRows":
    """Read a file as rows in their order, on no grid.

    like: how the times of earlier rows were written. Raises DataError where the file cannot be
    used, UsageError where its target is not known.
    """
    roles, table = find_roles(report, data, columns, config)
    if table is None:
        table = _read_data(report, data, config, None, (), None)
    from lstmcast.monitoring.watch.rows import read_ordered_rows

    return read_ordered_rows(table, roles, config, like)


def read_like_run(
    report: Reporter,
    data: str,
    forecaster: "Predictor",
    reading: RunDataOptions,
) -> "Panel":
    """Read a file as the data of a run were read, but for what `reading` says."""
    report.say(f"reading {format_source(data)}")
    from lstmcast.panel.checks import require_binary_values
    from lstmcast.panel.panel import Panel
    from lstmcast.tables.read import read_table

    known = forecaster.panel
    config = reading.apply(forecaster.config.data)
    table = read_table(data, config)
    panel = Panel.from_table(table, known.columns, config, like=known)
    if forecaster.probability:
        require_binary_values(panel)
    return panel


def add_future_data(
    report: Reporter, file: str, panel: "Panel", config: DataConfig
) -> "Panel":
    """Read the covariates that are known ahead from a file of their own."""
    report.say(f"reading {format_source(file)}")
    from lstmcast.panel.future_data import with_future_data
    from lstmcast.tables.read import read_table

    table = read_table(file, config)
    extended = with_future_data(panel, table, config)
    new_notes = extended.notes[len(panel.notes) :]
    report.found(new_notes)
    return extended


def report_panel(report: Reporter, panel: "Panel") -> None:
    """Report how many series and steps there are, and at which frequency."""
    series = f"{panel.n_series:,} series" if panel.n_series > 1 else "one series"
    steps = int(panel.offsets[-1])
    frequency = f"{panel.axis.grid.words} ({panel.axis.freq})"
    report.found([f"{series}, {steps:,} steps, {frequency}"])


def format_source(data: str) -> str:
    """Return DATA as it is named in messages."""
    return "stdin" if data == "-" else data


def default_run_path(source: str, targets: tuple[str, ...]) -> Path:
    """Return where a run goes without `--out`: `runs/<file stem>-<target>`.

    The last part is always one plain file name, whatever the file and the targets are called.
    """
    stem = "stdin"
    parts: tuple[str, ...] = ()
    if source != "-":
        # A sheet or table of a file, as in sales.xlsx::May, and the query of an address.
        file, _, part = source.partition("::")
        file = file.partition("?")[0] if "://" in file else file
        stem = _DATA_SUFFIXES.sub("", _source_name(file))
        parts = (part,) if part else ()
    name = "-".join((stem, *parts, *targets))
    name = re.sub(r"[^\w.+-]+", "_", name)
    # A name that begins with a dot would be hidden.
    name = name.lstrip(".")
    encoded = os.fsencode(name)
    if len(encoded) > _MAX_NAME_BYTES:
        # A hash keeps long names apart that begin alike.
        start = encoded[: _MAX_NAME_BYTES - 20].decode(errors="ignore")
        name = f"{start}-{sha256_hex(encoded)[:8]}"
    if _RESERVED_NAMES.match(name):
        name = f"_{name}"
    return Path("runs", name)


def _source_name(source: str) -> str:
    """Return the last part of a path that names something: `sales` of `sales/*.parquet`."""
    path = Path(source)
    parts = path.parts
    # A file may have these characters in its name: then it is no pattern.
    if not path.exists():
        parts = tuple(part for part in parts if not re.search(r"[*?\[]", part))
    if not parts:
        return "data"
    return Path(*parts).resolve().name
