"""Options for the window, the network and its training, and all settings of a fit together."""

from dataclasses import dataclass, replace
from typing import Annotated

from lstmcast.cli.options.columns import ColumnOptions, InputOptions
from lstmcast.cli.options.declare import (
    DEFAULT_INFERRED,
    DEFAULT_NONE,
    DEFAULT_TUNED,
    MODEL,
    TRAINING,
    WINDOW,
    list_choices,
    make_flag,
    make_option,
)
from lstmcast.cli.options.engine import Jobs
from lstmcast.cli.options.reading import DataOptions
from lstmcast.config import (
    Cell,
    Config,
    Device,
    LearningRateSchedule,
    Loss,
    ModelConfig,
    Optimizer,
    Precision,
    Scale,
    TrainConfig,
    Transform,
    WindowConfig,
)

# A network that starts from other weights has their size.
_DEFAULT_AS_START = "as in the weights it starts from"
TimeBudget = Annotated[
    str | None,
    make_option(
        TRAINING, "TIME", "Stop training after this time: 60s, 5m, 1h.", DEFAULT_NONE
    ),
]


@dataclass(frozen=True)
class WindowOptions:
    """The sliding window."""

    horizon: Annotated[
        int | None,
        make_option(
            WINDOW,
            "STEPS",
            "Steps to forecast, 1 or more.",
            DEFAULT_INFERRED,
            "--horizon",
            "-H",
        ),
    ] = None
    season: Annotated[
        int | None,
        make_option(
            WINDOW,
            "STEPS",
            "Length of the main season, 1 or more; 1 is none.",
            DEFAULT_INFERRED,
        ),
    ] = None
    context: Annotated[
        int | None,
        make_option(
            WINDOW,
            "STEPS",
            "Steps the network looks back, 1 or more.",
            DEFAULT_INFERRED,
        ),
    ] = None
    validation: Annotated[
        int | None,
        make_option(
            WINDOW,
            "STEPS",
            "Last steps, held out for validation, 1 or more.",
            DEFAULT_INFERRED,
        ),
    ] = None

    def config(self) -> WindowConfig:
        """Return the same as configuration."""
        return WindowConfig(**vars(self))


@dataclass(frozen=True)
class ModelOptions:
    """The network."""

    # Defaults are those of the configuration: command line and library cannot differ.
    cell: Annotated[
        Cell,
        make_option(MODEL, "CELL", f"Recurrent cell: {list_choices(Cell)}."),
    ] = ModelConfig.cell
    layers: Annotated[
        int | None,
        make_option(MODEL, "N", "Recurrent layers, 1 or more.", _DEFAULT_AS_START),
    ] = None
    hidden: Annotated[
        int | None,
        make_option(MODEL, "N", "Width of a layer, 1 or more.", _DEFAULT_AS_START),
    ] = None
    bidirectional: Annotated[
        bool,
        make_flag(
            MODEL,
            "Read the context of each origin in both directions.",
            "--bidirectional/--no-bidirectional",
        ),
    ] = ModelConfig.bidirectional
    attention: Annotated[
        bool,
        make_flag(
            MODEL,
            "Let each origin attend to its context.",
            "--attention/--no-attention",
        ),
    ] = ModelConfig.attention
    layer_norm: Annotated[
        bool,
        make_flag(
            MODEL, "Normalise the output of each layer.", "--layer-norm/--no-layer-norm"
        ),
    ] = ModelConfig.layer_norm
    dropout: Annotated[
        float,
        make_option(MODEL, "SHARE", "Units dropped in training, 0 to below 1."),
    ] = ModelConfig.dropout
    scale: Annotated[
        Scale,
        make_option(MODEL, "SCALE", f"Scaling of a series: {list_choices(Scale)}."),
    ] = ModelConfig.scale
    transform: Annotated[
        Transform,
        make_option(MODEL, "HOW", f"Transform of a series: {list_choices(Transform)}."),
    ] = ModelConfig.transform

    def config(self) -> ModelConfig:
        """Return the same as configuration."""
        return ModelConfig(**vars(self))


