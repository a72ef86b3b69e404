"""Rows F, V2, V3 and X2 of the faults: files as people have them, and how they are read."""

import gzip
import os
import resource
import threading
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.faults.conftest import Refused, Seen, days

PLAIN = days(y=lambda day: day + 0.5)
COMMAS = (
    days(form="{:02}.03.2024", y=lambda day: f"{day},5")
    .replace("date,y", "date;y")
    .replace(".2024,", ".2024;")
)


def table(rows: int = 30) -> pa.Table:
    stamps = np.datetime64("2024-03-01", "us") + np.arange(rows) * np.timedelta64(
        1, "D"
    )
    return pa.table({"date": stamps, "y": np.arange(rows) + 0.5})


def test_F1_a_missing_file_is_refused_with_near_names(
    refused: Refused, tmp_path: Path
) -> None:
    (tmp_path / "prices.csv").write_text(PLAIN)
    refused(
        "fit",
        "price.csv",
        "--target",
        "y",
        says=["no file 'price.csv'", "did you mean 'prices.csv'?"],
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "x.csv is empty"), ("date,y\n", "x.csv has a header but no rows")],
)
def test_F2_a_file_without_rows_is_refused(
    text: str, said: str, refused: Refused, tmp_path: Path
) -> None:
    (tmp_path / "x.csv").write_text(text)
    refused("fit", "x.csv", "--target", "y", says=[said, "give a file with"])


