"""The files of a run as bytes, and back: weights, JSON, history, context. Knows no directories.

Nothing here can run code: safetensors, JSON, CSV and Parquet only.
"""

import csv
import hashlib
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from lstmcast.compute.memory import format_bytes, free_memory
from lstmcast.config import Columns
from lstmcast.errors import RunError
from lstmcast.features import candidates, steps
from lstmcast.network.trained import Array, NetworkShape, TrainedNetwork, remove_covariate_columns
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Floats, Ints, Singles, concat_ranges, offsets_from_lengths
from lstmcast.timeaxis.axis import TimeAxis

MAX_NETWORK_SIZE = 100_000
"""No size of a network is beyond this."""
MAX_STEPS_OF_RUN = 1_000_000
"""No horizon or context is beyond this."""
_BYTES_PER_NUMBER = 8
"""Bytes."""
_CONTENT_ERRORS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    RuntimeError,
)


def pack_networks(networks: Sequence[TrainedNetwork]) -> bytes:
    """All members' weights as safetensors, each under its number."""
    return save(
        {
            f"{i}.{name}": weight
            for i, one in enumerate(networks)
            for name, weight in one.weights.items()
        }
    )


def unpack_networks(data: bytes, shapes: Sequence[dict[str, Any]]) -> list[TrainedNetwork]:
    """Networks of these shapes, ready to forecast; raises ValueError for a shape that is not that of its weights."""
    arrays, networks = load(data), []
    for i, shape in enumerate(shapes):
        if not all(isinstance(one, str) or 0 <= one <= MAX_NETWORK_SIZE for one in shape.values()):
            raise ValueError(f"member {i} is of no shape that a network has")
        own = f"{i}."
        weights = {
            name[len(own) :]: array.astype(np.float32, copy=False)
            for name, array in arrays.items()
            if name.startswith(own)
        }
        networks.append(TrainedNetwork(NetworkShape(**shape), weights))
    return networks


def parse_steps(value: Any) -> int:
    """A number of steps out of a run; raises ValueError for one that no run has."""
    if type(value) is not int or not 1 <= value <= MAX_STEPS_OF_RUN:
        raise ValueError(f"{value!r} is no number of steps")
    return value


def without_covariate_weights(weights: Mapping[str, Array]) -> dict[str, Array]:
    """Weights without the columns that a panel's own covariates added."""
    return remove_covariate_columns(weights, steps.N_STEP_FEATURES, candidates.N_LOCAL_FEATURES)


def weights_sha256(weights: Mapping[str, Singles]) -> str:
    """SHA-256 of weights, whatever file they came from."""
    return hashlib.sha256(
        save({name: np.ascontiguousarray(array) for name, array in sorted(weights.items())})
    ).hexdigest()


def pack_json(data: dict[str, Any]) -> bytes:
    """JSON with a stable layout; NaN has no place in it."""
    return (json.dumps(data, indent=1, allow_nan=False, ensure_ascii=False) + "\n").encode()


def unpack_json(data: bytes) -> Any:
    """What `pack_json` wrote."""
    return json.loads(data)


def pack_history(rows: Sequence[dict[str, Any]]) -> bytes:
    """The training history as CSV."""
    names = ("step", "seconds", "loss", "validation", "lr", "member")
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(names)
    table.writerows([[row[name] for name in names] for row in rows])
    return text.getvalue().encode()


def unpack_history(data: bytes) -> list[dict[str, Any]]:
    """What `pack_history` wrote."""
    rows = csv.DictReader(io.StringIO(data.decode()))
    return [
        {k: v if k == "member" else int(v) if k == "step" else float(v) for k, v in row.items()}
        for row in rows
    ]


def pack_panel(panel: Panel) -> tuple[bytes, dict[str, Any]]:
    """A panel as Parquet with page checksums, and the facts beside it."""
    columns, facts = panel_to_columns(panel)
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, write_page_checksum=True, compression="zstd")
    return out.getvalue(), facts


