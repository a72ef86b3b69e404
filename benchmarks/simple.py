"""The simple methods that every result is compared with: `python -m benchmarks.simple`.

The last value, the line from the first value to the last, the mean, and the season before, or the
mean of the last four, for every season that the calendar of the data knows and that the history has
twice: a day and a week of hours, a week and a year of days. The best of all is the rival, chosen by
the very windows that are scored, which favours it. Nothing is trained: the command scores them anew
and sets them beside the errors that docs/figures/accuracy.json has.
"""

import sys
from collections.abc import Iterable, Iterator

import numpy as np

from benchmarks.figures import keep, kept
from benchmarks.sets import DATA, SETS, Competition, Everyday, flat
from benchmarks.windows import last_origins, read_everyday
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Floats, Ints
from lstmcast.scoring import metrics
from lstmcast.scoring.baselines import (
    drift_forecast,
    naive_forecast,
    seasonal_mean_forecast,
    seasonal_naive_forecast,
)
from lstmcast.scoring.verdict import score_forecasts

MEDIAN = np.array([0.5])
LEVELS = np.arange(1, 10) / 10
Errors = dict[str, dict[str, float]]
"""Of each method, by measure."""


def forecasts(
    values: Floats,
    offsets: Ints,
    series: Ints,
    origins: Ints,
    horizon: int,
    seasons: tuple[int, ...],
) -> Iterator[tuple[str, Floats]]:
    """Name and forecast [K, H] of each simple method."""
    where = (values, offsets, series, origins, horizon)
    yield "naive", naive_forecast(*where)
    yield "drift", drift_forecast(*where)
    yield "mean", mean_forecast(*where)
    longest = int(origins.max()) + 1
    for m in seasons:
        if longest >= 2 * m:
            yield f"seasonal naive ({m})", seasonal_naive_forecast(*where, m)
            yield f"seasonal mean ({m})", seasonal_mean_forecast(*where, m)


def mean_forecast(
    values: Floats, offsets: Ints, series: Ints, origins: Ints, horizon: int
) -> Floats:
    """Repeat the mean of all that was observed up to the origin. Returns [K, H]."""
    means = [
        np.nanmean(values[offsets[i] : offsets[i] + t + 1])
        for i, t in zip(series, origins, strict=True)
    ]
    return np.repeat(np.array(means)[:, None], horizon, axis=1)


def everyday_errors(one: Everyday, panel: Panel) -> Errors:
    """Return the errors of each simple method on the windows of an everyday set."""
    series, origins = last_origins(panel.lengths, one.horizon, one.windows)
    where = (panel.values, panel.offsets, series, origins, one.horizon)
    errors = {}
    for name, forecast in forecasts(*where, one.seasons):
        verdict = score_forecasts(
            panel, series, origins, forecast[..., None], MEDIAN, one.season
        )
        errors[name] = {"mase": verdict.model["mase"]}
    return errors


def competition_errors(one: Competition) -> Errors:
    """Return the errors of each simple method on the test part of a competition."""
    train, test = one.load(DATA)
    values, offsets = flat(train)
    lengths = np.diff(offsets)
    actual = test["y"].to_numpy(np.float64).reshape(-1, one.horizon)
    scale = metrics.seasonal_scale(values, offsets, lengths, one.season)
    series = np.arange(len(lengths))
    errors = {}
    where = (values, offsets, series, lengths - 1, one.horizon)
    for name, forecast in forecasts(*where, one.seasons):
        smape = metrics.smape(actual, forecast)
        mase = metrics.mase(actual, forecast, scale)
        # A forecast that is one number is all its quantiles at once.
        every_level = np.repeat(forecast[..., None], len(LEVELS), axis=2)
        wql = metrics.wql(actual, every_level, LEVELS)
        errors[name] = {"smape": smape, "mase": mase, "wql": wql}
        if one.naive2:
            errors[name]["owa"] = metrics.owa(smape, mase, *one.naive2)
    return errors


def simple_errors(names: Iterable[str]) -> dict[str, Errors]:
    """Return the errors of the simple methods on some sets."""
    found = {}
    for name in names:
        one = SETS[name]
        if isinstance(one, Competition):
            found[name] = competition_errors(one)
        else:
            found[name] = everyday_errors(one, read_everyday(one))
    return found


def main() -> int:
    """Score the simple methods on all sets, and keep them with the results; return the status."""
    if not DATA.is_dir():
        print("no benchmark data: set SHARED_DATA to its folder", file=sys.stderr)
        return 1
    found = kept("accuracy")
    found["simple"] = simple_errors(SETS)
    for name, errors in found["simple"].items():
        print(name, *(f"{method} {one['mase']:.4f}" for method, one in errors.items()))
    keep("accuracy", found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
