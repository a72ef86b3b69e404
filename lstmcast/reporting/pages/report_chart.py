"""The forecast as a report shows it: data of the chart inside the page, a table, a CSV to keep.

Axes: N series, H horizon.
"""

import base64
import json
import math
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lstmcast.panel.forecast_table import find_point_column, list_quantile_columns
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Floats
from lstmcast.scoring.wording import name_step

MAX_CHART_NUMBERS = 150_000
"""Values of history and forecast in the chart of a page, so that it stays small."""
MAX_CSV_BYTES = 1_000_000
"""Largest table that a page carries for download."""
MAX_HISTORY_STEPS = 400
MIN_HISTORY_STEPS = 20
_SIGNIFICANT_DIGITS = 5
"""Digits of a number in the chart: more than a screen can show."""


class ShownForecast(NamedTuple):
    """What a page says of a forecast.

    outlook: a sentence on its level. chart: the data of the chart as JSON that cannot end a script.
    rows: header and rows of the table of the first series. csv: the whole table as an address that
    a browser saves, "" where it is too large.
    """

    outlook: str
    chart: str
    rows: list[list[str]]
    csv: str


def show_forecast(panel: Panel, forecast: pd.DataFrame) -> ShownForecast:
    """Prepare the forecast of a panel, a table of `Forecaster.predict`, for a page."""
    chart = make_chart_data(panel, forecast)
    # In HTML a script ends at "</", wherever that stands.
    text = json.dumps(chart, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return ShownForecast(
        outlook=describe_outlook(panel, forecast),
        chart=text.replace("<", "\\u003c"),
        rows=_tabulate_first_series(chart, forecast),
        csv=_encode_csv(forecast),
    )


def describe_outlook(panel: Panel, forecast: pd.DataFrame) -> str:
    """Say how high the forecast is on average, and how that is against as many steps before.

    Of several series it is their sum that is meant.
    """
    point = find_point_column(forecast)
    horizon = len(forecast) // len(panel)
    ahead = forecast[point].to_numpy(np.float64).reshape(len(panel), horizon)
    level = float(ahead.mean(axis=1).sum())
    recent = [panel.series(i)[-horizon:] for i in range(len(panel))]
    means = [np.nanmean(past) for past in recent if not np.isnan(past).all()]
    before = float(np.sum(means))

    step = name_step(panel.axis.freq) or "step"
    span = f"{horizon} {step}s" if horizon > 1 else step
    if point == "probability":
        share = 100 * level / len(panel)
        return f"The next {span}: a 1 in {share:.0f} of 100 {step}s."
    where = f" in all {len(panel):,} series together" if len(panel) > 1 else ""
    sentence = f"The next {span}: {_format_level(level)} a {step}{where}"
    if len(means) < len(panel) or before <= 0:
        return f"{sentence}."
    percent = 100 * (level / before - 1)
    if abs(percent) < 0.5:
        return f"{sentence}, as much as the last {span}."
    side = "above" if percent > 0 else "below"
    # The number and its percent sign stay on one line.
    return f"{sentence}, {abs(percent):.0f}\N{NO-BREAK SPACE}% {side} the last {span}."


def make_chart_data(panel: Panel, forecast: pd.DataFrame) -> dict[str, Any]:
    """Return the series of a chart as plain values: NaN is None, stamps are shared by all.

    labels: the stamps that are shown, in order. series: for each its name, `at`, the place of its
    first stamp among them, `history`, `forecast`, and `low` and `high` where there are quantiles.
    """
    point = find_point_column(forecast)
    levels = list_quantile_columns(forecast)
    count = len(panel)
    horizon = len(forecast) // count
    names = [point, *([levels[0], levels[-1]] if len(levels) > 1 else [])]
    tables = [
        forecast[name].to_numpy(np.float64).reshape(count, horizon) for name in names
    ]

    room = MAX_CHART_NUMBERS // count - len(names) * horizon
    n_history = min(MAX_HISTORY_STEPS, max(room, MIN_HISTORY_STEPS))
    lengths = np.minimum(panel.lengths, n_history)
    ends = panel.start + panel.lengths
    spans = [
        np.arange(end - length, end + horizon)
        for end, length in zip(ends, lengths, strict=True)
    ]
    shown = np.unique(np.concatenate(spans))
    places = np.searchsorted(shown, ends - lengths)

    series = []
    for i in range(count):
        key = panel.keys[i]
        entry = {
            "name": " / ".join(key) if key else panel.columns.target[0],
            "at": int(places[i]),
            "history": _round_values(panel.series(i)[-int(lengths[i]) :]),
        }
        parts = zip(("forecast", "low", "high"), tables, strict=False)
        entry |= {name: _round_values(table[i]) for name, table in parts}
        series.append(entry)
    return {"labels": list(map(str, panel.axis.texts(shown))), "series": series}


def _round_values(values: Floats) -> list[float | None]:
    return [
        float(f"{value:.{_SIGNIFICANT_DIGITS}g}") if math.isfinite(value) else None
        for value in values.tolist()
    ]


def _tabulate_first_series(
    chart: dict[str, Any], forecast: pd.DataFrame
) -> list[list[str]]:
    """Return the table of the first series; the chart's script replaces it by another one."""
    first = chart["series"][0]
    levels = list_quantile_columns(forecast)
    header = ["", find_point_column(forecast)]
    columns = [first["forecast"]]
    if "low" in first:
        header += [levels[0], levels[-1]]
        columns += [first["low"], first["high"]]
    begin = first["at"] + len(first["history"])
    known = [abs(value) for column in columns for value in column if value is not None]
    largest = max(known, default=0.0) or 1.0
    # Four significant digits of the largest number, and as many decimals in every cell.
    decimals = min(8, max(0, 3 - math.floor(math.log10(largest))))
    rows = [header]
    for step, values in enumerate(zip(*columns, strict=True)):
        cells = ["" if value is None else f"{value:,.{decimals}f}" for value in values]
        rows.append([chart["labels"][begin + step], *cells])
    return rows


def _encode_csv(forecast: pd.DataFrame) -> str:
    text = forecast.to_csv(index=False, lineterminator="\n")
    data = text.encode("utf-8", "surrogateescape")
    if len(data) > MAX_CSV_BYTES:
        return ""
    return f"data:text/csv;base64,{base64.b64encode(data).decode()}"


def _format_level(value: float) -> str:
    """Write a level with three digits, but no digit before the point lost."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
