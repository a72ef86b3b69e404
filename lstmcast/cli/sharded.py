"""A folder in, a folder out: commands that do each file of a data set by itself."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstmcast.cli.engine import EngineOptions
from lstmcast.cli.show import output
from lstmcast.cli.show.console import Report
from lstmcast.errors import DataError, UsageError

if TYPE_CHECKING:
    from lstmcast.deployment.shards import Job, Outcome


def is_sharded(data: str | None, out: str | None) -> bool:
    """Whether DATA is a folder and the result shall be one: `-o FOLDER/`, or a folder that is there."""
    if data is None or out is None or not Path(data).is_dir():
        return False
    return out.endswith("/") or Path(out).is_dir()


def alone(engine: EngineOptions, jobs: int | None) -> None:
    """One table is one job, whose cores are `jobs` at most; raises UsageError where others were to do it."""
    if engine.asked:
        raise UsageError(
            f"--backend {engine.backend} does jobs, and one table is one of them",
            "give a folder of Parquet and -o FOLDER/, or leave --backend out",
        )
    if jobs is not None:
        os.environ["OMP_NUM_THREADS"] = str(jobs)


def refuse(**given: object) -> None:
    """Raise UsageError for options that make no sense of a folder of results."""
    for name, value in given.items():
        if value:
            raise UsageError(
                f"--{name.replace('_', '-')} does not go with a folder of results", "give -o FILE, or leave it out"
            )


def work_through(
    report: Report, job: "Job", data: str, out: str, engine: EngineOptions, jobs: int | None, *, as_json: bool
) -> "Outcome":
    """Do what is missing of the folder `out`, and say what was done. Raises DataError where a shard cannot be used."""
    from lstmcast.compute.jobs import cores, is_here, usual_jobs
    from lstmcast.deployment import shards

    found = shards.shards_of(data)
    report.say(f"{len(found):,} shards in {data!r}")
    with engine.hired(), report.progress() as on_event:
        many = jobs or (cores() if is_here() else usual_jobs())
        outcome = shards.work_through(found, job, out, jobs=many, on_event=on_event)
    again = f", {outcome.kept:,} of them done before" if outcome.kept else ""
    done = f"{len(outcome.facts):,} of {len(found):,} shards done{again}"
    report.say(f"{done}: {outcome.series:,} series, {outcome.rows:,} rows in {out!r}")
    if outcome.errors:
        name, error = min(outcome.errors.items())
        raise DataError(
            f"{len(outcome.errors)} of {len(found)} shards could not be used; {name}: {error.message}",
            f"{error.hint}; the same command then does what is missing" if error.hint else "",
        )
    if as_json:
        output.write_object(job.command, {"folder": out, **told(outcome)})
    return outcome


def told(outcome: "Outcome") -> dict[str, Any]:
    """What --json says of a folder of results."""
    return {"shards": len(outcome.facts), "kept": outcome.kept, "series": outcome.series, "rows": outcome.rows}
