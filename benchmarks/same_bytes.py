"""Do two checkouts fit and forecast the same bytes? `python -m benchmarks.same_bytes`.

Fits of all kinds with a fixed seed, through the command line in a temporary folder. Prints a line
for each file and each table: where it is from, and its SHA-256. The lines of two checkouts on one
machine (the other with `--python-path FOLDER`) are for `diff`; the number of threads is no matter.
"""

import argparse
import csv
import hashlib
import io
import json
import math
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SHORT = "--steps 40 --members 1"
SMALL = "--from scratch --hidden 8 --steps 40 --members 1"
ROLES = (
    "--series shop --static region --future price --future promotion --past temperature"
)
FITS = {
    "univariate": "price.csv --target price",
    "panel": f"shops.csv --target sold {ROLES} --horizon 7 {SHORT}",
    "many series": f"waves.csv --target y --series id --layer-norm {SMALL} --members 2",
    "student-t": f"price.csv --target price --loss student-t --calendar {SMALL}",
    "negative-binomial": f"shop.csv --target sold --loss negative-binomial {SMALL}",
    "bernoulli": f"waves.csv --target high --series id --loss bernoulli {SMALL}",
    "joint": f"shop.csv --target sold --target temperature --joint {SHORT}",
    "standard": f"price.csv --target price --loss mae --scale standard --cell rnn {SMALL}",
    "without dates": f"sunspots.csv --target sunspots --time none --horizon 8 --cell gru {SMALL}",
    "looking back": f"price.csv --target price --loss mse --attention --bidirectional {SMALL}",
}
"""Each is forecast from, too."""
TABLES = {
    "forecast": "forecast price.csv --target price",
    "forecast many": "forecast shops.csv --target sold --series shop --horizon 7",
    "backtest": f"backtest price.csv --target price --windows 2 {SHORT}",
    "evaluate": "evaluate univariate newer.csv --by step",
    "detect": "detect univariate newer.csv",
    "explain": "explain univariate",
    "ahead": "predict univariate newer.csv --quantiles 0.05,0.5,0.95 --horizon 40",
    "update": "update univariate newer.csv --steps 10 --gate 'mase<=9*old'",
}
"""What they print; the last leaves another run, which is looked at after it."""


def write_data(folder: Path) -> None:
    """The first rows of the sample files, and a panel of waves that needs no luck."""
    price, shop, sunspots = (
        _rows(name) for name in ("price.csv", "shop.csv", "sunspots.csv")
    )
    names = ("airport", "harbour", "station")
    by_shop = [[row for row in shop if row[1] == name] for name in names]
    parts = [
        row for rows in by_shop for row in (*rows[:110], *map(_planned, rows[110:117]))
    ]
    waves = [[f"s{s}", t + 1, *_wave(s, t)] for s in range(30) for t in range(60)]
    tables: dict[str, list[list[Any]]] = {
        "price.csv": price[:201],
        "newer.csv": price[:261],
        "shop.csv": [shop[0], *by_shop[0][:140]],
        "shops.csv": [shop[0], *parts],
        "sunspots.csv": sunspots[:161],
        "waves.csv": [["id", "t", "y", "high"], *waves],
    }
    for name, rows in tables.items():
        with (folder / name).open("w", newline="") as file:
            csv.writer(file).writerows(rows)


def _wave(series: int, step: int) -> tuple[str, int]:
    """A value, and a 0 or 1."""
    size = 3 + series % 4
    value = 10 + series + size * math.sin(step * 0.9 + series) + step % (series + 2)
    return f"{value:.3f}", int((step + series) % 7 < 3)


def _rows(name: str) -> list[list[str]]:
    with (ROOT / "sample_data" / name).open(newline="") as file:
        return list(csv.reader(file))


def _planned(row: list[str]) -> list[str]:
    """A day of a shop of which neither sales nor weather are known yet."""
    date, shop, region, _, price, promotion, holiday, _ = row
    return [date, shop, region, "", price, promotion, holiday, ""]


class Program:
    """The lstmcast of one checkout, run in one folder."""

    def __init__(self, checkout: Path, folder: Path) -> None:
        kept = {
            name: os.environ[name]
            for name in os.environ
            if not name.startswith("LSTMCAST_")
        }
        self.environment = {"OMP_NUM_THREADS": "1", **kept, "PYTHONPATH": str(checkout)}
        self.folder = folder
        found = (
            self._run("-c", "import lstmcast; print(lstmcast.__file__)")
            .decode()
            .strip()
        )
        if not Path(found).is_relative_to(checkout):
            raise SystemExit(
                f"there is no lstmcast in {checkout}: {found} would be run"
            )

    def say(self, line: str) -> bytes:
        """What a command prints."""
        return self._run("-m", "lstmcast", *shlex.split(line), "-q")

    def _run(self, *arguments: str) -> bytes:
        line = [sys.executable, *arguments]
        return subprocess.check_output(line, cwd=self.folder, env=self.environment)


def contents(run: Path) -> Iterator[tuple[str, bytes]]:
    """The files of a run, without what it says of the time that it took."""
    for name in ("model.safetensors", "scaler.json", "context.parquet", "metrics.json"):
        yield name, (run / name).read_bytes()
    history = list(csv.DictReader(io.StringIO((run / "history.csv").read_text())))
    for row in history:
        del row["seconds"]
    yield "history.csv", json.dumps(history).encode()
    manifest = json.loads((run / "run.json").read_text())
    del manifest["sha256"], manifest["files"]["history.csv"]
    yield "run.json", json.dumps(manifest).encode()


def made(program: Program) -> Iterator[tuple[str, str, bytes]]:
    """All that is fitted and printed: by what, the name of the file, and its bytes."""
    for name, options in FITS.items():
        run = name.replace(" ", "-")
        program.say(f"fit {options} --seed 3 -j 1 --out {run}")
        yield name, "forecast", program.say(f"predict {run}")
        for file, data in contents(program.folder / run):
            yield name, file, data
    for name, line in TABLES.items():
        yield name, "printed", program.say(line)
    for file, data in contents(program.folder / "univariate"):
        yield "update", file, data


def main() -> None:
    """Print a line for each thing made."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--python-path", type=Path, default=ROOT, help="the checkout to run"
    )
    checkout = parser.parse_args().python_path.resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        write_data(folder)
        for what, file, data in made(Program(checkout, folder)):
            print(f"{what:<20}{file:<20}{hashlib.sha256(data).hexdigest()}", flush=True)


if __name__ == "__main__":
    main()
