"""lstmcast itself, through its library; the cold start through its command line."""

import copy
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from common import (
    CONTEXT,
    FEW,
    HORIZON,
    LAYERS,
    REPEATS,
    WIDTH,
    YEAR,
    Result,
    main,
    peak,
    repeated,
    resident,
    table,
    watched,
)

from lstmcast.config import Config, ModelConfig, TrainConfig, WindowConfig
from lstmcast.evaluation.backtest import backtest
from lstmcast.features.preprocessing import Scaling
from lstmcast.features.steps import Seasons
from lstmcast.features.windows import Windows
from lstmcast.network.inference import iter_batches
from lstmcast.network.losses import LossTargets
from lstmcast.network.torch_network import TorchNetwork, single_torch_thread, to_tensors
from lstmcast.panel.panel import Panel
from lstmcast.training.device import is_reduced_precision
from lstmcast.training.forecaster import Forecaster
from lstmcast.training.initial_weights import load_pretrained_arrays
from lstmcast.training.loop import (
    Event,
    take_training_step,
    train_network,
    update_average,
)
from lstmcast.training.members import (
    build_network,
    train_members,
)
from lstmcast.training.optimizers import Optimizer
from lstmcast.training.recipes import make_panel_recipes
from lstmcast.training.sampler import TrainingTask, WindowSampler
from lstmcast.training.schedule import Schedule


def _config(**train: object) -> Config:
    return Config(
        window=WindowConfig(horizon=HORIZON, context=CONTEXT),
        model=ModelConfig(hidden=WIDTH, layers=LAYERS),
        train=TrainConfig(**train),  # type: ignore[arg-type]
    )


def _panel(frame: pd.DataFrame) -> Panel:
    return Panel.from_frame(frame, target="y", time="ds", series="unique_id")


def save(file: str, model: str) -> None:
    """See common."""
    line = [
        "fit",
        file,
        "--target",
        "value",
        "--horizon",
        str(YEAR),
        "--out",
        model,
        "-q",
    ]
    subprocess.run(
        [sys.executable, "-m", "lstmcast", *line], check=True, stdout=subprocess.DEVNULL
    )


def windows(panel: Panel, config: Config) -> Windows:
    """The windows of a panel of hourly series."""
    scaling = Scaling.fit(panel, Seasons(24, 168))
    steps = scaling.steps(panel, scaling.scaler)
    context = config.window.context or CONTEXT
    return Windows(steps, config.window.horizon or HORIZON, context, 2 * context)


def train(series: int, length: int, precision: str = "") -> Result:
    """See common; in a precision of choice, or in that which it takes by itself here."""
    each, config = 8, _config()
    moments: list[float] = []

    def note(_: Event) -> None:
        moments.append(time.perf_counter())

    many = windows(_panel(table(series, length)), config)
    (recipe,) = make_panel_recipes(config, load_pretrained_arrays(), 1)
    schedule = recipe.schedule._replace(steps=each * (REPEATS + 1), every=each)
    if precision:
        schedule = schedule._replace(precision=precision)
    with single_torch_thread():
        network = build_network(recipe, many)
        train_network(
            network, WindowSampler.over(many, many.lengths), schedule, None, note
        )
    a_step = schedule.batch_size * schedule.origins
    found = [
        a_step * each / (b - a) for a, b in zip(moments[1:-1], moments[2:], strict=True)
    ]
    is_reduced = is_reduced_precision(schedule.precision)
    taken = "bfloat16" if is_reduced else "float32"
    return {"windows_per_second": found[-REPEATS:], "precision": taken}


def learn(
    file: str, horizon: int, seconds: int, out: str, start: str = "pretrained"
) -> Result:
    """See common; start: weights to start from."""
    window = WindowConfig(horizon=horizon, context=CONTEXT)
    made = Forecaster(
        Config(window=window, train=TrainConfig(time_budget=seconds, start=start))
    )
    panel = _panel(pd.read_csv(file, parse_dates=["ds"]))
    began = time.perf_counter()
    made.fit(panel)
    took = time.perf_counter() - began
    made.predict().to_csv(out, index=False)
    return {"seconds": took}


