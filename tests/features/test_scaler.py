"""Fixed scales know only the training part, and what they scale comes back as it was."""

import json
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmcast.config import (
    Config,
    ModelConfig,
    Scale,
    TrainConfig,
    Transform,
    WindowConfig,
)
from lstmcast.errors import UsageError
from lstmcast.features import scaler
from lstmcast.features.preprocessing import Scaling
from lstmcast.features.scaler import fit_scaler, inverse_transform, transform_values
from lstmcast.features.steps import Seasons
from lstmcast.ragged import NAN, Floats
from lstmcast.training.forecaster import MIN_PANEL_SERIES, Forecaster
from tests.make import flat, panel_of, wavy

KINDS = [kind for kind in get_args(Scale) if kind != "causal"]
SEASON = Seasons(12, 0)


def some_series(count: int = 2) -> list[Floats]:
    rng = np.random.default_rng(0)
    series = [
        wavy(rng, 60),
        wavy(rng, 50) - 25,
        *(wavy(rng, 48) for _ in range(count - 2)),
    ]
    series[0][[4, 30]] = NAN
    return series


def quick(count_of_steps: int = 3, **model: object) -> Config:
    train = TrainConfig(steps=count_of_steps, members=2, jobs=1)
    return Config(
        model=ModelConfig(**model), train=train, window=WindowConfig(horizon=6)
    )  # type: ignore[arg-type]


def by_hand(kind: str, y: Floats) -> tuple[float, float]:
    y = y[~np.isnan(y)]
    place = np.sort(y)[np.round(np.array([0.25, 0.5, 0.75]) * (len(y) - 1)).astype(int)]
    return {
        "standard": (y.mean(), y.std()),
        "robust": (place[1], place[2] - place[0]),
        "minmax": (y.min(), np.ptp(y)),
        "none": (0.0, 1.0),
    }[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_a_fixed_scale_is_that_of_the_first_steps_of_each_series(kind: Scale) -> None:
    series = some_series()
    values, offsets = flat(series)
    ends = np.array([40, 30])
    state = scaler.with_fixed_scale(
        kind, values, offsets, ends, fit_scaler(values, offsets, "none")
    )
    assert state.centre is not None and state.spread is not None
    for i, y in enumerate(series):
        np.testing.assert_allclose(
            (state.centre[i], state.spread[i]), by_hand(kind, y[: ends[i]]), rtol=1e-10
        )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", [NAN, 0.0, 1e9, -1e9])
def test_nothing_after_the_training_part_is_known_to_a_fixed_scale(
    kind: Scale, value: float
) -> None:
    values, offsets = flat(some_series())
    ends = np.array([40, 30])
    state = fit_scaler(values, offsets, "none")
    before = scaler.with_fixed_scale(kind, values, offsets, ends, state)
    values[40:60], values[90:] = value, value
    after = scaler.with_fixed_scale(kind, values, offsets, ends, state)
    assert [part.tolist() for part in before if part is not None] == [
        part.tolist() for part in after if part is not None
    ]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [2, MIN_PANEL_SERIES])
def test_no_change_of_the_future_or_the_validation_zone_leaks_into_the_scale_of_a_run(
    kind: Scale, count: int
) -> None:
    series = some_series(count)
    changed = [np.where(np.arange(len(y)) < len(y) - 4, y, 77.0) for y in series]
    forecasters = [
        Forecaster(quick(0, scale=kind, transform="none")).fit(panel_of(y))
        for y in (series, changed)
    ]
    for name in ("centre", "spread"):
        one, two = (
            getattr(forecaster.scaling.scaler, name) for forecaster in forecasters
        )
        assert one.tolist() == two.tolist()


def test_a_series_that_never_changed_or_never_began_has_a_scale_of_one() -> None:
    values, offsets = flat([np.full(5, 3.0), np.full(4, NAN)])
    for kind in KINDS:
        state = scaler.with_fixed_scale(
            kind, values, offsets, np.array([5, 4]), fit_scaler(values, offsets, "none")
        )
        assert state.spread is not None and state.spread.tolist() == [1.0, 1.0]


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(
        st.sampled_from([NAN, 0.0, 1e300, 1e-300, 1.0]) | st.floats(-1e12, 1e12),
        min_size=3,
        max_size=12,
    ).filter(lambda y: not np.isnan(y).all()),
    how=st.sampled_from(get_args(Transform)),
    kind=st.sampled_from(get_args(Scale)),
)
def test_what_is_transformed_comes_back(
    values: list[float], how: Transform, kind: Scale
) -> None:
    y, offsets = flat([np.array(values)])
    known = y[~np.isnan(y)]
    if how == "log" and (known <= 0).any():
        how = "none"
    state = scaler.with_fixed_scale(
        kind, y, offsets, np.array([len(y)]), fit_scaler(y, offsets, how)
    )
    owner = np.zeros(len(y), np.int64)
    back = inverse_transform(transform_values(y, owner, state), owner, state)
    assert (np.isnan(back) == np.isnan(y)).all()
    np.testing.assert_allclose(
        back[~np.isnan(y)], known, rtol=1e-12, atol=1e-12 * np.abs(known).max()
    )


