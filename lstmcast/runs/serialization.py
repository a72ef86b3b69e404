"""The files of a run as bytes, and back: weights, JSON, history and context.

Nothing here can run code: safetensors, JSON, CSV and Parquet only. Knows no directories.

Axes: N series, T time steps.
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
from lstmcast.extras import MissingPackageError
from lstmcast.features import candidates, steps
from lstmcast.network.generations import upgrade_network
from lstmcast.network.trained import (
    Array,
    NetworkShape,
    TrainedNetwork,
    remove_covariate_columns,
)
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Floats, Ints, Singles, concat_ranges, offsets_from_lengths
from lstmcast.runs.directory import damaged_file_error
from lstmcast.timeaxis.axis import TimeAxis

MAX_NETWORK_SIZE = 100_000
"""Largest size of a network's shape, such as its width."""
_BYTES_PER_NUMBER = 8
_MAX_REASON = 200
"""Characters of the reason why contents are refused."""
_HISTORY_COLUMNS = ("step", "seconds", "loss", "validation", "lr", "member")
_CONTENT_ERRORS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    RuntimeError,
    SafetensorError,
    pa.ArrowException,
)
"""Whatever reading contents raises that are not what was written."""


def pack_networks(networks: Sequence[TrainedNetwork]) -> bytes:
    """All members' weights as safetensors, each under the number of its member."""
    weights = {
        f"{number}.{name}": weight
        for number, network in enumerate(networks)
        for name, weight in network.weights.items()
    }
    return save(weights)


def unpack_networks(
    data: bytes, shapes: Sequence[dict[str, Any]]
) -> list[TrainedNetwork]:
    """Networks of these shapes, ready to forecast; raises ValueError where weights do not fit."""
    arrays = load(data)
    networks = []
    for number, shape in enumerate(shapes):
        # A forged size must not make a forecast take all memory.
        sizes = [size for size in shape.values() if not isinstance(size, str)]
        if not all(0 <= size <= MAX_NETWORK_SIZE for size in sizes):
            raise ValueError(f"member {number} has an impossible network shape")
        prefix = f"{number}."
        weights = {
            name.removeprefix(prefix): _require_finite(name, array)
            for name, array in arrays.items()
            if name.startswith(prefix)
        }
        networks.append(upgrade_network(NetworkShape(**shape), weights))
    return networks


def _require_finite(name: str, array: NDArray[Any]) -> Singles:
    """Return a weight in single precision; raises ValueError where a number of it is none."""
    if not np.issubdtype(array.dtype, np.floating):
        raise ValueError(
            f"the weight {name} holds {array.dtype}, not numbers with a fraction"
        )
    # Of a large double there may be no single.
    with np.errstate(over="ignore"):
        weight = array.astype(np.float32, copy=False)
    usable = np.isfinite(weight)
    if not usable.all():
        bad = weight.size - int(usable.sum())
        raise ValueError(
            f"the weight {name} is NaN or infinite in {bad:,} of {weight.size:,} numbers"
        )
    return weight


def without_covariate_weights(weights: Mapping[str, Array]) -> dict[str, Array]:
    """Weights without the columns that a panel's own covariates added."""
    return remove_covariate_columns(
        weights, steps.N_STEP_FEATURES, candidates.N_LOCAL_FEATURES
    )


def weights_sha256(weights: Mapping[str, Singles]) -> str:
    """SHA-256 of weights, whatever file they came from and in whatever order."""
    ordered = {
        name: np.ascontiguousarray(array) for name, array in sorted(weights.items())
    }
    return hashlib.sha256(save(ordered)).hexdigest()


def pack_json(data: dict[str, Any]) -> bytes:
    """JSON with a stable layout; raises ValueError for NaN, which has no place in it."""
    text = json.dumps(data, indent=1, allow_nan=False, ensure_ascii=False)
    return f"{text}\n".encode()


def unpack_json(data: bytes) -> Any:
    """Undo `pack_json`."""
    return json.loads(data)


