"""Which networks are trained, and how long."""

from typing import NamedTuple

from lstmcast.compute.seeds import derive_seed
from lstmcast.config import Config, ModelConfig
from lstmcast.ragged import Singles
from lstmcast.training.loop import Schedule
from lstmcast.training.optimizers import OPTIMIZERS

WeightArrays = dict[str, Singles]
MIN_TIME_STEPS_FROM_SCRATCH = 250
"""With fewer time steps than this, networks trained from nothing do more harm than good."""


class Recipe(NamedTuple):
    """One way to train a member.

    start: weights to start from, which are those of a network trained for the loss `head`, or None
    for a network of width `hidden`. prior: how far to trust it before any evidence, against the
    other members.
    """

    name: str
    start: WeightArrays | None
    schedule: Schedule
    hidden: int = 64
    layers: int = 2
    dropout: float = 0.1
    prior: float = 1.0
    model: ModelConfig = ModelConfig()
    loss: str = "quantile"
    head: str = "quantile"


def make_panel_recipes(
    config: Config, start: WeightArrays | None, members: int, head: str = "quantile"
) -> list[Recipe]:
    """Recipes for a panel: the same training from `members` seeds. From pretrained weights it is short."""
    steps, lr = (1000, 3e-3) if start is None else (600, 2e-3)
    name = "scratch" if start is None else "fine-tuned"
    made = [
        _make_recipe(config, f"{name} {k + 1}", start, steps, lr, k, every=50)
        for k in range(members)
    ]
    return [recipe._replace(head=head) for recipe in made]


def make_small_data_recipes(
    config: Config,
    start: WeightArrays | None,
    members: int | None,
    steps: int,
    head: str = "quantile",
) -> list[Recipe]:
    """Recipes for one or few series, where training overfits: gentle, small and different from each other.

    steps: time steps of all series together; networks are trained from nothing only where there are
    enough of them. With 0 training steps asked for, only the weights to start from, as they are.
    """
    fresh = [
        _make_recipe(config, "scratch 64", None, 250, 3e-3, 0, every=50),
        _make_recipe(
            config,
            "scratch 32, 1",
            None,
            120,
            3e-3,
            1,
            every=40,
            hidden=32,
            dropout=0.2,
            decay=0.05,
        ),
        _make_recipe(
            config,
            "scratch 32, 2",
            None,
            120,
            3e-3,
            2,
            every=40,
            hidden=32,
            dropout=0.2,
            decay=0.05,
        ),
    ]
    if start is not None:
        gentle = _make_recipe(config, "fine-tuned", start, 60, 5e-4, 3, every=20)._replace(
            head=head
        )
        as_is = gentle._replace(name="as it is", schedule=gentle.schedule._replace(steps=0))
        if gentle.schedule.steps == 0:
            return [as_is]
        kinds = (
            [as_is, gentle]
            if steps < MIN_TIME_STEPS_FROM_SCRATCH
            else [as_is, gentle, *(k._replace(prior=0.5) for k in fresh)]
        )
    else:
        kinds = fresh
    if members is None:
        return kinds
    again = [kinds[i % len(kinds)] for i in range(len(kinds), members)]
    return (
        kinds
        + [k._replace(schedule=_reseed_schedule(k.schedule, i)) for i, k in enumerate(again, 10)]
    )[:members]


def _make_recipe(
    config: Config,
    name: str,
    start: WeightArrays | None,
    steps: int,
    lr: float,
    number: int,
    *,
    every: int,
    hidden: int = 64,
    dropout: float | None = None,
    decay: float | None = None,
) -> Recipe:
    """A recipe's own constants, overruled by whatever the user set."""
    asked, net = config.train, config.model
    usual = (decay or 0.01) if asked.optimizer == "adamw" else 0.0
    schedule = Schedule(
        steps=steps if asked.steps is None else asked.steps,
        lr=lr * OPTIMIZERS[asked.optimizer].rate if asked.lr is None else asked.lr,
        batch_size=asked.batch_size,
        origins=asked.origins,
        weight_decay=usual if asked.weight_decay is None else asked.weight_decay,
        grad_clip=asked.grad_clip,
        patience=asked.patience,
        every=every,
        least=every,
        seed=asked.seed,
        precision=asked.precision,
        device=asked.device,
        optimizer=asked.optimizer,
        decay=asked.schedule,
    )
    drop = _prefer_user_value(net.dropout, ModelConfig().dropout, dropout)
    seeded = _reseed_schedule(schedule, number)
    return Recipe(
        name, start, seeded, net.hidden or hidden, net.layers or 2, drop, model=net, loss=asked.loss
    )


def _prefer_user_value(asked: float, default: float, own: float | None) -> float:
    """A recipe's own constant, unless the user asked for another value than the default."""
    return asked if own is None or asked != default else own


def _reseed_schedule(schedule: Schedule, number: int) -> Schedule:
    return schedule._replace(seed=derive_seed(schedule.seed, number))
