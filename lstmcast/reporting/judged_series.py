"""Judged rows as pictures of them need it: by series, with places in time and events.

All of it follows from a table of judged rows (`Detection.rows`) alone. Draws nothing.

Axes: T rows of a series.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lstmcast.errors import DataError
from lstmcast.monitoring import detection
from lstmcast.monitoring.events import (
    find_events,
    find_stamp_columns,
    split_by_series,
)
from lstmcast.ragged import Floats, Ints
from lstmcast.reporting.chosen_series import choose_names
from lstmcast.reporting.plots import MAX_PLOTTED_SERIES
from lstmcast.timeaxis.timestamp_format import TimestampFormat

Positions = Literal["time", "number", "row"]
"""What the horizontal axis of a series counts: time, the user's own numbers, or rows."""
MAX_COUNTED_RARITY = 1_000_000
"""Rows beyond which it is not said any more in how many of them a row is so unusual once."""
_BAND_ROOM = 0.3
"""How far the band is shown beyond the values, as a share of their range."""
_MIDNIGHT = " 00:00:00"
_CLOCK_CHANGE = np.timedelta64(1, "h")
_OFFSET_PATTERN = r"(?:Z|[+-]\d\d:?\d\d)$"
"""The distance to UTC at the end of a time in ISO form."""


class SeriesEvent(NamedTuple):
    """An event of a series, see `events.find_events`, with the places of its rows.

    first, last: of its first and last row. opened: of the row that opened it; what is stuck began
    before that. value: what it is stuck at, NaN elsewhere.
    """

    number: int
    kind: str
    first: int
    opened: int
    last: int
    rows: int
    peak: float
    reason: str
    value: float

    def describe(self) -> str:
        """The reason in words, as "error, range" or "stuck at 7"."""
        if self.kind == "stuck" and not np.isnan(self.value):
            return f"stuck at {self.value:g}"
        return self.reason or self.kind


@dataclass(frozen=True, eq=False)
class JudgedSeries:
    """The judged rows of one series, in the order of the table.

    at: where its rows lie [T], local times (datetime64[us]) or numbers, never falling. stamps: the
    user's own. All others are columns of the table, [T] each; events are in the order of time.
    """

    name: str
    positions: Positions
    at: NDArray[Any]
    stamps: "pd.Series[Any]"
    actual: Floats
    expected: Floats
    low: Floats
    high: Floats
    score: Floats
    kind: NDArray[np.object_]
    reason: NDArray[np.object_]
    events: tuple[SeriesEvent, ...]

    def __len__(self) -> int:
        return len(self.at)

    @property
    def coordinates(self) -> Floats:
        """Where the rows lie as plain numbers [T], in microseconds or in the user's unit."""
        return self.at.astype(np.int64 if self.positions == "time" else np.float64)

    def name_stamps(self, places: Sequence[int] | Ints) -> list[str]:
        """Return the stamps of rows as text; days alone where all rows are at midnight."""
        texts = [str(stamp) for stamp in self.stamps.iloc[np.asarray(places, int)]]
        is_daily = (
            self.positions == "time"
            and not (self.at.astype("M8[us]") != self.at.astype("M8[D]")).any()
        )
        if is_daily:
            return [text.removesuffix(_MIDNIGHT) for text in texts]
        return texts

    def find_gap_begin(self, place: int) -> int | None:
        """Return the last row with a value before the gap that ends at a row; None for none."""
        known = np.flatnonzero(np.isfinite(self.actual[:place]))
        return int(known[-1]) if len(known) else None

    def find_limits(self) -> tuple[float, float] | None:
        """Return the range to show: the values, and the band as far as it does not hide them.

        A band much wider than the values, as after the first spike of a short past, would make a
        flat line of them. None where no value is known.
        """
        known = self.actual[np.isfinite(self.actual)]
        if not len(known):
            return None
        least, largest = float(known.min()), float(known.max())
        room = _BAND_ROOM * (largest - least) or abs(largest) or 1.0
        margin = room / 4
        # NaN, where no row was judged, is passed over.
        bottom = float(np.fmin.reduce(self.low, initial=least))
        top = float(np.fmax.reduce(self.high, initial=largest))
        return (
            max(bottom, least - room) - margin,
            min(top, largest + room) + margin,
        )

    def select_rows(self, places: Ints) -> "JudgedSeries":
        """Return a series of these rows, ascending; those at the ends of events must be there."""
        events = [
            event._replace(
                first=int(np.searchsorted(places, event.first)),
                opened=int(np.searchsorted(places, event.opened)),
                last=int(np.searchsorted(places, event.last)),
            )
            for event in self.events
        ]
        return replace(
            self,
            at=self.at[places],
            stamps=self.stamps.iloc[places],
            actual=self.actual[places],
            expected=self.expected[places],
            low=self.low[places],
            high=self.high[places],
            score=self.score[places],
            kind=self.kind[places],
            reason=self.reason[places],
            events=tuple(events),
        )


class JudgedChoice(NamedTuple):
    """The series of a table that a picture shows, of how many, and how many events all have."""

    series: list[JudgedSeries]
    n_series: int
    n_events: int
    n_judged: int


