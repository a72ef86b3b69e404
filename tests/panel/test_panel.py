"""Frames and tables to panels: regular series, nothing filled silently; and parts of panels."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmcast.config import Columns
from lstmcast.errors import ArgumentError, DataError, UsageError
from lstmcast.panel.panel import Panel
from lstmcast.runs import serialization
from lstmcast.tables.read import read_table
from tests.conftest import shared_file
from tests.make import dated, from_text, panel_of


def daily(
    values: list[float | None], first: str = "2020-01-01", **columns: object
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "day": pd.date_range(first, periods=len(values), unit="us"),
            "y": values,
            **columns,
        }
    )


def two_shops() -> pd.DataFrame:
    """Shop b of 4 days with 2 planned ones, then shop a of 6 days without a plan."""
    b = daily(
        [1, 2, 3, 4, np.nan, np.nan],
        shop="b",
        promo=[0, 1, 0, 1, 0, 1],
        heat=range(6),
        region="n",
    )
    a = daily(
        [5, 6, 7, 8, 9, 10],
        "2020-02-01",
        shop="a",
        promo=[1, 1, 1, 0, 0, 0],
        heat=range(10, 16),
        region="s",
    )
    return pd.concat([b, a], ignore_index=True)


def shops(frame: pd.DataFrame | None = None) -> Panel:
    frame = two_shops() if frame is None else frame
    return Panel.from_frame(
        frame, target="y", series="shop", past="heat", future="promo", static="region"
    )


def same(first: Panel, other: Panel) -> bool:
    return first.fingerprint() == other.fingerprint() and first.keys == other.keys


def test_a_frame_becomes_flat_series_with_roles() -> None:
    panel = shops()
    assert panel.keys == (("b",), ("a",))
    assert panel.lengths.tolist() == [4, 6]
    assert panel.series(1).tolist() == [5, 6, 7, 8, 9, 10]
    assert panel.axis.texts(panel.start) == ["2020-01-01", "2020-02-01"]
    assert panel.past[:, 0].tolist() == [0, 1, 2, 3, 10, 11, 12, 13, 14, 15]
    assert panel.static_names == ("region=n", "region=s")
    assert panel.static.tolist() == [[1, 0], [0, 1]]
    assert panel.columns.time == ("day",)
    assert len(panel) == panel.n_series == 2


def test_rows_after_the_last_value_keep_what_is_known_ahead() -> None:
    panel = shops()
    assert panel.ahead.tolist() == [2, 0]
    assert panel.future[:6, 0].tolist() == [0, 1, 0, 1, 0, 1]
    assert panel.future_offsets.tolist() == [0, 6, 12]


def test_the_callers_frame_is_unchanged() -> None:
    frame = two_shops().sample(frac=1, random_state=0)
    before = frame.copy(deep=True)
    shops(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_the_order_of_rows_does_not_matter_but_that_of_keys_is_kept_and_sorting_is_noted() -> (
    None
):
    frame = two_shops().iloc[::-1]
    panel = shops(frame)
    assert panel.keys == (("a",), ("b",))
    assert same(panel.select(np.array([1, 0])), shops())
    assert "rows stood newest first: sorted" in panel.notes
    assert any(
        "not in order" in note
        for note in shops(two_shops().sample(frac=1, random_state=1)).notes
    )


def test_missing_values_and_missing_rows_stay_missing_and_are_counted() -> None:
    frame = daily([1, np.nan, 3, 4, 5, 6, 7, 8]).drop(index=[4, 5])
    panel = Panel.from_frame(frame, target="y")
    np.testing.assert_array_equal(panel.values, [1, np.nan, 3, 4, np.nan, np.nan, 7, 8])
    assert "missing target values: 1, left missing" in panel.notes
    assert any(
        "missing rows: 2 in one gap" in note and "2020-01-04 and 2020-01-07" in note
        for note in panel.notes
    )


def test_missing_values_at_the_ends_of_a_series_are_cut_off() -> None:
    panel = Panel.from_frame(daily([np.nan, np.nan, 3, 4, 5, np.nan]), target="y")
    assert panel.values.tolist() == [3, 4, 5]
    assert panel.axis.texts(panel.start) == ["2020-01-03"]


def test_a_series_that_is_more_than_half_missing_is_refused() -> None:
    frame = daily([float(i) for i in range(40)]).iloc[[0, 1, 2, 3, 4, 39]]
    with pytest.raises(
        DataError,
        match=r"more than half of the series is missing: 34 of 40 steps \(daily\)",
    ):
        Panel.from_frame(frame, target="y")


def test_a_wrong_year_does_not_fill_the_memory() -> None:
    frame = pd.DataFrame(
        {
            "t": [
                *pd.date_range("2024-01-01", periods=50, freq="s"),
                pd.Timestamp("2204-01-01"),
            ]
        }
    )
    with pytest.raises(DataError, match="more than half"):
        Panel.from_frame(frame.assign(y=1.0), target="y")


def test_short_series_are_skipped_with_a_note_and_refused_where_none_is_left() -> None:
    frame = pd.concat(
        [two_shops(), daily([1, 2], shop="c", promo=0, heat=0, region="n")]
    )
    panel = shops(frame)
    assert panel.keys == (("b",), ("a",))
    assert "skipped 1 of 3 series with fewer than 3 values: c" in panel.notes
    with pytest.raises(DataError, match="too few values in the target: need 3, have 2"):
        Panel.from_frame(daily([1, 2]), target="y")


def test_a_stamp_that_comes_twice_is_refused_with_count_and_lines(
    tmp_path: Path,
) -> None:
    text = dated(["2020-01-01", "2020-01-02", "2020-01-02", "2020-01-03", "2020-01-03"])
    with pytest.raises(DataError) as caught:
        from_text(tmp_path, text)
    assert "2 rows repeat a time stamp: 2020-01-02" in caught.value.message
    assert "data.csv:3 and 4" in caught.value.message
    assert "--duplicates" in caught.value.hint


@pytest.mark.parametrize(
    ("how", "value"), [("first", 1), ("last", 3), ("mean", 2), ("sum", 4)]
)
def test_a_stamp_that_comes_twice_is_settled_as_requested(
    how: Any, value: float
) -> None:
    frame = daily([0, 1, 3, 5, 7])
    frame["day"] = pd.to_datetime(
        ["2020-01-01", "2020-01-02", "2020-01-02", "2020-01-03", "2020-01-04"]
    )
    panel = Panel.from_frame(frame, target="y", duplicates=how)
    assert panel.values.tolist() == [0, value, 5, 7]
    assert f"1 row repeated a time stamp: took the {how}" in panel.notes


def test_several_targets_are_series_of_a_panel() -> None:
    frame = two_shops().assign(z=range(12))
    panel = Panel.from_frame(frame, target=["y", "z"], series="shop", future="promo")
    assert panel.key_names == ("shop", "target")
    assert panel.keys == (("b", "y"), ("b", "z"), ("a", "y"), ("a", "z"))
    assert panel.series(1).tolist() == [0, 1, 2, 3, 4, 5]
    assert panel.series(2).tolist() == [5, 6, 7, 8, 9, 10]
    assert panel.ahead.tolist() == [2, 0, 0, 0]
    single = Panel.from_frame(frame[frame["shop"] == "a"], target=["y", "z"])
    assert single.keys == (("y",), ("z",))
    assert single.values.tolist() == [5, 6, 7, 8, 9, 10, 6, 7, 8, 9, 10, 11]


def test_keys_keep_their_text_and_their_type(tmp_path: Path) -> None:
    text = "id,t,y\n" + "".join(
        f"{key},{t},1\n" for key in ("007", "NA") for t in (1, 2, 3)
    )
    assert from_text(tmp_path, text, series=["id"]).keys == (("007",), ("NA",))
    frame = daily([1, 2, 3], shop=7)
    panel = Panel.from_frame(frame, target="y", series="shop")
    table = panel.forecast_frame(
        np.array([0]), np.array([2]), np.ones((1, 1, 1)), [0.5]
    )
    assert table["shop"].dtype == np.int64
    with pytest.raises(DataError, match="the series has no name"):
        Panel.from_frame(frame.assign(shop=["a", None, "a"]), target="y", series="shop")


def test_compound_keys_are_different_series() -> None:
    frame = pd.concat([daily([1, 2, 3], a=a, b=b) for a in "xy" for b in "xyz"])
    panel = Panel.from_frame(frame, target="y", series=["a", "b"])
    assert panel.keys == tuple((a, b) for a in "xy" for b in "xyz")


def test_text_and_boolean_covariates_become_zero_and_one(tmp_path: Path) -> None:
    text = "t,y,sky,open\n1,1,sun,TRUE\n2,2,,false\n3,3,rain,TRUE\n"
    panel = from_text(tmp_path, text, future=["sky", "open"])
    assert panel.future_names == ("sky=rain", "sky=sun", "open")
    assert panel.future.tolist() == [[0, 1, 1], [0, 0, 0], [1, 0, 1]]
    assert panel.encodings == {"sky": ["rain", "sun"]}


def test_a_covariate_of_numbers_with_some_text_is_refused(tmp_path: Path) -> None:
    text = "t,y,x\n" + "".join(f"{i},{i},{i}\n" for i in range(9)) + "9,9,oops\n"
    with pytest.raises(
        DataError, match=r"data.csv:11: column 'x': 'oops' is not a number"
    ):
        from_text(tmp_path, text, past=["x"])
    text = "t,y,x\n" + "".join(f"{i},{i},n{i}\n" for i in range(300))
    with pytest.raises(DataError, match="300 different texts"):
        from_text(tmp_path, text, past=["x"])


def test_a_static_covariate_that_changes_is_refused() -> None:
    with pytest.raises(
        DataError, match="static column 'promo' changes within series 'b'"
    ):
        Panel.from_frame(two_shops(), target="y", series="shop", static="promo")


def test_a_later_panel_keeps_frequency_and_categories() -> None:
    frame = two_shops()
    first = shops(frame)
    two = frame[frame["shop"] == "a"].iloc[:2].assign(region="west")
    columns = first.columns
    later = Panel.from_table(read_frame(two), columns, like=first)
    assert later.axis == first.axis
    assert later.static_names == first.static_names
    assert later.static.tolist() == [[0, 0]]
    assert any("not seen in training: 'west'" in note for note in later.notes)
    hourly = two.assign(day=pd.date_range("2020-01-01 01:00", periods=2, freq="h"))
    with pytest.raises(DataError, match="contradict the frequency D"):
        Panel.from_table(read_frame(hourly), columns, like=first)


def read_frame(frame: pd.DataFrame) -> Any:
    from lstmcast.tables.table import Table

    return Table(frame, "later")


def test_values_dated_in_the_future_are_noted() -> None:
    assert any(
        "in the future: 3001" in note
        for note in Panel.from_frame(daily([1, 2, 3], "3001-01-01"), target="y").notes
    )
    assert not any(
        "future" in note
        for note in Panel.from_frame(daily([1, 2, 3]), target="y").notes
    )


def test_a_time_index_is_the_time() -> None:
    series = daily([1, 2, 3, 4]).set_index("day")
    panel = Panel.from_frame(series, target="y")
    assert panel.axis.name == "day"
    periods = pd.DataFrame(
        {"y": [1.0, 2, 3]}, index=pd.period_range("2020-01", periods=3, freq="M")
    )
    assert Panel.from_frame(periods, target="y").axis.freq == "MS"
    assert periods.index.name is None


def test_typed_stamps_stay_typed_in_the_forecast_table() -> None:
    for stamps in (
        pd.date_range("2024-03-30 20:00", periods=5, freq="h", tz="Europe/Berlin"),
        pd.date_range("2024-03-28", periods=5, tz="Europe/Berlin"),
        pd.date_range("2024-03-28", periods=5).as_unit("s"),
    ):
        panel = Panel.from_frame(pd.DataFrame({"ds": stamps[:4], "y": 1.0}), target="y")
        table = panel.forecast_frame(
            np.array([0]), np.array([3]), np.ones((1, 1, 1)), [0.5]
        )
        assert table["ds"].dtype == stamps.dtype
        assert table["ds"][0] == stamps[4]
    dates = pd.DataFrame({"ds": pd.date_range("2024-01-30", periods=3).date, "y": 1.0})
    panel = Panel.from_frame(dates, target="y")
    assert str(panel.axis.stamps(panel.start + 3)[0]) == "2024-02-02"


def test_missing_columns_and_double_roles_are_refused() -> None:
    with pytest.raises(DataError) as caught:
        Panel.from_frame(two_shops(), target="yy")
    assert "did you mean 'y'?" in caught.value.hint
    with pytest.raises(UsageError, match="given both"):
        Panel.from_frame(two_shops(), target="y", past="y")


def test_head_keeps_the_future_and_drops_emptied_series() -> None:
    panel = shops()
    head = panel.head(np.array([2, 0]))
    assert head.keys == (("b",),)
    assert head.values.tolist() == [1, 2]
    assert head.ahead.tolist() == [4]
    assert head.future[:, 0].tolist() == [0, 1, 0, 1, 0, 1]
    assert same(panel.head(np.array([99, 99])), panel)


def test_tail_keeps_the_last_steps_and_the_future() -> None:
    tail = shops().tail(3)
    assert tail.values.tolist() == [2, 3, 4, 8, 9, 10]
    assert tail.axis.texts(tail.start) == ["2020-01-02", "2020-02-04"]
    assert tail.future[:, 0].tolist() == [1, 0, 1, 0, 1, 0, 0, 0]
    assert tail.past[:, 0].tolist() == [1, 2, 3, 13, 14, 15]


def test_split_cuts_by_stamp_with_nothing_lost() -> None:
    before, after = shops().split("2020-02-02")
    assert before.keys == (("b",), ("a",))
    assert before.values.tolist() == [1, 2, 3, 4, 5, 6]
    assert after.keys == (("a",),)
    assert after.values.tolist() == [7, 8, 9, 10]
    assert after.axis.texts(after.start) == ["2020-02-03"]


def test_align_finds_the_same_series_of_another_panel() -> None:
    panel = shops()
    assert panel.align(panel.select(np.array([1]))).tolist() == [-1, 0]
    assert panel.select(np.array([1])).align(panel).tolist() == [1]


def test_the_forecast_table_has_keys_time_median_and_quantiles() -> None:
    panel = shops()
    quantiles = np.arange(12.0).reshape(2, 2, 3)
    table = panel.forecast_frame(
        np.array([0, 1]), panel.lengths - 1, quantiles, [0.025, 0.5, 0.975]
    )
    assert list(table) == ["shop", "day", "forecast", "q2.5", "q50", "q97.5"]
    assert table["shop"].tolist() == ["b", "b", "a", "a"]
    assert table["day"].astype(str).tolist() == [
        "2020-01-05",
        "2020-01-06",
        "2020-02-07",
        "2020-02-08",
    ]
    assert table["forecast"].tolist() == [1, 4, 7, 10]
    assert table["q97.5"].tolist() == [2, 5, 8, 11]


def test_the_median_is_interpolated_where_it_is_not_requested_and_levels_are_sorted() -> (
    None
):
    panel = shops()
    table = panel.forecast_frame(
        np.array([0]), np.array([3]), np.array([[[8.0, 2.0]]]), [0.8, 0.2]
    )
    assert list(table)[2:] == ["forecast", "q20", "q80"]
    assert table.iloc[0, 2:].tolist() == pytest.approx([5, 2, 8])
    chance = panel.forecast_frame(
        np.array([0]), np.array([3]), np.array([[[0.3]]]), [0.5], probability=True
    )
    assert list(chance) == ["shop", "day", "probability"]


@pytest.mark.parametrize("length", [2**40, 5, 0, -1])
def test_a_stored_panel_with_more_steps_than_rows_is_refused_before_they_are_laid_out(
    length: int,
) -> None:
    frame, meta = serialization.panel_to_columns(panel_of([np.arange(4.0)]))
    with pytest.raises(ValueError, match="do not match its rows"):
        serialization.panel_from_columns(frame, meta | {"lengths": [length]})


def test_a_panel_survives_being_stored() -> None:
    panel = shops()
    frame, meta = serialization.panel_to_columns(panel)
    back = serialization.panel_from_columns(frame, json.loads(json.dumps(meta)))
    assert same(back, panel)
    for name in (
        "columns",
        "axis",
        "key_names",
        "key_types",
        "encodings",
        "notes",
        "past_names",
        "static_names",
    ):
        assert getattr(back, name) == getattr(panel, name)
    assert back.values.dtype == np.float64


def test_the_fingerprint_is_of_the_content(tmp_path: Path) -> None:
    frame = two_shops()
    assert shops(frame).fingerprint() == shops(frame.iloc[::-1]).fingerprint()
    assert shops(frame).keys != shops(frame.iloc[::-1]).keys
    assert (
        shops(frame.assign(y=frame["y"] + 1e-9)).fingerprint()
        != shops(frame).fingerprint()
    )
    assert shops(frame.assign(promo=1)).fingerprint() != shops(frame).fingerprint()
    assert (
        from_text(tmp_path, "t,y\n1,1\n2,2\n3,3\n").fingerprint()
        == from_text(tmp_path, "t;y\n3;3.0\n2;2\n1;1\n").fingerprint()
    )


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(1, 12), min_size=1, max_size=6), st.data())
def test_cuts_agree_with_slices_of_each_series(
    lengths: list[int], data: st.DataObject
) -> None:
    parts = [
        daily([float(100 * i + j) for j in range(n + 2)], shop=str(i), x=range(n + 2))
        for i, n in enumerate(lengths)
    ]
    panel = Panel.from_frame(pd.concat(parts), target="y", series="shop", future="x")
    lengths_kept = np.array(
        data.draw(
            st.lists(st.integers(0, 15), min_size=len(lengths), max_size=len(lengths))
        )
    )
    head = panel.head(lengths_kept)
    expected = [
        panel.series(i)[: lengths_kept[i]]
        for i in range(len(lengths))
        if lengths_kept[i]
    ]
    assert [head.series(i).tolist() for i in range(len(head))] == [
        part.tolist() for part in expected
    ]
    steps = data.draw(st.integers(1, 15))
    tail = panel.tail(steps)
    assert [tail.series(i).tolist() for i in range(len(tail))] == [
        panel.series(i)[-steps:].tolist() for i in range(len(lengths))
    ]
    np.testing.assert_array_equal(
        tail.future[:, 0] + 100 * np.repeat(np.arange(len(tail)), tail.lengths),
        tail.values,
    )


EVERYDAY = {
    "air_passengers_prophet_CR_lineends": ("y", (), "MS", 144, "1961-01-01"),
    "airline-passengers": ("Passengers", (), "MS", 144, "1961-01"),
    "beijing_pm25_split_date_columns": ("pm2.5", (), "h", 43800, "2015-01-01 00:00"),
    "bike_sharing_hourly": ("users", (), "h", 17544, "2013-01-01 00:00:00"),
    "co2-concentration": ("CO2", (), "MS", 746, "2020-05-01"),
    "co2_weekly_missing": ("co2", (), "W-SAT", 2284, "20020105"),
    "daily-min-temperatures": ("Temp", (), "D", 3652, "1991-01-01"),
    "example_retail_sales": ("y", (), "MS", 293, "2016-06-01"),
    "example_wp_log_R": ("y", (), "D", 2922, "2016-01-01"),
    "example_yosemite_temps": ("y", (), "5min", 18721, "2017-07-05 00:05:00"),
    "monthly-milk-incomplete": ("Pounds per cow", (), "MS", 168, "1976-01"),
    "monthly-sunspots": ("Sunspots", (), "MS", 2820, "1984-01"),
    "shampoo_bad_dates": ("Sales", (), "MS", 36, "4-01"),
    "stocks": ("price", ("symbol",), "MS", 123, "Apr 1 2010"),
    "taylor_halfhourly_noheader_dates": ("Y", (), "1", 4032, "4033"),
    "uk_daily_flights_BOM_dmy": ("Number of flights", (), "D", 1118, "24/01/2022"),
    "us_gasoline_weekly": ("Gasoline", (), "W-FRI", 1578, "05/7/2021"),
    "website_visits_dmy_dates": ("users", (), "D", 421, "26/8/21"),
}


@pytest.mark.parametrize("name", EVERYDAY)
def test_everyday_files_are_understood_without_options(name: str) -> None:
    target, series, freq, length, following = EVERYDAY[name]
    path = shared_file(f"everyday/{name}.csv")
    panel = Panel.from_table(read_table(path), Columns((target,), series=series))
    assert (panel.axis.freq, int(panel.lengths[0])) == (freq, length)
    assert panel.axis.texts(panel.start[:1] + panel.lengths[:1]) == [following]


def test_a_panel_with_category_covariates_is_understood(tmp_path: Path) -> None:
    path = shutil.copy(
        shared_file("panel/walmart_store_sales.csv"), tmp_path / "walmart.csv"
    )
    columns = Columns(
        ("Weekly_Sales",),
        series=("Store",),
        future=("Holiday_Flag", "Holiday Type"),
        past=("CPI",),
    )
    panel = Panel.from_table(read_table(path), columns)
    assert (len(panel), panel.axis.freq, set(panel.lengths.tolist())) == (
        45,
        "W-FRI",
        {143},
    )
    assert "dates read as day before month" in panel.notes
    assert panel.encodings["Holiday Type"] == [
        "Christmas",
        "Labor_day",
        "Super_bowl",
        "Thanksgiving",
    ]
    assert not np.isnan(panel.future).any()


def test_an_arrow_table_makes_the_same_panel_as_its_frame() -> None:
    frame = two_shops()
    expected = shops(frame)
    table = pa.Table.from_pandas(frame)
    roles: Any = {
        "target": "y",
        "series": "shop",
        "past": "heat",
        "future": "promo",
        "static": "region",
    }
    assert same(Panel.from_arrow(table, **roles), expected)
    assert same(Panel.from_arrow(table.to_reader(), **roles), expected)
    coded = table.set_column(
        table.column_names.index("shop"), "shop", table["shop"].dictionary_encode()
    )
    assert same(Panel.from_arrow(coded, like=expected), expected)


def test_an_arrow_table_that_cannot_be_used_is_a_data_error() -> None:
    table = pa.table({"t": [1, 2, 3], "y": [[1.0], [2.0], [3.0]]})
    with pytest.raises(DataError, match="column 'y'"):
        Panel.from_arrow(table, target="y")
    with pytest.raises(DataError, match="column 'y' is there more than once"):
        Panel.from_arrow(pa.table([[1, 2, 3], [1, 2, 3]], names=["y", "y"]), target="y")
    with pytest.raises(UsageError, match="no target"):
        Panel.from_arrow(table.rename_columns(["t", "z"]))


def test_a_frame_is_read_like_the_panel_of_a_run() -> None:
    known = shops()
    later = Panel.from_frame(two_shops().assign(region="elsewhere"), like=known)
    assert (later.columns, later.static_names) == (known.columns, known.static_names)
    assert any("not seen in training: 'elsewhere'" in note for note in later.notes)


def test_no_series_can_be_selected() -> None:
    empty = shops().select([])  # type: ignore[arg-type]
    assert (len(empty), empty.keys, empty.values.tolist()) == (0, (), [])


def test_a_zero_has_the_same_fingerprint_whatever_its_sign() -> None:
    plus = panel_of([np.array([0.0, 1, 2])])
    minus = panel_of([np.array([-0.0, 1, 2])])
    assert np.signbit(minus.values[0])
    assert plus.fingerprint() == minus.fingerprint()


def test_a_frame_is_brought_to_the_step_that_is_asked_for() -> None:
    hours = pd.date_range("2024-01-01", periods=72, freq="h")
    frame = pd.DataFrame({"t": hours, "y": np.arange(72.0)})
    panel = Panel.from_frame(frame, target="y", time="t", resample="D")
    assert panel.values.tolist() == [11.5, 35.5, 59.5]


def test_a_frame_in_the_place_of_the_fields_is_refused_with_what_to_write() -> None:
    with pytest.raises(ArgumentError, match="not made of a DataFrame") as caught:
        Panel(pd.DataFrame({"y": [1.0]}))  # type: ignore[call-arg, arg-type]
    assert "Panel.from_frame" in str(caught.value)


def test_a_series_that_begins_after_the_cutoff_has_no_steps_before_it() -> None:
    days = [f"2024-01-{day:02}" for day in range(1, 7)]
    rows = [("a", day, 1.0) for day in days[:4]] + [("b", day, 2.0) for day in days[3:]]
    frame = pd.DataFrame(rows, columns=["shop", "day", "y"])
    panel = Panel.from_frame(frame, target="y", time="day", series="shop")
    before, after = panel.split("2024-01-02")
    assert (before.keys, before.lengths.tolist()) == ((("a",),), [2])
    assert (after.keys, after.lengths.tolist()) == ((("a",), ("b",)), [2, 3])
