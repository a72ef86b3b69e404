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

from lstmcast.compute.engines import DEATHS, ENGINES, HERE, Engine, require
from lstmcast.compute.progress import Event, OnEvent
from lstmcast.config import Backend
from lstmcast.errors import ResourceError

T = TypeVar("T")

AHEAD = 2
"""Jobs given out for each worker: one at work, one that waits for it."""
PATIENCE = 60.0
"""Seconds without a single worker after which there will be none."""
_FEWER = "use fewer jobs at a time (-j 1)"


@dataclass(eq=False)
class _Plan:
    """The engine that was asked for; it is started for its first jobs, and serves all of its block."""

    backend: Backend = "loky"
    address: str | None = None
    hired: Engine | None = None

    def hire(self, jobs: int) -> Engine:
        if self.hired is None:
            self.hired = ENGINES[self.backend](jobs, self.address)
        return self.hired

    def close(self) -> None:
        if self.hired is not None:
            self.hired.close()


_PLAN: ContextVar[_Plan | None] = ContextVar("plan", default=None)


def _plan() -> _Plan:
    return _PLAN.get() or _Plan()


@contextlib.contextmanager
def engine(backend: Backend = "loky", address: str | None = None, *, insecure: bool = False) -> Iterator[None]:
    """Have all jobs of this block done by `backend`: at the scheduler's `address`, or else on this machine.

    Raises what `engines.require` raises.
    """
    require(backend, address, insecure=insecure)
    plan = _Plan(backend, address)
    token = _PLAN.set(plan)
    try:
        yield
    finally:
        _PLAN.reset(token)
        plan.close()


@dataclass(eq=False)
class _Job:
    task: tuple[Any, ...]
    future: "Future[Any]"
    tries: int = 0


def run(
    work: Callable[..., T],
    tasks: Iterable[tuple[Any, ...]],
    jobs: int,
    *,
    shared: tuple[Any, ...] = (),
    on_event: OnEvent | None = None,
    total: int = 0,
) -> Iterator[T]:
    """Results of `work(*task)` in the order of the tasks, `jobs` at a time, by the engine of this block.

    What is `shared` goes before the rest, `work(*shared, *task)`: it reaches each worker once, not with every task, and
    must not be changed.

    One job at a time runs here, in this process, unless it is another's. What a job raises is raised here. A job whose
    worker dies is given to another, at most RETRIES times; after that, or where no worker is left, ResourceError is
    raised. Workers on this machine leave signals to this process, and end when it ends, however it ends.
    on_event: told of every job done, with the number of those tried again; `total` is how many there are, if known.
    """
    if jobs == 1 and is_here():
        for done, task in enumerate(tasks, 1):
            value = work(*shared, *task)
            _tell(on_event, done, total, 0)
            yield value
        return
    hired = _plan().hire(jobs)
    with contextlib.ExitStack() as stack:
        common = [stack.enter_context(hired.shared(one)) for one in shared]
        yield from _in_order(hired, work, ((*common, *task) for task in tasks), jobs * AHEAD, on_event, total)


def _in_order(
    hired: Engine,
    work: Callable[..., T],
    tasks: Iterator[tuple[Any, ...]],
    ahead: int,
    on_event: OnEvent | None,
    total: int,
) -> Iterator[T]:
    out: deque[_Job] = deque()
    done = again = 0
    while True:
        while len(out) < ahead and (task := next(tasks, None)) is not None:
            out.append(_Job(task, hired.submit(work, *task)))
        if not out:
            return
        job = out[0]
        try:
            value, error = _result(hired, job.future)
        except Lost as lost:
            job.tries += 1
            again += 1
            if job.tries > hired.retries:
                said = "a worker process died over the same job each time, most likely for want of memory"
                raise ResourceError(said, _FEWER) from lost.__cause__
            job.future = hired.submit(work, *job.task)
            continue
        out.popleft()
        if error is not None:
            raise error
        done += 1
        _tell(on_event, done, total, again)
        yield value


class Lost(Exception):
    """A worker died over a job."""


def _result(hired: Engine, future: "Future[Any]") -> tuple[Any, Exception | None]:
    """What became of a job; raises Lost where its worker died, ResourceError where there are no workers any more."""
    seen = time.monotonic()
    while True:
        try:
            made: tuple[Any, Exception | None] = future.result(timeout=1.0)
        except TimeoutError:
            if hired.workers():
                seen = time.monotonic()
            elif time.monotonic() - seen > PATIENCE:
                raise ResourceError(
                    f"no worker is left for {PATIENCE:.0f} seconds", "start workers, then run again"
                ) from None
        except CancelledError as gone:
            raise ResourceError("the scheduler is gone", "start it, then run again") from gone
        except Exception as lost:
            if not any(kind.__name__ in DEATHS for kind in type(lost).__mro__):
                raise
            raise Lost from lost
        else:
            return made


def _tell(on_event: OnEvent | None, done: int, total: int, again: int) -> None:
    if on_event is not None:
        on_event(Event("jobs", f"{again} tried again" if again else "", done, max(total, done)))


def is_here() -> bool:
    """Whether jobs are done by this machine alone; a single one is then done in this process."""
    return _plan().backend in HERE


def usual_jobs() -> int:
    """Jobs at a time where none are asked for: one here, elsewhere as many as there are workers."""
    return 1 if is_here() else max(1, _plan().hire(cores()).workers())


def cores() -> int:
    """Cores that this process may use."""
    return int(joblib.cpu_count())
