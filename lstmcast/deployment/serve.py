"""Forecasts of one run over HTTP.

`create_app` makes the FastAPI app, `run_server` runs it until a signal ends it. A run that is
loaded is never changed, so that any number of requests can be answered at a time. Knows not how a
table is written: the caller passes a `ForecastWriter`, so that a client gets what the command line
prints.
"""

import json
import signal
import socket
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from importlib.metadata import version
from types import FrameType
from typing import TYPE_CHECKING, Any

from threadpoolctl import threadpool_limits

from lstmcast.compute.system import ENDING_SIGNALS
from lstmcast.config import DEFAULT_QUANTILE_LEVELS, MAX_REQUEST_BYTES
from lstmcast.deployment.serve_access import make_token_check
from lstmcast.deployment.serve_requests import (
    MAX_REQUEST_HORIZON,
    ForecastRequest,
    parse_request,
    to_request_hint,
)
from lstmcast.errors import (
    DataError,
    ExitCode,
    LstmcastError,
    ResourceError,
    UsageError,
)
from lstmcast.extras import require_extra
from lstmcast.forecasting.predictor import Predictor
from lstmcast.panel.extend import with_training_history
from lstmcast.panel.panel import Panel

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI, Request, Response

MAX_CONCURRENT_FORECASTS = 4
"""Forecasts that are computed at a time; further requests wait."""
MAX_CONNECTIONS = 256
"""Connections at a time; further ones are refused."""
LOOPBACK_HOSTS = ("127.0.0.1", "::1", "localhost")
"""Names under which only this machine reaches the server."""
SHUTDOWN_GRACE_SECONDS = 3
"""Seconds in which requests that are being answered may end after a signal."""
_CSV_MEDIA_TYPE = "text/csv; charset=utf-8"
_ROWS_SCHEMA = {
    "type": "array",
    "items": {"type": "object"},
    "description": "rows of the table, columns by name",
}
_BODY_SCHEMA = {
    "description": "Newer rows: a table like the one that the run was trained on. Without it the"
    " forecast continues from the end of the training data. Rows without a target hold"
    " covariates that are known ahead.",
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {
                    "rows": _ROWS_SCHEMA,
                    "horizon": {
                        "type": "integer",
                        "minimum": 1,
                        "maximum": MAX_REQUEST_HORIZON,
                    },
                    "quantiles": {"type": "array", "items": {"type": "number"}},
                },
                "additionalProperties": False,
            }
        },
        "text/csv": {"schema": {"type": "string"}},
    },
}
_HTTP_STATUS = {
    ExitCode.USAGE: 400,
    ExitCode.DATA: 422,
    ExitCode.RUN: 422,
    ExitCode.RESOURCE: 413,
}
"""HTTP status of a client's error, by the exit code of the same error on the command line."""


READING_ERRORS: tuple[type[Exception], ...] = (Exception,)
"""What may go wrong with a table that nobody has thought of: the client's, not the server's.

All of it: a forged file can ask for memory that is not there, or name a codec that fails.
"""


@dataclass(frozen=True)
class ForecastWriter:
    """How a forecast is written: its columns as rows for JSON, and as the bytes of a CSV."""

    rows: Callable[[dict[str, Any]], list[dict[str, Any]]]
    csv: Callable[[dict[str, Any]], bytes]


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


def create_app(
    predictor: Predictor,
    writer: ForecastWriter,
    *,
    name: str,
    limit: int = MAX_REQUEST_BYTES,
    hosts: tuple[str, ...] = ("*",),
    token: str = "",
    find_newer: Callable[[], Predictor | None] | None = None,
) -> "FastAPI":
    """Make the app of one run, whose answers call it `name`.

    limit: most bytes of a request, packed or unpacked. hosts: names that a request may call this
    machine by. token: what a request must show; empty for none. find_newer: gives the run anew
    where its folder holds another version by now, else None.
    """
    from fastapi import FastAPI, Response
    from prometheus_client import CollectorRegistry
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    targets = " and ".join(predictor.panel.columns.target)
    # FastAPI's pages that explain an API fetch their scripts from elsewhere, so that there are
    # none: only the description, /openapi.json, is served.
    app = FastAPI(
        title="lstmcast",
        version=version("lstmcast"),
        description=f"Forecasts of the run {name!r}: its {targets}.",
        docs_url=None,
        redoc_url=None,
    )
    registry = CollectorRegistry()
    service = _Service(predictor, writer, name, limit, registry, find_newer)
    app.middleware("http")(service.measure)
    if token:
        app.middleware("http")(make_token_check(token, Response))
    app.add_middleware(
        TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False
    )
    _add_error_handlers(app)
    _add_status_routes(app, service, registry)
    _add_forecast_routes(app, service)
    return app


