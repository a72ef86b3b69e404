"""A run's panel and a later one merged into one."""

import numpy as np
import pandas as pd
import pytest

from lstmcast.errors import DataError
from lstmcast.panel.merge import MergedPanel, merge_panels
from lstmcast.panel.panel import Panel
from tests.panel.test_extend import TRAINED, frame, panel


@pytest.fixture(scope="module")
def known() -> Panel:
    """What a run keeps: its first 20 days, and prices for 25."""
    return panel(frame(last=25, known=TRAINED))


def merged(rows: pd.DataFrame, known: Panel) -> MergedPanel:
    return merge_panels(known, panel(rows, like=known))


@pytest.mark.parametrize("first", [0, 5, TRAINED])
def test_all_rows_or_only_new_ones_give_what_reading_all_at_once_gives(
    first: int, known: Panel
) -> None:
    result, whole = (
        merged(frame(first=first, last=36, known=30), known),
        panel(frame(last=36, known=30)),
    )
    assert result.panel.fingerprint() == whole.fingerprint()
    assert (result.rows, result.late, result.changed, result.known.tolist()) == (
        20,
        0,
        0,
        [0, 1],
    )


def test_what_the_run_has_already_is_nothing_new(known: Panel) -> None:
    result = merged(frame(first=3, last=20, known=15), known)
    assert (result.rows, result.late, result.changed) == (0, 0, 0)
    assert result.panel.fingerprint() == known.fingerprint()


def test_series_come_and_go(known: Panel) -> None:
    rows = frame("abc", last=30, known=30)
    result = merged(rows[rows["shop"] != "a"], known)
    assert result.panel.keys == (("a",), ("b",), ("c",))
    assert result.panel.lengths.tolist() == [20, 30, 30]
    assert (result.rows, result.known.tolist()) == (10 + 30, [0, 1, -1])
    np.testing.assert_array_equal(result.panel.series(0), known.series(0))
    assert result.panel.notes == (
        "series of the run that are missing here: 1 of 2 series (a); they stay as they are",
        "new series: 1 of 2 series (c)",
    )


def test_rows_older_than_those_of_the_run_are_no_news_and_are_noted() -> None:
    result = merged(
        frame(last=22, known=TRAINED + 2),
        panel(frame(first=4, last=TRAINED, known=TRAINED)),
    )
    assert (result.rows, result.changed) == (4, 0)
    assert result.panel.lengths.tolist() == [22, 22]
    assert (
        result.panel.notes[-1]
        == "8 rows are older than those of the run, and cannot be compared"
    )


def test_days_between_are_missing_and_come_late(known: Panel) -> None:
    gap = merged(frame(first=25, last=30, known=30), known)
    assert np.isnan(gap.panel.series(0)[TRAINED:25]).all()
    late = merge_panels(gap.panel, panel(frame(last=30, known=30), like=known))
    assert (late.rows, late.changed) == (0, 0)
    assert late.late == 2 * 5 * 2  # of two shops, what was sold and the heat
    assert late.panel.fingerprint() == panel(frame(last=30, known=30)).fingerprint()


@pytest.mark.parametrize(
    ("column", "day", "value", "described"),
    [
        ("sold", 7, 0.5, "b, 2024-01-08, sold: 107 -> 0.5"),
        ("sold", 7, np.nan, "b, 2024-01-08, sold: 107 -> missing"),
        ("heat", 19, 0.5, "b, 2024-01-20, heat: 20 -> 0.5"),
        ("price", 0, 3.0, "b, 2024-01-01, price: 0 -> 3"),
    ],
)
def test_what_is_not_what_it_was_is_named(
    column: str, day: int, value: float, described: str, known: Panel
) -> None:
    rows = frame(last=30, known=30)
    rows.loc[30 + day, column] = value
    result = merged(rows, known)
    assert (result.changed, result.first) == (1, described)


def test_a_plan_may_change_until_its_day_has_come(known: Panel) -> None:
    rows = frame(last=30, known=30)
    rows.loc[22, "price"] = 3.0
    result = merged(rows, known)
    assert result.changed == 0
    assert result.panel.future[22, 0] == 3.0


def test_another_frequency_is_refused(known: Panel) -> None:
    rows = frame(last=30, known=30)
    weekly = panel(rows[rows["day"].dt.day_of_week == 0])
    with pytest.raises(DataError, match="weekly"):
        merge_panels(known, weekly)


@pytest.mark.parametrize("share", [1e-2, -1e-3, 1e-6, -1e-8])
def test_a_value_that_changed_by_any_share_that_a_file_can_write_has_changed(
    share: float, known: Panel
) -> None:
    rows = frame(last=25, known=25)
    one = (rows["shop"] == "b") & (rows["day"] == rows["day"].iloc[7])
    for column in ("sold", "heat", "price"):
        changed = rows.assign(**{column: rows[column] * np.where(one, 1 + share, 1)})
        result = merged(changed, known)
        assert result.changed == 1, column
        assert f"b, 2024-01-08, {column}: " in result.first


def test_a_value_that_was_added_up_in_another_order_has_not_changed(
    known: Panel,
) -> None:
    rows = frame(last=25, known=25)
    result = merged(rows.assign(sold=rows["sold"] * (1 + 1e-13)), known)
    assert (result.changed, result.first) == (0, "")


def test_several_new_series_come_after_those_of_the_run_in_their_own_order(
    known: Panel,
) -> None:
    rows = frame("abcd", last=30, known=30)
    result = merged(rows, known)
    assert result.panel.keys == (("a",), ("b",), ("c",), ("d",))
    assert result.known.tolist() == [0, 1, -1, -1]
    assert result.panel.fingerprint() == panel(rows).fingerprint()
