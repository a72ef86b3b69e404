"""A run as an ONNX file that forecasts without lstmcast: values in, the quantiles of `predict` out.

Scaling, features, all networks, the combination with classical methods and the intervals are
inside; see `onnx_graph`. A page of JSON beside it describes its inputs and outputs. The file is
run, and its forecasts are compared with those of the run, before it is written.
"""

import io
import json
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lstmcast.config import NETWORK_QUANTILES
from lstmcast.errors import RunError, UsageError, format_names
from lstmcast.extras import require_extra
from lstmcast.forecasting.predictor import Predictor
from lstmcast.runs.disk import write_file

if TYPE_CHECKING:
    from lstmcast.deployment.graph.forecast import ForecastGraph

ONNX_OPSET = 17
EXPORT_SCHEMA_VERSION = 1
MAX_RELATIVE_DIFFERENCE = 1e-4
"""Most that the file's forecast may differ from the run's, as a share of the forecast."""
MAX_CHECKED_SERIES = 8
"""Series whose forecasts are compared: the first ones."""
_TRACED_STEPS = 40
"""Steps of the example that the exporter traces; the file takes any number of them."""
_UNSUPPORTED_LOSSES = ("student-t", "negative-binomial")
"""Losses whose quantiles no operation of ONNX computes."""
_LEAST_SIZE = 1e-300
"""Least size of a forecast that a difference is a share of: keeps 0 / 0 from being an error."""
_INPUT_DESCRIPTIONS = {
    "values": "float64 [batch, steps], the target from its first step to its newest,"
    " NaN where missing",
    "series": "int64 [batch], the number of each series in the list of series here, from 0",
    "past": "float64 [batch, steps, columns], columns as in past here",
    "future": "float64 [batch, steps + horizon, columns], columns as in future here",
}


@dataclass(frozen=True)
class Exported:
    """An exported run.

    file: the ONNX file. page: the JSON beside it. facts: the content of the page. difference: the
    largest one from the forecasts of the run, as a share of the forecast.
    """

    file: Path
    page: Path
    facts: dict[str, Any]
    difference: float


def require_onnx() -> None:
    """Raise UsageError where a package that an export needs is not installed."""
    require_extra("an export needs", "onnx", "onnx", "onnxruntime")


def require_exportable(run: Predictor) -> None:
    """Raise UsageError for a run that an ONNX graph cannot hold, naming the options at fault."""
    loss = run.config.train.loss
    inputs = run.config.inputs
    has_unsupported_loss = loss in _UNSUPPORTED_LOSSES
    unsupported = {
        f"--loss {loss}": has_unsupported_loss,
        "--calendar": inputs.calendar,
        f"--holidays {inputs.holidays}": bool(inputs.holidays),
        "--joint": inputs.joint,
    }
    options = [option for option, is_used in unsupported.items() if is_used]
    if not options:
        return
    if has_unsupported_loss:
        hint = "fit it with another loss"
    else:
        hint = "give such inputs as columns, with --future"
    raise UsageError(
        f"a run with {format_names(options)} cannot be exported",
        f"{hint}, or forecast with lstmcast",
    )


def export(run: Predictor, path: str | Path) -> Exported:
    """Write the run as an ONNX file, and a page of JSON of the same name beside it.

    Raises UsageError where a package is missing or the run cannot be exported, RunError where the
    file does not forecast what the run does.
    """
    require_onnx()
    require_exportable(run)
    from lstmcast.deployment.graph.forecast import ForecastGraph

    graph = ForecastGraph(run).eval()
    data = _to_onnx(graph)
    difference = _max_relative_difference(run, graph.inputs, data)
    if not difference <= MAX_RELATIVE_DIFFERENCE:  # written so that NaN is refused too
        raise RunError(
            f"the exported file is off by {difference:.2g} of the forecast",
            "forecast with lstmcast instead",
        )

    file = Path(path)
    page = file.with_suffix(".json")
    facts = _describe_interface(run, graph.inputs)
    text = json.dumps(facts, indent=1, ensure_ascii=False, allow_nan=False)
    write_file(file, data)
    write_file(page, f"{text}\n".encode())
    return Exported(file, page, facts, difference)


