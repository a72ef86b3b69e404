"""How long work still takes is estimated from the pace so far, each phase by itself."""

import math

import pytest

from lstmcast.cli.show.pace import Pace, format_seconds_left
from lstmcast.compute.progress import Event


def test_the_rest_takes_as_long_a_step_as_what_is_done() -> None:
    pace = Pace()
    assert math.isnan(pace.estimate_seconds(Event("train", total=10), 100.0))
    assert pace.estimate_seconds(Event("train", step=2, total=10), 104.0) == 16.0


def test_a_part_of_a_step_is_enough_for_an_estimate() -> None:
    pace = Pace()
    pace.estimate_seconds(Event("backtest", total=4), 0.0)
    within = Event("backtest", total=4, part=0.5)
    assert pace.estimate_seconds(within, 10.0) == pytest.approx(70.0)


def test_a_phase_that_begins_anew_is_measured_anew() -> None:
    pace = Pace()
    pace.estimate_seconds(Event("train", total=10), 0.0)
    pace.estimate_seconds(Event("train", step=10, total=10), 50.0)
    assert math.isnan(pace.estimate_seconds(Event("train", total=10), 60.0))
    again = Event("train", step=5, total=10)
    assert pace.estimate_seconds(again, 65.0) == 5.0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (math.nan, ""),
        (0.0, "under 1 min left"),
        (59.0, "under 1 min left"),
        (150.0, "about 2 min left"),
        (3600.0, "about 60 min left"),
        (9000.0, "about 2.5 h left"),
    ],
)
def test_the_time_left_is_said_no_finer_than_it_is_known(
    seconds: float, text: str
) -> None:
    assert format_seconds_left(seconds) == text
