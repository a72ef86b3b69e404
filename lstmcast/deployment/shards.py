"""Process a folder of Parquet shard by shard, into a folder with one result file a shard.

A shard is a file, or a folder like `shop=7` with all its files, and holds whole series. Each shard
is a job of its own. A shard whose result is there already, of the same data and settings, is not
processed again.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lstmcast.compute import jobs as parallel
from lstmcast.compute.progress import Event, OnEvent
from lstmcast.compute.seeds import with_derived_seed
from lstmcast.config import Columns, Config, DataConfig
from lstmcast.deployment.shard_list import Shard
from lstmcast.errors import DataError, LstmcastError, ResourceError, UsageError
from lstmcast.forecasting.predictor import Predictor
from lstmcast.monitoring.rates import Alarm
from lstmcast.panel.extend import with_training_history
from lstmcast.panel.panel import Panel
from lstmcast.runs.directory import open_run
from lstmcast.runs.disk import write_file
from lstmcast.tables.columnar import read_parquet_dataset
from lstmcast.tables.table import Table

Facts = dict[str, Any]
"""What is known of a shard's result, as JSON."""
ShardContent = tuple[dict[str, Any], Facts]
"""Columns of a shard's result, and facts of it."""
SHARDS_MANIFEST = "manifest.json"
_FACTS_KEY = b"lstmcast"
"""Key of the facts in the metadata of a result file."""
_SERIES_HASH_BYTES = 8
"""Bytes that stand for a series: enough to tell millions apart."""
_SCALED_SERIES_METRICS = ("mase", "rmsse")
"""Metrics that are a mean over the series that have a scale."""
_SERIES_METRICS = ("smape", "mape", "mae", "rmse")
"""Metrics that are a mean over all series."""
_VALUE_METRICS = ("coverage", "brier", "log_loss")
"""Metrics that are a mean over all observed values."""


