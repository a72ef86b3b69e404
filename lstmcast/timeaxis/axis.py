"""The time axis of a panel: its frequency and seasons, the next stamps, calendar features.

Knows no values and no files.

Axes: n stamps, F = 8 calendar features, N series.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lstmcast.errors import DataError, format_more
from lstmcast.ragged import Bools, Ints
from lstmcast.timeaxis.calendar_fields import (
    DAY,
    SECOND,
    month_lengths,
    month_starts,
    months_since_epoch,
    weekdays,
)
from lstmcast.timeaxis.frequency import HOUR, MINUTE, WEEK, Grid
from lstmcast.timeaxis.timestamp_format import TimestampFormat

CALENDAR_CYCLES = ("hour", "weekday", "day", "month")
"""What `TimeAxis.calendar` gives a sine and a cosine of: time of day, day of the week and of the
month, month of the year."""
_HORIZONS = {("month", 3): 4, ("month", 12): 4, ("us", DAY): 14, ("us", WEEK): 8}
"""Default horizons by unit and step of the grid; elsewhere it is the season, or a part of it."""
_MAX_DEFAULT_HORIZON = 288
"""Steps of a default horizon at most: a day by 5 minutes. Below that it is a part of a day."""
_HORIZON_SPANS = (DAY, HOUR, 10 * MINUTE, MINUTE, 10 * SECOND, SECOND)
"""Spans to forecast for steps below a day, the first that is not too many of them."""
_INTEGER_HORIZON = 10
_LONGER_SEASONS = {DAY: (7, 365), WEEK: (1, 52)}
"""Seasons of daily and weekly steps."""
_MONTH_MICROSECONDS = 28 * DAY


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
        if self.grid.closed and step == DAY:
            return 2 * self.season
        is_long = step < DAY and self.season > _MAX_DEFAULT_HORIZON
        if unit == "us" and (step < MINUTE or is_long):
            counts = [span // step for span in _HORIZON_SPANS]
            return next((n for n in counts if 1 < n <= _MAX_DEFAULT_HORIZON), 1)
        return _HORIZONS.get((unit, step), self.season)

    @property
    def stretch(self) -> float:
        """Steps of the clock for one of this axis, on average: above 1 where times are closed."""
        if not self.grid.closed:
            return 1.0
        slots = self.grid.open_slots
        return slots.cycle / len(slots.places)

    def _closed_seasons(self) -> tuple[int, int]:
        """Seasons of an axis some of whose times are closed, in open steps."""
        step = self.grid.step
        is_open = self.grid.open_slots.is_open
        n_open = int(is_open.sum())
        if self.grid.unit == "month":
            return n_open, 0
        if step == DAY:
            # Closed months leave fewer days of a year, and the same days of a week.
            by_weekday = is_open.reshape(-1, 7)
            a_year = round(365.25 * float(is_open.mean()))
            return int(by_weekday.any(axis=0).sum()), a_year

        by_day = is_open.reshape(7, -1).sum(axis=1)
        open_days = by_day[by_day > 0]
        if (open_days == open_days[0]).all() and open_days[0] > 1:
            week = n_open if len(open_days) > 1 else 0
            return int(open_days[0]), week
        return n_open, 0  # days of different lengths come again with the week only

    def _default_seasons(self) -> tuple[int, int]:
        """Main season, 1 where there is none, and a longer one, 0 where there is none."""
        unit = self.grid.unit
        step = self.grid.step

        if self.grid.closed:
            return self._closed_seasons()
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
            raise off_grid_error(self, instants, ~on_grid, str)
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

    def weekdays(self, ordinals: Ints) -> Ints | None:
        """Days of the week [n] of ordinals [n], 0 for Monday; None where steps are no days."""
        _, is_weekday_told, _, _ = self.cycles
        if not is_weekday_told:
            return None
        instants = self.form.local(self.grid.instants(_to_ints(ordinals)))
        return weekdays(instants // DAY)

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


def off_grid_error(
    axis: TimeAxis,
    instants: Ints,
    off: Bools,
    place: Callable[[int], str],
    hint: str = "write times that lie on the steps of the axis",
) -> DataError:
    """The error for instants [n] that are `off` [n] the grid, with the first as an example."""
    first = int(np.flatnonzero(off)[0])
    [text] = axis.format_instants(instants[first : first + 1])
    where = "" if place is str else f"{place(first)}: "

    count = int(off.sum())
    more = format_more(count, f"of {len(off):,}")
    words = axis.grid.words
    return DataError(
        f"{where}{axis.name} {text!r} is off the regular steps: {words}{more}", hint
    )


def _to_ints(ordinals: Any) -> Ints:
    return np.asarray(ordinals, dtype=np.int64)
