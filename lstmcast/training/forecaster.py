"""From a panel to a trained forecaster: hold out, train members, combine, calibrate, judge.

    panel -> seasons, scaling -> members trained beside a hold-out -> combination -> a Predictor

Knows nothing of the command line.

Axes: N series, K validation windows, H horizon, Q quantiles, M members.
"""

from typing import TYPE_CHECKING

import numpy as np

from lstmcast.compute.progress import Event, OnEvent
from lstmcast.compute.ranks import current_rank_group
from lstmcast.compute.system import describe_processor
from lstmcast.config import NETWORK_QUANTILES
from lstmcast.errors import DivergedError
from lstmcast.extras import require_torch
from lstmcast.features.candidates import CANDIDATES
from lstmcast.features.joint import require_several_targets
from lstmcast.features.preprocessing import (
    infer_seasons_without_effects,
    resolve_horizon,
    resolve_required_horizon,
)
from lstmcast.features.windows import Windows, choose_lead, default_context
from lstmcast.forecasting import combination, quantiles
from lstmcast.forecasting.plausible import find_grid
from lstmcast.forecasting.predictor import (
    MAX_HISTORY_STEPS,
    MAX_SERIES_IN_VERDICT,
    Predictor,
)
from lstmcast.forecasting.simple_methods import forecast_simple_methods
from lstmcast.network import diagnostics, inference
from lstmcast.network.trained import TrainedNetwork
from lstmcast.panel.checks import require_fit, require_target_for_loss
from lstmcast.panel.gaps import without_lines
from lstmcast.panel.holdout import (
    MAX_HOLDOUT_STEPS,
    MAX_UNTRAINED_HOLDOUT_STEPS,
    split_holdout,
)
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Floats, Ints
from lstmcast.scoring import metrics
from lstmcast.scoring.theta import require_rival
from lstmcast.scoring.verdict import actuals_after_origins, score_forecasts
from lstmcast.training import initial_weights
from lstmcast.training.initial_weights import TrainingStart
from lstmcast.training.recipes import (
    MIN_TIME_STEPS_FROM_SCRATCH,
    make_panel_recipes,
    make_small_data_recipes,
    to_untrained_network,
)
from lstmcast.training.sampler import TrainingTask, require_series_per_rank

if TYPE_CHECKING:
    from lstmcast.training.checkpoint import Checkpoint
    from lstmcast.training.members import Member, TrainingPlan

MIN_PANEL_SERIES = 20
"""From this many series on, they train one network together and it is refitted on all of them."""
DEFAULT_PANEL_MEMBERS = 2
PANEL_TRAINED_PRIOR = 3.0
PANEL_NETWORK_MARGIN = 0.2
"""How far a panel's training is trusted before any evidence, against its first weights and against
the classical candidates: the final members see the newest data, the one that is judged does not."""
UNVALIDATED_STEPS = 100
"""Training steps where no validation can say when to stop."""


