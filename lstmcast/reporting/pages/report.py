"""A run as one page for a browser: the forecast, how good it is, what drives it, the settings.

The page is one file, and nothing is fetched from elsewhere: its Content-Security-Policy forbids it,
and every script but the one of the chart, which is allowed by its hash and draws what the page
holds. Without scripts the same page shows a picture. The template escapes whatever comes from the
user's data. Knows no terminal.
"""

import base64
import json
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from markupsafe import Markup

from lstmcast.compute.progress import OnEvent
from lstmcast.config import Config
from lstmcast.errors import DataError
from lstmcast.evaluation.backtest import Result
from lstmcast.evaluation.components import decompose_series
from lstmcast.forecasting.predictor import Predictor
from lstmcast.panel.panel import Panel
from lstmcast.reporting import plots
from lstmcast.reporting.component_plot import plot_series_components
from lstmcast.reporting.detection_plot import plot_detection
from lstmcast.reporting.judged_series import choose_judged_series
from lstmcast.reporting.pages.components_chart import add_components
from lstmcast.reporting.pages.detection_chart import (
    MAX_PAGE_SERIES,
    ShownDetection,
    show_detection,
)
from lstmcast.reporting.pages.page import (
    join_scripts,
    load_template,
    make_policy,
    read_asset,
)
from lstmcast.reporting.pages.report_chart import show_forecast
from lstmcast.reporting.pages.report_tables import (
    describe_subject,
    explain_scores,
    tabulate_drivers,
    tabulate_scores,
    tabulate_series,
    tabulate_steps,
)
from lstmcast.reporting.plots import Picture
from lstmcast.reporting.season_plot import plot_season
from lstmcast.reporting.series_axes import INK_COLOUR, format_steps, shorten_stamps
from lstmcast.runs.directory import Run
from lstmcast.scoring.verdict import Verdict
from lstmcast.scoring.wording import name_season

_DARK_INK = "#d7dde4"
MIN_COVERAGE_WINDOWS = 5
"""Windows from which on a picture shows how many values at each step were in the interval."""
MAX_COMPONENT_SERIES = 1000
"""Series that are taken into components for a page, the first ones."""
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
    judged: pd.DataFrame | None = None,
    on_event: OnEvent | None = None,
) -> ReportPage:
    """Make the page of a run.

    command: the line that fits it again. data: a panel to forecast from instead of the end of the
    training. newer: an evaluation on rows of `data` that come after the training; its verdict is
    then the one on the page. judged: a table of judged rows (`Detection.rows`) that is shown, too.
    on_event: called as inputs of the forecast are taken away, which takes longest.
    """
    panel = forecaster.panel if data is None else data
    verdict = newer.verdict if newer else forecaster.verdict
    forecast, missing = _make_forecast(forecaster, panel)
    shown = None
    n_with_components = 0
    if forecast is not None:
        components = _decompose(forecaster, panel)

        def add(chart: dict[str, Any], room: int) -> None:
            nonlocal n_with_components
            season = forecaster.season
            n_with_components = add_components(chart, panel, components, season, room)

        shown = show_forecast(panel, forecast, add)
    pictures = _plot_pictures(forecaster, panel, forecast, verdict, newer)
    anomalies = None
    if judged is not None:
        anomalies = _show_anomalies(judged, panel, pictures)
    embedded = {picture.name: _embed_picture(picture) for picture in pictures}
    inferred = _list_inferred_settings(run.manifest, forecaster)
    all_settings, chosen_settings = _list_settings(run.manifest, inferred)
    stylesheet = read_asset("report.css")
    scripts = ["components.js", "report.js"] if shown else []
    scripts += ["detection.js"] if anomalies else []
    script = join_scripts(*scripts) if scripts else ""
    # Each note once: the panel is often the one that was fitted.
    notes = dict.fromkeys((*panel.notes, *forecaster.notes))
    page = load_template("report.html.jinja").render(
        title=f"Forecast of {' and '.join(panel.columns.target)}",
        policy=Markup(make_policy(stylesheet, script)),  # ours, quotes and all
        stylesheet=Markup(stylesheet),  # our own files
        script=Markup(script),
        # JSON whose "<" are escaped: nothing in it ends the script that it stands in.
        chart=Markup(shown.chart if shown else ""),
        shown=shown,
        detection_chart=Markup(anomalies.chart if anomalies else ""),
        anomalies=anomalies,
        subject=describe_subject(panel, forecaster),
        verdict=_describe_verdict(verdict, forecaster),
        test=_describe_test(verdict, panel, forecaster, out_of_sample=newer is not None)
        if verdict
        else [],
        is_better=verdict is not None and verdict.beats_baseline,
        pictures=embedded,
        missing=missing,
        many=len(panel) if len(panel) > 1 else 0,
        keys=" / ".join(panel.key_names),
        season=_name_cycle(panel, forecaster.season),
        no_room=_describe_missing_components(n_with_components, len(panel)),
        by_series=tabulate_series(verdict, panel) if verdict else None,
        by_step=tabulate_steps(verdict) if verdict else None,
        drivers=tabulate_drivers(forecaster, panel, on_event),
        data=[_describe_data(panel, forecaster), *notes],
        scores=tabulate_scores(verdict) if verdict else None,
        score_meanings=explain_scores(verdict) if verdict else None,
        chosen_settings=chosen_settings,
        all_settings=all_settings,
        command=command,
        versions=_describe_versions(run.manifest),
    )
    return ReportPage(page, pictures)


