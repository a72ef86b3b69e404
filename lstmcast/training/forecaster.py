"""From a panel to a trained forecaster: hold back, train members, weigh, calibrate, judge.

    panel -> seasons, scaling -> members trained beside a validation zone -> guard -> a Predictor's
    parts

Knows nothing of the command line.

Axes: N series, K windows, H horizon, Q quantiles, M members.
"""

import time

import numpy as np

from lstmcast.compute.progress import Event, OnEvent
from lstmcast.compute.ranks import current_rank_group
from lstmcast.config import NETWORK_QUANTILES
from lstmcast.errors import UsageError
from lstmcast.features.candidates import CANDIDATES
from lstmcast.features.joint import require_several_targets
from lstmcast.features.preprocessing import (
    infer_seasons_without_effects,
    resolve_horizon,
    resolve_required_horizon,
)
from lstmcast.features.windows import default_context
from lstmcast.forecasting import combination, quantiles
from lstmcast.forecasting.predictor import MAX_HISTORY_STEPS, MAX_SERIES_IN_VERDICT, Predictor
from lstmcast.network import diagnostics, inference
from lstmcast.network.torch_network import to_trained_network
from lstmcast.network.trained import TrainedNetwork
from lstmcast.panel.checks import require_fit, require_target_for_loss
from lstmcast.panel.holdout import MAX_HOLDOUT_STEPS, MAX_UNTRAINED_HOLDOUT_STEPS, split_holdout
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Floats
from lstmcast.runs import serialization
from lstmcast.scoring import metrics
from lstmcast.scoring.verdict import actuals_after_origins, score_forecasts
from lstmcast.training import device, initial_weights
from lstmcast.training import members as ensemble
from lstmcast.training.checkpoint import Checkpoint
from lstmcast.training.recipes import (
    MIN_TIME_STEPS_FROM_SCRATCH,
    WeightArrays,
    make_panel_recipes,
    make_small_data_recipes,
)

MIN_PANEL_SERIES = 20
"""From this many series on, they teach one network together and it is refitted on all of them."""
DEFAULT_PANEL_MEMBERS = 2
PANEL_TRAINED_PRIOR = 3.0
PANEL_NETWORK_MARGIN = 0.2
"""How far a panel's training is trusted before any evidence, against the weights that it started
from and against the classical candidates: the final members see the newest data, which the one that
is judged did not."""
UNVALIDATED_STEPS = 100
"""Training steps where no validation can say when to stop."""


