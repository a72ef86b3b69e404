"""Data watched without a run: every row has its row, and what was judged is remembered."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lstmcast import Columns, UsageError
from lstmcast.monitoring.evidence.stream import EvidenceStream
from lstmcast.monitoring.watch.rows import OrderedRows, read_ordered_rows
from lstmcast.monitoring.watch.watcher import RowWatcher
from lstmcast.tables.read import read_table
from lstmcast.tables.table import Table
from tests.conftest import shared_file

LENGTH, SPIKE = 300, 200


def sensor(seed: int = 0, spike: int | None = SPIKE) -> np.ndarray:
    values = 50 + np.random.default_rng(seed).normal(0, 2, LENGTH)
    if spike is not None:
        values[spike] = 400
    return values


def irregular_times() -> pd.DatetimeIndex:
    minutes = np.random.default_rng(9).integers(1, 20, LENGTH).cumsum()
    return pd.Timestamp("2024-05-01") + pd.to_timedelta(minutes, unit="min")


def rows_of(frame: pd.DataFrame, **roles: tuple[str, ...]) -> OrderedRows:
    roles = {"target": ("v",), **roles}
    return read_ordered_rows(Table(frame, "frame"), Columns(**roles))


def frame_of(values: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"t": irregular_times(), "v": values})


def test_each_row_is_judged_as_a_stream_of_its_own_would() -> None:
    frame = frame_of(sensor())
    found = RowWatcher().judge(rows_of(frame)).detection.rows
    assert list(found) == [
        *("t", "actual", "expected", "low", "high", "score"),
        *("anomaly", "kind", "event", "reason"),
    ]
    stream = EvidenceStream(0.001)
    times = frame["t"].astype("datetime64[us]").astype("int64")
    judged = [
        stream.judge_row(value, float(time))
        for value, time in zip(frame["v"], times, strict=True)
    ]
    expected = [row.likelihood for row in judged]
    np.testing.assert_array_equal(found["score"], expected)
    assert found["kind"].tolist()[:50] == ["warm-up"] * 50
    assert found["score"][50:].notna().all()


def test_an_event_is_one_alarm_or_one_for_each_of_its_rows() -> None:
    frame = frame_of(sensor())
    by_event = RowWatcher().judge(rows_of(frame)).detection.rows
    by_row = RowWatcher(alarm="row").judge(rows_of(frame)).detection.rows
    [opening] = np.flatnonzero(by_event["anomaly"])
    assert opening == SPIKE
    spike = by_event.iloc[SPIKE]
    assert (spike["kind"], spike["event"]) == ("point", 1)
    assert spike["score"] > 0.999 and "range" in spike["reason"].split(", ")
    belongs = by_row["event"].notna()
    assert belongs.sum() > 1 and (by_row["anomaly"] == belongs).all()
    pd.testing.assert_frame_equal(
        by_row.drop(columns="anomaly"), by_event.drop(columns="anomaly")
    )
    assert by_event["reason"][by_event["event"].isna()].eq("").all()


def test_rows_out_of_order_are_judged_in_order_and_stay_where_they_stand() -> None:
    frame = frame_of(sensor())
    shuffled = frame.sample(frac=1, random_state=3)
    in_order = RowWatcher().judge(rows_of(frame)).detection.rows
    found = RowWatcher().judge(rows_of(shuffled.reset_index(drop=True))).detection.rows
    assert found["t"].tolist() == shuffled["t"].tolist()
    pd.testing.assert_frame_equal(
        found.sort_values("t", ignore_index=True), in_order, check_dtype=False
    )


def test_a_missing_value_and_a_repeated_time_are_rows_of_their_own() -> None:
    frame = frame_of(sensor(spike=None))
    frame.loc[100, "t"] = frame.loc[99, "t"]
    frame.loc[150, "v"] = np.nan
    found = RowWatcher().judge(rows_of(frame)).detection.rows
    assert len(found) == LENGTH
    assert found["kind"][150] == "missing" and np.isnan(found["score"][150])
    assert found["score"].isna().sum() == 51  # the first 50 and the missing one
    assert found["score"][[99, 100, 151]].notna().all()


def test_a_gap_that_the_series_never_had_is_an_event() -> None:
    frame = frame_of(sensor(spike=None))
    frame.loc[SPIKE:, "t"] += pd.Timedelta("2D")
    found = RowWatcher().judge(rows_of(frame)).detection.rows
    assert found.loc[SPIKE, ["anomaly", "kind", "reason"]].tolist() == [1, "gap", "gap"]


def test_series_are_judged_apart_and_what_they_share_is_said() -> None:
    values = {"a": sensor(1), "b": sensor(2), "c": sensor(3, spike=None)}
    parts = [frame_of(one).assign(site=name) for name, one in values.items()]
    panel = pd.concat(parts).sort_values("t", kind="stable", ignore_index=True)
    judged = RowWatcher().judge(rows_of(panel, series=("site",)))
    for name, part in zip(values, parts, strict=True):
        own = judged.detection.rows[judged.detection.rows["site"] == name].drop(
            columns="site"
        )
        alone = RowWatcher().judge(rows_of(part, target=("v",))).detection.rows
        pd.testing.assert_frame_equal(own.reset_index(drop=True), alone)
    [moment] = [one for one in judged.shared if str(parts[0]["t"][SPIKE]) == one.time]
    assert (moment.series, moment.n_series) == (("a", "b"), 3)


def test_targets_are_judged_apart() -> None:
    wide = frame_of(sensor()).assign(w=sensor(5, spike=None))
    found = RowWatcher().judge(rows_of(wide, target=("v", "w"))).detection.rows
    assert found["target"].tolist()[:4] == ["v", "w", "v", "w"]
    alone = RowWatcher().judge(rows_of(wide[["t", "w"]], target=("w",))).detection.rows
    second = found[found["target"] == "w"]["score"]
    np.testing.assert_array_equal(second, alone["score"])


def test_a_file_that_grows_is_judged_on_from_where_it_was() -> None:
    frame = frame_of(sensor())
    whole = RowWatcher().judge(rows_of(frame)).detection.rows
    first = RowWatcher()
    first.judge(rows_of(frame[:170]))
    state = json.loads(json.dumps(first.to_state(), allow_nan=False))
    found = RowWatcher.from_state(state).judge(rows_of(frame)).detection.rows
    assert found["kind"].tolist()[:170] == ["known"] * 170
    assert found[:170][["score", "event"]].isna().all(axis=None)
    pd.testing.assert_frame_equal(found[170:], whole[170:])


def test_rows_without_times_are_known_by_their_number_in_the_file() -> None:
    frame = pd.DataFrame({"v": sensor()})
    watcher = RowWatcher()
    whole = watcher.judge(rows_of(frame)).detection.rows
    assert whole["step"].tolist() == list(range(1, LENGTH + 1))
    longer = pd.concat([frame, frame[:2]], ignore_index=True)
    found = watcher.judge(rows_of(longer)).detection.rows
    assert found["kind"].tolist()[:LENGTH] == ["known"] * LENGTH
    assert found["score"][LENGTH:].notna().all()


def test_rows_that_arrive_late_are_judged_as_they_come() -> None:
    frame = frame_of(sensor(spike=None))
    # The row comes after those of the next two days: the one behind it follows no gap.
    frame.loc[120:, "t"] += pd.Timedelta("2D")
    late = pd.concat([frame[:119], frame[120:200], frame[119:120], frame[200:]])
    watcher = RowWatcher()
    parts = np.array_split(np.arange(LENGTH), 7)
    found = pd.concat(
        [
            watcher.judge_arriving(rows_of(late.iloc[part])).detection.rows
            for part in parts
        ]
    )
    assert found["t"].tolist() == late["t"].tolist()
    assert found["score"][50:].notna().all() and watcher.late_rows == 1
    assert (found["kind"] == "gap").sum() == 1
    again = RowWatcher.from_state(watcher.to_state()).judge_arriving(rows_of(late))
    assert set(again.detection.rows["kind"]) == {"known"}


@pytest.mark.parametrize(
    ("roles", "message"),
    [
        ({"target": ("w",)}, "target='v', these have target='w'"),
        ({"series": ("w",)}, "series='none', these have series='w'"),
        ({"time": ("n",)}, "time='t', these have time='n'"),
    ],
)
def test_other_columns_than_before_are_refused(
    roles: dict[str, tuple[str, ...]], message: str
) -> None:
    frame = frame_of(sensor()).assign(w=1, n=range(LENGTH))
    watcher = RowWatcher()
    watcher.judge(rows_of(frame, time=("t",)))
    with pytest.raises(UsageError, match=message):
        watcher.judge(rows_of(frame, **{"time": ("t",), **roles}))


def test_times_of_another_kind_are_refused() -> None:
    watcher = RowWatcher()
    watcher.judge(rows_of(frame_of(sensor())))
    counted = pd.DataFrame({"t": range(LENGTH), "v": sensor()})
    with pytest.raises(UsageError, match="of another kind"):
        watcher.judge(rows_of(counted))


def test_a_rate_out_of_range_is_refused() -> None:
    with pytest.raises(UsageError, match="rate=0.5 is out of range"):
        RowWatcher(0.5)


def judge_file(file: Path) -> pd.DataFrame:
    rows = read_ordered_rows(read_table(file), Columns(target=("value",)))
    return RowWatcher().judge(rows).detection.rows


@pytest.mark.parametrize(
    "name",
    [
        "realKnownCause/rogue_agent_key_hold.csv",
        "realAWSCloudwatch/iio_us-east-1_i-a2eb1cd9_NetworkIn.csv",
    ],
)
def test_a_short_file_on_no_grid_is_judged_in_every_row(name: str) -> None:
    found = judge_file(shared_file(f"nab/{name}"))
    assert found["score"][50:].notna().all() and len(found) > 1_000


@pytest.mark.slow
def test_every_file_of_the_public_benchmark_is_judged_in_every_row() -> None:
    files = sorted(shared_file("nab").glob("real*/*.csv"))
    assert len(files) == 24
    for file in files:
        found = judge_file(file)
        assert found["score"][50:].notna().all(), file.name
        assert len(found) == len(file.read_text().splitlines()) - 1
