"""Windows are cleaned by their own past alone, and only those that need it."""

import numpy as np
import pytest

from lstmcast.features.steps import Seasons
from lstmcast.features.unlikely import Recent
from lstmcast.forecasting.recent import (
    clean_values,
    describe_recent,
    find_unlikely_recent_values,
    split_windows,
)
from tests.make import panel_of, wavy

SEASON = Seasons(12, 0)


def test_a_value_is_left_out_and_a_shift_is_taken_back_to_the_start() -> None:
    y = np.array([1.0, 2, 3, 90, 5])
    unlikely = Recent(np.array([2]), np.array([4.0]))
    assert clean_values(y, unlikely)[3:].tolist() == pytest.approx(
        [np.nan, 5], nan_ok=True
    )
    nothing = np.zeros(0, np.int64)
    up = Recent(nothing, np.zeros(0), shift=2, change=10.0)
    assert clean_values(y, up).tolist() == [11, 12, 13, 90, 5]
    down = up._replace(change=-2.0)
    assert clean_values(y, down).tolist() == [0, 0, 1, 90, 5]
    factor = up._replace(is_factor=True)
    assert clean_values(y, factor).tolist() == [10, 20, 30, 90, 5]


def test_windows_are_cleaned_by_what_lies_before_their_origins() -> None:
    rng = np.random.default_rng(0)
    odd = wavy(rng, 100)
    odd[70] *= 30
    panel = panel_of([odd, wavy(rng, 100)])
    series = np.array([0, 0, 0, 1])
    origins = np.array([69, 70, 99, 70])
    parts = list(split_windows(panel, series, origins, SEASON))
    whole, cleaned = parts
    assert whole.panel is panel
    assert whole.windows.tolist() == [0, 1, 2, 3]
    assert cleaned.windows.tolist() == [1]
    assert np.isnan(cleaned.panel.values[70])
    assert cleaned.panel.lengths.tolist() == [71]
    assert not np.isnan(panel.values).any()

    # Joint series read each other: between their ends they stay as they are.
    (joint,) = split_windows(panel, series, origins, SEASON, joint=True)
    assert joint.panel is panel


def test_forecasts_from_the_ends_need_no_panel_of_their_own() -> None:
    rng = np.random.default_rng(0)
    odd = wavy(rng, 100)
    odd[-1] = 1e5
    panel = panel_of([wavy(rng, 90), odd])
    (part,) = split_windows(panel, np.arange(2), panel.lengths - 1, SEASON)
    assert np.flatnonzero(np.isnan(part.panel.values)).tolist() == [189]


def test_what_was_found_is_said_by_value_place_and_what_was_likely() -> None:
    rng = np.random.default_rng(0)
    odd = wavy(rng, 100)
    odd[-1] = 1e5
    shifted = wavy(rng, 100) + 100
    shifted[-6:] += 500
    panel = panel_of([odd, wavy(rng, 90), shifted])
    (value,), (shift,) = find_unlikely_recent_values(panel, SEASON)
    assert (value.series, value.step, value.value) == (0, 99, 1e5)
    assert (shift.series, shift.step) == (2, 94)
    unlikely_note, shift_note = describe_recent(panel, SEASON)
    assert "100000 at 2009-04-01 of s0" in unlikely_note
    assert "--last keep" in unlikely_note
    assert "shifted at 2008-11-01 of s2" in shift_note
    assert describe_recent(panel.select(np.array([1])), SEASON) == []


@pytest.mark.parametrize(("odd_series", "more"), [(3, ""), (5, " and 2 more")])
def test_the_first_unlikely_values_are_named_and_the_others_counted(
    odd_series: int, more: str
) -> None:
    rng = np.random.default_rng(0)
    series = [wavy(rng, 100) for _ in range(odd_series)]
    for y in series:
        y[-1] = 1e5
    (note,) = describe_recent(panel_of(series), SEASON)
    assert note.count("100000 at 2009-04-01 of s") == 3
    assert f" was likely{more} (--last keep" in note
