"""A run as one page for a browser: the verdict, pictures, the data, the settings.

The page is one file without scripts and without anything fetched from elsewhere; its
Content-Security-Policy forbids both. The template escapes whatever comes from the user's data.
Knows no terminal.
"""

import base64
import hashlib
import json
from math import isnan, nan
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from lstmcast.config import Config
from lstmcast.errors import DataError
from lstmcast.evaluation.backtest import Result
from lstmcast.forecasting.predictor import Predictor
from lstmcast.panel.panel import Panel
from lstmcast.reporting import plots
from lstmcast.reporting.plots import Picture
from lstmcast.runs.directory import Run
from lstmcast.scoring.verdict import Verdict

_FOLDER = Path(__file__).parent
_DARK_INK = "#d7dde4"
_METRIC_MEANINGS = {
    "mae": "mean absolute error, in the unit of the data",
    "rmse": "root of the mean squared error: large errors weigh more",
    "smape": "mean absolute error in percent",
    "mase": "mean absolute error over that of repeating the last season; below 1 is better",
    "wql": "error of all quantiles together",
    "coverage": "share of actual values inside the interval",
    "brier": "mean squared error of the probabilities",
    "log_loss": "mean cross-entropy of the probabilities",
    "auc": "chance that a 1 was given a higher probability than a 0",
    "calibration": "mean distance between the probabilities and the observed shares",
    "log_likelihood": "mean log-likelihood of the actual values; more is better",
}
Rows = list[list[str]]
"""A table: its header, then its rows."""


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
    training. newer: an evaluation on rows of `data` that come after the training; its verdict is
    then the one on the page.
    """
    panel = forecaster.panel if data is None else data
    verdict = newer.verdict if newer else forecaster.verdict
    pictures, missing_pictures = _plot_pictures(forecaster, panel, verdict, newer)
    all_settings, chosen_settings = _list_settings(run.manifest)
    stylesheet = (_FOLDER / "report.css").read_text(encoding="utf-8")
    # Each note once: the panel is often the one that was fitted.
    notes = dict.fromkeys((*panel.notes, *forecaster.notes))
    page = _load_template().render(
        title=f"Forecast of {' and '.join(panel.columns.target)}",
        policy=Markup(_content_policy(stylesheet)),  # ours, quotes and all
        stylesheet=Markup(stylesheet),  # our own file
        subject=_describe_subject(panel, forecaster),
        verdict=_describe_verdict(verdict, forecaster, out_of_sample=newer is not None),
        is_better=verdict is not None and verdict.beats_baseline,
        pictures=[_embed_picture(picture) for picture in pictures],
        missing_pictures=missing_pictures,
        data=[_describe_data(panel, forecaster), *notes],
        scores=_tabulate_scores(verdict) if verdict else None,
        score_meanings=_explain_scores(verdict) if verdict else None,
        chosen_settings=chosen_settings,
        all_settings=all_settings,
        command=command,
        versions=_describe_versions(run.manifest),
    )
    return ReportPage(page, pictures)


def _load_template() -> Any:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_show_control_characters,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("report.html.jinja")


def _show_control_characters(value: Any) -> Any:
    """Spell out control and bidirectional characters, which can make text look like another."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    shown = []
    for char in value:
        if char.isprintable() or char == "\n":
            shown.append(char)
        else:
            escaped = char.encode("unicode_escape").decode("ascii")
            shown.append(escaped)
    return "".join(shown)


