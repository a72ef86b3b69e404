"""Small files for tests of tables, and what is read from them."""

from pathlib import Path

import pytest

from lstmcast.config import DataConfig
from lstmcast.errors import DataError
from lstmcast.tables.number_columns import to_float_column
from lstmcast.tables.read import read_table

PLAIN = "t,y\n1,1.5\n2,-2\n3,1e3\n"
ROWS = [f"2024-01-{day:02},{day}" for day in range(1, 32)]
"""A month of days and numbers."""


def write_file(folder: Path, data: bytes | str, name: str = "data.csv") -> Path:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def read_values(folder: Path, data: bytes | str, column: str = "y") -> list[float]:
    return to_float_column(read_table(write_file(folder, data)), column).tolist()


def read_error(
    folder: Path,
    data: bytes | str,
    config: DataConfig = DataConfig(),  # noqa: B008
) -> DataError:
    """The error that reading the column y raises."""
    with pytest.raises(DataError) as caught:
        to_float_column(read_table(write_file(folder, data), config), "y")
    return caught.value
