"""What runs jobs: processes or threads of this machine, or the workers of a Dask or Ray cluster.

The only module that knows these libraries. A job is a function and its arguments; an engine returns
a future of its result.
"""

import contextlib
import io
import ipaddress
import os
import pickle
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any, Protocol, TypeVar

from lstmcast.compute.system import ENDING_SIGNALS, is_parent_alive
from lstmcast.config import Backend
from lstmcast.errors import ResourceError, UsageError
from lstmcast.extras import require_extra

T = TypeVar("T")

LOCAL_BACKENDS = ("loky", "threading")
"""Backends that use this machine only."""
MAX_JOB_RETRIES = 3
"""How often a job is tried again after its worker died."""
WORKER_DEATH_ERRORS = {
    BrokenExecutor.__name__,
    "KilledWorker",
    "RaySystemError",
    "WorkerCrashedError",
    "RayActorError",
    "NodeDiedError",
}
"""Errors that engines raise where a worker died; what jobs raise they return instead."""


class Engine(Protocol):
    """Runs jobs on its workers.

    retries: how often the caller is to submit a job again after its worker died; 0 where the engine
    does so itself.
    """

    retries: int

    def shared(self, value: Any) -> AbstractContextManager[Any]:
        """A handle that stands, in this block, for a value that many jobs read."""

    def submit(self, work: Callable[..., Any], *task: Any) -> "Future[Any]":
        """Submit a job; its arguments may be handles of shared values."""

    def workers(self) -> int:
        """How many workers there are."""

    def close(self) -> None:
        """Release the workers."""


class _LokyEngine:
    """Processes of this machine."""

    retries = MAX_JOB_RETRIES

    def __init__(self, jobs: int, _: str | None) -> None:
        self.jobs = jobs

    @contextlib.contextmanager
    def shared(self, value: Any) -> Iterator[Any]:
        """A file whose arrays all workers map into their memory, so that they hold them only once.

        Where there is no room for a file, the value itself, which then goes with every job.
        """
        import joblib

        with contextlib.ExitStack() as stack:
            try:
                folder = stack.enter_context(_temporary_folder())
                stored = _StoredValue(f"{folder}/value")
                joblib.dump(value, stored.path)
            except OSError:
                stack.close()
                yield value
            else:
                yield stored

    def submit(self, work: Callable[..., Any], *task: Any) -> "Future[Any]":
        from joblib.externals.loky import get_reusable_executor

        executor = get_reusable_executor(
            self.jobs,
            timeout=_IDLE_SECONDS,
            env=dict.fromkeys(_THREAD_VARIABLES, "1"),
            initializer=_follow_parent,
            initargs=(os.getpid(),),
        )
        future: Future[Any] = executor.submit(_run_on_one_thread, work, *task)
        return future

    def workers(self) -> int:
        return self.jobs

    def close(self) -> None:
        """Keep the processes for the next jobs; they end when they have been idle for a while."""


class _ThreadEngine:
    """Threads of this process, for jobs that spend their time outside of Python."""

    retries = 0

    def __init__(self, jobs: int, _: str | None) -> None:
        self.jobs = jobs
        self.pool = ThreadPoolExecutor(jobs)

    def shared(self, value: Any) -> AbstractContextManager[Any]:
        """The value itself."""
        return contextlib.nullcontext(value)

    def submit(self, work: Callable[..., Any], *task: Any) -> "Future[Any]":
        return self.pool.submit(_run_catching_errors, work, *task)

    def workers(self) -> int:
        return self.jobs

    def close(self) -> None:
        self.pool.shutdown(cancel_futures=True)


