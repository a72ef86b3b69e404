"""Stamps in the requested zone, and the traces of changing clocks where there is none."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lstmcast.config import Columns, DataConfig
from lstmcast.errors import DataError, UsageError
from lstmcast.panel.panel import Panel
from lstmcast.tables.read import read_table
from tests.make import dated, from_text

BERLIN = DataConfig(tz="Europe/Berlin")


def local_hours(
    start: str, periods: int, freq: str = "h", form: str = "%Y-%m-%d %H:%M"
) -> list[str]:
    """Wall-clock texts of Berlin, without their zone."""
    return list(
        pd.date_range(start, periods=periods, freq=freq, tz="Europe/Berlin").strftime(
            form
        )
    )


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("start", ["2024-10-26 20:00", "2024-03-30 20:00"])
def test_local_hours_are_regular_in_their_zone_over_both_changes_of_the_clocks(
    tmp_path: Path, start: str, newest_first: bool
) -> None:
    days = local_hours(start, 13)
    panel = from_text(tmp_path, dated(days[:12][:: -1 if newest_first else 1]), BERLIN)
    assert (panel.axis.freq, panel.lengths.tolist()) == ("h", [12])
    assert panel.values.tolist() == [
        float(i) for i in (range(11, -1, -1) if newest_first else range(12))
    ]
    assert panel.axis.texts(panel.start + 12) == [days[12]]


def test_a_naive_hour_that_comes_twice_asks_for_the_zone(tmp_path: Path) -> None:
    text = dated(local_hours("2024-10-26 20:00", 20, "30min"))
    with pytest.raises(
        DataError,
        match=r"2 rows repeat .*2024-10-27 02:00 .* as clocks in Europe/Berlin",
    ) as caught:
        from_text(tmp_path, text)
    assert "--tz Europe/Berlin" in caught.value.hint
    panel = from_text(tmp_path, text, DataConfig(duplicates="mean"))
    assert any(
        "2 in an hour that clocks in Europe/Berlin repeat: see --tz" in note
        for note in panel.notes
    )


def test_a_naive_hour_that_is_left_out_asks_for_the_zone(tmp_path: Path) -> None:
    text = dated(local_hours("2024-03-30 20:00", 12))
    with pytest.raises(
        DataError,
        match=r"data.csv:7: after 2024-03-31 01:00 the hour of 2024-03-31 02:00",
    ) as caught:
        from_text(tmp_path, text)
    assert "--tz Europe/Berlin" in caught.value.hint
    panel = from_text(tmp_path, text, DataConfig(tz="UTC"))
    assert np.isnan(panel.values).sum() == 1
    usual = local_hours("2024-06-01 20:00", 12)
    del usual[5]
    assert np.isnan(from_text(tmp_path, dated(usual)).values).sum() == 1


def test_an_hour_that_the_zones_clocks_skip_is_refused(tmp_path: Path) -> None:
    hours = pd.date_range("2024-03-31 00:00", periods=6, freq="h").strftime(
        "%Y-%m-%d %H:%M"
    )
    with pytest.raises(
        DataError,
        match=r"data.csv:4: .*clocks in Europe/Berlin skip '2024-03-31 02:00'",
    ) as caught:
        from_text(tmp_path, dated(list(hours)), BERLIN)
    assert "+01:00" in caught.value.hint
    panel = from_text(tmp_path, dated(list(hours)), DataConfig(tz="+01:00"))
    assert panel.axis.texts(panel.start + 6) == ["2024-03-31 06:00"]


def test_offsets_follow_the_zone_where_it_is_named(tmp_path: Path) -> None:
    days = [
        "2024-10-26T00:00:00+02:00",
        "2024-10-27T00:00:00+02:00",
        "2024-10-28T00:00:00+01:00",
    ]
    panel = from_text(tmp_path, dated(days), BERLIN)
    ahead = panel.start + np.array([[3], [155]])
    assert panel.axis.texts(ahead.ravel()) == [
        "2024-10-29T00:00:00+01:00",
        "2025-03-30T00:00:00+01:00",
    ]
    assert panel.axis.texts(panel.start + 156) == ["2025-03-31T00:00:00+02:00"]
    assert panel.axis.ordinals(days).tolist() == [
        int(panel.start[0]) + i for i in range(3)
    ]
    hours = [
        "2024-10-27 02:00:00+02",
        "2024-10-27 02:00:00+01",
        "2024-10-27 03:00:00+01",
    ]
    panel = from_text(tmp_path, dated(hours), BERLIN)
    assert panel.axis.texts(panel.start + 3) == ["2024-10-27 04:00:00+01"]


def test_stamps_in_utc_stay_so_and_days_are_counted_in_the_zone(tmp_path: Path) -> None:
    days = [
        "2024-03-29T23:00:00Z",
        "2024-03-30T23:00:00Z",
        "2024-03-31T22:00:00Z",
        "2024-04-01T22:00:00Z",
    ]
    panel = from_text(tmp_path, dated(days), BERLIN)
    assert panel.axis.freq == "D"
    assert panel.axis.texts(panel.start + 4) == ["2024-04-02T22:00:00Z"]
    assert panel.axis.ordinals(days[2]).tolist() == (panel.start + 2).tolist()
    epochs = [str(pd.Timestamp(day).timestamp())[:-2] for day in days]
    panel = from_text(tmp_path, dated(epochs), BERLIN)
    assert panel.axis.texts(panel.start + 4) == [
        str(int(pd.Timestamp("2024-04-02T22:00:00Z").timestamp()))
    ]
    with pytest.raises(
        DataError, match="as days of Europe/Berlin begin by UTC"
    ) as caught:
        from_text(tmp_path, dated(days))
    assert "--tz Europe/Berlin" in caught.value.hint


def test_typed_naive_stamps_stay_naive_and_a_later_file_goes_on_in_the_zone(
    tmp_path: Path,
) -> None:
    wall = pd.date_range(
        "2024-10-26 20:00", periods=40, freq="h", tz="Europe/Berlin"
    ).tz_localize(None)
    frame = pd.DataFrame({"date": wall, "y": np.arange(40.0)})
    panel = Panel.from_frame(frame[:30], target="y", tz="Europe/Berlin")
    assert list(panel.axis.stamps(panel.start + 30)) == [wall[30]]
    (tmp_path / "later.csv").write_text(frame[28:29].to_csv(index=False))
    later = Panel.from_table(
        read_table(tmp_path / "later.csv"), Columns(("y",)), BERLIN, like=panel
    )
    assert (later.start - panel.start).tolist() == [28]


def test_a_zone_is_checked_before_anything_is_read() -> None:
    with pytest.raises(
        UsageError, match="time zone 'Europe/Berln' is not known"
    ) as caught:
        DataConfig(tz="Europe/Berln")
    assert "did you mean 'Europe/Berlin'?" in caught.value.hint
    for wrong in ("", "../UTC", "+1", "/etc/passwd"):
        with pytest.raises(UsageError, match="is not known"):
            DataConfig(tz=wrong)


def test_steps_have_no_zone(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="tz='Europe/Berlin' does not fit"):
        from_text(tmp_path, dated(["1", "2", "3"], "t,y"), BERLIN)
