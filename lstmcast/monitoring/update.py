"""New rows for a run: it goes on from them, and learns from them if that makes it better.

    the run's panel + DATA -> the same networks on the longer history
                           -> trained further -> both judged on the newest rows -> the better one

Training is a short warm start from the run's own weights, over old windows and new ones alike: what
is replayed is not forgotten (Robins 1995). The newest rows are held out of it. What is judged on
them is what is kept, so a run always has rows that its networks have not learnt from; the next
update learns from those.

Axes: N series, K windows.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lstmcast.compute.progress import OnEvent
from lstmcast.compute.seeds import derive_seed
from lstmcast.config import NETWORK_QUANTILES, Config, TrainConfig, WindowConfig
from lstmcast.errors import DataError, format_more
from lstmcast.forecasting.predictor import (
    MAX_HISTORY_STEPS,
    MAX_SERIES_IN_VERDICT,
    Predictor,
)
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
"""Training steps of each network where none are requested."""


@dataclass(frozen=True, eq=False)
class Update:
    """What came of new rows.

    forecaster: goes on from the newest of them. rows, late, changed: rows that were new, values
    that came later than their rows, and values that differ from those that the run has. learnt,
    windows: rows to learn from, hold-out windows to check that on.
    kept: whether the networks trained further are kept, by `gates`; None where nothing was learnt,
    for the reason `why`. was, now: verdicts on the newest rows of the networks before and after.
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


class _Holdout(NamedTuple):
    """Steps of each series to learn from [N], and windows after them: series and origins [K]."""

    ends: Ints
    series: Ints
    origins: Ints


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
    """Let a forecaster go on from the newer rows of `panel`, and learn from them.

    The forecaster passed in stays as it is.

    Args:
        forecaster: fitted or loaded.
        panel: read `like=forecaster.panel`; the whole history, or new rows only.
        gates: what must hold of the networks trained further for them to be kept; by default
            `mase<=old`, or `brier<=old` of a 0/1 target.
        steps: training steps of each network (default `DEFAULT_UPDATE_STEPS`).
        lr: learning rate (default: that of a gentle fine-tuning).
        validation: newest steps to hold out (default: half of those not learnt from yet, a horizon
            at least).
        time_budget: seconds, or text like `5m`, after which training stops.
        revised: whether rows that the run already has may have changed; the newer values count.
        on_event: called as the training goes on.

    Raises:
        DataError: frequency or covariates are not those of the training; values of rows that the
            run already has have changed.
        DivergedError: the loss explodes.
    """
    train_config = replace(
        forecaster.config.train,
        steps=DEFAULT_UPDATE_STEPS if steps is None else steps,
        lr=lr,
        time_budget=time_budget,
    )
    # Checked before any work.
    window_config = WindowConfig(validation=validation)
    merged = merge_panels(forecaster.panel, panel)
    if merged.changed and not revised:
        raise _revision_error(merged)
    outcome = Update(forecaster, merged.rows, merged.late, merged.changed)
    if not outcome.news:
        return replace(outcome, why="there is nothing new")
    # The rows to learn from are those between the last training and the new hold-out.
    longer = _with_longer_history(forecaster, merged)
    holdout = _hold_out_newest(longer, window_config.validation)
    newest = longer.panel.start + holdout.ends - 1
    outcome = replace(
        outcome,
        forecaster=_trim_history(longer),
        learnt=int(np.maximum(newest - longer.cutoff, 0).sum()),
        windows=len(holdout.series),
    )
    places = _find_trained_networks(longer)
    if not places and steps:
        places = list(range(len(longer.networks)))
    if why := _reason_not_to_train(outcome, places, train_config):
        return replace(outcome, why=why)
    # Both are judged on the same windows, which neither has been trained on.
    trained = _train_further(longer, holdout.ends, places, train_config, on_event)
    was = _judge_forecaster(longer, holdout)
    now = _judge_forecaster(trained, holdout)
    trained.verdict = now
    gates = tuple(gates or [Gate.parse("brier<=old" if now.of_events else "mase<=old")])
    scores_now, scores_was = outcome.scores(now), outcome.scores(was)
    kept = all(gate.holds(scores_now, scores_was) for gate in gates)
    outcome = replace(outcome, kept=kept, gates=gates, was=was, now=now)
    return replace(outcome, forecaster=_trim_history(trained)) if kept else outcome


def _reason_not_to_train(
    outcome: Update, places: list[int], train_config: TrainConfig
) -> str:
    """Why nothing is learnt; empty where something is."""
    if not outcome.windows or outcome.learnt < 1:
        return (
            "there are too few new rows yet, to learn from some and check on the others"
        )
    if not train_config.steps:
        return "no training steps were requested"
    if not places:
        return "its networks are the pretrained ones as shipped, and no --steps were requested"
    return ""


def _revision_error(merged: MergedPanel) -> DataError:
    more = format_more(merged.changed)
    return DataError(
        f"values of rows that the run already has have changed: {merged.first}{more}",
        "give the data as they were, accept the changes with --revised, or fit again",
    )


