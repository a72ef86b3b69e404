"""Usable series laid end to end on the time axis: flat arrays, and notes on what is missing.

Axes: N series, T steps of a series, Cp past, Cf known-future, Cs static covariates; arrays of
series lie end to end.
"""

import time
from typing import NamedTuple

import numpy as np

from lstmcast.config import DataConfig, Fill
from lstmcast.errors import DataError, format_names
from lstmcast.ingest.encoding import EncodedCovariates, EncodedRoles
from lstmcast.ingest.keys import SeriesKeys
from lstmcast.ingest.rows import Rows
from lstmcast.ragged import Bools, Floats, Ints, offsets_from_lengths
from lstmcast.timeaxis.axis import TimeAxis
from lstmcast.timeaxis.calendar_fields import DAY, SECOND
from lstmcast.timeaxis.frequency import HOUR, WEEK
from lstmcast.timeaxis.infer import mixed_frequency_error

IndexOrSlice = Ints | slice

_MIN_RUN = 3
"""Values one step after another that show that a series was on, before and after a pause."""
_MAX_GAP = 14
"""Steps that may be missing, or a season of them, before it is called a pause."""
_MAX_PAUSE_SHARE = 20
"""Steps for each value that a series with pauses may have."""
_FAR_ORDINAL = np.int64(2**62)


class _SeriesSpans(NamedTuple):
    """Of each series [N]: observed values, first and last ordinal with one, steps between them."""

    observed: Ints
    first: Ints
    last: Ints
    steps: Ints


class SeriesArrays(NamedTuple):
    """The usable series as flat arrays, and notes."""

    keys: tuple[tuple[str, ...], ...]
    values: Floats
    offsets: Ints
    start: Ints
    past: Floats
    future: Floats
    future_offsets: Ints
    static: Floats
    notes: tuple[str, ...]


def flatten_series(
    rows: Rows,
    roles: EncodedRoles,
    keys: SeriesKeys,
    axis: TimeAxis,
    config: DataConfig,
    min_values: int,
) -> SeriesArrays:
    """Lay each usable series end to end on the axis, from its first to its last observed value."""
    spans = _measure_spans(rows)
    usable, notes = _select_usable_series(spans, rows, keys, axis, config, min_values)
    steps_before = spans.steps
    spans, usable, ended_notes = _settle_ended_series(spans, usable, keys, axis, config)
    added_steps = spans.steps - steps_before
    extended = int(added_steps[usable].sum())

    # A run says of later data itself which series have ended.
    if min_values > 1 or config.ended != "keep":
        notes += ended_notes

    # A series that is not usable has no steps here, so that none of its rows has a place.
    lengths = np.where(usable, spans.steps, 0)
    ahead = _count_steps_ahead(spans, rows, roles.future.values)
    future_lengths = lengths + np.where(usable, ahead, 0)

    # Values and past covariates, up to the last observed value.
    total = int(lengths.sum())
    inside, places = _locate_rows(spans, rows, lengths)
    values = _scatter_values(rows.values[inside, 0], places, total)
    table_rows = rows.rows[inside]
    past = _scatter_values(roles.past.values[table_rows], places, total)

    newest = int(spans.last[usable].max())
    notes += _note_future_dates(axis, newest)
    # Steps beyond the last row of an extended series are no gap.
    within = total - extended
    rows_within = rows.take(inside)
    notes += _note_missing_values(axis, rows_within, within, config.fill)
    if config.fill == "none" and min_values > 1:
        notes += _note_pauses(axis, rows_within, keys)

    # Known-future covariates go on beyond it, static ones are one row a series.
    future_total = int(future_lengths.sum())
    inside, places = _locate_rows(spans, rows, future_lengths)
    table_rows = rows.rows[inside]
    future = _scatter_values(roles.future.values[table_rows], places, future_total)

    static = _reduce_static_values(roles.static, rows, keys)
    usable_codes = np.flatnonzero(usable).tolist()
    usable_keys = [keys.keys[code] for code in usable_codes]
    if config.fill == "zero":
        values = np.nan_to_num(values)

    return SeriesArrays(
        keys=tuple(usable_keys),
        values=values,
        offsets=offsets_from_lengths(lengths[usable]),
        start=spans.first[usable],
        past=past,
        future=future,
        future_offsets=offsets_from_lengths(future_lengths[usable]),
        static=static[usable],
        notes=notes,
    )


