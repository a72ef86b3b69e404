"""Findings about a panel before a fit, as data and in words, and what a fit does about each.

Knows no terminal.

Axes: N series, T steps, S series that are sampled.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lstmcast.config import Config, WindowConfig
from lstmcast.errors import format_names
from lstmcast.features.preprocessing import (
    infer_seasons_without_effects,
    resolve_horizon,
)
from lstmcast.features.steps import Seasons
from lstmcast.ingest.time_column import NO_TIME_COLUMN
from lstmcast.inspection.characteristics import Characteristics, measure_characteristics
from lstmcast.inspection.finding import Certainty, Finding
from lstmcast.inspection.lifetimes import (
    count_steps_of_absence,
    describe_absent_series,
    describe_ended_series,
    find_gaps,
)
from lstmcast.panel.checks import is_binary
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Ints

MANY_ZEROS_SHARE = 0.5
_WEAK_SEASON = 0.2
"""Strength below which a season is believed for the calendar's sake alone."""
_NOTED_GROWTH = 1.2
"""Change of the level from which on it is told how many times."""
_SMALL_COUNT = 5.0
"""Counts up to this size, in the median of those that are not 0, are forecast better by their own
loss: on invented series it was ahead where they are small, and behind where they are large."""
_MAX_NEWEST_STEPS = 30
"""Newest steps, of the last season, whose unlikely values are told by themselves."""
_MIN_ORDERS_APART = 3
"""Orders of magnitude between the sizes of series from which on they are reported."""


@dataclass(frozen=True, eq=False)
class Inspection:
    """All findings of a panel, in the order to be read.

    gaps: [n, 3], series, first step and number of steps of each run of missing steps.
    """

    panel: Panel
    seasons: Seasons
    horizon: int
    shape: Characteristics
    gaps: Ints
    findings: tuple[Finding, ...]


def inspect_panel(
    panel: Panel,
    *,
    season: int | None = None,
    horizon: int | None = None,
    fill: str = "none",
    sentinels: Sequence[float] = (),
) -> Inspection:
    """Inspect a panel as a fit with this season and horizon would see it.

    fill: what was done to missing values when the panel was read. sentinels: numbers that rather
    mean missing, which say nothing of the shape.
    """
    config = Config(window=WindowConfig(season=season, horizon=horizon))
    seasons = infer_seasons_without_effects(panel, config)
    # A usual season that was not found is measured all the same: the report says how weak it is.
    long = seasons.second or panel.axis.season
    measured = season or (seasons.main if seasons.main > 1 else long)
    is_value = ~np.isin(panel.values, list(sentinels))
    values = np.where(is_value, panel.values, np.nan)
    shape = measure_characteristics(values, panel.offsets, measured)
    gaps = find_gaps(panel)
    is_default_horizon = horizon is None  # before it is replaced by the default
    horizon = resolve_horizon(panel, config, seasons)
    absence = count_steps_of_absence(horizon, seasons.main)

    findings = (
        _series_finding(panel),
        _time_finding(panel),
        _known_ahead_finding(panel),
        _season_finding(panel, seasons, shape, measured, requested=season is not None),
        _trend_finding(panel, shape),
        _jump_finding(panel, shape),
        _gap_finding(panel, gaps, fill),
        describe_ended_series(panel, absence),
        describe_absent_series(panel, gaps, absence),
        _zeros_finding(shape),
        _binary_target_finding(panel),
        _counts_finding(panel, shape),
        _outlier_finding(panel, shape),
        _newest_finding(panel, shape, measured),
        _constant_finding(panel, shape),
        _scales_finding(panel, shape),
        _horizon_finding(horizon, is_default=is_default_horizon),
    )

    shown = tuple(finding for finding in findings if finding is not None)
    return Inspection(panel, seasons, horizon, shape, gaps, shown)


def _series_finding(panel: Panel) -> Finding:
    lengths = panel.lengths
    shortest = int(lengths.min())
    longest = int(lengths.max())
    median = float(np.median(lengths))
    count = len(panel)
    figures = {
        "count": count,
        "shortest": shortest,
        "median": median,
        "longest": longest,
    }

    if shortest == longest:
        span = f"{longest:,} steps"
    else:
        span = f"{shortest:,} to {longest:,} steps, {median:,.0f} in the median"

    if not panel.key_names:
        return Finding("series", f"one of {span}", figures=figures)

    few = range(min(count, 4))
    shown = [format_series_name(panel, i) for i in few]
    names = format_names(shown, count)  # a few, and how many more
    keys = ", ".join(panel.key_names)
    found = f"{count:,} by {keys} ({names}), of {span}"
    return Finding("series", found, figures=figures)


