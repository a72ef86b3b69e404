"""A folder in, a folder out: commands that process each file of a data set by itself."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstmcast.cli.options.engine import EngineOptions
from lstmcast.cli.show import output
from lstmcast.cli.show.console import Reporter
from lstmcast.errors import DataError, UsageError

if TYPE_CHECKING:
    from lstmcast.deployment.shards import ShardJob, ShardsOutcome


def is_sharded(data: str | None, out: str | None) -> bool:
    """Whether DATA is a folder and the result is to be one: `-o FOLDER/`, or an existing folder."""
    if data is None or out is None:
        return False
    if "://" in data:
        from lstmcast.tables.formats.remote import is_remote_folder, is_remote_pattern

        if is_remote_pattern(data) or not is_remote_folder(data):
            return False
    elif not Path(data).is_dir():
        return False
    return out.endswith("/") or Path(out).is_dir()


def limit_to_one_job(engine: EngineOptions, jobs: int | None) -> None:
    """Let one table use `jobs` cores at most; raises UsageError where a cluster was to do it."""
    if engine.is_remote:
        raise UsageError(
            f"--backend {engine.backend} runs jobs, and one table is a single job",
            "give a folder of Parquet and -o FOLDER/, or leave --backend out",
        )
    if jobs is not None:
        os.environ["OMP_NUM_THREADS"] = str(jobs)


def refuse_options(**options: object) -> None:
    """Raise UsageError for options, by name and value, that do not go with a folder of results."""
    for name, value in options.items():
        if value:
            flag = "--" + name.replace("_", "-")
            raise UsageError(
                f"{flag} does not go with a folder of results",
                "give -o FILE, or leave it out",
            )


def run_shard_job(
    report: Reporter,
    job: "ShardJob",
    data: str,
    out: str,
    engine: EngineOptions,
    jobs: int | None,
    *,
    as_json: bool,
) -> "ShardsOutcome":
    """Do what is missing in the folder `out`, and report it.

    Raises DataError where a shard cannot be used; the results of the others are kept.
    """
    from lstmcast.compute.jobs import count_cores, default_jobs, is_local_engine
    from lstmcast.deployment import shards
    from lstmcast.deployment.shard_list import find_shards

    found = find_shards(data)
    report.say(f"{len(found):,} shards in {data!r}")
    with engine.use(), report.progress() as on_event:
        workers = jobs or (count_cores() if is_local_engine() else default_jobs())
        outcome = shards.process_shards(
            found, job, out, jobs=workers, on_event=on_event
        )
    before = f", {outcome.kept:,} of them done before" if outcome.kept else ""
    report.say(
        f"{len(outcome.facts):,} of {len(found):,} shards done{before}: "
        f"{outcome.series:,} series, {outcome.rows:,} rows in {out!r}"
    )
    if outcome.errors:
        name, error = min(outcome.errors.items())
        hint = (
            error.hint and f"{error.hint}; the same command then does what is missing"
        )
        raise DataError(
            f"{len(outcome.errors)} of {len(found)} shards could not be used; "
            f"{name}: {error.message}",
            hint,
        )
    if as_json:
        content = {"folder": out, **outcome_to_dict(outcome)}
        output.write_object(job.command, content)
    return outcome


def outcome_to_dict(outcome: "ShardsOutcome") -> dict[str, Any]:
    """Return what --json says of a folder of results."""
    return {
        "shards": len(outcome.facts),
        "kept": outcome.kept,
        "series": outcome.series,
        "rows": outcome.rows,
    }
