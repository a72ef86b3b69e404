"""The result of a command, as bytes on stdout or in a file: exact numbers, the same bytes wherever they go."""

import csv
import io
import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstmcast.cli.show import console
from lstmcast.errors import ResourceError, UsageError, suggest_similar

if TYPE_CHECKING:
    import pandas as pd

    Columnar = pd.DataFrame | dict[str, Any]

OUTPUT_SCHEMA_VERSION = 1
TABLE_FORMATS = ("csv", "tsv", "json", "jsonl", "parquet", "table")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
MAX_TERMINAL_ROWS = 200
"""Rows of a table that a terminal is shown unasked."""


def choose_format(file: str | None, wanted: str | None) -> str:
    """Return the format to write: as asked, by the file's extension, else what suits stdout. Raises UsageError."""
    if wanted is not None:
        if wanted not in TABLE_FORMATS:
            raise UsageError(f"unknown --format {wanted!r}", suggest_similar(wanted, TABLE_FORMATS))
        if wanted == "parquet" and file is None and sys.stdout.isatty():
            raise UsageError("Parquet is not for a terminal", "give -o FILE")
        return wanted
    if file is None or file == "-":
        return "table" if sys.stdout.isatty() else "csv"
    extension = Path(file).suffix.lower().lstrip(".")
    if extension in TABLE_FORMATS[:-1]:
        return extension
    if Path(file).exists() and not Path(file).is_file():
        return "csv"  # a pipe or a device
    raise UsageError(
        f"no format is known by the extension of {file!r}",
        f"use one of {_list_extensions()}, or give --format",
    )


def with_escaped_formulas(
    table: "Columnar", form: str, report: console.Reporter, *, safe: bool
) -> "Columnar":
    """Return the table to write as text: if `safe`, with an apostrophe before texts that a spreadsheet would execute.

    Otherwise nothing is changed, and that there are such texts is said.
    """
    if form not in ("csv", "tsv"):
        return table
    texts = {
        str(name): _to_plain_values(column)
        for name, column in table.items()
        if column.dtype.kind not in "iubfM"
    }
    found = [
        text
        for column in texts.values()
        for text in column
        if text and text.startswith(_FORMULA_STARTS)
    ]
    if not safe and found:
        report.say(
            f"a spreadsheet may take {found[0]!r} for a formula; --excel-safe writes an apostrophe before it"
        )
    if not safe or not found:
        return table
    return columns_to_frame(table).assign(
        **{
            name: [
                f"'{text}" if text and text.startswith(_FORMULA_STARTS) else text for text in column
            ]
            for name, column in texts.items()
        }
    )


def columns_to_frame(table: "Columnar") -> "pd.DataFrame":
    """Return columns as a frame."""
    import pandas as pd

    return table if isinstance(table, pd.DataFrame) else pd.DataFrame(table)


def write_frame(table: "Columnar", file: str | None, form: str, *, whole: bool = True) -> None:
    """Write a table to a file or to stdout; unless `whole`, a long one is cut short on a terminal, and that is said."""
    if form == "table" and file is None:
        _draw_frame(columns_to_frame(table), whole=whole or not sys.stdout.isatty())
        return
    data = encode_table(table, form)
    if file is None or file == "-":
        write_stdout(data)
    else:
        from lstmcast.runs.disk import write_file

        write_file(file, data)


def encode_table(table: "Columnar", form: str, *, header: bool = True) -> bytes:
    """Return a table as bytes of one of FORMATS; numbers read back to the same float. header: of CSV and TSV."""
    if form in ("csv", "tsv") and isinstance(table, dict) and all(map(_is_array, table.values())):
        return _encode_separated(table, "\t" if form == "tsv" else ",", header=header)
    frame = columns_to_frame(table)
    if form == "parquet":
        return _encode_parquet(frame)
    if form == "table":
        names, rows, _ = _format_cells(frame)
        return ("\n".join(console.format_table(names, rows)) + "\n").encode()
    if form in ("csv", "tsv"):
        text = frame.to_csv(
            index=False, header=header, lineterminator="\n", sep="\t" if form == "tsv" else ","
        )
        return text.encode("utf-8", "surrogateescape")
    lines = [json.dumps(row, ensure_ascii=False, allow_nan=False) for row in to_records(frame)]
    text = (
        "".join(f"{line}\n" for line in lines)
        if form == "jsonl"
        else "[\n" + ",\n".join(lines) + "\n]\n"
    )
    return text.encode("utf-8", "surrogateescape")