def _measure_spans(rows: Rows) -> _SeriesSpans:
    """Measure where each series begins and ends; rows have one target."""
    stamps = rows.stamps
    target = rows.values[:, 0]
    is_observed = ~np.isnan(target)
    starts = rows.starts()

    # Rows are sorted: of observed ones the first and last bound a series.
    if is_observed.all():  # the common case, several times faster
        ends = np.r_[starts[1:], len(is_observed)]
        observed = ends - starts
        first = stamps[starts]
        last = stamps[ends - 1]
    else:
        observed = np.add.reduceat(is_observed, starts, dtype=np.int64)
        # A stamp without a value must not be the first or the last.
        first_stamps = np.where(is_observed, stamps, _FAR_ORDINAL)
        first = np.minimum.reduceat(first_stamps, starts)
        last_stamps = np.where(is_observed, stamps, -_FAR_ORDINAL)
        last = np.maximum.reduceat(last_stamps, starts)

    span = last - first + 1
    steps = np.where(observed > 0, span, 0)
    return _SeriesSpans(observed, first, last, steps)


def _select_usable_series(
    spans: _SeriesSpans,
    rows: Rows,
    keys: SeriesKeys,
    axis: TimeAxis,
    config: DataConfig,
    min_values: int,
) -> tuple[Bools, tuple[str, ...]]:
    """Whether each series [N] has enough values, and notes on the others; DataError if none has."""
    short = spans.observed < min_values
    # Steps that will be filled do not make a series sparse.
    left_missing = config.fill == "none"
    half_missing = spans.observed * 2 < spans.steps
    sparse = ~short & half_missing & left_missing
    if sparse.any():
        sparse &= ~_is_on_and_off(rows, spans, sparse)
    usable = np.asarray(~short & ~sparse)

    if not usable.any():
        if sparse.any():
            first = int(sparse.argmax())
            raise _sparse_series_error(spans, rows, keys, axis, config.freq, first)
        most = int(spans.observed.max())
        raise too_few_values_error(most, min_values)

    few_values = f"fewer than {min_values} values"
    notes = _note_skipped_series(short, few_values, keys)
    skipped = _note_skipped_series(
        sparse, "more than half of their steps missing", keys
    )
    if skipped and min_values == 1:
        notes += skipped
    elif skipped:
        notes += (f"{skipped[0]}; --fill zero keeps them, if no row means none",)
    return usable, notes


def _is_on_and_off(rows: Rows, spans: _SeriesSpans, sparse: Bools) -> Bools:
    """Which of the `sparse` series [N] have values one step after another, and pauses between.

    Their step is right, however much is missing: they are sold, pause, and are sold again. A lone
    value far from the others is a wrong date instead, and says nothing of the time between.
    """
    is_observed = ~np.isnan(rows.values[:, 0])
    codes = rows.codes[is_observed]
    stamps = rows.stamps[is_observed]

    most_steps = _MAX_PAUSE_SHARE * spans.observed
    candidates = sparse & (spans.steps <= most_steps)
    on_and_off = np.zeros(len(sparse), dtype=bool)

    for code in np.flatnonzero(candidates).tolist():
        begin, end = np.searchsorted(codes, [code, code + 1])
        stamps_of_series = stamps[begin:end]
        steps = np.diff(stamps_of_series)

        # A run ends before each pause, and the last one with the series.
        last_before_pause = np.flatnonzero(steps > 1)
        edges = np.r_[0, last_before_pause + 1, end - begin]
        runs = np.diff(edges)

        # The runs at both ends must be long by themselves: a lone value there is a wrong date.
        shortest = min(runs[0], runs[-1], runs.mean())
        on_and_off[code] = shortest >= _MIN_RUN
    return on_and_off


def _settle_ended_series(
    spans: _SeriesSpans,
    usable: Bools,
    keys: SeriesKeys,
    axis: TimeAxis,
    config: DataConfig,
) -> tuple[_SeriesSpans, Bools, tuple[str, ...]]:
    """Keep, drop or extend the series that end before the newest, and note which they are."""
    newest = int(spans.last[usable].max())
    ended = usable & (spans.last < newest)
    count = int(ended.sum())
    if not count:
        return spans, usable, ()

    # The one that ended first is the one to know about.
    ended_codes = np.flatnonzero(ended)
    order = np.argsort(spans.last[ended], kind="stable")
    some = ended_codes[order[:4]]
    labels = [keys.label(code) for code in some.tolist()]
    names = format_names(labels, count)

    earliest = spans.last[some[0]]
    newest_text, earliest_text = axis.texts(np.array([newest, earliest]))
    usable_count = int(usable.sum())
    found = f"{count} of {usable_count} series end before {newest_text}: {names}"

    if config.ended == "drop":
        return spans, usable & ~ended, (f"{found}: left out",)
    if config.ended == "extend":
        last = np.where(ended, newest, spans.last)
        until_newest = newest - spans.first + 1
        steps = np.where(ended, until_newest, spans.steps)
        longer = spans._replace(last=last, steps=steps)
        return longer, usable, (f"{found}: go on until then, with missing values",)

    note = (
        f"{found}; each is forecast from its own end, the first from {earliest_text}:"
        " --ended drop leaves them out, --ended extend forecasts from the newest end"
    )
    return spans, usable, (note,)


