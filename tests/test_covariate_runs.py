"""Runs with every kind of covariate: each changes the forecast, in all that a run is used for.

Covariates of the past, known ahead and static, of numbers and of text; calendar, holidays, and
joint targets. Where each is worth something is in docs/covariates.md.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lstmcast.config import Config, InputConfig, ModelConfig, TrainConfig, WindowConfig
from lstmcast.evaluation.backtest import backtest, evaluate
from lstmcast.evaluation.explain import explain
from lstmcast.forecasting import combination, recursive
from lstmcast.panel.panel import Panel
from lstmcast.training.checkpoint import Checkpoint, TrainingCheckpoint
from lstmcast.training.forecaster import Forecaster
from lstmcast.training.loop import TrainingState

HORIZON, DAYS, AHEAD = 5, 90, 12
CONFIG = Config(
    window=WindowConfig(horizon=HORIZON, context=14),
    model=ModelConfig(hidden=8, layers=1, dropout=0.0),
    train=TrainConfig(
        start="scratch", steps=30, lr=2e-2, members=1, jobs=1, batch_size=8, origins=4
    ),
    inputs=InputConfig(calendar=True, holidays="DE", joint=True),
)


def table(days: int = DAYS, ahead: int = AHEAD) -> pd.DataFrame:
    """Return two shops a day: sales and returns of `days`, and covariates of `ahead` days more."""
    rng = np.random.default_rng(0)
    parts = []
    for number, (shop, region) in enumerate([("a", "north"), ("b", "south")]):
        n = days + ahead
        known = np.arange(n) < days
        parts.append(
            pd.DataFrame(
                {
                    "shop": shop,
                    "day": pd.date_range("2024-02-01", periods=n),
                    "sold": np.where(
                        known, 50 + rng.normal(0, 5, n) + np.arange(n) % 7, np.nan
                    ),
                    "returned": np.where(known, 20 + rng.normal(0, 2, n), np.nan),
                    "promo": (rng.random(n) < 0.3).astype(int),
                    "sky": rng.choice(["sun", "rain"], n),
                    "degrees": np.where(known, rng.normal(10, 3, n), np.nan),
                    "region": region,
                    "size": 10.0 * (number + 1),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def panel_of(frame: pd.DataFrame) -> Panel:
    return Panel.from_frame(
        frame,
        target=["sold", "returned"],
        time="day",
        series="shop",
        past="degrees",
        future=["promo", "sky"],
        static=["region", "size"],
    )


@pytest.fixture(autouse=True, scope="module")
def keep_the_network() -> Iterator[None]:
    """What covariates move is the network's forecast: no simple method is to take its place."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(combination, "choose_method", lambda *_: None)
        yield


@pytest.fixture(scope="module")
def run() -> Forecaster:
    return Forecaster(CONFIG).fit(panel_of(table()))


def forecast(run: Forecaster, panel: Panel) -> np.ndarray:
    return run.quantiles(
        panel, np.arange(len(panel)), panel.lengths - 1, levels=(0.5,)
    )[..., 0]


def with_other_past(panel: Panel) -> Panel:
    return replace(panel, past=panel.past + 3)


def with_other_plan(panel: Panel) -> Panel:
    future = panel.future.copy()
    future[panel.future_offsets[1:] - AHEAD, 0] = (
        1 - future[panel.future_offsets[1:] - AHEAD, 0]
    )
    return replace(panel, future=future)


def with_other_size(panel: Panel) -> Panel:
    static = panel.static.copy()
    static[:, panel.static_names.index("size")] += 5
    return replace(panel, static=static)


def with_other_region(panel: Panel) -> Panel:
    static = panel.static.copy()
    static[:, :2] = static[:, 1::-1]
    return replace(panel, static=static)


@pytest.mark.parametrize(
    "changed", [with_other_past, with_other_plan, with_other_size, with_other_region]
)
def test_each_covariate_moves_the_forecast(
    run: Forecaster, changed: Callable[[Panel], Panel]
) -> None:
    panel = run.panel
    assert np.abs(forecast(run, changed(panel)) - forecast(run, panel)).max() > 1e-3


