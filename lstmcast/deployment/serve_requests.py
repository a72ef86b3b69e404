"""What a request for a forecast asks for, parsed from its address and body.

Knows no web framework.
"""

import json
import re
from dataclasses import dataclass, replace
from typing import Any

from lstmcast.config import DEFAULT_QUANTILE_LEVELS, DataConfig, parse_quantile_levels
from lstmcast.errors import DataError, UsageError

MAX_REQUEST_HORIZON = 10_000
"""Most steps ahead that a request may ask for."""
_OBJECT_KEYS = {"rows", "horizon", "quantiles"}
_FIELD_OPTION = re.compile(r"--(horizon|quantiles)\b")
"""Options of the command line that a request has as fields."""
_OTHER_OPTION = re.compile(r"(?<![\w-])--[a-z]|(?<![\w-])-[a-z]\b|\blstmcast [a-z]")
"""Options and commands of the command line that a client has not."""
_ROWS_HINT = "send rows that are written as the run's training data were"


@dataclass(frozen=True)
class ForecastRequest:
    """What a request asks for: steps ahead, quantile levels, and a table of newer rows.

    Without a horizon it is that of the run; without a table the forecast continues from the end of
    the training data.
    """

    horizon: int | None = None
    quantiles: tuple[float, ...] = DEFAULT_QUANTILE_LEVELS
    table: Any = None


def to_request_hint(hint: str) -> str:
    """Return what a client can do of what a hint of the command line says.

    Options become fields of the request; ways out that need any other option are left out.
    """
    hint = _FIELD_OPTION.sub(r"\1", hint)
    if not _OTHER_OPTION.search(hint):
        return hint
    ways = re.split(r"[,;] or |; | or ", hint)
    possible = [way for way in ways if not _OTHER_OPTION.search(way)]
    return ", or ".join(possible) or _ROWS_HINT


def parse_request(
    body: bytes,
    content_type: str,
    horizon: int | None,
    quantiles: str | None,
    config: DataConfig,
    limit: int,
) -> ForecastRequest:
    """Return what a request asks for; its address goes before the object in its body.

    body: a JSON object or list, a table in any format that files may have, or nothing. horizon,
    quantiles: from the address. config: how the run's training data were read. limit: most bytes of
    the unpacked table. Raises UsageError for options that are out of range, DataError where the
    body cannot be read.
    """
    request = ForecastRequest()
    start = body.lstrip()[:1]
    # By what it looks like: many clients send JSON without saying so.
    if start in (b"{", b"[") or ("json" in content_type and start):
        request = _request_from_json(_parse_json(body))
    elif start:
        from lstmcast.tables.read import read_bytes

        limited = replace(config, max_bytes=limit)
        table = read_bytes(body, "request", limited)
        request = ForecastRequest(table=table)

    # The address is looked at last, so that it counts.
    if horizon is not None:
        request = replace(request, horizon=_require_horizon(horizon))
    if quantiles is not None:
        request = replace(request, quantiles=parse_quantile_levels(quantiles))
    return request


def _parse_json(body: bytes) -> Any:
    hint = 'send {"rows": [{"date": "2024-01-31", ...}, ...]}, or CSV'
    try:
        content = json.loads(body)
        # A text may hold half of a character, which is none and cannot be written again.
        json.dumps(content, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        half = error.object[error.start]
        raise DataError(
            f"request: {ascii(half)} is half of a character", hint
        ) from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"request: not valid JSON: {error}", hint) from None
    return content


def _request_from_json(content: Any) -> ForecastRequest:
    """Return what an object asks for; a list is the rows of such an object."""
    if isinstance(content, list):
        content = {"rows": content}
    if not isinstance(content, dict) or not set(content) <= _OBJECT_KEYS:
        raise UsageError(
            "the object has keys other than rows, horizon and quantiles",
            "see /openapi.json",
        )
    request = ForecastRequest()
    levels = content.get("quantiles")
    if levels is not None:
        request = replace(request, quantiles=_levels_from_json(levels))
    horizon = content.get("horizon")
    if horizon is not None:
        request = replace(request, horizon=_require_horizon(horizon))
    rows = content.get("rows")
    if rows is not None:
        request = replace(request, table=_table_from_json(rows))
    return request


def _levels_from_json(levels: Any) -> tuple[float, ...]:
    is_list = isinstance(levels, list)
    if not is_list or not all(isinstance(level, int | float) for level in levels):
        raise UsageError(
            "quantiles is not a list of numbers",
            "give levels between 0 and 1, such as [0.1, 0.5, 0.9]",
        )
    return parse_quantile_levels(",".join(map(str, levels)))


def _require_horizon(horizon: Any) -> int:
    # To Python, true is a number.
    is_integer = isinstance(horizon, int) and not isinstance(horizon, bool)
    if not is_integer or not 1 <= horizon <= MAX_REQUEST_HORIZON:
        raise UsageError(
            f"horizon {horizon!r} is out of range",
            f"give a whole number from 1 to {MAX_REQUEST_HORIZON:,}",
        )
    return int(horizon)


def _table_from_json(rows: Any) -> Any:
    """Return the rows of an object as a table."""
    import pandas as pd

    from lstmcast.tables.table import Table

    is_list = isinstance(rows, list) and len(rows) > 0
    if not is_list or not all(map(_is_plain_object, rows)):
        raise DataError(
            "request: rows is not a list of objects with one plain value a column",
            "see /openapi.json",
        )
    return Table(pd.DataFrame(rows), "request")


def _is_plain_object(row: Any) -> bool:
    if not isinstance(row, dict):
        return False
    return not any(isinstance(cell, dict | list) for cell in row.values())
