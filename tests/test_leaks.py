"""Nothing that comes after a cutoff moves a forecast from it by a bit, whatever the options.

Axes: N series, T steps.
"""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from lstmcast.config import (
    Config,
    InputConfig,
    ModelConfig,
    TrainConfig,
    WindowConfig,
)
from lstmcast.evaluation.backtest import backtest
from lstmcast.panel.gaps import find_open_steps
from lstmcast.panel.holdout import split_holdout
from lstmcast.panel.panel import Panel
from lstmcast.training.forecaster import Forecaster

HORIZON = 4
DAYS = 60
CUTOFF = DAYS - 1 - 2 * HORIZON
"""Day of the first of two cutoffs, in the middle of a gap."""
GAP = (CUTOFF - 3, CUTOFF + 3)
FIRST_DAY = pd.Timestamp("2024-03-01")


def make_rows(*, later: bool) -> pd.DataFrame:
    """Two series by the day with a gap across the cutoff, and a third that begins after it.

    later: whether all that comes after the cutoff is another: values, covariates, categories that
    were never there before, and which values are missing.
    """
    rng = np.random.default_rng(0)
    parts = []
    for name in ("a", "b", "late"):
        t = np.arange(DAYS)
        frame = pd.DataFrame(
            {
                "id": name,
                "t": FIRST_DAY + pd.to_timedelta(t, "D"),
                "y": 50 + 10 * np.sin(t * 2 * np.pi / 7) + rng.normal(0, 1, DAYS),
                "x": rng.normal(0, 1, DAYS),
                "c": np.array(["sun", "rain"])[t % 2],
                "price": rng.normal(5, 1, DAYS),
                "promo": np.array(["none", "flyer"])[t % 3 % 2],
                "size": {"a": 1.0, "b": 2.0, "late": 3.0}[name],
                "kind": {"a": "shop", "b": "web", "late": "web"}[name],
            }
        )
        if later:
            after = t > CUTOFF
            # What is planned for the horizon is known at the cutoff; what comes then is not.
            planned = t > CUTOFF + HORIZON
            frame.loc[after, "y"] += 1000
            frame.loc[after, "x"] -= 70
            frame.loc[after & (t % 2 == 0), "c"] = "hail"
            frame.loc[planned, "price"] *= 9
            frame.loc[planned, "promo"] = "all"
            if name == "late":
                frame["size"] = 77.0
                frame["kind"] = "barn"
        begin = CUTOFF + 1 if name == "late" else 0
        gap_end = GAP[1] + 2 * later
        in_gap = (t >= GAP[0]) & (t < gap_end)
        frame.loc[in_gap, "y"] = np.nan
        parts.append(frame[t >= begin])
    return pd.concat(parts, ignore_index=True)


def forecasts_from_cutoff(
    rows: pd.DataFrame,
    *,
    refit: bool = True,
    inputs: InputConfig | None = None,
    **o: Any,
) -> pd.DataFrame:
    """The forecasts of a backtest from the first cutoff of the series that are there by then."""
    panel = Panel.from_frame(rows, target="y", time="t", series="id", freq=None, **o)
    config = Config(
        window=WindowConfig(horizon=HORIZON, season=7, context=14),
        model=ModelConfig(hidden=4, layers=1),
        train=TrainConfig(start="scratch", steps=2, batch_size=2, members=1, jobs=1),
        inputs=inputs or InputConfig(),
    )
    found = backtest(panel, config, windows=2, refit=refit).forecasts
    day = found["cutoff"].astype(str).str[:10]
    at_cutoff = day == str((FIRST_DAY + pd.Timedelta(CUTOFF, "D")).date())
    chosen = found[at_cutoff & found["id"].isin(["a", "b"])]
    assert len(chosen) == 2 * HORIZON
    return chosen.drop(columns="actual").reset_index(drop=True)


def assert_no_leak(make: Any = make_rows, **options: Any) -> None:
    before = forecasts_from_cutoff(make(later=False), **options)
    after = forecasts_from_cutoff(make(later=True), **options)
    pd.testing.assert_frame_equal(before, after, check_exact=True)


