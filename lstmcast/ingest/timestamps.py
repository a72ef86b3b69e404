"""The stamps of a table's time column, or of its parts, as instants with the form that they are written in.

Knows tables and dates, but not which column is the time, and neither values nor frequencies.
"""

import datetime
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lstmcast.config import DataConfig
from lstmcast.errors import DataError, format_more
from lstmcast.ragged import Ints
from lstmcast.tables.table import Table, to_text_array
from lstmcast.timeaxis import zones
from lstmcast.timeaxis.axis import TimeAxis
from lstmcast.timeaxis.calendar_fields import DAY, instants_from_fields
from lstmcast.timeaxis.formats import ParsedTimestamps, match_formats, parse_timestamps
from lstmcast.timeaxis.numeric import (
    NUMBER_FORMAT_WORDS,
    NUMBER_UNITS,
    Numbers,
    infer_number_format,
    numbers_to_instants,
)
from lstmcast.timeaxis.timestamp_format import TimestampFormat
from lstmcast.timeaxis.zones import to_microseconds

_DAY_MONTH_ORDERS = {"d": "day before month", "m": "month before day"}
_DATE_PART_NAMES = {
    "Y": r"year|yr|yyyy", "q": r"quarter|qtr", "V": r"week|wk|isoweek", "m": r"month|mon|mm", "d": r"day|dd|mday",
    "H": r"hour|hr|hh", "M": r"minute|min", "S": r"second|sec",
}  # fmt: skip
"""Names of the columns that a date is split over, by directive."""
_SPLIT_LAYOUTS = {
    "Y": "%Y", "Yq": "%YQ%q", "YV": "%G-W%V", "Ym": "%Y-%m", "Ymd": "%Y-%m-%d", "YmdH": "%Y-%m-%d %H:%M",
    "YmdHM": "%Y-%m-%d %H:%M", "YmdHMS": "%Y-%m-%d %H:%M:%S",
}  # fmt: skip
"""Layouts in which dates that were split are written, by the parts that there are."""


@dataclass(frozen=True)
class TimeColumn:
    """The stamps of a table's rows: instants [rows] and their form; instants is None where rows stand in order."""

    columns: tuple[str, ...]
    name: str
    form: TimestampFormat
    instants: Ints | None
    notes: tuple[str, ...] = ()


def is_datetime_column(series: pd.Series) -> bool:
    """Whether a column holds dates or times as such, not as text or numbers."""
    if isinstance(series.dtype, pd.PeriodDtype) or pd.api.types.is_datetime64_any_dtype(
        series.dtype
    ):
        return True
    first = series.dropna().iloc[:1].tolist() if series.dtype == object else []
    return bool(first) and isinstance(first[0], datetime.date)


def read_timestamps(
    table: Table, name: str, config: DataConfig, like: TimeAxis | None
) -> TimeColumn:
    """Stamps of one column. DataError where a cell is empty or does not read, or day and month cannot be told apart."""
    stamps = None if config.date_format else table.stamps(name)
    if stamps is not None:
        return _read_stored_timestamps(*stamps, name, config)
    whole = table.whole(name)
    if whole is not None and (config.date_format in (None, *NUMBER_UNITS) or not table.text):
        return _read_numbers(table, whole, name, config, like)
    series = _require_complete_column(table, name)
    if is_datetime_column(series):
        return _read_datetimes(series, name)
    if pd.api.types.is_numeric_dtype(series.dtype):
        return _read_numbers(table, series.to_numpy(), name, config, like)
    texts = to_text_array(series)
    if config.date_format in (None, *NUMBER_UNITS):
        numbers = _parse_if_all_numbers(texts)
        if numbers is not None:
            return _read_numbers(table, numbers, name, config, like)
    return _read_texts(table, texts, name, config, like)


def _read_stored_timestamps(
    instants: Ints, form: TimestampFormat, name: str, config: DataConfig
) -> TimeColumn:
    """Stamps that the table holds as such, of texts of one layout or typed."""
    if form.kind != "text":
        return TimeColumn((name,), name, form, instants)
    form, instants, note = _resolve_time_zone(
        ParsedTimestamps(instants, np.ones(len(instants), dtype=bool), form.layout), config.tz
    )
    return TimeColumn((name,), name, form, instants, note)


