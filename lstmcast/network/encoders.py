"""Recurrent encoders: what an origin knows of the steps up to it.

Knows nothing of losses, horizons or training.

Axes: C steps of a chunk, B chunks, P origins per chunk, L context, F input features, D hidden size,
W width of a state (D, or 2 D where the context is read both ways).
"""

from typing import Any

import torch
from torch import Tensor, nn

from lstmcast.network.trained import MIN_RESIDUAL_LAYERS

TORCH_CELLS: dict[str, type[nn.RNNBase]] = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}


class RecurrentStack(nn.Module):
    """Recurrent layers one by one, with layer normalisation and residual connections between them."""

    def __init__(
        self,
        cell: type[nn.RNNBase],
        features: int,
        hidden: int,
        layers: int,
        *,
        dropout: float,
        both: bool,
        norm: bool,
    ) -> None:
        super().__init__()
        width = 2 * hidden if both else hidden
        sizes = [features, *[width] * (layers - 1)]
        self.layers = nn.ModuleList(cell(size, hidden, bidirectional=both) for size in sizes)  # type: ignore[call-arg, arg-type]
        self.norms = nn.ModuleList(nn.LayerNorm(width) if norm else nn.Identity() for _ in sizes)
        self.dropout = nn.Dropout(dropout)
        self.residual = layers >= MIN_RESIDUAL_LAYERS

    def forward(self, x: Tensor) -> tuple[Tensor, None]:
        """X [C, B, F] -> states [C, B, W], as the layers of torch give theirs."""
        for number, (layer, norm) in enumerate(zip(self.layers, self.norms, strict=True)):
            out = norm(layer(x if number == 0 else self.dropout(x))[0])
            x = x + out if self.residual and number else out
        return x, None


class Attention(nn.Module):
    """Scaled dot-product attention of an origin over the states of its context (Luong et al. 2015).

    What it finds enters through weights that start at zero, so a pretrained network is left as it
    was.
    """

    def __init__(self, width: int, hidden: int, context: int) -> None:
        super().__init__()
        self.context = context
        self.query, self.key = nn.Linear(width, hidden), nn.Linear(width, hidden, bias=False)
        self.value = nn.Linear(width, hidden, bias=False)
        nn.init.zeros_(self.value.weight)

    def weights(self, states: Tensor, origin: Tensor, at: Tensor, pad: Tensor) -> Tensor:
        """How much each origin leans on each step, [B, P, C]: 0 outside its context and on padding, 1 in all."""
        keys = self.key(states).permute(1, 2, 0)  # (B, D, C)
        score = torch.bmm(self.query(origin), keys) * keys.shape[1] ** -0.5
        step = torch.arange(states.shape[0], device=states.device)
        seen = (
            (step <= at[..., None])
            & (step > at[..., None] - self.context)
            & (step >= pad[:, None, None])
        )
        return torch.softmax(score.masked_fill(~seen, float("-inf")), -1)

    def forward(self, states: Tensor, origin: Tensor, at: Tensor, pad: Tensor) -> Tensor:
        """States [C, B, W], origin [B, P, W], at [B, P], pad [B] -> what the origins find, [B, P, D]."""
        leaned = self.weights(states, origin, at, pad)
        found: Tensor = self.value(torch.bmm(leaned, states.transpose(0, 1)))
        return found


def build_recurrent_encoder(
    cell: str, features: int, hidden: int, layers: int, *, dropout: float, both: bool, norm: bool
) -> nn.Module:
    """Recurrent layers, x [C, B, F] -> (states [C, B, W], ...): those of torch where they can do it."""
    if norm or layers >= MIN_RESIDUAL_LAYERS:
        return RecurrentStack(
            TORCH_CELLS[cell], features, hidden, layers, dropout=dropout, both=both, norm=norm
        )
    make_layers: Any = TORCH_CELLS[cell]
    between = dropout if layers > 1 else 0.0  # torch drops out between layers alone
    return make_layers(features, hidden, layers, dropout=between, bidirectional=both)  # type: ignore[no-any-return]


def states_at_origins(states: Tensor, at: Tensor) -> Tensor:
    """The state at each origin, [B, P, W]: it has read all steps up to there and none after."""
    return states[at, torch.arange(at.shape[0], device=at.device)[:, None]]


def bidirectional_states(states: Tensor, at: Tensor, pad: Tensor) -> Tensor:
    """What each direction knows when it has read all of a context, [B, 1, W]: there at its end, back at its start."""
    half, row = states.shape[2] // 2, torch.arange(states.shape[1], device=at.device)
    return torch.cat([states[at[:, 0], row, :half], states[pad, row, half:]], -1)[:, None]


def split_into_contexts(
    x: Tensor, at: Tensor, pad: Tensor, context: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Each origin's context as a chunk of its own, so that reading it backwards starts at the origin.

    X [C, B, F], at [B, P], pad [B] -> x [L, B * P, F], at [B * P, 1], pad [B * P].
    """
    places = (at[..., None] + torch.arange(1 - context, 1, device=at.device)).flatten(
        0, 1
    )  # (B * P, L)
    row = torch.arange(at.shape[0], device=at.device).repeat_interleave(at.shape[1])
    before = (pad[row] - places[:, 0]).clamp(0, context - 1)
    return x[places.clamp(min=0).T, row], torch.full_like(at.reshape(-1, 1), context - 1), before
