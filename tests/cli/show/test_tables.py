"""Tables fit their terminal without a broken number; columns that have no room are named."""

import io
import sys

import pytest

from lstmcast.cli.show import console, tables
from lstmcast.cli.show.tables import Column, fit_table

DAYS = Column("date", (["2026-01-01", "2026-01-02"],), is_number=False)
NAMES = ("forecast", "q5", "q10", "q50", "q90", "q95")
NUMBERS = [
    Column(name, (["1234.567", "234.567"], ["1234.57", "234.57"], ["1235", "235"]))
    for name in NAMES
]


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def test_a_table_with_room_has_all_digits_and_columns() -> None:
    table = fit_table([DAYS, *NUMBERS], 80)
    assert table.left_out == []
    assert table.lines == [
        "date        forecast        q5       q10       q50       q90       q95",
        "2026-01-01  1234.567  1234.567  1234.567  1234.567  1234.567  1234.567",
        "2026-01-02   234.567   234.567   234.567   234.567   234.567   234.567",
    ]


def test_digits_go_before_columns() -> None:
    table = fit_table([DAYS, *NUMBERS], 50)
    assert table.left_out == []
    assert table.lines[1].split() == ["2026-01-01", *["1235"] * 6]


def test_inner_quantiles_go_first_so_that_an_interval_stays() -> None:
    assert fit_table([DAYS, *NUMBERS], 34).left_out == ["q10", "q50", "q90"]
    table = fit_table([DAYS, *NUMBERS], 24)
    assert table.left_out == ["q5", "q10", "q50", "q90", "q95"]
    assert table.lines[0].split() == ["date", "forecast"]


@pytest.mark.parametrize("width", range(20, 90, 7))
def test_no_line_is_wider_than_the_terminal_and_no_number_is_cut(width: int) -> None:
    long_name = Column("shop", (["a very long name of a shop", "b"],), is_number=False)
    table = fit_table([long_name, *NUMBERS], width)
    assert all(len(line) <= width for line in table.lines)
    last_cells = {line.split()[-1] for line in table.lines[1:]}
    whole_numbers = {cell for cells in NUMBERS[0].cells for cell in cells}
    assert last_cells <= whole_numbers


def test_texts_are_cut_where_nothing_else_is_left() -> None:
    shops = Column("shop", (["a very long name of a shop", "b"],), is_number=False)
    assert fit_table([shops, NUMBERS[0]], 22).lines == [
        "shop          forecast",
        "a very lo...      1235",
        "b                  235",
    ]


def test_letters_that_take_two_columns_are_counted_as_two() -> None:
    column = Column("店", (["東京", "x"],), is_number=False)
    lines = fit_table([column, Column("n", (["1", "22"],))], 80).lines
    assert lines == ["店     n", "東京   1", "x     22"]


def test_what_has_no_room_on_a_terminal_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setattr(console, "get_terminal_width", lambda: 34)
    monkeypatch.setenv("NO_COLOR", "1")
    lines = tables.draw_table([DAYS, *NUMBERS])
    assert lines[1] == "─" * len(lines[0])
    assert "left out: q10, q50, q90;" in capsys.readouterr().err


def test_a_drawn_table_takes_markup_as_text() -> None:
    columns = [
        Column("[usd]", (["[/red]", "\x1b]0;evil\x07"],), is_number=False),
        Column("x", (["1.5", "22.5"],)),
    ]
    text = "\n".join(tables.draw_table(columns))
    assert "[usd]" in text and "[/red]" in text
    assert "\x1b" not in text and "\\x1b]0;evil\\x07" in text


def test_a_table_in_a_pipe_has_each_row_on_one_line_whatever_its_width() -> None:
    cells = [f"cell-{number:03}" for number in range(30)]
    columns = [Column(cell, ([cell, cell],)) for cell in cells]
    header, _, *rows = tables.draw_table(columns)
    assert [line.split() for line in (header, *rows)] == [cells] * 3
