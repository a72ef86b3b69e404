"""Patterns of all cycles, levels without them, and how well each way to forecast did so far."""

import numpy as np
import pytest

from lstmcast.features.candidates import CANDIDATES, forecast_candidates
from lstmcast.features.seasonal.long_memory import (
    LEVEL_NAMES,
    N_LONG_FEATURES,
    expected_pattern,
    level_alphas,
    list_patterns,
    track_record_memory,
)
from lstmcast.features.steps import N_FAST_FEATURES, N_STEP_FEATURES, Seasons
from lstmcast.ragged import Floats, Ints
from tests.make import steps_of


def hours_of_weeks(weeks: int, seed: int = 0, noise: float = 0.0) -> Floats:
    """Hourly values with a day, and a weekend that differs, around -50 so that no log is taken."""
    rng = np.random.default_rng(seed)
    t = np.arange(weeks * 168)
    day = 10 * np.sin(2 * np.pi * t / 24)
    weekend = np.where(t // 24 % 7 >= 5, -8.0, 0.0)
    return day + weekend - 50 + noise * rng.normal(size=len(t))


def forecast_by(name: str, y: Floats, seasons: Seasons, horizon: int) -> Floats:
    """One of the candidates from the end of a series, [H]."""
    steps = steps_of([y], seasons)
    origin: Ints = np.array([len(y) - 1])
    found = forecast_candidates(steps, np.array([0]), origin, horizon)
    return np.asarray(found[0, :, CANDIDATES.index(name)])


def test_a_longer_season_is_smoothed_unless_it_is_of_a_few_shorter_ones() -> None:
    widths = {p.season: p.width for p in list_patterns((24, 168, 8766))}
    assert widths == {24: 1, 168: 1, 8766: 365}
    widths = {p.season: p.width for p in list_patterns((7, 365, 0))}
    assert widths == {7: 1, 365: 15}
    assert [p.season for p in list_patterns((1, 52, 0))] == [52]
    assert list_patterns((1, 0, 0)) == []


def test_the_mean_of_many_weeks_forecasts_better_than_the_last_one() -> None:
    seasons = Seasons(24, 168)
    clean = hours_of_weeks(14)
    errors: dict[str, list[float]] = {"seasonal_naive_2": [], "pattern_long_level": []}
    for seed in range(5):
        noisy = hours_of_weeks(13, seed, noise=3.0)
        for name, found in errors.items():
            forecast = forecast_by(name, noisy, seasons, 168)
            found.append(float(np.abs(forecast - clean[-168:]).mean()))
    # The mean of thirteen weeks has an error of 1 / sqrt(13) of that of one.
    assert np.mean(errors["pattern_long_level"]) < 0.5 * np.mean(
        errors["seasonal_naive_2"]
    )


def test_a_year_of_days_is_read_under_the_week() -> None:
    """A smoothed pattern is read in its middle: without a lag, also just after the origin."""
    t = np.arange(4 * 365)
    year = 10 * np.sin(2 * np.pi * t / 365)
    week = np.where(t % 7 >= 5, 4.0, 0.0)
    y = year + week - 50
    forecast = forecast_by("pattern_slow_level", y[:-60], Seasons(7, 365), 60)
    assert np.abs(forecast - y[-60:]).mean() < 1.5
    without_year = forecast_by("pattern_slow_level", y[:-60], Seasons(7, 0), 60)
    assert np.abs(without_year - y[-60:]).mean() > 3


def test_three_seasons_add_up() -> None:
    t = np.arange(3 * 900)
    y = (
        5 * np.sin(2 * np.pi * t / 6)
        + np.where(t // 6 % 5 == 4, 6.0, 0.0)
        + 20 * np.sin(2 * np.pi * t / 900)
        - 100
    )
    seasons = Seasons(6, 30, 900)
    forecast = forecast_by("pattern_slow_level", y[:-90], seasons, 90)
    assert np.abs(forecast - y[-90:]).mean() < 2
    two = forecast_by("pattern_slow_level", y[:-90], Seasons(6, 30), 90)
    assert np.abs(two - y[-90:]).mean() > 5


def test_what_is_expected_of_a_step_is_known_one_season_before() -> None:
    """The pattern of the cycles before, for every step and the next after the last."""
    y = hours_of_weeks(6, noise=2.0)
    steps = steps_of([y], Seasons(24, 168))
    names = ("z", "pattern", "pattern_2")
    arrays = {name: getattr(steps, name)[None] for name in names}
    expected = expected_pattern(arrays, (24, 168, 0))
    assert expected.shape == (1, len(y) + 1)
    for t in (24, 167):
        assert expected[0, t] == steps.pattern[t - 24]
    for t in (168, 500, len(y)):
        both = steps.pattern[t - 24] + steps.pattern_2[t - 168]
        assert expected[0, t] == pytest.approx(both, rel=1e-12)


def test_levels_forget_at_their_own_pace() -> None:
    y = np.concatenate([np.zeros(200), np.full(20, 10.0)]) - 50
    steps = steps_of([y], Seasons(1, 0))
    for name, alpha in zip(LEVEL_NAMES[:3], level_alphas(1), strict=True):
        level = getattr(steps, name)
        assert level[199] == pytest.approx(-50)
        assert level[-1] == pytest.approx(-40 - 10 * (1 - alpha) ** 20, abs=0.05)


def test_the_level_of_a_season_counts_every_phase_alike() -> None:
    y = hours_of_weeks(6, noise=2.0)
    steps = steps_of([y], Seasons(24, 0))
    t = len(y) - 1
    adjusted = [y[s] - steps.pattern[s - 24] for s in range(t - 23, t + 1)]
    assert steps.pattern_season_level[t] == pytest.approx(np.mean(adjusted))


def test_the_track_record_says_which_season_forecasts_best() -> None:
    """Hours that repeat the week: its naive error is small, that of the last value is large."""
    steps = steps_of([hours_of_weeks(10, noise=0.5)], Seasons(24, 168))
    records = steps.x[-1, N_FAST_FEATURES + 4 : N_FAST_FEATURES + 11]
    by_last, by_week, by_index = records[:3]
    assert by_week < by_last
    assert by_week < by_index
    # Without a second season there is no record of it.
    steps = steps_of([hours_of_weeks(10)], Seasons(24, 0))
    assert not steps.x[:, N_FAST_FEATURES + 5].any()


def test_a_track_record_begins_when_there_is_an_error_to_count() -> None:
    steps = steps_of([hours_of_weeks(3, noise=1.0)], Seasons(24, 168))
    week = steps.x[:, N_FAST_FEATURES + 5]
    assert not week[:168].any()
    assert week[168:].all()
    levels = steps.x[:, N_FAST_FEATURES + 7]
    assert not levels[:48].any()
    assert levels[60:].all()


def test_the_memory_of_a_track_record_follows_the_seasons() -> None:
    assert track_record_memory((1, 0, 0)) == 20
    assert track_record_memory((24, 168, 0)) == 168
    assert track_record_memory((7, 365, 0)) == 28 * 7
    assert track_record_memory((12, 0, 0)) == 48


@pytest.mark.parametrize(
    "seasons", [Seasons(1, 0), Seasons(6, 30, 900), Seasons(1, 52), Seasons(4, 0)]
)
def test_features_are_finite_however_short_a_series_is(seasons: Seasons) -> None:
    assert N_STEP_FEATURES == N_FAST_FEATURES + N_LONG_FEATURES
    for length in (1, 2, 5, 40):
        steps = steps_of([np.linspace(-1, -2, length)], seasons)
        assert np.isfinite(steps.x).all()
