"""A simple method in a graph forecasts what the baseline of that name does."""

import numpy as np
import pytest
import torch

from lstmcast.deployment.graph.simple import SimpleGraph
from lstmcast.features.steps import Seasons
from lstmcast.ragged import NAN
from lstmcast.scoring.baselines import forecast_baseline, list_baselines, mean_change

SEASONS = Seasons(4, 7)
HORIZON = 9


@pytest.mark.parametrize("method", list_baselines(SEASONS))
@pytest.mark.parametrize("steps", [3, 40, 60])
@pytest.mark.parametrize("has_gaps", [False, True])
def test_a_method_of_the_graph_forecasts_what_the_baseline_does(
    method: str, steps: int, has_gaps: bool
) -> None:
    rng = np.random.default_rng(steps)
    values = 50 + np.cumsum(rng.normal(size=(3, steps)), 1)
    if has_gaps:
        values[rng.random(values.shape) < 0.3] = NAN
        values[:, 1] = 7.0  # something is known
        values[0, -2:] = NAN
    flat, offsets = values.ravel(), steps * np.arange(4)
    series, origins = np.arange(3), np.full(3, steps - 1)
    where = flat, offsets, series, origins
    expected = forecast_baseline(method, *where, HORIZON, SEASONS, 30)
    graph = SimpleGraph(method, SEASONS, 30, HORIZON)
    found, unit = graph(torch.from_numpy(values))
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)
    np.testing.assert_allclose(unit[:, 0].numpy(), mean_change(*where, 30), rtol=1e-12)
