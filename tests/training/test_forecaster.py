"""From a panel to a forecast: no leaks, the same bytes, and sense for every kind of series.

Trainings are a few steps long: what is tested here is not the accuracy.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmcast.compute.progress import Event
from lstmcast.config import Config, ModelConfig, TrainConfig, WindowConfig
from lstmcast.errors import DataError, DivergedError, RunError, UsageError
from lstmcast.forecasting import combination
from lstmcast.panel.panel import Panel
from lstmcast.ragged import NAN, Floats, Ints
from lstmcast.training import forecaster as forecaster_module
from lstmcast.training import initial_weights, members
from lstmcast.training.forecaster import MIN_PANEL_SERIES, Forecaster
from tests.make import fast_learner, panel_of, wavy

ALL = np.arange(0.1, 0.95, 0.1)
QUICK = Config(
    train=TrainConfig(steps=4, members=2, jobs=1), window=WindowConfig(horizon=6)
)
SHOCKS = (0.0, NAN, -1e9, 1e9, 1e-9, 1e200)


def config(steps: int | None = 4, horizon: int | None = 6, **train: object) -> Config:
    options = {"members": 2, "jobs": 1, **train}
    return Config(
        train=TrainConfig(steps=steps, **options), window=WindowConfig(horizon=horizon)
    )  # type: ignore[arg-type]


def some_series(count: int = 3, length: int = 60) -> list[Floats]:
    """Series of their own lengths: the second goes below zero, the third has gaps."""
    rng = np.random.default_rng(0)
    series = [wavy(rng, length - 3 * (i % 4)) for i in range(count)]
    series[1] = series[1] - 25
    if count > 2:
        series[2][[5, 20, 21]] = NAN
    return series


def shocked(
    series: Sequence[Floats], i: int, first: int, value: float, whole: bool
) -> list[Floats]:
    """The series with `value` in series i at step `first`, or in up to 20 steps, not the last."""
    out = [y.copy() for y in series]
    out[i][first : min(first + 20, len(out[i]) - 1) if whole else first + 1] = value
    return out


def windows(panel: Panel, origin: int) -> tuple[Ints, Ints]:
    return np.arange(len(panel)), np.full(len(panel), origin)


@pytest.fixture(scope="module")
def fitted() -> Forecaster:
    """Fitted to the first 40 steps of three series."""
    panel = panel_of(some_series())
    return Forecaster(QUICK).fit(panel.head(np.full(3, 40)))


# ---- no leaks


@settings(max_examples=16, deadline=None)
@given(
    origin=st.integers(0, 47),
    ahead=st.integers(1, 12),
    value=st.sampled_from(SHOCKS) | st.floats(-1e6, 1e6),
    whole=st.booleans(),
    i=st.integers(0, 2),
)
def test_no_change_of_the_future_changes_a_forecast_by_a_bit(
    fitted: Forecaster, origin: int, ahead: int, value: float, whole: bool, i: int
) -> None:
    series = some_series()
    before = panel_of(series)
    after = panel_of(shocked(series, i, min(origin + ahead, 50), value, whole))
    forecasts = [
        fitted.quantiles(panel, *windows(before, origin), 14, ALL)
        for panel in (before, after)
    ]
    assert np.isfinite(forecasts[0]).all()
    assert forecasts[0].tobytes() == forecasts[1].tobytes()


@settings(max_examples=15, deadline=None)
@given(origin=st.integers(2, 47), value=st.sampled_from(SHOCKS), whole=st.booleans())
def test_a_series_that_training_never_saw_is_forecast_from_its_past_only(
    fitted: Forecaster, origin: int, value: float, whole: bool
) -> None:
    series = some_series(5)
    before, after = (
        panel_of(y).select(np.array([4, 3]))
        for y in (series, shocked(series, 4, origin + 1, value, whole))
    )
    forecasts = [
        fitted.quantiles(panel, *windows(before, origin), levels=ALL)
        for panel in (before, after)
    ]
    assert forecasts[0].tobytes() == forecasts[1].tobytes()


@pytest.mark.parametrize("origin", [3, 16, 30])
def test_rows_that_come_later_change_no_forecast_made_before(
    fitted: Forecaster, origin: int
) -> None:
    panel = panel_of(some_series())
    head = panel.head(np.full(3, origin + 1))
    whole = fitted.quantiles(panel, *windows(panel, origin), levels=ALL)
    cut = fitted.quantiles(head, *windows(head, origin), levels=ALL)
    assert whole.tobytes() == cut.tobytes()
    assert (
        fitted.predict(head)["forecast"].to_numpy().tobytes()
        == whole[..., 4].ravel().tobytes()
    )


def test_the_past_does_change_forecasts(fitted: Forecaster) -> None:
    series = some_series()
    for origin in (5, 30):
        before = panel_of(series)
        after = panel_of(shocked(series, 0, origin, 3.0, False))
        forecasts = [
            fitted.quantiles(panel, *windows(before, origin))
            for panel in (before, after)
        ]
        assert (forecasts[0][0] != forecasts[1][0]).any()
        assert forecasts[0][1:].tobytes() == forecasts[1][1:].tobytes()


@pytest.mark.parametrize("value", [NAN, -1e9, 1e9, 0.0])
@pytest.mark.parametrize("count", [1, MIN_PANEL_SERIES])
def test_nothing_learnt_scaled_combined_or_calibrated_before_a_cutoff_depends_on_what_comes_after(
    count: int, value: float
) -> None:
    series = some_series(max(count, 2))[:count]
    changed = [np.where(np.arange(len(y)) < 40, y, value) for y in series]
    results = []
    for panel in (panel_of(series), panel_of(changed)):
        forecaster = Forecaster(config(steps=2)).fit(panel.head(np.full(count, 40)))
        forecasts = forecaster.quantiles(panel, *windows(panel, 39), levels=ALL)
        assert forecaster.verdict is not None
        results.append(
            (
                forecasts.tobytes(),
                forecaster.scaling.to_dict(),
                forecaster.guard.to_dict(),
                forecaster.verdict.to_dict(),
            )
        )
    assert results[0] == results[1]


def covariate_panel(role: str, later: float | None = None, cut: int = 40) -> Panel:
    """One series with a covariate whose values after `cut` steps are `later`."""
    rng = np.random.default_rng(2)
    y, x = wavy(rng, 60), rng.normal(size=60)
    if later is not None:
        x[cut:] = later
    return panel_of([y], x=x, **{role: "x"})


@pytest.mark.parametrize("later", [1e9, -1e9, NAN, 0.0])
def test_covariates_known_in_the_past_only_do_not_leak(later: float) -> None:
    plain, changed = (covariate_panel("past", value) for value in (None, later))
    forecaster = Forecaster(config(start="scratch")).fit(plain.head(np.array([40])))
    forecasts = [
        forecaster.quantiles(panel, *windows(panel, 39), levels=ALL)
        for panel in (plain, changed)
    ]
    assert forecasts[0].tobytes() == forecasts[1].tobytes()
    again = Forecaster(config(start="scratch")).fit(changed.head(np.array([40])))
    assert again.scaling.to_dict() == forecaster.scaling.to_dict()
    assert (
        again.quantiles(changed, *windows(changed, 39), levels=ALL).tobytes()
        == forecasts[0].tobytes()
    )


def test_covariates_known_ahead_are_used_up_to_the_horizon_and_no_further() -> None:
    plain = covariate_panel("future")
    forecaster = Forecaster(config(steps=20, start="scratch")).fit(
        plain.head(np.array([40]))
    )
    near, far = (
        covariate_panel("future", 5.0, cut=41),
        covariate_panel("future", 5.0, cut=46),
    )
    forecasts = [
        forecaster.quantiles(panel, *windows(panel, 39), levels=ALL)
        for panel in (plain, near, far)
    ]
    assert forecasts[2].tobytes() == forecasts[0].tobytes()
    assert forecasts[1].tobytes() != forecasts[0].tobytes()


# ---- the same bytes


def test_any_number_of_jobs_gives_the_same_bytes() -> None:
    panel = panel_of(some_series())
    forecaster, second = (
        Forecaster(config(jobs=jobs, members=3)).fit(panel) for jobs in (1, 2)
    )
    pd.testing.assert_frame_equal(
        forecaster.predict(), second.predict(), check_exact=True
    )
    assert forecaster.guard.to_dict() == second.guard.to_dict()
    assert [{**row, "seconds": 0} for row in forecaster.history] != []


def test_the_same_seed_gives_the_same_forecast_and_another_does_not() -> None:
    panel = panel_of(some_series())
    torch.manual_seed(5)
    forecasts = [
        Forecaster(config(seed=seed, start="scratch")).fit(panel).predict()
        for seed in (0, 0, 1)
    ]
    pd.testing.assert_frame_equal(forecasts[0], forecasts[1], check_exact=True)
    assert (forecasts[0]["forecast"] != forecasts[2]["forecast"]).any()


@pytest.mark.parametrize("kind", ["singles", "panel", "covariates", "short"])
def test_a_saved_run_forecasts_the_same_to_the_bit(kind: str, tmp_path: Path) -> None:
    panel = {
        "singles": lambda: panel_of(some_series()),
        "panel": lambda: panel_of(some_series(MIN_PANEL_SERIES)),
        "covariates": lambda: covariate_panel("past"),
        "short": lambda: panel_of([np.array([1.0, 2.0, 4.0])]),
    }[kind]()
    settings = config(steps=2, horizon=2 if kind == "short" else 6)
    forecaster = Forecaster(settings).fit(panel)
    path = forecaster.save(tmp_path / "run")
    second = Forecaster.load(path)
    pd.testing.assert_frame_equal(
        forecaster.predict(), second.predict(), check_exact=True
    )
    later = (
        panel_of([y * 1.1 for y in some_series(4)])
        if kind != "covariates"
        else covariate_panel("past", 1.0)
    )
    pd.testing.assert_frame_equal(
        forecaster.predict(later, horizon=9),
        second.predict(later, horizon=9),
        check_exact=True,
    )
    assert (second.config, second.horizon, second.season, second.notes) == (
        forecaster.config,
        forecaster.horizon,
        forecaster.season,
        forecaster.notes,
    )
    assert second.cutoff.tolist() == forecaster.cutoff.tolist()
    assert second.guard.to_dict() == forecaster.guard.to_dict()
    assert (second.verdict and second.verdict.to_dict()) == (
        forecaster.verdict and forecaster.verdict.to_dict()
    )
    assert [row["member"] for row in second.history] == [
        row["member"] for row in forecaster.history
    ]
    with pytest.raises(RunError, match="holds a run already"):
        forecaster.save(path)


def test_fitting_and_forecasting_leave_the_panel_unchanged(fitted: Forecaster) -> None:
    panel = panel_of(some_series())
    before = panel.fingerprint()
    Forecaster(QUICK).fit(panel)
    fitted.predict(panel)
    assert panel.fingerprint() == before


# ---- the forecast table


def test_the_table_goes_on_from_the_end_of_each_series(fitted: Forecaster) -> None:
    table = fitted.predict(horizon=2)
    assert list(table) == ["id", "t", "forecast", "q10", "q50", "q90"]
    assert table["id"].tolist() == ["s0", "s0", "s1", "s1", "s2", "s2"]
    assert table["t"].dt.strftime("%Y-%m").tolist() == ["2004-05", "2004-06"] * 3
    assert (table["forecast"] == table["q50"]).all()


@pytest.mark.parametrize("horizon", [1, 6, 40])
def test_any_horizon_can_be_forecast_and_quantiles_never_cross(
    fitted: Forecaster, horizon: int
) -> None:
    panel = panel_of(some_series())
    levels = (0.01, 0.025, 0.1, 0.25, 0.5, 0.77, 0.9, 0.975, 0.99)
    forecasts = fitted.quantiles(panel, *windows(panel, 45), horizon, levels)
    assert forecasts.shape == (3, horizon, len(levels))
    assert np.isfinite(forecasts).all()
    assert (np.diff(forecasts, axis=-1) >= 0).all()
    table = fitted.predict(panel, horizon=horizon, quantiles=levels)
    assert len(table) == 3 * horizon
    assert list(table)[3:] == [
        "q1",
        "q2.5",
        "q10",
        "q25",
        "q50",
        "q77",
        "q90",
        "q97.5",
        "q99",
    ]


def test_a_step_is_forecast_alike_whatever_the_horizon(fitted: Forecaster) -> None:
    panel = panel_of(some_series())
    long, short = (
        fitted.quantiles(panel, *windows(panel, 45), horizon) for horizon in (20, 5)
    )
    # The decoder sees two steps on either side, of which the last ones lack some.
    np.testing.assert_allclose(long[:, :3], short[:, :3], rtol=1e-5)
    spread = short[:, 3:, 2] - short[:, 3:, 0]
    apart = np.abs(long[:, 3:5, 1] - short[:, 3:, 1])
    assert (apart < 0.1 * spread).all()


@pytest.mark.parametrize("level", [0.0, 1.0, -0.1, 10.0, NAN])
def test_levels_outside_0_to_1_are_refused(fitted: Forecaster, level: float) -> None:
    with pytest.raises(UsageError, match="quantile levels"):
        fitted.predict(quantiles=(0.5, level))


def test_intervals_go_on_widening_beyond_the_trained_horizon() -> None:
    rng = np.random.default_rng(0)
    panel = panel_of([1000 + rng.normal(size=200).cumsum() for _ in range(4)])
    forecaster = Forecaster(config(steps=0, horizon=6)).fit(panel)
    table = forecaster.predict(horizon=36)
    width = (
        (table["q90"] - table["q10"]).to_numpy().reshape(4, 6, 6).mean((0, 2))
    )  # a horizon each
    assert (np.diff(width) > 0).all()
    assert width[-1] > 2 * width[0]


def test_intervals_widen_with_the_horizon_of_a_random_walk() -> None:
    rng = np.random.default_rng(1)
    walks = [100 + np.cumsum(rng.normal(size=120)) for _ in range(3)]
    table = (
        Forecaster(config(steps=0, horizon=24))
        .fit(panel_of(walks, freq="YS", start="1800-01-01"))
        .predict()
    )
    width = (table["q90"] - table["q10"]).to_numpy().reshape(3, 24)
    assert (width[:, -1] > 2 * width[:, 0]).all()


# ---- every kind of series


@pytest.mark.parametrize("length", [3, 4, 5, 8, 14])
@pytest.mark.parametrize("freq", ["MS", "YS", "D"])
def test_short_series_get_a_sensible_forecast(length: int, freq: str) -> None:
    y = 100 + 2 * np.arange(length)
    forecaster = Forecaster(config(horizon=None)).fit(
        panel_of([y.astype(float)], freq=freq)
    )
    table = forecaster.predict()
    assert len(table) == forecaster.horizon
    assert np.isfinite(table[["forecast", "q10", "q90"]].to_numpy()).all()
    assert table["forecast"].between(50, 250).all()
    assert (table["q10"] <= table["q90"]).all()


def test_a_series_too_short_to_validate_on_is_noted() -> None:
    forecaster = Forecaster(config(horizon=2)).fit(
        panel_of([np.array([1.0, 2.0, 4.0])])
    )
    assert forecaster.verdict is None
    assert any("too short" in note for note in forecaster.notes)
    assert forecaster.guard.windows == 0


def test_series_within_their_first_season_are_forecast_together_as_each_by_itself(
    fitted: Forecaster,
) -> None:
    panel = panel_of(
        [
            wavy(np.random.default_rng(i), length)
            for i, length in enumerate((5, 40, 8, 9))
        ]
    )
    series, origins = np.array([0, 1, 2, 3, 3]), np.array([4, 39, 7, 8, 3])
    forecasts = fitted.quantiles(panel, series, origins)
    for k in range(len(series)):
        single = panel.select(series[[k]]).head(origins[[k]] + 1)
        np.testing.assert_allclose(
            forecasts[k],
            fitted.quantiles(single, np.array([0]), origins[[k]])[0],
            rtol=1e-5,
        )


@pytest.mark.parametrize("value", [0.0, 7.0, -3.0, 1e-6, 1e9])
@pytest.mark.parametrize("length", [4, 40])
def test_a_constant_series_stays_constant(value: float, length: int) -> None:
    fitting = config(horizon=min(6, length - 1))
    table = Forecaster(fitting).fit(panel_of([np.full(length, value)])).predict()
    np.testing.assert_allclose(table["forecast"], value, rtol=1e-2, atol=1e-9)
    assert np.isfinite(table[["q10", "q90"]].to_numpy()).all()
    if value >= 0:
        assert (table["q10"] >= 0).all()


def test_an_intermittent_series_is_forecast_within_its_range() -> None:
    rng = np.random.default_rng(0)
    demand = [
        np.where(rng.random(80) < 0.2, rng.integers(1, 9, 80), 0).astype(float)
        for _ in range(3)
    ]
    table = (
        Forecaster(config(steps=10))
        .fit(panel_of(demand))
        .predict(quantiles=(0.025, 0.5, 0.975))
    )
    assert (table["q2.5"] >= 0).all()
    assert table["forecast"].between(0, 8).all()
    assert (table["q97.5"] < 40).all()


def test_a_series_that_never_was_negative_is_never_forecast_so() -> None:
    falling = np.maximum(200 - 4.0 * np.arange(50), 0.0) + 1.0
    shipped = Forecaster(config(steps=0, horizon=30)).fit(
        panel_of([falling, falling - 1])
    )
    table = shipped.predict(quantiles=(0.001, 0.5, 0.999))
    assert (table[["forecast", "q0.1", "q99.9"]] >= 0).to_numpy().all()


@pytest.mark.parametrize("unit", [1e-12, 1e12])
def test_very_small_and_very_large_values_are_no_trouble(unit: float) -> None:
    y = wavy(np.random.default_rng(0), 60)
    usual, scaled = (
        Forecaster(config(steps=0)).fit(panel_of([z])).predict() for z in (y, y * unit)
    )
    np.testing.assert_allclose(scaled["forecast"] / unit, usual["forecast"], rtol=1e-3)


def test_missing_values_at_the_end_are_no_trouble() -> None:
    y = wavy(np.random.default_rng(0), 60)
    y[30:33] = y[-2:] = NAN
    frame = pd.DataFrame(
        {"t": pd.date_range("2001-01-01", periods=60, freq="MS"), "y": y}
    )
    table = Forecaster(config()).fit(Panel.from_frame(frame, target="y")).predict()
    assert np.isfinite(table["forecast"]).all()


def test_a_panel_teaches_one_network_that_is_refitted_on_all_of_it() -> None:
    panel = panel_of(some_series(MIN_PANEL_SERIES))
    events: list[Event] = []
    forecaster = Forecaster(config(steps=3)).fit(panel, on_event=events.append)
    assert events[0].phase == "prepare"
    assert {"train", "member"} <= {event.phase for event in events}
    assert len(forecaster.networks) == len(forecaster.guard.members) in (1, 3)
    assert forecaster.guard.members.sum() == pytest.approx(1.0)
    assert forecaster.verdict is not None
    assert forecaster.verdict.series == MIN_PANEL_SERIES
    assert len(forecaster.predict()) == 6 * MIN_PANEL_SERIES


def test_the_refit_of_a_panel_trusts_training_and_halves_the_widening(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The final members know newer data than the one that was judged."""
    judged: list[combination.ValidationForecasts] = []
    found: list[combination.Combination] = []
    fit_combination = combination.fit_combination

    def recorded(case: combination.ValidationForecasts) -> combination.Combination:
        # The mix alone, with intervals that are known to be too narrow.
        judged.append(case)
        mix = fit_combination(case._replace(simple=None))
        found.append(mix._replace(widen=1.8))
        return found[-1]

    monkeypatch.setattr(combination, "fit_combination", recorded)
    panel = panel_of(some_series(MIN_PANEL_SERIES))
    forecaster = Forecaster(config(steps=20)).fit(panel)
    case, mix = judged[0], found[0]
    if len(forecaster.networks) == 1:
        pytest.fail("no step of training helped: the refit was not reached")
    # Trained members against the weights that they started from, and the mix against candidates.
    assert case.prior is not None
    assert case.prior.tolist() == [1.0, 3.0]
    assert case.network_margin == 0.2
    assert forecaster.guard.widen == pytest.approx(1.4)
    untrained, *final = forecaster.guard.members
    assert untrained == pytest.approx(mix.members[0])
    assert final == pytest.approx([mix.members[1] / 2] * 2)


