"""Covariates become numbers, and what is odd about them is noted."""

import numpy as np
import pandas as pd

from lstmcast.ingest.encoding import encode_covariates
from lstmcast.tables.table import Table

FRAME = pd.DataFrame(
    {
        "plan": [1.0, 2.0, np.nan, 4.0],
        "weather": [3.0, 5.0, np.nan, np.nan],
        "same": [7, 7, 7, 7],
        "sky": ["rain", "sun", None, "sun"],
        "land": ["de", "de", "de", "de"],
        "empty": [np.nan] * 4,
    }
)


def notes(
    *columns: str,
    known: dict[str, list[str]] | None = None,
    due: list[bool] | None = None,
) -> list[str]:
    rows = None if due is None else np.array(due)
    return list(encode_covariates(Table(FRAME, "frame"), columns, known, rows).notes)


def test_text_becomes_a_column_a_category_and_an_empty_cell_is_none_of_them() -> None:
    encoded = encode_covariates(Table(FRAME, "frame"), ["sky"])
    assert encoded.names == ("sky=rain", "sky=sun")
    assert encoded.values.tolist() == [[1, 0], [0, 1], [0, 0], [0, 1]]


def test_missing_values_are_counted_over_the_rows_that_ought_to_have_one() -> None:
    assert notes("plan") == ["covariate 'plan' is missing in 1 of 4 rows"]
    assert notes("weather", due=[True, True, False, False]) == []
    assert notes("empty") == [
        "covariate 'empty' is missing in every row: it can explain nothing"
    ]
    assert notes("weather", due=[True, True, True, False]) == [
        "covariate 'weather' is missing in 1 of 3 rows"
    ]


def test_a_covariate_that_never_changes_is_noted_to_explain_nothing_when_a_run_is_fitted() -> (
    None
):
    assert notes("same", "land") == [
        "covariate 'same' is 7 in every row: it can explain nothing",
        "covariate 'land' is 'de' in every row: it can explain nothing",
    ]
    assert notes("same", "land", known={"land": ["de"]}) == []


def test_categories_that_training_has_not_seen_are_all_zero_and_named() -> None:
    encoded = encode_covariates(
        Table(FRAME, "frame"), ["sky"], {"sky": ["snow", "sun"]}
    )
    assert encoded.values.tolist() == [[0, 0], [0, 1], [0, 0], [0, 1]]
    assert encoded.notes == ("covariate 'sky' has values not seen in training: 'rain'",)
