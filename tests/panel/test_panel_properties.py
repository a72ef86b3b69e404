"""What holds of every table that is accepted, whatever is in it and however it is written."""

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lstmcast.config import Columns
from lstmcast.panel.panel import Panel
from lstmcast.tables.read import read_table

COLUMNS = Columns(
    ("y",), ("t",), ("id",), past=("heat",), future=("promo",), static=("region",)
)
FREQUENCIES = ("D", "h", "15min", "MS", "ME", "B", "W-WED", "QS", "YS")
QUIET = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

ids = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp")),
    min_size=1,
    max_size=5,
)
values = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-9, 9).map(
    float
)


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    """Series of different lengths and starts, with gaps, empty cells and planned rows."""
    freq = draw(st.sampled_from(FREQUENCIES))
    stamps = pd.date_range("1999-12-01", periods=40, freq=freq)
    parts = []
    for name in draw(st.lists(ids, min_size=1, max_size=4, unique=True)):
        first, count = (
            draw(st.integers(0, 8)),
            draw(st.integers(12, 30)),
        )  # of fewer, gaps may leave another rhythm
        gone = draw(st.sets(st.integers(2, count - 2), max_size=2))
        empty = draw(st.sets(st.integers(2, count - 2), max_size=2))
        planned = draw(st.integers(0, 2))
        rows = [i for i in range(count) if i not in gone]
        y = draw(st.lists(values, min_size=len(rows), max_size=len(rows)))
        known = [
            np.nan if i in empty or i >= count - planned else v
            for i, v in zip(rows, y, strict=True)
        ]
        part = pd.DataFrame(
            {"id": name, "t": stamps[[first + i for i in rows]], "y": known}
        )
        part["heat"] = draw(st.lists(values, min_size=len(rows), max_size=len(rows)))
        part["promo"] = [draw(st.sampled_from(["none", "fair", "sale"])) for _ in rows]
        part["region"] = draw(st.sampled_from(["north", "south"]))
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def panel(frame: pd.DataFrame) -> Panel:
    return Panel.from_frame(frame, **_roles())


def _roles() -> dict[str, Any]:
    return {
        role: getattr(COLUMNS, role)
        for role in ("target", "time", "series", "past", "future", "static")
    }


@QUIET
@given(frames())
def test_what_is_accepted_comes_out_sorted_and_regular_with_every_value_at_its_stamp(
    frame: pd.DataFrame,
) -> None:
    before = frame.copy(deep=True)
    result = panel(frame)
    pd.testing.assert_frame_equal(frame, before)

    assert result.offsets[0] == 0 and result.offsets[-1] == len(result.values)
    assert (result.lengths > 0).all()
    rows = {
        (name, stamp): (y, heat)
        for name, stamp, y, heat in frame[["id", "t", "y", "heat"]].itertuples(
            index=False
        )
    }
    for i, (name,) in enumerate(result.keys):
        ordinals = result.start[i] + np.arange(result.lengths[i])
        stamps = pd.DatetimeIndex(result.axis.stamps(ordinals))
        assert stamps.is_monotonic_increasing and stamps.is_unique
        y, heat = (
            result.series(i),
            result.past[result.offsets[i] : result.offsets[i + 1], 0],
        )
        assert not np.isnan(y[[0, -1]]).any()
        expected = [rows.pop((name, stamp), (np.nan, np.nan)) for stamp in stamps]
        np.testing.assert_array_equal(np.stack([y, heat], axis=1), np.array(expected))
        # What is left of the series holds no value of the target.
    assert all(
        np.isnan(y) for (name, _), (y, _) in rows.items() if (name,) in result.keys
    )


@QUIET
@given(frames(), st.randoms(use_true_random=False), st.data())
def test_order_form_and_parts_of_a_table_make_no_difference(
    tmp_path_factory: pytest.TempPathFactory,
    frame: pd.DataFrame,
    random: Any,
    data: st.DataObject,
) -> None:
    whole = panel(frame)
    order = list(range(len(frame)))
    random.shuffle(order)
    assert panel(frame.iloc[order]).fingerprint() == whole.fingerprint()

    folder = tmp_path_factory.mktemp("parts")
    cut = data.draw(st.integers(1, len(frame) - 1))
    frame.to_parquet(folder.with_suffix(".parquet"))
    for number, part in enumerate((frame.iloc[:cut], frame.iloc[cut:])):
        pq.write_table(
            pa.Table.from_pandas(part, preserve_index=False),
            folder / f"{number}.parquet",
        )
    for written in (folder.with_suffix(".parquet"), folder):
        assert (
            Panel.from_table(read_table(written), COLUMNS).fingerprint()
            == whole.fingerprint()
        )


@QUIET
@given(frames().filter(lambda frame: not frame["id"].str.contains('"').any()))
def test_a_table_of_text_is_the_panel_of_the_same_table_of_types(
    tmp_path: Path, frame: pd.DataFrame
) -> None:
    frame.to_csv(tmp_path / "t.csv", index=False)
    typed, text = (
        panel(frame),
        Panel.from_table(read_table(tmp_path / "t.csv"), COLUMNS),
    )
    assert text.keys == typed.keys
    assert text.fingerprint() == typed.fingerprint()


@QUIET
@given(
    frames(),
    st.sampled_from(["\t", ";", "|"]),
    st.sampled_from(["%d.%m.%Y %H:%M", "%Y/%m/%d %H:%M", "%b %d %Y %H:%M"]),
)
def test_dialects_and_ways_of_writing_times_make_no_difference(
    tmp_path: Path, frame: pd.DataFrame, mark: str, form: str
) -> None:
    frame = frame[~frame["id"].str.contains('["\t;|,]')]
    if frame["id"].nunique() == 0 or not _tells_months(frame):
        return
    (tmp_path / "a.csv").write_text(
        frame.to_csv(index=False, date_format=form), newline=""
    )
    (tmp_path / "b.csv").write_text(
        frame.to_csv(index=False, date_format=form, sep=mark, lineterminator="\r\n"),
        newline="",
    )
    one, two = (
        Panel.from_table(read_table(tmp_path / f"{name}.csv"), COLUMNS) for name in "ab"
    )
    assert one.fingerprint() == two.fingerprint() == panel(frame).fingerprint()


def _tells_months(frame: pd.DataFrame) -> bool:
    """Whether some stamp has a day that is no month, so that dates can be read in one way only."""
    return bool((frame["t"].dt.day > 12).any()) and bool(
        (frame["t"] >= datetime.datetime(1999, 1, 1)).all()
    )
