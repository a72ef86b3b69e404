"""What a forecaster is asked for before a fit, and what it reads in the place of data."""

import pandas as pd
import pytest

from lstmcast import Forecaster, NotFittedError

FRAME = pd.DataFrame(
    {
        "ds": pd.date_range("2024-01-01", periods=40),
        "y": [float(step % 7) for step in range(40)],
    }
)


def test_only_what_a_fit_sets_is_missing_before_it() -> None:
    forecaster = Forecaster()
    with pytest.raises(NotFittedError):
        _ = forecaster.scaling
    with pytest.raises(AttributeError, match="no attribute 'scalling'"):
        _ = forecaster.scalling
    assert not forecaster.__sklearn_is_fitted__()


def test_a_horizon_stands_in_the_place_of_data_wherever_a_forecast_is_made() -> None:
    forecaster = Forecaster(steps=0, horizon=7).fit(FRAME)
    assert forecaster.__sklearn_is_fitted__()
    assert len(forecaster.predict("3D")) == 3
    assert len(forecaster.decompose(3)) == 40 + 3
