"""Gaps as the network reads them, against the definitions in plain Python."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmcast.config import Fill
from lstmcast.panel.gaps import (
    fill_gaps,
    find_gap_ends,
    find_open_steps,
    settle_origins,
    without_lines,
)
from lstmcast.panel.panel import Panel
from lstmcast.ragged import NAN
from tests.make import panel_of


def with_fill(series: list[list[float]], fill: Fill) -> Panel:
    """A panel of just these values, whatever is missing at the ends of series."""
    panel = panel_of([np.arange(1.0, len(values) + 1) for values in series])
    return replace(panel, values=np.concatenate(series), fill=fill)


@pytest.mark.parametrize(
    ("fill", "expected"),
    [
        ("none", [1, NAN, NAN, 4, NAN, NAN]),
        ("forward", [1, 1, 1, 4, 4, 4]),
        ("linear", [1, 2, 3, 4, 4, 4]),
    ],
)
def test_a_gap_is_filled_as_asked_and_at_the_end_the_last_value_stands(
    fill: Fill, expected: list[float]
) -> None:
    panel = with_fill([[1, NAN, NAN, 4, NAN, NAN], [NAN, 7, NAN, 9]], fill)
    first, second = np.split(fill_gaps(panel), [6])
    np.testing.assert_array_equal(first, expected)
    # Nothing stands in before the first value, and no line leads from one series to another.
    assert np.isnan(second[0])
    assert np.isnan(panel.values[:6]).sum() == 4


CELLS = st.lists(st.sampled_from([NAN, NAN, 1.0, 5.0, 7.5]), min_size=3, max_size=12)


@given(st.lists(CELLS, min_size=1, max_size=3))
def test_what_is_read_at_a_settled_step_never_changes_with_later_values(
    series: list[list[float]],
) -> None:
    panel = with_fill(series, "linear")
    whole = fill_gaps(panel)
    is_open = find_open_steps(panel)
    for i in range(len(panel)):
        for step in range(int(panel.lengths[i])):
            row = int(panel.offsets[i]) + step
            at = np.array([step])
            settled = int(settle_origins(panel, np.array([i]), at)[0])
            assert settled <= step
            if is_open is not None and is_open[row]:
                assert not is_open[panel.offsets[i] + settled]
                end = int(find_gap_ends(panel, np.array([i]), at)[0])
                assert np.isnan(panel.series(i)[step:end]).all()
                assert not np.isnan(panel.series(i)[end])
                continue
            assert settled == step
            part = panel.select(np.array([i])).head(at + 1)
            begin = panel.offsets[i]
            np.testing.assert_array_equal(
                fill_gaps(part), whole[begin : begin + step + 1]
            )


def test_series_that_are_read_together_are_filled_forward() -> None:
    panel = with_fill([[1, NAN, 3]], "linear")
    assert without_lines(panel, joint=True).fill == "forward"
    assert without_lines(panel, joint=False) is panel
