"""Step features and classical candidates at the end of each series, in operations of a graph.

They are those of `features.steps` and `features.candidates`, which say why each is as it is; the
tests compare the forecasts of both.

Axes: B series, T steps, C steps of the chunk that a network reads, R = C + 1 last steps, H horizon,
F step features, A candidates, m season length, m2 that of the second season.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from lstmcast.deployment.graph.operations import (
    fill_from_past,
    lag_steps,
    lagged_difference,
    last_steps,
    mean_by_phase,
    mean_of_window,
    recursive_mean,
    recursive_mean_of_all,
    regression_slope,
    values_from_end,
)
from lstmcast.deployment.graph.patterns import GraphPatterns
from lstmcast.features.candidates import same_phase_offsets
from lstmcast.features.steps import MIN_SCALE, Seasons


class FixedScale(NamedTuple):
    """Centre and scale of each series where they do not change from step to step, [B, 1]."""

    centre: Tensor
    spread: Tensor


@dataclass(frozen=True)
class GraphSteps:
    """What is known of the steps, in transformed units.

    All T steps, [B, T]: z, the series with its gaps filled; weight, 1 where a value was observed;
    average, the moving average; index and profile, the patterns of the first and second season;
    level. t: [T], the number of each step. patterns: what is remembered of all cycles.

    The others are of the last R steps, [B, R]; size: how large the series usually is; centre may be
    [B, 1].
    """

    t: Tensor
    z: Tensor
    weight: Tensor
    average: Tensor
    index: Tensor
    profile: Tensor
    level: Tensor
    slow_level: Tensor
    trend: Tensor
    slope: Tensor
    size: Tensor
    centre: Tensor
    scale: Tensor
    patterns: GraphPatterns


@dataclass(frozen=True)
class GraphFeatures:
    """The features of a run: its seasons, its horizon, the steps that a network reads.

    clip: bound of the features, in scales.
    """

    seasons: Seasons
    horizon: int
    chunk: int
    clip: float

    def compute_steps(
        self, values: Tensor, log: Tensor, fixed: FixedScale | None
    ) -> GraphSteps:
        """Return what is known of transformed values [B, T], NaN where missing; log: [B, 1]."""
        m, m2, _ = self.seasons
        rows = self.chunk + 1
        is_observed = ~torch.isnan(values)
        weight = is_observed.double()
        z = fill_from_past(values, m)
        t = torch.arange(z.shape[1], dtype=torch.float64)

        # The seasonal patterns: what is left above a moving average over the season, by phase.
        window = max(m, 4)
        average = mean_of_window(z, t, window)
        index = profile = torch.zeros_like(z)

        if m > 1:
            rest = z - average
            index = mean_by_phase(rest, z, weight, t, m, 0.3)
        if m2:
            rest = z - mean_of_window(z, t, m2)
            profile = mean_by_phase(rest, z, weight, t, m2, 0.4)

        # The trend: the change of the moving average over its window, smoothed.
        has_window = t >= window
        drift = (average - lag_steps(average, window)) / window
        drift = torch.where(has_window, drift, 0.0)
        drift_weight = torch.where(has_window, weight, 0.0)
        trend = recursive_mean(drift, drift_weight, 1 / max(m, 5), rows)

        # Level and slope of the series without its season, as the index of a season ago has it.
        expected_season = torch.where(t < m, index, lag_steps(index, m))
        adjusted = z - expected_season
        level = recursive_mean_of_all(adjusted, weight, 0.5)
        slow_level = recursive_mean(adjusted, weight, 0.1, rows)
        slope = last_steps(regression_slope(adjusted, weight, t), rows)

        # In logs every series has the size 1: differences are shares already.
        mean_size = torch.cumsum(z.abs(), 1) / (t + 1)
        usual = torch.maximum(average.abs(), mean_size) + 1e-9
        size = torch.where(log, 1.0, usual)
        size = last_steps(size, rows)

        if fixed is None:
            centre = last_steps(average, rows)
            scale = self._causal_scale(z, weight, t) + MIN_SCALE * size
        else:
            centre = fixed.centre
            scale = fixed.spread.expand(-1, rows)
        # Before the first step there is no scale; what is divided by 1 there is not read.
        scale = torch.where(scale > 0, scale, 1.0)
        patterns = GraphPatterns.of(z, weight, t, self.seasons)
        return GraphSteps(
            t, z, weight, average, index, profile,
            level, slow_level, trend, slope, size, centre, scale, patterns,
        )  # fmt: skip

    def _causal_scale(self, z: Tensor, weight: Tensor, t: Tensor) -> Tensor:
        """Return the mean absolute seasonal difference so far, at the last steps, [B, R].

        It is at least a quarter of the one-step difference, and that one inside the first season.
        """
        m = self.seasons.main
        rows = self.chunk + 1
        alpha = 1 / max(2 * m, 10)

        # A difference counts where both of its values were observed: the product of their weights.
        change = lagged_difference(z, t, 1).abs()
        both = weight * lag_steps(weight, 1)
        scale = recursive_mean(change, both, alpha, rows)
        if m == 1:
            return scale

        change = lagged_difference(z, t, m).abs()
        both = torch.where(t >= m, weight * lag_steps(weight, m), 0.0)
        seasonal = recursive_mean(change, both, alpha, rows)
        is_later = last_steps(t[None], rows) >= m
        bounded = torch.maximum(seasonal, 0.25 * scale)
        return torch.where(is_later, bounded, scale)

    def encoder_inputs(self, steps: GraphSteps, log: Tensor) -> Tensor:
        """Return what the encoder reads of each step of the chunk, float32 [B, C, F]."""
        rows = self.chunk + 1
        features = self._list_features(steps, log)
        table = torch.stack(features, -1)
        table = table.clamp(-self.clip, self.clip).float()

        # A chunk may begin before the series does: there is nothing to read there.
        is_step = torch.arange(1 - rows, 1) + steps.z.shape[1] - 1 >= 0
        table = torch.where(is_step[:, None], table, 0.0)
        # The first row is only there as the step before the second.
        return table[:, 1:]

    def _list_features(self, steps: GraphSteps, log: Tensor) -> list[Tensor]:
        """Return the F features of the last steps, [B, R] each, in the order of the encoder."""
        m, m2, _ = self.seasons
        rows = self.chunk + 1
        window = max(m, 4)
        scale = steps.scale
        all_t = steps.t
        t = last_steps(all_t[None], rows)
        z = last_steps(steps.z, rows)
        ones = torch.ones_like(scale)
        zeros = torch.zeros_like(scale)

        def change(array: Tensor, lag: int) -> Tensor:
            difference = lagged_difference(array, all_t, lag)
            return last_steps(difference, rows)

        def next_step_ago(season: int) -> Tensor:
            """Change to the next step as it was one season before."""
            ago = lag_steps(steps.z, season - 1) - steps.z
            ago = torch.where(all_t >= season - 1, ago, 0.0)
            return last_steps(ago, rows)

        # What level and season of the step before let one expect; of the first step, its value.
        seasonal = last_steps(lag_steps(steps.index, m), rows)
        expected = torch.where(
            t == 0, z, last_steps(lag_steps(steps.level, 1), rows) + seasonal
        )
        fast = [
            # Distance from the centre, last change, and change over a season.
            (z - steps.centre) / scale,
            change(steps.z, 1) / scale,
            change(steps.z, m) / scale,
            # How volatile the series is for its size, and how old it is.
            0.2 * torch.log(scale / steps.size.clamp(min=1e-300) + 1e-6),
            ones * t.clamp(max=200) / 100,
            # Surprise: distance from level and season of the step before.
            (z - expected) / scale,
            # Trend, and change of the average.
            steps.trend * window / scale,
            change(steps.average, 1) * m / scale,
            # Change over the second season; changes to the next step one season before.
            change(steps.z, m2) / scale if m2 else zeros,
            next_step_ago(m2) / scale if m2 else zeros,
            next_step_ago(m) / scale if m > 1 else zeros,
            steps.slope * window / scale,
            # Seasons so far, length of the season, whether there is a second one.
            ones * (t / m).clamp(max=20) / 10,
            ones * (np.log(m) / 4),
            ones * float(m2 > 0),
            # Whether the series is in logs, and whether the value is missing.
            ones * log.double(),
            1 - last_steps(steps.weight, rows),
        ]
        long = steps.patterns.list_features(steps.level, steps.index, scale)
        return fast + long

    def candidate_forecasts(self, steps: GraphSteps) -> Tensor:
        """Return the classical forecasts [B, H, A] in transformed units, in CANDIDATES' order."""
        m, m2, _ = self.seasons
        z = steps.z
        last_level = steps.level[:, -1:]
        h = np.arange(1, self.horizon + 1)
        last = z[:, -1:].expand(-1, self.horizon)

        # Before the end of its first season a series has no value of the phase: the last stands in.
        offsets = torch.from_numpy(same_phase_offsets(h, m))
        seasonal, is_known = values_from_end(z, offsets)
        naive = torch.where(is_known, seasonal, last)
        index = torch.zeros_like(last)
        if m > 1:
            found, is_known = values_from_end(steps.index, offsets)
            index = torch.where(is_known, found, 0.0)
        level = last_level + index

        # Without a second season, the candidates of the first stand in for those of the second.
        naive2 = naive
        profile = level
        if m2:
            offsets = torch.from_numpy(same_phase_offsets(h, m2))
            found, is_known = values_from_end(z, offsets)
            naive2 = torch.where(is_known, found, naive)
            # Inside its first season the profile knows the rest of that season.
            found, is_known = values_from_end(steps.profile, offsets)
            # By the series' own size, as a tensor: a trace would fix the answer.
            is_whole = torch.ones_like(is_known) * z.shape[1] >= m2
            profile = torch.where(is_known & is_whole, last_level + found, level)

        # A damped trend goes on by d + d^2 + ... + d^h of itself (Gardner & McKenzie 1985).
        damping_base = 0.9 if m == 1 else 0.98
        damping = torch.from_numpy(np.cumsum(damping_base**h))
        damped_trend = level + steps.trend[:, -1:] * damping
        slow_level = steps.slow_level[:, -1:] + index

        # Theta: the level with half of the straight line's slope (Assimakopoulos & Nikolopoulos
        # 2000).
        ahead = torch.from_numpy(h.astype(np.float64))
        theta = level + 0.5 * steps.slope[:, -1:] * ahead
        candidates = [
            last,
            naive,
            naive2,
            level,
            damped_trend,
            slow_level,
            theta,
            profile,
            *steps.patterns.candidate_forecasts(self.horizon),
        ]
        return torch.stack(candidates, -1)

    def older_values(self, steps: GraphSteps, back: int) -> Tensor:
        """Return the value `back` seasons before the seasonal-naive one, [B, H].

        Where there is none, the oldest of that phase.
        """
        m = self.seasons.main
        h = np.arange(1, self.horizon + 1)
        offsets = same_phase_offsets(h, m)
        z = steps.z
        at = torch.from_numpy(offsets) + z.shape[1] - 1
        # One season further back each time, as far as the series goes.
        for _ in range(back):
            at = torch.where(at - m >= 0, at - m, at)
        return z[:, at.clamp(min=0)]
