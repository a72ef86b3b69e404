"""Forecasts that need no learning: naive, drift, mean, median, seasonal naive, seasonal mean.

Knows arrays, neither networks nor frames.

Axes: N series, T steps, K windows, H horizon, m season length.

Every function takes the flat storage of a panel (`values` [sum T], `offsets` [N+1]) and `K`
windows, each a series number and an origin, the index within the series of the last step that may
be seen. Nothing after an origin is read. Where the value to repeat is missing, the last one that
was observed stands in for it; with nothing observed up to the origin the forecast is NaN. Source:
Hyndman & Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., 5.2.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from lstmcast.errors import UsageError, suggest_similar
from lstmcast.ragged import Bools, Floats, Ints

MAX_MEDIAN_STEPS = 1000
"""Newest steps that a median is taken of, at most."""
SECOND_SEASON_SUFFIX = "_2"
"""What follows the name of a seasonal baseline of the second season."""


def forecast_baselines(
    values: Floats,
    offsets: Ints,
    series: Ints,
    origins: Ints,
    horizon: int,
    seasons: Sequence[int],
    memory: int | None = None,
) -> dict[str, Floats]:
    """Forecast by every baseline that these seasons allow, [K, H] each, by name.

    seasons: steps of the seasons that the data show, the main one first; 1 and 0 are none. memory:
    newest steps that mean, median and drift look back on (default: all).
    """
    names = list_baselines(seasons)
    where = values, offsets, series, origins, horizon
    forecasts = {}
    for name in names:
        forecasts[name] = forecast_baseline(name, *where, seasons, memory)
    return forecasts


def list_baselines(seasons: Sequence[int]) -> tuple[str, ...]:
    """Name the baselines that these seasons allow; of equally good ones the first is best."""
    suffixes = ("", SECOND_SEASON_SUFFIX)
    pairs = zip(seasons, suffixes, strict=False)
    suffixes_of_real = [suffix for season, suffix in pairs if season > 1]

    names = ["naive"]
    names += [f"seasonal_naive{suffix}" for suffix in suffixes_of_real]
    names += ["drift", "mean", "median"]
    names += [f"seasonal_mean{suffix}" for suffix in suffixes_of_real]
    return tuple(names)


def choose_rival(scores: Mapping[str, Mapping[str, float]], against: str = "") -> str:
    """Name the simple method to compare with: the one asked for, or the best by mae.

    scores: of each method. One without an mae is never best; skill compares mae. Raises UsageError
    for a method that was not scored.
    """
    if against:
        if against not in scores:
            raise UsageError(
                f"no simple method is called {against!r}",
                suggest_similar(against, tuple(scores)),
            )
        return against

    def error(name: str) -> float:
        mae = scores[name]["mae"]
        return np.inf if np.isnan(mae) else mae

    return min(scores, key=error)


def forecast_baseline(
    name: str,
    values: Floats,
    offsets: Ints,
    series: Ints,
    origins: Ints,
    horizon: int,
    seasons: Sequence[int],
    memory: int | None = None,
) -> Floats:
    """Forecast by the baseline of this name, [K, H]; see `forecast_baselines`."""
    where = values, offsets, series, origins, horizon
    of_level: dict[str, Callable[..., Floats]] = {
        "drift": drift_forecast,
        "mean": mean_forecast,
        "median": median_forecast,
    }
    if name == "naive":
        return naive_forecast(*where)
    if name in of_level:
        return of_level[name](*where, memory)

    plain = name.removesuffix(SECOND_SEASON_SUFFIX)
    # Only a name with the suffix differs from the plain one: it is of the second season.
    is_second = plain != name
    season = seasons[int(is_second)]
    if plain == "seasonal_naive":
        return seasonal_naive_forecast(*where, season)
    return seasonal_mean_forecast(*where, season)


def naive_forecast(
    values: Floats, offsets: Ints, series: Ints, origins: Ints, horizon: int
) -> Floats:
    """Repeat the last observed value. Returns [K, H]."""
    filled = fill_forward_by_phase(values, offsets)
    at_origin = offsets[series] + origins
    last = filled[at_origin]
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

    # Where it is missing, the one of a season before that stands in.
    filled = fill_forward_by_phase(values, offsets, season)
    seasonal = _values_at(filled, source, start)

    naive = naive_forecast(values, offsets, series, origins, horizon)
    return np.where(np.isnan(seasonal), naive, seasonal)


def drift_forecast(
    values: Floats,
    offsets: Ints,
    series: Ints,
    origins: Ints,
    horizon: int,
    memory: int | None = None,
) -> Floats:
    """Continue the line from the first to the last observed value. Returns [K, H].

    Flat where there is one value only. memory: as in `forecast_baselines`.
    """
    starts = _first_rows(offsets, series, origins, memory)
    first, last = _observed_ends(values, offsets, series, origins, starts)

    first_value = _values_at(values, first)
    last_value = _values_at(values, last)
    rise = last_value - first_value
    n_steps = np.maximum(last - first, 1)
    slope = rise / n_steps

    # Steps count from the last observed value, which may lie before the origin.
    at_origin = offsets[series] + origins
    since_last = at_origin - last
    h = np.arange(1, horizon + 1)
    steps = since_last[:, None] + h  # (K, H)
    risen = slope[:, None] * steps
    line: Floats = last_value[:, None] + risen
    return line


def mean_forecast(
    values: Floats,
    offsets: Ints,
    series: Ints,
    origins: Ints,
    horizon: int,
    memory: int | None = None,
) -> Floats:
    """Forecast the mean of all observed values up to the origin. Returns [K, H].

    memory: as in `forecast_baselines`.
    """
    observed = ~np.isnan(values)
    total = np.where(observed, values, 0.0)
    mean = _mean_up_to_origins(total, observed, offsets, series, origins, memory)
    return np.repeat(mean[:, None], horizon, axis=1)


def median_forecast(
    values: Floats,
    offsets: Ints,
    series: Ints,
    origins: Ints,
    horizon: int,
    memory: int | None = None,
) -> Floats:
    """Forecast the median of the observed values up to the origin. Returns [K, H].

    It is that of the newest MAX_MEDIAN_STEPS steps at most. memory: as in `forecast_baselines`.
    """
    most = memory or MAX_MEDIAN_STEPS
    steps = min(most, MAX_MEDIAN_STEPS)
    starts = _first_rows(offsets, series, origins, steps)
    ends = offsets[series] + origins + 1
    windows = zip(starts, ends, strict=True)

    medians = np.full(len(series), np.nan)
    for k, (start, end) in enumerate(windows):
        past = values[start:end]
        observed = past[~np.isnan(past)]
        if len(observed):
            medians[k] = np.median(observed)
    return np.repeat(medians[:, None], horizon, axis=1)


def mean_change(
    values: Floats,
    offsets: Ints,
    series: Ints,
    origins: Ints,
    memory: int | None = None,
) -> Floats:
    """Mean size of the changes from step to step up to each origin, [K]; 0 without any.

    memory: newest steps that count (default: all).
    """
    rise = np.diff(values, prepend=np.nan)
    change = np.abs(rise)

    # A first step has none: what lies before it belongs to another series.
    first_rows = offsets[:-1]
    # A series without steps at the end has no first row.
    exists = first_rows < len(values)
    change[first_rows[exists]] = np.nan

    known = ~np.isnan(change)
    size = np.where(known, change, 0.0)
    mean = _mean_up_to_origins(size, known, offsets, series, origins, memory)
    return np.nan_to_num(mean)


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

    Where none was observed, as after a long gap, it is the seasonal naive forecast.
    """
    start = offsets[series, None]
    source = _season_before(start, origins, horizon, season)

    shape = source.shape
    total = np.zeros(shape)
    count = np.zeros(shape)
    for cycle in range(cycles):
        earlier = source - cycle * season
        value = _values_at(values, earlier, start)
        observed = ~np.isnan(value)
        known = np.where(observed, value, 0.0)
        # Divided before they are added: the sum of very large values would overflow.
        total += known / cycles
        count += observed

    # The newest value of the season stands where the mean of nothing would.
    mean = seasonal_naive_forecast(values, offsets, series, origins, horizon, season)
    is_known = count > 0
    np.divide(total * cycles, count, out=mean, where=is_known)
    return mean


