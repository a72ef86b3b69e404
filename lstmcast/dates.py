"""The forms in which people write points in time: texts, numbers, typed stamps; to instants and back again.

An instant is an int64 of microseconds since 1970; a step of an integer axis is the integer itself. Knows no files, no
frequencies and no series.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa

from lstmcast.errors import DataError
from lstmcast.layouts import DAY, SECOND, Ints, assembled, parse, render

_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


@dataclass(frozen=True)
class Form:
    """How instants are written: as text, as numbers, as typed datetimes or dates, or as plain integer steps.

    layout: strptime-like for text; for numbers the same or a unit ("s", "ms", "us", "ns"); the unit of a datetime.
    zone: "" for naive stamps, "UTC", a fixed offset like "+01:00", or a time zone's name (typed datetimes only).
    wall: instants are wall-clock time of the zone; otherwise they are UTC.
    """

    kind: Literal["text", "number", "datetime", "date", "step"]
    layout: str = ""
    zone: str = ""
    wall: bool = True

    def write(self, instants: Ints) -> Any:
        """The user's own form of `instants`, as an array or index ready to be a column of a frame."""
        if self.kind == "step":
            return instants
        if self.kind in ("text", "number"):
            return self._coded(instants)
        stamps = pd.DatetimeIndex(instants.view("M8[us]"))
        if self.kind == "date":
            return np.array([stamp.date() for stamp in stamps.to_pydatetime()], dtype=object)
        if self.zone and self.wall:
            stamps = stamps.tz_localize(self.zone, ambiguous=np.ones(len(stamps), bool), nonexistent="shift_forward")
        elif self.zone:
            stamps = stamps.tz_localize("UTC").tz_convert(self.zone)
        return stamps.as_unit(self.layout)  # type: ignore[arg-type]

    def texts(self, instants: Ints, *, dates_only: bool = False) -> list[str]:
        """The stamps as text; typed stamps in ISO form, without the clock where `dates_only`."""
        written = self.write(instants)
        if self.kind == "datetime" and dates_only and not self.zone:
            return [str(day) for day in instants.view("M8[us]").astype("M8[D]")]
        return [str(value) for value in written]

    def read(self, values: Any) -> Ints:
        """Instants of stamps in this form; typed datetimes are understood whatever the form. Raises DataError."""
        index = pd.Index(np.atleast_1d(values) if np.isscalar(values) or np.ndim(values) == 0 else values)
        if self.kind == "step":
            return _whole(index)
        if isinstance(index, pd.PeriodIndex):
            index = index.to_timestamp()
        if isinstance(index, pd.DatetimeIndex):
            return self._typed(index)
        if self.kind == "number" and not self.layout.startswith("%"):
            return from_epoch(_whole(index), self.layout)
        texts = pa.array([str(value).strip() for value in index], type=pa.string())
        if self.kind in ("text", "number"):
            parsed = parse(self.layout, texts)
            if parsed.good.all():
                return parsed.instants if self.wall or parsed.offsets is None else parsed.universal()
        try:
            return self._typed(pd.DatetimeIndex(pd.to_datetime(texts.to_pylist())))
        except ValueError as error:
            raise DataError(f"{index[0]!r} is not a time stamp", f"write it like {self.example()!r}") from error

    def _typed(self, stamps: pd.DatetimeIndex) -> Ints:
        if stamps.tz is not None:
            stamps = stamps.tz_convert(self.zone or "UTC")
            stamps = stamps.tz_localize(None) if self.wall else stamps.tz_convert("UTC").tz_localize(None)
        elif self.zone and not self.wall:
            return self.universal(microseconds(stamps))
        return microseconds(stamps)

    def local(self, instants: Ints) -> Ints:
        """Wall-clock time of UTC instants in the form's zone; wall-clock instants as they are."""
        if self.wall:
            return instants
        stamps = pd.DatetimeIndex(instants.view("M8[us]")).tz_localize("UTC")
        return microseconds(stamps.tz_convert(self.zone).tz_localize(None))

    def universal(self, wall: Ints) -> Ints:
        """UTC of wall-clock instants in the form's zone; the earlier of two, the later of none."""
        stamps = pd.DatetimeIndex(wall.view("M8[us]"))
        zoned = stamps.tz_localize(self.zone, ambiguous=np.ones(len(stamps), bool), nonexistent="shift_forward")
        return microseconds(zoned.tz_convert("UTC").tz_localize(None))

    def example(self) -> str:
        """A stamp in this form."""
        return str(self.texts(np.array([1_579_000_000 * SECOND // DAY * DAY], dtype=np.int64))[0])

    def _coded(self, instants: Ints) -> Any:
        if self.kind == "number" and not self.layout.startswith("%"):
            return instants * 1000 if self.layout == "ns" else instants // (SECOND // _PER_SECOND[self.layout])
        texts = render(self.layout, self.local(instants), self.zone)
        if self.kind == "number":
            return np.array([int(text) for text in texts], dtype=np.int64)
        return pd.Index(np.array(texts, dtype=object), dtype="str")


def microseconds(stamps: pd.DatetimeIndex) -> Ints:
    """Microseconds since 1970 of naive stamps."""
    return np.asarray(stamps, dtype="M8[us]").astype(np.int64)


def from_epoch(values: Ints, unit: str) -> Ints:
    """Microseconds since 1970 of numbers that count `unit` since 1970."""
    return values // 1000 if unit == "ns" else values * (SECOND // _PER_SECOND[unit])


def _whole(index: pd.Index) -> Ints:
    try:
        numbers = index.to_numpy().astype(np.float64)
        if (numbers == np.floor(numbers)).all():
            return numbers.astype(np.int64)
    except (TypeError, ValueError):
        pass
    raise DataError(f"{index[0]!r} is not a whole number, as the time axis has", "give the step as an integer")


def from_numbers(values: Ints, name: str) -> tuple[Ints, Form]:
    """Instants and form of an integer column, told by its range: epochs, YYYYMMDD, YYYYMM, years, else plain steps."""
    low, high = (int(values.min()), int(values.max())) if len(values) else (0, 0)
    for unit, factor in _PER_SECOND.items():
        if 9.78e8 * factor <= low and high <= 4.11e9 * factor:  # 2001 to 2100
            return from_epoch(values, unit), Form("number", unit)
    for layout, base in (("%Y%m%d", 10_000), ("%Y%m", 100)):
        if 1600 * base <= low and high < 2201 * base:
            years, rest = np.divmod(values, base)
            parts = {"m": rest // 100, "d": rest % 100} if base > 100 else {"m": rest}
            instants, good = assembled({"Y": years, **parts})
            if good.all():
                return instants, Form("number", layout)
    if low >= 1600 and high <= 2200 and not is_step_name(name):
        return assembled({"Y": values})[0], Form("number", "%Y")
    return values, Form("step")


def is_step_name(name: str) -> bool:
    """Whether a column of this name counts steps, so that 1990 in it is no year."""
    return name.casefold() in {"t", "step", "steps", "index", "idx", "tick", "n", "i", "k", "no", "row"}
