"""Does the model help? Its errors beside those of the baselines on the same windows, and the answer in plain words.

Axes: `N` series, `K` windows, `H` horizon, `Q` quantiles. Knows how to count and to say it, not how
to forecast.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lstmcast.errors import DataError
from lstmcast.panel import forecast_table
from lstmcast.ragged import NAN, Floats, Ints
from lstmcast.scoring import baselines, metrics
from lstmcast.scoring import binary as events
from lstmcast.scoring.wording import (
    _DAYS_PER_UNIT,
    _STEP_NAMES,
    _format_difference,
    name_season,
    name_step,
)

if TYPE_CHECKING:
    from lstmcast.panel.panel import Panel

Scores = dict[str, float]
_DAYS_PER_UNIT |= dict.fromkeys(("MS", "ME", "BMS", "BME"), 30.44) | dict.fromkeys(
    ("QS", "QE", "BQS", "BQE"), 91.31
)
_STEP_NAMES |= dict.fromkeys(("MS", "ME", "BMS", "BME"), "month") | dict.fromkeys(
    ("QS", "QE", "BQS", "BQE"), "quarter"
)
_STEP_NAMES |= dict.fromkeys(("YS", "YE", "BYS", "BYE"), "year")


@dataclass(frozen=True)
class Verdict:
    """Errors of the model and of each baseline, averaged over windows, then over series.

    Names in `model` and `baselines`: mase, rmsse, smape, mape (percent), mae, rmse (unit of the
    data), wql; the model also has `coverage`, the share of actual values inside `interval`, a pair
    of quantile levels. A figure that does not exist is NaN (null in JSON). Of probabilities of a 1
    there are brier, log_loss, auc and calibration (see `probability`), the one baseline is the base
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
    """The baseline with the least mase (mae where no series has one)."""
    skill: float
    """1 - mae / mae of the best baseline: above 0 the model helps."""
    by_step: tuple[Scores, ...]
    """For each step ahead: step, mae, mase, smape, coverage, baseline_mae, skill."""
    by_series: tuple[dict[str, Any], ...] = ()
    """For each series, where asked: key, windows, mae, mase, baseline_mae, skill."""
    step_name: str = ""
    """What a step is called, as "day" or "month"; empty where it has no everyday name."""

    @property
    def beats_baseline(self) -> bool:
        """Whether the model's error is below that of the best baseline."""
        return self.skill > 0

    def to_dict(self) -> dict[str, Any]:
        """JSON form that `from_dict` reads back; NaN and infinity become None."""
        plain: dict[str, Any] = _nan_to_none(asdict(self))
        return plain

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Verdict":
        """Rebuild from `to_dict`'s form."""
        full = dict(data)
        full["interval"] = tuple(full["interval"])
        full["skill"] = NAN if full["skill"] is None else full["skill"]
        full["model"] = _none_to_nan(full["model"])
        full["baselines"] = {
            name: _none_to_nan(scores) for name, scores in full["baselines"].items()
        }
        full["by_step"] = tuple(_none_to_nan(row) for row in full["by_step"])
        full["by_series"] = tuple(_none_to_nan(row) for row in full.get("by_series", ()))
        return cls(**full)

    @property
    def of_events(self) -> bool:
        """Whether the forecasts are probabilities of a 1."""
        return "brier" in self.model

    def sentences(self) -> list[str]:
        """The verdict for a reader who has never heard of any of these measures."""
        if self.of_events:
            return events.describe_probabilities(
                self.model, self.baselines[self.best_baseline], self._describe_windows()
            )
        return [
            *self._describe_comparison(),
            *self._describe_disagreement(),
            *self._describe_interval(),
        ]

    def _describe_comparison(self) -> list[str]:
        where, rival = self._describe_windows(), self._describe_baseline()
        error, rival_error = self.model["mae"], self.baselines[self.best_baseline]["mae"]
        if np.isnan(self.skill):
            return [
                f"{where} the model was off by {error:.4g} on average, {rival} by {rival_error:.4g}."
            ]
        if self.beats_baseline:
            said = [
                f"{where} the model's error was {_format_difference(self.skill)} that of {rival}."
            ]
        else:
            where = where[0].lower() + where[1:]
            said = [
                f"The model does not beat the best baseline: {where} its error was "
                f"{_format_difference(self.skill)} that of {rival}."
            ]
        if self.series == 1:
            said.append(f"It was off by {error:.4g} on average, {rival} by {rival_error:.4g}.")
        return said

    def _describe_disagreement(self) -> list[str]:
        """With several series the mean error is that of the large ones; say where the small ones differ."""
        rival = self.baselines[self.best_baseline]["mase"]
        fair = 1 - self.model["mase"] / rival if rival > 0 else NAN
        if self.series == 1 or np.isnan(fair) or (fair > 0) == self.beats_baseline:
            return []
        return [
            f"With every series counted alike, whatever its size, it was {_format_difference(fair)} that of the baseline."
        ]

    def _describe_interval(self) -> list[str]:
        share, width = self.model["coverage"], self.interval[1] - self.interval[0]
        if np.isnan(share):
            return []
        inside = round(share * min(self.observed, 100))
        counted = (
            f"Of 100 actual values {inside}"
            if self.observed >= 100
            else f"Of {self.observed} values {inside}"
        )
        chance = 2 * (width * (1 - width) / self.observed) ** 0.5
        far = abs(share - width) > max(0.1, chance)
        remark = (
            ("; it is too narrow" if share < width else "; it is wider than it need be")
            if far
            else ""
        )
        return [f"{counted} fell inside the {100 * width:.0f} % interval{remark}."]

    def _describe_windows(self) -> str:
        span = self._format_steps(self.horizon)
        windows = f"{self.origins} windows of {span}" if self.origins > 1 else span
        return f"On the last {windows}" + (f" of {self.series} series" if self.series > 1 else "")

    def _format_steps(self, steps: int) -> str:
        return f"{steps} {self.step_name or 'step'}{'s' if steps > 1 else ''}"

    def _describe_baseline(self) -> str:
        back = (
            f"the {self.season_name} before"
            if self.season_name
            else f"the last {self._format_steps(self.season)}"
        )
        return {
            "naive": "repeating the last value",
            "seasonal_naive": f"repeating {back}",
            "drift": "extending the line from the first to the last value",
        }[self.best_baseline]


