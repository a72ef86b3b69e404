"""What series and their forecasts are made of: level, trend, seasons, effects of covariates.

Seasons are those of the network's classical candidates, effects those that are taken out before the
network. What they leave is smoothed to a level with a trend. Knows no pictures.

Axes: N series, T steps, H horizon, m season, m2 second season; flat arrays hold all series end to
end.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lstmcast.features.candidates import accumulate_damping, same_phase_offsets
from lstmcast.features.preprocessing import Scaling
from lstmcast.features.rows import are_first_steps, series_of_rows
from lstmcast.features.scaler import inverse_transform
from lstmcast.features.seasonal.long_memory import list_patterns
from lstmcast.features.smoothing import exponential_moving_average, moving_average
from lstmcast.features.steps import StepArrays
from lstmcast.forecasting.predictor import Predictor
from lstmcast.panel.calendar import list_covariate_sources
from lstmcast.panel.checks import require_future_covariates
from lstmcast.panel.extend import with_training_history
from lstmcast.panel.gaps import without_lines
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Floats, Ints, concat_ranges, offsets_from_lengths

if TYPE_CHECKING:
    import pandas as pd

SEASON_PREFIX, EFFECT_PREFIX = "season_", "effect_"
"""What names of columns begin with: of a season of so many steps, and of a covariate's effect."""
_MIN_MEMORY_STEPS = 5
"""Steps that the level looks back on, where the season is shorter."""


class _Part(NamedTuple):
    """A component in transformed units: of the history [sum T], and of the steps ahead [N, H]."""

    history: Floats
    ahead: Floats


def decompose_series(
    forecaster: Predictor, panel: Panel | None = None, horizon: int | None = None
) -> "pd.DataFrame":
    """Take series and their forecasts apart, in the unit of the target.

    Args:
        forecaster: whose seasons, scales and effects of covariates are used.
        panel: what to take apart (default: the run's own history).
        horizon: steps ahead (default: the trained horizon).

    Returns:
        A table with a row for each series and step, of the past and then of the horizon. Its
        columns are those of the series, the time, the target (missing in the horizon), `forecast`
        (missing before it), `level`, `season_7` for a season of 7 steps, `effect_price` for each
        covariate known ahead, `remainder`, and `trend`, the change of the level in one step. Of a
        second, longer season it is what that adds to the first. Level, seasons, effects and
        remainder add up to the target, and in the horizon to the forecast, where the remainder is
        what networks and calibration add.

    Raises:
        DataError: covariates known ahead are missing for a step of the horizon.
    """
    import pandas as pd

    if panel is None:
        panel = forecaster.panel
    else:
        panel = with_training_history(panel, forecaster.panel, forecaster.context)
    horizon = horizon or forecaster.horizon
    require_future_covariates(panel, horizon)

    series = np.arange(len(panel))
    origins = panel.lengths - 1
    medians = forecaster.quantiles(panel, series, origins, horizon, levels=(0.5,))
    ahead = medians[..., 0]
    not_ahead = np.full_like(ahead, np.nan)
    not_past = np.full_like(panel.values, np.nan)

    lengths = panel.lengths + horizon
    owner = series_of_rows(offsets_from_lengths(lengths))
    target = panel.columns.target[0] if len(panel.columns.target) == 1 else "value"
    columns = panel.key_columns(owner)
    columns[panel.axis.name] = panel.axis.stamps(concat_ranges(panel.start, lengths))
    columns[target] = _lay_end_to_end(_Part(panel.values, not_ahead), panel)
    columns["forecast"] = _lay_end_to_end(_Part(not_past, ahead), panel)

    total = _lay_end_to_end(_Part(panel.values, ahead), panel)
    components = _compute_components(forecaster, panel, horizon, owner, total)
    return pd.DataFrame(columns | components)


def _compute_components(
    forecaster: Predictor, panel: Panel, horizon: int, owner: Ints, total: Floats
) -> dict[str, Floats]:
    """Columns [sum (T + H)] of all components in the user's units, which add up to `total`.

    owner: [sum (T + H)], the series of each row.
    """
    known = without_lines(panel, joint=forecaster.config.inputs.joint)
    known = forecaster.with_calendar_inputs(known, horizon)
    trained = known.align(forecaster.panel)
    scaling = forecaster.scaling.with_new_series(known, trained)
    scaler = scaling.scaler
    series = np.arange(len(known))
    effect = scaling.effect(known, scaler, series, known.lengths)
    steps = scaling.steps(known, scaler, effect)

    smooth = _split_level_and_seasons(steps, horizon)
    parts = {name: _lay_end_to_end(part, known) for name, part in smooth.items()}
    trend = parts.pop("trend")
    level = parts.pop("level")
    parts |= _split_effects(forecaster, scaling, known, horizon)

    # Where a series is in logs, parts multiply. Each is what the sum of those before it grows by,
    # so that in the user's units they add up all the same.
    before = inverse_transform(level, owner, scaler)
    one_step_ago = inverse_transform(level - trend, owner, scaler)
    columns = {"level": before, "trend": before - one_step_ago}
    so_far = level
    for name, part in parts.items():
        so_far = so_far + part
        after = inverse_transform(so_far, owner, scaler)
        columns[name] = after - before
        before = after
    columns["remainder"] = total - before
    return columns


