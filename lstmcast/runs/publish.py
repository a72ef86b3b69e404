"""A run traded for its previous version, in one step. Knows nothing of what the files of a run mean."""

from pathlib import Path

from lstmcast.errors import RunError
from lstmcast.runs.lock import lock
from lstmcast.runs.directory import MANIFEST
from lstmcast.runs.directory import PREVIOUS
from lstmcast.runs.directory import open_run
from collections.abc import Mapping
from lstmcast.errors import RunError
from lstmcast.runs.directory import CHECKPOINT
from lstmcast.runs.directory import FILES
from lstmcast.runs.directory import MADE
from lstmcast.runs.directory import MANIFEST
from lstmcast.runs.directory import PREVIOUS
from lstmcast.runs.directory import Previous
from lstmcast.runs.directory import _OF_CHECKPOINTS
from lstmcast.runs.directory import _check_name
from lstmcast.runs.directory import _interrupted
from lstmcast.runs.directory import _settled
from lstmcast.runs.directory import fill
from lstmcast.runs.directory import holds_run
from lstmcast.runs.directory import open_run
from lstmcast.runs.disk import beside
from lstmcast.runs.disk import exchange
from lstmcast.runs.disk import sync_folder
from lstmcast.runs.lock import lock
from pathlib import Path
from typing import Any
import os
import shutil

AGAIN = "run the same command again when it is done"
"""What to do while another process writes at a run that is to be changed."""
_MADE = ("files", "sha256")
"""Keys of a manifest that `publish` writes."""


def roll_back(path: str | Path) -> None:
    """Put the previous version of a run in its place; what was there becomes the previous version.

    Raises RunError where there is none or one of both is not what was saved, LockedError while another process writes.
    """
    with lock(path, AGAIN):
        open_run(path)
        place = Path(path, PREVIOUS)
        if not (place / MANIFEST).is_file():
            raise RunError(
                f"the run {str(path)!r} has no previous version", "there is one once an update of it was kept"
            )
        before = open_run(place)
        manifest = {key: value for key, value in before.manifest.items() if key not in _MADE}
        files = {name: before.read(name) for name in before.files}
        publish(path, files, manifest, force=True, previous="replaced")


def refuse_taken(path: str | Path, *, force: bool = False) -> None:
    """Raise RunError where `publish` would refuse to write: said before the training, not after it."""
    place = Path(path)
    if place.exists() and not place.is_dir():
        raise RunError(f"{str(path)!r} is a file", "name a folder with --out")
    if place.is_symlink() and not place.exists():
        raise RunError(f"{str(path)!r} is a symbolic link that leads nowhere", "remove it, or name another --out")
    if Path.cwd().is_relative_to(os.path.realpath(place)):
        raise RunError(f"{str(path)!r} holds the folder that you are in", "name another --out, or start elsewhere")
    if force:
        _refuse_foreign(place)
        return
    if holds_run(place):
        raise RunError(f"{str(path)!r} holds a run already", "give --force to replace it, or another --out")
    if (place / CHECKPOINT / MANIFEST).is_file():
        raise _interrupted(path, " to start over")
    if place.is_dir() and any(entry.name != CHECKPOINT for entry in place.iterdir()):
        raise RunError(f"{str(path)!r} is not empty and holds no run", "name another --out, or give --force")
    _refuse_foreign(place)


def publish(
    path: str | Path,
    files: Mapping[str, bytes],
    manifest: Mapping[str, Any],
    *,
    force: bool = False,
    previous: Previous = "none",
) -> Path:
    """Write a run to `path` in one step, its manifest last; a run that was there stays whole until then.

    With `force` a run there is replaced, and files in the folder that are not the run's own are kept. Its previous
    version is none, the same as before, or the run that is replaced. Returns `path`. Raises RunError where the place
    is taken, LockedError while another process writes there.
    """
    for name in files:
        _check_name(name, Path(path))
    place = Path(os.path.realpath(path))
    with lock(place):
        _recover(place)
        refuse_taken(place, force=force)
        stage = beside(place, "new")
        shutil.rmtree(stage, ignore_errors=True)
        try:
            fill(stage, files, manifest)
            if place.exists():
                if previous == "replaced":
                    _keep_replaced(place, stage)
                _keep_foreign(place, stage, {PREVIOUS} if previous != "same" and _has_previous(place) else set())
            _swap(stage, place)
        finally:
            shutil.rmtree(stage, ignore_errors=True)
        sync_folder(place.parent)
    return Path(path)


def _refuse_foreign(place: Path) -> None:
    """Raise RunError where what is not of a run has a name that a run needs."""
    ours = holds_run(place)
    for name in () if ours else (*FILES, *MADE):
        if os.path.lexists(place / name):
            raise _in_the_way(place / name)
    unfinished = place / CHECKPOINT
    if not unfinished.is_dir() or (unfinished / MANIFEST).is_file():
        return
    if not all(_OF_CHECKPOINTS.fullmatch(entry.name) for entry in unfinished.iterdir()):
        raise _in_the_way(unfinished)


def _in_the_way(entry: Path) -> RunError:
    return RunError(f"{str(entry)!r} is in the way and is not the run's own", "move it, or name another --out")


def _keep_replaced(old: Path, stage: Path) -> None:
    """Make the run that is replaced the previous version of the one in `stage`."""
    (stage / PREVIOUS).mkdir()
    for name in (*open_run(old).files, MANIFEST):
        _link(old / name, stage / PREVIOUS / name)
    sync_folder(stage / PREVIOUS)


def _has_previous(place: Path) -> bool:
    return (place / MANIFEST).is_file() and (place / PREVIOUS / MANIFEST).is_file()


def _keep_foreign(old: Path, stage: Path, own: set[str]) -> None:
    own |= {MANIFEST, *MADE, CHECKPOINT}
    if (old / MANIFEST).is_file():
        own |= _own_names(old, stage)
    for entry in old.iterdir():
        if entry.name in own:
            continue
        if (stage / entry.name).exists():
            raise _in_the_way(entry)
        if entry.is_dir() and not entry.is_symlink():
            shutil.copytree(entry, stage / entry.name, symlinks=True, copy_function=_link)
        else:
            _link(entry, stage / entry.name)


def _own_names(old: Path, stage: Path) -> set[str]:
    try:
        return set(open_run(old).files)
    except RunError:  # a manifest that cannot be read: what a run has by that name was the run's
        return {entry.name for entry in stage.iterdir()}


def _link(source: str | Path, target: str | Path) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:  # a file system without hard links
        shutil.copy2(source, target, follow_symlinks=False)


def _swap(stage: Path, place: Path) -> None:
    """Put `stage` at `place`; what was there is at `stage` afterwards."""
    if not place.exists() or not any(place.iterdir()):
        stage.rename(place)
    elif not exchange(stage, place):
        aside = beside(place, "old")  # for an instant the run is there alone: see _settled
        shutil.rmtree(aside, ignore_errors=True)
        place.rename(aside)
        stage.rename(place)
        aside.rename(stage)


def _recover(place: Path) -> None:
    if _settled(place) != place:
        _settled(place).rename(place)
