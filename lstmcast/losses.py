"""Losses on tensors; missing targets (NaN) count for nothing. Knows no network.

Axes: [...] windows and horizon steps, Q quantiles.
"""

import torch
from torch import Tensor

from lstmcast.config import QUANTILES


def pinball(quantiles: Tensor, target: Tensor) -> Tensor:
    """Mean quantile loss (Koenker & Bassett 1978) over all known targets and levels; 0 if none is known.

    quantiles: [..., Q] at the levels QUANTILES; target: [...], NaN where unknown.
    """
    levels = torch.tensor(QUANTILES, dtype=quantiles.dtype, device=quantiles.device)
    known = ~torch.isnan(target)
    error = torch.where(known, target, 0.0)[..., None] - quantiles
    loss = torch.maximum(levels * error, (levels - 1) * error).mean(-1)
    return (loss * known).sum() / known.sum().clamp(min=1)
