"""Layouts that are proposed for unusual texts read every one of them."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from lstmcast.ingest.timetext.suggest import suggest_layouts, suggest_number_layouts


@pytest.mark.parametrize(
    ("form", "layouts"),
    [
        ("%Y|%m|%d", ["%Y|%m|%d"]),
        ("%d|%m|%Y", ["%d|%m|%Y"]),
        ("%H:%M %d/%m/%Y", ["%H:%M %d/%m/%Y"]),
        ("<%Y%m%d>", ["<%Y%m%d>"]),
        ("%d*%B*%Y", ["en:%d*%b*%Y"]),
    ],
)
def test_a_layout_is_found_for_dates_in_an_unusual_form(
    form: str, layouts: list[str]
) -> None:
    texts = pd.date_range("2020-01-14", periods=90, freq="D").strftime(form)
    assert suggest_layouts(pa.array(list(texts))) == layouts


@pytest.mark.parametrize(
    "texts", [["a1", "b2"], ["soon"], [""], ["2020|13|45"], ["1 2 3 4 5 6 7"]]
)
def test_nothing_is_proposed_that_would_not_do(texts: list[str]) -> None:
    assert suggest_layouts(pa.array(texts)) == []


def test_numbers_without_their_leading_zeros_are_recognised() -> None:
    days = pd.date_range("2020-01-14", periods=90, freq="D").strftime("%d%m%Y")
    numbers = np.array([int(day) for day in days])
    assert suggest_number_layouts(numbers) == ["%d%m%Y"]
    assert suggest_number_layouts(np.array([50_000, 1_700_000_019])) == []
