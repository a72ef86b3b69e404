"""Slow patterns in a graph, beside those of numpy."""

import numpy as np
import pytest
import torch

from lstmcast.deployment.graph.patterns import GraphPatterns
from lstmcast.features.candidates import forecast_candidates
from lstmcast.features.scaler import fit_scaler
from lstmcast.features.seasonal.long_memory import (
    LEVEL_NAMES,
    N_LONG_FEATURES,
    expected_pattern,
)
from lstmcast.features.steps import Seasons, StepArrays, compute_step_arrays
from tests.make import wavy

HORIZON = 17


def both(seasons: Seasons, length: int) -> tuple[StepArrays, GraphPatterns]:
    """Patterns of one series without gaps that is not in logs, by numpy and in a graph."""
    values = wavy(np.random.default_rng(length), length) - 100
    offsets = np.array([0, length])
    steps = compute_step_arrays(values, offsets, seasons, fit_scaler(values, offsets))
    z = torch.from_numpy(values[None])
    t = torch.arange(length, dtype=torch.float64)
    return steps, GraphPatterns.of(z, torch.ones_like(z), t, seasons)


@pytest.mark.parametrize(
    "seasons", [Seasons(3, 6, 90), Seasons(1, 0), Seasons(7, 21), Seasons(1, 52)]
)
@pytest.mark.parametrize("length", [300, 80, 2])
def test_patterns_levels_and_forecasts_are_those_of_numpy(
    seasons: Seasons, length: int
) -> None:
    steps, found = both(seasons, length)
    for pattern, mean in zip(found.patterns, found.means, strict=True):
        wanted = getattr(steps, pattern.name)
        np.testing.assert_allclose(mean[0], wanted, rtol=1e-9, atol=1e-9)
    for name, level in zip(LEVEL_NAMES, found.levels, strict=True):
        np.testing.assert_allclose(level[0], getattr(steps, name), rtol=1e-9)
    arrays = {
        name: getattr(steps, name)[None]
        for name in ("z", "pattern", "pattern_2", "pattern_3")
    }
    wanted = expected_pattern(arrays, seasons)
    np.testing.assert_allclose(found.expected, wanted, rtol=1e-9, atol=1e-9)

    at_end = np.array([0]), np.array([length - 1])
    candidates = forecast_candidates(steps, *at_end, HORIZON)
    forecasts = found.candidate_forecasts(HORIZON)
    for number, forecast in enumerate(forecasts, -len(forecasts)):
        np.testing.assert_allclose(forecast, candidates[..., number], rtol=1e-9)


def test_there_are_as_many_features_as_numpy_has() -> None:
    steps, found = both(Seasons(7, 21), 60)
    level, index = (torch.from_numpy(a[None]) for a in (steps.level, steps.index))
    scale = torch.from_numpy(steps.scale[None, -10:])
    features = found.list_features(level, index, scale)
    assert len(features) == N_LONG_FEATURES
    wanted = steps.x[-10:, -N_LONG_FEATURES:]
    np.testing.assert_allclose(torch.stack(features, -1)[0], wanted, atol=1e-5)
