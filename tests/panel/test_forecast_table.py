"""Quantiles as columns of a table, and back."""

import numpy as np
import pandas as pd
import pytest

from lstmcast.errors import DataError
from lstmcast.panel.forecast_table import (
    find_point_column,
    find_quantile_columns,
    list_quantile_columns,
    match_series,
    point_forecast,
    quantile_columns,
    with_median,
)
from tests.make import panel_of


def test_columns_are_named_by_their_level_in_ascending_order() -> None:
    quantiles = np.array([[[9.0, 1.0, 5.0]]])
    columns = quantile_columns(quantiles, [0.9, 0.025, 0.5])
    assert list(columns) == ["forecast", "q2.5", "q50", "q90"]
    assert [column.tolist() for column in columns.values()] == [
        [5.0],
        [1.0],
        [5.0],
        [9.0],
    ]


def test_a_probability_stands_alone() -> None:
    columns = quantile_columns(np.array([[[0.2, 0.4]]]), [0.1, 0.5], probability=True)
    assert {name: column.tolist() for name, column in columns.items()} == {
        "probability": [0.4]
    }


def test_columns_are_read_back_as_levels() -> None:
    names = ["id", "forecast", "q90", "q2.5", "quantity", "q", "q1.2.3"]
    table = pd.DataFrame(columns=names)
    assert list_quantile_columns(table) == ["q90", "q2.5"]
    assert find_quantile_columns(table) == {0.025: "q2.5", 0.5: "forecast", 0.9: "q90"}


def test_the_point_forecast_is_the_probability_only_where_there_is_no_other() -> None:
    assert find_point_column(pd.DataFrame(columns=["probability"])) == "probability"
    assert (
        find_point_column(pd.DataFrame(columns=["probability", "forecast"]))
        == "forecast"
    )


def test_rows_are_matched_to_series_and_unknown_ones_are_refused() -> None:
    panel = panel_of([np.arange(5.0), np.arange(5.0)])
    assert match_series(pd.DataFrame({"id": ["s1", "s0"]}), panel).tolist() == [1, 0]
    with pytest.raises(
        DataError, match=r"no series 'x' that row 2 .* is of \(and 1 more rows\)"
    ):
        match_series(pd.DataFrame({"id": ["s1", "x", "y"]}), panel)


@pytest.mark.parametrize(
    ("levels", "quantiles", "median"),
    [
        ((0.1, 0.4, 0.6, 0.9), (1.0, 4.0, 8.0, 20.0), 6.0),
        ((0.1, 0.4, 0.8, 0.9), (1.0, 4.0, 8.0, 20.0), 5.0),
        ((0.1, 0.5, 0.9), (1.0, 4.0, 20.0), 4.0),
        ((0.6, 0.9), (4.0, 20.0), 4.0),
        ((0.1, 0.2), (4.0, 20.0), 20.0),
    ],
)
def test_the_median_lies_between_the_levels_next_to_it(
    levels: tuple[float, ...], quantiles: tuple[float, ...], median: float
) -> None:
    found = point_forecast(np.array([[quantiles]]), np.array(levels))
    assert found.tolist() == [[pytest.approx(median)]]


def test_the_median_is_asked_for_once() -> None:
    assert with_median([0.1, 0.5]) == (0.1, 0.5)
    assert with_median([0.1, 0.9]) == (0.1, 0.9, 0.5)
