"""What there is to know of a panel before a fit, as data and in words; and what a fit does about each of it.

Knows no terminal.

Axes: N series, T steps.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lstmcast.config import Config, WindowConfig
from lstmcast.errors import format_names
from lstmcast.features.preprocessing import infer_seasons_without_effects, resolve_horizon
from lstmcast.features.steps import Seasons
from lstmcast.ingest.time_column import NO_TIME_COLUMN
from lstmcast.inspection.characteristics import Characteristics, measure_characteristics
from lstmcast.panel.checks import is_binary
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Ints

MANY_ZEROS_SHARE = 0.5
_MIN_ORDERS_APART = 3
"""Orders of magnitude between the sizes of series where they are worth a word."""


@dataclass(frozen=True)
class Finding:
    """One thing that was found, in words and in figures, and what is done about it."""

    name: str
    found: str
    done: str = ""
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Inspection:
    """All that was found in a panel: `findings` in the order to be read; `gaps` [n, 3]: series, first step, steps."""

    panel: Panel
    seasons: Seasons
    horizon: int
    shape: Characteristics
    gaps: Ints
    findings: tuple[Finding, ...]


def inspect_panel(
    panel: Panel, *, season: int | None = None, horizon: int | None = None, fill: str = "none"
) -> Inspection:
    """Look at a panel as a fit would, with these settings of it; `fill` is what was done to missing values."""
    config = Config(window=WindowConfig(season=season, horizon=horizon))
    seasons = infer_seasons_without_effects(panel, config)
    asked = season or seasons.main
    likely = max(asked, panel.axis.season) if season is None else asked
    shape, gaps = measure_characteristics(panel.values, panel.offsets, likely), _find_gaps(panel)
    horizon = resolve_horizon(panel, config, seasons)
    findings = (
        _series_finding(panel),
        _time_finding(panel),
        _known_ahead_finding(panel),
        _season_finding(panel, seasons, shape, likely),
        _trend_finding(panel, shape),
        _gap_finding(panel, gaps, fill),
        _zeros_finding(shape),
        _binary_target_finding(panel),
        _outlier_finding(panel, shape),
        _constant_finding(panel, shape),
        _scales_finding(panel, shape),
        Finding(
            "horizon", f"{horizon} steps ahead", "another number with --horizon", {"steps": horizon}
        ),
    )
    return Inspection(
        panel, seasons, horizon, shape, gaps, tuple(one for one in findings if one is not None)
    )


def _find_gaps(panel: Panel) -> Ints:
    """Runs of missing steps: series, first step, number of steps, [n, 3]."""
    missing = np.isnan(panel.values)
    series = np.repeat(np.arange(len(panel)), panel.lengths)
    at = np.flatnonzero(missing)
    fresh = np.r_[True, (np.diff(at) > 1) | (np.diff(series[at]) > 0)][: len(at)]
    first = at[fresh]
    steps = np.diff(np.r_[np.flatnonzero(fresh), len(at)])
    return np.stack([series[first], first - panel.offsets[series[first]], steps], axis=1).astype(
        np.int64
    )


def _series_finding(panel: Panel) -> Finding:
    lengths = panel.lengths
    least, middle, most = int(lengths.min()), float(np.median(lengths)), int(lengths.max())
    span = (
        f"{most:,} steps"
        if least == most
        else f"{least:,} to {most:,} steps, {middle:,.0f} in the median"
    )
    figures = {"count": len(panel), "shortest": least, "median": middle, "longest": most}
    if not panel.key_names:
        return Finding("series", f"one of {span}", figures=figures)
    names = format_names(
        [format_series_name(panel, i) for i in range(min(len(panel), 4))], len(panel)
    )
    return Finding(
        "series",
        f"{len(panel):,} by {', '.join(panel.key_names)} ({names}), of {span}",
        figures=figures,
    )


def _time_finding(panel: Panel) -> Finding:
    axis = panel.axis
    first, last = axis.texts(np.array([panel.start.min(), (panel.start + panel.lengths).max() - 1]))
    found = f"{axis.grid.words} ({axis.freq}), from {first} to {last}"
    rows = panel.columns.time == (NO_TIME_COLUMN,)
    done = (
        "no column reads as time: rows are taken in order; or name it with --time" if rows else ""
    )
    return Finding(
        "time",
        found,
        done,
        {"freq": axis.freq, "words": axis.grid.words, "first": first, "last": last},
    )


def _known_ahead_finding(panel: Panel) -> Finding | None:
    most = int(panel.ahead.max()) if panel.future.shape[1] else 0
    if not most:
        return None
    return Finding(
        "known ahead",
        f"{', '.join(panel.columns.future)} for {most} steps",
        figures={"steps": most},
    )


def _season_finding(panel: Panel, seasons: Seasons, shape: Characteristics, likely: int) -> Finding:
    known = shape.season[~np.isnan(shape.season)]
    strong = float(np.median(known)) if len(known) else None
    figures = {"main": seasons.main, "second": seasons.second, "strength": strong}
    said = (
        ""
        if strong is None
        else f", strength {strong:.2f} of 1{_format_sampled_count(panel, shape)}"
    )
    if seasons.main > 1:
        second = f"; and {seasons.second} steps" if seasons.second else ""
        return Finding(
            "season", f"{seasons.main} steps{said}{second}", "forecasts start from it", figures
        )
    if likely > 1:
        found = f"none: one of {likely} steps does not show{said}"
    else:
        found = "none" + (f", but perhaps one of {seasons.second} steps" if seasons.second else "")
    length = likely if likely > 1 else seasons.second or "STEPS"
    return Finding("season", found, f"if there is one, say --season {length}", figures)


def _trend_finding(panel: Panel, shape: Characteristics) -> Finding:
    rising, falling = int((shape.trend > 0).sum()), int((shape.trend < 0).sum())
    figures = {"rising": rising, "falling": falling, "neither": len(shape.trend) - rising - falling}
    if len(panel) == 1:
        return Finding(
            "trend",
            "rising" if rising else "falling" if falling else "neither up nor down",
            figures=figures,
        )
    parts = [
        f"{count} {word}" for count, word in ((rising, "rising"), (falling, "falling")) if count
    ]
    found = f"{' and '.join(parts) or 'none'} of {len(shape.trend)}{_format_sampled_count(panel, shape)}"
    return Finding("trend", found, figures=figures)


def _gap_finding(panel: Panel, gaps: Ints, fill: str) -> Finding:
    missing, total = int(gaps[:, 2].sum()), len(panel.values)
    if not missing:
        return Finding(
            "gaps",
            "none" if fill == "none" else f"none left by --fill {fill}",
            figures={"steps": 0, "count": 0},
        )
    i, first, steps = gaps[gaps[:, 2].argmax()].tolist()
    begin, end = panel.axis.texts(panel.start[i] + np.array([first, first + steps - 1]))
    longest = f"{begin} to {end} ({steps} steps)" if steps > 1 else f"{begin} (1 step)"
    figures = {"steps": missing, "count": len(gaps), "longest": steps, "from": begin, "to": end}
    of = f"{missing:,} of {total:,} steps missing ({format_percent(missing / total)})"
    found = f"{of}, {_format_gap_count(len(gaps))}{_format_in_series(panel, i)}{longest}"
    return Finding("gaps", found, "left missing, which the network sees; or say --fill", figures)


def _format_gap_count(count: int) -> str:
    return "in one gap: " if count == 1 else f"in {count:,} gaps, the longest "


def _zeros_finding(shape: Characteristics) -> Finding | None:
    if not shape.zeros:
        return None
    often = shape.zeros >= MANY_ZEROS_SHARE
    done = (
        "so often zero that the median may be 0: look at the upper quantiles too" if often else ""
    )
    return Finding(
        "zeros", f"{format_percent(shape.zeros)} of the values", done, {"share": shape.zeros}
    )


def _binary_target_finding(panel: Panel) -> Finding | None:
    if not is_binary(panel):
        return None
    ones = float(np.nanmean(panel.values))
    done = "forecast the probability with --loss bernoulli"
    return Finding(
        "target",
        f"0 and 1 only; {format_percent(ones)} are 1",
        done,
        {"binary": True, "share": ones},
    )


def _outlier_finding(panel: Panel, shape: Characteristics) -> Finding:
    count = len(shape.outliers)
    if not count:
        return Finding(
            "outliers", "none" + _format_sampled_count(panel, shape), figures={"count": 0}
        )
    shown = []
    for i, step in shape.outliers[:3].tolist():
        stamp = panel.axis.texts(panel.start[i : i + 1] + step)[0]
        shown.append(
            {
                "series": format_series_name(panel, i),
                "time": stamp,
                "value": float(panel.series(i)[step]),
            }
        )
    first = shown[0]
    of = f" of {first['series']}" if panel.key_names else ""
    found = f"{count:,}{_format_sampled_count(panel, shape)}, the farthest {first['value']:g}{of} at {first['time']}"
    return Finding(
        "outliers", found, "kept: the scaling withstands them", {"count": count, "farthest": shown}
    )


def _constant_finding(panel: Panel, shape: Characteristics) -> Finding | None:
    names = [format_series_name(panel, i) for i in shape.constant[:4].tolist()]
    count = len(shape.constant)
    if not count:
        return None
    found = (
        f"{count:,} of {len(panel):,} series ({format_names(names, count)})"
        if panel.key_names
        else "all values are the same"
    )
    return Finding(
        "constant", found, "forecast as that constant", {"count": count, "series": names}
    )


def _scales_finding(panel: Panel, shape: Characteristics) -> Finding | None:
    size = np.array([np.nanmedian(np.abs(panel.series(i))) for i in shape.chosen.tolist()])
    size = size[size > 0]
    orders = float(np.log10(size.max()) - np.log10(size.min())) if len(size) else 0.0
    if orders < _MIN_ORDERS_APART:
        return None
    found = f"the largest series is 1e{orders:.0f} times the smallest"
    return Finding(
        "scales", found, "each is scaled by its own past", {"orders_of_magnitude": orders}
    )


def _format_sampled_count(panel: Panel, shape: Characteristics) -> str:
    return (
        f" (in {len(shape.chosen)} of {len(panel):,} series)"
        if len(shape.chosen) < len(panel)
        else ""
    )


def _format_in_series(panel: Panel, i: int) -> str:
    return f"in {format_series_name(panel, i)}, " if panel.key_names else ""


def format_series_name(panel: Panel, i: int) -> str:
    """The key of a series as one text."""
    return "/".join(panel.keys[i])


def format_percent(part: float) -> str:
    """A share in percent, never rounded to nothing."""
    percent = 100 * part
    return f"{percent:.0f} %" if percent >= 9.5 else f"{percent:.2g} %"


def findings_to_dicts(findings: tuple[Finding, ...]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The findings by name, ready for JSON."""
    for one in findings:
        yield one.name, {**one.figures, "found": one.found, "done": one.done}
