"""`lstmcast runs`: what is in run directories, without loading a network."""

import json
from pathlib import Path
from typing import Annotated, Any

from typer import Argument

from lstmcast.cli.options import Format, RunPath, ShowOptions
from lstmcast.cli.show import output
from lstmcast.cli.show.console import Reporter
from lstmcast.errors import RunError
from lstmcast.runs.directory import DERIVED_FILES, MANIFEST_FILE, PREVIOUS_FOLDER, Run, open_run

HELP = "List, show, compare and check runs."
EXAMPLES = {
    "ls": """\
lstmcast runs ls
lstmcast runs ls archive --format json""",
    "show": """\
lstmcast runs show runs/price-price
lstmcast runs show runs/price-price --json""",
    "diff": """\
lstmcast runs diff runs/price-price runs/november
lstmcast runs diff runs/price-price runs/november --json""",
    "check": """\
lstmcast runs check runs/price-price
lstmcast runs check runs/price-price --json""",
}
_COMPARED_FILES = {"files.model.safetensors", "files.context.parquet"}
"""Files that differ only where the run does: of the others one holds times, one the verdict."""
RunsFolder = Annotated[str, Argument(metavar="FOLDER", help="Folder that holds runs.")]
OtherRun = Annotated[str, Argument(metavar="OTHER", help="The run to compare it with.")]


def ls(folder: RunsFolder = "runs", *, format: Format = None, show: ShowOptions) -> None:
    """List the runs in FOLDER; prints a table, one row a run.

    A run that cannot be trusted is listed with what is wrong with it.
    """
    form = output.choose_format(None, format)
    place = Path(folder)
    if not place.is_dir():
        raise RunError(
            f"no folder {folder!r}",
            "name the folder that holds the runs, or make one with `lstmcast fit`",
        )
    rows = [
        _run_to_row(entry) for entry in sorted(place.iterdir()) if (entry / MANIFEST_FILE).is_file()
    ]
    if show.json:
        output.write_object("runs ls", {"runs": rows})
        return
    import pandas as pd

    names = (
        "run",
        "target",
        "series",
        "freq",
        "horizon",
        "season",
        "mase",
        "skill",
        "seed",
        "problem",
    )
    frame = pd.DataFrame(
        rows, columns=names, dtype=object
    )  # whole numbers stay so beside an empty cell
    output.write_frame(frame.astype({"mase": float, "skill": float}), None, form)


def show(run: RunPath, *, show: ShowOptions) -> None:
    """Show what RUN is: its data, settings, verdict and files."""
    facts = _describe_run(open_run(run))
    if show.json:
        output.write_object("runs show", {"run": run, **facts})
        return
    lines = [f"{key} = {_format_value(value)}" for key, value in _flatten_dict(facts).items()]
    output.write_stdout("".join(f"{line}\n" for line in lines).encode(errors="backslashreplace"))


def diff(run: RunPath, other: OtherRun, *, show: ShowOptions) -> None:
    """Show in what two runs differ: data, settings, verdict and files.

    Each difference is a line with its name, the value in RUN and the value in OTHER; no lines: they
    are the same.
    """
    one, two = (_flatten_dict(_describe_run(open_run(path))) for path in (run, other))
    told = [
        key
        for key in dict.fromkeys([*one, *two])
        if not key.startswith("files.") or key in _COMPARED_FILES
    ]
    changes = [(key, one.get(key), two.get(key)) for key in told if one.get(key) != two.get(key)]
    if show.json:
        rows = [{"name": key, "run": left, "other": right} for key, left, right in changes]
        output.write_object("runs diff", {"run": run, "other": other, "differences": rows})
        return
    lines = [
        f"{key}: {_format_value(left)} -> {_format_value(right)}" for key, left, right in changes
    ]
    output.write_stdout("".join(f"{line}\n" for line in lines).encode(errors="backslashreplace"))


def check(run: RunPath, *, show: ShowOptions) -> None:
    """Verify that RUN is what was saved, and that it can be read; prints a line for each file.

    Every byte of every file is read. What is wrong is an error with exit status 4.
    """
    found = open_run(run)
    sizes = {MANIFEST_FILE: (found.path / MANIFEST_FILE).stat().st_size} | {
        name: len(found.read(name)) for name in found.files
    }
    from lstmcast.forecasting.predictor import Predictor

    Predictor.load(run)
    own = {*sizes, *DERIVED_FILES, PREVIOUS_FOLDER}
    others = sorted(entry.name for entry in found.path.iterdir() if entry.name not in own)
    Reporter.of(show).found(f"not of the run, and not looked at: {name}" for name in others)
    if show.json:
        output.write_object("runs check", {"run": run, "files": sizes, "others": others})
        return
    lines = [f"{name}: {size:,} bytes, as saved\n" for name, size in sizes.items()]
    output.write_stdout("".join(lines).encode())


def _run_to_row(path: Path) -> dict[str, Any]:
    row: dict[str, Any] = {"run": str(path)}
    try:
        run = open_run(path)
        facts = _describe_run(run)
        panel, verdict = run.manifest["panel"], facts["verdict"] or {}
        row |= {
            "target": " ".join(panel["columns"]["target"]),
            "series": len(panel["lengths"]),
            "freq": facts["data"]["freq"],
            "horizon": facts["horizon"],
            "season": facts["season"],
            "mase": verdict.get("model", {}).get("mase"),
            "skill": verdict.get("skill"),
            "seed": facts["seed"],
        }
    except (RunError, KeyError, TypeError) as error:
        row["problem"] = getattr(error, "message", "") or "does not hold what it should"
    return row


def _describe_run(run: Run) -> dict[str, Any]:
    """What a person asks of a run; of long lists only how long they are."""
    from lstmcast.timeaxis.frequency import Grid

    manifest, judged = run.manifest, json.loads(run.read("metrics.json"))
    panel = manifest["panel"]
    verdict = judged["verdict"]
    kept = ("windows", "horizon", "best_baseline", "skill", "interval", "model", "baselines")
    return {
        "run_schema_version": manifest["schema_version"],
        "horizon": manifest["horizon"],
        "context": manifest["context"],
        "season": json.loads(run.read("scaler.json"))["seasons"]["main"],
        "seed": manifest["seed"],
        "start": manifest["start"],
        "members": len(manifest["members"]),
        "data": {
            "columns": panel["columns"],
            "freq": Grid(**panel["axis"]["grid"]).alias,
            "series": len(panel["lengths"]),
            "steps": sum(panel["lengths"]),
            "fingerprint": manifest["data"]["fingerprint"],
            "notes": manifest["data"]["notes"],
        },
        "config": manifest["config"],
        "verdict": verdict and {key: verdict[key] for key in kept},
        "versions": manifest["versions"],
        "files": manifest["files"],
    }


def _flatten_dict(value: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested dictionaries as one, with dotted names."""
    flat: dict[str, Any] = {}
    for key, one in value.items():
        flat |= (
            _flatten_dict(one, f"{prefix}{key}.") if isinstance(one, dict) else {prefix + key: one}
        )
    return flat


def _format_value(value: Any) -> str:
    return (
        "-"
        if value is None
        else json.dumps(value, ensure_ascii=True)
        if not isinstance(value, str)
        else ascii(value)[1:-1]
    )
