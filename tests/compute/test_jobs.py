"""Independent jobs: in order, in processes of one thread each, with an error where workers die."""

import errno
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import torch

from lstmcast.compute import jobs as parallel
from lstmcast.compute.progress import Event
from lstmcast.config import Backend
from lstmcast.errors import DataError, ResourceError

OTHERS = ("dask", "ray")


def square(x: int) -> tuple[int, int, int]:
    return x * x, os.getpid(), torch.get_num_threads()


def refuse(x: int) -> int:
    raise DataError(f"no {x}", "try another")


def die(x: int) -> int:
    if x == 1:
        os._exit(9)
    return x


def test_a_single_job_runs_in_this_process_when_its_result_is_requested() -> None:
    started = []

    def note(x: int) -> int:
        started.append(x)
        return x

    results = parallel.run_jobs(note, [(1,), (2,)], 1)
    assert started == []
    assert next(results) == 1
    assert started == [1]
    assert list(results) == [2]


def test_results_come_in_the_order_of_the_tasks_from_processes_of_one_thread() -> None:
    results = list(parallel.run_jobs(square, [(i,) for i in range(7)], 2))
    assert [value for value, _, _ in results] == [i * i for i in range(7)]
    assert os.getpid() not in {pid for _, pid, _ in results}
    assert {threads for _, _, threads in results} == {1}


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_of_a_job_arrives_as_it_was_raised(jobs: int) -> None:
    with pytest.raises(DataError, match="no 5") as caught:
        list(parallel.run_jobs(refuse, [(5,)], jobs))
    assert caught.value.hint == "try another"


def test_a_worker_that_dies_is_an_error_and_no_hang() -> None:
    with pytest.raises(ResourceError, match="worker process died") as caught:
        list(parallel.run_jobs(die, [(0,), (1,), (2,)], 2))
    assert "-j 1" in caught.value.hint
    # And the next jobs are done.
    assert [value for value, _, _ in parallel.run_jobs(square, [(3,)], 2)] == [9]


def test_no_tasks_give_no_results() -> None:
    assert (
        list(parallel.run_jobs(square, [], 1))
        == list(parallel.run_jobs(square, [], 2))
        == []
    )


def halve(x: int, on_event: Any) -> int:
    on_event(Event("half", step=1, total=2))
    return x // 2


@pytest.mark.parametrize("jobs", [1, 2])
def test_followed_jobs_report_from_within(jobs: int) -> None:
    events: list[Event] = []
    begin = Event("halves", "two of them", total=2)
    tasks = [(2,), (4,)]
    found = parallel.run_followed_jobs(halve, tasks, jobs, events.append, begin)
    assert list(found) == [1, 2]
    assert events[0] == begin
    assert (events[-1].step, events[-1].part) == (2, 0)
    if jobs == 1:  # others are asked once a second only
        assert [event.part for event in events] == [0, 0.5, 0, 0.5, 0]


def test_there_is_at_least_one_core() -> None:
    assert parallel.count_cores() >= 1


# ---- engines


@pytest.fixture(scope="module", params=["loky", "threading", "dask", "ray"])
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    if request.param in OTHERS:
        pytest.importorskip({"dask": "distributed"}.get(request.param, request.param))
    with parallel.use_engine(request.param):
        yield request.param


def draw(seed: int) -> bytes:
    return np.random.default_rng(seed).normal(size=100).tobytes()


def once(x: int, flag: str) -> int:
    """Kill the worker that does job 3, the first time."""
    if x == 3 and not Path(flag).exists():
        Path(flag).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return x


@pytest.mark.usefixtures("backend")
def test_every_engine_gives_the_same_bytes_in_the_order_of_the_tasks() -> None:
    events: list[Event] = []
    tasks = [(seed,) for seed in range(9)]
    results = list(parallel.run_jobs(draw, tasks, 2, on_event=events.append, total=9))
    assert results == [draw(seed) for seed in range(9)]
    assert [(event.step, event.total) for event in events] == [
        (k, 9) for k in range(1, 10)
    ]


Table = dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]]


def summed(
    table: Table, words: list[str], column: str, low: int, flag: str
) -> tuple[float, list[str]]:
    if low == 3:
        once(low, flag)
    return float(table[column][low:].sum()), words


def mapped(table: Table, _: int) -> tuple[bool, bool]:
    return isinstance(table["a"], np.memmap), table["a"].flags.writeable


def _table() -> Table:
    return {
        name: np.random.default_rng(len(name)).normal(size=100_000)
        for name in ("a", "bb")
    }


