"""Random windows of a training set, batch by batch."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lstmcast.compute.ranks import current_rank_group
from lstmcast.features.windows import Batch, Windows
from lstmcast.ragged import Ints


@dataclass(frozen=True, eq=False)
class WindowSampler:
    """Draws training chunks: series by the square root of their number of windows, chunks evenly inside.

    ends: [N], steps of each series that training may see. Series without a window are never drawn.
    Of the ranks of one fit each has `windows` of its own series, draws as all do, and makes its
    part of the batch.
    """

    windows: Windows
    ends: Ints
    own_ends: Ints
    first: Ints
    last: Ints
    usable: Ints
    weight: NDArray[np.float64]

    @classmethod
    def over(cls, windows: Windows, ends: Ints) -> "WindowSampler | None":
        """A sampler over the first `ends` steps of each series, or None if no series has a window there.

        An origin lies at or after the first season. Where a whole horizon does not fit behind it, a
        part is used: otherwise short series would teach nothing.
        """
        m = windows.steps.seasons.main
        first = np.full(len(ends), max(m, 2) - 1)
        whole = ends - windows.horizon - 1
        part = np.maximum(first, ends - 1 - max(windows.horizon // 2, 1))
        last = np.where(whole >= first + windows.horizon, whole, np.minimum(part, ends - 2))
        usable = np.flatnonzero(last >= first)
        if not len(usable):
            return None
        count = np.minimum(last - first + 1, 10 * windows.stride)[usable]
        weight = np.sqrt(count) / np.sqrt(count).sum()
        own = (
            ends
            if len(ends) == len(windows.lengths)
            else ends[current_rank_group().own_series(len(ends))]
        )
        return cls(windows, ends, own, first, last, usable, weight)

    def draw(self, rng: np.random.Generator, batch_size: int, origins: int) -> Batch:
        """A batch of `batch_size` chunks with `origins` origins each; of ranks, those chunks whose series are here."""
        stride = self.windows.stride
        series = rng.choice(self.usable, batch_size, p=self.weight)
        low, high = self.first[series], self.last[series]
        close = rng.integers(np.where(high - low < stride, low, low + stride - 1), high + 1)
        at = rng.integers(
            np.maximum(low, close - stride + 1)[:, None],
            (close + 1)[:, None],
            (batch_size, origins),
        )
        at[:, 0] = close
        own = current_rank_group().holds(series)
        return self.windows.batch(
            current_rank_group().local_places(series[own]),
            at[own],
            self.windows.chunk,
            self.own_ends,
        )
