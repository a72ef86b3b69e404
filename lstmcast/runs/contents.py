"""What the files of a trained run hold, and how each is opened: every field is of its type.

The one place where a run is opened to be used. Whatever is not as described here is a RunError that
names the file, the field, what it is and what it should be, whoever wrote it; hashes alone say only
that a file is as it was saved. Fields that are not described are left as they are: what a later
version adds without raising `schema_version` may be ignored.
"""

import json
import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Annotated, Any, NotRequired, TypedDict
from zoneinfo import ZoneInfo

from lstmcast.config import Columns, Config, Fill, Scale, Transform
from lstmcast.errors import UsageError
from lstmcast.features.steps import Seasons
from lstmcast.network.trained import NetworkShape
from lstmcast.runs.directory import (
    MANIFEST_FILE,
    Run,
    damaged_file_error,
    fields_of_file,
    open_run,
    refuse_constant,
)
from lstmcast.runs.schema import FieldError, Range, read_typed
from lstmcast.scoring.verdict import Verdict
from lstmcast.timeaxis.frequency import Grid
from lstmcast.timeaxis.timestamp_format import TimestampFormat

MAX_STEPS_OF_RUN = 1_000_000
"""Largest horizon, context or season, in time steps."""
METRICS_FILE, SCALER_FILE = "metrics.json", "scaler.json"
_MAX_SIZE = 1 << 53
Count = Annotated[int, Range(0, _MAX_SIZE)]
Steps = Annotated[int, Range(1, MAX_STEPS_OF_RUN)]
Share = Annotated[float, Range(0, 1)]
_OFFSET = re.compile(r"[+-]\d\d:\d\d(:\d\d)?")
_EVENT_SCORES = frozenset({"brier", "auc", "calibration"})
_VALUE_SCORES = frozenset({"mae", "mase", "coverage"})
"""Scores that every verdict has: of probabilities, and of all other forecasts."""


class AxisFields(TypedDict):
    """The time axis: its name, the regular grid, and how stamps are written."""

    name: str
    grid: Grid
    form: TimestampFormat


class CovariateNames(TypedDict):
    """Names of the covariates of the network by role, with a name for each category."""

    past: list[str]
    future: list[str]
    static: list[str]


class PanelFields(TypedDict):
    """The series of a run; lists with an entry for each of them."""

    columns: Columns
    axis: AxisFields
    key_names: list[str]
    key_types: list[str]
    keys: list[list[str]]
    start: list[int]
    lengths: list[Annotated[int, Range(1, _MAX_SIZE)]]
    encodings: dict[str, list[str]]
    names: CovariateNames
    notes: list[str]
    fill: NotRequired[Fill]


class DataFields(TypedDict):
    """What was trained on."""

    fingerprint: str
    cutoff: list[int]
    notes: list[str]


class RunFields(TypedDict):
    """The manifest of a run, `run.json`, beside what every manifest has."""

    config: Config
    horizon: Steps
    context: Steps
    lead: NotRequired[Annotated[int, Range(0, MAX_STEPS_OF_RUN)]]
    seed: Count
    start: dict[str, str]
    members: list[NetworkShape]
    data: DataFields
    panel: PanelFields
    made: NotRequired[dict[str, str]]


class CheckpointFields(TypedDict):
    """The manifest of an unfinished fit."""

    config: Config
    panel: PanelFields
    same: dict[str, Any]


class CombinationFields(TypedDict):
    """How much each network and each simple method counts."""

    members: list[Share]
    candidates: list[Share]
    network: Share
    widen: Annotated[float, Range(0)]
    windows: Count
    method: NotRequired[str]
    spread: NotRequired[list[list[float]] | None]


class MetricsFields(TypedDict):
    """The file `metrics.json`; the verdict is read by itself, see `read_metrics`."""

    verdict: dict[str, Any] | None
    guard: CombinationFields
    spread: NotRequired[list[list[list[float]]] | None]


