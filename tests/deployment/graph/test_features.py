"""Features at the end of a series in a graph, beside those of all its steps in numpy."""

import numpy as np
import pytest
import torch

from lstmcast.deployment.graph.features import GraphFeatures
from lstmcast.features.candidates import (
    CANDIDATES,
    forecast_candidates,
    older_seasonal_values,
)
from lstmcast.features.scaler import fit_scaler
from lstmcast.features.steps import FEATURE_CLIP, Seasons, compute_step_arrays
from tests.make import wavy

HORIZON, CHUNK = 15, 30


def series(length: int) -> np.ndarray:
    """A series with gaps that is not in logs."""
    values = wavy(np.random.default_rng(length), length) - 100
    values[[3, length // 2, length - 2]] = np.nan
    return values


@pytest.mark.parametrize(
    "seasons",
    [Seasons(12, 0), Seasons(1, 0), Seasons(7, 21), Seasons(3, 6, 90)],
    ids=str,
)
@pytest.mark.parametrize("length", [100, 20])
def test_features_and_candidates_at_the_end_are_those_of_numpy(
    seasons: Seasons, length: int
) -> None:
    values, offsets = series(length), np.array([0, length])
    state = fit_scaler(values, offsets)
    assert not state.log[0]
    steps = compute_step_arrays(values, offsets, seasons, state)

    features = GraphFeatures(seasons, HORIZON, CHUNK, FEATURE_CLIP)
    log = torch.tensor([[False]])
    found = features.compute_steps(torch.from_numpy(values[None]), log, None)
    x = features.encoder_inputs(found, log)[0].numpy()
    known = min(length, CHUNK)
    np.testing.assert_allclose(x[-known:], steps.x[-known:], rtol=1e-5, atol=1e-6)
    assert x.shape[0] == CHUNK and not x[: CHUNK - known].any()

    window = (steps, np.array([0]), np.array([length - 1]), HORIZON)
    candidates = features.candidate_forecasts(found).numpy()
    assert candidates.shape == (1, HORIZON, len(CANDIDATES))
    np.testing.assert_allclose(candidates, forecast_candidates(*window), rtol=1e-9)
    for back in (1, 2):
        older = features.older_values(found, back)
        np.testing.assert_allclose(older, older_seasonal_values(*window, back))
