"""Parquet and Arrow: known by content, one file or several as one table."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lstmcast.config import Columns, DataConfig
from lstmcast.errors import DataError, ResourceError
from lstmcast.panel.panel import Panel
from lstmcast.tables.number_columns import to_float_column
from lstmcast.tables.read import read_table


def write_arrow(table: pa.Table, path: Path, new_writer: Callable[..., Any]) -> None:
    with pa.OSFile(str(path), "wb") as sink, new_writer(sink, table.schema) as writer:
        writer.write_table(table)


def test_parquet_and_arrow_are_known_by_content(tmp_path: Path) -> None:
    table = pa.table({"t": [1, 2], "y": [1.5, None]})
    pq.write_table(table, tmp_path / "parquet.csv")
    write_arrow(table, tmp_path / "arrow.csv", pa.ipc.new_file)
    write_arrow(table, tmp_path / "stream.csv", pa.ipc.new_stream)
    for name in ("parquet.csv", "arrow.csv", "stream.csv"):
        read = read_table(tmp_path / name)
        assert not read.is_text
        assert read.frame["t"].dtype == np.int64
        assert to_float_column(read, "y")[0] == 1.5
        assert read.locate(16).endswith(f"{name} row 16")


def test_a_folder_and_a_glob_of_parquet_are_one_table(tmp_path: Path) -> None:
    for part in range(3):
        pq.write_table(
            pa.table({"t": [part], "y": [float(part)]}),
            tmp_path / f"part{part}.parquet",
        )
    assert to_float_column(read_table(tmp_path), "y").tolist() == [0, 1, 2]
    assert to_float_column(
        read_table(f"{tmp_path}/part[12].parquet"), "y"
    ).tolist() == [1, 2]


def test_folders_of_a_partition_become_columns(tmp_path: Path) -> None:
    for folder in ("shop=7%20a", "shop=__HIVE_DEFAULT_PARTITION__"):
        (tmp_path / folder).mkdir()
        pq.write_table(pa.table({"y": [1.0, 2.0]}), tmp_path / folder / "part.parquet")
    table = read_table(tmp_path)
    assert table.notes == ("2 Parquet files",)
    assert table.series("shop").dropna().tolist() == ["7 a", "7 a"]
    assert table.series("shop").isna().sum() == 2


def test_an_index_that_pandas_stored_is_kept_where_it_holds_stamps(
    tmp_path: Path,
) -> None:
    days = pd.date_range("2024-01-01", periods=2, name=None)
    pd.DataFrame({"y": [1, 2]}, index=days).to_parquet(tmp_path / "days.parquet")
    assert read_table(tmp_path / "days.parquet").names == ["y", "time"]
    pd.DataFrame({"y": [1, 2]}, index=[5, 7]).to_parquet(tmp_path / "rows.parquet")
    assert read_table(tmp_path / "rows.parquet").names == ["y"]


def test_files_of_different_columns_or_formats_are_no_data_set(tmp_path: Path) -> None:
    pq.write_table(pa.table({"y": [1.0]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"y": ["x"]}), tmp_path / "b.parquet")
    with pytest.raises(DataError, match="do not have the same columns"):
        read_table(tmp_path)
    (tmp_path / "b.parquet").write_text("t,y\n1,2\n")
    with pytest.raises(DataError, match="is not Parquet"):
        read_table(tmp_path)


def test_a_file_is_not_unpacked_beyond_the_limit(tmp_path: Path) -> None:
    pq.write_table(pa.table({"y": np.zeros(100_000)}), tmp_path / "y.parquet")
    with pytest.raises(ResourceError, match="100,000 rows of 1 columns"):
        read_table(tmp_path / "y.parquet", DataConfig(max_bytes=10_000))


def test_lists_are_left_out_and_repeated_names_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"y": [1.0], "tags": [["a", "b"]]}), tmp_path / "y.parquet")
    assert read_table(tmp_path / "y.parquet").names == ["y"]
    repeated = pa.table([pa.array([1]), pa.array([2])], names=["y", "y"])
    write_arrow(repeated, tmp_path / "y.arrow", pa.ipc.new_file)
    with pytest.raises(DataError, match="'y' is there more than once"):
        read_table(tmp_path / "y.arrow")


PERIODS = [
    *("D", "h", "min", "s", "ms", "us", "15min", "2D", "M", "3M", "W-MON", "W-SUN"),
    *("Q-JAN", "Q-DEC", "Y-MAR", "Y-DEC"),
]


@pytest.mark.parametrize("freq", PERIODS)
def test_periods_that_pandas_saved_are_read_as_periods(
    tmp_path: Path, freq: str
) -> None:
    periods = pd.period_range("2021-01-01", periods=30, freq=freq)
    frame = pd.DataFrame({"date": periods, "y": np.arange(30) % 7 + 0.5})
    frame.to_parquet(tmp_path / "column.parquet")
    frame.to_feather(tmp_path / "column.arrow")
    frame.set_index("date").to_parquet(tmp_path / "index.parquet")
    frame[["y"]].set_index(pd.PeriodIndex(periods)).to_parquet(tmp_path / "no.parquet")
    starts = periods.to_timestamp().as_unit("us").astype(np.int64)
    columns = Columns(("y",))
    panels = [
        Panel.from_table(read_table(tmp_path / name), columns)
        for name in ("column.parquet", "column.arrow", "index.parquet", "no.parquet")
    ]
    panels.append(Panel.from_arrow(pa.Table.from_pandas(frame), target="y"))
    for panel in panels:
        ordinals = panel.start[0] + np.arange(30)
        assert panel.axis.grid.instants(ordinals).tolist() == starts.tolist()


def test_a_missing_period_is_missing_and_an_unknown_one_is_refused(
    tmp_path: Path,
) -> None:
    periods = pd.PeriodIndex(["2021-01", None, "2021-03"], freq="M")
    pd.DataFrame({"t": periods}).to_parquet(tmp_path / "x.parquet")
    assert read_table(tmp_path / "x.parquet").frame["t"].isna().tolist() == [
        *(False, True, False)
    ]
    for facts in (b'{"freq": "nonsense"}', b"{}", b"["):
        marks = {
            "ARROW:extension:name": "pandas.period",
            "ARROW:extension:metadata": facts,
        }
        field = pa.field("t", pa.int64(), metadata=marks)
        table = pa.table([pa.array([1, 2])], schema=pa.schema([field]))
        pq.write_table(table, tmp_path / "x.parquet")
        with pytest.raises(
            DataError, match="'t' holds periods .* that are no dates|damaged"
        ):
            read_table(tmp_path / "x.parquet")


DAY = 86_400
UNITS = {"s": 1, "ms": 1000, "us": 10**6}
ENDS = {"before": -719_163, "after": 2_932_897, "far": 100_000_000}
"""Days since 1970 of the day before 0001-01-01, of the one after 9999-12-31, and of no calendar."""


def outside_columns() -> dict[str, pa.Array]:
    """Thirty days, the eighth of which is beyond the years 1 to 9999, in every type."""
    columns: dict[str, pa.Array] = {}
    for end, day in ENDS.items():
        days = np.arange(19_000, 19_030)
        days[7] = day
        columns[f"date32 {end}"] = pa.array(days, pa.int32()).cast(pa.date32())
        columns[f"date64 {end}"] = pa.array(days * DAY * 1000).view(pa.date64())
        for unit, per_second in UNITS.items():
            for zone in (None, "UTC", "Europe/Berlin"):
                # Counts that int64 has no room for are no instants of any file.
                if abs(day) * DAY * per_second >= 2**63:
                    continue
                stamps = pa.array(days * DAY * per_second)
                columns[f"{unit} {zone} {end}"] = stamps.cast(pa.timestamp(unit, zone))
    return columns


def test_an_instant_beyond_the_years_is_refused_with_value_row_and_range(
    tmp_path: Path,
) -> None:
    values = pa.array(np.arange(30.0))
    for name, stamps in outside_columns().items():
        table = pa.table({"t": stamps, "y": values})
        pq.write_table(table, tmp_path / "x.parquet")
        write_arrow(table, tmp_path / "x.arrow", pa.ipc.new_file)
        for file in ("x.parquet", "x.arrow"):
            for time in ((), ("t",)):
                columns = Columns(("y",), time)
                with pytest.raises(DataError) as caught:
                    Panel.from_table(read_table(tmp_path / file), columns)
                message = caught.value.message
                assert f"{file} row 7: column 't'" in message, name
                assert "is outside the years 1 to 9999" in message, name
            # Where that column is not the time, it is in nobody's way.
            other = read_table(tmp_path / file)
            assert other.frame["t"].iloc[7], name


def test_the_first_and_the_last_days_of_all_are_read(tmp_path: Path) -> None:
    for first in (-719_162, 2_932_896 - 29):
        days = pa.array(np.arange(first, first + 30), pa.int32()).cast(pa.date32())
        table = pa.table({"t": days, "y": np.arange(30.0)})
        pq.write_table(table, tmp_path / "x.parquet")
        panel = Panel.from_table(read_table(tmp_path / "x.parquet"), Columns(("y",)))
        assert panel.axis.freq == "D"
    # The day after the last one cannot be written.
    with pytest.raises(DataError, match="beyond the years 1 to 9999"):
        panel.axis.texts(panel.start + panel.lengths)


def test_a_number_that_means_missing_is_missing_in_every_type(tmp_path: Path) -> None:
    columns = {
        "whole": pa.array([-999, 1, 2, None]),
        "small": pa.array([-999, 1, 2, None], pa.int16()),
        "float": pa.array([-999.0, 1, 2, None]),
        "single": pa.array([-999.9, 1, 2, None], pa.float32()),
        "decimal": pa.array([-999, 1, 2, None], pa.int64()).cast(pa.decimal128(30, 2)),
        "text": pa.array(["-999.00", "1", "2", None]),
        "coded": pa.array(["-9.99e2", "1", "2", None]).dictionary_encode(),
    }
    pq.write_table(pa.table(columns), tmp_path / "x.parquet")
    write_arrow(pa.table(columns), tmp_path / "x.arrow", pa.ipc.new_stream)
    config = DataConfig(na=(*DataConfig.na, "-999", "-999.9"))
    for file in ("x.parquet", "x.arrow"):
        table = read_table(tmp_path / file, config)
        for name in columns:
            values = to_float_column(table, name)
            assert np.isnan(values).tolist() == [True, False, False, True], name
            assert table.series(name).isna().sum() in (1, 2)
        plain = read_table(tmp_path / file)
        assert to_float_column(plain, "whole")[0] == -999


def test_texts_of_a_typed_format_are_only_missing_where_the_user_says_so(
    tmp_path: Path,
) -> None:
    table = pa.table({"country": ["NA", "DE", "none"]})
    pq.write_table(table, tmp_path / "x.parquet")
    config = DataConfig(na=(*DataConfig.na, "none"))
    series = read_table(tmp_path / "x.parquet", config).series("country")
    assert series.isna().tolist() == [False, False, True]
    assert series.iloc[0] == "NA"


def test_text_of_parquet_that_is_no_utf8_is_refused_by_its_column(
    tmp_path: Path,
) -> None:
    cells = pa.array([b"one", b"tw\x8bo", b"three"], pa.binary()).view(pa.string())
    file = tmp_path / "odd.parquet"
    pq.write_table(pa.table({"shop": cells, "y": [1.0, 2.0, 3.0]}), file)
    with pytest.raises(DataError, match="column 'shop' holds text that is not UTF-8"):
        read_table(file)
