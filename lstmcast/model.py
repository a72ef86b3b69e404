"""The network: a stacked LSTM over the context and one small decoder for every horizon step.

Knows nothing of where data came from or how it is trained.

Axes: C steps of a chunk, B chunks, P origins per chunk, H horizon, F input features, J local features,
A candidates, Q quantiles, D hidden size.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from lstmcast.config import QUANTILES


class Shape(NamedTuple):
    """Sizes that rebuild a network. `covariates` and `ahead` are inputs added to the universal ones."""

    features: int
    local: int
    candidates: int
    hidden: int
    layers: int
    covariates: int = 0
    ahead: int = 0


class Network(nn.Module):
    """Forecast of H steps from the state at each origin, as quantiles relative to the seasonal-naive base.

    The output is a softmax blend of classical candidates plus a correction per quantile. The last layer starts at
    zero, so training starts at the mean of the candidates. Columns for covariates start at zero, so pretrained
    weights still hold when they are added. With `reduced` the encoder trains in bfloat16.
    """

    def __init__(self, shape: Shape, dropout: float = 0.0) -> None:
        super().__init__()
        self.shape = shape
        self.reduced = False
        d = shape.hidden
        self.encoder = nn.LSTM(
            shape.features + shape.covariates, d, shape.layers, dropout=dropout if shape.layers > 1 else 0.0
        )
        self.state = nn.Linear(d, d)
        self.local = nn.Linear(shape.local + shape.ahead, d)
        hidden, last = nn.Linear(d, d), nn.Linear(d, len(QUANTILES) + shape.candidates)
        self.head = nn.Sequential(nn.ReLU(), hidden, nn.ReLU(), nn.Dropout(dropout), last)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        with torch.no_grad():
            self.encoder.get_parameter("weight_ih_l0")[:, shape.features :] = 0
            self.local.weight[:, shape.local :] = 0

    def forward(self, x: Tensor, at: Tensor, local: Tensor, blend: Tensor) -> Tensor:
        """X [C, B, F], at [B, P], local [B, P, H, J], blend [B, P, H, A] -> quantiles [B, P, H, Q], unsorted."""
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.reduced and self.training):
            states, _ = self.encoder(x)
        states = states.float()
        origin = states[at, torch.arange(at.shape[0], device=at.device)[:, None]]  # (B, P, D)
        out = self.head(self.state(origin)[:, :, None] + self.local(local))
        q = len(QUANTILES)
        mixed = (torch.softmax(out[..., q:], -1) * blend).sum(-1, keepdim=True)
        result: Tensor = out[..., :q] + mixed
        return result


def widen(weights: dict[str, Tensor], shape: Shape) -> dict[str, Tensor]:
    """Weights of the same network without covariates, with zero columns added for those of `shape`."""
    out = dict(weights)
    for name, width in (
        ("encoder.weight_ih_l0", shape.features + shape.covariates),
        ("local.weight", shape.local + shape.ahead),
    ):
        old = weights[name]
        out[name] = torch.cat([old, old.new_zeros(old.shape[0], width - old.shape[1])], 1)
    return out
