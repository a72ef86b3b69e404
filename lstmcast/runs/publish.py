"""Put a run in its place, or its previous version back, in one step.

A run is written into a hidden folder beside its place and then moved there, so that its place holds
the old run or the new one and never a mix. Knows nothing of what the files of a run mean.
"""

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lstmcast.compute.system import rename_folder
from lstmcast.errors import RunError
from lstmcast.runs.directory import (
    CHECKPOINT_FOLDER,
    DERIVED_FILES,
    MANIFEST_FILE,
    PREVIOUS_FOLDER,
    RUN_FILES,
    PreviousVersion,
    has_run,
    interrupted_error,
    open_run,
    require_file_name,
    settled_place,
    write_run_files,
)
from lstmcast.runs.disk import hidden_sibling, swap_folders, sync_folder
from lstmcast.runs.lock import hold_write_lock

RETRY_HINT = "run the same command again when it is done"
"""What to do while another process writes at a run that is to be changed."""
_PUBLISHED_KEYS = ("files", "sha256")
"""Keys of a manifest that `publish_run` writes."""
_CHECKPOINT_FILE_NAME = re.compile(
    r"context\.parquet|stop|\w+-\d+\.safetensors|\..+\.new"
)
"""Files that an unfinished fit may have in its folder."""


def roll_back_run(path: str | Path) -> None:
    """Trade a run for its previous version, which then has it as its own previous version.

    Raises RunError where there is no previous version or either is not what was saved, and
    LockedError while another process writes.
    """
    with hold_write_lock(path, RETRY_HINT):
        open_run(path)
        place = Path(path, PREVIOUS_FOLDER)
        if not (place / MANIFEST_FILE).is_file():
            raise RunError(
                f"the run {str(path)!r} has no previous version",
                "there is one once an update of it was kept",
            )
        # Read whole before anything is written: a damaged one must not be published.
        previous = open_run(place)
        manifest = {
            key: value
            for key, value in previous.manifest.items()
            if key not in _PUBLISHED_KEYS
        }
        files = {name: previous.read(name) for name in previous.files}
        publish_run(path, files, manifest, force=True, previous="replaced")


def remove_run(path: str | Path) -> list[str]:
    """Remove a run, whole or damaged; returns what is in its folder and is not its own.

    That stays, and the folder with them. Raises RunError where there is no run, and LockedError
    while another process writes.
    """
    if not has_run(path):
        raise RunError(f"{str(path)!r} holds no run", "see `lstmcast runs ls`")
    place = Path(os.path.realpath(path))
    with hold_write_lock(path, RETRY_HINT):
        _finish_replacement(place)
        previous = place / PREVIOUS_FOLDER
        if _has_previous_version(place):
            shutil.rmtree(previous)
        # The manifest first: what is left of a run that was removed halfway is no run any more.
        own_files = {*RUN_FILES, *DERIVED_FILES, *_list_manifest_files(place)}
        (place / MANIFEST_FILE).unlink()
        for name in own_files:
            (place / name).unlink(missing_ok=True)
        sync_folder(place)
    others = sorted(entry.name for entry in place.iterdir())
    if not others:
        place.rmdir()
    return others


def require_free_place(path: str | Path, *, force: bool = False) -> None:
    """Raise RunError where `publish_run` would refuse to write: before the training, not after."""
    place = Path(path)
    if place.exists() and not place.is_dir():
        raise RunError(f"{str(path)!r} is a file", "name a folder with --out")
    if place.is_symlink() and not place.exists():
        raise RunError(
            f"{str(path)!r} is a symbolic link that leads nowhere",
            "remove it, or name another --out",
        )
    # The folder is replaced by another one, and with it the current folder would go.
    if Path.cwd().is_relative_to(os.path.realpath(place)):
        raise RunError(
            f"{str(path)!r} holds the folder that you are in",
            "name another --out, or start elsewhere",
        )
    if force:
        _require_no_foreign_files(place)
        return
    if has_run(place):
        raise RunError(
            f"{str(path)!r} holds a run already",
            "give --force to replace it, or another --out",
        )
    if (place / CHECKPOINT_FOLDER / MANIFEST_FILE).is_file():
        raise interrupted_error(path, " to start over")
    # What is left of a fit that was interrupted before its first checkpoint is no obstacle.
    if place.is_dir() and any(
        entry.name != CHECKPOINT_FOLDER for entry in place.iterdir()
    ):
        raise RunError(
            f"{str(path)!r} is not empty and holds no run",
            "name another --out, or give --force",
        )
    _require_no_foreign_files(place)


