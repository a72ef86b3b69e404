"""Does the model help? Its errors beside those of the baselines on the same windows.

Knows how to score, not how to forecast; `wording` puts it into sentences.

Axes: N series, K windows, H horizon, Q quantiles.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lstmcast.errors import DataError
from lstmcast.panel import forecast_table
from lstmcast.ragged import NAN, Floats, Ints
from lstmcast.scoring import metrics
from lstmcast.scoring.baselines import choose_rival, naive_forecast
from lstmcast.scoring.binary import (
    base_rates,
    compare_with_base_rate,
    score_probabilities,
    skill_score,
)
from lstmcast.scoring.theta import forecast_rivals
from lstmcast.scoring.verdict_views import VerdictViews
from lstmcast.scoring.wording import name_season, name_step

if TYPE_CHECKING:
    from lstmcast.panel.panel import Panel

Scores = dict[str, float]


@dataclass(frozen=True, repr=False)
class Verdict(VerdictViews):
    """Errors of the model and of each baseline, averaged over windows, then over series.

    Names in `model` and `baselines`: mase, rmsse, smape, mape (percent), mae, rmse (unit of the
    data), wql; the model also has `coverage`, the share of actual values inside `interval`, a pair
    of quantile levels. A figure that does not exist is NaN (null in JSON). Of probabilities of a 1
    there are brier, log_loss, auc and calibration (see `binary`), the one baseline is the base
    rate, and skill is of brier. `log_likelihood` is there for losses of a distribution.
    """

    series: int
    """Series scored."""
    windows: int
    """Pairs of series and origin."""
    origins: int
    """Most windows of one series."""
    horizon: int
    season: int
    season_name: str
    """"day", "week", "year", or empty where the season has no everyday name."""
    observed: int
    """Actual values compared."""
    unscaled: int
    """Series without mase and rmsse: they never changed before their first origin."""
    interval: tuple[float, float]
    model: Scores
    baselines: dict[str, Scores]
    best_baseline: str
    """The baseline with the least mae, the measure of skill, or the one that was asked for."""
    skill: float
    """1 - mae / mae of the best baseline: above 0 the model helps."""
    by_step: tuple[Scores, ...]
    """For each step ahead: step, mae, mase, smape, coverage, baseline_mae, skill."""
    by_series: tuple[dict[str, Any], ...] = ()
    """For each series, if requested: key, windows, mae, mase, baseline_mae, skill."""
    step_name: str = ""
    """What a step is called, as "day" or "month"; empty where it has no everyday name."""
    independent: int = 0
    """Windows that do not overlap, at most; 0 in verdicts of older versions."""
    second_season: int = 0
    """Steps of a second season, 0 without one."""
    second_season_name: str = ""
    """What it is called, as `season_name`."""

    def to_dict(self) -> dict[str, Any]:
        """JSON form that `from_dict` reads back; NaN and infinity become None."""
        plain: dict[str, Any] = _nan_to_none(asdict(self))
        return plain

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Verdict":
        """Rebuild from `to_dict`'s form."""
        full = dict(data)
        full["interval"] = tuple(full["interval"])
        if full["skill"] is None:
            full["skill"] = NAN

        full["model"] = _none_to_nan(full["model"])
        baselines = full["baselines"].items()
        full["baselines"] = {name: _none_to_nan(scores) for name, scores in baselines}

        by_step = full["by_step"]
        full["by_step"] = tuple(_none_to_nan(row) for row in by_step)
        by_series = full.get("by_series", ())
        full["by_series"] = tuple(_none_to_nan(row) for row in by_series)
        return cls(**full)


