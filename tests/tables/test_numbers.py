"""Texts to numbers: marks of decimals and thousands, unit signs, markers of missing values."""

import pyarrow as pa
import pytest

from lstmcast.tables.numbers import (
    find_unit_sign,
    parse_missing_numbers,
    parse_numbers,
    trim_and_mask_missing,
    without_unit_sign,
)


@pytest.mark.parametrize(
    ("text", "decimal", "thousands", "number"),
    [
        ("1.5", ".", "", 1.5),
        ("-.5e3", ".", "", -500),
        ("+7.", ".", "", 7),
        ("1,5", ",", "", 1.5),
        ("1.234,5", ",", ".", 1234.5),
        ("12,34,567", ".", ",", 1234567),
        ("1\u202f234", ".", " ", 1234),
        ("1\u2019234", ".", "'", 1234),
        ("1.5", ",", "", None),
        ("1,23", ".", ",", None),
        ("1_000", ".", "", None),
        ("0x1f", ".", "", None),
        ("nan", ".", "", None),
        ("", ".", "", None),
    ],
)
def test_only_what_is_surely_a_number_is_one(
    text: str, decimal: str, thousands: str, number: float | None
) -> None:
    numbers, good = parse_numbers(pa.array([text]), decimal, thousands)
    assert numbers.to_pylist() == [number]
    assert good.tolist() == [number is not None]


def test_nulls_stay_null_and_are_understood() -> None:
    numbers, good = parse_numbers(pa.array(["1", None, "x"]))
    assert numbers.to_pylist() == [1, None, None]
    assert good.tolist() == [True, True, False]


def test_a_unit_sign_must_be_at_an_end_of_every_text() -> None:
    prices = pa.array(["$5", None, "-$6.50", "7$"])
    assert find_unit_sign(prices) == "$"
    assert without_unit_sign(prices, "$").to_pylist() == ["5", None, "-6.50", "7"]
    assert find_unit_sign(pa.array(["$5", "6"])) == ""
    assert find_unit_sign(pa.array(["5 km"])) == ""
    assert find_unit_sign(pa.array([None], pa.string())) == ""


def test_blanks_and_markers_are_missing() -> None:
    texts = trim_and_mask_missing(pa.array([" 1 ", "  ", "NA", "-"]), ("NA",))
    assert texts.to_pylist() == ["1", None, None, "-"]


@pytest.mark.parametrize(
    ("markers", "marks", "numbers"),
    [
        (("-999", "NA", ""), (".", ""), [-999]),
        (("-999.0", "-9.99e2", " -999 "), (".", ""), [-999]),
        (("-999,0",), (",", ""), [-999]),
        (("-999.0",), (",", ""), [-999]),
        (("-9.999",), (",", "."), [-9999]),
        (("?", "nan", "inf"), (".", ""), []),
    ],
)
def test_a_marker_that_is_a_number_stands_for_that_number(
    markers: tuple[str, ...], marks: tuple[str, str], numbers: list[float]
) -> None:
    assert parse_missing_numbers(markers, *marks).tolist() == numbers
