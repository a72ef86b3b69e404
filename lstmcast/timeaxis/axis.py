"""The time axis of a panel: its frequency and seasons, the next stamps, calendar features.

Knows no values and no files.

Axes: n stamps, F = 8 calendar features, N series.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lstmcast.config import DataConfig
from lstmcast.errors import DataError, format_more
from lstmcast.ragged import Bools, Ints
from lstmcast.timeaxis import zones
from lstmcast.timeaxis.calendar_fields import (
    DAY,
    month_lengths,
    month_starts,
    months_since_epoch,
    weekdays,
)
from lstmcast.timeaxis.frequency import HOUR, MINUTE, WEEK, Grid, parse_frequency
from lstmcast.timeaxis.infer import (
    grid_from_frequency,
    infer_grid,
    is_slower_series,
    mixed_frequency_error,
)
from lstmcast.timeaxis.timestamp_format import TimestampFormat

CALENDAR_CYCLES = ("hour", "weekday", "day", "month")
"""What `TimeAxis.calendar` gives a sine and a cosine of: time of day, day of the week and of the
month, month of the year."""
_HORIZONS = {("month", 3): 4, ("month", 12): 4, ("us", DAY): 14, ("us", WEEK): 8}
"""Default horizons by unit and step of the grid; elsewhere it is the season."""
_INTEGER_HORIZON = 10
_LONGER_SEASONS = {DAY: (7, 365), WEEK: (1, 52)}
"""Seasons of daily and weekly steps."""
_MONTH_MICROSECONDS = 28 * DAY
_RESAMPLE_RULES = {
    "MS": _MONTH_MICROSECONDS,
    "W": WEEK,
    "D": DAY,
    "h": HOUR,
    "15min": 15 * MINUTE,
    "min": MINUTE,
}
"""Steps that people gather rows into, and how long they are at least, the longest first."""


@dataclass(frozen=True)
class TimeAxis:
    """A regular time axis: its grid of periods and the form in which the user writes stamps.

    name: the time column in the output.
    """

    name: str
    grid: Grid
    form: TimestampFormat

    @property
    def kind(self) -> Literal["datetime", "integer"]:
        """Whether stamps are points in time or plain integer steps."""
        return "integer" if self.grid.unit == "integer" else "datetime"

    @property
    def freq(self) -> str:
        """The frequency as a pandas alias; for integers the step as text."""
        return self.grid.alias

    @property
    def season(self) -> int:
        """Main season in steps, by the frequency only; 1 where there is none."""
        return self._default_seasons()[0]

    @property
    def second_season(self) -> int:
        """Second, longer season in steps; 0 where there is none."""
        return self._default_seasons()[1]

    @property
    def horizon(self) -> int:
        """Default horizon in steps, by the frequency only."""
        unit = self.grid.unit
        step = self.grid.step
        if unit == "integer":
            return _INTEGER_HORIZON
        return _HORIZONS.get((unit, step), self.season)

    def _default_seasons(self) -> tuple[int, int]:
        """Main season, 1 where there is none, and a longer one, 0 where there is none."""
        unit = self.grid.unit
        step = self.grid.step

        if unit == "business":
            return 5, 260  # working days of a week and of a year
        if unit == "month" and 12 % step == 0:
            return 12 // step, 0
        if unit in ("month", "integer") or step > WEEK:
            return 1, 0
        if step >= DAY:
            return _LONGER_SEASONS.get(step, (1, 0))

        # A day and a week; for steps below a minute, a minute and an hour.
        short, long = (DAY, WEEK) if step >= MINUTE else (MINUTE, HOUR)

        # A step that does not divide a season never comes back to the same place in it.
        main, second = 1, 0
        if short % step == 0:
            main = short // step
        if main > 1 and long % step == 0:
            second = long // step
        return main, second

    def ordinals(self, stamps: Any) -> Ints:
        """Ordinals [n], int64, of stamps [n] in the user's own form or typed.

        Raises DataError where a stamp is off the grid, or is none.
        """
        instants = self.form.read(stamps)
        ordinals, on_grid = self.grid.ordinals(instants)
        if not on_grid.all():
            raise _off_grid_error(self, instants, ~on_grid, str)
        return ordinals

    def floor(self, stamp: Any) -> int:
        """Ordinal of the period at or before one stamp, on the grid or not."""
        instants = self.form.read(stamp)
        ordinals, _ = self.grid.ordinals(instants)
        return int(ordinals[0])

    def stamps(self, ordinals: Ints) -> Any:
        """Stamps [n] of ordinals [n] in the user's own form: an array or index for a frame."""
        instants = self.grid.instants(_to_ints(ordinals))
        return self.form.write(instants)

    def texts(self, ordinals: Ints) -> list[str]:
        """Stamps of ordinals [n] as text, for CSV and for messages."""
        instants = self.grid.instants(_to_ints(ordinals))
        return self.format_instants(instants)

    def format_instants(self, instants: Ints) -> list[str]:
        """Text of instants [n], on the grid or not; only dates where all are at midnight."""
        at_midnight = not (instants % DAY).any()
        dates_only = at_midnight and self.grid.is_daily_or_longer
        return self.form.texts(instants, dates_only=dates_only)

    def calendar(self, ordinals: Ints) -> NDArray[np.float32]:
        """Calendar features [n, F] in [-1, 1]: a sine and a cosine of each of CALENDAR_CYCLES.

        Both are 0 where all steps are at the same place of a cycle.
        """
        ordinals = _to_ints(ordinals)
        shape = (len(ordinals), 2 * len(CALENDAR_CYCLES))
        features = np.zeros(shape, dtype=np.float32)
        if self.kind == "integer":
            return features

        instants = self.form.local(self.grid.instants(ordinals))
        days, clock = np.divmod(instants, DAY)
        months = months_since_epoch(instants)
        days_before = days - month_starts(months)

        # In the order of CALENDAR_CYCLES, each from 0 to below 1.
        phases = (
            clock / DAY,
            weekdays(days) / 7,
            days_before / month_lengths(months),
            months % 12 / 12,
        )

        cycles = self.cycles
        for place, phase in enumerate(phases):
            if cycles[place]:
                angle = 2 * np.pi * phase
                column = 2 * place
                features[:, column] = np.sin(angle)
                features[:, column + 1] = np.cos(angle)

        return features

    @property
    def cycles(self) -> tuple[bool, bool, bool, bool]:
        """Which of CALENDAR_CYCLES have the steps at different places."""
        step = self.grid.step
        match self.grid.unit:
            case "integer":
                return False, False, False, False
            case "month":
                return False, False, False, step % 12 != 0
            case "business":
                return False, True, True, True
            case _:
                return step < DAY, step % WEEK != 0, step < _MONTH_MICROSECONDS, True

    def to_dict(self) -> dict[str, Any]:
        """A nested dictionary, ready for JSON, from which `from_dict` makes an equal axis."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "TimeAxis":
        """An axis from what `to_dict` returned."""
        grid = Grid(**data["grid"])
        form = TimestampFormat(**data["form"])
        return cls(data["name"], grid, form)


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
) -> tuple[TimeAxis, Ints]:
    """Find the axis of stamps that are sorted by series, then time, without duplicates.

    instants, codes: [n], of the stamps and of their series. name: of the time column. like: an axis
    to keep to. place: says where stamp number i stands in the input. series: names [N] of the
    codes. Returns the axis and the ordinal of every stamp [n]. Raises DataError where the stamps
    are irregular, of several frequencies, contradict `config.freq`, or are too few to find it.
    """
    form, instants = _to_wall_clock_or_utc(form, instants, like)
    freq = config.freq
    if like:
        freq = freq or like.freq
        axis = TimeAxis(name, like.grid, form)
        _require_same_kind(axis, like)
    else:
        grid = _requested_or_inferred_grid(instants, codes, form, config)
        axis = TimeAxis(name, grid, form)

    ordinals, on_grid = axis.grid.ordinals(instants)
    # Where series differ in frequency, that is why stamps are off the grid: it is said first.
    if not freq and _may_be_mixed(ordinals, on_grid, codes, config):
        is_integer = axis.kind == "integer"
        mixed = mixed_frequency_error(instants, codes, series, integer=is_integer)
        if mixed is not None:
            raise mixed

    if not on_grid.all():
        error = _off_grid_error(axis, instants, ~on_grid, place)
        raise _contradiction_error(freq, error) if freq else error

    return axis, ordinals


def _may_be_mixed(
    ordinals: Ints, on_grid: Bools, codes: Ints, config: DataConfig
) -> bool:
    """Whether series may be of different frequencies: a slower one leaves most steps missing."""
    if not on_grid.all():
        return True
    if config.fill != "none":  # such steps are meant as missing, and will be filled
        return False
    return bool(is_slower_series(ordinals, codes).any())


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


def _contradiction_error(freq: str, error: DataError) -> DataError:
    return DataError(
        f"the data contradict the frequency {freq}: {error.message}",
        "give the frequency of the data",
    )


def _off_grid_error(
    axis: TimeAxis, instants: Ints, off: Bools, place: Callable[[int], str]
) -> DataError:
    """The error for instants [n] that are `off` [n] the grid, with the first as an example."""
    first = int(np.flatnonzero(off)[0])
    [text] = axis.format_instants(instants[first : first + 1])
    where = "" if place is str else f"{place(first)}: "

    count = int(off.sum())
    more = format_more(count, f"of {len(off):,}")
    rule = _resample_rule(axis.grid)

    return DataError(
        f"{where}{axis.name} {text!r} is off the regular steps: {axis.grid.words}{more}",
        "give the frequency with --freq, or gather rows into steps,"
        f" for example --resample {rule}:mean",
    )


def _resample_rule(grid: Grid) -> str:
    """A frequency to gather rows into: the grid's own, or the next shorter one that is common.

    Its own where days hold a whole number of its steps.
    """
    match grid.unit:
        case "integer":
            return grid.alias
        case "us":
            step = grid.step
            if DAY % step == 0:
                return grid.alias
        case "business":
            step = DAY
        case _:
            step = _MONTH_MICROSECONDS

    for rule, size in _RESAMPLE_RULES.items():
        if step >= size:
            return rule
    return "s"


def _to_ints(ordinals: Any) -> Ints:
    return np.asarray(ordinals, dtype=np.int64)
