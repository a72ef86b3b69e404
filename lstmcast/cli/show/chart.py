"""A small chart for a terminal, of block characters: the last values and the forecast with its interval."""

import math
import sys
from collections.abc import Sequence
from typing import NamedTuple

from lstmcast.cli.show import console

CHART_LINES = 12
_BLOCK_MARKS, _ASCII_MARKS = (" ▄▀█", "░"), (" ..:", "-")


class ForecastCurve(NamedTuple):
    """A history (NaN where missing) and a forecast with its interval; all in the unit of the data."""

    history: Sequence[float]
    low: Sequence[float]
    middle: Sequence[float]
    high: Sequence[float]


def draw_chart(
    curve: ForecastCurve, columns: int, *, plain: bool = False, height: int = CHART_LINES
) -> list[str]:
    """Return the lines of the chart, none wider than `columns`; `plain` keeps to ASCII."""
    marks, shade = _ASCII_MARKS if plain else _BLOCK_MARKS
    whole = [*curve.history, *curve.low, *curve.middle, *curve.high]
    known = [value for value in whole if math.isfinite(value)]
    if not known:
        return []
    bottom, top = min(known), max(known)
    labels = [console.format_number(value) for value in (top, (top + bottom) / 2, bottom)]
    margin = max(map(len, labels))
    ahead = len(curve.middle)
    shown = curve.history[-max(3 * ahead, 30) :]
    stride = math.ceil((len(shown) + ahead) / max(10, columns - margin - 2))
    past = _thin_values(shown, stride)
    low, middle, high = (
        _thin_values(values, stride) for values in (curve.low, curve.middle, curve.high)
    )
    cells = [[" "] * (len(past) + len(middle)) for _ in range(height)]

    def level(value: float) -> int:
        share = (value - bottom) / (top - bottom) if top > bottom else 0.5
        return min(2 * height - 1, int(share * 2 * height))

    for place, (down, up) in enumerate(zip(low, high, strict=True), len(past)):
        if math.isfinite(down) and math.isfinite(up):
            for half in range(level(down), level(up) + 1):
                cells[height - 1 - half // 2][place] = shade
    before = math.nan
    for place, value in enumerate([*past, *middle]):
        if math.isfinite(value):
            ends = sorted((level(before if math.isfinite(before) else value), level(value)))
            halves = set(range(ends[0] + (ends[0] < ends[1] == level(value)), ends[1] + 1)) | {
                level(value)
            }
            for row in {half // 2 for half in halves}:
                both = (2 * row in halves) + 2 * (2 * row + 1 in halves)
                cells[height - 1 - row][place] = marks[both]
        before = value
    edges = {0: labels[0], height // 2: labels[1], height - 1: labels[2]}
    return [f"{edges.get(row, ''):>{margin}} ┤{''.join(line).rstrip()}".replace("┤", "|" if plain else "┤")
            for row, line in enumerate(cells)]  # fmt: skip


def show_chart(title: str, curve: ForecastCurve, ends: tuple[str, str]) -> None:
    """Draw the chart on stderr, as wide as the terminal, with a line that says what it is."""
    try:
        "█░┤".encode(sys.stderr.encoding or "ascii")
        plain = False
    except UnicodeEncodeError:
        plain = True
    lines = draw_chart(curve, min(console.get_terminal_width(), 120), plain=plain)
    console.write_message(
        f"{title}: the last values, then the forecast from {ends[0]} to {ends[1]}", *lines
    )


def _thin_values(values: Sequence[float], stride: int) -> list[float]:
    """Means of every `stride` values; NaN where none of them is known."""
    parts = (
        [v for v in values[i : i + stride] if math.isfinite(v)]
        for i in range(0, len(values), stride)
    )
    return [sum(part) / len(part) if part else math.nan for part in parts]
