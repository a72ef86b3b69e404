"""The result of a command as bytes, on stdout or in a file.

Numbers are exact, and the bytes are the same wherever they go. Text that came in with bytes outside
UTF-8 (file names, cells) goes out with the same bytes: errors="surrogateescape".
"""

import csv
import io
import json
import math
import sys
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstmcast.cli.show import console, tables
from lstmcast.errors import ResourceError, UsageError, suggest_similar
from lstmcast.extras import require_extra

if TYPE_CHECKING:
    import pandas as pd

    Columnar = pd.DataFrame | dict[str, Any]

OUTPUT_SCHEMA_VERSION = 1
TABLE_FORMATS = ("csv", "tsv", "json", "jsonl", "parquet", "xlsx", "table")
_BINARY_FORMATS = {"parquet": "Parquet", "xlsx": "a workbook"}
_MAX_SHEET_ROWS = 1 << 20
"""Rows of a sheet of a workbook, the header among them."""
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_DIGITS = (5, 4, 3)
"""Significant digits of a number in a table for people: fewer where there is little room."""
MAX_TERMINAL_ROWS = 200
"""Rows of a table that a terminal shows unless a format is requested."""


def choose_format(file: str | None, requested: str | None) -> str:
    """Return the format to write: the requested one, the file's extension, or what suits stdout.

    Raises UsageError for a format or an extension that is unknown.
    """
    if requested is not None:
        return _require_format(requested, file)
    if file is None or file == "-":
        return "table" if sys.stdout.isatty() else "csv"
    extension = Path(file).suffix.lower().lstrip(".")
    if extension in TABLE_FORMATS[:-1]:
        return _require_format(extension, file)
    if Path(file).exists() and not Path(file).is_file():
        return "csv"  # a pipe or a device
    raise UsageError(
        f"no format has the extension of {file!r}",
        f"use one of {_list_extensions()}, or give --format",
    )


def _require_format(requested: str, file: str | None) -> str:
    if requested not in TABLE_FORMATS:
        hint = suggest_similar(requested, TABLE_FORMATS)
        raise UsageError(f"unknown --format {requested!r}", hint)
    binary = _BINARY_FORMATS.get(requested)
    if binary and file is None and sys.stdout.isatty():
        raise UsageError(f"{binary} is not for a terminal", "give -o FILE")
    if requested == "xlsx":
        require_extra("workbooks need", "excel", "xlsxwriter")
    return requested


def with_escaped_formulas(
    table: "Columnar", form: str, report: console.Reporter, *, safe: bool
) -> "Columnar":
    """Return a table whose texts no spreadsheet executes, if `safe`; else report that some may be.

    Only CSV and TSV are concerned: a text that begins like a formula gets an apostrophe before it.
    """
    if form not in ("csv", "tsv"):
        return table
    # Numbers and times are no formulas, though a number may begin with a minus.
    texts = {
        str(name): _to_plain_values(column)
        for name, column in table.items()
        if column.dtype.kind not in "iubfM"
    }
    formulas = [
        text for column in texts.values() for text in column if _is_formula(text)
    ]
    if not formulas:
        return table
    if not safe:
        report.say(
            f"a spreadsheet may take {formulas[0]!r} for a formula; "
            "--excel-safe writes an apostrophe before it"
        )
        return table
    escaped = {
        name: [_escape_formula(text) for text in column]
        for name, column in texts.items()
    }
    return columns_to_frame(table).assign(**escaped)


def _escape_formula(value: Any) -> Any:
    return f"'{value}" if _is_formula(value) else value


def _is_formula(value: object) -> bool:
    return isinstance(value, str) and value.startswith(_FORMULA_STARTS)


def columns_to_frame(table: "Columnar") -> "pd.DataFrame":
    """Return columns as a frame."""
    import pandas as pd

    if isinstance(table, pd.DataFrame):
        return table
    return pd.DataFrame(table)


def write_frame(
    table: "Columnar",
    file: str | None,
    form: str,
    *,
    whole: bool = True,
    expendable: Sequence[str] = (),
) -> None:
    """Write a table to a file or to stdout.

    Unless `whole`, a terminal shows the first rows only, and a message says how many are left out.
    expendable: columns that a narrow terminal does without, the first one first.
    """
    if form == "table" and file is None:
        frame = columns_to_frame(table)
        # A pipe gets all rows: what reads it would not see the message.
        whole = whole or not sys.stdout.isatty()
        _draw_frame(frame, expendable, whole=whole)
        return
    data = encode_table(table, form)
    if file is None or file == "-":
        write_stdout(data)
    else:
        from lstmcast.runs.disk import write_file

        write_file(file, data)