def pack_history(rows: Sequence[dict[str, Any]]) -> bytes:
    """The training history as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HISTORY_COLUMNS)
    writer.writerows([row[name] for name in _HISTORY_COLUMNS] for row in rows)
    return text.getvalue().encode()


def unpack_history(data: bytes) -> list[dict[str, Any]]:
    """Undo `pack_history`; raises ValueError for a missing column, or a cell of another kind."""
    reader = csv.DictReader(io.StringIO(data.decode()))
    missing = set(_HISTORY_COLUMNS).difference(reader.fieldnames or ())
    if missing:
        raise ValueError(f"there is no column {min(missing)!r}")
    return [
        {name: _parse_history_cell(name, row[name], line) for name in _HISTORY_COLUMNS}
        for line, row in enumerate(reader, 2)
    ]


def _parse_history_cell(column: str, text: str | None, line: int) -> str | int | float:
    """Return a cell as what its column holds; a loss that was not measured is NaN."""
    try:
        if text is None:
            raise ValueError
        if column == "member":
            return text
        return int(text) if column == "step" else float(text)
    except ValueError:
        raise ValueError(f"line {line}: {column} is {str(text)[:40]!r}") from None


def pack_panel(panel: Panel) -> tuple[bytes, dict[str, Any]]:
    """A panel as Parquet with page checksums, and the facts beside it."""
    columns, facts = panel_to_columns(panel)
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, write_page_checksum=True, compression="zstd")
    return out.getvalue(), facts


def unpack_panel(data: bytes, facts: dict[str, Any]) -> Panel:
    """Undo `pack_panel`; raises ValueError for what it did not write, before that is unpacked."""
    try:
        with pq.ParquetFile(io.BytesIO(data), page_checksum_verification=True) as file:
            _require_table_of_numbers(file)
            table = file.read()
    except OSError as error:  # the bytes are in memory: no disk failed, but a checksum
        raise ValueError(str(error)) from error
    columns = {name: _to_array(table[name]) for name in table.column_names}
    _require_series_in_order(columns, len(facts["lengths"]))
    for name, column in columns.items():
        # A value may be missing, which is NaN, but none is read that is infinite.
        if np.isinf(column).any():
            raise ValueError(f"the column {name!r} holds infinite values")
    return panel_from_columns(columns, facts)


def _require_series_in_order(columns: Mapping[str, NDArray[Any]], count: int) -> None:
    """Raise ValueError unless rows are those of `count` series, one series after the other."""
    for name in ("series", "value"):
        if name not in columns:
            raise ValueError(f"there is no column {name!r}")
    series = columns["series"]
    if not np.issubdtype(series.dtype, np.integer):
        raise ValueError("the column 'series' holds fractions")
    if len(series) and not 0 <= series.min() <= series.max() < count:
        raise ValueError("there are rows that belong to no series")
    if (series[1:] < series[:-1]).any():
        raise ValueError("the rows of its series are mixed")


def _require_table_of_numbers(file: pq.ParquetFile) -> None:
    """Raise ValueError for columns that are no numbers, or that memory does not hold unpacked."""
    kinds = [field.type for field in file.schema_arrow]
    for kind in kinds:
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            raise ValueError("a column does not hold numbers")
    # From the file's own facts, before any of it is unpacked.
    size = file.metadata.num_rows * len(kinds) * _BYTES_PER_NUMBER
    if size > free_memory() // 2:
        raise ValueError(f"its table takes {format_bytes(size)} of memory")


def panel_to_columns(panel: Panel) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Columns of one row a time step, and facts for JSON; `panel_from_columns` undoes it exactly.

    Of each series the rows are its T steps and the future that is known of it.
    """
    lengths = np.diff(panel.future_offsets)
    total = int(lengths.sum())
    rows = concat_ranges(panel.future_offsets[:-1], panel.lengths)
    numbers = np.arange(len(panel), dtype=np.int32)
    columns: dict[str, NDArray[Any]] = {
        "series": np.repeat(numbers, lengths),
        "value": _scatter_rows(panel.values, rows, total),
    }
    for place, past in enumerate(panel.past.T):
        columns[f"past{place}"] = _scatter_rows(past, rows, total)
    for place, future in enumerate(panel.future.T):
        columns[f"future{place}"] = future
    for place, static in enumerate(panel.static.T):
        columns[f"static{place}"] = np.repeat(static, lengths)
    facts = {
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
    if panel.fill != "none":
        facts["fill"] = panel.fill
    # As JSON gives them back: tuples become lists.
    return columns, json.loads(json.dumps(facts))


def panel_from_columns(
    columns: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]
) -> Panel:
    """Undo `panel_to_columns`; raises ValueError where columns and facts do not match."""
    series = columns["series"]
    # The rows of a series that are beyond its length are the future that is known of it.
    lengths = np.array(facts["lengths"], dtype=np.int64)
    total_lengths = np.bincount(series, minlength=len(lengths)).astype(np.int64)
    is_empty = lengths < 1
    is_cut = lengths > total_lengths
    if (is_empty | is_cut).any():
        raise ValueError("the lengths of its series do not match its rows")
    future_offsets = offsets_from_lengths(total_lengths)
    rows = concat_ranges(future_offsets[:-1], lengths)
    names = {role: tuple(role_names) for role, role_names in facts["names"].items()}
    blocks = {
        role: _stack_columns(columns, role, len(role_names))
        for role, role_names in names.items()
    }
    roles = {role: tuple(role_names) for role, role_names in facts["columns"].items()}
    return Panel(
        columns=Columns(**roles),
        axis=TimeAxis.from_dict(facts["axis"]),
        key_names=tuple(facts["key_names"]),
        key_types=tuple(facts["key_types"]),
        keys=tuple(tuple(key) for key in facts["keys"]),
        values=columns["value"].astype(np.float64, copy=False)[rows],
        offsets=offsets_from_lengths(lengths),
        start=np.array(facts["start"], dtype=np.int64),
        past=blocks["past"][rows],
        future=blocks["future"],
        future_offsets=future_offsets,
        static=blocks["static"][future_offsets[:-1]],
        encodings={name: list(kinds) for name, kinds in facts["encodings"].items()},
        past_names=names["past"],
        future_names=names["future"],
        static_names=names["static"],
        notes=tuple(facts["notes"]),
        fill=facts.get("fill", "none"),
    )


