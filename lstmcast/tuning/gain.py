"""What tuned settings save of the default's error, and whether that is more than noise.

Knows no search and no panel: only the outcomes of fits on the same unseen windows.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from lstmcast.tuning.trials import FoldOutcome

MIN_SERIES_FOR_SPREAD = 10
"""From so many series on, the spread of a gain is that between series, else that between
windows."""


class Gain(NamedTuple):
    """What tuning saved of the default's error on unseen windows.

    share: of the default's error. spread: half the width of the 95 % interval of the share. tuned
    and default: the two errors. All are NaN where the tuned settings could not be fitted there.
    """

    share: float
    spread: float
    tuned: float
    default: float

    @property
    def is_significant(self) -> bool:
        """Whether it is more than noise."""
        return self.share > self.spread


def measure_gain(default: Sequence[FoldOutcome], tuned: Sequence[FoldOutcome]) -> Gain:
    """Return what the tuned settings save on unseen windows, from errors in pairs.

    The pairs are of the same series where there are many, else of the same window. The spread is
    half the 95 % interval of a mean by Student's t; infinite of a single pair.
    """
    if any(outcome.why for outcome in tuned):
        return Gain(math.nan, math.nan, math.nan, math.nan)

    pairs = _pair_errors(default, tuned)
    default_errors = pairs["default"]
    tuned_errors = pairs["tuned"]
    default_error = float(default_errors.mean())
    tuned_error = float(tuned_errors.mean())
    if not default_error > 0:
        # Nothing can be saved of no error; NaN is refused too.
        return Gain(0.0, math.inf, tuned_error, default_error)

    # Differences of pairs vary less than the errors themselves: hard series are hard for both.
    saved = (default_errors - tuned_errors).to_numpy()
    count = len(saved)
    half_width = math.inf
    if count > 1:
        from scipy import stats  # of the extra `tune`; slow to import

        quantile = stats.t.ppf(0.975, count - 1)
        deviation = saved.std(ddof=1)
        half_width = quantile * deviation / np.sqrt(count)

    share = 1 - tuned_error / default_error
    spread = float(half_width / default_error)
    return Gain(share, spread, tuned_error, default_error)


def _pair_errors(
    default: Sequence[FoldOutcome], tuned: Sequence[FoldOutcome]
) -> pd.DataFrame:
    """Return mean errors of both settings, a row a series, or a window where series are few."""
    rows = []
    for window, (before, after) in enumerate(zip(default, tuned, strict=True)):
        # A series that could be scored with one of the two settings only makes no pair.
        for key, default_error in before.errors.items():
            if key in after.errors:
                tuned_error = after.errors[key]
                rows.append((window, key, default_error, tuned_error))
    errors = pd.DataFrame(rows, columns=["window", "key", "default", "tuned"])
    errors = errors.dropna()

    # Windows of one series are alike, so the series are what is independent.
    series = errors["key"].nunique()
    unit = "key" if series >= MIN_SERIES_FOR_SPREAD else "window"
    return errors.groupby(unit)[["default", "tuned"]].mean()
