"""A panel as a frame, and in words: one line, and a few lines for a notebook.

Axes: N series, T steps of a series.
"""

from html import escape
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lstmcast.errors import format_names
from lstmcast.ragged import concat_ranges

if TYPE_CHECKING:
    from lstmcast.panel.panel import Panel

MAX_NOTES = 8
"""Most notes that a description shows."""


def panel_to_frame(panel: "Panel") -> pd.DataFrame:
    """Tabulate a panel in long form: key columns, time, the target, then its covariates.

    A missing value is NaN; rows after the end of a series are those whose covariates are known.
    """
    lengths = np.maximum(panel.future_lengths, panel.lengths)
    series = np.repeat(np.arange(len(panel)), lengths)
    steps = concat_ranges(np.zeros_like(lengths), lengths)
    is_past = steps < panel.lengths[series]
    past_rows = (panel.offsets[series] + steps)[is_past]

    columns = panel.key_columns(series)
    columns[panel.axis.name] = panel.axis.stamps(panel.start[series] + steps)
    target = panel.columns.target[0] if len(panel.columns.target) == 1 else "value"
    values = np.full(len(series), np.nan)
    values[is_past] = panel.values[past_rows]
    columns[target] = values

    for place, name in enumerate(panel.past_names):
        values = np.full(len(series), np.nan)
        values[is_past] = panel.past[past_rows, place]
        columns[name] = values
    for place, name in enumerate(panel.future_names):
        values = np.full(len(series), np.nan)
        is_known = steps < panel.future_lengths[series]
        rows = (panel.future_offsets[series] + steps)[is_known]
        values[is_known] = panel.future[rows, place]
        columns[name] = values
    for place, name in enumerate(panel.static_names):
        columns[name] = panel.static[series, place]
    return pd.DataFrame(columns)


def summarise_panel(panel: "Panel") -> dict[str, str]:
    """Return what there is to know of a panel at first sight, by what it is about."""
    lengths = panel.lengths
    first = int(panel.start.min())
    last = int((panel.start + lengths).max()) - 1
    begins, ends = panel.axis.texts(np.array([first, last]))
    steps = f"{len(panel.values):,}"
    if len(panel) > 1:
        steps += f", {lengths.min():,} to {lengths.max():,} a series"

    missing = int(np.isnan(panel.values).sum())
    facts = {
        "target": ", ".join(panel.columns.target),
        "series": f"{len(panel):,}",
        "steps": steps,
        "frequency": f"{panel.axis.grid.words} ({panel.axis.freq})",
        "time": f"{panel.axis.name}, {begins} to {ends}",
        "missing": f"{missing:,} of {len(panel.values):,} values",
    }
    if panel.key_names:
        names = ["/".join(key) for key in panel.keys[:3]]
        facts["series"] += f" ({format_names(names, len(panel))})"
    for role, names in panel.covariates.items():
        if names:
            facts[f"{role} covariates"] = format_names(names, most=8)
    return facts


def describe_panel_in_a_line(panel: "Panel") -> str:
    """Return a short text of a panel, as Python shows it."""
    if not len(panel) or not len(panel.values):
        return f"Panel({len(panel)} series, no steps)"
    facts = summarise_panel(panel)
    _, _, span = facts["time"].partition(", ")
    count = f"{len(panel):,} series" if len(panel) > 1 else "one series"
    steps = f"{len(panel.values):,} steps"
    return (
        f"Panel({count} of {facts['target']!r}, {steps}, {facts['frequency']}, {span})"
    )


def describe_panel_as_html(panel: "Panel") -> str:
    """Return a small table of a panel and the notes on it, for a notebook."""
    if not len(panel) or not len(panel.values):
        return f"<p>{escape(describe_panel_in_a_line(panel))}</p>"
    rows = to_html_rows(summarise_panel(panel))
    notes = [f"<li>{escape(note)}</li>" for note in panel.notes[:MAX_NOTES]]
    hidden = len(panel.notes) - MAX_NOTES
    if hidden > 0:
        notes.append(f"<li>and {hidden} more: see .notes</li>")
    listed = f"<ul>{''.join(notes)}</ul>" if notes else ""
    return f"<p><b>Panel</b></p><table>{rows}</table>{listed}"


def to_html_rows(facts: dict[str, str]) -> str:
    """Return the rows of a table with a name and a text each."""
    cells = (
        f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>"
        for name, text in facts.items()
    )
    return "".join(cells)
