"""Files are written whole or not at all."""

import ctypes
import errno
import os
from pathlib import Path

import pytest

from lstmcast.runs.disk import hidden_sibling, swap_folders, write_file, write_new_file


def test_a_file_is_written_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out.csv"
    write_file(path, b"old")
    path.chmod(0o640)

    def no_space(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched, pytest.raises(OSError, match="No space"):
        patched.setattr(os, "fsync", no_space)
        write_file(path, b"new")
    assert path.read_bytes() == b"old"
    write_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o640
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.csv"]


def test_a_device_is_written_to_and_not_replaced() -> None:
    write_file("/dev/null", b"x")
    assert Path("/dev/null").is_char_device()


def test_a_new_file_must_not_exist_yet_and_errors_name_it(tmp_path: Path) -> None:
    write_new_file(tmp_path / "new", b"x")
    with pytest.raises(FileExistsError) as caught:
        write_new_file(tmp_path / "new", b"y")
    assert caught.value.filename == str(tmp_path / "new")
    assert (tmp_path / "new").read_bytes() == b"x"


def test_two_folders_trade_names(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    if not swap_folders(tmp_path / "a", tmp_path / "b"):
        pytest.skip("folders cannot trade names here")
    assert (tmp_path / "a" / "b").exists() and (tmp_path / "b" / "a").exists()


def test_folders_that_are_missing_cannot_trade_names(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(FileNotFoundError):
        swap_folders(tmp_path / "a", tmp_path / "b")


@pytest.mark.parametrize("name", ["run", "ü" * 120, "x" * 255])
def test_a_hidden_sibling_has_a_fixed_name_that_file_systems_take(
    name: str, tmp_path: Path
) -> None:
    sibling = hidden_sibling(tmp_path / name, "lock")
    assert sibling == hidden_sibling(tmp_path / name, "lock")
    assert sibling != hidden_sibling(tmp_path / name, "new")
    assert sibling.parent == tmp_path and sibling.name.startswith(".")
    sibling.touch()


class _System:
    """A C library whose `renameat2` fails with an error, or that has none."""

    def __init__(self, code: int | None) -> None:
        if code is not None:
            self.renameat2 = lambda *_: ctypes.set_errno(code) or -1


@pytest.mark.parametrize("code", [None, errno.ENOSYS, errno.EINVAL, errno.ENOTSUP])
def test_where_the_system_cannot_let_folders_trade_names_nothing_is_moved(
    code: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: _System(code))
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    assert swap_folders(tmp_path / "a", tmp_path / "b") is False
    assert (tmp_path / "a" / "a").exists() and (tmp_path / "b" / "b").exists()


def test_another_error_of_the_system_is_raised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: _System(errno.EACCES))
    with pytest.raises(PermissionError):
        swap_folders(tmp_path / "a", tmp_path / "b")


def test_a_pipe_gets_the_bytes(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_file(pipe, b"rows")
        assert os.read(reader, 100) == b"rows"
    finally:
        os.close(reader)
    assert pipe.is_fifo()
