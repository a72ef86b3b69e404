"""An encoder reads what it should and nothing else: no later step, padding or other series."""

import pytest
import torch
from torch import Tensor

from lstmcast.network.encoders import (
    TORCH_CELLS,
    Attention,
    RecurrentStack,
    bidirectional_states,
    build_recurrent_encoder,
    split_into_contexts,
    states_at_origins,
)
from lstmcast.network.torch_network import TorchNetwork
from lstmcast.network.trained import MIN_RESIDUAL_LAYERS, NetworkShape

C, B, P, H = 24, 3, 4, 5
PLAIN = NetworkShape(features=6, local=4, candidates=3, hidden=8, layers=2, context=10)
KINDS = {
    "lstm": PLAIN,
    "gru": PLAIN._replace(cell="gru"),
    "rnn": PLAIN._replace(cell="rnn"),
    "one layer": PLAIN._replace(layers=1),
    "residual": PLAIN._replace(layers=MIN_RESIDUAL_LAYERS),
    "layer norm": PLAIN._replace(layer_norm=True),
    "both ways": PLAIN._replace(bidirectional=True),
    "both ways, normed": PLAIN._replace(
        bidirectional=True, layer_norm=True, cell="gru", layers=3
    ),
    "attention": PLAIN._replace(attention=True),
    "attention both ways": PLAIN._replace(
        attention=True, bidirectional=True, cell="gru"
    ),
}
kinds = pytest.mark.parametrize("shape", KINDS.values(), ids=KINDS)
Inputs = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]


def inputs() -> Inputs:
    rng = torch.Generator().manual_seed(0)
    x = torch.randn(C, B, PLAIN.features, generator=rng)
    pad = torch.tensor([0, 16, 21])
    x[torch.arange(C)[:, None] < pad] = 0
    at = torch.stack(
        [torch.randint(max(int(p), 9), C, (P,), generator=rng) for p in pad]
    )
    local, blend = (
        torch.randn(B, P, H, PLAIN.local, generator=rng),
        torch.randn(B, P, H, PLAIN.candidates),
    )
    return x, at, local, blend, pad


def trained(shape: NetworkShape) -> TorchNetwork:
    torch.manual_seed(1)
    network = TorchNetwork(shape).eval()
    with torch.no_grad():
        for weight in network.parameters():
            weight.copy_(0.4 * torch.randn_like(weight))
    return network


@kinds
@torch.no_grad()
def test_no_later_step_of_its_chunk_changes_an_origin_s_forecast_by_a_bit(
    shape: NetworkShape,
) -> None:
    network = trained(shape)
    x, *rest = inputs()
    out = network(x, *rest)
    at = rest[0]
    for p in range(P):
        later = x.clone()
        later[int(at[0, p]) + 1 :, 0] = 1e3
        assert torch.equal(network(later, *rest)[0, p], out[0, p])
        later[int(at[0, p]), 0] = 1e3
        assert not torch.equal(network(later, *rest)[0, p], out[0, p])


@kinds
@torch.no_grad()
def test_what_stands_in_the_padding_changes_no_forecast_by_a_bit(
    shape: NetworkShape,
) -> None:
    network = trained(shape)
    x, at, local, blend, pad = inputs()
    out = network(x, at, local, blend, pad)
    filled = torch.where(
        (torch.arange(C)[:, None] < pad)[..., None], torch.full_like(x, 7.0), x
    )
    assert not torch.equal(filled, x)
    assert torch.equal(network(filled, at, local, blend, pad), out)


@kinds
@torch.no_grad()
def test_series_of_different_length_in_one_batch_are_forecast_as_each_by_itself(
    shape: NetworkShape,
) -> None:
    network = trained(shape)
    x, at, local, blend, pad = inputs()
    out = network(x, at, local, blend, pad)
    for b in range(B):
        one = slice(b, b + 1)
        torch.testing.assert_close(
            network(x[:, one], at[one], local[one], blend[one], pad[one])[0], out[b]
        )


@pytest.mark.parametrize("shape", [KINDS["both ways"], KINDS["attention both ways"]])
@torch.no_grad()
def test_both_ways_sees_only_the_context(shape: NetworkShape) -> None:
    network = trained(shape)
    x, *rest = inputs()
    out, at = network(x, *rest), rest[0]
    first = int(at[0, 0]) - shape.context + 1
    before = x.clone()
    before[:first, 0] = 5.0
    assert torch.equal(network(before, *rest)[0, 0], out[0, 0])
    before[first, 0] = 5.0
    assert not torch.equal(network(before, *rest)[0, 0], out[0, 0])


