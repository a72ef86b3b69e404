import dataclasses
from typing import Any

import pytest

from lstmcast.cli import options
from lstmcast.cli.options import (
    ColumnOptions,
    DataOptions,
    ModelOptions,
    TrainOptions,
    WindowOptions,
)
from lstmcast.config import Columns, Config, DataConfig
from lstmcast.errors import UsageError


def test_options_left_alone_give_the_configuration_s_own_defaults() -> None:
    made = options.build_config(DataOptions(), WindowOptions(), ModelOptions(), TrainOptions())
    assert made == Config()


@pytest.mark.parametrize(
    ("group", "section"),
    [
        (DataOptions, "data"),
        (WindowOptions, "window"),
        (ModelOptions, "model"),
        (TrainOptions, "train"),
    ],
)
def test_an_option_sets_the_setting_of_its_name(group: Any, section: str) -> None:
    known = {field.name for field in dataclasses.fields(getattr(Config(), section))}
    assert {field.name for field in dataclasses.fields(group)} <= known


def test_columns_get_their_roles() -> None:
    given = ColumnOptions(
        target=["y"], time=["t"], series=["a", "b"], past=["p"], future=["f"], static=["s"]
    )
    assert given.columns() == Columns(("y",), ("t",), ("a", "b"), ("p",), ("f",), ("s",))


@pytest.mark.parametrize(
    "time", [["year,month,day"], ["year", "month", "day"], ["year, month ,day"]]
)
def test_a_date_split_over_columns_is_given_with_commas_or_repeated(time: list[str]) -> None:
    assert ColumnOptions(target=["y"], time=time).columns().time == ("year", "month", "day")


def test_texts_that_mean_missing_come_on_top_of_the_usual_ones() -> None:
    assert DataOptions(na=["-", "?"]).config().na == (*DataConfig.na, "-", "?")


def test_a_value_out_of_range_is_refused_by_the_configuration() -> None:
    with pytest.raises(UsageError, match="--members 0"):
        TrainOptions(members=0).config()
