"""Ranks share series without overlap, sums over them are exact, and one process works alone."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
import torch

from lstmcast.compute import ranks
from lstmcast.compute.ranks import (
    SINGLE_RANK,
    RankGroup,
    has_restarted,
    join_rank_group,
    launched_rank_group,
)
from lstmcast.config import Config, InputConfig
from lstmcast.errors import UsageError
from lstmcast.features.steps import Seasons
from lstmcast.features.windows import Windows
from lstmcast.panel.panel import Panel
from lstmcast.training.forecaster import Forecaster
from lstmcast.training.sampler import TrainingTask, WindowSampler
from tests.make import steps_of, wavy

LENGTHS = [60, 50, 70, 40, 65]


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_every_series_is_held_by_one_rank_which_finds_it_at_its_place(
    size: int,
) -> None:
    series = np.arange(11)
    found = np.concatenate(
        [RankGroup(rank, size).own_series(len(series)) for rank in range(size)]
    )
    assert sorted(found) == series.tolist()
    for rank in range(size):
        group = RankGroup(rank, size)
        own, held = group.own_series(len(series)), series[group.holds(series)]
        assert own.tolist() == held.tolist()
        assert own[group.local_places(held)].tolist() == own.tolist()


def test_all_ranks_together_draw_what_one_process_draws(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(0)
    series = [wavy(rng, length, 4) for length in LENGTHS]
    ends = np.array(LENGTHS) - 5

    def draw(group: RankGroup) -> tuple[list[float], int]:
        monkeypatch.setattr(ranks, "_CURRENT_GROUP", _Fixed(group))
        here = [series[i] for i in group.own_series(len(series))]
        sampler = WindowSampler.over(
            Windows(steps_of(here, Seasons(4, 0)), 4, context=8, stride=8), ends
        )
        assert sampler is not None
        batch = sampler.draw(np.random.default_rng(3), 16, 2)
        return sorted(batch.z[~np.isnan(batch.z)].tolist()), len(batch.at)

    whole, chunks = draw(SINGLE_RANK)
    parts = [draw(RankGroup(rank, 3)) for rank in range(3)]
    assert sum(count for _, count in parts) == chunks == 16
    assert sorted(value for part, _ in parts for value in part) == whole


def test_a_task_of_ranks_judges_each_window_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    windows = Windows(
        steps_of([wavy(np.random.default_rng(0), 40, 4)], Seasons(4, 0)),
        4,
        context=8,
        stride=8,
    )
    series, origins = np.array([0, 0, 1, 2, 2, 2]), np.array([20, 24, 20, 20, 22, 24])
    task = TrainingTask(windows, np.array([30, 30, 30]), series, origins)
    seen = []
    for rank in range(2):
        monkeypatch.setattr(ranks, "_CURRENT_GROUP", _Fixed(RankGroup(rank, 2)))
        _, places, own = task.validation_windows()
        seen += list(zip((2 * places + rank).tolist(), own.tolist(), strict=True))
    assert sorted(seen) == list(zip(series.tolist(), origins.tolist(), strict=True))


class _Fixed:
    def __init__(self, group: RankGroup) -> None:
        self.group = group

    def get(self) -> RankGroup:
        return self.group


def test_a_single_rank_changes_nothing_and_asks_nobody() -> None:
    weight = torch.nn.Parameter(torch.ones(3))
    weight.grad = torch.tensor([1.0, 2.0, 3.0])
    assert SINGLE_RANK.average([weight], (0.5, 2.0), 7.0) == (0.5, 2.0)
    assert weight.grad.tolist() == [1.0, 2.0, 3.0]
    assert SINGLE_RANK.total(1.5, 2.0) == [1.5, 2.0]
    assert SINGLE_RANK.is_true_on_any_rank(here=True)
    assert not SINGLE_RANK.is_true_on_any_rank(here=False)
    assert SINGLE_RANK.broadcast_from_first(lambda: b"word") == b"word"
    part = np.ones((2, 3))
    assert SINGLE_RANK.gather(part, np.arange(3), 3, 1) is part


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, SINGLE_RANK),
        ({"RANK": "1", "WORLD_SIZE": "4"}, RankGroup(1, 4)),
        ({"RANK": "4", "WORLD_SIZE": "4"}, SINGLE_RANK),
        ({"RANK": "first", "WORLD_SIZE": "4"}, SINGLE_RANK),
    ],
)
def test_the_environment_says_which_rank_this_is(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: RankGroup
) -> None:
    for name in ("RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert launched_rank_group() == expected


@pytest.fixture
def torchrun(monkeypatch: pytest.MonkeyPatch) -> Iterator[torch.distributed.Store]:
    """The store that torchrun gives to the ranks it starts."""
    store = torch.distributed.TCPStore("127.0.0.1", 0, is_master=True)
    monkeypatch.setenv("TORCHELASTIC_USE_AGENT_STORE", "True")
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    monkeypatch.setenv("MASTER_PORT", str(store.port))
    yield store


@pytest.mark.usefixtures("torchrun")
def test_a_start_is_a_new_one_where_ranks_have_met_before() -> None:
    assert not has_restarted()
    with join_rank_group("cpu"):
        pass
    assert has_restarted()


@pytest.mark.parametrize(("count", "found"), [("", False), ("0", False), ("1", True)])
def test_without_a_store_that_outlives_ranks_torchrun_counts_the_starts(
    monkeypatch: pytest.MonkeyPatch, count: str, found: bool
) -> None:
    for name in ("TORCHELASTIC_USE_AGENT_STORE", "TORCHELASTIC_RESTART_COUNT"):
        monkeypatch.delenv(name, raising=False)
    if count:
        monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", count)
    assert has_restarted() == found


def test_ranks_of_one_start_agree_on_its_name_and_take_none_of_another(
    torchrun: torch.distributed.Store,
) -> None:
    def names(size: int) -> set[str]:
        with ThreadPoolExecutor(size) as threads:
            return set(
                threads.map(
                    lambda rank: ranks._name_launch(torchrun.clone(), rank, size),
                    range(size),
                )
            )

    torchrun.set("asked by 1", "a rank that is gone")
    torchrun.set("asked by 2", "a rank that is gone")
    found = [names(3), names(3), names(2)]
    assert [len(each) for each in found] == [1, 1, 1]
    assert len(set.union(*found)) == 3


def test_a_first_rank_waits_for_the_others_for_a_bounded_time(
    torchrun: torch.distributed.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranks, "MAX_RANK_SILENCE_SECONDS", 0.2)
    torchrun.set("asked by 1", "a rank that is gone")
    with pytest.raises(RuntimeError, match="1"):
        ranks._name_launch(torchrun, 0, 2)


def test_more_ranks_than_a_host_has_gpus_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in (("RANK", "2"), ("WORLD_SIZE", "3"), ("LOCAL_RANK", "2")):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with (
        pytest.raises(UsageError, match="rank 2 has no GPU: its host has 2") as caught,
        join_rank_group("auto"),
    ):
        pass
    assert caught.value.hint == "torchrun --nproc-per-node=2, or --device cpu"


def test_joint_targets_are_not_divided_among_ranks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    days = pd.date_range("2024-01-01", periods=40)
    frame = pd.DataFrame(
        {
            "shop": np.repeat(np.arange(10), 40),
            "day": list(days) * 10,
            "sold": 1.0,
            "returned": 2.0,
        }
    )
    panel = Panel.from_frame(
        frame, target=["sold", "returned"], time="day", series="shop"
    )
    monkeypatch.setattr(ranks, "_CURRENT_GROUP", _Fixed(RankGroup(0, 2)))
    with pytest.raises(
        UsageError, match="joint needs all series beside each other"
    ) as caught:
        Forecaster(Config(inputs=InputConfig(joint=True))).fit(panel)
    assert "torchrun" in caught.value.hint


def test_ranks_without_a_place_to_meet_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    with (
        pytest.raises(UsageError, match="WORLD_SIZE is 2") as caught,
        join_rank_group("cpu"),
    ):
        pass
    assert "torchrun" in caught.value.hint
