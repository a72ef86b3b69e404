"""What is known ahead without being told, and what the network reads of it: the calendar, and a country's holidays.

Axes: N series, Cf known-future covariates.
"""

import numpy as np

from lstmcast.config import InputConfig
from lstmcast.errors import UsageError
from lstmcast.holidays import BY_DAY, BY_PERIOD, with_holidays
from lstmcast.panel import Panel
from lstmcast.timeaxis import CALENDAR

_WAVES = tuple(f"{cycle}, {wave}" for cycle in CALENDAR for wave in ("sine", "cosine"))


def informed(panel: Panel, inputs: InputConfig, ahead: int) -> Panel:
    """The panel with what the configuration asks for, for at least `ahead` steps after each series.

    Raises UsageError where calendar or holidays make no sense of its steps.
    """
    if inputs.calendar:
        panel = with_calendar(panel, ahead)
    return panel if inputs.holidays is None else with_holidays(panel, inputs.holidays, ahead)


def with_calendar(panel: Panel, ahead: int) -> Panel:
    """The panel with a sine and a cosine of each cycle of the calendar that tells its steps apart."""
    applies = np.repeat(panel.axis.cycles, 2)
    if not applies.any():
        raise UsageError(
            f"--calendar does not apply: to a calendar all steps are alike ({panel.axis.grid.words})",
            "leave out --calendar",
        )
    names = np.array(_WAVES)[applies].tolist()
    return panel.with_known(names, lambda at: panel.axis.calendar(at)[:, applies].astype(np.float64), ahead)


def origins(panel: Panel, inputs: InputConfig) -> tuple[str, ...]:
    """What each covariate of an informed panel comes from, past, known ahead and static: a column, or its source."""
    column = {f"{name}={kind}": name for name, kinds in panel.encodings.items() for kind in kinds}
    column |= dict.fromkeys(_WAVES if inputs.calendar else (), "calendar")
    column |= dict.fromkeys((*BY_DAY, *BY_PERIOD) if inputs.holidays else (), "holidays")
    return tuple(column.get(name, name) for name in (*panel.past_names, *panel.future_names, *panel.static_names))
