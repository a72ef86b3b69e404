"""What `speed.py` measured -> one page of Markdown. Pure: takes figures, writes nothing."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Figures = dict[str, Any]
FEATURES = 17 * 4
"""Bytes of what the encoder reads of a step: float32 features."""
_HEAD = """# Speed and memory

Written by `python -m benchmarks.speed`, a part of `make bench`. Every section is one run on one
machine, each program with one thread unless said otherwise; compare figures of one section only.
Times are medians of five, but for whole fits (error after seconds, memory, everyday fits, time
budget), which are taken once. Peers have environments of their own with the same torch, and their
own defaults where nothing else is said: a batch of theirs is as large as they make it. Context
168, horizon 24, two layers of 64 for all, unless said otherwise.
"""
_TITLES = {
    "cold": "Cold start",
    "train": "Training: windows a second",
    "learn": "Training: error after seconds",
    "memory": "Memory of a fit",
    "many": "Many series at once",
    "parallel": "Two cores",
    "growth": "Growth",
    "cost": "Everyday fits",
    "budget": "Time budget",
    "step": "A training step",
}


def page(results: Figures) -> str:
    """The whole page, with a section for all that was measured."""
    parts = [_HEAD]
    machines = [one["machine"] for one in results.values()]
    if machines:
        last = machines[-1]
        parts.append(
            f"{last['cpu']}, {last['cores']} cores, Python {last['python']}:"
            f" {', '.join(last['versions'])}.\n"
        )
    for name, title in _TITLES.items():
        if name in results:
            parts.append(
                f"## {title}\n\n{_written(name, results)}\n{_stamp(results[name], results)}"
            )
    return "\n".join(parts)


def kept_page(found: Figures) -> str:
    """The whole page from what is kept."""
    return page(found["sections"])


def _written(name: str, results: Figures) -> str:
    if name == "train":
        return _train(results[name], results)
    return _WRITERS[name](results[name])


def _stamp(one: Figures, results: Figures) -> str:
    """When a section was measured, where not all are of one state of the code."""
    sources = {other["source"] for other in results.values()}
    return (
        f"\nMeasured on {one['on']}, source {one['source'][:8]}.\n"
        if len(sources) > 1
        else ""
    )


def _cold(found: Figures) -> str:
    rows = found["rows"]
    own = rows["lstmcast"]
    lines = []
    for name, one in rows.items():
        if isinstance(one, str):
            lines.append([name, one, "", "", ""])
            continue
        ratios = [f"{own[key] / one[key]:.3f}" for key in ("seconds", "peak")]
        lines.append(
            [name, f"{one['seconds']:.2f} s", f"{one['peak'] / 1e6:.0f} MB", *ratios]
        )
    note = (
        "A whole process: load a saved model, forecast one series of 144 rows 12 steps ahead,"
        " write a CSV."
    )
    return (
        note
        + "\n\n"
        + _table(
            ["", "wall", "peak memory", "lstmcast's time to it", "its memory"], lines
        )
    )


def _train(found: Figures, sections: Figures) -> str:
    rows = found["rows"]
    usual = found.get("precision", "float32")
    own = rows["lstmcast"]["windows_per_second"]
    in_float32 = rows.get("lstmcast, float32", {}).get("windows_per_second")
    lines = []
    for name, one in rows.items():
        if isinstance(one, str):
            lines.append([name, "", one, "", ""])
            continue
        rate = one["windows_per_second"]
        of_own = name == "lstmcast"
        like = f"{in_float32 / rate:.1f}" if in_float32 and not of_own else ""
        precision = usual if of_own else "float32"
        lines.append([name, precision, f"{rate:,.0f}", f"{own / rate:.1f}", like])
    note = (
        "A window is a pair of a context and a horizon that the loss is taken of; 100 hourly"
        f" series of 1,000 rows. lstmcast trains in {usual} here by itself, the others in float32."
    )
    if usual != "float32" and not in_float32 and "step" in sections:
        slower = sections["step"]["float32"]["whole"] / sections["step"][usual]["whole"]
        note += (
            " What it does in float32 was not measured in this run; a training step takes"
            f" {slower:.1f} times as long in float32 (see [below](#a-training-step)), so about"
            f" {slower:.1f} of each factor are the precision's."
        )
    head = ["", "precision", "windows/s", "lstmcast is faster by", "in float32 by"]
    return note + "\n\n" + _table(head, lines)


def _learn(found: Figures) -> str:
    seconds, rows = found["seconds"], found["rows"]
    names = list(dict.fromkeys(name.rpartition(" ")[0] for name in rows))
    lines = [
        [_whose(name), *(_error(rows[f"{name} {s}"]) for s in seconds)]
        for name in names
    ]
    note = (
        "MASE on the test part of M4 Hourly (414 series, horizon 48) after so many seconds of"
        " training, by the tool's"
        " own limit of time, one seed each; in brackets the seconds that its fit took in all,"
        " preparation included."
        " Repeating the last day is 1.193."
    )
    return note + "\n\n" + _table(["", *(f"{s} s" for s in seconds)], lines)


def _whose(name: str) -> str:
    return "lstmcast, from nothing" if name == "from scratch" else name


def _error(one: Any) -> str:
    return (
        one if isinstance(one, str) else f"{one['mase']:.3f} ({one['seconds']:.0f} s)"
    )


def _memory(found: Figures) -> str:
    lines = []
    for label, one in found["rows"].items():
        name, _, size = label.partition(" | ")
        if isinstance(one, str):
            lines.append([name, size, one, "", "", ""])
            continue
        added = one["peak"] - one["before"]
        points = 1e7 if size.startswith(("1e7", "1e5")) else 1e6
        share = f"{added / points / FEATURES:.2f}" if name == "lstmcast" else ""
        figures = [f"{one[key] / 1e6:,.0f}" for key in ("peak", "before")]
        lines.append([name, size, figures[0], figures[1], f"{added / 1e6:,.0f}", share])
    note = (
        "A fit of a few steps on a frame of so many points, in MB. Before: what imports and the"
        " frame hold. The last"
        f" column is what the fit added over the float32 features of all steps, {FEATURES} bytes"
        " a point. Two more"
        f" numbers after the size are another context and horizon."
    )
    return (
        note
        + "\n\n"
        + _table(["", "points", "peak", "before", "added", "added / features"], lines)
    )


def _many(found: Figures) -> str:
    rows = found["rows"]
    own = rows["lstmcast"]
    lines = []
    for name, one in rows.items():
        if isinstance(one, str):
            lines.append([name, "", "", "", one, "", "", ""])
            continue
        sizes = [f"{one['series']:,}", str(one["networks"]), str(one["steps"])]
        rates = [
            cell
            for key in ("per_second", "on_two")
            for cell in (f"{one[key]:,.0f}", f"{own[key] / one[key]:.2f}")
        ]
        if "as it comes" in name:
            rates[1::2] = ["", ""]
        lines.append([name, *sizes, *rates])
    note = (
        f"One forecast of all series in memory, {found['length']} rows each, series a second by"
        " one thread and by two:"
        " first with one network of the same size that reads the same steps. As it comes,"
        " lstmcast takes the mean of"
        " several networks, which read twice the context of two days."
    )
    head = [
        "",
        "series",
        "networks",
        "steps read",
        "one thread",
        "lstmcast to it",
        "two threads",
        "lstmcast to it",
    ]
    return note + "\n\n" + _table(head, lines)


def _parallel(found: Figures) -> str:
    lines = []
    for name, one in found["rows"].items():
        single, double = (float(np.median(one[jobs])) for jobs in ("1", "2"))
        lines.append(
            [
                f"four {name}",
                f"{single:.2f} s",
                f"{double:.2f} s",
                f"{single / double:.2f}",
            ]
        )
    note = (
        "Work in one process and in two of one thread each, which have started already."
    )
    return note + "\n\n" + _table(["", "-j 1", "-j 2", "times faster"], lines)


def _growth(found: Figures) -> str:
    rows, base = found["rows"], found["base"]
    names = ("around", "step", "predict", "peak")
    start = rows["1"]
    lines = [["as it is", *(_amount(name, start[name]) for name in names)]]
    for size in base:
        four = rows[f"{size} 4"]
        slopes = [
            f"{_amount(n, four[n])} ({np.log2(four[n] / start[n]) / 2:.2f})"
            for n in names
        ]
        lines.append([f"{size} x 4", *slopes])
    sizes = ", ".join(f"{value} {name}" for name, value in base.items())
    note = (
        f"Processor time and memory of a fit from scratch of {sizes}, and of four times each:"
        " what goes before and"
        " after training, a training step, a forecast of all series. In brackets the slope in"
        " doublings a doubling,"
        " from two of them: 1 is linear, 0 is flat. Width alone is steeper than linear, as it"
        " must be: the weights of"
        " the encoder, and its products with them, grow with the square of it."
    )
    return (
        note
        + "\n\n"
        + _table(
            ["", "around training", "a step", "predict", "peak, above data"], lines
        )
    )


def _amount(name: str, value: float) -> str:
    if name == "peak":
        return f"{value / 1e6:,.0f} MB"
    return f"{1000 * value:,.1f} ms" if name == "step" else f"{value:.2f} s"


def _cost(found: Figures) -> str:
    rows = found["rows"]
    lines = [
        [name, one, ""]
        if isinstance(one, str)
        else [name, f"{one['seconds']:.1f}", f"{one['cpu']:.1f}"]
        for name, one in rows.items()
    ]
    times = [one["seconds"] for one in rows.values() if not isinstance(one, str)]
    note = (
        "`fit` with its defaults, the whole process on two cores; the longest takes"
        f" {max(times):.1f} s."
    )
    return note + "\n\n" + _table(["", "wall, s", "processor, s"], lines)


def _budget(found: Figures) -> str:
    lines = [
        [
            f"{budget} s",
            f"{one['trained']:.1f} s",
            f"{one['trained'] / float(budget):.2f}",
            f"{one['seconds']:.1f} s",
        ]
        for budget, one in found["rows"].items()
    ]
    note = "A fit of M4 Hourly with a time budget: seconds of its training, and of all of it."
    return note + "\n\n" + _table(["asked", "trained", "share", "the whole fit"], lines)


def _step(found: Figures) -> str:
    lines = []
    for precision in ("float32", "bfloat16"):
        one = found[precision]
        rest = max(0.0, one["whole"] - one["network"] - one["batch"])
        decoder = max(0.0, one["network"] - one["encoder"])
        figures = [one["batch"], one["encoder"], decoder, rest, one["whole"]]
        share = f"{one['batch'] / one['whole']:.1%}"
        lines.append(
            [
                precision,
                *(f"{1000 * x:.1f}" for x in figures),
                share,
                f"{one['reached']:.0%}",
            ]
        )
    usual = "bfloat16" if found["reduces"] else "float32"
    note = (
        "Processor milliseconds, 16 chunks with 16 origins each. The last column is what the"
        " encoder's matrix products"
        " (forwards and twice backwards) reach of a product of two matrices of 1,024 rows in the"
        " same precision."
        f" Training here is in {usual}."
    )
    head = [
        "",
        "batch",
        "encoder",
        "decoder and loss",
        "optimiser",
        "whole",
        "batch / whole",
        "of peak",
    ]
    return note + "\n\n" + _table(head, lines)


_WRITERS: dict[str, Callable[[Figures], str]] = {
    "cold": _cold,
    "learn": _learn,
    "memory": _memory,
    "many": _many,
    "parallel": _parallel,
    "growth": _growth,
    "cost": _cost,
    "budget": _budget,
    "step": _step,
}


def _table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rows = [head, ["---"] * len(head), *lines]
    return "".join("| " + " | ".join(row) + " |\n" for row in rows)
