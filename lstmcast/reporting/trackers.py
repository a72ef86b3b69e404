"""A finished fit recorded in experiment trackers: its settings, curves, scores and files.

All of it is read from the run directory, and all of it stays in a local folder: nothing is sent
anywhere. Knows no training.

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
from lstmcast.runs import contents, serialization
from lstmcast.runs.directory import MANIFEST_FILE, Run
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
"""Columns of the training history that are recorded as curves."""
_CURVE_COLUMNS = ("member", "step", "seconds", *CURVE_NAMES)
_MAX_METRICS_PER_CALL = 1000
"""Metrics that MLflow takes in one call."""
_MAX_PARAM_CHARS = 500
"""Characters of a parameter's value in MLflow."""


class RunDescription(NamedTuple):
    """What is recorded of a run.

    settings: by name, as text. curves: rows of the training history. scores: by method and metric,
    finite ones only. sentences: the verdict in words.
    """

    run: Run
    settings: dict[str, str]
    curves: list[dict[str, Any]]
    scores: dict[str, dict[str, float]]
    sentences: list[str]


class CurvePoint(NamedTuple):
    """A point of a curve: its name with the member's, the value, training step and seconds."""

    curve: str
    value: float
    step: int
    seconds: float


def require_trackers(trackers: Iterable[str]) -> None:
    """Raise UsageError for a tracker that is unknown or not installed."""
    for name in trackers:
        if name not in TRACKERS:
            raise UsageError(
                f"--track {name!r} is unknown", suggest_similar(name, TRACKERS)
            )
        require_extra(f"--track {name} needs", name, *TRACKERS[name])


def track_run(
    run: str | Path, trackers: Iterable[str], folder: str | Path
) -> list[Path]:
    """Record a run with trackers; return where each keeps it.

    Raises RunError where `run` is no run, UsageError for a tracker that is unknown or not
    installed, ResourceError where MLflow cannot write, OSError where the folder cannot be written.
    """
    names = dict.fromkeys(trackers)
    require_trackers(names)
    description = describe_run(contents.open_trained_run(run))
    writers = {
        "csv": _write_csv_files,
        "tensorboard": _write_tensorboard,
        "mlflow": _write_mlflow,
    }
    # Absolute: MLflow keeps the place of its files as an address.
    root = Path(folder).absolute()
    return [writers[name](description, root) for name in names]


def describe_run(run: Run) -> RunDescription:
    """Return what is recorded of a run. Raises RunError where its files are not what was saved."""
    with serialization.as_run_errors(run.path):
        report = contents.read_metrics(run)
        scored = report["verdict"]  # None where the series were too short
        verdict = None if scored is None else Verdict.from_dict(scored)
        return RunDescription(
            run,
            _list_settings(run.manifest),
            serialization.unpack_history(run.read("history.csv")),
            _scores_by_method(verdict) if verdict else {},
            verdict.sentences() if verdict else [],
        )


def _list_settings(manifest: dict[str, Any]) -> dict[str, str]:
    """Return the configuration, what the fit inferred, data and versions, by name as text."""
    settings = {
        f"{section}.{name}": value
        for section, values in manifest["config"].items()
        for name, value in values.items()
    }
    settings |= {
        "horizon": manifest["horizon"],
        "context": manifest["context"],
        "from": manifest["start"]["from"],
        "data": manifest["data"]["fingerprint"],
        **manifest["versions"],
    }
    return {name: _format_setting(value) for name, value in settings.items()}


def _scores_by_method(verdict: Verdict) -> dict[str, dict[str, float]]:
    model = {**verdict.model, "skill": verdict.skill}
    scores = {"model": model, **verdict.baselines}
    return {method: _without_infinite(row) for method, row in scores.items()}


def _without_infinite(scores: dict[str, float]) -> dict[str, float]:
    """Return the scores without NaN and infinity, which not every tracker takes."""
    return {name: value for name, value in scores.items() if math.isfinite(value)}


def _format_setting(value: Any) -> str:
    if isinstance(value, list | tuple):
        return " ".join(map(_format_setting, value))
    return "auto" if value is None else str(value)


