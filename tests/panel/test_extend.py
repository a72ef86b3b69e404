"""A later panel beside the one that was trained on: history that it lacks, and its notes."""

import numpy as np
import pandas as pd
import pytest

from lstmcast.errors import DataError
from lstmcast.panel import extend
from lstmcast.panel.extend import with_training_history
from lstmcast.panel.panel import Panel

DAYS = pd.date_range("2024-01-01", periods=40)
TRAINED = 20


def frame(
    shops: str = "ab", first: int = 0, last: int = 40, known: int = 40
) -> pd.DataFrame:
    """Days `first` to `last` of some shops, without sales from day `known` on."""
    parts = [
        pd.DataFrame(
            {
                "shop": shop,
                "day": DAYS,
                "sold": np.arange(40.0) + 100 * n,
                "heat": np.arange(40.0) + n,
            }
        )
        .assign(price=np.arange(40.0) * (n + 1), region="ns"[n % 2])
        .assign(sold=lambda part: part["sold"].where(np.arange(40) < known))
        .iloc[first:last]
        for n, shop in enumerate(shops)
    ]
    return pd.concat(parts, ignore_index=True)


def panel(rows: pd.DataFrame, like: Panel | None = None) -> Panel:
    if like is not None:
        return Panel.from_frame(rows, like=like)
    return Panel.from_frame(
        rows, target="sold", series="shop", past="heat", future="price", static="region"
    )


@pytest.fixture(scope="module")
def known() -> Panel:
    """What a run keeps: its first 20 days, and prices for 25."""
    return panel(frame(last=25, known=TRAINED))


@pytest.mark.parametrize("first", [5, TRAINED, 23])
def test_only_new_rows_become_what_the_whole_file_gives(
    first: int, known: Panel
) -> None:
    later = panel(frame(first=first, known=35), known)
    whole = panel(frame(known=35), known)
    joined = with_training_history(later, known, 100)
    if (
        first > TRAINED
    ):  # what neither holds stays missing; the run's plan of prices reaches further than its sales
        gaps = np.isnan(joined.values.reshape(2, -1)).any(axis=0)
        assert np.flatnonzero(gaps).tolist() == list(range(TRAINED, first))
        assert not np.isnan(joined.future).any()
        assert joined.lengths.tolist() == whole.lengths.tolist()
    else:
        assert joined.fingerprint() == whole.fingerprint()
    assert any("the run's own past goes before" in note for note in joined.notes)
    assert (
        with_training_history(joined, known, 35).fingerprint() == joined.fingerprint()
    )


def test_only_series_that_are_too_short_take_from_the_past_of_the_run(
    known: Panel,
) -> None:
    rows = pd.concat([frame("a", first=10), frame("ab", first=30).query("shop == 'b'")])
    joined = with_training_history(panel(rows, known), known, 15)
    assert dict(zip(joined.keys, joined.lengths.tolist(), strict=True)) == {
        ("a",): 30,
        ("b",): 40,
    }
    assert joined.series(1)[:TRAINED].tolist() == known.series(1).tolist()


def test_from_the_end_of_the_training_on_long_new_rows_need_the_past_too(
    known: Panel,
) -> None:
    later = panel(frame(first=TRAINED), known)
    assert with_training_history(later, known, 15).lengths.tolist() == [20, 20]
    assert with_training_history(later, known, 15, since=True).lengths.tolist() == [
        40,
        40,
    ]


def test_the_past_goes_before_however_long_the_gap(known: Panel) -> None:
    joined = with_training_history(panel(frame(first=39), known), known, 10)
    assert joined.lengths.tolist() == [40, 40]
    missing = np.flatnonzero(np.isnan(joined.series(0)))
    assert missing.tolist() == list(range(TRAINED, 39))


def test_a_gap_that_would_take_the_memory_is_not_filled(
    known: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extend, "MAX_GAP_STEPS", 31)
    joined = with_training_history(panel(frame(first=36), known), known, 10)
    assert joined.lengths.tolist() == [4, 4]
    assert any("forecast from what there is" in note for note in joined.notes)


def test_unseen_missing_and_early_series_and_changed_static_values_are_noted(
    known: Panel,
) -> None:
    later = pd.concat(
        [frame("abc").query("shop == 'c'"), frame("a", last=30).assign(region="s")]
    )
    notes = with_training_history(panel(later, known), known, 10).notes
    assert (
        "not seen in training: 1 of 2 series (c); forecast from their own history"
        in notes
    )
    assert "series of the training that are missing here: 1 of 2 series (b)" in notes
    assert (
        "end before 2024-02-09: 1 of 2 series (a);"
        " each is forecast from its own end, as from 2024-01-30"
    ) in notes
    assert (
        "static covariate 'region' changed since training: 1 of 2 series (a)" in notes
    )


def test_the_same_series_again_leave_nothing_to_say(known: Panel) -> None:
    assert (
        with_training_history(panel(frame(), known), known, 15).notes
        == panel(frame(), known).notes
    )
    assert with_training_history(known, known, 100) is not known
    assert with_training_history(known, known, 100).notes == known.notes


def test_another_frequency_or_other_covariates_are_refused(known: Panel) -> None:
    with pytest.raises(
        DataError, match=r"the covariates are none, those of the training"
    ):
        with_training_history(
            Panel.from_frame(frame(), target="sold", series="shop"), known, 10
        )
    hourly = frame().assign(
        day=frame()
        .groupby("shop")
        .cumcount()
        .map(lambda i: DAYS[0] + pd.Timedelta(hours=i))
    )
    with pytest.raises(
        DataError, match=r"the data are hourly \(h\), those of the training daily \(D\)"
    ):
        with_training_history(panel(hourly), known, 10)


def test_rows_that_reach_far_enough_back_need_no_history(known: Panel) -> None:
    # Six days before the end of the training are as many as are looked back on.
    later = panel(frame(first=TRAINED - 6, known=35), known)
    joined = with_training_history(later, known, 6, since=True)
    assert joined.start.tolist() == later.start.tolist()
    np.testing.assert_array_equal(joined.values, later.values)
    # Four days are fewer, so the history goes before them.
    later = panel(frame(first=TRAINED - 4, known=35), known)
    joined = with_training_history(later, known, 6, since=True)
    assert joined.start.tolist() == known.start.tolist()


def test_new_series_are_appended_with_their_static_covariates(known: Panel) -> None:
    later = panel(frame("bcd", known=35), known)
    longer = extend.append_new_series(known, later)
    assert longer.keys == (("a",), ("b",), ("c",), ("d",))
    np.testing.assert_array_equal(longer.static[:2], known.static)
    np.testing.assert_array_equal(longer.static[2:], later.static[1:])
    np.testing.assert_array_equal(longer.series(3), later.series(2))
