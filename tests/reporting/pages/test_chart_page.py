"""A forecast as one offline page."""

import json
import re
from pathlib import Path

import pandas as pd

from lstmcast.panel.panel import Panel
from lstmcast.reporting.pages.chart_page import write_chart_page


def test_the_page_holds_its_data_and_fetches_nothing(tmp_path: Path) -> None:
    stamps = pd.date_range("2026-01-01", periods=9)
    frame = pd.DataFrame({"day": stamps, "<b>": 1.0})
    panel = Panel.from_frame(frame, target="<b>", time="day")
    forecast = pd.DataFrame({"day": ["2026-01-10"], "forecast": [2.0]})
    write_chart_page(panel, forecast, tmp_path / "x.html")
    page = (tmp_path / "x.html").read_text()
    assert "Forecast of &lt;b&gt;" in page and "<b>" not in page
    assert "1 a day" not in page and "2 a day" in page
    data = re.search(r'id="chart-data">(.*?)</script>', page, re.DOTALL)
    assert data
    assert json.loads(data[1])["series"][0]["windows"][0]["forecast"] == [2.0]
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", page)


def test_the_page_of_a_backtest_says_so_and_names_the_band(tmp_path: Path) -> None:
    stamps = pd.date_range("2026-01-01", periods=9)
    frame = pd.DataFrame({"day": stamps, "y": 1.0})
    panel = Panel.from_frame(frame, target="y", time="day")
    row = {"cutoff": ["2026-01-08"], "day": ["2026-01-09"], "forecast": [2.0]}
    forecasts = pd.DataFrame(row | {"q5": [1.0], "q95": [3.0]})
    write_chart_page(panel, forecasts, tmp_path / "x.html")
    page = (tmp_path / "x.html").read_text()
    assert "<h1>Forecasts of y from past dates</h1>" in page
    assert "90&nbsp;% interval" in page and "outlook" not in page.split("<body>")[1]
