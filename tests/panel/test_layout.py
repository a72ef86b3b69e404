"""Parts of panels laid out on one axis."""

import numpy as np

from lstmcast.panel.layout import (
    LayoutPart,
    extend_future,
    lay_out_parts,
    whole_panel_part,
)
from tests.panel.test_extend import frame, panel


def test_a_panel_laid_out_on_its_own_axis_is_itself() -> None:
    one = panel(frame(known=30))
    part = whole_panel_part(one, np.arange(2))
    layout, places = lay_out_parts(
        [part], one.start, one.lengths, np.diff(one.future_offsets)
    )
    assert layout.values.tolist() == one.values.tolist()
    assert layout.future.tolist() == one.future.tolist()
    assert places[0].rows.tolist() == list(range(60))


def test_room_that_no_part_fills_is_missing() -> None:
    one = panel(frame(known=30))
    home = np.arange(2)
    layout, _ = lay_out_parts(
        [whole_panel_part(one, home)], one.start - 2, one.lengths + 5, np.full(2, 42)
    )
    values = layout.values.reshape(2, 35)
    assert np.isnan(values[:, [0, 1, 32, 33, 34]]).all()
    assert values[0, 2:32].tolist() == one.series(0).tolist()
    assert np.isnan(layout.future.reshape(2, 42)[:, :2]).all()


def test_where_two_parts_have_the_same_step_the_later_counts() -> None:
    earlier, later = panel(frame(known=30)), panel(frame(known=30).assign(sold=7.0))
    first_steps = LayoutPart(
        later, np.array([1]), np.array([0]), np.array([3]), np.array([0])
    )
    layout, _ = lay_out_parts(
        [whole_panel_part(earlier, np.arange(2)), first_steps],
        earlier.start,
        earlier.lengths,
        np.diff(earlier.future_offsets),
    )
    assert layout.values[:4].tolist() == [7.0, 7.0, 7.0, 3.0]
    assert layout.values[30:].tolist() == earlier.series(1).tolist()
    assert layout.future.tolist() == earlier.future.tolist()


def test_an_extended_future_keeps_what_is_known_and_has_room_after_it() -> None:
    one = panel(frame(known=30))
    future, offsets = extend_future(one, np.array([40, 43]), new_columns=1)
    assert offsets.tolist() == [0, 40, 83]
    assert future[:80, 0].tolist() == one.future[:, 0].tolist()
    assert np.isnan(future[80:]).all() and np.isnan(future[:, 1]).all()
