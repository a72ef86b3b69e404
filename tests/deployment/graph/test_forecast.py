"""A run's forecast as one torch module: the same numbers as `predict`, from raw values."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from lstmcast.config import (
    NETWORK_QUANTILES,
    Config,
    ModelConfig,
    TrainConfig,
    WindowConfig,
)
from lstmcast.deployment.export import build_feed
from lstmcast.deployment.graph.forecast import ForecastGraph
from lstmcast.panel.panel import Panel
from lstmcast.training.forecaster import Forecaster
from tests.make import panel_of, wavy

RNG = np.random.default_rng(0)
GAPS = wavy(RNG, 120)
GAPS[[0, 1, 30, 31, 32, 60, 118, 119]] = np.nan
MIXED = panel_of([wavy(RNG, 120), GAPS, wavy(RNG, 9), -5 + 0.1 * wavy(RNG, 50)])
HOURS = np.arange(24 * 20)
HOURLY = panel_of(
    [
        100
        + 30 * np.sin(HOURS * np.pi / 12)
        + 20 * np.sin(HOURS * np.pi / 84)
        + RNG.normal(size=480)
    ]
    * 2,
    "h",
)
SMALL = Config(
    model=ModelConfig(hidden=8),
    train=TrainConfig(
        start="scratch", steps=8, lr=1e-2, members=2, jobs=1, batch_size=8
    ),
)


def config(**settings: Any) -> Config:
    """The small network with other settings, of whichever section they are."""
    sections = {"model": SMALL.model, "train": SMALL.train, "window": WindowConfig()}
    changed: dict[str, Any] = {}
    for name, section in sections.items():
        values = {
            key: value for key, value in settings.items() if hasattr(section, key)
        }
        changed[name] = replace(section, **values)  # type: ignore[type-var]
    return replace(SMALL, **changed)


def with_covariates() -> Panel:
    days, rng = 200, np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "day": pd.date_range("2023-01-01", periods=days),
            "promo": rng.random(days) < 0.3,
        }
    )
    frame["sky"], frame["heat"] = (
        rng.choice(["sun", "rain"], days),
        rng.normal(size=days),
    )
    frame["sold"] = 50 + 20 * frame["promo"] + rng.normal(0, 3, days)
    frame.loc[days - 20 :, ["sold", "heat"]] = np.nan
    both = pd.concat(
        [
            frame.assign(shop="a", size=1.0),
            frame.assign(shop="b", size=3.0, sold=frame["sold"] * 3),
        ]
    )
    roles = {"past": "heat", "future": ["promo", "sky"], "static": "size"}
    return Panel.from_frame(both, target="sold", time="day", series="shop", **roles)


def check(settings: Config, panel: Panel) -> None:
    """Compare the graph with `predict` for every series of a panel."""
    run = Forecaster(settings).fit(panel)
    graph = ForecastGraph(run).eval()
    for number in range(len(panel)):
        feed = build_feed(run, number)
        inputs = [torch.from_numpy(np.array(feed[name])) for name in graph.inputs]
        with torch.no_grad():
            found = graph(*inputs).numpy()
        series = np.array([number])
        origins = panel.lengths[series] - 1
        expected = run.quantiles(panel, series, origins, levels=NETWORK_QUANTILES)
        np.testing.assert_allclose(
            found, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max()
        )


@pytest.mark.parametrize(
    "settings",
    [
        {"cell": "lstm"}, {"cell": "gru"}, {"cell": "rnn", "layers": 1}, {"layers": 3},
        {"layer_norm": True}, {"bidirectional": True}, {"attention": True},
        {"season": 1}, {"horizon": 30},
        {"scale": "standard"}, {"scale": "robust"}, {"scale": "minmax"}, {"scale": "none"},
        {"transform": "none"}, {"loss": "mse"}, {"loss": "mae"}, {"loss": "huber"},
    ],
    ids=str,
)  # fmt: skip
def test_it_forecasts_what_predict_does_of_series_with_gaps_short_ones_and_negative_ones(
    settings: dict[str, Any],
) -> None:
    check(config(**settings), MIXED)


def test_it_forecasts_what_predict_does_with_two_seasons() -> None:
    check(config(), HOURLY)


def test_it_forecasts_what_predict_does_with_covariates() -> None:
    check(config(horizon=7), with_covariates())


def test_it_forecasts_what_predict_does_of_probabilities() -> None:
    check(
        config(loss="bernoulli"),
        panel_of([(RNG.random(90) < 0.3).astype(float) for _ in range(2)]),
    )


def test_it_forecasts_what_predict_does_of_many_series_and_with_the_shipped_network() -> (
    None
):
    check(
        Config(train=TrainConfig(steps=3, jobs=1)),
        panel_of([wavy(RNG, 40) for _ in range(20)]),
    )
    check(Config(train=TrainConfig(steps=0)), panel_of([wavy(RNG, 60)]))