class Forecaster(Predictor):
    """A global LSTM forecaster of one panel: `fit` learns what its parts, see `Predictor`, are then made of."""

    def fit(
        self, panel: Panel, *, on_event: OnEvent | None = None, checkpoint: Checkpoint | None = None
    ) -> "Forecaster":
        """Learn from all of `panel`; the newest windows are held back first, to choose, weigh, calibrate and judge.

        With a checkpoint a fit that was cut off goes on from what was kept of it, and ends in the
        same forecaster. Raises the errors of `panel.checks.require_fit`, UsageError for other
        settings that contradict the data, DivergedError when the loss explodes, RunError for a
        checkpoint of another fit. Within `distributed.joined` all ranks call it alike; what the
        first one has then learnt is whole, the others hold no judgement.
        """
        require_fit(panel, self.config, resolve_required_horizon(panel, self.config))
        return self.fit_part(panel, on_event=on_event, checkpoint=checkpoint)

    def fit_part(
        self, panel: Panel, *, on_event: OnEvent | None = None, checkpoint: Checkpoint | None = None
    ) -> "Forecaster":
        """Fit to a part of a panel, a fold or a shard, that may be shorter than the context.

        As `fit`, but a context longer than the part's series shrinks, and what `require_fit` asks
        of the whole panel is not asked of the part.
        """
        tell = on_event or (lambda _: None)
        window, place = self.config.window, device.choose_device(self.config.train.device)
        self.panel, self.notes = panel, panel.notes
        if self.config.inputs.joint:
            require_several_targets(panel)
        _require_series_per_rank(panel, joint=self.config.inputs.joint)
        informed = self.with_calendar_inputs(panel, 0)
        seasons = infer_seasons_without_effects(informed, self.config)
        self.horizon = resolve_horizon(panel, self.config, seasons)
        judged = MAX_UNTRAINED_HOLDOUT_STEPS if self.config.train.steps == 0 else MAX_HOLDOUT_STEPS
        held = split_holdout(panel, self.horizon, seasons.main, window.validation, judged)
        require_target_for_loss(panel, self.config.train.loss)
        self.scaling = self.fit_scaling(informed, seasons, held[0])
        context = window.context or default_context(self.scaling.seasons, self.horizon)
        self.context = min(context, int(panel.lengths.max()))
        if self.context < context:
            self.notes += (
                f"the network looks back {self.context} steps, not {context}: no series is longer",
            )
        self.cutoff = panel.start + panel.lengths - 1
        tell(Event("prepare", f"season {self.season}, horizon {self.horizon}"))
        if place != device.CPU:
            tell(Event("prepare", f"training on {device.describe_device(place)}"))
        own = current_rank_group().own_series(len(panel))
        part = panel if current_rank_group().size == 1 else panel.select(own)
        windows = self.build_windows(
            part, self.scaling.scaler.take(own), self.horizon, own, part.lengths
        )
        task = ensemble.TrainingTask(windows, *held)
        begin = initial_weights.choose_initial_weights(
            self.config, Forecaster._load_trusted_weights
        )
        self.start = begin.record
        if begin.said:
            tell(Event("prepare", begin.said))
        arrays, head = (
            (begin.weights.arrays, begin.weights.shape.loss)
            if begin.weights
            else (None, "quantile")
        )
        deadline = ensemble.compute_deadline(self.config)
        self.fingerprint = panel.fingerprint()
        if checkpoint is not None:
            same = {"data": self.fingerprint, "order of series": panel.keys, "start": self.start}
            checkpoint.begin(self.config, panel, same)
        if len(panel) >= MIN_PANEL_SERIES:
            members = self._fit_panel(task, arrays, head, on_event, checkpoint, deadline)
        else:
            asked = self.config.train
            # What a covariate does is learnt best from nothing, however short the series.
            steps = max(
                int(panel.lengths.sum()), MIN_TIME_STEPS_FROM_SCRATCH if windows.covariates else 0
            )
            recipes = make_small_data_recipes(self.config, arrays, asked.members, steps, head)
            members = ensemble.train_members(
                recipes, task, asked.jobs, on_event, checkpoint, deadline=deadline
            )
            self.networks = [to_trained_network(member.network) for member in members]
            self._combine_and_judge(
                task, self.networks, np.array([member.recipe.prior for member in members])
            )
        self.notes += tuple(
            f"{m.recipe.name} {m.trained.diverged}" for m in members if m.trained.diverged
        )
        self.notes += ensemble.describe_time_budget_cuts(self.config, members)
        self.panel = panel if len(panel.values) <= MAX_HISTORY_STEPS else panel.tail(self.memory)
        self.history = [
            {"member": m.recipe.name, **record._asdict()}
            for m in members
            for record in m.trained.history
        ]
        return self

    @staticmethod
    def _load_trusted_weights(path: str) -> initial_weights.InitialWeights:
        """Weights of the member of a run that it trusts most."""
        run = Forecaster.load(path)
        trusted = run.networks[int(np.argmax(run.guard.members))]
        return initial_weights.InitialWeights(
            serialization.without_covariate_weights(trusted.weights),
            trusted.shape,
            run.config.model.scale,
        )

    def _fit_panel(
        self,
        task: ensemble.TrainingTask,
        begin: WeightArrays | None,
        head: str,
        on_event: OnEvent | None,
        checkpoint: Checkpoint | None,
        deadline: float,
    ) -> list[ensemble.Member]:
        """Many series: find the number of steps beside the validation zone, then train on all data from other seeds.

        The weights to start from stay a member, as they are: what they get wrong is not what
        training gets wrong.
        """
        config = self.config
        recipes = make_panel_recipes(
            config, begin, 1 + (config.train.members or DEFAULT_PANEL_MEMBERS), head
        )
        first = time.monotonic() + (deadline - time.monotonic()) / len(recipes)
        probe = ensemble.train_members(
            recipes[:1], task, config.train.jobs, on_event, checkpoint, "probe", first
        )
        as_is = (
            []
            if begin is None
            else [to_trained_network(ensemble.build_network(recipes[0], task.windows))]
        )
        steps = (
            probe[0].trained.step
            if len(task.series)
            else min(probe[0].trained.step, UNVALIDATED_STEPS)
        )
        if steps == 0 and as_is:
            self.networks = as_is
            self._combine_and_judge(task, as_is)
            return probe
        self._combine_and_judge(
            task,
            [*as_is, to_trained_network(probe[0].network)],
            np.array([1.0, PANEL_TRAINED_PRIOR][-1 - len(as_is) :]),
        )
        everything = task._replace(
            ends=self.panel.lengths, series=task.series[:0], origins=task.origins[:0]
        )
        final = [r._replace(schedule=r.schedule._replace(steps=steps)) for r in recipes[1:]]
        members = ensemble.train_members(
            final, everything, config.train.jobs, on_event, checkpoint, deadline=deadline
        )
        self.networks = as_is + [to_trained_network(member.network) for member in members]
        if self.spread is not None:
            self.spread = np.concatenate([self.spread[:-1], *[self.spread[-1:]] * len(members)])
        share = self.guard.members[-1] / len(members)
        # Measured on a network that knew less and stood alone, the intervals' error is about halved
        # by now.
        widen = 1 + (self.guard.widen - 1) / 2
        weights = np.array([*self.guard.members[:-1], *[share] * len(members)])
        self.guard = self.guard._replace(members=weights, widen=widen)
        return probe + members

    def _combine_and_judge(
        self,
        task: ensemble.TrainingTask,
        networks: list[TrainedNetwork],
        prior: Floats | None = None,
    ) -> None:
        """Set the guard and the verdict from forecasts of the windows that training has not seen."""
        self.spread = self.verdict = None
        if not len(task.series):
            if networks[0].interval == "residuals":
                self.spread = np.tile(
                    quantiles.default_error_quantiles(self.horizon), (len(networks), 1, 1)
                )
            self.guard = combination.default_combination(len(networks), len(CANDIDATES))
            self.notes += (
                "too short to hold anything back: the forecast could not be checked, nor its intervals",
            )
            return
        made, options = inference.forecast_windows(
            networks, *task.validation_windows(), spread=self._out_of_sample_spread(task, networks)
        )
        made, options = task.whole(made, 1), task.whole(options, 0)
        densities = task.whole(diagnostics.log_densities(networks, *task.validation_windows()), 1)
        if not current_rank_group().first:
            self.guard = combination.default_combination(len(networks), len(CANDIDATES))
            return
        actual = actuals_after_origins(self.panel, task.series, task.origins, self.horizon)
        scale = metrics.seasonal_scale(
            self.panel.values, self.panel.offsets, task.ends, self.season, 1
        )[task.series]
        loyalty = (
            PANEL_NETWORK_MARGIN
            if len(self.panel) >= MIN_PANEL_SERIES
            else combination.NETWORK_MARGIN
        )
        power = 1.0
        if self.probability:
            scale, power = np.ones_like(scale), 2.0
        case = combination.ValidationForecasts(
            made, options, actual, task.series, scale, prior, loyalty, power
        )
        self.guard = combination.fit_combination(case)
        unseen = quantiles.round_count_quantiles(
            combination.cross_fit_forecasts(case), self.config.train.loss
        )
        named = len(self.panel) <= MAX_SERIES_IN_VERDICT
        where = self.panel, task.series, task.origins
        levels, kind = np.array(NETWORK_QUANTILES), self.probability
        self.verdict = score_forecasts(
            *where, unseen, levels, self.season, by_series=named, probability=kind
        )
        self.verdict.model.update(diagnostics.mean_log_likelihood(densities, self.guard.members))

    def _out_of_sample_spread(
        self, task: ensemble.TrainingTask, networks: list[TrainedNetwork]
    ) -> Floats | None:
        """Intervals of the validation windows of point forecasts, each from the errors of others; sets `spread`."""
        if networks[0].interval != "residuals":
            return None
        errors = task.whole(
            diagnostics.compute_scaled_errors(networks, *task.validation_windows()), 1
        )
        self.spread = np.stack([quantiles.fit_error_quantiles(one) for one in errors])
        fold = combination.assign_folds(task.series)
        return np.stack(
            [quantiles.cross_fit_error_quantiles(one, fold)[task.own()] for one in errors]
        )


def _require_series_per_rank(panel: Panel, *, joint: bool) -> None:
    """Raise UsageError where the ranks of a fit have nothing to share."""
    least = max(MIN_PANEL_SERIES, current_rank_group().size)
    if current_rank_group().size > 1 and len(panel) < least:
        raise UsageError(
            f"{current_rank_group().size} ranks need {least} series or more; there are {len(panel)}",
            "fit without torchrun",
        )
    if current_rank_group().size > 1 and joint:
        raise UsageError(
            "--joint needs all series beside each other",
            "fit without torchrun, or leave out --joint",
        )
