"""Independent jobs in processes of one thread each, through joblib. Knows nothing of forecasting."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from typing import Any, TypeVar

import joblib

from lstmcast.errors import ResourceError

T = TypeVar("T")


def run(work: Callable[..., T], tasks: Iterable[tuple[Any, ...]], jobs: int) -> Iterator[T]:
    """Results of `work(*task)` in the order of the tasks, `jobs` at a time.

    One job runs here, in this process. Raises ResourceError where a worker process died. Workers leave signals to this
    process, and end when it ends, however it ends.
    """
    if jobs == 1:
        for task in tasks:
            yield work(*task)
        return
    try:
        with joblib.parallel_config("loky", inner_max_num_threads=1):
            yield from joblib.Parallel(n_jobs=jobs, return_as="generator")(
                joblib.delayed(_work)(os.getpid(), work, task) for task in tasks
            )
    except BrokenProcessPool as lost:
        raise ResourceError(
            "a worker process died, most likely for want of memory", "use fewer jobs at a time (-j 1)"
        ) from lost


def cores() -> int:
    """Cores that this process may use."""
    return int(joblib.cpu_count())


def _work(parent: int, work: Callable[..., T], task: tuple[Any, ...]) -> T:
    _follow(parent)
    return work(*task)


@cache
def _follow(parent: int) -> None:
    """Make of this process a worker of `parent`, which alone decides what a signal means."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.3)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
