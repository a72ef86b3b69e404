"""`lstmcast serve`: forecasts over HTTP."""

from typing import Annotated

from typer import Option

from lstmcast.cli.options import OUTPUT, RunPath, ShowOptions, parse_size
from lstmcast.cli.show import console, output
from lstmcast.cli.show.console import Reporter
from lstmcast.config import DEFAULT_HOST, DEFAULT_PORT, MAX_REQUEST_BYTES
from lstmcast.errors import UsageError
from lstmcast.runs.directory import open_run

EXAMPLES = """\
lstmcast serve runs/price-price
lstmcast serve runs/price-price --host 0.0.0.0 --port 8080 --max-request 1MB"""
Host = Annotated[
    str,
    Option(
        metavar="NAME", help="Where to listen; 0.0.0.0 is on every network.", rich_help_panel=OUTPUT
    ),
]
Port = Annotated[
    int,
    Option(
        metavar="N",
        help="Port to listen at, 0 to 65535; 0 finds a free one.",
        rich_help_panel=OUTPUT,
    ),
]
_DEFAULT_MAX_REQUEST = f"{MAX_REQUEST_BYTES // 10**6}MB"
MaxRequest = Annotated[
    str | None,
    Option(
        metavar="SIZE",
        help="Most bytes of a request, as 1MB.",
        show_default=_DEFAULT_MAX_REQUEST,
        rich_help_panel=OUTPUT,
    ),
]


def serve(
    run: RunPath,
    *,
    host: Host = DEFAULT_HOST,
    port: Port = DEFAULT_PORT,
    max_request: MaxRequest = None,
    show: ShowOptions,
) -> None:
    """Answer requests for forecasts of RUN; prints its address.

    POST /forecast with newer rows as CSV or JSON forecasts from the last of them, without rows from
    the end of the training. /health says whether it answers, /metrics how much and how fast,
    /openapi.json how to ask. It listens to this machine alone unless --host says otherwise, and has
    no password. Needs lstmcast[serve].
    """
    if not 0 <= port <= 65535:
        raise UsageError(f"--port {port} is out of range", "give a number from 0 to 65535")
    limit = parse_size(max_request, "--max-request") or MAX_REQUEST_BYTES
    report = Reporter.of(show)
    open_run(run)
    from lstmcast.deployment import serve as serving
    from lstmcast.forecasting.predictor import Predictor

    serving.require_serving_packages()
    with serving.open_listening_socket(host, port) as place:
        local = host in serving.LOOPBACK_HOSTS
        hosts = (*serving.LOOPBACK_HOSTS, "[::1]") if local else ("*",)
        writer = serving.ForecastWriter(
            output.to_records, lambda columns: output.encode_table(columns, "csv")
        )
        app = serving.create_app(Predictor.load(run), writer, name=run, limit=limit, hosts=hosts)
        url = f"http://{f'[{host}]' if ':' in host else host}:{place.getsockname()[1]}"
        if not local:
            console.write_message(
                f"warning: whoever reaches {url} can ask for forecasts: no password, no encryption"
            )
        report.say(f"serving {run!r}; Ctrl-C ends it")
        if show.json:
            output.write_object("serve", {"run": run, "url": url})
        else:
            output.write_stdout(f"{url}\n".encode())
        serving.run_server(app, place)
