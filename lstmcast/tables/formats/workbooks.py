"""Sheets of workbooks to columns: .xlsx, .xlsb, .xls and .ods, read by calamine."""

import io
import zipfile
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from lstmcast.errors import DataError, format_names, suggest_similar
from lstmcast.extras import require_extra
from lstmcast.tables.formats.columns import format_value, make_column
from lstmcast.tables.source import Source, damaged_data_error

_ZIP_MAGIC = b"PK\x03\x04"
_OLD_WORKBOOK_MAGIC = b"\xd0\xcf\x11\xe0"
_ZIPPED_PARTS = {
    "xl/workbook.xml": "Excel workbook",
    "xl/workbook.bin": "Excel workbook",
    "content.xml": "OpenDocument sheet",
}
"""A file that is in every archive of a kind."""
_CELL_BYTES = 100
"""Bytes that a cell takes while it is read, as a value of Python in a list."""


def find_workbook_kind(source: Source) -> str:
    """Return what kind of workbook a file is; empty for none."""
    if source.start.startswith(_OLD_WORKBOOK_MAGIC):
        return "old Excel workbook"
    if not source.start.startswith(_ZIP_MAGIC):
        return ""
    try:
        with zipfile.ZipFile(io.BytesIO(source.read())) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return ""
    kinds = [kind for part, kind in _ZIPPED_PARTS.items() if part in names]
    return kinds[0] if kinds else ""


def read_workbook(
    source: Source, kind: str, sheet: str = ""
) -> tuple[pa.Table, tuple[str, ...]]:
    """Return the columns of a sheet, the first one unless it is named, and notes on it.

    The first row that is not empty holds the names. Raises DataError where the file is damaged or
    has a password, the sheet is not there or empty, or a name is missing or there twice;
    ResourceError where it unpacks to more than its limit allows; UsageError without calamine.
    """
    require_extra("workbooks need", "excel", "python_calamine")
    import python_calamine as calamine

    data = source.read()
    _require_unpacked_size(source, data)
    try:
        with calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)) as book:
            names = list(book.sheet_names)
            chosen = _choose_sheet(names, sheet, source.name)
            opened = book.get_sheet_by_name(chosen)
            cells = opened.total_height * opened.total_width
            if cells * _CELL_BYTES > source.allowed * 4:
                what = f"{cells:,} cells"
                raise source.too_large_error(cells * _CELL_BYTES, what)
            rows = opened.to_python(skip_empty_area=True)
    except calamine.PasswordError:
        raise DataError(
            f"{source.name} is protected by a password", "save it without one"
        ) from None
    except calamine.CalamineError as error:
        raise damaged_data_error(source.name, kind) from error

    columns = _rows_to_columns(rows, source.name, chosen)
    others = f" of {len(names)}" if len(names) > 1 else ""
    return columns, (f"{kind}, sheet {chosen!r}{others}",)


def _require_unpacked_size(source: Source, data: bytes) -> None:
    """Raise ResourceError where an archive says that it holds more than is allowed."""
    if not data.startswith(_ZIP_MAGIC):
        return
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        unpacked = sum(part.file_size for part in archive.infolist())
    if unpacked > source.allowed:
        raise source.too_large_error(unpacked)


def _choose_sheet(names: Sequence[str], sheet: str, file: str) -> str:
    if not names:
        raise DataError(f"{file} has no sheets", "give a workbook with a sheet")
    if not sheet:
        return names[0]
    if sheet not in names:
        hint = suggest_similar(sheet, names)
        raise DataError(f"{file} has no sheet {sheet!r}", hint)
    return sheet


def _rows_to_columns(rows: list[list[Any]], file: str, sheet: str) -> pa.Table:
    filled = [row for row in rows if any(cell != "" for cell in row)]
    if len(filled) < 2:
        raise DataError(
            f"{file}: sheet {sheet!r} has no rows below a line of names",
            "name another sheet, as in FILE::SHEET",
        )
    header, *body = filled
    # Columns without a name and without cells are no part of the table.
    places = [
        place
        for place in range(len(header))
        if header[place] != "" or any(row[place] != "" for row in body)
    ]
    names = [format_value(header[place]).strip() for place in places]
    _require_names(names, file, sheet)
    columns = {
        name: make_column([row[place] for row in body])
        for name, place in zip(names, places, strict=True)
    }
    return pa.table(columns)


def _require_names(names: Sequence[str], file: str, sheet: str) -> None:
    unnamed = names.count("")
    if unnamed:
        raise DataError(
            f"{file}: sheet {sheet!r}: {unnamed} of {len(names)} columns have no name"
            " in the first row",
            "let the first row hold the names, without a title above it",
        )
    repeated = sorted({repr(name) for name in names if names.count(name) > 1})
    if repeated:
        listed = format_names(repeated)
        raise DataError(
            f"{file}: sheet {sheet!r}: column {listed} is there more than once",
            "rename one of them",
        )