def _note_skipped_series(
    skipped: Bools, reason: str, keys: SeriesKeys
) -> tuple[str, ...]:
    """Note how many of the series [N] are skipped, why, and the names of a few."""
    count = int(skipped.sum())
    if not count:
        return ()

    skipped_codes = np.flatnonzero(skipped)
    some = skipped_codes[:4]
    labels = [keys.label(code) for code in some.tolist()]
    names = format_names(labels, count)
    return (f"skipped {count} of {len(skipped)} series with {reason}: {names}",)


def _sparse_series_error(
    spans: _SeriesSpans,
    rows: Rows,
    keys: SeriesKeys,
    axis: TimeAxis,
    freq: str | None,
    code: int,
) -> DataError:
    """The error for series most of whose steps are missing; `code` is the first of them."""
    instants = axis.grid.instants(rows.stamps)
    labels = keys.labels()
    is_integer = axis.kind == "integer"
    mixed = mixed_frequency_error(instants, rows.codes, labels, integer=is_integer)
    if mixed is not None and freq is None:
        return mixed

    steps = int(spans.steps[code])
    missing = steps - int(spans.observed[code])

    is_observed = ~np.isnan(rows.values[:, 0])
    is_of_series = rows.codes == code
    observed = instants[is_of_series & is_observed]
    rule = _suggest_wider_step(axis, observed)

    other_freq = "give the frequency of the data with --freq"
    if freq:
        other_freq = "leave out --freq"
    return DataError(
        f"more than half of {keys.label(code)} is missing:"
        f" {missing} of {steps} steps ({axis.grid.words})",
        f"{other_freq}, or --fill zero where no row means none;"
        f" or make wider steps: --resample {rule}",
    )


def too_few_values_error(have: int, need: int) -> DataError:
    """The error for a target with fewer values than any forecast needs."""
    return DataError(
        f"too few values in the target: need {need}, have {have}, so no context fits",
        "give more rows",
    )


def _suggest_wider_step(axis: TimeAxis, stamps: Ints) -> str:
    """A rule for `--resample` with steps most of which hold one of these stamps."""
    if axis.grid.unit == "integer":
        return f"{10 * axis.grid.step}:mean"

    # The shortest step most of which would hold a value; 31 days stand for a month.
    sizes = (("h", HOUR), ("D", DAY), ("W", WEEK), ("MS", 31 * DAY))
    for rule, size in sizes:
        steps = stamps // size
        span = steps[-1] - steps[0] + 1
        with_value = len(np.unique(steps))
        if 2 * with_value > span:
            return f"{rule}:mean"

    return "YS:mean"


def _count_steps_ahead(spans: _SeriesSpans, rows: Rows, future: Floats) -> Ints:
    """Steps [N] after the last value up to the last row with any known-future covariate."""
    if not future.shape[1]:
        return np.zeros_like(spans.last)

    is_missing = np.isnan(future[rows.rows])
    all_missing = is_missing.all(axis=1)
    # A row without any of them must not be the last: its stamp is put far before all others.
    stamps = np.where(all_missing, -_FAR_ORDINAL, rows.stamps)
    starts = rows.starts()
    last_known = np.maximum.reduceat(stamps, starts)

    steps_ahead = last_known - spans.last
    return np.maximum(steps_ahead, 0)


def _locate_rows(
    spans: _SeriesSpans, rows: Rows, lengths: Ints
) -> tuple[IndexOrSlice, IndexOrSlice]:
    """Find the rows within the first `lengths` [N] steps of their series, and their places.

    A place is an index into all series end to end.
    """
    codes = rows.codes
    as_many_rows = len(codes) == lengths.sum()
    if as_many_rows and (spans.observed == lengths).all():
        return slice(None), slice(None)  # every step has its row: nothing to move

    # A row's step counts from the first observed value of its series.
    step = rows.stamps - spans.first[codes]
    is_inside = (step >= 0) & (step < lengths[codes])
    inside = np.flatnonzero(is_inside)

    offsets = offsets_from_lengths(lengths)
    series = codes[inside]
    begin = offsets[series]
    return inside, begin + step[inside]


