"""Alterations change what they say and keep what they say."""

import numpy as np
import pytest

from lstmcast.training.generators import alterations
from lstmcast.training.generators.draws import standardise
from tests.training.generators.make import draws_of

T = np.arange(200)
WAVES = standardise(np.stack([np.sin(T / k) for k in (2, 3, 5, 7)]))


def test_a_mix_is_a_weighted_sum_of_two_or_three_series() -> None:
    mixed = alterations.mix_series(draws_of(100, 200), WAVES)
    weights, *_ = np.linalg.lstsq(WAVES.T, mixed.T, rcond=None)
    assert pytest.approx(mixed, abs=1e-6) == weights.T @ WAVES
    n_mixed = (np.abs(weights) > 1e-6).sum(0)
    assert set(n_mixed) == {1, 2, 3} and (n_mixed > 1).mean() > 0.7
    assert mixed.std(1) == pytest.approx(1)


def test_a_changing_mix_has_other_weights_at_its_end() -> None:
    mixed = alterations.mix_changing(draws_of(100, 200), WAVES)

    def weights_of(part: slice) -> np.ndarray:
        design = np.vstack([WAVES[:, part], np.ones(WAVES[:, part].shape[1])])
        return np.linalg.lstsq(design.T, mixed[:, part].T, rcond=None)[0][:4]

    distance = np.abs(weights_of(slice(0, 40)) - weights_of(slice(160, 200))).max(0)
    assert np.median(distance) > 0.2


def test_amplitude_trend_and_shift_are_what_they_are_called() -> None:
    draws = draws_of(4, 200)
    swelling = alterations.modulate_amplitude(draws, WAVES)
    ratio = swelling / np.where(np.abs(WAVES) > 0.2, WAVES, np.nan)
    assert (np.nanmax(ratio, 1) / np.nanmin(ratio, 1) > 1.1).all()
    flat = np.zeros((50, 200))
    shifted = alterations.add_level_shift(draws_of(50, 200), flat)
    assert ((np.diff(shifted, axis=1) != 0).sum(1) == 1).all()
    rising = alterations.add_trend(draws_of(50, 200), flat)
    assert np.diff(rising, 2, axis=1) == pytest.approx(0, abs=1e-9)
    assert rising.std(1) == pytest.approx(1)


def test_outliers_are_some_and_large() -> None:
    y = alterations.add_outliers(draws_of(200, 400), np.full((200, 400), 1.0))
    n_other = (np.abs(y - np.median(y, 1, keepdims=True)) > 1e-9).mean(1)
    assert n_other.mean() == pytest.approx(0.01, abs=0.002)


def test_positive_series_keep_their_zeros_and_signed_ones_their_size() -> None:
    y = np.maximum(draws_of(500, 100).shocks(), 0)
    altered = alterations.alter_positive(draws_of(500, 100, 1), y)
    assert ((altered == 0) == (y == 0)).all() and (altered >= 0).all()
    changed = (altered != y).any(1).mean()
    assert 0.08 < changed < 0.25

    signed = standardise(draws_of(500, 100).walk())
    other = alterations.alter_signed(draws_of(500, 100, 1), signed)
    assert other.std(1) == pytest.approx(1)
    assert 0.25 < (other != signed).any(1).mean() < 0.6
    is_flipped = np.array([(a == -b).all() for a, b in zip(other, signed, strict=True)])
    is_reversed = (other == signed[:, ::-1]).all(1)
    assert is_flipped.any() and is_reversed.any()


def test_levels_are_multiplied_from_a_step_on() -> None:
    y = np.ones((50, 100))
    assert (
        (np.diff(alterations.multiply_level(draws_of(50, 100), y)) != 0).sum(1) == 1
    ).all()
    assert (alterations.modulate_level(draws_of(50, 100), y) > 0).all()
    assert (alterations.multiply_outliers(draws_of(50, 100), y) > 0).all()
