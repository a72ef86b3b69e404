"""Series laid end to end: those that pause, have ended, or share a step are said and kept."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from lstmcast.errors import DataError
from lstmcast.panel.panel import Panel


def sold_on(parts: dict[str, list[tuple[str, int]]]) -> pd.DataFrame:
    """Series by name, each of parts with a first day and a number of days."""
    days: list[tuple[str, pd.Timestamp]] = []
    for name, spans in parts.items():
        for first, count in spans:
            dates = pd.date_range(first, periods=count)
            days += [(name, day) for day in dates]
    frame = pd.DataFrame(days, columns=["id", "t"])
    return frame.assign(y=np.arange(len(frame)) % 7 + 1.0)


ON_AND_OFF = sold_on(
    {
        "always": [("2022-01-01", 300)],
        "paused": [("2022-01-01", 60), ("2022-09-01", 57)],
        "gone": [("2022-01-01", 100)],
        "typed": [("2022-01-01", 60), ("2022-10-01", 1)],
    }
)


def panel_of_sales(**options: Any) -> Panel:
    return Panel.from_frame(ON_AND_OFF, target="y", time="t", series="id", **options)


def notes_with(panel: Panel, words: str) -> list[str]:
    return [note for note in panel.notes if words in note]


def test_a_series_that_pauses_is_kept_and_said() -> None:
    panel = panel_of_sales()
    assert [key for (key,) in panel.keys] == ["always", "paused", "gone"]
    [pause] = notes_with(panel, "pause for more than 14 steps")
    assert "1 series" in pause
    assert "paused" in pause
    assert "--fill zero" in pause
    [skipped] = notes_with(panel, "more than half of their steps missing")
    assert "typed" in skipped
    assert not notes_with(panel_of_sales(fill="zero"), "pause for")


def test_series_that_ended_are_said_kept_dropped_or_extended() -> None:
    kept = panel_of_sales()
    [note] = notes_with(kept, "end before")
    assert note.startswith("1 of 3 series end before 2022-10-27: gone")

    dropped = panel_of_sales(ended="drop")
    assert [key for (key,) in dropped.keys] == ["always", "paused"]
    assert notes_with(dropped, "left out")

    extended = panel_of_sales(ended="extend")
    ends = extended.start + extended.lengths
    assert (ends == ends[0]).all()
    assert np.isnan(extended.series(2)[100:]).all()
    # What lies after the end of a series is no gap in it.
    gaps = {note.split(" in ")[0] for note in notes_with(extended, "missing rows")}
    assert gaps == {note.split(" in ")[0] for note in notes_with(kept, "missing rows")}


def test_a_single_series_that_pauses_is_kept() -> None:
    paused = ON_AND_OFF[ON_AND_OFF["id"] == "paused"].drop(columns="id")
    panel = Panel.from_frame(paused, target="y")
    assert panel.lengths.tolist() == [300]
    assert notes_with(panel, "there are pauses for more than 14 steps")


def test_rows_moved_to_one_step_are_duplicates() -> None:
    quarters = pd.date_range("2022-01-01", periods=60, freq="15min")
    seconds = np.random.default_rng(0).integers(-20, 21, 60)
    stamps = [*(quarters + pd.to_timedelta(seconds, unit="s")), quarters[9]]
    frame = pd.DataFrame({"t": stamps, "y": [*range(60), 109.0]})
    with pytest.raises(DataError, match="1 row repeats a time stamp: .*02:15:00"):
        Panel.from_frame(frame, target="y")
    panel = Panel.from_frame(frame, target="y", duplicates="mean")
    assert panel.series(0)[9] == (9 + 109) / 2
    assert len(panel.values) == 60
