"""A run as an ONNX file that forecasts without lstmcast: raw values in, the quantiles of `predict` out.

Scaling, features, all networks, the mixture with classical methods and the intervals are inside;
see `graph`. Beside it lies a page of JSON that says what goes in and what comes out. What was
written is run before it is trusted.

Axes: B series, T steps, H horizon, Q quantiles.
"""

import io
import json
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmcast.config import NETWORK_QUANTILES
from lstmcast.errors import RunError, UsageError, format_names
from lstmcast.extras import require_extra
from lstmcast.forecasting.predictor import Predictor
from lstmcast.runs.disk import write_file

ONNX_OPSET = 17
EXPORT_SCHEMA_VERSION = 1
MAX_RELATIVE_DIFFERENCE = 1e-4
"""Share of the forecast by which the file may differ from it."""
MAX_CHECKED_SERIES = 8
"""Series that are forecast both ways."""
_TRACED_STEPS = 40
"""Steps of the values that the exporter follows through the network; their number is no part of
what it writes."""
_UNSUPPORTED_LOSSES = ("student-t", "negative-binomial")
"""Losses whose quantiles no operation of ONNX makes."""


@dataclass(frozen=True)
class Exported:
    """The file and the page beside it, and the largest difference from `predict` as a share of the forecast."""

    file: Path
    page: Path
    facts: dict[str, Any]
    difference: float


def require_onnx() -> None:
    """Raise UsageError where a package is missing."""
    require_extra("an export needs", "onnx", "onnx", "onnxruntime")


def require_exportable(run: Predictor) -> None:
    """Raise UsageError for a run that a graph cannot hold, with what it is that it cannot."""
    train, inputs = run.config.train, run.config.inputs
    wrong = [f"--loss {train.loss}"] if train.loss in _UNSUPPORTED_LOSSES else []
    wrong += ["--calendar"] if inputs.calendar else []
    wrong += [f"--holidays {inputs.holidays}"] if inputs.holidays else []
    wrong += ["--joint"] if inputs.joint else []
    if wrong:
        hint = (
            "fit it with another loss"
            if train.loss in _UNSUPPORTED_LOSSES
            else "give such inputs as columns, with --future"
        )
        raise UsageError(
            f"a run with {format_names(wrong)} cannot be exported",
            f"{hint}, or forecast with lstmcast",
        )


def export(run: Predictor, path: str | Path) -> Exported:
    """Write the run as an ONNX file, and a page of JSON of the same name beside it.

    Raises UsageError where a package is missing or the run cannot be exported, RunError where the
    file does not forecast what the run does.
    """
    require_onnx()
    require_exportable(run)
    from lstmcast.deployment.onnx_graph import ForecastGraph

    graph = ForecastGraph(run).eval()
    data = _to_onnx(graph)
    difference = _max_relative_difference(run, graph.inputs, data)
    if not difference <= MAX_RELATIVE_DIFFERENCE:  # nor is no number
        raise RunError(
            f"the exported file is off by {difference:.2g} of the forecast",
            "forecast with lstmcast instead",
        )
    file, facts = Path(path), _describe_interface(run, graph.inputs)
    write_file(file, data)
    page = file.with_suffix(".json")
    write_file(
        page,
        (
            json.dumps(facts, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        ).encode(),
    )
    return Exported(file, page, facts, difference)


def _to_onnx(graph: Any) -> bytes:
    """The graph as ONNX.

    By the exporter that follows one forecast: the newer one of torch takes a hundred times as long
    (16 CPU seconds for one network, 31 for five, instead of 0.2) for the same operations.
    """
    import torch

    shapes = {
        "values": (2, _TRACED_STEPS),
        "past": (2, _TRACED_STEPS, graph.widths[0]),
        "future": (2, _TRACED_STEPS + graph.horizon, graph.widths[1]),
    }
    given = tuple(
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
        warnings.simplefilter("ignore")
        torch.onnx.export(
            graph,
            given,
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
    """Largest difference between the file's forecasts and those of the run, as a share of a forecast's size."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        data, options, providers=["CPUExecutionProvider"]
    )
    worst = 0.0
    for series in range(min(len(run.panel), MAX_CHECKED_SERIES)):
        feed, one = build_feed(run, series), np.array([series])
        made = session.run(None, {name: feed[name] for name in inputs})[0]
        expected = run.quantiles(
            run.panel, one, run.panel.lengths[one] - 1, levels=NETWORK_QUANTILES
        )
        off = float(np.abs(made - expected).max() / max(np.abs(expected).max(), 1e-300))
        worst = off if off != off else max(worst, off)
    return worst


def build_feed(run: Predictor, series: int) -> dict[str, NDArray[Any]]:
    """All inputs for a series of the run, by name, from its first step to its last."""
    panel, begin = run.panel, int(run.panel.future_offsets[series])
    steps = int(panel.lengths[series])
    future = panel.future[begin : int(panel.future_offsets[series + 1])][
        : steps + run.horizon
    ]
    rows = slice(panel.offsets[series], panel.offsets[series + 1])
    unknown = ((0, steps + run.horizon - len(future)), (0, 0))
    return {
        "values": panel.series(series)[None],
        "series": np.array([series]),
        "past": panel.past[rows][None],
        "future": np.pad(future, unknown, constant_values=np.nan)[None],
    }


def _describe_interface(run: Predictor, inputs: tuple[str, ...]) -> dict[str, Any]:
    """What one has to know to use the file."""
    panel = run.panel
    known = {
        "values": "float64 [batch, steps], the target from its first step to its newest, NaN where missing",
        "series": "int64 [batch], the number of each series in the list of series here, from 0",
        "past": "float64 [batch, steps, columns], columns as in past here",
        "future": "float64 [batch, steps + horizon, columns], columns as in future here",
    }
    quantiles = "float64 [batch, horizon, levels], in the unit of the target"
    return {
        "schema_version": EXPORT_SCHEMA_VERSION,
        "inputs": {name: known[name] for name in inputs},
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
