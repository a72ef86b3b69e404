"""What an unfinished fit has learnt so far, kept beside its run until the run is published.

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
from lstmcast.errors import (
    DataError,
    DivergedError,
    ResourceError,
    RunError,
    UsageError,
)
from lstmcast.features.candidates import CANDIDATES, N_LOCAL_FEATURES
from lstmcast.features.steps import N_STEP_FEATURES
from lstmcast.panel.panel import Panel
from lstmcast.runs import contents, directory, disk, serialization
from lstmcast.training.loop import TrainingState

_DATA_FILE = "context.parquet"
_STOP_FILE = "stop"
"""An empty file that asks all trainings, in whatever process, to stop."""
_STATE_SUFFIX = ".safetensors"
_INPUTS = "inputs of the network"
_VERSIONED_LIBRARIES = ("lstmcast", "torch", "numpy")
"""Libraries whose versions change the bytes that come out."""


class TrainingStoppedError(ResourceError):
    """A training that was asked to stop has kept its state."""


class Checkpoint:
    """The unfinished fit of the run at `place`; each training keeps its state every `seconds`."""

    def __init__(
        self, place: str | Path, seconds: float = CHECKPOINT_INTERVAL_SECONDS
    ) -> None:
        self.folder = Path(place) / directory.CHECKPOINT_FOLDER
        self.seconds = seconds
        self.begun = False

    @property
    def run_path(self) -> str:
        """Where the run will be."""
        return str(self.folder.parent)

    def exists(self) -> bool:
        """Whether there is something to go on from."""
        return self.folder.joinpath(directory.MANIFEST_FILE).is_file()

    def begin(self, config: Config, panel: Panel, same: Mapping[str, Any]) -> None:
        """Keep the settings and the data of the fit, unless they are there already.

        same: what else must be unchanged for a fit to go on, by name. Raises RunError where
        something has changed.
        """
        requirements = _list_requirements(config, same)
        # Left where the last attempt was stopped: it would stop this one, too.
        self._stop_file().unlink(missing_ok=True)
        if self.exists():
            self._require_same_fit(requirements)
            self.begun = True
            return
        # What lies there without a manifest was begun but never complete.
        shutil.rmtree(self.folder, ignore_errors=True)
        data, panel_facts = serialization.pack_panel(panel)
        manifest = {
            "config": config.to_dict(),
            "panel": panel_facts,
            "same": requirements,
        }
        # From here on there may be something to discard, even if writing fails half way.
        self.begun = True
        files = {_DATA_FILE: data}
        directory.write_run_files(self.folder, files, manifest)

    def fit(self) -> tuple[Config, Panel]:
        """Return settings and data of the unfinished fit. Raises RunError."""
        run = self.open()
        manifest = run.manifest
        with serialization.as_run_errors(run.path):
            data = run.read(_DATA_FILE)
            panel = serialization.unpack_panel(data, manifest["panel"])
            config = Config.from_dict(manifest["config"])
        return config, panel

    def open(self) -> directory.Run:
        """Return what `begin` kept; raises RunError where that is missing or damaged."""
        if not self.exists():
            raise RunError(
                f"{self.run_path!r} holds no interrupted fit", "leave --resume out"
            )
        return contents.open_checkpoint_run(self.folder)

    def training(self, name: str) -> "TrainingCheckpoint":
        """Return where the training of this name keeps its state, in whatever folder it works."""
        file = self._state_file(name).absolute()
        return TrainingCheckpoint(file, self.seconds)

    def stop(self) -> None:
        """Ask all trainings, in whatever process, to keep their state and to end."""
        self._stop_file().touch()

    def discard(self) -> None:
        """Remove the checkpoint, and the folder of the run if it is empty then."""
        if self.folder.exists():
            shutil.rmtree(self.folder, ignore_errors=True)
            with contextlib.suppress(OSError):
                self.folder.parent.rmdir()

    @contextlib.contextmanager
    def resumable(self) -> Iterator[None]:
        """Guard a fit and its saving: what was learnt is kept, unless the fit can never end.

        The errors that leave something to go on from get a note that says how.
        """
        try:
            yield
        except BaseException as error:
            if not self.begun:
                raise
            cannot_end = isinstance(error, UsageError | DataError | DivergedError)
            states = self.folder.glob(f"*{_STATE_SUFFIX}")
            if cannot_end or not any(states):
                self.discard()
            else:
                self._stop_file().unlink(missing_ok=True)
                error.add_note(f"go on with `{self._resume_command()}`")
            raise

    def _state_file(self, name: str) -> Path:
        return self.folder / f"{name}{_STATE_SUFFIX}"

    def _stop_file(self) -> Path:
        return self.folder / _STOP_FILE

    def _resume_command(self) -> str:
        return f"lstmcast fit --resume {shlex.quote(self.run_path)}"

    def _require_same_fit(self, requirements: dict[str, Any]) -> None:
        """Raise RunError where the kept fit is another one."""
        kept = self.open().manifest["same"]
        kept = kept | {"settings": contents.complete_settings(kept.get("settings"))}
        for name, value in requirements.items():
            if kept.get(name) != value:
                message = f"the interrupted fit of {self.run_path!r} was begun with other {name}"
                if name == _INPUTS:
                    # Not even with the settings of then: the weights do not fit any more.
                    raise RunError(message, "--force starts over")
                resume = f"`{self._resume_command()}` continues it with its own {name}"
                raise RunError(message, f"{resume}; --force starts over")


class FollowerCheckpoint(Checkpoint):
    """The unfinished fit for ranks behind the first: they write nothing, and read what it sends."""

    def begin(self, config: Config, panel: Panel, same: Mapping[str, Any]) -> None:
        """Leave it to the first rank."""

    def training(self, name: str) -> "TrainingCheckpoint":
        """Return where the first rank keeps the state of the training of this name."""
        return _FollowerTrainingCheckpoint(self._state_file(name), self.seconds)

    def stop(self) -> None:
        """Wait for the first rank, which keeps the state and then ends."""

    def discard(self) -> None:
        """Leave it to the first rank."""


def checkpoint_for_rank(
    place: str | Path, seconds: float = CHECKPOINT_INTERVAL_SECONDS
) -> Checkpoint:
    """Return the unfinished fit of the run at `place`, which only the first rank writes."""
    kind = Checkpoint if launched_rank_group().first else FollowerCheckpoint
    return kind(place, seconds)


class TrainingCheckpoint:
    """The state of one training, a `StateStore`; the first rank reads it for all of them."""

    def __init__(self, file: Path, seconds: float) -> None:
        self.file = file
        self.seconds = seconds
        self.next = math.inf

    def restore(self) -> TrainingState | None:
        """Return the state that was kept last; raises RunError where its file is damaged.

        The training begins here, on whatever machine: from now on its clock says when a state is
        due.
        """
        self.next = time.monotonic() + self.seconds
        data = current_rank_group().broadcast_from_first(self._read_file)
        if not data:
            return None
        # What a damaged file raises depends on where it is damaged.
        with contextlib.suppress(ValueError, KeyError, TypeError, SafetensorError):
            metadata = _read_metadata(data)
            kept = json.loads(metadata["kept"])
            state = TrainingState(load(data), kept["facts"])
            if kept["sha256"] == _hash_state(state):
                return state
        raise RunError(
            f"{str(self.file)!r} is damaged: it is not what was kept",
            "delete it: only what it held is trained again",
        )

    def _read_file(self) -> bytes:
        if not self.file.exists():
            return b""
        return directory.read_plain_file(self.file, directory.MAX_FILE_BYTES)

    def stopped(self) -> bool:
        """Whether all trainings were asked to stop."""
        return self.file.with_name(_STOP_FILE).exists()

    def is_due(self) -> bool:
        """Whether it is time to keep the state."""
        is_time = time.monotonic() >= self.next
        return is_time or self.stopped()

    def keep(self, state: TrainingState) -> None:
        """Keep the state; raises TrainingStoppedError where the training was asked to stop."""
        kept = {"facts": state.facts, "sha256": _hash_state(state)}
        metadata = {"kept": json.dumps(kept)}
        tensors = {}
        for name, tensor in state.tensors.items():
            tensors[name] = tensor.contiguous()
        data = save(tensors, metadata)
        disk.write_file(self.file, data)
        self.next = time.monotonic() + self.seconds
        if self.stopped():
            raise TrainingStoppedError(
                "the training was stopped", "go on with --resume"
            )


class _FollowerTrainingCheckpoint(TrainingCheckpoint):
    """The state of a training that the first rank keeps."""

    def stopped(self) -> bool:
        """Return False: the first rank ends all of them."""
        return False

    def is_due(self) -> bool:
        """Return False: nothing is ever kept here."""
        return False

    def keep(self, state: TrainingState) -> None:
        """Leave it to the first rank."""


def _list_requirements(config: Config, same: Mapping[str, Any]) -> dict[str, Any]:
    """Return what must be unchanged for a fit to go on, by name, as JSON gives it back."""
    settings = config.to_dict()
    # How many trainings run at a time makes no difference.
    settings["train"]["jobs"] = None
    installed = directory.library_versions()
    versions = {name: installed.get(name) for name in _VERSIONED_LIBRARIES}
    inputs = [N_STEP_FEATURES, N_LOCAL_FEATURES, len(CANDIDATES)]
    requirements = {_INPUTS: inputs, **same, "settings": settings, "versions": versions}
    as_json = json.dumps(requirements)
    read_back: dict[str, Any] = json.loads(as_json)
    return read_back


def _hash_state(state: TrainingState) -> str:
    """Return the SHA-256 of all of a state."""
    # In sorted order, so that a state read back has the same digest.
    facts = json.dumps(state.facts, sort_keys=True)
    digest = hashlib.sha256(facts.encode())
    for name, tensor in sorted(state.tensors.items()):
        shape = tuple(tensor.shape)
        heading = f"{name} {tensor.dtype} {shape} "
        digest.update(heading.encode())
        array = tensor.detach().numpy()
        digest.update(array.tobytes())
    return digest.hexdigest()


def _read_metadata(data: bytes) -> dict[str, Any]:
    """Return the metadata of a safetensors file: its length in 8 bytes, then JSON."""
    # The library reads them from files only, not from bytes.
    length = int.from_bytes(data[:8], "little")
    end = 8 + length
    header = json.loads(data[8:end])
    metadata: dict[str, Any] = header["__metadata__"]
    return metadata
