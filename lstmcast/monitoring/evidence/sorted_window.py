"""The newest numbers of a stream in sorted order. Knows only numbers."""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable


class SortedWindow:
    """The newest `size` numbers of a stream, kept sorted.

    A number is added, and the oldest forgotten, in the time of a search and a short move of memory.
    """

    def __init__(self, size: int, numbers: Iterable[float] = ()) -> None:
        self.size = size
        self._arrived: deque[float] = deque(numbers, maxlen=size)
        self._sorted = sorted(self._arrived)

    def __len__(self) -> int:
        return len(self._sorted)

    @property
    def arrived(self) -> list[float]:
        """The numbers in the order in which they came."""
        return list(self._arrived)

    def add(self, number: float) -> float | None:
        """Add a number; where the window is full the oldest is forgotten, and returned."""
        oldest = None
        if len(self._arrived) == self.size:
            oldest = self._arrived.popleft()
            del self._sorted[bisect_left(self._sorted, oldest)]
        self._arrived.append(number)
        insort(self._sorted, number)
        return oldest

    def count_from(self, number: float) -> int:
        """How many numbers are as large as this one, or larger."""
        return len(self._sorted) - bisect_left(self._sorted, number)

    def largest(self, count: int) -> list[float]:
        """The `count` largest numbers, ascending."""
        return self._sorted[-count:]

    def at_rank(self, rank: int) -> float:
        """The number of this rank from the top, 1 for the largest."""
        return self._sorted[-rank]

    def median(self) -> float:
        """The middle number, the upper one of two."""
        return self._sorted[len(self._sorted) // 2]