@dataclass(frozen=True)
class TrainOptions:
    """The training."""

    # Its flag cannot be the field's name, since `from` is a word of Python.
    start: Annotated[
        str | None,
        make_option(
            TRAINING,
            "WEIGHTS",
            "Start from: pretrained, scratch or a run.",
            "pretrained, where it fits",
            "--from",
        ),
    ] = TrainConfig.start
    loss: Annotated[
        Loss,
        make_option(TRAINING, "LOSS", f"Loss to minimise: {list_choices(Loss)}."),
    ] = TrainConfig.loss
    # None is not 0: how long to train is chosen by validation then.
    steps: Annotated[
        int | None,
        make_option(TRAINING, "N", "Training steps, 0 or more.", DEFAULT_TUNED),
    ] = None
    lr: Annotated[
        float | None,
        make_option(TRAINING, "RATE", "Learning rate, above 0.", DEFAULT_TUNED),
    ] = None
    batch_size: Annotated[
        int,
        make_option(TRAINING, "N", "Chunks in a batch, 1 or more."),
    ] = TrainConfig.batch_size
    optimizer: Annotated[
        Optimizer,
        make_option(TRAINING, "NAME", f"Optimizer: {list_choices(Optimizer)}."),
    ] = TrainConfig.optimizer
    schedule: Annotated[
        LearningRateSchedule,
        make_option(
            TRAINING,
            "NAME",
            f"Learning rate after the warm-up: {list_choices(LearningRateSchedule)}.",
        ),
    ] = TrainConfig.schedule
    patience: Annotated[
        int,
        make_option(
            TRAINING, "N", "Validations without improvement before it stops, 1 or more."
        ),
    ] = TrainConfig.patience
    weight_decay: Annotated[
        float | None,
        make_option(
            TRAINING, "RATE", "Weight decay, 0 or more.", "0.01 with adamw, else none"
        ),
    ] = None
    grad_clip: Annotated[
        float,
        make_option(TRAINING, "NORM", "Largest norm of the gradient, above 0."),
    ] = TrainConfig.grad_clip
    time_budget: TimeBudget = None
    members: Annotated[
        int | None,
        make_option(
            TRAINING, "N", "Networks in the ensemble, 1 or more.", DEFAULT_TUNED
        ),
    ] = None
    device: Annotated[
        Device,
        make_option(TRAINING, "DEVICE", f"Where to train: {list_choices(Device)}."),
    ] = TrainConfig.device
    precision: Annotated[
        Precision,
        make_option(
            TRAINING,
            "FORMAT",
            "Matrix products in training: float32, bfloat16, or auto (bfloat16 where it is fast).",
        ),
    ] = TrainConfig.precision
    seed: Annotated[
        int,
        make_option(TRAINING, "N", "Seed of all that is random, 0 or more."),
    ] = TrainConfig.seed
    jobs: Jobs = None

    def config(self) -> TrainConfig:
        """Return the same as configuration."""
        return TrainConfig(**vars(self))


@dataclass(frozen=True)
class ForecastOptions:
    """What is read and forecast: columns, further inputs, the reading of a file, the window."""

    columns: ColumnOptions = ColumnOptions()
    inputs: InputOptions = InputOptions()
    reading: DataOptions = DataOptions()
    window: WindowOptions = WindowOptions()

    def config(self) -> Config:
        """Return all settings of a fit; those that are no options here have their defaults."""
        return Config(
            data=self.reading.config(),
            window=self.window.config(),
            inputs=self.inputs.config(),
        )


@dataclass(frozen=True)
class FitOptions(ForecastOptions):
    """All that a fit is made of."""

    model: ModelOptions = ModelOptions()
    train: TrainOptions = TrainOptions()

    def config(self) -> Config:
        """Return all settings of the fit."""
        forecast = super().config()
        model = self.model.config()
        return replace(forecast, model=model, train=self.train.config())
