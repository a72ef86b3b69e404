"""`lstmcast export`: a run as an ONNX file."""

import shlex
from pathlib import Path
from typing import Annotated

from lstmcast.cli.options.declare import OUTPUT, make_option, refuse_address
from lstmcast.cli.options.results import RunPath, ShowOptions
from lstmcast.cli.show import output
from lstmcast.cli.show.console import Reporter
from lstmcast.extras import require_torch
from lstmcast.runs.directory import GRAPH_FILE, open_run

EXAMPLES = """\
lstmcast export runs/price-price
lstmcast export runs/price-price -o price.onnx"""
ExportFile = Annotated[
    str | None,
    make_option(
        OUTPUT,
        "FILE",
        "Where to write the file; a JSON page on it goes beside it.",
        f"RUN/{GRAPH_FILE}",
        "--output",
        "-o",
        callback=refuse_address,
    ),
]


def export(run: RunPath, *, output_file: ExportFile = None, show: ShowOptions) -> None:
    """Write RUN as an ONNX file; prints its path on stdout.

    The file forecasts by itself what `predict` forecasts: raw values go in, quantiles come out, of
    as many series and steps as you like. A JSON page beside it describes its inputs. It is run once
    as a check. What cannot be exported is reported. Needs lstmcast[onnx].
    """
    require_torch("an export needs")
    report = Reporter.of(show)
    open_run(run)  # says what is wrong with it before anything heavy is loaded
    from lstmcast.deployment.export import export as write_graph
    from lstmcast.forecasting.predictor import Predictor

    file = output_file or Path(run, GRAPH_FILE)
    exported = write_graph(Predictor.load(run), file)
    inputs = exported.facts["inputs"]
    report.say(
        f"its forecasts differ from those of the run by {exported.difference:.0e} at most",
        f"its inputs ({', '.join(inputs)}) are explained in {shlex.quote(str(exported.page))}",
    )
    content = {
        "run": run,
        "file": str(exported.file),
        "page": str(exported.page),
        "difference": exported.difference,
        "inputs": inputs,
    }
    output.write_path_or_object("export", exported.file, content, as_json=show.json)