def _scatter_values(values: Floats, places: IndexOrSlice, total: int) -> Floats:
    """Values at their places in an array of `total` rows, NaN elsewhere."""
    if isinstance(places, slice):
        return values
    shape = (total, *values.shape[1:])
    scattered = np.full(shape, np.nan)
    scattered[places] = values
    return scattered


def _note_future_dates(axis: TimeAxis, last: int) -> tuple[str, ...]:
    """Note a last value that is dated in the future: a typing error more likely than a fact.

    A day of tolerance leaves room for time zones.
    """
    if axis.kind != "datetime":
        return ()

    ordinals = np.array([last])
    instants = axis.grid.instants(ordinals)
    tomorrow = time.time() * SECOND + DAY
    if int(instants[0]) <= tomorrow:
        return ()

    stamp = axis.texts(ordinals)[0]
    return (f"the last value is dated in the future: {stamp}",)


def _note_missing_values(
    axis: TimeAxis, rows: Rows, total: int, fill: Fill
) -> tuple[str, ...]:
    """Note how many values and how many whole rows are missing, and what becomes of them."""
    treatment = "left missing" if fill == "none" else f"filled: {fill}"
    notes = []

    empty = int(np.isnan(rows.values).sum())
    if empty:
        notes.append(f"missing target values: {empty}, {treatment}")

    missing_rows = total - len(rows.stamps)
    if missing_rows:
        gaps = _describe_gaps(axis, rows, treatment)
        notes.append(f"missing rows: {missing_rows:,} in {gaps}")

    return tuple(notes)


def _note_pauses(axis: TimeAxis, rows: Rows, keys: SeriesKeys) -> tuple[str, ...]:
    """Note series that pause for long, and what to do if no row means none."""
    longest = max(_MAX_GAP, axis.season)
    steps_between = np.diff(rows.stamps) - 1
    is_long = steps_between > longest
    is_pause = rows.continues_series() & is_long
    if not is_pause.any():
        return ()

    codes_after = rows.codes[1:]
    paused = np.unique(codes_after[is_pause])
    labels = [keys.label(code) for code in paused[:4].tolist()]
    names = format_names(labels, len(paused))
    who = f"{len(paused)} series pause" if keys.names else "there are pauses"
    which = f": {names}" if keys.names else ""
    return (
        f"{who} for more than {longest} steps{which};"
        " if no row means none there, give --fill zero",
    )


def _describe_gaps(axis: TimeAxis, rows: Rows, treatment: str) -> str:
    """How many gaps of whole rows there are, and between which stamps the longest is."""
    # Steps left out between a row and the next of the same series.
    stamps = rows.stamps
    steps_between = np.diff(stamps) - 1
    same_series = rows.continues_series()
    gaps = np.where(same_series, steps_between, 0)

    longest = int(gaps.argmax())
    before_and_after = stamps[longest : longest + 2]
    begin, end = axis.texts(before_and_after)
    count = int((gaps > 0).sum())

    where = f"one gap, {treatment}"
    if count > 1:
        steps = int(gaps[longest])
        where = f"{count:,} gaps, {treatment}; the longest is {steps:,}"

    return f"{where}, between {begin} and {end}"


def _reduce_static_values(
    static: EncodedCovariates, rows: Rows, keys: SeriesKeys
) -> Floats:
    """The one value [N, Cs] of each series; DataError where it changes within a series."""
    starts = rows.starts()
    if not static.names:
        return np.empty((len(starts), 0))

    values = static.values[rows.rows]
    is_missing = np.isnan(values)
    low_values = np.where(is_missing, np.inf, values)
    high_values = np.where(is_missing, -np.inf, values)
    low = np.minimum.reduceat(low_values, starts)
    high = np.maximum.reduceat(high_values, starts)

    # Where all values are missing, low is infinite and nothing has changed.
    has_value = np.isfinite(low)
    changed = (low != high) & has_value
    if changed.any():
        places = np.argwhere(changed)
        code, column = places[0].tolist()
        raise _changing_static_error(static.names[column], keys, code)

    return np.where(has_value, low, np.nan)


def _changing_static_error(name: str, keys: SeriesKeys, code: int) -> DataError:
    column = name.partition("=")[0]
    where = f"series {keys.label(code)!r}" if keys.keys[code] else "the series"
    return DataError(
        f"static column {column!r} changes within {where}",
        "give it as --past or --future instead",
    )