class Forecaster(Predictor):
    """A global LSTM forecaster of one panel: `fit` learns the parts that a `Predictor` has."""

    _against = ""

    def fit(
        self,
        panel: Panel,
        *,
        against: str = "",
        on_event: OnEvent | None = None,
        checkpoint: "Checkpoint | None" = None,
    ) -> "Forecaster":
        """Learn from all of `panel`; its newest windows are first held out to validate on.

        against: the simple method that the verdict compares with, by default the best of them.

        With a checkpoint an interrupted fit goes on from what was kept of it, and ends in the same
        forecaster. Raises the errors of `panel.checks.require_fit`, UsageError for other settings
        that contradict the data, DivergedError when the loss explodes, RunError for a checkpoint of
        another fit. Within `join_rank_group` all ranks call it alike; the forecaster of the first
        rank is whole then, the others have no verdict.
        """
        horizon = resolve_required_horizon(panel, self.config)
        require_fit(panel, self.config, horizon)
        self._against = against
        return self.fit_part(panel, on_event=on_event, checkpoint=checkpoint)

    def fit_part(
        self,
        panel: Panel,
        *,
        on_event: OnEvent | None = None,
        checkpoint: "Checkpoint | None" = None,
    ) -> "Forecaster":
        """Fit to a part of a panel, a fold or a shard, that may be shorter than the context.

        As `fit`, but a context longer than the part's series shrinks, and what `require_fit` asks
        of the whole panel is not asked of the part.
        """
        report = on_event or (lambda _: None)
        start = initial_weights.choose_initial_weights(
            self.config, initial_weights.load_trusted_weights
        )
        is_untrained = initial_weights.can_forecast_untrained(self.config, start)
        place = None if is_untrained else self._choose_machine()
        holdout = self._prepare(panel)
        start = initial_weights.choose_by_season(start, self.season)
        self.start = start.record
        report(Event("prepare", f"season {self.season}, horizon {self.horizon}"))
        if place:
            report(Event("prepare", f"training on {place}"))
        task = TrainingTask(self._own_windows(panel), *holdout)
        if start.message:
            report(Event("prepare", start.message))
        self.fingerprint = panel.fingerprint()
        if checkpoint is not None:
            same = {
                "data": self.fingerprint,
                "order of series": panel.keys,
                "start": self.start,
            }
            checkpoint.begin(self.config, panel, same)

        if is_untrained:
            self._forecast_untrained(task, start)
            self._record_training([])
            return self
        self._record_training(self._train(task, start, on_event, checkpoint))
        return self

    def _choose_machine(self) -> str | None:
        """Record what is trained on; returns the name of a device other than the processor.

        Raises UsageError for a device or a precision that torch does not have here.
        """
        require_torch("training needs")
        from lstmcast.training import device

        place = device.choose_device(self.config.train.device)
        self.made = device.describe_training_machine(self.config)
        return None if place == device.CPU else device.describe_device(place)

    def _forecast_untrained(self, task: TrainingTask, start: TrainingStart) -> None:
        """Use the weights to start from as they are, which takes no torch."""
        weights = start.weights
        assert weights is not None
        self.made = describe_processor()
        recipes = make_panel_recipes(self.config, weights.arrays, 1, weights.shape.loss)
        self.networks = [to_untrained_network(recipes[0], task.windows)]
        self._combine_and_judge(task, self.networks)

    def _train(
        self,
        task: TrainingTask,
        start: TrainingStart,
        on_event: OnEvent | None,
        checkpoint: "Checkpoint | None",
    ) -> "list[Member]":
        """Train the members of this forecaster, combine and judge them."""
        from lstmcast.training import members as ensemble

        train = self.config.train
        deadline = ensemble.compute_deadline(self.config)
        arrays = start.weights.arrays if start.weights else None
        head = start.weights.shape.loss if start.weights else "quantile"
        plan = ensemble.TrainingPlan(
            task, arrays, head, train.jobs, on_event, checkpoint, deadline
        )
        try:
            if len(self.panel) >= MIN_PANEL_SERIES:
                return self._fit_panel(plan)
            return self._fit_few_series(plan)
        except DivergedError as error:
            # A learning rate that was asked for is not replaced in silence.
            if plan.start is None or train.lr is not None:
                raise
            return self._fit_without_training(plan, error)

    def _prepare(self, panel: Panel) -> tuple[Ints, Ints, Ints]:
        """Infer seasons, horizon, scaling and context, and choose what is held out.

        Returns the steps of each series to learn from [N], and the series [K] and the origins [K]
        of the validation windows.
        """
        train = self.config.train
        joint = self.config.inputs.joint
        self.panel = panel
        self.notes = panel.notes
        if joint:
            require_several_targets(panel)
            panel = without_lines(panel, joint=joint)
            self.panel = panel
        require_series_per_rank(panel, MIN_PANEL_SERIES, joint=joint)
        with_calendar = self.with_calendar_inputs(panel, 0)
        seasons = infer_seasons_without_effects(with_calendar, self.config)
        self.horizon = resolve_horizon(panel, self.config, seasons)
        # Where nothing is trained, judging is most of the work.
        is_untrained = train.steps == 0
        most = MAX_UNTRAINED_HOLDOUT_STEPS if is_untrained else MAX_HOLDOUT_STEPS
        windows = self.config.window.validation
        ends, series, origins = split_holdout(
            panel, self.horizon, seasons.main, windows, most
        )
        require_target_for_loss(panel, train.loss)
        self.scaling = self.fit_scaling(with_calendar, seasons, ends)
        rival_seasons = self.scaling.seasons[:2]
        require_rival(self._against, rival_seasons, probability=self.probability)
        self._set_context(panel)
        self.notes += tuple(self.describe_recent(panel))
        self.cutoff = panel.start + panel.lengths - 1
        return ends, series, origins

    def _set_context(self, panel: Panel) -> None:
        """Set the context that is requested or usual, at most the longest series."""
        usual = default_context(self.scaling.seasons, self.horizon)
        context = self.config.window.context or usual
        longest = int(panel.lengths.max())
        self.context = min(context, longest)
        self.lead = choose_lead(self.context, longest)
        if self.context < context:
            looks_back = f"the network looks back {self.context} steps, not {context}"
            self.notes += (f"{looks_back}: no series is longer",)

    def _own_windows(self, panel: Panel) -> Windows:
        """Return the windows of the panel; of ranks, those of the series held here."""
        group = current_rank_group()
        own = group.own_series(len(panel))
        part = panel
        if group.size > 1:
            part = panel.select(own)
        scaler = self.scaling.scaler.take(own)
        return self.build_windows(part, scaler, self.horizon, own, part.lengths)

    def _fit_few_series(self, plan: "TrainingPlan") -> "list[Member]":
        """Train different small networks beside the hold-out, and keep them all."""
        from lstmcast.network.torch_network import to_trained_network
        from lstmcast.training import members as ensemble

        task = plan.task
        train = self.config.train
        steps = int(self.panel.lengths.sum())
        if task.windows.covariates:
            # What a covariate does is learnt best from scratch, however short the series.
            steps = max(steps, MIN_TIME_STEPS_FROM_SCRATCH)
        recipes = make_small_data_recipes(
            self.config, plan.start, train.members, steps, plan.head
        )
        members = plan.train(recipes)
        self.notes += ensemble.describe_dropped(recipes, members)
        self.networks = [to_trained_network(member.network) for member in members]
        priors = [member.recipe.prior for member in members]
        self._combine_and_judge(task, self.networks, np.array(priors))
        return members

    def _fit_panel(self, plan: "TrainingPlan") -> "list[Member]":
        """Many series: find the number of steps beside the hold-out, then train on all data.

        The final members have other seeds. The weights to start from stay a member, as they are:
        what they get wrong is not what training gets wrong.
        """
        from lstmcast.network.torch_network import to_trained_network
        from lstmcast.training import members as ensemble

        task = plan.task
        train = self.config.train
        members_asked = train.members or DEFAULT_PANEL_MEMBERS
        recipes = make_panel_recipes(
            self.config, plan.start, 1 + members_asked, plan.head
        )
        probes = plan.train_probe(recipes)
        probe = probes[0]
        as_it_is = []
        if plan.start is not None:
            untrained = ensemble.build_untrained_network(probe.recipe, task.windows)
            as_it_is.append(untrained)
        # The step whose weights validated best is how long training pays.
        steps = probe.trained.step
        if not len(task.series):
            steps = min(steps, UNVALIDATED_STEPS)
        if steps == 0 and as_it_is:
            # No training does better: the weights are used as they are.
            self.networks = as_it_is
            self._combine_and_judge(task, as_it_is)
            return probes

        judged = [*as_it_is, to_trained_network(probe.network)]
        # The weights that the probe started from are judged beside it, and trusted less.
        priors = [1.0] * len(as_it_is) + [PANEL_TRAINED_PRIOR]
        self._combine_and_judge(task, judged, np.array(priors))
        # The final members learn from the hold-out too, for as many steps as were best beside it.
        final_recipes = []
        for recipe in recipes[1:]:
            schedule = recipe.schedule._replace(steps=steps)
            final_recipes.append(recipe._replace(schedule=schedule))
        all_data = task.without_validation(self.panel.lengths)
        members = plan._replace(task=all_data).train(final_recipes)
        self.notes += ensemble.describe_dropped(final_recipes, members)
        final_networks = [to_trained_network(member.network) for member in members]
        self.networks = as_it_is + final_networks
        self._share_weight_of_last(len(members))
        return probes + members

    def _fit_without_training(
        self, plan: "TrainingPlan", error: DivergedError
    ) -> "list[Member]":
        """Use the weights to start from as they are, since training makes them useless."""
        from lstmcast.training import members as ensemble

        recipe = make_panel_recipes(self.config, plan.start, 1, plan.head)[0]
        self.networks = [ensemble.build_untrained_network(recipe, plan.task.windows)]
        self._combine_and_judge(plan.task, self.networks)
        self.notes += (
            f"{error.message}: no training; the forecast is by the weights that it began with",
        )
        return []

    def _share_weight_of_last(self, count: int) -> None:
        """Let `count` final members take the place of the probe, the last that was judged."""
        if self.spread is not None:
            others = self.spread[:-1]
            last = self.spread[-1:]
            copies = [last] * count
            self.spread = np.concatenate([others, *copies])
        # Together they weigh what the probe did.
        *other_weights, probe_weight = self.guard.members
        shares = [probe_weight / count] * count
        weights = np.array([*other_weights, *shares])
        # The error of the intervals was measured on one network that knew less: with more members
        # and newer data it is about half.
        widen = 1 + (self.guard.widen - 1) / 2
        self.guard = self.guard._replace(members=weights, widen=widen)

    def _combine_and_judge(
        self,
        task: TrainingTask,
        networks: list[TrainedNetwork],
        prior: Floats | None = None,
    ) -> None:
        """Set the combination and the verdict from out-of-sample forecasts of the hold-out.

        prior: [M], how far to trust each network before any evidence; by default all alike.
        """
        self.spread = self.verdict = None
        if not len(task.series):
            self._combine_without_validation(networks)
            return
        windows = task.validation_windows()
        spread = self._out_of_sample_spread(task, networks)
        own_members, own_candidates = inference.forecast_windows(
            networks, *windows, spread=spread
        )
        members = task.whole(own_members, 1)
        candidates = task.whole(own_candidates, 0)
        own_densities = diagnostics.log_densities(networks, *windows)
        densities = task.whole(own_densities, 1)
        if not current_rank_group().first:
            # The first rank alone combines and judges: only its forecaster is whole.
            self.guard = combination.default_combination(len(networks), len(CANDIDATES))
            return
        case = self._validation_forecasts(task, members, candidates, prior)
        self.guard = combination.fit_combination(case)
        self._judge(task, case, densities)

    def _judge(
        self,
        task: TrainingTask,
        case: combination.ValidationForecasts,
        densities: Floats,
    ) -> None:
        """Set the verdict on the hold-out.

        Each fold is forecast by the combination of the others.
        """
        forecasts = combination.cross_fit_forecasts(case)
        if not self.probability:
            grid = find_grid(self.panel, task.ends)
            forecasts = grid.snap(forecasts, task.series)
        forecasts = quantiles.round_count_quantiles(forecasts, self.config.train.loss)
        self.verdict = score_forecasts(
            self.without_unlikely_values(self.panel),
            task.series,
            task.origins,
            forecasts,
            np.array(NETWORK_QUANTILES),
            self.season,
            second_season=self.scaling.seasons.second,
            by_series=len(self.panel) <= MAX_SERIES_IN_VERDICT,
            probability=self.probability,
            against=self._against,
        )
        likelihood = diagnostics.mean_log_likelihood(densities, self.guard.members)
        self.verdict.model.update(likelihood)

    def _combine_without_validation(self, networks: list[TrainedNetwork]) -> None:
        """Weigh all networks alike, with the usual intervals: no series is long enough."""
        count = len(networks)
        if networks[0].interval == "residuals":
            usual = quantiles.default_error_quantiles(self.horizon)
            self.spread = np.tile(usual, (count, 1, 1))
        self.guard = combination.default_combination(count, len(CANDIDATES))
        self.notes += (
            "too short to hold anything back: the forecast could not be checked, nor its intervals",
        )

    def _validation_forecasts(
        self,
        task: TrainingTask,
        members: Floats,
        candidates: Floats,
        prior: Floats | None,
    ) -> combination.ValidationForecasts:
        """Put the forecasts of the hold-out beside what came, [M, K, H, Q] and [K, H, A]."""
        panel, series = self.panel, task.series
        scored = self.without_unlikely_values(panel)
        actual = actuals_after_origins(scored, series, task.origins, self.horizon)
        # The held-out steps must not change what errors are measured in.
        scales = metrics.seasonal_scale(
            panel.values, panel.offsets, task.ends, self.season, 1
        )
        scale = scales[series]
        power = 1.0
        if self.probability:
            # Squared errors of a probability are its Brier score, which needs no scale.
            scale = np.ones_like(scale)
            power = 2.0
        is_panel = len(panel) >= MIN_PANEL_SERIES
        margin = PANEL_NETWORK_MARGIN if is_panel else combination.NETWORK_MARGIN
        slack = None
        if not self.probability:
            slack = find_grid(panel, task.ends).slack(actual, series)
        simple = forecast_simple_methods(
            panel,
            series,
            task.origins,
            task.ends,
            self.horizon,
            self.scaling.seasons,
            self.memory,
            are_blind=self.config.inputs.joint or bool(self.covariate_names),
        )
        return combination.ValidationForecasts(
            members=members,
            candidates=candidates,
            actual=actual,
            series=series,
            scale=scale,
            prior=prior,
            network_margin=margin,
            power=power,
            slack=slack,
            simple=simple,
        )

    def _out_of_sample_spread(
        self, task: TrainingTask, networks: list[TrainedNetwork]
    ) -> Floats | None:
        """Return intervals of the hold-out for point forecasts, and set `spread`.

        Those of a window come from the errors of the other folds. None where networks make
        intervals themselves.
        """
        if networks[0].interval != "residuals":
            return None
        windows = task.validation_windows()
        own_errors = diagnostics.compute_scaled_errors(networks, *windows)
        errors = task.whole(own_errors, 1)
        fold = combination.assign_folds(task.series)
        self.spread, out_of_sample = quantiles.cross_fit_spread(errors, fold)
        return out_of_sample[:, task.own()]

    def _record_training(self, members: "list[Member]") -> None:
        """Set the history, add what is worth noting, and drop rows that no forecast looks at."""
        self.history = []
        if members:
            from lstmcast.training import members as ensemble

            self.history = ensemble.tabulate_history(members)
            self.notes += ensemble.describe_divergence(members)
            self.notes += ensemble.describe_time_budget_cuts(self.config, members)
        if len(self.panel.values) > MAX_HISTORY_STEPS:
            self.panel = self.panel.tail(self.memory)