def choose_judged_series(
    rows: pd.DataFrame,
    which: str | Sequence[str] = "",
    *,
    target: str = "value",
    form: TimestampFormat | None = None,
    n_history: int | None = None,
    most: int | None = MAX_PLOTTED_SERIES,
) -> JudgedChoice:
    """Take the series that are to be shown from a table of judged rows.

    which: as of `choose_series`, where "worst" has most events (default: the `most` worst ones, or
    all where that is None). target: name of a single series. form: how stamps are written (default:
    numbers, typed times, or text in ISO form; rows are counted where they are something else).
    n_history: newest rows of each series that are shown (default: all).

    Raises UsageError for a name that no series has.
    """
    _, time = find_stamp_columns(rows)
    groups = list(split_by_series(rows))
    names = ["/".join(map(str, key)) or target for key, _ in groups]
    n_events = np.array([part["event"].nunique() for _, part in groups], dtype=int)
    # A stable sort keeps the order of the file where there are as many.
    by_events = np.argsort(-n_events, kind="stable")

    def rank(*, worst_first: bool) -> Ints:
        return by_events if worst_first else by_events[::-1]

    # In the order of the file, as far as nothing else is asked for.
    chosen = np.sort(by_events[:most])
    if which:
        chosen = choose_names(names, which, rank)
    series = []
    for number in chosen.tolist():
        part = groups[number][1]
        judged = _read_series(names[number], part, time, form)
        series.append(_keep_newest(judged, n_history))
    n_judged = int(rows["score"].notna().sum())
    return JudgedChoice(series, len(groups), int(n_events.sum()), n_judged)


def describe_counts(choice: JudgedChoice) -> str:
    """Return how many events there are among how many rows, in words."""
    return detection.describe_counts(choice.n_events, choice.n_judged)


def describe_choice(choice: JudgedChoice) -> str:
    """Return which series are shown, "" where all are."""
    shown = len(choice.series)
    if shown == choice.n_series:
        return ""
    return f"{shown} of {choice.n_series:,} series"


def describe_rarity(score: float) -> str:
    """Say what a score means: "once in 1,200 rows"."""
    share = 1 - score
    if share * MAX_COUNTED_RARITY < 1:
        return f"once in over {MAX_COUNTED_RARITY:,} rows"
    return f"once in {float(f'{1 / share:.2g}'):,.0f} rows"


def _read_series(
    name: str, rows: pd.DataFrame, time: str, form: TimestampFormat | None
) -> JudgedSeries:
    positions, at = _find_positions(rows[time], form)

    def read(column: str) -> Floats:
        return rows[column].to_numpy(np.float64, na_value=np.nan)

    return JudgedSeries(
        name=name,
        positions=positions,
        at=at,
        stamps=rows[time],
        actual=read("actual"),
        expected=read("expected"),
        low=read("low"),
        high=read("high"),
        score=read("score"),
        kind=rows["kind"].fillna("").to_numpy(object),
        reason=rows["reason"].fillna("").to_numpy(object),
        events=tuple(_gather_events(rows, time)),
    )


def _gather_events(rows: pd.DataFrame, time: str) -> Iterator[SeriesEvent]:
    """Gather the events of a series, in the order of their numbers."""
    # With places instead of times, an event begins and ends at a row.
    counted = rows.assign(**{time: np.arange(len(rows))}).loc[:, time:]
    numbers = rows["event"].to_numpy(np.float64, na_value=np.nan)
    for event in find_events(counted).to_dict("records"):
        yield SeriesEvent(
            number=event["event"],
            kind=event["kind"],
            first=event["from"],
            opened=int(np.argmax(numbers == event["event"])),
            last=event["to"],
            rows=event["rows"],
            peak=event["peak"],
            reason=event["reason"],
            value=event["value"],
        )


def _find_positions(
    stamps: "pd.Series[Any]", form: TimestampFormat | None
) -> tuple[Positions, NDArray[Any]]:
    """Return what the axis counts, and where stamps [T] lie on it."""
    if pd.api.types.is_numeric_dtype(stamps) and (form is None or form.kind == "step"):
        numbers = stamps.to_numpy(np.float64)
        if _never_falls(numbers):
            return "number", numbers
    else:
        times = _read_times(stamps, form)
        # Where clocks go back, an hour of local times comes twice.
        if times is not None and _never_falls(times, _CLOCK_CHANGE):
            return "time", np.maximum.accumulate(times)
    return "row", np.arange(1.0, len(stamps) + 1)


def _read_times(
    stamps: "pd.Series[Any]", form: TimestampFormat | None
) -> NDArray[np.datetime64] | None:
    """Read stamps [T] as local times; None where they are none that can be read for certain."""
    if form is not None:
        try:
            return form.local(form.read(stamps)).view("M8[us]")
        except DataError:
            return None
    if isinstance(stamps.dtype, pd.DatetimeTZDtype):
        stamps = stamps.dt.tz_localize(None)
    elif not pd.api.types.is_datetime64_any_dtype(stamps):
        texts = stamps.astype(str).str.replace(_OFFSET_PATTERN, "", regex=True)
        stamps = pd.to_datetime(texts, format="ISO8601", errors="coerce")
    times = stamps.to_numpy("M8[us]")
    return None if np.isnat(times).any() else times


def _never_falls(at: NDArray[Any], tolerance: Any = 0) -> bool:
    """Whether no place lies before one of the places before it, by more than a tolerance."""
    if not len(at):
        return True
    return bool((np.maximum.accumulate(at) - at <= tolerance).all())


def _keep_newest(series: JudgedSeries, n_history: int | None) -> JudgedSeries:
    """Return the newest rows; of an event that began before them the part that they have."""
    begin = len(series) - (n_history or len(series))
    if begin <= 0:
        return series
    events = [
        event._replace(first=max(event.first, begin), opened=max(event.opened, begin))
        for event in series.events
        if event.last >= begin
    ]
    shown = replace(series, events=tuple(events))
    return shown.select_rows(np.arange(begin, len(series)))
