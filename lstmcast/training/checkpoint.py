"""What an unfinished fit has learnt so far, kept beneath the place of its run until the run is published.

`checkpoint/` holds the fit's settings and data, which `fit --resume` goes on from, and one file for
each training: its state, or its end. A training ends in the same bytes from any of its states, so
it does not matter which were kept.
"""

import contextlib
import hashlib
import json
import math
import shlex
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save

from lstmcast.compute.ranks import current_rank_group, launched_rank_group
from lstmcast.config import CHECKPOINT_INTERVAL_SECONDS, Config
from lstmcast.errors import DataError, DivergedError, ResourceError, RunError, UsageError
from lstmcast.panel.panel import Panel
from lstmcast.runs import directory, disk, serialization
from lstmcast.training.loop import TrainingState

_DATA_FILE, _STOP_FILE = "context.parquet", "stop"
_VERSIONED_LIBRARIES = ("lstmcast", "torch", "numpy")
"""Libraries whose versions have a say in the bytes that come out."""


class TrainingStoppedError(ResourceError):
    """A training that was asked to stop has kept its state."""


class Checkpoint:
    """The unfinished fit of the run at `place`; each training keeps its state every `seconds`."""

    def __init__(self, place: str | Path, seconds: float = CHECKPOINT_INTERVAL_SECONDS) -> None:
        self.folder = Path(place) / directory.CHECKPOINT_FOLDER
        self.seconds = seconds
        self.begun = False

    def exists(self) -> bool:
        """Whether there is something to go on from."""
        return self.folder.joinpath(directory.MANIFEST_FILE).is_file()

    def begin(self, config: Config, panel: Panel, same: Mapping[str, Any]) -> None:
        """Keep what the fit is made of, unless it is there already.

        same: what else must be as it was for a fit to go on. Raises RunError where something is
        not.
        """
        settings = config.to_dict()
        settings["train"]["jobs"] = None  # how many at a time makes no difference
        versions = {name: directory.library_versions().get(name) for name in _VERSIONED_LIBRARIES}
        full = json.loads(json.dumps({**same, "settings": settings, "versions": versions}))
        self.folder.joinpath(_STOP_FILE).unlink(missing_ok=True)
        if self.exists():
            self._require_same_fit(full)
            self.begun = True
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        data, facts = serialization.pack_panel(panel)
        self.begun = True
        directory.write_run_files(
            self.folder,
            {_DATA_FILE: data},
            {"config": config.to_dict(), "panel": facts, "same": full},
        )

    def fit(self) -> tuple[Config, Panel]:
        """Settings and data of the unfinished fit. Raises RunError."""
        run = self.open()
        with serialization.as_run_errors(run.path):
            panel = serialization.unpack_panel(run.read(_DATA_FILE), run.manifest["panel"])
            return Config.from_dict(run.manifest["config"]), panel

    def open(self) -> directory.Run:
        """What `begin` kept; raises RunError where there is nothing, or not what was kept."""
        if not self.exists():
            raise RunError(
                f"{str(self.folder.parent)!r} holds no interrupted fit", "leave --resume out"
            )
        return directory.open_run(self.folder)

    def training(self, name: str) -> "TrainingCheckpoint":
        """Where the training of this name keeps its state, whatever folder its worker is in."""
        return TrainingCheckpoint((self.folder / f"{name}.safetensors").absolute(), self.seconds)

    def stop(self) -> None:
        """Ask all trainings, in whatever process, to keep their state and to end."""
        self.folder.joinpath(_STOP_FILE).touch()

    def discard(self) -> None:
        """Leave nothing behind."""
        if self.folder.exists():
            shutil.rmtree(self.folder, ignore_errors=True)
            with contextlib.suppress(OSError):
                self.folder.parent.rmdir()

    @contextlib.contextmanager
    def resumable(self) -> Iterator[None]:
        """Around a fit and its saving: what was learnt outlives all but a fit that cannot come to an end."""
        try:
            yield
        except BaseException as error:
            if not self.begun:
                raise
            if isinstance(error, UsageError | DataError | DivergedError) or not any(
                self.folder.glob("*.safetensors")
            ):
                self.discard()
            else:
                self.folder.joinpath(_STOP_FILE).unlink(missing_ok=True)
                error.add_note(
                    f"go on with `lstmcast fit --resume {shlex.quote(str(self.folder.parent))}`"
                )
            raise

    def _require_same_fit(self, same: dict[str, Any]) -> None:
        found, place = self.open().manifest["same"], str(self.folder.parent)
        for what, value in same.items():
            if found.get(what) != value:
                hint = f"`lstmcast fit --resume {shlex.quote(place)}` goes on as it was begun; --force starts over"
                raise RunError(
                    f"the interrupted fit of {place!r} was begun with other {what}", hint
                )