def test_a_new_series_is_forecast_from_its_own_history(fitted: Forecaster) -> None:
    panel = panel_of([*some_series(), 1e4 + 100 * np.arange(30.0)])
    table = fitted.predict(panel)
    new = table[table["id"] == "s3"]
    assert new["forecast"].between(1e4, 2e4).all()
    assert new["t"].iloc[0] == pd.Timestamp("2003-07-01")


# ---- options of the network and the training


@pytest.mark.parametrize("loss", ["mse", "mae", "huber", "student-t"])
@pytest.mark.parametrize("count", [2, MIN_PANEL_SERIES])
def test_every_loss_gives_intervals_in_its_runs_and_in_backtests(
    loss: str, count: int, tmp_path: Path
) -> None:
    panel = panel_of(some_series(count, 50))
    forecaster = Forecaster(config(loss=loss, steps=3)).fit(panel)
    forecasts = forecaster.predict(quantiles=(0.02, 0.1, 0.5, 0.9))
    again = Forecaster.load(forecaster.save(tmp_path / "run")).predict(
        quantiles=(0.02, 0.1, 0.5, 0.9)
    )
    pd.testing.assert_frame_equal(forecasts, again, check_exact=True)
    assert (
        (forecasts["q10"] < forecasts["q50"]).all()
        and (forecasts["q50"] < forecasts["q90"]).all()
        and (forecasts["q2"] < forecasts["q10"]).all()
    )
    assert len(forecaster.predict(horizon=9)) == 9 * count
    assert (
        forecaster.verdict is not None
        and 0.3 < forecaster.verdict.model["coverage"] <= 1
    )


