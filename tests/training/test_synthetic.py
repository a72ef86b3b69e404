"""Synthetic series: every kind that a user may bring, drawn from nothing but the generator."""

import numpy as np
import pytest
from numpy.typing import NDArray

from lstmcast.features.steps import Seasons
from lstmcast.training.generators.components import draw_components
from lstmcast.training.generators.draws import Draws
from lstmcast.training.pretrain import SERIES_KINDS, SeriesKind
from lstmcast.training.synthetic import (
    GENERATORS,
    Generator,
    draw_wrong_seasons,
    make_series,
)
from tests.training.generators.make import describe_kind


@pytest.mark.parametrize(
    "kind",
    SERIES_KINDS,
    ids=describe_kind,
)
def test_series_of_every_kind_are_numbers_and_begin_with_one(kind: SeriesKind) -> None:
    seasons, shortest = kind.seasons or Seasons(9, 45), kind.shortest
    for length in (shortest, 3 * shortest):
        series = make_series(np.random.default_rng(0), 60, length, seasons)
        assert series.shape == (60, length)
        assert not np.isnan(series[:, 0]).any()
        assert not np.isinf(series).any()
        assert np.nanmax(np.abs(series)) < 1e12


def test_the_same_generator_makes_the_same_series() -> None:
    first, second, other = (
        make_series(np.random.default_rng(seed), 20, 50, Seasons(12, 0))
        for seed in (4, 4, 5)
    )
    assert first.tobytes() == second.tobytes()
    assert not np.array_equal(first, other)


def test_there_are_series_with_gaps_zeros_negatives_and_counts() -> None:
    series = make_series(np.random.default_rng(0), 1000, 120, Seasons(12, 0))
    gaps = np.isnan(series).any(1)
    assert 0.05 < gaps.mean() < 0.25
    filled = np.nan_to_num(series)
    assert 0.05 < (np.nanmin(series, 1) < 0).mean() < 0.5
    assert 0.03 < ((filled == 0).mean(1) > 0.2).mean() < 0.3
    assert 0.05 < (filled == np.round(filled)).all(1).mean() < 0.4