class _DaskEngine:
    """Workers of a Dask cluster, which retries jobs itself.

    Its own futures are used, not joblib's backend for it, which waits for ever for a job that
    killed its workers.
    """

    retries = 0

    def __init__(self, jobs: int, address: str | None) -> None:
        from dask import config
        from dask.distributed import Client, LocalCluster

        self.local_cluster = None
        config.set({"distributed.scheduler.allowed-failures": MAX_JOB_RETRIES})
        # What jobs share is sent only once, so its size needs no warning.
        config.set({"distributed.admin.large-graph-warning-threshold": "1TB"})
        if address is None:
            self.local_cluster = LocalCluster(
                n_workers=jobs,
                threads_per_worker=1,
                host="127.0.0.1",
                dashboard_address=None,
                memory_limit=0,
                silence_logs=50,
            )
        try:
            cluster = self.local_cluster or address
            self.client = Client(cluster, timeout="10s", set_as_default=False)
        except OSError as error:
            raise ResourceError(
                f"no scheduler answers at {address}",
                "start it, or leave out --scheduler",
            ) from error
        self.pool = self.client.get_executor(pure=False)

    def shared(self, value: Any) -> AbstractContextManager[Any]:
        """A task that returns the value: scattered data is lost with the worker that holds it.

        The value is pickled here, since Dask unpacks arrays to places that need not be aligned, and
        numpy sums those in another order.
        """
        packed = _PackedValue(uuid.uuid4().hex, pickle.dumps(value))
        task = self.client.submit(_return_value, packed, pure=False)
        return contextlib.nullcontext(task)

    def submit(self, work: Callable[..., Any], *task: Any) -> "Future[Any]":
        future: Future[Any] = self.pool.submit(_run_on_one_thread, work, *task)
        return future

    def workers(self) -> int:
        if self.client.status != "running":
            return 0
        return sum(self.client.nthreads().values())

    def close(self) -> None:
        # A busy machine may take its time; the results are there, and processes end with this one.
        with contextlib.suppress(TimeoutError):
            self.client.close(timeout=_CLOSE_SECONDS)
            if self.local_cluster is not None:
                self.local_cluster.close(timeout=_CLOSE_SECONDS)


class _RayEngine:
    """Workers of a Ray cluster, which retries jobs itself."""

    retries = 0

    def __init__(self, jobs: int, address: str | None) -> None:
        # Ray would report its use to its makers.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        import ray

        self.ray = ray
        self.quiet = contextlib.ExitStack()
        # Ray reports dead workers on stdout, where the result belongs.
        self.quiet.enter_context(contextlib.redirect_stdout(io.StringIO()))
        options: dict[str, Any] = {}
        if address is None:
            options = {"num_cpus": jobs, "include_dashboard": False}
        try:
            ray.init(
                address or "local",
                log_to_driver=False,
                logging_level="CRITICAL",
                configure_logging=True,
                **options,
            )
        except (ConnectionError, RuntimeError, ValueError) as error:
            self.quiet.close()
            raise ResourceError(
                f"no Ray cluster answers at {address}",
                "start it, or leave out --scheduler",
            ) from error
        self.remote = ray.remote(num_cpus=1, max_retries=MAX_JOB_RETRIES)(
            _run_on_one_thread
        )

    def shared(self, value: Any) -> AbstractContextManager[Any]:
        """A reference to the value in Ray's store."""
        return contextlib.nullcontext(self.ray.put(value))

    def submit(self, work: Callable[..., Any], *task: Any) -> "Future[Any]":
        future: Future[Any] = self.remote.remote(work, *task).future()
        return future

    def workers(self) -> int:
        resources = self.ray.cluster_resources()
        return int(resources.get("CPU", 0))

    def close(self) -> None:
        self.ray.shutdown()
        self.quiet.close()


ENGINES: dict[str, Callable[[int, str | None], Engine]] = {
    "loky": _LokyEngine,
    "threading": _ThreadEngine,
    "dask": _DaskEngine,
    "ray": _RayEngine,
}
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_IDLE_SECONDS = 60
"""Seconds that an idle process waits for jobs before it ends."""
_CLOSE_SECONDS = 30
"""Seconds that a Dask client and its workers get to end in good order."""
_PARENT_CHECK_SECONDS = 0.3


