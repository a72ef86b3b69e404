from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

from lstmcast.tables.formats.columns import make_column

NOON = datetime(2024, 1, 2, 12)


@pytest.mark.parametrize(
    ("values", "kind", "stored"),
    [
        ([1.0, 2.0, None], pa.int64(), [1, 2, None]),
        ([1, 2.5, float("nan")], pa.float64(), [1.0, 2.5, None]),
        ([True, None], pa.bool_(), [True, None]),
        ([date(2024, 1, 1), ""], pa.date32(), [date(2024, 1, 1), None]),
        ([date(2024, 1, 1), NOON], pa.timestamp("us"), [datetime(2024, 1, 1), NOON]),
        (["007", 7.0], pa.string(), ["007", "7"]),
        (["007", True], pa.string(), ["007", "True"]),
        ([2**70, 1], pa.string(), [str(2**70), "1"]),
        ([1e300, 1], pa.float64(), [1e300, 1.0]),
        ([None, ""], pa.string(), [None, None]),
    ],
)
def test_values_become_a_column_of_the_narrowest_kind(
    values: list[object], kind: pa.DataType, stored: list[object]
) -> None:
    column = make_column(values)
    assert column.type == kind
    assert column.to_pylist() == stored


def test_stamps_with_a_zone_stay_text() -> None:
    stamp = datetime(2024, 1, 1, tzinfo=UTC)
    assert make_column([stamp]).to_pylist() == ["2024-01-01 00:00:00+00:00"]
