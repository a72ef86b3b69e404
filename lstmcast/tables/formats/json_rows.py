"""JSON to columns: a list of objects, one object a line, or an object of lists.

Values within values are left out, as lists and structs of Parquet are.
"""

import json
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from lstmcast.errors import DataError
from lstmcast.tables.formats.columns import make_column
from lstmcast.tables.source import Source

_OBJECT_MEMORY_FACTOR = 2
"""Values of Python take at most this many times what the same table takes as text."""
_SHAPES_HINT = (
    "give a list of objects, [{...}, ...], one object a line, or an object of lists"
)


def looks_like_json(start: bytes) -> bool:
    """Whether the first bytes of a file are those of JSON."""
    return start.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[")


def read_json(source: Source) -> tuple[pa.Table, str]:
    """Return the columns of a JSON file, and the name of its form.

    Raises DataError with the line where it is no JSON or no table, ResourceError where it holds
    more than its limit allows.
    """
    data = source.read()
    if source.limit is None and len(data) * _OBJECT_MEMORY_FACTOR > source.allowed:
        raise source.too_large_error(len(data))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{source.name} is not JSON in UTF-8: byte {error.start + 1} is none of it",
            "write it in UTF-8",
        ) from None

    first, second = _first_lines(text)
    if second.startswith("{") and _is_whole(first):
        rows = _parse_lines(text, source.name)
        return _rows_to_columns(rows, source.name), "JSON lines"
    return _read_whole(text, source.name)


def _first_lines(text: str) -> tuple[str, str]:
    """The first two lines that are not empty."""
    lines: list[str] = []
    start = 0
    while len(lines) < 2 and start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        line = text[start:end].strip()
        if line:
            lines.append(line)
        start = end + 1
    first, second, *_ = [*lines, "", ""]
    return first, second


def _is_whole(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _read_whole(text: str, name: str) -> tuple[pa.Table, str]:
    content = _parse(text, name, 1)
    if isinstance(content, dict) and content:
        values = content.values()
        lists = [value for value in values if isinstance(value, list)]
        # A single row is an object, too.
        if not any(isinstance(value, dict | list) for value in values):
            return _rows_to_columns([content], name), "JSON"
        if len(lists) == len(content):
            return _lists_to_columns(content, name), "JSON"
        if len(lists) == 1:  # rows under a key, beside facts about them
            content = lists[0]
    if not isinstance(content, list):
        raise DataError(f"{name} is JSON, but no table", _SHAPES_HINT)
    return _rows_to_columns(content, name), "JSON"


def _parse_lines(text: str, name: str) -> Iterable[Any]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield _parse(line, name, number)


def _parse(text: str, name: str, first_line: int) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        line = first_line + error.lineno - 1
        raise DataError(
            f"{name}:{line}: not valid JSON: {error.msg}, at character {error.colno}",
            "correct it there, or write the file anew",
        ) from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{name}: not valid JSON: {error}", _SHAPES_HINT) from None


def _rows_to_columns(rows: Iterable[Any], name: str) -> pa.Table:
    """Rows as columns: the keys of all rows, in the order in which they first come."""
    values_by_key: dict[str, list[Any]] = {}
    count = 0
    for row in rows:
        if not isinstance(row, dict):
            raise DataError(f"{name}: row {count + 1} is no object", _SHAPES_HINT)
        for key, value in row.items():
            values = values_by_key.setdefault(key, [])
            # A key that was missing so far has no value in the rows before.
            values.extend([None] * (count - len(values)))
            values.append(value)
        count += 1
    for values in values_by_key.values():
        values.extend([None] * (count - len(values)))
    return _make_table(values_by_key, name)


def _lists_to_columns(content: dict[str, list[Any]], name: str) -> pa.Table:
    lengths = {len(values) for values in content.values()}
    if len(lengths) > 1:
        raise DataError(
            f"{name}: its lists have different lengths, {min(lengths)} to {max(lengths)}",
            _SHAPES_HINT,
        )
    return _make_table(content, name)


def _make_table(values_by_key: dict[str, list[Any]], name: str) -> pa.Table:
    flat = {
        key: values
        for key, values in values_by_key.items()
        if not any(isinstance(value, dict | list) for value in values)
    }
    if not flat:
        raise DataError(f"{name} has no rows", "give a file with rows")
    try:
        return pa.table({key: make_column(values) for key, values in flat.items()})
    except (pa.ArrowException, UnicodeEncodeError) as error:
        raise DataError(f"{name}: not a table: {error}", _SHAPES_HINT) from None