@contextlib.contextmanager
def _temporary_folder() -> Iterator[str]:
    """A folder for this block, which is removed even where this process is killed."""
    from joblib.externals.loky.backend import resource_tracker

    folder = tempfile.mkdtemp(prefix="lstmcast-")
    # The tracker is a process of its own, and outlives this one.
    resource_tracker.register(folder, "folder")
    try:
        yield folder
    finally:
        resource_tracker.unregister(folder, "folder")
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class _StoredValue:
    """A value in a file of this machine."""

    path: str

    def open(self) -> Any:
        """Load the value, with its arrays mapped into memory."""
        import joblib

        return joblib.load(self.path, mmap_mode="r")


@dataclass(frozen=True)
class _PackedValue:
    """A pickled value, known by its name."""

    name: str
    value: bytes = field(compare=False, repr=False)

    def open(self) -> Any:
        """Unpickle the value."""
        return pickle.loads(self.value)


@lru_cache(maxsize=1)
def _load_shared_value(handle: _StoredValue | _PackedValue) -> Any:
    """The shared value that a worker keeps for all of its jobs."""
    return handle.open()


def _return_value(value: T) -> T:
    return value


def _run_on_one_thread(
    work: Callable[..., T], *task: Any
) -> tuple[T | None, Exception | None]:
    """Run a job in a process of its own, which has one thread."""
    _limit_to_one_thread()
    arguments = [
        _load_shared_value(value)
        if isinstance(value, _StoredValue | _PackedValue)
        else value
        for value in task
    ]
    return _run_catching_errors(work, *arguments)


def _run_catching_errors(
    work: Callable[..., T], *task: Any
) -> tuple[T | None, Exception | None]:
    """Return a job's result or what it raised, which so differs from what its engine raises."""
    try:
        return work(*task), None
    except Exception as error:
        # A traceback does not survive pickling, a note does.
        error.add_note(f"in a worker:\n{traceback.format_exc()}")
        return None, error


@cache
def _limit_to_one_thread() -> None:
    from threadpoolctl import threadpool_limits

    # The variables are for libraries that are loaded later, the calls for those that are there.
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, "1"))
    threadpool_limits(1)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


def require_engine(
    backend: Backend, address: str | None = None, *, insecure: bool = False
) -> None:
    """Raise UsageError where an engine cannot be used.

    Its backend takes no address, or the address is neither on this machine nor encrypted (unless
    `insecure`), or its library is not installed.
    """
    if address is not None and backend in LOCAL_BACKENDS:
        raise UsageError(
            f"--scheduler {address} does not go with --backend {backend}",
            "give --backend dask or ray",
        )
    if address is not None and not insecure and not _is_safe_address(backend, address):
        raise UsageError(
            f"--scheduler {address} is another machine's, and what is sent there is not encrypted",
            "give a tls:// address (Dask), set RAY_USE_TLS=1 (Ray),"
            " or --insecure where the network is your own",
        )
    packages = {"dask": ("dask", "distributed"), "ray": ("ray",)}.get(backend, ())
    require_extra(f"--backend {backend} needs", backend, *packages)


def _is_safe_address(backend: Backend, address: str) -> bool:
    """Whether an address is on this machine, or what is sent there is encrypted."""
    scheme, _, rest = address.rpartition("://")
    if scheme in ("tls", "wss"):
        return True
    ray_encrypts = os.environ.get("RAY_USE_TLS", "0") not in ("", "0")
    if backend == "ray" and ray_encrypts:
        return True
    # Without a port all of it is the host; IPv6 addresses are in brackets.
    host = rest.rpartition(":")[0].strip("[]") or rest
    if host in ("localhost", "auto", "local"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _follow_parent(parent: int) -> None:
    """Leave signals to the parent process, and end when it ends."""
    # Only the parent decides what a signal means.
    for number in ENDING_SIGNALS:
        signal.signal(number, signal.SIG_IGN)

    def watch() -> None:
        while is_parent_alive(parent):
            time.sleep(_PARENT_CHECK_SECONDS)
        os._exit(1)  # a thread cannot end its process otherwise

    threading.Thread(target=watch, daemon=True).start()