def test_point_forecasts_have_intervals_where_nothing_could_be_held_out() -> None:
    forecasts = (
        Forecaster(config(loss="mse", horizon=3))
        .fit(panel_of([np.array([3.0, 4, 6, 5])]))
        .predict()
    )
    assert (forecasts["q10"] < forecasts["q90"]).all()


@pytest.mark.parametrize("count", [1, MIN_PANEL_SERIES])
def test_the_time_budget_ends_training_and_is_noted(count: int) -> None:
    began = time.monotonic()
    forecaster = Forecaster(
        config(steps=100_000, time_budget="1s", start="scratch")
    ).fit(panel_of(some_series(max(count, 2))))
    assert time.monotonic() - began < 8
    assert any(
        note.startswith("the time budget of 1 s stopped training: ")
        for note in forecaster.notes
    )
    assert forecaster.history[-1]["step"] > 0


@pytest.mark.parametrize(
    "model",
    [
        ModelConfig(cell="gru", layers=3),
        ModelConfig(cell="rnn", bidirectional=True, attention=True, hidden=6),
        ModelConfig(layer_norm=True, hidden=6),
    ],
    ids=["gru", "rnn", "norm"],
)
@pytest.mark.parametrize("count", [2, MIN_PANEL_SERIES])
def test_every_network_is_fitted_saved_and_started_from(
    model: ModelConfig, count: int, tmp_path: Path
) -> None:
    panel = panel_of(some_series(count, 50))
    forecaster = Forecaster(
        Config(model=model, train=QUICK.train, window=QUICK.window)
    ).fit(panel.head(np.full(count, 40)))
    assert forecaster.start["from"] == "scratch" and forecaster.start["why"].startswith(
        "--"
    )
    path = forecaster.save(tmp_path / "run")
    pd.testing.assert_frame_equal(
        Forecaster.load(path).predict(), forecaster.predict(), check_exact=True
    )
    again = replace(QUICK.train, start=str(path), steps=0)
    second = Forecaster(Config(model=model, train=again, window=QUICK.window)).fit(
        panel
    )
    assert second.start["from"] == str(path)
    assert all(network.shape.cell == model.cell for network in second.networks)
    # nothing after an origin is seen
    changed = panel_of(
        [np.where(np.arange(len(y)) < 30, y, 1e6) for y in some_series(count, 50)]
    )
    forecasts = [
        forecaster.quantiles(p, *windows(p, 29), levels=ALL) for p in (panel, changed)
    ]
    assert forecasts[0].tobytes() == forecasts[1].tobytes()