def _require_complete_column(table: Table, name: str) -> pd.Series:
    series = table.series(name)
    missing = series.isna().to_numpy()
    if missing.any():
        row, count = int(missing.argmax()), int(missing.sum())
        more = format_more(count)
        hint = table.hint_on_edge_rows(
            missing
        ) or "give every row a time" + ", as cells that were merged do not" * (count > 1)
        raise DataError(f"{table.locate(row)}: column {name!r}: the time is empty{more}", hint)
    return series


def _read_datetimes(series: pd.Series, name: str) -> TimeColumn:
    if isinstance(series.dtype, pd.PeriodDtype):
        series = series.dt.to_timestamp()
    if series.dtype == object and not isinstance(series.iloc[0], datetime.datetime):
        days = (
            pa.array(series, type=pa.date32())
            .cast(pa.timestamp("us"))
            .to_numpy(zero_copy_only=False)
        )
        return TimeColumn((name,), name, TimestampFormat("date"), np.asarray(days).astype(np.int64))
    stamps = pd.DatetimeIndex(series)
    if stamps.tz is None:
        return TimeColumn(
            (name,), name, TimestampFormat("datetime", stamps.unit), to_microseconds(stamps)
        )
    instants = to_microseconds(stamps.tz_convert("UTC").tz_localize(None))
    zone = str(stamps.tz)
    return TimeColumn(
        (name,), name, TimestampFormat("datetime", stamps.unit, zone, wall=zone == "UTC"), instants
    )


def _parse_if_all_numbers(texts: pa.Array) -> Numbers | None:
    """Texts that are all numbers, as numbers; integers as such."""
    if not len(texts) or not re.match(r"\s*-?\d+(\.\d*)?\s*$", texts[0].as_py()):
        return None
    for kind in (pa.int64(), pa.float64()):
        try:
            numbers = np.asarray(pc.cast(texts, kind).to_numpy(zero_copy_only=False))
            return None if pc.any(pc.match_substring_regex(texts, r"^\s*0\d")).as_py() else numbers
        except pa.ArrowInvalid:
            texts = pc.utf8_trim_whitespace(texts)
    return None


def _read_numbers(
    table: Table, values: Any, name: str, config: DataConfig, like: TimeAxis | None
) -> TimeColumn:
    values = np.asarray(values, dtype=np.int64 if values.dtype.kind in "iub" else np.float64)
    steps = (like and like.form.kind == "step") or (config.freq or config.resample or "").partition(
        ":"
    )[0].isdigit()
    layout = "" if steps else _infer_number_layout(values, name, config, like)
    if not layout:
        return TimeColumn(
            (name,), name, TimestampFormat("step"), _require_integer_steps(table, values, name)
        )
    note = (
        f"{name!r} holds {NUMBER_FORMAT_WORDS.get(layout, 'times like ' + layout.replace('%', ''))}"
    )
    return TimeColumn(
        (name,),
        name,
        TimestampFormat("number", layout),
        numbers_to_instants(values, layout),
        (note,),
    )


def _infer_number_layout(
    values: Numbers, name: str, config: DataConfig, like: TimeAxis | None
) -> str:
    if config.date_format:
        return config.date_format
    known = (
        like.form.layout
        if like and like.form.kind == "number" and like.form.layout in NUMBER_UNITS
        else ""
    )
    return infer_number_format(values, name) or known


def _require_integer_steps(table: Table, values: Numbers, name: str) -> Ints:
    broken = values != np.floor(values)
    if broken.any():
        row = int(broken.argmax())
        hint = "say what the numbers count with --date-format s, ms, us, ns or excel, or name another column with --time"
        raise DataError(
            f"{table.locate(row)}: column {name!r}: {values[row]} is no whole step", hint
        )
    least = 10**5 if re.search("date", name, re.IGNORECASE) else 10**8
    if len(values) and re.search(r"date|time", name, re.IGNORECASE) and values.max() > least:
        example = f"{int(values.min())} to {int(values.max())}"
        raise DataError(
            f"{table.locate(0)}: column {name!r}: {example} are no times that can be told by their range",
            "say how they are written, as with --date-format %d%m%Y, or what they count: s, ms, us, ns or excel",
        )
    return values.astype(np.int64)


def find_date_parts(names: Sequence[str]) -> dict[str, str]:
    """Directive of each column that a date is split over, the largest part first; empty where one is unknown."""
    found: dict[str, str] = {}
    for code, pattern in _DATE_PART_NAMES.items():
        found |= {name: code for name in names if re.fullmatch(pattern, name, re.IGNORECASE)}
    return found if len(found) == len(names) and "".join(found.values()) in _SPLIT_LAYOUTS else {}


