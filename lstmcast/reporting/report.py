"""A run as one page for a browser: the verdict in words, pictures, the data, the settings, how to make it again.

The page is one file without scripts and without anything fetched from elsewhere; its
Content-Security-Policy forbids both. Whatever comes from the user's data is escaped. Knows no
terminal.
"""

import base64
import hashlib
import html
import json
from collections.abc import Iterable, Sequence
from math import isnan, nan
from typing import Any, NamedTuple

from lstmcast.config import Config
from lstmcast.errors import DataError
from lstmcast.evaluation.backtest import Result
from lstmcast.forecasting.predictor import Predictor
from lstmcast.panel.panel import Panel
from lstmcast.reporting import plots
from lstmcast.reporting.plots import Picture
from lstmcast.runs.directory import Run
from lstmcast.scoring.verdict import Verdict

_DARK_INK = "#d7dde4"
_STYLESHEET = """
:root { color-scheme: light dark; --ink: #24292f; --paper: #fff; --soft: #f3f5f7; --line: #d5dae0; --good: #1a7f37;
  --bad: #b35900; }
@media (prefers-color-scheme: dark) { :root { --ink: #d7dde4; --paper: #15191e; --soft: #20262d; --line: #38414b;
  --good: #56d364; --bad: #f0a35e; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 52rem; padding: 1rem; font: 16px/1.5 system-ui, sans-serif; color: var(--ink);
  background: var(--paper); overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.2; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
.verdict { border-left: .3rem solid var(--bad); background: var(--soft); padding: .5rem 1rem; font-size: 1.1rem; }
.verdict.good { border-color: var(--good); }
figure { margin: 0; } figcaption { font-size: .9rem; } img { width: 100%; height: auto; display: block; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .75rem .25rem 0; text-align: right; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child, .text td, .text th { text-align: left; }
table { overflow-wrap: normal; } summary { cursor: pointer; margin: .5rem 0; }
pre { background: var(--soft); padding: .75rem; white-space: pre-wrap; font-size: .85rem; }
"""
_METRIC_MEANINGS = {
    "mae": "mean error, in the unit of the data",
    "rmse": "the same, large errors weighing more",
    "smape": "mean error in percent",
    "mase": "error in multiples of what repeating the last season made before; below 1 is better than that",
    "wql": "error of all quantiles together",
    "coverage": "share of actual values inside the interval",
    "brier": "mean squared error of the probabilities",
    "log_loss": "mean cross-entropy of the probabilities",
    "auc": "chance that a 1 was given a higher probability than a 0",
    "calibration": "how far the probabilities are from the shares that came, on average",
    "log_likelihood": "mean logarithm of how likely the networks held what came; more is better",
}


class ReportPage(NamedTuple):
    """The page as HTML, and its pictures."""

    text: str
    pictures: list[Picture]


def make_report_page(
    run: Run,
    forecaster: Predictor,
    command: str,
    data: Panel | None = None,
    newer: Result | None = None,
) -> ReportPage:
    """Make the page of a run.

    command: the line that fits it again. data: a panel to forecast from instead of the end of the
    training. newer: an evaluation on rows of `data` that training had not seen; its verdict is the
    one that counts then.
    """
    panel = forecaster.panel if data is None else data
    verdict = newer.verdict if newer else forecaster.verdict
    pictures, missing = _plot_pictures(forecaster, panel, verdict, newer)
    name = " and ".join(panel.columns.target)
    body = [
        f"<h1>Forecast of {_escape_html(name)}</h1>",
        f"<p>{_escape_html(_describe_subject(panel, forecaster))}</p>",
        _render_verdict(verdict, forecaster, unseen=newer is not None),
        *(_render_picture(picture) for picture in pictures),
        *(f"<p>{_escape_html(reason)}</p>" for reason in missing),
        "<h2>What the data is</h2>",
        _render_list(
            [*_describe_data(panel, forecaster), *dict.fromkeys((*panel.notes, *forecaster.notes))]
        ),
        *(_render_scores(verdict) if verdict else []),
        "<h2>Settings</h2>",
        _render_settings(run.manifest),
        "<h2>To make it again</h2>",
        f"<pre>{_escape_html(command)}</pre>",
        f"<p>{_escape_html(_describe_versions(run.manifest))}</p>",
    ]
    return ReportPage(_render_page(f"Forecast of {name}", body), pictures)


def _plot_pictures(
    forecaster: Predictor, panel: Panel, verdict: Verdict | None, newer: Result | None
) -> tuple[list[Picture], list[str]]:
    drawn, missing = [], []
    try:
        drawn.append(plots.plot_forecast(panel, forecaster.predict(panel)))
    except DataError as error:
        missing.append(f"No forecast is drawn: {error.message}.")
    if newer:
        drawn.append(plots.plot_backtest(panel, newer.forecasts))
    if verdict:
        drawn += [plots.plot_baselines(verdict), plots.plot_error_by_step(verdict)]
    if verdict and not verdict.of_events:
        drawn.append(plots.plot_coverage(verdict))
    if len(forecaster.history) > 1:
        drawn.append(plots.plot_training(forecaster.history))
    return drawn, missing


