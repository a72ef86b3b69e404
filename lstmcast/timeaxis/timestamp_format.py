"""The forms in which people write points in time, to instants and back: text, number, typed stamp.

An instant is an int64 of microseconds since 1970; a step of an integer axis is the integer itself.
Knows no files, no frequencies and no series.

Axes: n stamps.
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa

from lstmcast.errors import DataError
from lstmcast.ragged import Ints
from lstmcast.timeaxis import zones
from lstmcast.timeaxis.calendar_fields import (
    DAY,
    SECOND,
    YEAR_RANGE_WORDS,
    are_outside_years,
)
from lstmcast.timeaxis.formats import (
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
from lstmcast.timeaxis.zones import to_datetime_index, to_microseconds

if TYPE_CHECKING:
    import pandas as pd

_UTC_MARK = re.compile(r"%[-_]?[A-Za-z] ?(?:Z|UTC|GMT)(?= |$)")
"""The words that say UTC, which stand behind the time of day."""
_EXAMPLE_INSTANT = 1_579_000_000 * SECOND // DAY * DAY
"""14 January 2020: no day that could be taken for a month."""


@dataclass(frozen=True)
class TimestampFormat:
    """How instants are written: as text, numbers, typed datetimes or dates, or plain integer steps.

    layout: strptime-like for text; for numbers the same or one of NUMBER_UNITS; for datetimes their
    unit. zone: "" for stamps without a zone, "UTC", a fixed offset like "+01:00", or a time zone's
    name.
    wall: instants are wall-clock time of the zone; otherwise they are UTC.
    stated: typed datetimes carry their zone; otherwise the zone is known, and they are written
    without it.
    naive_utc: UTC is what is written, though the stamps do not say so.
    """

    kind: Literal["text", "number", "datetime", "date", "step"]
    layout: str = ""
    zone: str = ""
    wall: bool = True
    stated: bool = True
    naive_utc: bool = False

    @property
    def universal(self) -> bool:
        """Whether UTC is what is written, as in epochs and in texts that end in Z.

        Days may be counted in another zone all the same.
        """
        if self.naive_utc:
            return True
        if self.kind == "number":
            return self.layout in EPOCH_UNITS_PER_SECOND
        return self.kind == "text" and _UTC_MARK.search(self.layout) is not None

    def write(self, instants: Ints) -> Any:
        """Instants [n] in the user's own form: an array or index to be a column of a frame."""
        if self.kind == "step":
            return instants
        _require_years(instants, zoned=False)
        if self.kind in ("text", "number"):
            return self._to_texts_or_numbers(instants)

        if self.kind == "date":
            datetimes = to_datetime_index(instants).to_pydatetime()
            dates = [moment.date() for moment in datetimes]
            return np.array(dates, dtype=object)

        if self.zone and self.stated:
            universal = to_datetime_index(self.to_utc(instants))
            stamps = universal.tz_localize("UTC").tz_convert(self.zone)
        else:
            written = self.to_utc(instants) if self.naive_utc else self.local(instants)
            stamps = to_datetime_index(written)

        return stamps.as_unit(self.layout)  # type: ignore[arg-type]

    def _to_texts_or_numbers(self, instants: Ints) -> Any:
        offsets = None
        if not self.zone:
            written = self.local(instants)
        elif self.universal:
            written = self.to_utc(instants)
        else:  # only texts that are neither UTC nor without a zone carry offsets
            written = self.local(instants)
            offsets = zones.utc_offset_minutes(written, self.zone)

        if self.kind == "number" and self.layout in NUMBER_UNITS:
            return instants_to_numbers(written, self.layout)

        texts = format_timestamps(self.layout, written, offsets)
        if self.kind == "number":  # digits like 20240131
            numbers = [int(text) for text in texts]
            return np.array(numbers, dtype=np.int64)
        return np.array(texts, dtype=object)

    def texts(self, instants: Ints, *, dates_only: bool = False) -> list[str]:
        """The stamps as text; typed stamps in ISO form, without the clock where `dates_only`."""
        written = self.write(instants)
        carries_zone = self.zone and self.stated
        if self.kind == "datetime" and dates_only and not carries_zone:
            days = instants.view("M8[us]").astype("M8[D]")
            return [str(day) for day in days]
        return [str(value) for value in written]

    def read(self, values: Any) -> Ints:
        """Instants [n] of one stamp or of several in this form.

        Typed datetimes are understood whatever the form. Raises DataError for what is no stamp.
        """
        import pandas as pd

        is_single = np.isscalar(values) or np.ndim(values) == 0
        index = pd.Index(np.atleast_1d(values) if is_single else values)

        if self.kind == "step":
            return _to_whole_numbers(index)

        if isinstance(index, pd.PeriodIndex):
            index = index.to_timestamp()
        if isinstance(index, pd.DatetimeIndex):
            return self._instants_from_datetimes(index)

        if self.kind == "number" and self.layout in NUMBER_UNITS:
            written = numbers_to_instants(_to_numbers(index), self.layout)
            return self.instants_from_written(written)

        texts = [str(value).strip() for value in index]
        if self.kind in ("text", "number"):
            column = pa.array(texts, type=pa.string())
            parsed = parse_timestamps(self.layout, column)
            if parsed.good.all():
                return self.instants_from_parsed(parsed)

        try:  # last of all whatever pandas takes for a time, as in axis.ordinals("2020-02-29")
            stamps = pd.DatetimeIndex(pd.to_datetime(texts))
        except ValueError as error:
            message = f"{index[0]!r} is not a time stamp"
            hint = f"write it like {self.example()!r}"
            raise DataError(message, hint) from error
        return self._instants_from_datetimes(stamps)

    def instants_from_parsed(self, parsed: ParsedTimestamps) -> Ints:
        """Instants in this form, of texts that were read by its layout."""
        if parsed.offsets is None:
            return self.instants_from_written(parsed.instants)
        if not self.wall:
            return parsed.universal()

        # With a fixed offset, or with none that is known, the clock that is written is the zone's.
        if not self.zone or not zones.has_changing_clocks(self.zone):
            return self.instants_from_written(parsed.instants)
        return zones.to_local(parsed.universal(), self.zone)

    def instants_from_written(self, written: Ints) -> Ints:
        """Instants in this form of written ones: UTC if `universal`, else the zone's wall clock."""
        if not self.zone or self.wall != self.universal:
            return written
        if self.wall:
            return zones.to_local(written, self.zone)
        return zones.to_utc(written, self.zone)

    def _instants_from_datetimes(self, stamps: "pd.DatetimeIndex") -> Ints:
        if stamps.tz is not None:
            in_utc = stamps.tz_convert("UTC").tz_localize(None)
            universal = to_microseconds(in_utc)
            if not self.wall:
                return universal
            return zones.to_local(universal, self.zone or "UTC")

        wall = to_microseconds(stamps)
        if self.naive_utc:
            return self.instants_from_written(wall)
        return wall if self.wall else zones.to_utc(wall, self.zone)

    def local(self, instants: Ints) -> Ints:
        """Wall-clock time of instants, in the form's zone.

        Raises DataError where a clock would show a year that no calendar has.
        """
        if self.wall:
            return instants
        _require_years(instants, zoned=True)
        return zones.to_local(instants, self.zone)

    def to_utc(self, instants: Ints) -> Ints:
        """UTC of instants: of two the earlier, and the next one where clocks skip it."""
        if not self.wall or not self.zone:
            return instants
        return zones.to_utc(instants, self.zone)

    def example(self) -> str:
        """A stamp in this form, to show how it is written."""
        instants = np.array([_EXAMPLE_INSTANT], dtype=np.int64)
        [text] = self.texts(instants)
        return text