def _encode_separated(columns: dict[str, Any], sign: str, *, header: bool) -> bytes:
    """Return columns of numbers and texts as pandas would write them, without loading it."""
    text = io.StringIO()
    table = csv.writer(text, delimiter=sign, lineterminator="\n")
    if header:
        table.writerow(columns)
    table.writerows(zip(*map(_to_plain_values, columns.values()), strict=True))
    return text.getvalue().encode("utf-8", "surrogateescape")


def _is_array(column: Any) -> bool:
    """Whether a column is a plain array of numbers or texts, not one of pandas."""
    return not hasattr(column, "isna")


def to_records(table: "Columnar") -> list[dict[str, Any]]:
    """Return the rows of a table as JSON objects: missing values as null, times as text."""
    columns = {str(name): _to_plain_values(column) for name, column in table.items()}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def write_object(command: str, content: dict[str, Any]) -> None:
    """Write the one JSON object of `--json`."""
    full = {"schema_version": OUTPUT_SCHEMA_VERSION, "command": command, **content}
    write_stdout(
        json.dumps(full, ensure_ascii=False, allow_nan=False).encode("utf-8", "surrogateescape")
        + b"\n"
    )


def write_stdout(data: bytes) -> None:
    """Write data to stdout, all of it or an error: ResourceError; BrokenPipeError where its reader is done."""
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise ResourceError(f"cannot write to stdout: {error.strerror}") from error


def _draw_frame(frame: "pd.DataFrame", *, whole: bool) -> None:
    shown = frame if whole else frame.head(MAX_TERMINAL_ROWS)
    header, rows, numeric = _format_cells(shown)
    console.draw_table(header, rows, numeric)
    if len(shown) < len(frame):
        console.write_message(
            f"{len(frame) - MAX_TERMINAL_ROWS} more rows: -o FILE, a pipe or --format table gives them all"
        )


def _format_cells(frame: "pd.DataFrame") -> tuple[list[str], list[list[str]], list[bool]]:
    numeric = [kind.kind == "f" for kind in frame.dtypes]
    columns = [
        _format_column(frame[name]) if n else _column_texts(frame[name])
        for name, n in zip(frame, numeric, strict=True)
    ]
    return [str(name) for name in frame], [list(row) for row in zip(*columns, strict=True)], numeric


def _format_column(column: "pd.Series[Any]") -> list[str]:
    """Return one number of decimals for a whole column, so that it reads well."""
    largest = max((abs(value) for value in column if math.isfinite(value)), default=0.0)
    if largest and not 1e-4 <= largest < 1e9:
        return ["" if math.isnan(value) else f"{value:.4e}" for value in column]
    decimals = min(8, max(0, 4 - math.floor(math.log10(largest)))) if largest else 0
    return ["" if math.isnan(value) else f"{value:.{decimals}f}" for value in column]


def _column_texts(column: "pd.Series[Any]") -> list[str]:
    return ["" if value is None else str(value) for value in _to_plain_values(column)]


def _to_plain_values(column: Any) -> list[Any]:
    values: list[Any]
    if column.dtype.kind in "iub" or (column.dtype.kind == "O" and _is_array(column)):
        values = column.tolist()
        return values
    if column.dtype.kind == "f":
        return [value if math.isfinite(value) else None for value in column.tolist()]
    texts = zip(column, column.astype(str), column.isna(), strict=True)
    return [
        None if missing else value if isinstance(value, int) else text
        for value, text, missing in texts
    ]


def _encode_parquet(frame: "pd.DataFrame") -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(
        pa.Table.from_pandas(frame, preserve_index=False), sink, write_page_checksum=True
    )
    data: bytes = sink.getvalue().to_pybytes()
    return data


def _list_extensions() -> str:
    return " ".join(f".{name}" for name in TABLE_FORMATS[:-1])
