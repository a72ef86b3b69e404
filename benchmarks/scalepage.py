"""What benchmarks/scale.py measured -> docs/scale.md. Pure: takes figures, writes nothing."""

import textwrap
from typing import Any

Figures = dict[str, Any]
PICTURE = "pictures/scale.png"
BILLION = 1e9
_NIGHT = 8 * 3600.0

_HEAD = """# Beyond one machine

Written by `python -m benchmarks.scale`. Generated daily series of 200 points, in Parquet files of 10,000 series, are
forecast 14 days ahead by the shipped network: `lstmcast forecast data --target y --series shop -o out/ -j 2`. Memory
is what all processes of a command hold together at most (shared pages counted once), CPU seconds are of all of them.
"""


def page(kept: Figures) -> str:
    """The whole page, with a section for all that was measured."""
    parts = [_HEAD]
    if kept:
        last = list(kept.values())[-1]["machine"]
        parts.append(f"{last['cpu']}, {last['cores']} cores, Python {last['python']}.\n")
        parts.append(f"![Seconds and memory against series; speed against workers]({PICTURE})\n")
    writers = {
        "series": ("More series", _series),
        "workers": ("More workers", _workers),
        "engines": ("Other engines", _engines),
        "rows": ("A fit of more than memory holds", _rows),
        "ranks": ("One fit by several ranks", _ranks),
    }
    for name, (title, write) in writers.items():
        if name in kept:
            busy = "\nMeasured while the machine did other work: the seconds are too many.\n" * kept[name].get(
                "busy", False
            )
            parts.append(f"## {title}\n\n{write(kept[name])}{busy}")
    if {"series", "engines"} <= kept.keys():
        parts.append(f"## A billion series, on paper\n\n{_billion(kept)}")
    return "\n".join(parts)


def _series(found: Figures) -> str:
    lines = ["| series | s | CPU s | series/s | memory, MB | read, MB | written, MB | core hours a million |"]
    lines.append("|---:|---:|---:|---:|---:|---:|---:|---:|")
    for count, one in found["rows"].items():
        rate, hours = int(count) / one["seconds"], one["cpu"] / int(count) * 1e6 / 3600
        sizes = f"{one['peak'] / 1e6:,.0f} | {one['read'] / 1e6:,.1f} | {one['written'] / 1e6:,.1f}"
        lines.append(
            f"| {int(count):,} | {one['seconds']:.0f} | {one['cpu']:.0f} | {rate:,.0f} | {sizes} | {hours:.2f} |"
        )
    return "\n".join([*lines, ""])


def _workers(found: Figures) -> str:
    first = found["rows"]["1"]["seconds"]
    lines = [f"{found['series']:,} series in {found['shards']} files. More workers than cores show what they cost.\n"]
    lines += ["| workers | s | series/s | times one worker | memory, MB |", "|---:|---:|---:|---:|---:|"]
    for jobs, one in found["rows"].items():
        rate, times = found["series"] / one["seconds"], first / one["seconds"]
        lines.append(f"| {jobs} | {one['seconds']:.1f} | {rate:,.0f} | {times:.2f} | {one['peak'] / 1e6:,.0f} |")
    return "\n".join([*lines, ""])


def _engines(found: Figures) -> str:
    same = len({one["sha256"] for one in found["rows"].values()}) == 1
    said = "The files are the same bytes" if same else "**The files differ**"
    lines = [f"{found['series']:,} series, two workers, started by the command. {said}.\n"]
    lines += ["| engine | s | CPU s | memory, MB | SHA-256 of all files |", "|---|---:|---:|---:|---|"]
    for name, one in found["rows"].items():
        figures = f"{one['seconds']:.0f} | {one['cpu']:.0f} | {one['peak'] / 1e6:,.0f}"
        lines.append(f"| {name} | {figures} | {one['sha256'][:16]} |")
    return "\n".join([*lines, ""])


def _rows(found: Figures) -> str:
    return (
        f"`lstmcast fit data --target y --series shop`: {found['rows']:,} rows ({found['read'] / 1e9:.1f} GB of"
        f" Parquet) took {found['seconds']:.0f} s and {found['peak'] / 1e9:.2f} GB; their features alone would take"
        f" {found['rows'] * 141 / 1e9:.0f} GB. The files are read a million rows at a time, and whole series are kept,"
        " chosen by their names and the seed, until they are 5 million rows: a training draws some ten thousand"
        " stretches, so it would not see most of the others anyway.\n"
    )


def _ranks(found: Figures) -> str:
    lines = [f"`torchrun --nproc-per-node=N -m lstmcast fit`, {found['series']:,} series, 200 steps, gloo.\n"]
    lines += ["| ranks | s | CPU s | memory, MB |", "|---:|---:|---:|---:|"]
    for count, one in found["rows"].items():
        lines.append(f"| {count} | {one['seconds']:.0f} | {one['cpu']:.0f} | {one['peak'] / 1e6:,.0f} |")
    return "\n".join([*lines, ""])


def _billion(kept: Figures) -> str:
    """Counted from the largest run: nothing of it was measured."""
    count, one = max(kept["series"]["rows"].items(), key=lambda row: int(row[0]))
    each = one["cpu"] / int(count)
    hours, cores, memory = BILLION * each / 3600, BILLION * each / _NIGHT, one["largest"] / 1e9
    read, written = (BILLION * one[name] / int(count) / 1e12 for name in ("read", "written"))
    files, flow = BILLION / 10_000, (read + written) * 1e12 / _NIGHT / 1e9
    lines = (
        f"Work: {hours:,.0f} core hours; in a night of eight hours, {cores:,.0f} cores.",
        f"Memory: {memory:.1f} GB a worker, whatever the number of series, since it holds one file of 10,000 at a time;"
        f" {cores * memory / 1e3:,.1f} TB in all.",
        f"Bytes: {read:.1f} TB to read and {written:.1f} TB to write, {flow:.2f} GB/s over the night. They go between"
        " workers and storage; what goes to the scheduler is paths and counts.",
        f"Scheduler: {files:,.0f} jobs of some {10_000 * each:.0f} s each, {files / _NIGHT:,.1f} a second. Dask's"
        " documentation counts with a millisecond a task, so it is idle.",
        f"The driver keeps 8 bytes a series to find one that is in two files: {BILLION * 8 / 1e9:.0f} GB, sorted once."
        " That is the first thing to give way: beyond some billions, look for such series file by file instead.",
        f"To provision: {cores:,.0f} cores with {max(2, round(memory + 0.5)):.0f} GB each, storage that gives"
        f" {flow:.2f} GB/s, one machine for the scheduler and one with {BILLION * 24 / 1e9:.0f} GB for the driver."
        " A run that is cut off goes on with the files that are missing.",
    )
    head = f"Nothing of this was measured: it is the run of {int(count):,} series times {BILLION / int(count):,.0f}."
    return "\n".join([head, "", *(textwrap.fill(f"- {line}", 120, subsequent_indent="  ") for line in lines), ""])