def test_F3_a_byte_order_mark_is_no_part_of_a_name(seen: Seen, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("\ufeff" + PLAIN)
    found = seen("x.csv")
    assert (found["time"], found["steps"]) == (["date"], 30)
    assert "byte-order mark skipped" in found["notes"]


@pytest.mark.parametrize(
    ("encoding", "offset", "option"),
    [
        ("utf-16", 0, "utf-16"),
        ("utf-16-le", 1, "utf-16-le"),
        ("latin-1", 360, "cp1252"),
        ("cp1251", 360, "cp1251"),
    ],
)
def test_F4_another_encoding_is_refused_with_the_byte_and_the_option_that_reads_it(
    encoding: str,
    offset: int,
    option: str,
    refused: Refused,
    seen: Seen,
    tmp_path: Path,
) -> None:
    word = "Москва и область" if encoding == "cp1251" else "Würzburg über Düsseldorf"
    text = days(y=lambda day: day, place=lambda day: word if day > 25 else "-")
    if offset == 360:
        offset = text.index(word) + (0 if encoding == "cp1251" else 1)
    (tmp_path / "x.csv").write_bytes(text.encode(encoding))
    if encoding != "utf-16-le":  # reading on and looking is proven on the others
        refused(
            "fit",
            "x.csv",
            "--target",
            "y",
            says=[f"x.csv: byte {offset} ", f"--encoding {option}"],
        )
    found = seen("x.csv", "--encoding", option)
    assert [column["name"] for column in found["columns"]] == ["date", "y", "place"]


def test_F5_semicolons_and_decimal_commas_are_found_and_said(
    seen: Seen, tmp_path: Path
) -> None:
    (tmp_path / "x.csv").write_text(COMMAS)
    found = seen("x.csv")
    assert (found["target"], found["steps"]) == (["y"], 30)
    assert {"semicolon-separated", "decimal comma"} <= set(found["notes"])


def test_F5_a_dialect_that_cannot_be_told_is_refused(
    refused: Refused, tmp_path: Path
) -> None:
    (tmp_path / "x.csv").write_text(
        "date,t;y\n" + "".join(f"2024-03-{day:02},1;5\n" for day in range(1, 31))
    )
    refused(
        "fit",
        "x.csv",
        "--target",
        "y",
        says=["x.csv: columns may be separated by comma or semicolon", "--delimit"],
    )


def test_F6_decimal_commas_between_commas_are_refused(
    refused: Refused, tmp_path: Path
) -> None:
    (tmp_path / "x.csv").write_text(days(y=lambda day: f"{day},5"))
    says = [
        "x.csv:2: 3 values where the header names 2 columns (and 29 more such lines)",
        "decimal commas need quotes",
    ]
    refused("fit", "x.csv", "--target", "y", says=says)


def test_F7_thousands_need_their_option(
    refused: Refused, seen: Seen, tmp_path: Path
) -> None:
    (tmp_path / "x.csv").write_text(days(y=lambda day: f'"1,2{day:02}.5"'))
    refused(
        "fit",
        "x.csv",
        "--target",
        "y",
        says=["x.csv:2: column 'y': '1,201.5' is not a", "add --thousands ,"],
    )
    found = seen("x.csv", "--thousands", ",")
    assert found["columns"][1]["kind"] == "number"


def test_F8_lines_are_right_after_a_quoted_newline(
    refused: Refused, tmp_path: Path
) -> None:
    rows = [
        f'2024-03-{day:02},{day if day < 20 else "bad"},"two\nlines"'
        for day in range(1, 21)
    ]
    (tmp_path / "x.csv").write_text("\n".join(["date,y,note", *rows]))
    refused(
        "fit",
        "x.csv",
        "--target",
        "y",
        says=["x.csv:40: column 'y': 'bad' is not a number", "--na bad"],
    )


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_F9_packed_files_are_known_by_content(
    packing: str, seen: Seen, tmp_path: Path
) -> None:
    data = PLAIN.encode()
    packed = (
        gzip.compress(data)
        if packing == "gzip"
        else pa.Codec("zstd").compress(data, asbytes=True)
    )
    (tmp_path / "x.csv").write_bytes(packed)
    found = seen("x.csv")
    assert found["steps"] == 30
    assert f"{packing}-compressed" in found["notes"]


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_F10_a_packed_file_that_is_cut_short_is_refused(
    packing: str, refused: Refused, tmp_path: Path
) -> None:
    data = os.urandom(50_000).hex().encode()
    packed = (
        gzip.compress(data)
        if packing == "gzip"
        else pa.Codec("zstd").compress(data, asbytes=True)
    )
    (tmp_path / "x.csv.gz").write_bytes(packed[:-1000])
    says = [
        f"x.csv.gz: the {packing} data are damaged or cut short",
        "download the file again",
    ]
    refused("fit", "x.csv.gz", "--target", "y", says=says)


def test_F11_a_parquet_file_that_is_cut_short_is_refused(
    refused: Refused, tmp_path: Path
) -> None:
    pq.write_table(table(), tmp_path / "x.parquet")
    whole = (tmp_path / "x.parquet").read_bytes()
    (tmp_path / "x.parquet").write_bytes(whole[: len(whole) // 2])
    refused(
        "fit",
        "x.parquet",
        "--target",
        "y",
        says=["x.parquet: the Parquet data are damaged or cut short"],
    )


def test_F11_a_file_is_what_its_content_says_whatever_its_name(
    seen: Seen, tmp_path: Path
) -> None:
    (tmp_path / "x.parquet").write_text(PLAIN)
    pq.write_table(table(), tmp_path / "x.csv")
    assert seen("x.parquet")["steps"] == 30
    found = seen("x.csv")
    assert found["steps"] == 30
    assert "Parquet" in found["notes"]


@pytest.mark.parametrize(
    ("start", "said"),
    [
        (b"PK\x03\x04", "a zip archive, and no workbook"),
        (b"<!doctype html>", "HTML"),
        (b"%PDF-1.4", "a PDF document"),
    ],
)
def test_F11_a_file_that_is_no_table_is_called_what_it_is(
    start: bytes, said: str, refused: Refused, tmp_path: Path
) -> None:
    (tmp_path / "x.csv").write_bytes(start + b" 1,2\n3,4\n")
    refused("fit", "x.csv", "--target", "y", says=[f"x.csv is {said}"])


def test_F12_a_flipped_byte_is_refused_where_there_are_checksums(
    refused: Refused, tmp_path: Path
) -> None:
    pq.write_table(
        table(1000),
        tmp_path / "x.parquet",
        write_page_checksum=True,
        compression="none",
        use_dictionary=False,
    )
    data = bytearray((tmp_path / "x.parquet").read_bytes())
    data[data.index(np.float64(500.5).tobytes())] ^= 1
    (tmp_path / "x.parquet").write_bytes(data)
    refused(
        "fit",
        "x.parquet",
        "--target",
        "y",
        says=["x.parquet: the Parquet data are damaged"],
    )


def test_F13_a_folder_of_parquet_is_a_data_set(seen: Seen, tmp_path: Path) -> None:
    for shop in ("007", "008"):
        (tmp_path / "sales" / f"shop={shop}").mkdir(parents=True)
        pq.write_table(table(), tmp_path / "sales" / f"shop={shop}" / "part.parquet")
    found = seen("sales")
    assert (found["series"], found["n_series"], found["steps"]) == (["shop"], 2, 60)
    assert {column["name"]: column["first"] for column in found["columns"]}[
        "shop"
    ] == "007"


def test_F13_any_other_folder_is_refused_with_what_to_do(
    refused: Refused, tmp_path: Path
) -> None:
    (tmp_path / "sales").mkdir()
    (tmp_path / "sales" / "a.csv").write_text(PLAIN)
    refused(
        "fit",
        "sales",
        "--target",
        "y",
        says=["sales is a folder of 1 text files", "give one of them", "a.csv"],
    )


def test_F13_a_pipe_with_a_name_is_read(seen: Seen, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_text, args=(PLAIN,))
    writer.start()
    assert seen("pipe")["steps"] == 30
    writer.join()


def test_F13_dev_stdin_is_read(seen: Seen) -> None:
    assert seen("/dev/stdin", input=PLAIN)["steps"] == 30


def write_huge(path: Path, size: int) -> None:
    """A file that begins as a table and goes on as a hole, which takes no disk."""
    with path.open("w") as file:
        file.write(PLAIN)
        file.truncate(size)


def test_F14_a_file_that_memory_cannot_hold_is_refused_before_it_is_read(
    refused: Refused, tmp_path: Path
) -> None:
    write_huge(tmp_path / "x.csv", 10**13)
    refused(
        "fit",
        "x.csv",
        "--target",
        "y",
        status=6,
        says=["x.csv holds 10 TB: too much for the ", "--max-bytes"],
    )


def test_F14_a_limit_on_memory_is_seen_in_time(
    refused: Refused, tmp_path: Path
) -> None:
    write_huge(tmp_path / "x.csv", 10**9)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (2 * 10**9, 2 * 10**9))

    refused(
        "fit",
        "x.csv",
        "--target",
        "y",
        status=6,
        says=["x.csv holds 1 GB: too much for"],
        preexec_fn=limit,
    )


def test_F15_nul_bytes_are_refused(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(PLAIN.encode() + b"2024-03-31,\0\n")
    refused(
        "fit", "x.csv", "--target", "y", says=[f"x.csv: byte {len(PLAIN) + 11} is NUL"]
    )


def test_F16_ragged_rows_are_refused_or_skipped_as_asked(
    refused: Refused, seen: Seen, tmp_path: Path
) -> None:
    (tmp_path / "x.csv").write_text(PLAIN + "2024-03-31\n2024-04-01,5,6\n")
    says = [
        "x.csv:32: 1 value where the header names 2 columns (and 1 more such lines)",
        "--bad-rows skip",
    ]
    refused("fit", "x.csv", "--target", "y", says=says)
    found = seen("x.csv", "--bad-rows", "skip")
    assert found["steps"] == 30
    assert "skipped 2 rows not of 2 columns, the first on line 32" in found["notes"]


def test_F17_an_open_quote_is_refused_with_its_line(
    refused: Refused, tmp_path: Path
) -> None:
    (tmp_path / "x.csv").write_text(PLAIN + '2024-03-31,"5\n2024-04-01,6\n')
    refused(
        "fit",
        "x.csv",
        "--target",
        "y",
        says=["x.csv:32: a quote is opened here and never closed", "close it"],
    )


def test_F18_a_name_that_is_there_twice_is_refused(
    refused: Refused, tmp_path: Path
) -> None:
    (tmp_path / "x.csv").write_text(days(y=str, price=str).replace("price", "y"))
    refused(
        "fit",
        "x.csv",
        "--target",
        "y",
        says=["x.csv:1: column 'y' is there 2 times", "rename one of them"],
    )


def test_F19_spaces_around_names_are_trimmed(seen: Seen, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(PLAIN.replace("date,y", " date , y "))
    found = seen("x.csv")
    assert found["target"] == ["y"]
    assert "spaces around column names trimmed" in found["notes"]


def test_F20_ids_stay_as_they_are_written(seen: Seen, tmp_path: Path) -> None:
    parts = [days(id=lambda _, name=name: name, y=str) for name in ("NA", "007", "7")]
    (tmp_path / "x.csv").write_text(
        parts[0] + "".join(part.partition("\n")[2] for part in parts[1:])
    )
    found = seen("x.csv")
    assert (found["series"], found["n_series"]) == (["id"], 3)


def test_F21_line_ends_of_old_macs_are_read(seen: Seen, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(PLAIN.replace("\n", "\r").encode())
    found = seen("x.csv")
    assert found["steps"] == 30
    assert "line ends of old Macs" in found["notes"]


def test_F_a_file_without_a_header_is_read_and_that_is_said(
    seen: Seen, tmp_path: Path
) -> None:
    (tmp_path / "x.csv").write_text(PLAIN.partition("\n")[2])
    found = seen("x.csv")
    assert (found["time"], found["target"], found["steps"]) == (
        ["column1"],
        ["column2"],
        30,
    )
    assert "no header line: columns are named column1 to column2" in found["notes"]


@pytest.mark.parametrize("value", ["inf", "1e400"])
def test_V2_infinite_values_are_refused(
    value: str, refused: Refused, tmp_path: Path
) -> None:
    (tmp_path / "x.csv").write_text(days(y=lambda day: value if day in (7, 9) else day))
    refused(
        "fit",
        "x.csv",
        "--target",
        "y",
        says=[f"x.csv:8: column 'y': '{value}' is ", "(and 1 more", "mend the file"],
    )


def test_V3_texts_among_numbers_are_refused_with_their_counts(
    refused: Refused, seen: Seen, tmp_path: Path
) -> None:
    marks = {3: "-", 4: "-", 5: "-", 6: "closed"}
    (tmp_path / "x.csv").write_text(days(y=lambda day: marks.get(day, day)))
    says = [
        "x.csv:4: column 'y': '-' is not a number (and 3 more: '-' 3 times, 'closed')",
        "add --na -",
    ]
    refused("fit", "x.csv", "--target", "y", says=says)
    found = seen("x.csv", "--na", "-", "--na", "closed")
    assert found["target"] == ["y"]


def test_X2_a_gzip_that_unpacks_without_end_is_refused(
    refused: Refused, tmp_path: Path
) -> None:
    (tmp_path / "x.csv").write_bytes(
        gzip.compress(PLAIN.encode() + b"2024-04-01,1\n" * 5_000_000)
    )
    says = [
        "x.csv holds more than ",
        "and --max-bytes allows 10 MB",
        "--max-bytes 16GB",
    ]
    refused("fit", "x.csv", "--target", "y", "--max-bytes", "10MB", status=6, says=says)


def test_X2_a_parquet_of_very_many_rows_is_refused_before_it_is_unpacked(
    refused: Refused, tmp_path: Path
) -> None:
    rows = 50_000_000
    pq.write_table(
        pa.table({"y": pa.repeat(pa.scalar(1.0), rows)}),
        tmp_path / "x.parquet",
        row_group_size=rows,
    )
    assert (tmp_path / "x.parquet").stat().st_size < 10**6
    says = ["50,000,000 rows of 1 columns", "--max-bytes allows 100 MB"]
    refused(
        "fit", "x.parquet", "--target", "y", "--max-bytes", "100MB", status=6, says=says
    )


def test_X2_a_dictionary_of_long_texts_is_refused_before_it_is_written_out(
    refused: Refused, tmp_path: Path
) -> None:
    codes = pa.array(np.zeros(10**6, np.int32))
    texts = pa.DictionaryArray.from_arrays(codes, pa.array(["x" * 10**5]))
    pq.write_table(
        pa.table({"id": texts, "y": np.arange(10**6) * 1.0}), tmp_path / "x.parquet"
    )
    says = ["x.parquet holds ", "100 GB", "--max-bytes allows 1 GB"]
    refused(
        "fit", "x.parquet", "--target", "y", "--max-bytes", "1GB", status=6, says=says
    )
