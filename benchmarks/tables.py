"""Results -> one page of Markdown. Pure: takes what was measured, writes nothing."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.references import references
from benchmarks.sets import COMPETITIONS, EVERYDAY, GROUPS, Everyday

Result = dict[str, Any]
"""Scores of one run: set, kind ("fit" or "zero-shot"), seed, and the measures; or an `error`."""

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
the pretrained network with `--steps 0`. Errors: less is better, and 1 in MASE is the in-sample
error of repeating the last season. WQL is the weighted quantile loss of the levels .1 to .9;
coverage is the share of actual values inside the 80 % interval. CPU seconds are of `fit` and
`predict` together, start of the program included; those of other methods were measured on other
days. Windows/s is how many (context, horizon) windows a member sees in a second of its training,
validation included, with one thread.
"""


def page(results: Sequence[Result]) -> str:
    """The whole page, with a section for each kind of set that was measured."""
    seeds = sorted({one["seed"] for one in results if one["kind"] == "fit"})
    parts = [
        _HEAD.format(
            seeds=f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}"
            if seeds
            else "-"
        )
    ]
    names = {one["set"] for one in results}
    if any(one.name in names for one in COMPETITIONS):
        parts.append(_competitions(results))
    for group, title in (
        ("everyday", "Everyday series"),
        ("fresh", "Series set aside"),
    ):
        if names & set(GROUPS[group]):
            parts.append(f"## {title}\n\n{_everyday(results, group)}")
    failures = [
        f"- {one['set']}, {one['kind']}, seed {one['seed']}: {one['error']}"
        for one in results
        if "error" in one
    ]
    if failures:
        parts.append("## Failed\n\n" + "\n".join(failures) + "\n")
    return "\n".join(parts)


def summary(results: Sequence[Result], group: str, kind: str) -> dict[str, float]:
    """Return geometric mean, worst and share above 1.02 of ratios to the best baseline."""
    ratios = np.array(
        [
            mean["ratio"]
            for name in GROUPS[group]
            if (mean := _mean(results, name, kind)).get("ratio")
        ]
    )
    if not len(ratios):
        return {}
    worst, above = float(ratios.max()), float((ratios > 1.02).mean())
    return {
        "sets": len(ratios),
        "geometric_mean": float(np.exp(np.log(ratios).mean())),
        "worst": worst,
        "above": above,
    }


def m3_all(results: Sequence[Result], kind: str) -> dict[str, float]:
    """Return the errors of the whole M3, sMAPE weighted by observations as in the competition."""
    parts = [_mean(results, name, kind) for name in GROUPS["m3"]]
    if not all(parts):
        return {}
    weights = np.array([part["points"] for part in parts])
    return {
        "smape": float(np.average([part["smape"] for part in parts], weights=weights))
    }


def _competitions(results: Sequence[Result]) -> str:
    rows = []
    names = [one.name for one in COMPETITIONS]
    for name in [*names[:6], "m3_all", *names[6:]]:
        found = {
            kind: (m3_all if name == "m3_all" else _of(name))(results, kind)
            for kind in _LABELS
        }
        if any(found.values()):
            rows += [
                (name, _LABELS[kind], scores)
                for kind, scores in found.items()
                if scores
            ]
            rows += [("", whose, scores) for whose, scores in references(name)]
    lines = [[name, whose, *_figures(scores)] for name, whose, scores in rows]
    return "## Competitions\n\n" + _table(["set", "whose", *_TITLES.values()], lines)


def _everyday(results: Sequence[Result], group: str) -> str:
    lines = [
        line
        for one in EVERYDAY
        if one.name in GROUPS[group] and (line := _everyday_line(results, one))
    ]
    head = [
        "set",
        "ratio",
        "ratio, nothing trained",
        "MASE",
        "best baseline",
        "AutoETS",
        "DOTheta",
    ]
    table = _table([*head, "WQL", "80 % coverage", "CPU s"], lines)
    words = [
        f"{_LABELS[kind].strip('*')}: geometric mean {s['geometric_mean']:.3f}, worst"
        f" {s['worst']:.2f}, "
        f"{s['above']:.0%} of {s['sets']:.0f} above 1.02."
        for kind in _LABELS
        if (s := summary(results, group, kind))
    ]
    note = (
        "Ratio: MASE over that of the best simple method on the same"
        " windows (below 1 is a gain)."
    )
    return "\n".join([note, *words, "", table])


def _everyday_line(results: Sequence[Result], one: Everyday) -> list[str]:
    fitted, untrained = (_mean(results, one.name, kind) for kind in _LABELS)
    shown = fitted or untrained
    if not shown:
        return []
    others = dict(references(one.name))
    best = f"{shown['baseline'].replace('_', ' ')} {shown['baseline_mase']:.3f}"
    ratios = (_figure(scores, "ratio") for scores in (fitted, untrained))
    rivals = (_figure(others.get(name, {}), "mase") for name in ("AutoETS", "DOTheta"))
    rest = (_figure(shown, name) for name in ("wql", "coverage", "seconds"))
    return [one.name, *ratios, _figure(shown, "mase"), best, *rivals, *rest]


def _of(name: str) -> Callable[[Sequence[Result], str], Result]:
    return lambda results, kind: _mean(results, name, kind)


def _mean(results: Sequence[Result], name: str, kind: str) -> Result:
    """Mean over seeds of the figures of a set that were measured; what is no figure as it is."""
    found = [
        one
        for one in results
        if (one["set"], one["kind"]) == (name, kind) and "error" not in one
    ]
    if not found:
        return {}
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