# ---- what training starts from


def test_no_steps_train_nothing() -> None:
    for count in (2, MIN_PANEL_SERIES):
        forecaster = Forecaster(config(steps=0)).fit(panel_of(some_series(count)))
        assert len(forecaster.networks) == 1
        for name, value in initial_weights.load_pretrained_arrays().items():
            assert np.array_equal(forecaster.networks[0].weights[name], value)


def test_training_from_scratch_takes_the_requested_size() -> None:
    requested = Config(
        window=WindowConfig(horizon=6),
        model=ModelConfig(hidden=12, layers=1),
        train=TrainConfig(start="scratch", steps=3, members=2, jobs=1),
    )
    forecaster = Forecaster(requested).fit(panel_of(some_series()))
    assert {
        (network.shape.hidden, network.shape.layers) for network in forecaster.networks
    } == {(12, 1)}


def test_a_width_that_does_not_fit_the_weights_is_refused() -> None:
    requested = Config(
        model=ModelConfig(hidden=12), train=TrainConfig(steps=3, start="pretrained")
    )
    with pytest.raises(UsageError, match="hidden=12") as caught:
        Forecaster(requested).fit(panel_of(some_series()))
    assert "--from scratch" in caught.value.hint


@pytest.mark.parametrize("count", [2, MIN_PANEL_SERIES])
def test_training_can_start_from_what_another_run_has_learnt(
    count: int, tmp_path: Path
) -> None:
    """From the member that weighs most in its combination, whichever that is."""
    panel = panel_of(some_series(count))
    first = Forecaster(config(steps=20, lr=3e-3)).fit(panel)
    for member, network in enumerate(first.networks):
        trust = np.full(len(first.networks), 0.1)
        trust[member] = 0.9
        first.guard = first.guard._replace(members=trust)
        path = first.save(tmp_path / "run", force=True)
        second = Forecaster(config(steps=0, start=str(path))).fit(panel)
        for name, value in network.weights.items():
            assert np.array_equal(second.networks[0].weights[name], value), name


