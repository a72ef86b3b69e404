"""The socket of a server; how a signal ends it is in tests/cli/commands/test_serve.py."""

import sys

import pytest

from lstmcast import ResourceError, UsageError
from lstmcast.deployment import serve_server
from lstmcast.extras import install_command


def test_a_place_that_is_taken_is_a_resource_error() -> None:
    with serve_server.open_listening_socket("127.0.0.1", 0) as place:
        port = place.getsockname()[1]
        with pytest.raises(
            ResourceError,
            match=f"cannot listen at 127.0.0.1:{port}: Address already in use",
        ):
            serve_server.open_listening_socket("127.0.0.1", port)
    with pytest.raises(
        ResourceError, match=r"cannot listen at no\.such\.host\.invalid:80"
    ):
        serve_server.open_listening_socket("no.such.host.invalid", 80)


def test_the_extra_is_named_where_it_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(
        UsageError, match="serving needs uvicorn, which is not installed"
    ) as raised:
        serve_server.require_serving_packages()
    assert raised.value.hint == install_command("serve")
