"""A run in a few words for people: what it forecasts, when it was made, how good it is."""

import math
from typing import Any

from lstmcast.cli.show.console import format_number

_SIZE_UNITS = ("B", "KiB", "MiB", "GiB")


def summarise_run(path: str, facts: dict[str, Any]) -> list[str]:
    """Return five lines that say what a run is, from what `runs show` knows of it."""
    data = facts["data"]
    made = facts["made"]
    target = " and ".join(data["columns"]["target"])
    file = made.get("file")
    source = f" of {file}" if file else ""
    until = made.get("until")
    end = f" to {until}" if until else ""
    series = "one series"
    if data["series"] > 1:
        series = f"{data['series']:,} series"
    season = "no season"
    if facts["season"] > 1:
        season = f"season {facts['season']}"

    version = facts["versions"].get("lstmcast", "unknown")
    size = format_size(sum(entry["bytes"] for entry in facts["files"].values()))
    return [
        f"{target}{source}: {series}, {data['steps']:,} steps{end} ({data['freq']})",
        f"forecasts {facts['horizon']} steps ahead, {season}",
        f"made {format_making_time(made)} with lstmcast {version}, {size}",
        describe_skill(facts["verdict"]),
        f"next: lstmcast predict {path}",
    ]


def format_making_time(made: dict[str, str]) -> str:
    """Return when a run was written, to the minute; runs of older versions do not say it."""
    at = made.get("at")
    # As in 2026-01-31T09:30:00Z.
    return f"{at[:10]} {at[11:16]} UTC" if at else "at an unknown time"


def describe_skill(verdict: dict[str, Any] | None) -> str:
    """Return how a run did against the best simple method."""
    if verdict is None:
        return "too short to say how good it is"
    skill = verdict["skill"]
    best = verdict["best_baseline"]
    if skill is None or math.isnan(skill):
        return f"not comparable with {best}"
    mase = verdict["model"].get("mase")
    figure = "" if mase is None else f", mase {format_number(mase, 3)}"
    percent = abs(100 * skill)
    if percent < 0.5:
        return f"as good as {best}{figure}"
    side = "better" if skill > 0 else "worse"
    return f"{percent:.0f} % {side} than {best}{figure}"


def format_size(size: int) -> str:
    """Return a number of bytes in a unit that suits it."""
    amount = float(size)
    units = iter(_SIZE_UNITS)
    unit = next(units)
    while amount >= 1024 and unit != _SIZE_UNITS[-1]:
        amount /= 1024
        unit = next(units)
    return f"{amount:.0f} {unit}"
