"""Independent jobs, several at a time, with results in order and retries where a worker dies.

Knows nothing of forecasting, nor of what runs the jobs (see engines.py).
"""

import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Future
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

import joblib

from lstmcast.compute.engines import (
    ENGINES,
    LOCAL_BACKENDS,
    WORKER_DEATH_ERRORS,
    Engine,
    require_engine,
)
from lstmcast.compute.progress import Event, OnEvent, follow_jobs
from lstmcast.config import Backend
from lstmcast.errors import ResourceError

T = TypeVar("T")

JOBS_PER_WORKER = 2
"""Jobs submitted for each worker: one at work, one that waits for it."""
MAX_SECONDS_WITHOUT_WORKER = 60.0
"""Seconds without a single worker after which none is expected any more."""
_FEWER_JOBS_HINT = "use fewer jobs at a time (-j 1)"


@dataclass(eq=False)
class _EnginePlan:
    """The engine of a block; it is started for the first jobs, and serves all of the block."""

    backend: Backend = "loky"
    address: str | None = None
    engine: Engine | None = None

    def start_engine(self, jobs: int) -> Engine:
        if self.engine is None:
            self.engine = ENGINES[self.backend](jobs, self.address)
        return self.engine

    def close(self) -> None:
        if self.engine is not None:
            self.engine.close()


_CURRENT_PLAN: ContextVar[_EnginePlan | None] = ContextVar("plan", default=None)


def _current_plan() -> _EnginePlan:
    return _CURRENT_PLAN.get() or _EnginePlan()


@contextlib.contextmanager
def use_engine(
    backend: Backend = "loky", address: str | None = None, *, insecure: bool = False
) -> Iterator[None]:
    """Run all jobs of this block by `backend`: at the scheduler's `address`, or on this machine.

    insecure: allow an address on another machine without encryption. Raises UsageError where the
    engine cannot be had, and ResourceError where no scheduler answers.
    """
    require_engine(backend, address, insecure=insecure)
    plan = _EnginePlan(backend, address)
    token = _CURRENT_PLAN.set(plan)
    try:
        yield
    finally:
        _CURRENT_PLAN.reset(token)
        plan.close()


@dataclass(eq=False)
class _PendingJob:
    """A job that has been submitted, and how often it was tried again."""

    task: tuple[Any, ...]
    future: "Future[Any]"
    retries: int = 0


def run_jobs(
    work: Callable[..., T],
    tasks: Iterable[tuple[Any, ...]],
    jobs: int,
    *,
    shared: tuple[Any, ...] = (),
    on_event: OnEvent | None = None,
    total: int = 0,
    on_wait: Callable[[], None] | None = None,
) -> Iterator[T]:
    """Yield the results of `work(*task)` in the order of the tasks, by the engine of this block.

    A single job at a time runs in this process, unless the engine is another machine's. What a job
    raises is raised here. A job whose worker dies is given to another one, MAX_JOB_RETRIES times at
    most. Workers on this machine leave signals to this process, and end when it ends, however it
    ends.

    Args:
        work: what to do; pickled for workers that are not this process.
        tasks: arguments of each job.
        jobs: how many run at a time.
        shared: arguments of all jobs, before those of a task: `work(*shared, *task)`. They reach
            each worker once, not with every task, and must not be changed.
        on_event: called after every job, with the number of those tried again.
        total: how many tasks there are, if known.
        on_wait: called about once a second while a job of another process is waited for.

    Raises:
        ResourceError: a worker died over the same job each time, or no worker is left.
    """
    if jobs == 1 and is_local_engine():
        for done, task in enumerate(tasks, 1):
            result = work(*shared, *task)
            _report_progress(on_event, done, total, 0)
            yield result
        return
    engine = _current_plan().start_engine(jobs)
    with contextlib.ExitStack() as stack:
        handles = [stack.enter_context(engine.shared(value)) for value in shared]
        full_tasks = ((*handles, *task) for task in tasks)
        max_pending = jobs * JOBS_PER_WORKER
        yield from _run_in_order(
            engine, work, full_tasks, max_pending, on_event, total, on_wait
        )


