"""Series that ended before the others, and series that were away, are told."""

import numpy as np

from lstmcast.inspection.findings import inspect_panel
from lstmcast.inspection.lifetimes import (
    count_steps_of_absence,
    describe_ended_series,
    find_ended_series,
)
from tests.make import panel_of, wavy


def months(*lengths: int) -> list[np.ndarray]:
    return [wavy(np.random.default_rng(n), n) for n in lengths]


def test_series_that_ended_early_are_told_with_the_first_of_them() -> None:
    panel = panel_of(months(120, 60, 119, 90))
    ended = find_ended_series(panel, 24)
    assert (ended.series.tolist(), ended.steps.tolist()) == ([1, 3], [60, 30])
    finding = describe_ended_series(panel, 24)
    assert finding is not None
    assert finding.found == (
        "2 of 4 series ended early (s1, s3), the first at 2005-12-01,"
        " 60 steps before the last one at 2010-12-01"
    )
    assert (finding.certainty, len(finding.alternatives)) == ("likely", 1)


def test_empty_cells_at_the_end_are_an_end_too() -> None:
    one, other = months(120, 120)
    other[80:] = np.nan
    panel = panel_of([one, other])
    assert find_ended_series(panel, 24).steps.tolist() == [40]


def test_of_one_series_or_of_series_that_go_on_nothing_is_said() -> None:
    assert describe_ended_series(panel_of(months(120)), 24) is None
    assert describe_ended_series(panel_of(months(120, 110)), 24) is None


def test_a_long_pause_is_asked_about() -> None:
    one, other = months(120, 120)
    other[40:80] = np.nan
    found = {one.name: one for one in inspect_panel(panel_of([one, other])).findings}
    away = found["away"]
    assert (away.figures["longest"], away.certainty) == (40, "guess")
    assert "--fill zero" in away.done and away.found.startswith("1 of 2 series")
    other[40:80] = 1.0
    names = {one.name for one in inspect_panel(panel_of([one, other])).findings}
    assert "away" not in names


def test_an_absence_is_two_seasons_or_a_horizon() -> None:
    assert count_steps_of_absence(14, 7) == 14
    assert count_steps_of_absence(4, 12) == 24