def phase_share(y: NDArray[np.float64], m: int) -> NDArray[np.float64]:
    """Share of the variance, trend removed, that the mean of each phase explains, by series."""
    # Where the only demand is hidden, a series is constant.
    y = y[y.std(1) > 0]
    d = np.diff(np.log(y - y.min(1, keepdims=True) + y.std(1, keepdims=True)), axis=1)
    d = d[:, : d.shape[1] // m * m].reshape(len(d), -1, m)
    return np.asarray(d.mean(1).var(1) / (d.reshape(len(d), -1).var(1) + 1e-12))


def test_most_series_have_their_season_and_none_where_there_is_none() -> None:
    seasonal, plain = (
        make_series(np.random.default_rng(1), 400, 240, Seasons(m, 0)) for m in (12, 1)
    )
    with_season, without = (
        phase_share(y[~np.isnan(y).any(1)], 12) for y in (seasonal, plain)
    )
    assert np.median(with_season) > 0.3
    assert np.median(without) < 0.1


def test_scales_span_many_orders() -> None:
    series = make_series(np.random.default_rng(2), 500, 60, Seasons(1, 0))
    size = np.nanmedian(np.abs(series), 1)
    assert np.quantile(size, 0.95) / max(np.quantile(size, 0.05), 1e-9) > 1e3


@pytest.mark.parametrize("generator", GENERATORS, ids=lambda g: g.draw.__name__)
@pytest.mark.parametrize(
    "seasons",
    [
        Seasons(1, 0),
        Seasons(2, 0),
        Seasons(4, 0),
        Seasons(7, 365),
        Seasons(1, 52),
        Seasons(5, 260),
        Seasons(24, 168, 8766),
        Seasons(96, 672),
        Seasons(37, 185),
        Seasons(24, 8766),
        Seasons(50, 333),
    ],
)
def test_every_generator_takes_all_seasons_and_repeats_itself(
    generator: Generator, seasons: Seasons
) -> None:
    for length in (max(generator.shortest, 8), 300):
        first, second = (
            generator.draw(Draws(np.random.default_rng(3), 7, length), seasons)
            for _ in range(2)
        )
        assert first.shape == (7, length)
        assert np.isfinite(first).all()
        assert first.tobytes() == second.tobytes()


SUMMARIES = {
    "draw_components": [-36.997945, -23.704289, -3.962532],
    "draw_gaussian_processes": [-11.066196, -52.473897, 86.17673],
    "draw_switching_series": [-55.842134, -4.037513, -10.241093],
    "draw_mean_reversion": [-4.787391, -11.327888, -10.779864],
    "draw_clustered_volatility": [94.584684, 94.584684, 94.584684],
    "draw_temperatures": [24.32959, 5.847468, -18.485933],
    "draw_loads": [-10.822561, -1.160581, 12.746557],
    "draw_prices": [29.449258, -13.626962, 13.99127],
    "draw_machines": [4.45428, -34.211298, -6.991546],
    "draw_solar_power": [1.588028, 4.46892, -3.077872],
    "draw_rivers": [-13.233116, -5.80198, -12.387431],
    "draw_rain": [-24.132843, -20.685219, -48.114416],
    "draw_intermittent_demand": [135.766586, 147.820652, 47.856664],
    "draw_low_counts": [-63.279542, 29.002741, 97.029397],
    "draw_web_visits": [12.298906, -11.526444, -14.858116],
    "draw_calls": [37.449931, 104.763704, 23.957179],
}
"""What `summarize` says of every generator: whoever changes one changes what the shipped weights
were trained on, and writes the new figures, which the failing test prints, down here."""

BATCH = [-186.565245, 1744, 67445.186927]


def summarize(series: NDArray[np.float64]) -> float:
    """Say in one number what every value of all series has its part in."""
    # Of any size, alike; and no value makes up for another.
    size = np.arcsinh(series).ravel()
    return float(size @ np.cos(np.arange(size.size)))


@pytest.mark.parametrize("generator", GENERATORS, ids=lambda g: g.draw.__name__)
def test_a_generator_makes_the_series_that_the_shipped_weights_know(
    generator: Generator,
) -> None:
    summaries = []
    for seasons in (Seasons(12, 0), Seasons(7, 365), Seasons(24, 168, 8766)):
        draws = Draws(np.random.default_rng(8), 60, 400)
        summaries.append(round(summarize(generator.draw(draws, seasons)), 6))
    assert summaries == pytest.approx(SUMMARIES[generator.draw.__name__], rel=1e-5)


def test_a_batch_is_the_one_that_the_shipped_weights_know() -> None:
    """Alterations, limits, rounding and gaps are part of it."""
    series = make_series(np.random.default_rng(8), 400, 300, Seasons(24, 168))
    gaps = np.flatnonzero(np.isnan(series))
    summary = [summarize(np.nan_to_num(series)), len(gaps), float(gaps.mean())]
    assert summary == pytest.approx(BATCH, rel=1e-5)


def test_the_components_are_the_largest_share_with_days_and_without() -> None:
    for shares in ([g.share for g in GENERATORS], [g.days for g in GENERATORS]):
        assert GENERATORS[0].draw is draw_components
        assert max(shares) == shares[0] >= sum(shares) / 3


def test_wrong_seasons_are_others() -> None:
    rng = np.random.default_rng(0)
    drawn = [draw_wrong_seasons(rng, Seasons(24, 168)) for _ in range(500)]
    assert Seasons(24, 168) not in drawn
    shares = [drawn.count(one) / 500 for one in (Seasons(1, 0), Seasons(24, 0))]
    assert shares == pytest.approx([0.4, 0.2], abs=0.07)
    others = {one.main for one in drawn} - {1, 24}
    assert min(others) >= 2 and max(others) <= 400 and len(others) > 50


def test_long_hourly_series_have_nights_of_zeros_and_limits() -> None:
    y = make_series(np.random.default_rng(0), 400, 24 * 30, Seasons(24, 168))
    by_hour = np.nan_to_num(y).reshape(400, 30, 24)
    zero_hours = (by_hour == 0).all(1).sum(1)
    assert 0.03 < ((zero_hours >= 5) & (zero_hours < 24)).mean() < 0.25
