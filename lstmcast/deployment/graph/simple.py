"""The simple method of a run in torch that an ONNX graph can hold; `scoring.baselines` says why.

Axes: B series, T steps, H horizon, m season length.
"""

import torch
from torch import Tensor

from lstmcast.deployment.graph.operations import fill_by_phase, values_from_end
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
            # Only a name with the suffix differs from its kind: it is of the second season.
            is_second = self.kind != method
            self.season = seasons[int(is_second)]

        h = torch.arange(1, horizon + 1).numpy()
        offsets = same_phase_offsets(h, self.season)
        self.offsets = torch.from_numpy(offsets)

    def forward(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """Forecast from the end of each series."""
        # With a season of one step, each gap is filled with the value before it.
        filled = fill_by_phase(values, 1)
        naive = filled[:, -1:].expand(-1, self.horizon)

        changes = (values[:, 1:] - values[:, :-1]).abs()
        recent = changes[:, -self.memory :]
        unit = _mean_observed(recent)

        forecast = self._forecast(values, naive)
        return forecast, torch.nan_to_num(unit)

    def _forecast(self, values: Tensor, naive: Tensor) -> Tensor:
        if self.kind == "naive":
            return naive

        if self.kind == "mean":
            recent = values[:, -self.memory :]
            mean = _mean_observed(recent)
            return mean.expand(-1, self.horizon)

        if self.kind == "median":
            steps = min(self.memory, MAX_MEDIAN_STEPS)
            recent = values[:, -steps:]
            median = _median_observed(recent)
            return median.expand(-1, self.horizon)

        if self.kind == "drift":
            return self._drift(values)

        return self._seasonal(values, naive)

    def _drift(self, values: Tensor) -> Tensor:
        last_step = values.shape[1] - 1
        at = torch.arange(values.shape[1])
        at = at[None]
        observed = ~torch.isnan(values)
        is_recent = at > last_step - self.memory
        recent = observed & is_recent

        # A step that is not observed stands where it is never the last one, nor the first.
        last = torch.where(observed, at, -1)
        last = last.amax(1, keepdim=True)
        last = last.clamp(min=0)
        first = torch.where(recent, at, last_step + 1)
        first = first.amin(1, keepdim=True)
        first = torch.minimum(first, last)

        last_value = values.gather(1, last)
        first_value = values.gather(1, first)
        rise = last_value - first_value
        steps = (last - first).clamp(min=1)  # of a single value the rise is 0
        slope = rise / steps

        # Steps from the last value, which may lie before the end of the series.
        ahead = torch.arange(1, self.horizon + 1)[None]
        distance = last_step - last + ahead
        return last_value + slope * distance

    def _seasonal(self, values: Tensor, naive: Tensor) -> Tensor:
        if self.kind == "seasonal_naive":
            filled = fill_by_phase(values, self.season)
            found, is_known = values_from_end(filled, self.offsets)
            usable = is_known & ~torch.isnan(found)
            return torch.where(usable, found, naive)

        total = torch.zeros_like(naive)
        count = torch.zeros_like(naive)
        for cycle in range(_CYCLES):
            offsets = self.offsets - cycle * self.season
            found, is_known = values_from_end(values, offsets)
            usable = is_known & ~torch.isnan(found)
            addend = torch.where(usable, found, 0.0)
            total = total + addend
            count = count + usable.double()

        mean = total / count.clamp(min=1)
        return torch.where(count > 0, mean, naive)


def _mean_observed(x: Tensor) -> Tensor:
    """Return the mean of what is not NaN, [B, 1]; NaN for none."""
    observed = ~torch.isnan(x)
    known = torch.nan_to_num(x)
    total = known.sum(1, keepdim=True)
    ones = observed.double()
    count = ones.sum(1, keepdim=True)
    return total / count


def _median_observed(x: Tensor) -> Tensor:
    """Return the median of what is not NaN, [B, 1]."""
    observed = ~torch.isnan(x)
    # Missing values go behind all others.
    filled = torch.where(observed, x, torch.inf)
    ordered = torch.sort(filled, 1).values
    count = observed.long().sum(1, keepdim=True)

    # The middle two; of an odd number of values they are the same one.
    below = (count - 1) // 2
    below = below.clamp(min=0)
    above = count // 2
    above = above.clamp(max=x.shape[1] - 1)
    low = ordered.gather(1, below)
    high = ordered.gather(1, above)
    median = (low + high) / 2
    return torch.where(count > 0, median, torch.nan)
