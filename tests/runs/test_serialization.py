"""The files of a run come back as they were; contents that do not fit are errors of the run."""

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import safetensors.numpy
import torch
from safetensors.torch import load

from lstmcast.errors import RunError
from lstmcast.features import candidates, steps
from lstmcast.network.torch_network import TorchNetwork, to_trained_network
from lstmcast.network.trained import NetworkShape, TrainedNetwork, add_covariate_columns
from lstmcast.runs import serialization
from tests.make import panel_of, wavy

PLAIN = NetworkShape(
    steps.N_STEP_FEATURES,
    candidates.N_LOCAL_FEATURES,
    len(candidates.CANDIDATES),
    hidden=6,
    layers=2,
)
WIDE = PLAIN._replace(hidden=4, layers=1, covariates=2, ahead=1)


def networks() -> list[TrainedNetwork]:
    """Twelve networks of two shapes; more than ten, so that 1 and 11 must not be mixed up."""
    networks = []
    for number in range(12):
        torch.manual_seed(number)
        networks.append(to_trained_network(TorchNetwork(PLAIN if number % 2 else WIDE)))
    return networks


def test_networks_come_back_to_the_bit_each_in_its_place() -> None:
    before = networks()
    after = serialization.unpack_networks(
        serialization.pack_networks(before), [n.shape._asdict() for n in before]
    )
    for network, other in zip(before, after, strict=True):
        assert network.shape == other.shape
        assert network.weights.keys() == other.weights.keys()
        for name, value in network.weights.items():
            assert value.tobytes() == other.weights[name].tobytes()


def test_the_same_networks_make_the_same_bytes() -> None:
    assert serialization.pack_networks(networks()) == serialization.pack_networks(
        networks()
    )


def test_weights_of_a_panel_with_covariates_can_start_one_without() -> None:
    wide = networks()[0]
    narrow = TrainedNetwork(
        WIDE._replace(covariates=0, ahead=0),
        serialization.without_covariate_weights(wide.weights),
    ).weights
    again = add_covariate_columns(narrow, WIDE)
    assert again["local.weight"].shape == wide.weights["local.weight"].shape
    np.testing.assert_array_equal(
        again["local.weight"][:, : candidates.N_LOCAL_FEATURES], narrow["local.weight"]
    )
    assert not again["local.weight"][:, candidates.N_LOCAL_FEATURES :].any()


def test_the_digest_of_weights_depends_on_values_and_not_on_their_order() -> None:
    weights = dict(networks()[0].weights)
    turned = dict(reversed(weights.items()))
    assert serialization.weights_sha256(weights) == serialization.weights_sha256(turned)
    turned["state.bias"] = turned["state.bias"] + 1e-3
    assert serialization.weights_sha256(weights) != serialization.weights_sha256(turned)


def test_history_comes_back_with_missing_validation_and_names_of_any_kind() -> None:
    rows = [
        {
            "member": 'one, "two"\n',
            "step": 0,
            "seconds": 0.1,
            "loss": float("nan"),
            "validation": 1 / 3,
            "lr": 0.0,
        },
        {
            "member": "Ü",
            "step": 50,
            "seconds": 12.5,
            "loss": 0.25,
            "validation": float("nan"),
            "lr": 1e-3,
        },
    ]
    back = serialization.unpack_history(serialization.pack_history(rows))
    assert [row["member"] for row in back] == [row["member"] for row in rows]
    assert isinstance(back[1]["step"], int)
    for name in ("step", "seconds", "loss", "validation", "lr"):
        np.testing.assert_array_equal(
            [row[name] for row in back], [row[name] for row in rows]
        )
    assert serialization.unpack_history(serialization.pack_history([])) == []


def test_json_keeps_floats_and_text_and_refuses_nan() -> None:
    data = {"x": [0.1 + 0.2, 1e-300, -0.0], "name": "Zürich", "none": None}
    assert serialization.unpack_json(serialization.pack_json(data)) == data
    with pytest.raises(ValueError, match="JSON compliant"):
        serialization.pack_json({"x": float("nan")})


def test_a_panel_comes_back_the_same() -> None:
    rng = np.random.default_rng(0)
    y = wavy(rng, 30)
    y[4] = np.nan
    panel = panel_of(
        [y, wavy(rng, 12)], past="x", static="size", x=rng.normal(size=42), size=2.0
    )
    back = serialization.unpack_panel(*serialization.pack_panel(panel))
    assert back.fingerprint() == panel.fingerprint()
    assert back.keys == panel.keys
    assert back.notes == panel.notes


