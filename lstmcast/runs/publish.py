"""A run traded for its previous version, in one step. Knows nothing of what the files of a run mean."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lstmcast.errors import RunError
from lstmcast.runs.directory import (
    _CHECKPOINT_FILE_NAME,
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
"""Keys of a manifest that `publish` writes."""


def roll_back_run(path: str | Path) -> None:
    """Put the previous version of a run in its place; what was there becomes the previous version.

    Raises RunError where there is none or one of both is not what was saved, LockedError while
    another process writes.
    """
    with hold_write_lock(path, RETRY_HINT):
        open_run(path)
        place = Path(path, PREVIOUS_FOLDER)
        if not (place / MANIFEST_FILE).is_file():
            raise RunError(
                f"the run {str(path)!r} has no previous version",
                "there is one once an update of it was kept",
            )
        before = open_run(place)
        manifest = {
            key: value for key, value in before.manifest.items() if key not in _PUBLISHED_KEYS
        }
        files = {name: before.read(name) for name in before.files}
        publish_run(path, files, manifest, force=True, previous="replaced")


def require_free_place(path: str | Path, *, force: bool = False) -> None:
    """Raise RunError where `publish` would refuse to write: said before the training, not after it."""
    place = Path(path)
    if place.exists() and not place.is_dir():
        raise RunError(f"{str(path)!r} is a file", "name a folder with --out")
    if place.is_symlink() and not place.exists():
        raise RunError(
            f"{str(path)!r} is a symbolic link that leads nowhere",
            "remove it, or name another --out",
        )
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
            f"{str(path)!r} holds a run already", "give --force to replace it, or another --out"
        )
    if (place / CHECKPOINT_FOLDER / MANIFEST_FILE).is_file():
        raise interrupted_error(path, " to start over")
    if place.is_dir() and any(entry.name != CHECKPOINT_FOLDER for entry in place.iterdir()):
        raise RunError(
            f"{str(path)!r} is not empty and holds no run", "name another --out, or give --force"
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
    """Write a run to `path` in one step, its manifest last; a run that was there stays whole until then.

    With `force` a run there is replaced, and files in the folder that are not the run's own are
    kept. Its previous version is none, the same as before, or the run that is replaced. Returns
    `path`. Raises RunError where the place is taken, LockedError while another process writes
    there.
    """
    for name in files:
        require_file_name(name, Path(path))
    place = Path(os.path.realpath(path))
    with hold_write_lock(place):
        _finish_replacement(place)
        require_free_place(place, force=force)
        stage = hidden_sibling(place, "new")
        shutil.rmtree(stage, ignore_errors=True)
        try:
            write_run_files(stage, files, manifest)
            if place.exists():
                if previous == "replaced":
                    _keep_replaced_run(place, stage)
                _keep_foreign_files(
                    place,
                    stage,
                    {PREVIOUS_FOLDER}
                    if previous != "same" and _has_previous_version(place)
                    else set(),
                )
            _swap_into_place(stage, place)
        finally:
            shutil.rmtree(stage, ignore_errors=True)
        sync_folder(place.parent)
    return Path(path)


def _require_no_foreign_files(place: Path) -> None:
    """Raise RunError where what is not of a run has a name that a run needs."""
    ours = has_run(place)
    for name in () if ours else (*RUN_FILES, *DERIVED_FILES):
        if os.path.lexists(place / name):
            raise _in_the_way_error(place / name)
    unfinished = place / CHECKPOINT_FOLDER
    if not unfinished.is_dir() or (unfinished / MANIFEST_FILE).is_file():
        return
    if not all(_CHECKPOINT_FILE_NAME.fullmatch(entry.name) for entry in unfinished.iterdir()):
        raise _in_the_way_error(unfinished)


def _in_the_way_error(entry: Path) -> RunError:
    return RunError(
        f"{str(entry)!r} is in the way and is not the run's own", "move it, or name another --out"
    )


def _keep_replaced_run(old: Path, stage: Path) -> None:
    """Make the run that is replaced the previous version of the one in `stage`."""
    (stage / PREVIOUS_FOLDER).mkdir()
    for name in (*open_run(old).files, MANIFEST_FILE):
        _link_or_copy(old / name, stage / PREVIOUS_FOLDER / name)
    sync_folder(stage / PREVIOUS_FOLDER)


def _has_previous_version(place: Path) -> bool:
    return (place / MANIFEST_FILE).is_file() and (place / PREVIOUS_FOLDER / MANIFEST_FILE).is_file()


def _keep_foreign_files(old: Path, stage: Path, own: set[str]) -> None:
    own |= {MANIFEST_FILE, *DERIVED_FILES, CHECKPOINT_FOLDER}
    if (old / MANIFEST_FILE).is_file():
        own |= _own_file_names(old, stage)
    for entry in old.iterdir():
        if entry.name in own:
            continue
        if (stage / entry.name).exists():
            raise _in_the_way_error(entry)
        if entry.is_dir() and not entry.is_symlink():
            shutil.copytree(entry, stage / entry.name, symlinks=True, copy_function=_link_or_copy)
        else:
            _link_or_copy(entry, stage / entry.name)


def _own_file_names(old: Path, stage: Path) -> set[str]:
    try:
        return set(open_run(old).files)
    except RunError:  # a manifest that cannot be read: what a run has by that name was the run's
        return {entry.name for entry in stage.iterdir()}


def _link_or_copy(source: str | Path, target: str | Path) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:  # a file system without hard links
        shutil.copy2(source, target, follow_symlinks=False)


def _swap_into_place(stage: Path, place: Path) -> None:
    """Put `stage` at `place`; what was there is at `stage` afterwards."""
    if not place.exists() or not any(place.iterdir()):
        stage.rename(place)
    elif not swap_folders(stage, place):
        aside = hidden_sibling(place, "old")  # for an instant the run is there alone: see _settled
        shutil.rmtree(aside, ignore_errors=True)
        place.rename(aside)
        stage.rename(place)
        aside.rename(stage)


def _finish_replacement(place: Path) -> None:
    if settled_place(place) != place:
        settled_place(place).rename(place)
