"""The history of a fit is forecast window by window, from nothing after each cutoff."""

import numpy as np

from lstmcast.config import Config
from lstmcast.evaluation.in_sample import forecast_in_sample
from lstmcast.training.forecaster import Forecaster
from tests.make import panel_of, wavy

RNG = np.random.default_rng(0)
PANEL = panel_of([wavy(RNG, 60), wavy(RNG, 40)])


def test_windows_end_at_the_end_and_begin_after_a_season() -> None:
    forecaster = Forecaster(Config(steps=0, horizon=4, season=12)).fit(PANEL)
    table = forecast_in_sample(forecaster, (0.1, 0.9), 4)
    counts = table.groupby("id")["cutoff"].nunique()
    assert counts.to_dict() == {"s0": 11, "s1": 6}
    last = table.groupby("id")["t"].max()
    ends = PANEL.to_frame().groupby("id")["t"].max()
    assert (last == ends).all()
    assert (table["q10"] <= table["forecast"]).all()
    known = PANEL.to_frame().merge(table, on=["id", "t"])
    assert (known["y"] == known["actual"]).all() and len(known) == len(table)
    # The future of a cutoff changes nothing of its forecast.
    place = int(np.flatnonzero(table["id"] == "s0")[0])
    first = forecaster.quantiles(PANEL, np.array([0]), np.array([15]), 4, (0.5,))
    np.testing.assert_allclose(table["forecast"][place : place + 4], first[0, :, 0])
