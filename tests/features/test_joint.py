"""The targets of one table know one another's past, and no future."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lstmcast.config import TrainConfig
from lstmcast.errors import UsageError
from lstmcast.features.joint import JOINT_FEATURE_INDICES, joint_inputs
from lstmcast.features.scaler import fit_scaler
from lstmcast.features.steps import Seasons, compute_step_arrays
from lstmcast.panel.panel import Panel
from lstmcast.training.forecaster import Forecaster
from tests.make import fast_learner

WIDE = len(JOINT_FEATURE_INDICES) + 1


def wide(
    length: int = 60, shops: int = 1, lag: int = 1, noise: float = 0.1
) -> pd.DataFrame:
    """Two targets of each shop: `follower` is what `leader` was `lag` steps before."""
    parts = []
    for shop in range(shops):
        rng = np.random.default_rng(shop)
        leader = 50 + 10 * rng.normal(size=length)
        follower = np.roll(leader, lag) + noise * rng.normal(size=length)
        parts.append(
            pd.DataFrame(
                {
                    "shop": f"s{shop}",
                    "t": np.arange(length),
                    "leader": leader,
                    "follower": follower,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def panel_of(frame: pd.DataFrame) -> Panel:
    return Panel.from_frame(
        frame, target=["leader", "follower"], time="t", series="shop"
    )


def inputs_of(panel: Panel) -> np.ndarray:
    seasons = Seasons(1, 0)
    return joint_inputs(
        panel,
        compute_step_arrays(
            panel.values,
            panel.offsets,
            seasons,
            fit_scaler(panel.values, panel.offsets),
        ),
    )


def test_each_target_reads_what_both_did_at_the_same_time_and_which_one_it_is() -> None:
    panel = panel_of(wide(30, shops=2))
    inputs = inputs_of(panel).reshape(len(panel), 30, 2, WIDE)
    np.testing.assert_array_equal(inputs[0, :, :, :-1], inputs[1, :, :, :-1])
    assert not np.array_equal(inputs[0, :, :, :-1], inputs[2, :, :, :-1])
    assert inputs[:, :, :, -1].max(1).tolist() == [[1, 0], [0, 1], [1, 0], [0, 1]]


def test_a_target_that_starts_later_or_is_absent_reads_as_nothing() -> None:
    frame = wide(30)
    frame.loc[:9, "leader"] = np.nan
    inputs = inputs_of(panel_of(frame)).reshape(-1, 2, WIDE)
    follower = inputs[20:]
    assert not follower[:10, 0, :-1].any()
    assert follower[10:, 0, :-1].any()
    single = inputs_of(panel_of(frame).select(np.array([1]))).reshape(-1, 2, WIDE)
    assert not single[:, 0, :-1].any()


def test_a_target_that_follows_another_is_forecast_from_it_and_a_saved_run_too(
    tmp_path: Path,
) -> None:
    panel = panel_of(wide(400))
    origins = np.arange(300, 399)
    actual = panel.series(1)[origins + 1]
    follower = np.ones(99, np.int64)
    one = Forecaster(fast_learner(1, joint=True)).fit(panel)
    forecast = one.quantiles(panel, follower, origins)[:, 0, 1]
    separate = (
        Forecaster(fast_learner(1, joint=False))
        .fit(panel)
        .quantiles(panel, follower, origins)[:, 0, 1]
    )
    assert np.abs(forecast - actual).mean() < 0.6 * np.abs(separate - actual).mean()
    again = Forecaster.load(one.save(tmp_path / "run"))
    np.testing.assert_array_equal(
        again.quantiles(panel, follower, origins)[:, 0, 1], forecast
    )


def test_no_forecast_knows_what_another_target_does_later() -> None:
    panel = panel_of(wide(60))
    config = replace(
        fast_learner(1, joint=True),
        train=TrainConfig(start="scratch", steps=5, members=1, jobs=1),
    )
    one = Forecaster(config).fit(panel)
    values = panel.values.copy()
    values[41:60] = 1e6  # the leader's
    changed = replace(panel, values=values)
    series, origin = np.ones(1, np.int64), np.array([40])
    np.testing.assert_array_equal(
        one.quantiles(panel, series, origin), one.quantiles(changed, series, origin)
    )
    values[40] = 1e6
    assert not np.array_equal(
        one.quantiles(panel, series, origin), one.quantiles(changed, series, origin)
    )


def test_one_target_cannot_be_forecast_jointly() -> None:
    panel = Panel.from_frame(wide(30), target="leader", time="t", series="shop")
    with pytest.raises(UsageError, match="joint needs more than one target"):
        Forecaster(fast_learner(1, joint=True)).fit(panel)
