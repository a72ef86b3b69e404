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

from lstmcast.config import UTC_PREFIX, DataConfig
from lstmcast.errors import DataError, format_more
from lstmcast.ingest.number_stamps import (
    infer_number_layout,
    parse_if_all_numbers,
    require_integer_steps,
    require_times,
)
from lstmcast.ingest.timetext.choice import (
    describe_ambiguity,
    describe_reading,
    find_candidate_layouts,
    find_different_readings,
    keep_likeliest_period,
    plain_layout,
)
from lstmcast.ingest.timetext.suggest import suggest_layouts
from lstmcast.ingest.typed_stamps import is_datetime_column, read_datetimes
from lstmcast.ragged import Bools, Ints
from lstmcast.tables.table import Table, to_text_array
from lstmcast.timeaxis import zones
from lstmcast.timeaxis.axis import TimeAxis
from lstmcast.timeaxis.calendar_fields import DAY
from lstmcast.timeaxis.formats import ParsedTimestamps, parse_timestamps
from lstmcast.timeaxis.layouts import match_formats
from lstmcast.timeaxis.numeric import (
    NUMBER_FORMAT_WORDS,
    NUMBER_UNITS,
    are_times,
    is_layout_of_digits,
    numbers_to_instants,
)
from lstmcast.timeaxis.timestamp_format import TimestampFormat


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

    requested = config.date_format or ""
    as_numbers = config.date_format in (None, *NUMBER_UNITS)
    as_numbers |= is_layout_of_digits(requested)
    # Integers of a typed format may be digits of a date, the year first.
    as_digits = not table.is_text and requested.startswith("%Y")
    whole = table.stored_integers(name)
    if whole is not None and (as_numbers or as_digits):
        return _read_numbers(table, whole, name, config, like)

    series = require_complete_column(table, name)
    if is_datetime_column(series):
        form, instants = read_datetimes(table, series, name)
        return _single_column(name, form, instants)
    if pd.api.types.is_numeric_dtype(series.dtype) and (as_numbers or as_digits):
        return _read_numbers(table, series.to_numpy(), name, config, like)

    texts = to_text_array(series)
    numbers = parse_if_all_numbers(texts) if as_numbers else None
    if numbers is not None:
        return _read_numbers(table, numbers, name, config, like)
    return read_texts(table, texts, name, config, like)


def _read_stored_timestamps(
    instants: Ints, form: TimestampFormat, name: str, config: DataConfig
) -> TimeColumn:
    """Stamps that the table holds as such, either typed or of texts of one layout."""
    if form.kind != "text":
        return _single_column(name, form, instants)
    good = np.ones(len(instants), dtype=bool)
    parsed = ParsedTimestamps(instants, good, form.layout)
    form, instants, notes = _resolve_time_zone(parsed, named_zone(config.tz))
    return _single_column(name, form, instants, notes)


def require_complete_column(table: Table, name: str) -> pd.Series:
    """One column of the table; DataError where a cell is empty."""
    series = table.series(name)
    missing = series.isna().to_numpy()
    if not missing.any():
        return series

    # Rows of a header or of totals are told apart from cells that were forgotten.
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

    if layout in NUMBER_UNITS:
        require_times(table, values, name, layout)
    exist = are_times(values, layout)
    if not exist.all():
        texts = pa.array(values).cast(pa.large_string())
        raise not_a_date_error(table, name, texts, texts.unique(), exist, layout)

    form = TimestampFormat("number", layout)
    like_digits = "times like " + layout.replace("%", "")
    meaning = NUMBER_FORMAT_WORDS.get(layout, like_digits)
    instants = numbers_to_instants(values, layout)
    return _single_column(name, form, instants, (f"{name!r} holds {meaning}",))


