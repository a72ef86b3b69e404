"""The files of a run as bytes, and back: weights, JSON, history, context. Knows no directories.

Nothing here can run code: safetensors, JSON, CSV and Parquet only.
"""

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from lstmcast import features
from lstmcast.errors import RunError
from lstmcast.model import Network, Shape, narrow
from lstmcast.panel import Panel
from lstmcast.source import free_memory, in_units

LARGEST = 100_000
"""No size of a network is beyond this."""
MOST_STEPS = 1_000_000
"""No horizon or context is beyond this."""
_NUMBER = 8
"""Bytes."""
_WRONG = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RuntimeError)


def pack_networks(networks: Sequence[Network]) -> bytes:
    """All members' weights as safetensors, each under its number."""
    return save({f"{i}.{name}": t.contiguous() for i, n in enumerate(networks) for name, t in n.state_dict().items()})


def unpack_networks(data: bytes, shapes: Sequence[dict[str, Any]]) -> list[Network]:
    """Networks of these shapes, ready to forecast; a shape that is not that of its weights allocates nothing."""
    tensors = load(data)
    networks = []
    for i, shape in enumerate(shapes):
        if not all(isinstance(one, str) or 0 <= one <= LARGEST for one in shape.values()):
            raise ValueError(f"member {i} is of no shape that a network has")
        with torch.device("meta"):
            network = Network(Shape(**shape)).eval()
        own = f"{i}."
        weights = {name[len(own) :]: t.float() for name, t in tensors.items() if name.startswith(own)}
        network.load_state_dict(weights, assign=True)
        networks.append(network)
    return networks


def checked_steps(value: Any) -> int:
    """A number of steps out of a run; raises ValueError for one that no run has."""
    if type(value) is not int or not 1 <= value <= MOST_STEPS:
        raise ValueError(f"{value!r} is no number of steps")
    return value


def universal(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights without the columns that a panel's own covariates added."""
    return narrow(weights, features.STEP_FEATURES, features.LOCAL_FEATURES)


def digest(weights: dict[str, Tensor]) -> str:
    """SHA-256 of weights, whatever file they came from."""
    return hashlib.sha256(save({name: t.contiguous() for name, t in sorted(weights.items())})).hexdigest()


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
    return [{k: v if k == "member" else int(v) if k == "step" else float(v) for k, v in row.items()} for row in rows]


def pack_panel(panel: Panel) -> tuple[bytes, dict[str, Any]]:
    """A panel as Parquet with page checksums, and the facts beside it."""
    frame, facts = panel.to_stored()
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), out, write_page_checksum=True, compression="zstd")
    return out.getvalue(), facts


def unpack_panel(data: bytes, facts: dict[str, Any]) -> Panel:
    """What `pack_panel` wrote; raises ValueError for what it cannot have written, before that is unpacked."""
    try:
        with pq.ParquetFile(io.BytesIO(data), page_checksum_verification=True) as file:
            if not all(
                pa.types.is_integer(field.type) or pa.types.is_floating(field.type) for field in file.schema_arrow
            ):
                raise ValueError("a column is no column of numbers")
            size = file.metadata.num_rows * len(file.schema_arrow) * _NUMBER
            if size > free_memory() // 2:
                raise ValueError(f"its table takes {in_units(size)} of memory")
            frame: pd.DataFrame = file.read().to_pandas()
    except OSError as error:  # the bytes are in memory: no disk failed, but a checksum
        raise ValueError(str(error)) from error
    if not frame["series"].between(0, len(facts["lengths"]) - 1).all():
        raise ValueError("there are rows of no series")
    return Panel.from_stored(frame, facts)


@contextmanager
def as_run_errors(path: Path) -> Iterator[None]:
    """Whatever is wrong with the contents of a verified run is the run's fault, and said so."""
    try:
        yield
    except (*_WRONG, SafetensorError, pa.ArrowException) as error:
        raise RunError(f"the run {str(path)!r} does not hold what it should: {error}", "fit it again") from error
