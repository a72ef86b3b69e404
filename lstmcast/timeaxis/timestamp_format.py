"""The forms in which people write points in time: texts, numbers, typed stamps; to instants and back again.

An instant is an int64 of microseconds since 1970; a step of an integer axis is the integer itself.
Knows no files, no frequencies and no series.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa

from lstmcast.errors import DataError
from lstmcast.ragged import Ints
from lstmcast.timeaxis import zones
from lstmcast.timeaxis.formats import (
    DAY,
    SECOND,
    ParsedTimestamps,
    format_timestamps,
    parse_timestamps,
)
from lstmcast.timeaxis.numeric import (
    EPOCH_UNITS_PER_SECOND,
    NUMBER_UNITS,
    Numbers,
    infer_number_format,
    instants_to_numbers,
    numbers_to_instants,
)
from lstmcast.timeaxis.zones import to_microseconds

if TYPE_CHECKING:
    import pandas as pd

_UTC_SUFFIXES = ("Z", "UTC", "GMT")


@dataclass(frozen=True)
class TimestampFormat:
    """How instants are written: as text, as numbers, as typed datetimes or dates, or as plain integer steps.

    layout: strptime-like for text; for numbers the same or a unit ("s", "ms", "us", "ns", "excel");
    the unit of a datetime. zone: "" for naive stamps, "UTC", a fixed offset like "+01:00", or a
    time zone's name.
    wall: instants are wall-clock time of the zone; otherwise they are UTC.
    stated: typed datetimes carry their zone; otherwise the zone is only known, and they are written
    without it.
    """

    kind: Literal["text", "number", "datetime", "date", "step"]
    layout: str = ""
    zone: str = ""
    wall: bool = True
    stated: bool = True

    @property
    def universal(self) -> bool:
        """Whether what is written is UTC, whatever zone the days are counted in: epochs, and texts that end in Z."""
        numbers = self.kind == "number" and self.layout in EPOCH_UNITS_PER_SECOND
        return numbers or (self.kind == "text" and self.layout.endswith(_UTC_SUFFIXES))

    def write(self, instants: Ints) -> Any:
        """The user's own form of `instants`, as an array or index ready to be a column of a frame."""
        if self.kind == "step":
            return instants
        if self.kind in ("text", "number"):
            return self._to_texts_or_numbers(instants)
        if self.kind == "date":
            return np.array(
                [stamp.date() for stamp in _to_datetime_index(instants).to_pydatetime()],
                dtype=object,
            )
        if self.zone and self.stated:
            stamps = (
                _to_datetime_index(self.to_utc(instants)).tz_localize("UTC").tz_convert(self.zone)
            )
        else:
            stamps = _to_datetime_index(self.local(instants))
        return stamps.as_unit(self.layout)  # type: ignore[arg-type]

    def _to_texts_or_numbers(self, instants: Ints) -> Any:
        wall, zone = self.local(instants), self.zone
        written = self.to_utc(instants) if self.universal and zone else wall
        if self.kind == "number" and self.layout in NUMBER_UNITS:
            return instants_to_numbers(written, self.layout)
        stated = zones.utc_offset_minutes(wall, zone) if zone and not self.universal else None
        texts = format_timestamps(self.layout, written, stated)
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

        index = pd.Index(
            np.atleast_1d(values) if np.isscalar(values) or np.ndim(values) == 0 else values
        )
        if self.kind == "step":
            return _to_whole_numbers(index)
        if isinstance(index, pd.PeriodIndex):
            index = index.to_timestamp()
        if isinstance(index, pd.DatetimeIndex):
            return self._instants_from_datetimes(index)
        if self.kind == "number" and self.layout in NUMBER_UNITS:
            return self.instants_from_written(numbers_to_instants(_to_numbers(index), self.layout))
        texts = pa.array([str(value).strip() for value in index], type=pa.string())
        if self.kind in ("text", "number"):
            parsed = parse_timestamps(self.layout, texts)
            if parsed.good.all():
                return self.instants_from_parsed(parsed)
        try:
            return self._instants_from_datetimes(
                pd.DatetimeIndex(pd.to_datetime(texts.to_pylist()))
            )
        except ValueError as error:
            raise DataError(
                f"{index[0]!r} is not a time stamp", f"write it like {self.example()!r}"
            ) from error

    def instants_from_parsed(self, parsed: ParsedTimestamps) -> Ints:
        """Instants in this form of texts as they were read by its layout."""
        fixed = self.zone[:1] in ("+", "-")
        if parsed.offsets is None or (self.wall and (fixed or not self.zone)):
            return self.instants_from_written(parsed.instants)
        return zones.to_local(parsed.universal(), self.zone) if self.wall else parsed.universal()

    def instants_from_written(self, written: Ints) -> Ints:
        """Instants in this form of what is written: UTC for `universal` forms, else the wall clock of the zone."""
        if not self.zone or self.wall != self.universal:
            return written
        return zones.to_local(written, self.zone) if self.wall else zones.to_utc(written, self.zone)

    def _instants_from_datetimes(self, stamps: "pd.DatetimeIndex") -> Ints:
        if stamps.tz is not None:
            universal = to_microseconds(stamps.tz_convert("UTC").tz_localize(None))
            return zones.to_local(universal, self.zone or "UTC") if self.wall else universal
        wall = to_microseconds(stamps)
        return wall if self.wall else zones.to_utc(wall, self.zone)

    def local(self, instants: Ints) -> Ints:
        """Wall-clock time in the form's zone of instants."""
        return instants if self.wall else zones.to_local(instants, self.zone)

    def to_utc(self, instants: Ints) -> Ints:
        """UTC of instants; of two the earlier, of none the next there is."""
        return zones.to_utc(instants, self.zone) if self.wall and self.zone else instants

    def example(self) -> str:
        """A stamp in this form."""
        return str(self.texts(np.array([1_579_000_000 * SECOND // DAY * DAY], dtype=np.int64))[0])


def _to_datetime_index(instants: Ints) -> "pd.DatetimeIndex":
    import pandas as pd  # slow to import, and a forecast whose stamps are texts or numbers needs none of it

    return pd.DatetimeIndex(instants.view("M8[us]"))


def _to_whole_numbers(index: "pd.Index") -> Ints:
    numbers = _to_numbers(index)
    if numbers.dtype.kind == "i" or (numbers == np.floor(numbers)).all():
        return numbers.astype(np.int64)
    raise DataError(
        f"{index[0]!r} is not a whole number, as the time axis has", "give the step as an integer"
    )


def _to_numbers(index: "pd.Index") -> Numbers:
    values = index.to_numpy()
    if values.dtype.kind in "iu":
        return np.asarray(values, dtype=np.int64)
    try:
        return (
            np.asarray(values, dtype=np.int64)
            if values.dtype.kind != "f"
            else values.astype(np.float64)
        )
    except (TypeError, ValueError):
        pass
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(
            f"{index[0]!r} is not a whole number, as the time axis has", "give it as a number"
        ) from None


def parse_number_column(values: Numbers, name: str) -> tuple[Ints, TimestampFormat]:
    """Instants and form of a column of numbers: epochs, YYYYMMDD, years, Excel's days, else plain integer steps."""
    layout = infer_number_format(values, name)
    if not layout:
        return values.astype(np.int64), TimestampFormat("step")
    return numbers_to_instants(values, layout), TimestampFormat("number", layout)
