"""The forecast as a report shows it: data of the chart inside the page, a table, a CSV to keep.

Axes: N series, H horizon.
"""

import base64
import json
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lstmcast.panel.forecast_table import find_point_column, find_series_numbers
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Floats
from lstmcast.reporting.series_axes import find_intervals, shorten_stamps
from lstmcast.scoring.wording import name_step

MAX_CHART_NUMBERS = 150_000
"""Values of history and forecast in the chart of a page, so that it stays small."""
MAX_CSV_BYTES = 1_000_000
"""Largest table that a page carries for download."""
MAX_DATA_CHARS = 2_500_000
"""Characters of all data of a page, which is to stay below 3 MB."""
MAX_HISTORY_STEPS = 400
MIN_HISTORY_STEPS = 20
_SIGNIFICANT_DIGITS = 5
"""Digits of a number in the chart: more than a screen can show."""


AddToChart = Callable[[dict[str, Any], int], None]
"""Adds something to the data of a chart, with so many characters at most."""


class ShownForecast(NamedTuple):
    """What a page says of a forecast.

    outlook: a sentence on its level. chart: the data of the chart as JSON that cannot end a script.
    intervals: their widths in percent, the widest first.
    rows: header and rows of the table of the first series. csv: the whole table as an address that
    a browser saves, "" where it is too large.
    """

    outlook: str
    chart: str
    intervals: list[float]
    rows: list[list[str]]
    csv: str


def show_forecast(
    panel: Panel, forecast: pd.DataFrame, add: AddToChart | None = None
) -> ShownForecast:
    """Prepare the forecast of a panel, a table of `Forecaster.predict`, for a page.

    add: adds what else the page shows of each series to the data of the chart.
    """
    chart = make_chart_data(panel, forecast)
    csv = _encode_csv(forecast)
    if add is not None:
        room = MAX_DATA_CHARS - len(csv) - len(encode_chart(chart))
        add(chart, room)
    return ShownForecast(
        outlook=describe_outlook(panel, forecast),
        chart=encode_chart(chart),
        intervals=chart["intervals"],
        rows=_tabulate_first_series(chart),
        csv=csv,
    )


