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
