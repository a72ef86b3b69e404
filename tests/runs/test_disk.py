"""Files are written whole or not at all."""

import os
from pathlib import Path

import pytest

from lstmcast.runs.disk import write_file


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