def score_forecasts(
    panel: "Panel",
    series: Ints,
    origins: Ints,
    quantiles: Floats,
    levels: Floats,
    season: int,
    *,
    second_season: int = 0,
    ends: Ints | None = None,
    by_series: bool = False,
    probability: bool = False,
    point: Floats | None = None,
    against: str = "",
) -> Verdict:
    """Score forecasts against the actual values of a panel, beside baselines from the same origins.

    Args:
        panel: holds the history, and the actual values at origin + 1 ... origin + H (missing ones
            are left out).
        series: [K], the series number of each window.
        origins: [K], index within the series of the last step that the forecast knew.
        quantiles: [K, H, Q] forecasts, in the unit of the data.
        levels: [Q], ascending; the point forecast is the median (interpolated where .5 is not among
            them).
        season: steps of the season, for the seasonal baselines and the scale of mase and rmsse.
        second_season: steps of another season, for seasonal baselines only; 0 for none.
        ends: [N], steps of each series that are in-sample for that scale; by default all up to its
            first origin.
        by_series: whether to keep a row for each series.
        probability: whether the forecasts are probabilities of a 1, to be judged as such.
        point: [K, H] point forecasts, where the levels do not have the median.
        against: the baseline to compare with, "" for the best one.

    Raises:
        UsageError: there is no such baseline.
        DataError: no actual value is known after any origin.
    """
    series = np.asarray(series)
    origins = np.asarray(origins)
    levels = np.asarray(levels, float)
    if ends is None:
        ends = first_origins(panel, series, origins) + 1
    horizon = quantiles.shape[1]
    actual = actuals_after_origins(panel, series, origins, horizon)

    # Windows count where something can be forecast from, and something came.
    last_value = naive_forecast(panel.values, panel.offsets, series, origins, 1)
    has_past = np.isfinite(last_value[:, 0])
    has_actual = ~np.isnan(actual).all(axis=1)
    scored = has_past & has_actual
    if not scored.any():
        raise DataError(
            f"no actual value to score against: {len(series)} windows, "
            "none with one known after its origin",
            "give data that reaches beyond the forecast's origin",
        )
    series = series[scored]
    origins = origins[scored]
    actual = actual[scored]
    quantiles = quantiles[scored]
    point = None if point is None else point[scored]
    if point is None:
        point = forecast_table.point_forecast(quantiles, levels)

    if probability:
        return _build_binary_verdict(
            panel, series, point, actual, ends, season, by_series, against
        )
    seasons = (season, second_season)
    windows = _ScoredWindows.of(panel, series, origins, actual, ends, seasons)
    verdict = _build_verdict(
        panel, windows, point, quantiles, levels, seasons, by_series, against
    )
    independent = metrics.count_independent_windows(series, origins, quantiles.shape[1])
    return replace(verdict, independent=independent)


def actuals_after_origins(
    panel: "Panel", series: Ints, origins: Ints, horizon: int
) -> Floats:
    """Values after each origin, [K, H]; NaN where missing or beyond the end of the series."""
    at_origin = panel.offsets[series] + origins
    h = np.arange(1, horizon + 1)
    at = at_origin[:, None] + h  # (K, H)
    end = panel.offsets[series + 1]
    exists = at < end[:, None]
    # Row 0 stands in where there is none, to be masked.
    at = np.where(exists, at, 0)
    found = panel.values[at]
    return np.where(exists, found, NAN)


def first_origins(panel: "Panel", series: Ints, origins: Ints) -> Ints:
    """Earliest origin of each series of the panel, [N]; -1 for a series without any."""
    # Later than any origin.
    never = np.iinfo(np.int64).max
    n = len(panel.offsets) - 1
    first = np.full(n, never)
    np.minimum.at(first, series, origins)
    return np.where(first == never, -1, first)


@dataclass(frozen=True, eq=False)
class _ScoredWindows:
    """Windows with their actual values, in-sample scales and the forecasts of each baseline."""

    series: Ints  # [K]
    actual: Floats  # [K, H]
    scale: Floats  # [K], of absolute errors
    scale_square: Floats  # [K], of squared ones
    baselines: dict[str, Floats]  # [K, H] each

    @classmethod
    def of(
        cls,
        panel: "Panel",
        series: Ints,
        origins: Ints,
        actual: Floats,
        ends: Ints,
        seasons: Sequence[int],
    ) -> "_ScoredWindows":
        """Windows of a panel; ends: [N], steps of each series that are in-sample."""
        values = panel.values
        offsets = panel.offsets
        horizon = actual.shape[1]
        season = seasons[0]
        scale = metrics.seasonal_scale(values, offsets, ends, season)
        scale_square = metrics.seasonal_scale(values, offsets, ends, season, power=2)

        forecasts = forecast_rivals(values, offsets, series, origins, horizon, seasons)
        return cls(series, actual, scale[series], scale_square[series], forecasts)

    def errors(self, forecast: Floats) -> Scores:
        """All errors of a point forecast [K, H]."""
        actual, series = self.actual, self.series
        return {
            "mase": metrics.mase(actual, forecast, self.scale, series),
            "rmsse": metrics.rmsse(actual, forecast, self.scale_square, series),
            "smape": metrics.smape(actual, forecast, series),
            "mape": metrics.mape(actual, forecast, series),
            "mae": metrics.mae(actual, forecast, series),
            "rmse": metrics.rmse(actual, forecast, series),
        }