def _time_finding(panel: Panel) -> Finding:
    axis = panel.axis
    ends = panel.start + panel.lengths
    edges = np.array([panel.start.min(), ends.max() - 1])
    first, last = axis.texts(edges)

    done = ""
    if panel.columns.time == (NO_TIME_COLUMN,):
        done = (
            "no column reads as time: rows are taken in order; or name it with --time"
        )

    figures = {
        "freq": axis.freq,
        "words": axis.grid.words,
        "first": first,
        "last": last,
    }
    found = f"{axis.grid.words} ({axis.freq}), from {first} to {last}"
    return Finding("time", found, done, figures)


def _known_ahead_finding(panel: Panel) -> Finding | None:
    if not panel.future.shape[1]:
        return None
    steps = int(panel.ahead.max())
    if not steps:
        return None

    names = ", ".join(panel.columns.future)
    found = f"{names} for {steps} steps"
    return Finding("known ahead", found, figures={"steps": steps})


def _season_finding(
    panel: Panel,
    seasons: Seasons,
    shape: Characteristics,
    measured: int,
    *,
    requested: bool,
) -> Finding:
    """The season that was found, or that there is none; strength is that of `measured` steps."""
    # Series too short for the season have no strength.
    strengths = shape.season[~np.isnan(shape.season)]
    strength = float(np.median(strengths)) if len(strengths) else None
    figures = {**seasons._asdict(), "strength": strength}

    longer = " and ".join(str(steps) for steps in seasons[1:] if steps)
    how_strong = ""
    if strength is not None:
        sampled = _format_sampled_count(panel, shape)
        how_strong = f", strength {strength:.2f} of 1{sampled}"

    if seasons.main > 1:
        others_shown = f"; and {longer} steps" if longer else ""
        found = f"{seasons.main} steps{how_strong}{others_shown}"
        certainty: Certainty = "fact" if requested else "likely"
        # One that hardly shows is there by the calendar.
        others: tuple[str, ...] = ()
        if not requested and (strength is None or strength < _WEAK_SEASON):
            certainty = "guess"
            others = ("none: --season 1",)
        done = "forecasts start from it"
        return Finding("season", found, done, figures, certainty, others)

    example: int | str = measured if measured > 1 else "STEPS"
    found = "none"
    if seasons.second:
        found = f"a long one of {longer} steps{how_strong}"
        done = "forecasts start from the newest values, and know it"
        return Finding("season", found, done, figures, "likely")
    if measured > 1:
        found = f"none: one of {measured} steps does not show{how_strong}"
    done = f"if there is one, say --season {example}"
    return Finding("season", found, done, figures, "fact" if requested else "likely")


def _trend_finding(panel: Panel, shape: Characteristics) -> Finding:
    count = len(shape.trend)
    rising = int((shape.trend > 0).sum())
    falling = int((shape.trend < 0).sum())
    neither = count - rising - falling
    figures: dict[str, float] = {
        "rising": rising,
        "falling": falling,
        "neither": neither,
    }

    if len(panel) == 1:
        direction = int(shape.trend[0])
        change = float(shape.change[0])
        found = {1: "rising", -1: "falling", 0: "neither up nor down"}[direction]
        if not np.isnan(change):
            figures["change"] = change
            if direction and not 1 / _NOTED_GROWTH < change < _NOTED_GROWTH:
                found += f": the last tenth is {change:.2g} times the first"
        return Finding("trend", found, figures=figures, certainty="likely")

    parts = []
    if rising:
        parts.append(f"{rising} rising")
    if falling:
        parts.append(f"{falling} falling")

    some = " and ".join(parts) or "none"
    sampled = _format_sampled_count(panel, shape)
    found = f"{some} of {count}{sampled}"
    return Finding("trend", found, figures=figures, certainty="likely")


