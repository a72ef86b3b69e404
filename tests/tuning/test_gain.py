"""A gain counts where it is more than the noise between windows or between series."""

import math

import numpy as np
import pytest

from lstmcast.tuning.gain import measure_gain
from lstmcast.tuning.trials import FoldOutcome


def outcomes(errors: list[dict[str, float]]) -> list[FoldOutcome]:
    return [
        FoldOutcome({(k,): v for k, v in one.items()}, 0.0, "mase", 1, None, 0.0)
        for one in errors
    ]


def test_a_gain_is_certain_where_it_is_there_in_every_window() -> None:
    default = outcomes(
        [{"a": 1.0, "b": 3.0}, {"a": 1.2, "b": 2.8}, {"a": 0.8, "b": 3.2}]
    )
    steady = outcomes(
        [{"a": 0.9, "b": 2.7}, {"a": 1.1, "b": 2.5}, {"a": 0.7, "b": 2.85}]
    )
    gain = measure_gain(default, steady)
    assert (gain.default, gain.tuned) == pytest.approx((2.0, 1.7917), abs=1e-3)
    assert gain.share == pytest.approx(0.1042, abs=1e-3) and gain.is_significant
    erratic = outcomes(
        [{"a": 0.2, "b": 2.0}, {"a": 1.2, "b": 3.1}, {"a": 0.8, "b": 3.0}]
    )
    assert (
        measure_gain(default, erratic).share > 0.1
        and not measure_gain(default, erratic).is_significant
    )


def test_of_many_series_the_spread_is_between_series() -> None:
    rng = np.random.default_rng(0)
    default = [{str(k): 1 + rng.normal() * 0.1 for k in range(50)}]
    tuned = [{k: v - 0.05 + rng.normal() * 0.02 for k, v in default[0].items()}]
    gain = measure_gain(outcomes(default), outcomes(tuned))
    assert gain.is_significant and gain.spread == pytest.approx(0.0056, abs=0.002)


def test_one_pair_proves_nothing_nor_does_a_fit_that_failed() -> None:
    one = measure_gain(outcomes([{"a": 1.0}]), outcomes([{"a": 0.1}]))
    assert one.spread == math.inf and not one.is_significant
    failed = measure_gain(
        outcomes([{"a": 1.0}]),
        [FoldOutcome({}, math.nan, "", 1, None, 0.0, "diverged")],
    )
    assert math.isnan(failed.share) and not failed.is_significant
    # Nor do settings whose fit failed in one of the windows, however good in the others.
    good = outcomes([{"a": 0.1}, {"a": 0.11}])
    partly = [*good, FoldOutcome({}, math.nan, "", 1, None, 0.0, "diverged")]
    gain = measure_gain(outcomes([{"a": 1.0}, {"a": 1.1}, {"a": 1.2}]), partly)
    assert math.isnan(gain.share) and not gain.is_significant
    perfect = measure_gain(outcomes([{"a": 0.0}]), outcomes([{"a": 0.0}]))
    assert perfect.share == 0 and not perfect.is_significant
