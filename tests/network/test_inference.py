"""Numpy forecasts what torch would, for every network it can run, in the user's units."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from lstmcast.config import NETWORK_QUANTILES, QUANTILE_SOURCES
from lstmcast.features import candidates, scaler
from lstmcast.network import inference
from lstmcast.network.losses import LOSSES, LossTargets
from lstmcast.network.torch_network import to_tensors, to_trained_network
from lstmcast.ragged import Floats
from lstmcast.training import members
from lstmcast.training.recipes import Recipe
from tests.network.make import SHAPE, make_network, make_windows
from tests.training.test_members import QUICK, recipes, task


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("layers", [1, 2, 3, 4])
@pytest.mark.parametrize("layer_norm", [False, True])
@pytest.mark.parametrize("covariates", [False, True])
def test_numpy_puts_out_what_torch_does(
    cell: str, layers: int, layer_norm: bool, covariates: bool
) -> None:
    more = {"covariates": 3, "ahead": 2} if covariates else {}
    network = make_network(
        SHAPE._replace(cell=cell, layers=layers, layer_norm=layer_norm, **more)
    )
    assert inference.can_run_in_numpy(to_trained_network(network))
    batch = make_windows(covariates).batch(
        np.array([0, 1, 0]), np.array([[40, 38], [3, 1], [59, 50]]), 20
    )
    expected = network(*to_tensors(batch)).detach().numpy()
    np.testing.assert_allclose(
        inference.compute_outputs(to_trained_network(network), batch),
        expected,
        rtol=1e-5,
        atol=1e-5,
    )


@pytest.mark.parametrize(
    "loss", [name for name in LOSSES if QUANTILE_SOURCES[name] in ("own", "residuals")]
)  # type: ignore[index]
def test_numpy_makes_the_quantiles_that_the_loss_means(loss: str) -> None:
    network = make_network(SHAPE._replace(loss=loss))
    batch = make_windows().batch(np.array([0, 1]), np.array([[40, 38], [30, 25]]), 20)
    expected = network.loss.quantiles(
        network(*to_tensors(batch)).detach(), LossTargets.of(batch), NETWORK_QUANTILES
    ).numpy()
    assert inference.can_run_in_numpy(to_trained_network(network))
    quantiles = inference.predict_batch_quantiles(
        to_trained_network(network), batch, batch.base, NETWORK_QUANTILES
    )
    np.testing.assert_allclose(quantiles, expected, rtol=1e-5, atol=1e-5)


OTHERS = [{"bidirectional": True}, {"attention": True}]
OTHERS += [
    {"loss": name}
    for name, kind in QUANTILE_SOURCES.items()
    if kind in ("likelihood", "none")
]


@pytest.mark.parametrize("other", OTHERS, ids=str)
def test_networks_that_numpy_cannot_run_are_left_to_torch(
    other: dict[str, bool | str],
) -> None:
    network = make_network(SHAPE._replace(context=10, **other))  # type: ignore[arg-type]
    assert not inference.can_run_in_numpy(to_trained_network(network))
    batch = make_windows().batch(np.array([0, 1]), np.array([[40], [30]]), 20)
    base = batch.base + 1.5
    targets = LossTargets.of(batch)._replace(base=torch.from_numpy(base))
    expected = network.loss.quantiles(
        network(*to_tensors(batch)).detach(), targets, NETWORK_QUANTILES
    ).numpy()
    np.testing.assert_allclose(
        inference.predict_batch_quantiles(
            to_trained_network(network), batch, base, NETWORK_QUANTILES
        ),
        expected,
        rtol=1e-5,
        atol=1e-5,
    )


@pytest.mark.parametrize(
    "module",
    [
        "forecasting.predictor",
        "network.inference",
        "runs.serialization",
        "features.windows",
    ],
)
def test_a_forecast_from_a_run_needs_neither_torch_nor_pandas(module: str) -> None:
    heavy = "{'torch', 'pandas', 'scipy'}"
    code = f"import sys, lstmcast.{module}; print({heavy} & set(sys.modules))"
    finished = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert finished.stdout == "set()\n"


def test_forecasts_are_sorted_quantiles_around_candidates_in_the_users_units() -> None:
    whole = make_windows()
    series, origins = np.array([0, 1, 0]), np.array([40, 30, 59])
    network = to_trained_network(
        members.build_network(Recipe("x", None, QUICK, hidden=8), whole)
    )
    quantiles, classical = inference.forecast_windows([network], whole, series, origins)
    assert quantiles.shape == (1, 3, 5, len(NETWORK_QUANTILES))
    assert (np.diff(quantiles, axis=-1) >= 0).all()
    state = whole.steps.state
    for k in range(3):
        z = candidates.forecast_candidates(whole.steps, series[[k]], origins[[k]], 5)[0]
        expected = scaler.inverse_transform(z, np.full((1, 1), series[k]), state)
        np.testing.assert_allclose(classical[k], expected, rtol=1e-4)
        # An untrained network forecasts the mean of the candidates.
        middle = scaler.inverse_transform(z.mean(-1), series[[k]], state)
        np.testing.assert_allclose(quantiles[0, k, :, 4], middle, rtol=1e-3)


def test_quantiles_that_the_network_crosses_are_put_in_order() -> None:
    whole = make_windows()
    network = members.build_network(Recipe("x", None, QUICK, hidden=8), whole).eval()
    with torch.no_grad():
        network.head.get_parameter(f"{len(network.head) - 1}.bias")[
            : len(NETWORK_QUANTILES)
        ] = torch.linspace(1, -1, len(NETWORK_QUANTILES))
    quantiles, _ = inference.forecast_windows(
        [to_trained_network(network)], whole, np.array([0, 1]), np.array([40, 30])
    )
    assert (np.diff(quantiles, axis=-1) > 0).all()


def test_a_window_is_forecast_alike_by_itself_and_among_many() -> None:
    whole = make_windows()
    networks = [
        to_trained_network(member.network)
        for member in members.train_members(recipes()[1:], task(), 1, None)
    ]
    origins = np.tile(np.arange(10, 50), 30)
    series = np.repeat([0, 1], 600)
    quantiles, classical = inference.forecast_windows(networks, whole, series, origins)
    for k in (0, 511, 512, 1199):
        single, single_classical = inference.forecast_windows(
            networks, whole, series[[k]], origins[[k]]
        )
        np.testing.assert_allclose(quantiles[:, k], single[:, 0], rtol=1e-5, atol=1e-5)
        np.testing.assert_array_equal(classical[k], single_classical[0])


def test_windows_that_follow_each_other_are_read_as_one_on_request() -> None:
    whole, networks = make_windows(), [to_trained_network(make_network(SHAPE))]
    series, origins = (
        np.repeat([0, 1], [7, 3]),
        np.array([30, 31, 32, 33, 40, 41, 42, 20, 21, 22]),
    )
    found = [
        strip
        for places, _ in inference.iter_strips(whole, series, origins, 3)
        for strip in places.tolist()
    ]
    # They begin at the multiples of 3 among the origins.
    assert sorted(found) == [
        [0, 1, 2],
        [3, 3, 3],
        [4, 5, 5],
        [6, 6, 6],
        [7, 7, 7],
        [8, 9, 9],
    ]
    separate = [
        inference.forecast_windows(networks, whole, series[[k]], origins[[k]])[0][:, 0]
        for k in range(10)
    ]
    quantiles, classical = inference.forecast_windows(
        networks, whole, series, origins, strip=3
    )
    np.testing.assert_allclose(quantiles, np.stack(separate, 1), rtol=0.01, atol=0.01)
    np.testing.assert_array_equal(
        classical, inference.forecast_windows(networks, whole, series, origins)[1]
    )


def test_a_window_of_a_strip_is_the_same_whatever_is_asked_for_beside_it() -> None:
    whole, networks = make_windows(), [to_trained_network(make_network(SHAPE))]
    origins = np.arange(20, 50)
    series = np.zeros_like(origins)

    def forecast(part: slice, shift: int = 0) -> Floats:
        quantiles, _ = inference.forecast_windows(
            networks,
            whole,
            series[part],
            origins[part],
            strip=8,
            phases=origins[part] + shift,
        )
        return quantiles

    everything = forecast(slice(None))
    for part in (slice(0, 11), slice(5, 30), slice(13, 14), slice(3, 29)):
        np.testing.assert_allclose(
            forecast(part), everything[:, part], rtol=1e-5, atol=1e-6
        )
    # Strips that begin elsewhere look back otherwise.
    assert np.abs(forecast(slice(None), 3) - everything).max() > 1e-4


def test_any_number_of_cores_makes_the_same_forecasts_to_the_bit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = make_windows()
    network = to_trained_network(
        members.build_network(Recipe("x", None, QUICK, hidden=8), whole)
    )
    series, origins = np.repeat([0, 1], 600), np.tile(np.arange(10, 50), 30)
    quantiles = []
    for cores in ("1", "3"):
        monkeypatch.setenv("OMP_NUM_THREADS", cores)
        quantiles.append(
            b"".join(
                part.tobytes()
                for part in inference.forecast_windows(
                    [network], whole, series, origins
                )
            )
        )
    assert quantiles[0] == quantiles[1]