def _to_onnx(graph: "ForecastGraph") -> bytes:
    """Return the graph as ONNX.

    By torch's older exporter, which traces one forecast: the newer one takes a hundred times as
    long for the same operations (16 CPU seconds for one network, 31 for five, instead of 0.2).
    """
    import torch

    # Two series, since a batch of one could be traced as a constant.
    shapes = {
        "values": (2, _TRACED_STEPS),
        "past": (2, _TRACED_STEPS, graph.widths[0]),
        "future": (2, _TRACED_STEPS + graph.horizon, graph.widths[1]),
    }
    example = tuple(
        torch.arange(2)
        if name == "series"
        else torch.rand(shapes[name], dtype=torch.float64)
        for name in graph.inputs
    )
    axes = {
        "values": {1: "steps"},
        "past": {1: "steps"},
        "future": {1: "steps_and_horizon"},
    }
    dynamic = {
        name: {0: "batch", **axes.get(name, {})}
        for name in (*graph.inputs, "quantiles")
    }
    out = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        # Of what a trace would fix; the comparison after it finds what it does.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            graph,
            example,
            out,  # type: ignore[arg-type]  # this exporter writes into anything
            dynamo=False,
            opset_version=ONNX_OPSET,
            input_names=list(graph.inputs),
            output_names=["quantiles"],
            dynamic_axes=dynamic,
        )
    return out.getvalue()


def _max_relative_difference(
    run: Predictor, inputs: tuple[str, ...], data: bytes
) -> float:
    """Return the largest difference between the forecasts of a file and of the run.

    It is a share of the largest absolute value of a series' forecast; NaN where a forecast is NaN.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        data, options, providers=["CPUExecutionProvider"]
    )

    worst = 0.0
    for number in range(min(len(run.panel), MAX_CHECKED_SERIES)):
        series = np.array([number])
        origins = run.panel.lengths[series] - 1
        feed = build_feed(run, number)
        exported = session.run(None, {name: feed[name] for name in inputs})[0]
        # The file takes all values as they are.
        expected = run.quantiles(
            run.panel, series, origins, levels=NETWORK_QUANTILES, as_it_is=True
        )
        size = max(np.abs(expected).max(), _LEAST_SIZE)
        difference = float(np.abs(exported - expected).max() / size)
        # max() would let a NaN go by, and keep one that it has.
        worst = difference if np.isnan(difference) else max(worst, difference)
    return worst


def build_feed(run: Predictor, series: int) -> dict[str, NDArray[Any]]:
    """Return all inputs of the graph for one series of the run, by name, as a batch of one.

    Covariates that are not known for the whole horizon are NaN there.
    """
    panel = run.panel
    steps = int(panel.lengths[series])
    # A panel may know more of the future than a forecast reads, or less.
    steps_ahead = steps + run.horizon
    begin, end = panel.future_offsets[series : series + 2].tolist()
    future = panel.future[begin:end][:steps_ahead]
    unknown = ((0, steps_ahead - len(future)), (0, 0))
    rows = slice(panel.offsets[series], panel.offsets[series + 1])
    return {
        "values": panel.series(series)[None],
        "series": np.array([series]),
        "past": panel.past[rows][None],
        "future": np.pad(future, unknown, constant_values=np.nan)[None],
    }


def _describe_interface(run: Predictor, inputs: tuple[str, ...]) -> dict[str, Any]:
    """Return the content of the page: inputs, outputs, and which series and columns they are of."""
    panel = run.panel
    quantiles = "float64 [batch, horizon, levels], in the unit of the target"
    return {
        "schema_version": EXPORT_SCHEMA_VERSION,
        "inputs": {name: _INPUT_DESCRIPTIONS[name] for name in inputs},
        "outputs": {"quantiles": quantiles},
        "levels": list(NETWORK_QUANTILES),
        "horizon": run.horizon,
        "freq": panel.axis.freq,
        "season": run.season,
        "least_steps": run.memory,
        "target": list(panel.columns.target),
        "series": [list(key) for key in panel.keys],
        "past": list(panel.past_names),
        "future": list(panel.future_names),
        "loss": run.config.train.loss,
        "trained_to": panel.axis.texts(run.cutoff.max(keepdims=True))[0],
        "fingerprint": run.fingerprint,
    }
