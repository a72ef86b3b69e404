"""An interrupted fit goes on to the same bytes, from exactly what was kept or not at all."""

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save

from lstmcast.config import Config, ModelConfig, TrainConfig
from lstmcast.errors import DataError, DivergedError, ResourceError, RunError
from lstmcast.panel.panel import Panel
from lstmcast.training import checkpoint as checkpoints
from lstmcast.training.checkpoint import (
    Checkpoint,
    TrainingCheckpoint,
    TrainingStoppedError,
)
from lstmcast.training.forecaster import Forecaster
from lstmcast.training.loop import TrainingState
from tests.make import panel_of, wavy

CONFIG = Config(
    model=ModelConfig(hidden=6, layers=1),
    train=TrainConfig(start="scratch", steps=6, members=2, batch_size=4, jobs=1),
)
SAME = {"data": "abc"}


@pytest.fixture(scope="module")
def panel() -> Panel:
    return panel_of([wavy(np.random.default_rng(0), 50)])


def state(value: float = 1.5) -> TrainingState:
    return TrainingState(
        {"a": torch.full((2,), value), "b": torch.tensor(3)},
        {"nan": float("nan"), "big": 2**70},
    )


def test_a_state_reads_back_as_it_was_kept(tmp_path: Path) -> None:
    training = TrainingCheckpoint(tmp_path / "t.safetensors", 30)
    assert training.restore() is None
    training.keep(state())
    found = TrainingCheckpoint(tmp_path / "t.safetensors", 30).restore()
    assert found is not None
    assert torch.equal(found.tensors["a"], state().tensors["a"])
    assert found.tensors["b"].shape == ()
    assert str(found.facts) == str(state().facts)
    assert [file.name for file in tmp_path.iterdir()] == ["t.safetensors"]


def test_a_flipped_byte_of_a_state_is_noticed(tmp_path: Path) -> None:
    training = TrainingCheckpoint(tmp_path / "t.safetensors", 30)
    training.keep(state())
    data = training.file.read_bytes()
    noticed = 0
    for at in range(0, len(data), 3):
        training.file.write_bytes(data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :])
        try:
            found = training.restore()
        except RunError as error:
            noticed += "delete it" in error.hint
        else:
            assert found and torch.equal(found.tensors["a"], state().tensors["a"])
    assert noticed > 0.9 * len(range(0, len(data), 3))


def test_a_state_is_due_after_some_seconds_or_when_all_are_to_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = itertools.chain([0.0, 5.0, 31.0, 31.0, 40.0], itertools.repeat(50.0))
    monkeypatch.setattr(checkpoints.time, "monotonic", lambda: next(now))
    unfinished = Checkpoint(tmp_path, seconds=30)
    unfinished.folder.mkdir()
    training = unfinished.training("one")
    assert training.restore() is None
    assert [training.is_due(), training.is_due()] == [False, True]
    training.keep(state())
    assert not training.is_due()
    unfinished.stop()
    assert training.is_due()
    with pytest.raises(TrainingStoppedError):
        training.keep(state())
    assert training.restore() is not None


def test_settings_and_data_of_a_fit_are_kept(tmp_path: Path, panel: Panel) -> None:
    unfinished = Checkpoint(tmp_path / "run")
    assert not unfinished.exists()
    with pytest.raises(RunError, match="holds no interrupted fit"):
        unfinished.fit()
    unfinished.begin(CONFIG, panel, SAME)
    config, again = Checkpoint(tmp_path / "run").fit()
    assert config == CONFIG
    assert again.fingerprint() == panel.fingerprint()


@pytest.mark.parametrize(
    ("config", "same", "what"),
    [
        (CONFIG, {"data": "abd"}, "other data"),
        (Config(train=TrainConfig(lr=0.5)), SAME, "other settings"),
    ],
)
def test_a_fit_does_not_go_on_from_something_else(
    config: Config, same: dict[str, str], what: str, tmp_path: Path, panel: Panel
) -> None:
    Checkpoint(tmp_path).begin(CONFIG, panel, SAME)
    with pytest.raises(RunError, match=what) as caught:
        Checkpoint(tmp_path).begin(config, panel, same)
    assert "--resume" in caught.value.hint and "--force" in caught.value.hint