def _make_forecast(
    forecaster: Predictor, panel: Panel
) -> tuple[pd.DataFrame | None, str]:
    """Return the forecast, or None and why there is none."""
    try:
        return forecaster.predict(panel), ""
    except DataError as error:
        # Such as covariates that end with the data: the rest of the page is still worth having.
        words = f"There is no forecast on this page: {error.message}."
        if panel.columns.future:
            words += " The command report takes them with --future-data FILE."
        return None, words


def _decompose(forecaster: Predictor, panel: Panel) -> pd.DataFrame | None:
    """Return the components of the series that may be shown; None of probabilities."""
    # A probability is no sum of parts.
    if forecaster.probability:
        return None
    if len(panel) > MAX_COMPONENT_SERIES and not forecaster.config.inputs.joint:
        panel = panel.select(np.arange(MAX_COMPONENT_SERIES))
    return decompose_series(forecaster, panel)


def _name_cycle(panel: Panel, season: int) -> str:
    """Return a season in everyday words, as "week", or else as "season"."""
    return name_season(panel.axis.freq, season, panel.axis.stretch) or "season"


def _describe_missing_components(shown: int, total: int) -> str:
    """Say of which series the page has components, for those of which it has none."""
    sentence = "Of this series there is nothing to show."
    if shown < total:
        sentence = (
            f"The page has room for the first {shown:,} of {total:,} series, and this is none of"
            " them. In Python, forecaster.plot_components(series=...) draws those of any series."
        )
    return sentence


def _plot_pictures(
    forecaster: Predictor,
    panel: Panel,
    forecast: pd.DataFrame | None,
    verdict: Verdict | None,
    newer: Result | None,
) -> list[Picture]:
    """Draw what can be drawn."""
    pictures: list[Picture] = []
    if forecast is not None:
        pictures.append(plots.plot_forecast(panel, forecast))
    if newer:
        pictures.append(plots.plot_backtest(panel, newer.forecasts))
    if verdict:
        pictures.append(plots.plot_baselines(verdict))
        pictures.append(plots.plot_error_by_step(verdict))
        # Probabilities have no interval, and of a few values a share is 0 or 100 %.
        if not verdict.of_events and verdict.windows >= MIN_COVERAGE_WINDOWS:
            pictures.append(plots.plot_coverage(verdict))
    season = plot_season(panel, forecaster.season)
    if season is not None:
        pictures.append(season)
    # What a missing forecast lacks, its components lack too; a probability is no sum of parts.
    if forecast is not None and not forecaster.probability:
        pictures.append(plot_series_components(forecaster, panel, 0))
    # A single point makes no line.
    if len(forecaster.history) > 1:
        pictures.append(plots.plot_training(forecaster.history))
    return pictures


def _show_anomalies(
    judged: pd.DataFrame, panel: Panel, pictures: list[Picture]
) -> ShownDetection:
    """Prepare judged rows, and add their picture to the others."""
    target = " and ".join(panel.columns.target)
    form = panel.axis.form
    drawn = choose_judged_series(judged, target=target, form=form)
    pictures.append(plot_detection(drawn, target))
    charted = choose_judged_series(
        judged, target=target, form=form, most=MAX_PAGE_SERIES
    )
    return show_detection(charted)


