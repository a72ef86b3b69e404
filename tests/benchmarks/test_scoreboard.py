"""Detectors of the public scoreboard, written anew: their published scores check the scoring."""

import json

import numpy as np
import pytest

from benchmarks import scoreboard
from benchmarks.detection import read_scoreboard_case
from benchmarks.scoreboard import PUBLISHED, Published, score_as_published
from tests.conftest import shared_file


def test_the_windowed_gaussian_judges_a_row_by_the_rows_before_it() -> None:
    values = np.tile([1.0, -1.0], 50)
    values[80] = 3.0
    scores = scoreboard.judge_windowed_gaussian(values)
    # 80 rows of mean 0 and deviation 1: the normal distribution below 3 deviations.
    assert scores[80] == pytest.approx(0.998650, abs=1e-6)
    assert scores[79] == pytest.approx(0.841, abs=0.01)


def test_the_windowed_gaussian_moves_on_by_whole_strides(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scoreboard, "GAUSSIAN_ROWS", 6)
    monkeypatch.setattr(scoreboard, "GAUSSIAN_STRIDE", 3)
    values = np.array([0, 2, 0, 2, 0, 2, 10, 10, 10, 10, 10.0])
    scores = scoreboard.judge_windowed_gaussian(values)
    # Until three rows have come, the first six are the window; then they are half of it.
    assert scores[6] == scores[8] == pytest.approx(1)
    assert scores[9] == pytest.approx(0.84, abs=0.03)


def test_relative_entropy_flags_a_window_of_other_shares_once() -> None:
    values = np.tile([0.0, 1.0, 2.0, 3.0, 4.0, 5.0], 60)
    values[240:300] = 5.0
    scores = scoreboard.judge_relative_entropy(values)
    assert not scores[:240].any()
    flagged = np.flatnonzero(scores)
    assert 245 < flagged[0] < 290 and flagged[-1] < 360
    # What was seen once is known: the same windows again raise no alarm.
    twice = scoreboard.judge_relative_entropy(np.tile(values, 2))
    assert not twice[360 + 52 :].any()
    assert not scoreboard.judge_relative_entropy(np.ones(200)).any()


@pytest.mark.slow
@pytest.mark.parametrize("detector", PUBLISHED, ids=lambda one: one.name)
@pytest.mark.parametrize("group", ["realAWSCloudwatch", "realKnownCause"])
def test_published_scores_are_met(detector: Published, group: str) -> None:
    folder = shared_file("nab")
    labels = json.loads((folder / "labels" / "combined_windows.json").read_text())
    cases = [
        read_scoreboard_case(path, labels[f"{group}/{path.name}"])
        for path in sorted((folder / group).glob("*.csv"))
    ]
    assert score_as_published(detector, cases) == pytest.approx(
        detector.scores[group], abs=0.01
    )
