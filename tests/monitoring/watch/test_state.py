"""The file of what a watcher remembers: whole, checked, and refused where it is another's."""

import json
from pathlib import Path

import numpy as np
import pytest

from lstmcast import Columns, RunError, UsageError
from lstmcast.monitoring.watch.rows import OrderedRows, read_ordered_rows
from lstmcast.monitoring.watch.state import _hash_content, load_watcher, save_watcher
from lstmcast.monitoring.watch.watcher import RowWatcher
from lstmcast.tables.read import read_bytes

RATE = 0.001


def some_rows(first: int, last: int) -> OrderedRows:
    values = np.random.default_rng(0).normal(0, 1, 400)[first:last]
    lines = [f"{number},{value}" for number, value in enumerate(values, first)]
    table = read_bytes("\n".join(["t,v", *lines, ""]).encode(), "x.csv")
    return read_ordered_rows(table, Columns(target=("v",), time=("t",)))


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    watcher = RowWatcher(RATE)
    watcher.judge(some_rows(0, 300))
    save_watcher(watcher, tmp_path / "state.json")
    return tmp_path / "state.json"


def test_a_saved_watcher_goes_on_as_if_there_had_been_no_break(saved: Path) -> None:
    unbroken = RowWatcher(RATE)
    whole = unbroken.judge(some_rows(0, 400)).detection.rows
    loaded = load_watcher(saved, RATE)
    found = loaded.judge(some_rows(280, 400)).detection.rows
    assert found["kind"].tolist()[:20] == ["known"] * 20
    np.testing.assert_array_equal(found["score"][20:], whole["score"][300:])
    assert loaded.to_state() == unbroken.to_state()


def test_without_a_file_it_begins_anew(tmp_path: Path) -> None:
    watcher = load_watcher(tmp_path / "none.json", RATE, alarm="row")
    assert (watcher.rate, watcher.alarm, watcher.columns) == (RATE, "row", None)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text[:-100], "is no state of detect, or damaged"),
        (lambda _: '{"some": "json"}', "is no state of detect, or damaged"),
        (lambda _: "month,price\n1,2\n", "is no state of detect, or damaged"),
        (lambda _: "[1]", "is no state of detect, or damaged"),
        (lambda text: text.replace('"judged":250', '"judged":9'), "its SHA-256"),
        (
            lambda text: text.replace('"version":1,"w', '"version":2,"w'),
            "a newer lstmcast",
        ),
    ],
)
def test_a_spoiled_file_is_refused(saved: Path, change: object, message: str) -> None:
    before = saved.read_text()
    after = change(before)  # type: ignore[operator]
    assert after != before
    saved.write_text(after)
    with pytest.raises(RunError, match=message):
        load_watcher(saved, RATE)


def test_contents_that_are_whole_but_lack_a_part_are_refused(saved: Path) -> None:
    content = json.loads(saved.read_text())
    del content["watch"]["series"][0]["stream"]["gaps"]
    content["sha256"] = _hash_content(content["watch"])
    saved.write_text(json.dumps(content))
    with pytest.raises(RunError, match="is damaged"):
        load_watcher(saved, RATE)


def test_another_rate_is_refused(saved: Path) -> None:
    with pytest.raises(UsageError, match=r"made with rate=0.001, not 0.003"):
        load_watcher(saved, 0.003)


def test_nothing_in_it_is_no_number(saved: Path) -> None:
    assert "NaN" not in saved.read_text() and "Infinity" not in saved.read_text()
