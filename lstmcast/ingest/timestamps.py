"""The stamps of a time column, or of its parts, as instants with the form they are written in.

Knows tables and dates, but not which column is the time, and neither values nor frequencies.

Axes: n rows of the table.
"""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lstmcast.config import DataConfig
from lstmcast.errors import DataError, format_more
from lstmcast.ingest.number_stamps import (
    infer_number_layout,
    parse_if_all_numbers,
    require_integer_steps,
    require_times,
)
from lstmcast.ingest.typed_stamps import is_datetime_column, read_datetimes
from lstmcast.ragged import Bools, Ints, choose_evenly
from lstmcast.tables.table import Table, to_text_array
from lstmcast.timeaxis import zones
from lstmcast.timeaxis.axis import TimeAxis
from lstmcast.timeaxis.calendar_fields import DAY, instants_from_fields
from lstmcast.timeaxis.formats import ParsedTimestamps, match_formats, parse_timestamps
from lstmcast.timeaxis.numeric import (
    NUMBER_FORMAT_WORDS,
    NUMBER_UNITS,
    numbers_to_instants,
)
from lstmcast.timeaxis.timestamp_format import TimestampFormat
from lstmcast.timeaxis.year_range import are_outside_years

_DAY_MONTH_ORDERS = {"d": "day before month", "m": "month before day"}
_DATE_PART_NAMES = {
    "Y": r"year|yr|yyyy",
    "q": r"quarter|qtr",
    "V": r"week|wk|isoweek",
    "m": r"month|mon|mm",
    "d": r"day|dd|mday",
    "H": r"hour|hr|hh",
    "M": r"minute|min",
    "S": r"second|sec",
}
"""Names of the columns that a date is split over, by directive."""
_SPLIT_LAYOUTS = {
    "Y": "%Y",
    "Yq": "%YQ%q",
    "YV": "%G-W%V",
    "Ym": "%Y-%m",
    "Ymd": "%Y-%m-%d",
    "YmdH": "%Y-%m-%d %H:%M",
    "YmdHM": "%Y-%m-%d %H:%M",
    "YmdHMS": "%Y-%m-%d %H:%M:%S",
}
"""Layouts in which dates that were split are written, by the parts that there are."""

_MAX_DATE_PART = 10**5
"""Larger numbers are no year, and no smaller part of a date."""


@dataclass(frozen=True)
class TimeColumn:
    """The stamps of a table's rows: instants [n] and their form.

    columns: of the table that it was read from. name: of the time column in the output. instants
    is None where there is no time column and rows stand in order.
    """

    columns: tuple[str, ...]
    name: str
    form: TimestampFormat
    instants: Ints | None
    notes: tuple[str, ...] = ()


def _single_column(
    name: str, form: TimestampFormat, instants: Ints, notes: tuple[str, ...] = ()
) -> TimeColumn:
    """A time column that was read from one column of the table, and keeps its name."""
    return TimeColumn((name,), name, form, instants, notes)


def read_timestamps(
    table: Table, name: str, config: DataConfig, like: TimeAxis | None
) -> TimeColumn:
    """Read the stamps of one column.

    Raises DataError where a cell is empty or does not parse, or day and month are ambiguous.
    """
    table.require_known_years(name)
    # A requested format decides; without one, what the table has parsed already need not be again.
    stamps = None if config.date_format else table.stored_timestamps(name)
    if stamps is not None:
        return _read_stored_timestamps(*stamps, name, config)
    as_numbers = config.date_format in (None, *NUMBER_UNITS)
    whole = table.stored_integers(name)
    # Integers of a typed format may be digits of a date, the year first.
    as_digits = not table.is_text and (config.date_format or "").startswith("%Y")
    if whole is not None and (as_numbers or as_digits):
        return _read_numbers(table, whole, name, config, like)
    series = _require_complete_column(table, name)
    if is_datetime_column(series):
        form, instants = read_datetimes(table, series, name)
        return _single_column(name, form, instants)
    if pd.api.types.is_numeric_dtype(series.dtype) and (as_numbers or as_digits):
        return _read_numbers(table, series.to_numpy(), name, config, like)
    texts = to_text_array(series)
    numbers = parse_if_all_numbers(texts) if as_numbers else None
    if numbers is not None:
        return _read_numbers(table, numbers, name, config, like)
    return _read_texts(table, texts, name, config, like)


def _read_stored_timestamps(
    instants: Ints, form: TimestampFormat, name: str, config: DataConfig
) -> TimeColumn:
    """Stamps that the table holds as such, either typed or of texts of one layout."""
    if form.kind != "text":
        return _single_column(name, form, instants)
    good = np.ones(len(instants), dtype=bool)
    parsed = ParsedTimestamps(instants, good, form.layout)
    form, instants, notes = _resolve_time_zone(parsed, config.tz)
    return _single_column(name, form, instants, notes)


