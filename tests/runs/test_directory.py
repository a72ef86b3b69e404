import itertools
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from lstmcast.errors import RunError
from lstmcast.runs import directory, publish
from lstmcast.runs.directory import has_run, open_run
from lstmcast.runs.lock import hold_write_lock
from lstmcast.runs.publish import publish_run, require_free_place

FILES = {"model.safetensors": b"weights\x00\xff", "metrics.json": b"{}"}
MANIFEST = {
    "config": {"train": {"lr": 0.1}},
    "columns": {"target": ["price €"]},
    "cutoff": [3, 4],
}


def publish_over(path: Path, files: Mapping[str, bytes] = FILES) -> None:
    publish_run(path, files, MANIFEST, force=True)


def names(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()}


def reseal(path: Path, **changes: object) -> None:
    """Edit a manifest as someone would who also knows how to seal it."""
    manifest = json.loads((path / "run.json").read_text())
    manifest.update(changes)
    manifest["sha256"] = directory.manifest_digest(manifest)
    (path / "run.json").write_text(json.dumps(manifest))


def test_a_run_reads_back_as_it_was_published(tmp_path: Path) -> None:
    path = publish_run(tmp_path / "deep" / "run", FILES, MANIFEST)
    run = open_run(path)
    assert {name: run.read(name) for name in FILES} == FILES
    assert MANIFEST.items() <= run.manifest.items()
    assert run.manifest["versions"]["torch"]
    assert names(path) == {*FILES, "run.json"}
    assert names(path.parent) == {"run"}


def test_a_file_that_the_run_does_not_name_is_not_read(tmp_path: Path) -> None:
    path = publish_run(tmp_path / "run", FILES, MANIFEST)
    (path / "evil.pkl").write_bytes(b"x")
    with pytest.raises(RunError, match=r"no file 'evil.pkl'"):
        open_run(path).read("evil.pkl")


def test_a_run_is_not_replaced_unless_forced(tmp_path: Path) -> None:
    path = publish_run(tmp_path / "run", FILES, MANIFEST)
    with pytest.raises(RunError, match="holds a run already") as caught:
        publish_run(path, {"metrics.json": b"new"}, MANIFEST)
    assert "--force" in caught.value.hint
    assert open_run(path).read("metrics.json") == b"{}"


def test_force_replaces_the_run_and_keeps_what_the_user_put_there(
    tmp_path: Path,
) -> None:
    path = publish_run(tmp_path / "run", {**FILES, "scaler.json": b"[]"}, MANIFEST)
    (path / "notes.txt").write_text("mine")
    (path / "plots" / "july").mkdir(parents=True)
    (path / "plots" / "july" / "a.png").write_bytes(b"png")
    (path / "latest").symlink_to("nowhere")
    (path / "checkpoint").mkdir()
    publish_over(path, {"metrics.json": b"new"})
    assert names(path) == {"run.json", "metrics.json", "notes.txt", "plots", "latest"}
    assert (path / "notes.txt").read_text() == "mine"
    assert (path / "plots" / "july" / "a.png").read_bytes() == b"png"
    assert (path / "latest").readlink() == Path("nowhere")
    assert open_run(path).read("metrics.json") == b"new"
    assert names(tmp_path) == {"run"}


def test_force_does_not_overwrite_a_users_file_named_like_one_of_a_run(
    tmp_path: Path,
) -> None:
    path = tmp_path / "run"
    path.mkdir()
    (path / "metrics.json").write_text("mine")
    with pytest.raises(RunError, match="in the way"):
        publish_over(path)
    assert (path / "metrics.json").read_text() == "mine"
    assert names(tmp_path) == {"run"}


@pytest.mark.parametrize(
    "name", ["report.html", "metrics.json", "checkpoint/epoch-1.ckpt"]
)
def test_a_users_file_named_like_one_of_a_run_is_refused_and_stays(
    name: str, tmp_path: Path
) -> None:
    (tmp_path / "run" / name).parent.mkdir(parents=True)
    (tmp_path / "run" / name).write_text("mine")
    for force in (True, False):
        with pytest.raises(RunError):
            publish_run(tmp_path / "run", FILES, MANIFEST, force=force)
    assert (tmp_path / "run" / name).read_text() == "mine"


def test_force_replaces_a_run_whose_manifest_is_broken(tmp_path: Path) -> None:
    path = publish_run(tmp_path / "run", FILES, MANIFEST)
    (path / "run.json").write_text("{")
    publish_over(path)
    assert open_run(path).read("metrics.json") == b"{}"


