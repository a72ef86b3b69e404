"""Judged rows draw themselves with pyplot."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

import lstmcast
from lstmcast import Detection, Forecaster, UsageError
from tests.reporting.make import make_panel_table, make_table

pyplot = pytest.importorskip("matplotlib.pyplot")
pyplot.switch_backend("agg")

POINT = (1, "point", "error, range")


def test_a_forecaster_finds_what_can_be_drawn() -> None:
    rng = np.random.default_rng(0)
    stamps = pd.date_range("2025-01-01", periods=300).strftime("%d.%m.%Y")
    values = 20 + 5 * np.sin(np.arange(300) * 2 * np.pi / 7) + rng.normal(size=300)
    values[270] = 90
    frame = pd.DataFrame({"day": stamps, "celsius": values})
    forecaster = Forecaster(steps=0, horizon=7).fit(frame[:250], target="celsius")
    for found in (forecaster.detect(frame), lstmcast.detect(forecaster, frame)):
        assert isinstance(found, Detection) and repr(found).startswith("<Detection: ")
        axes = found.plot(history=50)
        # Stamps in the user's own form are times all the same.
        assert axes.get_ylabel() == "celsius" and not axes.get_xlabel()
        assert any(text.get_text().startswith("1 ") for text in axes.texts)
    assert found.target == "celsius" and len(found.events)


def test_series_are_chosen_as_for_other_pictures() -> None:
    table = make_panel_table(
        **{name: make_table(9, {5: POINT} if name == "c" else {}) for name in "abc"}
    )
    found = Detection(table)
    assert len(found.plot()) == 3
    assert found.plot(series="worst")[0].get_title(loc="left") == "c"
    assert found.plot(series=["b"]).get_title(loc="left") == "b"
    assert len(found.plot(series=2)) == 2
    with pytest.raises(UsageError, match="no series is called 'd'"):
        found.plot(series="d")
    with pytest.raises(UsageError, match="no row to draw"):
        dataclasses.replace(found, rows=table[:0]).plot()