def test_the_past_of_one_target_moves_the_forecast_of_the_other_only_where_they_are_joint(
    run: Forecaster,
) -> None:
    frame = table()
    frame.loc[frame["day"] == "2024-04-29", "returned"] += 4
    separate = Forecaster(replace(CONFIG, inputs=InputConfig())).fit(run.panel)
    sold = [i for i, key in enumerate(run.panel.keys) if key[-1] == "sold"]
    for fitted, moves in ((run, True), (separate, False)):
        changed, plain = forecast(fitted, panel_of(frame)), forecast(fitted, run.panel)
        difference = changed[sold] - plain[sold]
        assert (np.abs(difference).max() > 1e-3) == moves


def test_a_saved_run_forecasts_alike_from_its_end_and_from_new_rows(
    run: Forecaster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recursive, "PATHS_PER_WINDOW", 10)
    loaded = Forecaster.load(run.save(tmp_path / "run"))
    for horizon in (None, AHEAD):
        pd.testing.assert_frame_equal(
            loaded.predict(horizon=horizon), run.predict(horizon=horizon)
        )
    later = panel_of(table(DAYS + 4, AHEAD))
    forecasts = loaded.predict(later)
    assert forecasts["day"].min() == pd.Timestamp("2024-02-01") + pd.Timedelta(
        days=DAYS + 4
    )
    assert np.isfinite(forecasts["forecast"]).all()


@pytest.mark.parametrize("refit", [True, False])
def test_backtests_and_evaluations_take_every_input(
    run: Forecaster, refit: bool
) -> None:
    panel = panel_of(table(DAYS + 10, 0))
    result = backtest(panel, CONFIG, windows=2, refit=refit)
    assert len(result.forecasts) == 4 * 2 * HORIZON
    assert np.isfinite(result.forecasts["forecast"]).all()
    if not refit:
        assert len(evaluate(run, panel).forecasts) == 4 * 2 * HORIZON


def test_every_input_is_explained_by_its_own_name(run: Forecaster) -> None:
    named = {
        factor.name for factor in explain(run).factors if factor.kind == "covariate"
    }
    assert named == {
        "degrees",
        "promo",
        "sky",
        "calendar",
        "holidays",
        "region",
        "size",
    }


def test_an_interrupted_fit_goes_on_with_every_input_to_the_same_forecast(
    run: Forecaster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = TrainingCheckpoint.keep

    def cut_off(self: TrainingCheckpoint, kept: TrainingState) -> None:
        keep(self, kept)
        raise KeyboardInterrupt

    monkeypatch.setattr(TrainingCheckpoint, "keep", cut_off)
    with pytest.raises(KeyboardInterrupt):
        Forecaster(CONFIG).fit(run.panel, checkpoint=Checkpoint(tmp_path, seconds=0))
    monkeypatch.setattr(TrainingCheckpoint, "keep", keep)
    config, panel = Checkpoint(tmp_path).fit()
    loaded = Forecaster(config).fit(panel, checkpoint=Checkpoint(tmp_path))
    pd.testing.assert_frame_equal(loaded.predict(), run.predict())


def test_a_static_category_tells_series_apart_whose_past_is_the_same() -> None:
    rng = np.random.default_rng(0)
    parts = []
    for number in range(12):
        slope = 1 if number % 2 else -1
        y = 300 + 2 * slope * np.arange(60) + rng.normal(0, 6, 60)
        parts.append(
            pd.DataFrame(
                {
                    "id": f"s{number}",
                    "t": np.arange(60),
                    "y": y,
                    "kind": f"kind {slope}",
                }
            )
        )
    panel = Panel.from_frame(
        pd.concat(parts), target="y", time="t", series="id", static="kind"
    )
    train = TrainConfig(
        start="scratch", steps=60, lr=2e-2, members=1, jobs=1, patience=9
    )
    window, model = (
        WindowConfig(horizon=6, season=1, context=12),
        ModelConfig(hidden=16, layers=1),
    )
    forecaster = Forecaster(Config(window=window, model=model, train=train)).fit(panel)
    new = panel.select(np.array([0, 1])).head(np.array([3, 3]))
    new = replace(
        new, keys=(("x",), ("y",)), values=np.array([296.0, 304.0, 300.0] * 2)
    )
    medians = forecaster.quantiles(new, np.arange(2), np.array([2, 2]), levels=(0.5,))[
        ..., 0
    ]
    falls, rises = medians.mean(1)
    assert rises - falls > 5
