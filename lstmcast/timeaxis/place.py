"""Stamps on the time axis of a panel: the axis they lie on, and the ordinal of each.

Knows no values and no files.

Axes: n stamps, N series.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from lstmcast.config import DataConfig
from lstmcast.errors import DataError
from lstmcast.ragged import Bools, Ints
from lstmcast.timeaxis import zones
from lstmcast.timeaxis.axis import TimeAxis, off_grid_error
from lstmcast.timeaxis.calendar_fields import DAY, SECOND
from lstmcast.timeaxis.frequency import HOUR, MINUTE, Grid, parse_frequency
from lstmcast.timeaxis.infer import (
    close_grid,
    find_closed_grid,
    grid_from_frequency,
    infer_grid,
    infer_grid_of_open_times,
    is_slower_series,
    mixed_frequency_error,
)
from lstmcast.timeaxis.irregular import (
    MAX_SHARED_STEPS,
    MAX_SILENT_SHARE,
    Snapped,
    Stamps,
    are_fiscal_periods,
    find_phase,
    infer_snapped,
    is_shifted_by_clocks,
    snap_to_grid,
    suggest_for_irregular,
)
from lstmcast.timeaxis.timestamp_format import TimestampFormat


class PlacedStamps(NamedTuple):
    """Stamps [n] on an axis: their ordinals, which of them are at open times, and notes."""

    axis: TimeAxis
    ordinals: Ints
    is_open: Bools
    notes: tuple[str, ...]


def infer_axis(
    instants: Ints,
    codes: Ints,
    form: TimestampFormat,
    name: str,
    config: DataConfig = DataConfig(),  # noqa: B008
    *,
    like: TimeAxis | None = None,
    place: Callable[[int], str] = str,
    series: Sequence[str] = (),
    observed: Bools | None = None,
    in_order: bool = True,
) -> PlacedStamps:
    """Find the axis of stamps that are sorted by series, then time, without duplicates.

    instants, codes: [n], of the stamps and of their series. name: of the time column. like: an axis
    to keep to. place: says where stamp number i stands in the input. series: names [N] of the
    codes. observed: [n], which stamps have a value; all where it is None. in_order: whether rows
    stand in order of time. Stamps at closed times have no ordinal of their own: they are for the
    caller to leave out. Raises DataError where the stamps are irregular, of several frequencies,
    contradict `config.freq`, or are too few to find it.
    """
    form, instants = _to_wall_clock_or_utc(form, instants, like)
    freq = config.freq
    stamps = Stamps(
        instants=instants,
        same_series=np.asarray(codes[1:] == codes[:-1]),
        universal=form.to_utc(instants) if form.zone else None,
        in_order=in_order,
        may_snap=config.snap is None,
    )
    if like:
        freq = freq or like.freq
        grid = like.grid
        _require_same_kind(TimeAxis(name, grid, form), like)
    else:
        grid = _requested_or_inferred_grid(instants, codes, form, config)

    is_fixed = bool(like or config.freq)
    snapped = _snap_stamps(
        grid, stamps, config.snap, is_fixed=is_fixed, has_open_phase=not like
    )
    has_steps = bool(stamps.same_series.any())
    if snapped is not None and not like and freq and has_steps and not config.snap:
        # Stamps with regular steps of their own contradict the frequency that is requested.
        own = infer_grid(instants, codes, integer=False)
        if own.ordinals(instants)[1].all():
            snapped = None
    notes: tuple[str, ...] = ()
    if snapped is not None:
        notes = (_note_snapped(snapped, len(instants)),)
        grid = snapped.grid
        instants = grid.with_closed_periods.instants(snapped.ordinals)
    if not like:
        seen = instants if observed is None else instants[observed]
        grid = with_closed_times(grid, seen, form, config)

    axis = TimeAxis(name, grid, form)
    ordinals, on_grid = grid.ordinals(instants)
    is_open = on_grid
    # Rows at closed times are left out, unless it was the user who asked for business days.
    asks_for_days = freq is not None and parse_frequency(freq).unit == "business"
    if (like or not asks_for_days) and not on_grid.all():
        _, on_grid = grid.with_closed_periods.all_ordinals(instants)

    # Where series differ in frequency, that is why stamps are off the grid: it is said first.
    if not freq and _may_be_mixed(ordinals[is_open], on_grid, codes, is_open, config):
        is_integer = axis.kind == "integer"
        mixed = mixed_frequency_error(instants, codes, series, integer=is_integer)
        if mixed is not None:
            raise mixed

    if not on_grid.all():
        hint = suggest_for_irregular(grid, stamps)
        error = off_grid_error(axis, instants, ~on_grid, place, hint)
        raise _contradiction_error(freq, error, like) if freq else error

    return PlacedStamps(axis, ordinals, is_open, notes)


def _snap_stamps(
    grid: Grid,
    stamps: Stamps,
    snap: bool | None,
    *,
    is_fixed: bool,
    has_open_phase: bool,
) -> Snapped | None:
    """The stamps moved to the nearest steps; None where they need not or must not be moved.

    is_fixed: whether the step is given; else the one that the stamps miss least is taken.
    has_open_phase: whether the stamps say where in a step they lie.
    """
    if snap is False or grid.unit == "integer":
        return None
    every_step = grid.with_closed_periods
    instants = stamps.instants
    _, on_grid = every_step.all_ordinals(instants)
    if on_grid.all():
        return None

    found = None
    if not is_fixed:
        found = infer_snapped(instants, stamps.same_series)
    elif has_open_phase and grid.unit == "us" and grid.step <= DAY:
        # The most frequent place in a step is any of them, where all are a little off.
        grid = replace(grid, phase=find_phase(instants, grid.step))
        every_step = grid.with_closed_periods
    if found is None:
        found = snap_to_grid(every_step, instants, stamps.same_series)
        found = found._replace(grid=grid)

    if snap:
        return found
    if are_fiscal_periods(np.diff(instants)[stamps.same_series]):
        return None
    # Days that miss by whole hours are the days of some zone, and no jitter.
    has_zone = stamps.universal is not None
    if has_zone and is_shifted_by_clocks(instants, found.grid):
        return None
    is_near = found.share <= MAX_SILENT_SHARE
    return found if is_near and found.shared <= MAX_SHARED_STEPS else None


def _note_snapped(snapped: Snapped, count: int) -> str:
    distance = _format_duration(snapped.distance)
    return (
        f"{snapped.moved:,} of {count:,} times miss their step by up to {distance}:"
        f" moved to the nearest ({snapped.grid.words}); --no-snap refuses them"
    )


def _format_duration(microseconds: int) -> str:
    """A duration in the largest unit of which it holds two."""
    units = (("days", DAY), ("hours", HOUR), ("minutes", MINUTE), ("seconds", SECOND))
    for name, size in units:
        if microseconds >= 2 * size:
            return f"{microseconds / size:.3g} {name}"
    return f"{microseconds / SECOND:.3g} s"


def with_closed_times(
    grid: Grid,
    instants: Ints,
    form: TimestampFormat,
    config: DataConfig,
) -> Grid:
    """The grid without the times that are closed: as requested, or those that never occur.

    instants: of the stamps with a value.
    """
    if config.closed == "none":
        # Monday to Friday is a choice of ours, unless the user asks for it.
        is_ours = grid.unit == "business" and config.freq is None
        return grid.with_closed_periods if is_ours else grid
    if config.closed != "auto":
        _require_closable(grid, form, config.closed)
        return close_grid(grid, config.closed)
    # Missing steps that will be filled are meant to be there.
    if config.fill != "none" or not len(instants):
        return grid

    _, on_grid = grid.ordinals(instants)
    if on_grid.all():
        return find_closed_grid(grid, instants)
    if config.freq or config.snap is False:
        return grid
    return infer_grid_of_open_times(instants) or grid


def _require_closable(grid: Grid, form: TimestampFormat, closed: str) -> None:
    """Raise DataError where closed times were meant on a clock that the steps do not follow."""
    if grid.unit == "integer":
        raise DataError(
            f"--closed {closed} does not fit a time column of integer steps",
            "leave out --closed",
        )
    has_clock = form.zone and form.zone != "UTC" and not form.wall
    if has_clock and zones.has_changing_clocks(form.zone):
        raise DataError(
            f"--closed {closed} does not fit steps below a day in {form.zone},"
            " which are counted in UTC",
            "leave out --closed: the times that never occur are found from the data",
        )


def _may_be_mixed(
    ordinals: Ints, on_grid: Bools, codes: Ints, is_open: Bools, config: DataConfig
) -> bool:
    """Whether series may be of different frequencies: a slower one leaves most steps missing."""
    if not on_grid.all():
        return True
    if config.fill != "none":  # such steps are meant as missing, and will be filled
        return False
    return bool(is_slower_series(ordinals, codes[is_open]).any())


def _to_wall_clock_or_utc(
    form: TimestampFormat, instants: Ints, like: TimeAxis | None
) -> tuple[TimestampFormat, Ints]:
    """Days and longer follow the wall clock of their zone; hours and shorter follow UTC."""
    zone = (like.form.zone if like else "") or form.zone
    is_same_zone = zone == form.zone
    if not form.zone or (is_same_zone and zone == "UTC"):
        return form, instants

    if like:
        daily = like.form.wall
    else:
        clocks = form.local(instants) % DAY
        daily = bool((clocks == clocks[:1]).all())

    # Days of the same instants begin elsewhere in another zone, unless both have fixed offsets.
    other_days = daily and not is_same_zone and zones.has_changing_clocks(zone)
    if daily == form.wall and not other_days:
        return form, instants

    universal = form.to_utc(instants)
    if daily:
        wall = zones.to_local(universal, zone)
        return replace(form, zone=zone, wall=True), wall
    return replace(form, wall=False), universal


def _requested_or_inferred_grid(
    instants: Ints, codes: Ints, form: TimestampFormat, config: DataConfig
) -> Grid:
    is_integer = form.kind == "step"
    freq = config.freq

    if freq:
        is_integer_freq = parse_frequency(freq).unit == "integer"
        if is_integer_freq != is_integer:
            kind = "integer steps" if is_integer else "dates"
            message = f"--freq {freq} does not fit a time column of {kind}"
            raise DataError(message, "leave out --freq")
        return grid_from_frequency(freq, instants)

    has_steps = (codes[1:] == codes[:-1]).any()
    if not has_steps:
        message = "one row a series is too few to find the frequency"
        raise DataError(message, "give it with --freq, or give more rows")
    return infer_grid(instants, codes, integer=is_integer)


def _require_same_kind(axis: TimeAxis, like: TimeAxis) -> None:
    """Raise DataError where stamps are integers or have a zone, and those of `like` do not."""
    if (like.form.kind == "step") != (axis.form.kind == "step"):
        trained = f"{like.grid.words} like {like.form.example()!r}"
        raise DataError(
            f"the time column {axis.name!r} does not continue {trained}",
            "give data whose time column is of the same kind",
        )

    has_zone = bool(axis.form.zone)
    if bool(like.form.zone) != has_zone:
        have = "have a" if has_zone else "have no"
        others_have = "have no" if has_zone else "have a"
        raise DataError(
            f"stamps of {axis.name!r} {have} time zone,"
            f" but those of the training {others_have} time zone",
            "write stamps as in the training data",
        )


def _contradiction_error(
    freq: str, error: DataError, like: TimeAxis | None
) -> DataError:
    hint = "leave out --freq: the step is found from the data"
    if like:
        hint = "give data with the steps of the training, or fit a run of their own"
    if "--snap" in error.hint:
        hint = "move each row to the nearest step with --snap"
    message = f"the data contradict the frequency {freq}: {error.message}"
    return DataError(message, hint)