@pytest.mark.parametrize("kind", get_args(Scale))
@pytest.mark.parametrize("how", ["auto", "none"])
def test_the_state_is_written_to_json_and_read_back_exactly(
    kind: Scale, how: Transform
) -> None:
    scaling = Scaling.fit(panel_of(some_series()), SEASON, scale=kind, transform=how)
    again = Scaling.from_dict(
        json.loads(json.dumps(scaling.to_dict(), allow_nan=False))
    )
    assert again.to_dict() == scaling.to_dict()
    assert (again.scale, again.transform) == (kind, how)
    for one, two in zip(scaling.scaler, again.scaler, strict=True):
        assert (one is None and two is None) or np.array_equal(one, two)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS)
def test_the_network_sees_the_series_on_the_scale(kind: Scale) -> None:
    panel = panel_of(some_series())
    scaling = Scaling.fit(panel, SEASON, scale=kind, transform="none")
    steps = scaling.steps(panel, scaling.scaler)
    owner = np.repeat([0, 1], panel.lengths)
    assert scaling.scaler.centre is not None and scaling.scaler.spread is not None
    np.testing.assert_allclose(
        steps.x[:, 0],
        (steps.z - scaling.scaler.centre[owner]) / scaling.scaler.spread[owner],
        rtol=1e-5,
    )
    assert np.array_equal(steps.scale, scaling.scaler.spread[owner])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [2, MIN_PANEL_SERIES])
def test_runs_on_a_fixed_scale_are_saved_and_forecast_series_of_no_training(
    kind: Scale, count: int, tmp_path: object
) -> None:
    one = Forecaster(quick(scale=kind)).fit(panel_of(some_series(count)))
    assert one.start["from"] == "scratch" and f"--scale {kind}" in one.start["why"]
    again = Forecaster.load(one.save(f"{tmp_path}/run"))
    forecast = one.predict()
    assert again.predict()["forecast"].tolist() == forecast["forecast"].tolist()
    assert np.isfinite(forecast["forecast"]).all()
    new = panel_of(some_series(count + 1)).select(np.array([count]))
    assert np.isfinite(again.predict(new)["forecast"]).all()


def test_each_scale_and_transform_changes_the_forecast() -> None:
    panel = panel_of(some_series())
    models = [ModelConfig(scale=kind) for kind in get_args(Scale)] + [
        ModelConfig(transform="none")
    ]
    train = TrainConfig(start="scratch", steps=3, members=1, jobs=1)
    forecasts = [
        Forecaster(Config(model=m, train=train, window=WindowConfig(horizon=6)))
        .fit(panel)
        .predict()["forecast"]
        .tolist()
        for m in models
    ]
    assert len({tuple(forecast) for forecast in forecasts}) == len(models)


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_the_logarithm_of_what_has_none_is_refused_before_training(
    value: float,
) -> None:
    series = [wavy(np.random.default_rng(0), 40) for _ in range(2)]
    series[1][[7, 9]] = value
    with pytest.raises(
        UsageError,
        match=rf"transform='log' .*{value:g} of series 's1' at 2001-08-01 \(and 1 more\)",
    ):
        Forecaster(quick(transform="log")).fit(panel_of(series))


def test_the_logarithm_is_taken_of_every_series_where_it_is_requested() -> None:
    values, offsets = flat([np.array([1.0, 2, 4000]), np.array([5.0, 6, 7])])
    state = fit_scaler(values, offsets, "log")
    assert state.log.all() and not state.shift.any()
    assert not fit_scaler(values, offsets, "none").log.any()


@pytest.mark.parametrize("level", [1e5, -1e5, 1e9, -3e9])
def test_a_large_level_changes_nothing_but_the_level(level: float) -> None:
    y = wavy(np.random.default_rng(0), 120)
    near = np.copysign(5000.0, level)
    run = quick(0)
    forecasts = []
    for c in (near, level):
        forecaster = Forecaster(run).fit(panel_of([y + c]))
        assert not forecaster.scaling.scaler.log.any()
        numbers = forecaster.predict()[["forecast", "q10", "q90"]].to_numpy()
        forecasts.append(numbers - c)
    size = np.abs(level) * 1e-12
    assert forecasts[0] == pytest.approx(forecasts[1], rel=1e-3, abs=100 * size)
    # As wide as the series is restless.
    width = forecasts[1][:, 2] - forecasts[1][:, 1]
    assert (width > 1).all() and (width < np.ptp(y)).all()


def test_a_usual_level_is_left_as_it_is() -> None:
    y = wavy(np.random.default_rng(0), 120)
    state = fit_scaler(*flat([y, y + 500]))
    assert state.shift.tolist() == [0, 0]
    assert state.log.tolist() == [True, True]
