"""The system is asked in one module; what stands in for what it lacks is tried in platforms/."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from lstmcast.compute import system


def test_signals_that_end_the_program_are_those_of_the_system() -> None:
    assert signal.SIGINT in system.ENDING_SIGNALS
    assert signal.SIGTERM in system.ENDING_SIGNALS
    assert all(isinstance(number, signal.Signals) for number in system.ENDING_SIGNALS)


@pytest.mark.parametrize("has_timer", [True, False])
def test_an_alarm_runs_its_handler_unless_it_is_taken_back(
    has_timer: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = system.ALARM_SIGNAL if has_timer else signal.SIGABRT
    monkeypatch.setattr(system, "_HAS_TIMER", has_timer)
    monkeypatch.setattr(system, "ALARM_SIGNAL", number)
    rung: list[int] = []
    before = signal.signal(number, lambda number, _: rung.append(number))
    try:
        system.set_alarm(0.05)
        system.set_alarm(0)
        time.sleep(0.1)
        assert not rung
        system.set_alarm(0.05)
        deadline = time.monotonic() + 10
        while not rung and time.monotonic() < deadline:
            time.sleep(0.01)
        assert rung == [number]
    finally:
        system.set_alarm(0)
        signal.signal(number, before)


def test_a_process_is_alive_until_it_has_ended() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1) as other:
        assert system.is_process_alive(other.pid)
        other.communicate()
    assert not system.is_process_alive(other.pid)
    assert system.is_parent_alive(os.getppid())
    assert not system.is_parent_alive(other.pid)


def test_memory_is_that_of_the_machine_and_of_this_process() -> None:
    total = psutil.virtual_memory().total
    assert 0 < system.available_memory() <= total
    resident = psutil.Process().memory_info().rss
    assert system.peak_memory() > resident / 2
    assert system.address_space_used() < system.address_space_limit()


def test_a_link_is_not_opened_even_where_the_system_cannot_refuse_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to("file")
    handle = system.open_plain(tmp_path / "file", os.O_RDONLY)
    assert system.read_at(handle, 3, 2) == b"te"
    os.close(handle)
    with pytest.raises(system.IsALinkError):
        system.open_plain(tmp_path / "link", os.O_RDONLY)
    monkeypatch.delattr(os, "O_NOFOLLOW")
    with pytest.raises(system.IsALinkError):
        system.open_plain(tmp_path / "link", os.O_RDONLY)
    with pytest.raises(FileNotFoundError):
        system.open_plain(tmp_path / "none", os.O_RDONLY)


def test_a_folder_in_use_is_renamed_as_soon_as_its_reader_lets_it_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system, "CAN_REPLACE_OPEN_FILES", False)
    rename, refusals = Path.rename, iter([True, True, False])

    def refuse_twice(source: Path, target: Path) -> Path:
        if next(refusals):
            raise PermissionError(13, "in use", str(source))
        return rename(source, target)

    monkeypatch.setattr(Path, "rename", refuse_twice)
    for name in ("new", "old"):
        (tmp_path / name).mkdir()
    (tmp_path / "new" / "file").touch()
    system.rename_folder(tmp_path / "new", tmp_path / "old")
    assert [entry.name for entry in (tmp_path / "old").iterdir()] == ["file"]
    monkeypatch.setattr(system, "_RENAME_SECONDS", 0.0)
    refusals = iter([True] * 9)
    with pytest.raises(PermissionError):
        system.rename_folder(tmp_path / "old", tmp_path / "other")


def test_a_function_that_the_c_library_lacks_is_none() -> None:
    assert system.find_system_function("no_such_function_at_all") is None


def test_what_forecasts_depend_on_is_named() -> None:
    made = system.describe_processor()
    assert (made["device"], made["precision"]) == ("cpu", "float32")
    assert ", BLAS for " in made["processor"]