class ShardJob(NamedTuple):
    """What is done to each shard, in a worker process that has nothing but this.

    command: name of the command, for the manifest. process: called with the shard and `arguments`,
    it returns the columns and facts of the result. settings: what a result depends on beside its
    shard, as JSON.
    """

    command: str
    process: Callable[..., ShardContent]
    arguments: tuple[Any, ...]
    settings: dict[str, Any]

    @property
    def plan(self) -> str:
        """SHA-256 of command and settings: results of another plan are not mixed with these."""
        identity = [self.command, self.settings]
        text = json.dumps(identity, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


class FinishedShard(NamedTuple):
    """What became of a shard: its facts, or an error."""

    name: str
    facts: Facts
    error: LstmcastError | None = None


@dataclass
class ShardsOutcome:
    """What became of all shards.

    facts: of each finished shard, by name. kept: how many of them an earlier call had finished.
    errors: of the shards that could not be used, by name.
    """

    facts: dict[str, Facts] = field(default_factory=dict)
    kept: int = 0
    errors: dict[str, LstmcastError] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Rows of all results."""
        return sum(facts["rows"] for facts in self.facts.values())

    @property
    def series(self) -> int:
        """Series of all results."""
        return sum(facts["series"] for facts in self.facts.values())


def process_shards(
    shards: Sequence[Shard],
    job: ShardJob,
    out: str | Path,
    *,
    jobs: int = 1,
    on_event: OnEvent | None = None,
) -> ShardsOutcome:
    """Process the shards whose results are not in `out` yet, and list all results in a manifest.

    Each result is one file, whole or absent. A shard that cannot be used does not stop the others:
    its error is in the outcome. Raises UsageError where `out` holds results of other settings,
    DataError where a series is in two shards, ResourceError where workers die.
    """
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    _refuse_other_results(folder, job)

    finished = _read_all_finished_facts(folder, shards, job.plan)
    outcome = ShardsOutcome(finished, len(finished))
    unfinished = [shard for shard in shards if shard.name not in finished]
    if unfinished:
        # A call that is interrupted leaves a manifest that says so.
        _write_manifest(folder, job, outcome, complete=False)

    # Absolute: a worker's working directory need not be this one.
    place = str(folder.absolute())
    tasks = ((job, shard, place) for shard in unfinished)
    messages: list[str] = []  # of the engine, such as jobs that were started again
    results = parallel.run_jobs(
        _process_shard,
        tasks,
        min(jobs, max(len(unfinished), 1)),
        on_event=lambda event: messages.append(event.message),
    )
    for result in results:
        if result.error is not None:
            outcome.errors[result.name] = result.error
        else:
            outcome.facts[result.name] = result.facts
        if on_event is not None:
            on_event(_describe_progress(outcome, messages, len(unfinished)))

    _refuse_split_series(outcome.facts)
    _write_manifest(folder, job, outcome, complete=not outcome.errors)
    return outcome


def _describe_progress(
    outcome: ShardsOutcome, messages: list[str], total: int
) -> Event:
    """Return how far the work has come: failures and the engine's last message beside the count."""
    failures = len(outcome.errors)
    parts = [f"{failures} failed"] if failures else []
    parts += filter(None, messages[-1:])
    step = len(outcome.facts) - outcome.kept + failures
    return Event("shards", ", ".join(parts), step, total)


def _process_shard(job: ShardJob, shard: Shard, out: str) -> FinishedShard:
    """Process one shard, from its files to its result file."""
    try:
        # The state before the files are read: a change during the work makes the result outdated.
        state = shard.state()
        columns, facts = job.process(shard, *job.arguments)
        rows = len(next(iter(columns.values())))
        facts |= {"plan": job.plan, "state": state, "rows": rows}
        file = _result_path(Path(out), shard.name)
        file.parent.mkdir(parents=True, exist_ok=True)
        write_file(file, _encode_result(columns, facts))
    except ResourceError:  # the other shards would not fare better
        raise
    except LstmcastError as error:
        return FinishedShard(shard.name, {}, error)
    return FinishedShard(shard.name, facts)


def _encode_result(columns: dict[str, Any], facts: Facts) -> bytes:
    """Return a result as the bytes of a Parquet file, with its facts in the metadata."""
    arrays = {name: pa.array(column) for name, column in columns.items()}
    table = pa.table(arrays)
    schema_metadata = table.schema.metadata or {}
    metadata = {**schema_metadata, _FACTS_KEY: json.dumps(facts)}
    table = table.replace_schema_metadata(metadata)
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, write_page_checksum=True, compression="zstd")
    data: bytes = sink.getvalue()
    return data


def predict_shard(
    shard: Shard, run: str, horizon: int | None, levels: tuple[float, ...]
) -> ShardContent:
    """Forecast a shard with a run."""
    predictor, panel = _load_run_and_shard(shard, run)
    # A shard may hold new rows only; the forecast then looks back on the training data.
    panel = with_training_history(panel, predictor.panel, predictor.context)
    columns = predictor.columns(panel, horizon=horizon, quantiles=levels)
    return columns, _describe_panel(panel)


def _load_run_and_shard(shard: Shard, run: str) -> tuple[Predictor, Panel]:
    """Load a run, once in a process, and read a shard the way its training data were read."""
    predictor = _load_predictor(run, open_run(run).manifest["sha256"])
    known = predictor.panel
    config = predictor.config.data
    table = _read_shard(shard, config)
    panel = Panel.from_table(table, known.columns, config, like=known)
    return predictor, panel


@lru_cache(maxsize=1)
def _load_predictor(run: str, digest: str) -> Predictor:  # noqa: ARG001 - part of the cache's key
    """Load a run, again only where another one lies at the same place."""
    return Predictor.load(run)


def detect_shard(
    shard: Shard, run: str, rate: float, adapt: bool, alarm: Alarm
) -> ShardContent:
    """Judge the rows of a shard that are newer than a run; the facts hold the anomaly counts."""
    from lstmcast.monitoring.detect import detect

    predictor, panel = _load_run_and_shard(shard, run)
    found = detect(predictor, panel, rate=rate, adapt=adapt, alarm=alarm)
    facts = {**_describe_panel(panel), "figures": found.figures}
    return _frame_to_columns(found.rows), facts


