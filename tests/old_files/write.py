"""Write the old files that are missing: `python tests/old_files/write.py`, with lstmcast installed.

Each folder holds what the program made there and said of it. A folder that is there is left alone.
"""

import gzip
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd

HERE = Path(__file__).resolve().parent
SAMPLES = HERE.parents[1] / "sample_data"
PROGRAM = (sys.executable, "-m", "lstmcast")
SMALL = "--from scratch --hidden 6 --members 1 --steps 40 -j 1"
DEEP = "--layers 3 --layer-norm"
LOOKING_BACK = "--loss student-t --calendar --layers 1 --attention --bidirectional"
ROLES = (
    "--series shop --static region --future price --future promotion --past temperature"
)
STAMP = 1_700_000_000
"""When the Parquet files were changed: the results of a file are kept while it is as it was."""
TABLES = {
    "forecast.csv": "predict run",
    "detect.csv": "detect run {newer}",
    "explain.csv": "explain run",
    "evaluate.json": "evaluate run {newer} --json",
    "show.json": "runs show run --json",
    "settings.toml": "config show --config run",
}
"""What is asked of every run; `newer` has the rows that it learnt from and some that came later."""


def say(line: str, folder: Path) -> str:
    """Run the program in a folder; what it prints."""
    command = [*PROGRAM, *shlex.split(line), "-q"]
    return subprocess.run(
        command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def sample(name: str, rows: int) -> pd.DataFrame:
    """The first rows of a sample file, as texts."""
    return pd.read_csv(SAMPLES / name, dtype=str, keep_default_na=False).head(rows)


def months(rows: int) -> pd.DataFrame:
    """A month a row."""
    return sample("co2.csv", rows)


def numbers(rows: int) -> pd.DataFrame:
    """Steps without dates."""
    return sample("sunspots.csv", rows)[["sunspots"]]


def days(rows: int) -> pd.DataFrame:
    """A day a row."""
    return sample("price.csv", rows)


def hours(rows: int) -> pd.DataFrame:
    """An hour a row, in a zone, over a change of its clocks."""
    times = pd.date_range("2024-03-25", periods=rows, freq="h", tz="Europe/Berlin")
    texts = [time.isoformat() for time in times]
    return pd.DataFrame({"time": texts, "price": days(rows)["price"]})


def split_days(rows: int) -> pd.DataFrame:
    """Counts of days, whose year, month and day are columns of their own."""
    shop = sample("shop.csv", rows)
    parts = shop["date"].str.split("-", expand=True)
    return parts.set_axis(["year", "month", "day"], axis=1).assign(sold=shop["sold"])


def serial_days(rows: int) -> pd.DataFrame:
    """A 0 or 1 a day, which a spreadsheet has numbered."""
    dear = (days(rows)["price"].astype(float) > 66).astype(int)
    return pd.DataFrame({"day": np.arange(44927, 44927 + rows), "dear": dear})


def pairs(rows: int) -> pd.DataFrame:
    """Two targets of each day."""
    return sample("shop.csv", rows)[["date", "sold", "temperature"]]


def shops(rows: int) -> pd.DataFrame:
    """Three shops with covariates of all roles; of the last days of each only the plan is known."""
    table = pd.read_csv(SAMPLES / "shop.csv", parse_dates=["date"])
    table = table[table["shop"].isin(["airport", "harbour", "station"])].drop(
        columns="holiday"
    )
    part = table.groupby("shop").head(rows + 7).reset_index(drop=True)
    part.loc[part.groupby("shop").cumcount() >= rows, ["sold", "temperature"]] = np.nan
    return part


ROWS: dict[str, tuple[Callable[[int], pd.DataFrame], int, int]] = {
    "quantile": (months, 96, 120),
    "mse": (numbers, 120, 140),
    "mae": (shops, 80, 100),
    "huber": (days, 350, 420),
    "student-t": (hours, 144, 168),
    "negative-binomial": (split_days, 90, 120),
    "bernoulli": (serial_days, 150, 180),
    "joint": (pairs, 90, 104),
    "updated": (months, 96, 120),
}
"""How the rows of each run are made, how many it was fitted to, and how many there are later."""
OPTIONS = {
    "quantile": f"--target co2 {SMALL}",
    "mse": f"--target sunspots --time none --horizon 6 --loss mse --cell gru {SMALL}",
    "mae": f"--target sold {ROLES} --horizon 7 --loss mae {SMALL}",
    "huber": f"--target price --resample W:mean --loss huber --scale standard --cell rnn {SMALL}",
    "student-t": f"--target price --tz Europe/Berlin {LOOKING_BACK} {SMALL}",
    "negative-binomial": f"--target sold --time year,month,day --loss negative-binomial {SMALL}",
    "bernoulli": f"--target dear --date-format excel --loss bernoulli --layers 1 {SMALL}",
    "joint": f"--target sold --target temperature --joint {DEEP} {SMALL}",
    "updated": "--target co2 --from ../quantile/run --members 2 --steps 20 -j 1",
}


def keep(table: pd.DataFrame, file: Path) -> str:
    """Write a table as CSV, or as Parquet where its times are no texts; the file's name."""
    if "date" in table and table["date"].dtype.kind == "M":
        table.to_parquet(file.with_suffix(".parquet"), index=False)
        return f"{file.name}.parquet"
    table.to_csv(file.with_suffix(".csv"), index=False)
    return f"{file.name}.csv"


def write_run(folder: Path, name: str) -> None:
    """A run, and what every command says of it."""
    make, rows, later = ROWS[name]
    data, newer = keep(make(rows), folder / "data"), keep(make(later), folder / "newer")
    say(f"fit {data} {OPTIONS[name]} --out run", folder)
    (folder / data).unlink()
    if name == "updated":
        say(f"update run {newer} --steps 20 --gate 'mase<=9*old'", folder)
        (folder / "previous.csv").write_text(say("predict run/previous", folder))
        newer = keep(make(later + 12), folder / "newer")
    for file, line in TABLES.items():
        if (name, file) == ("bernoulli", "detect.csv"):
            continue  # a probability has no interval to lie outside of
        (folder / file).write_text(say(line.format(newer=newer), folder))


def write_unfinished(folder: Path) -> None:
    """What a fit had learnt when it was interrupted, and the forecast of the whole fit."""
    data = keep(days(140), folder / "data")
    network = "--from scratch --hidden 4 --layers 1 --members 2"
    line = f"fit {data} --target price {network} --steps 200 --patience 99 -j 1"
    say(f"{line} --out whole", folder)
    (folder / "forecast.csv").write_text(say("predict whole", folder))
    shutil.rmtree(folder / "whole")
    command = [
        *PROGRAM,
        *shlex.split(line),
        "--out",
        "run",
        "--checkpoint-every",
        "0.1s",
    ]
    with subprocess.Popen(command, cwd=folder) as program:
        state = folder / "run" / "checkpoint" / "member-2.safetensors"
        while not state.exists() and program.poll() is None:
            time.sleep(0.01)
        program.send_signal(signal.SIGTERM)


def write_study(folder: Path) -> None:
    """A search after three trials, and the best settings and the table of trials that it wrote."""
    data = keep(months(120), folder / "data")
    search = (
        "--steps 0 --windows 1 --unseen 1 --param context=12,24,36,48 -j 1 --trials 3"
    )
    say(f"tune {data} --target co2 {search} --study study.journal --out .", folder)
    journal = folder / "study.journal"
    journal.write_text(
        journal.read_text().replace(json.dumps(socket.gethostname()), '"elsewhere"')
    )


def write_exported(folder: Path) -> None:
    """The ONNX file of the run of shops, what goes in and what comes out."""
    say(f"export ../mae/run -o {folder / 'model.onnx'}", folder)
    page = json.loads((folder / "model.json").read_text())
    table = shops(ROWS["mae"][1])
    each = [table[table["shop"] == key] for (key,) in page["series"]]
    steps = slice(None, -page["horizon"])
    feed = {
        "values": np.stack([one["sold"][steps] for one in each]),
        "series": np.arange(len(each)),
        "past": np.stack([one[page["past"]][steps] for one in each]),
        "future": np.stack([one[page["future"]] for one in each]).astype(float),
    }
    model = folder / "model.onnx"
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    (made,) = session.run(None, feed)
    np.savez_compressed(folder / "in_and_out.npz", **feed, quantiles=made)
    (folder / "model.onnx.gz").write_bytes(gzip.compress(model.read_bytes(), mtime=0))
    model.unlink()


def write_folder(folder: Path) -> None:
    """A folder of Parquet, and the results that were made of it file by file."""
    (folder / "data").mkdir()
    table = shops(ROWS["mae"][1])
    for key, part in table[table["shop"] != "station"].groupby("shop"):
        file = folder / "data" / f"{key}.parquet"
        part.to_parquet(file, index=False)
        os.utime(file, (STAMP, STAMP))
    say("predict ../mae/run data/ -o forecasts/ -j 1", folder)


WRITERS: dict[str, Callable[[Path], None]] = {
    **{name: partial(write_run, name=name) for name in ROWS},
    "unfinished": write_unfinished,
    "study": write_study,
    "exported": write_exported,
    "folder": write_folder,
}


def main() -> None:
    """Write each folder that is not there: whole, or not at all."""
    for name, write in WRITERS.items():
        if not (HERE / name).exists():
            print(name)
            with tempfile.TemporaryDirectory(dir=HERE) as begun:
                write(Path(begun))
                shutil.copytree(begun, HERE / name)


if __name__ == "__main__":
    main()
