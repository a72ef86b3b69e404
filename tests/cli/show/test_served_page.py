"""The page of a server: what a person sees, and what may not happen on it."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from lstmcast.cli.show.served_page import make_served_page
from lstmcast.deployment.serve_runs import ServedRun
from lstmcast.forecasting.predictor import Predictor
from tests.deployment.test_serve import months, predictor_of

ADDRESS = "http://127.0.0.1:8000/"


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return predictor_of(months(60))


class Commands(HTMLParser):
    """Collects the text of every <pre>, as a person copies it."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        self._inside = tag == "pre"
        if self._inside:
            self.found.append("")

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.found[-1] += data


def commands_of(html: str) -> list[str]:
    parser = Commands()
    parser.feed(html)
    return parser.found


def test_each_run_has_its_end_its_verdict_and_a_line_to_copy(
    predictor: Predictor,
) -> None:
    runs = [ServedRun("runs/price", predictor), ServedRun("runs/a b", predictor)]
    html, _ = make_served_page(runs, ADDRESS, False)
    assert "<h2>price</h2>" in html and "<h2>a b</h2>" in html
    assert html.count("12 months ahead, until 2015-12") == 2
    assert html.count('<div class="verdict') == 2 and "s error was" in html
    assert commands_of(html) == [
        f'curl -s "{ADDRESS}runs/price/forecast?horizon=12" -H "Accept: text/csv"',
        f'curl -s "{ADDRESS}runs/a%20b/forecast?horizon=12" -H "Accept: text/csv"',
        f'curl -s "{ADDRESS}runs/price/forecast" --data-binary @newer.csv'
        ' -H "Accept: text/csv"',
    ]


def test_a_run_that_lacks_covariates_known_ahead_is_asked_with_rows() -> None:
    frame = months(60).assign(sale=(np.arange(60) % 7 == 0).astype(float))
    run = ServedRun("runs/price", predictor_of(frame, future="sale"))
    html, _ = make_served_page([run], ADDRESS, False)
    assert "covariates known ahead (sale) are missing for 2015-01" in html
    assert "--data-binary @newer.csv" in commands_of(html)[0]
    assert '/forecast">its forecast' not in html


def test_with_a_token_each_line_shows_it(predictor: Predictor) -> None:
    run = ServedRun("runs/price", predictor)
    html, _ = make_served_page([run], ADDRESS, True)
    assert "holds the token" in html
    shown = '-H "Authorization: Bearer $(head -n 1 token)"'
    assert all(shown in command for command in commands_of(html))


def test_names_are_escaped_and_nothing_is_fetched_or_run() -> None:
    name = "<script>alert(1)</script>\u202e"
    run = ServedRun(f"runs/{name.replace('/', ' ')}", predictor_of(months(60)))
    html, policy = make_served_page([run], ADDRESS, False)
    assert "<script" not in html and "\u202e" not in html
    assert not re.search(r"(src|href)=.(https?:)?//", html)
    assert "script-src" not in policy and "default-src 'none'" in policy


def test_a_run_without_a_verdict_says_so() -> None:
    html, _ = make_served_page([ServedRun("s", predictor_of(months(8)))], ADDRESS, True)
    assert "too short to say how good it is" in html
