"""A run and its previous version trade places."""

from pathlib import Path

import pytest

from lstmcast.errors import RunError
from lstmcast.runs.directory import MANIFEST_FILE, open_run
from lstmcast.runs.publish import publish_run, roll_back_run


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