def score_forecasts(
    panel: "Panel",
    series: Ints,
    origins: Ints,
    quantiles: Floats,
    levels: Floats,
    season: int,
    *,
    ends: Ints | None = None,
    by_series: bool = False,
    probability: bool = False,
) -> Verdict:
    """Score forecasts against what `panel` holds after each origin, and against the baselines from the same origins.

    Args:
        panel: holds the history, and the actual values at origin + 1 ... origin + H (missing ones
            are left out).
        series: [K], the series number of each window.
        origins: [K], index within the series of the last step that the forecast knew.
        quantiles: [K, H, Q] forecasts, in the unit of the data.
        levels: [Q], ascending; the point forecast is the median (interpolated where .5 is not among
            them).
        season: steps of the season, for the seasonal naive forecast and the scale of mase and
            rmsse.
        ends: [N], steps of each series that are in-sample for that scale; by default all up to its
            first origin.
        by_series: whether to keep a row for each series.
        probability: whether the forecasts are probabilities of a 1, to be judged as such.

    Raises:
        DataError: no actual value is known after any origin.
    """
    series, origins, levels = np.asarray(series), np.asarray(origins), np.asarray(levels, float)
    if ends is None:
        ends = first_origins(panel, series, origins) + 1
    actual = actuals_after_origins(panel, series, origins, quantiles.shape[1])
    known = np.isfinite(
        baselines.naive_forecast(panel.values, panel.offsets, series, origins, 1)[:, 0]
    )
    kept = known & ~np.isnan(actual).all(axis=1)
    if not kept.any():
        raise DataError(
            f"no actual value to score against: {len(series)} windows, none with one known after its origin",
            "give data that reaches beyond the forecast's origin",
        )
    if probability:
        made = forecast_table.point_forecast(quantiles[kept], levels)
        return _build_binary_verdict(
            panel, series[kept], made, actual[kept], ends, season, by_series
        )
    case = _ScoredWindows.of(panel, series[kept], origins[kept], actual[kept], ends, season)
    return _build_verdict(panel, case, quantiles[kept], levels, season, by_series)


