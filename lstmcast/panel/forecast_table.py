"""Forecasts as a table, both ways: quantiles laid out as columns, and columns read back as quantiles.

Axes: K windows, H horizon, Q quantiles.
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lstmcast.errors import DataError, format_more
from lstmcast.ragged import Floats, Ints

if TYPE_CHECKING:
    import pandas as pd

    from lstmcast.panel.panel import Panel


def quantile_columns(
    quantiles: Floats, levels: Sequence[float], *, probability: bool = False
) -> dict[str, Floats]:
    """The number columns of a forecast table, each [K * H], from quantiles [K, H, Q] at `levels` [Q] in any order.

    `forecast` is the median, `q10` and the like the quantiles, ascending. A 0/1 target has its
    median alone, as `probability`.
    """
    order = np.argsort(levels, kind="stable")
    ordered, quantiles = np.asarray(levels, dtype=np.float64)[order], quantiles[..., order]
    median = point_forecast(quantiles, ordered).ravel()
    if probability:
        return {"probability": median}
    named = {
        f"q{round(100 * level, 6):g}": quantiles[..., q].ravel()
        for q, level in enumerate(ordered.tolist())
    }
    return {"forecast": median} | named


def find_point_column(forecasts: "pd.DataFrame") -> str:
    """Column of the point forecast in a table of forecasts: `probability` where the target is 0 or 1."""
    return (
        "probability" if "probability" in forecasts and "forecast" not in forecasts else "forecast"
    )


def find_quantile_columns(forecasts: "pd.DataFrame") -> dict[float, str]:
    """Level -> column of the quantile columns, ascending; the forecast column as the median where there is none."""
    found = {
        float(name[1:]) / 100: name
        for name in map(str, forecasts)
        if re.fullmatch(r"q\d+(\.\d+)?", name)
    }
    return dict(sorted(({0.5: find_point_column(forecasts)} | found).items()))


def match_series(forecasts: "pd.DataFrame", panel: "Panel") -> Ints:
    """Number of each row's series in the panel."""
    if not panel.key_names:
        return np.zeros(len(forecasts), np.int64)
    import pandas as pd

    keys = pd.MultiIndex.from_tuples(panel.keys)
    rows = pd.MultiIndex.from_arrays([forecasts[name].astype(str) for name in panel.key_names])
    series = keys.get_indexer(rows)
    if (series < 0).any():
        row = int(np.argmin(series))
        raise DataError(
            f"the data has no series {', '.join(map(str, rows[row]))!r} that row {row + 1} of the forecasts is of"
            f"{format_more(int((series < 0).sum()), 'rows')}",
            "score forecasts against the data they are for",
        )
    return series.astype(np.int64)


def point_forecast(quantiles: Floats, levels: Floats) -> Floats:
    """The median of [K, H, Q] quantiles, [K, H], interpolated between the nearest levels (the outermost beyond)."""
    right = int(np.clip(np.searchsorted(levels, 0.5), 0, len(levels) - 1))
    left = max(right - 1, 0)
    if right == left or levels[right] <= 0.5:
        return quantiles[..., right]
    share = np.clip((0.5 - levels[left]) / (levels[right] - levels[left]), 0, 1)
    median: Floats = (1 - share) * quantiles[..., left] + share * quantiles[..., right]
    return median
