"""Known-future covariates of a table of their own lie where rows of the panel would have them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lstmcast import Panel
from lstmcast.config import Columns
from lstmcast.errors import DataError, UsageError
from lstmcast.panel.future_data import with_future_data
from lstmcast.tables.read import read_table
from lstmcast.tables.table import Table

TIMES = pd.date_range("2024-01-01", periods=12, freq="D")


def whole(shops: str = "ab") -> pd.DataFrame:
    """Twelve days a shop, of which the last four have no sales yet."""
    parts = [
        pd.DataFrame(
            {
                "shop": shop,
                "day": TIMES,
                "sold": np.r_[np.arange(8.0) + 10 * number, [np.nan] * 4],
                "returned": np.r_[np.arange(8.0), [np.nan] * 4],
                "price": np.arange(12.0) + 100 * number,
                "event": ["no", "fair", "sale"] * 4,
            }
        )
        for number, shop in enumerate(shops)
    ]
    return pd.concat(parts, ignore_index=True)


def panel(frame: pd.DataFrame, target: str | tuple[str, ...] = "sold") -> Panel:
    return Panel.from_frame(
        frame, target=target, time="day", series="shop", future=["price", "event"]
    )


def plan(frame: pd.DataFrame) -> Table:
    return Table(frame[frame["sold"].isna()][["price", "event", "day", "shop"]], "plan")


@pytest.mark.parametrize("target", ["sold", ("sold", "returned")])
def test_a_plan_from_a_table_of_its_own_is_the_same_as_rows_with_an_empty_target(
    target: str | tuple[str, ...],
) -> None:
    frame = whole()
    expected = panel(frame, target)
    history = panel(frame.dropna(), target)
    assert history.ahead.tolist() == [0] * len(history)
    planned = with_future_data(history, plan(frame))
    assert planned.ahead.tolist() == [4] * len(planned)
    assert planned.fingerprint() == expected.fingerprint()
    assert (
        with_future_data(expected, plan(frame)).fingerprint() == expected.fingerprint()
    )


def test_the_order_of_rows_does_not_matter_and_history_is_left_as_it_is() -> None:
    frame = whole()
    history = panel(frame.dropna())
    mixed = frame.assign(
        price=np.where(frame["sold"].isna(), frame["price"], -1.0)
    ).sample(frac=1, random_state=1)
    planned = with_future_data(history, Table(mixed.reset_index(drop=True), "plan"))
    assert planned.fingerprint() == panel(frame).fingerprint()
    assert history.ahead.tolist() == [0, 0]


def test_a_series_without_a_plan_keeps_what_it_had() -> None:
    frame = whole()
    planned = with_future_data(
        panel(frame.dropna()), plan(whole("b").assign(price=7.0))
    )
    assert planned.ahead.tolist() == [0, 4]
    assert (planned.future[-4:, 0] == 7).all()


def test_notes_say_how_much_of_a_plan_lies_ahead_and_when() -> None:
    history = panel(whole().dropna())
    assert with_future_data(history, plan(whole())).notes[-1] == (
        "known ahead: 8 of 8 rows come after the data, from 2024-01-09 to 2024-01-12"
    )
    early = plan(whole()).frame.assign(day=np.tile(TIMES[:4], 2))
    assert with_future_data(history, Table(early, "plan")).notes[-1] == (
        "known ahead: none of 8 rows is of a known series and after its end;"
        " the data end at 2024-01-08"
    )


def test_a_plan_of_text_is_read_like_the_data(tmp_path: Path) -> None:
    frame = whole().assign(day=whole()["day"].dt.strftime("%d.%m.%Y"))
    frame.to_csv(tmp_path / "all.csv", index=False)
    frame[frame["sold"].notna()].to_csv(tmp_path / "past.csv", index=False)
    frame[frame["sold"].isna()].drop(columns="sold").to_csv(
        tmp_path / "plan.csv", index=False
    )
    columns = Columns(("sold",), ("day",), ("shop",), future=("price", "event"))
    expected, history = (
        Panel.from_table(read_table(tmp_path / f"{name}.csv"), columns)
        for name in ("all", "past")
    )
    assert (
        with_future_data(history, read_table(tmp_path / "plan.csv")).fingerprint()
        == expected.fingerprint()
    )


def test_a_plan_that_cannot_be_used_is_refused() -> None:
    frame = whole()
    with pytest.raises(DataError, match="no column 'price'"):
        with_future_data(
            panel(frame), Table(plan(frame).frame.drop(columns="price"), "plan")
        )
    with pytest.raises(UsageError, match="known ahead"):
        with_future_data(
            Panel.from_frame(frame, target="sold", time="day", series="shop"),
            plan(frame),
        )
