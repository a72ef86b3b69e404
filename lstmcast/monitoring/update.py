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
from typing import TYPE_CHECKING

import numpy as np

from lstmcast.compute.progress import OnEvent
from lstmcast.compute.seeds import derive_seed
from lstmcast.config import NETWORK_QUANTILES, Config, TrainConfig, WindowConfig
from lstmcast.errors import DataError, format_more
from lstmcast.features.preprocessing import Scaling
from lstmcast.forecasting.predictor import (
    MAX_HISTORY_STEPS,
    MAX_SERIES_IN_VERDICT,
    Predictor,
)
from lstmcast.network.trained import TrainedNetwork
from lstmcast.panel.frames.native import make_frame
from lstmcast.panel.holdout import Holdout, split_holdout
from lstmcast.panel.merge import MergedPanel, merge_panels
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Ints
from lstmcast.runs import serialization
from lstmcast.scoring.gates import Gate
from lstmcast.scoring.result_views import ResultView, count_things
from lstmcast.scoring.verdict import Verdict, actuals_after_origins, score_forecasts

if TYPE_CHECKING:
    import pandas as pd

    from lstmcast.training.recipes import Recipe


DEFAULT_UPDATE_STEPS = 60
"""Training steps of each network where none are requested."""


@dataclass(frozen=True, eq=False, repr=False)
class Update(ResultView):
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

    def sentences(self) -> list[str]:
        """Return what was new, what was learnt from it, and whether that is kept."""
        new = count_things(self.rows, "new row")
        news = f"{new}, {self.late:,} late and {self.changed:,} changed values."
        if self.kept is None:
            return [news, f"Nothing was learnt: {self.why}."]
        rows = count_things(self.learnt, "row")
        windows = count_things(self.windows, "window")
        learnt = f"Learnt from {rows}, and checked on {windows} after them."
        rules = " and ".join(map(str, self.gates))
        if self.kept:
            return [news, learnt, f"What was learnt is kept, since {rules}."]
        return [news, learnt, f"What was learnt is not kept, since not {rules}."]

    def make_summary_table(self) -> "pd.DataFrame":
        """Return the scores of the networks before and after, where something was learnt."""
        verdicts = {"before": self.was, "after": self.now}
        rows = {name: verdict.model for name, verdict in verdicts.items() if verdict}
        return make_frame(rows, "networks").reset_index()


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
    learnt = np.maximum(newest - longer.cutoff, 0)
    outcome = replace(
        outcome,
        forecaster=_trim_history(longer),
        learnt=int(learnt.sum()),
        windows=len(holdout.series),
    )

    # Networks as they were shipped are trained only where that was asked for.
    places = _find_trained_networks(longer)
    if not places and steps:
        places = list(range(len(longer.networks)))
    if why := _reason_not_to_train(outcome, places, train_config):
        return replace(outcome, why=why)

    trained = _train_further(longer, holdout.ends, places, train_config, on_event)
    outcome = _judge_both(outcome, longer, trained, holdout, gates)
    if outcome.kept:
        return replace(outcome, forecaster=_trim_history(trained))

    return outcome


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
    panel = merged.panel
    known = merged.known
    longer = copy.copy(forecaster)
    longer.panel = panel
    longer.notes = panel.notes
    with_calendar = forecaster.with_calendar_inputs(panel, 0)
    longer.scaling = forecaster.scaling.with_new_series(with_calendar, known)
    is_known = known >= 0
    new_cutoff = np.maximum(forecaster.cutoff.max(), panel.start)
    longer.cutoff = np.where(is_known, forecaster.cutoff[known], new_cutoff)
    longer.fingerprint = panel.fingerprint()

    return longer


def _hold_out_newest(longer: Predictor, validation: int | None) -> Holdout:
    """Hold out the newest of the rows not learnt from; no windows where there are too few."""
    panel = longer.panel
    horizon = longer.horizon
    unlearnt = _count_unlearnt_steps(longer)
    half = int(unlearnt.max()) // 2
    steps = validation or max(horizon, half)
    requested = np.minimum(unlearnt, steps)
    ends, series, origins = split_holdout(panel, horizon, longer.season, requested)

    # A window without any actual value could not be judged.
    actuals = actuals_after_origins(panel, series, origins, horizon)
    observed = ~np.isnan(actuals).all(axis=1)
    return Holdout(ends, series[observed], origins[observed])


def _count_unlearnt_steps(forecaster: Predictor) -> Ints:
    """Steps of each series after the last one that its networks have learnt from, [N]."""
    panel = forecaster.panel
    last = panel.start + panel.lengths - 1
    steps_after = last - forecaster.cutoff
    return np.asarray(np.maximum(steps_after, 0))


def _find_trained_networks(forecaster: Predictor) -> list[int]:
    """Places of the networks that have been trained on the run's data.

    A network that is as it was shipped stays so, since training may lose what it knows.
    """
    shipped = forecaster.start.get("sha256")
    places = []
    for place, network in enumerate(forecaster.networks):
        # A network that is shipped knows no covariates: weights of these are the run's own.
        weights = serialization.without_covariate_weights(network.weights)
        if serialization.weights_sha256(weights) != shipped:
            places.append(place)

    return places


