"""Judged rows as one offline page."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from lstmcast.reporting.judged_series import choose_judged_series
from lstmcast.reporting.pages.detection_page import write_detection_page
from tests.reporting.make import make_panel_table, make_table


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


def test_a_browser_shows_the_event_that_is_chosen_from_the_list(tmp_path: Path) -> None:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("needs a browser: there is no chromium on the PATH")
    events = {70: (1, "gap", "gap"), **dict.fromkeys(range(90, 99), (2, "stuck", "x"))}
    sensor = make_table(200, events)
    sensor.loc[90:98, ["actual", "expected"]] = 0.0
    rows = make_panel_table(a=make_table(9, {}), b=sensor)
    file = tmp_path / "x.html"
    write_detection_page(choose_judged_series(rows), "celsius", file)
    page = file.read_text()
    probe = (
        "<script>onload=()=>{"
        "document.querySelectorAll('#detection-events tbody tr')[1].click();"
        "const count=(name)=>document.querySelectorAll('#detection-chart '+name).length;"
        "document.title=JSON.stringify({read:document.getElementById("
        "'detection-reading').textContent,series:document.getElementById("
        "'detection-series').selectedIndex,marks:count('.opened'),gaps:count('.gap-span'),"
        "stuck:count('.stuck-line'),numbers:[...document.querySelectorAll('.number')]"
        ".map(one=>one.textContent)})}</script>"
    )
    # The probe is a script, so it looks at a copy of the page without the policy.
    copy = tmp_path / "copy.html"
    copy.write_text(
        re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', probe, page)
    )
    line = [chromium, "--headless=new", "--no-sandbox", "--disable-gpu"]
    line += [f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=3000"]
    line += ["--enable-logging=stderr"]
    done = subprocess.run(
        [*line, "--dump-dom", copy], capture_output=True, text=True, timeout=120
    )
    found = re.search(r"<title>(\{.*?\})</title>", done.stdout)
    assert found, done.stderr[-2000:]
    seen = json.loads(found[1])
    assert seen["read"] == (
        "2026-04-01: observed 0, expected 0, score 0.9999 (once in 10,000 rows), event 2: x"
    )
    assert seen["series"] == 1 and seen["marks"] == 2
    assert (seen["gaps"], seen["stuck"]) == (1, 1)
    assert seen["numbers"] == ["1 gap", "2 stuck at 0"]
    # With its policy the page runs its script, and no other.
    shot = subprocess.run(
        [*line, "--dump-dom", file], capture_output=True, text=True, timeout=120
    )
    assert 'class="observed"' in shot.stdout
    # The series with most events is shown first.
    assert "<title>Judged rows of b</title>" in shot.stdout
    assert "Content Security Policy" not in shot.stderr