def _jump_finding(panel: Panel, shape: Characteristics) -> Finding | None:
    """A level that changed at once, and stayed so: of the series whose newest it is."""
    if not shape.jumps:
        return None

    # The newest counts most, of all series on one axis.
    ordinals = {i: int(panel.start[i]) + jump.step for i, jump in shape.jumps.items()}
    i = max(ordinals, key=lambda place: ordinals[place])
    jump = shape.jumps[i]
    when = panel.stamp_text(ordinals[i])
    count = len(shape.jumps)
    figures = {"count": count, "time": when, "before": jump.before, "after": jump.after}
    where = _format_in_series(panel, i)
    many = f"{count:,} series, the newest " if count > 1 else ""
    before = format_number(jump.before)
    after = format_number(jump.after)
    found = f"{many}{where}at {when}, from some {before} to {after}"
    done = "forecasts start from the new level"
    return Finding("jump", found, done, figures, "likely", ("an error since then",))


def _gap_finding(panel: Panel, gaps: Ints, fill: str) -> Finding:
    lengths = gaps[:, 2]
    missing = int(lengths.sum())
    if not missing:
        found = "none" if fill == "none" else f"none left by --fill {fill}"
        return Finding("gaps", found, figures={"steps": 0, "count": 0})

    # The longest gap is described, the first of several such.
    series, first, steps = gaps[lengths.argmax()].tolist()
    begin_and_end = np.array([first, first + steps - 1])
    begin, end = panel.axis.texts(panel.start[series] + begin_and_end)
    longest = f"{begin} (1 step)"
    if steps > 1:
        longest = f"{begin} to {end} ({steps} steps)"

    figures = {
        "steps": missing,
        "count": len(gaps),
        "longest": steps,
        "from": begin,
        "to": end,
    }

    total = len(panel.values)
    share = format_percent(missing / total)
    count = _format_gap_count(len(gaps))
    place = _format_in_series(panel, series)
    return Finding(
        "gaps",
        f"{missing:,} of {total:,} steps missing ({share}), {count}{place}{longest}",
        "left missing, which the network sees; or say --fill"
        if fill == "none"
        else f"filled for the network: --fill {fill}; neither learnt nor scored",
        figures,
    )


def _format_gap_count(count: int) -> str:
    return "in one gap: " if count == 1 else f"in {count:,} gaps, the longest "


def _zeros_finding(shape: Characteristics) -> Finding | None:
    if not shape.zeros:
        return None
    done = ""
    if shape.zeros >= MANY_ZEROS_SHARE:
        done = "so often zero that the median may be 0: look at the upper quantiles too"
    found = f"{format_percent(shape.zeros)} of the values"
    return Finding("zeros", found, done, {"share": shape.zeros})


def _binary_target_finding(panel: Panel) -> Finding | None:
    if not is_binary(panel):
        return None
    share = float(np.nanmean(panel.values))
    return Finding(
        "target",
        f"0 and 1 only; {format_percent(share)} are 1",
        "forecast the probability with --loss bernoulli",
        {"binary": True, "share": share},
    )


def _outlier_finding(panel: Panel, shape: Characteristics) -> Finding:
    count = len(shape.outliers)
    sampled = _format_sampled_count(panel, shape)
    if not count:
        return Finding("outliers", "none" + sampled, figures={"count": 0})

    farthest: list[dict[str, Any]] = []
    for i, step in shape.outliers[:3].tolist():
        outlier = {
            "series": format_series_name(panel, i),
            "time": panel.stamp_text(int(panel.start[i]) + step),
            "value": float(panel.series(i)[step]),
        }
        farthest.append(outlier)

    first = farthest[0]
    series = f" of {first['series']}" if panel.key_names else ""
    where = f"{format_number(first['value'])}{series} at {first['time']}"
    around = f"where some {format_number(float(shape.expected[0]))} would be usual"
    return Finding(
        "outliers",
        f"{count:,}{sampled}, the farthest {where}, {around}",
        "if they are errors, correct them or leave the cells empty",
        {"count": count, "farthest": farthest},
        "likely",
        ("events",),
    )


