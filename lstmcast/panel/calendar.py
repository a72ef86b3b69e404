"""The calendar and a country's holidays as covariates known ahead, however far.

The dates come from the package `holidays`, an extra that is loaded when a country is named. Knows
no network.

Axes: n steps, N series, Cf known-future covariates.
"""

from collections.abc import Mapping, Sequence

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
"""For weeks and months: whether their stamp is the first day or the last is not known."""


def with_holidays(panel: Panel, country: str, ahead: int) -> Panel:
    """Return the panel with the country's holidays as known-future covariates.

    They reach at least `ahead` steps after each series. What else is known ahead stays as it is,
    missing (NaN) where only the holidays reach.

    country: an ISO code, `DE`, or one of a part of the country, `DE-BY`. Raises UsageError where
    the package or the country is missing, or where holidays make no sense: steps without dates, and
    years.
    """
    daily = _step_in_days(panel.axis, country) <= 1
    names = DAILY_HOLIDAY_NAMES if daily else PERIOD_HOLIDAY_NAMES

    def tabulate(ordinals: Ints) -> Floats:
        return tabulate_holidays(panel.axis, ordinals, country)

    return panel.with_known(names, tabulate, ahead)


def tabulate_holidays(axis: TimeAxis, ordinals: Ints, country: str) -> Floats:
    """Tabulate the holidays at consecutive ordinals [n], one column a name.

    For days and shorter steps 0 or 1 by DAILY_HOLIDAY_NAMES, [n, 3]; for longer steps counts by
    PERIOD_HOLIDAY_NAMES, [n, 2].
    """
    step = _step_in_days(axis, country)

    # One step more on either side: a longer step reaches back, or ahead, to its neighbour.
    before_first = ordinals[0] - 1
    after_last = ordinals[-1] + 1
    ordinals_around = np.arange(before_first, after_last + 1)
    instants = axis.grid.instants(ordinals_around)

    days = axis.form.local(instants) // DAY
    first = int(days[0])
    last = int(days[-1])
    holidays = _list_holidays(country, first - 1, last + 1)

    if step <= 1:
        today = days[1:-1]
        tomorrow = today + 1
        yesterday = today - 1
        columns = [np.isin(day, holidays) for day in (today, tomorrow, yesterday)]
    else:
        # Holidays up to each day: after the day of the stamp before, up to that of the stamp; and
        # from that of the stamp on, before that of the next.
        before = np.searchsorted(holidays, days, side="left")
        through = np.searchsorted(holidays, days, side="right")
        up_to_stamp = np.diff(through)[:-1]
        from_stamp_on = np.diff(before)[1:]
        columns = [up_to_stamp, from_stamp_on]

    return np.stack(columns, 1).astype(np.float64)


def _step_in_days(axis: TimeAxis, country: str) -> float:
    """Length of a step; raises UsageError where it has no holidays."""
    grid = axis.grid
    if grid.unit == "integer":
        raise _no_holidays_error(country, "steps without dates have none")
    if grid.unit == "month" and grid.step >= 12:
        raise _no_holidays_error(country, "every year has the same")

    if grid.unit == "us":
        return grid.step / DAY
    return 1.0 if grid.unit == "business" else 28.0


def _no_holidays_error(country: str, reason: str) -> UsageError:
    return UsageError(
        f"--holidays {country} does not apply: {reason}", "leave out --holidays"
    )


def _list_holidays(country: str, first: int, last: int) -> Ints:
    """The holidays from day `first` to day `last`, ascending, as days since 1970."""
    require_extra("--holidays needs", "holidays", "holidays")
    import holidays as package

    # Years of 366 and of 365 days enclose the true ones on both sides.
    first_year = 1970 + int(first // 366)
    last_year = 1971 + int(last // 365)
    years = range(first_year, last_year + 1)

    normalized = country.strip().upper()
    code, _, part = normalized.partition("-")
    try:
        dates = package.country_holidays(code, subdiv=part or None, years=years)
    except NotImplementedError:
        supported = package.list_supported_countries()
        raise _unknown_country_error(country, code, part, supported) from None

    holidays = np.array(sorted(dates), dtype="M8[D]")
    days = holidays.astype(np.int64)
    is_inside = (days >= first) & (days <= last)
    return days[is_inside]


def _unknown_country_error(
    country: str, code: str, part: str, supported: Mapping[str, Sequence[str]]
) -> UsageError:
    """The error for a country, or a part of one, whose holidays the package does not have."""
    if code in supported and part:
        parts = supported[code]
        hint = suggest_similar(part, parts) if parts else f"give --holidays {code}"
        return UsageError(f"--holidays {country}: {code} has no part {part!r}", hint)

    return UsageError(
        f"--holidays {country}: no holidays are known of that country",
        "give an ISO code, for example DE, US or FR",
    )


def with_calendar_covariates(panel: Panel, inputs: InputConfig, ahead: int) -> Panel:
    """Return the panel with the calendar and the holidays that the configuration requests.

    They reach at least `ahead` steps after each series. Raises UsageError where calendar or
    holidays make no sense of its steps.
    """
    if inputs.calendar:
        panel = with_calendar_waves(panel, ahead)
    if inputs.holidays is not None:
        panel = with_holidays(panel, inputs.holidays, ahead)
    return panel


def with_calendar_waves(panel: Panel, ahead: int) -> Panel:
    """Return the panel with a sine and a cosine of each cycle that its steps go through.

    They reach at least `ahead` steps after each series. Raises UsageError where there is no such
    cycle.
    """
    applies = np.repeat(panel.axis.cycles, 2)
    if not applies.any():
        raise UsageError(
            "--calendar does not apply:"
            f" to a calendar all steps are alike ({panel.axis.grid.words})",
            "leave out --calendar",
        )

    def tabulate(ordinals: Ints) -> Floats:
        waves = panel.axis.calendar(ordinals)
        return waves[:, applies].astype(np.float64)

    all_names = np.array(_CALENDAR_WAVE_NAMES)
    names = all_names[applies].tolist()
    return panel.with_known(names, tabulate, ahead)


def list_covariate_sources(panel: Panel, inputs: InputConfig) -> tuple[str, ...]:
    """List what each covariate comes from: a column, "calendar" or "holidays".

    panel: with the covariates that `inputs` requests. The order is past, known ahead, static.
    """
    sources: dict[str, str] = {}
    # A text column was encoded as one covariate for each of its categories.
    for column, categories in panel.encodings.items():
        for category in categories:
            sources[f"{column}={category}"] = column

    if inputs.calendar:
        sources |= dict.fromkeys(_CALENDAR_WAVE_NAMES, "calendar")
    if inputs.holidays:
        holiday_names = DAILY_HOLIDAY_NAMES + PERIOD_HOLIDAY_NAMES
        sources |= dict.fromkeys(holiday_names, "holidays")

    names = panel.past_names + panel.future_names + panel.static_names
    return tuple(sources.get(name, name) for name in names)
