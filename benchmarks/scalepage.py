"""What benchmarks/scale.py measured -> docs/scale.md. Pure: takes figures, writes nothing."""

import textwrap
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

Figures = dict[str, Any]
PICTURE = "pictures/scale.png"
BILLION = 1e9
_NIGHT = 8 * 3600.0

_HEAD = """# Beyond one machine

Written by `python -m benchmarks.scale`. Generated daily series of 200 points, in Parquet files of
10,000 series, are forecast 14 days ahead by the shipped network: `lstmcast forecast data --target
y --series shop -o out/ -j 2`. Memory is what all processes of a command hold together at most
(shared pages counted once), CPU seconds are of all of them.
"""

_SAMPLE = """\
What `fit --sample ROWS` costs. The last horizon of every series is held back; `fit` learns from
the rest of all series, or of a sample; `predict` forecasts what was held back of all (of one in
ten of the generated ones, which are of 500 kinds, most of them rare). The other sets are the
training parts of those in [accuracy.md](accuracy.md). Mean of the seeds {seeds}, ± their
deviation; all else is the default.
"""
_FLOORS = (1000, 300, 100, 20)
_NOTHING = 0.001
"""As small a share of the error counts as none, be the seeds ever so alike."""
_DECADE = 24 * 365.25 * 10


def page(results: Figures) -> str:
    """The whole page, with a section for all that was measured."""
    parts = [_HEAD]
    if results:
        last = list(results.values())[-1]["machine"]
        parts.append(
            f"{last['cpu']}, {last['cores']} cores, Python {last['python']}.\n"
        )
        parts.append(
            f"![Seconds and memory against series; speed against workers]({PICTURE})\n"
        )
    writers = {
        "series": ("More series", _series),
        "workers": ("More workers", _workers),
        "engines": ("Other engines", _engines),
        "rows": ("A fit of more than memory holds", _rows),
        "sample": ("What is lost by learning from some of the series", _sample),
        "ranks": ("One fit by several ranks", _ranks),
    }
    for name, (title, write) in writers.items():
        if name in results:
            timed = results[name].get("busy", False) and name != "sample"
            busy = (
                "\nMeasured while the machine did other work: the seconds are too many.\n"
                * timed
            )
            parts.append(f"## {title}\n\n{write(results[name])}{busy}")
    if {"series", "engines"} <= results.keys():
        parts.append(f"## A billion series, on paper\n\n{_billion(results)}")
    return "\n".join(parts)


def kept_page(found: Figures) -> str:
    """The whole page from what is kept."""
    return page(found["sections"])


def _series(found: Figures) -> str:
    lines = [
        "| series | s | CPU s | series/s | memory, MB | read, MB | written, MB |"
        " core hours a million |"
    ]
    lines.append("|---:|---:|---:|---:|---:|---:|---:|---:|")
    for count, one in found["rows"].items():
        rate, hours = int(count) / one["seconds"], one["cpu"] / int(count) * 1e6 / 3600
        sizes = f"{one['peak'] / 1e6:,.0f} | {one['read'] / 1e6:,.1f} | {one['written'] / 1e6:,.1f}"
        lines.append(
            f"| {int(count):,} | {one['seconds']:.0f} | {one['cpu']:.0f} | {rate:,.0f} | {sizes}"
            f" | {hours:.2f} |"
        )
    return "\n".join([*lines, ""])


def _workers(found: Figures) -> str:
    first = found["rows"]["1"]["seconds"]
    lines = [
        f"{found['series']:,} series in {found['shards']} files. More workers than cores show"
        " what they cost.\n"
    ]
    lines += [
        "| workers | s | series/s | times one worker | memory, MB |",
        "|---:|---:|---:|---:|---:|",
    ]
    for jobs, one in found["rows"].items():
        rate, times = found["series"] / one["seconds"], first / one["seconds"]
        lines.append(
            f"| {jobs} | {one['seconds']:.1f} | {rate:,.0f} | {times:.2f} |"
            f" {one['peak'] / 1e6:,.0f} |"
        )
    return "\n".join([*lines, ""])


