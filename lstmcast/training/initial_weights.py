"""Which weights training starts from: the shipped ones, those of another run, or none. Knows no files of its own."""

from collections.abc import Callable
from typing import NamedTuple

from lstmcast.config import Config, ModelConfig
from lstmcast.errors import UsageError
from lstmcast.features import candidates, steps
from lstmcast.network.trained import Shape, Singles, depth
from lstmcast.runs import serialization
from lstmcast.training import members


class Weights(NamedTuple):
    """Weights without columns for covariates, the network that they are of, and the scale that it saw."""

    arrays: dict[str, Singles]
    shape: Shape
    scale: str = "causal"


class Start(NamedTuple):
    """What training starts from: `weights` (None is scratch), what a run records of it, and what is to be said."""

    weights: Weights | None
    record: dict[str, str]
    said: str = ""


def pretrained() -> Weights:
    """The shipped weights."""
    arrays = members.pretrained_weights()
    sizes = steps.STEP_FEATURES, candidates.LOCAL_FEATURES, len(candidates.CANDIDATES)
    return Weights(arrays, Shape(*sizes, hidden=len(arrays["state.weight"]), layers=depth(arrays)))


def find(config: Config, load: Callable[[str], Weights]) -> Start:
    """The weights that the configuration asks for; `load` reads those of a run.

    Raises UsageError where weights that were asked for do not fit the network that was asked for, RunError where there
    is no such run.
    """
    asked = config.train.start
    if asked == "scratch":
        return Start(None, {"from": "scratch"})
    name = asked or "pretrained"
    weights = pretrained() if name == "pretrained" else load(name)
    wrong = misfits(config.model, weights)
    if not wrong:
        return Start(weights, {"from": name, "sha256": serialization.digest(weights.arrays)})
    listed = ", ".join(wrong)
    if asked is None:
        why = f"{listed}: the pretrained weights do not fit, training starts from scratch"
        return Start(None, {"from": "scratch", "why": why}, why)
    kind, size = weights.shape.cell.upper(), f"{weights.shape.layers} layers, {weights.shape.hidden} wide"
    raise UsageError(
        f"--from {name} does not go with {listed}: its weights are of one {kind} with {size}",
        "leave out the options that do not fit, or train with --from scratch",
    )


def misfits(model: ModelConfig, weights: Weights) -> list[str]:
    """The options, as they are typed, that a network with these weights cannot have."""
    has, wrong = weights.shape, []
    for name in ("hidden", "layers", "cell", "bidirectional", "layer_norm"):
        wanted = getattr(model, name)
        if wanted not in (None, getattr(has, name)):
            wrong.append(_typed(name, wanted))
    if model.scale != weights.scale:
        wrong.append(_typed("scale", model.scale))
    if has.attention and not model.attention:
        wrong.append(_typed("attention", False))
    return wrong


def _typed(name: str, value: object) -> str:
    flag = name.replace("_", "-")
    return (f"--{flag}" if value else f"--no-{flag}") if isinstance(value, bool) else f"--{flag} {value}"
