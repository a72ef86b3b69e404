"""A forecaster forecasts from its end or from new rows, and is the same after it was saved."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lstmcast.config import Config, InputConfig, TrainConfig, WindowConfig
from lstmcast.errors import RunError, UsageError
from lstmcast.forecasting.predictor import Predictor
from lstmcast.panel.panel import Panel
from lstmcast.runs import contents
from lstmcast.runs.directory import Run
from lstmcast.training.forecaster import Forecaster
from tests.make import panel_of, wavy

HORIZON = 6
UNTRAINED = Config(window=WindowConfig(horizon=HORIZON), train=TrainConfig(steps=0))


@pytest.fixture(scope="module")
def panel() -> Panel:
    rng = np.random.default_rng(0)
    return panel_of([wavy(rng, 60), wavy(rng, 48)])


@pytest.fixture(scope="module")
def fitted(panel: Panel) -> Forecaster:
    return Forecaster(UNTRAINED).fit(panel)


def test_a_table_has_a_row_for_each_series_and_step_and_the_median_as_forecast(
    fitted: Forecaster,
) -> None:
    table = fitted.predict(quantiles=(0.9, 0.5))
    assert list(table) == ["id", "t", "forecast", "q50", "q90"]
    assert len(table) == 2 * HORIZON
    assert table["forecast"].tolist() == table["q50"].tolist()


def test_columns_are_those_of_the_table(fitted: Forecaster) -> None:
    pd.testing.assert_frame_equal(pd.DataFrame(fitted.columns()), fitted.predict())


def test_new_rows_too_short_to_look_back_on_get_the_history_of_the_run(
    fitted: Forecaster, panel: Panel
) -> None:
    newest = panel.tail(fitted.context - 1)
    expected, found = fitted.predict(), fitted.predict(newest)
    assert found["t"].tolist() == expected["t"].tolist()
    np.testing.assert_allclose(found["forecast"], expected["forecast"], rtol=1e-5)


@pytest.mark.parametrize("levels", [(0.0,), (1.0,), (-0.1, 0.5), (float("nan"),)])
def test_levels_that_are_not_between_0_and_1_are_refused(
    fitted: Forecaster, levels: tuple[float, ...]
) -> None:
    with pytest.raises(UsageError, match="out of range"):
        fitted.predict(quantiles=levels)


def test_no_windows_have_no_forecasts(fitted: Forecaster, panel: Panel) -> None:
    nothing = np.zeros(0, np.int64)
    assert fitted.quantiles(panel, nothing, nothing, 3).shape == (0, 3, 3)


def test_the_combination_is_also_there_under_its_name_in_the_run(
    fitted: Forecaster, tmp_path: Path
) -> None:
    assert fitted.guard is fitted.combination
    run = fitted.save(tmp_path / "run")
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["guard"] == fitted.combination.to_dict()
    loaded = Predictor.load(run)
    loaded.guard = loaded.guard._replace(network=0.25)
    assert loaded.combination.network == 0.25


def test_a_loaded_forecaster_has_all_that_was_saved(
    fitted: Forecaster, tmp_path: Path
) -> None:
    loaded = Predictor.load(fitted.save(tmp_path / "run"))
    for name in (
        "config",
        "horizon",
        "context",
        "season",
        "start",
        "fingerprint",
        "notes",
    ):
        assert getattr(loaded, name) == getattr(fitted, name)
    assert loaded.cutoff.tolist() == fitted.cutoff.tolist()
    assert loaded.combination.to_dict() == fitted.combination.to_dict()
    assert loaded.scaling.to_dict() == fitted.scaling.to_dict()
    assert loaded.verdict == fitted.verdict
    assert loaded.memory == fitted.memory
    pd.testing.assert_frame_equal(loaded.predict(), fitted.predict(), check_exact=True)


def test_a_run_whose_parts_do_not_fit_together_is_refused(
    fitted: Forecaster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = fitted.save(tmp_path / "run")
    read_metrics = contents.read_metrics

    def with_another_member(run: Run) -> dict[str, Any]:
        content = read_metrics(run)
        content["guard"]["members"].append(0.5)
        return content

    monkeypatch.setattr(contents, "read_metrics", with_another_member)
    with pytest.raises(RunError, match="do not belong together"):
        Predictor.load(run)


def test_each_covariate_is_named_by_what_it_comes_from() -> None:
    days = pd.date_range("2024-01-01", periods=60)
    frame = pd.DataFrame(
        {"t": days, "y": np.arange(60.0), "seen": 1.0, "plan": np.arange(60) % 3}
    )
    panel = Panel.from_frame(frame, target="y", time="t", past="seen", future="plan")
    inputs = InputConfig(calendar=True)
    config = Config(window=UNTRAINED.window, train=UNTRAINED.train, inputs=inputs)
    fitted = Forecaster(config).fit(panel)
    assert fitted.covariate_names[:2] == ("seen", "plan")
    assert set(fitted.covariate_names[2:]) == {"calendar"}
