"""Stamps off every grid: the nearest steps, and the hint that is right for them."""

import numpy as np
import pandas as pd
import pytest

from lstmcast.ragged import Ints
from lstmcast.timeaxis.calendar_fields import DAY
from lstmcast.timeaxis.frequency import HOUR, LAST_DAY, MINUTE, WEEK, Grid
from lstmcast.timeaxis.irregular import (
    MAX_SILENT_SHARE,
    Snapped,
    Stamps,
    are_fiscal_periods,
    find_phase,
    holds_one_each,
    infer_snapped,
    is_shifted_by_clocks,
    snap_to_grid,
    suggest_for_irregular,
    suggest_gathering,
)
from lstmcast.timeaxis.zones import to_microseconds

SECOND = 1_000_000
RNG = np.random.default_rng(7)


def one_series(instants: Ints) -> np.ndarray:
    return np.ones(len(instants) - 1, dtype=bool)


def jittered(step: int, count: int, most: int, begin: int = 0) -> Ints:
    return begin + np.arange(count) * step + RNG.integers(-most, most + 1, count)


def snapped_of(instants: Ints) -> Snapped:
    found = infer_snapped(instants, one_series(instants))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("step", "most", "phase"),
    [
        (15 * MINUTE, 40 * SECOND, 0),
        (HOUR, 2 * MINUTE, 0),
        (HOUR, 10 * SECOND, 7 * MINUTE),
        (MINUTE, 2 * SECOND, 0),
        (10 * SECOND, SECOND // 2, 0),
        (DAY, 5 * MINUTE, 9 * HOUR),
    ],
)
def test_the_step_and_its_phase_are_found_behind_the_jitter(
    step: int, most: int, phase: int
) -> None:
    instants = jittered(step, 200, most, phase)
    found = snapped_of(instants)
    assert found.grid == Grid("us", step, phase)
    assert found.share <= MAX_SILENT_SHARE
    assert (np.diff(found.ordinals) == 1).all()
    assert (np.abs(found.grid.instants(found.ordinals) - instants) <= most).all()


def test_gaps_do_not_change_the_step() -> None:
    instants = jittered(15 * MINUTE, 300, 20 * SECOND)
    kept = np.delete(instants, [3, 4, 90, 200, 201, 202, 203])
    found = snapped_of(kept)
    assert found.grid.step == 15 * MINUTE
    assert int(found.ordinals[-1] - found.ordinals[0]) == 299


def test_month_ends_that_fall_on_a_holiday_are_month_ends() -> None:
    ends = pd.date_range("2016-01-31", periods=48, freq="BME").to_list()
    ends[26] -= pd.Timedelta(days=1)  # 30 March 2018 was Good Friday
    found = snapped_of(to_microseconds(pd.DatetimeIndex(ends)))
    assert found.grid == Grid("month", day=LAST_DAY, working=True)
    assert (found.moved, found.shared) == (1, 0)
    assert (np.diff(found.ordinals) == 1).all()


def test_a_reading_that_comes_twice_is_counted_and_finer_steps_are_no_jitter() -> None:
    instants = jittered(15 * MINUTE, 100, 20 * SECOND)
    twice = np.sort(np.append(instants, instants[50] + SECOND))
    assert snapped_of(twice).shared == pytest.approx(1 / 100)
    hourly = np.arange(48) * HOUR
    fine = snap_to_grid(Grid("us", DAY), hourly, one_series(hourly))
    assert fine.shared > 0.9


def test_the_phase_is_as_round_as_the_scatter_allows() -> None:
    assert find_phase(jittered(HOUR, 500, MINUTE, 2 * SECOND), HOUR) == 0
    around = jittered(HOUR, 500, 5 * SECOND, 7 * MINUTE + 30 * SECOND)
    assert find_phase(around, HOUR) == 7 * MINUTE + 30 * SECOND


def weeks_of(lengths: list[int]) -> Ints:
    return np.concatenate([[0], np.cumsum(lengths)]) * WEEK


FISCAL = {
    "--time none --season 12": [4, 4, 5] * 12,
    "--time none --season 4": [13, 13, 13, 13] * 4 + [13, 13, 13, 14],
    "--time none --season 13": [4] * 12 + [5] + [4] * 26,
    "--time none": [52, 52, 53, 52, 52, 52],
}


@pytest.mark.parametrize("option", FISCAL)
def test_fiscal_periods_are_to_be_taken_as_they_stand(option: str) -> None:
    instants = weeks_of(FISCAL[option])
    same_series = one_series(instants)
    assert are_fiscal_periods(np.diff(instants))
    assert infer_snapped(instants, same_series) is None
    stamps = Stamps(instants, same_series, None, in_order=True, may_snap=True)
    hint = suggest_for_irregular(Grid("us", 4 * WEEK), stamps)
    assert hint.endswith(f": {option}")
    hint = suggest_for_irregular(Grid("us", 4 * WEEK), stamps._replace(in_order=False))
    assert hint.startswith("sort the rows by time")


def test_weeks_with_a_gap_are_no_fiscal_periods() -> None:
    assert not are_fiscal_periods(np.array([1, 1, 2, 1]) * WEEK)
    assert not are_fiscal_periods(np.array([4, 4, 12]) * WEEK)


def test_events_are_gathered_so_that_most_steps_hold_one() -> None:
    hours = np.sort(RNG.choice(24 * 60, 400, replace=False)) * HOUR + 5 * MINUTE
    assert suggest_gathering(hours, one_series(hours)) == "D"
    stamps = Stamps(hours, one_series(hours), None, in_order=True, may_snap=False)
    hint = suggest_for_irregular(Grid("us", 7 * MINUTE), stamps)
    assert hint.endswith("--resample D:mean")


def test_months_with_one_row_each_are_gathered_and_two_in_one_are_seen() -> None:
    days = pd.DatetimeIndex(["2022-01-03", "2022-02-25", "2022-03-09", "2022-04-28"])
    instants = to_microseconds(days)
    assert suggest_gathering(instants, one_series(instants)) == "MS"
    assert holds_one_each(instants, one_series(instants), "MS")
    assert not holds_one_each(instants, one_series(instants), "QS")


def test_days_of_a_zone_are_shifted_by_hours() -> None:
    days = pd.date_range("2020-01-01", "2020-12-31", tz="Europe/London")
    universal = to_microseconds(days.tz_convert("UTC").tz_localize(None))
    daily = Grid("us", DAY)
    assert is_shifted_by_clocks(universal, daily)
    assert not is_shifted_by_clocks(universal, Grid("us", HOUR))
    assert not is_shifted_by_clocks(jittered(DAY, 50, 9 * MINUTE), daily)
