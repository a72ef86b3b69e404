"""Forecasts of the data that a forecaster was fitted to, from all their past cutoffs.

Axes: K windows, H horizon, Q quantiles.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lstmcast.evaluation.backtest import make_forecast_frame
from lstmcast.evaluation.cutoffs import choose_backtest_windows
from lstmcast.forecasting.predictor import Predictor

if TYPE_CHECKING:
    import pandas as pd


def forecast_in_sample(
    forecaster: Predictor, levels: Sequence[float], step: int
) -> "pd.DataFrame":
    """Forecast every window whose horizon lies within the history of a forecaster.

    Cutoffs count back from the end of each series by `step`; those before a whole season of history
    are left out, where later ones are there. The networks have learnt from what they forecast here:
    the errors are smaller than those of a forecast of the future.

    levels: of the quantiles, ascending. Returns a table as of `backtest.Result.forecasts`. Raises
    DataError where no series is long enough.
    """
    panel = forecaster.panel
    horizon = forecaster.horizon
    longest = int(panel.lengths.max())
    most = -(-longest // step)
    windows = choose_backtest_windows(panel, horizon, most, step)
    has_season = windows.origins >= forecaster.season
    if has_season.any():
        windows = windows.select(np.asarray(has_season))
    with_median = np.append(np.asarray(levels, dtype=np.float64), 0.5)
    quantiles = forecaster.quantiles(
        panel, windows.series, windows.origins, horizon, with_median
    )
    return make_forecast_frame(
        panel, windows, quantiles, levels, probability=forecaster.probability
    )
