"""Time of `lstmcast --help` and `--version` beside `import typer`: `python -m benchmarks.startup`.

Medians over runs that take turns, so that a busy moment hits all of them alike; of processor time,
which on an idle machine is the time that a user waits. The contract allows 0.25 s.
"""

import resource
import statistics
import subprocess
import sys

RUNS = 15
LINES = {
    "python -c 'import typer'": ["-c", "import typer"],
    "lstmcast --help": ["-m", "lstmcast", "--help"],
    "lstmcast --version": ["-m", "lstmcast", "--version"],
    "lstmcast fit --help": ["-m", "lstmcast", "fit", "--help"],
    "lstmcast completion-words -- fi": [
        "-m",
        "lstmcast",
        "completion-words",
        "--",
        "fi",
    ],
    "lstmcast fit x --taget y": ["-m", "lstmcast", "fit", "x", "--taget", "y"],
}


def measure(runs: int = RUNS) -> dict[str, float]:
    """Median seconds of processor time of each line."""
    seconds: dict[str, list[float]] = {name: [] for name in LINES}
    for _ in range(runs):
        for name, arguments in LINES.items():
            began = _used()
            subprocess.run(
                [sys.executable, *arguments], capture_output=True, check=False
            )
            seconds[name].append(_used() - began)
    return {name: statistics.median(times) for name, times in seconds.items()}


def _used() -> float:
    """Processor seconds of all processes that have ended so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Print the medians, and each as a multiple of the first."""
    medians = measure()
    least = next(iter(medians.values()))
    for name, median in medians.items():
        print(f"{name:<34}{1000 * median:6.0f} ms  {median / least:.2f} times")


if __name__ == "__main__":
    main()
