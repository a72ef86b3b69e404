"""One process at a time may write; a lock that nobody holds binds nobody."""

import subprocess
import sys
from pathlib import Path

import pytest

from lstmcast.compute import system
from lstmcast.errors import LockedError
from lstmcast.runs.lock import find_lock_holder, hold_file_lock, hold_write_lock


def names(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()}


def test_two_processes_do_not_write_one_place(tmp_path: Path) -> None:
    path = tmp_path / "run"
    code = """
import sys
from lstmcast.runs.lock import hold_write_lock
with hold_write_lock(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout and other.stdin
    assert other.stdout.readline() == "held\n"
    with (
        pytest.raises(LockedError, match=f"process {other.pid} on "),
        hold_write_lock(path),
    ):
        pass
    assert str(other.pid) in str(find_lock_holder(path))
    other.kill()  # a stale lock binds nobody
    other.communicate()
    assert (tmp_path / ".run.lock").exists()
    assert find_lock_holder(path) is None
    with hold_write_lock(path):
        assert find_lock_holder(path)
    assert names(tmp_path) == set()


def test_a_lock_may_be_taken_again_by_its_holder(tmp_path: Path) -> None:
    with hold_write_lock(tmp_path / "run"), hold_write_lock(tmp_path / "run"):
        assert names(tmp_path) == {".run.lock"}
    assert names(tmp_path) == set()


def test_folders_made_for_a_lock_go_unless_something_came_of_it(tmp_path: Path) -> None:
    with hold_write_lock(tmp_path / "deep" / "er" / "run"):
        assert (tmp_path / "deep" / "er").is_dir()
    assert names(tmp_path) == set()
    with hold_write_lock(tmp_path / "deep" / "er" / "run"):
        (tmp_path / "deep" / "other").touch()
    assert names(tmp_path / "deep") == {"other"}


def test_a_lock_that_cannot_be_signed_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.write", full)
    with pytest.raises(OSError, match="No space"), hold_write_lock(tmp_path / "run"):
        pass
    assert names(tmp_path) == set()


@pytest.mark.parametrize("advisory", [True, False])
def test_a_file_that_is_locked_is_made_and_can_be_read(
    advisory: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system, "ARE_LOCKS_ADVISORY", advisory)
    file = tmp_path / "study"
    with hold_file_lock(file):
        assert file.read_bytes() == b""
        file.write_bytes(b"kept")
    assert file.read_bytes() == b"kept"
    assert list(tmp_path.iterdir()) == [file]
