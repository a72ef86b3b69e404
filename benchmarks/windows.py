"""The everyday sets as panels, and the windows at their ends that are scored."""

from pathlib import Path

import numpy as np

from benchmarks.sets import DATA, Everyday
from lstmcast.config import Columns, DataConfig
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Ints
from lstmcast.tables.read import read_table


def read_everyday(one: Everyday, data: Path = DATA) -> Panel:
    """Read a file as its user would."""
    reading = DataConfig(date_format=one.date_format)
    columns = Columns(target=(one.target,), time=one.time, series=one.series)
    return Panel.from_table(read_table(data / one.file, reading), columns, reading)


def last_origins(lengths: Ints, horizon: int, windows: int) -> tuple[Ints, Ints]:
    """Return series and origins, [K] each, of the last `windows` horizons of the longer series."""
    origins = (lengths - 1)[:, None] - horizon * np.arange(windows, 0, -1)
    long = np.flatnonzero(lengths >= (windows + 2) * horizon)
    return np.repeat(long, windows), origins[long].ravel()