def _require_years(instants: Ints, *, zoned: bool) -> None:
    """Raise DataError for instants that no calendar has; zoned: a zone is still to move them."""
    if are_outside_years(instants, "us", zoned=zoned).any():
        raise DataError(
            f"its times reach beyond {YEAR_RANGE_WORDS}, which cannot be written",
            "give a shorter --horizon, or correct the times of the data",
        )


def _to_whole_numbers(index: "pd.Index") -> Ints:
    numbers = _to_numbers(index)
    are_whole = numbers.dtype.kind == "i" or (numbers == np.floor(numbers)).all()
    if not are_whole:
        raise _not_whole_error(index, "give the step as an integer")
    return numbers.astype(np.int64)


def _to_numbers(index: "pd.Index") -> Numbers:
    values = index.to_numpy()
    if values.dtype.kind == "f":
        return values.astype(np.float64)
    if values.dtype.kind in "iu":
        return np.asarray(values, dtype=np.int64)

    # Texts become whole numbers if they can, which keeps digits that a float64 has no room for.
    with suppress(TypeError, ValueError):
        return np.asarray(values, dtype=np.int64)
    with suppress(TypeError, ValueError):
        return np.asarray(values, dtype=np.float64)
    raise _not_whole_error(index, "give it as a number")


def _not_whole_error(index: "pd.Index", hint: str) -> DataError:
    return DataError(f"{index[0]!r} is not a whole number, as the time axis has", hint)


def parse_number_column(values: Numbers, name: str) -> tuple[Ints, TimestampFormat]:
    """Instants [n] and form of a column of numbers: times where they may be, else plain steps."""
    layout = infer_number_format(values, name)
    if not layout:
        return values.astype(np.int64), TimestampFormat("step")
    return numbers_to_instants(values, layout), TimestampFormat("number", layout)