def run_followed_jobs(
    work: Callable[..., T],
    tasks: Iterable[tuple[Any, ...]],
    jobs: int,
    on_event: OnEvent | None,
    begin: Event,
    *,
    shared: tuple[Any, ...] = (),
) -> Iterator[T]:
    """Yield results as `run_jobs` does, and report how far the jobs are from within.

    `work` takes a callback for its own events as its last argument. `begin` is the phase as it
    begins: its total is the number of tasks, and its message goes with every event.
    """
    inline = jobs == 1 and is_local_engine()
    with follow_jobs(on_event, begin, inline=inline) as progress:
        numbered = ((*task, progress.of_job(i)) for i, task in enumerate(tasks))
        results = run_jobs(work, numbered, jobs, shared=shared, on_wait=progress.report)
        for number, result in enumerate(results):
            progress.finish_job(number)
            yield result


def _run_in_order(
    engine: Engine,
    work: Callable[..., T],
    tasks: Iterator[tuple[Any, ...]],
    max_pending: int,
    on_event: OnEvent | None,
    total: int,
    on_wait: Callable[[], None] | None,
) -> Iterator[T]:
    pending: deque[_PendingJob] = deque()
    done = retried = 0
    while True:
        while len(pending) < max_pending and (task := next(tasks, None)) is not None:
            pending.append(_PendingJob(task, engine.submit(work, *task)))
        if not pending:
            return
        # Results are yielded in order, so only the first job is waited for.
        job = pending[0]
        try:
            result, error = _wait_for_result(engine, job.future, on_wait)
        except LostWorkerError as lost:
            job.retries += 1
            retried += 1
            if job.retries > engine.retries:
                raise ResourceError(
                    "a worker process died over the same job each time,"
                    " most likely for lack of memory",
                    _FEWER_JOBS_HINT,
                ) from lost.__cause__
            job.future = engine.submit(work, *job.task)
            continue
        pending.popleft()
        if error is not None:
            raise error
        done += 1
        _report_progress(on_event, done, total, retried)
        yield result


class LostWorkerError(Exception):
    """A worker died over a job."""


def _wait_for_result(
    engine: Engine,
    future: "Future[Any]",
    on_wait: Callable[[], None] | None = None,
) -> tuple[Any, Exception | None]:
    """Return the result of a job, or what it raised.

    Raises LostWorkerError where its worker died, and ResourceError where no workers are left.
    """
    last_seen = time.monotonic()
    while True:
        try:
            outcome: tuple[Any, Exception | None] = future.result(timeout=1.0)
        except TimeoutError:
            if on_wait is not None:
                on_wait()
            if engine.workers():
                last_seen = time.monotonic()
            elif time.monotonic() - last_seen > MAX_SECONDS_WITHOUT_WORKER:
                raise ResourceError(
                    f"no worker is left for {MAX_SECONDS_WITHOUT_WORKER:.0f} seconds",
                    "start workers, then run again",
                ) from None
        except CancelledError as error:
            raise ResourceError(
                "the scheduler is gone", "start it, then run again"
            ) from error
        except Exception as error:
            # By name, so that the libraries need not be imported.
            kinds = {kind.__name__ for kind in type(error).__mro__}
            if not kinds & WORKER_DEATH_ERRORS:
                raise
            raise LostWorkerError from error
        else:
            return outcome


def _report_progress(
    on_event: OnEvent | None, done: int, total: int, retried: int
) -> None:
    if on_event is not None:
        message = f"{retried} tried again" if retried else ""
        on_event(Event("jobs", message, done, max(total, done)))


def is_local_engine() -> bool:
    """Whether jobs run on this machine; a single one at a time then runs in this process."""
    return _current_plan().backend in LOCAL_BACKENDS


def default_jobs() -> int:
    """Jobs at a time where none are requested: one here, elsewhere as many as there are workers."""
    if is_local_engine():
        return 1
    engine = _current_plan().start_engine(count_cores())
    return max(1, engine.workers())


def count_cores() -> int:
    """Cores that this process may use."""
    return int(joblib.cpu_count())
