"""A run and its previous version trade places."""

from pathlib import Path

import pytest

from lstmcast.errors import RunError
from lstmcast.runs import disk, publish
from lstmcast.runs.directory import MANIFEST_FILE, PreviousVersion, open_run
from lstmcast.runs.publish import publish_run, remove_run, roll_back_run


def test_the_previous_version_comes_back_to_the_byte_and_the_other_one_after_it(
    tmp_path: Path,
) -> None:
    path = publish_run(tmp_path / "run", {"metrics.json": b"1"}, {"seed": 1})
    manifest = (path / MANIFEST_FILE).read_bytes()
    publish_run(
        path,
        {"metrics.json": b"2", "history.csv": b""},
        {"seed": 2},
        force=True,
        previous="replaced",
    )
    roll_back_run(path)
    assert (path / MANIFEST_FILE).read_bytes() == manifest
    assert (
        open_run(path).read("metrics.json") == b"1"
        and not (path / "history.csv").exists()
    )
    roll_back_run(path)
    assert open_run(path).read("metrics.json") == b"2"
    assert open_run(path / "previous").read("metrics.json") == b"1"


def test_without_a_previous_version_or_with_a_damaged_one_all_stays_as_it_is(
    tmp_path: Path,
) -> None:
    path = publish_run(tmp_path / "run", {"metrics.json": b"1"}, {})
    with pytest.raises(RunError, match="no previous version"):
        roll_back_run(path)
    publish_run(path, {"metrics.json": b"2"}, {}, force=True, previous="replaced")
    (path / "previous" / "metrics.json").write_bytes(b"3")
    with pytest.raises(RunError, match="is not what was saved"):
        roll_back_run(path)
    assert open_run(path).read("metrics.json") == b"2"


def test_a_run_is_removed_with_its_previous_version_but_not_with_the_files_of_others(
    tmp_path: Path,
) -> None:
    path = publish_run(tmp_path / "run", {"metrics.json": b"1"}, {})
    publish_run(path, {"metrics.json": b"2"}, {}, force=True, previous="replaced")
    (path / "report.html").write_text("made from it")
    (path / "mine.txt").write_text("mine")
    assert remove_run(path) == ["mine.txt"]
    assert [entry.name for entry in path.iterdir()] == ["mine.txt"]
    with pytest.raises(RunError, match="holds no run"):
        remove_run(path)


OLD, NEW = {"metrics.json": b"old", "scaler.json": b""}, {"metrics.json": b"new"}


@pytest.mark.parametrize("previous", ["none", "replaced"])
def test_where_folders_cannot_trade_names_the_new_run_takes_the_place_all_the_same(
    previous: PreviousVersion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a kernel or a file system without `renameat2`."""
    monkeypatch.setattr(disk.ctypes, "CDLL", lambda *_, **__: object())
    path = publish_run(tmp_path / "run", OLD, {"seed": 1})
    (path / "mine.txt").write_text("mine")
    # What a killed process left aside is in nobody's way.
    (tmp_path / ".run.old").mkdir()
    (tmp_path / ".run.old" / "left").touch()
    publish_run(path, NEW, {"seed": 2}, force=True, previous=previous)
    run = open_run(path)
    assert (run.read("metrics.json"), run.manifest["seed"]) == (b"new", 2)
    assert run.files == ["metrics.json"] and not (path / "scaler.json").exists()
    assert (path / "mine.txt").read_text() == "mine"
    assert (path / "previous").exists() is (previous == "replaced")
    assert [entry.name for entry in tmp_path.iterdir()] == ["run"]


def test_a_run_that_is_only_aside_is_found_and_goes_on_being_replaced(
    tmp_path: Path,
) -> None:
    """As where a process was killed between two renames."""
    path = publish_run(tmp_path / "run", OLD, {})
    path.rename(tmp_path / ".run.old")
    assert open_run(path).read("metrics.json") == b"old"
    with pytest.raises(RunError, match="holds a run already"):
        publish_run(path, NEW, {})
    assert open_run(path).read("metrics.json") == b"old"
    publish_run(path, NEW, {}, force=True)
    assert open_run(path).read("metrics.json") == b"new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["run"]


def test_the_previous_version_stays_where_a_run_is_replaced_by_the_same(
    tmp_path: Path,
) -> None:
    path = publish_run(tmp_path / "run", OLD, {})
    publish_run(path, NEW, {}, force=True, previous="replaced")
    publish_run(path, {"metrics.json": b"x"}, {}, force=True, previous="same")
    assert open_run(path / "previous").read("metrics.json") == b"old"
    publish_run(path, NEW, {}, force=True)
    assert not (path / "previous").exists()


def test_the_folder_above_a_run_is_flushed_when_the_run_is_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only then is its name on the disk, too."""
    path = publish_run(tmp_path / "run", OLD, {})
    flushed = []

    def sync_folder(folder: Path) -> None:
        flushed.append((folder, open_run(path).read("metrics.json")))

    monkeypatch.setattr(publish, "sync_folder", sync_folder)
    publish_run(path, NEW, {}, force=True)
    assert flushed[-1] == (tmp_path, b"new")


def test_what_is_no_run_is_not_rolled_back(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no run at"):
        roll_back_run(tmp_path / "run")
