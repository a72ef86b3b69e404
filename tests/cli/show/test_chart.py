import math
import re

import pytest

from lstmcast.cli.show.chart import ForecastCurve, draw_chart


def test_a_rising_line_rises_and_the_interval_is_shaded() -> None:
    curve = ForecastCurve(list(range(20)), [18, 18, 18], [20, 21, 22], [22, 24, 26])
    lines = draw_chart(curve, 60, height=8)
    assert len(lines) == 8 and max(map(len, lines)) <= 60
    assert lines[0].startswith("26.00 ┤") and lines[-1].startswith("    0 ┤▄")
    places = [
        min(line.find(mark) for mark in "▄▀█" if mark in line)
        for line in lines[2:]
        if set("▄▀█") & set(line)
    ]
    assert places == sorted(places, reverse=True)
    assert "░" in "".join(lines)


@pytest.mark.parametrize("columns", [20, 40, 200])
def test_a_chart_is_never_wider_than_the_terminal(columns: int) -> None:
    wave = [math.sin(i / 5) * 1e6 for i in range(3000)]
    assert (
        max(map(len, draw_chart(ForecastCurve(wave, wave, wave, wave), columns)))
        <= columns
    )


def test_a_chart_in_ascii_where_the_terminal_knows_no_blocks() -> None:
    lines = draw_chart(ForecastCurve([1, math.nan, 3], [2], [3], [4]), 40, plain=True)
    assert "".join(lines).isascii()


def test_nothing_known_is_no_chart_and_a_constant_one_has_one_level() -> None:
    assert draw_chart(ForecastCurve([math.nan], [], [], []), 40) == []
    assert (
        sum(
            "▄" in line or "▀" in line
            for line in draw_chart(ForecastCurve([5, 5], [5], [5], [5]), 40)
        )
        == 1
    )


def test_dates_stand_under_the_chart_and_the_forecast_is_coloured() -> None:
    curve = ForecastCurve([1.0] * 40, [1.0] * 10, [2.0] * 10, [3.0] * 10)
    lines = draw_chart(
        curve, 58, name_step=lambda step: f"day{step}", coloured=True, n_history=40
    )
    plain = [re.sub(r"\x1b\[\d+m", "", line) for line in lines]
    axis = plain[0].index("┤") + 1
    assert plain[-1].index("day-40") == axis
    assert plain[-1].index("day0") == axis + 40
    assert plain[-1].endswith("day9") and len(plain[-1]) == axis + 50
    assert any("\x1b[94m" in line for line in lines)
    assert max(map(len, plain)) <= 58


def test_a_wide_terminal_shows_more_history() -> None:
    wave = [math.sin(i / 5) for i in range(300)]
    curve = ForecastCurve(wave, [0.0] * 5, [0.0] * 5, [0.0] * 5)
    assert max(map(len, draw_chart(curve, 140))) > 130


def test_what_is_not_shown_does_not_set_the_scale() -> None:
    curve = ForecastCurve([900.0] + [1.0, 2.0] * 20, [1.0], [2.0], [3.0])
    lines = draw_chart(curve, 40, n_history=20)
    assert lines[0].startswith("3.000 ┤")


def test_what_came_is_drawn_beside_the_forecast() -> None:
    curve = ForecastCurve([1.0] * 30, [5.0] * 4, [5.0] * 4, [5.0] * 4, [1.0] * 4)
    lines = draw_chart(curve, 50, coloured=True)
    assert "\x1b[94m█▀▀▀\x1b[0m" in lines[0]
    # The line of the history goes on below, in no colour.
    assert lines[-1].count("▄") == 33 and lines[-1].endswith("▄▄▄")


def test_on_a_narrow_terminal_history_goes_before_steps_are_put_together() -> None:
    saw = [float(i % 2) for i in range(100)]
    curve = ForecastCurve(saw, [0.0] * 14, [0.5] * 14, [1.0] * 14)
    lines = draw_chart(curve, 60)
    # Each step has its column: means of two would be a line in the middle.
    assert lines[0].count("█") > 15 and max(map(len, lines)) <= 60
