"""The recurrent layers in numpy are torch's, to rounding."""

import numpy as np
import pytest
import torch

from lstmcast.network.encoders import build_recurrent_encoder
from lstmcast.network.numpy_layers import encode_chunks
from lstmcast.network.trained import NetworkShape


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize(("steps", "chunks"), [(1, 1), (40, 1), (7, 5), (300, 3)])
def test_states_are_those_of_torch(
    cell: str, layers: int, norm: bool, steps: int, chunks: int
) -> None:
    torch.manual_seed(0)
    encoder = build_recurrent_encoder(
        cell, 9, 16, layers, dropout=0.3, bidirectional=False, layer_norm=norm
    ).eval()
    x = 3 * torch.randn(steps, chunks, 9)
    with torch.no_grad():
        expected = encoder(x)[0].numpy()
    weights = {
        f"encoder.{name}": weight.numpy()
        for name, weight in encoder.state_dict().items()
    }
    shape = NetworkShape(9, 5, 4, hidden=16, layers=layers, cell=cell, layer_norm=norm)
    np.testing.assert_allclose(
        encode_chunks(shape, weights, x.numpy()).transpose(0, 2, 1),
        expected,
        rtol=1e-5,
        atol=1e-5,
    )


def test_inputs_and_weights_are_left_unchanged() -> None:
    encoder = build_recurrent_encoder(
        "lstm", 3, 4, 1, dropout=0.0, bidirectional=False, layer_norm=False
    )
    weights = {
        f"encoder.{name}": weight.numpy()
        for name, weight in encoder.state_dict().items()
    }
    x = np.ones((5, 2, 3), np.float32)
    before = {name: weight.copy() for name, weight in weights.items()}
    encode_chunks(NetworkShape(3, 1, 1, hidden=4, layers=1), weights, x)
    assert (x == 1).all() and all(
        np.array_equal(before[name], weight) for name, weight in weights.items()
    )
