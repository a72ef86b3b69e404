"""Errors, attention and likelihood of networks are those of their forecasts, in the right units."""

import numpy as np
import pytest
import torch

from lstmcast.errors import UsageError
from lstmcast.network import diagnostics, inference
from lstmcast.network.torch_network import to_trained_network
from lstmcast.network.trained import TrainedNetwork
from lstmcast.ragged import Floats
from tests.network.make import SHAPE, make_network, make_windows

SERIES, ORIGINS = np.array([0, 1, 1]), np.array([40, 30, 18])
ATTENTIVE = SHAPE._replace(attention=True, context=10)


def networks_of(loss: str) -> list[TrainedNetwork]:
    shape = SHAPE._replace(loss=loss)
    return [to_trained_network(make_network(shape, seed)) for seed in (1, 2)]


def test_errors_are_those_of_the_point_forecasts_in_scales() -> None:
    windows, networks = make_windows(), networks_of("mse")
    errors = diagnostics.compute_scaled_errors(networks, windows, SERIES, ORIGINS)
    assert errors.shape == (2, 3, 5)
    for part, batch in inference.iter_batches(windows, SERIES, ORIGINS):
        for network, found in zip(networks, errors, strict=True):
            point = inference.predict_batch_quantiles(
                network, batch, batch.base, (0.5,)
            )[..., 0]
            np.testing.assert_allclose(
                found[part] * batch.scale[:, 0], (batch.z - point)[:, 0]
            )
    in_gap = [False, True, True, True, False]  # steps 19 to 23 of the series with a gap
    assert np.isnan(errors[0, 2]).tolist() == in_gap


def test_attention_is_the_mean_of_the_networks_that_have_learnt_to_use_theirs() -> None:
    windows = make_windows()
    unused = make_network(ATTENTIVE, seed=2)
    assert unused.attention is not None
    with torch.no_grad():
        unused.attention.value.weight.zero_()
    used, unused_arrays = (
        to_trained_network(make_network(ATTENTIVE)),
        to_trained_network(unused),
    )
    arguments = windows, SERIES, ORIGINS
    alone = diagnostics.attention_by_step([used], np.array([1.0]), *arguments)
    assert alone.shape == (3, windows.context)
    np.testing.assert_allclose(alone.sum(1), 1, rtol=1e-5)
    both = diagnostics.attention_by_step(
        [used, unused_arrays], np.array([0.3, 0.7]), *arguments
    )
    np.testing.assert_allclose(both, alone)
    neither = diagnostics.attention_by_step(
        [unused_arrays] * 2, np.array([0.3, 0.7]), *arguments
    )
    np.testing.assert_allclose(neither.sum(1), 1, rtol=1e-5)


def test_networks_without_attention_are_refused() -> None:
    network = to_trained_network(make_network(SHAPE))
    with pytest.raises(UsageError, match="no attention"):
        diagnostics.attention_by_step(
            [network], np.ones(1), make_windows(), SERIES, ORIGINS
        )


def densities_in_unit(unit: float) -> Floats:
    networks, windows = networks_of("student-t"), make_windows(unit=unit)
    assert windows.steps.state.log.tolist() == [True, False]
    return diagnostics.log_densities(networks, windows, SERIES, ORIGINS)


def test_densities_are_in_the_unit_of_the_data_with_and_without_a_logarithm() -> None:
    """A density of values that are 1000 times as large is 1000 times as small."""
    plain, scaled = densities_in_unit(1.0), densities_in_unit(1000.0)
    assert plain.shape == (2, 3, 5)
    np.testing.assert_allclose(scaled, plain - np.log(1000), rtol=1e-3, atol=1e-3)
    assert np.isnan(plain[:, 2]).any()


def test_a_loss_that_is_no_distribution_has_no_densities() -> None:
    densities = diagnostics.log_densities(
        networks_of("mse"), make_windows(), SERIES, ORIGINS
    )
    assert densities.shape == (0, 3, 5)
    assert diagnostics.mean_log_likelihood(densities, np.ones(2)) == {}


def test_the_likelihood_is_that_of_the_mixture_of_networks() -> None:
    densities = np.log(np.array([[[0.2, np.nan]], [[0.6, np.nan]]]))
    found = diagnostics.mean_log_likelihood(densities, np.array([0.25, 0.75]))
    assert found["log_likelihood"] == pytest.approx(np.log(0.25 * 0.2 + 0.75 * 0.6))
    only_first = diagnostics.mean_log_likelihood(
        densities[:, :, :1], np.array([1.0, 0.0])
    )
    assert only_first["log_likelihood"] == pytest.approx(np.log(0.2))
