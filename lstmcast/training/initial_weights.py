"""Which weights training starts from: the shipped ones, those of another run, or none.

Knows no files but the shipped ones, and no torch.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from safetensors.numpy import load_file

from lstmcast.config import Config, ModelConfig
from lstmcast.errors import UsageError
from lstmcast.forecasting.predictor import Predictor
from lstmcast.network.generations import infer_shape, upgrade_network
from lstmcast.network.trained import NetworkShape
from lstmcast.ragged import Singles
from lstmcast.runs import serialization
from lstmcast.training.recipes import WeightArrays

_PRETRAINED_FOLDER = Path(__file__).parents[1] / "pretrained"
PRETRAINED_WEIGHTS_FILE = _PRETRAINED_FOLDER / "weights.safetensors"
"""Of the network that practised series of years, quarters and months most."""
LONG_SEASONS_WEIGHTS_FILE = _PRETRAINED_FOLDER / "long_seasons.safetensors"
"""Of the network that practised days, hours and seasons of any length most."""
YEARLY_SEASONS = frozenset({1, 2, 3, 4, 6, 12})
"""Steps of the main season where a step is a month, a quarter or more, as the first of the two
expects. 1 is no season."""


class InitialWeights(NamedTuple):
    """Weights without columns for covariates, the network that they fit, and its scaling."""

    arrays: dict[str, Singles]
    shape: NetworkShape
    scale: str = "causal"


class TrainingStart(NamedTuple):
    """What training starts from.

    weights: None to start from scratch. record: what a run records of it. message: what the user
    is to know; empty where nothing is out of the ordinary.
    """

    weights: InitialWeights | None
    record: dict[str, str]
    message: str = ""


def load_pretrained_arrays() -> WeightArrays:
    """Return the shipped weights, trained on synthetic series only (see `pretrain.py`)."""
    return load_pretrained_weights().arrays


def load_pretrained_weights(season: int = 1) -> InitialWeights:
    """Return the shipped weights for series of a season, brought to the inputs of this version.

    season: steps of the main one; 1 where series have none.
    """
    file = LONG_SEASONS_WEIGHTS_FILE
    if season in YEARLY_SEASONS:
        file = PRETRAINED_WEIGHTS_FILE
    weights = {}
    for name, value in load_file(file).items():
        weights[name] = value.astype(np.float32)
    network = upgrade_network(infer_shape(weights), weights)
    return InitialWeights(dict(network.weights), network.shape)


def load_trusted_weights(path: str) -> InitialWeights:
    """Return the weights of the member of a run that weighs most in its combination."""
    run = Predictor.load(path)
    heaviest = np.argmax(run.combination.members)
    trusted = run.networks[int(heaviest)]
    weights = serialization.without_covariate_weights(trusted.weights)
    return InitialWeights(weights, trusted.shape, run.config.model.scale)


def choose_initial_weights(
    config: Config, load: Callable[[str], InitialWeights]
) -> TrainingStart:
    """Return the weights that the configuration requests; `load` reads those of a run.

    Raises UsageError where requested weights do not fit the requested network, RunError where there
    is no such run.
    """
    requested = config.train.start
    if requested == "scratch":
        return TrainingStart(None, {"from": "scratch"})
    name = requested or "pretrained"
    weights = load_pretrained_weights() if name == "pretrained" else load(name)
    conflicts = find_conflicting_options(config.model, weights)
    if not conflicts:
        return _start_from(name, weights)
    options = ", ".join(conflicts)
    if requested is None:
        why = f"{options}: the pretrained weights do not fit, training starts from scratch"
        return TrainingStart(None, {"from": "scratch", "why": why}, why)
    shape = weights.shape
    network = (
        f"one {shape.cell.upper()} with {shape.layers} layers, {shape.hidden} wide"
    )
    raise UsageError(
        f"--from {name} does not go with {options}: its weights are of {network}",
        "leave out the options that do not fit, or train with --from scratch",
    )


def choose_by_season(start: TrainingStart, season: int) -> TrainingStart:
    """Return a start from the shipped network for a season; any other start stays as it is.

    A start from shipped weights has those for short seasons. Both networks have the same size, so
    options that fit one of them fit the other.
    """
    if start.record["from"] != "pretrained" or season in YEARLY_SEASONS:
        return start
    return _start_from("pretrained", load_pretrained_weights(season))


def _start_from(name: str, weights: InitialWeights) -> TrainingStart:
    digest = serialization.weights_sha256(weights.arrays)
    return TrainingStart(weights, {"from": name, "sha256": digest})


def can_forecast_untrained(config: Config, start: TrainingStart) -> bool:
    """Whether no training is requested, and the initial weights forecast as they are.

    Those of another loss, or without the attention that is requested, need a new last layer or a
    new part, which torch makes.
    """
    if config.train.steps != 0 or start.weights is None:
        return False
    shape = start.weights.shape
    return shape.loss == config.train.loss and shape.attention == config.model.attention


def find_conflicting_options(model: ModelConfig, weights: InitialWeights) -> list[str]:
    """Return the options, as they are typed, that a network with these weights cannot have."""
    shape = weights.shape
    conflicts = []
    for name in ("hidden", "layers", "cell", "bidirectional", "layer_norm"):
        value = getattr(model, name)
        if value is not None and value != getattr(shape, name):
            conflicts.append(_format_option(name, value))
    if model.scale != weights.scale:
        conflicts.append(_format_option("scale", model.scale))
    # Attention can be added to weights without it, but not taken away.
    if shape.attention and not model.attention:
        conflicts.append(_format_option("attention", False))
    return conflicts


def _format_option(name: str, value: object) -> str:
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return f"--{flag}" if value else f"--no-{flag}"
    return f"--{flag} {value}"