def _build_verdict(
    panel: "Panel",
    windows: _ScoredWindows,
    median: Floats,
    quantiles: Floats,
    levels: Floats,
    seasons: Sequence[int],
    by_series: bool,
    against: str,
) -> Verdict:
    """Verdict on the medians [K, H] and quantiles [K, H, Q] forecast for windows."""
    low, high = _interval_positions(levels)
    # A point forecast alone has no interval.
    bounds = None
    if low < high:
        lower = quantiles[..., low]
        upper = quantiles[..., high]
        bounds = (lower, upper)

    model = windows.errors(median)
    model["wql"] = metrics.wql(windows.actual, quantiles, levels)
    model["coverage"] = _coverage(windows.actual, bounds)

    baselines = {}
    for name, forecast in windows.baselines.items():
        errors = windows.errors(forecast)
        errors["wql"] = _point_forecast_wql(windows, forecast, levels)
        baselines[name] = errors
    best = choose_rival(baselines, against)
    baseline = windows.baselines[best]

    rows: tuple[dict[str, Any], ...] = ()
    if by_series:
        rows = _scores_by_series(panel, windows, median, baseline)

    count = np.bincount(windows.series)
    observed = ~np.isnan(windows.actual)
    without_scale = ~(windows.scale > 0)
    season, second_season = seasons
    freq = panel.axis.freq
    return Verdict(
        series=int((count > 0).sum()),
        windows=len(windows.series),
        origins=int(count.max()),
        horizon=windows.actual.shape[1],
        season=season,
        season_name=name_season(freq, season, panel.axis.stretch),
        second_season=second_season,
        second_season_name=name_season(freq, second_season, panel.axis.stretch),
        observed=int(observed.sum()),
        unscaled=len(np.unique(windows.series[without_scale])),
        interval=(float(levels[low]), float(levels[high])),
        model=model,
        baselines=baselines,
        best_baseline=best,
        skill=skill_score(model["mae"], baselines[best]["mae"]),
        by_step=_scores_by_step(windows, median, bounds, baseline),
        by_series=rows,
        step_name=name_step(freq),
    )


def _build_binary_verdict(
    panel: "Panel",
    series: Ints,
    probabilities: Floats,
    actual: Floats,
    ends: Ints,
    season: int,
    by_series: bool,
    against: str,
) -> Verdict:
    """Verdict on probabilities [K, H] of a 1, against the share of ones so far in each series."""
    rates = base_rates(panel.values, panel.offsets, ends)
    base = rates[series]
    base = np.broadcast_to(base[:, None], probabilities.shape)
    model = score_probabilities(probabilities, actual)
    baseline = score_probabilities(base, actual)

    count = np.bincount(series)
    observed = ~np.isnan(actual)
    horizon = probabilities.shape[1]

    def compare(part: Any) -> Scores:
        return compare_with_base_rate(probabilities[part], base[part], actual[part])

    steps = []
    for h in range(horizon):
        step = np.s_[:, h : h + 1]
        scores = compare(step)
        steps.append({"step": h + 1, **scores})

    rows = []
    for i in np.flatnonzero(count if by_series else []):
        key = list(panel.keys[i])
        windows = {"key": key, "windows": int(count[i])}
        scores = compare(series == i)
        rows.append(windows | scores)

    return Verdict(
        series=int((count > 0).sum()),
        windows=len(series),
        origins=int(count.max()),
        horizon=horizon,
        season=season,
        season_name=name_season(panel.axis.freq, season, panel.axis.stretch),
        step_name=name_step(panel.axis.freq),
        observed=int(observed.sum()),
        unscaled=0,
        interval=(0.1, 0.9),
        model=model,
        baselines={"base_rate": baseline},
        best_baseline=choose_rival({"base_rate": baseline}, against),
        skill=skill_score(model["brier"], baseline["brier"]),
        by_step=tuple(steps),
        by_series=tuple(rows),
    )


