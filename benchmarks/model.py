"""What each part of the network and of its training gains: `python -m benchmarks.model`.

One network a fit, always from scratch unless its row says otherwise, on the first part of each
series; its own forecasts, without the combination, are scored on the rest. With --keep the results
are kept after every round of seeds; with --runs each run is written down, and not made again.
"""

import argparse
import json
import math
import statistics
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from benchmarks.figures import keep, measured_today
from benchmarks.sets import DATA, ROOT, SETS, Competition
from benchmarks.simple import MEDIAN, forecasts
from lstmcast.config import Config, ModelConfig, TrainConfig, WindowConfig
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Ints
from lstmcast.scoring.verdict import score_forecasts
from lstmcast.training.forecaster import Forecaster

PANEL_STEPS = 200
"""Most steps of a training on many series, of which validation takes as many as help."""
LEVELS = np.arange(1, 10) / 10
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
    ("`--from pretrained`", {}, {"start": "pretrained", "members": 2}),
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
    panel, series, origins = case.panel, case.series, case.origins
    where = (panel.values, panel.offsets, series, origins, case.horizon)
    # The sun has eleven years, which no calendar knows.
    seasons = (case.season if case.season > 1 else case.horizon,)
    errors = []
    for _, forecast in forecasts(*where, seasons):
        quantiles = forecast[..., None]
        verdict = score_forecasts(
            panel, series, origins, quantiles, MEDIAN, case.season, ends=case.ends
        )
        errors.append(verdict.model["mase"])
    return min(errors)


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
    # From pretrained weights a fit has the weights as they are beside the network that it trained.
    fitted.networks = fitted.networks[-1:]
    alone = {"network": 1.0, "members": np.ones(1), "method": "", "spread": None}
    fitted.combination = fitted.combination._replace(**alone)
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


def summary(runs: Runs, simples: dict[str, float]) -> list[dict[str, Any]]:
    """Return a row for each kind: means over seeds, each with its deviation if there are more.

    against: the error as a multiple of the default's from the same seed, geometric mean over the
    cases. seconds: of all cases.
    """
    rows = []
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
        seconds = statistics.mean(
            sum(run.seconds for run in one) for one in zip(*own, strict=True)
        )
        errors = {
            case: _spread([run.error for run in each])
            for case, each in zip(simples, own, strict=True)
        }
        against = None if kind == DEFAULT else _spread(ratios)
        rows.append(
            {"kind": kind, "errors": errors, "against": against, "seconds": seconds}
        )
    return rows


def table(found: Mapping[str, Any]) -> str:
    """The table, a row for each kind and one for the best simple method of each case.

    Cells are means over seeds; behind ± stands the standard deviation.
    """
    simples = found["simple"]
    errors = " | ".join(f"{error:.3f}" for error in simples.values())
    lines = [
        f"| MASE | {' | '.join(simples)} | against the default | seconds |",
        "|---|" + "---|" * (len(simples) + 2),
        f"| the best simple method | {errors} | | |",
    ]
    for row in found["rows"]:
        cells = " | ".join(_shown(row["errors"][case]) for case in simples)
        against = _shown(row["against"]) if row["against"] else ""
        lines.append(f"| {row['kind']} | {cells} | {against} | {row['seconds']:.0f} |")
    return "\n".join(lines)


def _shown(numbers: Sequence[float]) -> str:
    return " ± ".join(f"{number:.3f}" for number in numbers)


def _by_seed(runs: Runs, cases_of: dict[str, float]) -> Iterator[tuple[Run, ...]]:
    """The default's runs on all cases, seed by seed."""
    return zip(*(runs[DEFAULT, case] for case in cases_of), strict=True)


def _spread(numbers: Sequence[float]) -> list[float]:
    """Mean and standard deviation; of one number the number."""
    mean = statistics.mean(numbers)
    return [mean, statistics.stdev(numbers)] if len(numbers) > 1 else [mean]


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
        "--keep", action="store_true", help="keep the results in docs/figures/"
    )
    parser.add_argument(
        "--runs", type=Path, metavar="FILE.jsonl", help="where runs are written down"
    )
    parsed = parser.parse_args()
    finished = known(parsed.runs)
    measured = list(cases())
    simples = {case.name: simple(case) for case in measured}
    runs: Runs = {}
    found: dict[str, Any] = {}
    for seed in range(parsed.seeds):
        for kind in KINDS:
            for case in measured:
                done = finished.get((seed, kind[0], case.name)) or run(case, kind, seed)
                if parsed.runs and (seed, kind[0], case.name) not in finished:
                    with parsed.runs.open("a", encoding="utf-8") as log:
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
        raw = [
            [seed, kind, case, *one]
            for (kind, case), each in runs.items()
            for seed, one in enumerate(each)
        ]
        rows = summary(runs, simples)
        found = {"seeds": seed + 1, "simple": simples, "rows": rows, "runs": raw}
        if parsed.keep:
            keep("model", measured_today(found))
    print(table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
