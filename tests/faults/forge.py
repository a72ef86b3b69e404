"""Runs that were forged: any value of any file changed, and the hashes made right again."""

import copy
import io
import json
import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors.numpy import load, save

from lstmcast.runs import directory

MANIFEST = directory.MANIFEST_FILE
WEIGHTS, CONTEXT, HISTORY = "model.safetensors", "context.parquet", "history.csv"
JSON_FILES = (MANIFEST, "metrics.json", "scaler.json")
JUNK: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 3, 2**31, 2**63, 2**70, 10**400),
    *(-0.5, 0.5, 1e308, -1e308, 5e-324, float("nan"), float("inf")),
    *("", "x", "../x", "a" * 500, "\u202e", "\ud800", "2024-01-01", "\x1b[2J"),
    *([], [1], ["a"], [None], [[]], [[1.0]], {}, {"a": 1}, {"": {"": {}}}),
)
_OWN_FIELDS = {"files", "sha256"}
"""Fields of a manifest that are made anew when it is sealed."""


class Forger:
    """Makes forgeries of one run, whose files are kept in memory, in a folder.

    others: runs whose files may take the place of this run's own.
    """

    def __init__(self, run: Path, others: list[Path], chance: random.Random) -> None:
        self.files = {entry.name: entry.read_bytes() for entry in _plain_files(run)}
        self.others = others
        self.chance = chance

    def forge(self, place: Path) -> str:
        """Write the run with one thing changed to a folder; returns what was done to it."""
        files = dict(self.files)
        name = self.chance.choices(
            (*JSON_FILES, WEIGHTS, CONTEXT, HISTORY, "another run's"),
            (40, 20, 15, 8, 7, 5, 5),
        )[0]
        manifest = json.loads(files.pop(MANIFEST))
        if name == "another run's":
            name = self.chance.choice(sorted(files))
            other = self.chance.choice(self.others)
            files[name] = (other / name).read_bytes()
            done = f"{name} of {other.parent.name}"
        elif name == MANIFEST:
            done = self._change_json(manifest)
        elif name in JSON_FILES:
            content = json.loads(files[name])
            done = self._change_json(content)
            files[name] = json.dumps(content).encode()
        else:
            change = {
                WEIGHTS: self._change_weights,
                CONTEXT: self._change_context,
                HISTORY: self._change_history,
            }[name]
            files[name], done = change(files[name])
        seal(place, manifest, files)
        return f"{name}: {done}"

    def _change_json(self, content: Any) -> str:
        """Change a value at a random place of JSON: another value, none, one more, or nested."""
        path = self.chance.choice(
            [path for path in _places(content) if path[0] not in _OWN_FIELDS]
        )
        inner = content
        for key in path[:-1]:
            inner = inner[key]
        key = path[-1]
        kind = self.chance.choice(("junk", "junk", "junk", "remove", "nest", "add"))
        junk = copy.deepcopy(self.chance.choice(JUNK))
        if kind == "junk":
            inner[key] = junk
        elif kind == "remove":
            del inner[key]
        elif kind == "nest":
            inner[key] = self.chance.choice(([inner[key]], {"value": inner[key]}))
        elif isinstance(inner, dict):
            inner[f"new {key}"] = junk
        else:
            inner.append(junk)
        return f"{kind} {path} {str(junk)[:40]!r}"

    def _change_weights(self, data: bytes) -> tuple[bytes, str]:
        arrays = load(data)
        name = self.chance.choice(sorted(arrays))
        kind = self.chance.choice(("value", "value", "shape", "type", "remove", "add"))
        array = arrays[name].copy()
        value = self.chance.choice((math.nan, math.inf, -math.inf, 1e30, 3e38))
        if kind == "value":
            array.reshape(-1)[self.chance.randrange(array.size)] = value
            arrays[name] = array
        elif kind == "shape":
            arrays[name] = array[:-1].copy()
        elif kind == "type":
            dtype = self.chance.choice((np.int64, np.float64, np.float16, np.bool_))
            arrays[name] = array.astype(dtype)
        elif kind == "remove":
            del arrays[name]
        else:
            arrays[f"{name}_more"] = array
        return save(arrays), f"{kind} {name} {value}"

    def _change_context(self, data: bytes) -> tuple[bytes, str]:
        table = pq.read_table(io.BytesIO(data))
        name = self.chance.choice(table.column_names)
        kind = self.chance.choice(("value", "remove", "rows", "turn", "type", "empty"))
        place = table.column_names.index(name)
        column = table[name].to_numpy()
        value = self.chance.choice((math.nan, math.inf, 1e308, -1.0, 1e9))
        if kind == "value":
            changed = column.astype(float)
            changed[self.chance.randrange(len(changed))] = value
            table = table.set_column(place, name, pa.array(changed))
        elif kind == "remove":
            table = table.drop_columns([name])
        elif kind == "rows":
            table = table.slice(0, len(table) // 2)
        elif kind == "turn":
            table = table.take(list(range(len(table)))[::-1])
        elif kind == "type":
            table = table.set_column(place, name, pa.array(list(map(str, column))))
        else:
            table = table.slice(0, 0)
        out = io.BytesIO()
        pq.write_table(table, out, write_page_checksum=True, compression="zstd")
        return out.getvalue(), f"{kind} {name} {value}"

    def _change_history(self, data: bytes) -> tuple[bytes, str]:
        piece = self.chance.choice((b",", b"\n", b'"', b"x", b"nan", b"-1", b"\xff"))
        at = self.chance.randrange(len(data))
        return data[:at] + piece + data[at + 1 :], f"{piece!r} at {at}"


def seal(place: Path, manifest: dict[str, Any], files: dict[str, bytes]) -> None:
    """Write a run as someone would who knows how runs are sealed."""
    place.mkdir(exist_ok=True)
    for name, data in files.items():
        (place / name).write_bytes(data)
    manifest["files"] = {
        name: {"bytes": len(data), "sha256": directory.sha256_hex(data)}
        for name, data in files.items()
    }
    manifest["sha256"] = directory.manifest_digest(manifest)
    (place / MANIFEST).write_text(json.dumps(manifest))


def _plain_files(run: Path) -> Iterator[Path]:
    return (entry for entry in sorted(run.iterdir()) if entry.is_file())


def _places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every path into nested JSON; of lists the first three entries."""
    if at:
        yield at
    children: Any = ()
    if isinstance(value, dict):
        children = value.items()
    elif isinstance(value, list):
        children = enumerate(value[:3])
    for key, child in children:
        yield from _places(child, (*at, key))