class SeriesScales(TypedDict):
    """How each series is transformed and scaled; null in `low` is minus infinity."""

    log: list[bool]
    shift: list[float]
    floor: list[float]
    low: list[float | None]
    centre: NotRequired[list[float] | None]
    spread: NotRequired[list[float] | None]


class CovariateScales(TypedDict):
    """Mean and deviation of each covariate."""

    mean: list[float]
    deviation: list[float]


class EffectFields(TypedDict):
    """Effects of covariates on each series."""

    mean: list[list[float]]
    effect: list[list[float]]
    usual: list[float]


class ScalerFields(TypedDict):
    """The file `scaler.json`."""

    seasons: Seasons
    scale: NotRequired[Scale]
    transform: NotRequired[Transform]
    series: SeriesScales
    covariates: CovariateScales
    effects: EffectFields


def open_trained_run(path: str | Path) -> Run:
    """Open the run at a path, with every field of its manifest of its type.

    Raises RunError for what is not a run, is damaged, or does not hold what it should.
    """
    run = open_run(path)
    with fields_of_file(run.path / MANIFEST_FILE):
        manifest = read_typed(run.manifest, RunFields)
        _require_sound_run(manifest)
    # In place: its files are closed with the run, of which there must be one only.
    run.manifest.update(manifest)
    return run


def open_checkpoint_run(path: str | Path) -> Run:
    """Open what an unfinished fit keeps of its settings and data; raises RunError."""
    run = open_run(path)
    with fields_of_file(run.path / MANIFEST_FILE):
        manifest = read_typed(run.manifest, CheckpointFields)
        _require_sound_panel(manifest["panel"])
    run.manifest.update(manifest)  # in place, as for a trained run
    return run


def read_metrics(run: Run) -> dict[str, Any]:
    """Return what `metrics.json` holds: verdict (or None), guard and spread. Raises RunError."""
    return _read_json_file(run, METRICS_FILE, _read_metrics_fields)


def read_scaling(run: Run) -> dict[str, Any]:
    """Return what `scaler.json` holds: seasons, scales and effects. Raises RunError."""
    return _read_json_file(run, SCALER_FILE, _read_scaler_fields)


def complete_settings(settings: Any) -> Any:
    """Return settings in the form of JSON, with defaults for those that an older version lacked.

    What is no settings is returned as it is.
    """
    try:
        complete = Config.from_dict(settings).to_dict()
    except (UsageError, TypeError, AttributeError):
        return settings

    # Through text: a tuple becomes a list, as in settings that were read from a file.
    text = json.dumps(complete)
    return json.loads(text)


def _read_json_file(
    run: Run, name: str, read: Callable[[Any], dict[str, Any]]
) -> dict[str, Any]:
    file = run.path / name
    contents = run.read(name)

    # Lists within lists by the thousand exhaust the stack of the reader.
    try:
        value = json.loads(contents, parse_constant=refuse_constant)
    except (ValueError, RecursionError):
        problem = "does not hold what it should: it is no JSON"
        raise damaged_file_error(file, problem) from None

    with fields_of_file(file):
        return read(value)


def _read_metrics_fields(value: Any) -> dict[str, Any]:
    fields: dict[str, Any] = read_typed(value, MetricsFields)
    unread = fields["verdict"]
    if unread is None:
        return fields

    # A score that could not be measured is NaN, which JSON has no number for.
    verdict = read_typed(unread, Verdict, "verdict", null_is_missing=True)
    _require_sound_verdict(verdict)
    fields["verdict"] = verdict
    return fields


def _read_scaler_fields(value: Any) -> dict[str, Any]:
    fields: dict[str, Any] = read_typed(value, ScalerFields)

    # Without a season the main one is of 1 step, and the second one of 0.
    seasons = fields["seasons"]
    read_typed(seasons["main"], Steps, "seasons.main")
    read_typed(seasons["second"], Count, "seasons.second")
    return fields


