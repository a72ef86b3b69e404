"""What an idea for the pretraining gives: `python -m benchmarks.ideas NAME=WEIGHTS ... [--keep]`.

WEIGHTS is a file that `python -m lstmcast.training.pretrain` wrote, with this code or older code;
NAME says what was tried. Each network forecasts, without any training and without classical methods
beside it, the battery of long series and the last windows of the training parts of the
competitions: no test part is read. `--keep` puts the results into docs/figures/, in place of those
of the same names.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from safetensors.numpy import load_file

from benchmarks.figures import keep, kept, measured_today
from benchmarks.sets import BATTERY, COMPETITIONS, DATA, STEPS_SUFFIX, Competition
from benchmarks.windows import last_origins, read_everyday
from lstmcast.config import NETWORK_QUANTILES, Config
from lstmcast.features.preprocessing import fit_scaling
from lstmcast.features.seasonal.seasonality import infer_seasons
from lstmcast.features.windows import Windows, choose_lead, default_context
from lstmcast.network.generations import infer_shape, upgrade_network
from lstmcast.network.inference import forecast_windows
from lstmcast.network.trained import TrainedNetwork
from lstmcast.panel.panel import Panel
from lstmcast.ragged import choose_evenly
from lstmcast.scoring.verdict import score_forecasts
from lstmcast.training.pretrain import MAX_CONTEXT

MAX_SERIES = 250
"""Series of a set that are looked at: enough for a decision."""
LEVELS = np.array(NETWORK_QUANTILES)
NAIVES = ("naive", "seasonal_naive", "seasonal_naive_2")


class Trial(NamedTuple):
    """A set to decide by: its history and its last windows, and the kind of the set.

    panel: history and windows. windows: of each series, at its end. season: for the scale of MASE.
    """

    name: str
    kind: str
    panel: Panel
    horizon: int
    windows: int
    season: int


def read_weights(path: Path) -> TrainedNetwork:
    """Read a network of any generation; raises OSError, KeyError or ValueError where it is none."""
    weights = load_file(path)
    return upgrade_network(infer_shape(weights), weights)


def iter_trials(data: Path = DATA) -> Iterator[Trial]:
    """Read the battery and the training parts of the competitions, some series of each."""
    for long in BATTERY:
        panel = _some_series(read_everyday(long, data))
        yield Trial(
            long.name, "battery", panel, long.horizon, long.windows, long.season
        )
    for one in COMPETITIONS:
        if one.name.endswith(STEPS_SUFFIX):
            continue
        panel = _some_series(_read_training_part(one, data))
        yield Trial(one.name, "validation", panel, one.horizon, 1, one.season)


def score_network(network: TrainedNetwork, trial: Trial) -> dict[str, float]:
    """Forecast the windows of a trial from what lies before them; return its scores.

    ratio: MASE over that of the best of `NAIVES`.
    """
    panel, horizon = trial.panel, trial.horizon
    series, origins = last_origins(panel.lengths, horizon, trial.windows)
    # What scaling and seasons may know ends where the first window begins.
    ends = panel.lengths - horizon * trial.windows
    seasons = infer_seasons(panel.head(ends))
    scaling = fit_scaling(panel, seasons, Config(), ends)
    steps = scaling.steps(panel, scaling.scaler)
    longest = int(ends.max())
    context = min(default_context(seasons, horizon), longest)
    if network.shape.neighbours:
        context = min(context, MAX_CONTEXT)
    # Each generation reads as far as it did in training.
    lead = 0 if network.shape.neighbours else choose_lead(context, longest)
    windows = Windows(steps, horizon, context, context, lead=lead)
    quantiles, _ = forecast_windows([network], windows, series, origins)
    verdict = score_forecasts(
        panel,
        series,
        origins,
        quantiles[0],
        LEVELS,
        trial.season,
        second_season=seasons.second,
    )
    rivals = [verdict.baselines[name] for name in NAIVES if name in verdict.baselines]
    best = min(rival["mase"] for rival in rivals)
    mase = verdict.model["mase"]
    scores = {name: verdict.model[name] for name in ("mase", "wql", "coverage")}
    return scores | {"ratio": mase / best}


def table(found: Mapping[str, Any]) -> str:
    """Markdown with a row for each idea: geometric means of ratios, and the worst of them."""
    lines = [
        "| tried | battery: ratio, worst | WQL | validation windows: ratio, worst | WQL |",
        "|---|---|---|---|---|",
    ]
    for name, scores in found["ideas"].items():
        cells = [name]
        for kind in ("battery", "validation"):
            ratios = [one["ratio"] for one in scores if one["kind"] == kind]
            wqls = [one["wql"] for one in scores if one["kind"] == kind]
            cells.append(f"{_geometric_mean(ratios):.3f}, {max(ratios):.2f}")
            cells.append(f"{_geometric_mean(wqls):.4f}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Score the weights that the command line names; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.ideas", description=__doc__
    )
    parser.add_argument("weights", nargs="+", metavar="NAME=WEIGHTS")
    parser.add_argument("--keep", action="store_true")
    parsed = parser.parse_args(arguments)
    if not DATA.is_dir():
        print("no benchmark data: set SHARED_DATA to its folder", file=sys.stderr)
        return 1
    networks = {}
    for word in parsed.weights:
        name, _, path = word.partition("=")
        networks[name] = read_weights(Path(path))

    ideas: dict[str, list[dict[str, Any]]] = {name: [] for name in networks}
    for trial in iter_trials():
        for name, network in networks.items():
            scores = score_network(network, trial)
            ideas[name].append({"set": trial.name, "kind": trial.kind} | scores)
            shown = " ".join(f"{key} {value:.4f}" for key, value in scores.items())
            print(f"{name}, {trial.name}: {shown}", file=sys.stderr, flush=True)
    if parsed.keep:
        ideas = kept("ideas").get("ideas", {}) | ideas
        keep("ideas", measured_today({"ideas": ideas}))
    print(table({"ideas": ideas}))
    return 0


def _some_series(panel: Panel) -> Panel:
    return panel.select(choose_evenly(len(panel), MAX_SERIES))


def _read_training_part(one: Competition, data: Path) -> Panel:
    train, _ = one.load(data)
    # A last window, one to learn from, and two seasons for the scale.
    length = train.groupby("unique_id")["y"].transform("size")
    long = train[length >= 3 * one.horizon + 2 * one.season]
    return Panel.from_frame(long)


def _geometric_mean(ratios: Sequence[float]) -> float:
    return float(np.exp(np.mean(np.log(np.maximum(ratios, 1e-9)))))


if __name__ == "__main__":
    sys.exit(main())
