"""How trained networks did on windows: errors of their point forecasts, likelihood of what came. Knows no frames.

Axes: M networks, K windows, H horizon.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from lstmcast.ensemble import batches, one_thread
from lstmcast.errors import UsageError
from lstmcast.model import Network
from lstmcast.windows import Windows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@torch.no_grad()
def errors(networks: Sequence[Network], windows: Windows, series: Ints, origins: Ints) -> Floats:
    """What point forecasts of each network are off by, in scales, [M, K, H]; NaN where the value is missing."""
    out = np.empty((len(networks), len(series), windows.horizon))
    with one_thread():
        for part, batch in batches(windows, series, origins):
            for m, network in enumerate(networks):
                z = network.loss.quantiles(network.eval()(*batch.inputs), batch.truth, (0.5,))[..., 0]
                out[m, part] = ((batch.z - z) / batch.scale)[:, 0].numpy()
    return out


@torch.no_grad()
def leaned_on(networks: Sequence[Network], weights: Floats, windows: Windows, series: Ints, origins: Ints) -> Floats:
    """How much the forecasts of windows lean on each step of their context, the origin last: [K, context].

    The mean attention of the networks by `weights` [M], of those alone that have learnt to use theirs if there are
    any; it sums to 1, with 0 for steps before the series. Raises UsageError for networks without attention.
    """
    found = [network.attention for network in networks]
    learnt = np.array([0.0 if one is None else float(one.value.weight.abs().sum() > 0) for one in found])
    if None in found:
        raise UsageError("this run has no attention to show", "fit with --attention")
    share = weights * learnt if (weights * learnt).sum() > 0 else weights
    out = np.zeros((len(series), windows.context))
    with one_thread():
        for part, batch in batches(windows, series, origins):
            for network, each in zip(networks, share / share.sum(), strict=True):
                out[part] += each * network.eval().leaned_on(batch.x, batch.at, batch.pad)[:, 0].numpy()
    return out


@torch.no_grad()
def likelihood(
    networks: Sequence[Network], weights: Floats, windows: Windows, series: Ints, origins: Ints
) -> dict[str, float]:
    """Mean logarithm of the density (of counts the probability) of what came after the origins [K].

    It is that of the networks' own distributions, mixed by `weights` [M], in the user's units. Under
    `log_likelihood`; nothing where the loss is not one of a distribution.
    """
    if networks[0].loss.interval != "likelihood":
        return {}
    out = np.empty((len(networks), len(series), windows.horizon))
    with one_thread():
        for part, batch in batches(windows, series, origins):
            logs, z = windows.steps.state.log[series[part]][:, None], batch.z[:, 0].numpy()
            for m, network in enumerate(networks):
                made = network.loss.log_density(network.eval()(*batch.inputs), batch.truth)[:, 0].numpy()
                out[m, part] = np.where(np.isnan(z), np.nan, made - np.where(logs, z, 0.0))
    with np.errstate(divide="ignore"):
        mixed = np.logaddexp.reduce(out + np.log(weights)[:, None, None])
    return {"log_likelihood": float(np.nanmean(mixed))}
