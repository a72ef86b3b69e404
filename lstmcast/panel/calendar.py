"""Holidays of a country as covariates known ahead, for as far ahead as anybody asks.

The dates come from the package `holidays`, an extra that is loaded when a country is named. Knows
no network.

Axes: n steps, N series, Cf known-future covariates.
"""

import numpy as np

from lstmcast.config import InputConfig
from lstmcast.errors import UsageError, suggest_similar
from lstmcast.extras import require_extra
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Floats, Ints
from lstmcast.timeaxis.axis import CALENDAR_CYCLES, TimeAxis
from lstmcast.timeaxis.calendar_fields import DAY

_CALENDAR_WAVE_NAMES = tuple(
    f"{cycle}, {wave}" for cycle in CALENDAR_CYCLES for wave in ("sine", "cosine")
)

DAILY_HOLIDAY_NAMES = ("holiday", "day before a holiday", "day after a holiday")
PERIOD_HOLIDAY_NAMES = ("holidays before the stamp", "holidays from the stamp on")
"""Of weeks and months a stamp does not tell whether it is their first day or their last."""


def with_holidays(panel: Panel, country: str, ahead: int) -> Panel:
    """The panel with the country's holidays as known-future covariates, for at least `ahead` steps after each series.

    country: an ISO code, `DE`, or one of a part of the country, `DE-BY`. What else is known ahead
    stays as it is, missing (NaN) where only the holidays reach. Raises UsageError where the package
    or the country is missing, or where holidays make no sense: steps without dates, and years.
    """
    names = DAILY_HOLIDAY_NAMES if _step_in_days(panel.axis, country) <= 1 else PERIOD_HOLIDAY_NAMES
    return panel.with_known(
        names, lambda ordinals: tabulate_holidays(panel.axis, ordinals, country), ahead
    )


def tabulate_holidays(axis: TimeAxis, ordinals: Ints, country: str) -> Floats:
    """Holidays at consecutive ordinals [n]: 0 or 1 by BY_DAY for days and shorter steps, else counts by BY_PERIOD."""
    step = _step_in_days(axis, country)
    edges = np.arange(ordinals[0] - 1, ordinals[-1] + 2)
    days = axis.form.local(axis.grid.instants(edges)) // DAY
    free = _list_holidays(country, int(days[0]) - 1, int(days[-1]) + 1)
    if step <= 1:
        at = days[1:-1]
        return np.stack([np.isin(at + shift, free) for shift in (0, 1, -1)], 1).astype(np.float64)
    count = np.searchsorted(free, days, side="left")
    through = np.searchsorted(free, days, side="right")
    return np.stack([np.diff(through)[:-1], np.diff(count)[1:]], 1).astype(np.float64)


def _step_in_days(axis: TimeAxis, country: str) -> float:
    """Length of a step; raises UsageError where it has no holidays."""
    grid = axis.grid
    if grid.unit == "integer" or (grid.unit == "month" and grid.step >= 12):
        what = (
            "steps without dates have none" if grid.unit == "integer" else "every year has the same"
        )
        raise UsageError(f"--holidays {country} does not apply: {what}", "leave out --holidays")
    return {"us": grid.step / DAY, "business": 1.0}.get(grid.unit, 28.0)


def _list_holidays(country: str, first: int, last: int) -> Ints:
    """The holidays from day `first` to day `last`, ascending, as days since 1970."""
    require_extra("--holidays needs", "holidays", "holidays")
    import holidays as package

    years = range(1970 + int(first // 366), 1971 + int(last // 365) + 1)
    code, _, part = country.strip().upper().partition("-")
    try:
        found = package.country_holidays(code, subdiv=part or None, years=years)
    except NotImplementedError:
        there = package.list_supported_countries()
        if code in there and part:
            parts = there[code]
            hint = suggest_similar(part, parts) if parts else f"give --holidays {code}"
            raise UsageError(f"--holidays {country}: {code} has no part {part!r}", hint) from None
        hint = "give an ISO code, for example DE, US or FR"
        raise UsageError(
            f"--holidays {country}: no holidays are known of that country", hint
        ) from None
    days = np.array(sorted(found), dtype="M8[D]").astype(np.int64)
    return days[(days >= first) & (days <= last)]


def with_calendar_covariates(panel: Panel, inputs: InputConfig, ahead: int) -> Panel:
    """The panel with what the configuration asks for, for at least `ahead` steps after each series.

    Raises UsageError where calendar or holidays make no sense of its steps.
    """
    if inputs.calendar:
        panel = with_calendar_waves(panel, ahead)
    return panel if inputs.holidays is None else with_holidays(panel, inputs.holidays, ahead)


def with_calendar_waves(panel: Panel, ahead: int) -> Panel:
    """The panel with a sine and a cosine of each cycle of the calendar that tells its steps apart."""
    applies = np.repeat(panel.axis.cycles, 2)
    if not applies.any():
        raise UsageError(
            f"--calendar does not apply: to a calendar all steps are alike ({panel.axis.grid.words})",
            "leave out --calendar",
        )
    names = np.array(_CALENDAR_WAVE_NAMES)[applies].tolist()
    return panel.with_known(
        names, lambda at: panel.axis.calendar(at)[:, applies].astype(np.float64), ahead
    )


def list_covariate_sources(panel: Panel, inputs: InputConfig) -> tuple[str, ...]:
    """What each covariate of an informed panel comes from, past, known ahead and static: a column, or its source."""
    column = {f"{name}={kind}": name for name, kinds in panel.encodings.items() for kind in kinds}
    column |= dict.fromkeys(_CALENDAR_WAVE_NAMES if inputs.calendar else (), "calendar")
    column |= dict.fromkeys(
        (*DAILY_HOLIDAY_NAMES, *PERIOD_HOLIDAY_NAMES) if inputs.holidays else (), "holidays"
    )
    return tuple(
        column.get(name, name)
        for name in (*panel.past_names, *panel.future_names, *panel.static_names)
    )