def _require_complete_column(table: Table, name: str) -> pd.Series:
    series = table.series(name)
    missing = series.isna().to_numpy()
    if not missing.any():
        return series
    count = int(missing.sum())
    hint = table.hint_on_edge_rows(missing)
    if not hint:
        merged = ", as cells that were merged do not" if count > 1 else ""
        hint = "give every row a time" + merged
    place = table.locate(int(missing.argmax()))
    more = format_more(count)
    raise DataError(f"{place}: column {name!r}: the time is empty{more}", hint)


def _read_numbers(
    table: Table, values: Any, name: str, config: DataConfig, like: TimeAxis | None
) -> TimeColumn:
    """Stamps of a column of numbers: points in time if their range says so, else plain steps."""
    is_integer = values.dtype.kind in "iub"
    values = np.asarray(values, dtype=np.int64 if is_integer else np.float64)
    frequency = config.freq or config.resample or ""
    rule, _, _ = frequency.partition(":")
    # Steps stay steps in later data; a rule without a unit, as --freq 1, counts in steps.
    were_steps = like is not None and like.form.kind == "step"
    layout = ""
    if not were_steps and not rule.isdigit():
        layout = infer_number_layout(values, name, config, like)

    if not layout:
        steps = require_integer_steps(table, values, name)
        return _single_column(name, TimestampFormat("step"), steps)
    like_digits = "times like " + layout.replace("%", "")
    meaning = NUMBER_FORMAT_WORDS.get(layout, like_digits)
    form = TimestampFormat("number", layout)
    require_times(table, values, name, layout)
    instants = numbers_to_instants(values, layout)
    return _single_column(name, form, instants, (f"{name!r} holds {meaning}",))


def find_date_parts(names: Sequence[str]) -> dict[str, str]:
    """Map each column that a date is split over to its directive, the largest part first.

    Empty where a name is unknown or the parts make no date.
    """
    directives: dict[str, str] = {}
    for directive, pattern in _DATE_PART_NAMES.items():
        for name in names:
            if re.fullmatch(pattern, name, re.IGNORECASE):
                directives[name] = directive
    parts = "".join(directives.values())
    if len(directives) < len(names) or parts not in _SPLIT_LAYOUTS:
        return {}
    return directives


def read_split_timestamps(
    table: Table, names: tuple[str, ...], config: DataConfig, like: TimeAxis | None
) -> TimeColumn:
    """Read stamps that are split over several columns.

    These are year, month, day... in any order, or texts that make one stamp when joined by blanks.
    """
    directives = find_date_parts(names)
    texts: dict[str, pa.Array] = {}
    for name in names:
        series = _require_complete_column(table, name)
        texts[name] = pc.utf8_trim_whitespace(to_text_array(series))
    parts = _parse_date_parts(texts, directives)
    in_order = [texts[name] for name in directives or names]
    if not parts:
        return _read_texts(table, _join_texts(in_order), "time", config, like)

    layout = _SPLIT_LAYOUTS["".join(parts)]
    if "V" in parts:
        parts["G"] = parts.pop("Y")  # a week belongs to a year of the ISO calendar
    instants, good = instants_from_fields(parts)
    good &= ~are_outside_years(instants, "us")
    if not good.all():
        all_names = ",".join(directives)
        raise _not_a_date_error(table, all_names, _join_texts(in_order), good)
    return TimeColumn(names, "time", TimestampFormat("text", layout), instants)


def _parse_date_parts(
    texts: dict[str, pa.Array], directives: dict[str, str]
) -> dict[str, Ints]:
    """The columns of a split date as whole numbers, by directive; empty where one is not."""
    parts: dict[str, Ints] = {}
    for name, directive in directives.items():
        numbers = parse_if_all_numbers(texts[name])
        if numbers is None or (numbers != np.floor(numbers)).any():
            return {}
        if (np.abs(numbers) > _MAX_DATE_PART).any():
            return {}
        parts[directive] = np.asarray(numbers).astype(np.int64)
    return parts


def _join_texts(parts: list[pa.Array]) -> pa.Array:
    return pc.binary_join_element_wise(*parts, pa.scalar(" ", parts[0].type))


