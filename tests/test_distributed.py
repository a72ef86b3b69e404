"""Ranks share series without overlap, sums over them are exact, and one process alone is a team of its own."""

import numpy as np
import pytest
import torch

from lstmcast import distributed, ensemble
from lstmcast.distributed import ALONE, Team, joined, restarted, started
from lstmcast.errors import UsageError
from lstmcast.features import Seasons
from lstmcast.windows import Sampler, Windows
from tests.make import steps_of, wavy

LENGTHS = [60, 50, 70, 40, 65]


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_every_series_is_held_by_one_rank_which_finds_it_at_its_place(size: int) -> None:
    series = np.arange(11)
    found = np.concatenate([Team(rank, size).own(len(series)) for rank in range(size)])
    assert sorted(found) == series.tolist()
    for rank in range(size):
        team = Team(rank, size)
        assert team.own(len(series)).tolist() == series[team.holds(series)].tolist()
        assert team.own(len(series))[team.place(series[team.holds(series)])].tolist() == team.own(len(series)).tolist()


def test_what_all_ranks_draw_is_what_one_process_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    made = [wavy(rng, length, 4) for length in LENGTHS]
    ends = np.array(LENGTHS) - 5

    def drawn(team: Team) -> tuple[list[float], int]:
        monkeypatch.setattr(distributed, "_TEAM", _Fixed(team))
        here = [made[i] for i in team.own(len(made))]
        sampler = Sampler.over(Windows(steps_of(here, Seasons(4, 0)), 4, context=8, stride=8), ends)
        assert sampler is not None
        batch = sampler.draw(np.random.default_rng(3), 16, 2)
        return sorted(batch.z[~np.isnan(batch.z)].tolist()), len(batch.at)

    whole, chunks = drawn(ALONE)
    parts = [drawn(Team(rank, 3)) for rank in range(3)]
    assert sum(count for _, count in parts) == chunks == 16
    assert sorted(value for part, _ in parts for value in part) == whole


def test_a_task_of_ranks_judges_each_window_once(monkeypatch: pytest.MonkeyPatch) -> None:
    windows = Windows(steps_of([wavy(np.random.default_rng(0), 40, 4)], Seasons(4, 0)), 4, context=8, stride=8)
    series, origins = np.array([0, 0, 1, 2, 2, 2]), np.array([20, 24, 20, 20, 22, 24])
    task = ensemble.Task(windows, np.array([30, 30, 30]), series, origins)
    seen = []
    for rank in range(2):
        monkeypatch.setattr(distributed, "_TEAM", _Fixed(Team(rank, 2)))
        _, places, own = task.judged()
        seen += list(zip((2 * places + rank).tolist(), own.tolist(), strict=True))
    assert sorted(seen) == list(zip(series.tolist(), origins.tolist(), strict=True))


class _Fixed:
    def __init__(self, team: Team) -> None:
        self.team = team

    def get(self) -> Team:
        return self.team


def test_one_process_alone_changes_nothing_and_asks_nobody() -> None:
    weight = torch.nn.Parameter(torch.ones(3))
    weight.grad = torch.tensor([1.0, 2.0, 3.0])
    assert ALONE.average([weight], (0.5, 2.0), 7.0) == (0.5, 2.0)
    assert weight.grad.tolist() == [1.0, 2.0, 3.0]
    assert ALONE.total(1.5, 2.0) == [1.5, 2.0]
    assert ALONE.agree(wish=True) and not ALONE.agree(wish=False)
    assert ALONE.told(lambda: b"word") == b"word"
    part = np.ones((2, 3))
    assert ALONE.whole(part, np.arange(3), 3, 1) is part


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, ALONE),
        ({"RANK": "1", "WORLD_SIZE": "4"}, Team(1, 4)),
        ({"RANK": "4", "WORLD_SIZE": "4"}, ALONE),
        ({"RANK": "first", "WORLD_SIZE": "4"}, ALONE),
    ],
)
def test_the_environment_says_which_rank_this_is(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], found: Team
) -> None:
    for name in ("RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert started() == found


@pytest.mark.parametrize(("count", "found"), [("", False), ("0", False), ("1", True)])
def test_torchrun_says_whether_this_is_a_new_start(monkeypatch: pytest.MonkeyPatch, count: str, found: bool) -> None:
    monkeypatch.delenv("TORCHELASTIC_RESTART_COUNT", raising=False)
    if count:
        monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", count)
    assert restarted() == found


def test_ranks_that_nobody_brings_together_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    with pytest.raises(UsageError, match="WORLD_SIZE is 2") as caught, joined("cpu"):
        pass
    assert "torchrun" in caught.value.hint
