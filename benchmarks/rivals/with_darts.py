"""The block LSTM of darts, with its own defaults where nothing is compared."""

import time
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
from darts import TimeSeries
from darts.models import BlockRNNModel
from pytorch_lightning import Callback

WINDOWS = 32
"""Windows of a step, its default."""


def _model(
    horizon: int = HORIZON, context: int = CONTEXT, epochs: int = 1, **more: Any
) -> Any:
    return BlockRNNModel(
        model="LSTM",
        input_chunk_length=context,
        output_chunk_length=horizon,
        hidden_dim=WIDTH,
        n_rnn_layers=LAYERS,
        batch_size=WINDOWS,
        n_epochs=epochs,
        use_reversible_instance_norm=True,
        pl_trainer_kwargs={**QUIET, **more},
    )


def _series(frame: pd.DataFrame, freq: str = "h") -> list[Any]:
    series = TimeSeries.from_group_dataframe(
        frame,
        group_cols="unique_id",
        time_col="ds",
        value_cols="y",
        freq=freq,
        drop_group_cols=["unique_id"],
    )
    return [one.astype(np.float32) for one in series]


def save(file: str, model: str) -> None:
    """See common."""
    forecaster = _model(YEAR, PAST, max_steps=FEW)
    forecaster.fit(_series(monthly(file), "MS")[0])
    forecaster.save(model)


def predict(_file: str, model: str, out: str) -> None:
    """See common."""
    forecaster = BlockRNNModel.load(model, pl_trainer_kwargs=QUIET)
    forecaster.predict(YEAR, verbose=False).to_csv(out)


def train(series: int, length: int) -> Result:
    """See common."""
    steps = Steps(20)
    clock = lightning_clock(steps, Callback)
    _model(max_steps=steps.wanted, callbacks=[clock]).fit(
        _series(plain(table(series, length)))
    )
    return {"windows_per_second": steps.per_second(WINDOWS)}


def learn(file: str, horizon: int, seconds: int, out: str) -> Result:
    """See common."""
    frame = pd.read_csv(file, parse_dates=["ds"])
    series = _series(frame)
    forecaster = _model(horizon, epochs=100_000, max_time={"seconds": seconds})
    began = time.perf_counter()
    forecaster.fit(series)
    took = time.perf_counter() - began
    names = sorted(frame["unique_id"].unique())  # the order of its groups
    parts = [
        pd.DataFrame(
            {"unique_id": name, "ds": one.time_index, "forecast": one.values()[:, 0]}
        )
        for name, one in zip(
            names, forecaster.predict(horizon, series, verbose=False), strict=True
        )
    ]
    pd.concat(parts).to_csv(out, index=False)
    return {"seconds": took}


def memory(series: int, length: int) -> Result:
    """See common."""
    frame = plain(table(series, length))
    return watched(lambda: _model(max_steps=FEW).fit(_series(frame)))


def many(series: int, length: int) -> Result:
    """See common."""
    every = _series(plain(table(series, length)))
    forecaster = _model(max_steps=FEW)
    forecaster.fit(every)
    seconds = repeated(lambda: forecaster.predict(HORIZON, every, verbose=False))
    return {"seconds": seconds, "networks": 1, "steps": CONTEXT}


if __name__ == "__main__":
    main(save=save, predict=predict, train=train, learn=learn, memory=memory, many=many)
