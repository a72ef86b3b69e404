"""Panels and forecasts that the tests of scores share."""

import numpy as np
import pandas as pd

from lstmcast.panel.panel import Panel
from lstmcast.ragged import Floats

LEVELS = np.array([0.1, 0.5, 0.9])


def panel_of(*series: list[float], freq: str = "MS") -> Panel:
    """Series of the given values, all from January 2000."""
    frames = [
        pd.DataFrame(
            {
                "id": f"s{i}",
                "time": pd.date_range("2000", periods=len(values), freq=freq),
                "y": values,
            }
        )
        for i, values in enumerate(series)
    ]
    return Panel.from_frame(
        pd.concat(frames, ignore_index=True),
        target="y",
        time="time",
        series="id",
        freq=freq,
    )


def quantiles_around(centre: list[list[float]], width: float = 1.0) -> Floats:
    """Quantiles [K, H, 3] around a centre [K, H]."""
    return np.array(centre)[..., None] + np.array([-width, 0, width])


RAMP = [float(v) for v in range(1, 13)]
