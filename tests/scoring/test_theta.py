"""The theta method: exponential smoothing with half the trend, seasons taken out and put back."""

import numpy as np
import pytest

from lstmcast.errors import UsageError
from lstmcast.ragged import Floats
from lstmcast.scoring import theta
from lstmcast.scoring.theta import theta_forecast

SHAPE = np.array([0.5, 1.0, 1.5, 1.0])


def forecast(values: Floats, horizon: int = 4, season: int = 1) -> Floats:
    """The forecast from the end of one series."""
    offsets = np.array([0, len(values)])
    window = np.array([0]), np.array([len(values) - 1])
    return theta_forecast(values, offsets, *window, horizon, season)[0]


def test_a_constant_series_stays_as_it_is() -> None:
    assert forecast(np.full(30, 7.0)).tolist() == pytest.approx([7.0] * 4)


def test_a_line_goes_on_with_half_its_slope() -> None:
    steps = np.diff(forecast(np.arange(200.0)))
    assert steps.tolist() == pytest.approx([0.5] * 3)


@pytest.mark.parametrize("level", [100.0, 0.0])
def test_a_season_is_repeated_as_ratios_or_where_values_are_not_positive_as_differences(
    level: float,
) -> None:
    values = level * np.tile(SHAPE, 10) if level else np.tile(SHAPE - 1, 10)
    expected = values[:4]
    assert forecast(values, season=4) == pytest.approx(expected, abs=1e-9)


def test_missing_values_are_skipped_and_nothing_observed_is_no_forecast() -> None:
    values = np.full(30, 7.0)
    values[[3, 10, 29]] = np.nan
    assert forecast(values).tolist() == pytest.approx([7.0] * 4)
    assert np.isnan(forecast(np.full(5, np.nan))).all()


def test_the_weight_of_the_newest_value_is_that_of_the_least_error() -> None:
    rng = np.random.default_rng(0)
    noise = 50 + rng.normal(size=300)
    walk = 500 + np.cumsum(rng.normal(size=300))
    # Around a fixed level the mean is best, of a random walk the last value.
    assert abs(forecast(noise, 1)[0] - 50) < 0.5
    assert abs(forecast(walk, 1)[0] - walk[-1]) < 0.5


def test_nothing_after_an_origin_is_read_and_windows_do_not_touch_each_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(theta, "MAX_WINDOWS_AT_A_TIME", 2)
    rng = np.random.default_rng(1)
    values = rng.normal(20, 2, 90)
    offsets = np.array([0, 40, 90])
    series, origins = np.array([0, 1, 1]), np.array([39, 20, 30])
    together = theta_forecast(values, offsets, series, origins, 3, 4)
    changed = values.copy()
    changed[40 + 31 :] = 1e6
    again = theta_forecast(changed, offsets, series, origins, 3, 4)
    assert (again == together).all()
    alone = forecast(values[40 : 40 + 21], 3, 4)
    assert together[1] == pytest.approx(alone)


def test_a_rival_that_no_verdict_would_have_is_refused() -> None:
    theta.require_rival("", (7, 0), probability=False)
    theta.require_rival("theta", (1, 0), probability=False)
    theta.require_rival("seasonal_naive_2", (24, 168), probability=False)
    theta.require_rival("base_rate", (1, 0), probability=True)
    with pytest.raises(UsageError, match="no simple method is called 'niave'") as error:
        theta.require_rival("niave", (7, 0), probability=False)
    assert "naive" in error.value.hint
    with pytest.raises(UsageError, match="needs a season, and these data show none"):
        theta.require_rival("seasonal_naive", (1, 0), probability=False)
    with pytest.raises(UsageError, match="needs a second season") as error:
        theta.require_rival("seasonal_mean_2", (7, 0), probability=False)
    assert "'seasonal_mean', 'theta'" in error.value.hint
    with pytest.raises(UsageError):
        theta.require_rival("naive", (7, 0), probability=True)
