"""Scaling is fitted to what training may see, survives JSON, and reaches panels by their keys."""

import json

import numpy as np
import pandas as pd
import pytest

from lstmcast.features import steps
from lstmcast.features.preprocessing import Scaling
from lstmcast.features.steps import Seasons
from lstmcast.panel.panel import Panel
from tests.make import panel_of, wavy

YEAR = Seasons(12, 0)


def covariate_panel(
    ahead: int = 6, past_shift: float = 0.0, future_value: float = 0.0
) -> Panel:
    """Two series with covariates of each kind; the target of the last `ahead` rows is empty."""
    rng = np.random.default_rng(0)
    parts = []
    for i, length in enumerate((40, 30)):
        known = np.arange(length + ahead) < length
        y = np.where(known, np.append(wavy(rng, length), np.zeros(ahead)), np.nan)
        parts.append(
            pd.DataFrame(
                {
                    "id": f"s{i}",
                    "t": pd.date_range("2001-01-01", periods=length + ahead, freq="MS"),
                    "y": y,
                    "past": np.where(
                        known, rng.normal(5, 2, length + ahead), past_shift
                    ),
                    "plan": np.where(
                        known, rng.normal(-3, 4, length + ahead), future_value
                    ),
                    "size": float(i),
                }
            )
        )
    frame = pd.concat(parts, ignore_index=True)
    return Panel.from_frame(
        frame,
        target="y",
        time="t",
        series="id",
        past="past",
        future="plan",
        static="size",
    )


def test_covariates_are_scaled_by_the_mean_and_deviation_of_training() -> None:
    panel = covariate_panel()
    covariates = Scaling.fit(panel, YEAR).covariates(panel)
    assert covariates is not None
    assert covariates.step.shape == (70, 3)
    np.testing.assert_allclose(covariates.step.mean(0)[:2], 0, atol=1e-6)
    np.testing.assert_allclose(covariates.step.std(0)[:2], 1, atol=1e-6)
    assert set(covariates.step[:40, 2]) == {-1.0}
    assert set(covariates.step[40:, 2]) == {1.0}


def test_covariates_ahead_of_the_target_do_not_shape_the_scaling() -> None:
    plain, changed = (
        Scaling.fit(covariate_panel(future_value=v, past_shift=v), YEAR)
        for v in (0.0, 1e9)
    )
    assert plain.to_dict() == changed.to_dict()


def test_covariates_ahead_are_scaled_alike_and_stay_separate() -> None:
    panel = covariate_panel(future_value=2.0)
    scaling = Scaling.fit(panel, YEAR)
    covariates = scaling.covariates(panel)
    assert covariates is not None
    assert np.diff(covariates.ahead_offsets).tolist() == [46, 36]
    expected = (2.0 - scaling.mean[1]) / scaling.deviation[1]
    np.testing.assert_allclose(covariates.ahead[40:46], expected, rtol=1e-6)
    np.testing.assert_array_equal(covariates.ahead[:40], covariates.step[:40, 1:2])


def test_unknown_and_constant_covariates_become_zero_and_extreme_ones_are_clipped() -> (
    None
):
    y = wavy(np.random.default_rng(0), 30)
    x = np.arange(30.0)
    x[[3, 9]] = np.nan
    panel = panel_of([y], past=["x", "flat", "empty"], x=x, flat=7.0, empty=np.nan)
    scaling = Scaling.fit(panel, YEAR)
    covariates = scaling.covariates(panel)
    assert covariates is not None
    assert covariates.step[[3, 9], 0].tolist() == [0.0, 0.0]
    assert not covariates.step[:, 1:].any()
    later = scaling.covariates(
        panel_of([y], past=["x", "flat", "empty"], x=1e12, flat=7.0, empty=np.nan)
    )
    assert later is not None
    assert set(later.step[:, 0]) == {steps.FEATURE_CLIP}
    assert np.isfinite(later.step).all()


def test_a_panel_without_covariates_has_none() -> None:
    panel = panel_of([wavy(np.random.default_rng(0), 30)])
    assert Scaling.fit(panel, YEAR).covariates(panel) is None


def test_scaling_survives_json_to_the_bit() -> None:
    rng = np.random.default_rng(3)
    panel = panel_of([wavy(rng, 30), wavy(rng, 20) - 40, np.zeros(5), wavy(rng, 9) / 3])
    fixed = Scaling.fit(panel, YEAR, scale="robust")
    for scaling in (
        Scaling.fit(panel, YEAR),
        Scaling.fit(covariate_panel(), Seasons(7, 365)),
        fixed,
    ):
        back = Scaling.from_dict(
            json.loads(json.dumps(scaling.to_dict(), allow_nan=False))
        )
        assert back.seasons == scaling.seasons
        for one, other in zip(back.scaler, scaling.scaler, strict=True):
            if one is None or other is None:
                assert one is other
            else:
                assert (one.dtype, one.tobytes()) == (other.dtype, other.tobytes())
        assert back.mean.tobytes() == scaling.mean.tobytes()
        assert back.deviation.tobytes() == scaling.deviation.tobytes()


def test_a_known_series_keeps_the_transform_of_training_whatever_its_new_values() -> (
    None
):
    rng = np.random.default_rng(3)
    panel = panel_of([wavy(rng, 30), wavy(rng, 30) - 60])
    scaling = Scaling.fit(panel, YEAR)
    swapped = panel_of([np.full(20, -5.0), np.full(20, 5.0)])
    state = scaling.scaler_for_panel(swapped, np.array([1, 0]), np.array([20, 20]))
    for one, other in zip(state, scaling.scaler.take(np.array([1, 0])), strict=True):
        assert one is other or np.array_equal(one, other)


@pytest.mark.parametrize("future", [-1e9, 0.0, np.nan, 1e9])
def test_the_transform_of_a_new_series_comes_only_from_its_own_past(
    future: float,
) -> None:
    rng = np.random.default_rng(3)
    scaling = Scaling.fit(panel_of([wavy(rng, 30)]), YEAR)
    y = wavy(rng, 25)
    changed = np.where(np.arange(25) < 15, y, future)
    trained, ends = np.array([0, -1]), np.array([25, 15])
    plain, other = (
        scaling.scaler_for_panel(panel_of([y, own]), trained, ends)
        for own in (y, changed)
    )
    assert plain.log.tolist() == [True, True]
    for one, two in zip(plain, other, strict=True):
        assert one is two or one.tobytes() == two.tobytes()


def test_the_panel_is_left_unchanged() -> None:
    panel = covariate_panel()
    before = panel.fingerprint()
    scaling = Scaling.fit(panel, YEAR)
    scaling.covariates(panel)
    scaling.steps(
        panel, scaling.scaler_for_panel(panel, np.array([0, -1]), np.array([10, 10]))
    )
    assert panel.fingerprint() == before
