"""Judged rows as one offline page."""

import base64
import hashlib
import re
from pathlib import Path

from lstmcast.reporting.judged_series import choose_judged_series
from lstmcast.reporting.pages.detection_page import write_detection_page
from tests.reporting.make import make_table


def test_the_page_holds_its_data_and_fetches_nothing(tmp_path: Path) -> None:
    rows = make_table(20, {5: (1, "point", "error, range")})
    file = tmp_path / "x.html"
    write_detection_page(choose_judged_series(rows), "<b>", file)
    page = file.read_text()
    assert "Anomalies in &lt;b&gt;" in page and "<b>" not in page
    assert "1 event in 20 rows judged." in page
    assert "<td>error, range</td>" in page
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", page)
    # The policy allows this script and no other.
    script = page.rpartition("<script>")[2].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page
    assert "default-src 'none'" in page


def test_a_file_without_events_has_no_table(tmp_path: Path) -> None:
    file = tmp_path / "x.html"
    write_detection_page(choose_judged_series(make_table(20, {})), "y", file)
    page = file.read_text()
    assert "No event in 20 rows judged." in page and "<table" not in page
