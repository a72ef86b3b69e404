"""The benchmark of scale: what it generates, how it watches a command, and the page of its figures."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from benchmarks.scale import _Watch, digest, generate, spend
from benchmarks.scalepage import page

MACHINE = {"machine": {"cpu": "a cpu", "cores": 2, "python": "3.11"}}
SPENT = {"seconds": 10.0, "cpu": 20.0, "peak": 3e9, "largest": 1.2e9, "read": 2e8, "written": 1e8}


def test_generated_series_are_whole_in_their_file_and_the_same_each_time(tmp_path: Path) -> None:
    for name in ("one", "two"):
        generate(tmp_path / name, 5, shard=2, length=30)
    assert digest(tmp_path / "one") == digest(tmp_path / "two")
    frame = pd.concat(pd.read_parquet(file) for file in sorted((tmp_path / "one").iterdir()))
    assert frame.groupby("shop").size().tolist() == [30] * 5
    assert len(list((tmp_path / "one").iterdir())) == 3


def test_all_processes_of_a_command_are_watched() -> None:
    child = "import time; held = bytearray(b'x' * 60_000_000); time.sleep(4)"
    process = subprocess.Popen(
        [sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"]
    )
    watch = _Watch(process.pid)
    watch.start()
    process.wait()
    watch.done.set()
    watch.join()
    assert watch.largest > 60_000_000 and watch.peak > watch.largest
    assert watch.cpu > 0


def test_a_command_that_fails_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="exit 3"):
        spend(["lstmcast", "fit", "nothing.csv", "--target", "y"], tmp_path)


def test_the_page_counts_and_says_whether_the_bytes_are_the_same() -> None:
    series = MACHINE | {"rows": {"1000": SPENT, "1000000": SPENT}}
    same = MACHINE | {"series": 1000, "rows": {name: SPENT | {"sha256": "ab" * 32} for name in ("loky", "dask")}}
    text = page({"series": series, "engines": same})
    assert "| 1,000,000 | 10 | 20 | 100,000 | 3,000 | 200.0 | 100.0 | 0.01 |" in text
    assert "the same bytes" in text
    assert "times 1,000" in text and "Work: 6 core hours" in text
    same["rows"]["dask"] = SPENT | {"sha256": "cd" * 32}
    assert "The files differ" in page({"engines": same})
    assert "other work" in page({"engines": same | {"busy": True}}) and "other work" not in page({"engines": same})
