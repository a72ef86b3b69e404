"""What of a panel is held back from training: the newest windows, to choose, weigh, calibrate and judge by."""

import numpy as np

from lstmcast.panel.panel import Panel
from lstmcast.ragged import Ints, choose_evenly

MAX_HOLDOUT_STEPS = 500_000
"""Steps of the horizons of all windows together, at most: more say nothing new, and forecasts of
them take memory."""


MAX_UNTRAINED_HOLDOUT_STEPS = MAX_HOLDOUT_STEPS // 4
"""The same where nothing is trained: the verdict should not take longer than the forecast."""


def split_holdout(
    panel: Panel, horizon: int, main: int, asked: int | Ints | None, judged: int = MAX_HOLDOUT_STEPS
) -> tuple[Ints, Ints, Ints]:
    """Steps of each series to train on [N], and validation windows behind them: series [K] and origins [K].

    Up to four horizons or a season are held back, a quarter of a series at most but one horizon at
    least; they are judged from 4 origins each, of few series from up to 24, of very many series
    from evenly chosen ones of these. What is left must hold a season and a step.
    """
    lengths = panel.lengths
    zone = np.minimum(max(4 * horizon, main), np.maximum(horizon, lengths // 4))
    if asked is not None:
        zone = np.broadcast_to(asked, lengths.shape)
    zone = np.minimum(zone, lengths - (max(main, 2) + 1))
    zone = np.where(zone >= min(horizon, 2), zone, 0)
    ends = lengths - zone
    steps = np.linspace(0, 1, int(np.clip(200 // len(panel), 4, 24)))
    origins = (ends[:, None] - 1 + np.round(np.maximum(zone - horizon, 0)[:, None] * steps)).astype(
        np.int64
    )
    fresh = (
        np.concatenate([np.ones((len(ends), 1), bool), np.diff(origins, axis=1) > 0], 1)
        & (zone > 0)[:, None]
    )
    series = np.nonzero(fresh)[0]
    most = max(judged // horizon, 1)
    chosen = choose_evenly(len(series), most)
    return ends, series[chosen], origins[fresh][chosen]
