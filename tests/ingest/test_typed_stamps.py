"""Columns that hold dates, times or periods as such."""

import datetime

import numpy as np
import pandas as pd
import pytest

from lstmcast.errors import DataError
from lstmcast.ingest.typed_stamps import is_datetime_column, read_datetimes
from lstmcast.tables.table import Table


def test_columns_of_dates_are_recognised_by_their_type() -> None:
    assert is_datetime_column(pd.Series(pd.period_range("2024", periods=2, freq="M")))
    assert is_datetime_column(pd.Series([datetime.date(2024, 1, 1)], dtype=object))
    assert not is_datetime_column(pd.Series(["2024-01-01"]))


def test_periods_begin_where_pandas_says_even_those_of_working_days() -> None:
    days = pd.bdate_range("2024-01-01", periods=4)
    with pytest.warns(FutureWarning):
        series = pd.Series(days.to_period("B"))
    form, instants = read_datetimes(Table(pd.DataFrame(), "frame"), series, "t")
    assert form.kind == "datetime"
    assert instants.tolist() == days.as_unit("us").astype(np.int64).tolist()


def test_a_stamp_of_no_year_that_can_be_written_is_refused_with_its_row() -> None:
    stamps = np.array(["2024-01-01", "20000-01-01"], dtype="M8[s]")
    table = Table(pd.DataFrame({"t": stamps}), "frame")
    with pytest.raises(DataError, match="frame row 1.*20000-01-01T00:00:00 is outside"):
        read_datetimes(table, table.series("t"), "t")
