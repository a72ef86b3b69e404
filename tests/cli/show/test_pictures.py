from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lstmcast.cli.options.results import DetectionPlotOptions
from lstmcast.cli.show.console import Reporter
from lstmcast.cli.show.pictures import check_picture, draw_detection
from lstmcast.errors import UsageError
from tests.reporting.make import make_panel_table, make_table


def test_no_picture_and_the_terminal_need_no_check() -> None:
    check_picture(None)
    check_picture("-", terminal=True)


@pytest.mark.parametrize("file", ["x.bmp", "-"])
def test_a_picture_of_another_format_is_an_error_before_any_work(file: str) -> None:
    with pytest.raises(UsageError):
        check_picture(file)


@pytest.fixture
def judged() -> pd.DataFrame:
    events = {15: (1, "point", "error")}
    return make_panel_table(
        **{name: make_table(20, events if name == "d" else {}) for name in "abcdef"}
    )


def draw(judged: pd.DataFrame, **options: Any) -> None:
    report = Reporter(quiet=False, verbose=False)
    draw_detection(report, DetectionPlotOptions(**options), judged, "celsius")


def test_judged_rows_are_drawn_into_a_file_or_on_a_page(
    judged: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    svg, page = tmp_path / "x.svg", tmp_path / "x.HTML"
    draw(judged, plot=str(svg))
    draw(judged, plot=str(page), plot_series="b,d", plot_history=10)
    # The series with an event is among those that are shown, whatever its place.
    assert "4 of 6 series" in svg.read_text() and ">d<" in svg.read_text()
    text = page.read_text()
    assert "Shown: 2 of 6 series." in text and "2026-01-11" in text
    assert "2026-01-10" not in text
    said = capsys.readouterr().err
    assert said.count("picture written to") == 2
    draw(judged, plot="-")
    assert "1 of 6 series shown\nd\n" in capsys.readouterr().err


def test_no_row_is_no_picture(
    judged: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "x.png"
    draw(judged[:0], plot=str(file))
    assert not file.exists()
    assert capsys.readouterr().err == "no picture: there is no row to draw\n"
    draw(judged)
    assert capsys.readouterr().err == ""