def _engines(found: Figures) -> str:
    same = len({one["sha256"] for one in found["rows"].values()}) == 1
    note = "The files are the same bytes" if same else "**The files differ**"
    lines = [
        f"{found['series']:,} series, two workers, started by the command. {note}.\n"
    ]
    lines += [
        "| engine | s | CPU s | memory, MB | SHA-256 of all files |",
        "|---|---:|---:|---:|---|",
    ]
    for name, one in found["rows"].items():
        figures = f"{one['seconds']:.0f} | {one['cpu']:.0f} | {one['peak'] / 1e6:,.0f}"
        lines.append(f"| {name} | {figures} | {one['sha256'][:16]} |")
    return "\n".join([*lines, ""])


def _rows(found: Figures) -> str:
    return (
        f"`lstmcast fit data --target y --series shop`: {found['rows']:,} rows"
        f" ({found['read'] / 1e9:.1f} GB of"
        f" Parquet) took {found['seconds']:.0f} s and {found['peak'] / 1e9:.2f} GB; their"
        " features alone would take"
        f" {found['rows'] * 141 / 1e9:.0f} GB. The files are read a million rows at a time, and"
        " whole series are kept,"
        " chosen by their names and the seed, until they are 5 million rows: each network of a"
        " training draws some ten"
        " thousand stretches, so it would not see most of the others anyway.\n"
    )


def _sample(found: Figures) -> str:
    sets = found["sets"]
    seeds = ", ".join(next(iter(sets.values()))["fits"]["1"])
    lines = [_SAMPLE.format(seeds=seeds)]
    lines += [
        "| set | series learnt from | stretches drawn | MASE | than all | WQL, than all |"
    ]
    lines += ["|---|---:|---:|---:|---:|---:|"]
    for name, one in sets.items():
        whole = [*one["fits"]["1"].values()]
        for k, (part, fits) in enumerate(
            [("", [one["untrained"]]), *((p, [*f.values()]) for p, f in _fits(one))]
        ):
            learnt = (
                f"{'all ' * (part == '1')}{_mean(fits, 'learnt'):,.0f} |"
                f" {_mean(fits, 'drawn'):,.0f}"
                if part
                else ""
            )
            error = (
                f"{_mean(fits, 'mase'):.3f}"
                + f" ± {np.std([one['mase'] for one in fits]):.3f}" * (len(fits) > 1)
            )
            more = (
                " | ".join(
                    f"{100 * _more(fits, whole, of):+z.1f} %" for of in ("mase", "wql")
                )
                if part != "1"
                else "|"
            )
            lines.append(
                f"| {name * (not k)} | {learnt or 'none, as shipped |'} | {error} | {more} |"
            )
    summary = textwrap.fill(" ".join(_lost(sets)).replace(" %", "~%"), 120).replace(
        "~", " "
    )
    return "\n".join([*lines, "", summary, ""])


def _lost(sets: Figures) -> Iterator[str]:
    """Sentences on what the figures say, whichever it is."""
    name, largest = max(sets.items(), key=lambda row: row[1]["series"])
    drawn, count = _mean([*largest["fits"]["1"].values()], "drawn"), largest["series"]
    yield (
        f"A training on all {count:,} series of `{name}` draws {drawn:,.0f} stretches: it sees at"
        " most"
        f" {100 * min(1.0, drawn / count):.0f} % of the series."
    )
    samples = [sample for one in sets.values() for sample in _samples(one)]
    worst, free = [], []
    for floor in _FLOORS:
        if large := [sample for sample in samples if sample.series >= floor]:
            most = 100 * max(sample.more for sample in large)
            worst.append(f"of {floor:,} or more ({len(large)} of them) {most:+z.1f} %")
            free += [floor] * all(
                sample.more <= max(sample.seed_effect, _NOTHING) for sample in large
            )
    seed_effect = [100 * sample.seed_effect for sample in samples]
    yield f"The most that a sample adds to MASE, by how many series it has: {'; '.join(worst)}."
    least, most = min(seed_effect), max(seed_effect)
    yield f"The seed alone adds or takes {least:.1f} % to {most:.1f} %, by set."
    if free:
        yield (
            f"So of {min(free):,} series or more, what a sample leaves out costs no more than the"
            " choice of a seed."
        )
    else:
        yield "**So what a sample leaves out is missed, however many series it has.**"
    if len(free) < len(worst):
        yield (
            "Rows are not series: 5 million rows are 25,000 series of 200 days, but"
            f" {5_000_000 / _DECADE:.0f} of ten years of hours. Where a sample has few, take more"
            " with `--sample ROWS`."
        )


