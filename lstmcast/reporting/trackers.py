"""A finished fit in the books of the usual trackers: its settings, its curves, its verdict and its files.

All of it is read from the run, and all of it stays in a local folder: nothing is sent anywhere.
Knows no training.

    FOLDER/csv/NAME/            settings.csv, curves.csv, scores.csv, files.csv
    FOLDER/tensorboard/NAME/    event files
    FOLDER/mlflow.db            runs of MLflow, and FOLDER/mlflow/ with copies of their files
"""

import csv
import io
import logging
import math
import os
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from lstmcast.errors import ResourceError, UsageError, suggest_similar
from lstmcast.extras import require_extra
from lstmcast.runs import serialization
from lstmcast.runs.directory import MANIFEST_FILE, Run, open_run
from lstmcast.runs.disk import write_file
from lstmcast.runs.lock import hold_file_lock
from lstmcast.scoring.verdict import Verdict

TRACKERS: dict[str, tuple[str, ...]] = {
    "csv": (),
    "tensorboard": ("tensorboard",),
    "mlflow": ("mlflow", "sqlalchemy", "alembic"),
}
"""Trackers, each with the packages that it needs."""
MLFLOW_EXPERIMENT = "lstmcast"
CURVE_NAMES = ("loss", "validation", "lr")
_MAX_METRICS_PER_CALL = 1000
"""Metrics and parameters that MLflow takes in one call: 1000 and 100."""
_MAX_PARAM_CHARS = 500
"""Characters of a parameter's value in MLflow."""


class RunDescription(NamedTuple):
    """What is told of a run: settings by name, rows of the training, scores by method, the verdict in words."""

    run: Run
    settings: dict[str, str]
    curves: list[dict[str, Any]]
    scores: dict[str, dict[str, float]]
    words: list[str]


def require_trackers(trackers: Iterable[str]) -> None:
    """Raise UsageError, before any work, for a tracker that is not known or not installed."""
    for name in trackers:
        if name not in TRACKERS:
            raise UsageError(
                f"--track {name!r} is unknown", suggest_similar(name, TRACKERS)
            )
        require_extra(f"--track {name} needs", name, *TRACKERS[name])


def track_run(
    run: str | Path, trackers: Iterable[str], folder: str | Path
) -> list[Path]:
    """Tell trackers of a run; returns where each keeps it.

    Raises RunError for what is no run, UsageError for a tracker that is not there, OSError where
    the folder cannot be written.
    """
    wanted = dict.fromkeys(trackers)
    require_trackers(wanted)
    facts = describe_run(open_run(run))
    keep = {
        "csv": _write_csv_files,
        "tensorboard": _write_tensorboard,
        "mlflow": _write_mlflow,
    }
    return [keep[name](facts, Path(folder).absolute()) for name in wanted]


def describe_run(run: Run) -> RunDescription:
    """What is told of a run. Raises RunError where its files are not what was saved."""
    with serialization.as_run_errors(run.path):
        manifest, report = (
            run.manifest,
            serialization.unpack_json(run.read("metrics.json")),
        )
        verdict = (
            None if report["verdict"] is None else Verdict.from_dict(report["verdict"])
        )
        settings = {
            f"{part}.{name}": v
            for part, values in manifest["config"].items()
            for name, v in values.items()
        }
        found = {name: manifest[name] for name in ("horizon", "context")} | {
            "from": manifest["start"]["from"]
        }
        data = {"data": manifest["data"]["fingerprint"], **manifest["versions"]}
        return RunDescription(
            run,
            {
                name: _format_setting(value)
                for name, value in {**settings, **found, **data}.items()
            },
            serialization.unpack_history(run.read("history.csv")),
            _scores_by_method(verdict) if verdict else {},
            verdict.sentences() if verdict else [],
        )


def _scores_by_method(verdict: Verdict) -> dict[str, dict[str, float]]:
    every = {"model": {**verdict.model, "skill": verdict.skill}, **verdict.baselines}
    return {
        method: {k: v for k, v in row.items() if math.isfinite(v)}
        for method, row in every.items()
    }


def _format_setting(value: Any) -> str:
    if isinstance(value, list | tuple):
        return " ".join(map(_format_setting, value))
    return "auto" if value is None else str(value)


