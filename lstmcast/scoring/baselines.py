"""Forecasts that need no learning: naive, seasonal naive, drift, seasonal mean.

Knows arrays, neither networks nor frames.

Axes: N series, T steps, K windows, H horizon, m season length.

Every function takes the flat storage of a panel (`values` [sum T], `offsets` [N+1]) and `K`
windows, each a series number and an origin, the index within the series of the last step that may
be seen. Nothing after an origin is read. Where the value to repeat is missing, the last one that
was observed stands in for it; with nothing observed up to the origin the forecast is NaN. Source:
Hyndman & Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., 5.2.
"""

import numpy as np

from lstmcast.ragged import Floats, Ints


def naive_forecast(
    values: Floats, offsets: Ints, series: Ints, origins: Ints, horizon: int
) -> Floats:
    """Repeat the last observed value. Returns [K, H]."""
    filled = fill_forward_by_phase(values, offsets)
    last = filled[offsets[series] + origins]
    return np.repeat(last[:, None], horizon, axis=1)


def seasonal_naive_forecast(
    values: Floats,
    offsets: Ints,
    series: Ints,
    origins: Ints,
    horizon: int,
    season: int,
) -> Floats:
    """Repeat the value of one season (m steps) before. Returns [K, H].

    Where there is no such value, it is the naive forecast.
    """
    start = offsets[series, None]
    source = _season_before(start, origins, horizon, season)
    filled = fill_forward_by_phase(values, offsets, season)
    seasonal = _values_at(filled, source, start)
    naive = naive_forecast(values, offsets, series, origins, horizon)
    return np.where(np.isnan(seasonal), naive, seasonal)


def drift_forecast(
    values: Floats, offsets: Ints, series: Ints, origins: Ints, horizon: int
) -> Floats:
    """Continue the line from the first to the last observed value. Returns [K, H].

    Flat where there is one value only.
    """
    first, last = _observed_ends(values, offsets, series, origins)
    last_value = _values_at(values, last)
    rise = last_value - _values_at(values, first)
    slope = rise / np.maximum(last - first, 1)
    # Steps count from the last observed value, which may lie before the origin.
    since_last = offsets[series] + origins - last
    steps = since_last[:, None] + np.arange(1, horizon + 1)  # (K, H)
    risen = slope[:, None] * steps
    line: Floats = last_value[:, None] + risen
    return line


def seasonal_mean_forecast(
    values: Floats,
    offsets: Ints,
    series: Ints,
    origins: Ints,
    horizon: int,
    season: int,
    cycles: int = 4,
) -> Floats:
    """Mean of the observed values 1, 2 ... `cycles` seasons before. Returns [K, H].

    Where none was observed, it is the naive forecast.
    """
    start = offsets[series, None]
    source = _season_before(start, origins, horizon, season)
    total = np.zeros(source.shape)
    count = np.zeros(source.shape)
    for cycle in range(cycles):
        value = _values_at(values, source - cycle * season, start)
        observed = ~np.isnan(value)
        # Divided before they are added: the sum of very large values would overflow.
        total += np.where(observed, value, 0.0) / cycles
        count += observed
    # The naive forecast stands where the mean of nothing would.
    mean = naive_forecast(values, offsets, series, origins, horizon)
    np.divide(total * cycles, count, out=mean, where=count > 0)
    return mean


def fill_forward_by_phase(values: Floats, offsets: Ints, season: int = 1) -> Floats:
    """Replace each missing value by the latest observed one a whole number of seasons before.

    NaN where its series has none. Returns [sum T], `values` itself if nothing is missing.
    """
    missing = np.isnan(values)
    if not missing.any():
        return values
    lengths = np.diff(offsets)
    start = np.repeat(offsets[:-1], lengths)
    step = np.arange(len(values)) - start
    cycle, phase = np.divmod(step, season)
    # Lay each series out phase after phase, so that a value's predecessor is the one a season
    # before.
    cycles, rest = np.divmod(np.repeat(lengths, lengths), season)
    # The first `rest` phases have a value more than the others.
    head = start + phase * cycles + np.minimum(phase, rest)
    place = head + cycle
    observed_place = np.full(len(values), -1)
    observed_place[place] = np.where(missing, -1, place)
    source = np.maximum.accumulate(observed_place)[place]
    by_phase = np.empty_like(values)
    by_phase[place] = values
    return _values_at(by_phase, source, head)


def _season_before(start: Ints, origins: Ints, horizon: int, season: int) -> Ints:
    """Positions of the newest known step of the phase of each horizon step, [K, H].

    start: [K, 1], where the series begin; a position before that has no value.
    """
    steps = np.arange(1, horizon + 1)
    seasons_back = -(-steps // season)  # rounded up, so that no offset is above 0
    offset = steps - season * seasons_back
    return start + origins[:, None] + offset


def _observed_ends(
    values: Floats, offsets: Ints, series: Ints, origins: Ints
) -> tuple[Ints, Ints]:
    """Positions of the first and last observed value up to each origin, [K] each; -1 for none."""
    position = np.arange(len(values))
    observed = ~np.isnan(values)
    start = offsets[series]
    previous = np.where(observed, position, -1)
    previous = np.maximum.accumulate(previous)
    following = np.where(observed, position, len(values))
    following = np.minimum.accumulate(following[::-1])[::-1]
    last = previous[start + origins]
    # What lies before the start belongs to another series.
    exists = last >= start
    first = np.where(exists, following[start], -1)
    return first, np.where(exists, last, -1)


def _values_at(values: Floats, position: Ints, start: Ints | int = 0) -> Floats:
    """Values at flat positions; NaN at those before `start`."""
    found = values[np.maximum(position, 0)]
    return np.where(position >= start, found, np.nan)
