"""The time column of a table: which one it is, and its stamps as instants with the form they are written in.

Knows tables and dates, but no series values and no frequencies.
"""

import datetime
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lstmcast.config import Columns, DataConfig
from lstmcast.dates import Form, from_numbers, microseconds
from lstmcast.errors import DataError
from lstmcast.layouts import DAY, YEAR_NUMBER, Ints, Parsed, layouts_for, parse
from lstmcast.read import Table, as_text
from lstmcast.timeaxis import TimeAxis

ROWS = "none"
"""`--time none`: there is no time column and rows stand in order."""
_TIMELIKE = re.compile(
    r"t|ds|dt|date.?|time.?|date.?time|time.?stamp|step|steps|year|yr|month|yearmonth|quarter|week|day|hour|period|index|idx|tick",
    re.IGNORECASE,
)
_TIME = re.compile(r"t|ds|dt|date|time|date.?time|time.?stamp|steps?|year", re.IGNORECASE)
"""Names that mean the time and nothing else: such a column is never passed over in silence."""
_SPLIT = ("year", "month", "day", "hour", "minute", "second")
_SPLIT_LAYOUTS = ("%Y", "%Y-%m", "%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S")
_ORDERS = {"d": "day before month", "m": "month before day"}


@dataclass(frozen=True)
class Reading:
    """The stamps of a table's rows: instants [rows] and their form; instants is None where rows stand in order."""

    columns: tuple[str, ...]
    name: str
    form: Form
    instants: Ints | None
    notes: tuple[str, ...] = ()


def read_time(table: Table, columns: Columns, config: DataConfig, codes: Ints, like: TimeAxis | None) -> Reading:
    """Read the time column that `columns` names, or the only one that parses as time.

    codes [rows]: the series of each row. Raises DataError where there is no such column, there are several, a cell is
    empty or does not parse, or day and month cannot be told apart.
    """
    names = columns.time
    notes: tuple[str, ...] = ()
    if not names:
        names, notes = find_time(table, columns, codes)
    if names == (ROWS,):
        return Reading(names, "step", Form("step"), None, notes)
    table.require(names)
    one = len(names) == 1
    reading = _read_column(table, names[0], config, like) if one else _read_split(table, names, config, like)
    return Reading(names, reading.name, reading.form, reading.instants, notes + reading.notes)


