"""Moments at which something unusual begins in several series: a cause that they share, perhaps.

Axes: R rows, N series.
"""

from typing import Any, NamedTuple

import numpy as np

from lstmcast.errors import format_names
from lstmcast.monitoring.watch.rows import OrderedRows
from lstmcast.ragged import Bools, Ints

_MIN_SERIES = 2
_MAX_NAMED_SERIES = 8
_MAX_NAMED_MOMENTS = 5


class SharedMoment(NamedTuple):
    """A time at which events open in several series.

    time: as it is written in the data. series: their names, in the order of the data. n_series: how
    many series there are.
    """

    time: Any
    series: tuple[str, ...]
    n_series: int

    def describe(self) -> str:
        """The moment in words: `3 of 5 series at 2024-05-01 10:00: a, b, c`."""
        names = format_names(list(self.series), most=_MAX_NAMED_SERIES)
        return f"{len(self.series)} of {self.n_series:,} series at {self.time}: {names}"


def find_shared_moments(
    rows: OrderedRows, stamps: Ints, opens: Bools
) -> tuple[SharedMoment, ...]:
    """Find the times [R] at which rows open [R] events in two series or more, in order of time."""
    if len(rows.keys) < _MIN_SERIES:
        return ()

    places = np.flatnonzero(opens)
    times, moment_of = np.unique(stamps[places], return_inverse=True)
    texts = rows.form.texts(times) if len(times) else []
    moments = []
    for number, text in enumerate(texts):
        codes = np.unique(rows.codes[places[moment_of == number]])
        if len(codes) >= _MIN_SERIES:
            names = tuple("/".join(rows.keys[code]) for code in codes.tolist())
            moments.append(SharedMoment(text, names, len(rows.keys)))
    return tuple(moments)


def describe_shared_moments(moments: tuple[SharedMoment, ...]) -> list[str]:
    """Sentences on the moments that most series share, and how many more there are."""
    ordered = sorted(moments, key=lambda moment: -len(moment.series))
    shown = ordered[:_MAX_NAMED_MOMENTS]
    sentences = [f"unusual at once: {moment.describe()}" for moment in shown]
    more = len(ordered) - len(shown)
    if more:
        sentences.append(f"and {more:,} more times at which several series were")
    return sentences