def read_split_timestamps(
    table: Table, names: tuple[str, ...], config: DataConfig, like: TimeAxis | None
) -> TimeColumn:
    """Stamps of columns year, month, day... in any order, or of texts that make one stamp when joined by blanks."""
    codes = find_date_parts(names)
    texts = {
        name: pc.utf8_trim_whitespace(to_text_array(_require_complete_column(table, name)))
        for name in names
    }
    numbers = {name: _parse_if_all_numbers(text) for name, text in texts.items()}
    if not codes or any(
        part is None or (part != np.floor(part)).any() for part in numbers.values()
    ):
        ordered = [texts[name] for name in codes or names]
        return _read_texts(table, _join_texts(ordered), "time", config, like)
    parts = {code: np.asarray(numbers[name]).astype(np.int64) for name, code in codes.items()}
    layout = _SPLIT_LAYOUTS["".join(parts)]
    if "V" in parts:
        parts["G"] = parts.pop("Y")
    instants, good = instants_from_fields(parts)
    if not good.all():
        raise _not_a_date_error(
            table, ",".join(codes), _join_texts([texts[name] for name in codes]), good
        )
    return TimeColumn(names, "time", TimestampFormat("text", layout), instants)


def _join_texts(parts: list[pa.Array]) -> pa.Array:
    return pc.binary_join_element_wise(*parts, pa.scalar(" ", parts[0].type))


def _read_texts(
    table: Table, texts: pa.Array, name: str, config: DataConfig, like: TimeAxis | None
) -> TimeColumn:
    chosen, indices = _parse_uniform_iso(texts, config), None
    if chosen is None:
        texts = pc.utf8_trim_whitespace(texts)
        encoded = texts.dictionary_encode()
        unique, indices = encoded.dictionary, encoded.indices.to_numpy(zero_copy_only=False)
        layouts = [config.date_format] if config.date_format else find_candidate_layouts(unique)
        parsed = [parse_timestamps(layout, unique) for layout in layouts]
        whole = [one for one in parsed if one.good.all()]
        if not whole:
            raise _unparsed_dates_error(table, name, texts, parsed, indices)
        chosen = _resolve_ambiguous_dates(table, name, texts, whole, like)
    form, instants, note = _resolve_time_zone(chosen, config.tz)
    leading = re.match(r"%-?([dm])[/.-]%-?[dm]", chosen.layout)
    said = (
        (f"dates read as {_DAY_MONTH_ORDERS[leading[1]]}",)
        if leading and not config.date_format
        else ()
    )
    return TimeColumn(
        (name,), name, form, instants if indices is None else instants[indices], said + note
    )


def _parse_uniform_iso(texts: pa.Array, config: DataConfig) -> ParsedTimestamps | None:
    """Texts of the ISO form of the first one, read at once; None where they are not all of one such form."""
    layout = config.date_format or next(iter(match_formats(texts[0].as_py())), "")
    parsed = (
        parse_timestamps(layout, texts)
        if layout.startswith("%Y-%m-%d") and "%z" not in layout
        else None
    )
    return parsed if parsed is not None and parsed.good.all() else None


def find_candidate_layouts(unique: pa.Array) -> list[str]:
    """Layouts meant by some of the texts, best first; the rest of the texts decides between them."""
    step = max(1, len(unique) // 20)
    found: dict[str, None] = {}
    for text in [
        *unique[:5].to_pylist(),
        *unique.take(list(range(0, len(unique), step))).to_pylist(),
    ]:
        found.update(dict.fromkeys(match_formats(text or "")))
    if len(unique) < 2000 or len(found) < 2:
        return list(found)
    sample = unique.take(np.linspace(0, len(unique) - 1, 1000).astype(np.int64))
    fitting = [layout for layout in found if parse_timestamps(layout, sample).good.all()]
    return fitting or list(found)


def _resolve_ambiguous_dates(
    table: Table, name: str, texts: pa.Array, whole: list[ParsedTimestamps], like: TimeAxis | None
) -> ParsedTimestamps:
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
        f"{table.locate(0)}: column {name!r}: day and month cannot be told apart in any of {len(texts)} rows, "
        f"as in {texts[0].as_py()!r}",
        f"say --date-format {formats[0]} or --date-format {formats[1]}",
    )


