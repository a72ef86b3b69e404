"""Spoilt files by the thousand: each is a table or a clear error, with the values others read.

Text, Parquet and Arrow files are spoilt by a seed, and read as the program reads them. What comes
out is a typed error with a short message, or a panel whose values pandas and pyarrow read as well.
"""

import io
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lstmcast.config import Columns, DataConfig
from lstmcast.errors import LstmcastError
from lstmcast.panel.panel import Panel
from lstmcast.tables.number_columns import to_float_column
from lstmcast.tables.read import read_bytes, read_table
from lstmcast.tables.table import Table
from tests.faults.figures import record

MAX_MESSAGE_CHARS = 1000
"""What a message and its hint have at most, however large a cell is."""
FILES = 150
MANY_FILES = 10_000
MAX_BYTES = 50_000_000
ODD_CELLS = (
    *("", "NA", "-999", "1e400", "inf", "nan", "9" * 5000, "x" * 140_000, "1,5"),
    *("2024-02-30", "0000-01-01", "10000-01-01", "99999999999999999999", "\u0661"),
    *('"', "'", "\0", "\r", "\ufeff", "=1+1", "-", "1e-320", "--5", "\u200b5", "5 %"),
)


def make_frame(rng: random.Random) -> pd.DataFrame:
    rows = rng.randrange(3, 40)
    days = pd.date_range("2024-01-01", periods=rows, freq=rng.choice(["D", "h", "MS"]))
    return pd.DataFrame(
        {
            "t": days,
            "y": [round(rng.uniform(-9, 99), rng.randrange(4)) for _ in range(rows)],
            "n": [rng.randrange(1000) for _ in range(rows)],
            "c": [rng.choice(["a", "b", "c d"]) for _ in range(rows)],
        }
    )


def make_text(rng: random.Random) -> bytes:
    frame = make_frame(rng).astype(object)
    for _ in range(rng.choice([0, 0, 1, 3])):
        place = rng.randrange(len(frame)), rng.randrange(4)
        frame.iat[place] = rng.choice(ODD_CELLS)
    delimiter = rng.choice(",;\t|")
    data = frame.to_csv(index=False, sep=delimiter, quoting=rng.choice([0, 1]))
    return data.encode(rng.choice(["utf-8", "utf-8", "utf-8", "utf-16"]))


def make_table(rng: random.Random) -> pa.Table:
    table = pa.Table.from_pandas(make_frame(rng))
    kinds = [
        *(pa.date32(), pa.date64(), pa.timestamp("s"), pa.timestamp("us", "UTC")),
        *(pa.timestamp("ms", "Asia/Tokyo"), pa.int64(), pa.string()),
    ]
    stamps = table["t"].cast(rng.choice(kinds), safe=False)
    if rng.random() < 0.3 and not pa.types.is_string(stamps.type):
        width = pa.int32() if pa.types.is_date32(stamps.type) else pa.int64()
        counts = stamps.cast(width).to_pylist()
        far = 2**31 - 1 if width == pa.int32() else rng.choice([10**13, 10**14])
        counts[rng.randrange(len(counts))] = rng.choice([far, -far, 0])
        whole = pa.array(counts, width)
        is_days = pa.types.is_date64(stamps.type)
        stamps = whole.view(stamps.type) if is_days else whole.cast(stamps.type)
    return table.set_column(0, "t", stamps)


def make_parquet(rng: random.Random) -> bytes:
    out = io.BytesIO()
    pq.write_table(make_table(rng), out)
    return out.getvalue()


def make_arrow(rng: random.Random) -> bytes:
    out = io.BytesIO()
    table = make_table(rng)
    opened = rng.choice([pa.ipc.new_file, pa.ipc.new_stream])
    with opened(out, table.schema) as writer:
        writer.write_table(table)
    return out.getvalue()


def spoil(data: bytes, rng: random.Random) -> bytes:
    """Bytes turned, left out, doubled or cut off; sometimes none."""
    spoilt = bytearray(data)
    for _ in range(rng.choice([0, 1, 1, 2, 8])):
        place = rng.randrange(len(spoilt) + 1)
        length = rng.choice([1, 1, 4, 60])
        match rng.randrange(5):
            case 0:
                spoilt[place : place + 1] = bytes([rng.randrange(256)])
            case 1:
                del spoilt[place : place + length]
            case 2:
                spoilt[place:place] = spoilt[place : place + length]
            case 3:
                spoilt[place:place] = rng.choice([b",", b";", b"\n", b'"', b"\0", b"9"])
            case _:
                del spoilt[len(spoilt) - length :]
    return bytes(spoilt)


MAKERS: dict[str, Callable[[random.Random], bytes]] = {
    "text": make_text,
    "Parquet": make_parquet,
    "Arrow": make_arrow,
}