@pytest.mark.parametrize("refit", [True, False])
@pytest.mark.parametrize("fill", ["none", "forward", "linear", "zero"])
def test_no_way_of_filling_a_gap_knows_what_comes_after_it(
    fill: str, refit: bool
) -> None:
    assert_no_leak(fill=fill, refit=refit)

    def make(*, later: bool) -> pd.DataFrame:
        return make_rows(later=later).dropna(subset="y")

    assert_no_leak(make, fill=fill, refit=refit)


@pytest.mark.parametrize("refit", [True, False])
@pytest.mark.parametrize("role", [{"past": ("x", "c")}, {"future": ("price", "promo")}])
def test_no_covariate_of_numbers_or_of_categories_knows_what_comes_later(
    role: dict[str, Any], refit: bool
) -> None:
    assert_no_leak(refit=refit, **role)


@pytest.mark.parametrize("refit", [True, False])
def test_no_static_covariate_knows_series_that_come_later(refit: bool) -> None:
    assert_no_leak(refit=refit, static=("size", "kind"))


def test_all_covariates_together_know_nothing_of_what_comes_later() -> None:
    roles = {"past": ("x", "c"), "future": ("price", "promo"), "static": "kind"}
    assert_no_leak(**roles, inputs=InputConfig(calendar=True, holidays="DE"))


@pytest.mark.parametrize("policy", ["first", "last", "mean", "sum"])
def test_rows_of_one_time_are_combined_without_later_ones(policy: str) -> None:
    def make(*, later: bool) -> pd.DataFrame:
        rows = make_rows(later=later)
        third = rows["t"].dt.day % 3 == 0
        return pd.concat([rows, rows[third].assign(y=rows["y"] / 2)])

    assert_no_leak(make, duplicates=policy, fill="linear")


@pytest.mark.parametrize(
    "how", ["mean", "sum", "min", "max", "median", "first", "last", "count"]
)
def test_steps_are_made_of_rows_without_later_ones(how: str) -> None:
    def make(*, later: bool) -> pd.DataFrame:
        rows = make_rows(later=later)
        noon = rows.assign(t=rows["t"] + pd.Timedelta("12h"), y=rows["y"] + 3)
        return pd.concat([rows, noon])

    assert_no_leak(make, resample=f"D:{how}", past=("x", "c"), fill="linear")


def with_gap(fill: str, length: int = 40) -> Panel:
    y = np.arange(length) % 7 + 0.5
    frame = pd.DataFrame({"t": pd.date_range("2024-01-01", periods=length), "y": y})
    return Panel.from_frame(frame.drop(range(26, 33)), target="y", fill=fill)  # type: ignore[arg-type]


def test_filled_values_are_read_but_neither_learnt_nor_scored() -> None:
    for fill in ("forward", "linear"):
        panel = with_gap(fill)
        assert np.isnan(panel.values).sum() == 7
        config = Config(window=WindowConfig(horizon=3), train=TrainConfig(steps=0))
        found = backtest(panel, config, windows=4)
        actual = found.forecasts["actual"]
        assert found.verdict.observed == actual.notna().sum() == 12 - 5


def test_no_training_ends_and_no_window_begins_in_a_line() -> None:
    panel = with_gap("linear")
    is_open = find_open_steps(panel)
    assert is_open is not None
    for held in range(3, 20):
        ends, _, origins = split_holdout(panel, 3, 7, held)
        assert not is_open[ends - 1].any()
        assert not is_open[origins].any()
        assert (origins >= ends - 1).all()


def test_forecasts_from_inside_a_gap_are_those_of_the_series_cut_off_there() -> None:
    config = Config(window=WindowConfig(horizon=3), train=TrainConfig(steps=0))
    panel = with_gap("linear")
    forecaster = Forecaster(config).fit(panel)
    zero = np.zeros(1, np.int64)
    for origin in (25, 26, 29, 32, 33):
        at = np.array([origin])
        whole = forecaster.quantiles(panel, zero, at)
        cut = forecaster.quantiles(panel.head(at + 1), zero, at)
        assert whole.tobytes() == cut.tobytes()


def test_the_way_of_filling_is_kept_with_a_run(tmp_path: Any) -> None:
    config = Config(window=WindowConfig(horizon=3), train=TrainConfig(steps=0))
    forecaster = Forecaster(config).fit(with_gap("linear"))
    loaded = Forecaster.load(forecaster.save(tmp_path / "run"))
    assert loaded.panel.fill == "linear"
    pd.testing.assert_frame_equal(forecaster.predict(), loaded.predict())