def publish_run(
    path: str | Path,
    files: Mapping[str, bytes],
    manifest: Mapping[str, Any],
    *,
    force: bool = False,
    previous: PreviousVersion = "none",
) -> Path:
    """Write a run to `path` in one step; a run that is there stays whole until then.

    Args:
        path: where to write; returned.
        files: contents of the run's files by name.
        manifest: what its manifest says besides versions, sizes and hashes.
        force: whether to replace a run there; files in the folder that are not its own are kept.
        previous: the previous version of the run: none, the same as before, or the run replaced.

    Raises:
        RunError: the place is taken.
        LockedError: another process writes there.
    """
    for name in files:
        require_file_name(name, Path(path))
    # Where `path` is a link, the run is replaced that it leads to, and the link stays.
    place = Path(os.path.realpath(path))
    with hold_write_lock(place):
        _finish_replacement(place)
        require_free_place(place, force=force)
        stage = hidden_sibling(place, "new")
        shutil.rmtree(stage, ignore_errors=True)
        try:
            write_run_files(stage, files, manifest)
            if place.exists():
                _keep_from_old_run(place, stage, previous)
            _swap_into_place(stage, place)
        finally:
            # By now it is the old run, or what was written of the new one before an error.
            shutil.rmtree(stage, ignore_errors=True)
        sync_folder(place.parent)
    return Path(path)


def _require_no_foreign_files(place: Path) -> None:
    """Raise RunError where a file that is not a run's has a name that the run needs."""
    if not has_run(place):
        for name in (*RUN_FILES, *DERIVED_FILES):
            if os.path.lexists(place / name):
                raise _in_the_way_error(place / name)
    checkpoint = place / CHECKPOINT_FOLDER
    if not checkpoint.is_dir() or (checkpoint / MANIFEST_FILE).is_file():
        return
    # A checkpoint whose manifest is not written yet is known by the names of its files.
    if not all(
        _CHECKPOINT_FILE_NAME.fullmatch(entry.name) for entry in checkpoint.iterdir()
    ):
        raise _in_the_way_error(checkpoint)


def _in_the_way_error(entry: Path) -> RunError:
    return RunError(
        f"{str(entry)!r} is in the way and is not the run's own",
        "move it, or name another --out",
    )


def _keep_from_old_run(old: Path, stage: Path, previous: PreviousVersion) -> None:
    """Put into `stage` what stays of the folder that it replaces."""
    if previous == "replaced":
        _keep_as_previous_version(old, stage)
    left_out = {MANIFEST_FILE, *DERIVED_FILES, CHECKPOINT_FOLDER}
    if previous != "same" and _has_previous_version(old):
        left_out.add(PREVIOUS_FOLDER)
    if (old / MANIFEST_FILE).is_file():
        left_out |= _run_file_names(old, stage)
    for entry in old.iterdir():
        if entry.name in left_out:
            continue
        if (stage / entry.name).exists():
            raise _in_the_way_error(entry)
        if entry.is_dir() and not entry.is_symlink():
            shutil.copytree(
                entry, stage / entry.name, symlinks=True, copy_function=_link_or_copy
            )
        else:
            _link_or_copy(entry, stage / entry.name)


def _keep_as_previous_version(old: Path, stage: Path) -> None:
    previous = stage / PREVIOUS_FOLDER
    previous.mkdir()
    # Without the old run's own previous version: one is kept, no chain of them.
    for name in (*open_run(old).files, MANIFEST_FILE):
        _link_or_copy(old / name, previous / name)
    sync_folder(previous)


def _has_previous_version(place: Path) -> bool:
    manifests = (place / MANIFEST_FILE, place / PREVIOUS_FOLDER / MANIFEST_FILE)
    return all(manifest.is_file() for manifest in manifests)


def _list_manifest_files(place: Path) -> list[str]:
    """Names of the files that the manifest of a run names; none where it cannot be read."""
    try:
        return open_run(place).files
    except RunError:
        return []


def _run_file_names(old: Path, stage: Path) -> set[str]:
    """Names of files that belong to the old run."""
    try:
        return set(open_run(old).files)
    except RunError:
        # Its manifest cannot be read: files named as those of the new run are taken for its own.
        return {entry.name for entry in stage.iterdir()}


def _link_or_copy(source: str | Path, target: str | Path) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:  # a file system without hard links
        shutil.copy2(source, target, follow_symlinks=False)


def _swap_into_place(stage: Path, place: Path) -> None:
    """Put `stage` at `place`; what was there is at `stage` afterwards."""
    if not place.exists() or not any(place.iterdir()):
        rename_folder(stage, place)
    elif not swap_folders(stage, place):
        # For an instant the run is only at `aside`, where `settled_place` finds it.
        aside = hidden_sibling(place, "old")
        shutil.rmtree(aside, ignore_errors=True)
        rename_folder(place, aside)
        rename_folder(stage, place)
        rename_folder(aside, stage)


def _finish_replacement(place: Path) -> None:
    """Put a run back in its place where a replacement was cut off between two renames."""
    found = settled_place(place)
    if found != place:
        rename_folder(found, place)
