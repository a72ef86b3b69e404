"""Draws for tests, and figures of what was drawn."""

import numpy as np
from numpy.typing import NDArray

from lstmcast.training.generators.draws import Draws
from lstmcast.training.pretrain import SeriesKind

Array = NDArray[np.float64]


def draws_of(n: int, length: int, seed: int = 0) -> Draws:
    return Draws(np.random.default_rng(seed), n, length)


def correlation_at(y: Array, lag: int) -> Array:
    """Correlation of each series with itself so many steps earlier, [n]."""
    a = y[:, lag:] - y[:, lag:].mean(1, keepdims=True)
    b = y[:, :-lag] - y[:, :-lag].mean(1, keepdims=True)
    size = np.sqrt((a**2).sum(1) * (b**2).sum(1))
    return np.asarray((a * b).sum(1) / np.maximum(size, 1e-12))


def describe_kind(kind: SeriesKind) -> str:
    """Name a kind of series in the name of a test."""
    seasons = "drawn" if kind.seasons is None else "-".join(map(str, kind.seasons))
    return f"{seasons}-{kind.longest}"
