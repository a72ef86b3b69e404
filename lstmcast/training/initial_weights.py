"""Which weights training starts from: the shipped ones, those of another run, or none. Knows no files of its own."""

from collections.abc import Callable
from typing import NamedTuple

from lstmcast.config import Config, ModelConfig
from lstmcast.errors import UsageError
from lstmcast.features import candidates, steps
from lstmcast.network.trained import NetworkShape, count_recurrent_layers
from lstmcast.ragged import Singles
from lstmcast.runs import serialization
from lstmcast.training import members


class InitialWeights(NamedTuple):
    """Weights without columns for covariates, the network that they are of, and the scale that it saw."""

    arrays: dict[str, Singles]
    shape: NetworkShape
    scale: str = "causal"


class TrainingStart(NamedTuple):
    """What training starts from: `weights` (None is scratch), what a run records of it, and what is to be said."""

    weights: InitialWeights | None
    record: dict[str, str]
    said: str = ""


def load_pretrained_weights() -> InitialWeights:
    """The shipped weights."""
    arrays = members.load_pretrained_arrays()
    sizes = steps.N_STEP_FEATURES, candidates.N_LOCAL_FEATURES, len(candidates.CANDIDATES)
    return InitialWeights(
        arrays,
        NetworkShape(
            *sizes, hidden=len(arrays["state.weight"]), layers=count_recurrent_layers(arrays)
        ),
    )


def choose_initial_weights(config: Config, load: Callable[[str], InitialWeights]) -> TrainingStart:
    """The weights that the configuration asks for; `load` reads those of a run.

    Raises UsageError where weights that were asked for do not fit the network that was asked for,
    RunError where there is no such run.
    """
    asked = config.train.start
    if asked == "scratch":
        return TrainingStart(None, {"from": "scratch"})
    name = asked or "pretrained"
    weights = load_pretrained_weights() if name == "pretrained" else load(name)
    wrong = find_conflicting_options(config.model, weights)
    if not wrong:
        return TrainingStart(
            weights, {"from": name, "sha256": serialization.weights_sha256(weights.arrays)}
        )
    listed = ", ".join(wrong)
    if asked is None:
        why = f"{listed}: the pretrained weights do not fit, training starts from scratch"
        return TrainingStart(None, {"from": "scratch", "why": why}, why)
    kind, size = (
        weights.shape.cell.upper(),
        f"{weights.shape.layers} layers, {weights.shape.hidden} wide",
    )
    raise UsageError(
        f"--from {name} does not go with {listed}: its weights are of one {kind} with {size}",
        "leave out the options that do not fit, or train with --from scratch",
    )


def find_conflicting_options(model: ModelConfig, weights: InitialWeights) -> list[str]:
    """The options, as they are typed, that a network with these weights cannot have."""
    has, wrong = weights.shape, []
    for name in ("hidden", "layers", "cell", "bidirectional", "layer_norm"):
        wanted = getattr(model, name)
        if wanted not in (None, getattr(has, name)):
            wrong.append(_format_option(name, wanted))
    if model.scale != weights.scale:
        wrong.append(_format_option("scale", model.scale))
    if has.attention and not model.attention:
        wrong.append(_format_option("attention", False))
    return wrong


def _format_option(name: str, value: object) -> str:
    flag = name.replace("_", "-")
    return (
        (f"--{flag}" if value else f"--no-{flag}")
        if isinstance(value, bool)
        else f"--{flag} {value}"
    )
