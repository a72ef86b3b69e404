"""GluonTS's DeepAR for torch, with its own defaults where nothing is compared."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from common import (
    CONTEXT,
    FEW,
    HORIZON,
    LAYERS,
    PAST,
    QUIET,
    WIDTH,
    YEAR,
    Result,
    Steps,
    lightning_clock,
    main,
    monthly,
    plain,
    repeated,
    table,
    watched,
)
from gluonts.dataset.pandas import PandasDataset
from gluonts.torch import DeepAREstimator, PyTorchPredictor
from lightning.pytorch.callbacks import Callback

WINDOWS = 32
"""Windows of a step, its default."""
LEVELS = (0.1, 0.5, 0.9)


def _model(
    freq: str = "h",
    horizon: int = HORIZON,
    context: int = CONTEXT,
    steps: int = FEW,
    **more: Any,
) -> Any:
    return DeepAREstimator(
        freq=freq,
        prediction_length=horizon,
        context_length=context,
        hidden_size=WIDTH,
        num_layers=LAYERS,
        batch_size=WINDOWS,
        num_batches_per_epoch=steps,
        trainer_kwargs={**QUIET, "max_epochs": 1, **more},
    )


def _dataset(frame: pd.DataFrame, freq: str = "h") -> PandasDataset:
    return PandasDataset.from_long_dataframe(
        frame,
        item_id="unique_id",
        timestamp="ds",
        target="y",
        freq=freq,
        assume_sorted=True,
    )


def save(file: str, model: str) -> None:
    """See common."""
    predictor = _model("ME", YEAR, PAST, enable_checkpointing=True).train(
        _dataset(monthly(file), "M")
    )
    Path(model).mkdir()
    predictor.serialize(Path(model))


def predict(file: str, model: str, out: str) -> None:
    """See common."""
    predictor = PyTorchPredictor.deserialize(Path(model))
    (forecast,) = predictor.predict(_dataset(monthly(file), "M"))
    frame = pd.DataFrame(
        {f"q{100 * level:g}": forecast.quantile(level) for level in LEVELS}
    )
    frame.insert(0, "ds", forecast.index.to_timestamp())
    frame.to_csv(out, index=False)


def train(series: int, length: int) -> Result:
    """See common."""
    steps = Steps(10)
    clock = lightning_clock(steps, Callback)
    _model(steps=steps.wanted, callbacks=[clock], enable_checkpointing=True).train(
        _dataset(plain(table(series, length)))
    )
    return {"windows_per_second": steps.per_second(WINDOWS)}


def learn(file: str, horizon: int, seconds: int, out: str) -> Result:
    """See common."""
    dataset = _dataset(pd.read_csv(file, parse_dates=["ds"]))
    limits = {
        "max_epochs": 100_000,
        "max_time": {"seconds": seconds},
        "enable_checkpointing": True,
    }
    began = time.perf_counter()
    predictor = _model(horizon=horizon, steps=50, **limits).train(dataset)
    took = time.perf_counter() - began
    parts = []
    for forecast in predictor.predict(dataset):
        median = np.asarray(forecast.quantile(0.5))
        parts.append(
            pd.DataFrame(
                {
                    "unique_id": forecast.item_id,
                    "ds": forecast.index.to_timestamp(),
                    "forecast": median,
                }
            )
        )
    pd.concat(parts).to_csv(out, index=False)
    return {"seconds": took}


def memory(series: int, length: int) -> Result:
    """See common."""
    frame = plain(table(series, length))
    return watched(lambda: _model(enable_checkpointing=True).train(_dataset(frame)))


def many(series: int, length: int) -> Result:
    """See common."""
    dataset = _dataset(plain(table(series, length)))
    predictor = _model(enable_checkpointing=True).train(dataset)
    seconds = repeated(
        lambda: [forecast.quantile(0.5) for forecast in predictor.predict(dataset)]
    )
    return {"seconds": seconds, "networks": 1, "steps": CONTEXT}


if __name__ == "__main__":
    main(save=save, predict=predict, train=train, learn=learn, memory=memory, many=many)