def test_a_run_with_covariates_can_start_one_without(tmp_path: Path) -> None:
    path = Forecaster(config()).fit(covariate_panel("past")).save(tmp_path / "run")
    table = Forecaster(config(start=str(path))).fit(panel_of(some_series())).predict()
    assert np.isfinite(table["forecast"]).all()


def test_a_run_that_is_not_there_cannot_be_started_from(tmp_path: Path) -> None:
    with pytest.raises(RunError):
        Forecaster(config(start=str(tmp_path / "none"))).fit(panel_of(some_series()))


def test_an_absurd_learning_rate_diverges() -> None:
    with pytest.raises(DivergedError, match="lr=|loss became"):
        Forecaster(config(steps=300, lr=1e30, start="scratch")).fit(
            panel_of(some_series())
        )


# ---- covariates


def promoted(
    seed: int, role: str, lag: int, length: int = 300, ahead: int = 12
) -> tuple[Panel, Floats, Floats]:
    """Sales of 100, and of 130 `lag` steps after a promotion.

    Returns the panel, and the promotions and the actual sales [ahead] after its end.
    """
    rng = np.random.default_rng(seed)
    x = (rng.random(length + ahead) < 0.3).astype(float)
    y = 100 + 30 * np.roll(x, lag) + rng.normal(size=length + ahead)
    known = np.arange(length + ahead) < length
    frame = pd.DataFrame(
        {"t": np.arange(length + ahead), "y": np.where(known, y, NAN), "promo": x}
    )
    if role == "past":
        frame = frame[known]
    return (
        Panel.from_frame(frame, target="y", time="t", **{role: "promo"}),
        x[length:],
        y[length:],
    )  # type: ignore[arg-type]


