"""The time axis: frequency and season found from stamps, the next stamps, calendar features. Knows no values, no files.

Axes: n stamps, K = 8 calendar features.
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
from lstmcast.timeaxis.formats import DAY, month_lengths, month_starts
from lstmcast.timeaxis.frequency import HOUR, MINUTE, WEEK, Grid, parse_frequency
from lstmcast.timeaxis.infer import (
    grid_from_frequency,
    infer_grid,
    is_slower_series,
    mixed_frequency_error,
)
from lstmcast.timeaxis.timestamp_format import TimestampFormat

CALENDAR_CYCLES = ("hour", "weekday", "day", "month")
"""What `TimeAxis.calendar` gives a sine and a cosine of: time of day, day of week, of month, month
of year."""


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
        """Main season in steps, by frequency alone; 1 where there is none."""
        return self._default_seasons()[0]

    @property
    def second_season(self) -> int:
        """Second, longer season in steps; 0 where there is none."""
        return self._default_seasons()[1]

    @property
    def horizon(self) -> int:
        """Usual horizon in steps, by frequency alone; see `features.seasonality.default_horizon`."""
        grid = self.grid
        if grid.unit == "integer":
            return 10
        usual = {("month", 3): 4, ("month", 12): 4, ("us", DAY): 14, ("us", WEEK): 8}
        return usual.get((grid.unit, grid.step), max(self.season, 1))

    def _default_seasons(self) -> tuple[int, int]:
        unit, step = self.grid.unit, self.grid.step
        if unit == "business":
            return 5, 260
        if unit == "month":
            return (12 // step, 0) if 12 % step == 0 else (1, 0)
        if unit == "integer" or step > WEEK:
            return 1, 0
        longer = {DAY: (7, 365), WEEK: (1, 52)}
        if step >= DAY:
            return longer.get(step, (1, 0))
        short, long = (DAY, WEEK) if step >= MINUTE else (MINUTE, HOUR)
        main = short // step if short % step == 0 else 1
        return main, long // step if main > 1 and long % step == 0 else 0

    def ordinals(self, stamps: Any) -> Ints:
        """Ordinals [n], int64, of stamps in the user's own form or typed; DataError where one is off the grid."""
        instants = self.form.read(stamps)
        ordinals, on_grid = self.grid.ordinals(instants)
        if not on_grid.all():
            raise _off_grid_error(self, instants, ~on_grid, str)
        return ordinals

    def floor(self, stamp: Any) -> int:
        """Ordinal of the period at or before one stamp, on the grid or not."""
        return int(self.grid.ordinals(self.form.read(stamp))[0][0])

    def stamps(self, ordinals: Ints) -> Any:
        """Stamps in the user's own form, as an array or index ready to be a column of a frame."""
        return self.form.write(self.grid.instants(_to_ints(ordinals)))

    def texts(self, ordinals: Ints) -> list[str]:
        """Stamps as text, for CSV and for messages."""
        return self._format_instants(self.grid.instants(_to_ints(ordinals)))

    def _format_instants(self, instants: Ints) -> list[str]:
        return self.form.texts(
            instants, dates_only=self.grid.is_daily_or_longer and not (instants % DAY).any()
        )

    def calendar(self, ordinals: Ints) -> NDArray[np.float32]:
        """Calendar features [n, 8] in [-1, 1]: a sine and a cosine of each of CALENDAR; 0 where one does not apply."""
        ordinals = _to_ints(ordinals)
        features = np.zeros((len(ordinals), 2 * len(CALENDAR_CYCLES)), dtype=np.float32)
        if self.kind == "integer":
            return features
        instants = self.form.local(self.grid.instants(ordinals))
        days, clock = np.divmod(instants, DAY)
        months = instants.view("M8[us]").astype("M8[M]").astype(np.int64)
        in_month = (days - month_starts(months)) / month_lengths(months)
        phases = (clock / DAY, (days + 3) % 7 / 7, in_month, months % 12 / 12)
        for place, (phase, applies) in enumerate(zip(phases, self.cycles, strict=True)):
            if applies:
                features[:, 2 * place] = np.sin(2 * np.pi * phase)
                features[:, 2 * place + 1] = np.cos(2 * np.pi * phase)
        return features

    @property
    def cycles(self) -> tuple[bool, bool, bool, bool]:
        """Which cycles of CALENDAR tell the steps apart."""
        unit, step = self.grid.unit, self.grid.step
        if unit == "integer":
            return False, False, False, False
        if unit == "month":
            return False, False, False, step % 12 != 0
        fixed = unit == "us"
        return (
            fixed and step < DAY,
            not fixed or step % WEEK != 0,
            not fixed or step < 28 * DAY,
            True,
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain nested dictionary, ready for JSON, that `from_dict` reads back to an equal axis."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "TimeAxis":
        """Rebuild from `to_dict`'s form."""
        return cls(data["name"], Grid(**data["grid"]), TimestampFormat(**data["form"]))


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
    """Find the axis of stamps that are sorted by series (codes), then time, without duplicates.

    `like` is an axis to keep to; `place` says where stamp number i stands in the input; `series`
    names the codes. Returns the axis and the ordinal of every stamp. Raises DataError where the
    stamps are irregular, of several frequencies, contradict `config.freq`, or are too few to tell.
    """
    form, instants = _to_wall_clock_or_utc(form, instants, like)
    grid = like.grid if like else _requested_or_inferred_grid(instants, codes, form, config)
    axis = TimeAxis(name, grid, form)
    _require_same_kind(axis, like)
    ordinals, on_grid = grid.ordinals(instants)
    if not on_grid.all():
        raise _irregular_error(
            axis,
            instants,
            codes,
            ~on_grid,
            place,
            series,
            config.freq or (like.freq if like else None),
        )
    if (
        like is None
        and not config.freq
        and config.fill == "none"
        and is_slower_series(ordinals, codes).any()
    ):
        mixed = mixed_frequency_error(instants, codes, series, integer=axis.kind == "integer")
        if mixed is not None:
            raise mixed
    return axis, ordinals


def _to_wall_clock_or_utc(
    form: TimestampFormat, instants: Ints, like: TimeAxis | None
) -> tuple[TimestampFormat, Ints]:
    """Days and longer follow the wall clock of their zone; hours and shorter follow UTC."""
    zone = like.form.zone if like and like.form.zone else form.zone
    if not form.zone or (form.zone == zone == "UTC"):
        return form, instants
    if like:
        daily = like.form.wall
    else:
        local = form.local(instants)
        daily = bool((local % DAY == local[:1] % DAY).all())
    if daily == form.wall and (zone == form.zone or not (daily and _has_changing_clocks(zone))):
        return form, instants
    placed = replace(form, zone=zone if daily else form.zone, wall=daily)
    return placed, zones.to_local(form.to_utc(instants), zone) if daily else form.to_utc(instants)


def _has_changing_clocks(zone: str) -> bool:
    """Whether a zone's clocks may change, as those of a fixed offset do not."""
    return zone[:1] not in ("+", "-")


def _requested_or_inferred_grid(
    instants: Ints, codes: Ints, form: TimestampFormat, config: DataConfig
) -> Grid:
    integer = form.kind == "step"
    if config.freq:
        if (parse_frequency(config.freq)[0] == "integer") != integer:
            kind = "integer steps" if integer else "dates"
            raise DataError(
                f"--freq {config.freq} does not fit a time column of {kind}", "leave out --freq"
            )
        return grid_from_frequency(config.freq, instants)
    if not (codes[1:] == codes[:-1]).any():
        raise DataError(
            "one row a series is too few to find the frequency",
            "give it with --freq, or give more rows",
        )
    return infer_grid(instants, codes, integer=integer)


def _require_same_kind(axis: TimeAxis, like: TimeAxis | None) -> None:
    if like and (like.form.kind == "step") != (axis.form.kind == "step"):
        raise DataError(
            f"the time column {axis.name!r} does not continue {like.grid.words} like {like.form.example()!r}",
            "give data whose time column is of the same kind",
        )
    if like and bool(like.form.zone) != bool(axis.form.zone):
        which = ("have no", "have a") if like.form.zone else ("have a", "have no")
        raise DataError(
            f"stamps of {axis.name!r} {which[0]} time zone, but those of the training {which[1]} time zone",
            "write stamps as in the training data",
        )


def _irregular_error(
    axis: TimeAxis,
    instants: Ints,
    codes: Ints,
    off: Bools,
    place: Callable[[int], str],
    series: Sequence[str],
    freq: str | None,
) -> DataError:
    mixed = mixed_frequency_error(instants, codes, series, integer=axis.kind == "integer")
    if freq is None and mixed is not None:
        return mixed
    error = _off_grid_error(axis, instants, off, place)
    if freq:
        return DataError(
            f"the data contradict the frequency {freq}: {error.message}",
            "give the frequency of the data",
        )
    return error


def _off_grid_error(
    axis: TimeAxis, instants: Ints, off: Bools, place: Callable[[int], str]
) -> DataError:
    first = int(np.flatnonzero(off)[0])
    text = axis._format_instants(instants[first : first + 1])[0]
    where = "" if place is str else f"{place(first)}: "
    more = format_more(int(off.sum()), f"of {len(off):,}")
    return DataError(
        f"{where}{axis.name} {text!r} is off the regular steps: {axis.grid.words}{more}",
        f"give the frequency with --freq, or gather rows into steps, for example --resample {_resample_rule(axis.grid)}:mean",
    )


def _resample_rule(grid: Grid) -> str:
    """A grid's own frequency where days hold a whole number of its steps, else the usual one below, to gather rows."""
    if grid.unit == "integer" or (grid.unit == "us" and DAY % grid.step == 0):
        return grid.alias
    usual = (
        ("MS", 28 * DAY),
        ("W", WEEK),
        ("D", DAY),
        ("h", HOUR),
        ("15min", 15 * MINUTE),
        ("min", MINUTE),
    )
    step = grid.step if grid.unit == "us" else DAY if grid.unit == "business" else 28 * DAY
    return next((rule for rule, size in usual if step >= size), "s")


def _to_ints(ordinals: Any) -> Ints:
    return np.asarray(ordinals, dtype=np.int64)
