"""A folder of Parquet, a shard at a time: each forecast by a job of its own, into a folder with a file for each.

A shard is a file, or a folder like `shop=7` with all its files, and holds whole series. What is
done is not done again.
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
from lstmcast.config import Columns as Roles
from lstmcast.config import Config
from lstmcast.errors import DataError, LstmcastError, ResourceError, UsageError
from lstmcast.forecasting.predictor import Predictor
from lstmcast.panel.extend import with_training_history
from lstmcast.panel.panel import Panel
from lstmcast.runs.directory import open_run
from lstmcast.runs.disk import write_file
from lstmcast.tables.columnar import list_parquet_files, read_parquet_dataset

ShardContent = tuple[dict[str, Any], dict[str, Any]]
"""Columns of a shard's result, and facts of it."""
SHARDS_MANIFEST = "manifest.json"
_FACTS_KEY = b"lstmcast"
_SERIES_HASH_BYTES = 8
"""Bytes that stand for a series: enough to tell millions apart."""
_MEANS_OF_SCALED_SERIES, _MEANS_OF_SERIES = (
    ("mase", "rmsse"),
    ("smape", "mape", "mae", "rmse"),
)
_MEANS_OF_VALUES = ("coverage", "brier", "log_loss")
"""Measures by what they are the mean of."""


class Shard(NamedTuple):
    """A part of a data set: its name, which its file of results has too, its files, and the folder of them all."""

    name: str
    files: tuple[str, ...]
    root: str

    def state(self) -> list[list[Any]]:
        """What changes when a file does: name, size, time of the last change."""
        stats = [(Path(file).name, Path(file).stat()) for file in self.files]
        return [[name, stat.st_size, stat.st_mtime_ns] for name, stat in stats]


class ShardJob(NamedTuple):
    """What is done to each shard, in a process that has nothing but this: `make` gives columns and facts of it."""

    command: str
    make: Callable[..., ShardContent]
    arguments: tuple[Any, ...]
    same: dict[str, Any]
    """What a result depends on beside its shard, as JSON."""

    @property
    def plan(self) -> str:
        """A digest of all of it."""
        return hashlib.sha256(
            json.dumps([self.command, self.same], sort_keys=True).encode()
        ).hexdigest()


class FinishedShard(NamedTuple):
    """What became of a shard: its facts, or an error."""

    name: str
    facts: dict[str, Any]
    error: LstmcastError | None = None


@dataclass
class ShardsOutcome:
    """What became of all shards: the facts of each that is done, how many were done before, and errors by name."""

    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
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


def find_shards(folder: str | Path) -> list[Shard]:
    """The shards of a folder, by name, for workers in any folder. Raises DataError where it holds no Parquet."""
    root = Path(folder).absolute()
    found: dict[str, list[str]] = {}
    for file in list_parquet_files(root):
        place = file.relative_to(root)
        parted = "=" in place.parent.name
        found.setdefault(
            str(place.parent if parted else place.with_suffix("")), []
        ).append(str(file))
    if not found:
        raise DataError(
            f"{folder} is a folder without Parquet files",
            "give a folder of .parquet files",
        )
    return [
        Shard(name, tuple(files), str(root)) for name, files in sorted(found.items())
    ]


def process_shards(
    shards: Sequence[Shard],
    job: ShardJob,
    out: str | Path,
    *,
    jobs: int = 1,
    on_event: OnEvent | None = None,
) -> ShardsOutcome:
    """Do what is missing of a folder of results, a file a shard, each whole or absent; then say in a manifest so.

    A shard that cannot be used does not stop the others: its error is kept in the outcome. Raises
    UsageError where `out` holds results of other settings, DataError where a series is in two
    shards, ResourceError where workers die.
    """
    place = Path(out)
    place.mkdir(parents=True, exist_ok=True)
    _refuse_other_results(place, job)
    plan = job.plan
    kept = {
        shard.name: facts
        for shard in shards
        if (facts := _read_finished_facts(place, shard, plan)) is not None
    }
    todo = [shard for shard in shards if shard.name not in kept]
    outcome = ShardsOutcome(kept, len(kept))
    if todo:
        _write_manifest(place, job, outcome, complete=False)
    again: list[str] = []
    results = parallel.run_jobs(
        _process_shard,
        ((job, shard, str(place.absolute())) for shard in todo),
        min(jobs, max(len(todo), 1)),
        on_event=lambda event: again.append(event.message),
    )
    for made in results:
        if made.error is not None:
            outcome.errors[made.name] = made.error
        else:
            outcome.facts[made.name] = made.facts
        if on_event is not None:
            done = len(outcome.facts) - outcome.kept
            said = (
                f"{len(outcome.errors)} failed" if outcome.errors else "",
                again[-1] if again else "",
            )
            on_event(
                Event(
                    "shards",
                    ", ".join(filter(None, said)),
                    done + len(outcome.errors),
                    len(todo),
                )
            )
    _refuse_split_series(outcome.facts)
    _write_manifest(place, job, outcome, complete=not outcome.errors)
    return outcome