def fill_forward_by_phase(values: Floats, offsets: Ints, season: int = 1) -> Floats:
    """Replace each missing value by the latest observed one a whole number of seasons before.

    NaN where its series has none. Returns [sum T], `values` itself if nothing is missing.
    """
    missing = np.isnan(values)
    if not missing.any():
        return values

    # Of each value: where its series begins, and which cycle and phase of the season it is of.
    n = len(values)
    lengths = np.diff(offsets)
    start = np.repeat(offsets[:-1], lengths)
    step = np.arange(n) - start
    cycle, phase = np.divmod(step, season)

    # Lay each series out phase after phase, so that a value's predecessor is the one a season
    # before.
    length = np.repeat(lengths, lengths)
    cycles, rest = np.divmod(length, season)
    # The first `rest` phases have a value more than the others.
    longer_phases = np.minimum(phase, rest)
    head = start + phase * cycles + longer_phases
    place = head + cycle

    # Each place's latest observed one, itself included.
    own_place = np.where(missing, -1, place)
    observed_place = np.full(n, -1)
    observed_place[place] = own_place
    latest = np.maximum.accumulate(observed_place)
    source = latest[place]

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


def _first_rows(offsets: Ints, series: Ints, origins: Ints, memory: int | None) -> Ints:
    """Positions of the first step of each window that counts, [K]."""
    start = offsets[series]
    if memory is None:
        return start
    oldest = start + origins + 1 - memory
    return np.asarray(np.maximum(start, oldest))