def unpack_panel(data: bytes, facts: dict[str, Any]) -> Panel:
    """What `pack_panel` wrote; raises ValueError for what it cannot have written, before that is unpacked."""
    try:
        with pq.ParquetFile(io.BytesIO(data), page_checksum_verification=True) as file:
            if not all(
                pa.types.is_integer(field.type) or pa.types.is_floating(field.type)
                for field in file.schema_arrow
            ):
                raise ValueError("a column is no column of numbers")
            size = file.metadata.num_rows * len(file.schema_arrow) * _BYTES_PER_NUMBER
            if size > free_memory() // 2:
                raise ValueError(f"its table takes {format_bytes(size)} of memory")
            table = file.read()
    except OSError as error:  # the bytes are in memory: no disk failed, but a checksum
        raise ValueError(str(error)) from error
    columns = {name: _to_array(table[name]) for name in table.column_names}
    if len(columns["series"]) and not 0 <= columns["series"].min() <= columns["series"].max() < len(
        facts["lengths"]
    ):
        raise ValueError("there are rows of no series")
    return panel_from_columns(columns, facts)


def panel_to_columns(panel: Panel) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Columns of one row a step, the known future included, and facts for JSON; `from_stored` undoes it exactly."""
    total = np.diff(panel.future_offsets)
    rows = concat_ranges(panel.future_offsets[:-1], panel.lengths)
    columns: dict[str, NDArray[Any]] = {
        "series": np.repeat(np.arange(len(panel), dtype=np.int32), total)
    }
    columns["value"] = _scatter_rows(panel.values, rows, int(total.sum()))
    for place in range(panel.past.shape[1]):
        columns[f"past{place}"] = _scatter_rows(panel.past[:, place], rows, int(total.sum()))
    columns |= {f"future{place}": panel.future[:, place] for place in range(panel.future.shape[1])}
    columns |= {
        f"static{place}": np.repeat(panel.static[:, place], total)
        for place in range(panel.static.shape[1])
    }
    meta = {
        "columns": asdict(panel.columns),
        "axis": panel.axis.to_dict(),
        "key_names": panel.key_names,
        "key_types": panel.key_types,
        "keys": panel.keys,
        "start": panel.start.tolist(),
        "lengths": panel.lengths.tolist(),
        "encodings": panel.encodings,
        "names": panel.covariates,
        "notes": panel.notes,
    }
    return columns, json.loads(json.dumps(meta))


def panel_from_columns(columns: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]) -> Panel:
    """The panel that `to_stored` wrote; raises ValueError where that is not what it was given."""
    lengths = np.array(meta["lengths"], dtype=np.int64)
    total = np.bincount(columns["series"], minlength=len(lengths)).astype(np.int64)
    if ((lengths < 1) | (lengths > total)).any():
        raise ValueError("its series are not as long as they are said to be")
    future_offsets = offsets_from_lengths(total)
    rows = concat_ranges(future_offsets[:-1], lengths)
    names = {role: tuple(found) for role, found in meta["names"].items()}
    block = {
        role: np.stack(
            [columns[f"{role}{i}"].astype(np.float64, copy=False) for i in range(len(found))],
            axis=1,
        )
        if found
        else np.empty((len(columns["series"]), 0))
        for role, found in names.items()
    }
    return Panel(
        columns=Columns(**{role: tuple(found) for role, found in meta["columns"].items()}),
        axis=TimeAxis.from_dict(meta["axis"]),
        key_names=tuple(meta["key_names"]),
        key_types=tuple(meta["key_types"]),
        keys=tuple(tuple(key) for key in meta["keys"]),
        values=columns["value"].astype(np.float64, copy=False)[rows],
        offsets=offsets_from_lengths(lengths),
        start=np.array(meta["start"], dtype=np.int64),
        past=block["past"][rows],
        future=block["future"],
        future_offsets=future_offsets,
        static=block["static"][future_offsets[:-1]],
        encodings={name: list(kinds) for name, kinds in meta["encodings"].items()},
        past_names=names["past"],
        future_names=names["future"],
        static_names=names["static"],
        notes=tuple(meta["notes"]),
    )


def _scatter_rows(values: Floats, rows: Ints, total: int) -> Floats:
    out = np.full(total, np.nan)
    out[rows] = values
    return out


def _to_array(column: pa.ChunkedArray) -> NDArray[Any]:
    """A column of numbers, NaN where there is none; pyarrow's own way to numpy loads pandas."""
    if column.null_count:
        column = column.fill_null(math.nan)
    return np.from_dlpack(column.combine_chunks())


@contextmanager
def as_run_errors(path: Path) -> Iterator[None]:
    """Whatever is wrong with the contents of a verified run is the run's fault, and said so."""
    try:
        yield
    except (*_CONTENT_ERRORS, SafetensorError, pa.ArrowException) as error:
        raise RunError(
            f"the run {str(path)!r} does not hold what it should: {error}", "fit it again"
        ) from error
