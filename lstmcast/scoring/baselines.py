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
    last = fill_forward_by_phase(values, offsets)[offsets[series] + origins]
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
    start = offsets[series][:, None]
    source = start + origins[:, None] + _same_phase_offsets(horizon, season)  # (K, H)
    filled = fill_forward_by_phase(values, offsets, season)
    seasonal = np.where(source >= start, filled[np.maximum(source, 0)], np.nan)
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
    line: Floats = last_value[:, None] + slope[:, None] * steps
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
    start = offsets[series][:, None]
    source = start + origins[:, None] + _same_phase_offsets(horizon, season)  # (K, H)
    total, count = np.zeros(source.shape), np.zeros(source.shape)
    for cycle in range(cycles):
        back = source - cycle * season
        value = np.where(back >= start, values[np.maximum(back, 0)], np.nan)
        observed = ~np.isnan(value)
        # Divided before they are added: the sum of very large values would overflow.
        total += np.where(observed, value, 0.0) / cycles
        count += observed
    mean = np.divide(
        total * cycles, count, out=np.full(source.shape, np.nan), where=count > 0
    )
    naive = naive_forecast(values, offsets, series, origins, horizon)
    return np.where(count > 0, mean, naive)


def fill_forward_by_phase(values: Floats, offsets: Ints, season: int = 1) -> Floats:
    """Replace each missing value by the latest observed one a whole number of seasons before.

    NaN where its series has none. Returns [sum T], `values` itself if nothing is missing.
    """
    missing = np.isnan(values)
    if not missing.any():
        return values
    lengths = np.diff(offsets)
    start = np.repeat(offsets[:-1], lengths)
    cycle, phase = np.divmod(np.arange(len(values)) - start, season)
    # Lay each series out phase after phase, so that a value's predecessor is the one a season
    # before.
    cycles, rest = np.divmod(np.repeat(lengths, lengths), season)
    head = start + phase * cycles + np.minimum(phase, rest)
    place = head + cycle
    observed_place = np.full(len(values), -1)
    observed_place[place] = np.where(missing, -1, place)
    source = np.maximum.accumulate(observed_place)[place]
    by_phase = np.empty_like(values)
    by_phase[place] = values
    return np.where(source >= head, by_phase[np.maximum(source, 0)], np.nan)


def _same_phase_offsets(horizon: int, season: int) -> Ints:
    """Offsets from the origin, [H], to the newest known step of the phase of each horizon step."""
    steps = np.arange(1, horizon + 1)
    seasons_back = -(-steps // season)  # rounded up, so that no offset is above 0
    return steps - season * seasons_back


def _observed_ends(
    values: Floats, offsets: Ints, series: Ints, origins: Ints
) -> tuple[Ints, Ints]:
    """Positions of the first and last observed value up to each origin, [K] each; -1 for none."""
    position = np.arange(len(values))
    observed = ~np.isnan(values)
    start, stop = offsets[series], offsets[series] + origins
    previous = np.maximum.accumulate(np.where(observed, position, -1))
    following = np.minimum.accumulate(np.where(observed, position, len(values))[::-1])[
        ::-1
    ]
    first, last = following[start], previous[stop]
    exists = last >= start
    return np.where(exists, first, -1), np.where(exists, last, -1)


def _values_at(values: Floats, position: Ints) -> Floats:
    """Values at flat positions; NaN at -1."""
    return np.where(position >= 0, values[np.maximum(position, 0)], np.nan)
