"""The adapter is a forecaster as sktime checks them, and forecasts what the library does."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from lstmcast import Forecaster

pytest.importorskip("sktime")
pytestmark = pytest.mark.filterwarnings("default")  # those of sktime's own code

MONTHS = pd.period_range("2015-01", periods=60, freq="M")
RNG = np.random.default_rng(0)
PRICE = pd.DataFrame({"price": RNG.normal(size=63)}, MONTHS.union(MONTHS[-3:] + 3))
SALES = pd.Series(
    50 + 10 * np.sin(np.arange(60) * np.pi / 6) + 5 * PRICE["price"][:60].to_numpy(),
    MONTHS,
    name="sales",
)


def make_adapter(**settings: Any) -> Any:
    from lstmcast.adapters.sktime import LstmcastForecaster

    return LstmcastForecaster(steps=0, **settings)


def make_frame(sales: "pd.Series[float]") -> pd.DataFrame:
    return pd.DataFrame({"ds": sales.index.to_timestamp(), "y": sales.to_numpy()})


def test_a_forecast_is_that_of_the_library_under_sktimes_index() -> None:
    forecast = make_adapter().fit(SALES, fh=[1, 3]).predict()
    own = Forecaster(steps=0, horizon=3).fit(make_frame(SALES)).predict()
    np.testing.assert_array_equal(forecast, own["forecast"][[0, 2]])
    assert forecast.index.equals(pd.PeriodIndex(["2020-01", "2020-03"], freq="M"))
    assert forecast.name == "sales"


def test_intervals_and_quantiles_are_those_of_the_library() -> None:
    adapter = make_adapter().fit(SALES, fh=[1, 2])
    interval = adapter.predict_interval(coverage=0.8)["sales"][0.8]
    own = adapter.forecaster_.predict(level=80)
    np.testing.assert_allclose(interval["lower"], own["q10"])
    np.testing.assert_allclose(interval["upper"], own["q90"])


def test_what_is_known_ahead_moves_the_forecast() -> None:
    adapter = make_adapter().fit(SALES, PRICE[:60], fh=[1, 2, 3])
    ahead = PRICE[60:]
    higher = adapter.predict(X=ahead + 1) - adapter.predict(X=ahead)
    # In logs the effect is a factor: it is larger where sales are.
    np.testing.assert_allclose(higher, 5, atol=3)


def test_a_panel_is_forecast_together_also_where_series_end_apart() -> None:
    long = pd.concat({"b": SALES, "a": SALES[:-2]}, names=["shop", "month"])
    panel = long.to_frame("sales").sort_index()
    forecast = make_adapter().fit(panel, fh=[1, 2]).predict()
    assert forecast.index.names == ["shop", "month"]
    assert forecast.loc["a"].index.equals(forecast.loc["b"].index)
    own = make_adapter().fit(panel, fh=[1, 2]).forecaster_.predict(4)
    by_shop = own.groupby("key_0")["forecast"].apply(list)
    np.testing.assert_array_equal(forecast.loc["a", "sales"], by_shop["a"][2:])
    np.testing.assert_array_equal(forecast.loc["b", "sales"], by_shop["b"][:2])


def test_an_update_without_a_fit_goes_on_from_the_newer_values() -> None:
    adapter = make_adapter().fit(SALES[:50], fh=[1, 2, 3])
    adapter.update(SALES[50:], update_params=False)
    forecast = adapter.predict()
    assert forecast.index[0] == pd.Period("2020-01", "M")
    assert adapter.forecaster_.panel.lengths.tolist() == [60]


@pytest.mark.slow
def test_sktimes_own_checks_pass() -> None:
    from sktime.utils.estimator_checks import check_estimator

    from lstmcast.adapters.sktime import LstmcastForecaster

    results = check_estimator(LstmcastForecaster, verbose=False)
    assert len(results) > 300
    assert {name: r for name, r in results.items() if r != "PASSED"} == {}
