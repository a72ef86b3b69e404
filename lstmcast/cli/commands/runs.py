"""`lstmcast runs`: what is in run directories, without loading a network."""

import itertools
import json
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from typer import Argument

from lstmcast.cli.options.declare import OUTPUT, make_option
from lstmcast.cli.options.results import Format, RunPath, ShowOptions
from lstmcast.cli.show import console, output, tables
from lstmcast.cli.show.console import Reporter
from lstmcast.cli.show.run_summary import (
    describe_skill,
    format_making_time,
    format_size,
    summarise_run,
)
from lstmcast.errors import RunError
from lstmcast.runs.directory import (
    DERIVED_FILES,
    MANIFEST_FILE,
    PREVIOUS_FOLDER,
    has_run,
    open_run,
)
from lstmcast.runs.publish import remove_run

HELP = "List, show, compare, check and remove runs."
EXAMPLES = {
    "ls": """\
lstmcast runs ls
lstmcast runs ls --sort mase
lstmcast runs ls archive --format json""",
    "rm": """\
lstmcast runs rm runs/price-price
lstmcast runs rm runs/price-price runs/november""",
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
_LISTED_COLUMNS = (
    *("run", "target", "series", "freq", "horizon", "season"),
    *("mase", "skill", "seed", "problem"),
    *("made", "file", "until", "verdict", "bytes"),
)
_COLUMNS_FOR_PEOPLE = (
    *("run", "made", "file", "until", "verdict"),
    *("series", "freq", "horizon", "size"),
)
"""What a terminal shows; a column without any value is left out."""
_VERDICT_KEYS = (
    *("windows", "horizon", "best_baseline", "skill"),
    *("interval", "model", "baselines"),
)
_COMPARED_FILES = {"files.model.safetensors", "files.context.parquet"}
"""Files that differ only where the run does: of the others one holds times, one the verdict."""
RunsFolder = Annotated[str, Argument(metavar="FOLDER", help="Folder that holds runs.")]
Sort = Annotated[
    Literal["run", "made", "until", "mase", "skill", "bytes"],
    make_option(
        OUTPUT,
        "COLUMN",
        "Order of the rows: run, made, until, mase, skill or bytes; those without a value last.",
    ),
]
SomeRuns = Annotated[
    list[str], Argument(metavar="RUN...", help="Run directories to remove.")
]
OtherRun = Annotated[str, Argument(metavar="OTHER", help="The run to compare it with.")]


def ls(
    folder: RunsFolder = "runs",
    *,
    sort: Sort = "run",
    format: Format = None,
    show: ShowOptions,
) -> None:
    """List the runs in FOLDER; prints a table, one row per run.

    A run that cannot be trusted is listed with what is wrong with it.
    """
    form = output.choose_format(None, format)
    place = Path(folder)
    if not place.is_dir():
        raise RunError(
            f"no folder {folder!r}",
            "name the folder that holds the runs, or make one with `lstmcast fit`",
        )
    runs = [
        entry for entry in sorted(place.iterdir()) if (entry / MANIFEST_FILE).is_file()
    ]
    rows = [_run_to_row(run) for run in runs]
    rows.sort(key=lambda row: (row.get(sort) is None, row.get(sort)))
    if show.json:
        output.write_object("runs ls", {"runs": rows})
        return
    if form == "table" and sys.stdout.isatty():
        output.write_lines(_draw_runs(rows))
        return

    import pandas as pd

    # As objects, whole numbers stay whole beside an empty cell.
    frame = pd.DataFrame(rows, columns=_LISTED_COLUMNS, dtype=object)
    output.write_frame(frame.astype({"mase": float, "skill": float}), None, form)


def show(run: RunPath, *, show: ShowOptions) -> None:
    """Show what RUN is: in five lines, then its data, settings, verdict and files."""
    facts = _describe_run(run)
    if show.json:
        output.write_object("runs show", {"run": run, **facts})
        return
    flat = _flatten_dict(facts)
    summary = summarise_run(shlex.quote(run), facts)
    lines = [*map(console.escape_unprintable, summary), ""]
    lines += [f"{key} = {_format_value(value)}" for key, value in flat.items()]
    # On a terminal words are not broken; elsewhere a line stays a line.
    wrapped = [console.wrap_sentence(line, "  ", sys.stdout) for line in lines]
    output.write_lines(itertools.chain.from_iterable(wrapped))


def diff(run: RunPath, other: OtherRun, *, show: ShowOptions) -> None:
    """Show in what two runs differ: data, settings, verdict and files.

    Each difference is a line with its name, the value in RUN and the value in OTHER; no lines: they
    are the same.
    """
    left = _flatten_dict(_describe_run(run))
    right = _flatten_dict(_describe_run(other))
    # What only one of them has differs, too: it is None in the other.
    differences = [
        (key, left.get(key), right.get(key))
        for key in dict.fromkeys([*left, *right])
        if left.get(key) != right.get(key) and _is_compared(key)
    ]
    if show.json:
        rows = [
            {"name": key, "run": ours, "other": theirs}
            for key, ours, theirs in differences
        ]
        output.write_object(
            "runs diff", {"run": run, "other": other, "differences": rows}
        )
        return
    output.write_lines(
        f"{key}: {_format_value(ours)} -> {_format_value(theirs)}"
        for key, ours, theirs in differences
    )


def check(run: RunPath, *, show: ShowOptions) -> None:
    """Verify that RUN is what was saved, and can be read; prints a line for each file.

    Every byte of every file is read. What is wrong is an error with exit status 4.
    """
    opened = open_run(run)
    manifest = opened.path / MANIFEST_FILE
    sizes = {MANIFEST_FILE: manifest.stat().st_size}
    sizes |= {name: len(opened.read(name)) for name in opened.files}
    from lstmcast.forecasting.predictor import Predictor

    # A file may be as it was saved, and still not be what it should.
    Predictor.load(run)
    expected = {*sizes, *DERIVED_FILES, PREVIOUS_FOLDER}
    others = sorted(
        entry.name for entry in opened.path.iterdir() if entry.name not in expected
    )
    Reporter.of(show).found(
        f"not part of the run, not checked: {name}" for name in others
    )
    if show.json:
        output.write_object(
            "runs check", {"run": run, "files": sizes, "others": others}
        )
        return
    output.write_lines(
        f"{name}: {size:,} bytes, as saved" for name, size in sizes.items()
    )


def rm(run: SomeRuns, *, show: ShowOptions) -> None:
    """Remove runs with their previous versions; prints the path of each.

    Only files of the runs themselves are removed: a folder with others in it stays, and is
    reported.
    """
    report = Reporter.of(show)
    # All names are checked before any run is gone.
    for path in run:
        if not has_run(path):
            raise RunError(f"{path!r} holds no run", "see `lstmcast runs ls`")
    kept: dict[str, list[str]] = {}
    for path in run:
        kept[path] = remove_run(path)
        if kept[path]:
            names = ", ".join(kept[path])
            report.say(f"{path!r} stays, with files that are not the run's: {names}")
        if not show.json:
            output.write_lines([path], errors="surrogateescape")
    if show.json:
        output.write_object("runs rm", {"removed": run, "kept": kept})


def _draw_runs(rows: list[dict[str, Any]]) -> list[str]:
    """Return the table of runs for a terminal, in words."""
    rows = [_with_words(row) for row in rows]
    columns = []
    for name in _COLUMNS_FOR_PEOPLE:
        cells = ["" if row.get(name) is None else str(row[name]) for row in rows]
        if any(cells) or name == "run":
            is_number = name in ("series", "horizon", "size")
            forms: tuple[list[str], ...] = (cells,)
            if name == "verdict":
                # Where there is little room, the comparison says more than its figure.
                forms = (cells, [cell.partition(", mase")[0] for cell in cells])
            columns.append(tables.Column(name, forms, is_number))
    expendable = ("freq", "series", "horizon", "file", "size", "until")
    names = [column.name for column in columns]
    return tables.draw_table(columns, [name for name in expendable if name in names])


def _with_words(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with the time and the size as people read them."""
    made = row.get("made")
    size = row.get("bytes")
    return row | {
        "made": made and format_making_time({"at": made}),
        "size": size and format_size(size),
    }


def _is_compared(key: str) -> bool:
    if key == "made.at":
        return False
    return not key.startswith("files.") or key in _COMPARED_FILES


def _run_to_row(path: Path) -> dict[str, Any]:
    """Return a row of the list; one that cannot be read has a problem in the place of figures."""
    row: dict[str, Any] = {"run": str(path)}
    try:
        facts = _describe_run(path)
        data, verdict = facts["data"], facts["verdict"] or {}
        row |= {
            "target": " ".join(data["columns"]["target"]),
            "series": data["series"],
            "freq": data["freq"],
            "horizon": facts["horizon"],
            "season": facts["season"],
            "mase": verdict.get("model", {}).get("mase"),
            "skill": verdict.get("skill"),
            "seed": facts["seed"],
            "file": facts["made"].get("file"),
            "until": facts["made"].get("until"),
            "made": facts["made"].get("at"),
            "verdict": describe_skill(facts["verdict"]),
            "bytes": sum(entry["bytes"] for entry in facts["files"].values()),
        }
    except RunError as error:
        row["problem"] = row["verdict"] = error.message
    return row


def _describe_run(path: str | Path) -> dict[str, Any]:
    """Return what a person asks about a run; of long lists only how long they are."""
    open_run(path)  # says what is wrong with it before anything heavy is loaded
    from lstmcast.runs.contents import open_trained_run, read_metrics, read_scaling
    from lstmcast.timeaxis.frequency import Grid

    run = open_trained_run(path)
    manifest = run.manifest
    panel = manifest["panel"]
    verdict = read_metrics(run)["verdict"]
    scaler = read_scaling(run)
    return {
        "run_schema_version": manifest["schema_version"],
        "horizon": manifest["horizon"],
        "context": manifest["context"],
        "season": scaler["seasons"]["main"],
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
        "verdict": verdict and {key: verdict[key] for key in _VERDICT_KEYS},
        "versions": manifest.get("versions", {}),
        "made": manifest.get("made", {}),
        "files": manifest["files"],
    }


def _flatten_dict(nested: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested dictionaries as one, with dotted names."""
    flat: dict[str, Any] = {}
    for key, value in nested.items():
        if isinstance(value, dict):
            flat |= _flatten_dict(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat


def _format_value(value: Any) -> str:
    """Write a value in ASCII: a text without its quotes, all else as JSON."""
    if value is None:
        return "-"
    if isinstance(value, str):
        return ascii(value)[1:-1]
    return json.dumps(value, ensure_ascii=True)
