"""Independent jobs: in order, in processes of one thread each, and with a word where a worker dies."""

import os

import pytest
import torch

from lstmcast import parallel
from lstmcast.errors import DataError, ResourceError


def square(x: int) -> tuple[int, int, int]:
    return x * x, os.getpid(), torch.get_num_threads()


def refuse(x: int) -> int:
    raise DataError(f"no {x}", "try another")


def die(x: int) -> int:
    if x == 1:
        os._exit(9)
    return x


def test_one_job_runs_in_this_process_and_only_when_asked_for() -> None:
    started = []

    def note(x: int) -> int:
        started.append(x)
        return x

    results = parallel.run(note, [(1,), (2,)], 1)
    assert started == []
    assert next(results) == 1
    assert started == [1]
    assert list(results) == [2]


def test_results_come_in_the_order_of_the_tasks_from_processes_of_one_thread() -> None:
    results = list(parallel.run(square, [(i,) for i in range(7)], 2))
    assert [value for value, _, _ in results] == [i * i for i in range(7)]
    assert os.getpid() not in {pid for _, pid, _ in results}
    assert {threads for _, _, threads in results} == {1}


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_of_a_job_arrives_as_it_was_raised(jobs: int) -> None:
    with pytest.raises(DataError, match="no 5") as caught:
        list(parallel.run(refuse, [(5,)], jobs))
    assert caught.value.hint == "try another"


def test_a_worker_that_dies_is_an_error_and_no_hang() -> None:
    with pytest.raises(ResourceError, match="worker process died") as caught:
        list(parallel.run(die, [(0,), (1,), (2,)], 2))
    assert "-j 1" in caught.value.hint
    assert [value for value, _, _ in parallel.run(square, [(3,)], 2)] == [9]  # and the next run works


def test_no_tasks_are_no_trouble() -> None:
    assert list(parallel.run(square, [], 1)) == list(parallel.run(square, [], 2)) == []


def test_there_is_at_least_one_core() -> None:
    assert parallel.cores() >= 1
