"""`lstmcast fit`: learn from a file, say how good that is, keep the run."""

import shlex
from pathlib import Path
from typing import Annotated, Literal

from typer import Option

from lstmcast.cli import output
from lstmcast.cli.console import Report
from lstmcast.cli.gate import check_gates, parse_gates
from lstmcast.cli.options import (
    OUTPUT,
    ColumnOptions,
    Data,
    DataOptions,
    FailIf,
    ModelOptions,
    ShowOptions,
    TrainOptions,
    WindowOptions,
    configuration,
)
from lstmcast.cli.scores import tell_figures
from lstmcast.cli.source import read_panel, tell_panel
from lstmcast.rundir import default_path, holds_run, lock, refuse_taken

EXAMPLES = """\
lstmcast fit sample_data/price.csv --target price
lstmcast fit sales.parquet --target units --series shop --future holiday --horizon 28 --out runs/sales"""
Exists = Annotated[
    Literal["fail", "skip"],
    Option(metavar="POLICY", help="Where RUN holds a run: fail, or skip and exit 0.", rich_help_panel=OUTPUT),
]
Out = Annotated[
    str | None,
    Option(
        metavar="RUN", help="Run directory to write.", show_default="runs/<file>-<target>", rich_help_panel=OUTPUT
    ),
]  # fmt: skip
Force = Annotated[bool, Option("--force", help="Replace a run that is there.", rich_help_panel=OUTPUT)]


def fit(
    data: Data,
    columns: ColumnOptions,
    reading: DataOptions,
    window: WindowOptions,
    model: ModelOptions,
    train: TrainOptions,
    *,
    out: Out = None,
    force: Force = False,
    if_exists: Exists = "fail",
    fail_if: FailIf = None,
    show: ShowOptions,
) -> None:
    """Learn from DATA; prints the run directory's path on stdout.

    What is not given is found from the data, and said. The end of each series is kept for validation: there the
    network must beat the best baseline, or the forecast falls back towards it.
    """
    roles, config, gates = columns.columns(), configuration(reading, window, model, train), parse_gates(fail_if)
    report = Report.of(show)
    place = Path(out) if out else default_path(data, roles.target)
    if if_exists == "skip" and holds_run(place):
        report.say(f"{str(place)!r} holds a run already: skipped")
        _show_path(place, as_json=show.json)
        return
    refuse_taken(place, force=force)
    panel = read_panel(report, data, roles, config.data, config)
    tell_panel(report, panel)
    from lstmcast.forecaster import Forecaster

    with lock(place):
        with report.progress() as on_event:
            forecaster = Forecaster(config).fit(panel, on_event=on_event)
        forecaster.save(place, force=force)
    verdict = forecaster.verdict
    report.found(note for note in forecaster.notes if note not in panel.notes)
    if verdict:
        report.say(*verdict.sentences(), forecaster.guard.sentence())
        tell_figures(report, verdict)
    report.say(f"saved; next: lstmcast predict {shlex.quote(str(place))}")
    facts = {"horizon": forecaster.horizon, "season": forecaster.season, "notes": list(forecaster.notes)}
    _show_path(place, as_json=show.json, **facts, verdict=verdict.to_dict() if verdict else None)
    check_gates(gates, verdict)


def _show_path(place: Path, *, as_json: bool, **more: object) -> None:
    if as_json:
        output.write_object("fit", {"run": str(place), **more})
    else:
        output.write_stdout(f"{place}\n".encode(errors="surrogateescape"))