def test_the_effect_of_a_covariate_known_ahead_is_learnt() -> None:
    panel, promotions, actual = promoted(1, "future", 0)
    forecasts = Forecaster(fast_learner(12)).fit(panel).predict()["forecast"].to_numpy()
    assert 0 < promotions.sum() < 12
    assert forecasts[promotions == 1].mean() - forecasts[promotions == 0].mean() > 20
    assert np.abs(forecasts - actual).mean() < 4


def test_the_effect_of_a_covariate_known_ahead_needs_no_training(
    tmp_path: Path,
) -> None:
    panel, promotions, actual = promoted(1, "future", 0)
    forecaster = Forecaster(config(steps=0, horizon=12)).fit(panel)
    forecasts = forecaster.predict()["forecast"].to_numpy()
    assert np.abs(forecasts - actual).mean() < 4
    new = replace(panel, keys=(("new",),), key_names=("id",), values=10 * panel.values)
    np.testing.assert_allclose(
        forecaster.predict(new)["forecast"], 10 * forecasts, rtol=0.05
    )
    again = Forecaster.load(forecaster.save(tmp_path / "run")).predict()
    assert again["forecast"].tolist() == forecasts.tolist()


def test_a_season_is_inferred_behind_the_effect_of_a_covariate() -> None:
    rng = np.random.default_rng(0)
    promo = (rng.random(120) < 0.3).astype(float)
    y = (
        100
        + 10 * np.sin(np.arange(120) * 2 * np.pi / 7)
        + 400 * promo
        + rng.normal(size=120)
    )
    frame = pd.DataFrame(
        {"t": pd.date_range("2024-01-01", periods=120), "y": y, "promo": promo}
    )
    seen, hidden = (
        Forecaster(config(steps=0)).fit(
            Panel.from_frame(frame, target="y", time="t", future=future)
        )
        for future in (("promo",), ())
    )
    assert (seen.season, hidden.season) == (7, 1)


