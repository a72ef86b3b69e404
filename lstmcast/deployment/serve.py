"""Forecasts of one run over HTTP: `application` makes the FastAPI app, `serve` runs it until a signal ends it.

The run is loaded once and never changed, so that any number of requests can be answered at a time.
Knows not how a table is written: whoever makes the app says that, so that a client gets what the
command line prints.
"""

import json
import signal
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from importlib.metadata import version
from types import FrameType
from typing import TYPE_CHECKING, Any

from threadpoolctl import threadpool_limits

from lstmcast.config import (
    DEFAULT_QUANTILE_LEVELS,
    MAX_REQUEST_BYTES,
    parse_quantile_levels,
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

MAX_REQUEST_HORIZON = 10_000
"""Steps of a horizon that a request may ask for."""
MAX_CONCURRENT_FORECASTS = 4
"""Forecasts that are made at a time; further requests wait."""
MAX_CONNECTIONS = 256
"""Connections at a time; further ones are refused."""
LOOPBACK_HOSTS = ("127.0.0.1", "::1", "localhost")
SHUTDOWN_GRACE_SECONDS = 3
"""Seconds in which requests at work may end after a signal."""
_CSV_MEDIA_TYPE = "text/csv; charset=utf-8"
_ROWS_SCHEMA = {
    "type": "array",
    "items": {"type": "object"},
    "description": "rows of the table, columns by name",
}
_BODY_SCHEMA = {
    "description": "What came since: a table like the one that the run was trained on. Without it the forecast goes on"
    " from the end of the training. Rows without a target hold what is known ahead.",
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
"""What a client can be blamed for, by the exit code of the same error on the command line."""


@dataclass(frozen=True)
class ForecastWriter:
    """How a forecast is written: its columns as rows for JSON, and as the bytes of a CSV."""

    rows: Callable[[dict[str, Any]], list[dict[str, Any]]]
    csv: Callable[[dict[str, Any]], bytes]


@dataclass(frozen=True)
class ForecastRequest:
    """A forecast that a request asks for; without a table it goes on from the end of the training."""

    horizon: int | None = None
    quantiles: tuple[float, ...] = DEFAULT_QUANTILE_LEVELS
    table: Any = None


def require_serving_packages() -> None:
    """Raise UsageError where the packages that serving needs are not installed."""
    require_extra("serving needs", "serve", "fastapi", "uvicorn", "prometheus_client")


def open_listening_socket(host: str, port: int) -> socket.socket:
    """A socket that listens at a place; port 0 takes a free one. Raises ResourceError where the place is taken."""
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        )[0]
        made = socket.socket(family, kind, protocol)
        try:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind(address)
            made.listen(MAX_CONNECTIONS)
        except OSError:
            made.close()
            raise
    except (OSError, OverflowError) as error:
        said = getattr(error, "strerror", None) or error
        raise ResourceError(
            f"cannot listen at {place}: {said}",
            "take another --port; 0 finds a free one",
        ) from None
    return made


def run_server(app: "FastAPI", place: socket.socket) -> None:
    """Answer requests at a listening socket until SIGINT or SIGTERM, which ends as it would elsewhere."""
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
    # It would send itself the signal again, which the program takes for a second one, and ends at
    # once.
    server.capture_signals = nullcontext  # type: ignore[method-assign, assignment]
    # One thread a product, from first to last: forecasts that end would give others their threads
    # back.
    with threadpool_limits(1, "blas"), _graceful_shutdown(server):
        server.run(sockets=[place])


@contextmanager
def _graceful_shutdown(server: "uvicorn.Server") -> Iterator[None]:
    """Let a signal end the server first, and take its usual course after that."""
    came: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        came.append(number)
        server.should_exit = True

    usual = {
        number: signal.getsignal(number)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    heeded = {number: handler for number, handler in usual.items() if callable(handler)}
    for number in heeded:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in heeded.items():
            signal.signal(number, handler)
    if came:
        heeded[signal.Signals(came[0])](came[0], None)


def create_app(
    predictor: Predictor,
    writer: ForecastWriter,
    *,
    name: str,
    limit: int = MAX_REQUEST_BYTES,
    hosts: tuple[str, ...] = ("*",),
) -> "FastAPI":
    """The app of one run, whose answers call it `name`.

    limit: most bytes of a request, packed or unpacked. hosts: names that a request may call this
    machine by.
    """
    from fastapi import FastAPI, Request, Response
    from fastapi.exceptions import RequestValidationError
    from fastapi.responses import JSONResponse
    from prometheus_client import (
        CONTENT_TYPE_LATEST,
        CollectorRegistry,
        generate_latest,
    )
    from starlette.exceptions import HTTPException
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    registry = CollectorRegistry()
    service = _Service(predictor, writer, name, limit, registry)
    about = f"Forecasts of the run {name!r}: its {' and '.join(predictor.panel.columns.target)}."
    # Pages that explain an API fetch their scripts from elsewhere: the description alone is served.
    app = FastAPI(
        title="lstmcast",
        version=version("lstmcast"),
        description=about,
        docs_url=None,
        redoc_url=None,
    )

    @app.middleware("http")
    async def measure(
        request: Request, answer: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        return await service.measured(request, answer)

    app.add_middleware(
        TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False
    )

    @app.exception_handler(LstmcastError)
    async def refuse(_: Request, error: LstmcastError) -> Response:
        status = _HTTP_STATUS.get(error.exit_code, 500)
        kind = error.exit_code.name.lower()
        said = {
            "code": int(error.exit_code),
            "kind": kind,
            "message": error.message,
            "hint": error.hint,
        }
        return JSONResponse(said, status)

    @app.exception_handler(RequestValidationError)
    async def explain(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        what = f"{first['loc'][-1]}: {first['msg'][0].lower()}{first['msg'][1:]}"
        return await refuse(request, UsageError(what, "see /openapi.json"))

    @app.exception_handler(HTTPException)
    async def miss(request: Request, error: HTTPException) -> Response:
        said = f"{request.method} {request.url.path}: {str(error.detail).lower()}"
        content = {
            "code": int(ExitCode.USAGE),
            "kind": "usage",
            "message": said,
            "hint": "see /openapi.json",
        }
        return JSONResponse(content, error.status_code, error.headers)

    @app.get("/health", summary="Whether it answers, and for what")
    async def health() -> dict[str, Any]:
        return service.facts

    @app.get(
        "/metrics",
        summary="Requests, seconds and rows, as Prometheus reads them",
        response_class=Response,
    )
    async def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    responses: dict[int | str, dict[str, Any]] = {
        200: {
            "content": {"application/json": {}, "text/csv": {}},
            "description": "the forecast table",
        },
        **{
            status: {
                "description": "code, kind, message and hint, as the command line has them"
            }
            for status in (400, 413, 422)
        },
    }

    @app.get(
        "/forecast",
        summary="The forecast from the end of the training",
        responses=responses,
    )
    @app.post(
        "/forecast",
        summary="The forecast from the rows sent",
        responses=responses,
        openapi_extra={"requestBody": _BODY_SCHEMA},
    )
    async def forecast(
        request: Request, horizon: int | None = None, quantiles: str | None = None
    ) -> Response:
        return await service.forecast(request, horizon, quantiles)

    return app


class _Service:
    """What the app does, apart from its routes."""

    def __init__(
        self,
        predictor: Predictor,
        writer: ForecastWriter,
        name: str,
        limit: int,
        registry: Any,
    ) -> None:
        from anyio import CapacityLimiter
        from prometheus_client import Counter, Histogram

        self.predictor, self.writer, self.name, self.limit = (
            predictor,
            writer,
            name,
            limit,
        )
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
            "lstmcast_forecast_rows", "Rows of forecasts given", registry=registry
        )
        axis = predictor.axis
        self.facts = {
            "status": "ok",
            "run": name,
            "version": version("lstmcast"),
            "series": len(predictor.panel),
            "freq": axis.freq,
            "horizon": predictor.horizon,
            "trained_until": axis.texts(predictor.cutoff.max(keepdims=True))[0],
        }

    async def measured(
        self, request: "Request", answer: Callable[["Request"], Awaitable["Response"]]
    ) -> "Response":
        """Answer, and count that."""
        begun = time.perf_counter()
        status = 500
        try:
            response = await answer(request)
            status = response.status_code
        finally:
            route = request.scope.get("route")
            path = route.path if route else "other"
            self.requests.labels(path, str(status)).inc()
            self.seconds.labels(path).observe(time.perf_counter() - begun)
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
            asked = self._parse_request(body, kind, horizon, quantiles)
            columns, notes = self._forecast_columns(asked)
            if as_csv:
                return self.writer.csv(columns)
            answer = {
                "schema_version": 1,
                "run": self.name,
                "notes": notes,
                "forecast": self.writer.rows(columns),
            }
            return json.dumps(answer, ensure_ascii=False, allow_nan=False).encode(
                "utf-8", "surrogateescape"
            )

        content = await to_thread.run_sync(work, limiter=self.limiter)
        return Response(
            content, media_type=_CSV_MEDIA_TYPE if as_csv else "application/json"
        )

    async def _read_body(self, request: "Request") -> bytes:
        """The bytes of a request, no more of them than allowed."""
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
            "send the newest rows only, or serve with --max-request",
        )

    def _parse_request(
        self, body: bytes, kind: str, horizon: int | None, quantiles: str | None
    ) -> ForecastRequest:
        """What a request asks for: in its address, or in an object."""
        asked = ForecastRequest()
        start = body.lstrip()[:1]
        if start in (b"{", b"[") or "json" in kind and start:
            asked = _request_from_object(_parse_json(body))
        elif start:
            from lstmcast.tables.read import read_bytes

            config = replace(self.predictor.config.data, max_bytes=self.limit)
            asked = ForecastRequest(table=read_bytes(body, "request", config))
        if horizon is not None:
            asked = replace(asked, horizon=_parse_horizon(horizon))
        return (
            asked
            if quantiles is None
            else replace(asked, quantiles=parse_quantile_levels(quantiles))
        )

    def _forecast_columns(
        self, asked: ForecastRequest
    ) -> tuple[dict[str, Any], list[str]]:
        """The columns of a forecast, and what is worth saying of the rows that were sent."""
        predictor, panel = self.predictor, None
        if predictor.probability and asked.quantiles != DEFAULT_QUANTILE_LEVELS:
            raise UsageError("quantiles: a probability has none", "leave it out")
        if asked.table is not None:
            known, config = predictor.panel, predictor.config.data
            panel = Panel.from_table(asked.table, known.columns, config, like=known)
            panel = with_training_history(panel, known, predictor.context)
        columns = predictor.columns(
            panel, horizon=asked.horizon, quantiles=asked.quantiles
        )
        self.rows.inc(len(next(iter(columns.values()))))
        return columns, list(panel.notes) if panel else []


def _parse_json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"request: no JSON: {error}",
            'send {"rows": [{"date": "2024-01-31", ...}, ...]}, or CSV',
        ) from None


def _request_from_object(content: Any) -> ForecastRequest:
    """What an object asks for; a list alone is its rows."""
    if isinstance(content, list):
        content = {"rows": content}
    known = {"rows", "horizon", "quantiles"}
    if not isinstance(content, dict) or not set(content) <= known:
        raise UsageError(
            "the object has keys other than rows, horizon and quantiles",
            "see /openapi.json",
        )
    levels = content.get("quantiles")
    if levels is not None and not (
        isinstance(levels, list) and all(isinstance(one, int | float) for one in levels)
    ):
        raise UsageError(
            "quantiles is no list of numbers",
            "give levels between 0 and 1, such as [0.1, 0.5, 0.9]",
        )
    return ForecastRequest(
        None if content.get("horizon") is None else _parse_horizon(content["horizon"]),
        DEFAULT_QUANTILE_LEVELS
        if levels is None
        else parse_quantile_levels(",".join(map(str, levels))),
        None if content.get("rows") is None else _table_from_rows(content["rows"]),
    )


def _parse_horizon(horizon: Any) -> int:
    if (
        not isinstance(horizon, int)
        or isinstance(horizon, bool)
        or not 1 <= horizon <= MAX_REQUEST_HORIZON
    ):
        raise UsageError(
            f"horizon {horizon!r} is out of range",
            f"give a whole number from 1 to {MAX_REQUEST_HORIZON:,}",
        )
    return horizon


def _table_from_rows(rows: Any) -> Any:
    """Rows of an object as a table."""
    import pandas as pd

    from lstmcast.tables.table import Table

    plain = (
        isinstance(rows, list) and rows and all(isinstance(row, dict) for row in rows)
    )
    if not plain or any(
        isinstance(cell, dict | list) for row in rows for cell in row.values()
    ):
        raise DataError(
            "request: rows is no list of objects with a plain value a column",
            "see /openapi.json",
        )
    return Table(pd.DataFrame(rows), "request")