def actuals_after_origins(panel: "Panel", series: Ints, origins: Ints, horizon: int) -> Floats:
    """Values of the panel after each origin, [K, H]; NaN where missing or beyond the end of the series."""
    at = (panel.offsets[series] + origins)[:, None] + np.arange(1, horizon + 1)  # (K, H)
    there = at < panel.offsets[series + 1][:, None]
    found: Floats = np.where(there, panel.values[np.where(there, at, 0)], NAN)
    return found


def first_origins(panel: "Panel", series: Ints, origins: Ints) -> Ints:
    """Earliest origin of each series of the panel, [N]; -1 for a series without any."""
    first = np.full(len(panel.offsets) - 1, np.iinfo(np.int64).max)
    np.minimum.at(first, series, origins)
    return np.where(first == np.iinfo(np.int64).max, -1, first)


@dataclass(frozen=True, eq=False)
class _ScoredWindows:
    """Windows with their actuals, their in-sample scales and what each baseline forecast for them."""

    series: Ints  # [K]
    actual: Floats  # [K, H]
    scale: Floats  # [K], of absolute errors
    scale_square: Floats  # [K], of squared ones
    rivals: dict[str, Floats]  # [K, H] each

    @classmethod
    def of(
        cls, panel: "Panel", series: Ints, origins: Ints, actual: Floats, ends: Ints, season: int
    ) -> "_ScoredWindows":
        scale, square = (
            metrics.seasonal_scale(panel.values, panel.offsets, ends, season, p)[series]
            for p in (1, 2)
        )
        where = panel.values, panel.offsets, series, origins, actual.shape[1]
        rivals = {"naive": baselines.naive_forecast(*where)}
        if season > 1:
            rivals["seasonal_naive"] = baselines.seasonal_naive_forecast(*where, season)
        rivals["drift"] = baselines.drift_forecast(*where)
        return cls(series, actual, scale, square, rivals)

    def errors(self, forecast: Floats) -> Scores:
        return {
            "mase": metrics.mase(self.actual, forecast, self.scale, self.series),
            "rmsse": metrics.rmsse(self.actual, forecast, self.scale_square, self.series),
            "smape": metrics.smape(self.actual, forecast, self.series),
            "mape": metrics.mape(self.actual, forecast, self.series),
            "mae": metrics.mae(self.actual, forecast, self.series),
            "rmse": metrics.rmse(self.actual, forecast, self.series),
        }


def _build_verdict(
    panel: "Panel",
    case: _ScoredWindows,
    quantiles: Floats,
    levels: Floats,
    season: int,
    by_series: bool,
) -> Verdict:
    median = forecast_table.point_forecast(quantiles, levels)
    low, high = _interval_positions(levels)
    bounds = quantiles[..., low], quantiles[..., high]
    model = case.errors(median) | {"wql": metrics.wql(case.actual, quantiles, levels)}
    model["coverage"] = metrics.coverage(case.actual, *bounds) if low < high else NAN
    rivals = {
        name: case.errors(made) | {"wql": _point_forecast_wql(case, made, levels)}
        for name, made in case.rivals.items()
    }
    best = _best_baseline(rivals)
    windows = np.bincount(case.series)
    return Verdict(
        series=int((windows > 0).sum()),
        windows=len(case.series),
        origins=int(windows.max()),
        horizon=case.actual.shape[1],
        season=season,
        season_name=name_season(panel.axis.freq, season),
        observed=int((~np.isnan(case.actual)).sum()),
        unscaled=int(len(np.unique(case.series[~(case.scale > 0)]))),
        interval=(float(levels[low]), float(levels[high])),
        model=model,
        baselines=rivals,
        best_baseline=best,
        skill=events.skill_score(model["mae"], rivals[best]["mae"]),
        by_step=_scores_by_step(case, median, bounds if low < high else None, case.rivals[best]),
        by_series=_scores_by_series(panel, case, median, case.rivals[best]) if by_series else (),
        step_name=name_step(panel.axis.freq),
    )


