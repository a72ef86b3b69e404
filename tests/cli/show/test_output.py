import io
import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from lstmcast.cli.show import output
from lstmcast.errors import UsageError

VALUES = [0.1 + 0.2, 1e-17, 1 / 3, 123456789.123456789, 5e-324]


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "shop": ["NA", "007", 'say "hi", you', "new\nline", "=cmd()"],
            "date": pd.date_range("2024-01-31", periods=5, freq="ME"),
            "step": np.arange(5),
            "forecast": VALUES,
            "q10": [1.0, np.nan, 2.0, 3.0, 4.0],
        }
    )


@pytest.mark.parametrize(("form", "sep"), [("csv", ","), ("tsv", "\t")])
def test_text_tables_read_back_to_the_same_floats_and_names(
    form: str, sep: str, frame: pd.DataFrame
) -> None:
    data = output.encode_table(frame, form)
    assert b"\r" not in data
    back = pd.read_csv(
        io.BytesIO(data),
        sep=sep,
        keep_default_na=False,
        na_values={"q10": [""]},
        dtype={"shop": str},
    )
    assert back["forecast"].tolist() == VALUES
    assert back["shop"].tolist() == frame["shop"].tolist()
    assert back["date"].tolist() == [
        "2024-01-31",
        "2024-02-29",
        "2024-03-31",
        "2024-04-30",
        "2024-05-31",
    ]
    assert np.isnan(back["q10"][1])


def test_json_is_a_list_of_rows_and_jsonl_a_row_a_line(frame: pd.DataFrame) -> None:
    whole = json.loads(output.encode_table(frame, "json"))
    lines = [
        json.loads(line) for line in output.encode_table(frame, "jsonl").splitlines()
    ]
    assert whole == lines == output.to_records(frame)
    assert [row["forecast"] for row in whole] == VALUES
    assert whole[1] == {
        "shop": "007",
        "date": "2024-02-29",
        "step": 1,
        "forecast": 1e-17,
        "q10": None,
    }


def test_parquet_keeps_types_and_carries_page_checksums(frame: pd.DataFrame) -> None:
    data = output.encode_table(frame, "parquet")
    back = pq.read_table(io.BytesIO(data), page_checksum_verification=True).to_pandas()
    pd.testing.assert_frame_equal(back, frame, check_dtype=False)
    chunk = pq.ParquetFile(io.BytesIO(data)).metadata.row_group(0).column(3)
    broken = bytearray(data)
    broken[chunk.data_page_offset + chunk.total_compressed_size // 2] ^= 1
    with pytest.raises(OSError, match="CRC|checksum|page"):
        pq.read_table(io.BytesIO(bytes(broken)), page_checksum_verification=True)


@pytest.mark.parametrize(
    ("file", "wanted", "form"),
    [
        ("a.csv", None, "csv"),
        ("a.b.JSONL", None, "jsonl"),
        ("a.parquet", None, "parquet"),
        ("a.parquet", "csv", "csv"),
        ("a.xlsx", None, "xlsx"),
        (None, None, "csv"),
        ("-", None, "csv"),
        (None, "table", "table"),
        ("/dev/null", None, "csv"),
    ],
)
def test_the_format_is_as_requested_else_by_the_extension_else_csv_in_a_pipe(
    file: str | None, wanted: str | None, form: str
) -> None:
    assert output.choose_format(file, wanted) == form


@pytest.mark.parametrize(
    ("file", "wanted"),
    [("a.xls", None), ("a", None), (None, "excel"), ("a.table", None)],
)
def test_an_unknown_format_is_a_usage_error(
    file: str | None, wanted: str | None
) -> None:
    with pytest.raises(UsageError):
        output.choose_format(file, wanted)


def test_a_workbook_reads_back_with_texts_that_are_no_formulas() -> None:
    frame = pd.DataFrame(
        {
            "shop": ["=1+1", "https://example.org", "007"],
            "date": pd.to_datetime(["2024-01-01", "2024-01-02", None]),
            "at": pd.to_datetime(["2024-01-01 03:00", None, "2024-01-02 00:00"]),
            "forecast": [0.1, float("nan"), 1e-300],
            "step": [1, 2, 3],
        }
    )
    data = output.encode_table(frame, "xlsx")
    assert data == output.encode_table(frame, "xlsx")
    back = pd.read_excel(io.BytesIO(data), engine="calamine")
    assert back["shop"].tolist()[:2] == ["=1+1", "https://example.org"]
    assert back["date"].isna().tolist() == [False, False, True]
    assert back["at"][0] == pd.Timestamp("2024-01-01 03:00")
    assert back["forecast"][0] == 0.1 and back["forecast"][2] == 1e-300
    assert back["step"].tolist() == [1, 2, 3]


def test_a_sheet_has_no_place_for_millions_of_rows(
    monkeypatch: pytest.MonkeyPatch, frame: pd.DataFrame
) -> None:
    monkeypatch.setattr(output, "_MAX_SHEET_ROWS", len(frame))
    with pytest.raises(UsageError, match="no place for"):
        output.encode_table(frame, "xlsx")


def test_an_empty_table_still_has_its_header(frame: pd.DataFrame) -> None:
    assert output.encode_table(frame.head(0), "csv") == b"shop,date,step,forecast,q10\n"
    assert json.loads(output.encode_table(frame.head(0), "json")) == []