def _process_shard(job: ShardJob, shard: Shard, out: str) -> FinishedShard:
    """One shard, from its files to its result."""
    try:
        state = shard.state()
        columns, facts = job.make(shard, *job.arguments)
        facts |= {
            "plan": job.plan,
            "state": state,
            "rows": len(next(iter(columns.values()))),
        }
        table = pa.table({name: pa.array(column) for name, column in columns.items()})
        sink = pa.BufferOutputStream()
        kept = {**(table.schema.metadata or {}), _FACTS_KEY: json.dumps(facts)}
        pq.write_table(
            table.replace_schema_metadata(kept),
            sink,
            write_page_checksum=True,
            compression="zstd",
        )
        file = _result_path(Path(out), shard.name)
        file.parent.mkdir(parents=True, exist_ok=True)
        write_file(file, sink.getvalue())
    except ResourceError:
        raise
    except LstmcastError as error:
        return FinishedShard(shard.name, {}, error)
    return FinishedShard(shard.name, facts)


def predict_shard(
    shard: Shard, run: str, horizon: int | None, levels: tuple[float, ...]
) -> ShardContent:
    """The forecast of a shard by a run."""
    predictor, panel = _load_run_and_shard(shard, run)
    panel = with_training_history(panel, predictor.panel, predictor.context)
    return predictor.columns(panel, horizon=horizon, quantiles=levels), _describe_panel(
        panel
    )


def _load_run_and_shard(shard: Shard, run: str) -> tuple[Predictor, Panel]:
    """A run, loaded once in a process, and a shard read as its data were."""
    predictor = _load_predictor(run, open_run(run).manifest["sha256"])
    known, config = predictor.panel, predictor.config.data
    return predictor, Panel.from_table(
        _read_shard(shard, config), known.columns, config, like=known
    )


@lru_cache(maxsize=1)
def _load_predictor(run: str, _: str) -> Predictor:
    return Predictor.load(run)


def detect_shard(shard: Shard, run: str, rate: float, adapt: bool) -> ShardContent:
    """The rows of a shard that are newer than a run, judged; how many anomalies there are is among the facts."""
    from lstmcast.monitoring.detect import detect

    predictor, panel = _load_run_and_shard(shard, run)
    found = detect(predictor, panel, rate=rate, adapt=adapt)
    return _frame_to_columns(found.rows), {
        **_describe_panel(panel),
        "figures": found.figures,
    }


def forecast_shard(
    shard: Shard, roles: Roles, config: Config, levels: tuple[float, ...]
) -> ShardContent:
    """The forecast of a shard by a fit of its own; with no training steps, by the shipped network."""
    from lstmcast.training.forecaster import Forecaster  # needs torch

    panel = Panel.from_table(_read_shard(shard, config.data), roles, config.data)
    forecaster = Forecaster(_with_shard_seed(config, shard)).fit_part(panel)
    return forecaster.columns(quantiles=levels), _describe_panel(panel)


def backtest_shard(
    shard: Shard, roles: Roles, config: Config, how: dict[str, Any]
) -> ShardContent:
    """The forecasts of a shard from past cutoffs, with what came; its verdict is among the facts."""
    from lstmcast.evaluation.backtest import backtest

    panel = Panel.from_table(_read_shard(shard, config.data), roles, config.data)
    result = backtest(panel, _with_shard_seed(config, shard), **how)
    verdict = {**result.verdict.to_dict(), "by_series": []}
    return _frame_to_columns(result.forecasts), {
        **_describe_panel(panel),
        "verdict": verdict,
    }


def _frame_to_columns(frame: Any) -> dict[str, Any]:
    return {str(name): column.to_numpy() for name, column in frame.items()}


def _read_shard(shard: Shard, config: Any) -> Any:
    return read_parquet_dataset(
        [Path(file) for file in shard.files],
        shard.name,
        config.max_bytes,
        root=Path(shard.root),
    )