def encode_table(table: "Columnar", form: str, *, header: bool = True) -> bytes:
    """Return a table as bytes of one of TABLE_FORMATS; numbers read back to the same float.

    `header` says whether CSV and TSV begin with the names of the columns.
    """
    if form in ("csv", "tsv"):
        separator = "\t" if form == "tsv" else ","
        return _encode_separated(table, separator, header=header)
    frame = columns_to_frame(table)
    if form == "parquet":
        return _encode_parquet(frame)
    if form == "xlsx":
        return _encode_workbook(frame)
    if form == "table":
        columns = format_columns(frame)
        lines = tables.fit_table(columns, sys.maxsize).lines
        return _join_lines(lines).encode()
    objects = [
        json.dumps(row, ensure_ascii=False, allow_nan=False)
        for row in to_records(frame)
    ]
    if form == "json":
        array = ",\n".join(objects)
        text = f"[\n{array}\n]\n"
    else:
        text = _join_lines(objects)
    return text.encode("utf-8", "surrogateescape")


def _join_lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _encode_separated(table: "Columnar", separator: str, *, header: bool) -> bytes:
    """Return a table as CSV or TSV; where it is plain arrays, without loading pandas."""
    if isinstance(table, dict) and all(map(_is_array, table.values())):
        columns = map(_to_plain_values, table.values())
        buffer = io.StringIO()
        writer = csv.writer(buffer, delimiter=separator, lineterminator="\n")
        if header:
            writer.writerow(table)
        writer.writerows(zip(*columns, strict=True))
        text = buffer.getvalue()
    else:
        frame = columns_to_frame(table)
        text = frame.to_csv(
            index=False, header=header, lineterminator="\n", sep=separator
        )
    return text.encode("utf-8", "surrogateescape")


def _is_array(column: Any) -> bool:
    """Whether a column is a plain array of numbers or texts, not one of pandas."""
    return not hasattr(column, "isna")


def to_records(table: "Columnar") -> list[dict[str, Any]]:
    """Return the rows of a table as JSON objects: missing values as null, times as text."""
    names = [str(name) for name, _ in table.items()]
    columns = [_to_plain_values(column) for _, column in table.items()]
    rows = zip(*columns, strict=True)
    return [dict(zip(names, row, strict=True)) for row in rows]


def write_object(command: str, content: dict[str, Any]) -> None:
    """Write the one JSON object of `--json`."""
    full = {"schema_version": OUTPUT_SCHEMA_VERSION, "command": command, **content}
    text = json.dumps(full, ensure_ascii=False, allow_nan=False)
    write_stdout(text.encode("utf-8", "surrogateescape") + b"\n")


def write_path_or_object(
    command: str, path: object, content: dict[str, Any], *, as_json: bool
) -> None:
    """Write what a command made: its path alone as a line, or with `--json` the whole object."""
    if as_json:
        write_object(command, content)
    else:
        write_lines([str(path)], errors="surrogateescape")


def write_lines(lines: Iterable[str], *, errors: str = "backslashreplace") -> None:
    """Write lines of text; `errors` says what happens to characters that UTF-8 does not have."""
    text = _join_lines(lines)
    write_stdout(text.encode(errors=errors))


def write_stdout(data: bytes) -> None:
    """Write all of the data to stdout.

    Raises ResourceError where that fails, and BrokenPipeError where the reader wants no more.
    """
    try:
        # What was written as text before goes first.
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise ResourceError(f"cannot write to stdout: {error.strerror}") from error


def _draw_frame(
    frame: "pd.DataFrame", expendable: Sequence[str], *, whole: bool
) -> None:
    shown = frame if whole else frame.head(MAX_TERMINAL_ROWS)
    write_lines(tables.draw_table(format_columns(shown), expendable))
    left_out = len(frame) - len(shown)
    if left_out:
        console.write_message(
            f"{left_out} more rows: -o FILE, a pipe or --format table gives them all"
        )


