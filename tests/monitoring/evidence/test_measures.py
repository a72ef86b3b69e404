"""What is measured of a row against the rows before it."""

import json

import numpy as np
import pytest

from lstmcast.monitoring.evidence.measures import (
    MEASURES,
    RecentRows,
    RowMeasures,
)


def measure(values: np.ndarray) -> list[dict[str, float]]:
    measures = RowMeasures()
    return [measures.measure_row(float(value)) for value in values]


def test_recent_rows_are_the_newest_however_many_came() -> None:
    values = np.arange(20_000.0)
    rows = RecentRows(values[:5])
    for value in values[5:]:
        rows.add(value)
    assert rows.newest(700).tolist() == values[-700:].tolist()


def test_each_measure_is_what_its_words_say() -> None:
    values = np.random.default_rng(0).normal(10, 2, 700)
    values[-1] = 40
    found = measure(values)[-1]
    past = values[:-1]
    assert tuple(sorted(found)) == tuple(sorted(MEASURES))
    assert found["change"] == pytest.approx(40 - past[-1])
    assert found["level"] == pytest.approx(40 - np.median(past[-500:]), abs=0.05)
    means = values[-10:].mean() - values[-310:-10].mean()
    assert found["mean"] == pytest.approx(means)
    assert found["range"] == pytest.approx((40 - past.max()) / np.ptp(past))
    shapes = np.lib.stride_tricks.sliding_window_view(values, 12)
    distances = np.abs(shapes[:-12] - shapes[-1]).mean(axis=1)
    assert found["shape"] == pytest.approx(distances.min())


def test_restless_and_calm_rows_are_both_far_from_the_usual_spread() -> None:
    usual = np.random.default_rng(0).normal(0, 1, 500)
    for factor in (10, 0.1):
        found = measure(np.concatenate([usual, factor * usual[:40]]))
        ordinary = np.median([row["spread"] for row in found[200:500]])
        assert found[-1]["spread"] > np.log(10) - 0.5 > 3 * ordinary


def test_a_shape_that_came_before_has_no_distance() -> None:
    wave = np.sin(2 * np.pi * np.arange(300) / 50)
    assert measure(wave)[-1]["shape"] == pytest.approx(0, abs=1e-9)


def test_a_constant_has_measures_of_zero() -> None:
    assert set(measure(np.full(200, 7.0))[-1].values()) == {0.0}


def test_measures_go_on_from_a_saved_state() -> None:
    values = np.random.default_rng(0).normal(size=9_000)
    through = RowMeasures()
    for value in values[:-50]:
        through.measure_row(float(value))
    state = json.loads(json.dumps(through.to_state()))
    resumed = RowMeasures.from_state(state)
    for value in values[-50:]:
        expected = through.measure_row(float(value))
        assert resumed.measure_row(float(value)) == pytest.approx(expected)


def test_the_mean_of_ten_rows_is_measured_once_twenty_rows_lie_before_them() -> None:
    measures = RowMeasures()
    found = [measures.measure_row(float(value % 5)) for value in range(40)]
    first = [number for number, row in enumerate(found) if "mean" in row][0]
    assert first == 29
