"""How trained networks did on windows: errors of their point forecasts, likelihood of what came. Knows no frames.

Axes: M networks, K windows, H horizon.
"""

from collections.abc import Sequence

import numpy as np
import torch

from lstmcast.errors import UsageError
from lstmcast.features.windows import Windows
from lstmcast.network.inference import iter_batches, predict_batch_quantiles
from lstmcast.network.losses import LossTargets
from lstmcast.network.torch_network import single_torch_thread, to_tensors, to_torch_network
from lstmcast.network.trained import TrainedNetwork
from lstmcast.ragged import Floats, Ints


def compute_scaled_errors(
    networks: Sequence[TrainedNetwork], windows: Windows, series: Ints, origins: Ints
) -> Floats:
    """What point forecasts of each network are off by, in scales, [M, K, H]; NaN where the value is missing."""
    out = np.empty((len(networks), len(series), windows.horizon))
    for part, batch in iter_batches(windows, series, origins):
        for m, network in enumerate(networks):
            z = predict_batch_quantiles(network, batch, batch.base, (0.5,))[..., 0]
            out[m, part] = ((batch.z - z) / batch.scale)[:, 0]
    return out


@torch.no_grad()
def attention_by_step(
    networks: Sequence[TrainedNetwork],
    weights: Floats,
    windows: Windows,
    series: Ints,
    origins: Ints,
) -> Floats:
    """How much the forecasts of windows lean on each step of their context, the origin last: [K, context].

    The mean attention of the networks by `weights` [M], of those alone that have learnt to use
    theirs if there are any; it sums to 1, with 0 for steps before the series. Raises UsageError for
    networks without attention.
    """
    models = [to_torch_network(network) for network in networks]
    found = [model.attention for model in models]
    learnt = np.array(
        [0.0 if one is None else float(one.value.weight.abs().sum() > 0) for one in found]
    )
    if None in found:
        raise UsageError("this run has no attention to show", "fit with --attention")
    share = weights * learnt if (weights * learnt).sum() > 0 else weights
    out = np.zeros((len(series), windows.context))
    with single_torch_thread():
        for part, batch in iter_batches(windows, series, origins):
            x, at, _, _, pad = to_tensors(batch)
            for model, each in zip(models, share / share.sum(), strict=True):
                out[part] += each * model.attention_by_step(x, at, pad)[:, 0].numpy()
    return out


@torch.no_grad()
def log_densities(
    networks: Sequence[TrainedNetwork], windows: Windows, series: Ints, origins: Ints
) -> Floats:
    """Logarithm of each network's density (of counts the probability) of what came after the origins [K], [M, K, H].

    In the user's units; NaN where the value is missing. No rows (M is 0) where the loss is not one
    of a distribution.
    """
    if networks[0].interval != "likelihood":
        return np.empty((0, len(series), windows.horizon))
    models = [to_torch_network(network) for network in networks]
    out = np.empty((len(networks), len(series), windows.horizon))
    with single_torch_thread():
        for part, batch in iter_batches(windows, series, origins):
            logs, z = windows.steps.state.log[series[part]][:, None], batch.z[:, 0]
            for m, model in enumerate(models):
                density = model.loss.log_density  # type: ignore[attr-defined]
                made = density(model(*to_tensors(batch)), LossTargets.of(batch))[:, 0].numpy()
                out[m, part] = np.where(np.isnan(z), np.nan, made - np.where(logs, z, 0.0))
    return out


def mean_log_likelihood(densities: Floats, weights: Floats) -> dict[str, float]:
    """Mean logarithm of what `log_densities` found, mixed by `weights` [M], under `log_likelihood`; of none nothing."""
    if not len(densities):
        return {}
    with np.errstate(divide="ignore"):
        mixed = np.logaddexp.reduce(densities + np.log(weights)[:, None, None])
    return {"log_likelihood": float(np.nanmean(mixed))}