def _train_further(
    longer: Predictor,
    ends: Ints,
    places: list[int],
    train_config: TrainConfig,
    on_event: OnEvent | None,
) -> Predictor:
    """The networks at these places trained on the first `ends` [N] steps, scaled by the same."""
    from lstmcast.network.torch_network import to_trained_network
    from lstmcast.training.device import describe_training_machine
    from lstmcast.training.members import (
        compute_deadline,
        describe_time_budget_cuts,
        train_members,
    )
    from lstmcast.training.sampler import TrainingTask

    panel = longer.panel
    config = replace(longer.config, train=train_config)
    trained = copy.copy(longer)
    trained.scaling = _fit_scaling_anew(longer, ends)
    trained.made = describe_training_machine(config)
    every_series = np.arange(len(panel))
    windows = trained.build_windows(
        panel, trained.scaling.scaler, trained.horizon, every_series, panel.lengths
    )

    # Whether it was worth it is decided afterwards, on the hold-out: training validates nothing.
    no_validation = np.zeros(0, dtype=np.int64)
    task = TrainingTask(windows, ends, no_validation, no_validation)
    n_records = len(longer.history)
    recipes = [
        _make_update_recipe(config, longer.networks[place], place, n_records)
        for place in places
    ]
    jobs = train_config.jobs
    deadline = compute_deadline(config)
    members = train_members(recipes, task, jobs, on_event, deadline=deadline)

    trained.networks = list(longer.networks)
    for place, member in zip(places, members, strict=True):
        trained.networks[place] = to_trained_network(member.network)

    trained.cutoff = panel.start + ends - 1
    trained.history = list(longer.history)
    for member in members:
        name = member.recipe.name
        for record in member.trained.history:
            trained.history.append({"member": name, **record._asdict()})

    trained.notes += describe_time_budget_cuts(config, members)
    return trained


def _fit_scaling_anew(longer: Predictor, ends: Ints) -> Scaling:
    """Scales of the series by their first `ends` [N] steps, for training on these."""
    learnt_panel = longer.with_calendar_inputs(longer.panel.head(ends), 0)
    known = longer.scaling
    scaling = longer.fit_scaling(learnt_panel, known.seasons)
    # The scales of covariates stay those that the networks were trained with.
    return replace(scaling, mean=known.mean, deviation=known.deviation)


def _make_update_recipe(
    config: Config, network: TrainedNetwork, place: int, n_records: int
) -> "Recipe":
    """A gentle fine-tuning of a network from its own weights.

    The seed depends on the number of records of earlier training, so that another update of the
    same run draws other windows.
    """
    from lstmcast.training.recipes import make_small_data_recipes

    weights = dict(network.weights)
    _, gentle = make_small_data_recipes(config, weights, 2, 0, config.train.loss)
    seed = derive_seed(config.train.seed, place, n_records)
    schedule = gentle.schedule._replace(seed=seed)
    return gentle._replace(name=f"update of {place + 1}", schedule=schedule)


def _judge_both(
    outcome: Update,
    longer: Predictor,
    trained: Predictor,
    holdout: Holdout,
    gates: Sequence[Gate] | None,
) -> Update:
    """Judge the networks before and after on the same windows, which neither was trained on."""
    was = _judge_forecaster(longer, holdout)
    now = _judge_forecaster(trained, holdout)
    trained.verdict = now
    if not gates:
        default = "brier<=old" if now.of_events else "mase<=old"
        gates = [Gate.parse(default)]

    scores_was = outcome.scores(was)
    scores_now = outcome.scores(now)
    kept = all(gate.holds(scores_now, scores_was) for gate in gates)
    return replace(outcome, kept=kept, gates=tuple(gates), was=was, now=now)


def _judge_forecaster(forecaster: Predictor, holdout: Holdout) -> Verdict:
    panel = forecaster.panel
    series = holdout.series
    origins = holdout.origins
    levels = NETWORK_QUANTILES
    forecasts = forecaster.quantiles(panel, series, origins, levels=levels)

    return score_forecasts(
        panel,
        series,
        origins,
        forecasts,
        np.array(levels),
        forecaster.season,
        second_season=forecaster.scaling.seasons.second,
        by_series=len(panel) <= MAX_SERIES_IN_VERDICT,
        probability=forecaster.probability,
    )


def _trim_history(forecaster: Predictor) -> Predictor:
    """Of very many rows, those that a forecast can see and those still to be learnt from."""
    panel = forecaster.panel
    if len(panel.values) <= MAX_HISTORY_STEPS:
        return forecaster

    unlearnt = int(_count_unlearnt_steps(forecaster).max())
    trimmed = copy.copy(forecaster)
    trimmed.panel = panel.tail(forecaster.memory + unlearnt)
    return trimmed