def test_an_empty_folder_is_a_fine_place_and_a_full_one_is_not(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert open_run(publish_run(tmp_path / "empty", FILES, MANIFEST))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("mine")
    with pytest.raises(RunError, match="not empty"):
        publish_run(tmp_path / "full", FILES, MANIFEST)
    (tmp_path / "file").write_text("x")
    with pytest.raises(RunError, match="is a file"):
        publish_run(tmp_path / "file", FILES, MANIFEST)


def test_the_old_run_stays_whole_where_folders_cannot_trade_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish, "swap_folders", lambda *_: False)
    path = publish_run(tmp_path / "run", FILES, MANIFEST)
    publish_over(path, {"metrics.json": b"new"})
    assert open_run(path).read("metrics.json") == b"new"
    assert names(tmp_path) == {"run"}


def test_a_replacement_cut_off_between_two_renames_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish, "swap_folders", lambda *_: False)
    path = publish_run(tmp_path / "run", FILES, MANIFEST)
    path.rename(tmp_path / ".run.old")
    assert has_run(path)
    assert open_run(path).read("metrics.json") == b"{}"
    with pytest.raises(RunError, match="holds a run already"):
        publish_run(path, FILES, MANIFEST)
    publish_over(path, {"metrics.json": b"new"})
    assert open_run(path).read("metrics.json") == b"new"


