"""From a panel to a trained forecaster: hold back, train members, weigh, calibrate, judge.

    panel -> seasons, scaling -> members trained beside a validation zone -> guard -> a Predictor's parts

Knows nothing of the command line.

Axes: N series, K windows, H horizon, Q quantiles, M members.
"""

import time

import numpy as np

from lstmcast.compute.progress import Event, OnEvent
from lstmcast.compute.ranks import team
from lstmcast.config import QUANTILES
from lstmcast.errors import UsageError
from lstmcast.features import seasonality
from lstmcast.features.candidates import CANDIDATES
from lstmcast.features.preprocessing import require_targets, seasons_behind
from lstmcast.features.windows import default_context
from lstmcast.forecasting import combination, quantiles
from lstmcast.forecasting.predictor import NAMED, WHOLE, Predictor
from lstmcast.network import diagnostics, inference
from lstmcast.network.torch_network import freeze
from lstmcast.network.trained import Frozen
from lstmcast.panel.checks import require_kind
from lstmcast.panel.holdout import GLANCED, JUDGED, hold_back
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Floats
from lstmcast.runs import serialization
from lstmcast.scoring import metrics
from lstmcast.scoring.verdict import actuals, judge
from lstmcast.training import device, initial_weights
from lstmcast.training import members as ensemble
from lstmcast.training.checkpoint import Checkpoint
from lstmcast.training.recipes import FEW_STEPS, Weights, fine_tunings, small_data

PANEL = 20
"""From this many series on, they teach one network together and it is refitted on all of them."""
SEEDS = 2
TRAINED = 3.0
PANEL_LOYALTY = 0.2
"""How far a panel's training is trusted before any evidence, against the weights that it started from and against the
classical candidates: the final members see the newest data, which the one that is judged did not."""
UNJUDGED_STEPS = 100
"""Training steps where no validation can say when to stop."""


