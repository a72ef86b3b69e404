"""A panel is a frame again, a line, and a few lines of HTML."""

from html import escape

import numpy as np
import pandas as pd

from lstmcast.panel.frames.description import (
    describe_panel_as_html,
    describe_panel_in_a_line,
    panel_to_frame,
    summarise_panel,
)
from lstmcast.panel.panel import Panel

FRAME = pd.DataFrame(
    {
        "unique_id": ["a"] * 6 + ["b"] * 4,
        "ds": [*pd.date_range("2024-01-01", periods=6)]
        + [*pd.date_range("2024-01-03", periods=4)],
        "y": [1.0, 2, np.nan, 4, np.nan, np.nan, 5, 6, 7, 8],
        "price": np.arange(10.0),
        "size": [1.0] * 6 + [2.0] * 4,
    }
)
PANEL = Panel.from_frame(FRAME, future="price", static="size")


def test_a_panel_is_the_frame_that_it_was_made_of() -> None:
    pd.testing.assert_frame_equal(panel_to_frame(PANEL), FRAME)


def test_a_line_has_what_there_is_at_first_sight() -> None:
    assert describe_panel_in_a_line(PANEL) == (
        "Panel(2 series of 'y', 8 steps, daily (D), 2024-01-01 to 2024-01-06)"
    )
    assert "no steps" in describe_panel_in_a_line(PANEL.select(np.array([], np.int64)))


def test_the_facts_count_what_is_missing_and_name_covariates() -> None:
    facts = summarise_panel(PANEL)
    assert facts["missing"] == "1 of 8 values"
    assert facts["series"] == "2 (a, b)" and facts["future covariates"] == "price"


def test_names_are_no_markup_in_html() -> None:
    panel = Panel.from_frame(FRAME.replace({"unique_id": {"a": "<b>"}}))
    page = describe_panel_as_html(panel)
    assert "&lt;b&gt;" in page and "<b>," not in page
    assert panel.notes and all(escape(note) in page for note in panel.notes)