def _require_sound_run(manifest: Mapping[str, Any]) -> None:
    """Raise FieldError where fields of a manifest contradict each other."""
    panel = manifest["panel"]
    _require_sound_panel(panel)

    series = len(panel["lengths"])
    cutoffs = manifest["data"]["cutoff"]
    if len(cutoffs) != series:
        raise FieldError(f"data.cutoff has not one entry for each of {series:,} series")
    if not manifest["members"]:
        raise FieldError("members is empty: a run has one network at least")
    if "from" not in manifest["start"]:
        raise FieldError("start.from is missing")


def _require_sound_panel(panel: Mapping[str, Any]) -> None:
    series = len(panel["lengths"])
    for name in ("keys", "start"):
        if len(panel[name]) != series:
            raise FieldError(
                f"panel.{name} has not one entry for each of {series:,} series"
            )
    if not series:
        raise FieldError("panel.lengths is empty: a run has one series at least")

    # A key has a part for each of the columns that name a series.
    parts = len(panel["key_names"])
    is_odd = [len(key) != parts for key in panel["keys"]]
    if any(is_odd):
        raise FieldError(f"panel.keys: a key has not {parts} parts, as panel.key_names")

    if not panel["columns"]["target"]:
        raise FieldError("panel.columns.target is empty: a run has one target at least")
    _require_sound_axis(panel["axis"])


def _require_sound_axis(axis: Mapping[str, Any]) -> None:
    # Which of these a grid has depends on its kind.
    grid = axis["grid"]
    limits = {"step": Range(1), "day": Range(1, 31), "clock": Range(0)}
    for name, limit in limits.items():
        if name in grid:
            kind = Annotated[int, limit]
            read_typed(grid[name], kind, f"panel.axis.grid.{name}")

    # Stamps may have a fixed offset, which is no zone by name, or none at all.
    zone = axis["form"].get("zone", "")
    if zone and not _OFFSET.fullmatch(zone) and not _is_time_zone(zone):
        raise FieldError(f"panel.axis.form.zone is {zone[:40]!r}, not a time zone")


def _is_time_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, or not a possible name
        return False
    return True


def _require_sound_verdict(verdict: Mapping[str, Any]) -> None:
    """Raise FieldError where a verdict lacks what its sentences and pictures are about."""
    model = verdict["model"]
    baselines = verdict["baselines"]
    best = verdict["best_baseline"]
    if best not in baselines:
        raise FieldError("verdict.best_baseline is none of verdict.baselines")

    # Probabilities of events have scores of their own.
    of_events = "brier" in model
    measure = "brier" if of_events else "mae"
    own_scores = _EVENT_SCORES if of_events else _VALUE_SCORES
    _require_scores("verdict.model", model, own_scores)

    # Only the best baseline is set beside the model, in the scores that are told of both.
    shared_scores = own_scores & {"brier", "mae", "mase"}
    _require_scores(f"verdict.baselines.{best}", baselines[best], shared_scores)
    for name, scores in baselines.items():
        _require_scores(f"verdict.baselines.{name[:20]}", scores, {measure})

    by_step = {"step", measure, f"baseline_{measure}"}
    if not of_events:
        by_step.add("coverage")
    for number, row in enumerate(verdict["by_step"]):
        _require_scores(f"verdict.by_step[{number}]", row, by_step)

    for number, row in enumerate(verdict.get("by_series", ())):
        place = f"verdict.by_series[{number}]"
        for name, kind in (("key", list[str]), ("windows", int)):
            if name not in row:
                raise FieldError(f"{place}.{name} is missing")
            read_typed(row[name], kind, f"{place}.{name}")

    at_least_one = Annotated[int, Range(1)]
    read_typed(verdict["observed"], at_least_one, "verdict.observed")
    for number, level in enumerate(verdict["interval"]):
        read_typed(level, Share, f"verdict.interval[{number}]")


def _require_scores(
    place: str, scores: Mapping[str, Any], needed: Collection[str]
) -> None:
    # In order, so that the message is the same whenever several are missing.
    for name in sorted(needed):
        if name not in scores:
            raise FieldError(f"{place}.{name} is missing")
