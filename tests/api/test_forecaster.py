"""A forecaster of frames: paths that keep dependence, scikit-learn's checks, frames back."""

from copy import copy
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from lstmcast import Config, Forecaster, detect, score
from lstmcast.errors import ArgumentError, UsageError

RNG = np.random.default_rng(2)
WALK = pd.Series(
    100 + np.cumsum(RNG.normal(size=300)), pd.date_range("2023-01-01", periods=300)
)


@pytest.fixture(scope="module")
def fitted() -> Forecaster:
    return Forecaster(steps=0, horizon=14).fit(WALK)


def test_data_are_no_configuration() -> None:
    with pytest.raises(ArgumentError, match=r"Forecaster\(horizon=14\).fit\(frame\)"):
        Forecaster(WALK)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="fit needs data"):
        Forecaster().fit()


def test_settings_by_name_change_a_configuration() -> None:
    forecaster = Forecaster(Config(cell="gru"), horizon=3)
    assert forecaster.config == Config(cell="gru", horizon=3)


def test_quantiles_of_a_forecaster_are_those_of_its_forecasts(
    fitted: Forecaster,
) -> None:
    own = clone_of(fitted, quantiles=[0.05, 0.5])
    assert [*own.predict(horizon=2).columns[-2:]] == ["q5", "q50"]
    assert [*own.predict(horizon=2, level=80).columns[-2:]] == ["q10", "q90"]
    assert own.get_params()["quantiles"] == [0.05, 0.5]
    assert repr(Forecaster(steps=0, quantiles=0.9)).endswith("quantiles=0.9)")
    with pytest.raises(UsageError, match="quantiles=.2. is out of range"):
        Forecaster(quantiles=[2])
    with pytest.raises(UsageError, match="out of range"):
        own.set_params(quantiles=[0], steps=3)
    assert own.config.train.steps == 0


def clone_of(fitted: Forecaster, **params: Any) -> Forecaster:
    """A copy of a fitted forecaster with other settings for what it is asked next."""
    return copy(fitted).set_params(**params)


def test_paths_have_the_quantiles_of_the_forecast_and_depend_on_their_past(
    fitted: Forecaster,
) -> None:
    paths = fitted.simulate(2000, seed=1)
    by_step = paths.pivot(index="path", columns="time", values="y").to_numpy()
    assert by_step.shape == (2000, 14)
    forecast = fitted.predict()
    shares = (by_step < forecast["q90"].to_numpy()).mean(axis=0)
    np.testing.assert_allclose(shares, 0.9, atol=0.03)
    # A random walk goes on from where it is: its later steps are those before, and a little more.
    correlation = np.corrcoef(by_step, rowvar=False)
    assert correlation[-1, -2] > 0.6
    assert fitted.simulate(3, seed=1).equals(fitted.simulate(3, seed=1))
    assert not fitted.simulate(3, seed=1).equals(fitted.simulate(3, seed=2))


def test_paths_reach_beyond_the_trained_horizon(fitted: Forecaster) -> None:
    assert len(fitted.simulate(2, horizon=20)) == 40
    with pytest.raises(UsageError, match="n_paths=0"):
        fitted.simulate(0)


def test_the_kind_of_frame_is_that_of_what_was_passed_last() -> None:
    table = pa.table({"ds": WALK.index, "y": WALK.to_numpy()})
    forecaster = Forecaster(steps=0, horizon=3).fit(table)
    assert isinstance(forecaster.predict(), pa.Table)
    assert isinstance(forecaster.make_future_frame(), pa.Table)
    assert isinstance(forecaster.predict(table.to_pandas()), pd.DataFrame)


@pytest.fixture(scope="module")
def of_months() -> Forecaster:
    """Fitted to five years of periods."""
    return Forecaster(steps=0, horizon=3).fit(make_months("2020-01", 60))


def make_months(start: str, count: int) -> pd.Series:
    months = pd.period_range(start, periods=count, freq="M")
    wave = np.sin(2 * np.pi * months.month.to_numpy() / 12)
    return pd.Series(10 + wave + 0.1 * RNG.normal(size=count), months)


def test_who_has_periods_gets_periods_of_the_same_frequency(
    of_months: Forecaster,
) -> None:
    later = make_months("2025-01", 6)
    tables = [
        of_months.predict(),
        of_months.cross_validation(n_windows=2),
        of_months.predict_insample(),
        of_months.residuals(),
        of_months.simulate(2),
        of_months.make_future_frame(),
        of_months.decompose(),
        of_months.backtest(windows=2).forecasts,
        of_months.evaluate(later).forecasts,
        of_months.detect(later).rows,
        detect(of_months, later).rows,
        of_months.update(later, steps=1).forecaster.predict(),
    ]
    for table in tables:
        assert table["time"].dtype == pd.PeriodDtype("M")
        if "cutoff" in table:
            assert table["cutoff"].dtype == pd.PeriodDtype("M")
    next_months = pd.period_range("2025-01", periods=3, freq="M")
    assert tables[0]["time"].tolist() == [*next_months]
    first = of_months.predict(later)["time"].iloc[0]
    assert first == pd.Period("2025-07", "M")
    # Who passes points in time gets these.
    later.index = later.index.to_timestamp()
    assert of_months.predict(later)["time"].iloc[0] == pd.Timestamp("2025-07-01")


def test_a_forecast_of_periods_is_scored_as_it_is(of_months: Forecaster) -> None:
    known = make_months("2020-01", 63).rename("y")
    known.iloc[:60] = of_months.panel.values
    assert score(of_months.predict(), known).observed == 3


def test_a_setting_of_the_reading_is_part_of_the_run() -> None:
    gappy = WALK.drop(WALK.index[50:53])
    forecaster = Forecaster(steps=0, horizon=3).fit(gappy, fill="zero")
    assert forecaster.config.data.fill == "zero"
    assert (forecaster.panel.values == 0).sum() == 3


@pytest.mark.filterwarnings("ignore:.*delay parameter validation until fit")
def test_scikit_learns_own_checks_of_parameters_pass() -> None:
    checks = pytest.importorskip("sklearn.utils.estimator_checks")
    for check in (
        checks.check_estimator_cloneable,
        checks.check_estimator_repr,
        checks.check_get_params_invariance,
        checks.check_set_params,
        checks.check_no_attributes_set_in_init,
        checks.check_estimator_tags_renamed,
        checks.check_valid_tag_types,
    ):
        check("Forecaster", Forecaster())