def format_columns(frame: "pd.DataFrame") -> list[tables.Column]:
    """Return the columns as texts; numbers with many and with few digits."""
    columns = []
    for name in frame:
        column = frame[name]
        kind = column.dtype.kind
        if kind == "f":
            forms = tuple(_format_numbers(column, digits) for digits in _DIGITS)
        else:
            forms = (_column_texts(column),)
        columns.append(tables.Column(str(name), forms, kind in "iuf"))
    return columns


def _format_numbers(column: "pd.Series[Any]", digits: int) -> list[str]:
    """Write a column of numbers with one number of decimals, so that it reads well.

    digits: significant digits of the largest number.
    """
    sizes = [abs(value) for value in column if math.isfinite(value)]
    largest = max(sizes, default=0.0)
    if largest and not 1e-4 <= largest < 1e9:
        form = f".{digits - 1}e"
    elif largest:
        # A number with d digits before the point has floor(log10) = d - 1.
        exponent = math.floor(math.log10(largest))
        decimals = min(8, max(0, digits - 1 - exponent))
        form = f".{decimals}f"
    else:
        form = ".0f"
    return ["" if math.isnan(value) else f"{value:{form}}" for value in column]


def _column_texts(column: "pd.Series[Any]") -> list[str]:
    return ["" if value is None else str(value) for value in _to_plain_values(column)]


def _to_plain_values(column: Any) -> list[Any]:
    """Return a column as Python values: numbers as they are, all else as text, missing as None."""
    values: list[Any]
    kind = column.dtype.kind
    # Objects in a plain array are texts; in a column of pandas they may be anything.
    is_text_array = kind == "O" and _is_array(column)
    if kind in "iub":
        values = column.tolist()
        # Integers of pandas may be missing, those of a plain array may not.
        missing = getattr(column.dtype, "na_value", values)
        return [None if value is missing else value for value in values]
    if is_text_array:
        # Times of the kind date are objects of that name, which JSON has not.
        return [str(value) if isinstance(value, date) else value for value in column]
    if kind == "f":
        return [value if math.isfinite(value) else None for value in column.tolist()]
    plain: list[Any] = []
    texts = column.astype(str)
    for value, text, missing in zip(column, texts, column.isna(), strict=True):
        if missing:
            plain.append(None)
        elif isinstance(value, int):
            plain.append(value)
        else:
            plain.append(text)
    return plain


def _encode_parquet(frame: "pd.DataFrame") -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    table = pa.Table.from_pandas(frame, preserve_index=False)
    pq.write_table(table, sink, write_page_checksum=True)
    data: bytes = sink.getvalue().to_pybytes()
    return data


def _encode_workbook(frame: "pd.DataFrame") -> bytes:
    """Return a table as a workbook of one sheet; texts are never formulas or links.

    Raises UsageError for more rows than a sheet has.
    """
    import xlsxwriter

    if len(frame) >= _MAX_SHEET_ROWS:
        raise UsageError(
            f"a workbook has no place for {len(frame):,} rows", "write .csv or .parquet"
        )
    buffer = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(buffer, options) as book:
        # The same table is the same file, whenever it is written.
        book.set_properties({"created": datetime(2000, 1, 1)})
        sheet = book.add_worksheet("lstmcast")
        sheet.write_row(0, 0, [str(name) for name in frame])
        for place, name in enumerate(frame):
            _write_sheet_column(book, sheet, place, frame[name])
        sheet.freeze_panes(1, 0)
        sheet.autofit()
    return buffer.getvalue()


def _write_sheet_column(
    book: Any, sheet: Any, place: int, column: "pd.Series[Any]"
) -> None:
    """Write a column below its name: days and stamps without a zone as such, in their form."""
    values = _to_plain_values(column)
    if column.dtype.kind == "M" and getattr(column.dtype, "tz", None) is None:
        has_clock = bool((column.dropna() != column.dropna().dt.normalize()).any())
        layout = "yyyy-mm-dd hh:mm:ss" if has_clock else "yyyy-mm-dd"
        form = book.add_format({"num_format": layout})
        for row, stamp in enumerate(column, 1):
            if values[row - 1] is not None:
                sheet.write_datetime(row, place, stamp.to_pydatetime(), form)
        return
    for row, value in enumerate(values, 1):
        if isinstance(value, str):
            sheet.write_string(row, place, value)
        elif value is not None:
            sheet.write_number(row, place, value)


def _list_extensions() -> str:
    *file_formats, _ = TABLE_FORMATS  # "table" is for the terminal
    return " ".join(f".{name}" for name in file_formats)
