"""Independent jobs in processes of one thread each, through joblib. Knows nothing of forecasting."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

import joblib

from lstmcast.errors import ResourceError

T = TypeVar("T")


def run(work: Callable[..., T], tasks: Iterable[tuple[Any, ...]], jobs: int) -> Iterator[T]:
    """Results of `work(*task)` in the order of the tasks, `jobs` at a time.

    One job runs here, in this process. Raises ResourceError where a worker process died.
    """
    if jobs == 1:
        for task in tasks:
            yield work(*task)
        return
    try:
        with joblib.parallel_config("loky", inner_max_num_threads=1):
            yield from joblib.Parallel(n_jobs=jobs, return_as="generator")(
                joblib.delayed(work)(*task) for task in tasks
            )
    except BrokenProcessPool as lost:
        raise ResourceError(
            "a worker process died, most likely for want of memory", "use fewer jobs at a time (-j 1)"
        ) from lost


def cores() -> int:
    """Cores that this process may use."""
    return int(joblib.cpu_count())
