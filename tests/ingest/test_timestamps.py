"""Cells of time columns as instants, with the form in which they are written."""

import numpy as np
import pandas as pd
import pytest

from lstmcast.config import DataConfig
from lstmcast.errors import DataError
from lstmcast.ingest.timestamps import (
    read_timestamps,
    with_time_zone,
)
from lstmcast.tables.table import Table


def read(values: object, **settings: object) -> tuple[str, list[int]]:
    table = Table(pd.DataFrame({"t": values}), "frame")
    column = read_timestamps(table, "t", DataConfig(**settings), None)  # type: ignore[arg-type]
    assert column.instants is not None
    return column.form.kind, column.instants.tolist()


def test_texts_numbers_and_typed_stamps_of_one_day_are_the_same_instants() -> None:
    days = pd.date_range("2024-01-30", periods=3, unit="us")
    instants = days.astype(np.int64).tolist()
    assert read(days) == ("datetime", instants)
    assert read([day.date() for day in days]) == ("date", instants)
    assert read(days.strftime("%d.%m.%Y")) == ("text", instants)
    assert read(days.astype(np.int64) // 10**6) == ("number", instants)


def test_small_whole_numbers_are_steps_and_fractions_are_refused() -> None:
    assert read([1, 2, 3]) == ("step", [1, 2, 3])
    with pytest.raises(DataError, match="1.5 is no whole step"):
        read([1.5, 2.5])


def test_plain_steps_have_no_time_zone() -> None:
    table = Table(pd.DataFrame({"t": [1, 2, 3]}), "frame")
    column = read_timestamps(table, "t", DataConfig(), None)
    with pytest.raises(DataError, match="does not fit a time of plain steps"):
        with_time_zone(column, np.zeros(3, np.int64), "Europe/Berlin", table)


def test_texts_that_no_layout_reads_are_refused_with_a_format_too() -> None:
    for texts in (["foo a", "foo b"], ["x", "y"]):
        with pytest.raises(DataError) as caught:
            read(texts, date_format="%d/%m/%Y")
        assert "--time none" in caught.value.hint
