"""Independent jobs, several at a time, their results in order; again by another worker where one died.

Knows nothing of forecasting, nor of who works (see engines.py).
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
from lstmcast.compute.progress import Event, OnEvent
from lstmcast.config import Backend
from lstmcast.errors import ResourceError

T = TypeVar("T")

JOBS_PER_WORKER = 2
"""Jobs given out for each worker: one at work, one that waits for it."""
MAX_SECONDS_WITHOUT_WORKER = 60.0
"""Seconds without a single worker after which there will be none."""
_FEWER_JOBS_HINT = "use fewer jobs at a time (-j 1)"


@dataclass(eq=False)
class _EnginePlan:
    """The engine that was asked for; it is started for its first jobs, and serves all of its block."""

    backend: Backend = "loky"
    address: str | None = None
    hired: Engine | None = None

    def start_engine(self, jobs: int) -> Engine:
        if self.hired is None:
            self.hired = ENGINES[self.backend](jobs, self.address)
        return self.hired

    def close(self) -> None:
        if self.hired is not None:
            self.hired.close()


_CURRENT_PLAN: ContextVar[_EnginePlan | None] = ContextVar("plan", default=None)


def _current_plan() -> _EnginePlan:
    return _CURRENT_PLAN.get() or _EnginePlan()


@contextlib.contextmanager
def use_engine(
    backend: Backend = "loky", address: str | None = None, *, insecure: bool = False
) -> Iterator[None]:
    """Have all jobs of this block done by `backend`: at the scheduler's `address`, or else on this machine.

    Raises what `engines.require` raises.
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
    task: tuple[Any, ...]
    future: "Future[Any]"
    tries: int = 0


def run_jobs(
    work: Callable[..., T],
    tasks: Iterable[tuple[Any, ...]],
    jobs: int,
    *,
    shared: tuple[Any, ...] = (),
    on_event: OnEvent | None = None,
    total: int = 0,
) -> Iterator[T]:
    """Results of `work(*task)` in the order of the tasks, `jobs` at a time, by the engine of this block.

    What is `shared` goes before the rest, `work(*shared, *task)`: it reaches each worker once, not
    with every task, and must not be changed.

    One job at a time runs here, in this process, unless it is another's. What a job raises is
    raised here. A job whose worker dies is given to another, at most RETRIES times; after that, or
    where no worker is left, ResourceError is raised. Workers on this machine leave signals to this
    process, and end when it ends, however it ends.
    on_event: told of every job done, with the number of those tried again; `total` is how many
    there are, if known.
    """
    if jobs == 1 and is_local_engine():
        for done, task in enumerate(tasks, 1):
            value = work(*shared, *task)
            _report_progress(on_event, done, total, 0)
            yield value
        return
    hired = _current_plan().start_engine(jobs)
    with contextlib.ExitStack() as stack:
        common = [stack.enter_context(hired.shared(one)) for one in shared]
        yield from _run_in_order(
            hired,
            work,
            ((*common, *task) for task in tasks),
            jobs * JOBS_PER_WORKER,
            on_event,
            total,
        )


def _run_in_order(
    hired: Engine,
    work: Callable[..., T],
    tasks: Iterator[tuple[Any, ...]],
    ahead: int,
    on_event: OnEvent | None,
    total: int,
) -> Iterator[T]:
    out: deque[_PendingJob] = deque()
    done = again = 0
    while True:
        while len(out) < ahead and (task := next(tasks, None)) is not None:
            out.append(_PendingJob(task, hired.submit(work, *task)))
        if not out:
            return
        job = out[0]
        try:
            value, error = _wait_for_result(hired, job.future)
        except LostWorkerError as lost:
            job.tries += 1
            again += 1
            if job.tries > hired.retries:
                said = "a worker process died over the same job each time, most likely for want of memory"
                raise ResourceError(said, _FEWER_JOBS_HINT) from lost.__cause__
            job.future = hired.submit(work, *job.task)
            continue
        out.popleft()
        if error is not None:
            raise error
        done += 1
        _report_progress(on_event, done, total, again)
        yield value


class LostWorkerError(Exception):
    """A worker died over a job."""


def _wait_for_result(hired: Engine, future: "Future[Any]") -> tuple[Any, Exception | None]:
    """What became of a job; raises Lost where its worker died, ResourceError where there are no workers any more."""
    seen = time.monotonic()
    while True:
        try:
            made: tuple[Any, Exception | None] = future.result(timeout=1.0)
        except TimeoutError:
            if hired.workers():
                seen = time.monotonic()
            elif time.monotonic() - seen > MAX_SECONDS_WITHOUT_WORKER:
                raise ResourceError(
                    f"no worker is left for {MAX_SECONDS_WITHOUT_WORKER:.0f} seconds",
                    "start workers, then run again",
                ) from None
        except CancelledError as gone:
            raise ResourceError("the scheduler is gone", "start it, then run again") from gone
        except Exception as lost:
            if not any(kind.__name__ in WORKER_DEATH_ERRORS for kind in type(lost).__mro__):
                raise
            raise LostWorkerError from lost
        else:
            return made


def _report_progress(on_event: OnEvent | None, done: int, total: int, again: int) -> None:
    if on_event is not None:
        on_event(Event("jobs", f"{again} tried again" if again else "", done, max(total, done)))


def is_local_engine() -> bool:
    """Whether jobs are done by this machine alone; a single one is then done in this process."""
    return _current_plan().backend in LOCAL_BACKENDS


def default_jobs() -> int:
    """Jobs at a time where none are asked for: one here, elsewhere as many as there are workers."""
    return 1 if is_local_engine() else max(1, _current_plan().start_engine(count_cores()).workers())


def count_cores() -> int:
    """Cores that this process may use."""
    return int(joblib.cpu_count())