def _read_texts(
    table: Table, texts: pa.Array, name: str, config: DataConfig, like: TimeAxis | None
) -> TimeColumn:
    """Stamps of texts, in the one layout that fits them all."""
    chosen = _parse_uniform_iso(texts, config)
    indices = None
    if chosen is None:
        # Each different text is parsed once: series share their stamps.
        texts = pc.utf8_trim_whitespace(texts)
        encoded = texts.dictionary_encode()
        unique = encoded.dictionary
        indices = encoded.indices.to_numpy(zero_copy_only=False)
        requested = config.date_format
        layouts = [requested] if requested else find_candidate_layouts(unique)
        attempts = [parse_timestamps(layout, unique) for layout in layouts]
        fitting = [parsed for parsed in attempts if parsed.good.all()]
        if not fitting:
            raise _unparsed_dates_error(table, name, texts, attempts, indices)
        chosen = _resolve_ambiguous_dates(table, name, texts, fitting, like)

    form, instants, notes = _resolve_time_zone(chosen, config.tz)
    leading = re.match(r"%-?([dm])[/.-]%-?[dm]", chosen.layout)
    if leading and not config.date_format:
        notes = (f"dates read as {_DAY_MONTH_ORDERS[leading[1]]}", *notes)
    if indices is not None:
        instants = instants[indices]
    return _single_column(name, form, instants, notes)


def _parse_uniform_iso(texts: pa.Array, config: DataConfig) -> ParsedTimestamps | None:
    """Parse texts that are all of the ISO form of the first, at once; None where they are not."""
    layout = config.date_format
    if not layout:
        first_text = texts[0].as_py()
        layout = next(iter(match_formats(first_text)), "")
    if not layout.startswith("%Y-%m-%d") or "%z" in layout:
        return None
    parsed = parse_timestamps(layout, texts)
    return parsed if parsed is not None and parsed.good.all() else None


