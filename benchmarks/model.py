"""What each part of the network and of its training gains: `python -m benchmarks.model`.

One network a fit, always from scratch unless its row says otherwise, on the first part of each
series; its own forecasts, without the combination, are scored on the rest. With --out the table
is written into that file, between its two markers, after every round of seeds; with --kept runs are
written down, and not made again.
"""

import argparse
import json
import math
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from benchmarks.sets import DATA, ROOT, SETS, Competition
from lstmcast.config import Config, ModelConfig, TrainConfig, WindowConfig
from lstmcast.evaluation.backtest import find_rival_season
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Ints
from lstmcast.scoring.verdict import score_forecasts
from lstmcast.training.forecaster import Forecaster

PANEL_STEPS = 200
"""Most steps of a training on many series, of which validation takes as many as help."""
LEVELS = np.arange(1, 10) / 10
BEGIN, END = "<!-- benchmarks.model: begin -->", "<!-- benchmarks.model: end -->"
Kind = tuple[str, dict[str, Any], dict[str, Any]]
DEFAULT = "LSTM, 2 layers (the default)"
KINDS: tuple[Kind, ...] = (
    (DEFAULT, {}, {}),
    ("`--layers 1`", {"layers": 1}, {}),
    ("`--layers 3`", {"layers": 3}, {}),
    ("`--cell gru`", {"cell": "gru"}, {}),
    ("`--cell rnn`", {"cell": "rnn"}, {}),
    ("`--bidirectional`", {"bidirectional": True}, {}),
    ("`--attention`", {"attention": True}, {}),
    ("`--layer-norm`", {"layer_norm": True}, {}),
    ("`--dropout 0`", {"dropout": 0.0}, {}),
    ("`--dropout 0.3`", {"dropout": 0.3}, {}),
    ("`--loss mse`", {}, {"loss": "mse"}),
    ("`--optimizer adam`", {}, {"optimizer": "adam"}),
    ("`--optimizer sgd`", {}, {"optimizer": "sgd"}),
    ("`--optimizer rmsprop`", {}, {"optimizer": "rmsprop"}),
    (
        "`--from pretrained`",
        {},
        {"start": "pretrained", "members": 2},
    ),  # as it is, and fine-tuned
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


class Run(NamedTuple):
    """MASE of one network on rows that its fit has not seen, and the CPU seconds of the fit."""

    error: float
    seconds: float


Runs = dict[tuple[str, str], list[Run]]
"""By kind and case, one run a seed."""


def cases(data: Path = DATA) -> Iterator[Case]:
    """Return two sample files, split at their last fifth, and a competition's series if present."""
    for title, name, time_name, horizon, season in (
        ("CO2, monthly", "co2", "month", 12, 12),
        ("sunspots, yearly", "sunspots", "year", 11, 1),
    ):
        panel = Panel.from_frame(
            pd.read_csv(ROOT / "sample_data" / f"{name}.csv"),
            target=name,
            time=time_name,
        )
        end = panel.lengths * 4 // 5
        origins = np.arange(end[0] - 1, panel.lengths[0] - horizon, 3)
        yield Case(
            title,
            panel,
            horizon,
            season,
            end,
            np.zeros(len(origins), np.int64),
            origins,
        )
    one = SETS["m1_quarterly"]
    if data.is_dir() and isinstance(one, Competition):
        frame = pd.concat(one.load(data)).sort_values(
            ["unique_id", "ds"], ignore_index=True
        )
        panel = Panel.from_frame(frame, target="y", series="unique_id", time="ds")
        ends = panel.lengths - one.horizon
        title = f"M1, {len(panel)} quarterly series"
        yield Case(
            title, panel, one.horizon, one.season, ends, np.arange(len(panel)), ends - 1
        )


def simple(case: Case) -> float:
    """MASE of the best of the simple methods on the same windows."""
    nothing = np.zeros((len(case.series), case.horizon, 1))
    levels = np.array([0.5])
    verdict = score_forecasts(
        case.panel,
        case.series,
        case.origins,
        nothing,
        levels,
        case.season,
        second_season=find_rival_season(case.panel, case.season),
        ends=case.ends,
    )
    return min(scores["mase"] for scores in verdict.baselines.values())


def run(case: Case, kind: Kind, seed: int) -> Run:
    """Fit one network and score it."""
    _, model, train = kind
    settings = {
        "start": "scratch",
        "members": 1,
        "jobs": 1,
        "seed": seed,
        "precision": "float32",
        **train,
    }
    if len(case.panel) > 1 and settings["start"] == "scratch":
        settings["steps"] = PANEL_STEPS
    config = Config(
        model=ModelConfig(**model),
        train=TrainConfig(**settings),
        window=WindowConfig(horizon=case.horizon, season=case.season),
    )
    began = time.process_time()
    fitted = Forecaster(config).fit(case.panel.head(case.ends))
    seconds = time.process_time() - began
    fitted.combination = fitted.combination._replace(
        network=1.0, method="", spread=None
    )
    quantiles = fitted.quantiles(
        case.panel, case.series, case.origins, case.horizon, LEVELS
    )
    verdict = score_forecasts(
        case.panel,
        case.series,
        case.origins,
        quantiles,
        LEVELS,
        case.season,
        ends=case.ends,
    )
    return Run(verdict.model["mase"], seconds)


def table(runs: Runs, simples: dict[str, float]) -> Iterator[str]:
    """Lines of the table, a row for each kind and one for the best simple method of each case.

    Cells are means over seeds; behind ± stands the standard deviation. The last columns: the error
    as a multiple of the default's from the same seed, geometric mean over the cases; the seconds of
    all cases, mean over seeds.
    """
    yield f"| MASE | {' | '.join(simples)} | against the default | seconds |"
    yield "|---|" + "---|" * (len(simples) + 2)
    errors = " | ".join(f"{error:.3f}" for error in simples.values())
    yield f"| the best simple method | {errors} | | |"
    for kind in dict.fromkeys(kind for kind, _ in runs):
        own = [runs[kind, case] for case in simples]
        ratios = [
            math.exp(
                statistics.mean(
                    math.log(a.error / b.error) for a, b in zip(one, other, strict=True)
                )
            )
            for one, other in zip(
                zip(*own, strict=True), _by_seed(runs, simples), strict=True
            )
        ]
        cells = [_spread([run.error for run in each]) for each in own]
        seconds = statistics.mean(
            sum(run.seconds for run in one) for one in zip(*own, strict=True)
        )
        spread = "" if kind == DEFAULT else _spread(ratios)
        yield f"| {kind} | {' | '.join(cells)} | {spread} | {seconds:.0f} |"


def _by_seed(runs: Runs, cases_of: dict[str, float]) -> Iterator[tuple[Run, ...]]:
    """The default's runs on all cases, seed by seed."""
    return zip(*(runs[DEFAULT, case] for case in cases_of), strict=True)


def _spread(numbers: Sequence[float]) -> str:
    """Mean and standard deviation; of one number the number."""
    mean = f"{statistics.mean(numbers):.3f}"
    return f"{mean} ± {statistics.stdev(numbers):.3f}" if len(numbers) > 1 else mean


def write(path: Path, lines: Sequence[str]) -> None:
    """Put lines between the markers of a page; raises ValueError where it has none."""
    before, begin, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{path} has no markers for the table")
    path.write_text("\n".join([before + BEGIN, *lines, END + after]), encoding="utf-8")


def known(path: Path | None) -> dict[tuple[int, str, str], Run]:
    """Runs that were written down, by seed, kind and case."""
    lines = (
        path.read_text(encoding="utf-8").splitlines() if path and path.exists() else []
    )
    return {
        (seed, kind, case): Run(*numbers)
        for seed, kind, case, *numbers in map(json.loads, lines)
    }


def main() -> int:
    """Measure seed by seed, write and print the table; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.model", description=__doc__
    )
    parser.add_argument(
        "--seeds",
        type=int,
        default=3,
        metavar="N",
        help="fits of each kind (default: 3)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE.md",
        help="write the table between the markers there",
    )
    parser.add_argument(
        "--kept", type=Path, metavar="FILE.jsonl", help="where runs are written down"
    )
    parsed = parser.parse_args()
    finished = known(parsed.kept)
    measured = list(cases())
    simples = {case.name: simple(case) for case in measured}
    runs: Runs = {}
    lines: list[str] = []
    for seed in range(parsed.seeds):
        for kind in KINDS:
            for case in measured:
                done = finished.get((seed, kind[0], case.name)) or run(case, kind, seed)
                if parsed.kept and (seed, kind[0], case.name) not in finished:
                    with parsed.kept.open("a", encoding="utf-8") as log:
                        log.write(json.dumps([seed, kind[0], case.name, *done]) + "\n")
                runs.setdefault((kind[0], case.name), []).append(done)
                print(
                    seed,
                    kind[0],
                    case.name,
                    *(f"{x:.3f}" for x in done),
                    file=sys.stderr,
                    flush=True,
                )
        lines = ["", *table(runs, simples), ""]
        if parsed.out:
            write(parsed.out, lines)
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
