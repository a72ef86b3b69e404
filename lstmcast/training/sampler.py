"""Random windows of a training set, batch by batch.

Axes: N series, B chunks of a batch, P origins per chunk.
"""

from dataclasses import dataclass

import numpy as np

from lstmcast.compute.ranks import current_rank_group
from lstmcast.features.windows import Batch, Windows
from lstmcast.ragged import Floats, Ints


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
        horizon = windows.horizon
        first = np.full(len(ends), max(windows.steps.seasons.main, 2) - 1)
        last_whole = ends - horizon - 1
        last_part = np.maximum(first, ends - 1 - max(horizon // 2, 1))
        has_whole = last_whole >= first + horizon
        last = np.where(has_whole, last_whole, np.minimum(last_part, ends - 2))
        usable = np.flatnonzero(last >= first)
        if not len(usable):
            return None
        # Long series repeat themselves: their windows count up to ten strides.
        count = np.minimum(last - first + 1, 10 * windows.stride)[usable]
        weight = np.sqrt(count) / np.sqrt(count).sum()
        own_ends = ends
        if len(ends) != len(windows.lengths):  # the windows are those of one rank
            own_ends = ends[current_rank_group().own_series(len(ends))]
        return cls(windows, ends, own_ends, first, last, usable, weight)

    def draw(self, rng: np.random.Generator, batch_size: int, origins: int) -> Batch:
        """Draw a batch of `batch_size` chunks with `origins` origins each.

        Of ranks, each gets those chunks whose series it holds.
        """
        stride = self.windows.stride
        series = rng.choice(self.usable, batch_size, p=self.weight)
        low, high = self.first[series], self.last[series]
        # The last origin closes the chunk; the others lie within a stride before it.
        lowest_close = np.where(high - low < stride, low, low + stride - 1)
        close = rng.integers(lowest_close, high + 1)
        earliest = np.maximum(low, close - stride + 1)
        size = (batch_size, origins)
        at = rng.integers(earliest[:, None], (close + 1)[:, None], size)
        at[:, 0] = close
        group = current_rank_group()
        own = group.holds(series)
        places = group.local_places(series[own])
        return self.windows.batch(places, at[own], self.windows.chunk, self.own_ends)

    def loss_unit(self, batch: Batch) -> float:  # noqa: ARG002
        """Return 1: losses are in scales of their series, and so alike."""
        return 1.0