def test_a_flipped_byte_in_the_context_is_noticed() -> None:
    data, facts = serialization.pack_panel(
        panel_of([wavy(np.random.default_rng(0), 400)])
    )
    broken = bytearray(data)
    broken[len(data) // 3] ^= 0xFF
    with (
        pytest.raises(RunError, match="does not hold what it should") as caught,
        serialization.as_run_errors(Path("runs/x")),
    ):
        serialization.unpack_panel(bytes(broken), facts)
    assert "runs/x" in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize(
    "damage",
    [
        lambda data, shapes: serialization.unpack_networks(data[:-9], shapes),
        lambda _data, shapes: serialization.unpack_networks(b"nonsense", shapes),
        lambda data, shapes: serialization.unpack_networks(data, [*shapes, shapes[0]]),
        lambda data, shapes: serialization.unpack_networks(
            data, [{**shapes[0], "hidden": 5}, *shapes[1:]]
        ),
        lambda data, _shapes: serialization.unpack_networks(data, [{"nonsense": 1}]),
        lambda _data, _shapes: serialization.unpack_json(b"{"),
        lambda _data, _shapes: serialization.unpack_json(b'{"a": 1}')["b"],
        lambda _data, _shapes: serialization.unpack_json(b"\xff\xfe"),
        lambda _data, _shapes: serialization.unpack_history(b"step,lr,member\nx,1,m\n"),
        lambda _data, _shapes: serialization.unpack_panel(b"PAR1", {}),
    ],
    ids=[
        "short",
        "no tensors",
        "one too few",
        "other shape",
        "no shape",
        "json",
        "key",
        "bytes",
        "csv",
        "parquet",
    ],
)
def test_contents_that_do_not_fit_are_a_run_error(damage: object) -> None:
    before = networks()
    data, shapes = (
        serialization.pack_networks(before),
        [n.shape._asdict() for n in before],
    )
    with (
        pytest.raises(RunError, match="does not hold what it should"),
        serialization.as_run_errors(Path("x")),
    ):
        damage(data, shapes)  # type: ignore[operator]


def test_nothing_but_tensors_is_in_the_weights() -> None:
    tensors = load(serialization.pack_networks(networks()[:1]))
    assert set(tensors) == {f"0.{name}" for name in networks()[0].weights}


def test_a_table_that_takes_too_much_memory_is_refused_before_it_is_unpacked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data, facts = serialization.pack_panel(panel_of([np.arange(30.0)]))
    assert len(serialization.unpack_panel(data, facts)) == 1
    monkeypatch.setattr(serialization, "free_memory", lambda: 900)
    monkeypatch.setattr(
        serialization.pq.ParquetFile, "read", lambda _: pytest.fail("it was unpacked")
    )
    with pytest.raises(ValueError, match="takes 480 bytes of memory"):
        serialization.unpack_panel(data, facts)


@pytest.mark.parametrize(
    "column", [np.full(30, 7), np.full(30, -1), np.array(["x"] * 30)]
)
def test_rows_without_a_series_and_columns_that_are_not_numbers_are_refused(
    column: np.ndarray,
) -> None:
    _, facts = serialization.pack_panel(panel_of([np.arange(30.0)]))
    out = io.BytesIO()
    pq.write_table(pa.table({"series": column, "value": np.arange(30.0)}), out)
    with pytest.raises(ValueError, match="belong to no series|does not hold numbers"):
        serialization.unpack_panel(out.getvalue(), facts)


def test_weights_that_are_whole_numbers_and_values_that_are_infinite_are_refused() -> (
    None
):
    before = networks()[:1]
    shapes = [network.shape._asdict() for network in before]
    arrays = safetensors.numpy.load(serialization.pack_networks(before))
    whole = {name: array.astype(np.int32) for name, array in arrays.items()}
    with pytest.raises(ValueError, match="int32, not numbers with a fraction"):
        serialization.unpack_networks(safetensors.numpy.save(whole), shapes)
    y = wavy(np.random.default_rng(0), 30)
    data, facts = serialization.pack_panel(panel_of([y]))
    table = pq.read_table(io.BytesIO(data))
    place = table.column_names.index("value")
    forged = table.set_column(place, "value", pa.array(np.append(y[:-1], np.inf)))
    sink = io.BytesIO()
    pq.write_table(forged, sink, write_page_checksum=True)
    with pytest.raises(ValueError, match="'value' holds infinite values"):
        serialization.unpack_panel(sink.getvalue(), facts)
