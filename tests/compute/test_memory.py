"""Free memory is bounded by machine, container and own limit; failures for lack of it are known."""

import resource
from pathlib import Path

import pytest

from lstmcast.compute import memory, system
from lstmcast.errors import ResourceError


def files_of(monkeypatch: pytest.MonkeyPatch, contents: dict[str, str]) -> None:
    """Let the files under /proc and /sys have these contents, and be missing else."""

    def read(path: str) -> list[str]:
        return contents.get(path, "").splitlines()

    monkeypatch.setattr(memory, "_read_lines", read)


def limit_address_space(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (limit, limit))


def test_the_scarcest_memory_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    limit_address_space(monkeypatch, resource.RLIM_INFINITY)
    monkeypatch.setattr(system, "available_memory", lambda: 5000 * 1024)
    files_of(monkeypatch, {})
    assert memory.free_memory() == 5000 * 1024
    container = {
        "/sys/fs/cgroup/memory.max": "3000000",
        "/sys/fs/cgroup/memory.current": "1000000",
    }
    files_of(monkeypatch, container)
    assert memory.free_memory() == 2_000_000
    files_of(monkeypatch, container | {"/sys/fs/cgroup/memory.max": "max"})
    assert memory.free_memory() == 5000 * 1024


def test_free_memory_is_never_negative(monkeypatch: pytest.MonkeyPatch) -> None:
    limit_address_space(monkeypatch, 1)
    assert memory.free_memory() == 0


def test_too_small_an_address_space_is_an_error_before_libraries_load(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    memory.require_memory()
    limit_address_space(monkeypatch, 100 << 20)
    with pytest.raises(
        ResourceError, match="only 100 MB of memory are allowed here"
    ) as caught:
        memory.require_memory()
    assert caught.value.hint == memory.MEMORY_HINT


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
        ImportError("libtorch.so: failed to map segment from shared object"),
        OSError(12, "Cannot allocate memory"),
    ],
)
def test_failures_for_lack_of_memory_are_known_whoever_reports_them(
    error: Exception,
) -> None:
    assert memory.is_out_of_memory(error)
    wrapped = ValueError("it failed")
    wrapped.__cause__ = error
    assert memory.is_out_of_memory(wrapped)


def test_other_failures_are_not_put_down_to_memory() -> None:
    assert not memory.is_out_of_memory(ValueError("cannot allocate a name"))
    assert not memory.is_out_of_memory(OSError(2, "No such file or directory"))
    assert not memory.is_out_of_memory(RuntimeError("shapes do not match"))


def test_an_unclear_failure_is_put_down_to_a_full_address_space(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit_address_space(monkeypatch, pages * resource.getpagesize())
    assert memory.is_out_of_memory(ImportError("initialisation failed"))
    assert not memory.is_out_of_memory(ValueError("initialisation failed"))


@pytest.mark.parametrize(
    ("size", "expected"),
    [(999, "999 bytes"), (1500, "1.5 kB"), (20_000_000, "20 MB"), (3 * 10**12, "3 TB")],
)
def test_bytes_are_written_in_the_unit_that_people_use(
    size: int, expected: str
) -> None:
    assert memory.format_bytes(size) == expected