def _with_shard_seed(config: Config, shard: Shard) -> Config:
    """Luck that depends on the seed and the shard, not on who works it off when."""
    seeded = with_derived_seed(config, *shard.name.encode())
    return replace(seeded, train=replace(seeded.train, jobs=1))


def _describe_panel(panel: Panel) -> dict[str, Any]:
    hashes = [
        hashlib.blake2b(
            "\0".join(key).encode("utf-8", "surrogateescape"), digest_size=8
        ).digest()
        for key in panel.keys
    ]
    return {
        "series": len(panel),
        "keys": base64.b64encode(b"".join(hashes)).decode() if panel.key_names else "",
    }


def _result_path(out: Path, name: str) -> Path:
    return out / f"{name}.parquet"


def _read_finished_facts(out: Path, shard: Shard, plan: str) -> dict[str, Any] | None:
    """The facts of a shard that is done: by the same plan, of files that are as they were."""
    try:
        metadata = pq.read_metadata(_result_path(out, shard.name)).metadata or {}
        facts: dict[str, Any] = json.loads(metadata[_FACTS_KEY])
    except (OSError, pa.ArrowException, KeyError, ValueError):
        return None
    return (
        facts
        if (facts.get("plan"), facts.get("state")) == (plan, shard.state())
        else None
    )


def _refuse_other_results(out: Path, job: ShardJob) -> None:
    """Results of other settings are not mixed with these, nor anything else overwritten."""
    manifest = out / SHARDS_MANIFEST
    if not any(out.iterdir()):
        return
    try:
        there = json.loads(manifest.read_text(encoding="utf-8"))["plan"]
    except (OSError, ValueError, KeyError, TypeError):
        raise UsageError(
            f"the folder {str(out)!r} holds other files", "give a new or empty one"
        ) from None
    if there != job.plan:
        raise UsageError(
            f"the folder {str(out)!r} holds results of another run or of other settings",
            "give another folder, or remove this one",
        )


def _refuse_split_series(facts: dict[str, dict[str, Any]]) -> None:
    """A series whose rows are in two shards was forecast twice, from half its rows each."""
    named = {
        name: np.frombuffer(base64.b64decode(one["keys"]), "<u8")
        for name, one in facts.items()
    }
    if not any(map(len, named.values())):
        return
    owner = np.repeat(np.arange(len(named)), [len(keys) for keys in named.values()])
    _, first, count = np.unique(
        np.concatenate(list(named.values())), return_index=True, return_counts=True
    )
    if (count > 1).any():
        torn = int((count > 1).sum())
        name = list(named)[int(owner[first[count > 1][0]])]
        raise DataError(
            f"{torn} series are in more than one shard, one of them in {name}",
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
    whole = {
        "schema_version": 1,
        "command": job.command,
        "plan": job.plan,
        "settings": job.same,
        "complete": complete,
        "shards": shards,
        "failed": failed,
    }
    write_file(out / SHARDS_MANIFEST, (json.dumps(whole, indent=1) + "\n").encode())


def combine_scores(verdicts: Sequence[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Scores of the model and each baseline over all shards, of the measures that are means of something."""
    out: dict[str, dict[str, float]] = {}
    for method in ("model", *verdicts[0]["baselines"]):
        rows = [
            one["model"] if method == "model" else one["baselines"][method]
            for one in verdicts
        ]
        out[method] = {}
        for measures, weights in (
            (
                _MEANS_OF_SCALED_SERIES,
                [one["series"] - one["unscaled"] for one in verdicts],
            ),
            (_MEANS_OF_SERIES, [one["series"] for one in verdicts]),
            (_MEANS_OF_VALUES, [one["observed"] for one in verdicts]),
        ):
            for measure in measures:
                known = [
                    (row[measure], w)
                    for row, w in zip(rows, weights, strict=True)
                    if row.get(measure) is not None
                ]
                if weight := sum(w for _, w in known):
                    out[method][measure] = sum(value * w for value, w in known) / weight
    of = "mae" if "mae" in out["model"] else "brier"
    rival = min(row[of] for method, row in out.items() if method != "model")
    out["model"]["skill"] = 1 - out["model"][of] / rival if rival else float("nan")
    return out


def sum_anomaly_counts(figures: Sequence[dict[str, float]]) -> dict[str, float]:
    """Anomalies of all shards together."""
    whole = {
        name: sum(one[name] for one in figures)
        for name in ("anomalies", "points", "runs", "judged")
    }
    return {**whole, "share": whole["anomalies"] / max(whole["judged"], 1)}
