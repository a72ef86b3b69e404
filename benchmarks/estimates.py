"""How close `fit --dry-run` is to what a fit takes: `python -m benchmarks.estimates [SET ...]`.

One process each, with one thread and one job: the estimate's seconds beside the processor seconds
that the fit used, so that a busy machine does not matter, and the estimate's memory beside the
largest resident set.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.figures import keep, measured_today
from benchmarks.sets import DATA, SETS, Competition, Everyday, select

USUAL = [
    "air_passengers",
    "sunspots_monthly",
    "gasoline_weekly",
    "m4_weekly",
    "m3_monthly",
]
HEADER = f"{'':<24}{'said':>8}{'took':>8}{'ratio':>7}   {'said':>6}{'took':>6}  MiB{'ratio':>7}"


def compare(
    one: Competition | Everyday, folder: Path
) -> tuple[float, float, float, float]:
    """Seconds estimated and taken, bytes estimated and taken."""
    if isinstance(one, Competition):
        one.load(DATA)[0].to_parquet(folder / "train.parquet", index=False)
        line = [
            "fit",
            "train.parquet",
            "--target",
            "y",
            "--series",
            "unique_id",
            "--horizon",
            str(one.horizon),
        ]
    else:
        line = [
            "fit",
            str(DATA.resolve() / one.file),
            "--target",
            one.target,
            "--horizon",
            str(one.horizon),
        ]
        line += ["--time", ",".join(one.time)] if one.time else []
        line += ["--date-format", one.date_format] if one.date_format else []
    line += ["-j", "1", "-q"]
    estimate = json.loads(_run([*line, "--dry-run", "--json"], folder)[0])
    _, seconds, memory = _run([*line, "--out", "run"], folder)
    return estimate["seconds"], seconds, estimate["memory"], memory


def _run(arguments: list[str], folder: Path) -> tuple[str, float, float]:
    """What a command printed, its processor seconds and its largest resident set in bytes."""
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", "lstmcast", *arguments],
        cwd=folder,
        env=env,
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout
        printed = program.stdout.read()
        _, status, usage = os.wait4(program.pid, 0)
        program.returncode = os.waitstatus_to_exitcode(status)
    if program.returncode:
        raise SystemExit(program.returncode)
    unit = 1 if sys.platform == "darwin" else 1024
    return printed, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit


def sentence(found: Mapping[str, Any]) -> str:
    """What the figures say."""
    rows = found["sets"].values()
    seconds = [one["seconds"] / one["estimated_seconds"] for one in rows]
    memory = [one["memory"] / one["estimated_memory"] for one in rows]
    return (
        f"On {len(seconds)} sets of the benchmark, fits used between {min(seconds):.2f} and"
        f" {max(seconds):.2f} times the estimated seconds, and {min(memory):.2f} to"
        f" {max(memory):.2f} times the estimated memory (`python -m benchmarks.estimates`)."
    )


def main() -> None:
    """Print a line for each set; keep the figures of the usual ones."""
    print(HEADER, flush=True)
    found: dict[str, Any] = {"sets": {}}
    for name in select(sys.argv[1:] or USUAL):
        with tempfile.TemporaryDirectory() as folder:
            estimated, took, large, used = compare(SETS[name], Path(folder))
        said = {"estimated_seconds": estimated, "estimated_memory": large}
        found["sets"][name] = {**said, "seconds": took, "memory": used}
        seconds = f"{estimated:>7.1f}s{took:>7.1f}s{estimated / took:>7.2f}"
        figures = f"{seconds}   {large / 2**20:>6.0f}{used / 2**20:>6.0f}     "
        print(f"{name:<24}{figures}{large / used:>7.2f}", flush=True)
    if not sys.argv[1:]:
        keep("estimates", measured_today(found))


if __name__ == "__main__":
    main()