def find_candidate_layouts(unique: pa.Array) -> list[str]:
    """List layouts meant by some of the texts, best first; the other texts decide between them."""
    count = len(unique)
    first = unique[:5].to_pylist()
    step = max(1, count // 20)
    evenly = list(range(0, count, step))
    spread = unique.take(evenly).to_pylist()
    layouts: dict[str, None] = {}
    for text in first + spread:
        matching = match_formats(text or "")
        layouts.update(dict.fromkeys(matching))
    if count < 2000 or len(layouts) < 2:
        return list(layouts)

    # Of very many texts a sample rules layouts out before all are parsed.
    some = choose_evenly(count, 1000, round_down=True)
    sample = unique.take(some)
    fitting = []
    for layout in layouts:
        parsed = parse_timestamps(layout, sample)
        if parsed.good.all():
            fitting.append(layout)
    return fitting or list(layouts)


def _resolve_ambiguous_dates(
    table: Table,
    name: str,
    texts: pa.Array,
    fitting: list[ParsedTimestamps],
    like: TimeAxis | None,
) -> ParsedTimestamps:
    """The reading of texts that several layouts fit; DataError where these differ.

    like: an axis whose layout decides.
    """
    best = fitting[0]
    different = []
    for parsed in fitting[1:]:
        if not np.array_equal(parsed.instants, best.instants):
            different.append(parsed)
    if not different:
        return best
    if like and like.form.kind == "text":
        earlier = _with_leading_zeros(like.form.layout)
        for parsed in fitting:
            if _with_leading_zeros(parsed.layout) == earlier:
                return parsed
    one = shlex.quote(_with_leading_zeros(best.layout))
    other = shlex.quote(_with_leading_zeros(different[0].layout))
    raise DataError(
        f"{table.locate(0)}: column {name!r}: day and month are ambiguous"
        f" in all of {len(texts)} rows, as in {texts[0].as_py()!r}",
        f"say --date-format {one} or --date-format {other}",
    )


def _with_leading_zeros(layout: str) -> str:
    """A layout as it is written with leading zeros: %d instead of %-d."""
    return layout.replace("%-", "%")


def _resolve_time_zone(
    parsed: ParsedTimestamps, zone: str | None
) -> tuple[TimestampFormat, Ints, tuple[str, ...]]:
    """Form and instants of texts with their zone, and notes.

    The offset of the texts is kept, or of several the last one. Whole days of several offsets
    (summer and winter) keep their wall clock; anything else counts in UTC.
    """
    layout = parsed.layout
    offsets = parsed.offsets
    if offsets is None:
        stated_zone = "UTC" if TimestampFormat("text", layout).universal else ""
        return TimestampFormat("text", layout, stated_zone), parsed.instants, ()
    if zone:
        form = TimestampFormat("text", layout, zone, wall=False)
        return form, parsed.universal(), ()

    # New stamps are written with the offset in force at the end of the data.
    last = int(offsets[-1])
    sign = "-" if last < 0 else "+"
    hours, minutes = divmod(abs(last), 60)
    offset = f"{sign}{hours:02d}:{minutes:02d}"
    if (offsets == last).all():
        form = TimestampFormat("text", layout, offset, wall=False)
        return form, parsed.universal(), ()
    # Whole days are counted by the wall clock, which an offset of summer or winter does not move.
    time_of_day = parsed.instants % DAY
    daily = bool((time_of_day == time_of_day[0]).all())
    note = (
        f"stamps have several time-zone offsets: forecasts are written with {offset},"
        " or as --tz ZONE has them"
    )
    instants = parsed.instants if daily else parsed.universal()
    return TimestampFormat("text", layout, offset, wall=daily), instants, (note,)


def _unparsed_dates_error(
    table: Table,
    name: str,
    texts: pa.Array,
    attempts: list[ParsedTimestamps],
    indices: Any,
) -> DataError:
    """The error for texts that no one layout fits: which is no date, or which are mixed."""
    if not attempts:
        return _not_a_date_error(table, name, texts, np.zeros(len(texts), bool))
    # The layout that fits most texts shows which of them are odd.
    best = max(attempts, key=lambda parsed: int(parsed.good.sum()))
    good = best.good[indices]
    bad_row = int((~good).argmax())
    bad_text = indices[bad_row]
    other_layout_fits = any(parsed.good[bad_text] for parsed in attempts)
    if not other_layout_fits or not good.any():
        return _not_a_date_error(table, name, texts, good)

    usual = _first_text(texts, good)
    odd = texts[bad_row].as_py()
    odd_count = int((~good).sum())
    return DataError(
        f"{table.locate(bad_row)}: column {name!r} mixes date formats:"
        f" {usual!r} and {odd!r} ({odd_count} rows)",
        "write all dates in one way",
    )


def _not_a_date_error(
    table: Table, name: str, texts: pa.Array, good: Bools
) -> DataError:
    is_odd = ~good
    odd = _first_text(texts, is_odd)
    usual = _first_text(texts, good)
    # A day that does not exist, like 2023-02-29, is no header or total that can be left out.
    looks_like_date = good.any() and _mask_characters(odd) == _mask_characters(usual)
    hint = "" if looks_like_date else table.hint_on_edge_rows(is_odd)
    if not hint:
        hint = "correct it, or say how dates are written with --date-format '%d.%m.%Y'"
    place = table.locate(int(is_odd.argmax()))
    more = format_more(int(is_odd.sum()))
    return DataError(f"{place}: column {name!r}: {odd!r} is not a date{more}", hint)


def _first_text(texts: pa.Array, chosen: Bools) -> str:
    """The first of the chosen texts [n], or of all where none is chosen."""
    first = int(chosen.argmax())
    return str(texts[first].as_py())


def _mask_characters(text: str) -> str:
    """The shape of a text: each digit as 9, each word as a."""
    words_masked = re.sub(r"[^\W\d_]+", "a", text)
    return re.sub(r"\d", "9", words_masked)


def with_time_zone(
    time_column: TimeColumn, codes: Ints, zone: str, table: Table
) -> TimeColumn:
    """Return the stamps in `zone`: naive ones are its wall clock, others are converted.

    codes [n] are their series: of an hour that clocks repeat, the first pass of a series is the
    earlier one. Raises DataError for integer steps, and for an hour that clocks skip.
    """
    form = time_column.form
    instants = time_column.instants
    if instants is None or form.kind == "step":
        message = f"--tz {zone} does not fit a time of plain steps"
        raise DataError(message, "leave out --tz")
    if form.kind == "date":
        return time_column
    if form.universal or form.zone:
        zoned = replace(form, zone=zone, wall=False)
        return replace(time_column, form=zoned, instants=form.to_utc(instants))

    form = replace(form, zone=zone, stated=False)
    time_of_day = instants % DAY
    if (time_of_day == time_of_day[:1]).all():
        return replace(time_column, form=form)  # days stay on the wall clock
    _require_no_skipped_time(time_column, instants, zone, table)
    second_pass = zones.is_second_occurrence(instants, codes, zone)
    universal = zones.to_utc(instants, zone, second_pass)
    return replace(time_column, form=replace(form, wall=False), instants=universal)


def _require_no_skipped_time(
    time_column: TimeColumn, instants: Ints, zone: str, table: Table
) -> None:
    """Raise DataError for a wall-clock time that the clocks of the zone skip."""
    skipped = zones.is_skipped_time(instants, zone)
    if not skipped.any():
        return
    row = int(skipped.argmax())
    more = format_more(int(skipped.sum()))
    stamp = time_column.form.texts(instants[[row]])[0]
    raise DataError(
        f"{table.locate(row)}: column {time_column.name!r}: clocks in {zone} skip {stamp!r}{more}",
        "if clocks do not change in the data, give --tz UTC or an offset, for example --tz +01:00",
    )