@contextmanager
def _as_data_errors() -> Iterator[None]:
    """Raise DataError for whatever else reading a client's table raises."""
    try:
        yield
    except LstmcastError:
        raise
    except READING_ERRORS as error:
        raise DataError(
            "request: its table cannot be understood",
            "send it as CSV, or as JSON with the values written as in the training data",
        ) from error


def _add_error_handlers(app: "FastAPI") -> None:
    """Answer every error with code, kind, message and hint, as the command line has them."""
    from fastapi import Request, Response
    from fastapi.exceptions import RequestValidationError
    from starlette.exceptions import HTTPException

    def answer_json(
        content: dict[str, Any],
        status: int,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        # In ASCII: a message may quote what cannot be written in UTF-8.
        return Response(
            json.dumps(content), status, headers, media_type="application/json"
        )

    @app.exception_handler(LstmcastError)
    async def answer_error(_: Request, error: LstmcastError) -> Response:
        status = _HTTP_STATUS.get(error.exit_code, 500)
        return answer_json(_describe_error(error), status)

    @app.exception_handler(RequestValidationError)
    async def answer_invalid_option(
        request: Request, error: RequestValidationError
    ) -> Response:
        first = error.errors()[0]
        name, reason = first["loc"][-1], first["msg"]
        message = f"{name}: {reason[0].lower()}{reason[1:]}"
        return await answer_error(request, UsageError(message, "see /openapi.json"))

    @app.exception_handler(HTTPException)
    async def answer_unknown_path(request: Request, error: HTTPException) -> Response:
        message = f"{request.method} {request.url.path}: {str(error.detail).lower()}"
        content = _describe_error(UsageError(message, "see /openapi.json"))
        return answer_json(content, error.status_code, error.headers)


def _describe_error(error: LstmcastError) -> dict[str, Any]:
    return {
        "code": int(error.exit_code),
        "kind": error.exit_code.name.lower(),
        "message": error.message,
        "hint": to_request_hint(error.hint),
    }


def _add_status_routes(app: "FastAPI", service: "_Service", registry: Any) -> None:
    from anyio import to_thread
    from fastapi import Response
    from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

    @app.get("/health", summary="Whether the server answers, and for which run")
    async def health() -> dict[str, Any]:
        return await to_thread.run_sync(service.describe)

    @app.get(
        "/metrics",
        summary="Requests, seconds and rows, in Prometheus' format",
        response_class=Response,
    )
    async def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def _add_forecast_routes(app: "FastAPI", service: "_Service") -> None:
    from fastapi import Request, Response

    error = {"description": "code, kind, message, hint, as the command line has them"}
    responses: dict[int | str, dict[str, Any]] = {
        200: {
            "content": {"application/json": {}, "text/csv": {}},
            "description": "the forecast table",
        },
        400: error,
        413: error,
        422: error,
    }

    @app.get(
        "/forecast",
        summary="The forecast from the end of the training data",
        responses=responses,
    )
    @app.post(
        "/forecast",
        summary="The forecast from the last of the rows sent",
        responses=responses,
        openapi_extra={"requestBody": _BODY_SCHEMA},
    )
    async def forecast(
        request: Request, horizon: int | None = None, quantiles: str | None = None
    ) -> Response:
        return await service.forecast(request, horizon, quantiles)


class _Service:
    """What the app does, apart from its routes."""

    def __init__(
        self,
        predictor: Predictor,
        writer: ForecastWriter,
        name: str,
        limit: int,
        registry: Any,
        find_newer: Callable[[], Predictor | None] | None = None,
    ) -> None:
        from anyio import CapacityLimiter
        from prometheus_client import Counter, Histogram

        self.predictor = predictor
        self.find_newer = find_newer
        self.writer = writer
        self.name = name
        self.limit = limit
        self.limiter = CapacityLimiter(MAX_CONCURRENT_FORECASTS)
        self.requests = Counter(
            "lstmcast_requests",
            "Requests answered",
            ["path", "status"],
            registry=registry,
        )
        self.seconds = Histogram(
            "lstmcast_request_seconds", "Time to an answer", ["path"], registry=registry
        )
        self.rows = Counter(
            "lstmcast_forecast_rows", "Rows of forecasts returned", registry=registry
        )

    def describe(self) -> dict[str, Any]:
        """Return what /health answers."""
        predictor = self.take_newest()
        axis = predictor.axis
        return {
            "status": "ok",
            "run": self.name,
            "version": version("lstmcast"),
            "series": len(predictor.panel),
            "freq": axis.freq,
            "horizon": predictor.horizon,
            "trained_until": axis.texts(predictor.cutoff.max(keepdims=True))[0],
        }

    def take_newest(self) -> Predictor:
        """Return the run as its folder holds it now; a request keeps the one that it began with."""
        newer = self.find_newer() if self.find_newer else None
        if newer is not None:
            self.predictor = newer
        return self.predictor

    async def measure(
        self, request: "Request", answer: Callable[["Request"], Awaitable["Response"]]
    ) -> "Response":
        """Answer a request, and count it and its seconds."""
        start = time.perf_counter()
        status = 500
        try:
            response = await answer(request)
            status = response.status_code
        finally:
            # Unknown paths are counted as one: clients must not invent names of metrics.
            route = request.scope.get("route")
            path = route.path if route else "other"
            self.requests.labels(path, str(status)).inc()
            self.seconds.labels(path).observe(time.perf_counter() - start)
        return response

    async def forecast(
        self, request: "Request", horizon: int | None, quantiles: str | None
    ) -> "Response":
        """Read a request, forecast, and write the answer in the form that it accepts."""
        from anyio import to_thread
        from fastapi import Response

        body = await self._read_body(request)
        kind = request.headers.get("content-type", "")
        as_csv = "text/csv" in request.headers.get("accept", "")

        def work() -> bytes:
            predictor = self.take_newest()
            config = predictor.config.data
            with _as_data_errors():
                wanted = parse_request(
                    body, kind, horizon, quantiles, config, self.limit
                )
            columns, notes = self._forecast_columns(predictor, wanted)
            if as_csv:
                return self.writer.csv(columns)
            return self._encode_json(columns, notes)

        # In a thread, so that /health and /metrics answer while a forecast is computed.
        content = await to_thread.run_sync(work, limiter=self.limiter)
        media_type = _CSV_MEDIA_TYPE if as_csv else "application/json"
        return Response(content, media_type=media_type)

    def _encode_json(self, columns: dict[str, Any], notes: list[str]) -> bytes:
        answer = {
            "schema_version": 1,
            "run": self.name,
            "notes": notes,
            "forecast": self.writer.rows(columns),
        }
        text = json.dumps(answer, ensure_ascii=False, allow_nan=False)
        return text.encode("utf-8", "surrogateescape")

    async def _read_body(self, request: "Request") -> bytes:
        """Return the bytes of a request; raises ResourceError at the first beyond the limit."""
        length = request.headers.get("content-length", "")
        if length.isdigit() and int(length) > self.limit:
            raise self._too_large_error()
        parts, count = [], 0
        async for part in request.stream():
            count += len(part)
            if count > self.limit:
                raise self._too_large_error()
            parts.append(part)
        return b"".join(parts)

    def _too_large_error(self) -> ResourceError:
        return ResourceError(
            f"the request holds more than {self.limit:,} bytes",
            "send the newest rows only",
        )

    def _forecast_columns(
        self, predictor: Predictor, wanted: ForecastRequest
    ) -> tuple[dict[str, Any], list[str]]:
        """Return the columns of a forecast, and notes on the rows that were sent."""
        panel = None
        if predictor.probability and wanted.quantiles != DEFAULT_QUANTILE_LEVELS:
            raise UsageError("quantiles: a probability has none", "leave it out")
        if wanted.table is not None:
            known, config = predictor.panel, predictor.config.data
            with _as_data_errors():
                panel = Panel.from_table(
                    wanted.table, known.columns, config, like=known
                )
            panel = with_training_history(panel, known, predictor.context)
        columns = predictor.columns(
            panel, horizon=wanted.horizon, quantiles=wanted.quantiles
        )
        self.rows.inc(len(next(iter(columns.values()))))
        notes = list(panel.notes) if panel else []
        return columns, notes + predictor.describe_recent(panel or predictor.panel)
