"""`lstmcast export`: a run as an ONNX file."""

import shlex
from pathlib import Path
from typing import Annotated

from typer import Option

from lstmcast.cli.options import OUTPUT, RunPath, ShowOptions
from lstmcast.cli.show import output
from lstmcast.cli.show.console import Reporter
from lstmcast.runs.directory import GRAPH_FILE, open_run

EXAMPLES = """\
lstmcast export runs/price-price
lstmcast export runs/price-price -o price.onnx"""
ExportFile = Annotated[
    str | None,
    Option("--output", "-o", metavar="FILE", help="Where to write the file; its page of JSON lies beside it.",
           show_default=f"RUN/{GRAPH_FILE}", rich_help_panel=OUTPUT),
]  # fmt: skip


def export(run: RunPath, *, output_file: ExportFile = None, show: ShowOptions) -> None:
    """Write RUN as an ONNX file; prints its path on stdout.

    The file forecasts by itself what `predict` forecasts: raw values go in, quantiles come out, of
    as many series and steps as you like. A page of JSON beside it says what its inputs are. It is
    run once to see that it does. What cannot be exported is said. Needs lstmcast[onnx].
    """
    report = Reporter.of(show)
    open_run(run)  # says what is wrong with it before anything heavy is loaded
    from lstmcast.deployment.export import export as write
    from lstmcast.forecasting.predictor import Predictor

    made = write(Predictor.load(run), output_file or Path(run, GRAPH_FILE))
    report.say(f"its forecasts differ from those of the run by {made.difference:.0e} at most")
    report.say(
        f"its inputs ({', '.join(made.facts['inputs'])}) are explained in {shlex.quote(str(made.page))}"
    )
    if show.json:
        facts = {
            "run": run,
            "file": str(made.file),
            "page": str(made.page),
            "difference": made.difference,
        }
        output.write_object("export", {**facts, "inputs": made.facts["inputs"]})
    else:
        output.write_stdout(f"{made.file}\n".encode(errors="surrogateescape"))
