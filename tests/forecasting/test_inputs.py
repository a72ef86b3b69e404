"""A run says what it remembers, and whether the newest values count."""

import numpy as np

from lstmcast.config import Config, TrainConfig, WindowConfig
from lstmcast.training.forecaster import Forecaster
from tests.make import panel_of, wavy


def test_whether_the_newest_values_count_can_be_set_for_a_run() -> None:
    y = wavy(np.random.default_rng(0), 80)
    y[-1] *= 30
    panel = panel_of([y])
    config = Config(window=WindowConfig(horizon=3), train=TrainConfig(steps=0))
    run = Forecaster(config).fit(panel)
    assert run.memory >= 2 * run.context + 20 * run.season

    (note,) = run.describe_recent(panel)
    assert "unlikely" in note
    assert note in run.notes
    usual = run.predict()["forecast"]
    run.set_last("keep")
    assert run.describe_recent(panel) == []
    kept = run.predict()["forecast"]
    assert (kept > 2 * usual).all()
    assert (usual < 2 * y[:-1].max()).all()