def encode_chart(chart: dict[str, Any]) -> str:
    """Return the data of a chart as JSON that may stand in a script of a page."""
    text = json.dumps(chart, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    # In HTML a script ends at "</", wherever that stands.
    return text.replace("<", "\\u003c")


def describe_outlook(panel: Panel, forecast: pd.DataFrame) -> str:
    """Say how high the forecast is on average, and how that is against as many steps before.

    Of several series it is their sum that is meant. A forecast of 0 is no level to compare: as the
    median it says that half of the values to come, at least, are 0.
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
    article = "an" if step == "hour" else "a"
    sentence = f"The next {span}: {_format_level(level)} {article} {step}{where}"
    if len(means) < len(panel) or before <= 0:
        return f"{sentence}."
    if not ahead.any():
        return (
            f"The next {span}: 0 on half of the {step}s or more{where}; the last {span} had"
            f" {_format_level(before)} {article} {step}."
        )
    percent = 100 * (level / before - 1)
    if abs(percent) < 0.5:
        return f"{sentence}, as much as the last {span}."
    side = "above" if percent > 0 else "below"
    # The number and its percent sign stay on one line.
    return f"{sentence}, {abs(percent):.0f}\N{NO-BREAK SPACE}% {side} the last {span}."


class ForecastWindow(NamedTuple):
    """A forecast from one origin: the last step that it knew, and its rows of the table."""

    origin: int
    first_row: int
    horizon: int


def find_forecast_windows(
    panel: Panel, forecasts: pd.DataFrame
) -> list[list[ForecastWindow]]:
    """Return the windows of each series of a panel, the earliest first.

    forecasts: a table of `Forecaster.predict`, with a window a series, or the table of a backtest.
    """
    if "cutoff" not in forecasts:
        horizon = len(forecasts) // len(panel)
        return [
            [ForecastWindow(int(length) - 1, i * horizon, horizon)]
            for i, length in enumerate(panel.lengths)
        ]
    owners = find_series_numbers(forecasts, panel)
    cutoffs = panel.axis.ordinals(forecasts["cutoff"])
    origins = cutoffs - panel.start[owners]
    # The rows of a window stand together.
    changes = (np.diff(owners) != 0) | (np.diff(origins) != 0)
    first_rows = np.concatenate([[0], np.flatnonzero(changes) + 1])
    horizons = np.diff(first_rows, append=len(forecasts))
    windows: list[list[ForecastWindow]] = [[] for _ in panel.keys]
    for row, horizon in zip(first_rows.tolist(), horizons.tolist(), strict=True):
        window = ForecastWindow(int(origins[row]), row, horizon)
        windows[owners[row]].append(window)
    for of_series in windows:
        of_series.sort()
    return windows


def make_chart_data(panel: Panel, forecasts: pd.DataFrame) -> dict[str, Any]:
    """Return the series of a chart as plain values: NaN is None, stamps are shared by all.

    labels: the stamps that are shown, in order. weekdays: a digit for each, 0 for Monday; "" where
    steps are no days. intervals: their widths in percent, the widest
    first. series: for each its name, `at`, the place of its first stamp among them, `history`, and
    `windows`, each with its place `at`, its `forecast`, and `bands`, a pair of bounds for each
    interval. Series without a window are left out.
    """
    intervals = find_intervals(forecasts)
    if "cutoff" in forecasts:
        intervals = intervals[:1]  # windows may lie over one another
    windows = find_forecast_windows(panel, forecasts)
    point = forecasts[find_point_column(forecasts)].to_numpy(np.float64)
    bounds = [
        (forecasts[low].to_numpy(np.float64), forecasts[high].to_numpy(np.float64))
        for low, high, _ in intervals
    ]

    numbers = len(forecasts) * (1 + 2 * len(intervals))
    room = (MAX_CHART_NUMBERS - numbers) // len(panel)
    n_history = min(MAX_HISTORY_STEPS, max(room, MIN_HISTORY_STEPS))
    spans = [
        _find_span(of_series, int(length), n_history)
        for of_series, length in zip(windows, panel.lengths, strict=True)
    ]
    ordinals = [
        start + np.arange(*span) for start, span in zip(panel.start, spans, strict=True)
    ]
    shown = np.unique(np.concatenate(ordinals))

    series = []
    for i, of_series in enumerate(windows):
        if not of_series:
            continue
        first = spans[i][0]
        at = int(np.searchsorted(shown, panel.start[i] + first))
        drawn = []
        for origin, row, horizon in of_series:
            rows = slice(row, row + horizon)
            bands = [
                [round_values(low[rows]), round_values(high[rows])]
                for low, high in bounds
            ]
            place = at + origin + 1 - first
            forecast = round_values(point[rows])
            drawn.append({"at": place, "forecast": forecast, "bands": bands})
        key = panel.keys[i]
        entry = {
            "name": " / ".join(key) if key else panel.columns.target[0],
            "at": at,
            "history": round_values(panel.series(i)[first:]),
            "windows": drawn,
        }
        series.append(entry)
    percents = [interval.percent for interval in intervals]
    labels = shorten_stamps(panel.axis.texts(shown))
    weekdays = panel.axis.weekdays(shown)
    return {
        "labels": labels,
        "weekdays": "" if weekdays is None else "".join(map(str, weekdays.tolist())),
        "intervals": percents,
        "series": series,
    }


def _find_span(
    windows: list[ForecastWindow], length: int, n_history: int
) -> tuple[int, int]:
    """Return the first step of a series that is shown, and the step after the last one."""
    if not windows:
        return length, length
    # So many steps before the first forecast, and all that came since.
    first = max(0, windows[0].origin + 1 - n_history)
    ends = [window.origin + 1 + window.horizon for window in windows]
    return first, max(length, *ends)


def round_values(
    values: Floats, digits: int = _SIGNIFICANT_DIGITS
) -> list[float | None]:
    """Return numbers with as many digits as a chart shows; None where there is none."""
    return [
        float(f"{value:.{digits}g}") if math.isfinite(value) else None
        for value in values.tolist()
    ]


def _tabulate_first_series(chart: dict[str, Any]) -> list[list[str]]:
    """Return the table of the first series; the chart's script replaces it by another one."""
    window = chart["series"][0]["windows"][0]
    header = ["", "forecast"]
    columns = [window["forecast"]]
    for percent, bounds in zip(chart["intervals"], window["bands"], strict=True):
        header += [f"{percent:g} % from", "to"]
        columns += bounds
    known = [abs(value) for column in columns for value in column if value is not None]
    largest = max(known, default=0.0) or 1.0
    # Four significant digits of the largest number, and as many decimals in every cell; none
    # where all are whole numbers.
    decimals = min(8, max(0, 3 - math.floor(math.log10(largest))))
    if all(value.is_integer() for value in map(float, known)):
        decimals = 0
    rows = [header]
    for step, values in enumerate(zip(*columns, strict=True)):
        cells = ["" if value is None else f"{value:,.{decimals}f}" for value in values]
        rows.append([chart["labels"][window["at"] + step], *cells])
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
