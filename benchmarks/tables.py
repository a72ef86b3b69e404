"""Results -> one page of Markdown. Pure: takes what was measured, writes nothing."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.references import SHORT_SERIES
from benchmarks.sets import BATTERY, COMPETITIONS, EVERYDAY, GROUPS, SETS, Everyday

Result = dict[str, Any]
"""Scores of one run: set, kind ("fit" or "zero-shot"), seed, and the measures; or an `error`.

Where runs were not kept, their mean stands for them: with `seeds` in place of a seed, and the
deviation of `mase` between them as `mase_spread`."""
References = Mapping[str, Sequence[tuple[str, Mapping[str, float]]]]
"""By set: other methods, and their figures."""

_FORMS = {
    "smape": ".2f",
    "mase": ".3f",
    "mape": ".2f",
    "owa": ".3f",
    "wql": ".4f",
    "coverage": ".2f",
    "seconds": ".0f",
    "speed": ",.0f",
    "ratio": ".3f",
}
_TITLES = {
    **{"smape": "sMAPE", "mase": "MASE", "mape": "MAPE", "owa": "OWA", "wql": "WQL"},
    **{"coverage": "80 % coverage", "seconds": "CPU s", "speed": "windows/s"},
}
_SPREAD = ("smape", "mase", "owa", "ratio")
_LABELS = {"fit": "**lstmcast**", "zero-shot": "lstmcast, nothing trained"}
_HEAD = """# Accuracy