def test_the_effect_of_a_covariate_of_the_past_is_learnt() -> None:
    panel, _, _ = promoted(1, "past", 1)
    forecaster = Forecaster(fast_learner(1)).fit(panel)
    origins = np.arange(200, 299)
    forecasts = forecaster.quantiles(panel, np.zeros(99, np.int64), origins)[:, 0, 1]
    promo = panel.past[origins, 0] == 1
    assert forecasts[promo].mean() - forecasts[~promo].mean() > 20


def test_covariates_that_are_missing_ahead_are_an_error_that_names_them() -> None:
    panel, _, _ = promoted(1, "future", 0, ahead=4)
    forecaster = Forecaster(config(steps=0, horizon=4)).fit(panel)
    assert len(forecaster.predict()) == 4
    with pytest.raises(
        DataError, match=r"\(promo\) are missing for .*need 9 steps ahead, have 4"
    ) as caught:
        forecaster.predict(horizon=9)
    assert "304 to 308 (5 steps)" in str(caught.value)
    assert "--future-data" in caught.value.hint


# ---- settings


def test_season_and_horizon_are_those_requested_or_else_inferred() -> None:
    panel = panel_of([wavy(np.random.default_rng(0), 80)])
    inferred = Forecaster(Config(train=TrainConfig(steps=0))).fit(panel)
    assert (inferred.season, inferred.horizon) == (12, 12)
    requested = Config(
        window=WindowConfig(horizon=5, season=6, context=20), train=TrainConfig(steps=0)
    )
    forecaster = Forecaster(requested).fit(panel)
    assert (forecaster.season, forecaster.horizon, forecaster.context) == (6, 5, 20)
    assert len(forecaster.predict()) == 5


