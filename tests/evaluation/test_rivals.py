"""The simple method to compare with is known to be none before anything is fitted."""

from typing import NoReturn

import numpy as np
import pandas as pd
import pytest

from lstmcast.config import Config, TrainConfig, WindowConfig
from lstmcast.errors import UsageError
from lstmcast.evaluation.backtest import backtest, evaluate
from lstmcast.evaluation.rivals import find_rival_season, require_rival_of_fit
from lstmcast.forecasting.predictor import Predictor
from lstmcast.panel.panel import Panel
from lstmcast.training.forecaster import Forecaster

UNTRAINED = Config(window=WindowConfig(horizon=7), train=TrainConfig(steps=0))
BERNOULLI = Config(train=TrainConfig(loss="bernoulli"))


def make_panel(days: int, plain_days: int = 0) -> Panel:
    """Days with a week, after as many plain days of noise."""
    rng = np.random.default_rng(0)
    day = np.arange(days)
    week = 10 * np.sin(2 * np.pi * day / 7) * (day >= plain_days)
    values = 50 + week + rng.normal(size=days)
    stamps = pd.date_range("2024-01-01", periods=days)
    return Panel.from_frame(pd.DataFrame({"ds": stamps, "y": values}), target="y")


def refuse_to_work(*_args: object, **_options: object) -> NoReturn:
    raise AssertionError("nothing must be fitted or forecast")


def test_a_method_is_known_by_the_seasons_that_the_fit_will_find() -> None:
    weekly, plain = make_panel(100), make_panel(100, 100)
    require_rival_of_fit("", plain, UNTRAINED)
    require_rival_of_fit("theta", plain, UNTRAINED)
    require_rival_of_fit("seasonal_naive", weekly, UNTRAINED)
    require_rival_of_fit("base_rate", plain, BERNOULLI)
    with pytest.raises(UsageError, match="'seasonal_naive'"):
        require_rival_of_fit("seasonal_naive", plain, UNTRAINED)
    with pytest.raises(UsageError, match="'naive'"):
        require_rival_of_fit("naive", plain, BERNOULLI)


@pytest.mark.parametrize("refit", [True, False])
@pytest.mark.parametrize("expanding", [True, False])
def test_a_backtest_refuses_an_unknown_method_before_it_fits(
    monkeypatch: pytest.MonkeyPatch, *, refit: bool, expanding: bool
) -> None:
    monkeypatch.setattr(Forecaster, "fit_part", refuse_to_work)
    with pytest.raises(UsageError, match="'seasonal_niave'") as error:
        backtest(
            make_panel(100),
            UNTRAINED,
            refit=refit,
            expanding=expanding,
            against="seasonal_niave",
        )
    assert error.value.hint == "did you mean 'seasonal_naive'?"


def test_a_backtest_takes_a_season_that_its_last_fit_is_the_first_to_find() -> None:
    panel = make_panel(140, 77)
    # What the first of the folds may know has hardly a week, that of the last one has.
    first, last = panel.head(np.array([84])), panel.head(np.array([133]))
    with pytest.raises(UsageError):
        require_rival_of_fit("seasonal_naive", first, UNTRAINED)
    require_rival_of_fit("seasonal_naive", last, UNTRAINED)
    result = backtest(panel, UNTRAINED, windows=8, against="seasonal_naive")
    assert result.verdict.best_baseline == "seasonal_naive"


def test_an_evaluation_refuses_an_unknown_method_before_it_forecasts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    panel = make_panel(100)
    fitted = Forecaster(UNTRAINED).fit(panel.head(np.array([80])))
    monkeypatch.setattr(Predictor, "quantiles", refuse_to_work)
    with pytest.raises(UsageError, match="'thetta'; did you mean 'theta'"):
        evaluate(fitted, panel, against="thetta")


def test_the_rival_season_is_another_one_that_the_data_show() -> None:
    weekly = make_panel(100)
    assert find_rival_season(weekly, 1) == 7
    assert find_rival_season(weekly, 7) == 0
