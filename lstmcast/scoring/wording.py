"""The words of the verdict."""

import re

from lstmcast.ragged import NAN

_DAYS_PER_UNIT = {"s": 1 / 86400, "min": 1 / 1440, "h": 1 / 24, "D": 1.0, "B": 1.4, "W": 7.0}
_STEP_NAMES = {
    "s": "second",
    "min": "minute",
    "h": "hour",
    "D": "day",
    "B": "working day",
    "W": "week",
}


def name_step(freq: str) -> str:
    """Everyday name of a step of this frequency: "D" is a "day"; empty for several units and for plain integers."""
    return _STEP_NAMES.get(re.sub(r"^1(?=[A-Z])|-.*$", "", freq), "")


def name_season(freq: str, season: int) -> str:
    """Everyday name of a season of so many steps: hourly 24 is a "day", monthly 12 a "year"; empty if none fits."""
    parts = re.match(r"(\d*)([A-Za-z]*)", freq)
    count, unit = parts.groups() if parts else ("", "")
    days = season * int(count or 1) * _DAYS_PER_UNIT.get(unit, NAN)
    spans = {"hour": 1 / 24, "day": 1.0, "week": 7.0, "month": 30.44, "year": 365.25}
    return next(
        (name for name, span in spans.items() if season > 1 and abs(days / span - 1) < 0.02), ""
    )


def _format_difference(skill: float) -> str:
    """`skill` as "12 % below", "less than 1 % above", "3.1 times", "the same as"."""
    if skill == 0:
        return "the same as"
    if skill < -1:
        return f"{1 - skill:.3g} times"
    size = abs(100 * skill)
    return f"{f'{size:.0f} %' if size >= 0.995 else 'less than 1 %'} {'below' if skill > 0 else 'above'}"
