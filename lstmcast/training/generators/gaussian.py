"""Gaussian processes with sums and products of kernels.

Each process is drawn by circulant embedding of its autocovariance (Wood & Chan 1994;
Dietrich & Newsam 1997), at the cost of n T log T; what the embedding makes negative is set to zero.

Axes: n series, T steps, E steps of the circle in which the T are embedded.
"""

import numpy as np
from scipy.fft import next_fast_len

from lstmcast.features.steps import Seasons
from lstmcast.ragged import Floats, Ints
from lstmcast.training.generators.draws import Draws, standardise

MOST_KERNELS = 5
PRODUCT_SHARE = 0.35
SHORTEST_PERIOD, LONGEST_PERIOD = 4, 730
"""Steps of the periods that are no season of the batch."""
_KERNELS = ("rbf", "matern", "rational_quadratic", "season", "period", "white")
_SHARES = (0.14, 0.14, 0.1, 0.42, 0.1, 0.1)


def draw_gaussian_processes(draws: Draws, seasons: Seasons) -> Floats:
    """Draw processes of one to five kernels joined by + or x, standardised, [n, T].

    As KernelSynth (Ansari et al. 2024, Chronos): radial basis function, Matern, rational quadratic,
    periodic with the seasons or with another period of 4 to 730 steps, white, and linear.
    """
    n_circle = choose_circle(draws.length, seasons)
    lags = draws._replace(length=n_circle // 2 + 1)
    covariance = _draw_covariances(lags, seasons)
    y = sample_stationary(draws, covariance)

    # A linear kernel is a line of random slope where it is added, and fans out where it is a
    # factor.
    ramp = draws.t / max(draws.length - 1, 1)
    line = draws.normal(1) * ramp * 3
    fan = ramp + draws.uniform(0.05, 0.5)
    y = y * draws.choose({0.08: fan}, 1.0)
    y = y + draws.choose({0.2: line}, 0.0)
    return standardise(y)


def choose_circle(length: int, seasons: Seasons) -> int:
    """Return an even number of steps, twice the length or more, on which to draw processes.

    It is a multiple of the longest season that is not longer than the series: there, and nowhere
    else, a season stays the same all round.
    """
    fitting = [season for season in seasons if season <= length]
    season = max(fitting, default=1)
    if season > 1:
        n_seasons = -(-length // season)
        return 2 * season * n_seasons
    return int(2 * next_fast_len(length, real=True))


def sample_stationary(draws: Draws, covariance: Floats) -> Floats:
    """Draw one process of each row of autocovariances at the lags 0 to E / 2, [n, T].

    What can not be embedded without negative eigenvalues is drawn as nearly as it can be.
    """
    n, half = covariance.shape
    n_circle = 2 * (half - 1)
    # Around a circle the lags rise to the middle and fall again.
    eigenvalues = np.fft.hfft(covariance, n_circle, axis=1)
    eigenvalues = np.maximum(eigenvalues[:, :half], 0)

    real = draws.rng.standard_normal((n, half))
    imaginary = draws.rng.standard_normal((n, half))
    # The first and the last frequency have no imaginary part, and so twice the real variance.
    real[:, [0, -1]] *= np.sqrt(2)
    spectrum = (real + 1j * imaginary) * np.sqrt(eigenvalues * n_circle / 2)
    return np.fft.irfft(spectrum, n_circle, axis=1)[:, : draws.length]


def _draw_covariances(draws: Draws, seasons: Seasons) -> Floats:
    """Draw autocovariances at the lags 0 to E / 2: 1 to 5 kernels, joined at random."""
    rng = draws.rng
    shape = (draws.n, MOST_KERNELS)
    names = rng.choice(len(_KERNELS), shape, p=_SHARES)
    kernels = np.ones((*shape, draws.length))
    for number, name in enumerate(_KERNELS):
        rows, places = np.nonzero(names == number)
        if len(rows):
            own = draws.take(len(rows))
            kernels[rows, places] = _draw_kernel(own, name, seasons)

    count = rng.integers(1, MOST_KERNELS + 1, (draws.n, 1))
    is_product = rng.random(shape) < PRODUCT_SHARE
    # A product with white noise would be white: it is added.
    is_product &= names != _KERNELS.index("white")
    covariance = kernels[:, 0]
    for place in range(1, MOST_KERNELS):
        kernel = kernels[:, place]
        factor = is_product[:, place, None]
        joined = np.where(factor, covariance * kernel, covariance + kernel)
        covariance = np.where(place < count, joined, covariance)
    return covariance


def _draw_kernel(draws: Draws, name: str, seasons: Seasons) -> Floats:
    """Draw kernels of one kind at the lags 0 to E / 2, of about 1 at lag 0."""
    lag = draws.t
    if name == "white":
        # Its size beside the others varies.
        return np.where(lag == 0, draws.log_uniform(-2, 0), 0.0)
    if name == "season":
        return _draw_periodic(draws, _pick_periods(draws, seasons))
    if name == "period":
        low = np.log10(SHORTEST_PERIOD)
        high = np.log10(LONGEST_PERIOD)
        period = np.round(draws.log_uniform(low, high))
        return _draw_periodic(draws, period)

    longest = np.log10(2 * draws.length)
    distance = lag / draws.log_uniform(0.3, max(longest, 0.5))
    if name == "rbf":
        return np.asarray(np.exp(-(distance**2) / 2))
    if name == "matern":
        return _draw_matern(draws, distance)
    alpha = draws.log_uniform(-1, 1)
    return np.asarray((1 + distance**2 / (2 * alpha)) ** -alpha)


def _draw_matern(draws: Draws, distance: Floats) -> Floats:
    """Draw Matern kernels of smoothness 1/2, 3/2 or 5/2 at these distances."""
    rough = np.exp(-distance)
    d3 = np.sqrt(3) * distance
    smooth = (1 + d3) * np.exp(-d3)
    d5 = np.sqrt(5) * distance
    smoother = (1 + d5 + d5**2 / 3) * np.exp(-d5)
    return draws.choose({0.34: rough, 0.67: smooth}, smoother)


def _draw_periodic(draws: Draws, period: Floats) -> Floats:
    """Draw periodic kernels (MacKay 1998) of these periods [n, 1], whose form may change slowly."""
    sine = np.sin(np.pi * draws.t / period)
    length_scale = draws.log_uniform(-0.5, 0.4)
    ratio = sine / length_scale
    periodic = np.exp(-2 * ratio**2)

    # A wide factor lets the form change over many periods.
    seasons_kept = draws.log_uniform(0.5, 2)
    distance = draws.t / (seasons_kept * period)
    changing = periodic * np.exp(-(distance**2) / 2)
    return draws.choose({0.5: changing}, periodic)


def _pick_periods(draws: Draws, seasons: Seasons) -> Floats:
    """Pick one of the seasons for each series, [n, 1]; without any, a common period."""
    lengths: Ints = np.array([season for season in seasons if season > 1])
    if not len(lengths):
        lengths = np.array([4, 7, 12, 24, 52])
    return draws.rng.choice(lengths, (draws.n, 1)).astype(np.float64)
