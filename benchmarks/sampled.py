"""The accuracy that learning from a sample costs: a section of `python -m benchmarks.scale`.

The last horizon of every series is held back (of the training part where a set has a test part:
that is not looked at). `fit` learns from the rest of all series, or of those that `--sample` keeps;
`predict` then forecasts what was held back of all of them. Nothing is chosen by these figures.
"""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.signal import lfilter

from benchmarks.product import LEVELS, ZERO_SHOT, call, competition_scores
from benchmarks.sets import DATA, SETS, Competition, split
from lstmcast.config import TrainConfig

Figures = dict[str, Any]
SEEDS = (0, 1)
COUNT, LENGTH, KINDS = 50_000, 200, 500
_LEVELS = ",".join(f"{level:g}" for level in LEVELS)


class Case(NamedTuple):
    """A panel: what is forecast, its rows, horizon included, and one of how many series is learnt.

    every: of how many series one is scored.
    """

    one: Competition
    rows: Callable[[], pd.DataFrame]
    parts: tuple[int, ...]
    every: int = 1


def kinds(count: int = COUNT, length: int = LENGTH, horizon: int = 14) -> pd.DataFrame:
    """Daily series of 500 kinds, a few of them common and most rare: unique_id, ds, y.

    A kind has its week, its memory, and its own way of answering to a sale for three weeks after
    it. How it answers is nothing that one series tells: it has ten sales. The more series are
    learnt from, the more kinds are known.
    """
    rng, days = np.random.default_rng(0), length + horizon
    weight = 1 / np.arange(1, KINDS + 1)
    kind = rng.choice(KINDS, count, p=weight / weight.sum())
    y = np.empty((count, days))
    for k in np.unique(kind):
        own = np.flatnonzero(kind == k)
        week, memory, answer = (
            rng.normal(size=7),
            rng.uniform(0, 0.95),
            rng.normal(size=21) * 0.9 ** np.arange(21),
        )
        sales = (rng.random((len(own), days)) < 0.05) * rng.exponential(
            3, (len(own), days)
        )
        noise = lfilter(
            [np.sqrt(1 - memory**2)], [1, -memory], rng.normal(size=(len(own), days))
        )
        y[own] = (
            10
            + week[np.arange(days) % 7]
            + lfilter([2, *answer], [1], sales)
            + 0.5 * noise
        )
    y *= 10 ** rng.uniform(0, 3, (count, 1))
    names = np.char.add("shop ", np.arange(count).astype(str))
    stamps = np.tile(pd.date_range("2024-01-01", periods=days), count)
    return pd.DataFrame(
        {"unique_id": np.repeat(names, days), "ds": stamps, "y": y.ravel()}
    )


def _training(name: str, *parts: int) -> Case:
    one = SETS[name]
    assert isinstance(one, Competition)
    return Case(one, lambda: one.load()[0], (1, *parts))


CASES = (
    _training("m3_monthly", 2, 4, 10, 30),
    _training("tourism_monthly", 2, 4, 10),
    Case(
        Competition("generated", "", 14, 7, "D"), kinds, (1, 2, 30, 300, 1000), every=10
    ),
    _training("m4_hourly", 2, 10),
)


def measured(folder: Path, found: Figures) -> Iterator[Figures]:
    """Add what `found` lacks, fit by fit, and give it after each."""
    for seed in SEEDS:
        for case in CASES:
            name = case.one.name
            if name in SETS and not DATA.is_dir():
                print(
                    f"{name} is left out: there is no {DATA} (set SHARED_DATA to the folder)",
                    file=sys.stderr,
                )
                continue
            yield from _measured(
                case,
                folder / name,
                found.setdefault(name, {"fits": {}, "untrained": {}}),
                seed,
            )


def _measured(case: Case, folder: Path, found: Figures, seed: int) -> Iterator[Figures]:
    history, ahead = split(case.rows(), case.one.horizon)
    count = history["unique_id"].nunique()
    found |= {
        "series": count,
        "rows": len(history),
        "scored": -(-count // case.every),
        "horizon": case.one.horizon,
    }
    (folder / "data").mkdir(parents=True, exist_ok=True)
    history.to_parquet(
        folder / "data" / "0.parquet", index=False, row_group_size=1 << 20
    )
    scored = history["unique_id"].drop_duplicates().iloc[:: case.every]
    history, ahead = (
        frame[frame["unique_id"].isin(scored)] for frame in (history, ahead)
    )
    history.to_parquet(folder / "scored.parquet", index=False)
    for part in case.parts:
        fits = found["fits"].setdefault(str(part), {})
        if str(seed) not in fits:
            some = ("--sample", str(found["rows"] // part)) if part > 1 else ()
            fits[str(seed)] = _fit(case.one, folder, seed, *some) | _scores(
                case.one, folder, history, ahead
            )
            yield found
    if not found["untrained"]:
        _fit(case.one, folder, seed, *ZERO_SHOT)
        found["untrained"] = _scores(case.one, folder, history, ahead)
        yield found


def _fit(one: Competition, folder: Path, seed: int, *options: str) -> Figures:
    """Return the series learnt from, and the stretches that all networks drew of them."""
    columns = [
        "--target",
        "y",
        "--series",
        "unique_id",
        "--horizon",
        str(one.horizon),
        "--seed",
        str(seed),
    ]
    call(
        folder, "fit", "data", *columns, "--out", "run", "--force", "-j", "1", *options
    )
    learnt = len(
        json.loads((folder / "run" / "run.json").read_text(encoding="utf-8"))["data"][
            "cutoff"
        ]
    )
    steps = (
        pd.read_csv(folder / "run" / "history.csv")
        .groupby("member")["step"]
        .max()
        .sum()
    )
    return {"learnt": learnt, "drawn": int(steps) * TrainConfig().batch_size}


def _scores(
    one: Competition, folder: Path, history: pd.DataFrame, ahead: pd.DataFrame
) -> Figures:
    call(
        folder,
        "predict",
        "run",
        "scored.parquet",
        "--quantiles",
        _LEVELS,
        "-o",
        "forecast.parquet",
    )
    forecast = pd.read_parquet(folder / "forecast.parquet")
    return {
        name: competition_scores(history, ahead, forecast, one)[name]
        for name in ("mase", "wql")
    }