def forecast_shard(
    shard: Shard, roles: Columns, config: Config, levels: tuple[float, ...]
) -> ShardContent:
    """Fit a shard by itself and forecast it; without training steps, with the shipped network."""
    from lstmcast.training.forecaster import Forecaster  # needs torch

    table = _read_shard(shard, config.data)
    panel = Panel.from_table(table, roles, config.data)
    seeded = _with_shard_seed(config, shard)
    forecaster = Forecaster(seeded).fit_part(panel)
    return forecaster.columns(quantiles=levels), _describe_panel(panel)


def backtest_shard(
    shard: Shard, roles: Columns, config: Config, options: dict[str, Any]
) -> ShardContent:
    """Backtest a shard: forecasts from past cutoffs, and the verdict among the facts.

    options: keyword arguments of `backtest`.
    """
    from lstmcast.evaluation.backtest import backtest

    table = _read_shard(shard, config.data)
    panel = Panel.from_table(table, roles, config.data)
    seeded = _with_shard_seed(config, shard)
    result = backtest(panel, seeded, **options)
    # Without a row a series: facts do not grow with the data.
    verdict = {**result.verdict.to_dict(), "by_series": []}
    facts = {**_describe_panel(panel), "verdict": verdict}
    return _frame_to_columns(result.forecasts), facts


def _frame_to_columns(frame: Any) -> dict[str, Any]:
    columns = {}
    for name, column in frame.items():
        # Integers that may be missing are no array of numpy.
        is_masked = str(column.dtype) == "Int64"
        columns[str(name)] = column.array if is_masked else column.to_numpy()
    return columns


def _read_shard(shard: Shard, config: DataConfig) -> Table:
    return read_parquet_dataset(
        shard.files, shard.name, config.max_bytes, root=shard.root
    )


def _with_shard_seed(config: Config, shard: Shard) -> Config:
    """Return the configuration with a seed that depends on the seed and the shard's name only.

    Neither the worker nor the order of the shards changes a result.
    """
    seeded = with_derived_seed(config, *shard.name.encode())
    return replace(seeded, train=replace(seeded.train, jobs=1))


def _describe_panel(panel: Panel) -> Facts:
    """Return how many series a panel has, and hashes of their keys to find series in two shards."""
    hashes = b"".join(_hash_key(key) for key in panel.keys)
    keys = base64.b64encode(hashes).decode() if panel.key_names else ""
    return {"series": len(panel), "keys": keys}


def _hash_key(key: tuple[str, ...]) -> bytes:
    text = "\0".join(key).encode("utf-8", "surrogateescape")
    return hashlib.blake2b(text, digest_size=_SERIES_HASH_BYTES).digest()


def _result_path(out: Path, name: str) -> Path:
    return out / f"{name}.parquet"


def _read_all_finished_facts(
    out: Path, shards: Sequence[Shard], plan: str
) -> dict[str, Facts]:
    """Return the facts of all shards that need no work, by name."""
    facts_by_name = {}
    for shard in shards:
        facts = _read_finished_facts(out, shard, plan)
        if facts is not None:
            facts_by_name[shard.name] = facts
    return facts_by_name


def _read_finished_facts(out: Path, shard: Shard, plan: str) -> Facts | None:
    """Return the facts of a result by the same plan, of files that have not changed since."""
    try:
        metadata = pq.read_metadata(_result_path(out, shard.name)).metadata or {}
        facts: Facts = json.loads(metadata[_FACTS_KEY])
    except (OSError, pa.ArrowException, KeyError, ValueError):
        return None
    is_same_plan = facts.get("plan") == plan
    if not is_same_plan or facts.get("state") != shard.state():
        return None
    return facts


def _refuse_other_results(out: Path, job: ShardJob) -> None:
    """Raise UsageError where a folder holds results of other settings, or any other files."""
    if not any(out.iterdir()):
        return
    try:
        plan = json.loads((out / SHARDS_MANIFEST).read_text(encoding="utf-8"))["plan"]
    except (OSError, ValueError, KeyError, TypeError):
        raise UsageError(
            f"the folder {str(out)!r} holds other files", "give a new or empty one"
        ) from None
    if plan != job.plan:
        raise UsageError(
            f"the folder {str(out)!r} holds results of another run or of other settings",
            "give another folder, or remove this one",
        )


