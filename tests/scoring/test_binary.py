"""Probabilities are scored by what came, and the base rate knows only the past."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lstmcast.config import Config, TrainConfig, WindowConfig
from lstmcast.errors import UsageError
from lstmcast.evaluation.backtest import backtest, evaluate, score
from lstmcast.panel.panel import Panel
from lstmcast.ragged import NAN
from lstmcast.scoring import binary
from lstmcast.scoring.verdict import Verdict
from lstmcast.training.forecaster import MIN_PANEL_SERIES, Forecaster
from tests.make import panel_of


def weekly(count: int, steps: int = 60, seed: int = 0) -> Panel:
    """Series of 0 and 1 that are mostly 1 on one day of seven."""
    rng = np.random.default_rng(seed)
    share = np.where(np.arange(steps) % 7 == 3, 0.9, 0.1)
    return panel_of(
        [(rng.random(steps) < share).astype(float) for _ in range(count)], freq="D"
    )


def of(loss: str, **train: object) -> Forecaster:
    settings = {
        "steps": 3,
        "members": 2,
        "jobs": 1,
        "start": "scratch",
        "loss": loss,
        **train,
    }
    return Forecaster(
        Config(train=TrainConfig(**settings), window=WindowConfig(horizon=7))
    )  # type: ignore[arg-type]


def test_the_base_rate_is_the_share_of_ones_so_far_and_never_sure() -> None:
    values, offsets = np.array([1.0, 0, NAN, 1, 1, 0, 0, 0]), np.array([0, 5, 8])
    rates = binary.base_rates(values, offsets, np.array([4, 3]))
    np.testing.assert_allclose(rates, [3 / 5, 1 / 5])
    values[4] = 0
    assert (
        binary.base_rates(values, offsets, np.array([4, 3])).tolist() == rates.tolist()
    )


def test_the_scores_are_what_a_plain_loop_makes_of_them() -> None:
    rng = np.random.default_rng(0)
    p, y = rng.uniform(0.06, 0.94, 200), (rng.random(200) < 0.4).astype(float)
    p[:20] = np.round(p[:20], 1)
    scores = binary.score_probabilities(np.append(p, 0.9), np.append(y, NAN))
    assert scores["brier"] == pytest.approx(
        sum((a - b) ** 2 for a, b in zip(p, y, strict=True)) / 200
    )
    assert scores["log_loss"] == pytest.approx(
        -np.mean([np.log(a if b else 1 - a) for a, b in zip(p, y, strict=True)])
    )
    wins = [(a > b) + (a == b) / 2 for a in p[y == 1] for b in p[y == 0]]
    assert scores["auc"] == pytest.approx(np.mean(wins))
    bins = np.minimum((p * 10).astype(int), 9)
    gaps = [
        abs(p[bins == b].mean() - y[bins == b].mean()) * (bins == b).mean()
        for b in np.unique(bins)
    ]
    assert scores["calibration"] == pytest.approx(sum(gaps))


def test_what_was_sure_and_wrong_is_finite_and_ranks_need_both_kinds() -> None:
    scores = binary.score_probabilities(np.array([0.0, 1.0]), np.array([1.0, 1.0]))
    assert 6 < scores["log_loss"] < 8
    assert np.isnan(scores["auc"])


@pytest.mark.parametrize("count", [1, MIN_PANEL_SERIES])
def test_a_target_of_0_and_1_gets_probabilities_and_is_judged_beside_the_base_rate(
    count: int,
) -> None:
    panel = weekly(count, 90)
    one = of("bernoulli", steps=60).fit(panel)
    forecast = one.predict()
    assert list(forecast) == ["id", "t", "probability"]
    assert forecast["probability"].between(0, 1).all()
    ones = np.tile((90 + np.arange(7)) % 7 == 3, count)
    assert (
        forecast["probability"][ones].mean()
        > 0.5
        > 2 * forecast["probability"][~ones].mean()
    )
    assert (
        one.verdict is not None
        and one.verdict.of_events
        and one.verdict.best_baseline == "base_rate"
    )
    assert one.verdict.model["auc"] > 0.7
    base_rate = one.verdict.baselines["base_rate"]["brier"]
    assert one.verdict.skill == pytest.approx(
        1 - one.verdict.model["brier"] / base_rate
    )
    again = Verdict.from_dict(one.verdict.to_dict())
    assert again.sentences() == one.verdict.sentences()


@pytest.mark.parametrize("loss", ["bernoulli", "negative-binomial"])
def test_backtests_and_tables_of_forecasts_are_judged_in_the_same_way(
    loss: str, tmp_path: Path
) -> None:
    panel, one = weekly(2, 60), of(loss)
    result = backtest(panel, one.config, windows=2)
    events = loss == "bernoulli"
    assert result.verdict.of_events == events and all(
        fold.of_events == events for fold in result.folds
    )
    assert result.verdict.by_series[0]["windows"] == 2
    again = score(result.forecasts, panel)
    assert again.model["mae"] == pytest.approx(result.verdict.model["mae"])
    assert again.of_events == events
    run = one.fit(panel.head(np.array([50, 50])))
    loaded = Forecaster.load(run.save(tmp_path / "run"))
    pd.testing.assert_frame_equal(loaded.predict(), run.predict(), check_exact=True)
    assert evaluate(loaded, panel).verdict.model == evaluate(run, panel).verdict.model


@pytest.mark.parametrize(
    ("loss", "values", "says"),
    [
        ("bernoulli", [0, 1, 2, 1], "of 0 and 1; it has 2"),
        ("bernoulli", [0.5, 0.5, 0, 1], r"of 0 and 1; it has 0.5 \(and 11 more\)"),
        ("negative-binomial", [1, -3, 2, 4], "whole numbers from 0 on; it has -3"),
        ("negative-binomial", [1, 2, 2.5, 4], "whole numbers from 0 on; it has 2.5"),
    ],
)
def test_a_loss_of_counts_or_events_refuses_other_values(
    loss: str, values: list[float], says: str
) -> None:
    with pytest.raises(UsageError, match=rf"loss='{loss}' needs a target .*{says}"):
        of(loss).fit(panel_of([np.array(values * 6)]))


@pytest.mark.parametrize("count", [1, MIN_PANEL_SERIES])
def test_counts_get_whole_numbers_at_any_level_and_a_likelihood(count: int) -> None:
    rng = np.random.default_rng(0)
    panel = panel_of(
        [
            rng.poisson(np.exp(1 + np.sin(np.arange(60) / 2))).astype(float)
            for _ in range(count)
        ],
        freq="D",
    )
    one = of("negative-binomial").fit(panel)
    forecast = one.predict(
        horizon=10, quantiles=(0.03, 0.5, 0.97)
    )  # beyond that of the training
    numbers = forecast[["forecast", "q3", "q50", "q97"]].to_numpy()
    assert (numbers == np.round(numbers)).all() and numbers.min() >= 0
    assert (forecast["q3"] <= forecast["q50"]).all() and (
        forecast["q50"] < forecast["q97"]
    ).all()
    assert one.verdict is not None and -20 < one.verdict.model["log_likelihood"] < 0


def test_the_likelihood_is_that_of_the_values_themselves_whatever_the_transform() -> (
    None
):
    rng = np.random.default_rng(0)
    y = np.exp(rng.normal(3, 0.3, 80))
    one, other = (of("student-t").fit(panel_of([unit * y])) for unit in (1.0, 1000.0))
    assert one.verdict is not None and other.verdict is not None
    lost = one.verdict.model["log_likelihood"] - other.verdict.model["log_likelihood"]
    assert lost == pytest.approx(np.log(1000), abs=0.01)


def test_brier_scores_beside_the_base_rate_are_mean_squares() -> None:
    probabilities = np.array([0.2, 0.6, 0.9])
    base = np.full(3, 0.5)
    scores = binary.compare_with_base_rate(
        probabilities, base, np.array([0.0, 1.0, NAN])
    )
    # (0.2^2 + 0.4^2) / 2 beside 0.5^2; what is missing does not count.
    assert scores["brier"] == pytest.approx(0.1)
    assert scores["baseline_brier"] == pytest.approx(0.25)
    assert scores["skill"] == pytest.approx(0.6)


def test_a_probability_of_1_is_calibrated_with_those_next_to_it() -> None:
    # In one bin, one event is expected too many and one too few.
    assert binary._calibration_error(
        np.array([1.0, 0.95]), np.array([0.95, 1.0])
    ) == pytest.approx(0)
    assert binary._calibration_error(
        np.array([1.0, 0.05]), np.array([0.0, 1.0])
    ) == pytest.approx((1 + 0.95) / 2)
