"""The last value of each series is missing, and the series are as long as they were."""

import numpy as np

from lstmcast.panel.last_values import drop_last_values
from lstmcast.panel.panel import Panel
from lstmcast.ragged import NAN
from tests.make import panel_of


def test_the_last_observed_value_of_each_series_is_dropped() -> None:
    panel = panel_of([np.arange(1.0, 6), np.array([7.0, 8, 9, NAN, 11])])
    dropped = drop_last_values(panel)
    assert dropped.lengths.tolist() == [5, 5]
    assert np.flatnonzero(np.isnan(dropped.values)).tolist() == [4, 8, 9]
    assert "--last drop" in dropped.notes[-1]
    # The panel that was given is as it was.
    assert np.flatnonzero(np.isnan(panel.values)).tolist() == [8]


def test_a_panel_is_read_without_its_last_values_where_that_is_asked_for() -> None:
    panel = panel_of([np.arange(1.0, 6)])
    frame = panel.context_frame(panel.values[None], "y")
    read = Panel.from_frame(frame, target="y", series="id", time="t", last="drop")
    assert np.isnan(read.values[-1])
    assert read.lengths.tolist() == [5]


def test_how_many_values_were_dropped_is_said() -> None:
    one = drop_last_values(panel_of([np.arange(5.0)])).notes[-1]
    assert one.startswith("--last drop: the last value is taken as missing")
    two = drop_last_values(panel_of([np.arange(5.0), np.arange(4.0)])).notes[-1]
    assert two.startswith("--last drop: the last value of 2 series is taken")