def _with_longer_history(forecaster: Predictor, merged: MergedPanel) -> Predictor:
    """The same networks on the longer history; new series count as begun after the training."""
    longer, panel, known = copy.copy(forecaster), merged.panel, merged.known
    longer.panel, longer.notes = panel, panel.notes
    with_calendar = forecaster.with_calendar_inputs(panel, 0)
    longer.scaling = forecaster.scaling.with_new_series(with_calendar, known)
    new_cutoff = np.maximum(forecaster.cutoff.max(), panel.start)
    longer.cutoff = np.where(known >= 0, forecaster.cutoff[known], new_cutoff)
    longer.fingerprint = panel.fingerprint()
    return longer


def _hold_out_newest(longer: Predictor, validation: int | None) -> _Holdout:
    """Hold out the newest of the rows not learnt from; no windows where there are too few."""
    panel, horizon = longer.panel, longer.horizon
    unlearnt = _count_unlearnt_steps(longer)
    steps = validation or max(horizon, int(unlearnt.max()) // 2)
    ends, series, origins = split_holdout(
        panel, horizon, longer.season, np.minimum(unlearnt, steps)
    )
    actuals = actuals_after_origins(panel, series, origins, horizon)
    observed = ~np.isnan(actuals).all(axis=1)
    return _Holdout(ends, series[observed], origins[observed])


def _count_unlearnt_steps(forecaster: Predictor) -> Ints:
    """Steps of each series after the last one that its networks have learnt from, [N]."""
    last = forecaster.panel.start + forecaster.panel.lengths - 1
    return np.asarray(np.maximum(last - forecaster.cutoff, 0))


def _find_trained_networks(forecaster: Predictor) -> list[int]:
    """Places of the networks that have been trained on the run's data.

    A network that is as it was shipped stays so, since training may lose what it knows.
    """
    shipped = forecaster.start.get("sha256")
    digests = [
        serialization.weights_sha256(
            serialization.without_covariate_weights(network.weights)
        )
        for network in forecaster.networks
    ]
    return [place for place, digest in enumerate(digests) if digest != shipped]


def _train_further(
    longer: Predictor,
    ends: Ints,
    places: list[int],
    train_config: TrainConfig,
    on_event: OnEvent | None,
) -> Predictor:
    """The networks at these places trained on the first `ends` [N] steps, scaled by the same."""
    from lstmcast.network.torch_network import to_trained_network
    from lstmcast.training.members import (
        TrainingTask,
        compute_deadline,
        describe_time_budget_cuts,
        train_members,
    )

    trained, panel = copy.copy(longer), longer.panel
    config = replace(longer.config, train=train_config)
    learnt_panel = longer.with_calendar_inputs(panel.head(ends), 0)
    scaling = longer.fit_scaling(learnt_panel, longer.scaling.seasons)
    # The scales of covariates stay those that the networks were trained with.
    trained.scaling = replace(
        scaling, mean=longer.scaling.mean, deviation=longer.scaling.deviation
    )
    every_series = np.arange(len(panel))
    windows = trained.build_windows(
        panel, trained.scaling.scaler, trained.horizon, every_series, panel.lengths
    )
    n_records = len(longer.history)
    recipes = [
        _make_update_recipe(config, longer.networks[place], place, n_records)
        for place in places
    ]
    no_validation = np.zeros(0, dtype=np.int64)
    task = TrainingTask(windows, ends, no_validation, no_validation)
    deadline = compute_deadline(config)
    members = train_members(
        recipes, task, train_config.jobs, on_event, deadline=deadline
    )
    trained.networks = list(longer.networks)
    for place, member in zip(places, members, strict=True):
        trained.networks[place] = to_trained_network(member.network)
    trained.cutoff = panel.start + ends - 1
    records = [
        {"member": member.recipe.name, **record._asdict()}
        for member in members
        for record in member.trained.history
    ]
    trained.history = [*longer.history, *records]
    trained.notes += describe_time_budget_cuts(config, members)
    return trained


def _make_update_recipe(
    config: Config, network: TrainedNetwork, place: int, n_records: int
) -> "Recipe":
    """A gentle fine-tuning of a network from its own weights.

    The seed depends on the number of records of earlier training, so that another update of the
    same run draws other windows.
    """
    from lstmcast.training.recipes import make_small_data_recipes

    _, gentle = make_small_data_recipes(
        config, dict(network.weights), 2, 0, config.train.loss
    )
    schedule = gentle.schedule._replace(
        seed=derive_seed(config.train.seed, place, n_records)
    )
    return gentle._replace(name=f"update of {place + 1}", schedule=schedule)


def _judge_forecaster(forecaster: Predictor, holdout: _Holdout) -> Verdict:
    panel, series, origins = forecaster.panel, holdout.series, holdout.origins
    forecasts = forecaster.quantiles(panel, series, origins, levels=NETWORK_QUANTILES)
    return score_forecasts(
        panel,
        series,
        origins,
        forecasts,
        np.array(NETWORK_QUANTILES),
        forecaster.season,
        by_series=len(panel) <= MAX_SERIES_IN_VERDICT,
        probability=forecaster.probability,
    )


def _trim_history(forecaster: Predictor) -> Predictor:
    """Of very many rows, those that a forecast can see and those still to be learnt from."""
    panel = forecaster.panel
    if len(panel.values) <= MAX_HISTORY_STEPS:
        return forecaster
    trimmed = copy.copy(forecaster)
    trimmed.panel = panel.tail(
        forecaster.memory + int(_count_unlearnt_steps(forecaster).max())
    )
    return trimmed