class Forecaster(Predictor):
    """A global LSTM forecaster of one panel: `fit` learns what its parts, see `Predictor`, are then made of."""

    def fit(
        self, panel: Panel, *, on_event: OnEvent | None = None, checkpoint: Checkpoint | None = None
    ) -> "Forecaster":
        """Learn from all of `panel`; the newest windows are held back first, to choose, weigh, calibrate and judge.

        With a checkpoint a fit that was cut off goes on from what was kept of it, and ends in the same forecaster.
        Raises UsageError for settings that contradict the data, DivergedError when the loss explodes, RunError for a
        checkpoint of another fit. Within `distributed.joined` all ranks call it alike; what the first one has then
        learnt is whole, the others hold no judgement.
        """
        tell = on_event or (lambda _: None)
        window, place = self.config.window, device.find(self.config.train.device)
        self.panel, self.notes = panel, panel.notes
        if self.config.inputs.joint:
            require_targets(panel)
        _require_shares(panel, joint=self.config.inputs.joint)
        informed = self._informed(panel, 0)
        seasons = seasons_behind(informed, window.season, self._scaling)
        self.horizon = window.horizon or seasonality.default_horizon(panel, seasons.main)
        judged = GLANCED if self.config.train.steps == 0 else JUDGED
        held = hold_back(panel, self.horizon, seasons.main, window.validation, judged)
        require_kind(panel, self.config.train.loss)
        self.scaling = self._scaling(informed, seasons, held[0])
        context = window.context or default_context(self.scaling.seasons, self.horizon)
        self.context = min(context, int(panel.lengths.max()))
        if self.context < context:
            self.notes += (f"the network looks back {self.context} steps, not {context}: no series is longer",)
        self.cutoff = panel.start + panel.lengths - 1
        tell(Event("prepare", f"season {self.season}, horizon {self.horizon}"))
        if place != device.CPU:
            tell(Event("prepare", f"training on {device.name(place)}"))
        own = team().own(len(panel))
        part = panel if team().size == 1 else panel.select(own)
        windows = self._windows(part, self.scaling.scaler.take(own), self.horizon, own, part.lengths)
        task = ensemble.Task(windows, *held)
        begin = initial_weights.find(self.config, Forecaster._weights)
        self.start = begin.record
        if begin.said:
            tell(Event("prepare", begin.said))
        arrays, head = (begin.weights.arrays, begin.weights.shape.loss) if begin.weights else (None, "quantile")
        deadline = ensemble.deadline(self.config)
        self.fingerprint = panel.fingerprint()
        if checkpoint is not None:
            same = {"data": self.fingerprint, "order of series": panel.keys, "start": self.start}
            checkpoint.begin(self.config, panel, same)
        if len(panel) >= PANEL:
            members = self._fit_panel(task, arrays, head, on_event, checkpoint, deadline)
        else:
            asked = self.config.train
            # What a covariate does is learnt best from nothing, however short the series.
            steps = max(int(panel.lengths.sum()), FEW_STEPS if windows.covariates else 0)
            recipes = small_data(self.config, arrays, asked.members, steps, head)
            members = ensemble.train_members(recipes, task, asked.jobs, on_event, checkpoint, deadline=deadline)
            self.networks = [freeze(member.network) for member in members]
            self._judge(task, self.networks, np.array([member.recipe.prior for member in members]))
        self.notes += tuple(f"{m.recipe.name} {m.trained.diverged}" for m in members if m.trained.diverged)
        self.notes += ensemble.out_of_time(self.config, members)
        self.panel = panel if len(panel.values) <= WHOLE else panel.tail(self.memory)
        self.history = [{"member": m.recipe.name, **record._asdict()} for m in members for record in m.trained.history]
        return self

    @staticmethod
    def _weights(path: str) -> initial_weights.Weights:
        """Weights of the member of a run that it trusts most."""
        run = Forecaster.load(path)
        trusted = run.networks[int(np.argmax(run.guard.members))]
        return initial_weights.Weights(serialization.universal(trusted.weights), trusted.shape, run.config.model.scale)

    def _fit_panel(
        self,
        task: ensemble.Task,
        begin: Weights | None,
        head: str,
        on_event: OnEvent | None,
        checkpoint: Checkpoint | None,
        deadline: float,
    ) -> list[ensemble.Member]:
        """Many series: find the number of steps beside the validation zone, then train on all data from other seeds.

        The weights to start from stay a member, as they are: what they get wrong is not what training gets wrong.
        """
        config = self.config
        recipes = fine_tunings(config, begin, 1 + (config.train.members or SEEDS), head)
        first = time.monotonic() + (deadline - time.monotonic()) / len(recipes)
        probe = ensemble.train_members(recipes[:1], task, config.train.jobs, on_event, checkpoint, "probe", first)
        as_is = [] if begin is None else [freeze(ensemble.build(recipes[0], task.windows))]
        steps = probe[0].trained.step if len(task.series) else min(probe[0].trained.step, UNJUDGED_STEPS)
        if steps == 0 and as_is:
            self.networks = as_is
            self._judge(task, as_is)
            return probe
        self._judge(task, [*as_is, freeze(probe[0].network)], np.array([1.0, TRAINED][-1 - len(as_is) :]))
        everything = task._replace(ends=self.panel.lengths, series=task.series[:0], origins=task.origins[:0])
        final = [r._replace(schedule=r.schedule._replace(steps=steps)) for r in recipes[1:]]
        members = ensemble.train_members(final, everything, config.train.jobs, on_event, checkpoint, deadline=deadline)
        self.networks = as_is + [freeze(member.network) for member in members]
        if self.spread is not None:
            self.spread = np.concatenate([self.spread[:-1], *[self.spread[-1:]] * len(members)])
        share = self.guard.members[-1] / len(members)
        # Measured on a network that knew less and stood alone, the intervals' error is about halved by now.
        widen = 1 + (self.guard.widen - 1) / 2
        weights = np.array([*self.guard.members[:-1], *[share] * len(members)])
        self.guard = self.guard._replace(members=weights, widen=widen)
        return probe + members

    def _judge(self, task: ensemble.Task, networks: list[Frozen], prior: Floats | None = None) -> None:
        """Set the guard and the verdict from forecasts of the windows that training has not seen."""
        self.spread = self.verdict = None
        if not len(task.series):
            if networks[0].interval == "residuals":
                self.spread = np.tile(quantiles.unknown(self.horizon), (len(networks), 1, 1))
            self.guard = combination.unjudged(len(networks), len(CANDIDATES))
            self.notes += ("too short to hold anything back: the forecast could not be checked, nor its intervals",)
            return
        made, options = inference.forecast(networks, *task.judged(), spread=self._unseen_spread(task, networks))
        made, options = task.whole(made, 1), task.whole(options, 0)
        densities = task.whole(diagnostics.log_densities(networks, *task.judged()), 1)
        if not team().first:
            self.guard = combination.unjudged(len(networks), len(CANDIDATES))
            return
        actual = actuals(self.panel, task.series, task.origins, self.horizon)
        scale = metrics.seasonal_scale(self.panel.values, self.panel.offsets, task.ends, self.season, 1)[task.series]
        loyalty = PANEL_LOYALTY if len(self.panel) >= PANEL else combination.LOYALTY
        power = 1.0
        if self.probability:
            scale, power = np.ones_like(scale), 2.0
        case = combination.Case(made, options, actual, task.series, scale, prior, loyalty, power)
        self.guard = combination.decide(case)
        unseen = quantiles.possible(combination.cross_fitted(case), self.config.train.loss)
        named = len(self.panel) <= NAMED
        where = self.panel, task.series, task.origins
        levels, kind = np.array(QUANTILES), self.probability
        self.verdict = judge(*where, unseen, levels, self.season, by_series=named, probability=kind)
        self.verdict.model.update(diagnostics.likelihood(densities, self.guard.members))

    def _unseen_spread(self, task: ensemble.Task, networks: list[Frozen]) -> Floats | None:
        """Intervals of the validation windows of point forecasts, each from the errors of others; sets `spread`."""
        if networks[0].interval != "residuals":
            return None
        errors = task.whole(diagnostics.errors(networks, *task.judged()), 1)
        self.spread = np.stack([quantiles.spread(one) for one in errors])
        fold = combination.folds(task.series)
        return np.stack([quantiles.left_out(one, fold)[task.own()] for one in errors])


def _require_shares(panel: Panel, *, joint: bool) -> None:
    """Raise UsageError where the ranks of a fit have nothing to share."""
    least = max(PANEL, team().size)
    if team().size > 1 and len(panel) < least:
        raise UsageError(
            f"{team().size} ranks need {least} series or more; there are {len(panel)}", "fit without torchrun"
        )
    if team().size > 1 and joint:
        raise UsageError("--joint needs all series beside each other", "fit without torchrun, or leave out --joint")
