"""The network: a recurrent encoder over the context and one small decoder for every horizon step.

Knows nothing of where data came from or how it is trained.

Axes: C steps of a chunk, B chunks, P origins per chunk, H horizon, F input features, J local
features, A candidates, O outputs of the loss, D hidden size, W width of an encoder's state.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

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


class TorchNetwork(nn.Module):
    """Forecast of H steps from the state at each origin, relative to the seasonal-naive base.

    What the loss asks for is put out for each step: a correction to a softmax blend of classical
    candidates. The last layer starts at zero, so training starts at the mean of the candidates.
    Columns for covariates start at zero, so pretrained weights still hold when they are added. With
    `reduced` an LSTM trains in bfloat16.
    """

    def __init__(self, shape: NetworkShape, dropout: float = 0.0) -> None:
        super().__init__()
        self.shape = shape
        self.reduced = False
        self.loss = LOSSES[shape.loss]
        d, both = shape.hidden, shape.bidirectional
        width = 2 * d if both else d
        features = shape.features + shape.covariates
        self.encoder = build_recurrent_encoder(
            shape.cell, features, d, shape.layers, dropout=dropout, both=both, norm=shape.layer_norm
        )
        self.state = nn.Linear(width, d)
        self.local = nn.Linear(shape.local + shape.ahead, d)
        hidden, last = nn.Linear(d, d), nn.Linear(d, len(self.loss.start) + shape.candidates)
        self.head = nn.Sequential(nn.ReLU(), hidden, nn.ReLU(), nn.Dropout(dropout), last)
        self.attention = Attention(width, d, shape.context) if shape.attention else None
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        with torch.no_grad():
            last.bias[: len(self.loss.start)] = torch.tensor(self.loss.start)
            for name, weight in self.named_parameters():
                if INPUT_WEIGHT_NAME.fullmatch(name):
                    weight[:, shape.features :] = 0
            self.local.weight[:, shape.local :] = 0

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return self.state.weight.device

    def forward(
        self, x: Tensor, at: Tensor, local: Tensor, blend: Tensor, pad: Tensor | None = None
    ) -> Tensor:
        """X [C, B, F], at [B, P], local [B, P, H, J], blend [B, P, H, A] -> what the loss reads [B, P, H, O].

        pad: [B], steps at the start of each chunk that are no steps of its series; by default none.
        """
        states, origin, at_states, before = self.encode(x, at, pad)
        state = self.state(origin)
        if self.attention is not None:
            state = state + self.attention(states, origin, at_states, before)
        out = self.head(state.reshape(*at.shape, -1)[:, :, None] + self.local(local))
        n = len(self.loss.start)
        mixed = (torch.softmax(out[..., n:], -1) * blend).sum(-1, keepdim=True)
        return self.loss.join(out[..., :n], mixed)

    def encode(
        self, x: Tensor, at: Tensor, pad: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """States [C', B', W], those of the origins [B', P', W], where they are [B', P'], padding [B'].

        Read both ways, each origin is a chunk of its own (B' = B * P, P' = 1, C' = context).
        """
        before = at.new_zeros(at.shape[0]) if pad is None else pad
        if self.shape.bidirectional:
            x, at, before = split_into_contexts(x, at, before, self.shape.context)
        if pad is not None or self.shape.bidirectional:
            outside = torch.arange(x.shape[0], device=x.device)[:, None] < before
            x = x.masked_fill(outside[..., None], 0.0)
        reduced = self.reduced and self.training and self.shape.cell == "lstm"
        with torch.autocast(x.device.type, torch.bfloat16, enabled=reduced):
            states, _ = self.encoder(x)
        states = states.float()
        origin = (
            bidirectional_states(states, at, before)
            if self.shape.bidirectional
            else states_at_origins(states, at)
        )
        return states, origin, at, before

    def attention_by_step(self, x: Tensor, at: Tensor, pad: Tensor) -> Tensor:
        """Attention of each origin to the steps of its context, the last of them its own: [B, P, context].

        Needs a network with attention.
        """
        states, origin, where, before = self.encode(x, at, pad)
        weights = self.attention.weights(states, origin, where, before)  # type: ignore[union-attr]
        weights, where = weights.reshape(*at.shape, -1), where.reshape(at.shape)
        places = where[..., None] + torch.arange(1 - self.shape.context, 1, device=at.device)
        return weights.gather(-1, places.clamp(min=0)).masked_fill(places < 0, 0.0)


def to_tensors(
    batch: Batch, device: torch.device | str = "cpu"
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """What a network reads of a batch."""
    parts = (batch.x, batch.at, batch.local, batch.blend, batch.pad)
    x, at, local, blend, pad = (torch.as_tensor(part, device=device) for part in parts)
    return x, at, local, blend, pad


def to_trained_network(network: TorchNetwork) -> TrainedNetwork:
    """The network as arrays, which further training leaves alone."""
    weights = network.state_dict().items()
    return TrainedNetwork(
        network.shape,
        {name: value.detach().float().cpu().numpy().copy() for name, value in weights},
    )


def to_torch_network(frozen: TrainedNetwork) -> TorchNetwork:
    """The network that arrays are the weights of, ready to forecast."""
    with torch.device("meta"):
        network = TorchNetwork(frozen.shape).eval()
    network.load_state_dict(
        {name: torch.from_numpy(value) for name, value in frozen.weights.items()}, assign=True
    )
    return network


@torch.no_grad()
def predict_quantiles_in_torch(
    frozen: TrainedNetwork, batch: Batch, base: Floats, levels: Sequence[float]
) -> Floats:
    """Quantiles of a batch as transformed, float64 [B, P, H, Q], of any network; `base` takes the place of its own."""
    network, truth = (
        to_torch_network(frozen),
        LossTargets.of(batch)._replace(base=torch.from_numpy(base)),
    )
    with single_torch_thread():
        return network.loss.quantiles(network(*to_tensors(batch)), truth, levels).numpy()


@contextmanager
def single_torch_thread() -> Iterator[None]:
    """Run torch on one thread: two are slower on networks this small, and sums come out in one order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def adapt_weights_to_loss(
    weights: Mapping[str, Singles], network: TorchNetwork, old: str
) -> dict[str, Tensor]:
    """Weights for `network` from those of one that was trained for the loss `old`; all but the last layer carry over.

    Of that, what weighs the candidates carries over, and from quantiles the median as the location.
    """
    last, bias = "head.4.weight", "head.4.bias"
    out = network.state_dict() | {
        name: torch.from_numpy(weight) for name, weight in weights.items()
    }
    if old == network.shape.loss:
        return out
    had, n = len(LOSSES[old].start), len(network.loss.start)
    for name in (last, bias):
        fresh = network.state_dict()[name].clone()
        fresh[n:] = out[name][had:]
        if old == "quantile" and network.loss.has_location:
            fresh[0] = out[name][NETWORK_QUANTILES.index(0.5)]
        out[name] = fresh
    return out
