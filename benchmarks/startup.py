"""How long `lstmcast --help` and `--version` take, against a bare `import typer`: `python -m benchmarks.startup`.

Medians over runs that take turns, so that a busy moment hits all of them alike. The contract allows 0.25 s on an idle
machine.
"""

import statistics
import subprocess
import sys
import time

RUNS = 15
LINES = {
    "python -c 'import typer'": ["-c", "import typer"],
    "lstmcast --help": ["-m", "lstmcast", "--help"],
    "lstmcast --version": ["-m", "lstmcast", "--version"],
    "lstmcast fit --help": ["-m", "lstmcast", "fit", "--help"],
    "lstmcast completion-words -- fi": ["-m", "lstmcast", "completion-words", "--", "fi"],
    "lstmcast fit x --taget y": ["-m", "lstmcast", "fit", "x", "--taget", "y"],
}


def measure(runs: int = RUNS) -> dict[str, float]:
    """Median seconds of each line."""
    seconds: dict[str, list[float]] = {name: [] for name in LINES}
    for _ in range(runs):
        for name, arguments in LINES.items():
            began = time.perf_counter()
            subprocess.run([sys.executable, *arguments], capture_output=True, check=False)
            seconds[name].append(time.perf_counter() - began)
    return {name: statistics.median(times) for name, times in seconds.items()}


def main() -> None:
    """Print the medians, and each as a multiple of the first."""
    medians = measure()
    least = next(iter(medians.values()))
    for name, median in medians.items():
        print(f"{name:<34}{1000 * median:6.0f} ms  {median / least:.2f} times")


if __name__ == "__main__":
    main()