def _make_free_folder(folder: Path, name: str) -> Path:
    """Make a folder of this name, or of the first free one: `name`, `name-2`, `name-3`."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in count(1):
        place = folder / (name if number == 1 else f"{name}-{number}")
        try:
            place.mkdir()
        except FileExistsError:
            continue
        return place
    raise AssertionError("numbers do not end")


def _write_csv_files(facts: RunDescription, folder: Path) -> Path:
    place = _make_free_folder(folder / "csv", facts.run.path.name)
    scores = [
        (method, name, value)
        for method, row in facts.scores.items()
        for name, value in row.items()
    ]
    curves = [
        [row[name] for name in ("member", "step", "seconds", *CURVE_NAMES)]
        for row in facts.curves
    ]
    _write_csv_table(
        place / "settings.csv", ("setting", "value"), facts.settings.items()
    )
    _write_csv_table(
        place / "curves.csv", ("member", "step", "seconds", *CURVE_NAMES), curves
    )
    _write_csv_table(place / "scores.csv", ("method", "score", "value"), scores)
    files = [
        (name, entry["bytes"], entry["sha256"])
        for name, entry in facts.run.manifest["files"].items()
    ]
    _write_csv_table(
        place / "files.csv",
        ("file", "bytes", "sha256"),
        [(facts.run.path / name, *rest) for name, *rest in files],
    )
    return place


def _write_csv_table(
    file: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([["" if one != one else one for one in row] for row in rows])
    write_file(file, out.getvalue().encode("utf-8", "surrogateescape"))


def _iter_curve_points(
    facts: RunDescription,
) -> Iterator[tuple[str, float, int, float]]:
    """Curve, value, step and seconds of all that was measured in training."""
    for row in facts.curves:
        for curve in CURVE_NAMES:
            if math.isfinite(row[curve]):
                yield (
                    f"{curve}/{row['member']}",
                    row[curve],
                    row["step"],
                    row["seconds"],
                )


def _write_tensorboard(facts: RunDescription, folder: Path) -> Path:
    """Curves by member, the verdict as scalars and as text, settings beside them; the run's files by their SHA-256."""
    from torch.utils.tensorboard import SummaryWriter

    place = _make_free_folder(folder / "tensorboard", facts.run.path.name)
    files = {
        name: entry["sha256"] for name, entry in facts.run.manifest["files"].items()
    }
    own = {
        f"verdict/{name}": value
        for name, value in facts.scores.get("model", {}).items()
    }
    with _silence_trackers(), SummaryWriter(str(place)) as writer:
        began = facts.run.path.stat().st_mtime
        for curve, value, step, seconds in _iter_curve_points(facts):
            writer.add_scalar(curve, value, step, walltime=began + seconds)
        writer.add_text("verdict", "\n\n".join(facts.words) or "none")
        writer.add_text("settings", _to_markdown_table(facts.settings))
        writer.add_text(f"files of {facts.run.path}", _to_markdown_table(files))
        writer.add_hparams(facts.settings, own, run_name=".")
    return place


def _to_markdown_table(pairs: dict[str, str]) -> str:
    """A table of Markdown."""
    rows = [f"| {name} | {value.replace('|', ' ')} |" for name, value in pairs.items()]
    return "\n".join(["| | |", "|---|---|", *rows])


def _write_mlflow(facts: RunDescription, folder: Path) -> Path:
    """A run of MLflow in SQLite, with settings, curves and scores, and copies of the run's files beside it."""
    # To be set before it is loaded: it would report its use to its makers.
    os.environ |= {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
    folder.mkdir(parents=True, exist_ok=True)
    book = folder / "mlflow.db"
    with _silence_trackers(), hold_file_lock(book):
        from mlflow import MlflowClient, MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        try:
            client = MlflowClient(tracking_uri=f"sqlite:///{book}")
            known = client.get_experiment_by_name(MLFLOW_EXPERIMENT)
            files = (folder / "mlflow").as_uri()
            made = client.create_run(
                known.experiment_id
                if known
                else client.create_experiment(
                    MLFLOW_EXPERIMENT, artifact_location=files
                ),
                run_name=facts.run.path.name,
            )
            _log_mlflow_run(client, made.info.run_id, facts)
        except (MlflowException, SQLAlchemyError) as wrong:
            said = f"MLflow cannot write to {str(book)!r}: {str(wrong).splitlines()[0]}"
            raise ResourceError(said, "name another folder with --track-to") from wrong
    return book


def _log_mlflow_run(client: Any, made: str, facts: RunDescription) -> None:
    from mlflow.entities import Metric, Param

    for name in (*facts.run.files, MANIFEST_FILE):
        client.log_artifact(made, str(facts.run.path / name))
    begin = int(facts.run.path.stat().st_mtime * 1000)
    metrics = [
        Metric(_to_mlflow_name(k), v, begin + int(1000 * s), step)
        for k, v, step, s in _iter_curve_points(facts)
    ]
    for method, row in facts.scores.items():
        prefix = "" if method == "model" else f"{method}/"
        metrics += [
            Metric(f"verdict/{prefix}{name}", value, begin, 0)
            for name, value in row.items()
        ]
    params = [
        Param(name, value[:_MAX_PARAM_CHARS]) for name, value in facts.settings.items()
    ]
    for start in range(0, len(metrics), _MAX_METRICS_PER_CALL):
        client.log_batch(made, metrics=metrics[start : start + _MAX_METRICS_PER_CALL])
    client.log_batch(made, params=params)
    client.set_tag(made, "mlflow.note.content", "\n\n".join(facts.words))
    client.set_terminated(made)


def _to_mlflow_name(name: str) -> str:
    """A name with nothing in it that MLflow refuses."""
    return "".join(c if c.isalnum() or c in "_-./ " else "_" for c in name)


@contextmanager
def _silence_trackers() -> Iterator[None]:
    """Keep what the trackers log and warn of from the user."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
