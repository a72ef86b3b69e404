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
