"""Errors, likelihood and attention of trained networks on windows.

Knows no frames, and loads torch only for what needs it.

Axes: M networks, K windows, H horizon, L context.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lstmcast.errors import UsageError
from lstmcast.features.windows import Windows
from lstmcast.network.inference import iter_batches, predict_batch_quantiles
from lstmcast.network.trained import TrainedNetwork
from lstmcast.ragged import Floats, Ints

if TYPE_CHECKING:
    from lstmcast.network.torch_network import TorchNetwork


def compute_scaled_errors(
    networks: Sequence[TrainedNetwork], windows: Windows, series: Ints, origins: Ints
) -> Floats:
    """Compute the errors of the point forecasts of each network, in scales, [M, K, H].

    They are NaN where the value is missing.
    """
    n_networks = len(networks)
    n_windows = len(series)
    errors = np.empty((n_networks, n_windows, windows.horizon))
    for part, batch in iter_batches(windows, series, origins):
        for m, network in enumerate(networks):
            point = predict_batch_quantiles(network, batch, batch.base, (0.5,))
            error = batch.z - point[..., 0]
            scaled = error / batch.scale
            # A batch has one origin a chunk.
            errors[m, part] = scaled[:, 0]

    return errors


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
    import torch

    from lstmcast.network.torch_network import (
        single_torch_thread,
        to_tensors,
        to_torch_network,
    )

    models = [to_torch_network(network) for network in networks]

    # Networks that have not learnt to use theirs would show an attention without any effect.
    learnt = np.array([_has_learnt_attention(model) for model in models])
    learnt_weights = weights * learnt
    share = learnt_weights if learnt_weights.sum() > 0 else weights
    share = share / share.sum()

    n_windows = len(series)
    attention = np.zeros((n_windows, windows.context))
    with torch.no_grad(), single_torch_thread():
        for part, batch in iter_batches(windows, series, origins):
            inputs = to_tensors(batch)
            for model, weight in zip(models, share, strict=True):
                by_step = model.attention_by_step(inputs.x, inputs.at, inputs.pad)
                by_step = by_step[:, 0]  # of the one origin of each chunk
                attention[part] += weight * by_step.numpy()

    return attention


def _has_learnt_attention(model: "TorchNetwork") -> bool:
    """Return whether attention has any effect; raise UsageError for a network without it.

    It starts without one, and training may leave it there.
    """
    if model.attention is None:
        raise UsageError("this run has no attention to show", "fit with --attention")
    weight = model.attention.value.weight
    return bool(weight.abs().sum() > 0)


def log_densities(
    networks: Sequence[TrainedNetwork], windows: Windows, series: Ints, origins: Ints
) -> Floats:
    """Compute the log density of the values observed after the origins [K], [M, K, H].

    That is each network's density, of counts the probability, in the user's units; NaN where the
    value is missing. There are no rows (M is 0) where the loss is not the likelihood of a
    distribution.
    """
    n_windows = len(series)
    if networks[0].interval != "likelihood":
        return np.empty((0, n_windows, windows.horizon))

    import torch

    from lstmcast.network.losses import LikelihoodLoss, LossTargets
    from lstmcast.network.torch_network import (
        single_torch_thread,
        to_tensors,
        to_torch_network,
    )

    models = [to_torch_network(network) for network in networks]
    n_networks = len(models)
    densities = np.empty((n_networks, n_windows, windows.horizon))
    log_series = windows.steps.state.log
    with torch.no_grad(), single_torch_thread():
        for part, batch in iter_batches(windows, series, origins):
            z = batch.z[:, 0]
            missing = np.isnan(z)

            # Where z is log(y), the density of y is that of z times dz / dy = exp(-z).
            is_log = log_series[series[part]]
            log_derivative = np.where(is_log[:, None], z, 0.0)

            inputs = to_tensors(batch)
            targets = LossTargets.of(batch)
            for m, model in enumerate(models):
                assert isinstance(model.loss, LikelihoodLoss)
                out = model(*inputs)
                density = model.loss.log_density(out, targets)
                density_of_z = density[:, 0].numpy()
                in_units = density_of_z - log_derivative
                densities[m, part] = np.where(missing, np.nan, in_units)

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
        log_weights = np.log(weights)
        weighted = densities + log_weights[:, None, None]
        mixed = np.logaddexp.reduce(weighted)

    # Over the windows and steps whose value is known.
    mean = float(np.nanmean(mixed))
    return {"log_likelihood": mean}
