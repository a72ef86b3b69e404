"""What columns seem to be, and the roles they get where none are requested."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lstmcast.config import Columns, DataConfig
from lstmcast.errors import DataError, UsageError
from lstmcast.inspection.columns import (
    infer_only_target,
    infer_roles,
    profile_columns,
    propose_series_columns,
    with_column_roles,
)
from lstmcast.tables.read import read_table
from lstmcast.tables.table import Table

DAYS = pd.date_range("2024-01-01", periods=60)


def table(**columns: object) -> Table:
    return Table(pd.DataFrame({"day": DAYS, **columns}), "t")


def inferred(data: Table, **requested: tuple[str, ...]) -> Columns:
    return infer_roles(data, profile_columns(data), requested)


def could(data: Table) -> dict[str, tuple[str, ...]]:
    profiles = profile_columns(data)
    return {
        column.name: column.could
        for column in with_column_roles(
            data, profiles, infer_roles(data, profiles, {}), DataConfig()
        )
    }


def test_kinds_of_columns_are_seen() -> None:
    data = table(
        n=np.arange(60) % 7,
        name=["a", "b"] * 30,
        none=[None] * 60,
        some=[1.5, np.nan] * 30,
    )
    profiles = {
        column.name: (column.kind, column.missing, column.distinct, column.first)
        for column in profile_columns(data)
    }
    assert profiles == {
        "day": ("time", 0, 60, "2024-01-01 00:00:00"),
        "n": ("number", 0, 7, "0"),
        "name": ("text", 0, 2, "a"),
        "none": ("empty", 60, 0, ""),
        "some": ("number", 30, 1, "1.5"),
    }


def test_the_target_is_neither_a_flag_nor_a_row_number() -> None:
    rng = np.random.default_rng(0)
    data = table(row=np.arange(60), flag=np.arange(60) % 2, sold=rng.normal(size=60))
    assert inferred(data).target == ("sold",)
    assert inferred(table(flag=np.arange(60) % 2)).target == ("flag",)
    assert inferred(table(heat=rng.normal(size=60), y=np.arange(60) % 3)).target == (
        "y",
    )


def test_the_series_are_the_fewest_columns_that_separate_rows_of_one_time() -> None:
    parts = [
        pd.DataFrame({"day": DAYS, "shop": s, "item": i, "y": np.arange(60.0)})
        for s in "ab"
        for i in (7, 8)
    ]
    both = Table(pd.concat(parts, ignore_index=True), "t")
    assert inferred(both).series == ("shop", "item")
    single = Table(both.frame[both.frame["item"] == 7].reset_index(drop=True), "t")
    assert inferred(single).series == ("shop",)
    assert inferred(single, series=("item", "shop")).series == ("item", "shop")


def test_a_time_that_comes_twice_by_mistake_makes_no_series_of_the_values() -> None:
    days = DAYS.to_series().reset_index(drop=True)
    days[59] = days[58]
    assert (
        inferred(Table(pd.DataFrame({"day": days, "y": np.arange(60) % 7}), "t")).series
        == ()
    )


def test_roles_a_column_could_have_follow_from_what_it_holds() -> None:
    parts = [
        pd.DataFrame(
            {
                "day": DAYS,
                "shop": s,
                "region": r,
                "y": np.arange(60.0),
                "price": np.arange(60) % 3,
            }
        )
        .assign(
            heat=np.r_[np.arange(50.0), [np.nan] * 10],
            note=[f"text {s}{i}" for i in range(60)],
        )
        .assign(y=np.r_[np.arange(50.0), [np.nan] * 10], one=1)
        for s, r in (("a", "n"), ("b", "s"), ("c", "n"))
    ]
    data = Table(
        pd.concat(parts * 2, ignore_index=True).drop_duplicates(ignore_index=True), "t"
    )
    found = could(data)
    assert (found["region"], found["price"], found["one"]) == (
        ("static",),
        ("future",),
        (),
    )
    assert found["heat"] == ("past", "target")
    assert (found["shop"], found["day"], found["y"]) == ((), (), ())


def test_a_column_that_numbers_the_rows_has_no_role() -> None:
    assert could(
        table(no=np.arange(60), y=np.arange(60.0) % 7, heat=np.arange(60.0) ** 2)
    ) == {
        **dict.fromkeys(("day", "no", "y"), ()),
        "heat": ("past", "target"),
    }


def test_a_second_column_of_times_could_be_the_time() -> None:
    assert could(table(paid=DAYS, y=np.arange(60.0) % 7))["paid"] == ("time",)


def test_no_numbers_and_unknown_columns_are_errors() -> None:
    with pytest.raises(DataError, match="no column of numbers"):
        inferred(table(name=["a", "b"] * 30))
    with pytest.raises(DataError, match="no column 'z'"):
        inferred(table(y=np.arange(60.0)), target=("z",))


def test_the_time_of_day_beside_a_column_of_days_is_part_of_the_time(
    tmp_path: Path,
) -> None:
    quarters = pd.date_range("2024-01-01", periods=2000, freq="15min")
    rows = "".join(
        f"{at:%d/%m/%Y},{at:%H:%M},{i % 7}\n" for i, at in enumerate(quarters)
    )
    (tmp_path / "t.csv").write_text("Date,Time,kW\n" + rows)
    roles = inferred(read_table(tmp_path / "t.csv"))
    assert (roles.time, roles.series, roles.target) == (("Date", "Time"), (), ("kW",))


def test_a_table_that_lies_on_its_side_is_refused(tmp_path: Path) -> None:
    header = ",".join(f"2024-01-{day:02}" for day in range(1, 21))
    (tmp_path / "t.csv").write_text(
        f"shop,{header}\n" + "".join(f"{shop},{'5,' * 19}6\n" for shop in "abc")
    )
    with pytest.raises(DataError, match="times stand in the header, as '2024-01-01'"):
        inferred(read_table(tmp_path / "t.csv"))


def test_a_column_that_is_nearly_of_numbers_is_named_where_there_is_none_of_numbers(
    tmp_path: Path,
) -> None:
    (tmp_path / "t.csv").write_text(
        "date;y\n" + "".join(f"2024-01-{day:02};1'0{day:02}\n" for day in range(1, 31))
    )
    with pytest.raises(
        DataError, match="column 'y': \"1'001\" is not a number"
    ) as caught:
        inferred(read_table(tmp_path / "t.csv"))
    assert "--thousands" in caught.value.hint


THIRTY_DAYS = list(pd.date_range("2024-01-01", periods=30).strftime("%Y-%m-%d"))


def test_the_only_column_of_numbers_is_the_target() -> None:
    data = table(day=THIRTY_DAYS, note=["x"] * 30, sold=np.arange(30) ** 2)
    assert infer_only_target(data, {}) == "sold"


def test_a_column_with_another_role_or_that_numbers_the_rows_is_no_target() -> None:
    values = np.sin(np.arange(30))
    data = table(row=range(30), day=THIRTY_DAYS, price=values * 2, sold=values)
    assert infer_only_target(data, {"past": ("price",)}) == "sold"
    # Numbers that name the series are none either.
    long = table(
        day=THIRTY_DAYS * 3, shop=np.repeat([7, 8, 9], 30), sold=np.arange(90) % 37
    )
    assert infer_only_target(long, {}) == "sold"


def test_several_columns_of_numbers_are_listed_the_likeliest_first() -> None:
    values = np.sin(np.arange(30))
    data = table(day=THIRTY_DAYS, x=values, y=values, z=[*range(2)] * 15)
    message = "has 3 columns of numbers: 'y', 'x', 'z'"
    with pytest.raises(UsageError, match=message) as caught:
        infer_only_target(data, {})
    assert caught.value.hint.endswith("such as --target y")


def test_no_column_of_numbers_is_an_error_of_the_data() -> None:
    with pytest.raises(DataError, match="no column of numbers"):
        infer_only_target(table(day=THIRTY_DAYS, note=["x", "y"] * 15), {})


def test_the_columns_that_tell_series_apart_are_proposed() -> None:
    shops, items = np.repeat(["a", "b", "c", "d"], 30), np.repeat([1, 2], 60)
    data = table(day=THIRTY_DAYS * 4, shop=shops, item=items, sold=np.arange(120) % 37)
    assert propose_series_columns(data, Columns(("sold",))) == ("shop",)
    # Numbers alone may name the series, too, once the target is known.
    ids = table(day=THIRTY_DAYS * 4, shop=np.repeat([1, 2, 3, 4], 30), sold=range(120))
    assert propose_series_columns(ids, Columns(("sold",))) == ("shop",)


def test_a_key_that_lacks_a_column_is_completed() -> None:
    shops = np.repeat(["a", "b"], 60)
    items = np.tile(np.repeat(["x", "y"], 30), 2)
    data = table(day=THIRTY_DAYS * 4, shop=shops, item=items, sold=np.arange(120) % 37)
    columns = Columns(("sold",), ("day",), ("shop",))
    assert propose_series_columns(data, columns) == ("item",)


def test_nothing_is_proposed_where_no_column_tells_rows_apart() -> None:
    data = table(day=THIRTY_DAYS * 2, note=["x"] * 60, sold=np.arange(60) % 37)
    assert propose_series_columns(data, Columns(("sold",))) == ()