def test_integer_steps_are_forecast_one_season_ahead() -> None:
    t = np.arange(200)
    y = (
        10
        + np.sin(2 * np.pi * t / 24)
        + 0.05 * np.random.default_rng(0).normal(size=200)
    )
    panel = Panel.from_frame(pd.DataFrame({"t": t, "y": y}), target="y")
    forecaster = Forecaster(Config(train=TrainConfig(steps=0))).fit(panel)
    assert (forecaster.season, forecaster.horizon) == (24, 24)
    assert forecaster.predict()["t"].tolist() == list(range(200, 224))


def test_as_much_is_held_out_as_is_requested() -> None:
    panel = panel_of([wavy(np.random.default_rng(0), 80)])
    held = Config(
        window=WindowConfig(horizon=6, validation=10), train=TrainConfig(steps=0)
    )
    forecaster = Forecaster(held).fit(panel)
    assert forecaster.guard.windows == 5
    assert forecaster.verdict is not None
    assert forecaster.verdict.windows == 5


def test_where_all_members_diverge_the_weights_stay_what_they_were(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def diverge(*_: object, **__: object) -> None:
        raise DivergedError("diverged: the loss became nan", "")

    monkeypatch.setattr(members, "train_network", diverge)
    panel = panel_of([wavy(np.random.default_rng(0), 80)])
    window = WindowConfig(horizon=3)
    train = TrainConfig(steps=3, members=2, jobs=1)
    run = Forecaster(Config(window=window, train=train)).fit(panel)
    assert any("no training" in note for note in run.notes)
    assert np.isfinite(run.predict()["forecast"]).all()

    # Who asks for a learning rate is told that it does not work.
    asked = replace(train, lr=0.1)
    with pytest.raises(DivergedError):
        Forecaster(Config(window=window, train=asked)).fit(panel)


def test_a_final_member_that_diverges_is_noted_by_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    train_network = members.train_network
    calls: list[object] = []

    def diverge_at_last(*given: Any, **named: Any) -> Any:
        calls.append(given)
        # The probe comes first, then the two final members.
        if len(calls) == 3:
            raise DivergedError("diverged: the loss became nan", "")
        return train_network(*given, **named)

    monkeypatch.setattr(members, "train_network", diverge_at_last)
    panel = panel_of(some_series(MIN_PANEL_SERIES))
    run = Forecaster(config(steps=4, start="scratch")).fit(panel)
    assert len(run.networks) == 1
    assert any("diverged in training and left out: " in note for note in run.notes)


def test_a_verdict_of_very_many_series_has_no_row_for_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    panel = panel_of(some_series(3))
    counts = []
    for most in (3, 2):
        monkeypatch.setattr(forecaster_module, "MAX_SERIES_IN_VERDICT", most)
        verdict = Forecaster(config(steps=0)).fit(panel).verdict
        assert verdict is not None
        counts.append(len(verdict.by_series))
    assert counts == [3, 0]


def test_forecasts_of_counts_are_judged_as_whole_numbers_and_probabilities_as_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    judged: list[Floats] = []
    really_score = forecaster_module.score_forecasts

    def score(*parts: Any, **how: Any) -> Any:
        judged.append(parts[3])
        return really_score(*parts, **how)

    monkeypatch.setattr(forecaster_module, "score_forecasts", score)
    rng = np.random.default_rng(0)
    counts = rng.poisson(3, 80).astype(float)
    Forecaster(config(steps=0)).fit(panel_of([counts]))
    events = (rng.random(80) < 0.3).astype(float)
    Forecaster(config(steps=0, loss="bernoulli")).fit(panel_of([events]))
    of_counts, of_events = judged
    assert (of_counts == np.round(of_counts)).all()
    assert (of_events != np.round(of_events)).any()
