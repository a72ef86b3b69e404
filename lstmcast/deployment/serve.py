"""Forecasts of one or several runs over HTTP.

`create_app` makes the FastAPI app. A run that is loaded is never changed, so that any number of
requests can be answered at a time. Knows not how a table or a page is written: the caller passes an
`AnswerWriter`, so that a client gets what the command line prints.
"""

import json
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NamedTuple

from lstmcast.config import DEFAULT_HOST, DEFAULT_PORT, MAX_REQUEST_BYTES
from lstmcast.deployment.serve_access import make_token_check
from lstmcast.deployment.serve_requests import (
    MAX_REQUEST_HORIZON,
    parse_request,
    to_request_hint,
)
from lstmcast.deployment.serve_runs import (
    ServedRun,
    UnknownRunError,
    as_data_errors,
    forecast_columns,
    require_different_names,
)
from lstmcast.errors import ExitCode, LstmcastError, ResourceError, UsageError

if TYPE_CHECKING:
    from fastapi import FastAPI, Request, Response

MAX_CONCURRENT_FORECASTS = 4
"""Forecasts that are computed at a time; further requests wait."""
_CSV_MEDIA_TYPE = "text/csv; charset=utf-8"
_PAGE_MEDIA_TYPE = "text/html; charset=utf-8"
_PAGE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
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

_PAGE_ADDRESS = re.compile(
    r"https?://([\w.\-]+|\[[\da-fA-F:.]+\])(:\d+)?(/[\w.\-~/]*)?", re.ASCII
)
"""An address that can stand in a line of a shell: the client says which name it used."""


class Page(NamedTuple):
    """A page for a browser, and the policy of security that it is sent with."""

    html: str
    policy: str


@dataclass(frozen=True)
class AnswerWriter:
    """How answers are written.

    rows, csv: the columns of a forecast as rows for JSON, and as the bytes of a CSV. page: the runs
    as a page for a browser, from the address of the server and whether it asks for a token.
    """

    rows: Callable[[dict[str, Any]], list[dict[str, Any]]]
    csv: Callable[[dict[str, Any]], bytes]
    page: Callable[[Sequence[ServedRun], str, bool], Page]


def create_app(
    runs: Sequence[ServedRun],
    writer: AnswerWriter,
    *,
    limit: int = MAX_REQUEST_BYTES,
    hosts: tuple[str, ...] = ("*",),
    token: str = "",
) -> "FastAPI":
    """Make the app of some runs with different names; paths without a name mean the first.

    limit: most bytes of a request, packed or unpacked. hosts: names that a request may call this
    machine by. token: what a request must show; empty for none. Raises UsageError where two runs
    have the same name.
    """
    from fastapi import FastAPI, Response
    from prometheus_client import CollectorRegistry
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    require_different_names([run.path for run in runs])
    # FastAPI's pages that explain an API fetch their scripts from elsewhere, so that there are
    # none: only the description, /openapi.json, is served.
    app = FastAPI(
        title="lstmcast",
        version=version("lstmcast"),
        description=_describe_subjects(runs),
        docs_url=None,
        redoc_url=None,
    )
    registry = CollectorRegistry()
    service = _Service(runs, writer, limit, registry)
    app.middleware("http")(service.measure)
    if token:
        app.middleware("http")(make_token_check(token, Response))
    app.add_middleware(
        TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False
    )
    _add_error_handlers(app)
    _add_status_routes(app, service, registry, asks_for_token=bool(token))
    _add_forecast_routes(app, service)
    return app


def _describe_subjects(runs: Sequence[ServedRun]) -> str:
    """Say what is forecast; a path or a column that is no text in UTF-8 is written in escapes."""
    subjects = []
    for run in runs:
        targets = " and ".join(run.predictor.panel.columns.target)
        subjects.append(f"the run {run.path!r}: its {targets}")
    text = f"Forecasts of {'; of '.join(subjects)}."
    return text.encode("utf-8", "backslashreplace").decode()