def _mean_up_to_origins(
    values: Floats,
    counted: Bools,
    offsets: Ints,
    series: Ints,
    origins: Ints,
    memory: int | None,
) -> Floats:
    """Mean of the counted values up to each origin, [K]; NaN for none. Others must be 0."""
    start = _first_rows(offsets, series, origins, memory)
    end = offsets[series] + origins + 1
    # Each window is summed by itself: running totals would lose digits to larger series.
    bounds = np.stack([start, end], 1).ravel()
    # A last row more, so that a window may end at the end of the values.
    values_and_row = np.append(values, 0.0)
    counted_and_row = np.append(counted, 0)
    # Every second sum is of what lies between two windows.
    total = np.add.reduceat(values_and_row, bounds)[::2]
    count = np.add.reduceat(counted_and_row, bounds, dtype=np.int64)[::2]

    mean = np.full(len(series), np.nan)
    np.divide(total, count, out=mean, where=count > 0)
    return mean


def _observed_ends(
    values: Floats, offsets: Ints, series: Ints, origins: Ints, starts: Ints
) -> tuple[Ints, Ints]:
    """Positions of the first and last observed value up to each origin, [K] each; -1 for none.

    starts: [K], the first position of each window that counts for the first of them.
    """
    n = len(values)
    position = np.arange(n)
    observed = ~np.isnan(values)

    # The nearest observed position at or before each, and at or after it.
    previous = np.where(observed, position, -1)
    previous = np.maximum.accumulate(previous)
    following = np.where(observed, position, n)
    from_end = following[::-1]
    following = np.minimum.accumulate(from_end)[::-1]

    start = offsets[series]
    at_origin = start + origins
    last = previous[at_origin]
    # What lies before the start belongs to another series.
    exists = last >= start
    # Where nothing newer was observed, the last value is the first one too.
    first = following[starts]
    first = np.minimum(first, last)
    first = np.where(exists, first, -1)
    last = np.where(exists, last, -1)
    return first, last


def _values_at(values: Floats, position: Ints, start: Ints | int = 0) -> Floats:
    """Values at flat positions; NaN at those before `start`."""
    # Row 0 stands in where there is none, to be masked.
    at = np.maximum(position, 0)
    found = values[at]
    exists = position >= start
    return np.where(exists, found, np.nan)