def find_time(table: Table, columns: Columns, codes: Ints) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The time column(s) and a note: the only column of dates, else year, month..., else the only column of steps."""
    taken = {*columns.target, *columns.series, *columns.past, *columns.future, *columns.static}
    free = [str(name) for name in table.frame.columns if name not in taken]
    kinds = {name: _kind(table.frame[name], name, codes) for name in free}
    split = _split_columns(free)
    for kind in ("date", "split", "step"):
        if kind == "split" and len(split) > 1:
            return split, (f"time is split over {', '.join(split)}",)
        found = [name for name in free if kinds[name] == kind]
        if len(found) > 1:
            shown = ", ".join(repr(name) for name in found)
            hint = f"name one, as in --time {shlex.quote(found[0])}"
            raise DataError(f"{table.name}: several columns could be the time: {shown}", hint)
        if found:
            return (found[0],), (f"time is {found[0]!r}",)
    for name in free:
        if _TIME.fullmatch(name):
            raise _no_time(table, name)
    return (ROWS,), ("no time column: rows are taken in order",)


def _no_time(table: Table, name: str) -> DataError:
    first = table.frame[name].dropna().iloc[:1].tolist()
    shown = f": {str(first[0])!r}" if first else ""
    return DataError(
        f"{table.name}: column {name!r} does not read as time{shown}",
        "say how it is written with --date-format '%d.%m.%Y', or take rows in order with --time none",
    )


def _split_columns(free: list[str]) -> tuple[str, ...]:
    """Columns year, month, day... as far as they go without a break."""
    folded = {name.casefold(): name for name in reversed(free)}
    found: list[str] = []
    for part in _SPLIT:
        if part not in folded:
            break
        found.append(folded[part])
    return tuple(found)


def _kind(series: pd.Series, name: str, codes: Ints) -> str:
    """Whether a column reads as dates ("date"), could count steps ("step"), or neither ("")."""
    if _is_typed(series):
        return "date"
    if pd.api.types.is_numeric_dtype(series.dtype) or pd.api.types.is_bool_dtype(series.dtype):
        return _number_kind(series, name, codes)
    head = series.dropna().iloc[:1000]
    if not len(head) or not isinstance(head.iloc[0], str):
        return ""
    texts = pc.utf8_trim_whitespace(as_text(head))
    if np.asarray(pc.match_substring_regex(texts, r"^-?\d+$")).all():
        whole = pd.to_numeric(series, errors="coerce")
        return "" if series.isna().any() else _number_kind(whole, name, codes)
    layouts = _candidates(pc.unique(texts))
    best = max((parse(layout, texts).good.mean() for layout in layouts), default=0.0)
    if best < 0.5:
        return ""
    if layouts[0] == YEAR_NUMBER:
        return "step" if _distinct(as_text(series), codes) else ""
    return "date"


def _number_kind(series: pd.Series, name: str, codes: Ints) -> str:
    if pd.api.types.is_bool_dtype(series.dtype) or series.isna().any() or not len(series):
        return ""
    values = series.to_numpy(dtype=np.float64)
    if (values != np.floor(values)).any() or abs(values).max() > 2**62:
        return ""
    form = from_numbers(values.astype(np.int64), name)[1]
    if form.layout == "%Y%m%d":
        return "date"
    counts = _TIMELIKE.fullmatch(name) and _distinct(pa.array(values), codes)
    return "step" if counts or _TIME.fullmatch(name) else ""


def _distinct(values: pa.Array, codes: Ints) -> bool:
    """Whether no value comes twice in one series."""
    encoded = pc.dictionary_encode(values)
    if pc.any(pc.is_null(values)).as_py():
        return False
    pairs = codes * np.int64(len(encoded.dictionary)) + encoded.indices.to_numpy(zero_copy_only=False)
    return len(np.unique(pairs)) == len(pairs)


def _is_typed(series: pd.Series) -> bool:
    if isinstance(series.dtype, pd.PeriodDtype) or pd.api.types.is_datetime64_any_dtype(series.dtype):
        return True
    first = series.dropna().iloc[:1].tolist() if series.dtype == object else []
    return bool(first) and isinstance(first[0], datetime.date)


def _read_column(table: Table, name: str, config: DataConfig, like: TimeAxis | None) -> Reading:
    series = table.frame[name]
    missing = series.isna().to_numpy()
    if missing.any():
        row, count = int(missing.argmax()), int(missing.sum())
        more = f" (and {count - 1} more)" if count > 1 else ""
        raise DataError(f"{table.locate(row)}: column {name!r}: the time is empty{more}", "give every row a time")
    if _is_typed(series):
        return _read_typed(series, name)
    if pd.api.types.is_numeric_dtype(series.dtype):
        return _read_numbers(table, series, name, config, like)
    texts = pc.utf8_trim_whitespace(as_text(series))
    if config.date_format is None and np.asarray(pc.match_substring_regex(texts, r"^-?\d{1,18}$")).all():
        whole = pd.Series(pc.cast(texts, pa.int64()).to_numpy(zero_copy_only=False))
        return _read_numbers(table, whole, name, config, like)
    return _read_texts(table, texts, name, config, like)


def _read_typed(series: pd.Series, name: str) -> Reading:
    if isinstance(series.dtype, pd.PeriodDtype):
        series = series.dt.to_timestamp()
    if series.dtype == object and not isinstance(series.iloc[0], datetime.datetime):
        return Reading((name,), name, Form("date"), microseconds(pd.DatetimeIndex(pd.to_datetime(series))))
    stamps = pd.DatetimeIndex(series)
    if stamps.tz is None:
        return Reading((name,), name, Form("datetime", stamps.unit), microseconds(stamps))
    instants = microseconds(stamps.tz_convert("UTC").tz_localize(None))
    zone = str(stamps.tz)
    return Reading((name,), name, Form("datetime", stamps.unit, zone, wall=zone == "UTC"), instants)


def _read_numbers(table: Table, series: pd.Series, name: str, config: DataConfig, like: TimeAxis | None) -> Reading:
    values = series.to_numpy(dtype=np.float64)
    broken = values != np.floor(values)
    if broken.any():
        row = int(broken.argmax())
        raise DataError(f"{table.locate(row)}: column {name!r}: {values[row]} is no whole step", "name a time column")
    whole = series.to_numpy(dtype=np.int64) if pd.api.types.is_integer_dtype(series.dtype) else values.astype(np.int64)
    if (like and like.form.kind == "step") or (config.freq or "").isdigit():
        return Reading((name,), name, Form("step"), whole)
    instants, form = from_numbers(whole, name)
    known = {"%Y%m%d": "days YYYYMMDD", "%Y%m": "months YYYYMM", "%Y": "years"}
    note = f"{name!r} holds {known.get(form.layout, f'epochs in {form.layout}')}"
    return Reading((name,), name, form, instants, () if form.kind == "step" else (note,))


def _read_split(table: Table, names: tuple[str, ...], config: DataConfig, like: TimeAxis | None) -> Reading:
    """Stamps of columns year, month, day..., or of texts that make one stamp when joined by blanks."""
    parts = [_filled(table, name) for name in names]
    if not np.asarray(pc.match_substring_regex(parts[0], r"^\d{4}(\.0)?$")).all() or len(parts) > len(_SPLIT):
        return _read_texts(table, _joined(parts, [" "] * (len(parts) - 1)), "time", config, like)
    numbers = [pc.replace_substring_regex(part, r"\.0$", "") for part in parts]
    padded = [pc.utf8_lpad(part, 4 if i == 0 else 2, "0") for i, part in enumerate(numbers)]
    if len(padded) == 4:
        padded.append(pa.array(["00"] * len(padded[0]), pa.large_string()))
    texts, layout = _joined(padded, "-- ::"), _SPLIT_LAYOUTS[len(padded) - 1]
    parsed = parse(layout, texts)
    if not parsed.good.all():
        raise _unread(table, "+".join(names), texts, parsed.good)
    return Reading(names, "time", Form("text", layout), parsed.instants)


def _filled(table: Table, name: str) -> pa.Array:
    """One column of split stamps as text; DataError where a cell is empty."""
    series = table.frame[name]
    missing = series.isna().to_numpy()
    if missing.any():
        row = int(missing.argmax())
        raise DataError(f"{table.locate(row)}: column {name!r}: the time is empty", "give every row a time")
    return pc.utf8_trim_whitespace(as_text(series))


def _joined(parts: list[pa.Array], marks: Sequence[str]) -> pa.Array:
    text = parts[0]
    for part, mark in zip(parts[1:], marks, strict=False):
        text = pc.binary_join_element_wise(text, part, pa.scalar(mark, pa.large_string()))
    return text


def _read_texts(table: Table, texts: pa.Array, name: str, config: DataConfig, like: TimeAxis | None) -> Reading:
    encoded = texts.dictionary_encode()
    unique, indices = encoded.dictionary, encoded.indices.to_numpy(zero_copy_only=False)
    layouts = [config.date_format] if config.date_format else _candidates(unique)
    parsed = [parse(layout, unique) for layout in layouts]
    whole = [one for one in parsed if one.good.all()]
    if not whole:
        raise _unparsed(table, name, texts, parsed, indices)
    chosen = _choose(table, name, texts, whole, like)
    form, instants, note = _zoned(chosen)
    leading = re.match(r"%-?([dm])[/.-]%-?[dm]", chosen.layout)
    said = (f"dates read as {_ORDERS[leading[1]]}",) if leading and not config.date_format else ()
    return Reading((name,), name, form, instants[indices], said + note)


def _candidates(unique: pa.Array) -> list[str]:
    """Layouts meant by some of the texts, best first; the rest of the texts decides between them."""
    step = max(1, len(unique) // 20)
    found: dict[str, None] = {}
    for text in [*unique[:5].to_pylist(), *unique.take(list(range(0, len(unique), step))).to_pylist()]:
        found.update(dict.fromkeys(layouts_for(text or "")))
    if len(unique) < 2000 or len(found) < 2:
        return list(found)
    sample = unique.take(np.linspace(0, len(unique) - 1, 1000).astype(np.int64))
    fitting = [layout for layout in found if parse(layout, sample).good.all()]
    return fitting or list(found)


def _choose(table: Table, name: str, texts: pa.Array, whole: list[Parsed], like: TimeAxis | None) -> Parsed:
    different = [one for one in whole[1:] if not np.array_equal(one.instants, whole[0].instants)]
    if not different:
        return whole[0]
    if like and like.form.kind == "text":
        plain = like.form.layout.replace("%-", "%")
        same = [one for one in whole if one.layout.replace("%-", "%") == plain]
        if same:
            return same[0]
    formats = [shlex.quote(one.layout.replace("%-", "%")) for one in (whole[0], different[0])]
    raise DataError(
        f"{table.locate(0)}: column {name!r}: day and month cannot be told apart, as in {texts[0].as_py()!r}",
        f"say --date-format {formats[0]} or --date-format {formats[1]}",
    )


def _zoned(parsed: Parsed) -> tuple[Form, Ints, tuple[str, ...]]:
    """Form and instants of texts with their zone: the offset is kept, or of several the last one.

    Whole days of several offsets (summer and winter) keep their wall clock; anything else counts in UTC.
    """
    layout, offsets = parsed.layout, parsed.offsets
    if offsets is None:
        return Form("text", layout, "UTC" if layout.endswith(("Z", "UTC")) else ""), parsed.instants, ()
    minutes = int(offsets[-1])
    zone = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
    if (offsets == minutes).all():
        return Form("text", layout, zone, wall=False), parsed.universal(), ()
    daily = bool((parsed.instants % DAY == parsed.instants[0] % DAY).all())
    note = (f"stamps have several time-zone offsets: forecasts are written with {zone}",)
    return Form("text", layout, zone, wall=daily), parsed.instants if daily else parsed.universal(), note


def _unparsed(table: Table, name: str, texts: pa.Array, parsed: list[Parsed], indices: Any) -> DataError:
    if not parsed:
        return _unread(table, name, texts, np.zeros(len(texts), bool))
    best = max(parsed, key=lambda one: int(one.good.sum()))
    rows = best.good[indices]
    bad = int((~rows).argmax())
    other = [one for one in parsed if one.good[indices[bad]]]
    if not other or not rows.any():
        return _unread(table, name, texts, rows)
    usual = texts[int(rows.argmax())].as_py()
    odd, count = texts[bad].as_py(), int((~rows).sum())
    return DataError(
        f"{table.locate(bad)}: column {name!r} mixes date formats: {usual!r} and {odd!r} ({count} rows)",
        "write all dates in one way",
    )


def _unread(table: Table, name: str, texts: pa.Array, good: NDArray[np.bool_]) -> DataError:
    row, count = int((~good).argmax()), int((~good).sum())
    more = f" (and {count - 1} more)" if count > 1 else ""
    return DataError(
        f"{table.locate(row)}: column {name!r}: {texts[row].as_py()!r} is not a date{more}",
        "mend it, or say how dates are written with --date-format '%d.%m.%Y'",
    )
