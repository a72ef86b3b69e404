"""Random numbers for series that are drawn together, and the filters that give them memory.

Axes: n series, T steps.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.signal import lfilter

from lstmcast.ragged import Bools, Floats, Ints

Rng = np.random.Generator
FULL_TURN = 2 * np.pi
"""A full turn, in radians."""


class Draws(NamedTuple):
    """Random numbers for n series of `length` steps; most are one for each series, [n, 1]."""

    rng: Rng
    n: int
    length: int

    @property
    def t(self) -> Ints:
        """Numbers of the steps, [T]."""
        return np.arange(self.length)

    def take(self, n: int) -> "Draws":
        """Return the same draws for another number of series."""
        return self._replace(n=n)

    def share(self) -> Floats:
        """Draw a number between 0 and 1."""
        return self.rng.random((self.n, 1))

    def mask(self, share: float) -> Bools:
        """Draw True for about `share` of the series."""
        return self.share() < share

    def indicator(self, share: float) -> Floats:
        """Draw 1 for about `share` of the series, else 0."""
        return self.mask(share).astype(np.float64)

    def uniform(self, low: float, high: float) -> Floats:
        """Draw a uniform number."""
        return self.rng.uniform(low, high, (self.n, 1))

    def log_uniform(self, low: float, high: float) -> Floats:
        """Draw 10 to a uniform power."""
        exponent = self.uniform(low, high)
        return np.asarray(10**exponent)

    def pick(self, values: Sequence[float]) -> Floats:
        """Draw one of some values."""
        return self.rng.choice(values, (self.n, 1))

    def normal(self, columns: int) -> Floats:
        """Draw standard normal numbers, [n, columns]."""
        return self.rng.standard_normal((self.n, columns))

    def shocks(self) -> Floats:
        """Draw a standard normal number for each step, [n, T]."""
        return self.normal(self.length)

    def walk(self) -> Floats:
        """Draw random walks of standard normal steps, [n, T]."""
        steps = self.shocks()
        return np.cumsum(steps, 1)

    def events(self, share: float | Floats) -> Bools:
        """Draw True at about `share` of the steps, [n, T]; share: a number, [n, 1] or [n, T]."""
        return self.rng.random((self.n, self.length)) < share

    def noise(self, low: float, high: float) -> Floats:
        """Draw unit first-order autoregressions, [n, T], with memories between two bounds."""
        phi = self.uniform(low, high)
        return filter_unit_ar1(self.shocks(), phi)

    def choose(
        self, by_limit: Mapping[float, Floats | float], otherwise: Floats | float
    ) -> Floats:
        """Take for each series one of several arrays, [n, T] or the same for all of its steps.

        A number between 0 and 1 is drawn: the array of the first limit above it is taken.
        """
        kind = self.share()
        conditions = []
        choices = []
        for limit, choice in by_limit.items():
            conditions.append(kind < limit)
            choices.append(np.asarray(choice))
        return np.select(conditions, choices, otherwise)

    def mix(
        self,
        by_limit: Mapping[float, Callable[["Draws"], Floats]],
        otherwise: float = 0.0,
    ) -> Floats:
        """Draw each series by one of several functions, [n, T].

        As `choose`, but a function draws only the series that are its own.
        """
        kind = self.rng.random(self.n)
        mixed = np.full((self.n, self.length), otherwise)
        lower = 0.0
        for limit, draw in by_limit.items():
            is_own = kind >= lower
            is_own &= kind < limit
            rows = np.flatnonzero(is_own)
            if len(rows):
                own = self.take(len(rows))
                mixed[rows] = draw(own)
            lower = limit
        return mixed


def filter_ar1(shocks: Floats, phi: Floats) -> Floats:
    """Return the first-order autoregression of each row of shocks, [n, T], by its `phi` [n, 1]."""
    filtered = np.empty_like(shocks)
    # Rows of the same memory are filtered together, and those without any are as they were.
    for value in np.unique(phi):
        rows = np.flatnonzero(phi[:, 0] == value)
        filtered[rows] = (
            lfilter([1], [1, -value], shocks[rows]) if value else shocks[rows]
        )
    return filtered


def filter_unit_ar1(shocks: Floats, phi: Floats) -> Floats:
    """Return first-order autoregressions, [n, T], as large as their shocks."""
    # A first-order autoregression has 1 / (1 - phi^2) times the variance of its shocks.
    variance = 1 - phi**2
    unit = np.sqrt(variance)
    filtered = filter_ar1(shocks, phi) * unit
    # It begins as it goes on: without this the first steps would be smaller than the others.
    reach = np.arange(shocks.shape[1])
    start = shocks[:, :1] * phi**reach
    return np.asarray(filtered + start * (1 - unit))


def filter_ar2(shocks: Floats, radius: Floats, angle: Floats) -> Floats:
    """Return the second-order autoregression of each row of shocks, [n, T].

    Its roots have the row's radius and angle, [n, 1] each. Just within the unit circle (Yule 1927)
    it swings by itself, and shocks keep it going.
    """
    rows = []
    for r, a, row in zip(radius[:, 0], angle[:, 0], shocks, strict=True):
        # The polynomial with the roots r exp(ia) and r exp(-ia).
        first = -2 * r * np.cos(a)
        second = r * r
        denominator = [1, first, second]
        rows.append(lfilter([1], denominator, row))
    return np.stack(rows)


def standardise(y: Floats) -> Floats:
    """Divide each series by its deviation and take its mean away, [n, T]; a flat one becomes 0."""
    centred = y - y.mean(1, keepdims=True)
    deviation = centred.std(1, keepdims=True)
    # A flat series has no deviation to divide by, but for rounding.
    size = np.abs(y).max(1, keepdims=True)
    is_flat = deviation <= 1e-12 * size
    deviation[is_flat] = np.inf
    return np.asarray(centred / np.maximum(deviation, 1e-300))
