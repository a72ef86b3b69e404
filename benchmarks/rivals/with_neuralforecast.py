"""NeuralForecast's LSTM, with its own defaults where nothing is compared."""

import time
from typing import Any

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
from neuralforecast import NeuralForecast
from neuralforecast.models import LSTM
from pytorch_lightning import Callback

WINDOWS = 128
"""Windows of a step, its default."""


def _model(horizon: int = HORIZON, context: int = CONTEXT, **more: Any) -> Any:
    return LSTM(
        h=horizon,
        input_size=context,
        encoder_hidden_size=WIDTH,
        encoder_n_layers=LAYERS,
        decoder_hidden_size=WIDTH,
        windows_batch_size=WINDOWS,
        **{**QUIET, **more},
    )


def save(file: str, model: str) -> None:
    """See common."""
    forecaster = NeuralForecast(models=[_model(YEAR, PAST, max_steps=FEW)], freq="MS")
    forecaster.fit(monthly(file))
    forecaster.save(model, save_dataset=True, overwrite=True)


def predict(_file: str, model: str, out: str) -> None:
    """See common."""
    NeuralForecast.load(model).predict().to_csv(out, index=False)


def train(series: int, length: int) -> Result:
    """See common."""
    steps = Steps(4)
    clock = lightning_clock(steps, Callback)
    forecaster = NeuralForecast(
        models=[_model(max_steps=steps.wanted, callbacks=[clock])], freq="h"
    )
    forecaster.fit(plain(table(series, length)))
    return {"windows_per_second": steps.per_second(WINDOWS)}


def learn(file: str, horizon: int, seconds: int, out: str) -> Result:
    """See common."""
    forecaster = NeuralForecast(
        models=[_model(horizon, max_steps=100_000, max_time={"seconds": seconds})],
        freq="h",
    )
    began = time.perf_counter()
    forecaster.fit(pd.read_csv(file, parse_dates=["ds"]))
    took = time.perf_counter() - began
    forecaster.predict().rename(columns={"LSTM": "forecast"}).to_csv(out, index=False)
    return {"seconds": took}


def memory(series: int, length: int) -> Result:
    """See common."""
    frame = plain(table(series, length))
    forecaster = NeuralForecast(models=[_model(max_steps=FEW)], freq="h")
    return watched(lambda: forecaster.fit(frame))


def many(series: int, length: int, sizes: str = "compared") -> Result:
    """See common; sizes: "usual" for its own defaults."""
    usual = LSTM(h=HORIZON, max_steps=FEW, **QUIET) if sizes == "usual" else None
    forecaster = NeuralForecast(models=[usual or _model(max_steps=FEW)], freq="h")
    forecaster.fit(plain(table(series, length)))
    return {
        "seconds": repeated(forecaster.predict),
        "networks": 1,
        "steps": forecaster.models[0].input_size,
    }


if __name__ == "__main__":
    main(save=save, predict=predict, train=train, learn=learn, memory=memory, many=many)