class _Sample(NamedTuple):
    """Return the series of a sample, its MASE over that of all, and the deviation between seeds."""

    series: float
    more: float
    seed_effect: float


def _samples(one: Figures) -> list[_Sample]:
    whole = [*one["fits"]["1"].values()]
    seed_effect = max(abs(_more([fit], whole)) for fit in whole)
    parts = ([*fits.values()] for part, fits in _fits(one) if part != "1")
    return [
        _Sample(_mean(fits, "learnt"), _more(fits, whole), seed_effect)
        for fits in parts
    ]


def _fits(one: Figures) -> list[tuple[str, Figures]]:
    return sorted(one["fits"].items(), key=lambda row: int(row[0]))


def _mean(fits: Sequence[Figures], of: str) -> float:
    return float(np.mean([fit[of] for fit in fits]))


def _more(fits: Sequence[Figures], whole: Sequence[Figures], of: str = "mase") -> float:
    """Error of fits against that of those on all series: 0.01 is a hundredth more."""
    return _mean(fits, of) / _mean(whole, of) - 1


def _ranks(found: Figures) -> str:
    lines = [
        f"`torchrun --nproc-per-node=N -m lstmcast fit`, {found['series']:,} series, 200 steps,"
        " gloo.\n"
    ]
    lines += ["| ranks | s | CPU s | memory, MB |", "|---:|---:|---:|---:|"]
    for count, one in found["rows"].items():
        lines.append(
            f"| {count} | {one['seconds']:.0f} | {one['cpu']:.0f} | {one['peak'] / 1e6:,.0f} |"
        )
    return "\n".join([*lines, ""])


def _billion(results: Figures) -> str:
    """Counted from the largest run: nothing of it was measured."""
    count, one = max(results["series"]["rows"].items(), key=lambda row: int(row[0]))
    each = one["cpu"] / int(count)
    hours, cores, memory = (
        BILLION * each / 3600,
        BILLION * each / _NIGHT,
        one["largest"] / 1e9,
    )
    read, written = (
        BILLION * one[name] / int(count) / 1e12 for name in ("read", "written")
    )
    files, flow = BILLION / 10_000, (read + written) * 1e12 / _NIGHT / 1e9
    lines = (
        f"Work: {hours:,.0f} core hours; in a night of eight hours, {cores:,.0f} cores.",
        f"Memory: {memory:.1f} GB a worker, whatever the number of series, since it holds one"
        " file of 10,000 at a time;"
        f" {cores * memory:,.0f} GB in all.",
        f"Bytes: {read:.1f} TB to read and {written:.1f} TB to write, {flow:.2f} GB/s over the"
        " night. They go between"
        " workers and storage; what goes to the scheduler is paths and counts.",
        f"Scheduler: {files:,.0f} jobs of some {10_000 * each:.0f} s each, {files / _NIGHT:,.1f}"
        " a second. Dask's"
        " documentation counts with a millisecond a task, so it is idle.",
        "The driver keeps 8 bytes a series to find one that is in two files:"
        f" {BILLION * 8 / 1e9:.0f} GB, sorted once."
        " That is the first thing to give way: beyond some billions, look for such series file"
        " by file instead.",
        f"To provision: {cores:,.0f} cores with {max(2, round(memory + 0.5)):.0f} GB each,"
        " storage that gives"
        f" {flow:.2f} GB/s, one machine for the scheduler and one with {BILLION * 24 / 1e9:.0f}"
        " GB for the driver."
        " A run that is cut off goes on with the files that are missing.",
    )
    head = (
        f"Nothing of this was measured: it is the run of {int(count):,} series times"
        f" {BILLION / int(count):,.0f}."
    )
    return "\n".join(
        [
            head,
            "",
            *(
                textwrap.fill(f"- {line}", 120, subsequent_indent="  ")
                for line in lines
            ),
            "",
        ]
    )
