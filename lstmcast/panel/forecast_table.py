"""Forecasts as a table, both ways: quantiles as columns, and columns read back as quantiles.

Axes: K windows, H horizon, Q quantiles.
"""

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lstmcast.errors import DataError, format_more
from lstmcast.ragged import Floats, Ints

if TYPE_CHECKING:
    import pandas as pd

    from lstmcast.panel.panel import Panel

_QUANTILE_COLUMN = re.compile(r"q\d+(\.\d+)?")


def with_median(levels: Sequence[float] | Floats) -> tuple[float, ...]:
    """Return the levels and, behind them, that of the median where it is not among them.

    A forecast is a median whatever else is asked for: between two other levels lies another value.
    """
    asked = tuple(float(level) for level in levels)
    if 0.5 in asked:
        return asked
    return (*asked, 0.5)


def quantile_columns(
    quantiles: Floats,
    levels: Sequence[float],
    *,
    probability: bool = False,
    shown: Sequence[float] | None = None,
) -> dict[str, Floats]:
    """Return the number columns of a forecast table, each [K * H].

    quantiles [K, H, Q] at `levels` [Q] in any order. `forecast` is the median; `q10` and the like
    are the quantiles, ascending. A 0/1 target has only its median, as `probability`. shown: the
    levels that have a column (default: all); the median may be there for `forecast` alone.
    """
    order = np.argsort(levels, kind="stable")
    sorted_levels = np.asarray(levels, dtype=np.float64)[order]
    quantiles = quantiles[..., order]
    median = point_forecast(quantiles, sorted_levels).ravel()

    if probability:
        return {"probability": median}

    columns = {"forecast": median}
    wanted = sorted_levels.tolist() if shown is None else [float(s) for s in shown]
    for q, level in enumerate(sorted_levels.tolist()):
        if level not in wanted:
            continue
        # Rounding hides what is left of 100 * 0.07 in binary.
        percent = round(100 * level, 6)
        columns[f"q{percent:g}"] = quantiles[..., q].ravel()
    return columns


def forecast_columns(
    panel: "Panel",
    series: Ints,
    origins: Ints,
    quantiles: Floats,
    levels: Sequence[float],
    *,
    probability: bool,
    shown: Sequence[float] | None,
) -> dict[str, Any]:
    """Return the columns of a forecast table, see `Panel.forecast_columns`."""
    horizon = quantiles.shape[1]
    columns: dict[str, Any] = {}
    for name, values in key_columns(panel, series).items():
        columns[name] = values.repeat(horizon)

    last = panel.start[series] + np.asarray(origins)
    steps_ahead = np.arange(1, horizon + 1)
    ordinals = last[:, None] + steps_ahead

    # Series share their stamps: each is formatted once.
    unique, inverse = np.unique(ordinals.ravel(), return_inverse=True)
    stamps = panel.axis.stamps(unique)
    columns[panel.axis.name] = stamps.take(inverse)

    return columns | quantile_columns(
        quantiles, levels, probability=probability, shown=shown
    )


def context_frame(panel: "Panel", values: Floats, name: str) -> "pd.DataFrame":
    """Tabulate the last steps of each series, see `Panel.context_frame`."""
    import pandas as pd

    width = values.shape[1]
    last_step = panel.lengths[:, None] - 1
    step = last_step + np.arange(1 - width, 1)

    # Steps before the first of a short series are left out.
    is_in_series = step >= 0
    series, _ = np.nonzero(is_in_series)
    ordinals = panel.start[series] + step[is_in_series]

    columns = key_columns(panel, series)
    columns[panel.axis.name] = panel.axis.stamps(ordinals)
    columns[name] = values[is_in_series]
    return pd.DataFrame(columns)


def key_columns(panel: "Panel", series: Ints) -> dict[str, Any]:
    """Return the key columns of some series [K], of the type that they had in the input."""
    columns: dict[str, Any] = {}
    index = np.asarray(series, dtype=np.int64)

    for part, name in enumerate(panel.key_names):
        # Where no types are known, keys are texts.
        kind = panel.key_types[part] if part < len(panel.key_types) else "str"
        parts = [key[part] for key in panel.keys]
        values: Any = np.array(parts, dtype=object)[index]
        if kind != "str":
            values = _cast_keys(values, kind)
        columns[name] = values

    return columns


def _cast_keys(texts: NDArray[Any], kind: str) -> Any:
    import pandas as pd

    return pd.Index(texts, dtype="str").astype(kind)


def find_point_column(forecasts: "pd.DataFrame") -> str:
    """Name the column of the point forecast: `forecast`, or `probability` of a 0/1 target."""
    if "probability" in forecasts and "forecast" not in forecasts:
        return "probability"
    return "forecast"


def list_quantile_columns(names: Iterable[object]) -> list[str]:
    """List the columns of a table of forecasts that hold quantiles, in the table's order."""
    texts = [str(name) for name in names]
    return [text for text in texts if _QUANTILE_COLUMN.fullmatch(text)]


def find_quantile_columns(forecasts: "pd.DataFrame") -> dict[float, str]:
    """Map levels, ascending, to the quantile columns; without one of 0.5, the point forecast's."""
    # A column q50 takes the place of the point forecast.
    columns = {0.5: find_point_column(forecasts)}
    for name in list_quantile_columns(forecasts):
        percent = float(name.removeprefix("q"))
        columns[percent / 100] = name
    ascending = sorted(columns.items())
    return dict(ascending)


def match_series(forecasts: "pd.DataFrame", panel: "Panel") -> Ints:
    """Return the number of each row's series in the panel; DataError for an unknown one."""
    series = find_series_numbers(forecasts, panel)
    unknown = series < 0
    if unknown.any():
        row = int(unknown.argmax())
        key = ", ".join(str(forecasts[name].iloc[row]) for name in panel.key_names)
        more = format_more(int(unknown.sum()), "rows")
        raise DataError(
            f"the data has no series {key!r}"
            f" that row {row + 1} of the forecasts is of{more}",
            "score forecasts against the data they are for",
        )

    return series


def find_series_numbers(forecasts: "pd.DataFrame", panel: "Panel") -> Ints:
    """Return the number of each row's series in the panel, -1 for one that it does not have."""
    if not panel.key_names:
        return np.zeros(len(forecasts), np.int64)
    import pandas as pd

    # The table has keys in columns of their own types; the panel has them as text.
    columns = [forecasts[name].astype(str) for name in panel.key_names]
    keys = pd.MultiIndex.from_arrays(columns)
    known_keys = pd.MultiIndex.from_tuples(panel.keys)
    return known_keys.get_indexer(keys).astype(np.int64)


def point_forecast(quantiles: Floats, levels: Floats) -> Floats:
    """The median of [K, H, Q] quantiles, [K, H].

    Interpolated between the nearest of the ascending `levels`, and the outermost beyond them.
    """
    last = len(levels) - 1
    place = int(np.searchsorted(levels, 0.5))
    right = min(place, last)
    left = max(right - 1, 0)

    if right == left or levels[right] <= 0.5:
        return quantiles[..., right]

    # The share of the way from the level on the left to the one on the right.
    distance = levels[right] - levels[left]
    way = 0.5 - levels[left]
    share = np.clip(way / distance, 0, 1)

    from_left = (1 - share) * quantiles[..., left]
    from_right = share * quantiles[..., right]
    return np.asarray(from_left + from_right)
