"""The two readers of text tables side by side: whatever the options, they read the same panel."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmcast.config import Columns, DataConfig
from lstmcast.errors import LstmcastError
from lstmcast.panel.future_data import with_future_data
from lstmcast.panel.panel import Panel
from lstmcast.tables import read
from lstmcast.tables.csv_fast import parse_csv_fast
from lstmcast.tables.source import Source
from lstmcast.tables.table import Table

NA = DataConfig.na
SENTINELS = ("-999", "-999.0", "-9.99e2", " -999 ", "-9.990")
"""The same number five ways, the last one where the point separates thousands."""


def read_strictly(data: bytes, config: DataConfig) -> Table:
    """The table as the strict reader alone reads it."""
    with patch.object(read, "parse_csv_fast", lambda *_: None):
        return read.read_bytes(data, "x.csv", config)


def read_fast(data: bytes, config: DataConfig) -> Table:
    return read.read_bytes(data, "x.csv", config)


def panel_or_error(
    reader: Callable[[bytes, DataConfig], Table],
    data: bytes,
    config: DataConfig,
    columns: Columns,
) -> Any:
    """All that a reader makes of the bytes, in a form that can be compared."""
    try:
        panel = Panel.from_table(reader(data, config), columns, config)
    except LstmcastError as error:
        return type(error), error.message, error.hint
    arrays = (panel.values, panel.past, panel.future, panel.static, panel.offsets)
    return (
        [array.tobytes() for array in arrays],
        panel.keys,
        panel.start.tolist(),
        panel.axis,
        panel.encodings,
        panel.notes,
        panel.stamp_text(int(panel.start[0])),
    )


NUMBERS = st.one_of(
    st.integers(-3, 30).map(str),
    st.floats(-1e3, 1e3).map(lambda value: f"{value:.2f}"),
    st.sampled_from(["1.5", "1.234", "12e1", "+4", "007", "-999", "-999.0"]),
)
ODD_NUMBERS = st.one_of(
    st.sampled_from(SENTINELS),
    st.sampled_from(["-999,0", "", " ", "NA", "null", "n/a", "?", "5", "$5", "5 %"]),
    st.sampled_from(
        ["2,5", "1,234", "1 234", "1e400", "inf", "-", "x", "9" * 400, "true", "0"]
    ),
)
CATEGORIES = st.sampled_from(["a", "b", " b", "5", "-999", "NA", "", "?", "1.0"])
MARKERS = st.sampled_from(
    ["-999", "-999.0", "-9.99e2", "-999,0", "?", "n/a", "5", "0", "a", "2024-01-03"]
)


@st.composite
def files(draw: Any) -> tuple[bytes, DataConfig, Columns]:
    """A text table of a few days, the options that it is read with, and its roles."""
    delimiter = draw(st.sampled_from([",", ";", "\t"]))
    decimal_comma = draw(st.booleans())
    length = draw(st.integers(4, 10))
    layout = draw(st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%Y-%m-%d %H:%M:%S", "n"]))
    stamps = pd.date_range("2024-01-01", periods=length)
    times = [
        str(number) if layout == "n" else stamp.strftime(layout)
        for number, stamp in enumerate(stamps, 1)
    ]
    odd = draw(st.sampled_from([0, 0, 1, 2]))
    column_of = {"t": times}
    for name, cells in (("y", NUMBERS), ("x", NUMBERS), ("c", CATEGORIES)):
        column = draw(st.lists(cells, min_size=length, max_size=length))
        for _ in range(odd if name != "c" else 0):
            column[draw(st.integers(0, length - 1))] = draw(ODD_NUMBERS)
        if decimal_comma and name != "c":
            column = [cell.replace(".", ",") for cell in column]
        column_of[name] = column
    column_of["id"] = [draw(st.sampled_from(["-999", "7", "5"]))] * length

    out = io.StringIO()
    header = draw(st.sampled_from([True, True, True, True, False]))
    frame = pd.DataFrame(column_of, dtype=object)
    quoting = draw(st.sampled_from([0, 1]))
    frame.to_csv(out, sep=delimiter, index=False, header=header, quoting=quoting)
    text = out.getvalue()
    if draw(st.integers(0, 5)) == 0:
        text += delimiter.join("zz") + "\n"

    options: dict[str, Any] = {
        "delimiter": draw(st.sampled_from([None, delimiter])),
        "decimal": draw(st.sampled_from([None, None, ",."[not decimal_comma]])),
        "thousands": draw(st.sampled_from([None, None, ".", ",", " "])),
        "header": draw(st.sampled_from([None, None, True, False])),
        "bad_rows": draw(st.sampled_from(["error", "skip"])),
        "date_format": draw(
            st.sampled_from([None, None, None, "%Y-%m-%d", "%d.%m.%Y", "s"])
        ),
        "tz": draw(st.sampled_from([None, None, "Europe/Berlin"])),
        "encoding": draw(st.sampled_from([None, "utf-8", "latin-1"])),
        "duplicates": draw(st.sampled_from(["error", "last", "mean"])),
        "fill": draw(st.sampled_from(["none", "forward", "linear", "zero"])),
        "resample": draw(st.sampled_from([None, None, "2D:sum"])),
        "na": (*NA, *draw(st.lists(MARKERS, max_size=2))),
    }
    if options["thousands"] == options["decimal"]:
        options["thousands"] = None
    names = (
        ["t", "y", "x", "c", "id"]
        if header and options["header"] is not False
        else [f"column{place}" for place in range(1, 6)]
    )
    t, y, x, c, key = names
    roles = draw(st.sampled_from(["past", "future", "none"]))
    columns = Columns(
        target=(y,),
        time=draw(st.sampled_from([(), (t,), ("none",)])),
        series=draw(st.sampled_from([(), (key,)])),
        past=(x, c) if roles == "past" else (),
        future=(x, c) if roles == "future" else (),
    )
    bom = draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))
    return bom + text.encode(), DataConfig(**options), columns


def write_sentinels(sentinel: str, delimiter: str = ",", blank: str = "") -> bytes:
    """Ten days whose third value, third covariate and third category is a sentinel."""
    rows = [delimiter.join(["t", "y", "x", "c"])]
    for day in range(1, 11):
        cells = [str(day), str(day + 7), "a"]
        if day == 3:
            cells = [sentinel, sentinel, sentinel]
        if day == 6 and blank:
            cells[:2] = [blank, blank]
        rows.append(delimiter.join([f"2024-01-{day:02}", *cells]))
    return "\n".join(rows).encode()


@pytest.mark.parametrize("blank", ["", " ", "NA"])
@pytest.mark.parametrize("marker", ["-999", "-999.0", "-9.99e2"])
@pytest.mark.parametrize("sentinel", ["-999", "-999.0", " -999", "-9.99e2", "-999.000"])
def test_a_number_that_means_missing_is_missing_however_it_is_written(
    sentinel: str, marker: str, blank: str
) -> None:
    data = write_sentinels(sentinel, blank=blank)
    config = DataConfig(na=(*NA, marker))
    columns = Columns(target=("y",), past=("x",))
    for reader in (read_fast, read_strictly):
        panel = Panel.from_table(reader(data, config), columns, config)
        missing = [day in (3, 6 if blank else 3) for day in range(1, 11)]
        assert np.isnan(panel.values).tolist() == missing
        assert np.isnan(panel.past[:, 0]).tolist() == missing


@pytest.mark.parametrize("marker", ["-999,0", "-999", "-999.0"])
def test_a_number_that_means_missing_may_have_a_decimal_comma(marker: str) -> None:
    data = write_sentinels("-999,0", delimiter=";")
    config = DataConfig(na=(*NA, marker), decimal=",")
    for reader in (read_fast, read_strictly):
        panel = Panel.from_table(reader(data, config), Columns(("y",)), config)
        assert np.flatnonzero(np.isnan(panel.values)).tolist() == [2]


def test_a_sentinel_is_missing_in_several_targets_frames_and_plans() -> None:
    config = DataConfig(na=(*NA, "-999"))
    data = write_sentinels("-999")
    wide = Panel.from_table(read_fast(data, config), Columns(("y", "x")), config)
    assert [int(np.isnan(wide.series(i)).sum()) for i in range(2)] == [1, 1]

    frame = pd.read_csv(io.BytesIO(data))
    panel = Panel.from_table(Table(frame, "request"), Columns(("y",)), config)
    assert np.isnan(panel.values).sum() == 1

    known = Panel.from_table(
        read_fast(data, config), Columns(("y",), future=("x",)), config
    )
    plan = b"t,x\n2024-01-11,-999\n2024-01-12,5\n"
    longer = with_future_data(known, read_fast(plan, config), config)
    assert np.isnan(longer.future[-2:, 0]).tolist() == [True, False]


def test_a_sentinel_may_still_be_the_id_of_a_series(tmp_path: Path) -> None:
    data = write_sentinels("-999").replace(b",a\n", b",-999\n")
    config = DataConfig(na=(*NA, "-999"))
    columns = Columns(("y",), series=("c",))
    for reader in (read_fast, read_strictly):
        panel = Panel.from_table(reader(data, config), columns, config)
        assert ("-999",) in panel.keys
    frame = pa.table({"t": [1, 2, 3, 4], "y": [1.0, -999, 2, 3], "c": [-999] * 4})
    pq.write_table(frame, tmp_path / "x.parquet")
    table = read.read_table(tmp_path / "x.parquet", config)
    panel = Panel.from_table(table, columns, config)
    assert panel.keys == (("-999",),)
    assert np.isnan(panel.values).tolist() == [False, True, False, False]


def test_a_stamp_that_means_missing_is_missing_in_both_readers() -> None:
    data = write_sentinels("5")
    config = DataConfig(na=(*NA, "2024-01-04"))
    assert parse_csv_fast(Source("x", data=data), config) is not None
    for reader in (read_fast, read_strictly):
        with pytest.raises(LstmcastError, match="x.csv:5: .*the time is empty"):
            Panel.from_table(reader(data, config), Columns(("y",), ("t",)), config)


@settings(max_examples=150, deadline=None)
@given(files())
def test_both_readers_make_the_same_panel_or_the_same_error(
    case: tuple[bytes, DataConfig, Columns],
) -> None:
    data, config, columns = case
    strict = panel_or_error(read_strictly, data, config, columns)
    assert panel_or_error(read_fast, data, config, columns) == strict
