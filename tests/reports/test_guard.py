"""Where the network is no better, the forecast is the best simple method, and is said to be."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lstmcast.config import Config, TrainConfig, WindowConfig
from lstmcast.panel.panel import Panel
from lstmcast.scoring.baselines import forecast_baselines
from lstmcast.training.forecaster import Forecaster
from tests.cli.conftest import run_program


@pytest.mark.parametrize(
    ("name", "target", "right"),
    [
        ("line_up_noise.csv", "y", {"drift"}),
        ("returns.csv", "ret", {"mean", "median"}),
    ],
)
def test_a_fit_forecasts_no_worse_than_the_best_simple_method(
    shared: Callable[[str], Path], name: str, target: str, right: set[str]
) -> None:
    """The last two horizons are kept from a fit with some training, and forecast."""
    frame = pd.read_csv(shared(f"reports/{name}"))
    panel = Panel.from_frame(frame, target=target)
    config = Config(
        window=WindowConfig(horizon=10), train=TrainConfig(steps=20, members=1, jobs=1)
    )
    past = panel.head(panel.lengths - 20)
    run = Forecaster(config).fit(past)
    assert run.combination.method in right
    where = panel.values, panel.offsets, np.zeros(2, int)
    origins = panel.lengths[0] - 1 - np.array([20, 10])
    forecast = run.quantiles(panel, where[2], origins, levels=[0.5])[..., 0]
    actual = panel.values[origins[:, None] + np.arange(1, 11)]
    errors = {
        method: np.abs(simple - actual).mean()
        for method, simple in forecast_baselines(*where, origins, 10, (7, 0)).items()
    }
    error = np.abs(forecast - actual).mean()
    assert error <= 1.05 * min(errors[method] for method in right)


def test_a_forecast_without_training_falls_back_too_and_says_so(
    shared: Callable[[str], Path], tmp_path: Path
) -> None:
    file = shared("reports/line_up_noise.csv")
    done = run_program(
        "forecast", file, "--target", "y", "--json", cwd=tmp_path, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "extending the line from the first to the last value" in done.stderr
    verdict = json.loads(done.stdout)["verdict"]
    assert verdict["best_baseline"] == "drift"
    assert verdict["model"]["mae"] <= 1.05 * verdict["baselines"]["drift"]["mae"]
    assert {"mean", "theta"} <= verdict["baselines"].keys()
    table = pd.DataFrame(json.loads(done.stdout)["forecast"])
    last = pd.read_csv(io.BytesIO(file.read_bytes()))["y"].iloc[-1]
    assert table["forecast"].iloc[-1] > last
