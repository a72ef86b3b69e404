"""The last value of each series taken as missing, where the user says that it is not final.

Axes: N series.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from lstmcast.panel.panel import Panel


def drop_last_values(panel: "Panel") -> "Panel":
    """Return the panel with the last observed value of each series missing.

    The series keep their steps: their forecasts begin after the value that is dropped.
    """
    values = panel.values.copy()
    places = np.arange(len(values))
    observed = np.where(np.isnan(values), -1, places)
    last = np.maximum.reduceat(observed, panel.offsets[:-1])

    # A series without any value has none to drop.
    has_value = last >= panel.offsets[:-1]
    values[last[has_value]] = np.nan
    count = int(has_value.sum())
    each = "the last value" if count == 1 else f"the last value of {count:,} series"
    note = f"--last drop: {each} is taken as missing, and forecasts begin after it"
    return replace(panel, values=values, notes=(*panel.notes, note))