def _newest_finding(panel: Panel, shape: Characteristics, m: int) -> Finding | None:
    """Unlikely values in the last season of a series, where they move a forecast most."""
    series = shape.outliers[:, 0]
    steps = shape.outliers[:, 1]
    from_end = panel.lengths[series] - steps
    newest = np.flatnonzero(from_end <= min(max(m, 3), _MAX_NEWEST_STEPS))
    if not len(newest):
        return None

    # The very last ones first.
    first = newest[from_end[newest].argmin()]  # of several such the farthest
    i = int(series[first])
    value = float(panel.series(i)[steps[first]])
    expected = float(shape.expected[first])
    when = panel.stamp_text(int(panel.start[i] + steps[first]))
    is_last = bool(from_end[first] == 1)
    figures = {
        "count": len(newest),
        "series": format_series_name(panel, i),
        "time": when,
        "value": value,
        "expected": expected,
        "last": is_last,
    }
    which = "the last value" if is_last else "in the last season"
    usual = format_number(expected)
    found = f"{which} {format_number(value)} at {when} is unlikely beside some {usual}"
    more = len(np.unique(series[newest])) - 1
    if more:
        found += f"; and so in {more:,} more series"
    place = _format_in_series(panel, i)
    done = "not complete, or an error? it does not count in forecasts"
    if is_last:
        done += ", and --last drop leaves it out of training too"
    others = ("a level that stays",)
    return Finding("newest", place + found, done, figures, "likely", others)


def _counts_finding(panel: Panel, shape: Characteristics) -> Finding | None:
    """A target of small counts, which has a loss of its own."""
    known = panel.values[~np.isnan(panel.values)]
    is_count = bool((known >= 0).all() and (known % 1 == 0).all())
    # What takes two values, such as 0 and 2, is rather a state than a count.
    if not is_count or is_binary(panel) or len(np.unique(known)) < 3:
        return None
    typical = float(np.median(known[known > 0]))
    if typical > _SMALL_COUNT:
        return None

    zeros = ""
    if shape.zeros:
        zeros = f", {format_percent(shape.zeros)} of them zero"
    found = f"whole numbers from {known.min():g} to {known.max():g}{zeros}"
    done = "try --loss negative-binomial, and compare with backtest"
    figures = {"typical": typical, "zeros": shape.zeros, "loss": "negative-binomial"}
    return Finding("counts", found, done, figures, "likely")


def _constant_finding(panel: Panel, shape: Characteristics) -> Finding | None:
    count = len(shape.constant)
    if not count:
        return None

    few = shape.constant[:4].tolist()
    names = [format_series_name(panel, i) for i in few]
    found = "all values are the same"
    if panel.key_names:
        shown = format_names(names, count)
        found = f"{count:,} of {len(panel):,} series ({shown})"

    figures = {"count": count, "series": names}
    return Finding("constant", found, "forecast as that constant", figures)


def _scales_finding(panel: Panel, shape: Characteristics) -> Finding | None:
    """Series whose sizes, their median absolute values, are orders of magnitude apart."""
    medians = []
    for i in shape.chosen.tolist():
        absolute = np.abs(panel.series(i))  # a series around 0 has a size, too
        medians.append(np.nanmedian(absolute))

    sizes = np.array(medians)
    sizes = sizes[sizes > 0]  # zeros have no order of magnitude
    if not len(sizes):
        return None

    largest = np.log10(sizes.max())
    smallest = np.log10(sizes.min())
    orders = float(largest - smallest)
    if orders < _MIN_ORDERS_APART:
        return None

    found = f"the largest series is 1e{orders:.0f} times the smallest"
    figures = {"orders_of_magnitude": orders}
    return Finding("scales", found, "each is scaled by its own past", figures)


def _horizon_finding(horizon: int, *, is_default: bool) -> Finding:
    found = f"{horizon} steps ahead"
    figures = {"steps": horizon}
    if not is_default:
        return Finding("horizon", found, figures=figures)
    done = "another number with --horizon"
    return Finding("horizon", found, done, figures, "guess")  # only the user knows


def _format_sampled_count(panel: Panel, shape: Characteristics) -> str:
    sampled = len(shape.chosen)
    if sampled == len(panel):
        return ""
    return f" (in {sampled} of {len(panel):,} series)"


def _format_in_series(panel: Panel, i: int) -> str:
    return f"in {format_series_name(panel, i)}, " if panel.key_names else ""


def format_series_name(panel: Panel, i: int) -> str:
    """Format the key of a series as one text."""
    return "/".join(panel.keys[i])


def format_number(value: float) -> str:
    """Format a number with as many digits as one looks at."""
    if 1e4 <= abs(value) < 1e12:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def format_percent(part: float) -> str:
    """Format a share in percent, never rounded to nothing."""
    percent = 100 * part
    if percent >= 9.5:
        return f"{percent:.0f} %"
    return f"{percent:.2g} %"