def _build_binary_verdict(
    panel: "Panel",
    series: Ints,
    made: Floats,
    actual: Floats,
    ends: Ints,
    season: int,
    by_series: bool,
) -> Verdict:
    """Verdict on probabilities [K, H] of a 1, against the share of ones so far in each series."""
    base = np.broadcast_to(
        events.base_rates(panel.values, panel.offsets, ends)[series][:, None], made.shape
    )
    model, rival = (
        events.score_probabilities(made, actual),
        events.score_probabilities(base, actual),
    )
    windows = np.bincount(series)
    parts = ((i, series == i) for i in np.flatnonzero(windows) if by_series)
    steps = (slice(h, h + 1) for h in range(made.shape[1]))
    return Verdict(
        series=int((windows > 0).sum()),
        windows=len(series),
        origins=int(windows.max()),
        horizon=made.shape[1],
        season=season,
        season_name=name_season(panel.axis.freq, season),
        step_name=name_step(panel.axis.freq),
        observed=int((~np.isnan(actual)).sum()),
        unscaled=0,
        interval=(0.1, 0.9),
        model=model,
        baselines={"base_rate": rival},
        best_baseline="base_rate",
        skill=events.skill_score(model["brier"], rival["brier"]),
        by_step=tuple(
            {
                "step": h + 1,
                **events.compare_with_base_rate(*(x[:, step] for x in (made, base, actual))),
            }
            for h, step in enumerate(steps)
        ),
        by_series=tuple(
            {"key": list(panel.keys[i]), "windows": int(windows[i])}
            | events.compare_with_base_rate(*(x[here] for x in (made, base, actual)))
            for i, here in parts
        ),
    )


def _interval_positions(levels: Floats) -> tuple[int, int]:
    """Positions of the levels .1 and .9, or of the outermost ones."""
    pair = [np.flatnonzero(np.isclose(levels, wanted)) for wanted in (0.1, 0.9)]
    return (int(pair[0][0]), int(pair[1][0])) if all(len(p) for p in pair) else (0, len(levels) - 1)


def _best_baseline(rivals: dict[str, Scores]) -> str:
    measure = (
        "mase" if any(scores["mase"] == scores["mase"] for scores in rivals.values()) else "mae"
    )
    return min(rivals, key=lambda name: rivals[name][measure])


def _point_forecast_wql(case: _ScoredWindows, forecast: Floats, levels: Floats) -> float:
    """A point forecast taken as every quantile."""
    return metrics.wql(
        case.actual, np.broadcast_to(forecast[..., None], (*forecast.shape, len(levels))), levels
    )


def _scores_by_step(
    case: _ScoredWindows, median: Floats, bounds: tuple[Floats, Floats] | None, rival: Floats
) -> tuple[Scores, ...]:
    rows = []
    for h in range(median.shape[1]):
        step = slice(h, h + 1)
        actual, made = case.actual[:, step], median[:, step]
        error, other = (
            metrics.mae(actual, forecast, case.series) for forecast in (made, rival[:, step])
        )
        row = {
            "step": h + 1,
            "mae": error,
            "mase": metrics.mase(actual, made, case.scale, case.series),
        }
        row["smape"] = metrics.smape(actual, made, case.series)
        row["coverage"] = (
            metrics.coverage(actual, *(bound[:, step] for bound in bounds)) if bounds else NAN
        )
        rows.append(row | {"baseline_mae": other, "skill": events.skill_score(error, other)})
    return tuple(rows)


def _scores_by_series(
    panel: "Panel", case: _ScoredWindows, median: Floats, rival: Floats
) -> tuple[dict[str, Any], ...]:
    usable = ~np.isnan(case.actual)
    error, _ = metrics.mean_by_series(np.abs(median - case.actual), usable, case.series)
    other, _ = metrics.mean_by_series(np.abs(rival - case.actual), usable, case.series)
    windows = np.bincount(case.series)
    scale = np.full(len(windows), NAN)
    scale[case.series] = np.where(case.scale > 0, case.scale, NAN)
    return tuple(
        {
            "key": list(panel.keys[i]),
            "windows": int(windows[i]),
            "mae": float(error[i]),
            "mase": float(error[i] / scale[i]),
            "baseline_mae": float(other[i]),
            "skill": events.skill_score(float(error[i]), float(other[i])),
        }
        for i in np.flatnonzero(windows)
    )


def _nan_to_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _nan_to_none(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_nan_to_none(item) for item in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _none_to_nan(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: NAN if value is None else value for name, value in row.items()}