@torch.no_grad()
def test_the_way_back_starts_at_the_origin_and_ends_at_the_first_step_of_the_context() -> (
    None
):
    """The state of the way back is what the same weights make of the context turned round."""
    torch.manual_seed(0)
    layer = build_recurrent_encoder(
        "gru", 6, 8, 1, dropout=0.0, bidirectional=True, layer_norm=False
    )
    turned = build_recurrent_encoder(
        "gru", 6, 8, 1, dropout=0.0, bidirectional=False, layer_norm=False
    )
    turned.load_state_dict(
        {
            name.removesuffix("_reverse"): weight
            for name, weight in layer.state_dict().items()
            if name.endswith("_reverse")
        }
    )
    x, at, pad = (
        torch.randn(20, 2, 6),
        torch.tensor([[12, 19], [15, 9]]),
        torch.tensor([0, 0]),
    )
    cut, places, before = split_into_contexts(x, at, pad, 7)
    origin = bidirectional_states(layer(cut)[0], places, before)
    for k, (b, end) in enumerate([(0, 12), (0, 19), (1, 15), (1, 9)]):
        back = turned(x[end - 6 : end + 1, b].flip(0))[0][-1]
        torch.testing.assert_close(origin[k, 0, 8:], back)


def test_a_context_that_begins_before_its_chunk_is_padding_there() -> None:
    x = torch.arange(5.0)[:, None, None].expand(5, 1, 1)
    cut, at, pad = split_into_contexts(x, torch.tensor([[2, 4]]), torch.tensor([1]), 4)
    assert at.tolist() == [[3], [3]]
    assert pad.tolist() == [2, 0]
    assert cut[:, 0, 0][2:].tolist() == [1, 2]
    assert cut[:, 1, 0].tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize("shape", [KINDS["attention"], KINDS["attention both ways"]])
@torch.no_grad()
def test_attention_is_a_share_of_each_step_of_the_context_and_of_nothing_else(
    shape: NetworkShape,
) -> None:
    x, at, _, _, pad = inputs()
    attention = trained(shape).attention_by_step(x, at, pad)
    assert attention.shape == (B, P, shape.context)
    torch.testing.assert_close(attention.sum(-1), torch.ones(B, P))
    steps = at[..., None] - torch.arange(shape.context - 1, -1, -1)
    padding = steps < pad[:, None, None]
    assert padding.any()
    assert not attention[padding].any()
    assert (attention[~padding] > 0).all()


def test_attention_has_no_effect_before_training() -> None:
    torch.manual_seed(0)
    attention = Attention(8, 8, 10)
    states = torch.randn(C, B, 8)
    at = torch.full((B, P), 20)
    assert not attention(
        states, states_at_origins(states, at), at, torch.zeros(B, dtype=torch.int64)
    ).any()


@pytest.mark.parametrize("cell", TORCH_CELLS)
def test_each_cell_is_its_own_kind_in_the_sizes_asked_for(cell: str) -> None:
    fused = build_recurrent_encoder(
        cell, 6, 8, 2, dropout=0.1, bidirectional=False, layer_norm=False
    )
    stacked = build_recurrent_encoder(
        cell,
        6,
        8,
        MIN_RESIDUAL_LAYERS,
        dropout=0.1,
        bidirectional=True,
        layer_norm=True,
    )
    assert type(fused) is TORCH_CELLS[cell]
    assert isinstance(stacked, RecurrentStack)
    assert [type(layer) for layer in stacked.layers] == [
        TORCH_CELLS[cell]
    ] * MIN_RESIDUAL_LAYERS
    assert fused(torch.randn(C, B, 6))[0].shape == (C, B, 8)
    assert stacked(torch.randn(C, B, 6))[0].shape == (C, B, 16)


@torch.no_grad()
def test_from_the_third_layer_on_a_layer_adds_to_what_it_reads() -> None:
    torch.manual_seed(0)
    stack = RecurrentStack(
        TORCH_CELLS["lstm"],
        6,
        8,
        MIN_RESIDUAL_LAYERS,
        dropout=0.0,
        bidirectional=False,
        layer_norm=False,
    ).eval()
    x = torch.randn(C, B, 6)
    first = stack.layers[0](x)[0]
    for layer in list(stack.layers)[1:]:
        for weight in layer.parameters():
            weight.zero_()
    torch.testing.assert_close(stack(x)[0], first)


@torch.no_grad()
def test_layer_norm_holds_states_to_one_size() -> None:
    stack = RecurrentStack(
        TORCH_CELLS["rnn"], 6, 8, 1, dropout=0.0, bidirectional=False, layer_norm=True
    ).eval()
    states = stack(1e3 * torch.randn(C, B, 6))[0]
    torch.testing.assert_close(
        states.pow(2).mean(-1), torch.ones(C, B), rtol=1e-3, atol=1e-3
    )
