"""Cells, scale and stamps of charts on a terminal."""

import io

import pytest

from lstmcast.cli.show.canvas import (
    ASCII,
    BLOCKS,
    Cell,
    Scale,
    choose_characters,
    draw_levels,
    join_cells,
    join_rows,
    lay_out_dates,
    list_levels_between,
    make_canvas,
    measure_margin,
    shade_column,
)


def test_a_level_is_half_a_line_and_stays_on_the_chart() -> None:
    scale = Scale(0, 10, 5)
    assert [scale.level(value) for value in (0, 0.9, 1, 9.9, 10)] == [0, 0, 1, 9, 9]
    assert (scale.level(-99), scale.level(99)) == (0, 9)
    assert Scale(3, 3, 5).level(3) == 5


def test_a_stroke_goes_on_from_the_column_before() -> None:
    assert list_levels_between(2, 5) == {3, 4, 5}
    assert list_levels_between(5, 2) == {2, 3, 4, 5}
    assert list_levels_between(2, 2) == {2}


def test_marks_shades_and_labels_are_put_together() -> None:
    scale = Scale(0, 4, 2)
    cells = make_canvas(3, 2)
    shade_column(cells, scale, 0, (0, 4), Cell("░"))
    draw_levels(cells, scale, 1, {0, 1}, BLOCKS.marks, "\x1b[31m")
    draw_levels(cells, scale, 2, {3}, BLOCKS.marks, "")
    assert join_rows(cells, scale, BLOCKS, coloured=False) == [
        "4.000 ┤░ ▀",
        "    0 ┤░█",
    ]
    assert measure_margin(scale) == 5
    assert join_cells(cells[1], coloured=True) == "░\x1b[31m█\x1b[0m"


@pytest.mark.parametrize(
    ("encoding", "characters"),
    [("utf-8", BLOCKS), ("cp437", BLOCKS), ("cp1252", ASCII), ("ascii", ASCII)],
)
def test_a_stream_without_blocks_gets_ascii(encoding: str, characters: object) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    assert choose_characters(stream) == characters


def test_stamps_without_room_are_left_out_the_middle_first() -> None:
    stamps = {0: "first", 10: "middle", 29: "last"}
    assert lay_out_dates(stamps, 30) == "first     middle          last"
    assert lay_out_dates({0: "first", 5: "middle", 11: "last"}, 12) == "first   last"
    assert lay_out_dates({0: "first", 6: "last"}, 7) == "first"