def _stack_columns(
    columns: Mapping[str, NDArray[Any]], role: str, count: int
) -> Floats:
    """The columns of one role side by side, [rows, count]."""
    if not count:
        return np.empty((len(columns["series"]), 0))
    arrays = [
        columns[f"{role}{place}"].astype(np.float64, copy=False)
        for place in range(count)
    ]
    return np.stack(arrays, axis=1)


def _scatter_rows(values: Floats, rows: Ints, total: int) -> Floats:
    """Values at their rows of `total`, NaN elsewhere."""
    column = np.full(total, np.nan)
    column[rows] = values
    return column


def _to_array(column: pa.ChunkedArray) -> NDArray[Any]:
    """A column of numbers, NaN where one is missing; pyarrow's own way to numpy loads pandas."""
    if column.null_count:
        column = column.fill_null(math.nan)
    return np.from_dlpack(column.combine_chunks())


@contextmanager
def as_run_errors(path: Path) -> Iterator[None]:
    """Raise RunError, with the file or folder, for whatever is wrong with verified contents."""
    try:
        yield
    except MissingPackageError:  # the run is as it should be
        raise
    except _CONTENT_ERRORS as error:
        reason = f"there is no {error}" if isinstance(error, KeyError) else str(error)
        first_line = reason.partition("\n")[0][:_MAX_REASON]
        raise damaged_file_error(
            path, f"does not hold what it should: {first_line}"
        ) from error