@pytest.mark.parametrize("call", ["fsync", "open", "rename"])
def test_a_failure_anywhere_leaves_the_old_run_or_the_new_one(
    call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = publish_run(tmp_path / "run", FILES, MANIFEST)
    if call == "rename":  # folders that trade names need none
        monkeypatch.setattr(publish, "swap_folders", lambda *_: False)
    real, before, failures = getattr(os, call), b"{}", 0
    for nth in range(1, 25):
        count = itertools.count(1)

        def failing(
            *args: Any, nth: int = nth, count: Iterator[int] = count, **kwargs: Any
        ) -> Any:
            if next(count) == nth:
                raise OSError(28, "No space left on device")
            return real(*args, **kwargs)

        new = str(nth).encode()
        with monkeypatch.context() as patched:
            patched.setattr(os, call, failing)
            try:
                publish_over(path, {"metrics.json": new})
            except OSError:
                failures += 1
        found = open_run(path).read("metrics.json")
        assert found in (before, new)
        before = found
    assert failures >= 3
    publish_over(path)
    assert names(tmp_path) == {"run"}


def test_a_changed_byte_in_any_file_is_noticed_and_the_file_named(
    tmp_path: Path,
) -> None:
    for name in (*FILES, "run.json"):
        path = publish_run(tmp_path / name, FILES, MANIFEST)
        data = bytearray((path / name).read_bytes())
        data[len(data) // 2] ^= 1
        (path / name).write_bytes(data)
        with pytest.raises(RunError, match=name):
            run = open_run(path)
            for own in FILES:
                run.read(own)


def test_an_edited_setting_in_the_manifest_is_noticed(tmp_path: Path) -> None:
    path = publish_run(tmp_path / "run", FILES, MANIFEST)
    text = (path / "run.json").read_text()
    (path / "run.json").write_text(text.replace('"lr": 0.1', '"lr": 0.2'))
    with pytest.raises(RunError, match="SHA-256"):
        open_run(path)


def test_a_place_without_a_run_is_an_error_that_says_what_is_there(
    tmp_path: Path,
) -> None:
    publish_run(tmp_path / "sales", FILES, MANIFEST)
    with pytest.raises(RunError, match="no run at") as caught:
        open_run(tmp_path / "sale")
    assert "did you mean" in caught.value.hint
    (tmp_path / "folder").mkdir()
    with pytest.raises(RunError, match="not a run directory"):
        open_run(tmp_path / "folder")
    (tmp_path / "folder" / "model.safetensors").touch()
    with pytest.raises(RunError, match="interrupted"):
        open_run(tmp_path / "folder")
    with pytest.raises(RunError, match="is a file"):
        open_run(tmp_path / "folder" / "model.safetensors")


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"schema_version": "1"}', '{"schema_version": 1}', "\xff"],
)
def test_an_invalid_manifest_is_a_run_error(text: str, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(text, encoding="latin-1")
    with pytest.raises(RunError):
        open_run(tmp_path)


def test_a_newer_run_is_refused_with_the_version_that_reads_it(tmp_path: Path) -> None:
    path = publish_run(tmp_path / "run", FILES, MANIFEST)
    reseal(path, schema_version=directory.SCHEMA_VERSION + 1, needs="9.1")
    with pytest.raises(RunError) as caught:
        open_run(path)
    assert "lstmcast >= 9.1" in caught.value.hint


def test_an_older_run_is_read(tmp_path: Path) -> None:
    path = publish_run(tmp_path / "run", FILES, MANIFEST)
    hashes = {
        name: entry["sha256"]
        for name, entry in open_run(path).manifest["files"].items()
    }
    reseal(path, schema_version=1, files=hashes)
    assert open_run(path).read("metrics.json") == b"{}"
    (path / "metrics.json").write_bytes(b"[]")
    with pytest.raises(RunError, match="SHA-256"):
        open_run(path).read("metrics.json")


def test_a_file_of_another_size_is_not_even_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = publish_run(tmp_path / "run", FILES, MANIFEST)
    with (path / "metrics.json").open("r+b") as file:
        file.truncate(1 << 40)
    with pytest.raises(
        RunError, match=r"metrics\.json' is not what was saved \(1099511627776 bytes\)"
    ):
        open_run(path).read("metrics.json")
    monkeypatch.setattr(directory, "MAX_MANIFEST_BYTES", 10)
    with pytest.raises(RunError, match=r"run\.json' is not what was saved"):
        open_run(path)


def test_an_interrupted_fit_is_not_a_run_and_is_not_overwritten(tmp_path: Path) -> None:
    directory.write_run_files(tmp_path / "run" / "checkpoint", FILES, MANIFEST)
    with pytest.raises(RunError, match="was interrupted") as caught:
        open_run(tmp_path / "run")
    assert f"lstmcast fit --resume {tmp_path}/run`, or delete it" in caught.value.hint
    with pytest.raises(RunError, match="was interrupted") as caught:
        publish_run(tmp_path / "run", FILES, MANIFEST)
    assert "--force to start over" in caught.value.hint
    publish_over(tmp_path / "run")
    assert names(tmp_path / "run") == {*FILES, "run.json"}


def test_a_run_that_is_being_made_is_an_error_that_names_the_writer(
    tmp_path: Path,
) -> None:
    (tmp_path / "run").mkdir()
    with (
        hold_write_lock(tmp_path / "run"),
        pytest.raises(RunError, match=f"is still being made, by process {os.getpid()}"),
    ):
        open_run(tmp_path / "run")


@pytest.mark.parametrize(
    "name", ["../secret", "/etc/passwd", "a/b", "a\\b", "..", "", "run.json"]
)
def test_a_manifest_cannot_name_files_outside_its_run(
    name: str, tmp_path: Path
) -> None:
    path = publish_run(tmp_path / "run", FILES, MANIFEST)
    reseal(path, files={name: {"bytes": 0, "sha256": "0" * 64}})
    with pytest.raises(RunError, match="names a file"):
        open_run(path)
    with pytest.raises(RunError, match="names a file"):
        publish_run(tmp_path / "other", {name: b""}, {})
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("name", ["model.safetensors", "run.json"])
def test_a_symbolic_link_in_a_run_is_not_followed(name: str, tmp_path: Path) -> None:
    path = publish_run(tmp_path / "run", FILES, MANIFEST)
    (path / name).rename(tmp_path / "elsewhere")
    (path / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RunError, match="symbolic link"):
        open_run(path).read(name)


def test_a_missing_file_of_a_run_is_named(tmp_path: Path) -> None:
    path = publish_run(tmp_path / "run", FILES, MANIFEST)
    (path / "metrics.json").unlink()
    with pytest.raises(RunError, match=r"metrics\.json' is missing"):
        open_run(path)


@pytest.mark.parametrize("name", ["a b", "né\nwline", "[x]*", "-rf", "x" * 255])
def test_a_folder_may_have_any_name(name: str, tmp_path: Path) -> None:
    path = publish_run(tmp_path / name, FILES, MANIFEST)
    publish_over(path)
    assert open_run(path).read("metrics.json") == b"{}"
    assert names(tmp_path) == {name}


def test_a_run_reached_through_a_link_is_replaced_where_it_lies(tmp_path: Path) -> None:
    publish_run(tmp_path / "run", FILES, MANIFEST)
    (tmp_path / "latest").symlink_to("run")
    publish_over(tmp_path / "latest", {"metrics.json": b"new"})
    assert (tmp_path / "latest").is_symlink()
    assert open_run(tmp_path / "run").read("metrics.json") == b"new"


def test_the_run_that_is_replaced_becomes_the_previous_version_of_the_new_one(
    tmp_path: Path,
) -> None:
    path = publish_run(tmp_path / "run", FILES, MANIFEST)
    publish_run(path, {"metrics.json": b"2"}, MANIFEST, force=True, previous="replaced")
    assert open_run(path / "previous").read("metrics.json") == b"{}"
    publish_run(path, {"metrics.json": b"3"}, MANIFEST, force=True, previous="same")
    assert open_run(path).read("metrics.json") == b"3"
    assert open_run(path / "previous").read("metrics.json") == b"{}"
    publish_run(path, {"metrics.json": b"4"}, MANIFEST, force=True, previous="replaced")
    assert open_run(path / "previous").read("metrics.json") == b"3"
    assert not (path / "previous" / "previous").exists()
    publish_over(path, {"metrics.json": b"5"})
    assert names(path) == {"run.json", "metrics.json"}
    assert names(tmp_path) == {"run"}


def test_a_folder_of_the_users_own_called_previous_is_never_touched(
    tmp_path: Path,
) -> None:
    path = publish_run(tmp_path / "run", FILES, MANIFEST)
    (path / "previous").mkdir()
    (path / "previous" / "thesis.tex").write_text("mine")
    with pytest.raises(RunError, match="in the way"):
        publish_run(path, FILES, MANIFEST, force=True, previous="replaced")
    publish_over(path, {"metrics.json": b"2"})
    assert (path / "previous" / "thesis.tex").read_text() == "mine"


def test_a_taken_place_is_refused_before_the_work(tmp_path: Path) -> None:
    path = publish_run(tmp_path / "run", FILES, MANIFEST)
    with pytest.raises(RunError, match="holds a run"):
        require_free_place(path)
    require_free_place(path, force=True)
    require_free_place(tmp_path / "free")


def test_a_reader_goes_on_with_the_run_that_it_began_with(tmp_path: Path) -> None:
    path = publish_run(tmp_path / "run", FILES, MANIFEST)
    old = open_run(path)
    publish_over(path, {"metrics.json": b"new"})
    assert old.read("metrics.json") == b"{}"
    assert open_run(path).read("metrics.json") == b"new"


def test_a_run_that_is_replaced_while_it_is_opened_is_opened_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = publish_run(tmp_path / "run", FILES, MANIFEST)
    check, replaced = directory.require_file_name, []

    def replace(name: str, place: Path) -> None:
        if not replaced:
            replaced.append(name)
            publish_over(path, {"metrics.json": b"new"})
        check(name, place)

    monkeypatch.setattr(directory, "require_file_name", replace)
    assert open_run(path).read("metrics.json") == b"new"


def test_a_run_in_the_current_folder_is_read_and_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = publish_run(tmp_path / "run", FILES, MANIFEST)
    monkeypatch.chdir(path)
    assert open_run(".").read("metrics.json") == b"{}"
    for place in (".", "..", path, "/"):
        with pytest.raises(RunError, match="the folder that you are in"):
            publish_run(place, FILES, MANIFEST, force=True)


def test_a_link_to_nowhere_is_refused_as_a_place(tmp_path: Path) -> None:
    (tmp_path / "run").symlink_to("nowhere")
    with pytest.raises(RunError, match="leads nowhere"):
        require_free_place(tmp_path / "run")


def test_a_manifest_is_indented_and_says_the_version_of_its_schema(
    tmp_path: Path,
) -> None:
    path = publish_run(tmp_path / "run", FILES, MANIFEST)
    lines = (path / "run.json").read_text().splitlines()
    assert lines[:2] == ["{", '  "schema_version": 3,']


@pytest.mark.parametrize("constant", [float("nan"), float("inf")])
def test_a_manifest_with_a_number_that_is_no_json_is_refused(
    constant: float, tmp_path: Path
) -> None:
    path = publish_run(tmp_path / "run", FILES, MANIFEST)
    reseal(path, extra=constant)
    with pytest.raises(RunError, match="is not readable"):
        open_run(path)
