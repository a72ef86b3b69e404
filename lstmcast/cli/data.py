"""From DATA to a panel, saying on stderr what was found in it."""

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lstmcast.cli.show.console import Reporter
from lstmcast.config import BadRows, Columns, Config, DataConfig
from lstmcast.runs.disk import sha256_hex

if TYPE_CHECKING:
    from lstmcast.forecasting.predictor import Predictor
    from lstmcast.panel.panel import Panel


_RESERVED_NAMES = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)")
_DATA_SUFFIXES = re.compile(r"(?i)(\.(csv|tsv|txt|parquet|arrow|feather|gz|zst))+$")


def read_panel(
    report: Reporter,
    data: str,
    columns: Columns,
    config: DataConfig,
    fit: Config | None = None,
    *,
    ahead: bool = False,
    sample: int | None = None,
) -> "Panel":
    """Read and validate a file; speaks before anything heavy is loaded.

    sample: rows to keep of a folder, or 0 for as many as its size suggests; None for all.

    The checks of the `fit` to come (with `ahead`, of its forecast too) are made here already, so
    that their error is read before the notes, and before anything heavy is loaded.
    """
    report.say(f"reading {format_source(data)}")
    from lstmcast.features.preprocessing import resolve_horizon, resolve_required_horizon
    from lstmcast.panel.checks import require_fit, require_future_covariates
    from lstmcast.panel.panel import Panel
    from lstmcast.tables.read import read_table

    seed = fit.train.seed if fit else 0
    table = read_table(data, config, sample=sample, series=columns.series, seed=seed)
    panel = Panel.from_table(table, columns, config)
    if fit:
        require_fit(panel, fit, resolve_required_horizon(panel, fit))
        if ahead and panel.columns.future:
            require_future_covariates(panel, resolve_horizon(panel, fit))
    report.found(panel.notes)
    return panel


def read_newer(
    report: Reporter, data: str, forecaster: "Predictor", *, ahead: int = 0, since: bool = False
) -> "Panel":
    """Read a file as the data of a run were; where it holds new rows only, the run's own history goes before them.

    ahead: steps whose covariates must be known; 0 where they come from elsewhere. since: forecasts
    are made from the end of the training on, not from the last rows.
    """
    from lstmcast.panel.checks import require_future_covariates
    from lstmcast.panel.extend import with_training_history

    panel = read_like_run(report, data, forecaster)
    panel = with_training_history(panel, forecaster.panel, forecaster.context, since=since)
    if ahead:
        require_future_covariates(panel, ahead)
    report.found(panel.notes)
    return panel


def read_like_run(
    report: Reporter, data: str, forecaster: "Predictor", bad_rows: BadRows | None = None
) -> "Panel":
    """Read a file as the data of a run were, and nothing else; `bad_rows` may differ."""
    report.say(f"reading {format_source(data)}")
    from lstmcast.panel.panel import Panel
    from lstmcast.tables.read import read_table

    known, config = forecaster.panel, forecaster.config.data
    config = replace(config, bad_rows=bad_rows or config.bad_rows)
    return Panel.from_table(read_table(data, config), known.columns, config, like=known)


def add_future_data(report: Reporter, file: str, panel: "Panel", config: DataConfig) -> "Panel":
    """Read the covariates known ahead from a file of their own."""
    report.say(f"reading {format_source(file)}")
    from lstmcast.panel.future_data import with_future_data
    from lstmcast.tables.read import read_table

    planned = with_future_data(panel, read_table(file, config), config)
    report.found(planned.notes[len(panel.notes) :])
    return planned


def report_panel(report: Reporter, panel: "Panel") -> None:
    """Say what the data are taken for."""
    axis = panel.axis
    series = f"{panel.n_series:,} series" if panel.n_series > 1 else "one series"
    report.found([f"{series}, {int(panel.offsets[-1]):,} steps, {axis.grid.words} ({axis.freq})"])


def format_source(data: str) -> str:
    """Return DATA as it is named in messages."""
    return "stdin" if data == "-" else data


def default_run_path(source: str, targets: tuple[str, ...]) -> Path:
    """Where a run goes unless told: `runs/<file stem>-<target>`, always one plain file name under `runs`."""
    stem = "stdin" if source == "-" else _DATA_SUFFIXES.sub("", _source_name(source))
    name = re.sub(r"[^\w.+-]+", "_", "-".join((stem, *targets))).lstrip(".")
    if len(os.fsencode(name)) > 100:
        name = (
            f"{os.fsencode(name)[:80].decode(errors='ignore')}-{sha256_hex(os.fsencode(name))[:8]}"
        )
    return Path("runs", f"_{name}" if _RESERVED_NAMES.match(name) else name)


def _source_name(source: str) -> str:
    """Return the last part of a path that names something: of the pattern `sales/*.parquet` it is `sales`."""
    pattern = not Path(source).exists()
    parts = [part for part in Path(source).parts if not (pattern and re.search(r"[*?\[]", part))]
    return Path(*parts).resolve().name if parts else "data"
