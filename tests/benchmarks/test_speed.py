"""The pure parts of the speed benchmark: the page, and how a process is measured."""

import sys
from pathlib import Path

import pytest

from benchmarks.peers import Lost, spend
from benchmarks.speed import SECTIONS, main
from benchmarks.speedpage import page

STAMP = {
    "source": "0123456789",
    "on": "2026-11-21",
    "machine": {"cpu": "X", "cores": 2, "python": "3", "versions": []},
}


def test_the_page_says_how_much_of_a_peers_time_and_memory_is_taken() -> None:
    taken = {
        "lstmcast": {"seconds": 0.5, "peak": 1e8},
        "another": {"seconds": 5.0, "peak": 4e8},
        "lost": "over 300 s",
    }
    text = page({"cold": STAMP | {"rows": taken}})
    assert "| another | 5.00 s | 400 MB | 0.100 | 0.250 |" in text
    assert "| lost | over 300 s |" in text


def test_memory_is_told_as_a_multiple_of_the_features() -> None:
    rows = {
        "lstmcast | 1e6": {"peak": 236e6, "before": 100e6},
        "another | 1e6": {"peak": 236e6, "before": 100e6},
    }
    text = page({"memory": STAMP | {"rows": rows}})
    assert "| lstmcast | 1e6 | 236 | 100 | 136 | 2.00 |" in text
    assert "| another | 1e6 | 236 | 100 | 136 |  |" in text


def test_growth_is_shown_as_doublings_a_doubling() -> None:
    start = {"around": 1.0, "step": 0.1, "predict": 1.0, "peak": 1e8}
    rows = {
        "1": start,
        "rows 4": {"around": 4.0, "step": 0.1, "predict": 16.0, "peak": 2e8},
    }
    text = page({"growth": STAMP | {"rows": rows, "base": {"rows": 10}}})
    assert (
        "| rows x 4 | 4.00 s (1.00) | 100.0 ms (0.00) | 16.00 s (2.00) | 200 MB (0.50) |"
        in text
    )


def test_sections_of_another_state_of_the_code_are_marked() -> None:
    rows = {"four folds": {"1": [2.0], "2": [1.0]}}
    one, other = (
        STAMP | {"rows": rows},
        STAMP | {"rows": rows, "source": "abcdefabcdef"},
    )
    assert "source" not in page({"parallel": one})
    assert "source abcdefab" in page(
        {"parallel": one, "cost": other | {"rows": {"a": {"seconds": 1.0, "cpu": 1.0}}}}
    )


def test_a_process_is_measured_whole(tmp_path: Path) -> None:
    spent = spend(
        [sys.executable, "-S", "-c", "x = bytes(50_000_000); print(len(x))"], tmp_path
    )
    assert spent.stdout == "50000000\n"
    assert spent.peak > 50_000_000
    assert 0 < spent.cpu < 5


def test_a_process_that_fails_or_lasts_too_long_is_lost_with_the_reason(
    tmp_path: Path,
) -> None:
    with pytest.raises(Lost, match="exit 1: ValueError: so"):
        spend([sys.executable, "-S", "-c", "raise ValueError('so')"], tmp_path)
    with pytest.raises(Lost, match="over 0 s"):
        spend(
            [sys.executable, "-S", "-c", "import time; time.sleep(20)"],
            tmp_path,
            limit=0.2,
        )


def test_an_unknown_section_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["sideways"])
    assert "there is cold, train" in capsys.readouterr().err
    assert set(SECTIONS) >= {"cold", "memory", "growth"}
