"""Slow seasonal patterns, levels and track records of the last steps, in operations of a graph.

They are those of `features.seasonal.long_memory`, which says why each is as it is; the tests
compare the forecasts of both.

Axes: B series, T steps, R of them at the end, H horizon; m, m2, m3 seasons.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lstmcast.deployment.graph.operations import (
    lag_steps,
    lagged_difference,
    last_steps,
    mean_by_phase,
    mean_of_window,
    recursive_mean,
    recursive_mean_of_all,
    values_from_end,
)
from lstmcast.features.candidates import same_phase_offsets
from lstmcast.features.seasonal.long_memory import (
    LEAST_ERROR,
    PATTERN_ALPHA,
    PATTERN_NAMES,
    Pattern,
    level_alphas,
    list_patterns,
    season_window,
    track_record_memory,
)
from lstmcast.features.steps import Seasons


@dataclass(frozen=True)
class GraphPatterns:
    """Patterns of a batch of series: means of each phase, and the levels without them, [B, T] each.

    t: [T]. z: the series with its gaps filled. weight: 1 where a value was observed. expected: the
    sum of the patterns of each step from the cycles before, and of the next after the last,
    [B, T + 1]. means and levels are in the order of PATTERN_NAMES and LEVEL_NAMES.
    """

    seasons: Seasons
    t: Tensor
    z: Tensor
    weight: Tensor
    patterns: list[Pattern]
    means: list[Tensor]
    expected: Tensor
    levels: list[Tensor]

    @classmethod
    def of(
        cls, z: Tensor, weight: Tensor, t: Tensor, seasons: Seasons
    ) -> "GraphPatterns":
        """Find the patterns of series [B, T]."""
        patterns = list_patterns(seasons)
        means = []
        rest = z
        for pattern in patterns:
            season = pattern.season
            deviation = rest - mean_of_window(rest, t, season)
            mean = mean_by_phase(
                deviation, rest, weight, t, season, PATTERN_ALPHA, pattern.width
            )
            means.append(mean)
            if pattern.width == 1:
                rest = rest - mean

        expected = _expect_patterns(patterns, means, z, t)
        adjusted = z - expected[:, :-1]
        levels = [
            recursive_mean_of_all(adjusted, weight, alpha)
            for alpha in level_alphas(seasons.main)
        ]
        window = season_window(seasons.main)
        levels.append(mean_of_window(adjusted, t, window))
        return cls(seasons, t, z, weight, patterns, means, expected, levels)

    def candidate_forecasts(self, horizon: int) -> list[Tensor]:
        """Return the forecasts by each level with the patterns, [B, H] each."""
        h = np.arange(1, horizon + 1)
        total = torch.zeros_like(self.z[:, -1:]).expand(-1, horizon)
        for pattern, mean in zip(self.patterns, self.means, strict=True):
            offsets = same_phase_offsets(h, pattern.season)
            _, is_known = values_from_end(mean, torch.from_numpy(offsets))
            # A smoothed pattern is read half of its width later, at most at the origin.
            read = np.minimum(offsets + pattern.width // 2, 0)
            value, _ = values_from_end(mean, torch.from_numpy(read))
            if pattern.name != PATTERN_NAMES[0]:
                # By the series' own size, as a tensor: a trace would fix the answer.
                size = torch.ones_like(is_known) * self.z.shape[1]
                is_known = is_known & (size >= pattern.season)
            total = total + torch.where(is_known, value, 0.0)
        return [level[:, -1:] + total for level in self.levels]

    def list_features(
        self, level: Tensor, index: Tensor, scale: Tensor
    ) -> list[Tensor]:
        """Return the last features of the last R steps, [B, R] each.

        level, index: the fast ones of every step, [B, T]. scale: [B, R].
        """
        rows = scale.shape[1]
        m, m2, m3 = self.seasons
        adjusted = self.z - self.expected[:, :-1]
        ones = torch.ones_like(scale)
        features = []
        for mean in self.levels[1:]:
            surprise = adjusted - lag_steps(mean, 1)
            surprise = torch.where(self.t >= 1, surprise, 0.0)
            features.append(last_steps(surprise, rows) / scale)
        to_next = self.expected[:, 1:] - self.expected[:, :-1]
        features.append(last_steps(to_next, rows) / scale)

        change = lagged_difference(self.z, self.t, 1)
        features.append(self._track_record(change, scale, 1))
        if m2:
            change = lagged_difference(self.z, self.t, m2)
            features.append(self._track_record(change, scale, m2))
        else:
            features.append(torch.zeros_like(scale))
        error = self.z - lag_steps(level + index, m)
        features.append(self._track_record(error, scale, 2 * m))
        for mean in self.levels:
            error = adjusted - lag_steps(mean, m)
            features.append(self._track_record(error, scale, 2 * m))

        cycles = self.t / m2 if m2 else 0.0 * self.t
        seen = cycles.clamp(max=5)[None] / 2.5
        features.append(ones * last_steps(seen, rows))
        features.append(ones * (np.log(max(m2, 1)) / 8))
        features.append(ones * (np.log(max(m3, 1)) / 8))
        return features

    def _track_record(self, error: Tensor, scale: Tensor, start: int) -> Tensor:
        """Return the logarithm of the mean absolute error so far over the scale, [B, R]."""
        rows = scale.shape[1]
        counts = torch.where(self.t >= start, self.weight, 0.0)
        alpha = 1 / track_record_memory(self.seasons)
        mean = recursive_mean(error.abs(), counts, alpha, rows)
        record = 0.5 * torch.log(mean / scale + LEAST_ERROR)
        counted = last_steps(self.t[None], rows) >= start
        return torch.where(counted, record, 0.0)


def _expect_patterns(
    patterns: list[Pattern], means: list[Tensor], z: Tensor, t: Tensor
) -> Tensor:
    """Sum the patterns of each step, and of the next after the last, from the cycles before."""
    next_t = torch.cat([t, t[-1:] + 1])
    one_more = torch.zeros_like(z[:, :1])
    total = torch.cat([torch.zeros_like(z), one_more], 1)
    for pattern, mean in zip(patterns, means, strict=True):
        padded = torch.cat([mean, one_more], 1)
        before = lag_steps(padded, pattern.back)
        if pattern.name != PATTERN_NAMES[0]:
            padded = torch.zeros_like(padded)
        total = total + torch.where(next_t >= pattern.season, before, padded)
    return total