class FollowerCheckpoint(Checkpoint):
    """The unfinished fit as ranks behind the first see it: they write nothing, and go on from what it tells."""

    def begin(self, config: Config, panel: Panel, same: Mapping[str, Any]) -> None:
        """Leave it to the first rank."""

    def training(self, name: str) -> "TrainingCheckpoint":
        """Where the first rank keeps the state of the training of this name."""
        return _FollowerTrainingCheckpoint(self.folder / f"{name}.safetensors", self.seconds)

    def stop(self) -> None:
        """Wait for the first rank, which keeps the state and then ends."""

    def discard(self) -> None:
        """Leave it to the first rank."""


def checkpoint_for_rank(
    place: str | Path, seconds: float = CHECKPOINT_INTERVAL_SECONDS
) -> Checkpoint:
    """The unfinished fit of the run at `place`, which the first rank alone keeps."""
    return (Checkpoint if launched_rank_group().first else FollowerCheckpoint)(place, seconds)


class TrainingCheckpoint:
    """The state of one training; a keeper as `train` wants it. Of ranks the first reads it, for all of them."""

    def __init__(self, file: Path, seconds: float) -> None:
        self.file = file
        self.seconds = seconds
        self.next = math.inf

    def restore(self) -> TrainingState | None:
        """Return the state that was kept last; raises RunError where it is not what was kept.

        The training begins here, on whatever machine: from now on its clock says when a state is
        due.
        """
        self.next = time.monotonic() + self.seconds
        data = current_rank_group().broadcast_from_first(self._read_file)
        if not data:
            return None
        with contextlib.suppress(ValueError, KeyError, TypeError, SafetensorError):
            kept = json.loads(_read_metadata(data)["kept"])
            state = TrainingState(load(data), kept["facts"])
            if kept["sha256"] == _hash_state(state):
                return state
        raise RunError(
            f"{str(self.file)!r} is not what was kept",
            "delete it: only what it held is trained again",
        )

    def _read_file(self) -> bytes:
        return (
            directory.read_plain_file(self.file, directory.MAX_FILE_BYTES)
            if self.file.exists()
            else b""
        )

    def stopped(self) -> bool:
        """Whether all trainings were asked to stop."""
        return self.file.with_name(_STOP_FILE).exists()

    def is_due(self) -> bool:
        """Whether it is time to keep the state."""
        return time.monotonic() >= self.next or self.stopped()

    def keep(self, state: TrainingState) -> None:
        """Keep the state; raises Stopped where that was to be the last deed."""
        kept = {"facts": state.facts, "sha256": _hash_state(state)}
        tensors = {name: tensor.contiguous() for name, tensor in state.tensors.items()}
        disk.write_file(self.file, save(tensors, {"kept": json.dumps(kept)}))
        self.next = time.monotonic() + self.seconds
        if self.stopped():
            raise TrainingStoppedError("the training was stopped", "go on with --resume")


class _FollowerTrainingCheckpoint(TrainingCheckpoint):
    """The state of a training that the first rank keeps."""

    def stopped(self) -> bool:
        """Let the first rank say so: it ends."""
        return False

    def is_due(self) -> bool:
        """Never keep anything here."""
        return False

    def keep(self, state: TrainingState) -> None:
        """Leave it to the first rank."""


def _hash_state(state: TrainingState) -> str:
    digest = hashlib.sha256(json.dumps(state.facts, sort_keys=True).encode())
    for name, tensor in sorted(state.tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)} ".encode())
        digest.update(tensor.detach().numpy().tobytes())
    return digest.hexdigest()


def _read_metadata(data: bytes) -> dict[str, Any]:
    """The metadata of a safetensors file: after its length in 8 bytes comes JSON."""
    length = int.from_bytes(data[:8], "little")
    found: dict[str, Any] = json.loads(data[8 : 8 + length])["__metadata__"]
    return found
