"""The hold-out of a panel, and how many windows of it are forecast."""

import numpy as np

from lstmcast.panel import holdout
from tests.make import panel_of


def test_very_many_windows_are_thinned_out_evenly() -> None:
    panel = panel_of([np.arange(60.0)] * 30)
    ends, series, origins = holdout.split_holdout(panel, 6, 12, None)
    assert len(series) == 180
    fewer_ends, fewer, fewer_origins = holdout.split_holdout(panel, 6, 12, None, 180)
    assert len(fewer) == 30
    assert set(zip(fewer, fewer_origins, strict=True)) <= set(
        zip(series, origins, strict=True)
    )
    assert (fewer_ends == ends).all()
    assert np.diff(fewer).max() <= 1
    assert len(set(fewer_origins)) == 6


def test_a_quarter_of_a_series_is_held_out_or_one_horizon() -> None:
    """Of 200 steps four horizons of 9 fit into a quarter; of 80 they do not."""
    for steps, horizon, held in ((200, 9, 36), (80, 9, 20), (80, 30, 30), (41, 9, 10)):
        panel = panel_of([np.arange(float(steps))])
        ends, _, origins = holdout.split_holdout(panel, horizon, 1, None)
        assert ends.tolist() == [steps - held]
        assert origins.min() == steps - held - 1
        assert origins.max() == steps - horizon - 1


def test_a_long_series_spares_more_windows_which_do_not_overlap() -> None:
    """A tenth of its steps, up to 24 horizons: each tells of another time."""
    for steps, horizon, held in ((1000, 9, 100), (1000, 30, 120), (20_000, 9, 216)):
        panel = panel_of([np.arange(float(steps))], freq="D")
        ends, _, origins = holdout.split_holdout(panel, horizon, 1, None)
        assert ends.tolist() == [steps - held]
        assert origins.min() == steps - held - 1
        assert origins.max() == steps - horizon - 1
    assert len(origins) == 24
    assert np.diff(origins).tolist() == [horizon] * 23


def test_nothing_is_held_out_where_nothing_was_observed_in_it() -> None:
    series = np.arange(60.0)
    series[40:58] = np.nan
    panel = panel_of([series])
    # Cut before the last value, so that the series ends in missing ones.
    panel = panel.head(np.array([57]))
    ends, windows, origins = holdout.split_holdout(panel, 6, 12, 12)
    assert ends.tolist() == [57]
    assert (len(windows), len(origins)) == (0, 0)


def test_the_last_step_alone_is_held_out_where_it_is_the_whole_horizon() -> None:
    panel = panel_of([np.arange(40.0)])
    ends, series, origins = holdout.split_holdout(panel, 1, 1, 1)
    assert (ends.tolist(), series.tolist(), origins.tolist()) == ([39], [0], [38])


def test_as_many_steps_as_one_horizon_leave_one_window() -> None:
    panel = panel_of([np.arange(60.0)] * 3)
    _, series, origins = holdout.split_holdout(panel, 6, 12, None, max_steps=6)
    assert (len(series), len(origins)) == (1, 1)
