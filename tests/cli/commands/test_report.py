import base64
import hashlib
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.cli.conftest import Program, run_program

EVIL = "<script>alert(1)</script><img src=http://x.invalid/a>[/red]\"'&\u202e"


class Page(HTMLParser):
    """Tags with their attributes, and all text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def page(fitted: Path) -> str:
    done = run_program(
        "report", "runs/old-price", "new.csv", "-o", "report.html", "-q", cwd=fitted
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "report.html\n", "")
    return (fitted / "report.html").read_text()


def test_the_verdict_comes_first_then_pictures_data_settings_and_the_command(
    page: str,
) -> None:
    text = Page(page).text
    parts = [
        "the model's error was", "came after the training", "Forecast",
        "Forecasts of price from past dates",
        "Against simple methods", "Error by step",
        "72 steps from 2010-01 to 2015-12",
        "Settings", "All settings", "lstmcast fit DATA --target price --time month --steps 0",
        "seed 0",
    ]  # fmt: skip
    places = [text.find(part, text.index("Forecast of price", 100)) for part in parts]
    assert -1 not in places
    assert places[0] < places[3] < places[6] < places[7] < places[9]


def test_the_page_needs_and_allows_nothing_from_elsewhere(page: str) -> None:
    tags = Page(page).tags
    policy = next(
        a["content"]
        for t, a in tags
        if t == "meta" and a.get("http-equiv") == "Content-Security-Policy"
    )
    style = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style[0].encode()).digest()).decode()
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; img-src data:; script-src 'sha256-{allowed}'; "
        f"style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    assert len(style) == 1
    # The chart's data, and the script that draws it.
    scripts = [attributes for tag, attributes in tags if tag == "script"]
    assert scripts == [{"type": "application/json", "id": "chart-data"}, {}]
    links = [attributes for tag, attributes in tags if tag == "a"]
    assert [str(link["href"])[:21] for link in links] == ["data:text/csv;base64,"]
    assert {t for t, _ in tags} & {
        "link",
        "iframe",
        "object",
        "embed",
        "base",
        "form",
    } == set()
    assert all(
        str(a["src"]).startswith("data:image/svg+xml;base64,")
        for t, a in tags
        if t == "img"
    )
    assert not any(
        name.startswith("on") or name == "style" for _, a in tags for name in a
    )
    # The name of SVG is no address that is fetched.
    assert not re.search(r"https?://", page.replace("http://www.w3.org/2000/svg", ""))


def test_pictures_follow_the_dark_and_hold_no_script(page: str) -> None:
    drawn = [
        base64.b64decode(data).decode()
        for data in re.findall(r"svg\+xml;base64,([A-Za-z0-9+/=]+)\"", page)
    ]
    assert len(drawn) >= 5
    for svg in drawn:
        assert "prefers-color-scheme:dark" in svg and "currentColor" in svg
        assert "<script" not in svg and 'xlink:href="http' not in svg


def test_names_from_the_data_are_text(lstmcast: Program, tmp_path: Path) -> None:
    rows = [f"{2010 + i // 12}-{i % 12 + 1:02},{i % 12 + 10}" for i in range(48)]
    (tmp_path / "x.csv").write_text(
        'month,"' + EVIL.replace('"', '""') + '"\n' + "\n".join(rows)
    )
    assert (
        lstmcast(
            "fit", "x.csv", "--target", EVIL, "--steps", 0, "--out", "run"
        ).returncode
        == 0
    )
    done = lstmcast("report", "run")
    assert (done.returncode, done.stdout) == (0, "run/report.html\n")
    page = (tmp_path / "run" / "report.html").read_text()
    tags = [tag for tag, _ in Page(page).tags]
    assert tags.count("script") == 2 and "<script>alert" not in page
    assert "x.invalid/a" in Page(page).text and "\u202e" not in page
    assert (
        lstmcast(
            "fit", "x.csv", "--target", EVIL, "--steps", 0, "--out", "run", "--force"
        ).returncode
        == 0
    )
    assert not (
        tmp_path / "run" / "report.html"
    ).exists()  # it told of the run that is gone


def test_pictures_are_written_as_png_too_if_requested(
    fitted: Path, tmp_path: Path
) -> None:
    done = run_program(
        "report",
        "runs/old-price",
        "-o",
        tmp_path / "r.html",
        "--pictures",
        tmp_path / "p",
        cwd=fitted,
    )
    assert done.returncode == 0
    names = {file.name for file in (tmp_path / "p").iterdir()}
    # So few windows say nothing of intervals.
    expected = ("forecast", "methods", "error", "season", "components")
    assert names == {f"{name}.png" for name in expected}
    assert all(
        file.read_bytes().startswith(b"\x89PNG") for file in (tmp_path / "p").iterdir()
    )


@pytest.mark.parametrize(
    ("width", "dark"),
    [(390, True), (1000, False)],
    ids=["a phone in the dark", "a desk by day"],
)
def test_a_browser_shows_the_page_whole_and_complains_of_nothing(
    width: int, dark: bool, page: str, fitted: Path, tmp_path: Path
) -> None:
    chromium = (
        shutil.which("chromium")
        or shutil.which("chromium-browser")
        or shutil.which("google-chrome")
    )
    if chromium is None:
        pytest.skip("needs a browser: there is no chromium on the PATH")
    probe = (
        "<script>onload=()=>{document.title=JSON.stringify({wide:document.documentElement.scrollWidth,"
        "drawn:[...document.images].every(i=>i.complete&&i.naturalWidth>0),"
        "paper:getComputedStyle(document.body).backgroundColor})}</script>"
    )
    # The probe is a script, so it looks at a copy of the page without the policy; the policy is
    # tested on the page.
    copy = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', probe, page)
    (tmp_path / "copy.html").write_text(copy)
    line = [
        chromium, "--headless=new", "--no-sandbox", "--disable-gpu",
        f"--user-data-dir={tmp_path / 'profile'}",
        f"--window-size={max(width, 500)},2000", "--enable-logging=stderr",
        "--virtual-time-budget=3000",
        *(["--blink-settings=preferredColorScheme=0"] if dark else []),
    ]  # fmt: skip
    (tmp_path / "frame.html").write_text(
        f'<iframe src="copy.html" width="{width}" height="2000"></iframe>'
    )
    done = subprocess.run(
        [*line, "--dump-dom", tmp_path / "copy.html"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    found = re.search(r"<title>(\{.*?\})</title>", done.stdout)
    assert found, done.stderr[-2000:]
    measured = json.loads(found[1])
    assert measured["drawn"] and measured["wide"] <= max(width, 500)
    assert measured["paper"] == ("rgb(21, 25, 30)" if dark else "rgb(255, 255, 255)")
    place = tmp_path / "shot.png"
    shot = subprocess.run(
        [*line, f"--screenshot={place}", fitted / "report.html"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert place.read_bytes().startswith(b"\x89PNG") and place.stat().st_size > 20_000
    assert "Content Security Policy" not in shot.stderr


def test_covariates_known_ahead_come_from_a_file_of_their_own(
    quickly: Program, tmp_path: Path
) -> None:
    months = [f"{2010 + i // 12}-{i % 12 + 1:02}" for i in range(64)]
    history = [f"{month},{i % 12},{i % 3}" for i, month in enumerate(months[:60])]
    plan = [f"{month},{i % 3}" for i, month in enumerate(months) if i >= 60]
    (tmp_path / "x.csv").write_text("\n".join(["month,y,promo", *history, ""]))
    (tmp_path / "plan.csv").write_text("\n".join(["month,promo", *plan, ""]))
    line = ("fit", "x.csv", "-t", "y", "--future", "promo", "--horizon", 4)
    assert quickly(*line, "--steps", 0, "-o", "run", "-q").returncode == 0

    assert quickly("report", "run", "-o", "bare.html", "-q").returncode == 0
    bare = Page(Path(tmp_path, "bare.html").read_text()).text
    assert "takes them with --future-data FILE" in bare
    done = quickly("report", "run", "--future-data", "plan.csv", "-o", "full.html")
    assert done.returncode == 0, done.stderr
    full = Page(Path(tmp_path, "full.html").read_text()).text
    assert "The next 4 months" in full and "2015-04" in full


def test_newer_rows_are_judged_where_that_is_asked_for(
    fitted: Path, tmp_path: Path
) -> None:
    line = ("report", "runs/old-price")
    out = tmp_path / "x.html"
    done = run_program(*line, "new.csv", "--detect", "-o", out, cwd=fitted)
    assert (done.returncode, done.stdout) == (0, f"{out}\n")
    page = out.read_text()
    assert "Anomalies in the newer rows" in page and "in 12 rows judged" in page
    done = run_program(*line, "--detect", cwd=fitted)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: --detect needs DATA\n")
