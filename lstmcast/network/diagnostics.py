"""Errors, likelihood and attention of trained networks on windows. Knows no frames.

Axes: M networks, K windows, H horizon, L context.
"""

from collections.abc import Sequence

import numpy as np
import torch

from lstmcast.errors import UsageError
from lstmcast.features.windows import Windows
from lstmcast.network.inference import iter_batches, predict_batch_quantiles
from lstmcast.network.losses import LikelihoodLoss, LossTargets
from lstmcast.network.torch_network import (
    single_torch_thread,
    to_tensors,
    to_torch_network,
)
from lstmcast.network.trained import TrainedNetwork
from lstmcast.ragged import Floats, Ints


def compute_scaled_errors(
    networks: Sequence[TrainedNetwork], windows: Windows, series: Ints, origins: Ints
) -> Floats:
    """Compute the errors of the point forecasts of each network, in scales, [M, K, H].

    They are NaN where the value is missing.
    """
    errors = np.empty((len(networks), len(series), windows.horizon))
    for part, batch in iter_batches(windows, series, origins):
        for m, network in enumerate(networks):
            point = predict_batch_quantiles(network, batch, batch.base, (0.5,))
            scaled = (batch.z - point[..., 0]) / batch.scale
            errors[m, part] = scaled[:, 0]
    return errors


@torch.no_grad()
def attention_by_step(
    networks: Sequence[TrainedNetwork],
    weights: Floats,
    windows: Windows,
    series: Ints,
    origins: Ints,
) -> Floats:
    """Compute how much forecasts attend to each step of their context, the origin last, [K, L].

    It is the mean attention of the networks by `weights` [M], and only of those that have learnt to
    use theirs if there are any. It sums to 1, with 0 for steps before the series. Raises UsageError
    for networks without attention.
    """
    models = [to_torch_network(network) for network in networks]
    learnt = []
    for model in models:
        if model.attention is None:
            raise UsageError(
                "this run has no attention to show", "fit with --attention"
            )
        # Attention starts without effect, and training may leave it there.
        learnt.append(float(model.attention.value.weight.abs().sum() > 0))
    learnt_weights = weights * np.array(learnt)
    share = learnt_weights if learnt_weights.sum() > 0 else weights
    share = share / share.sum()

    attention = np.zeros((len(series), windows.context))
    with single_torch_thread():
        for part, batch in iter_batches(windows, series, origins):
            inputs = to_tensors(batch)
            for model, weight in zip(models, share, strict=True):
                by_step = model.attention_by_step(inputs.x, inputs.at, inputs.pad)
                attention[part] += weight * by_step[:, 0].numpy()
    return attention


@torch.no_grad()
def log_densities(
    networks: Sequence[TrainedNetwork], windows: Windows, series: Ints, origins: Ints
) -> Floats:
    """Compute the log density of the values observed after the origins [K], [M, K, H].

    That is each network's density, of counts the probability, in the user's units; NaN where the
    value is missing. There are no rows (M is 0) where the loss is not the likelihood of a
    distribution.
    """
    if networks[0].interval != "likelihood":
        return np.empty((0, len(series), windows.horizon))
    models = [to_torch_network(network) for network in networks]
    densities = np.empty((len(networks), len(series), windows.horizon))
    with single_torch_thread():
        for part, batch in iter_batches(windows, series, origins):
            z = batch.z[:, 0]
            # Where z is log(y), the density of y is that of z times dz / dy = exp(-z).
            is_log = windows.steps.state.log[series[part]][:, None]
            log_derivative = np.where(is_log, z, 0.0)
            inputs, targets = to_tensors(batch), LossTargets.of(batch)
            for m, model in enumerate(models):
                assert isinstance(model.loss, LikelihoodLoss)
                density = model.loss.log_density(model(*inputs), targets)
                in_units = density[:, 0].numpy() - log_derivative
                densities[m, part] = np.where(np.isnan(z), np.nan, in_units)
    return densities


def mean_log_likelihood(densities: Floats, weights: Floats) -> dict[str, float]:
    """Return the mean log-likelihood of the mixture of networks, under `log_likelihood`.

    densities: as `log_densities` returns them; the result is empty if there are none. weights: of
    the networks in the mixture, [M].
    """
    if not len(densities):
        return {}
    # A weight of 0 has the logarithm -inf, which is right, and a missing value stays missing: numpy
    # warns of both.
    with np.errstate(divide="ignore", invalid="ignore"):
        log_weights = np.log(weights)[:, None, None]
        mixed = np.logaddexp.reduce(densities + log_weights)
    return {"log_likelihood": float(np.nanmean(mixed))}