def test_a_fit_does_not_go_on_with_another_torch(
    tmp_path: Path, panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    Checkpoint(tmp_path).begin(CONFIG, panel, SAME)
    monkeypatch.setattr(
        checkpoints.directory, "library_versions", lambda: {"torch": "99"}
    )
    with pytest.raises(RunError, match="other versions"):
        Checkpoint(tmp_path).begin(CONFIG, panel, SAME)


def test_how_many_trainings_run_at_a_time_makes_no_difference(
    tmp_path: Path, panel: Panel
) -> None:
    Checkpoint(tmp_path).begin(CONFIG, panel, SAME)
    train = TrainConfig(**{**CONFIG.to_dict()["train"], "jobs": 2})
    Checkpoint(tmp_path).begin(Config(model=CONFIG.model, train=train), panel, SAME)


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        (KeyboardInterrupt(), True),
        (OSError(28, "full"), True),
        (ResourceError("lost"), True),
        (MemoryError(), True),
        (ZeroDivisionError(), True),
        (RunError("no"), True),
        (DivergedError("nan"), False),
        (DataError("bad"), False),
    ],
)
def test_what_was_learnt_outlives_all_but_a_fit_that_cannot_end(
    error: BaseException, kept: bool, tmp_path: Path, panel: Panel
) -> None:
    unfinished = Checkpoint(tmp_path / "run")
    with pytest.raises(type(error)), unfinished.resumable():
        unfinished.begin(CONFIG, panel, SAME)
        unfinished.training("one").keep(state())
        raise error
    assert (tmp_path / "run").exists() == kept
    notes = getattr(error, "__notes__", [])
    assert notes == (
        [f"go on with `lstmcast fit --resume {tmp_path}/run`"] if kept else []
    )


def test_nothing_is_left_where_nothing_was_learnt(tmp_path: Path, panel: Panel) -> None:
    unfinished = Checkpoint(tmp_path / "run")
    with pytest.raises(KeyboardInterrupt), unfinished.resumable():
        unfinished.begin(CONFIG, panel, SAME)
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def fitted(
    panel: Panel, unfinished: Checkpoint | None = None
) -> dict[str, torch.Tensor]:
    networks = Forecaster(CONFIG).fit(panel, checkpoint=unfinished).networks
    return {
        f"{i}.{name}": value
        for i, one in enumerate(networks)
        for name, value in one.weights.items()
    }


@pytest.mark.parametrize("series", [1, 20])
def test_a_fit_that_is_interrupted_after_any_step_ends_in_the_same_bytes(
    series: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = panel_of([wavy(np.random.default_rng(i), 50) for i in range(series)])
    expected = fitted(panel)
    unfinished = Checkpoint(tmp_path, seconds=0)
    keep, cuts = TrainingCheckpoint.keep, 0

    def cut_off(self: TrainingCheckpoint, kept: TrainingState) -> None:
        keep(self, kept)
        raise KeyboardInterrupt

    monkeypatch.setattr(TrainingCheckpoint, "keep", cut_off)
    for _ in range(100):
        try:
            found = fitted(panel, unfinished)
            break
        except KeyboardInterrupt:
            cuts += 1
    assert cuts > 10
    assert found.keys() == expected.keys()
    assert all(np.array_equal(found[name], expected[name]) for name in expected)


@pytest.mark.parametrize(
    "other",
    [torch.full((2, 1), 1.5), torch.full((2,), 1.5).view(torch.int32)],
    ids=["shape", "dtype"],
)
def test_a_state_of_the_same_bytes_but_another_shape_or_type_is_noticed(
    other: torch.Tensor, tmp_path: Path
) -> None:
    kept = TrainingCheckpoint(tmp_path / "kept.safetensors", 30)
    kept.keep(state())
    metadata = checkpoints._read_metadata(kept.file.read_bytes())
    tensors = {**state().tensors, "a": other}
    kept.file.write_bytes(save(tensors, {"kept": metadata["kept"]}))
    with pytest.raises(RunError, match="is not what was kept"):
        kept.restore()


def test_where_nothing_was_kept_all_ranks_are_sent_no_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = []

    class Group:
        def broadcast_from_first(self, read: Callable[[], bytes]) -> bytes:
            sent.append(read())
            return sent[-1]

    monkeypatch.setattr(checkpoints, "current_rank_group", Group)
    assert TrainingCheckpoint(tmp_path / "t.safetensors", 30).restore() is None
    assert sent == [b""]


def test_a_fit_keeps_its_trainings_in_the_checkpoint_that_it_is_given(
    panel: Panel, tmp_path: Path
) -> None:
    unfinished = Checkpoint(tmp_path, seconds=0)
    Forecaster(CONFIG).fit(panel, checkpoint=unfinished)
    assert list(unfinished.folder.glob("*.safetensors"))
