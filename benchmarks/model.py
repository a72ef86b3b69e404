"""What each part of the network and of its training is worth: `python -m benchmarks.model [--out docs/model.md]`.

One network a fit, always from scratch, on the first part of each series; its own forecasts, without the guard's mixing,
are scored on the rest. With --out the table is written into that file, between its two markers.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.sets import DATA, ROOT, SETS, Competition
from lstmcast.config import Config, ModelConfig, TrainConfig, WindowConfig
from lstmcast.forecaster import Forecaster
from lstmcast.panel import Panel
from lstmcast.verdict import judge

PANEL_STEPS = 100
"""Most steps of a training on many series, of which validation takes as many as help."""
LEVELS = np.arange(1, 10) / 10
BEGIN, END = "<!-- measured by benchmarks/model.py -->", "<!-- end of what was measured -->"
Ints = npt.NDArray[np.int64]
Kind = tuple[str, dict[str, Any], dict[str, Any]]
KINDS: tuple[Kind, ...] = (
    ("LSTM, 1 layer", {"layers": 1}, {}),
    ("**LSTM, 2 layers**", {}, {}),
    ("LSTM, 3 layers, residual", {"layers": 3}, {}),
    ("GRU, 2 layers", {"cell": "gru"}, {}),
    ("RNN (tanh), 2 layers", {"cell": "rnn"}, {}),
    ("LSTM, bidirectional", {"bidirectional": True}, {}),
    ("LSTM with attention", {"attention": True}, {}),
    ("LSTM with layer norm", {"layer_norm": True}, {}),
    ("LSTM, no dropout", {"dropout": 0.0}, {}),
    ("LSTM, trained on MSE", {}, {"loss": "mse"}),
    ("LSTM, Adam", {}, {"optimizer": "adam"}),
    ("LSTM, SGD", {}, {"optimizer": "sgd"}),
    ("LSTM, RMSprop", {}, {"optimizer": "rmsprop"}),
    ("LSTM from the pretrained weights", {}, {"start": "pretrained"}),
)


class Case(NamedTuple):
    """A panel, the steps of each series that a fit may see [N], and the windows after them [K]."""

    name: str
    panel: Panel
    horizon: int
    season: int
    ends: Ints
    series: Ints
    origins: Ints


def cases(data: Path = DATA) -> Iterator[Case]:
    """Two sample files, the last fifth of each to forecast, and the series of a competition where they are at hand."""
    for name, target, horizon, season in (("price", "price", 14, 7), ("co2", "co2", 12, 12)):
        panel = Panel.from_frame(pd.read_csv(ROOT / "sample_data" / f"{name}.csv"), target=target)
        end = panel.lengths * 4 // 5
        origins = np.arange(end[0] - 1, panel.lengths[0] - horizon, horizon // 4)
        yield Case(
            f"{name}.csv, {season_of(season)}", panel, horizon, season, end, np.zeros(len(origins), int), origins
        )
    one = SETS["m1_quarterly"]
    if data.is_dir() and isinstance(one, Competition):
        parts = one.load(data)
        frame = pd.concat(parts).sort_values(["unique_id", "ds"], ignore_index=True)
        panel = Panel.from_frame(frame, target="y", series="unique_id", time="ds")
        ends = panel.lengths - one.horizon
        yield Case("M1, 203 quarterly series", panel, one.horizon, one.season, ends, np.arange(len(panel)), ends - 1)


def season_of(steps: int) -> str:
    """The frequency of a sample file by its season."""
    return {7: "daily", 12: "monthly"}[steps]


def mase(case: Case, kind: Kind, seed: int) -> tuple[float, float]:
    """MASE of the network alone on what the fit has not seen, and the seconds of CPU that the fit took."""
    _, model, train = kind
    settings = {"start": "scratch", "members": 1, "jobs": 1, "seed": seed, **train}
    config = Config(
        model=ModelConfig(**model),
        train=TrainConfig(**settings),
        window=WindowConfig(horizon=case.horizon, season=case.season),
    )
    began = time.process_time()
    if len(case.panel) > 1 and settings["start"] == "scratch":
        config = replace(config, train=replace(config.train, steps=PANEL_STEPS))
    if settings["start"] == "pretrained":
        config = replace(config, train=replace(config.train, members=2))  # as it is, and fine-tuned
    fitted = Forecaster(config).fit(case.panel.head(case.ends))
    seconds = time.process_time() - began
    fitted.guard = fitted.guard._replace(network=1.0)
    made = fitted.quantiles(case.panel, case.series, case.origins, case.horizon, LEVELS)
    verdict = judge(case.panel, case.series, case.origins, made, LEVELS, case.season, ends=case.ends)
    return verdict.model["mase"], seconds


def table(measured: list[Case], seeds: int) -> Iterator[str]:
    """Rows of the table, one a kind: mean and standard deviation of the MASE over seeds, mean seconds of a fit."""
    yield "| | " + " | ".join(case.name for case in measured) + " | seconds |"
    yield "|---|" + "---|" * (len(measured) + 1)
    for kind in KINDS:
        cells, seconds = [], []
        for case in measured:
            runs = [mase(case, kind, seed) for seed in range(seeds)]
            errors = [error for error, _ in runs]
            cells.append(f"{statistics.mean(errors):.3f} ± {statistics.pstdev(errors):.3f}")
            seconds.append(statistics.mean(spent for _, spent in runs))
        yield f"| {kind[0]} | " + " | ".join(cells) + f" | {sum(seconds):.0f} |"
        print(kind[0], *cells, f"{sum(seconds):.0f} s", file=sys.stderr, flush=True)


def main() -> int:
    """Measure, print the table, and write it where it belongs; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.model", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="fits of each kind (default: 3)")
    parser.add_argument("--out", type=Path, metavar="FILE.md", help="write the table between the markers there")
    asked = parser.parse_args()
    page = asked.out.read_text(encoding="utf-8") if asked.out else f"{BEGIN}\n{END}"
    before, _, rest = page.partition(BEGIN)
    _, marker, after = rest.partition(END)
    if not marker:
        parser.error(f"{asked.out} has no markers for the table")
    text = "\n".join(table(list(cases()), asked.seeds))
    if asked.out:
        asked.out.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
