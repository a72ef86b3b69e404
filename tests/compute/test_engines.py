"""An engine is refused, before any job, where its address or its library cannot be used."""

import sys

import pytest

from lstmcast.compute.jobs import use_engine
from lstmcast.config import Backend
from lstmcast.errors import UsageError
from lstmcast.extras import install_command


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.7:8786",
        "tcp://cluster.example:8786",
        "ray://[2001:db8::1]:10001",
        "cluster.example",
        "tcp://0.0.0.0:1",
    ],
)
@pytest.mark.parametrize("backend", ["dask", "ray"])
def test_another_machine_is_used_unencrypted_only_with_insecure(
    backend: Backend, address: str
) -> None:
    with (
        pytest.raises(UsageError, match="not encrypted") as caught,
        use_engine(backend, address),
    ):
        pass
    assert "--insecure" in caught.value.hint
    with use_engine(backend, address, insecure=True):
        pass


@pytest.mark.parametrize(
    ("backend", "address"),
    [
        *[
            ("dask", f"{host}:8786")
            for host in ("localhost", "127.0.0.1", "tcp://127.0.0.1", "tcp://[::1]")
        ],
        *[
            ("dask", "tls://10.0.0.7:8786"),
            ("ray", "auto"),
            ("ray", "ray://localhost:10001"),
        ],
    ],
)
def test_this_machine_and_encrypted_ones_need_no_insecure(
    backend: Backend, address: str
) -> None:
    with use_engine(backend, address):
        pass


def test_ray_is_encrypted_where_its_environment_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RAY_USE_TLS", "1")
    with use_engine("ray", "10.0.0.7:6379"):
        pass


def test_a_local_engine_takes_no_address() -> None:
    with (
        pytest.raises(UsageError, match="does not go with backend='loky'"),
        use_engine("loky", "127.0.0.1:1"),
    ):
        pass


def test_a_missing_library_is_named_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match="not installed") as caught, use_engine("ray"):
        pass
    assert caught.value.hint == install_command("ray")
