"""Small panels and step arrays that the tests of the numerical modules share.

Axes: N series, T steps.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lstmcast.config import (
    Columns,
    Config,
    DataConfig,
    InputConfig,
    ModelConfig,
    TrainConfig,
    WindowConfig,
)
from lstmcast.features import scaler, steps
from lstmcast.features.scaler import ScalerState
from lstmcast.features.steps import Seasons, StepArrays
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Floats, Ints, offsets_from_lengths
from lstmcast.tables.read import read_table


def flat(series: Sequence[Floats]) -> tuple[Floats, Ints]:
    """Series end to end [sum T], and their offsets [N + 1]."""
    values = np.concatenate(series).astype(np.float64)
    lengths = np.array([len(one_series) for one_series in series], dtype=np.int64)
    return values, offsets_from_lengths(lengths)


def steps_of(
    series: Sequence[Floats], seasons: Seasons, state: ScalerState | None = None
) -> StepArrays:
    """Step arrays of series, with their own transforms unless `state` is given."""
    values, offsets = flat(series)
    state = state or scaler.fit_scaler(values, offsets)
    return steps.compute_step_arrays(values, offsets, seasons, state)


def panel_of(
    series: Sequence[Floats],
    freq: str = "MS",
    start: str = "2001-01-01",
    **columns: Any,
) -> Panel:
    """A panel of monthly series.

    columns: roles (`past="x"`), and the values of the columns that they name.
    """
    parts = []
    for number, values in enumerate(series):
        stamps: Any = pd.date_range(start, periods=len(values), freq=freq)
        parts.append(pd.DataFrame({"id": f"s{number}", "t": stamps, "y": values}))
    roles = {
        role: columns.pop(role)
        for role in ("past", "future", "static")
        if role in columns
    }
    frame = pd.concat(parts, ignore_index=True).assign(**columns)
    return Panel.from_frame(frame, target="y", time="t", series="id", **roles)


def wavy(
    rng: np.random.Generator, length: int, season: int = 12, noise: float = 0.1
) -> Floats:
    """A positive series with a trend, a season and noise."""
    t = np.arange(length)
    wave = np.sin(2 * np.pi * t / season) if season > 1 else np.zeros(length)
    return np.asarray(
        np.exp(3 + 0.005 * t + 0.3 * wave + noise * rng.normal(size=length))
    )


def slow_ema(x: list[float], weight: list[float], alpha: float) -> list[float]:
    """An exponential moving average, as a weighted mean with weights alpha (1 - alpha)^age."""
    averages = []
    for t in range(len(x)):
        terms = [(weight[s] * (1 - alpha) ** (t - s), x[s]) for s in range(t + 1)]
        mass = sum(w for w, _ in terms)
        averages.append(sum(w * v for w, v in terms) / mass if mass > 0 else 0.0)
    return averages


def from_text(
    folder: Path,
    text: str,
    config: DataConfig = DataConfig(),  # noqa: B008
    **roles: Any,
) -> Panel:
    """The panel of a text table, written into a file of the folder and read from there."""
    path = folder / "data.csv"
    path.write_text(text)
    columns = Columns(
        **{"target": ("y",)} | {role: tuple(names) for role, names in roles.items()}
    )
    return Panel.from_table(read_table(path, config), columns, config)


def dated(days: list[str], header: str = "date,y") -> str:
    """A text table of these days, with the numbers from 0 on as values."""
    return "\n".join([header, *(f"{day},{i}" for i, day in enumerate(days))])


def fast_learner(horizon: int, **inputs: Any) -> Config:
    """The settings of a small network that learns fast, from scratch; inputs: of InputConfig."""
    return Config(
        window=WindowConfig(horizon=horizon, season=1),
        model=ModelConfig(hidden=16, layers=1, dropout=0.0),
        train=TrainConfig(
            start="scratch",
            steps=300,
            lr=2e-2,
            batch_size=8,
            members=1,
            jobs=1,
            patience=6,
        ),
        inputs=InputConfig(**inputs),
    )
