"""How a forecaster looks: one line for Python, and a few for a notebook."""

from html import escape
from typing import Any

from lstmcast.config import Config
from lstmcast.forecasting.estimator import list_changed_settings
from lstmcast.forecasting.predictor import Predictor
from lstmcast.panel.frames.description import (
    MAX_NOTES,
    describe_panel_in_a_line,
    summarise_panel,
    to_html_rows,
)


def describe_settings(config: Config) -> str:
    """Return the settings that are not the default, as arguments: `horizon=14, cell='gru'`."""
    changed = list_changed_settings(config)
    return ", ".join(f"{name}={value!r}" for name, value in changed.items())


def describe_in_a_line(
    forecaster: Predictor, quantiles: Any = None, *, is_fitted: bool
) -> str:
    """Return a forecaster as one line: its settings and, once fitted, what it was fitted to.

    quantiles: those that it gives where it is not asked for others, if they are its own.
    """
    settings = describe_settings(forecaster.config)
    if quantiles is not None:
        settings = ", ".join(filter(None, [settings, f"quantiles={quantiles!r}"]))
    line = f"Forecaster({settings})"
    if not is_fitted:
        return line
    panel = describe_panel_in_a_line(forecaster.panel)
    return f"<{line} fitted to {panel}, horizon {forecaster.horizon}>"


def describe_as_html(forecaster: Predictor, *, is_fitted: bool) -> str:
    """Return a forecaster as HTML: the verdict, what it was fitted to, and remarks."""
    facts = {"settings": describe_settings(forecaster.config) or "all as by default"}
    if not is_fitted:
        rows = to_html_rows(facts)
        return f"<p><b>Forecaster</b>, not fitted yet</p><table>{rows}</table>"

    facts |= {
        "horizon": f"{forecaster.horizon:,} steps",
        "context": f"{forecaster.context:,} steps",
        "season": f"{forecaster.season:,} steps",
        **summarise_panel(forecaster.panel),
    }
    verdict = forecaster.verdict
    sentences = [] if verdict is None else verdict.sentences()
    sentences.append(forecaster.combination.sentence())
    text = " ".join(sentences)
    notes = [f"<li>{escape(note)}</li>" for note in forecaster.notes[:MAX_NOTES]]
    listed = f"<ul>{''.join(notes)}</ul>" if notes else ""
    table = f"<table>{to_html_rows(facts)}</table>"
    return f"<p><b>Forecaster</b></p><p>{escape(text)}</p>{table}{listed}"
