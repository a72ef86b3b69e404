"""Which windows a training sees: those it is validated on, and random ones, batch by batch.

Axes: N series, K validation windows, B chunks of a batch, P origins per chunk.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lstmcast.compute.ranks import current_rank_group
from lstmcast.errors import UsageError
from lstmcast.features.windows import Batch, Windows
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Floats, Ints


class TrainingTask(NamedTuple):
    """Where a member learns and where it is validated.

    windows: those of all series. ends: [N], steps of each series that training may see. series and
    origins: [K] each, the validation windows. Of the ranks of one fit each has the windows of its
    own series only.
    """

    windows: Windows
    ends: Ints
    series: Ints
    origins: Ints

    def validation_windows(self) -> tuple[Windows, Ints, Ints]:
        """Return the validation windows; of ranks, those of the series held here."""
        own = self.own()
        own_series = self.series[own]
        own_places = current_rank_group().local_places(own_series)
        return self.windows, own_places, self.origins[own]

    def own(self) -> Ints:
        """Return which of the validation windows are validated here."""
        is_here = current_rank_group().holds(self.series)
        return np.flatnonzero(is_here)

    def whole(self, part: Floats, axis: int) -> Floats:
        """Return an array of all validation windows from this rank's part of it, along an axis."""
        count = len(self.series)
        return current_rank_group().gather(part, self.own(), count, axis)

    def without_validation(self, ends: Ints) -> "TrainingTask":
        """Return the task to learn from the first `ends` [N] steps, with no window held out."""
        return self._replace(
            ends=ends, series=self.series[:0], origins=self.origins[:0]
        )


@dataclass(frozen=True, eq=False)
class WindowSampler:
    """Draws training chunks: series by the root of their number of windows, chunks evenly inside.

    ends: [N], steps of each series that training may see. first and last: [N], the first and the
    last origin of each. usable: the series with a window, and weight: how often each is drawn.
    Of the ranks of one fit each has `windows` and `own_ends` of its own series, draws as all do,
    and makes its part of the batch.
    """

    windows: Windows
    ends: Ints
    own_ends: Ints
    first: Ints
    last: Ints
    usable: Ints
    weight: Floats

    @classmethod
    def over(cls, windows: Windows, ends: Ints) -> "WindowSampler | None":
        """Return a sampler over the first `ends` [N] steps of each series.

        None if no series has a window there. An origin lies at or after the first season. Where a
        whole horizon does not fit behind it, a part is used: otherwise short series would teach
        nothing.
        """
        season = windows.steps.seasons.main
        first_origin = max(season, 2) - 1
        first = np.full(len(ends), first_origin)
        last = _find_last_origins(ends, first, windows.horizon)
        usable = np.flatnonzero(last >= first)
        if not len(usable):
            return None

        # Long series repeat themselves: their windows count up to ten strides.
        count = last[usable] - first[usable] + 1
        count = np.minimum(count, 10 * windows.stride)
        # By the root: the longest series teach most, but do not crowd out the others.
        root = np.sqrt(count)
        weight = root / root.sum()

        own_ends = ends
        if len(ends) != len(windows.lengths):  # the windows are those of one rank
            own = current_rank_group().own_series(len(ends))
            own_ends = ends[own]
        return cls(windows, ends, own_ends, first, last, usable, weight)

    def draw(self, rng: np.random.Generator, batch_size: int, origins: int) -> Batch:
        """Draw a batch of `batch_size` chunks with `origins` origins each.

        Of ranks, each gets those chunks whose series it holds.
        """
        windows = self.windows
        # The whole batch on every rank, so that their generators stay in step.
        series, at = self.draw_places(rng, batch_size, origins)

        group = current_rank_group()
        own = group.holds(series)
        own_series = group.local_places(series[own])
        own_at = at[own]
        return windows.batch(own_series, own_at, windows.chunk, self.own_ends)

    def draw_places(
        self, rng: np.random.Generator, batch_size: int, origins: int
    ) -> tuple[Ints, Ints]:
        """Draw the series [B] of a batch and the origins in each [B, P]."""
        series = rng.choice(self.usable, batch_size, p=self.weight)
        return series, self._draw_origins(rng, series, origins)

    def _draw_origins(
        self, rng: np.random.Generator, series: Ints, origins: int
    ) -> Ints:
        """Draw the origins of a chunk of each series, [B, P]; the first in a row is the latest.

        That one closes the chunk; the others lie within a stride before it.
        """
        stride = self.windows.stride
        low = self.first[series]
        high = self.last[series]
        is_short = high - low < stride
        end_of_stride = low + stride - 1
        lowest_close = np.where(is_short, low, end_of_stride)
        close = rng.integers(lowest_close, high + 1)

        earliest = np.maximum(low, close - stride + 1)
        # The end of a range of integers is not among them.
        behind = close + 1
        size = (len(series), origins)
        at = rng.integers(earliest[:, None], behind[:, None], size)
        at[:, 0] = close
        return at

    def loss_unit(self, batch: Batch) -> float:  # noqa: ARG002
        """Return 1: losses are in scales of their series, and so alike."""
        return 1.0


def _find_last_origins(ends: Ints, first: Ints, horizon: int) -> Ints:
    """Return the last origin of each series, [N]; before the first one where it has no window."""
    last_whole = ends - horizon - 1

    # Half a horizon, or a single step, where a whole one would leave next to no origins.
    part = max(horizon // 2, 1)
    last_part = np.maximum(first, ends - 1 - part)
    last_part = np.minimum(last_part, ends - 2)

    # Whole horizons only where they leave origins enough: a horizon of them.
    has_whole = last_whole >= first + horizon
    return np.where(has_whole, last_whole, last_part)


def require_series_per_rank(panel: Panel, fewest: int, *, joint: bool) -> None:
    """Raise UsageError where the ranks of a fit have nothing to share, such as `fewest` series."""
    size = current_rank_group().size
    if size == 1:
        return
    least = max(fewest, size)
    if len(panel) < least:
        raise UsageError(
            f"{size} ranks need {least} series or more; there are {len(panel)}",
            "fit without torchrun",
        )
    if joint:
        raise UsageError(
            "--joint needs all series beside each other",
            "fit without torchrun, or leave out --joint",
        )