def test_what_jobs_share_reaches_them_all_even_after_a_death(
    backend: Backend, tmp_path: Path
) -> None:
    flag = tmp_path / "killed"
    if backend == "threading":
        flag.touch()  # a thread cannot be killed
    tasks = [(name, low, str(flag)) for low in range(5) for name in ("a", "bb")]
    results = list(parallel.run_jobs(summed, tasks, 2, shared=(_table(), ["x"])))
    assert results == [(_table()[name][low:].sum(), ["x"]) for name, low, _ in tasks]


def test_what_jobs_share_on_this_machine_is_one_read_only_file_that_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with parallel.use_engine("loky"):
        results = parallel.run_jobs(
            mapped, [(k,) for k in range(3)], 2, shared=(_table(),)
        )
        first = next(results)
        assert len([*tmp_path.glob("*/value")]) == 1
        assert [first, *results] == [(True, False)] * 3
    assert not [*tmp_path.iterdir()]


def test_what_jobs_share_goes_with_each_of_them_where_there_is_no_room_for_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(joblib, "dump", full)
    with parallel.use_engine("loky"):
        results = parallel.run_jobs(
            mapped, [(k,) for k in range(3)], 2, shared=(_table(),)
        )
        assert list(results) == [(False, True)] * 3
    assert not [*tmp_path.iterdir()]


def test_what_jobs_share_is_removed_though_the_program_is_killed(
    tmp_path: Path,
) -> None:
    program = (
        "import os, signal, numpy as np\n"
        "from lstmcast.compute.jobs import run_jobs\n"
        "results = run_jobs(np.add, [(1,), (2,)], 2, shared=(np.zeros(9),))\n"
        "next(results)\n"
        "print(*os.listdir(os.environ['TMPDIR']), flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    killed = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        stdout=subprocess.PIPE,
        check=False,
    )
    assert (
        killed.stdout.startswith(b"lstmcast-") and killed.returncode == -signal.SIGKILL
    )
    begun = time.monotonic()
    while [*tmp_path.glob("lstmcast-*")] and time.monotonic() - begun < 30:
        time.sleep(0.1)
    assert not [*tmp_path.glob("lstmcast-*")]


@pytest.mark.usefixtures("backend")
def test_every_engine_brings_back_what_a_job_raised() -> None:
    with pytest.raises(DataError, match="no 5") as caught:
        list(parallel.run_jobs(refuse, [(5,)], 2))
    assert caught.value.hint == "try another"
    assert "in refuse" in "".join(caught.value.__notes__)


def test_a_job_whose_worker_was_killed_is_done_by_another(
    backend: Backend, tmp_path: Path
) -> None:
    if backend == "threading":
        pytest.skip("a thread cannot be killed")
    flag = str(tmp_path / "killed")
    assert list(parallel.run_jobs(once, [(x, flag) for x in range(8)], 2)) == list(
        range(8)
    )
    assert Path(flag).exists()


def test_a_job_that_kills_every_worker_ends_in_bounded_time(backend: Backend) -> None:
    if backend == "threading":
        pytest.skip("a thread cannot be killed")
    began = time.monotonic()
    with pytest.raises(ResourceError, match="worker process died"):
        list(parallel.run_jobs(die, [(x,) for x in range(4)], 2))
    assert time.monotonic() - began < 60


def test_a_cluster_without_a_worker_is_an_error_and_no_hang(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(parallel, "MAX_SECONDS_WITHOUT_WORKER", 1.0)
    with (
        distributed.LocalCluster(
            n_workers=0, host="127.0.0.1", dashboard_address=None
        ) as cluster,
        parallel.use_engine("dask", cluster.scheduler_address),
        pytest.raises(ResourceError, match="no worker is left"),
    ):
        list(parallel.run_jobs(draw, [(1,)], 2))


@pytest.mark.parametrize("backend", ["dask", "ray"])
def test_a_scheduler_that_does_not_answer_is_an_error(backend: Backend) -> None:
    pytest.importorskip({"dask": "distributed"}.get(backend, backend))
    with (
        parallel.use_engine(backend, "127.0.0.1:1"),
        pytest.raises(ResourceError, match="answers at 127.0.0.1:1"),
    ):
        list(parallel.run_jobs(draw, [(1,)], 2))


def meet(folder: str, me: int, others: int) -> bool:
    """Whether as many jobs as are to run at a time are there at the same time."""
    Path(folder, str(me)).touch()
    deadline = time.monotonic() + 60
    while len([*Path(folder).iterdir()]) < others:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_so_many_jobs_run_at_a_time_as_are_requested(
    backend: Backend, tmp_path: Path
) -> None:
    # Each waits for the other: one at a time would never meet.
    tasks = [(str(tmp_path), number, 2) for number in range(2)]
    assert list(parallel.run_jobs(meet, tasks, 2)) == [True, True], backend