def _resolve_time_zone(
    parsed: ParsedTimestamps, zone: str | None
) -> tuple[TimestampFormat, Ints, tuple[str, ...]]:
    """Form and instants of texts with their zone: the offset is kept, or of several the last one.

    Whole days of several offsets (summer and winter) keep their wall clock; anything else counts in
    UTC.
    """
    layout, offsets = parsed.layout, parsed.offsets
    if offsets is None:
        return (
            TimestampFormat(
                "text", layout, "UTC" if TimestampFormat("text", layout).universal else ""
            ),
            parsed.instants,
            (),
        )
    if zone:
        return TimestampFormat("text", layout, zone, wall=False), parsed.universal(), ()
    minutes = int(offsets[-1])
    fixed = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
    if (offsets == minutes).all():
        return TimestampFormat("text", layout, fixed, wall=False), parsed.universal(), ()
    daily = bool((parsed.instants % DAY == parsed.instants[0] % DAY).all())
    note = (
        f"stamps have several time-zone offsets: forecasts are written with {fixed}, or as --tz ZONE has them",
    )
    return (
        TimestampFormat("text", layout, fixed, wall=daily),
        parsed.instants if daily else parsed.universal(),
        note,
    )


def _unparsed_dates_error(
    table: Table, name: str, texts: pa.Array, parsed: list[ParsedTimestamps], indices: Any
) -> DataError:
    if not parsed:
        return _not_a_date_error(table, name, texts, np.zeros(len(texts), bool))
    best = max(parsed, key=lambda one: int(one.good.sum()))
    rows = best.good[indices]
    bad = int((~rows).argmax())
    other = [one for one in parsed if one.good[indices[bad]]]
    if not other or not rows.any():
        return _not_a_date_error(table, name, texts, rows)
    usual = texts[int(rows.argmax())].as_py()
    odd, count = texts[bad].as_py(), int((~rows).sum())
    return DataError(
        f"{table.locate(bad)}: column {name!r} mixes date formats: {usual!r} and {odd!r} ({count} rows)",
        "write all dates in one way",
    )


def _not_a_date_error(
    table: Table, name: str, texts: pa.Array, good: NDArray[np.bool_]
) -> DataError:
    row, count = int((~good).argmax()), int((~good).sum())
    more = format_more(count)
    odd, usual = texts[row].as_py(), texts[int(good.argmax())].as_py()
    remark = (
        ""
        if good.any() and _mask_characters(odd) == _mask_characters(usual)
        else table.hint_on_edge_rows(~good)
    )
    return DataError(
        f"{table.locate(row)}: column {name!r}: {odd!r} is not a date{more}",
        remark or "mend it, or say how dates are written with --date-format '%d.%m.%Y'",
    )


def _mask_characters(text: str) -> str:
    """What a text looks like from afar: a day that does not exist looks like one that does."""
    return re.sub(r"\d", "9", re.sub(r"[^\W\d_]+", "a", text))


def with_time_zone(reading: TimeColumn, codes: Ints, zone: str, table: Table) -> TimeColumn:
    """The stamps in `zone`: naive ones are its wall clock, others are converted; codes [rows] are their series.

    Of an hour that clocks repeat, the first pass of a series is the earlier one. Raises DataError
    for integer steps, and for an hour that clocks skip.
    """
    form, instants = reading.form, reading.instants
    if instants is None or form.kind == "step":
        raise DataError(f"--tz {zone} does not fit a time of plain steps", "leave out --tz")
    if form.kind == "date":
        return reading
    if form.universal or form.zone:
        universal = form.to_utc(instants)
        return replace(reading, form=replace(form, zone=zone, wall=False), instants=universal)
    form = replace(form, zone=zone, stated=False)
    if (instants % DAY == instants[:1] % DAY).all():
        return replace(reading, form=form, instants=instants)
    absent = zones.is_skipped_time(instants, zone)
    if absent.any():
        row, count = int(absent.argmax()), int(absent.sum())
        stamp = reading.form.texts(instants[row : row + 1])[0]
        more = format_more(count)
        raise DataError(
            f"{table.locate(row)}: column {reading.name!r}: clocks in {zone} skip {stamp!r}{more}",
            "if clocks do not change in the data, give --tz UTC or an offset, for example --tz +01:00",
        )
    universal = zones.to_utc(instants, zone, zones.is_second_occurrence(instants, codes, zone))
    return replace(reading, form=replace(form, wall=False), instants=universal)
