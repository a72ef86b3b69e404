"""The fast way through a text table: whatever it takes on, it reads as the strict reader does."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmcast.config import DataConfig
from lstmcast.errors import DataError
from lstmcast.tables import csv_fast, source
from lstmcast.tables.csv_fast import parse_csv_fast
from lstmcast.tables.csv_strict import parse_csv_strictly
from lstmcast.tables.number_columns import to_float_column
from lstmcast.tables.read import read_table
from lstmcast.tables.source import Source

STRICT = DataConfig(encoding="utf-8-sig")
"""Another name for UTF-8, by which the fast reader does not know it: the strict one reads all."""


def kinds(text: str, **options: object) -> dict[str, str]:
    """The Arrow type of each column as the fast way stores it; empty where it gave up."""
    found = parse_csv_fast(Source("x", data=text.encode()), DataConfig(**options))  # type: ignore[arg-type]
    return (
        {}
        if found is None
        else {field.name: str(field.type) for field in found.columns.schema}
    )


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "-2", "0"], "int64"),
        (["1", "2.5", "3"], "double"),
        (["1", "", "NA"], "double"),
        (["2024-01-01", "2024-01-02", "2024-01-03"], "timestamp[us]"),
        (
            ["2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z", "2024-01-03T00:00:00Z"],
            "timestamp[us]",
        ),
        (
            [
                "2024-01-01 00:00:00.123",
                "2024-01-02 00:00:00.123",
                "2024-01-03 00:00:00.123",
            ],
            "timestamp[us]",
        ),
        (["007", "8", "9"], "double"),
        (["2024-01-01", "2024-01-02 00:00", "2024-01-03"], "string"),
        (["2024-01-01", "2024-02-30", "2024-01-03"], "string"),
        (["1/2/2024", "2/2/2024", "3/2/2024"], "string"),
        (["1", "inf", "2"], "string"),
        (["1", "1e400", "2"], "string"),
        (["1", "x", "2"], "string"),
    ],
)
def test_a_column_is_stored_as_what_all_its_cells_are(
    cells: list[str], kind: str
) -> None:
    assert kinds("x,z\n" + "".join(f"{cell},1\n" for cell in cells))["x"] == kind


@pytest.mark.parametrize(
    "text", ["x,y\n1\n", 'x,y\n1,"2\n', "x,y\n1,\0\n", "y\n1\n\n2\n", "x,y\n", ""]
)
def test_whatever_is_odd_is_left_to_the_strict_reader(text: str) -> None:
    assert kinds(text) == {}


def test_ids_come_back_as_written_whatever_they_are_stored_as(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b,c,d\n007,1.50,1,x\n8,2,2,y\n9,3,3,x\n")
    table = read_table(tmp_path / "x.csv")
    numbers = [["007", "8", "9"], ["1.50", "2", "3"], ["1", "2", "3"]]
    assert [table.verbatim(name).tolist() for name in "abcd"] == [
        *numbers,
        ["x", "y", "x"],
    ]
    assert [table.codes(name).labels for name in "abcd"] == [*numbers, ["x", "y"]]


def test_pieces_are_cut_between_records_wherever_a_block_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [
        f'{row},"a\n{"b" * (row % 7)}",{row / 8}' if row % 3 else f"{row},c,{row / 8}"
        for row in range(200)
    ]
    data = "\n".join(["n,note,y", *rows]).encode()
    strict = parse_csv_strictly(data, "x", DataConfig())
    for size in (1, 10, 17, 64, 1000):
        monkeypatch.setattr(source.Source.blocks, "__defaults__", (size,))
        found = parse_csv_fast(Source("x", data=data), DataConfig())
        assert found is not None
        assert found.columns["n"].to_pylist() == list(range(200))
        assert (
            found.columns["note"].cast("string").to_pylist()
            == strict.columns["note"].to_pylist()
        )
        assert found.columns["y"].to_pylist() == [row / 8 for row in range(200)]


def test_a_column_that_turns_out_to_be_text_later_on_is_text_from_the_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(csv_fast, "_MAX_ROWS_FOR_INFERENCE", 2)
    assert kinds("x,y\n1,1\n2,2\n3,c\n")["y"] == "string"
    assert kinds("x,y\n1,1\n2,2\n3,3.5\n")["y"] == "double"


def test_lines_are_right_where_rows_and_lines_go_apart(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text('n,note,y\n1,"a\nb",1\n2,c,2\n')
    (tmp_path / "plain.csv").write_text("n,y\n1,1\n2,2\n")
    assert [
        read_table(tmp_path / "x.csv").locate(row).rpartition(":")[2] for row in (0, 1)
    ] == [
        "2",
        "4",
    ]
    assert read_table(tmp_path / "plain.csv").locate(1).endswith("plain.csv:3")


CELLS = st.one_of(
    st.floats(allow_infinity=True).map(str),
    st.integers().map(str),
    st.sampled_from(
        [
            *("", "NA", "007", "+1", " 2 ", "1e5", "0x1f", "1_000", "nan", "true"),
            *("2024-01-01", "2024-01-01 10:00"),
        ]
    ),
    st.text("ab,;\"' \u00e9\n", max_size=4),
)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.lists(CELLS, min_size=1, max_size=8), min_size=1, max_size=3),
    st.booleans(),
)
def test_the_fast_and_the_strict_reader_agree(
    tmp_path_factory: pytest.TempPathFactory, columns: list[list[str]], header: bool
) -> None:
    height = min(map(len, columns))
    frame = pd.DataFrame(
        {f"c{place}": column[:height] for place, column in enumerate(columns)},
        dtype=object,
    )
    path = tmp_path_factory.mktemp("bulk") / "x.csv"
    frame.to_csv(path, index=False, header=header)
    try:
        slow = read_table(path, STRICT)
    except DataError as error:
        with pytest.raises(DataError, match="^" + str(path)) as caught:
            read_table(path)
        assert caught.value.message == error.message
        return
    fast = read_table(path)
    assert slow.source is not None
    assert slow.source.typed_table is None
    assert fast.frame.equals(slow.frame)
    assert fast.notes == slow.notes
    for name in fast.names:
        assert outcome(fast, name) == outcome(slow, name)
        codes, labels, _ = fast.codes(name)
        assert [labels[code] for code in codes] == slow.verbatim(name).tolist()


def outcome(table: object, name: str) -> str:
    try:
        return np.array2string(to_float_column(table, name))  # type: ignore[arg-type]
    except DataError as error:
        return error.message