def read_spoilt(path: Path, rng: random.Random) -> str:
    """Read a file in all the ways that a command does; what came of it."""
    config = DataConfig(
        max_bytes=MAX_BYTES,
        na=(*DataConfig.na, *rng.choice([(), ("-999",)])),
        bad_rows=rng.choice(["error", "skip"]),
    )
    outcome = "refused with a message"
    try:
        table = read_table(path, config)
        assert len(table.frame) == len(table)
        require_same_values(path, table)
        target = "y" if "y" in table.names else table.names[-1]
        panel = Panel.from_table(table, Columns((target,)), config)
        assert np.isfinite(panel.values[~np.isnan(panel.values)]).all()
        panel.axis.texts(panel.start)
        outcome = "read"
    except LstmcastError as error:
        assert error.hint
        assert len(error.message) + len(error.hint) < MAX_MESSAGE_CHARS
        assert len(error.message.splitlines()) == 1
    return outcome


def require_same_values(path: Path, table: Table) -> None:
    """What is read as numbers is what pyarrow reads of a typed file, and pandas of plain text."""
    for name in table.names:
        try:
            values = to_float_column(table, name)
        except LstmcastError:
            continue
        other = read_elsewhere(path, table, name)
        if other is None or len(other) != len(values):
            continue
        # A marker of missing values is missing here only.
        both = ~np.isnan(values) & ~np.isnan(other)
        np.testing.assert_allclose(values[both], other[both], rtol=1e-12)


def read_elsewhere(path: Path, table: Table, name: str) -> np.ndarray | None:
    """The same column as others read it; None where they do not, or in another dialect."""
    if not table.is_text:
        stored = table.data[name]
        is_number = pa.types.is_integer(stored.type) or pa.types.is_floating(
            stored.type
        )
        if not is_number or not path.read_bytes().startswith(b"PAR1"):
            return None
        return pq.read_table(path)[name].cast(pa.float64(), safe=False).to_numpy()
    source = table.source
    assert source is not None
    dialect = source.dialect
    if dialect.decimal != "." or not dialect.has_header:
        return None
    # pandas takes a lone carriage return for the end of a line, and then for none.
    if b"\r" in path.read_bytes():
        return None
    try:
        frame = pd.read_csv(
            path, sep=dialect.delimiter, dtype=str, keep_default_na=False
        )
        return pd.to_numeric(frame[name].str.strip(), errors="coerce").to_numpy(float)
    except Exception:  # noqa: BLE001 - whatever others cannot read says nothing
        return None


def spoil_and_read(kind: str, count: int, seed: int, folder: Path) -> Counter[str]:
    found = Counter[str]()
    for number in range(count):
        rng = random.Random(f"{kind} {seed} {number}")
        path = folder / "data"
        data = spoil(MAKERS[kind](rng), rng)
        path.write_bytes(data)
        try:
            found[read_spoilt(path, rng)] += 1
        except Exception as error:
            error.add_note(f"{kind} file {number} of seed {seed}: {data[:300]!r}")
            raise
    return found


HUGE = "9" * 5000
LONG = "x" * 200_000


@pytest.mark.parametrize(
    ("header", "row", "roles", "message"),
    [
        ("t,y", "2024-01-{0:02},HUGE", {}, "is infinite or too large"),
        ("t,y", "HUGE,{0}", {"time": ("t",)}, "is too large for a step"),
        ("t,y", "HUGE-01-01,{0}", {"time": ("t",)}, "is not a date"),
        ("year,month,y", "HUGE,{0},{0}", {}, "is not a date"),
        ("t,y,c", "2024-01-{0:02},{0},{0}HUGE", {"past": ("c",)}, "too large"),
        ("t,y", "2024-01-{0:02},LONG", {}, "is not a number"),
        ("t,y,c", "2024-01-{0:02},{0},LONG,7", {}, "x:2: 4 values where the header"),
    ],
)
def test_a_cell_of_any_length_is_refused_in_few_words(
    header: str, row: str, roles: dict[str, tuple[str, ...]], message: str
) -> None:
    rows = [row.format(day) for day in range(1, 10)]
    text = "\n".join([header, *rows]).replace("HUGE", HUGE).replace("LONG", LONG)
    with pytest.raises(LstmcastError, match=message) as caught:
        table = read_bytes(text.encode(), "x")
        Panel.from_table(table, Columns(("y",), **roles))
    assert len(caught.value.message) + len(caught.value.hint) < MAX_MESSAGE_CHARS


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("kind", MAKERS)
def test_a_spoilt_file_is_a_table_or_a_clear_error(kind: str, tmp_path: Path) -> None:
    found = spoil_and_read(kind, FILES, 0, tmp_path)
    assert set(found) == {"read", "refused with a message"}


@pytest.mark.slow
def test_ten_thousand_spoilt_files_are_tables_or_clear_errors(tmp_path: Path) -> None:
    shares = {"text": 6 * MANY_FILES // 10, "Parquet": MANY_FILES // 5}
    shares["Arrow"] = MANY_FILES - sum(shares.values())
    for kind, count in shares.items():
        found = spoil_and_read(kind, count, 1, tmp_path)
        record(f"a spoilt {kind} file is read", found)
        assert set(found) == {"read", "refused with a message"}
