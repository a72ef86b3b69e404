"""The network: a recurrent encoder over the context and one small decoder for every horizon step.

Knows nothing of where data came from or how it is trained.

Axes: T steps of a chunk, B chunks, P origins per chunk, L context, H horizon, F input features, J
local features, A candidates, O outputs of the loss, Q quantiles, D hidden size, W width of an
encoder's state.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from lstmcast.config import NETWORK_QUANTILES
from lstmcast.features.windows import Batch
from lstmcast.network.encoders import (
    Attention,
    bidirectional_states,
    build_recurrent_encoder,
    split_into_contexts,
    states_at_origins,
)
from lstmcast.network.losses import LOSSES, LossTargets
from lstmcast.network.trained import INPUT_WEIGHT_NAME, NetworkShape, TrainedNetwork
from lstmcast.ragged import Floats, Singles

_LAST_LAYER = ("head.4.weight", "head.4.bias")
"""Weights that put out what the loss reads, then the logits of the candidates."""


class NetworkInputs(NamedTuple):
    """What a network reads of a batch, see `features.windows.Batch`.

    x [T, B, F], at [B, P], local [B, P, H, J], blend [B, P, H, A], pad [B].
    """

    x: Tensor
    at: Tensor
    local: Tensor
    blend: Tensor
    pad: Tensor


class EncodedChunks(NamedTuple):
    """What an encoder makes of chunks.

    states: of every step, [T, B, W]. origin: those of the origins, [B, P, W]. at: where the origins
    are, [B, P]. pad: padding at the start of each chunk, [B]. Where the context is read both ways,
    each origin has a chunk of its own (B * P chunks of L steps with 1 origin).
    """

    states: Tensor
    origin: Tensor
    at: Tensor
    pad: Tensor


class TorchNetwork(nn.Module):
    """Forecast of H steps from the state at each origin, relative to the seasonal naive base.

    For each step it puts out what the loss reads: a correction to a softmax blend of classical
    candidates. The last layer starts at zero, so training starts at the mean of the candidates.
    Columns for covariates start at zero, so pretrained weights still hold when they are added. With
    `reduced` an LSTM trains in bfloat16.
    """

    def __init__(self, shape: NetworkShape, dropout: float = 0.0) -> None:
        super().__init__()
        self.shape = shape
        self.reduced = False
        self.loss = LOSSES[shape.loss]
        n_outputs = len(self.loss.start)
        hidden = shape.hidden

        # The order of the layers is that of the random numbers they start from.
        self.encoder = build_recurrent_encoder(
            shape.cell,
            shape.features + shape.covariates,
            hidden,
            shape.layers,
            dropout=dropout,
            bidirectional=shape.bidirectional,
            layer_norm=shape.layer_norm,
        )
        local_inputs = shape.local + shape.ahead
        self.state = nn.Linear(shape.width, hidden)
        self.local = nn.Linear(local_inputs, hidden)
        middle = nn.Linear(hidden, hidden)
        last = nn.Linear(hidden, n_outputs + shape.candidates)
        self.head = nn.Sequential(
            nn.ReLU(), middle, nn.ReLU(), nn.Dropout(dropout), last
        )
        self.attention = None
        if shape.attention:
            self.attention = Attention(shape.width, hidden, shape.context)

        self.neighbours = None
        if shape.neighbours:
            self.neighbours = nn.Conv1d(
                hidden,
                hidden,
                shape.neighbours,
                padding=shape.neighbours // 2,
                groups=hidden,
                bias=False,
            )
            nn.init.zeros_(self.neighbours.weight)

        # Training starts from no correction, and from all candidates alike.
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        with torch.no_grad():
            last.bias[:n_outputs] = torch.tensor(self.loss.start)
            self._forget_covariates()

    def _forget_covariates(self) -> None:
        """Set the columns that read covariates to zero."""
        shape = self.shape
        for name, weight in self.named_parameters():
            if INPUT_WEIGHT_NAME.fullmatch(name):
                weight[:, shape.features :] = 0
        self.local.weight[:, shape.local :] = 0

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return self.state.weight.device

    def forward(
        self,
        x: Tensor,
        at: Tensor,
        local: Tensor,
        blend: Tensor,
        pad: Tensor | None = None,
    ) -> Tensor:
        """Forecast from each origin what the loss reads, [B, P, H, O]; for the inputs see above.

        Without `pad` no chunk has padding.
        """
        encoded = self.encode(x, at, pad)
        state = self.state(encoded.origin)
        if self.attention is not None:
            state = state + self.attention(*encoded)

        # An axis for the horizon steps, which all start from the same state: (B, P, 1, D).
        by_origin = state.reshape(*at.shape, -1)
        hidden = by_origin[:, :, None] + self.local(local)
        if self.neighbours is None:
            out = self.head(hidden)
        else:
            out = self._decode_with_neighbours(hidden, self.neighbours)

        # What the loss reads comes first, then the logits of the candidates.
        n_outputs = len(self.loss.start)
        correction = out[..., :n_outputs]
        logits = out[..., n_outputs:]
        weights = torch.softmax(logits, -1)
        weighted = weights * blend
        mixed = weighted.sum(-1, keepdim=True)

        return self.loss.join(correction, mixed)

    def _decode_with_neighbours(self, hidden: Tensor, neighbours: nn.Conv1d) -> Tensor:
        """Decode [B, P, H, D] with horizon steps that see those beside them, [B, P, H, O + A]."""
        first_relu, middle, second_relu, *rest = self.head
        steps = second_relu(middle(first_relu(hidden)))
        flat = steps.flatten(0, 1).transpose(1, 2)
        beside = neighbours(flat).transpose(1, 2)
        out: Tensor = steps + beside.reshape(steps.shape)
        for layer in rest:
            out = layer(out)
        return out

    def encode(self, x: Tensor, at: Tensor, pad: Tensor | None = None) -> EncodedChunks:
        """Encode chunks [T, B, F] with origins at [B, P], which know no step after their own."""
        shape = self.shape
        bidirectional = shape.bidirectional
        n_chunks = at.shape[0]
        before = at.new_zeros(n_chunks) if pad is None else pad

        # The backward direction must not read past an origin: each has a chunk of its own.
        if bidirectional:
            x, at, before = split_into_contexts(x, at, before, shape.context)
        if pad is not None or bidirectional:
            # What stands in the padding must not reach the states.
            step = torch.arange(x.shape[0], device=x.device)
            outside = step[:, None] < before
            x = x.masked_fill(outside[..., None], 0.0)

        reduced = self.reduced and self.training and shape.cell == "lstm"
        with torch.autocast(x.device.type, torch.bfloat16, enabled=reduced):
            states, _ = self.encoder(x)

        # All that follows is in float32 again.
        states = states.float()
        if bidirectional:
            origin = bidirectional_states(states, at, before)
        else:
            origin = states_at_origins(states, at)

        return EncodedChunks(states, origin, at, before)

    def attention_by_step(self, x: Tensor, at: Tensor, pad: Tensor) -> Tensor:
        """Return how much each origin attends to each step of its context, its own last, [B, P, L].

        Needs a network with attention.
        """
        encoded = self.encode(x, at, pad)
        by_chunk_step = self.attention.weights(*encoded)  # type: ignore[union-attr]

        # With a chunk for each origin, the origins go back to the chunks that they are from.
        by_chunk_step = by_chunk_step.reshape(*at.shape, -1)

        # From the steps of a chunk to those of the context, which ends at the origin.
        last = encoded.at.reshape(at.shape)
        context = self.shape.context
        offsets = torch.arange(1 - context, 1, device=at.device)
        places = last[..., None] + offsets
        inside = places.clamp(min=0)
        weights = by_chunk_step.gather(-1, inside)

        return weights.masked_fill(places < 0, 0.0)


def to_tensors(batch: Batch, device: torch.device | str = "cpu") -> NetworkInputs:
    """Return what a network reads of a batch, as tensors on a device."""
    as_tensor = partial(torch.as_tensor, device=device)
    return NetworkInputs(
        x=as_tensor(batch.x),
        at=as_tensor(batch.at),
        local=as_tensor(batch.local),
        blend=as_tensor(batch.blend),
        pad=as_tensor(batch.pad),
    )


def to_trained_network(network: TorchNetwork) -> TrainedNetwork:
    """Copy the network into arrays, which further training does not change."""
    weights = {}
    for name, weight in network.state_dict().items():
        on_cpu = weight.detach().float().cpu()
        weights[name] = on_cpu.numpy().copy()
    return TrainedNetwork(network.shape, weights)


def to_torch_network(trained: TrainedNetwork) -> TorchNetwork:
    """Build the network that arrays are the weights of, ready to forecast."""
    # Without memory for weights that are replaced at once.
    with torch.device("meta"):
        network = TorchNetwork(trained.shape).eval()
    network.load_state_dict(_as_tensors(trained.weights), assign=True)
    return network


@torch.no_grad()
def predict_quantiles_in_torch(
    trained: TrainedNetwork, batch: Batch, base: Floats, levels: Sequence[float]
) -> Floats:
    """Predict quantiles of a batch as transformed, float64 [B, P, H, Q], of any network.

    They are relative to `base` [B, P, H], which takes the place of the batch's own.
    """
    network = to_torch_network(trained)
    targets = LossTargets.of(batch)
    targets = targets._replace(base=torch.from_numpy(base))
    inputs = to_tensors(batch)
    with single_torch_thread():
        out = network(*inputs)
        quantiles = network.loss.quantiles(out, targets, levels)

    return quantiles.numpy()


@contextmanager
def single_torch_thread() -> Iterator[None]:
    """Run torch on one thread: sums come out in one order, and two are slower on small networks."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def adapt_weights_to_loss(
    weights: Mapping[str, Singles], network: TorchNetwork, old_loss: str
) -> dict[str, Tensor]:
    """Return weights for `network` from those of one that was trained for another loss.

    All but the last layer carry over. Of that, the logits of the candidates do, and from quantiles
    the median as the location.
    """
    initial = network.state_dict()
    adapted = initial | _as_tensors(weights)
    if old_loss == network.shape.loss:
        return adapted

    # Both losses have their own outputs before the logits.
    n_old = len(LOSSES[old_loss].start)
    n_new = len(network.loss.start)
    median = NETWORK_QUANTILES.index(0.5)
    for name in _LAST_LAYER:
        old_rows = adapted[name]
        rows = initial[name].clone()
        rows[n_new:] = old_rows[n_old:]
        if old_loss == "quantile" and network.loss.has_location:
            rows[0] = old_rows[median]
        adapted[name] = rows

    return adapted


def _as_tensors(weights: Mapping[str, Singles]) -> dict[str, Tensor]:
    """Return weights as tensors that share their memory."""
    return {name: torch.from_numpy(weight) for name, weight in weights.items()}
