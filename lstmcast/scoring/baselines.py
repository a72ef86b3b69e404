"""Forecasts that need no learning: naive, seasonal naive, drift, seasonal mean.

Axes: `N` series, `T` steps, `K` windows, `H` horizon, `m` season length. Knows arrays, neither
networks nor frames.

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
    values: Floats, offsets: Ints, series: Ints, origins: Ints, horizon: int, season: int
) -> Floats:
    """Repeat the value of one season (m steps) before; the naive forecast where no such value is there. [K, H]."""
    start = offsets[series][:, None]
    source = start + origins[:, None] + _same_phase_offsets(horizon, season)  # (K, H)
    filled = fill_forward_by_phase(values, offsets, season)
    seasonal = np.where(source >= start, filled[np.maximum(source, 0)], np.nan)
    return np.where(
        np.isnan(seasonal), naive_forecast(values, offsets, series, origins, horizon), seasonal
    )


def drift_forecast(
    values: Floats, offsets: Ints, series: Ints, origins: Ints, horizon: int
) -> Floats:
    """Continue the line from the first to the last observed value; flat with one value only. Returns [K, H]."""
    first, last = _observed_ends(values, offsets, series, origins)
    rise = _values_at(values, last) - _values_at(values, first)
    slope = rise / np.maximum(last - first, 1)
    steps = (offsets[series] + origins - last)[:, None] + np.arange(1, horizon + 1)  # (K, H)
    line: Floats = _values_at(values, last)[:, None] + slope[:, None] * steps
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
    """Mean of the values 1, 2 ... `cycles` seasons before, as far as they are there; else the naive one. [K, H]."""
    start = offsets[series][:, None]
    source = start + origins[:, None] + _same_phase_offsets(horizon, season)  # (K, H)
    total, count = np.zeros(source.shape), np.zeros(source.shape)
    for cycle in range(cycles):
        back = source - cycle * season
        value = np.where(back >= start, values[np.maximum(back, 0)], np.nan)
        seen = ~np.isnan(value)
        total += np.where(seen, value, 0.0) / cycles
        count += seen
    mean = np.divide(total * cycles, count, out=np.full(source.shape, np.nan), where=count > 0)
    return np.where(count > 0, mean, naive_forecast(values, offsets, series, origins, horizon))


def fill_forward_by_phase(values: Floats, offsets: Ints, season: int = 1) -> Floats:
    """Replace each missing value by the latest observed one a whole number of seasons before, within its series.

    NaN where there is none. Returns [sum T], `values` itself if nothing is missing.
    """
    missing = np.isnan(values)
    if not missing.any():
        return values
    lengths = np.diff(offsets)
    start = np.repeat(offsets[:-1], lengths)
    phase, cycle = _phase_and_cycle(np.arange(len(values)) - start, season)
    # Lay each series out phase after phase, so that a value's predecessor is the one a season
    # before.
    full, rest = np.divmod(np.repeat(lengths, lengths), season)
    head = start + phase * full + np.minimum(phase, rest)
    place = head + cycle
    seen = np.full(len(values), -1)
    seen[place] = np.where(missing, -1, place)
    source = np.maximum.accumulate(seen)[place]
    by_phase = np.empty_like(values)
    by_phase[place] = values
    return np.where(source >= head, by_phase[np.maximum(source, 0)], np.nan)


def _phase_and_cycle(step: Ints, season: int) -> tuple[Ints, Ints]:
    cycle, phase = np.divmod(step, season)
    return phase, cycle


def _same_phase_offsets(horizon: int, season: int) -> Ints:
    """Offsets from the origin, [H], all <= 0: horizon step h less as many seasons as are needed to be known."""
    steps = np.arange(1, horizon + 1)
    return steps - season * -(-steps // season)


def _observed_ends(values: Floats, offsets: Ints, series: Ints, origins: Ints) -> tuple[Ints, Ints]:
    """Flat positions of the first and last observed value up to each origin, [K] each; -1 where there is none."""
    position = np.arange(len(values))
    seen = ~np.isnan(values)
    start, stop = offsets[series], offsets[series] + origins
    last = np.maximum.accumulate(np.where(seen, position, -1))[stop]
    first = np.minimum.accumulate(np.where(seen, position, len(values))[::-1])[::-1][start]
    there = last >= start
    return np.where(there, first, -1), np.where(there, last, -1)


def _values_at(values: Floats, position: Ints) -> Floats:
    return np.where(position >= 0, values[np.maximum(position, 0)], np.nan)
