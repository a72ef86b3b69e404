"""Forecasts as a table, both ways: quantiles as columns, and columns read back as quantiles.

Axes: K windows, H horizon, Q quantiles.
"""

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from lstmcast.errors import DataError, format_more
from lstmcast.ragged import Floats, Ints

if TYPE_CHECKING:
    import pandas as pd

    from lstmcast.panel.panel import Panel

_QUANTILE_COLUMN = re.compile(r"q\d+(\.\d+)?")


def quantile_columns(
    quantiles: Floats, levels: Sequence[float], *, probability: bool = False
) -> dict[str, Floats]:
    """Return the number columns of a forecast table, each [K * H].

    quantiles [K, H, Q] at `levels` [Q] in any order. `forecast` is the median; `q10` and the like
    are the quantiles, ascending. A 0/1 target has only its median, as `probability`.
    """
    order = np.argsort(levels, kind="stable")
    sorted_levels = np.asarray(levels, dtype=np.float64)[order]
    quantiles = quantiles[..., order]
    median = point_forecast(quantiles, sorted_levels).ravel()
    if probability:
        return {"probability": median}
    columns = {"forecast": median}
    for q, level in enumerate(sorted_levels.tolist()):
        # Rounding hides what is left of 100 * 0.07 in binary.
        columns[f"q{round(100 * level, 6):g}"] = quantiles[..., q].ravel()
    return columns


def find_point_column(forecasts: "pd.DataFrame") -> str:
    """Name the column of the point forecast: `forecast`, or `probability` of a 0/1 target."""
    only_probability = "probability" in forecasts and "forecast" not in forecasts
    return "probability" if only_probability else "forecast"


def list_quantile_columns(names: Iterable[object]) -> list[str]:
    """List the columns of a table of forecasts that hold quantiles, in the table's order."""
    return [name for name in map(str, names) if _QUANTILE_COLUMN.fullmatch(name)]


def find_quantile_columns(forecasts: "pd.DataFrame") -> dict[float, str]:
    """Map levels, ascending, to the quantile columns; without one of 0.5, the point forecast's."""
    columns = {0.5: find_point_column(forecasts)}
    columns |= {
        float(name[1:]) / 100: name for name in list_quantile_columns(forecasts)
    }
    return dict(sorted(columns.items()))


def match_series(forecasts: "pd.DataFrame", panel: "Panel") -> Ints:
    """Return the number of each row's series in the panel; DataError for an unknown one."""
    if not panel.key_names:
        return np.zeros(len(forecasts), np.int64)
    import pandas as pd

    keys = pd.MultiIndex.from_tuples(panel.keys)
    rows = pd.MultiIndex.from_arrays(
        [forecasts[name].astype(str) for name in panel.key_names]
    )
    series = keys.get_indexer(rows)
    unknown = series < 0
    if unknown.any():
        row = int(unknown.argmax())
        more = format_more(int(unknown.sum()), "rows")
        raise DataError(
            f"the data has no series {', '.join(map(str, rows[row]))!r}"
            f" that row {row + 1} of the forecasts is of{more}",
            "score forecasts against the data they are for",
        )
    return series.astype(np.int64)


def point_forecast(quantiles: Floats, levels: Floats) -> Floats:
    """The median of [K, H, Q] quantiles, [K, H].

    Interpolated between the nearest of the ascending `levels`, and the outermost beyond them.
    """
    place = np.searchsorted(levels, 0.5)
    right = int(np.clip(place, 0, len(levels) - 1))
    left = max(right - 1, 0)
    if right == left or levels[right] <= 0.5:
        return quantiles[..., right]
    # The share of the way from the level on the left to the one on the right.
    distance = levels[right] - levels[left]
    share = np.clip((0.5 - levels[left]) / distance, 0, 1)
    median: Floats = (1 - share) * quantiles[..., left] + share * quantiles[..., right]
    return median
