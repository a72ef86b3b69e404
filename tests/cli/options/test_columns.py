from pathlib import Path

import pandas as pd
import pytest

from lstmcast.cli.options.columns import ColumnOptions
from lstmcast.config import Columns
from lstmcast.errors import UsageError


def test_columns_get_their_roles() -> None:
    options = ColumnOptions(
        target=["y"],
        time=["t"],
        series=["a", "b"],
        past=["p"],
        future=["f"],
        static=["s"],
    )
    assert options.roles() == Columns(
        ("y",), ("t",), ("a", "b"), ("p",), ("f",), ("s",)
    )


@pytest.mark.parametrize(
    "time", [["year,month,day"], ["year", "month", "day"], ["year, month ,day"]]
)
def test_a_date_split_over_columns_is_one_option_with_commas_or_a_repeated_one(
    time: list[str],
) -> None:
    assert ColumnOptions(target=["y"], time=time).roles().time == (
        "year",
        "month",
        "day",
    )


def test_only_requested_roles_are_returned_where_the_others_are_inferred() -> None:
    assert ColumnOptions(past=["p"]).requested() == {"past": ("p",)}


def test_roles_need_a_target() -> None:
    with pytest.raises(UsageError, match="no target column"):
        ColumnOptions(time=["t"]).roles()


@pytest.mark.parametrize("name", ["sales.csv", "sales.parquet"])
def test_a_column_whose_name_says_so_is_the_target(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    frame = pd.DataFrame({"unique_id": ["a"], "ds": ["2024-01-01"], "y": [1.0]})
    if name.endswith(".csv"):
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path)
    assert ColumnOptions().roles(str(path)).target == ("y",)
    assert ColumnOptions(target=["ds"]).roles(str(path)).target == ("ds",)


def test_a_file_that_cannot_be_read_has_no_known_target(tmp_path: Path) -> None:
    path = tmp_path / "sales.parquet"
    path.write_bytes(b"PAR1 and no more")
    for data in (str(path), str(tmp_path / "none.csv"), "-"):
        with pytest.raises(UsageError, match="no target column"):
            ColumnOptions().roles(data)
