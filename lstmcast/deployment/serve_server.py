"""The server under an app: where it listens, and how a signal ends it."""

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import FrameType
from typing import TYPE_CHECKING

from threadpoolctl import threadpool_limits

from lstmcast.compute.system import ENDING_SIGNALS
from lstmcast.errors import ResourceError
from lstmcast.extras import require_extra

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI

MAX_CONNECTIONS = 256
"""Connections at a time; further ones are refused."""
LOOPBACK_HOSTS = ("127.0.0.1", "::1", "localhost")
"""Names under which only this machine reaches the server."""
SHUTDOWN_GRACE_SECONDS = 3
"""Seconds in which requests that are being answered may end after a signal."""


def require_serving_packages() -> None:
    """Raise UsageError where a package that serving needs is not installed."""
    require_extra("serving needs", "serve", "fastapi", "uvicorn", "prometheus_client")


def open_listening_socket(host: str, port: int) -> socket.socket:
    """Open a socket that listens at a host and port; port 0 takes a free one.

    Raises ResourceError where the host is unknown or the port is taken.
    """
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = addresses[0]
        listener = socket.socket(family, kind, protocol)
        try:
            # A port that the last server left a moment ago can be taken at once.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(MAX_CONNECTIONS)
        except OSError:
            listener.close()
            raise
    except (OSError, OverflowError) as error:
        place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        reason = getattr(error, "strerror", None) or error
        raise ResourceError(
            f"cannot listen at {place}: {reason}",
            "take another --port; 0 finds a free one",
        ) from None
    return listener


def run_server(app: "FastAPI", listener: socket.socket) -> None:
    """Answer requests at a listening socket until SIGINT or SIGTERM.

    The signal then goes on to the handler that was there before.
    """
    import uvicorn

    config = uvicorn.Config(
        app,
        log_level="critical",
        lifespan="off",
        limit_concurrency=MAX_CONNECTIONS,
        timeout_graceful_shutdown=SHUTDOWN_GRACE_SECONDS,
        server_header=False,
    )
    server = uvicorn.Server(config)
    # Uvicorn would send itself the signal again, which the program takes for a second Ctrl-C, and
    # ends at once.
    server.capture_signals = nullcontext  # type: ignore[method-assign, assignment]
    # One thread a matrix product for as long as the server runs: set by each forecast, the limit
    # would be lifted by the first that ends, under the others.
    with threadpool_limits(1, "blas"), _graceful_shutdown(server):
        server.run(sockets=[listener])


@contextmanager
def _graceful_shutdown(server: "uvicorn.Server") -> Iterator[None]:
    """Let a signal end the server first, and call its usual handler after that."""
    received: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        received.append(number)
        server.should_exit = True

    usual = {number: signal.getsignal(number) for number in ENDING_SIGNALS}
    # A signal that is ignored, such as SIGHUP under nohup, stays ignored.
    handlers = {
        number: handler for number, handler in usual.items() if callable(handler)
    }
    for number in handlers:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    if received:
        handlers[signal.Signals(received[0])](received[0], None)