def _interval_positions(levels: Floats) -> tuple[int, int]:
    """Positions of the levels .1 and .9, or of the outermost ones."""
    low = np.flatnonzero(np.isclose(levels, 0.1))
    high = np.flatnonzero(np.isclose(levels, 0.9))
    if len(low) and len(high):
        return int(low[0]), int(high[0])
    return 0, len(levels) - 1


def _point_forecast_wql(
    windows: _ScoredWindows, forecast: Floats, levels: Floats
) -> float:
    """The quantile loss of a point forecast [K, H] taken as every quantile."""
    shape = (*forecast.shape, len(levels))
    quantiles = np.broadcast_to(forecast[..., None], shape)
    return metrics.wql(windows.actual, quantiles, levels)


def _coverage(actual: Floats, bounds: tuple[Floats, Floats] | None) -> float:
    """Share of actual values within the bounds; NaN without any."""
    if bounds is None:
        return NAN
    lower, upper = bounds
    return metrics.coverage(actual, lower, upper)


def _scores_by_step(
    windows: _ScoredWindows,
    median: Floats,
    bounds: tuple[Floats, Floats] | None,
    baseline: Floats,
) -> tuple[Scores, ...]:
    """A row of scores for each step ahead; median, baseline: [K, H]."""
    rows = []
    series = windows.series
    for h in range(median.shape[1]):
        # A range of one step, so that the axis of the horizon stays.
        step = np.s_[:, h : h + 1]
        actual = windows.actual[step]
        forecast = median[step]
        error = metrics.mae(actual, forecast, series)
        baseline_error = metrics.mae(actual, baseline[step], series)
        bounds_of_step = None
        if bounds is not None:
            lower, upper = bounds
            bounds_of_step = (lower[step], upper[step])
        rows.append(
            {
                "step": h + 1,
                "mae": error,
                "mase": metrics.mase(actual, forecast, windows.scale, series),
                "smape": metrics.smape(actual, forecast, series),
                "coverage": _coverage(actual, bounds_of_step),
                "baseline_mae": baseline_error,
                "skill": skill_score(error, baseline_error),
            }
        )
    return tuple(rows)


def _scores_by_series(
    panel: "Panel", windows: _ScoredWindows, median: Floats, baseline: Floats
) -> tuple[dict[str, Any], ...]:
    """A row of scores for each series with a window; median, baseline: [K, H]."""
    series = windows.series
    count = np.bincount(series)
    observed = ~np.isnan(windows.actual)

    def mean_errors(forecast: Floats) -> Floats:
        distance = np.abs(forecast - windows.actual)
        return metrics.mean_by_series(distance, observed, series).mean

    errors = mean_errors(median)
    baseline_errors = mean_errors(baseline)

    # All windows of a series have its one scale.
    has_scale = windows.scale > 0
    scale = np.full(len(count), NAN)
    scale[series] = np.where(has_scale, windows.scale, NAN)

    rows = []
    for i in np.flatnonzero(count):
        error = float(errors[i])
        baseline_error = float(baseline_errors[i])
        rows.append(
            {
                "key": list(panel.keys[i]),
                "windows": int(count[i]),
                "mae": error,
                "mase": float(errors[i] / scale[i]),
                "baseline_mae": baseline_error,
                "skill": skill_score(error, baseline_error),
            }
        )
    return tuple(rows)


def _nan_to_none(value: Any) -> Any:
    """Nested values with None for what JSON cannot hold: NaN and infinity."""
    if isinstance(value, dict):
        return {name: _nan_to_none(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_nan_to_none(item) for item in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value


def _none_to_nan(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with NaN again for what `_nan_to_none` left out."""
    return {name: NAN if value is None else value for name, value in row.items()}
