"""The estimated cost of a fit is near what the fit takes."""

import time

import numpy as np
import pytest

from lstmcast.config import Config, TrainConfig, WindowConfig
from lstmcast.inspection.cost import estimate_cost
from lstmcast.training.forecaster import MIN_PANEL_SERIES, Forecaster
from tests.make import panel_of, wavy

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("count", "train"),
    [
        (1, TrainConfig(steps=40)),
        (MIN_PANEL_SERIES, TrainConfig(steps=30, members=1)),
        (1, TrainConfig(start="scratch", steps=9)),
    ],
    ids=["few series", "many series", "from scratch"],
)
def test_an_estimate_is_near_what_the_fit_then_takes(
    count: int, train: TrainConfig
) -> None:
    panel = panel_of([wavy(RNG, 300 if count == 1 else 60) for _ in range(count)])
    config = Config(
        window=WindowConfig(horizon=6), train=TrainConfig(**{**vars(train), "jobs": 1})
    )
    estimate = estimate_cost(panel, config)
    began = time.process_time()
    forecaster = Forecaster(config).fit(panel)
    took = time.process_time() - began
    assert (
        took / 4 < estimate.seconds < took * 4
    )  # looser than on the benchmark's sets: these take a second or two
    assert estimate.members == len({row["member"] for row in forecaster.history})
    assert estimate.parameters == sum(
        network.parameters for network in forecaster.networks
    )
    assert (estimate.horizon, estimate.season, estimate.context) == (
        6,
        forecaster.season,
        forecaster.context,
    )
    assert estimate.windows == sum(length - 6 for length in panel.lengths)
    assert estimate.memory > 2**27


def test_without_training_the_estimate_is_the_fit_itself() -> None:
    estimate = estimate_cost(
        panel_of([wavy(RNG, 60)]), Config(train=TrainConfig(steps=0))
    )
    assert (estimate.members, estimate.training_steps) == (1, 0)
