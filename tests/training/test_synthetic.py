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


@pytest.mark.parametrize(
    "kind",
    SERIES_KINDS,
    ids=lambda s: f"{s.seasons.main}-{s.seasons.second}-{s.longest}",
)
def test_series_of_every_kind_are_numbers_and_begin_with_one(kind: SeriesKind) -> None:
    seasons, shortest = kind.seasons, kind.shortest
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