def _render_page(title: str, body: Iterable[str]) -> str:
    digest = base64.b64encode(hashlib.sha256(_STYLESHEET.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="referrer" content="no-referrer">',
            f"<title>{_escape_html(title)}</title>\n<style>{_STYLESHEET}</style>\n</head>\n<body>",
            *body,
            "</body>\n</html>\n",
        ]
    )


def _render_verdict(verdict: Verdict | None, forecaster: Predictor, *, unseen: bool) -> str:
    if verdict is None:
        return '<div class="verdict"><p>The series were too short to check the forecast on data held back.</p></div>'
    seen = (
        "These are rows that came after the training."
        if unseen
        else "These rows were held back from the training."
    )
    said = [*verdict.sentences(), seen, forecaster.guard.sentence()]
    kind = "verdict good" if verdict.beats_baseline else "verdict"
    return (
        f'<div class="{kind}">'
        + "".join(f"<p>{_escape_html(line)}</p>" for line in said if line)
        + "</div>"
    )


def _render_picture(picture: Picture) -> str:
    svg = plots.encode_picture(picture, "svg").decode()
    # In an image the page's colours do not count: it brings its own for the dark.
    style = f"<style>svg{{color:{plots.INK_COLOUR}}}@media (prefers-color-scheme:dark){{svg{{color:{_DARK_INK}}}}}</style>"
    svg = svg.replace(plots.INK_COLOUR, "currentColor").replace("<defs>", f"{style}<defs>", 1)
    data = base64.b64encode(svg.encode()).decode()
    return (
        f"<h2>{_escape_html(picture.title)}</h2>\n<figure>"
        f'<img alt="{_escape_html(picture.title)}" src="data:image/svg+xml;base64,{data}">'
        f"<figcaption>{_escape_html(picture.caption)}</figcaption></figure>"
    )


def _describe_subject(panel: Panel, forecaster: Predictor) -> str:
    series = f"{len(panel):,} series" if len(panel) > 1 else "One series"
    return f"{series}, {panel.axis.grid.words}, {forecaster.horizon} steps ahead."


def _describe_data(panel: Panel, forecaster: Predictor) -> list[str]:
    ends = panel.axis.texts([int(panel.start.min()), int((panel.start + panel.lengths - 1).max())])  # type: ignore[arg-type]
    season = f"a season of {forecaster.season} steps" if forecaster.season > 1 else "no season"
    return [f"{int(panel.offsets[-1]):,} steps from {ends[0]} to {ends[1]}, with {season}"]


def _render_scores(verdict: Verdict) -> list[str]:
    methods = {"lstmcast": verdict.model, **verdict.baselines}
    header = ["", *(name.replace("_", " ") for name in methods)]
    known = {
        name: meaning
        for name, meaning in _METRIC_MEANINGS.items()
        if not isnan(verdict.model.get(name, nan))
    }
    rows = [[name, *(_format_score(row.get(name)) for row in methods.values())] for name in known]
    meanings = [f"{name}: {meaning}" for name, meaning in known.items()]
    return ["<h2>In figures</h2>", _render_table(header, rows), _render_list(meanings)]


def _render_settings(manifest: dict[str, Any]) -> str:
    """What was set; all settings behind a fold."""
    usual = json.loads(json.dumps(Config().to_dict()))
    rows = [
        ("columns", role, ", ".join(names), True)
        for role, names in manifest["panel"]["columns"].items()
        if names
    ]
    for section, values in manifest["config"].items():
        for name, value in values.items():
            shown = "found or chosen" if value is None else json.dumps(value, ensure_ascii=False)
            rows.append((section, name, shown, value != usual.get(section, {}).get(name)))
    header = ["", "setting", "value"]
    everything = _render_table(header, [row[:3] for row in rows], text=True)
    chosen = _render_table(header, [row[:3] for row in rows if row[3]], text=True)
    return f"{chosen}<details><summary>All settings</summary>{everything}</details>"


def _describe_versions(manifest: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in manifest["versions"].items())
    return f"Made with {versions}; seed {manifest['seed']}; data {manifest['data']['fingerprint'][:16]}…"


def _render_table(
    header: Sequence[str], rows: Iterable[Sequence[str]], *, text: bool = False
) -> str:
    head = "".join(f"<th>{_escape_html(cell)}</th>" for cell in header)
    lines = ("".join(f"<td>{_escape_html(cell)}</td>" for cell in row) for row in rows)
    kind = ' class="text"' if text else ""
    return (
        f'<div class="wide"><table{kind}><tr>{head}</tr>'
        + "".join(f"<tr>{line}</tr>" for line in lines)
        + "</table></div>"
    )


def _render_list(items: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{_escape_html(item)}</li>" for item in items) + "</ul>"


def _format_score(value: float | None) -> str:
    return "" if value is None or value != value else f"{value:.4g}"


def _escape_html(text: str) -> str:
    """Escape for HTML, control and bidirectional characters shown as such."""
    shown = "".join(
        c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode("ascii")
        for c in text
    )
    return html.escape(shown)
