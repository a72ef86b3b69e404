"""Each shape of a season has the form that it claims."""

import numpy as np
import pytest

from lstmcast.training.generators import shapes
from tests.training.generators.make import draws_of


@pytest.mark.parametrize("shape", shapes.SHAPES)
@pytest.mark.parametrize("m", [2, 5, 24, 169])
def test_shapes_are_finite_and_of_the_season(shape: shapes.Shape, m: int) -> None:
    drawn = shape(draws_of(50, 10), m)
    assert drawn.shape == (50, m)
    assert np.isfinite(drawn).all()


def test_a_square_has_two_levels_and_a_pulse_train_is_mostly_zero() -> None:
    square = shapes.draw_square(draws_of(50, 10), 48)
    assert set(np.unique(square)) == {0.0, 1.0}
    assert ((square == 1).mean(1) > 0.05).all()
    pulses = shapes.draw_pulses(draws_of(50, 10), 48)
    assert ((pulses == 0).mean(1) > 0.7).all()
    assert (pulses.max(1) > 0).all()


def test_a_sawtooth_rises_once_and_falls_once() -> None:
    saw = shapes.draw_sawtooth(draws_of(50, 10), 100)
    ahead = np.roll(saw, -1, 1) - saw
    turns = (np.sign(ahead) != np.sign(np.roll(ahead, 1, 1))).sum(1)
    assert (turns <= 4).all() and (saw.max(1) > 0.6).all()


def test_a_trapezoid_and_a_bell_are_flat_for_a_while() -> None:
    trapezoid = shapes.draw_trapezoid(draws_of(50, 10), 96)
    assert ((trapezoid == 0).sum(1) + (trapezoid == 1).sum(1) > 10).mean() > 0.8
    bell = shapes.draw_bell(draws_of(50, 10), 96)
    assert ((bell == 0).mean(1) > 0.2).all()


def test_two_peaks_are_two() -> None:
    peaks = shapes.draw_two_peaks(draws_of(100, 10), 96)
    is_top = (peaks > np.roll(peaks, 1, 1)) & (peaks > np.roll(peaks, -1, 1))
    assert np.median(is_top.sum(1)) == 2


def test_the_profile_of_a_day_reaches_from_zero_to_one() -> None:
    profile = shapes.draw_day_profile(draws_of(100, 10), 24)
    assert profile.min(1) == pytest.approx(0)
    assert np.quantile(profile.max(1), 0.1) == pytest.approx(1)


def test_a_smooth_wave_has_its_period_though_it_is_no_whole_number() -> None:
    wave = shapes.draw_smooth_wave(draws_of(20, 1000), 36.525, 3)
    position = np.arange(200) + 10 * 36.525
    step = np.arange(1000)
    later = np.stack([np.interp(position, step, row) for row in wave])
    assert later == pytest.approx(wave[:, :200], abs=0.05)
    assert wave.std(1) == pytest.approx(1)


def test_harmonics_and_spikes_have_the_season() -> None:
    assert shapes.draw_harmonics(draws_of(5, 10), 3, 4).shape == (5, 3)
    spikes = shapes.draw_spikes(draws_of(300, 10), 24)
    assert 0.05 < (spikes != 0).mean() < 0.2
