"""The program as users run it: commands in separate processes, defaults, scored forecasts."""

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.sets import DATA, Competition, Everyday, flat
from benchmarks.windows import last_origins, read_everyday
from lstmcast.config import TrainConfig
from lstmcast.scoring import metrics

LEVELS = np.arange(1, 10) / 10
ZERO_SHOT = ("--steps", "0")
Scores = dict[str, Any]


class ProductError(Exception):
    """The product failed; the text is what it said."""


def measure(
    one: Competition | Everyday, seed: int, *options: str, data: Path = DATA
) -> Scores:
    """Fit `one` with the defaults (and `options`), forecast, and score; `seconds` are of CPU."""
    began = _cpu()
    with tempfile.TemporaryDirectory() as folder:
        if isinstance(one, Competition):
            scores, busy = _competition(one, seed, options, Path(folder), data)
        else:
            scores, busy = _everyday(one, seed, options, Path(folder), data)
        speed = windows_per_second(Path(folder) / "run" / "history.csv")
    return scores | {"seconds": round(_cpu() - began - busy, 2), "speed": speed}


def windows_per_second(history: Path) -> float | None:
    """Return the windows a member was trained on in a second; None if nothing was trained."""
    rows = pd.read_csv(history)
    ends = rows[
        rows["seconds"] == rows.groupby("member")["seconds"].transform("max")
    ].drop_duplicates("member")
    trained = ends[ends["step"] > 0]
    if trained.empty:
        return None
    settings = TrainConfig()
    return float(
        trained["step"].sum()
        * settings.batch_size
        * settings.origins
        / trained["seconds"].sum()
    )


def competition_scores(
    train: pd.DataFrame, test: pd.DataFrame, forecast: pd.DataFrame, one: Competition
) -> Scores:
    """Errors of a forecast table on the official test part, averaged over series.

    Raises:
        ProductError: the forecast lacks a series or a stamp of the test part.
    """
    columns = [f"q{100 * level:g}" for level in LEVELS]
    joined = test.merge(forecast, on=["unique_id", "ds"], how="left")
    if joined["forecast"].isna().any() or len(joined) != len(test):
        raise ProductError(
            f"{int(joined['forecast'].isna().sum())} of {len(test)} test values have no forecast"
        )
    shape = -1, one.horizon
    actual, point = (
        joined[name].to_numpy(np.float64).reshape(shape) for name in ("y", "forecast")
    )
    quantiles = joined[columns].to_numpy(np.float64).reshape(*shape, len(LEVELS))
    values, offsets = flat(train)
    scale = metrics.seasonal_scale(values, offsets, np.diff(offsets), one.season)
    smape, mase = metrics.smape(actual, point), metrics.mase(actual, point, scale)
    return {
        "series": len(actual),
        "points": actual.size,
        "smape": smape,
        "mase": mase,
        "mape": metrics.mape(actual, point),
        "owa": metrics.owa(smape, mase, *one.naive2) if one.naive2 else None,
        "wql": metrics.wql(actual, quantiles, LEVELS),
        "coverage": metrics.coverage(actual, quantiles[..., 0], quantiles[..., -1]),
    }


def _competition(
    one: Competition, seed: int, options: Sequence[str], folder: Path, data: Path
) -> tuple[Scores, float]:
    began = _cpu()
    train, test = one.load(data)
    train.to_parquet(folder / "train.parquet", index=False)
    busy = _cpu() - began
    columns = ["--target", "y", "--series", "unique_id", "--horizon", str(one.horizon)]
    call(
        folder,
        "fit",
        "train.parquet",
        *columns,
        "--seed",
        str(seed),
        "--out",
        "run",
        *options,
    )
    levels = ",".join(f"{level:g}" for level in LEVELS)
    call(folder, "predict", "run", "--quantiles", levels, "-o", "forecast.parquet")
    began = _cpu()
    forecast = pd.read_parquet(folder / "forecast.parquet")
    return competition_scores(train, test, forecast, one), busy + _cpu() - began


def _everyday(
    one: Everyday, seed: int, options: Sequence[str], folder: Path, data: Path
) -> tuple[Scores, float]:
    from lstmcast.scoring.verdict import score_forecasts
    from lstmcast.training.forecaster import Forecaster

    began = _cpu()
    panel = read_everyday(one, data)
    series, origins = last_origins(panel.lengths, one.horizon, one.windows)
    ends = np.where(
        np.isin(np.arange(len(panel)), series),
        panel.lengths - one.horizon * one.windows,
        0,
    )
    _write(panel.head(ends), one.target, folder / "train.parquet")
    busy = _cpu() - began
    roles = [
        "--target",
        one.target,
        "--time",
        panel.axis.name,
        "--horizon",
        str(one.horizon),
        "--seed",
        str(seed),
    ]
    roles += [word for name in one.series for word in ("--series", name)]
    roles += ["--date-format", one.date_format] if one.date_format else []
    call(folder, "fit", "train.parquet", *roles, "--out", "run", *options)
    quantiles = Forecaster.load(folder / "run").quantiles(
        panel, series, origins, one.horizon, LEVELS
    )
    began = _cpu()
    verdict = score_forecasts(panel, series, origins, quantiles, LEVELS, one.season)
    scores: Scores = {
        name: verdict.model[name] for name in ("mase", "smape", "wql", "coverage")
    }
    scores |= {"series": verdict.series, "points": verdict.observed}
    return scores, busy + _cpu() - began


def _write(panel: Any, target: str, path: Path) -> None:
    """The history as a user's file: key columns, stamps in their own form, the target."""
    number = np.repeat(np.arange(len(panel)), panel.lengths)
    step = np.arange(len(panel.values)) - np.repeat(panel.offsets[:-1], panel.lengths)
    frame = pd.DataFrame(
        {
            name: [panel.keys[i][k] for i in number]
            for k, name in enumerate(panel.key_names)
        }
    )
    frame[panel.axis.name] = panel.axis.stamps(panel.start[number] + step)
    frame[target] = panel.values
    frame.to_parquet(path, index=False)


def call(folder: Path, *arguments: str) -> None:
    """Run `lstmcast ARGUMENTS` in `folder` on one thread; raises ProductError with its message."""
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(Path(__file__).resolve().parent.parent),
    }
    command = [sys.executable, "-m", "lstmcast", *arguments, "-q"]
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        message = " / ".join(done.stderr.strip().splitlines()[-3:]).replace(
            str(folder), ""
        )
        raise ProductError(f"lstmcast {arguments[0]} exit {done.returncode}: {message}")


def _cpu() -> float:
    """CPU seconds of this process and of its finished children."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime
