"""The benchmark of scale: what it generates, how it watches a command, and its page."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from benchmarks import sampled, scale
from benchmarks.sampled import CASES, Case, kinds, measured
from benchmarks.scale import _Watch, digest, generate, spend
from benchmarks.scalepage import page
from benchmarks.sets import Competition, split

MACHINE = {"machine": {"cpu": "a cpu", "cores": 2, "python": "3.11"}}
SPENT = {
    "seconds": 10.0,
    "cpu": 20.0,
    "peak": 3e9,
    "largest": 1.2e9,
    "read": 2e8,
    "written": 1e8,
}


def test_generated_series_are_whole_in_their_file_and_the_same_each_time(
    tmp_path: Path,
) -> None:
    for name in ("one", "two"):
        generate(tmp_path / name, 5, shard=2, length=30)
    assert digest(tmp_path / "one") == digest(tmp_path / "two")
    frame = pd.concat(
        pd.read_parquet(file) for file in sorted((tmp_path / "one").iterdir())
    )
    assert frame.groupby("shop").size().tolist() == [30] * 5
    assert len(list((tmp_path / "one").iterdir())) == 3


def test_all_processes_of_a_command_are_watched() -> None:
    child = "import time; held = bytearray(b'x' * 60_000_000); time.sleep(4)"
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])",
        ]
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
    same = MACHINE | {
        "series": 1000,
        "rows": {name: SPENT | {"sha256": "ab" * 32} for name in ("loky", "dask")},
    }
    text = page({"series": series, "engines": same})
    assert "| 1,000,000 | 10 | 20 | 100,000 | 3,000 | 200.0 | 100.0 | 0.01 |" in text
    assert "the same bytes" in text
    assert "times 1,000" in text and "Work: 6 core hours" in text
    same["rows"]["dask"] = SPENT | {"sha256": "cd" * 32}
    assert "The files differ" in page({"engines": same})
    assert "other work" in page(
        {"engines": same | {"busy": True}}
    ) and "other work" not in page({"engines": same})


def test_series_of_many_kinds_are_the_same_each_time() -> None:
    frame = kinds(count=40, length=50, horizon=7)
    pd.testing.assert_frame_equal(frame, kinds(count=40, length=50, horizon=7))
    assert frame.groupby("unique_id").size().tolist() == [57] * 40
    assert frame["y"].notna().all()


class Program:
    """Stands in for the program: records its calls and training data, and forecasts too much."""

    def __init__(self) -> None:
        self.fits: list[tuple[str, ...]] = []
        self.given: list[pd.DataFrame] = []
        self.most = 99

    def __call__(self, folder: Path, *arguments: str) -> None:
        if arguments[0] == "fit":
            if len(self.fits) == self.most:
                raise RuntimeError("cut off")
            self.fits.append(arguments)
            self.given.append(pd.read_parquet(folder / "data"))
            (folder / "run").mkdir(exist_ok=True)
            (folder / "run" / "run.json").write_text(
                json.dumps({"data": {"cutoff": [0] * 9}}), encoding="utf-8"
            )
            (folder / "run" / "history.csv").write_text(
                "member,step\n0,50\n0,100\n1,50\n", encoding="utf-8"
            )
            return
        ahead = split(kinds(20, 50, 7), 7)[1]
        levels = {f"q{100 * level:g}": ahead["y"] for level in sampled.LEVELS}
        made = ahead.assign(forecast=ahead["y"] + 1, **levels).drop(columns="y")
        made.to_parquet(folder / "forecast.parquet")


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Program:
    stand_in = Program()
    monkeypatch.setattr(sampled, "call", stand_in)
    monkeypatch.setattr(
        sampled,
        "CASES",
        [
            Case(
                Competition("some", "", 7, 7, "D"),
                lambda: kinds(20, 50, 7),
                (1, 2),
                every=4,
            )
        ],
    )
    return stand_in


def test_what_is_forecast_is_not_learnt_from_and_samples_are_asked_for_by_rows(
    tmp_path: Path, program: Program
) -> None:
    found: dict[str, Any] = {}
    assert (
        len([*measured(tmp_path, found)]) == 5
    )  # all and a half by two seeds, and nothing trained
    assert found["some"]["series"] == 20 and found["some"]["scored"] == 5
    assert found["some"]["fits"]["2"]["1"]["learnt"] == 9
    assert found["some"]["fits"]["2"]["1"]["drawn"] == 150 * 16
    assert found["some"]["fits"]["1"]["0"]["mase"] > 0
    asked = [
        line[line.index("--sample") + 1] if "--sample" in line else ""
        for line in program.fits
    ]
    assert asked == ["", "500", "", "", "500"]
    assert {line[line.index("--seed") + 1] for line in program.fits} == {"0", "1"}
    for given in program.given:
        assert len(given) == 20 * 50
        assert given["ds"].max() == pd.Timestamp("2024-01-01") + pd.Timedelta(days=49)


def test_a_set_that_is_not_there_is_left_out(
    tmp_path: Path,
    program: Program,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sampled, "DATA", tmp_path / "nothing")
    monkeypatch.setattr(sampled, "CASES", CASES[:1])
    assert [*measured(tmp_path, {})] == []
    assert "m3_monthly is left out" in capsys.readouterr().err and not program.fits


def test_a_measurement_that_was_cut_off_goes_on_and_a_whole_one_begins_anew(
    tmp_path: Path, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: dict[str, Any] = {}
    monkeypatch.setattr(scale, "kept", lambda _: json.loads(json.dumps(kept)))
    monkeypatch.setattr(scale, "keep", lambda _, results: kept.update(results))
    program.most = 2
    with pytest.raises(RuntimeError):
        scale.sample(tmp_path / "a", 0)
    assert kept["sections"]["sample"]["unfinished"] and len(program.fits) == 2
    program.most = 99
    whole = scale.sample(tmp_path / "b", 0)
    assert len(program.fits) == 5 and len(whole["sets"]["some"]["fits"]["2"]) == 2
    kept["sections"] = {"sample": whole}
    scale.sample(tmp_path / "c", 0)
    assert len(program.fits) == 10


def fits(learnt: int, *errors: float) -> dict[str, Any]:
    return {
        str(k): {"learnt": learnt, "drawn": 800, "mase": one, "wql": one}
        for k, one in enumerate(errors)
    }


def test_the_page_says_from_how_many_series_on_a_sample_is_enough() -> None:
    learnt = {
        "1": fits(1600, 0.99, 1.01),
        "2": fits(800, 1.0, 1.002),
        "20": fits(80, 1.1, 1.1),
    }
    one = {"series": 1600, "fits": learnt, "untrained": {"mase": 1.2, "wql": 1.3}}
    text = page({"sample": MACHINE | {"sets": {"some": one}}})
    assert "| some | none, as shipped | | 1.200 | +20.0 % | +30.0 % |" in text
    assert "|  | all 1,600 | 800 | 1.000 ± 0.010 | | |" in text
    assert "|  | 80 | 800 | 1.100 ± 0.000 | +10.0 % | +10.0 % |" in text
    said = " ".join(text.split())
    assert "at most 50 % of the series" in said and "takes 1.0 % to 1.0 %" in said
    assert (
        "of 300 or more (1 of them) +0.1 %; of 100 or more (1 of them) +0.1 %; "
        "of 20 or more (2 of them) +10.0 %" in said
    )
    assert (
        "So of 100 series or more, what a sample leaves out costs no more" in said
        and "--sample ROWS`." in said
    )
    learnt["2"] = fits(800, 1.05, 1.05)
    assert "is missed, however many" in " ".join(
        page({"sample": MACHINE | {"sets": {"some": one}}}).split()
    )
