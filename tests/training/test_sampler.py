"""A sampler draws windows that training may see, of series that have one."""

from types import SimpleNamespace

import numpy as np
import pytest

from lstmcast.errors import UsageError
from lstmcast.features.steps import Seasons
from lstmcast.features.windows import Windows
from lstmcast.training import sampler
from lstmcast.training.sampler import WindowSampler, require_series_per_rank
from tests.make import panel_of, steps_of, wavy

HORIZON = 4


def windows_of(*lengths: int) -> Windows:
    rng = np.random.default_rng(0)
    steps = steps_of([wavy(rng, length, 4) for length in lengths], Seasons(4, 0))
    return Windows(steps, HORIZON, context=8, stride=8)


def sampler_of(windows: Windows, ends: list[int]) -> WindowSampler:
    sampler = WindowSampler.over(windows, np.array(ends))
    assert sampler is not None
    return sampler


def test_origins_lie_between_the_first_season_and_the_last_whole_horizon() -> None:
    sampler = sampler_of(windows_of(60, 40), [50, 30])
    assert sampler.first.tolist() == [3, 3]
    assert sampler.last.tolist() == [50 - HORIZON - 1, 30 - HORIZON - 1]


def test_no_target_lies_at_or_after_the_end_of_what_training_may_see() -> None:
    """Other values from there on change no batch."""
    rng = np.random.default_rng(0)
    y = wavy(rng, 60, 4)
    steps = steps_of([y], Seasons(4, 0))
    changed = steps_of([np.r_[y[:50], np.full(10, 1e6)]], Seasons(4, 0), steps.state)
    batches = [
        sampler_of(Windows(each, HORIZON, context=8, stride=8), [50]).draw(
            np.random.default_rng(1), 64, 4
        )
        for each in (steps, changed)
    ]
    for before, after in zip(*batches, strict=True):
        np.testing.assert_array_equal(before, after)


def test_a_short_series_is_used_with_a_part_of_the_horizon() -> None:
    sampler = sampler_of(windows_of(7), [7])
    assert sampler.first.tolist() == [3] and sampler.last.tolist() == [4]
    batch = sampler.draw(np.random.default_rng(0), 16, 2)
    assert np.isnan(batch.target).any() and not np.isnan(batch.target[..., 0]).any()


def test_series_without_a_window_are_never_drawn_and_without_any_there_is_no_sampler() -> (
    None
):
    windows = windows_of(60, 3, 40)
    assert sampler_of(windows, [60, 3, 40]).usable.tolist() == [0, 2]
    assert WindowSampler.over(windows_of(3, 4), np.array([3, 4])) is None


def test_longer_series_are_drawn_more_often_by_the_root_of_their_windows() -> None:
    sampler = sampler_of(windows_of(12, 60), [12, 60])
    counts = sampler.last - sampler.first + 1
    assert sampler.weight == pytest.approx(np.sqrt(counts) / np.sqrt(counts).sum())
    assert sampler.weight.sum() == pytest.approx(1.0)


def test_a_batch_has_the_shape_that_is_requested_and_a_loss_unit_of_one() -> None:
    sampler = sampler_of(windows_of(60, 40), [60, 40])
    batch = sampler.draw(np.random.default_rng(0), 5, 3)
    assert batch.target.shape == (5, 3, HORIZON)
    assert batch.x.shape[:2] == (sampler.windows.chunk, 5)
    assert sampler.loss_unit(batch) == 1.0


def test_ranks_share_series_but_no_joint_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    panel = panel_of([np.arange(20.0)] * 3)
    # One process has nothing to share.
    require_series_per_rank(panel, 9, joint=True)

    monkeypatch.setattr(sampler, "current_rank_group", lambda: SimpleNamespace(size=2))
    require_series_per_rank(panel, 3, joint=False)
    with pytest.raises(UsageError, match="2 ranks need 4 series or more; there are 3"):
        require_series_per_rank(panel, 4, joint=False)
    with pytest.raises(UsageError, match="joint needs all series"):
        require_series_per_rank(panel, 3, joint=True)
