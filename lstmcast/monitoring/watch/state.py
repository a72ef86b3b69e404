"""What a watcher remembers, in a file: whole or absent, checked when it is read."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lstmcast.errors import RunError, UsageError
from lstmcast.monitoring.rates import Alarm
from lstmcast.monitoring.watch.watcher import RowWatcher
from lstmcast.runs.disk import sha256_hex, write_file
from lstmcast.runs.lock import hold_write_lock

_FORMAT = "lstmcast detect state"
_VERSION = 1
_CONTENT_ERRORS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""Whatever reading contents raises that are not what was written."""


def save_watcher(watcher: RowWatcher, file: str | Path) -> None:
    """Write what a watcher remembers, as JSON; raises OSError where the disk does not take it."""
    watch = watcher.to_state()
    content = {
        "format": _FORMAT,
        "version": _VERSION,
        "sha256": _hash_content(watch),
        "watch": watch,
    }
    write_file(file, _to_json(content))


def load_watcher(
    file: str | Path, rate: float, *, alarm: Alarm = "event"
) -> RowWatcher:
    """The watcher that was saved in a file; a new one where there is no such file.

    Raises RunError where the file is damaged or something else, UsageError where it was saved with
    another rate.
    """
    place = Path(file)
    if not place.exists():
        return RowWatcher(rate, alarm=alarm)

    watch = _read_content(place)
    if watch.get("rate") != rate:
        raise UsageError(
            f"{str(file)!r} was made with --rate {watch.get('rate')}, not {rate:g}",
            "give the same rate, or begin anew with another --state",
        )
    try:
        return RowWatcher.from_state(watch, alarm=alarm)
    except _CONTENT_ERRORS as error:
        raise _damaged_error(place, "is damaged") from error


@contextmanager
def hold_watcher(
    file: str | Path | None, rate: float, *, alarm: Alarm = "event"
) -> Iterator[tuple[RowWatcher, Callable[[], None]]]:
    """Give a watcher that goes on from a file, and what saves it there; nobody else has the file.

    Without a file it begins anew, and nothing is saved. Raises as `load_watcher`, and LockedError
    where another process goes on from the file.
    """
    if file is None:
        yield RowWatcher(rate, alarm=alarm), lambda: None
        return
    with hold_write_lock(file, "wait for it, or name another --state"):
        watcher = load_watcher(file, rate, alarm=alarm)
        yield watcher, lambda: save_watcher(watcher, file)


def _read_content(place: Path) -> dict[str, Any]:
    """The part of a file that is what a watcher remembers; raises RunError."""
    try:
        content = json.loads(place.read_bytes())
        if content["format"] != _FORMAT:
            raise ValueError(content["format"])
        version = int(content["version"])
    except (ValueError, *_CONTENT_ERRORS) as error:
        raise RunError(
            f"{str(place)!r} is no state of detect, or damaged", "name another --state"
        ) from error

    if version > _VERSION:
        raise RunError(
            f"{str(place)!r} was written by a newer lstmcast",
            "install that version, or name another --state",
        )
    watch = content.get("watch")
    # The hash detects accidents, as those of a run do.
    is_whole = isinstance(watch, dict) and _hash_content(watch) == content.get("sha256")
    if not is_whole:
        raise _damaged_error(place, "is damaged: its SHA-256 is another")
    return dict(watch)


def _hash_content(watch: dict[str, Any]) -> str:
    return sha256_hex(_to_json(watch))


def _to_json(content: dict[str, Any]) -> bytes:
    """JSON with a stable layout; raises ValueError for NaN, which has no place in it."""
    text = json.dumps(content, allow_nan=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


def _damaged_error(place: Path, problem: str) -> RunError:
    return RunError(
        f"{str(place)!r} {problem}",
        "take it from a backup, or begin anew with another --state",
    )
