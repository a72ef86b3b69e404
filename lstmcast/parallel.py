"""Independent jobs in processes of one thread each: here through loky or threads, elsewhere through Dask or Ray.

The only room that knows of these. Knows nothing of forecasting; a job is a function and its arguments.
"""

import contextlib
import io
import ipaddress
import os
import signal
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Future, ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol, TypeVar

import joblib

from lstmcast.config import Backend
from lstmcast.errors import ResourceError, UsageError
from lstmcast.events import Event, OnEvent

T = TypeVar("T")

HERE = ("loky", "threading")
"""Backends of this machine alone."""
RETRIES = 3
"""How often a job is tried again whose worker died."""
AHEAD = 2
"""Jobs given out for each worker: one at work, one that waits for it."""
PATIENCE = 60.0
"""Seconds without a single worker after which there will be none."""
_FEWER = "use fewer jobs at a time (-j 1)"


class Engine(Protocol):
    """What runs jobs: it gives each out as a future, and says whether anybody is there to do them."""

    retries: int

    def submit(self, work: Callable[..., Any], task: tuple[Any, ...]) -> "Future[Any]":
        """Give out a job."""

    def workers(self) -> int:
        """How many there are to work."""

    def close(self) -> None:
        """Let the workers go."""


@dataclass(eq=False)
class _Plan:
    """The engine that was asked for; it is started for its first jobs, and serves all of its block."""

    backend: Backend = "loky"
    address: str | None = None
    hired: Engine | None = None

    def hire(self, jobs: int) -> Engine:
        if self.hired is None:
            self.hired = _ENGINES[self.backend](jobs, self.address)
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

    Raises what `require` raises.
    """
    require(backend, address, insecure=insecure)
    plan = _Plan(backend, address)
    token = _PLAN.set(plan)
    try:
        yield
    finally:
        _PLAN.reset(token)
        plan.close()


def require(backend: Backend, address: str | None = None, *, insecure: bool = False) -> None:
    """Raise UsageError where an engine cannot be had.

    Its address makes no sense, or is neither of this machine nor encrypted (unless `insecure`), or its library is not
    installed.
    """
    if address is not None and backend in HERE:
        raise UsageError(f"--scheduler {address} does not go with --backend {backend}", "give --backend dask or ray")
    if address is not None and not insecure and not _is_safe(backend, address):
        raise UsageError(
            f"--scheduler {address} is another machine's, and what is sent there is not encrypted",
            "give a tls:// address (Dask), set RAY_USE_TLS=1 (Ray), or --insecure where the network is your own",
        )
    try:
        if backend == "dask":
            import dask.distributed  # noqa: F401
        elif backend == "ray":
            import ray  # noqa: F401
    except ImportError as error:
        raise UsageError(
            f"--backend {backend} needs a library that is not installed", f"pip install 'lstmcast[{backend}]'"
        ) from error


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
    on_event: OnEvent | None = None,
    total: int = 0,
) -> Iterator[T]:
    """Results of `work(*task)` in the order of the tasks, `jobs` at a time, by the engine of this block.

    One job at a time runs here, in this process, unless it is another's. What a job raises is raised here. A job whose
    worker dies is given to another, at most RETRIES times; after that, or where no worker is left, ResourceError is
    raised. Workers on this machine leave signals to this process, and end when it ends, however it ends.
    on_event: told of every job done, with the number of those tried again; `total` is how many there are, if known.
    """
    if jobs == 1 and is_here():
        for done, task in enumerate(tasks, 1):
            yield work(*task)
            _tell(on_event, done, total, 0)
        return
    yield from _in_order(_plan().hire(jobs), work, iter(tasks), jobs * AHEAD, on_event, total)


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
            out.append(_Job(task, hired.submit(work, task)))
        if not out:
            return
        job = out[0]
        try:
            value, error = _result(hired, job.future)
        except Lost as lost:
            job.tries += 1
            again += 1
            if job.tries > hired.retries:
                raise ResourceError(f"{lost}, whatever it was given {job.tries} times", _FEWER) from lost.__cause__
            job.future = hired.submit(work, job.task)
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
            if not any(kind.__name__ in _DEATHS for kind in type(lost).__mro__):
                raise
            raise Lost("a worker process died, most likely for want of memory") from lost
        else:
            return made


_DEATHS = {
    BrokenExecutor.__name__,
    "KilledWorker",
    "RaySystemError",
    "WorkerCrashedError",
    "RayActorError",
    "NodeDiedError",
}
"""What engines raise where a worker died; jobs return what they raise themselves."""


def _tell(on_event: OnEvent | None, done: int, total: int, again: int) -> None:
    if on_event is not None:
        on_event(Event("jobs", f"{again} tried again" if again else "", done, max(total, done)))


class _Loky:
    """Processes of this machine."""

    retries = RETRIES

    def __init__(self, jobs: int, _: str | None) -> None:
        self.jobs = jobs

    def submit(self, work: Callable[..., Any], task: tuple[Any, ...]) -> "Future[Any]":
        from joblib.externals.loky import get_reusable_executor

        one = dict.fromkeys(_THREADS, "1")
        hired = get_reusable_executor(self.jobs, timeout=60, env=one, initializer=_follow, initargs=(os.getpid(),))
        future: Future[Any] = hired.submit(_alone, work, task)
        return future

    def workers(self) -> int:
        return self.jobs

    def close(self) -> None:
        """Processes are kept a while for the next jobs."""


class _Threads:
    """Threads of this process: for jobs that spend their time outside of Python."""

    retries = 0

    def __init__(self, jobs: int, _: str | None) -> None:
        self.jobs, self.pool = jobs, ThreadPoolExecutor(jobs)

    def submit(self, work: Callable[..., Any], task: tuple[Any, ...]) -> "Future[Any]":
        return self.pool.submit(_caught, work, task)

    def workers(self) -> int:
        return self.jobs

    def close(self) -> None:
        self.pool.shutdown(cancel_futures=True)


class _Dask:
    """Workers of a Dask cluster, which retries jobs itself.

    Its futures are used rather than joblib's backend for it, which waits for ever for a job that killed its workers.
    """

    retries = 0

    def __init__(self, jobs: int, address: str | None) -> None:
        from dask import config
        from dask.distributed import Client, LocalCluster

        self.local = None
        config.set({"distributed.scheduler.allowed-failures": RETRIES})
        if address is None:
            self.local = LocalCluster(
                n_workers=jobs, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, memory_limit=0,
                silence_logs=50,
            )  # fmt: skip
        try:
            self.client = Client(self.local or address, timeout="10s", set_as_default=False)
        except OSError as error:
            raise ResourceError(f"no scheduler answers at {address}", "start it, or leave out --scheduler") from error
        self.pool = self.client.get_executor(pure=False)

    def submit(self, work: Callable[..., Any], task: tuple[Any, ...]) -> "Future[Any]":
        future: Future[Any] = self.pool.submit(_alone, work, task)
        return future

    def workers(self) -> int:
        return sum(self.client.nthreads().values()) if self.client.status == "running" else 0

    def close(self) -> None:
        self.client.close(timeout=5)
        if self.local is not None:
            self.local.close(timeout=5)


class _Ray:
    """Workers of a Ray cluster, which retries jobs itself."""

    retries = 0

    def __init__(self, jobs: int, address: str | None) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        import ray

        self.ray = ray
        self.quiet = contextlib.ExitStack()
        # It writes of dead workers to stdout, where the result belongs.
        self.quiet.enter_context(contextlib.redirect_stdout(io.StringIO()))
        here: dict[str, Any] = {"num_cpus": jobs, "include_dashboard": False} if address is None else {}
        try:
            ray.init(address or "local", log_to_driver=False, logging_level="CRITICAL", configure_logging=True, **here)
        except (ConnectionError, RuntimeError, ValueError) as error:
            self.quiet.close()
            raise ResourceError(f"no Ray cluster answers at {address}", "start it, or leave out --scheduler") from error
        self.remote = ray.remote(num_cpus=1, max_retries=RETRIES)(_alone)

    def submit(self, work: Callable[..., Any], task: tuple[Any, ...]) -> "Future[Any]":
        future: Future[Any] = self.remote.remote(work, task).future()
        return future

    def workers(self) -> int:
        return int(self.ray.cluster_resources().get("CPU", 0))

    def close(self) -> None:
        self.ray.shutdown()
        self.quiet.close()


_ENGINES: dict[str, Callable[[int, str | None], Engine]] = {
    "loky": _Loky,
    "threading": _Threads,
    "dask": _Dask,
    "ray": _Ray,
}
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def _alone(work: Callable[..., T], task: tuple[Any, ...]) -> tuple[T | None, Exception | None]:
    """A job in a process of its own: on one thread."""
    _one_thread()
    return _caught(work, task)


def _caught(work: Callable[..., T], task: tuple[Any, ...]) -> tuple[T | None, Exception | None]:
    """A job's result, or what it raised, which is so told from what its engine raises."""
    try:
        return work(*task), None
    except Exception as error:
        error.add_note(f"in a worker:\n{traceback.format_exc()}")
        return None, error


@cache
def _one_thread() -> None:
    from threadpoolctl import threadpool_limits

    os.environ.update(dict.fromkeys(_THREADS, "1"))
    threadpool_limits(1)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


def _is_safe(backend: Backend, address: str) -> bool:
    """Whether an address is of this machine, or what goes there is encrypted."""
    scheme, _, rest = address.rpartition("://")
    if scheme in ("tls", "wss") or (backend == "ray" and os.environ.get("RAY_USE_TLS", "0") not in ("", "0")):
        return True
    host = rest.rpartition(":")[0].strip("[]") or rest
    if host in ("localhost", "auto", "local"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_here() -> bool:
    """Whether jobs are done by this machine alone, and one at a time in this process."""
    return _plan().backend in HERE


def usual_jobs() -> int:
    """Jobs at a time where none are asked for: one here, elsewhere as many as there are workers."""
    return 1 if is_here() else max(1, _plan().hire(cores()).workers())


def cores() -> int:
    """Cores that this process may use."""
    return int(joblib.cpu_count())


def _follow(parent: int) -> None:
    """Make of this process a worker of `parent`, which alone decides what a signal means."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.3)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