def _make_free_folder(folder: Path, name: str) -> Path:
    """Make a folder of this name, or of the first free one: `name`, `name-2`, `name-3`."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in count(1):
        free_name = name if number == 1 else f"{name}-{number}"
        place = folder / free_name
        # Made rather than looked for: another fit may make it in between.
        try:
            place.mkdir()
        except FileExistsError:
            continue
        return place
    raise AssertionError("numbers do not end")


def _write_csv_files(description: RunDescription, folder: Path) -> Path:
    run = description.run
    place = _make_free_folder(folder / "csv", run.path.name)
    scores = [
        (method, metric, value)
        for method, row in description.scores.items()
        for metric, value in row.items()
    ]
    curves = [[row[name] for name in _CURVE_COLUMNS] for row in description.curves]
    files = [
        (run.path / name, entry["bytes"], entry["sha256"])
        for name, entry in run.manifest["files"].items()
    ]
    settings = description.settings.items()

    _write_csv_table(place / "settings.csv", ("setting", "value"), settings)
    _write_csv_table(place / "curves.csv", _CURVE_COLUMNS, curves)
    _write_csv_table(place / "scores.csv", ("method", "score", "value"), scores)
    _write_csv_table(place / "files.csv", ("file", "bytes", "sha256"), files)
    return place


def _write_csv_table(
    file: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow(["" if _is_nan(cell) else cell for cell in row])
    write_file(file, out.getvalue().encode("utf-8", "surrogateescape"))


def _is_nan(cell: Any) -> bool:
    return isinstance(cell, float) and math.isnan(cell)


def _iter_curve_points(description: RunDescription) -> Iterator[CurvePoint]:
    """Iterate over all that was measured in training: of each row what is a number."""
    for row in description.curves:
        for name in CURVE_NAMES:
            if math.isfinite(row[name]):
                curve = f"{name}/{row['member']}"
                yield CurvePoint(curve, row[name], row["step"], row["seconds"])


def _write_tensorboard(description: RunDescription, folder: Path) -> Path:
    """Write event files: curves by member, the verdict as scalars and text, settings, files."""
    from torch.utils.tensorboard import SummaryWriter

    run = description.run
    settings = description.settings
    place = _make_free_folder(folder / "tensorboard", run.path.name)
    digests = {name: entry["sha256"] for name, entry in run.manifest["files"].items()}
    scores = description.scores.get("model", {})
    verdict = {f"verdict/{metric}": value for metric, value in scores.items()}
    # The time of the fit, so that a run that is tracked later lies where it belongs.
    start = run.path.stat().st_mtime

    with _silence_trackers(), SummaryWriter(str(place)) as writer:
        for point in _iter_curve_points(description):
            moment = start + point.seconds
            writer.add_scalar(point.curve, point.value, point.step, walltime=moment)
        sentences = "\n\n".join(description.sentences)
        writer.add_text("verdict", sentences or "none")
        writer.add_text("settings", _to_markdown_table(settings))
        writer.add_text(f"files of {run.path}", _to_markdown_table(digests))
        # Beside the curves: by default it makes a run of its own, named by the time.
        writer.add_hparams(settings, verdict, run_name=".")
    return place


def _to_markdown_table(pairs: dict[str, str]) -> str:
    """Return names and values as a Markdown table; a bar in a value would end its cell."""
    lines = ["| | |", "|---|---|"]
    for name, value in pairs.items():
        cell = value.replace("|", " ")
        lines.append(f"| {name} | {cell} |")
    return "\n".join(lines)


def _write_mlflow(description: RunDescription, folder: Path) -> Path:
    """Write a run of MLflow into SQLite, and copies of the run's files beside it."""
    # Set before MLflow is imported, which would report its use to its makers.
    os.environ |= {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
    folder.mkdir(parents=True, exist_ok=True)
    database = folder / "mlflow.db"
    # The lock, since two fits that end at a time would both create the tables.
    with _silence_trackers(), hold_file_lock(database):
        from mlflow import MlflowClient, MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        try:
            client = MlflowClient(tracking_uri=f"sqlite:///{database}")
            experiment_id = _find_mlflow_experiment(client, folder / "mlflow")
            name = description.run.path.name
            created = client.create_run(experiment_id, run_name=name)
            _log_mlflow_run(client, created.info.run_id, description)
        except (MlflowException, SQLAlchemyError) as error:
            first_line = str(error).splitlines()[0]
            raise ResourceError(
                f"MLflow cannot write to {str(database)!r}: {first_line}",
                "name another folder with --track-to",
            ) from error
    return database


def _find_mlflow_experiment(client: Any, files: Path) -> str:
    """Return the id of lstmcast's experiment, which is created where there is none yet."""
    experiment = client.get_experiment_by_name(MLFLOW_EXPERIMENT)
    if experiment:
        return str(experiment.experiment_id)
    place = files.as_uri()
    return str(client.create_experiment(MLFLOW_EXPERIMENT, artifact_location=place))


def _log_mlflow_run(client: Any, run_id: str, description: RunDescription) -> None:
    """Log files, curves, scores and settings to a run of MLflow, and mark it as finished."""
    run = description.run
    for name in (*run.files, MANIFEST_FILE):
        client.log_artifact(run_id, str(run.path / name))

    metrics = _list_mlflow_metrics(description)
    for start in range(0, len(metrics), _MAX_METRICS_PER_CALL):
        batch = metrics[start : start + _MAX_METRICS_PER_CALL]
        client.log_batch(run_id, metrics=batch)
    client.log_batch(run_id, params=_list_mlflow_params(description))

    # This tag is what MLflow shows as the description of a run.
    sentences = "\n\n".join(description.sentences)
    client.set_tag(run_id, "mlflow.note.content", sentences)
    client.set_terminated(run_id)


def _list_mlflow_metrics(description: RunDescription) -> list[Any]:
    """Return the points of all curves, and the scores as metrics of step 0."""
    from mlflow.entities import Metric

    modified = description.run.path.stat().st_mtime
    begin = int(modified * 1000)  # milliseconds, as MLflow counts
    metrics = []
    for point in _iter_curve_points(description):
        name = _to_mlflow_name(point.curve)
        time = begin + int(1000 * point.seconds)
        metrics.append(Metric(name, point.value, time, point.step))
    for method, row in description.scores.items():
        prefix = "verdict/" if method == "model" else f"verdict/{method}/"
        for name, value in row.items():
            metric = Metric(f"{prefix}{name}", value, begin, 0)
            metrics.append(metric)
    return metrics


def _list_mlflow_params(description: RunDescription) -> list[Any]:
    from mlflow.entities import Param

    return [
        Param(name, text[:_MAX_PARAM_CHARS])
        for name, text in description.settings.items()
    ]


def _to_mlflow_name(name: str) -> str:
    """Return a name with _ for each character that MLflow refuses."""
    allowed = []
    for char in name:
        is_allowed = char.isalnum() or char in "_-./ "
        allowed.append(char if is_allowed else "_")
    return "".join(allowed)


@contextmanager
def _silence_trackers() -> Iterator[None]:
    """Hide from the user what the trackers log and warn of."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
