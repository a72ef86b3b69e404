"""Numbers that mean missing are named; numbers that are only small, large or frequent are not."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lstmcast.config import DataConfig
from lstmcast.inspection.sentinels import (
    Sentinel,
    describe_sentinels,
    find_sentinel_cells,
    find_sentinels,
)
from lstmcast.tables.read import read_table
from lstmcast.tables.table import Table

RNG = np.random.default_rng(0)
LEVEL = np.round(RNG.normal(200, 15, 300))


def spoiled(value: float, count: int, y: np.ndarray = LEVEL) -> np.ndarray:
    y = y.copy()
    y[np.random.default_rng(1).choice(len(y), count, replace=False)] = value
    return y


def found(y: np.ndarray) -> list[tuple[float, int, str]]:
    return [(one.value, one.count, one.certainty) for one in find_sentinels(y)]


@pytest.mark.parametrize("value", [-999, -9999, -99, 9999, 99999, 999.9, 0, -1, 1e20])
def test_codes_far_from_all_values_are_likely(value: float) -> None:
    certainty = "guess" if value == 1e20 else "likely"
    assert found(spoiled(value, 5)) == [(value, 5, certainty)]


def test_a_single_code_is_enough_and_another_single_value_is_an_outlier() -> None:
    assert found(spoiled(-999, 1)) == [(-999, 1, "likely")]
    assert found(spoiled(-777, 1)) == []
    assert found(spoiled(-777, 4)) == [(-777, 4, "guess")]


def test_several_codes_are_all_found() -> None:
    y = spoiled(9999, 3, spoiled(-999, 5))
    assert {value for value, _, _ in found(y)} == {-999, 9999}
    [one, other] = find_sentinels(y)
    assert one.low == other.low == LEVEL.min() and one.high == LEVEL.max()


def test_counts_cannot_be_minus_one() -> None:
    counts = RNG.poisson(3, 300).astype(float)
    assert found(spoiled(-1, 6, counts)) == [(-1, 6, "guess")]


def test_among_series_of_all_sizes_nines_below_zero_are_found() -> None:
    sizes = np.r_[RNG.poisson(3, 200), RNG.normal(1e6, 1e5, 200)]
    assert found(spoiled(-999, 4, sizes)) == [(-999, 4, "likely")]


@pytest.mark.parametrize(
    "y",
    [
        LEVEL,
        RNG.poisson(0.3, 300).astype(float),
        np.where(RNG.random(300) < 0.2, 0, RNG.lognormal(2, 1, 300)),
        np.where(np.arange(300) % 7 == 6, 0, LEVEL),
        np.round(RNG.normal(0, 1, 300)),
        RNG.normal(0, 500, 300),
        np.clip(RNG.normal(95, 5, 300), 0, 99),
        np.full(300, -999.0),
    ],
    ids=[
        "level",
        "counts",
        "sales",
        "sundays",
        "degrees",
        "wide",
        "percent",
        "constant",
    ],
)
def test_ordinary_columns_have_none(y: np.ndarray) -> None:
    assert found(y) == []


def test_values_at_the_ends_of_floating_point_are_no_trouble() -> None:
    huge = np.array([-1.7e308, 1.7e308, *RNG.normal(0, 1e300, 60)])
    assert all(np.isfinite(one.value) for one in find_sentinels(huge))


def test_missing_cells_are_left_out() -> None:
    y = spoiled(-999, 5)
    y[:50] = np.nan
    assert {value for value, _, _ in found(y)} <= {-999}
    assert found(np.full(50, np.nan)) == []


def test_a_sentinel_is_named_as_it_stands_in_the_file(tmp_path: Path) -> None:
    cells = [f"{value:.1f}".replace(".", ",") for value in spoiled(-999, 5)]
    path = tmp_path / "x.csv"
    path.write_text("y;z\n" + "\n".join(f"{cell};{cell}" for cell in cells) + "\n")
    table = read_table(path, DataConfig())
    cells_found = find_sentinel_cells(table, ["y", "z"])
    assert cells_found["y"] == [Sentinel(-999, 5, "likely", LEVEL.min(), LEVEL.max())]
    finding = describe_sentinels(table, cells_found)
    assert finding is not None
    assert finding.done == "missing? then say --na -999,0"
    assert finding.figures["options"] == ["--na -999,0"]
    assert describe_sentinels(table, {}) is None


def test_in_a_typed_table_no_option_names_a_number() -> None:
    table = Table(pd.DataFrame({"y": spoiled(-999, 5)}), "frame")
    finding = describe_sentinels(table, find_sentinel_cells(table, ["y"]))
    assert finding is not None and finding.figures["options"] == []
    assert finding.done == "missing? then make these cells empty"
