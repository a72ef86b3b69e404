"""`lstmcast serve`: forecasts over HTTP."""

from typing import Annotated

from lstmcast.cli.options.declare import DEFAULT_NONE, OUTPUT, make_option
from lstmcast.cli.options.reading import parse_size
from lstmcast.cli.options.results import RunPath, ShowOptions
from lstmcast.cli.show import console, output
from lstmcast.cli.show.console import Reporter
from lstmcast.config import DEFAULT_HOST, DEFAULT_PORT, MAX_REQUEST_BYTES
from lstmcast.errors import UsageError
from lstmcast.runs.directory import open_run

EXAMPLES = """\
lstmcast serve runs/price-price
lstmcast serve runs/price-price --port 8080 --max-request 1MB"""
_MAX_PORT = 65535
Host = Annotated[
    str, make_option(OUTPUT, "NAME", "Where to listen; 0.0.0.0 is on every network.")
]
Port = Annotated[
    int,
    make_option(
        OUTPUT, "N", f"Port to listen at, 0 to {_MAX_PORT}; 0 finds a free one."
    ),
]
TokenFile = Annotated[
    str | None,
    make_option(
        OUTPUT,
        "FILE",
        "File with the token that requests must show; demanded where others reach the server.",
        DEFAULT_NONE,
    ),
]
MaxRequest = Annotated[
    str | None,
    make_option(
        OUTPUT,
        "SIZE",
        "Largest request in bytes, such as 1MB.",
        f"{MAX_REQUEST_BYTES // 10**6}MB",
    ),
]


def serve(
    run: RunPath,
    *,
    host: Host = DEFAULT_HOST,
    port: Port = DEFAULT_PORT,
    max_request: MaxRequest = None,
    token_file: TokenFile = None,
    show: ShowOptions,
) -> None:
    """Answer requests for forecasts of RUN; prints its address.

    POST /forecast with newer rows as CSV or JSON forecasts from the last of them, without rows from
    the end of the training. /health says whether it answers, /metrics how many requests and how
    fast, /openapi.json describes the requests. It listens to this machine only unless --host says
    otherwise, which needs a --token-file. After an `update` the new version
    answers, without a restart. Needs lstmcast[serve].
    """
    if not 0 <= port <= _MAX_PORT:
        raise UsageError(
            f"--port {port} is out of range", f"give a number from 0 to {_MAX_PORT}"
        )
    limit = parse_size(max_request, "--max-request") or MAX_REQUEST_BYTES
    report = Reporter.of(show)
    open_run(run)  # says what is wrong with it before anything heavy is loaded
    from lstmcast.deployment import serve as serving
    from lstmcast.deployment.serve_access import (
        MAKE_TOKEN_HINT,
        NewerVersions,
        read_token,
    )
    from lstmcast.forecasting.predictor import Predictor

    token = read_token(token_file) if token_file else ""
    is_local = host in serving.LOOPBACK_HOSTS
    if not is_local and not token:
        raise UsageError(
            f"--host {host} lets others ask for forecasts without a token",
            MAKE_TOKEN_HINT,
        )
    serving.require_serving_packages()
    with serving.open_listening_socket(host, port) as listener:
        # A browser on this machine can be made to send requests under a foreign name: on loopback
        # only its own names are answered.
        hosts = (*serving.LOOPBACK_HOSTS, "[::1]") if is_local else ("*",)
        writer = serving.ForecastWriter(
            output.to_records, lambda columns: output.encode_table(columns, "csv")
        )
        # What it is compared with is read before the run is: no version in between is missed.
        versions = NewerVersions(run, report.say)
        app = serving.create_app(
            Predictor.load(run),
            writer,
            name=run,
            limit=limit,
            hosts=hosts,
            token=token,
            find_newer=versions.find,
        )
        # With --port 0 the system has chosen one.
        actual_port = listener.getsockname()[1]
        url = _format_url(host, actual_port)
        if not is_local:
            console.write_message(
                f"warning: others reach {url}, and what they send is not encrypted"
            )
        report.say(f"serving {run!r}; Ctrl-C ends it")
        content = {"run": run, "url": url}
        output.write_path_or_object("serve", url, content, as_json=show.json)
        serving.run_server(app, listener)


def _format_url(host: str, port: int) -> str:
    """Return the address of a server; an IPv6 address stands in brackets."""
    if ":" in host:
        host = f"[{host}]"
    return f"http://{host}:{port}"
