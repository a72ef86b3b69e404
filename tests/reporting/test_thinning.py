"""A long series keeps its looks, its spikes and its events when it is thinned."""

import numpy as np
import pandas as pd

from lstmcast.reporting.judged_series import JudgedSeries, choose_judged_series
from lstmcast.reporting.thinning import thin_series
from tests.reporting.make import make_table

N_COLUMNS = 50


def make_noise(
    events: dict[int, tuple[int, str, str]], missing: tuple[slice, ...] = ()
) -> JudgedSeries:
    """5,000 values within bands of their own, stamps counted from 0."""
    n_rows = 5000
    rows = make_table(n_rows, events, pd.RangeIndex(n_rows))
    values, bounds = np.random.default_rng(0).standard_normal((2, n_rows))
    for part in missing:
        values[part] = np.nan
    rows["actual"] = values
    rows["low"] = values - np.abs(bounds) - 0.1
    rows["high"] = values + np.abs(bounds) + 0.1
    [series] = choose_judged_series(rows).series
    return series


def test_a_short_series_stays_as_it_is() -> None:
    [series] = choose_judged_series(make_table(200, {})).series
    assert thin_series(series, N_COLUMNS) is series


def test_the_extremes_of_each_column_stay_and_little_else() -> None:
    series = make_noise({})
    thinned = thin_series(series, N_COLUMNS)
    assert len(thinned) <= 4 * N_COLUMNS
    wide = series.actual.reshape(N_COLUMNS, -1)
    kept = set(thinned.actual.tolist())
    assert set(wide.min(axis=1)) | set(wide.max(axis=1)) <= kept
    assert {wide[0, 0], wide[-1, -1]} <= kept


def test_events_keep_their_first_and_last_rows() -> None:
    series = make_noise({777: (1, "run", "mean"), 783: (1, "run", "mean")})
    thinned = thin_series(series, N_COLUMNS)
    [event] = thinned.events
    assert thinned.at[event.first] == thinned.at[event.opened] == 777
    assert thinned.at[event.last] == 783


def test_no_value_falls_out_of_the_band_by_thinning() -> None:
    series = make_noise({})
    thinned = thin_series(series, N_COLUMNS)
    assert (thinned.low < thinned.actual).all() and (
        thinned.high > thinned.actual
    ).all()
    assert thinned.low.min() == series.low.min()


def test_missing_values_break_the_line_where_a_whole_column_is_missing() -> None:
    series = make_noise({}, (slice(1000, 1100), slice(2000, 2010)))
    thinned = thin_series(series, N_COLUMNS)
    missing = thinned.at[np.isnan(thinned.actual)]
    assert ((missing >= 1000) & (missing < 1100)).any()
    assert np.isfinite(thinned.actual).sum() > 3 * (N_COLUMNS - 2)


def test_rows_that_are_shown_whole_keep_their_own_bands() -> None:
    series = make_noise({})
    whole = np.zeros(len(series), dtype=bool)
    whole[2000:2300] = True
    thinned = thin_series(series, N_COLUMNS, whole)
    shown = (thinned.at >= 2000) & (thinned.at < 2300)
    assert shown.sum() == 300
    np.testing.assert_array_equal(thinned.low[shown], series.low[2000:2300])
