"""The forms in which people write points in time: texts, numbers, typed stamps; to instants and back again.

An instant is an int64 of microseconds since 1970; a step of an integer axis is the integer itself. Knows no files, no
frequencies and no series.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa

from lstmcast.errors import DataError
from lstmcast.ragged import Ints
from lstmcast.timeaxis import zones
from lstmcast.timeaxis.formats import DAY, SECOND, Parsed, parse, render
from lstmcast.timeaxis.numeric import EPOCHS, UNITS, Numbers, instants_of, layout_of, numbers_of
from lstmcast.timeaxis.zones import microseconds

if TYPE_CHECKING:
    import pandas as pd

_UNIVERSAL = ("Z", "UTC", "GMT")


@dataclass(frozen=True)
class Form:
    """How instants are written: as text, as numbers, as typed datetimes or dates, or as plain integer steps.

    layout: strptime-like for text; for numbers the same or a unit ("s", "ms", "us", "ns", "excel"); the unit of a
    datetime. zone: "" for naive stamps, "UTC", a fixed offset like "+01:00", or a time zone's name.
    wall: instants are wall-clock time of the zone; otherwise they are UTC.
    stated: typed datetimes carry their zone; otherwise the zone is only known, and they are written without it.
    """

    kind: Literal["text", "number", "datetime", "date", "step"]
    layout: str = ""
    zone: str = ""
    wall: bool = True
    stated: bool = True

    @property
    def universal(self) -> bool:
        """Whether what is written is UTC, whatever zone the days are counted in: epochs, and texts that end in Z."""
        numbers = self.kind == "number" and self.layout in EPOCHS
        return numbers or (self.kind == "text" and self.layout.endswith(_UNIVERSAL))

    def write(self, instants: Ints) -> Any:
        """The user's own form of `instants`, as an array or index ready to be a column of a frame."""
        if self.kind == "step":
            return instants
        if self.kind in ("text", "number"):
            return self._coded(instants)
        if self.kind == "date":
            return np.array([stamp.date() for stamp in _stamps(instants).to_pydatetime()], dtype=object)
        if self.zone and self.stated:
            stamps = _stamps(self.to_universal(instants)).tz_localize("UTC").tz_convert(self.zone)
        else:
            stamps = _stamps(self.local(instants))
        return stamps.as_unit(self.layout)  # type: ignore[arg-type]

    def _coded(self, instants: Ints) -> Any:
        wall, zone = self.local(instants), self.zone
        written = self.to_universal(instants) if self.universal and zone else wall
        if self.kind == "number" and self.layout in UNITS:
            return numbers_of(written, self.layout)
        stated = zones.offsets(wall, zone) if zone and not self.universal else None
        texts = render(self.layout, written, stated)
        if self.kind == "number":
            return np.array([int(text) for text in texts], dtype=np.int64)
        return np.array(texts, dtype=object)

    def texts(self, instants: Ints, *, dates_only: bool = False) -> list[str]:
        """The stamps as text; typed stamps in ISO form, without the clock where `dates_only`."""
        written = self.write(instants)
        if self.kind == "datetime" and dates_only and (not self.zone or not self.stated):
            return [str(day) for day in instants.view("M8[us]").astype("M8[D]")]
        return [str(value) for value in written]

    def read(self, values: Any) -> Ints:
        """Instants of stamps in this form; typed datetimes are understood whatever the form. Raises DataError."""
        import pandas as pd

        index = pd.Index(np.atleast_1d(values) if np.isscalar(values) or np.ndim(values) == 0 else values)
        if self.kind == "step":
            return _whole(index)
        if isinstance(index, pd.PeriodIndex):
            index = index.to_timestamp()
        if isinstance(index, pd.DatetimeIndex):
            return self._typed(index)
        if self.kind == "number" and self.layout in UNITS:
            return self.placed(instants_of(_numbers(index), self.layout))
        texts = pa.array([str(value).strip() for value in index], type=pa.string())
        if self.kind in ("text", "number"):
            parsed = parse(self.layout, texts)
            if parsed.good.all():
                return self.read_as(parsed)
        try:
            return self._typed(pd.DatetimeIndex(pd.to_datetime(texts.to_pylist())))
        except ValueError as error:
            raise DataError(f"{index[0]!r} is not a time stamp", f"write it like {self.example()!r}") from error

    def read_as(self, parsed: Parsed) -> Ints:
        """Instants in this form of texts as they were read by its layout."""
        fixed = self.zone[:1] in ("+", "-")
        if parsed.offsets is None or (self.wall and (fixed or not self.zone)):
            return self.placed(parsed.instants)
        return zones.to_local(parsed.universal(), self.zone) if self.wall else parsed.universal()

    def placed(self, written: Ints) -> Ints:
        """Instants in this form of what is written: UTC for `universal` forms, else the wall clock of the zone."""
        if not self.zone or self.wall != self.universal:
            return written
        return zones.to_local(written, self.zone) if self.wall else zones.to_universal(written, self.zone)

    def _typed(self, stamps: "pd.DatetimeIndex") -> Ints:
        if stamps.tz is not None:
            universal = microseconds(stamps.tz_convert("UTC").tz_localize(None))
            return zones.to_local(universal, self.zone or "UTC") if self.wall else universal
        wall = microseconds(stamps)
        return wall if self.wall else zones.to_universal(wall, self.zone)

    def local(self, instants: Ints) -> Ints:
        """Wall-clock time in the form's zone of instants."""
        return instants if self.wall else zones.to_local(instants, self.zone)

    def to_universal(self, instants: Ints) -> Ints:
        """UTC of instants; of two the earlier, of none the next there is."""
        return zones.to_universal(instants, self.zone) if self.wall and self.zone else instants

    def example(self) -> str:
        """A stamp in this form."""
        return str(self.texts(np.array([1_579_000_000 * SECOND // DAY * DAY], dtype=np.int64))[0])


def _stamps(instants: Ints) -> "pd.DatetimeIndex":
    import pandas as pd  # slow to import, and a forecast whose stamps are texts or numbers needs none of it

    return pd.DatetimeIndex(instants.view("M8[us]"))


def _whole(index: "pd.Index") -> Ints:
    numbers = _numbers(index)
    if numbers.dtype.kind == "i" or (numbers == np.floor(numbers)).all():
        return numbers.astype(np.int64)
    raise DataError(f"{index[0]!r} is not a whole number, as the time axis has", "give the step as an integer")


def _numbers(index: "pd.Index") -> Numbers:
    values = index.to_numpy()
    if values.dtype.kind in "iu":
        return np.asarray(values, dtype=np.int64)
    try:
        return np.asarray(values, dtype=np.int64) if values.dtype.kind != "f" else values.astype(np.float64)
    except (TypeError, ValueError):
        pass
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(f"{index[0]!r} is not a whole number, as the time axis has", "give it as a number") from None


def from_numbers(values: Numbers, name: str) -> tuple[Ints, Form]:
    """Instants and form of a column of numbers: epochs, YYYYMMDD, years, Excel's days, else plain integer steps."""
    layout = layout_of(values, name)
    if not layout:
        return values.astype(np.int64), Form("step")
    return instants_of(values, layout), Form("number", layout)
