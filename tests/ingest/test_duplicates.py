"""Rows that repeat a series and a stamp are refused, or combined as requested."""

from pathlib import Path

import pytest

from lstmcast.config import DataConfig
from lstmcast.errors import DataError
from tests.ingest.test_time_column import dated, from_text

REPEATED = dated(["2024-01-01", "2024-01-02", "2024-01-02", "2024-01-03", "2024-01-04"])


def test_repeated_stamps_are_refused_with_both_places(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"1 row repeats .*2024-01-02 .*data.csv:3 and 4"
    ):
        from_text(tmp_path, REPEATED)


@pytest.mark.parametrize(
    ("policy", "value"), [("first", 1.0), ("last", 2.0), ("mean", 1.5), ("sum", 3.0)]
)
def test_repeated_stamps_are_combined_as_requested_and_noted(
    tmp_path: Path, policy: str, value: float
) -> None:
    config = DataConfig(duplicates=policy)  # type: ignore[arg-type]
    panel = from_text(tmp_path, REPEATED, config)
    assert panel.values.tolist() == [0.0, value, 3.0, 4.0]
    assert f"1 row repeated a time stamp: took the {policy}" in panel.notes


def test_the_same_stamp_in_two_series_is_no_repetition(tmp_path: Path) -> None:
    days = ["2024-01-01", "2024-01-02", "2024-01-03"]
    text = "id,date,y\n" + "".join(
        f"{key},{day},{i}\n" for key in "ab" for i, day in enumerate(days)
    )
    assert from_text(tmp_path, text, series=["id"]).lengths.tolist() == [3, 3]
