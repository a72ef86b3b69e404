"""Windows and networks that the tests of the network share.

Axes: N series, T time steps.
"""

import numpy as np
import torch

from lstmcast.features import candidates, steps
from lstmcast.features.steps import Seasons
from lstmcast.features.windows import ScaledCovariates, Windows
from lstmcast.network.torch_network import TorchNetwork
from lstmcast.network.trained import NetworkShape
from tests.make import steps_of, wavy

SHAPE = NetworkShape(
    steps.N_STEP_FEATURES,
    candidates.N_LOCAL_FEATURES,
    len(candidates.CANDIDATES),
    hidden=12,
    layers=2,
)


def make_windows(
    covariates: bool = False, horizon: int = 5, unit: float = 1.0
) -> Windows:
    """Return windows of a positive series, and of one with negative values and a gap."""
    rng = np.random.default_rng(0)
    negative = wavy(rng, 50, 4) - 30
    negative[20:23] = np.nan
    positive = wavy(rng, 60, 4)
    arrays = steps_of([unit * positive, unit * negative], Seasons(4, 0))
    if not covariates:
        return Windows(arrays, horizon, context=10, stride=10)
    total = np.array([60 + horizon, 50 + horizon])
    table = ScaledCovariates(
        rng.normal(size=(110, 3)).astype(np.float32),
        rng.normal(size=(int(total.sum()), 2)).astype(np.float32),
        np.concatenate([[0], np.cumsum(total)]),
    )
    return Windows(arrays, horizon, context=10, stride=10, covariates=table)


def make_network(shape: NetworkShape, seed: int = 1) -> TorchNetwork:
    """Return a network whose every weight is random, as after training."""
    torch.manual_seed(seed)
    network = TorchNetwork(shape).eval()
    with torch.no_grad():
        for weight in network.parameters():
            weight.copy_(0.3 * torch.randn_like(weight))
    return network
