"""The simple method of a run in torch that an ONNX graph can hold; `scoring.baselines` says why.

Axes: B series, T steps, H horizon, m season length.
"""

import torch
from torch import Tensor

from lstmcast.deployment.onnx_operations import fill_by_phase, values_from_end
from lstmcast.features.candidates import same_phase_offsets
from lstmcast.scoring.baselines import MAX_MEDIAN_STEPS, SECOND_SEASON_SUFFIX

_CYCLES = 4
"""Seasons that a seasonal mean is taken of."""


class SimpleGraph(torch.nn.Module):
    """A simple method: values, float64 [B, T] with NaN -> its forecast [B, H] and its unit [B, 1].

    Nothing but operations of ONNX, for any number of steps.
    """

    def __init__(
        self, method: str, seasons: tuple[int, ...], memory: int, horizon: int
    ) -> None:
        super().__init__()
        self.kind = method.removesuffix(SECOND_SEASON_SUFFIX)
        self.memory = memory
        self.horizon = horizon
        self.season = 1
        if self.kind.startswith("seasonal"):
            self.season = seasons[int(self.kind != method)]
        h = torch.arange(1, horizon + 1).numpy()
        self.offsets = torch.from_numpy(same_phase_offsets(h, self.season))

    def forward(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """Forecast from the end of each series."""
        naive = fill_by_phase(values, 1)[:, -1:].expand(-1, self.horizon)
        unit = _mean_observed((values[:, 1:] - values[:, :-1]).abs()[:, -self.memory :])
        return self._forecast(values, naive), torch.nan_to_num(unit)

    def _forecast(self, values: Tensor, naive: Tensor) -> Tensor:
        if self.kind == "naive":
            return naive
        if self.kind == "mean":
            mean = _mean_observed(values[:, -self.memory :])
            return mean.expand(-1, self.horizon)
        if self.kind == "median":
            steps = min(self.memory, MAX_MEDIAN_STEPS)
            median = _median_observed(values[:, -steps:])
            return median.expand(-1, self.horizon)
        if self.kind == "drift":
            return self._drift(values)
        return self._seasonal(values, naive)

    def _drift(self, values: Tensor) -> Tensor:
        last_step = values.shape[1] - 1
        at = torch.arange(values.shape[1])[None]
        observed = ~torch.isnan(values)
        recent = observed & (at > last_step - self.memory)
        last = torch.where(observed, at, -1).amax(1, keepdim=True).clamp(min=0)
        first = torch.where(recent, at, last_step + 1).amin(1, keepdim=True)
        first = torch.minimum(first, last)

        last_value = values.gather(1, last)
        rise = last_value - values.gather(1, first)
        slope = rise / (last - first).clamp(min=1)
        ahead = torch.arange(1, self.horizon + 1)[None]
        return last_value + slope * (last_step - last + ahead)

    def _seasonal(self, values: Tensor, naive: Tensor) -> Tensor:
        if self.kind == "seasonal_naive":
            filled = fill_by_phase(values, self.season)
            found, is_known = values_from_end(filled, self.offsets)
            return torch.where(is_known & ~torch.isnan(found), found, naive)

        total = torch.zeros_like(naive)
        count = torch.zeros_like(naive)
        for cycle in range(_CYCLES):
            offsets = self.offsets - cycle * self.season
            found, is_known = values_from_end(values, offsets)
            usable = is_known & ~torch.isnan(found)
            total = total + torch.where(usable, found, 0.0)
            count = count + usable.double()
        mean = total / count.clamp(min=1)
        return torch.where(count > 0, mean, naive)


def _mean_observed(x: Tensor) -> Tensor:
    """Return the mean of what is not NaN, [B, 1]; NaN for none."""
    observed = ~torch.isnan(x)
    total = torch.nan_to_num(x).sum(1, keepdim=True)
    count = observed.double().sum(1, keepdim=True)
    return total / count


def _median_observed(x: Tensor) -> Tensor:
    """Return the median of what is not NaN, [B, 1]."""
    observed = ~torch.isnan(x)
    # Missing values go behind all others.
    filled = torch.where(observed, x, torch.inf)
    ordered = torch.sort(filled, 1).values
    count = observed.long().sum(1, keepdim=True)
    below = ((count - 1) // 2).clamp(min=0)
    above = (count // 2).clamp(max=x.shape[1] - 1)
    median = (ordered.gather(1, below) + ordered.gather(1, above)) / 2
    return torch.where(count > 0, median, torch.nan)
