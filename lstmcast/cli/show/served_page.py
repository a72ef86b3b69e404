"""The page of a server for people: what is served, how good it is, and how to ask for it.

It has no scripts and fetches nothing; its policy of security forbids both.
"""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from markupsafe import Markup

from lstmcast.deployment.serve import Page
from lstmcast.deployment.serve_runs import ServedRun
from lstmcast.errors import DataError
from lstmcast.forecasting.predictor import Predictor
from lstmcast.panel.checks import require_future_covariates
from lstmcast.reporting.pages.page import load_template, make_policy, read_asset
from lstmcast.reporting.pages.report_tables import describe_subject
from lstmcast.scoring.wording import describe_verdict

_PATHS = (
    ("runs", "the runs that are served, as JSON"),
    ("forecast", "the forecast of the first of them"),
    ("health", "whether the server answers"),
    ("metrics", "requests and seconds, for Prometheus"),
    ("openapi.json", "a description of all requests, for programs"),
)
_TOKEN_HEADER = ' -H "Authorization: Bearer $(head -n 1 token)"'
_NEWER_ROWS = " --data-binary @newer.csv"
_CSV_HEADER = ' -H "Accept: text/csv"'


def make_served_page(
    runs: Sequence[ServedRun], address: str, asks_for_token: bool
) -> Page:
    """Make the page of some runs.

    address: of the server, as its clients see it, with a slash at its end. asks_for_token: whether
    the lines to copy must show one.
    """
    count = "a run" if len(runs) == 1 else f"{len(runs)} runs"
    headers = f"{_TOKEN_HEADER if asks_for_token else ''}{_CSV_HEADER}"
    stylesheet = read_asset("report.css")
    first = f"{address}{runs[0].address}/forecast"
    html = load_template("served.html.jinja").render(
        title=f"Forecasts of {count}",
        stylesheet=Markup(stylesheet),  # our own file
        asks_for_token=asks_for_token,
        runs=[_describe_run(run, address, headers) for run in runs],
        newer_command=f'curl -s "{first}"{_NEWER_ROWS}{headers}',
        paths=_PATHS,
        version=version("lstmcast"),
    )
    # That no other page may frame this one can only be said in a header.
    policy = f"{make_policy(stylesheet, '')}; frame-ancestors 'none'"
    return Page(html, policy)


def _describe_run(run: ServedRun, address: str, headers: str) -> dict[str, Any]:
    predictor = run.take_newest()
    verdict = predictor.verdict
    # In double quotes, which the shells of all systems know.
    url = f"{address}{run.address}/forecast?horizon={predictor.horizon}"
    missing = _find_missing_covariates(predictor)
    rows = _NEWER_ROWS if missing else ""
    return {
        "name": run.name,
        "address": run.address,
        "target": " and ".join(predictor.panel.columns.target),
        "subject": describe_subject(predictor.panel, predictor),
        "verdict": describe_verdict(verdict) if verdict else [],
        "is_better": verdict is not None and verdict.beats_baseline,
        "missing": missing,
        "command": f'curl -s "{url}"{rows}{headers}',
    }


def _find_missing_covariates(predictor: Predictor) -> str:
    """Say which values known ahead the run lacks to go on from its own end; empty for none."""
    try:
        require_future_covariates(predictor.panel, predictor.horizon)
    except DataError as error:
        return error.message
    return ""