def read_texts(
    table: Table,
    texts: pa.Array,
    name: str,
    config: DataConfig,
    like: TimeAxis | None,
    layouts: Sequence[str] = (),
) -> TimeColumn:
    """Stamps of texts, in the one layout that fits them all; of `layouts` where these are given."""
    requested = config.date_format
    zone = named_zone(config.tz)
    indices = None
    notes: tuple[str, ...] = ()
    # The usual form of dates is read at once, many times faster than by a list of layouts.
    chosen = None if layouts else _parse_uniform_iso(texts, config)
    if chosen is None:
        # Each different text is parsed once: series share their stamps.
        texts = pc.utf8_trim_whitespace(texts)
        encoded = texts.dictionary_encode()
        unique = encoded.dictionary
        indices = encoded.indices.to_numpy(zero_copy_only=False)

        # A column goes on in the form that it had, unless another one is asked for.
        if not requested:
            chosen = _parse_as_before(unique, like, zone)
        if chosen is None:
            candidates = [requested] if requested else list(layouts)
            candidates = candidates or find_candidate_layouts(unique, zone)
            candidates = _keep_kinds_of_periods(candidates, like)
            attempts = [parse_timestamps(one, unique, zone) for one in candidates]
            fitting = [parsed for parsed in attempts if parsed.good.all()]
            if not fitting:
                raise _unparsed_dates_error(
                    table, name, texts, unique, attempts, indices, requested
                )

            chosen = _resolve_ambiguous_dates(table, name, texts, unique, fitting)
            if not requested:
                example = texts[0].as_py()
                notes = tuple(describe_reading(chosen, name, example))

    form, instants, zone_notes = _resolve_time_zone(chosen, zone)
    if indices is not None:
        instants = instants[indices]
    return _single_column(name, form, instants, (*notes, *zone_notes))


def _parse_as_before(
    unique: pa.Array, like: TimeAxis | None, zone: str | None
) -> ParsedTimestamps | None:
    """Texts in the form of an axis before; None where it is none of texts, or does not fit all."""
    if like is None or like.form.kind != "text":
        return None
    layout = re.sub("%[-_]", "%", like.form.layout)
    parsed = parse_timestamps(layout, unique, zone)
    return parsed if parsed.good.all() else None


def _keep_kinds_of_periods(layouts: list[str], like: TimeAxis | None) -> list[str]:
    """Layouts of no other periods than an axis before: 2015-13 is no week where months were."""
    if like is None or like.form.kind != "text":
        return layouts

    periods = re.compile("%[UVqh]")
    before = set(periods.findall(like.form.layout))
    alike = [one for one in layouts if before.issuperset(periods.findall(one))]
    return alike or layouts


def _parse_uniform_iso(texts: pa.Array, config: DataConfig) -> ParsedTimestamps | None:
    """Parse texts that are all of the ISO form of the first, at once; None where they are not."""
    layout = config.date_format
    if not layout:
        first_text = texts[0].as_py()
        layout = next(iter(match_formats(first_text)), "")
    if not layout.startswith("%Y-%m-%d") or "%z" in layout:
        return None
    parsed = parse_timestamps(layout, texts)
    return parsed if parsed.good.all() else None


def _resolve_ambiguous_dates(
    table: Table,
    name: str,
    texts: pa.Array,
    unique: pa.Array,
    fitting: list[ParsedTimestamps],
) -> ParsedTimestamps:
    """The reading of texts that several layouts fit; DataError where these differ."""
    likeliest = keep_likeliest_period(fitting, name)
    readings = find_different_readings(likeliest)
    if len(readings) == 1:
        return readings[0]

    what, layouts = describe_ambiguity(readings, texts, unique)
    one, other = map(shlex.quote, layouts)
    raise DataError(
        f"{table.locate(0)}: column {name!r}: {what}",
        f"say --date-format {one} or --date-format {other}",
    )


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
        form = TimestampFormat("text", layout)
        stated = replace(form, zone="UTC" if form.universal else "")
        return stated, parsed.instants, ()
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
    unique: pa.Array,
    attempts: list[ParsedTimestamps],
    indices: Any,
    requested: str | None,
) -> DataError:
    """The error for texts that no one layout fits: which is no date, or which are mixed."""
    if not attempts:
        none_good = np.zeros(len(texts), bool)
        return not_a_date_error(table, name, texts, unique, none_good, requested)

    # The layout that fits most texts shows which of them are odd.
    best = max(attempts, key=lambda parsed: int(parsed.good.sum()))
    good = best.good[indices]
    is_odd = ~good
    bad_row = int(is_odd.argmax())
    bad_text = indices[bad_row]

    other_layout_fits = any(parsed.good[bad_text] for parsed in attempts)
    if not other_layout_fits or not good.any():
        return not_a_date_error(table, name, texts, unique, good, requested)

    usual = _first_text(texts, good)
    odd = texts[bad_row].as_py()
    odd_count = int(is_odd.sum())
    return DataError(
        f"{table.locate(bad_row)}: column {name!r} mixes date formats:"
        f" {usual!r} and {odd!r} ({odd_count} rows)",
        "write all dates in one way",
    )


