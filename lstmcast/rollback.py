"""A run traded for its previous version, in one step. Knows nothing of what the files of a run mean."""

from pathlib import Path

from lstmcast.errors import RunError
from lstmcast.lock import lock
from lstmcast.rundir import MANIFEST, PREVIOUS, open_run, publish

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
