import math

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