def not_a_date_error(
    table: Table,
    name: str,
    texts: pa.Array,
    unique: pa.Array,
    good: Bools,
    requested: str | None = None,
) -> DataError:
    """The error for texts [n] that are not `good` [n] dates; unique: the different texts."""
    is_odd = ~good
    odd = _first_text(texts, is_odd)
    place = table.locate(int(is_odd.argmax()))
    more = format_more(int(is_odd.sum()))

    clock = _hint_on_ambiguous_clock(odd)
    if clock:
        return DataError(
            f"{place}: column {name!r}: the clock of {odd!r} has several meanings{more}",
            clock,
        )

    hint = _hint_on_odd_date(table, texts, unique, good, requested)
    return DataError(f"{place}: column {name!r}: {odd!r} is not a date{more}", hint)


def _hint_on_odd_date(
    table: Table, texts: pa.Array, unique: pa.Array, good: Bools, requested: str | None
) -> str:
    """What to do about texts that are no dates in the layout of the others."""
    is_odd = ~good
    odd = _first_text(texts, is_odd)
    usual = _first_text(texts, good)
    has_same_shape = _mask_characters(odd) == _mask_characters(usual)

    # A day that does not exist, like 2023-02-29, is no header or total that can be left out.
    looks_like_date = good.any() and has_same_shape
    edge = "" if looks_like_date else table.hint_on_edge_rows(is_odd)
    if edge:
        return edge
    if good.any():
        return f"correct it: the others are dates like {usual!r}"
    return hint_on_unread_times(unique, requested)


def hint_on_unread_times(unique: pa.Array, requested: str | None = None) -> str:
    """What to do about different texts [n] none of which reads as a date."""
    clock = _hint_on_ambiguous_clock(unique[0].as_py())
    if clock:
        return clock

    # The format that was asked for is wrong: it may do without one.
    suggestions: list[str] = []
    if requested:
        candidates = find_candidate_layouts(unique)
        attempts = [parse_timestamps(layout, unique) for layout in candidates]
        fitting = [parsed for parsed in attempts if parsed.good.all()]
        readings = find_different_readings(fitting) if fitting else []
        suggestions = [plain_layout(reading.layout) for reading in readings]
    suggestions = suggestions or suggest_layouts(unique)
    if suggestions:
        shown = [f"--date-format {shlex.quote(layout)}" for layout in suggestions[:2]]
        return "say how dates are written: " + " or ".join(shown)
    return (
        "write dates like 2024-01-31, or take the rows in order, oldest first,"
        " with --time none"
    )


def _hint_on_ambiguous_clock(text: str) -> str:
    """Which zones the name of a clock in a text may mean; "" where it names none, or one."""
    words = re.findall(r"\b[A-Z]{2,5}\b", text)
    if not words:
        return ""
    from lstmcast.timeaxis.language.zone_names import ZONES_BY_AMBIGUOUS_NAME

    for word in words:
        zones_meant = ZONES_BY_AMBIGUOUS_NAME.get(word)
        if zones_meant:
            shown = " or ".join(f"--tz {zone}" for zone in zones_meant)
            return f"say which zone {word} stands for: {shown}"
    return ""


def _first_text(texts: pa.Array, chosen: Bools) -> str:
    """The first of the chosen texts [n], or of all where none is chosen."""
    first = int(chosen.argmax())
    return str(texts[first].as_py())


def _mask_characters(text: str) -> str:
    """The shape of a text: each digit as 9, each word as a."""
    words_masked = re.sub(r"[^\W\d_]+", "a", text)
    return re.sub(r"\d", "9", words_masked)


def named_zone(tz: str | None) -> str | None:
    """The zone of `--tz`, which is what stands behind "UTC:" where it begins so."""
    return tz.removeprefix(UTC_PREFIX) if tz else None


def with_time_zone(
    time_column: TimeColumn, codes: Ints, tz: str, table: Table
) -> TimeColumn:
    """Return the stamps in a zone: naive ones are its wall clock, others are converted.

    tz: a zone, or "UTC:" and a zone, where naive stamps are UTC and days are those of the zone.
    codes [n] are their series: of an hour that clocks repeat, the first pass of a series is the
    earlier one. Raises DataError for integer steps, and for an hour that clocks skip.
    """
    form = time_column.form
    instants = time_column.instants
    zone = tz.removeprefix(UTC_PREFIX)
    if instants is None or form.kind == "step":
        message = f"--tz {tz} does not fit a time of plain steps"
        raise DataError(message, "leave out --tz")

    if form.kind == "date":
        return time_column
    is_naive = not form.universal and not form.zone
    if is_naive and tz.startswith(UTC_PREFIX):
        form = replace(form, naive_utc=True, stated=False)
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