Written by `python -m benchmarks.accuracy`: the command line with its defaults, one thread. Every
figure of lstmcast is the mean over {seeds}, ± its deviation between seeds. "Nothing trained" is
a pretrained network with `--steps 0`. Errors: less is better, and 1 in MASE is the in-sample
error of repeating the last season. WQL is the weighted quantile loss of the levels .1 to .9;
coverage is the share of actual values inside the 80 % interval. CPU seconds are of `fit` and
`predict` together, start of the program included; those of other methods were measured on other
days. The pretrained network for years, quarters and months was made for the horizons of these
competitions, among others (see its [card](../lstmcast/pretrained/README.md)), and both from
synthetic series alone. Windows/s is how many
(context, horizon) windows a member sees in a second of its training, validation included, with one
thread.
"""


SHORT_SETS = (
    *("m1_yearly", "m1_quarterly", "m1_monthly"),
    *("m3_yearly", "m3_quarterly", "m3_monthly"),
    *("tourism_quarterly", "tourism_monthly"),
)
"""Short business series, on which the large pretrained models have published their errors."""
_SHORT = """\
Geometric means over M1 and M3 (yearly, quarterly, monthly) and tourism (quarterly, monthly) of the
error over that of the seasonal naive. The figures of others are those that they published."""
_LONG = """\
Sets that this version was developed on: the figures are no test. Ratio: MASE over the better of
both seasonal naives (a day and a week of hours, a week and a year of days), chosen by the windows
that are scored. A fit is made once, before the first window."""
MEAN = "seasonal mean"
_RIVALS = """\
Ratio: MASE over that of the best simple method on the same windows (below 1 is a gain): of the last
value, the line from the first value to the last, the mean, and the season before, for each season
of the calendar (a day and a week of hours, a week and a year of days, ...). The rival is chosen by
the windows that are scored, which favours it. "Means too": the means of the last four seasons are
among the rivals as well."""
_SEEN = """\
The defaults were chosen without these five sets. Their last windows were not unseen, though: those
of the first four are scored by the benchmark of [covariates](covariates.md) too, which was run
while covariates were developed, and nyc_taxi is one of the files of the benchmark of
[anomalies](detection.md)."""


def page(found: Mapping[str, Any]) -> str:
    """The whole page, with a section for each kind of set that was measured."""
    results = found["results"]
    fits = [one for one in results if one["kind"] == "fit"]
    seeds = sorted(
        {seed for one in fits for seed in one.get("seeds", [one.get("seed")])}
    )
    parts = [
        _HEAD.format(
            seeds=f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}"
            if seeds
            else "-"
        )
    ]
    names = {one["set"] for one in results}
    if any(one.name in names for one in COMPETITIONS):
        parts.append(_competitions(found))
    if short := _short_series(found):
        parts.append(f"## Short business series\n\n{_SHORT}\n\n{short}")
    for group, title in (
        ("everyday", "Everyday series"),
        ("fresh", "Series that no default was chosen by"),
    ):
        if names & set(GROUPS[group]):
            seen = f"{_SEEN}\n\n" if group == "fresh" else ""
            parts.append(f"## {title}\n\n{seen}{_everyday(found, group)}")
    if names & set(GROUPS["battery"]):
        parts.append(f"## Long series\n\n{_LONG}\n\n{_long_series(found)}")
    failures = [
        f"- {one['set']}, {one['kind']}, seed {one['seed']}: {one['error']}"
        for one in results
        if "error" in one
    ]
    if failures:
        parts.append("## Failed\n\n" + "\n".join(failures) + "\n")
    return "\n".join(parts)


def ratio_to_simple(
    found: Mapping[str, Any], name: str, kind: str, means: bool = False
) -> float | None:
    """MASE over that of the best simple method; with `means`, also of the means of seasons."""
    rival = best_simple(found, name, means)
    mase = mean_over_seeds(found["results"], name, kind).get("mase")
    return mase / rival[1]["mase"] if rival and mase is not None else None


def best_simple(
    found: Mapping[str, Any], name: str, means: bool = False
) -> tuple[str, Mapping[str, float]] | None:
    """The simple method of least MASE on the windows of a set, and its errors."""
    errors = found["simple"].get(name, {})
    rivals = [
        (method, one)
        for method, one in errors.items()
        if means or not method.startswith(MEAN)
    ]
    return min(rivals, key=lambda rival: rival[1]["mase"], default=None)


def summary(
    found: Mapping[str, Any], group: str, kind: str, means: bool = False
) -> dict[str, float]:
    """Return geometric mean, worst and share above 1.02 of ratios to the best simple method."""
    every = (ratio_to_simple(found, name, kind, means) for name in GROUPS[group])
    ratios = np.array([ratio for ratio in every if ratio is not None])
    if not len(ratios):
        return {}
    worst, above = float(ratios.max()), float((ratios > 1.02).mean())
    return {
        "sets": len(ratios),
        "geometric_mean": float(np.exp(np.log(ratios).mean())),
        "worst": worst,
        "above": above,
    }


def short_series_mean(found: Mapping[str, Any], kind: str) -> dict[str, float]:
    """Geometric means over `SHORT_SETS` of MASE and WQL over those of the seasonal naive."""
    ratios: dict[str, list[float]] = {"mase": [], "wql": []}
    for name in SHORT_SETS:
        own = mean_over_seeds(found["results"], name, kind)
        naive = seasonal_naives(found, name)
        if not own or not naive or "wql" not in naive[0]:
            return {}
        for measure, of_sets in ratios.items():
            of_sets.append(own[measure] / naive[0][measure])
    return {measure: float(np.exp(np.log(of).mean())) for measure, of in ratios.items()}


def seasonal_naives(found: Mapping[str, Any], name: str) -> list[Mapping[str, float]]:
    """Errors of repeating the main season of a set, and its second one where it has one.

    Where there is no season, the last value is repeated.
    """
    errors = found["simple"].get(name, {})
    one = SETS[name]
    first = f"seasonal naive ({one.season})" if one.season > 1 else "naive"
    every = [first, *(f"seasonal naive ({m})" for m in one.seasons)]
    return [errors[method] for method in dict.fromkeys(every) if method in errors]


def long_series_ratio(found: Mapping[str, Any], name: str, kind: str) -> float | None:
    """MASE over the better of both seasonal naives."""
    own = mean_over_seeds(found["results"], name, kind).get("mase")
    naives = seasonal_naives(found, name)
    if own is None or not naives:
        return None
    return float(own / min(one["mase"] for one in naives))


def m3_all(results: Sequence[Result], kind: str) -> dict[str, float]:
    """Return the errors of the whole M3, sMAPE weighted by observations as in the competition."""
    parts = [mean_over_seeds(results, name, kind) for name in GROUPS["m3"]]
    if not all(parts):
        return {}
    weights = np.array([part["points"] for part in parts])
    return {
        "smape": float(np.average([part["smape"] for part in parts], weights=weights))
    }


def _competitions(found: Mapping[str, Any]) -> str:
    rows = []
    results = found["results"]
    names = [one.name for one in COMPETITIONS]
    names.insert(names.index("m3_other") + 1, "m3_all")
    for name in names:
        own = {
            kind: (m3_all if name == "m3_all" else _of(name))(results, kind)
            for kind in _LABELS
        }
        if any(own.values()):
            rows += [
                (name, _LABELS[kind], scores) for kind, scores in own.items() if scores
            ]
            if best := best_simple(found, name, means=True):
                rows.append(("", f"best simple method: {best[0]}", best[1]))
            others = found["references"].get(name, ())
            rows += [("", whose, scores) for whose, scores in others]
    lines = [[name, whose, *_figures(scores)] for name, whose, scores in rows]
    return "## Competitions\n\n" + _table(["set", "whose", *_TITLES.values()], lines)


def _short_series(found: Mapping[str, Any]) -> str:
    rows: list[tuple[str, Mapping[str, float]]] = []
    for kind, label in _LABELS.items():
        if own := short_series_mean(found, kind):
            rows.append((label, own))
    if not rows:
        return ""
    rows += SHORT_SERIES.items()
    rows.sort(key=lambda row: row[1]["mase"])
    lines = []
    for whose, errors in rows:
        figures = [
            f"{errors[name]:.3f}" if name in errors else "" for name in ("mase", "wql")
        ]
        lines.append([whose, *figures])
    return _table(["whose", "MASE", "WQL"], lines)


def _long_series(found: Mapping[str, Any]) -> str:
    lines, ratios = [], {}
    for one in BATTERY:
        line = [one.name]
        naives = seasonal_naives(found, one.name)
        for kind in reversed(_LABELS):
            own = mean_over_seeds(found["results"], one.name, kind)
            ratio = long_series_ratio(found, one.name, kind)
            ratios[one.name, kind] = ratio
            line.append("" if ratio is None else f"{ratio:.3f}")
            line += [_figure(own, name) for name in ("mase", "wql", "coverage")]
        best = min(naives, key=lambda naive: naive["mase"], default={})
        line.append(_figure(dict(best), "mase"))
        lines.append(line)
    sentences = []
    for kind, label in _LABELS.items():
        measured = [ratios[one.name, kind] for one in BATTERY]
        known = np.array([ratio for ratio in measured if ratio is not None])
        if len(known):
            mean, worst = np.exp(np.log(known).mean()), known.max()
            whose = label.strip("*")
            sentences.append(
                f"- {whose}: geometric mean {mean:.3f}, worst {worst:.2f}."
            )
    head = [
        *("set", "ratio, nothing trained", "MASE", "WQL", "80 % coverage"),
        *("ratio, fitted", "MASE", "WQL", "80 % coverage", "better naive"),
    ]
    return "\n".join(sentences) + "\n\n" + _table(head, lines)


def _everyday(found: Mapping[str, Any], group: str) -> str:
    lines = [
        line
        for one in EVERYDAY
        if one.name in GROUPS[group] and (line := _everyday_line(found, one))
    ]
    head = [
        *("set", "ratio", "ratio, nothing trained", "MASE", "best simple method"),
        *("ratio to means too", "best of all", "AutoETS", "DOTheta"),
    ]
    table = _table([*head, "WQL", "80 % coverage", "CPU s"], lines)
    words = [
        sentence
        for kind in _LABELS
        for means in (False, True)
        if (sentence := _sum_up(found, group, kind, means))
    ]
    return "\n\n".join([_RIVALS, "\n".join(words), table])


def _sum_up(found: Mapping[str, Any], group: str, kind: str, means: bool) -> str:
    of = summary(found, group, kind, means)
    if not of:
        return ""
    whose = _LABELS[kind].strip("*") + ", means among the rivals" * means
    return (
        f"- {whose}: geometric mean {of['geometric_mean']:.3f}, worst {of['worst']:.2f},"
        f" {of['above']:.0%} of {of['sets']:.0f} above 1.02."
    )


def _everyday_line(found: Mapping[str, Any], one: Everyday) -> list[str]:
    fitted, untrained = (
        mean_over_seeds(found["results"], one.name, kind) for kind in _LABELS
    )
    shown = fitted or untrained
    rival, hardest = (best_simple(found, one.name, means) for means in (False, True))
    if not shown or not rival or not hardest:
        return []
    ratios = [_ratio(scores, rival[1]) for scores in (fitted, untrained)]
    strict = _ratio(shown, hardest[1])
    best, best_of_all = (f"{name} {of['mase']:.3f}" for name, of in (rival, hardest))
    others = dict(found["references"].get(one.name, ()))
    rivals = [_figure(others.get(name, {}), "mase") for name in ("AutoETS", "DOTheta")]
    rest = [_figure(shown, name) for name in ("wql", "coverage", "seconds")]
    mase = _figure(shown, "mase")
    return [one.name, *ratios, mase, best, strict, best_of_all, *rivals, *rest]


def _ratio(scores: Result, rival: Mapping[str, float]) -> str:
    """MASE over that of a rival, with its deviation between seeds."""
    parts = {
        f"ratio{end}": scores[f"mase{end}"] / rival["mase"]
        for end in ("", "_spread")
        if scores.get(f"mase{end}") is not None
    }
    return _figure(parts, "ratio")


def _of(name: str) -> Callable[[Sequence[Result], str], Result]:
    return lambda results, kind: mean_over_seeds(results, name, kind)


def mean_over_seeds(results: Sequence[Result], name: str, kind: str) -> Result:
    """Mean over seeds of the figures of a set that were measured; what is no figure as it is."""
    found = [
        one
        for one in results
        if (one["set"], one["kind"]) == (name, kind) and "error" not in one
    ]
    if not found:
        return {}
    if "seeds" in found[0]:
        return found[0]
    figures: dict[str, list[float]] = {}
    for key, value in (
        (key, value) for one in found for key, value in one.items() if key != "seed"
    ):
        if isinstance(value, int | float):
            figures.setdefault(key, []).append(value)
    mean = {key: float(np.mean(values)) for key, values in figures.items()}
    if len(found) == 1 or kind != "fit":
        return found[0] | mean
    spread = {
        f"{key}_spread": float(np.std(figures[key]))
        for key in _SPREAD
        if key in figures
    }
    return found[0] | mean | spread


def _figures(scores: Result) -> list[str]:
    return [_figure(scores, name) for name in _TITLES]


def _figure(scores: Result, name: str) -> str:
    value = scores.get(name)
    spread = scores.get(f"{name}_spread")
    return (
        ""
        if value is None
        else format(value, _FORMS[name])
        + (f" ± {spread:{_FORMS[name]}}" if spread else "")
    )


def _table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rows = [head, ["---"] * len(head), *lines]
    return "".join("| " + " | ".join(row) + " |\n" for row in rows)
