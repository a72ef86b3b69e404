"""Which networks are trained, and for how long. Knows no torch."""

from typing import NamedTuple

from lstmcast.compute.seeds import derive_seed
from lstmcast.config import Config, ModelConfig
from lstmcast.features.candidates import CANDIDATES, N_LOCAL_FEATURES
from lstmcast.features.steps import N_STEP_FEATURES
from lstmcast.features.windows import Windows
from lstmcast.network.trained import (
    NetworkShape,
    TrainedNetwork,
    add_covariate_columns,
    count_neighbours,
    count_recurrent_layers,
)
from lstmcast.ragged import Singles
from lstmcast.training.schedule import LR_FACTORS, Schedule

WeightArrays = dict[str, Singles]
MIN_TIME_STEPS_FROM_SCRATCH = 250
"""With fewer time steps than this, networks trained from scratch do more harm than good."""
_FIRST_EXTRA_SEED = 10
"""Number of the seed of the first member beyond the usual kinds."""


class Recipe(NamedTuple):
    """One way to train a member.

    start: weights to start from, which are those of a network trained for the loss `head`, or None
    for a network of width `hidden`. prior: how far to trust it before any evidence, relative to the
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


class _Constants(NamedTuple):
    """What a recipe sets where the user sets nothing; None where the usual default holds.

    number: which seed derived from the user's it takes.
    """

    steps: int
    lr: float
    number: int
    every: int
    hidden: int = 64
    dropout: float | None = None
    weight_decay: float = 0.01


_PANEL_FROM_SCRATCH = _Constants(1000, 3e-3, 0, every=50)
_PANEL_FINE_TUNED = _Constants(600, 2e-3, 0, every=50)
_FINE_TUNED = _Constants(60, 5e-4, 3, every=20)
_WIDE = _Constants(250, 3e-3, 0, every=50)
_NARROW = _Constants(120, 3e-3, 1, every=40, hidden=32, dropout=0.2, weight_decay=0.05)


def make_panel_recipes(
    config: Config, start: WeightArrays | None, members: int, head: str = "quantile"
) -> list[Recipe]:
    """Return recipes for a panel: the same training from `members` seeds.

    From pretrained weights it is shorter.
    """
    constants = _PANEL_FINE_TUNED
    kind = "fine-tuned"
    if start is None:
        constants = _PANEL_FROM_SCRATCH
        kind = "scratch"
    recipes = []
    for number in range(members):
        name = f"{kind} {number + 1}"
        seeded = constants._replace(number=number)
        recipe = _make_recipe(config, name, start, seeded)
        recipes.append(recipe._replace(head=head))
    return recipes


def make_small_data_recipes(
    config: Config,
    start: WeightArrays | None,
    members: int | None,
    steps: int,
    head: str = "quantile",
) -> list[Recipe]:
    """Return recipes for few series, where training overfits: gentle, small and all different.

    steps: time steps of all series together; with few of them no network is trained from scratch
    beside `start`. Where the user sets 0 training steps, the weights to start from are left as
    they are.
    """
    from_scratch = [
        _make_recipe(config, "scratch 64", None, _WIDE),
        _make_recipe(config, "scratch 32, 1", None, _NARROW),
        _make_recipe(config, "scratch 32, 2", None, _NARROW._replace(number=2)),
    ]
    kinds = from_scratch
    if start is not None:
        fine_tuned = _make_recipe(config, "fine-tuned", start, _FINE_TUNED)
        fine_tuned = fine_tuned._replace(head=head)
        untrained = fine_tuned.schedule._replace(steps=0)
        as_it_is = fine_tuned._replace(name="as it is", schedule=untrained)
        if fine_tuned.schedule.steps == 0:
            return [as_it_is]
        kinds = [as_it_is, fine_tuned]
        if steps >= MIN_TIME_STEPS_FROM_SCRATCH:
            kinds += [recipe._replace(prior=0.5) for recipe in from_scratch]
    if members is None:
        return kinds
    # More members than kinds: the kinds again in turn, each from a seed of its own.
    chosen = kinds[:members]
    count = len(kinds)
    for position in range(count, members):
        recipe = kinds[position % count]
        number = _FIRST_EXTRA_SEED + position - count
        reseeded = _reseed_schedule(recipe.schedule, number)
        chosen.append(recipe._replace(schedule=reseeded))
    return chosen


def _make_recipe(
    config: Config, name: str, start: WeightArrays | None, constants: _Constants
) -> Recipe:
    """Return a recipe of these constants, overruled by whatever the user set."""
    train = config.train
    model = config.model
    # Only AdamW decays weights apart from the gradient; elsewhere it would bend the gradient.
    usual_decay = constants.weight_decay if train.optimizer == "adamw" else 0.0
    rate = LR_FACTORS[train.optimizer]
    usual_lr = constants.lr * rate
    schedule = Schedule(
        steps=constants.steps if train.steps is None else train.steps,
        lr=usual_lr if train.lr is None else train.lr,
        batch_size=train.batch_size,
        origins=train.origins,
        weight_decay=usual_decay if train.weight_decay is None else train.weight_decay,
        grad_clip=train.grad_clip,
        patience=train.patience,
        every=constants.every,
        least=constants.every,
        seed=train.seed,
        precision=train.precision,
        device=train.device,
        optimizer=train.optimizer,
        decay=train.schedule,
    )
    # The setting has a default rather than None: only another value is the user's.
    dropout = model.dropout
    if constants.dropout is not None and model.dropout == ModelConfig().dropout:
        dropout = constants.dropout
    return Recipe(
        name,
        start,
        _reseed_schedule(schedule, constants.number),
        hidden=model.hidden or constants.hidden,
        layers=model.layers or 2,
        dropout=dropout,
        model=model,
        loss=train.loss,
    )


def _reseed_schedule(schedule: Schedule, number: int) -> Schedule:
    seed = derive_seed(schedule.seed, number)
    return schedule._replace(seed=seed)


def choose_network_shape(recipe: Recipe, windows: Windows) -> NetworkShape:
    """Return the shape of a recipe's network: the size is that of its initial weights, if any."""
    model = recipe.model
    hidden = recipe.hidden
    layers = recipe.layers
    neighbours = 0
    # Weights to start from fit no other size.
    if recipe.start is not None:
        hidden = recipe.start["state.weight"].shape[0]
        layers = count_recurrent_layers(recipe.start)
        neighbours = count_neighbours(recipe.start)
    covariates = ahead = 0
    if windows.covariates is not None:
        covariates = windows.covariates.step.shape[1]
        ahead = windows.covariates.ahead.shape[1]
    reads_context = model.bidirectional or model.attention
    return NetworkShape(
        features=N_STEP_FEATURES,
        local=N_LOCAL_FEATURES,
        candidates=len(CANDIDATES),
        hidden=hidden,
        layers=layers,
        covariates=covariates,
        ahead=ahead,
        cell=model.cell,
        bidirectional=model.bidirectional,
        attention=model.attention,
        layer_norm=model.layer_norm,
        context=windows.context if reads_context else 0,
        loss=recipe.loss,
        neighbours=neighbours,
    )


def to_untrained_network(recipe: Recipe, windows: Windows) -> TrainedNetwork:
    """Return the network of a recipe's initial weights as they are, without torch.

    Raises ValueError where the recipe asks for a network of another kind, see
    `initial_weights.can_forecast_untrained`.
    """
    shape = choose_network_shape(recipe, windows)
    weights = add_covariate_columns(recipe.start or {}, shape)
    return TrainedNetwork(shape, weights)