def _refuse_split_series(facts: dict[str, Facts]) -> None:
    """Raise DataError for a series in two shards: it was forecast twice, each time from a part."""
    names = list(facts)
    hashes = []
    for name in names:
        keys = base64.b64decode(facts[name]["keys"])
        hashes.append(np.frombuffer(keys, "<u8"))
    counts = [len(keys) for keys in hashes]
    if not any(counts):  # shards of single series without a name
        return
    # The shard of each hash in their concatenation.
    owners = np.repeat(np.arange(len(names)), counts)
    _, first, occurrences = np.unique(
        np.concatenate(hashes), return_index=True, return_counts=True
    )
    split = first[occurrences > 1]
    if len(split):
        name = names[int(owners[split[0]])]
        raise DataError(
            f"{len(split)} series are in more than one shard, one of them in {name}",
            "partition the data by series",
        )


def _write_manifest(
    out: Path, job: ShardJob, outcome: ShardsOutcome, *, complete: bool
) -> None:
    shards = [
        {
            "name": name,
            "file": f"{name}.parquet",
            "series": facts["series"],
            "rows": facts["rows"],
        }
        for name, facts in sorted(outcome.facts.items())
    ]
    failed = [
        {"name": name, "error": error.message}
        for name, error in sorted(outcome.errors.items())
    ]
    manifest = {
        "schema_version": 1,
        "command": job.command,
        "plan": job.plan,
        "settings": job.settings,
        "complete": complete,
        "shards": shards,
        "failed": failed,
    }
    text = json.dumps(manifest, indent=1) + "\n"
    write_file(out / SHARDS_MANIFEST, text.encode())


def combine_scores(verdicts: Sequence[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Return the scores of the model and each baseline over all shards, by method and metric.

    Only metrics that are means can be combined: each shard counts as often as the series or values
    that its mean was taken over.
    """
    # Those of a season are missing where a shard shows none.
    others = [verdict["baselines"] for verdict in verdicts]
    baselines = [name for name in others[0] if all(name in one for one in others)]
    methods = ("model", *baselines)
    scores = {method: _average_scores(verdicts, method) for method in methods}
    model = scores["model"]

    # The skill anew, from the combined errors: a mean of skills would be none.
    measure = "mae" if "mae" in model else "brier"
    best = min(scores[method][measure] for method in baselines)
    skill = float("nan")
    if best:
        skill = 1 - model[measure] / best
    model["skill"] = skill
    return scores


def _average_scores(
    verdicts: Sequence[dict[str, Any]], method: str
) -> dict[str, float]:
    """Return the weighted mean of each metric of one method over the shards."""
    if method == "model":
        rows = [verdict["model"] for verdict in verdicts]
    else:
        rows = [verdict["baselines"][method] for verdict in verdicts]
    # A constant series has no scale, so it is no part of the mean of scaled errors.
    scaled = [verdict["series"] - verdict["unscaled"] for verdict in verdicts]
    series = [verdict["series"] for verdict in verdicts]
    observed = [verdict["observed"] for verdict in verdicts]
    weights = {
        **dict.fromkeys(_SCALED_SERIES_METRICS, scaled),
        **dict.fromkeys(_SERIES_METRICS, series),
        **dict.fromkeys(_VALUE_METRICS, observed),
    }
    means: dict[str, float] = {}
    for metric, counts in weights.items():
        pairs = [
            (row[metric], count)
            for row, count in zip(rows, counts, strict=True)
            if row.get(metric) is not None
        ]
        total = sum(count for _, count in pairs)
        if total:
            weighted_sum = sum(value * count for value, count in pairs)
            means[metric] = weighted_sum / total
    return means


def sum_anomaly_counts(figures: Sequence[dict[str, float]]) -> dict[str, float]:
    """Return the anomalies of all shards together."""
    names = ("anomalies", "events", "points", "runs", "stuck", "gaps", "judged")
    totals = {name: sum(counts.get(name, 0) for counts in figures) for name in names}
    return {**totals, "share": totals["anomalies"] / max(totals["judged"], 1)}