def _answer_json(
    content: dict[str, Any],
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> "Response":
    """Answer in ASCII: a message or a name may hold what cannot be written in UTF-8."""
    from fastapi import Response

    text = json.dumps(content)
    return Response(text, status, headers, media_type="application/json")


def _add_error_handlers(app: "FastAPI") -> None:
    """Answer every error with code, kind, message and hint, as the command line has them."""
    from fastapi import Request, Response
    from fastapi.exceptions import RequestValidationError
    from starlette.exceptions import HTTPException

    @app.exception_handler(LstmcastError)
    async def answer_error(_: Request, error: LstmcastError) -> Response:
        status = _HTTP_STATUS.get(error.exit_code, 500)
        if isinstance(error, UnknownRunError):
            status = 404
        return _answer_json(_describe_error(error), status)

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
        return _answer_json(content, error.status_code, error.headers)


def _describe_error(error: LstmcastError) -> dict[str, Any]:
    return {
        "code": int(error.exit_code),
        "kind": error.exit_code.name.lower(),
        "message": error.message,
        "hint": to_request_hint(error.hint),
    }


def _add_status_routes(
    app: "FastAPI", service: "_Service", registry: Any, *, asks_for_token: bool
) -> None:
    from anyio import to_thread
    from fastapi import Request, Response
    from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

    @app.get(
        "/",
        summary="A page for people: what is served, and how to ask for it",
        response_class=Response,
        responses={200: {"content": {"text/html": {}}}},
    )
    async def index(request: Request) -> Response:
        address = str(request.base_url)
        page = await to_thread.run_sync(service.make_page, address, asks_for_token)
        headers = {"Content-Security-Policy": page.policy, **_PAGE_HEADERS}
        # A name in the data may hold half of a character.
        content = page.html.encode("utf-8", "replace")
        return Response(content, headers=headers, media_type=_PAGE_MEDIA_TYPE)

    @app.get("/health", summary="Whether the server answers, and for which run")
    async def health() -> Response:
        return _answer_json(await to_thread.run_sync(service.describe_health))

    @app.get("/runs", summary="The runs that are served")
    async def runs() -> Response:
        return _answer_json(await to_thread.run_sync(service.describe_runs))

    @app.get(
        "/metrics",
        summary="Requests, seconds and rows, in Prometheus' format",
        response_class=Response,
    )
    async def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def _add_forecast_routes(app: "FastAPI", service: "_Service") -> None:
    from anyio import to_thread
    from fastapi import Path, Request, Response

    error = {"description": "code, kind, message, hint, as the command line has them"}
    table = {
        "content": {"application/json": {}, "text/csv": {}},
        "description": "the forecast table",
    }
    responses: dict[int | str, dict[str, Any]] = {
        **{200: table, 400: error, 413: error, 422: error},
    }
    unknown: dict[int | str, dict[str, Any]] = {404: error}
    # Without this FastAPI looks for the annotation's names outside of the function.
    names = {"enum": list(service.runs)}
    in_address = Path(
        description="a run, by its name in /runs", json_schema_extra=names
    )

    @app.get("/runs/{name}", summary="One of the runs", responses=unknown)
    async def describe_run(name: str = in_address) -> Response:
        run = service.find_run(name)
        return _answer_json(await to_thread.run_sync(run.describe))

    async def forecast_run(
        request: Request,
        name: str = in_address,
        horizon: int | None = None,
        quantiles: str | None = None,
    ) -> Response:
        run = service.find_run(name)
        return await service.forecast(request, run, horizon, quantiles)

    async def forecast_first(
        request: Request, horizon: int | None = None, quantiles: str | None = None
    ) -> Response:
        return await service.forecast(request, service.first, horizon, quantiles)

    for path, forecast, extra in (
        ("/runs/{name}/forecast", forecast_run, unknown),
        ("/forecast", forecast_first, {}),
    ):
        app.get(
            path,
            summary="The forecast from the end of the training data",
            responses={**responses, **extra},
        )(forecast)
        app.post(
            path,
            summary="The forecast from the last of the rows sent",
            responses={**responses, **extra},
            openapi_extra={"requestBody": _BODY_SCHEMA},
        )(forecast)


class _Service:
    """What the app does, apart from its routes."""

    def __init__(
        self,
        runs: Sequence[ServedRun],
        writer: AnswerWriter,
        limit: int,
        registry: Any,
    ) -> None:
        from anyio import CapacityLimiter
        from prometheus_client import Counter, Histogram

        self.runs = {run.name: run for run in runs}
        self.first = runs[0]
        self.writer = writer
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

    def find_run(self, name: str) -> ServedRun:
        """Return the run of this name; raises UnknownRunError."""
        if name not in self.runs:
            raise UnknownRunError(f"no run {name!r} is served", "see /runs")
        return self.runs[name]

    def describe_health(self) -> dict[str, Any]:
        """Return what /health answers."""
        state = self.first.describe_state()
        return {"status": "ok", "version": version("lstmcast"), **state}

    def describe_runs(self) -> dict[str, Any]:
        """Return what /runs answers."""
        runs = [run.describe() for run in self.runs.values()]
        return {"schema_version": 1, "runs": runs}

    def make_page(self, address: str, asks_for_token: bool) -> Page:
        """Return the page of all runs; address: where the client found the server."""
        if not _PAGE_ADDRESS.fullmatch(address):
            address = f"http://{DEFAULT_HOST}:{DEFAULT_PORT}/"
        return self.writer.page(list(self.runs.values()), address, asks_for_token)

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
            path = self._path_of(request)
            self.requests.labels(path, str(status)).inc()
            self.seconds.labels(path).observe(time.perf_counter() - start)
        return response

    def _path_of(self, request: "Request") -> str:
        """Return the path of a request for its metrics.

        Unknown paths are one, so that clients cannot invent names of metrics.
        """
        route = request.scope.get("route")
        path = str(route.path) if route else "other"
        if "{name}" not in path:
            return path
        run = self.runs.get(request.scope["path_params"].get("name", ""))
        return path.replace("runs/{name}", run.address) if run else "other"

    async def forecast(
        self,
        request: "Request",
        run: ServedRun,
        horizon: int | None,
        quantiles: str | None,
    ) -> "Response":
        """Read a request, forecast, and write the answer in the form that it accepts."""
        from anyio import to_thread
        from fastapi import Response

        body = await self._read_body(request)
        kind = request.headers.get("content-type", "")
        as_csv = "text/csv" in request.headers.get("accept", "")

        def work() -> bytes:
            predictor = run.take_newest()
            config = predictor.config.data
            with as_data_errors():
                wanted = parse_request(
                    body, kind, horizon, quantiles, config, self.limit
                )
            columns, notes = forecast_columns(predictor, wanted)
            self.rows.inc(len(next(iter(columns.values()))))
            if as_csv:
                return self.writer.csv(columns)
            return self._encode_json(run, columns, notes)

        # In a thread, so that /health and /metrics answer while a forecast is computed.
        content = await to_thread.run_sync(work, limiter=self.limiter)
        media_type = _CSV_MEDIA_TYPE if as_csv else "application/json"
        return Response(content, media_type=media_type)

    def _encode_json(
        self, run: ServedRun, columns: dict[str, Any], notes: list[str]
    ) -> bytes:
        answer = {
            "schema_version": 1,
            "run": run.path,
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