def _content_policy(stylesheet: str) -> str:
    """The policy that allows this one stylesheet and pictures inside the page, and nothing else."""
    # A browser takes the hash of what stands between the tags, so the page holds it unchanged.
    sha256 = hashlib.sha256(stylesheet.encode()).digest()
    digest = base64.b64encode(sha256).decode()
    return (
        "default-src 'none'; img-src data:; "
        f"style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


def _plot_pictures(
    forecaster: Predictor, panel: Panel, verdict: Verdict | None, newer: Result | None
) -> tuple[list[Picture], list[str]]:
    """Draw what can be drawn; the second list says what cannot, and why."""
    pictures: list[Picture] = []
    missing: list[str] = []
    try:
        forecast = forecaster.predict(panel)
        pictures.append(plots.plot_forecast(panel, forecast))
    except DataError as error:
        # Such as covariates that end with the data: the rest of the page is still worth having.
        missing.append(f"No forecast is drawn: {error.message}.")
    if newer:
        pictures.append(plots.plot_backtest(panel, newer.forecasts))
    if verdict:
        pictures.append(plots.plot_baselines(verdict))
        pictures.append(plots.plot_error_by_step(verdict))
        # Probabilities have no interval.
        if not verdict.of_events:
            pictures.append(plots.plot_coverage(verdict))
    # A single point makes no line.
    if len(forecaster.history) > 1:
        pictures.append(plots.plot_training(forecaster.history))
    return pictures, missing


def _embed_picture(picture: Picture) -> dict[str, str]:
    """The picture as SVG inside an address, in colours that follow a dark page."""
    svg = plots.encode_picture(picture, "svg").decode()
    # The page's own colours do not reach into an image, so the image brings its own for the dark.
    dark = f"@media (prefers-color-scheme:dark){{svg{{color:{_DARK_INK}}}}}"
    style = f"<style>svg{{color:{plots.INK_COLOUR}}}{dark}</style>"
    svg = svg.replace(plots.INK_COLOUR, "currentColor")
    # After the replacement: the style names the ink itself.
    svg = svg.replace("<defs>", f"{style}<defs>", 1)
    data = base64.b64encode(svg.encode()).decode()
    source = f"data:image/svg+xml;base64,{data}"
    return {"title": picture.title, "caption": picture.caption, "source": source}


def _describe_verdict(
    verdict: Verdict | None, forecaster: Predictor, *, out_of_sample: bool
) -> list[str]:
    if verdict is None:
        return [
            "The series were too short to hold back data and check the forecast on it."
        ]
    if out_of_sample:
        rows = "These are rows that came after the training."
    else:
        rows = "These rows were held back from the training."
    sentences = [*verdict.sentences(), rows, forecaster.guard.sentence()]
    return [sentence for sentence in sentences if sentence]


def _describe_subject(panel: Panel, forecaster: Predictor) -> str:
    series = "One series"
    if len(panel) > 1:
        series = f"{len(panel):,} series"
    frequency = panel.axis.grid.words
    return f"{series}, {frequency}, {forecaster.horizon} steps ahead."


def _describe_data(panel: Panel, forecaster: Predictor) -> str:
    newest = panel.start + panel.lengths - 1
    first = int(panel.start.min())
    last = int(newest.max())
    start, end = panel.axis.texts([first, last])  # type: ignore[arg-type]
    season = "no season"
    if forecaster.season > 1:
        season = f"a season of {forecaster.season} steps"
    n_steps = int(panel.offsets[-1])  # of all series together
    return f"{n_steps:,} steps from {start} to {end}, with {season}"


def _tabulate_scores(verdict: Verdict) -> Rows:
    """A row for each metric, a column for lstmcast and each simple method."""
    methods = {"lstmcast": verdict.model, **verdict.baselines}
    header = ["", *(name.replace("_", " ") for name in methods)]
    table = [header]
    for metric in _shown_metrics(verdict):
        # Not every method has every metric.
        scores = [method.get(metric) for method in methods.values()]
        table.append([metric, *map(_format_score, scores)])
    return table


def _explain_scores(verdict: Verdict) -> list[str]:
    return [
        f"{metric}: {_METRIC_MEANINGS[metric]}" for metric in _shown_metrics(verdict)
    ]


def _shown_metrics(verdict: Verdict) -> list[str]:
    return [
        metric
        for metric in _METRIC_MEANINGS
        if not isnan(verdict.model.get(metric, nan))
    ]


def _list_settings(manifest: dict[str, Any]) -> tuple[Rows, Rows]:
    """All settings of a run, and those that somebody chose: column roles, values not default."""
    header = ["", "setting", "value"]
    # By way of JSON, as the manifest went: tuples are lists in both.
    defaults = json.loads(json.dumps(Config().to_dict()))
    roles = [
        ["columns", role, ", ".join(names)]
        for role, names in manifest["panel"]["columns"].items()
        if names
    ]
    everything = list(roles)
    chosen = list(roles)
    for section, values in manifest["config"].items():
        section_defaults = defaults.get(section, {})
        for name, value in values.items():
            text = "inferred"
            if value is not None:
                text = json.dumps(value, ensure_ascii=False)
            row = [section, name, text]
            everything.append(row)
            if value != section_defaults.get(name):
                chosen.append(row)
    return [header, *everything], [header, *chosen]


def _describe_versions(manifest: dict[str, Any]) -> str:
    libraries = [f"{name} {number}" for name, number in manifest["versions"].items()]
    versions = ", ".join(libraries)
    # So many digits tell data apart, and can be compared by eye.
    fingerprint = manifest["data"]["fingerprint"][:16]
    return f"Made with {versions}; seed {manifest['seed']}; data {fingerprint}…"


def _format_score(value: float | None) -> str:
    return "" if value is None or isnan(value) else f"{value:.4g}"
