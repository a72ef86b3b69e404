"""The functions take frames, and give tables in the caller's kind of frame."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from lstmcast import (
    Config,
    Forecaster,
    Panel,
    UsageError,
    backtest,
    detect,
    evaluate,
    explain,
    score,
    update,
)

RNG = np.random.default_rng(1)
FRAME = pd.DataFrame(
    {
        "ds": pd.date_range("2024-01-01", periods=150),
        "y": 10 + np.sin(np.arange(150) * 2 * np.pi / 7) + 0.1 * RNG.normal(size=150),
    }
)
OLD, NEW = FRAME[:130], FRAME[130:]
CONFIG = Config(steps=0, horizon=7)


@pytest.fixture(scope="module")
def fitted() -> Forecaster:
    return Forecaster(CONFIG).fit(OLD)


def test_a_backtest_of_a_frame_is_that_of_its_panel() -> None:
    of_frame = backtest(pl.from_pandas(FRAME), CONFIG, windows=2)
    of_panel = backtest(Panel.from_frame(FRAME), CONFIG, windows=2)
    assert isinstance(of_frame.forecasts, pl.DataFrame)
    assert of_frame.verdict.model["mae"] == of_panel.verdict.model["mae"]
    by_name = backtest(FRAME, steps=0, horizon=7, windows=2, fill="zero")
    assert by_name.verdict.model["mae"] == of_panel.verdict.model["mae"]
    own = Forecaster(CONFIG).backtest(FRAME, windows=2)
    assert own.verdict.model["mae"] == of_panel.verdict.model["mae"]


def test_a_verdict_compares_with_the_method_that_is_named(fitted: Forecaster) -> None:
    for verdict in (
        backtest(FRAME, CONFIG, windows=2, refit=False, against="naive").verdict,
        Forecaster(CONFIG).backtest(FRAME, windows=2, against="naive").verdict,
        evaluate(fitted, NEW, against="naive").verdict,
        fitted.evaluate(NEW, against="naive").verdict,
        Forecaster(CONFIG).fit(OLD, against="naive").verdict,
    ):
        assert verdict.best_baseline == "naive"
    with pytest.raises(UsageError, match="'naif'; did you mean 'naive'"):
        fitted.evaluate(NEW, against="naif")


def test_long_works_show_how_far_they_are(
    fitted: Forecaster, capsys: pytest.CaptureFixture[str]
) -> None:
    backtest(FRAME, CONFIG, windows=2, progress=True)
    assert "2/2" in capsys.readouterr().out
    fitted.cross_validation(n_windows=2, progress=True)
    assert "2/2" in capsys.readouterr().out
    fitted.explain(progress=True)
    assert "explain" not in capsys.readouterr().err


def test_a_configuration_is_no_forecaster() -> None:
    with pytest.raises(TypeError, match="is no Config; .*has backtest"):
        backtest(FRAME, Forecaster())  # type: ignore[arg-type]


def test_new_rows_are_scored_judged_explained_and_learnt_from(
    fitted: Forecaster,
) -> None:
    verdict = evaluate(fitted, NEW).verdict
    assert verdict.observed == fitted.evaluate(NEW).verdict.observed > 0
    assert detect(fitted, NEW).figures["judged"] == 20
    assert explain(fitted, FRAME).horizon == 7
    longer = update(fitted, NEW).forecaster
    assert isinstance(longer, Forecaster)
    assert longer.predict()["ds"].iloc[0] == pd.Timestamp("2024-05-30")


def test_a_table_of_forecasts_is_scored_against_a_frame(fitted: Forecaster) -> None:
    forecast = fitted.predict()
    as_polars = score(pl.from_pandas(forecast), pl.from_pandas(FRAME))
    assert as_polars.model["mae"] == score(forecast, FRAME).model["mae"]
