"""What callers pass: data of any kind, horizons, levels and names of other libraries.

Axes: N series.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lstmcast.config import Columns, Config, DataConfig
from lstmcast.errors import ArgumentError, UsageError, suggest_similar
from lstmcast.forecasting.estimator import with_settings
from lstmcast.forecasting.predictor import DEFAULT_LEVELS, Predictor
from lstmcast.panel.frames.accept import accept_data, require_target
from lstmcast.panel.frames.native import FrameKind
from lstmcast.panel.future_data import with_future_data
from lstmcast.panel.panel import COLUMN_ROLES, Panel
from lstmcast.validation import OTHER_NAMES

_OTHER_ARGUMENTS = {
    **dict.fromkeys(("h", "fh", "n", "prediction_length", "steps_ahead"), "horizon"),
    **dict.fromkeys(
        ("X_df", "X", "future_df", "futr_df", "future_covariates"), "future"
    ),
    **dict.fromkeys(("known_covariates", "exog"), "future"),
    **dict.fromkeys(("df", "data", "frame", "y_df", "context_df"), "panel"),
    **dict.fromkeys(("levels", "coverage", "alpha", "intervals"), "level"),
    **dict.fromkeys(("quantile_levels", "q"), "quantiles"),
    **dict.fromkeys(("id_col", "series_id", "group_ids"), "series"),
    **dict.fromkeys(("time_col", "ds_col", "timestamp_column"), "time"),
    **dict.fromkeys(("target_col", "value_cols"), "target"),
    **dict.fromkeys(("past_covariates", "hist_exog_list"), "past"),
    **dict.fromkeys(("static_df", "static_covariates", "stat_exog_list"), "static"),
    **{"futr_exog_list": "future", "windows": "n_windows", "step": "step_size"},
    **{"verbose": "progress", "callbacks": "on_event"},
}
"""What other libraries call an argument; the answer to one of these is its name here."""


class ReadData(NamedTuple):
    """A panel, and what kind of frame its results are returned as."""

    panel: Panel
    kind: FrameKind


def refuse_unknown(unknown: Mapping[str, Any], known: Sequence[str]) -> None:
    """Raise ArgumentError for the first argument that a function does not know."""
    for name in unknown:
        meant = _OTHER_ARGUMENTS.get(name, OTHER_NAMES.get(name))
        hint = suggest_similar(name, known)
        if meant in known:
            hint = f"it is called {meant!r} here: {meant}=..."
        raise ArgumentError(f"unknown argument {name!r}", hint)


def read_to_fit(
    data: Any, y: Any, options: Mapping[str, Any], config: DataConfig
) -> tuple[ReadData, DataConfig]:
    """Read data to learn from; options are roles of columns and settings of the reading.

    y: values of the target, where they are not a column of the data, as scikit-learn passes them.
    Returns the settings of the reading, too: a run keeps them.
    """
    known = [*COLUMN_ROLES, *vars(config)]
    refuse_unknown({name: 0 for name in options if name not in known}, known)
    roles = {role: to_names(options.get(role)) for role in COLUMN_ROLES}
    settings = {name: options[name] for name in options if name not in COLUMN_ROLES}
    if isinstance(data, Panel):
        if options or y is not None:
            raise ArgumentError(
                "a Panel has its roles and settings already",
                "give them to Panel.from_frame, or fit the frame itself",
            )
        return ReadData(data, FrameKind()), config

    if y is not None:
        data, name = _join_target(data, y)
        roles["target"] = roles["target"] or (name,)
    read_config = with_settings(Config(data=config), settings).data
    accepted = accept_data(data, roles["time"], roles["target"])
    columns = require_target(roles, accepted)
    panel = Panel.from_table(accepted.table, columns, read_config)
    return ReadData(panel, accepted.find_kind(panel.axis.name)), read_config


def read_like_forecaster(data: Any, forecaster: Predictor) -> ReadData:
    """Read data in the same way as those that a forecaster was fitted to."""
    if isinstance(data, Panel):
        return ReadData(data, FrameKind())
    known = forecaster.panel
    columns = known.columns
    accepted = accept_data(data, columns.time, columns.target)
    settings = forecaster.config.data
    panel = Panel.from_table(accepted.table, columns, settings, like=known)
    return ReadData(panel, accepted.find_kind(panel.axis.name))


def read_future(future: Any, panel: Panel, forecaster: Predictor) -> Panel:
    """Return a panel with the covariates known ahead that a frame of the future holds."""
    if not panel.columns.future:
        raise UsageError(
            "no covariates are known ahead, so there is no use for a frame of them",
            "fit with future=['column'], or leave out future",
        )
    accepted = accept_data(future, panel.columns.time, panel.columns.target)
    return with_future_data(panel, accepted.table, forecaster.config.data)


def is_future_frame(data: Any, columns: Columns) -> bool:
    """Whether a frame holds covariates known ahead and no target: a plan, not a history."""
    names = getattr(data, "columns", None)
    if isinstance(data, Panel) or names is None or not columns.future:
        return False
    there = {str(getattr(name, "name", name)) for name in names}
    return there.issuperset(columns.future) and not there & set(columns.target)


def resolve_horizon(horizon: Any, panel: Panel) -> int | None:
    """Return a horizon in steps: a number of them, a span like "7D", or None for the default.

    Raises ArgumentError for another kind, UsageError for one below 1 or a span that is none.
    """
    if horizon is None:
        return None
    if isinstance(horizon, str | pd.Timedelta | pd.DateOffset):
        steps = _count_steps(horizon, panel)
    elif isinstance(horizon, int | np.integer) and not isinstance(horizon, bool):
        steps = int(horizon)
    else:
        raise ArgumentError(
            f"horizon={horizon!r} is no number of steps",
            "give a whole number, or a span such as '7D'",
        )
    if steps < 1:
        raise UsageError(f"horizon={horizon!r} is out of range", "give 1 step or more")
    return steps


def _count_steps(span: Any, panel: Panel) -> int:
    """Count the steps in a span of time after the newest step of a panel."""
    grid = panel.axis.grid
    if panel.axis.kind == "integer":
        raise UsageError(
            f"horizon={span!r} is a span of time, and the data have no dates",
            "give a number of steps",
        )
    last = int((panel.start + panel.lengths).max()) - 1
    instant = int(grid.instants(np.array([last]))[0])
    try:
        offset = pd.tseries.frequencies.to_offset(span)
    except ValueError:
        raise UsageError(
            f"horizon={span!r} is no span of time",
            "give one such as '7D', '12h' or '3MS'",
        ) from None
    end = (pd.Timestamp(instant, unit="us") + offset).to_datetime64()
    microseconds = end.astype("datetime64[us]").astype(np.int64)
    ordinals, _ = grid.ordinals(np.array([microseconds]))
    return int(ordinals[0]) - last


def resolve_levels(
    level: float | Sequence[float] | None, quantiles: float | Sequence[float] | None
) -> tuple[float, ...]:
    """Return levels of quantiles, ascending: those asked for, and the ends of intervals.

    level: percent that an interval should hold, such as 80 or [80, 95]. Raises UsageError for a
    number out of range.
    """
    if isinstance(quantiles, int | float | np.number):
        quantiles = [float(quantiles)]
    levels = set(map(float, DEFAULT_LEVELS if quantiles is None else quantiles))
    if quantiles is None and level is not None:
        levels = set()
    for wrong in (q for q in levels if not 0 < q < 1):
        raise UsageError(
            f"quantiles=[{wrong:g}] is out of range",
            f"give shares such as {_to_share(wrong):g}, or level=[80] for an interval of 80 %",
        )
    for percent in to_percents(level):
        low, high = interval_ends(percent)
        levels |= {low, high}
    return tuple(sorted(levels))


def to_percents(level: float | Sequence[float] | None) -> list[float]:
    """Return the percents of intervals, ascending; raises UsageError for one out of range."""
    if level is None:
        return []
    given = [level] if isinstance(level, int | float | np.number) else list(level)
    percents = sorted({float(percent) for percent in given})
    for percent in percents:
        if not 1 <= percent < 100:
            raise UsageError(
                f"level={percent:g} is out of range",
                "give the percent that an interval should hold, such as 80",
            )
    return percents


def interval_ends(percent: float) -> tuple[float, float]:
    """Return the levels of the quantiles between which an interval lies."""
    half = percent / 200
    # Rounding hides what is left of 0.5 - 0.4 in binary.
    return round(0.5 - half, 8), round(0.5 + half, 8)


def _to_share(number: float) -> float:
    """A share that may have been meant by a number out of range."""
    return number / 100 if 1 < number < 100 else 0.9


def _join_target(data: Any, y: Any) -> tuple[Any, str]:
    """A frame with the values of the target as a column, and that column's name."""
    if data is None:
        name = getattr(y, "name", None) or "y"
        return y, str(name)
    if not isinstance(data, pd.DataFrame):
        raise ArgumentError(
            f"X of type {type(data).__name__!r} cannot be used beside y",
            "give a frame of pandas with the target as one of its columns, and no y",
        )
    name = str(getattr(y, "name", None) or "y")
    return data.assign(**{name: np.asarray(y)}), name


def to_names(names: Any) -> tuple[str, ...]:
    """Return names that are one text, several, or none."""
    if names is None:
        return ()
    if isinstance(names, str):
        return (names,)
    return tuple(str(name) for name in names)


def list_reading_settings(reading: DataConfig) -> dict[str, Any]:
    """Return the settings that data were read by, under their full names, as `data__freq`."""
    return {f"data__{name}": value for name, value in vars(reading).items()}
