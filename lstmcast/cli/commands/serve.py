"""`lstmcast serve`: forecasts over HTTP."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument

from lstmcast.cli.options.declare import DEFAULT_NONE, OUTPUT, make_option
from lstmcast.cli.options.reading import parse_size
from lstmcast.cli.options.results import ShowOptions
from lstmcast.cli.show import console, output
from lstmcast.cli.show.console import Reporter
from lstmcast.config import DEFAULT_HOST, DEFAULT_PORT, MAX_REQUEST_BYTES
from lstmcast.errors import UsageError
from lstmcast.runs.directory import open_run

if TYPE_CHECKING:
    from lstmcast.deployment.serve import AnswerWriter
    from lstmcast.deployment.serve_runs import ServedRun

EXAMPLES = """\
lstmcast serve runs/price-price
lstmcast serve runs/price-price runs/sales
lstmcast serve runs/price-price --port 8080 --max-request 1MB"""
_MAX_PORT = 65535
RunPaths = Annotated[
    list[str],
    Argument(
        metavar="RUN...",
        help="Run directories, as printed by `lstmcast fit`; each is served under its name.",
    ),
]
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
    runs: RunPaths,
    *,
    host: Host = DEFAULT_HOST,
    port: Port = DEFAULT_PORT,
    max_request: MaxRequest = None,
    token_file: TokenFile = None,
    show: ShowOptions,
) -> None:
    """Answer requests for forecasts of one RUN or several; prints its address.

    A page at / says what is served and how to ask for it. POST /forecast with newer rows as CSV or
    JSON forecasts from the last of them, without rows from the end of the training. With several
    runs, /runs lists them, and /runs/NAME/forecast asks the one whose folder is called NAME;
    /forecast is the first. /health says whether it answers, /metrics how many requests and how
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
    for run in runs:
        open_run(run)  # says what is wrong with it before anything heavy is loaded
    from lstmcast.deployment import serve_server as server
    from lstmcast.deployment.serve import create_app
    from lstmcast.deployment.serve_access import MAKE_TOKEN_HINT, read_token
    from lstmcast.deployment.serve_runs import require_different_names

    require_different_names(runs)
    token = read_token(token_file) if token_file else ""
    is_local = host in server.LOOPBACK_HOSTS
    if not is_local and not token:
        raise UsageError(
            f"--host {host} lets others ask for forecasts without a token",
            MAKE_TOKEN_HINT,
        )
    server.require_serving_packages()
    with server.open_listening_socket(host, port) as listener:
        # A browser on this machine can be made to send requests under a foreign name: on loopback
        # only its own names are answered.
        hosts = (*server.LOOPBACK_HOSTS, "[::1]") if is_local else ("*",)
        served = [_load_run(run, report.say) for run in runs]
        app = create_app(served, _make_writer(), limit=limit, hosts=hosts, token=token)
        # With --port 0 the system has chosen one.
        actual_port = listener.getsockname()[1]
        url = _format_url(host, actual_port)
        if not is_local:
            console.write_message(
                f"warning: others reach {url}, and what they send is not encrypted"
            )
        report.say(f"serving {', '.join(map(repr, runs))}; Ctrl-C ends it")
        paths = {run.name: run.path for run in served}
        content = {"run": runs[0], "runs": paths, "url": url}
        output.write_path_or_object("serve", url, content, as_json=show.json)
        server.run_server(app, listener)


def _load_run(path: str, say: Callable[[str], None]) -> "ServedRun":
    """Load a run that is followed to its newer versions."""
    from lstmcast.deployment.serve_access import NewerVersions
    from lstmcast.deployment.serve_runs import ServedRun
    from lstmcast.forecasting.predictor import Predictor

    # What it is compared with is read before the run is: no version in between is missed.
    versions = NewerVersions(path, say)
    return ServedRun(path, Predictor.load(path), versions.find)


def _make_writer() -> "AnswerWriter":
    """Answers as the command line prints them."""
    from lstmcast.cli.show.served_page import make_served_page
    from lstmcast.deployment.serve import AnswerWriter

    def encode_csv(columns: dict[str, Any]) -> bytes:
        return output.encode_table(columns, "csv")

    return AnswerWriter(output.to_records, encode_csv, make_served_page)


def _format_url(host: str, port: int) -> str:
    """Return the address of a server; an IPv6 address stands in brackets."""
    if ":" in host:
        host = f"[{host}]"
    return f"http://{host}:{port}"
