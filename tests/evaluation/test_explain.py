"""An input that drives a series comes first, and explaining changes nothing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lstmcast.config import Config, InputConfig, ModelConfig, TrainConfig, WindowConfig
from lstmcast.errors import DataError, UsageError
from lstmcast.evaluation.explain import Explanation, compute_attention, explain
from lstmcast.forecasting import combination
from lstmcast.panel.panel import Panel
from lstmcast.training.forecaster import Forecaster
from tests.make import fast_learner


def zero_shot(horizon: int) -> Config:
    return Config(window=WindowConfig(horizon=horizon), train=TrainConfig(steps=0))


def ranked(explanation: Explanation, kind: str) -> list[str]:
    return [factor.name for factor in explanation.factors if factor.kind == kind]


def test_the_lag_that_a_series_repeats_is_the_one_that_moves_its_forecast(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A season that is repeated is nothing to explain.
    monkeypatch.setattr(combination, "choose_method", lambda *_: None)
    rng = np.random.default_rng(0)
    y = rng.normal(100, 10, 400)
    for t in range(5, 400):
        y[t] = y[t - 5] + 0.5 * rng.normal()
    panel = Panel.from_frame(
        pd.DataFrame({"t": np.arange(400), "y": y}), target="y", time="t"
    )
    config = Config(
        window=WindowConfig(horizon=1, season=5), train=TrainConfig(steps=0)
    )
    explanation = explain(Forecaster(config).fit(panel))
    assert ranked(explanation, "lag")[0] == "5"
    assert ranked(explanation, "past step")[0] == "5"
    first = next(factor for factor in explanation.factors if factor.name == "5")
    assert first.moved > 0.3
    assert first.helps > 0.1

    windows = explanation.windows
    assert repr(explanation).startswith(f"<Explanation: {windows} windows of 1 step, ")
    assert explanation.make_summary_table()["name"].tolist() == [
        *ranked(explanation, "lag")[:3],
        *ranked(explanation, "past step")[:3],
    ]


def test_the_covariate_that_drives_a_series_is_named_before_one_that_does_not() -> None:
    rng = np.random.default_rng(1)
    promo, noise, kind = (
        (rng.random(312) < 0.3).astype(float),
        rng.normal(size=312),
        rng.choice(["a", "b"], 312),
    )
    y = np.where(np.arange(312) < 300, 100 + 30 * promo + rng.normal(size=312), np.nan)
    frame = pd.DataFrame(
        {"t": np.arange(312), "y": y, "noise": noise, "promo": promo, "kind": kind}
    )
    panel = Panel.from_frame(
        frame, target="y", time="t", future=["noise", "kind", "promo"]
    )
    forecaster = Forecaster(zero_shot(12)).fit(panel)
    explanation = explain(forecaster)
    assert ranked(explanation, "covariate") == [
        "promo",
        *ranked(explanation, "covariate")[1:],
    ]
    assert sorted(ranked(explanation, "covariate")) == ["kind", "noise", "promo"]
    moved = {
        factor.name: factor
        for factor in explanation.factors
        if factor.kind == "covariate"
    }
    assert moved["promo"].moved > 10 * moved["noise"].moved
    assert moved["promo"].helps > 0.2


def test_a_covariate_of_the_past_counts_too() -> None:
    rng = np.random.default_rng(2)
    x = (rng.random(300) < 0.3).astype(float)
    y = 100 + 30 * np.roll(x, 1) + rng.normal(size=300)
    frame = pd.DataFrame(
        {"t": np.arange(300), "y": y, "x": x, "noise": rng.normal(size=300)}
    )
    panel = Panel.from_frame(frame, target="y", time="t", past=["noise", "x"])
    explanation = explain(Forecaster(fast_learner(1)).fit(panel))
    assert ranked(explanation, "covariate") == ["x", "noise"]


def test_holidays_are_one_covariate() -> None:
    days = pd.date_range("2022-01-01", periods=200, freq="D")
    frame = pd.DataFrame(
        {
            "t": days,
            "y": 100
            + np.arange(200) % 7
            + 0.1 * np.random.default_rng(3).normal(size=200),
        }
    )
    panel = Panel.from_frame(frame, target="y", time="t")
    config = replace(zero_shot(7), inputs=InputConfig(holidays="DE"))
    assert ranked(explain(Forecaster(config).fit(panel)), "covariate") == ["holidays"]


def test_a_saved_run_explains_itself_alike_and_stays_as_it_was(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    parts = [
        pd.DataFrame({"id": f"s{i}", "t": np.arange(60), "y": rng.normal(50, 5, 60)})
        for i in range(3)
    ]
    panel = Panel.from_frame(pd.concat(parts), target="y", time="t", series="id")
    forecaster = Forecaster(zero_shot(4)).fit(panel)
    before = forecaster.predict()
    explanation = explain(forecaster)
    pd.testing.assert_frame_equal(forecaster.predict(), before)
    assert explain(Forecaster.load(forecaster.save(tmp_path / "run"))) == explanation
    table = explanation.frame(2)
    assert table["kind"].tolist() == ["lag", "lag", "past step", "past step"]
    assert len(explanation.frame()) == len(explanation.factors)
    assert explain(forecaster, max_windows=2).windows == 2


def test_targets_that_are_forecast_jointly_can_be_explained() -> None:
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(
        {"t": np.arange(80), "a": rng.normal(50, 5, 80), "b": rng.normal(50, 5, 80)}
    )
    panel = Panel.from_frame(frame, target=["a", "b"], time="t")
    config = replace(
        fast_learner(2, joint=True),
        train=TrainConfig(start="scratch", steps=2, members=1, jobs=1),
    )
    explanation = explain(Forecaster(config).fit(panel))
    assert explanation.windows == 2
    assert np.isfinite([factor.moved for factor in explanation.factors]).all()


def test_series_too_short_to_explain_are_refused() -> None:
    panel = Panel.from_frame(
        pd.DataFrame({"t": np.arange(5), "y": [1.0, 2, 3, 2, 4]}), target="y", time="t"
    )
    with pytest.raises(DataError, match="too short to explain"):
        explain(Forecaster(zero_shot(4)).fit(panel))


@pytest.mark.parametrize("both", [False, True])
def test_attention_is_in_shares_of_the_steps_of_a_context(
    both: bool, tmp_path: Path
) -> None:
    config = Config(
        window=WindowConfig(horizon=4, context=10, season=1),
        model=ModelConfig(hidden=6, layers=1, attention=True, bidirectional=both),
        train=TrainConfig(start="scratch", steps=3, members=2, jobs=1, batch_size=4),
    )
    rng = np.random.default_rng(0)
    frames = [
        pd.DataFrame({"id": name, "t": np.arange(n), "y": rng.normal(size=n)})
        for name, n in (("a", 40), ("b", 6))
    ]
    forecaster = Forecaster(config).fit(
        Panel.from_frame(pd.concat(frames), target="y", time="t", series="id")
    )
    table = compute_attention(forecaster)
    assert list(table) == ["id", "t", "attention"]
    assert table["t"].tolist() == [*range(30, 40), *range(6)]
    np.testing.assert_allclose(table.groupby("id")["attention"].sum(), 1, rtol=1e-5)
    assert (table["attention"] > 0).all() and table["attention"].nunique() > 10
    loaded = compute_attention(Forecaster.load(forecaster.save(tmp_path / "run")))
    pd.testing.assert_frame_equal(loaded, table, check_exact=True)


def test_a_run_without_attention_is_refused() -> None:
    y = np.random.default_rng(0).normal(size=40)
    forecaster = Forecaster(zero_shot(4)).fit(
        Panel.from_frame(
            pd.DataFrame({"t": np.arange(40), "y": y}), target="y", time="t"
        )
    )
    with pytest.raises(UsageError, match="no attention to show") as caught:
        compute_attention(forecaster)
    assert "--attention" in caught.value.hint
