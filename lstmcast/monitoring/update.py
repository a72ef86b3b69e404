"""New rows for a run: it goes on from them, and its networks learn from them, if they are the better for it.

    the run's panel + DATA -> the same networks on the longer history
                           -> trained further -> both judged on the newest rows -> the better one

Training is warm and short, from the run's own weights, over old windows and new ones alike: what is
replayed is not forgotten (Robins 1995). The newest rows are held back from it. What is judged there
is what is kept, so a run has always rows that its networks have not learnt from; the next update
learns from those.

Axes: N series, K windows.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from lstmcast.compute.progress import OnEvent
from lstmcast.compute.seeds import derive_seed
from lstmcast.config import NETWORK_QUANTILES, Config, TrainConfig, WindowConfig
from lstmcast.errors import DataError, format_more
from lstmcast.forecasting.predictor import MAX_HISTORY_STEPS, MAX_SERIES_IN_VERDICT, Predictor
from lstmcast.network.trained import TrainedNetwork
from lstmcast.panel.holdout import split_holdout
from lstmcast.panel.merge import MergedPanel, merge_panels
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Ints
from lstmcast.runs import serialization
from lstmcast.scoring.gates import Gate
from lstmcast.scoring.verdict import Verdict, actuals_after_origins, score_forecasts

if TYPE_CHECKING:
    from lstmcast.training.recipes import Recipe


DEFAULT_UPDATE_STEPS = 60
"""Training steps of each network, unless told."""


@dataclass(frozen=True, eq=False)
class Update:
    """What came of new rows.

    forecaster: goes on from the newest of them. rows, late, changed: rows that were new, values
    that came later than their rows, and values that are not what they were. learnt, windows: rows
    to learn from, windows to check that by.
    kept: whether the networks that have learnt are kept, by `gates`; None where nothing was learnt,
    for the reason `why`. was, now: verdicts on the newest rows of the networks as they were, and as
    they have become.
    """

    forecaster: Predictor
    rows: int
    late: int
    changed: int
    learnt: int = 0
    windows: int = 0
    kept: bool | None = None
    why: str = ""
    gates: tuple[Gate, ...] = ()
    was: Verdict | None = None
    now: Verdict | None = None

    @staticmethod
    def scores(verdict: Verdict) -> dict[str, float]:
        """Figures that a gate can be about."""
        return {**verdict.model, "skill": verdict.skill}

    @property
    def news(self) -> bool:
        """Whether there was anything that the run did not have."""
        return bool(self.rows or self.late or self.changed)


def update(
    forecaster: Predictor,
    panel: Panel,
    *,
    gates: Sequence[Gate] | None = None,
    steps: int | None = None,
    lr: float | None = None,
    validation: int | None = None,
    time_budget: float | str | None = None,
    revised: bool = False,
    on_event: OnEvent | None = None,
) -> Update:
    """Let a forecaster go on from the newer rows of `panel`, and learn from them. The one given stays as it is.

    Args:
        forecaster: fitted or loaded.
        panel: read `like=forecaster.panel`; the whole history, or new rows only.
        gates: what must hold of the networks that have learnt for them to be kept; by default
            `mase<=old`, of a 0/1 target `brier<=old`.
        steps: training steps of each network (default STEPS).
        lr: learning rate (default: that of a gentle fine-tuning).
        validation: newest steps to hold back (default: half of those not learnt from yet, a horizon
            at least).
        time_budget: seconds, or text like `5m`, after which training stops.
        revised: whether rows that the run has may say otherwise now; then they count as they are
            now.
        on_event: called as the training goes on.

    Raises:
        DataError: frequency or covariates are not those of the training; rows that the run has say
            otherwise.
        DivergedError: the loss explodes.
    """
    asked = replace(
        forecaster.config.train,
        steps=DEFAULT_UPDATE_STEPS if steps is None else steps,
        lr=lr,
        time_budget=time_budget,
    )
    window = WindowConfig(validation=validation)
    merged = merge_panels(forecaster.panel, panel)
    if merged.changed and not revised:
        raise _revision_error(merged)
    done = Update(forecaster, merged.rows, merged.late, merged.changed)
    if not done.news:
        return replace(done, why="there is nothing new")
    longer = _with_longer_history(forecaster, merged)
    ends, series, origins = _hold_back_newest(longer, window.validation)
    done = replace(
        done,
        forecaster=_trim_history(longer),
        learnt=int(np.maximum(longer.panel.start + ends - 1 - longer.cutoff, 0).sum()),
        windows=len(series),
    )
    places = _find_trained_networks(longer) or (list(range(len(longer.networks))) if steps else [])
    if why := _reason_not_to_train(done, places, asked):
        return replace(done, why=why)
    learnt = _train_further(longer, ends, places, asked, on_event)
    was, now = (_judge_forecaster(one, series, origins) for one in (longer, learnt))
    learnt.verdict = now
    gates = tuple(gates or [Gate.parse("brier<=old" if now.of_events else "mase<=old")])
    kept = all(gate.holds(done.scores(now), done.scores(was)) for gate in gates)
    done = replace(done, kept=kept, gates=gates, was=was, now=now)
    return replace(done, forecaster=_trim_history(learnt)) if done.kept else done


def _reason_not_to_train(done: Update, places: list[int], asked: TrainConfig) -> str:
    """Why nothing is learnt; empty where something is."""
    if not done.windows or done.learnt < 1:
        return "the rows that it has not learnt from are too few yet, to learn from some and to check it by the others"
    if not asked.steps:
        return "no training steps were asked for"
    return "" if places else "its networks are as they were shipped, and no --steps were asked for"


def _revision_error(merged: MergedPanel) -> DataError:
    more = format_more(merged.changed)
    return DataError(
        f"rows that the run has say otherwise now: {merged.first}{more}",
        "give the data as they were, take them as they are now with --revised, or fit again",
    )


def _with_longer_history(forecaster: Predictor, merged: MergedPanel) -> Predictor:
    """The same networks on the longer history; of a new series all is as if it had begun after the training."""
    longer, panel, known = copy.copy(forecaster), merged.panel, merged.known
    informed = forecaster.with_calendar_inputs(panel, 0)
    longer.panel, longer.notes = panel, panel.notes
    longer.scaling = forecaster.scaling.with_new_series(informed, known)
    longer.cutoff = np.where(
        known >= 0, forecaster.cutoff[known], np.maximum(forecaster.cutoff.max(), panel.start)
    )
    longer.fingerprint = panel.fingerprint()
    return longer


def _hold_back_newest(longer: Predictor, asked: int | None) -> tuple[Ints, Ints, Ints]:
    """Steps to learn from [N], and windows behind them to judge by: series [K] and origins [K], none where too few."""
    panel, horizon = longer.panel, longer.horizon
    unlearnt = np.maximum(panel.start + panel.lengths - 1 - longer.cutoff, 0)
    zone = np.minimum(unlearnt, asked or max(horizon, int(unlearnt.max()) // 2))
    ends, series, origins = split_holdout(panel, horizon, longer.season, zone)
    there = ~np.isnan(actuals_after_origins(panel, series, origins, horizon)).all(axis=1)
    return ends, series[there], origins[there]


def _find_trained_networks(longer: Predictor) -> list[int]:
    """Which networks have learnt before: one that is as it was shipped stays so, to keep what it knows."""
    shipped = longer.start.get("sha256")
    digests = [
        serialization.weights_sha256(serialization.without_covariate_weights(network.weights))
        for network in longer.networks
    ]
    return [k for k, found in enumerate(digests) if found != shipped]


def _train_further(
    longer: Predictor, ends: Ints, places: list[int], asked: TrainConfig, on_event: OnEvent | None
) -> Predictor:
    """The networks at these places trained on the first `ends` [N] steps, with series scaled as they are there."""
    from lstmcast.network.torch_network import to_trained_network
    from lstmcast.training.members import (
        TrainingTask,
        compute_deadline,
        describe_time_budget_cuts,
        train_members,
    )

    learnt, panel = copy.copy(longer), longer.panel
    config = replace(longer.config, train=asked)
    fresh = longer.fit_scaling(
        longer.with_calendar_inputs(panel.head(ends), 0), longer.scaling.seasons
    )
    learnt.scaling = replace(fresh, mean=longer.scaling.mean, deviation=longer.scaling.deviation)
    every, nothing = np.arange(len(panel)), np.zeros(0, dtype=np.int64)
    windows = learnt.build_windows(
        panel, learnt.scaling.scaler, learnt.horizon, every, panel.lengths
    )
    recipes = [
        _make_update_recipe(config, longer.networks[k], k, len(longer.history)) for k in places
    ]
    task = TrainingTask(windows, ends, nothing, nothing)
    members = train_members(recipes, task, asked.jobs, on_event, deadline=compute_deadline(config))
    learnt.networks = list(longer.networks)
    for place, member in zip(places, members, strict=True):
        learnt.networks[place] = to_trained_network(member.network)
    learnt.cutoff = panel.start + ends - 1
    rows = [
        {"member": m.recipe.name, **record._asdict()}
        for m in members
        for record in m.trained.history
    ]
    learnt.history = [*longer.history, *rows]
    learnt.notes += describe_time_budget_cuts(config, members)
    return learnt


def _make_update_recipe(
    config: Config, network: TrainedNetwork, number: int, past: int
) -> "Recipe":
    """A gentle fine-tuning of a network from its own weights; after another `past` other windows are drawn."""
    from lstmcast.training.recipes import make_small_data_recipes

    _, gentle = make_small_data_recipes(config, dict(network.weights), 2, 0, config.train.loss)
    schedule = gentle.schedule._replace(seed=derive_seed(config.train.seed, number, past))
    return gentle._replace(name=f"update of {number + 1}", schedule=schedule)


def _judge_forecaster(forecaster: Predictor, series: Ints, origins: Ints) -> Verdict:
    panel, kind = forecaster.panel, forecaster.probability
    made = forecaster.quantiles(panel, series, origins, levels=NETWORK_QUANTILES)
    named = len(panel) <= MAX_SERIES_IN_VERDICT
    return score_forecasts(
        panel,
        series,
        origins,
        made,
        np.array(NETWORK_QUANTILES),
        forecaster.season,
        by_series=named,
        probability=kind,
    )


def _trim_history(forecaster: Predictor) -> Predictor:
    """Of very many rows, those that a forecast can see and those that are still to be learnt from."""
    panel = forecaster.panel
    if len(panel.values) <= MAX_HISTORY_STEPS:
        return forecaster
    kept = copy.copy(forecaster)
    unlearnt = int((panel.start + panel.lengths - 1 - forecaster.cutoff).max())
    kept.panel = panel.tail(forecaster.memory + max(unlearnt, 0))
    return kept
