"""The simple method that a forecast falls back on: when it is chosen, and how wide it is."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lstmcast.config import NETWORK_QUANTILES, Config, TrainConfig, WindowConfig
from lstmcast.features.steps import Seasons
from lstmcast.forecasting.combination import Combination
from lstmcast.forecasting.quantiles import fit_error_quantiles
from lstmcast.forecasting.simple_methods import (
    METHOD_DESCRIPTIONS,
    SimpleForecasts,
    _choose_earlier_windows,
    count_blocks,
    fit_spread,
    forecast_simple_methods,
    is_simple_preferred,
    lengthen_spread,
    rank_methods,
)
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Floats
from lstmcast.scoring.baselines import list_baselines
from lstmcast.training.forecaster import Forecaster
from tests.make import panel_of

UNTRAINED = Config(window=WindowConfig(horizon=10), train=TrainConfig(steps=0))


def walks(count: int, steps: int) -> Panel:
    rng = np.random.default_rng(4)
    return panel_of([90 + np.cumsum(rng.normal(size=steps)) for _ in range(count)])


def test_every_method_has_its_words() -> None:
    assert set(list_baselines((7, 365))) == set(METHOD_DESCRIPTIONS)


def test_windows_that_overlap_are_one_block() -> None:
    series = np.array([0, 0, 0, 0, 3, 3])
    origins = np.array([50, 52, 60, 69, 4, 14])
    blocks, count = count_blocks(series, origins, 10)
    assert blocks.tolist() == [0, 0, 1, 1, 2, 3]
    assert count == 4


def test_a_tie_is_the_simple_methods_where_there_is_evidence_and_else_the_ensembles() -> (
    None
):
    tie = np.full(4, -1e-4)
    assert is_simple_preferred(tie, 1.0, np.arange(4), 1)
    assert not is_simple_preferred(tie[:2], 1.0, np.arange(2), 1)
    # An ensemble that is better by far is not given up, and nor is a far better method.
    assert not is_simple_preferred(np.full(4, -0.1), 1.0, np.arange(4), 1)
    assert is_simple_preferred(np.full(2, 0.3), 1.0, np.arange(2), 1)


def test_windows_that_overlap_are_no_more_evidence_than_one() -> None:
    gain = np.full(24, -0.01 / 24)
    assert not is_simple_preferred(gain, 1.0, np.repeat(np.arange(12), 2), 1)
    assert is_simple_preferred(gain, 1.0, np.repeat(np.arange(3), 8), 1)


def test_the_best_method_is_best_in_all_windows_not_only_in_the_newest() -> None:
    newest, earlier = np.array([1.0, 0.9]), np.array([1.0, 3.0])
    assert rank_methods(newest, 4, earlier, 8)[0] == 0
    assert rank_methods(newest, 4, earlier, 0)[0] == 1


def test_earlier_windows_end_before_the_validation_begins() -> None:
    panel = walks(1, 100)
    ends = np.array([60])
    where = panel, np.array([0]), np.array([60]), ends, 10, Seasons(1, 0), 50
    simple = forecast_simple_methods(*where)
    assert simple.earlier_origins.max() + 10 < 60
    changed = panel.values.copy()
    changed[60:] += 1e6
    other = Panel(**{**panel.__dict__, "values": changed})
    same = forecast_simple_methods(other, *where[1:])
    np.testing.assert_array_equal(simple.earlier, same.earlier)


def test_intervals_have_the_width_of_the_errors_and_grow_from_step_to_step() -> None:
    panel = walks(30, 150)
    series = np.repeat(np.arange(30), 4)
    origins = np.tile([100, 110, 120, 130], 30)
    simple = forecast_simple_methods(
        panel, series, origins, np.full(30, 100), 10, Seasons(1, 0), 200
    )
    at = panel.offsets[series] + origins
    actual = panel.values[at[:, None] + np.arange(1, 11)]
    spread = fit_spread(simple, simple.names.index("naive"), actual)
    width = spread[:, -1] - spread[:, 0]
    # The mean change of a walk with steps of deviation 1 is 0.8.
    expected = 2 * 1.2816 * np.sqrt(np.arange(1, 11)) / 0.798
    np.testing.assert_allclose(width, expected, rtol=0.2)
    assert (np.diff(width) >= 0).all()


@pytest.mark.parametrize(
    ("method", "growth"),
    [("naive", 2.0), ("drift", 2.0), ("mean", 1.0), ("seasonal_naive", 4 / 3)],
)
def test_intervals_beyond_the_horizon_grow_as_the_errors_of_the_method_do(
    method: str, growth: float
) -> None:
    spread = np.outer(np.sqrt(np.arange(1, 17)), np.array([-1.0, 0, 1]))
    longer = lengthen_spread(spread, method, 64, Seasons(7, 0))
    np.testing.assert_array_equal(longer[:16], spread)
    expected = growth
    if method == "seasonal_naive":
        expected = np.sqrt(10 / 3)  # cycles begun in 64 and in 16 steps
    np.testing.assert_allclose(longer[-1], expected * spread[-1])


def fit(values: Floats) -> Forecaster:
    panel = panel_of([values], freq="D")
    return Forecaster(UNTRAINED).fit(panel)


def test_a_line_is_continued_exactly_and_the_sentence_says_so(tmp_path: Path) -> None:
    run = fit(300 - 1.7 * np.arange(120))
    assert run.combination.method == "drift"
    assert run.combination.network == 0
    assert run.combination.sentence() == (
        "The forecast is not the network's but a simple method's: extending the line from the "
        "first to the last value. On the held-out windows the network did not do better."
    )
    forecast = run.predict(horizon=25)
    expected = 300 - 1.7 * np.arange(120, 145)
    np.testing.assert_allclose(forecast["forecast"], expected)
    assert run.verdict is not None
    assert run.verdict.model["mae"] == pytest.approx(0, abs=1e-9)
    # A run that was saved forecasts the same.
    again = Forecaster.load(run.save(tmp_path / "run")).predict(horizon=25)
    pd.testing.assert_frame_equal(again, forecast)


def test_zeros_stay_zero() -> None:
    forecast = fit(np.zeros(60)).predict()
    assert (forecast[["forecast", "q10", "q90"]].to_numpy() == 0).all()


def test_a_network_that_is_better_by_far_is_kept() -> None:
    t = np.arange(200)
    run = fit((20 + 0.1 * t) * (1 + 0.3 * np.sin(2 * np.pi * t / 7)))
    assert run.combination.method == ""
    assert run.combination.spread is None


def test_a_forecast_knows_nothing_after_its_origin() -> None:
    run = fit(np.random.default_rng(0).normal(9, 2, 150))
    assert run.combination.method in ("mean", "median")
    later = run.panel.values.copy()
    later[100:] = 1e5
    other = Panel(**{**run.panel.__dict__, "values": later})
    window = np.array([0]), np.array([99])
    np.testing.assert_array_equal(
        run.quantiles(run.panel, *window, levels=NETWORK_QUANTILES),
        run.quantiles(other, *window, levels=NETWORK_QUANTILES),
    )


@pytest.mark.parametrize(
    "change", [{"method": "magic"}, {"spread": None}, {"spread": [[1.0]]}]
)
def test_a_method_that_is_none_or_has_no_widths_is_refused(
    change: dict[str, object],
) -> None:
    spread = np.zeros((3, len(NETWORK_QUANTILES)))
    whole = Combination(np.ones(1), np.ones(8) / 8, 0.0, 1.0, 9, "mean", spread)
    kept = json.loads(json.dumps(whole.to_dict()))
    assert Combination.from_dict(kept).method == "mean"
    with pytest.raises(ValueError, match="method|spread"):
        Combination.from_dict(kept | change)


@pytest.mark.slow
def test_intervals_of_random_walks_are_right_seven_horizons_ahead() -> None:
    """Of the program itself, whatever its forecast is; and of its network alone."""
    inside, ratios = [], []
    right = 2 * 1.2816 * np.sqrt(np.arange(1, 71))
    for seed in range(24):
        rng = np.random.default_rng([12, seed])
        walk = 500 + np.cumsum(rng.normal(size=270))
        run = fit(walk[:200])
        forecast = run.predict(horizon=70)
        low, high = forecast["q10"].to_numpy(), forecast["q90"].to_numpy()
        inside.append(((walk[200:] >= low) & (walk[200:] <= high)).mean())
        if not run.combination.method:
            ratios.append((high - low) / right)
    assert 0.7 <= np.mean(inside) <= 0.9
    typical = np.median(ratios, axis=0)
    assert 0.75 < typical[-10:].mean() < 1.3
    assert 0.75 < typical[:10].mean() < 1.3


def test_what_repeats_itself_exactly_is_likely_and_not_certain() -> None:
    y = np.tile([0.0, 1.0], 60)
    frame = pd.DataFrame({"t": pd.date_range("2024-01-01", periods=120), "y": y})
    panel = Panel.from_frame(frame, target="y", time="t")
    config = Config(train=TrainConfig(loss="bernoulli", steps=0))
    forecaster = Forecaster(config).fit(panel)
    assert forecaster.combination.method == "seasonal_naive"
    found = forecaster.predict()["probability"].to_numpy()
    chance = 1 / (forecaster.combination.windows + 2)
    np.testing.assert_allclose(found[:2], [chance, 1 - chance])
    assert 0 < chance < 0.1


@pytest.mark.parametrize(("horizon", "most"), [(1, 200), (5, 40), (20, 24), (50, 24)])
def test_few_earlier_windows_are_judged_where_the_horizon_is_long(
    horizon: int, most: int
) -> None:
    ends = np.array([5_000])
    series, origins = _choose_earlier_windows(ends, horizon, Seasons(1, 0))
    assert len(origins) == most and len(np.unique(origins)) == most
    assert (series == 0).all() and origins.max() == 5_000 - 1 - horizon


@pytest.mark.parametrize(("windows", "caution"), [(6, 1.3), (12, 1.075), (3, 1.3)])
def test_a_spread_from_few_windows_is_wider(windows: int, caution: float) -> None:
    errors = np.random.default_rng(1).normal(size=(windows, 4))
    where = np.zeros(0, np.int64)
    none = SimpleForecasts(
        names=("naive",),
        forecasts=np.zeros((windows, 4, 1)),
        origins=np.arange(windows),
        unit=np.ones(windows),
        earlier=np.zeros((0, 4, 1)),
        earlier_series=where,
        earlier_origins=where,
        earlier_unit=np.zeros(0),
    )
    spread = fit_spread(none, 0, errors)
    np.testing.assert_allclose(spread, caution * fit_error_quantiles(errors))
