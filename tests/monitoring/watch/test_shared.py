"""Moments at which events open in several series."""

import numpy as np

from lstmcast import Columns
from lstmcast.monitoring.watch.rows import read_ordered_rows
from lstmcast.monitoring.watch.shared import (
    SharedMoment,
    describe_shared_moments,
    find_shared_moments,
)
from lstmcast.tables.read import read_bytes


def find(opens: list[tuple[int, str]]) -> tuple[SharedMoment, ...]:
    """Moments of events that open at an hour in a column."""
    lines = [f"2024-05-01 {hour:02}:00,1,2,3" for hour in range(12)]
    table = read_bytes("\n".join(["when,a,b,c", *lines, ""]).encode(), "x.csv")
    rows = read_ordered_rows(table, Columns(target=("a", "b", "c")))
    flags = np.zeros(36, dtype=bool)
    for hour, name in opens:
        flags[3 * hour + "abc".index(name)] = True
    assert rows.stamps is not None
    return find_shared_moments(rows, rows.stamps, flags)


def test_a_moment_counts_from_two_series_on() -> None:
    moments = find([(10, "a"), (10, "c"), (4, "b"), (5, "c")])
    assert moments == (SharedMoment("2024-05-01 10:00", ("a", "c"), 3),)
    assert moments[0].describe() == "2 of 3 series at 2024-05-01 10:00: a, c"
    assert find([]) == find([(1, "a")]) == ()


def test_those_that_most_series_share_are_said_first_and_the_others_counted() -> None:
    hours = range(7)
    pairs = [(hour, name) for hour in hours for name in "ab"]
    *sentences, rest = describe_shared_moments(find([*pairs, (3, "c")]))
    assert sentences[0] == "unusual at once: 3 of 3 series at 2024-05-01 03:00: a, b, c"
    assert (len(sentences), rest) == (
        5,
        "and 2 more times at which several series were",
    )
