"""Rows resampled: the same periods as pandas, edges that are not full left out, also at predict."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from lstmcast.errors import DataError, UsageError
from lstmcast.panel.panel import Panel

RULES = [
    "D",
    "2h",
    "15min",
    "W-SUN",
    "W-WED",
    "W",
    "MS",
    "ME",
    "QS",
    "QE",
    "YS",
    "YE",
    "B",
    "BME",
    "QS-FEB",
]


def resampled(frame: pd.DataFrame, resample: str, **more: Any) -> Panel:
    return Panel.from_frame(frame, target="y", time="t", resample=resample, **more)


def as_series(panel: Panel) -> pd.Series:
    stamps = panel.axis.stamps(panel.start[0] + np.arange(panel.lengths[0]))
    return pd.Series(panel.values, pd.DatetimeIndex(stamps)).dropna()


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("how", ["sum", "last"])
def test_periods_are_those_of_pandas(rule: str, how: str) -> None:
    unit = pd.tseries.frequencies.to_offset(rule)
    days = 3 if rule in ("2h", "15min") else 1500
    rng = np.random.default_rng(0)
    stamps = pd.DatetimeIndex(
        np.sort(
            pd.Timestamp("2020-01-01").value
            + rng.integers(0, days * 86400, 4000) * 10**9
        )
    )
    frame = pd.DataFrame({"t": stamps.as_unit("us"), "y": rng.normal(size=4000)})
    expected = frame.set_index("t")["y"].resample(unit).agg(how)
    if how == "last":  # of nothing there is none; the sum of nothing is 0
        expected = expected[frame.set_index("t")["y"].resample(unit).count() > 0]
    found = as_series(resampled(frame, f"{rule}:{how}"))
    common = found.index.intersection(expected.index)
    assert len(common) == len(found) >= len(expected) - 2  # the edges may not be full
    np.testing.assert_allclose(found, expected.reindex(found.index))


@pytest.mark.parametrize(
    ("how", "between"), [("sum", 0.0), ("count", 0.0), ("mean", np.nan)]
)
def test_the_sum_and_the_count_of_no_rows_are_zero_within_a_series(
    how: str, between: float
) -> None:
    days = ["2024-01-01", "2024-01-01", "2024-01-03", "2024-01-04", "2024-01-07"]
    later = ["2024-01-06", "2024-01-08", "2024-01-09"]
    frame = pd.DataFrame(
        {
            "t": pd.to_datetime(days + later),
            "id": ["a"] * 5 + ["b"] * 3,
            "y": 2.0,
            "x": 5.0,
        }
    )
    panel = resampled(frame, f"D:{how}", series="id", past="x")
    gaps = np.array([False, True, False, False, True, True, False])
    np.testing.assert_array_equal(panel.series(0)[gaps], [between] * 3)
    assert (panel.series(0)[~gaps] > 0).all()
    # Nothing is added before the first row of a series, or after its last.
    assert panel.axis.texts(panel.start) == ["2024-01-01", "2024-01-06"]
    assert panel.lengths.tolist() == [7, 4]
    np.testing.assert_array_equal(np.isnan(panel.past[:7, 0]), gaps)
    said = f"4 steps without rows: their {how} is 0" in panel.notes
    assert said == (between == 0)


def test_rows_without_a_value_are_no_zero() -> None:
    days = pd.date_range("2024-01-01", periods=6)
    frame = pd.DataFrame({"t": days, "y": [1.0, 2.0, np.nan, 3.0, 4.0, 5.0]})
    assert np.isnan(resampled(frame, "D:sum").values[2])


def test_edges_that_are_not_full_are_left_out_and_noted() -> None:
    hours = pd.DataFrame(
        {"t": pd.date_range("2024-01-01 05:00", "2024-01-09 13:00", freq="h"), "y": 1.0}
    )
    panel = resampled(hours, "D:sum")
    assert panel.values.tolist() == [24.0] * 7
    assert panel.axis.texts(panel.start) == ["2024-01-02"]
    assert any("2 steps at the ends of series not full" in note for note in panel.notes)
    days = pd.DataFrame(
        {"t": pd.date_range("2024-01-01", "2025-02-28", freq="D"), "y": 1.0}
    )
    assert resampled(days, "MS:sum").values.tolist()[-2:] == [31.0, 28.0]
    months = pd.DataFrame(
        {"t": pd.date_range("2024-01-01", periods=6, freq="MS"), "y": 1.0}
    )
    assert len(resampled(months, "MS:sum").values) == 6


def test_series_are_resampled_each_by_itself_with_their_covariates() -> None:
    stamps = pd.date_range("2024-01-01", periods=96, freq="h")
    frame = pd.DataFrame(
        {
            "t": np.tile(stamps, 2),
            "id": np.repeat(["a", "b"], 96),
            "y": np.repeat([1.0, 2.0], 96),
        }
    )
    frame["x"] = np.tile(np.arange(96.0), 2)
    frame["kind"] = np.repeat([5.0, 6.0], 96)
    panel = resampled(
        frame.sample(frac=1, random_state=0),
        "D:sum",
        series="id",
        past="x",
        static="kind",
    )
    by_key = dict(zip(panel.keys, range(2), strict=True))
    assert panel.series(by_key[("b",)]).tolist() == [48.0] * 4
    np.testing.assert_allclose(panel.past[:4, 0], [11.5, 35.5, 59.5, 83.5])
    assert panel.static[by_key[("b",)]].tolist() == [6.0]


def test_events_at_any_time_become_a_regular_series() -> None:
    stamps = pd.to_datetime(
        ["2024-01-01 08:13", "2024-01-01 08:13", "2024-01-02 17:55", "2024-01-04 21:00"]
    )
    panel = resampled(
        pd.DataFrame({"t": stamps, "y": [1.0, 2.0, 4.0, 8.0]}), "D:count", fill="zero"
    )
    assert panel.values.tolist() == [2.0, 1.0, 0.0, 1.0]
    assert panel.axis.freq == "D"


def test_days_are_those_of_the_zone() -> None:
    stamps = pd.date_range("2024-03-29 23:00", periods=71, freq="h", tz="UTC")
    panel = resampled(
        pd.DataFrame({"t": stamps, "y": 1.0}), "D:sum", tz="Europe/Berlin"
    )
    assert panel.values.tolist() == [24.0, 23.0, 24.0]
    assert str(panel.axis.stamps(panel.start)[0]) == "2024-03-30 00:00:00+01:00"


def test_later_rows_fall_into_the_same_periods() -> None:
    frame = pd.DataFrame({"t": np.arange(3, 63), "y": 1.0})
    first = resampled(frame[:40], "7:sum")
    assert first.axis.stamps(first.start).tolist() == [3]
    later = Panel.from_table(
        _table(frame[14:]), first.columns, _config("7:sum"), like=first
    )
    assert later.axis.stamps(later.start).tolist() == [17]


def test_rules_that_do_not_fit_are_refused() -> None:
    frame = pd.DataFrame({"t": pd.date_range("2024-01-01", periods=9), "y": 1.0})
    with pytest.raises(UsageError, match="'meen' is not known") as caught:
        resampled(frame, "D:meen")
    assert "did you mean 'mean'" in caught.value.hint
    with pytest.raises(UsageError, match="both say what the step is"):
        resampled(frame, "D", freq="D")
    with pytest.raises(UsageError, match="'fortnight' is not known"):
        resampled(frame, "fortnight")
    with pytest.raises(
        DataError, match="resample=7 does not fit a time column of dates"
    ):
        resampled(frame, "7")


def _table(frame: pd.DataFrame) -> Any:
    from lstmcast.tables.table import Table

    return Table(frame.reset_index(drop=True), "frame")


def _config(resample: str) -> Any:
    from lstmcast.config import DataConfig

    return DataConfig(resample=resample)