def _split_level_and_seasons(steps: StepArrays, horizon: int) -> dict[str, _Part]:
    """Seasons, and the level of what they leave, with its trend.

    The level is that of Brown's (1959) double exponential smoothing, which does not lag behind a
    straight line; ahead it goes on by its damped trend.
    """
    m, m2, m3 = steps.seasons
    seasons = {}
    if m > 1:
        seasons[f"{SEASON_PREFIX}{m}"] = _find_season(steps.index, steps, m, horizon)
    if m2:
        seasons[f"{SEASON_PREFIX}{m2}"] = _find_long_season(steps, horizon)
    if m3:
        seasons[f"{SEASON_PREFIX}{m3}"] = _find_longest_season(steps, horizon)
    rest = steps.z.copy()
    for season in seasons.values():
        rest -= season.history

    alpha = 1 / max(m, _MIN_MEMORY_STEPS)
    level = np.empty_like(rest)
    trend = np.empty_like(rest)
    for begin, end in zip(steps.offsets[:-1], steps.offsets[1:], strict=True):
        own = slice(begin, end)
        weight = steps.observed[own].astype(np.float64)
        once = exponential_moving_average(rest[own], weight, alpha)
        twice = exponential_moving_average(once, weight, alpha)
        level[own] = 2 * once - twice
        trend[own] = alpha / (1 - alpha) * (once - twice)

    last = steps.offsets[1:] - 1
    added = trend[last, None] * accumulate_damping(horizon, m)
    trend_ahead = np.diff(added, axis=1, prepend=0)
    return {
        "level": _Part(level, level[last, None] + added),
        "trend": _Part(trend, trend_ahead),
        **seasons,
    }


def _find_long_season(steps: StepArrays, horizon: int) -> _Part:
    """What the second season adds to the first; 0 in its own first cycle."""
    m, m2, _ = steps.seasons
    short = _find_season(steps.index, steps, m, horizon)
    profile = steps.profile
    # Where a year is no whole number of weeks, the same day of a year ago was another weekday: the
    # profile is averaged over a week around it. Else it holds the short season too.
    is_whole = m2 % m == 0
    if not is_whole:
        short = _Part(np.zeros_like(short.history), np.zeros_like(short.ahead))
        averages = [
            moving_average(values[None], m)[0]
            for values in np.split(profile, steps.offsets[1:-1])
        ]
        profile = np.concatenate(averages)
    shift = 0 if is_whole else m // 2
    long = _find_season(profile, steps, m2, horizon, shift)

    added = _Part(long.history - short.history, long.ahead - short.ahead)
    return _blank_first_cycle(added, steps, m2)


def _find_longest_season(steps: StepArrays, horizon: int) -> _Part:
    """What the third season adds to the others: its slow pattern, 0 in its own first cycle."""
    *_, pattern = list_patterns(steps.seasons)
    shift = pattern.width // 2
    part = _find_season(steps.pattern_3, steps, pattern.season, horizon, shift)
    return _blank_first_cycle(part, steps, pattern.season)


def _blank_first_cycle(part: _Part, steps: StepArrays, season: int) -> _Part:
    """A season as 0 inside the first cycle of each series, where nothing is known of it."""
    offsets = steps.offsets
    lengths = np.diff(offsets)
    is_first = are_first_steps(offsets, np.full_like(lengths, season))
    has_cycle = lengths >= season
    return _Part(
        history=np.where(is_first, 0.0, part.history),
        ahead=np.where(has_cycle[:, None], part.ahead, 0.0),
    )


def _find_season(
    values: Floats, steps: StepArrays, season: int, horizon: int, shift: int = 0
) -> _Part:
    """Seasonal values of one cycle before each step; inside the first cycle those of the step.

    shift: steps after those that are taken instead, as far as they are known.
    """
    lengths = np.diff(steps.offsets)
    rows = np.arange(len(values))
    step = concat_ranges(np.zeros_like(lengths), lengths)
    ago = np.where(step >= season, rows - season + shift, rows)

    first = steps.offsets[:-1, None]
    last = steps.offsets[1:, None] - 1
    offsets = same_phase_offsets(np.arange(1, horizon + 1), season)
    rows_ahead = np.clip(last + offsets + shift, first, last)
    return _Part(values[ago], values[rows_ahead])


def _split_effects(
    forecaster: Predictor, scaling: Scaling, panel: Panel, horizon: int
) -> dict[str, Floats]:
    """What each covariate known ahead adds, by name, [sum (T + H)] in transformed units.

    Columns of one source, such as the categories of a text, are taken together.
    """
    n_past = panel.past.shape[1]
    n_future = panel.future.shape[1]
    sources = list_covariate_sources(panel, forecaster.config.inputs)
    known_ahead = np.array(sources[n_past : n_past + n_future], dtype=object)

    lengths = panel.lengths + horizon
    owner = series_of_rows(offsets_from_lengths(lengths))
    rows = concat_ranges(panel.future_offsets[:-1], lengths)
    parts = {}
    for name in dict.fromkeys(known_ahead.tolist()):
        is_other = known_ahead != name
        effect = scaling.effects.effect.copy()
        effect[:, is_other] = 0.0
        alone = scaling.effects._replace(effect=effect)
        parts[f"{EFFECT_PREFIX}{name}"] = alone.added(panel.future[rows], owner)
    return parts


def _lay_end_to_end(part: _Part, panel: Panel) -> Floats:
    """The history of each series with its steps ahead behind it, [sum (T + H)]."""
    ahead = np.split(part.ahead.ravel(), len(panel))
    past = np.split(part.history, panel.offsets[1:-1])
    both = [piece for pair in zip(past, ahead, strict=True) for piece in pair]
    return np.concatenate(both)