def _embed_picture(picture: Picture) -> dict[str, str]:
    """The picture as SVG inside an address, in colours that follow a dark page."""
    # The page has a heading for it: the title inside the picture would be the same again.
    title = picture.figure.get_suptitle()
    picture.figure.suptitle("")
    svg = plots.encode_picture(picture, "svg").decode()
    picture.figure.suptitle(title)
    # The page's own colours do not reach into an image, so the image brings its own for the dark.
    dark = f"@media (prefers-color-scheme:dark){{svg{{color:{_DARK_INK}}}}}"
    style = f"<style>svg{{color:{INK_COLOUR}}}{dark}</style>"
    svg = svg.replace(INK_COLOUR, "currentColor")
    # After the replacement: the style names the ink itself.
    svg = svg.replace("<defs>", f"{style}<defs>", 1)
    data = base64.b64encode(svg.encode()).decode()
    source = f"data:image/svg+xml;base64,{data}"
    return {"title": picture.title, "caption": picture.caption, "source": source}


def _describe_verdict(verdict: Verdict | None, forecaster: Predictor) -> list[str]:
    if verdict is None:
        return [
            "The series were too short to hold back data and check the forecast on it."
        ]
    sentences = verdict.sentences()
    if "theta" in verdict.best_baseline:
        sentences.append("The theta method is simple, and hard to beat.")
    # What the forecast is made of matters most where it is not the network's.
    if forecaster.guard.method:
        sentences.append(forecaster.guard.sentence())
    return list(map(_keep_percent, sentences))


def _describe_test(
    verdict: Verdict, panel: Panel, forecaster: Predictor, *, out_of_sample: bool
) -> list[str]:
    """Say how the scores were made, and what the forecast is made of."""
    rows = "These rows were held back from the training."
    if out_of_sample:
        rows = "These are rows that came after the training."
    ahead = format_steps(panel, verdict.horizon)
    origins = f"one past date, {ahead} ahead"
    if verdict.origins > 1:
        origins = f"{verdict.origins} past dates, {ahead} ahead each time (a “window”)"
    test = (
        f"The newest rows were forecast from {origins}, by lstmcast and by simple methods, and then"
        " compared with what had come."
    )
    made_of = "" if forecaster.guard.method else forecaster.guard.sentence()
    sentences = [test, rows, made_of]
    return [_keep_percent(sentence) for sentence in sentences if sentence]


def _keep_percent(sentence: str) -> str:
    """Keep a number and its percent sign on one line."""
    return sentence.replace(" %", "\N{NO-BREAK SPACE}%")


def _describe_data(panel: Panel, forecaster: Predictor) -> str:
    newest = panel.start + panel.lengths - 1
    first = int(panel.start.min())
    last = int(newest.max())
    start, end = shorten_stamps(panel.axis.texts([first, last]))  # type: ignore[arg-type]
    season = "no season"
    if forecaster.season > 1:
        season = f"a season of {forecaster.season} steps"
        words = name_season(panel.axis.freq, forecaster.season, panel.axis.stretch)
        season += f" (the {words})" if words else ""
    n_steps = int(panel.offsets[-1])  # of all series together
    return f"{n_steps:,} steps from {start} to {end}, with {season}"


def _list_inferred_settings(
    manifest: dict[str, Any], forecaster: Predictor
) -> dict[tuple[str, str], Any]:
    """Return the values of settings that may be left out, by section and name."""
    shape = manifest["members"][-1]
    values = {
        ("data", "freq"): forecaster.panel.axis.freq,
        ("window", "horizon"): forecaster.horizon,
        ("window", "context"): forecaster.context,
        ("window", "season"): forecaster.season,
        ("model", "layers"): shape.get("layers"),
        ("model", "hidden"): shape.get("hidden"),
        ("train", "members"): len(manifest["members"]),
        ("train", "start"): manifest["start"].get("from"),
    }
    if forecaster.history:
        values["train", "steps"] = max(row["step"] for row in forecaster.history)
    return values


def _list_settings(
    manifest: dict[str, Any], inferred: dict[tuple[str, str], Any]
) -> tuple[Rows, Rows]:
    """All settings of a run, and those that somebody chose: column roles, values not default.

    inferred: the values of settings that were left out.
    """
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
            text = "not set"
            if value is not None:
                text = json.dumps(value, ensure_ascii=False)
            elif inferred.get((section, name)) is not None:
                text = f"{inferred[section, name]} (inferred)"
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
    return f"Made with {versions}; seed {manifest['seed']}; fingerprint of the data {fingerprint}…"