def memory(
    series: int, length: int, context: int = CONTEXT, horizon: int = HORIZON
) -> Result:
    """See common."""
    frame = table(series, length)
    torch.optim.AdamW([torch.zeros(1)])  # loads a great deal at its first use, once
    window = WindowConfig(horizon=horizon, context=context)
    config = replace(_config(steps=FEW, jobs=1), window=window)
    return watched(lambda: Forecaster(config).fit(_panel(frame)))


def many(
    series: int,
    length: int,
    reads: int = CONTEXT,
    members: int = 1,
    times: int = REPEATS,
) -> Result:
    """See common; reads: steps that a forecast reads; 0 members: the usual number."""
    config = replace(
        _config(steps=FEW, jobs=1, members=members or None),
        window=WindowConfig(HORIZON, reads // 2),
    )
    made = Forecaster(config).fit(_panel(table(series, length)))
    last = np.full(1, length - 1)
    _, batch = next(
        iter_batches(
            made.windows_at_origins(made.panel, last * 0, last, HORIZON), last * 0, last
        )
    )
    read = {"networks": len(made.networks), "steps": len(batch.x)}
    return {"seconds": repeated(made.predict, times), **read}


def budget(file: str, seconds: int) -> Result:
    """Return the seconds of a fit with a time budget: of its training, and of all of it."""
    panel, moments = _panel(pd.read_csv(file, parse_dates=["ds"])), []

    def note(event: Event) -> None:
        moments.append((event.phase, time.perf_counter()))

    config = Config(
        window=WindowConfig(horizon=48), train=TrainConfig(time_budget=seconds)
    )
    began = time.perf_counter()
    Forecaster(config).fit(panel, on_event=note)
    ended = time.perf_counter()
    begin = [moment for phase, moment in moments if phase == "prepare"][-1]
    return {"seconds": ended - began, "trained": moments[-1][1] - begin}


def members() -> Result:
    """Seconds of four trainings, one and two at a time."""
    config = replace(_config(), window=WindowConfig(horizon=HORIZON, context=48))
    learnt = windows(_panel(table(20, 1000)), config)
    none = np.empty(0, np.int64)
    task = TrainingTask(learnt, learnt.lengths, none, none)
    recipes = make_panel_recipes(config, load_pretrained_arrays(), 4)
    recipes = [
        one._replace(schedule=one.schedule._replace(steps=20)) for one in recipes
    ]
    return _one_and_two(lambda jobs: train_members(recipes, task, jobs, None))


def folds() -> Result:
    """Seconds of a backtest of four folds, one and two at a time."""
    config = Config(window=WindowConfig(horizon=HORIZON), train=TrainConfig(steps=10))
    panel = _panel(table(1, 1000))
    return _one_and_two(lambda jobs: backtest(panel, config, windows=4, jobs=jobs))


def _one_and_two(work: Callable[[int], object]) -> Result:
    """Seconds of work in one process and in two, in turn, once they have started."""
    seconds: dict[str, list[float]] = {"1": [], "2": []}
    for jobs in (1, 2) * (REPEATS + 1):
        began = time.perf_counter()
        work(jobs)
        seconds[str(jobs)].append(time.perf_counter() - began)
    return {jobs: taken[1:] for jobs, taken in seconds.items()}


def grow(series: int, rows: int, context: int, horizon: int, width: int) -> Result:
    """Return processor seconds around training, of a step and of a forecast, and peak memory."""
    panel = _panel(table(series, rows))
    config = Config(
        window=WindowConfig(horizon=horizon, context=context),
        model=ModelConfig(hidden=width),
        train=TrainConfig(start="scratch", steps=0, jobs=1),
    )
    torch.optim.AdamW([torch.zeros(1)])
    held = resident()
    made = Forecaster(config).fit(panel)
    around = statistics.median(
        _spent(lambda: Forecaster(config).fit(panel)) for _ in range(REPEATS)
    )
    ahead = statistics.median(_spent(made.predict) for _ in range(REPEATS))
    (recipe,) = make_panel_recipes(config, None, 1)
    learnt = windows(panel, config)
    with single_torch_thread():
        each = _Parts(
            build_network(recipe, learnt),
            WindowSampler.over(learnt, learnt.lengths),
            recipe.schedule,
        )
        steps = [_spent(each.whole) for _ in range(REPEATS + 2)][2:]
    return {
        "around": around,
        "predict": ahead,
        "step": statistics.median(steps),
        "peak": peak() - held,
    }


def step() -> Result:
    """Return the seconds of the parts of a training step, and of the machine's matrix products."""
    config = _config()
    learnt = windows(_panel(table(100, 1000)), config)
    (recipe,) = make_panel_recipes(config, load_pretrained_arrays(), 1)
    found: Result = {}
    with single_torch_thread():
        for precision in ("float32", "bfloat16"):
            network = build_network(recipe, learnt)
            network.reduced = precision == "bfloat16"
            parts = _Parts(
                network.train(),
                WindowSampler.over(learnt, learnt.lengths),
                recipe.schedule,
            )
            kinds = {
                "batch": parts.draw,
                "encoder": parts.encode,
                "network": parts.learn,
                "whole": parts.whole,
            }
            rounds = [
                {name: _spent(work) for name, work in kinds.items()}
                for _ in range(4 * REPEATS)
            ]
            medians = {
                name: statistics.median(one[name] for one in rounds[2:])
                for name in kinds
            }
            found[precision] = medians | {
                "products": _products(getattr(torch, precision)),
                "encoded": parts.encoded,
            }
        found["reduces"] = is_reduced_precision("auto")
    return found


class _Parts:
    """The parts of a training step, to be called one by one."""

    def __init__(
        self, network: TorchNetwork, sampler: WindowSampler | None, schedule: Schedule
    ) -> None:
        assert sampler is not None
        self.network, self.sampler, self.schedule = network, sampler, schedule
        self.rng = np.random.default_rng(0)
        self.optimizer = Optimizer(
            network.parameters(), schedule.optimizer, schedule.weight_decay
        )
        self.average = copy.deepcopy(network)
        self.batch = self.draw()

    def draw(self) -> Any:
        """Build a batch."""
        return self.sampler.draw(
            self.rng, self.schedule.batch_size, self.schedule.origins
        )

    def encode(self) -> None:
        """Forwards and backwards through the encoder alone."""
        x, at, _, _, pad = to_tensors(self.batch)
        self.network.encode(x, at, pad)[0].sum().backward()

    def learn(self) -> None:
        """Forwards and backwards through all of the network and the loss."""
        self.network.loss(
            self.network(*to_tensors(self.batch)), LossTargets.of(self.batch)
        ).backward()

    def whole(self) -> None:
        """A step as training makes it."""
        self.batch = self.draw()
        take_training_step(
            self.network, self.optimizer, self.batch, self.schedule.grad_clip
        )
        update_average(self.average, self.network, 0.9)

    @property
    def encoded(self) -> float:
        """Operations of the encoder's matrix products, forwards and twice that backwards."""
        steps, rows, features = self.batch.x.shape
        width, layers = self.network.shape.hidden, self.network.shape.layers
        weights = 4 * width * (features + width) + (layers - 1) * 4 * width * 2 * width
        return 3 * 2.0 * steps * rows * weights


def _products(kind: torch.dtype) -> float:
    """Operations a second of a matrix product that is large enough, the best of some."""
    size = 1024
    left = torch.randn(size, size).to(kind)
    return max(2 * size**3 / _spent(lambda: left @ left) for _ in range(20))


def _spent(work: Callable[[], object]) -> float:
    """Processor seconds of a call."""
    began = time.process_time()
    work()
    return time.process_time() - began


if __name__ == "__main__":
    actions = (save, train, learn, memory, many, budget, members, folds, grow, step)
    main(**{action.__name__: action for action in actions})
