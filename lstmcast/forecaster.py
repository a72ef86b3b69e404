"""From a panel to a forecast: fit, predict, save, load. Read this first; the other modules are its parts.

    panel -> seasons, scaling -> members trained beside a validation zone -> guard -> forecasts

Knows nothing of the command line.

Axes: N series, K windows, H horizon, Q quantiles, M members.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lstmcast import ensemble, fitness, guard, intervals, known, metrics, rolling, rundir, season, store, warmstart
from lstmcast.checkpoint import Checkpoint
from lstmcast.config import QUANTILES, RAW_LOSSES, Config
from lstmcast.continuation import continued
from lstmcast.errors import UsageError
from lstmcast.features import CANDIDATES, Seasons
from lstmcast.guard import Guard
from lstmcast.holdout import hold_back
from lstmcast.inputs import Scaling, seasons_behind
from lstmcast.joint import joint_inputs, require_targets
from lstmcast.model import Network
from lstmcast.panel import Panel
from lstmcast.parameters import Parameters
from lstmcast.requirements import require_ahead, require_kind
from lstmcast.timeaxis import TimeAxis
from lstmcast.train import Event, OnEvent
from lstmcast.verdict import Verdict, actuals, judge
from lstmcast.windows import Windows, default_context

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PANEL = 20
"""From this many series on, they teach one network together and it is refitted on all of them."""
SEEDS = 2
WHOLE = 200_000
"""Up to so many time steps a run keeps the whole history to forecast from; of more, what a forecast can see."""
NAMED = 1000
"""Up to so many series the verdict of a fit has a line for each."""
TRAINED = 3.0
PANEL_LOYALTY = 0.2
"""How far a panel's training is trusted before any evidence, against the weights that it started from and against the
classical candidates: the final members see the newest data, which the one that is judged did not."""
UNJUDGED_STEPS = 100
"""Training steps where no validation can say when to stop."""


class Forecaster(Parameters):
    """A global LSTM forecaster of one panel.

    After `fit` or `load`: `panel` (the history that `predict` goes on from; of a large panel its newest part), `axis`,
    `horizon`, `season`, `scaling`, `networks`, `guard`, `spread` (quantiles of the errors of point forecasts, in
    scales, [M, H, Q]; None where networks make their own), `verdict` (None where the series were too short to hold
    anything back), `history` (rows of the training), `cutoff` (int64 [N], ordinal of each series' last training step),
    `start` (what training started from, with its SHA-256), `fingerprint` (of the panel that was fitted) and `notes`
    (what is worth saying).
    """

    panel: Panel
    horizon: int
    context: int
    scaling: Scaling
    networks: list[Network]
    guard: Guard
    spread: Floats | None
    verdict: Verdict | None
    history: list[dict[str, Any]]
    cutoff: Ints
    start: dict[str, str]
    fingerprint: str
    notes: tuple[str, ...]

    def __init__(self, config: Config = Config()) -> None:  # noqa: B008 - frozen
        super().__init__(config)

    @property
    def axis(self) -> TimeAxis:
        """The time axis of the panel."""
        return self.panel.axis

    @property
    def season(self) -> int:
        """Steps of the main season, 1 where there is none."""
        return self.scaling.seasons.main

    @property
    def covariate_names(self) -> tuple[str, ...]:
        """What each covariate that the network reads comes from, in its order: a column, calendar or holidays."""
        return known.origins(self._informed(self.panel, 0), self.config.inputs)

    @property
    def probability(self) -> bool:
        """Whether the target is 0 or 1, and the forecast its probability of being 1."""
        return self.config.train.loss == "bernoulli"

    def fit(
        self, panel: Panel, *, on_event: OnEvent | None = None, checkpoint: Checkpoint | None = None
    ) -> "Forecaster":
        """Learn from all of `panel`; the newest windows are held back first, to choose, weigh, calibrate and judge.

        With a checkpoint a fit that was cut off goes on from what was kept of it, and ends in the same forecaster.
        Raises UsageError for settings that contradict the data, DivergedError when the loss explodes, RunError for a
        checkpoint of another fit.
        """
        tell = on_event or (lambda _: None)
        window = self.config.window
        self.panel, self.notes = panel, panel.notes
        if self.config.inputs.joint:
            require_targets(panel)
        informed = self._informed(panel, 0)
        seasons = seasons_behind(informed, window.season, self._scaling)
        self.horizon = window.horizon or season.default_horizon(panel, seasons.main)
        held = hold_back(panel, self.horizon, seasons.main, window.validation)
        require_kind(panel, self.config.train.loss)
        self.scaling = self._scaling(informed, seasons, held[0])
        context = window.context or default_context(self.scaling.seasons, self.horizon)
        self.context = min(context, int(panel.lengths.max()))
        if self.context < context:
            self.notes += (f"the network looks back {self.context} steps, not {context}: no series is longer",)
        self.cutoff = panel.start + panel.lengths - 1
        tell(Event("prepare", f"season {self.season}, horizon {self.horizon}"))
        everything = np.arange(len(panel)), panel.lengths
        windows = self._windows(panel, self.scaling.scaler, self.horizon, *everything)
        task = ensemble.Task(windows, *held)
        begin = warmstart.find(self.config, Forecaster._weights)
        self.start = begin.record
        if begin.said:
            tell(Event("prepare", begin.said))
        tensors, head = (begin.weights.tensors, begin.weights.shape.loss) if begin.weights else (None, "quantile")
        deadline = ensemble.deadline(self.config)
        self.fingerprint = panel.fingerprint()
        if checkpoint is not None:
            same = {"data": self.fingerprint, "order of series": panel.keys, "start": self.start}
            checkpoint.begin(self.config, panel, same)
        if len(panel) >= PANEL:
            members = self._fit_panel(task, tensors, head, on_event, checkpoint, deadline)
        else:
            asked = self.config.train
            # What a covariate does is learnt best from nothing, however short the series.
            steps = max(int(panel.lengths.sum()), ensemble.FEW_STEPS if windows.covariates else 0)
            recipes = ensemble.small_data(self.config, tensors, asked.members, steps, head)
            members = ensemble.train_members(recipes, task, asked.jobs, on_event, checkpoint, deadline=deadline)
            self.networks = [member.network for member in members]
            self._judge(task, self.networks, np.array([member.recipe.prior for member in members]))
        self.notes += tuple(f"{m.recipe.name} {m.trained.diverged}" for m in members if m.trained.diverged)
        self.notes += ensemble.out_of_time(self.config, members)
        self.panel = panel if len(panel.values) <= WHOLE else panel.tail(self.memory)
        self.history = [{"member": m.recipe.name, **record._asdict()} for m in members for record in m.trained.history]
        return self

    def predict(
        self, panel: Panel | None = None, *, horizon: int | None = None, quantiles: Sequence[float] = (0.1, 0.5, 0.9)
    ) -> pd.DataFrame:
        """Forecast table from the end of the training data, or from the last row of each series of `panel`.

        Columns: the series columns, the time column, `forecast` (the median) and one a quantile (`q10`). Raises
        DataError where covariates known ahead are missing for a step of the horizon.
        """
        panel = self.panel if panel is None else continued(panel, self.panel, self.context)
        horizon = horizon or self.horizon
        require_ahead(panel, horizon)
        series = np.arange(len(panel))
        made = self.quantiles(panel, series, panel.lengths - 1, horizon, quantiles)
        return panel.forecast_frame(series, panel.lengths - 1, made, quantiles, probability=self.probability)

    def quantiles(
        self,
        panel: Panel,
        series: Ints,
        origins: Ints,
        horizon: int | None = None,
        levels: Sequence[float] | Floats = (0.1, 0.5, 0.9),
    ) -> Floats:
        """Forecast quantiles [K, H, Q] of windows: series numbers [K] of `panel` and the last step each may know [K].

        Nothing after an origin is seen. Steps beyond the horizon of the training are reached by rolling forward on the
        forecaster's own quantiles. Raises UsageError for levels outside 0 to 1.
        """
        asked = np.asarray(levels, dtype=np.float64)
        if not ((asked > 0) & (asked < 1)).all():
            raise UsageError(f"quantile levels {asked.tolist()} are out of range", "give numbers between 0 and 1")
        series, origins = np.asarray(series, dtype=np.int64), np.asarray(origins, dtype=np.int64)
        horizon = horizon or self.horizon
        if horizon <= self.horizon or self.probability or not len(series):
            made = self._within(panel, series, origins, horizon, asked)
        else:
            reach = rolling.Reach(self.horizon, self.memory, together=not self.config.inputs.joint)
            made = rolling.rolled(self._within, reach, panel, series, origins, horizon, asked)
        return intervals.possible(made, self.config.train.loss)

    def _within(self, panel: Panel, series: Ints, origins: Ints, horizon: int, asked: Floats) -> Floats:
        """Quantiles of windows that the network forecasts at once."""
        out = np.empty((len(series), horizon, len(asked)))
        # Before the end of its first season a series is a short one: its features would use the rest of that season.
        early = np.flatnonzero(origins < self.season - 1)
        for k in early:
            alone = panel.select(series[[k]]).head(origins[[k]] + 1)
            out[k] = self._quantiles(alone, np.zeros(1, np.int64), origins[[k]], out.shape[1], asked)[0]
        rest = np.setdiff1d(np.arange(len(series)), early)
        if len(rest):
            out[rest] = self._quantiles(panel, series[rest], origins[rest], out.shape[1], asked)
        return out

    def likelihood(self, panel: Panel, series: Ints, origins: Ints, horizon: int) -> dict[str, float]:
        """Mean log-likelihood of what came after the origins [K]; empty unless the loss is one of a distribution."""
        windows = self.seen_windows(panel, series, origins, horizon)
        return fitness.likelihood(self.networks, self.guard.members, windows, series, origins)

    def save(self, path: str | Path, *, force: bool = False) -> Path:
        """Write the run directory: weights, scaler state, context, history, verdict and a manifest with their hashes.

        Raises RunError where the place is taken, LockedError while another process writes there.
        """
        manifest = {
            "config": self.config.to_dict(),
            "horizon": self.horizon,
            "context": self.context,
            "seed": self.config.train.seed,
            "start": self.start,
            "members": [network.shape._asdict() for network in self.networks],
            "data": {"fingerprint": self.fingerprint, "cutoff": self.cutoff.tolist(), "notes": self.notes},
        }
        metrics_json = {
            "verdict": None if self.verdict is None else self.verdict.to_dict(),
            "guard": self.guard.to_dict(),
            "spread": None if self.spread is None else self.spread.tolist(),
        }
        files = {
            "model.safetensors": store.pack_networks(self.networks),
            "history.csv": store.pack_history(self.history),
            "metrics.json": store.pack_json(metrics_json),
        }
        context, facts = store.pack_panel(self.panel)
        files["context.parquet"] = context
        files["scaler.json"] = store.pack_json(self.scaling.to_dict())
        return rundir.publish(path, files, {**manifest, "panel": facts}, force=force)

    @classmethod
    def load(cls, path: str | Path) -> "Forecaster":
        """The forecaster that `save` wrote; every file is verified before use. Raises RunError."""
        run = rundir.open_run(path)
        manifest = run.manifest
        with store.as_run_errors(run.path):
            self = cls(Config.from_dict(manifest["config"]))
            self.horizon, self.context = (store.checked_steps(manifest[name]) for name in ("horizon", "context"))
            self.panel = store.unpack_panel(run.read("context.parquet"), manifest["panel"])
            self.scaling = Scaling.from_dict(store.unpack_json(run.read("scaler.json")))
            self.networks = store.unpack_networks(run.read("model.safetensors"), manifest["members"])
            report = store.unpack_json(run.read("metrics.json"))
            self.guard = Guard.from_dict(report["guard"])
            self.verdict = None if report["verdict"] is None else Verdict.from_dict(report["verdict"])
            self.spread = None if report.get("spread") is None else np.array(report["spread"], dtype=np.float64)
            self.history = store.unpack_history(run.read("history.csv"))
            self.cutoff = np.array(manifest["data"]["cutoff"], dtype=np.int64)
            self.notes = tuple(manifest["data"]["notes"])
            self.start = manifest["start"]
            self.fingerprint = manifest["data"]["fingerprint"]
            if len(self.cutoff) != len(self.panel) or self.guard.members.shape != (len(self.networks),):
                raise ValueError("its parts do not belong together")
            self._try()
        return self

    def _try(self) -> None:
        """Forecast one step of one series: parts that do not fit together are found out here and not later."""
        one, first = self.panel.select(np.zeros(1, np.int64)), np.zeros(1, np.int64)
        made = self.quantiles(one, first, one.lengths - 1, 1, QUANTILES)
        one.forecast_frame(first, one.lengths - 1, made, QUANTILES)

    @staticmethod
    def _weights(path: str) -> warmstart.Weights:
        """Weights of the member of a run that it trusts most."""
        run = Forecaster.load(path)
        trusted = run.networks[int(np.argmax(run.guard.members))]
        return warmstart.Weights(store.universal(trusted.state_dict()), trusted.shape, run.config.model.scale)

    def _fit_panel(
        self,
        task: ensemble.Task,
        begin: ensemble.Weights | None,
        head: str,
        on_event: OnEvent | None,
        checkpoint: Checkpoint | None,
        deadline: float,
    ) -> list[ensemble.Member]:
        """Many series: find the number of steps beside the validation zone, then train on all data from other seeds.

        The weights to start from stay a member, as they are: what they get wrong is not what training gets wrong.
        """
        config = self.config
        recipes = ensemble.fine_tunings(config, begin, 1 + (config.train.members or SEEDS), head)
        first = time.monotonic() + (deadline - time.monotonic()) / len(recipes)
        probe = ensemble.train_members(recipes[:1], task, config.train.jobs, on_event, checkpoint, "probe", first)
        as_is = [] if begin is None else [ensemble.build(recipes[0]._replace(dropout=0.0), task.windows).eval()]
        self._judge(task, [*as_is, probe[0].network], np.array([1.0, TRAINED][-1 - len(as_is) :]))
        steps = probe[0].trained.step if len(task.series) else min(probe[0].trained.step, UNJUDGED_STEPS)
        if steps == 0 and as_is:
            self.networks = as_is
            self.guard = self.guard._replace(members=np.ones(1))
            self.spread = None if self.spread is None else self.spread[:1]
            return probe
        everything = task._replace(ends=task.windows.lengths, series=task.series[:0], origins=task.origins[:0])
        final = [r._replace(schedule=r.schedule._replace(steps=steps)) for r in recipes[1:]]
        members = ensemble.train_members(final, everything, config.train.jobs, on_event, checkpoint, deadline=deadline)
        self.networks = as_is + [member.network for member in members]
        if self.spread is not None:
            self.spread = np.concatenate([self.spread[:-1], *[self.spread[-1:]] * len(members)])
        share = self.guard.members[-1] / len(members)
        # Measured on a network that knew less and stood alone, the intervals' error is about halved by now.
        widen = 1 + (self.guard.widen - 1) / 2
        weights = np.array([*self.guard.members[:-1], *[share] * len(members)])
        self.guard = self.guard._replace(members=weights, widen=widen)
        return probe + members

    def _judge(self, task: ensemble.Task, networks: list[Network], prior: Floats | None = None) -> None:
        """Set the guard and the verdict from forecasts of the windows that training has not seen."""
        self.spread = None
        if not len(task.series):
            self.verdict = None
            if networks[0].loss.interval == "residuals":
                self.spread = np.tile(intervals.unknown(self.horizon), (len(networks), 1, 1))
            self.guard = guard.unjudged(len(networks), len(CANDIDATES))
            self.notes += ("too short to hold anything back: the forecast could not be checked, nor its intervals",)
            return
        made, options = ensemble.forecast(networks, *task.judged(), spread=self._unseen_spread(task, networks))
        actual = actuals(self.panel, task.series, task.origins, self.horizon)
        scale = metrics.seasonal_scale(self.panel.values, self.panel.offsets, task.ends, self.season, 1)[task.series]
        loyalty = PANEL_LOYALTY if len(self.panel) >= PANEL else guard.LOYALTY
        power = 1.0
        if self.probability:
            scale, power = np.ones_like(scale), 2.0
        case = guard.Case(made, options, actual, task.series, scale, prior, loyalty, power)
        self.guard = guard.decide(case)
        unseen = intervals.possible(guard.cross_fitted(case), self.config.train.loss)
        named = len(self.panel) <= NAMED
        where = self.panel, task.series, task.origins
        levels, kind = np.array(QUANTILES), self.probability
        self.verdict = judge(*where, unseen, levels, self.season, by_series=named, probability=kind)
        self.verdict.model.update(fitness.likelihood(networks, self.guard.members, *task.judged()))

    def _unseen_spread(self, task: ensemble.Task, networks: list[Network]) -> Floats | None:
        """Intervals of the validation windows of point forecasts, each from the errors of others; sets `spread`."""
        if networks[0].loss.interval != "residuals":
            return None
        errors = fitness.errors(networks, *task.judged())
        self.spread = np.stack([intervals.spread(one) for one in errors])
        fold = guard.folds(task.series)
        return np.stack([intervals.left_out(one, fold) for one in errors])

    @property
    def memory(self) -> int:
        """Steps after which the past has no say: the context, and what moving averages and ages remember."""
        main, second = self.scaling.seasons
        return 2 * self.context + max(20 * main, 10 * second, 200)

    def _scaling(self, panel: Panel, seasons: Seasons, ends: Ints | None = None) -> Scaling:
        model, raw = self.config.model, self.config.train.loss in RAW_LOSSES
        transform = "none" if raw else model.transform
        return Scaling.fit(panel, seasons, ends, scale=model.scale, transform=transform, linear=not raw)

    def _informed(self, panel: Panel, horizon: int) -> Panel:
        """The panel with what a calendar knows of the steps ahead."""
        return known.informed(panel, self.config.inputs, horizon)

    def _windows(self, panel: Panel, scaler: Any, horizon: int, trained: Ints, ends: Ints) -> Windows:
        stride = min(2 * self.context, int(self.panel.lengths.max()))
        panel = self._informed(panel, horizon)
        effect = self.scaling.effect(panel, scaler, trained, ends)
        steps = self.scaling.steps(panel, scaler, effect)
        joint = joint_inputs(panel, steps) if self.config.inputs.joint else None
        return Windows(steps, horizon, self.context, stride, self.scaling.covariates(panel, effect, joint))

    def seen_windows(self, panel: Panel, series: Ints, origins: Ints, horizon: int) -> Windows:
        """Windows of any panel; of series of no training, only what lies before their origins is looked at."""
        trained = panel.align(self.panel)
        ends = panel.lengths.copy()
        np.minimum.at(ends, series, origins + 1)
        return self._windows(panel, self.scaling.for_panel(panel, trained, ends), horizon, trained, ends)

    def _quantiles(self, panel: Panel, series: Ints, origins: Ints, horizon: int, levels: Floats) -> Floats:
        windows = self.seen_windows(panel, series, origins, horizon)
        asked = (*QUANTILES, *levels) if self.networks[0].loss.interval == "likelihood" else QUANTILES
        spread = None if self.spread is None else intervals.reaching(self.spread, horizon)[:, None]
        made, options = ensemble.forecast(self.networks, windows, series, origins, asked, spread)
        full = guard.apply(self.guard, made, options)
        low = windows.steps.state.low[series][:, None, None]
        exact = full[..., len(QUANTILES) :] if len(asked) > len(QUANTILES) else intervals.at_levels(full, levels)
        return np.maximum(exact, low)
