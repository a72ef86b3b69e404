"""Effects of covariates are found where there are any, and pooled among short series."""

import json

import numpy as np
import pytest

from lstmcast.features import covariate_effects
from lstmcast.features.covariate_effects import CovariateEffects
from lstmcast.features.steps import Seasons
from lstmcast.ragged import Floats
from tests.make import steps_of

WEEK = Seasons(7, 0)


def driven(
    rng: np.random.Generator,
    length: int,
    x: Floats,
    strength: float = 1.0,
    noise: float = 0.1,
) -> Floats:
    """A series around 0, so without logs, that a covariate [T] drives, with a weekly season."""
    return np.asarray(
        strength * x
        + np.sin(np.arange(length) * 2 * np.pi / 7)
        + noise * rng.normal(size=length)
    )


def test_the_effect_of_a_covariate_is_found_in_the_units_of_the_series() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(500, 20, 200)
    steps = steps_of([driven(rng, 200, (x - 500) / 20, 3.0)], WEEK)
    effects = covariate_effects.fit_effects(steps, x[:, None], np.array([200]))
    np.testing.assert_allclose(effects.effect, 3 / 20, rtol=0.05)
    np.testing.assert_allclose(
        effects.added(np.array([[520.0]]), np.zeros(1, int)), 3.0, atol=0.3
    )
    assert effects.any()


def test_covariates_that_do_nothing_have_no_effect_or_hardly_any() -> None:
    believed = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        walk, other = rng.normal(size=(2, 300)).cumsum(1)
        table = np.stack([other, rng.normal(size=300)], 1)
        effects = covariate_effects.fit_effects(
            steps_of([walk], Seasons(1, 0)), table, np.array([300])
        )
        believed += effects.any()
        assert abs(effects.effect).max() < 0.25
    assert believed <= 2


def test_nothing_after_the_steps_to_learn_from_is_looked_at() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(160, 1))
    y = driven(rng, 160, x[:, 0])
    changed, other = y.copy(), x.copy()
    changed[120:], other[120:] = 50.0, -9.0
    first = covariate_effects.fit_effects(steps_of([y], WEEK), x, np.array([120]))
    second = covariate_effects.fit_effects(
        steps_of([changed], WEEK), other, np.array([120])
    )
    np.testing.assert_array_equal(first.effect, second.effect)


def test_short_series_learn_from_each_other_and_long_ones_keep_their_own() -> None:
    rng = np.random.default_rng(2)
    x = [rng.normal(size=25) for _ in range(40)]
    steps = steps_of([driven(rng, 25, one, 1.0, 0.3) for one in x], WEEK)
    short = covariate_effects.fit_effects(
        steps, np.concatenate(x)[:, None], np.full(40, 25)
    )
    assert abs(short.effect * 1.0 - 1).max() < 0.4
    x = [rng.normal(size=400) for _ in range(4)]
    strengths = np.array([2.0, -2.0, 0.5, 1.0])
    steps = steps_of(
        [driven(rng, 400, one, k) for one, k in zip(x, strengths, strict=True)], WEEK
    )
    own = covariate_effects.fit_effects(
        steps, np.concatenate(x)[:, None], np.full(4, 400)
    )
    np.testing.assert_allclose(own.effect[:, 0], strengths, atol=0.15)


def test_a_few_wild_values_do_not_make_an_effect() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=300)
    y = driven(rng, 300, x)
    y[[50, 120, 240]] = 400.0
    effects = covariate_effects.fit_effects(
        steps_of([y], WEEK), x[:, None], np.array([300])
    )
    assert effects.effect[0, 0] == pytest.approx(1.0, abs=0.2)


def test_missing_and_constant_covariates_and_missing_values_are_survived() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(200, 3))
    x[:, 1], x[:, 2] = 5.0, np.nan
    y = driven(rng, 200, x[:, 0])
    x[40:60, 0], y[90:120] = np.nan, np.nan
    effects = covariate_effects.fit_effects(steps_of([y], WEEK), x, np.array([200]))
    assert effects.effect[0, 0] == pytest.approx(1.0, abs=0.2)
    assert effects.effect[0, 1:].tolist() == [0.0, 0.0]
    assert effects.added(np.full((1, 3), np.nan), np.zeros(1, int)).tolist() == [0.0]


def test_a_series_of_no_training_gets_the_usual_effect_in_its_own_units() -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=200)
    small = driven(rng, 200, x)
    steps = steps_of([small, 1000 * small], WEEK)
    effects = covariate_effects.fit_effects(
        steps, np.tile(x, 2)[:, None], np.array([200, 200])
    )
    new = steps_of([50 * driven(rng, 200, x)], WEEK)
    measured = covariate_effects.measure_units(new, 8 * x[:, None], np.array([200]))
    own = covariate_effects.to_series_units(
        CovariateEffects(measured.mean, effects.usual[None], effects.usual), measured
    )
    assert own.effect[0, 0] == pytest.approx(50 / 8, rel=0.15)


def test_with_too_many_series_and_covariates_all_share_one_effect(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(6)
    x = [rng.normal(size=100) for _ in range(3)]
    steps = steps_of([driven(rng, 100, one) for one in x], WEEK)
    table, ends = np.concatenate(x)[:, None], np.full(3, 100)
    apart = covariate_effects.fit_effects(steps, table, ends)
    monkeypatch.setattr(covariate_effects, "_MAX_MATRIX_CELLS", 2)
    together = covariate_effects.fit_effects(steps, table, ends)
    assert together.effect.shape == apart.effect.shape
    np.testing.assert_allclose(together.effect, apart.effect, atol=0.1)


def test_effects_survive_json_to_the_bit() -> None:
    rng = np.random.default_rng(7)
    effects = CovariateEffects(
        rng.normal(size=(3, 2)), rng.normal(size=(3, 2)), rng.normal(size=2)
    )
    back = CovariateEffects.from_dict(
        json.loads(json.dumps(effects.to_dict(), allow_nan=False))
    )
    for one, other in zip(effects, back, strict=True):
        np.testing.assert_array_equal(one, other)
    assert CovariateEffects.from_dict(
        covariate_effects.no_effects(2, 0).to_dict()
    ).mean.shape == (
        2,
        0,
    )


def test_a_covariate_that_never_changed_has_no_effect_whatever_rounding_makes_of_its_mean() -> (
    None
):
    rng = np.random.default_rng(5)
    x = rng.normal(size=59)
    constant = np.full(59, 5.2)
    assert constant.sum() / 59 != 5.2
    steps = steps_of([driven(rng, 59, x, 3.0), driven(rng, 59, 0 * x)], WEEK)
    effects = covariate_effects.fit_effects(
        steps, np.concatenate([x, constant])[:, None], np.array([59, 59])
    )
    assert effects.effect[0, 0] > 1
    assert effects.effect[1, 0] == 0
