"""Recurrent encoders: what an origin knows of the steps up to it.

Knows nothing of losses, horizons or training.

Axes: T steps of a chunk, B chunks, P origins per chunk, L context, F input features, D hidden size,
W width of a state (D, or 2 D where the context is read both ways). `at` [B, P] is the step of each
origin in its chunk, `pad` [B] the steps at the start of each chunk that lie before its series.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from lstmcast.network.trained import MIN_RESIDUAL_LAYERS

TORCH_CELLS: dict[str, type[nn.RNNBase]] = {
    "lstm": nn.LSTM,
    "gru": nn.GRU,
    "rnn": nn.RNN,
}


class RecurrentStack(nn.Module):
    """Recurrent layers one by one, with layer normalisation and residual connections between."""

    def __init__(
        self,
        cell: type[nn.RNNBase],
        features: int,
        hidden: int,
        layers: int,
        *,
        dropout: float,
        bidirectional: bool,
        layer_norm: bool,
    ) -> None:
        super().__init__()
        width = 2 * hidden if bidirectional else hidden

        # The first layer reads the inputs, each other one the states of the one before.
        sizes = [features] + [width] * (layers - 1)
        self.layers = nn.ModuleList(
            cell(size, hidden, bidirectional=bidirectional)  # type: ignore[call-arg, arg-type]
            for size in sizes
        )
        self.norms = nn.ModuleList(
            nn.LayerNorm(width) if layer_norm else nn.Identity() for _ in sizes
        )
        self.dropout = nn.Dropout(dropout)
        self.residual = layers >= MIN_RESIDUAL_LAYERS

    def forward(self, x: Tensor) -> tuple[Tensor, None]:
        """Turn x [T, B, F] into states [T, B, W], in the form that torch's own layers return."""
        layers = zip(self.layers, self.norms, strict=True)
        for number, (layer, norm) in enumerate(layers):
            inputs = self.dropout(x) if number else x
            states, _ = layer(inputs)
            states = norm(states)
            # The first layer cannot add to its inputs: they have another width.
            adds = self.residual and number > 0
            x = x + states if adds else states

        return x, None


class Attention(nn.Module):
    """Scaled dot-product attention of an origin over the states of its context (Luong et al. 2015).

    Its result enters through weights that start at zero, so that a pretrained network forecasts as
    before when attention is added to it.
    """

    def __init__(self, width: int, hidden: int, context: int) -> None:
        super().__init__()
        self.context = context

        # Their order is that of the random numbers they start from.
        self.query = nn.Linear(width, hidden)
        self.key = nn.Linear(width, hidden, bias=False)
        self.value = nn.Linear(width, hidden, bias=False)
        nn.init.zeros_(self.value.weight)

    def weights(
        self, states: Tensor, origin: Tensor, at: Tensor, pad: Tensor
    ) -> Tensor:
        """Return how much each origin attends to each step, [B, P, T].

        The weights sum to 1, with 0 outside the context and on padding.
        """
        keys = self.key(states).permute(1, 2, 0)  # (B, D, T)
        queries = self.query(origin)
        scale = keys.shape[1] ** -0.5
        score = torch.bmm(queries, keys) * scale

        # The context of an origin, without padding.
        step = torch.arange(states.shape[0], device=states.device)
        last = at[..., None]
        first = pad[:, None, None]
        before_context = last - self.context
        in_context = (step <= last) & (step > before_context)
        visible = in_context & (step >= first)
        score = score.masked_fill(~visible, float("-inf"))

        return torch.softmax(score, -1)

    def forward(
        self, states: Tensor, origin: Tensor, at: Tensor, pad: Tensor
    ) -> Tensor:
        """Return what origins find, [B, P, D], from states [T, B, W] and their own [B, P, W]."""
        weights = self.weights(states, origin, at, pad)
        by_chunk = states.transpose(0, 1)  # (B, T, W)
        found: Tensor = self.value(torch.bmm(weights, by_chunk))
        return found


def build_recurrent_encoder(
    cell: str,
    features: int,
    hidden: int,
    layers: int,
    *,
    dropout: float,
    bidirectional: bool,
    layer_norm: bool,
) -> nn.Module:
    """Build recurrent layers, x [T, B, F] -> (states [T, B, W], ...), torch's own if possible."""
    if layer_norm or layers >= MIN_RESIDUAL_LAYERS:
        return RecurrentStack(
            TORCH_CELLS[cell],
            features,
            hidden,
            layers,
            dropout=dropout,
            bidirectional=bidirectional,
            layer_norm=layer_norm,
        )

    torch_layers: Any = TORCH_CELLS[cell]
    # torch drops out between layers only, and warns where there is nothing between.
    between = dropout if layers > 1 else 0.0
    return torch_layers(  # type: ignore[no-any-return]
        features, hidden, layers, dropout=between, bidirectional=bidirectional
    )


def states_at_origins(states: Tensor, at: Tensor) -> Tensor:
    """Return the state at each origin, [B, P, W], which has read all steps up to there only."""
    chunk = torch.arange(at.shape[0], device=at.device)
    return states[at, chunk[:, None]]


def bidirectional_states(states: Tensor, at: Tensor, pad: Tensor) -> Tensor:
    """Return the state of each direction once it has read all of a context, [B, 1, W].

    That is at the end of the context for the forward direction, at its start for the other.
    """
    _, n_chunks, width = states.shape
    half = width // 2
    chunk = torch.arange(n_chunks, device=at.device)
    last = at[:, 0]
    forward = states[last, chunk, :half]
    backward = states[pad, chunk, half:]
    both = torch.cat([forward, backward], -1)

    return both[:, None]


class Contexts(NamedTuple):
    """The contexts of origins, each as a chunk of its own that ends at the origin.

    x [L, B * P, F], at [B * P, 1], pad [B * P].
    """

    x: Tensor
    at: Tensor
    pad: Tensor


def split_into_contexts(x: Tensor, at: Tensor, pad: Tensor, context: int) -> Contexts:
    """Cut chunks [T, B, F] into the contexts of their origins, to be read backwards from these."""
    n_chunks, n_origins = at.shape

    # The places of each context's steps in its chunk, and the chunk they are from.
    offsets = torch.arange(1 - context, 1, device=at.device)
    places = at[..., None] + offsets
    places = places.flatten(0, 1)  # (B * P, L)
    chunk = torch.arange(n_chunks, device=at.device)
    chunk = chunk.repeat_interleave(n_origins)
    last = context - 1

    # Steps before the chunk are padding too; what stands there is masked later.
    inside = places.clamp(min=0)
    first = places[:, 0]
    padding = pad[chunk] - first
    return Contexts(
        x=x[inside.T, chunk],
        at=torch.full_like(at.reshape(-1, 1), last),
        pad=padding.clamp(0, last),
    )
