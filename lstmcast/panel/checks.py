"""What a fit and a forecast require of a panel.

Series long enough, targets that suit the loss, covariates known for the whole horizon.

Axes: N series, H horizon, Cf known-future covariates.
"""

from collections.abc import Sequence

import numpy as np

from lstmcast.config import (
    UNTRANSFORMED_LOSSES,
    Config,
    Loss,
    WindowConfig,
)
from lstmcast.errors import DataError, UsageError, format_more, format_names
from lstmcast.extras import require_extra
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Bools, Ints, concat_ranges

_SCIPY_LOSSES = ("student-t", "negative-binomial")
"""Losses of distributions whose quantiles scipy computes."""


def require_fit(panel: Panel, config: Config, horizon: int | None) -> None:
    """Raise the error of the first requirement of a fit that the panel does not meet.

    horizon: the steps that will be forecast; None where neither it nor a context was requested, for
    then both adapt to the series.

    Raises DataError for series that are too short and for a 0/1 target without a loss for it,
    UsageError for a loss or a transform that the target's values rule out.
    """
    if horizon is not None:
        require_series_length(panel, config.window, horizon)
    require_target_for_loss(panel, config.train.loss)
    require_loss_for_binary(panel, config.train.loss)
    require_packages_for_loss(config.train.loss)
    if config.model.transform == "log":
        require_positive_values(panel)


def require_packages_for_loss(loss: Loss) -> None:
    """Raise UsageError where a package is missing that the quantiles of a loss need."""
    if loss in _SCIPY_LOSSES:
        require_extra(f"--loss {loss} needs", "likelihood", "scipy")


def require_series_length(panel: Panel, window: WindowConfig, horizon: int) -> None:
    """Raise DataError where no series is as long as the requested context and horizon together.

    A context or horizon that is not set adapts: the context shrinks to what a short series has.
    horizon: that of `window`, or the default where it has none.
    """
    if window.context is None and window.horizon is None:
        return

    context = window.context or 1
    need = context + horizon
    # One long series is enough to learn from; shorter ones are forecast from what they have.
    have = int(panel.lengths.max())
    if need <= have:
        return

    largest_context = have - horizon
    if largest_context > 0:
        hint = f"the largest context that fits is {largest_context}: --context {largest_context}"
    else:
        hint = f"the longest horizon that fits is {have - 1}: --horizon {have - 1}"

    longest = "the longest series has" if len(panel) > 1 else "the series has"
    raise DataError(
        f"too few steps: need {need} (context {context} and horizon {horizon}), {longest} {have}",
        f"{hint}; or give more rows",
    )


def is_binary(panel: Panel) -> bool:
    """Whether the target holds both 0 and 1, and nothing else."""
    is_zero = panel.values == 0
    is_one = panel.values == 1
    is_missing = np.isnan(panel.values)
    nothing_else = (is_zero | is_one | is_missing).all()
    return bool(is_zero.any() and is_one.any() and nothing_else)


def require_future_covariates(panel: Panel, horizon: int) -> None:
    """Raise DataError where covariates known ahead are missing in the next `horizon` steps."""
    if not panel.future.shape[1]:
        return
    incomplete = _find_incomplete_series(panel, horizon)
    if incomplete.any():
        raise _missing_future_error(panel, horizon, incomplete)


def _find_incomplete_series(panel: Panel, horizon: int) -> Bools:
    """Which series [N] lack a covariate known ahead in one of the next `horizon` steps."""
    # Either the rows end before the horizon does, or some of their cells are empty.
    incomplete = panel.ahead < horizon

    known = np.minimum(panel.ahead, horizon)
    begin = panel.future_offsets[:-1] + panel.lengths
    rows = concat_ranges(begin, known)
    is_missing = np.isnan(panel.future[rows])
    has_gap = is_missing.any(axis=1)

    every = np.arange(len(panel))
    series = np.repeat(every, known)
    incomplete[series[has_gap]] = True
    return np.asarray(incomplete)


def _missing_future_error(panel: Panel, horizon: int, incomplete: Bools) -> DataError:
    """The error for covariates that are not known ahead.

    It says of the first `incomplete` series [N] which columns are missing, and when.
    """
    i = int(incomplete.argmax())
    missing = _find_missing_ahead(panel, i, horizon)
    names = np.array(panel.future_names)
    lacks_step = missing.any(axis=0)
    missing_names = names[lacks_step].tolist()
    columns = _list_source_columns(missing_names, panel.columns.future)

    missing_steps = np.flatnonzero(missing.any(axis=1))
    end = panel.start[i] + panel.lengths[i]
    dates = panel.axis.texts(end + missing_steps)

    key = "/".join(panel.keys[i])
    where = f" in series {key!r}" if panel.keys[i] else ""
    more = format_more(int(incomplete.sum()), "series")

    return DataError(
        f"covariates known ahead ({', '.join(columns)}) are missing{where}"
        f" for {_format_dates(dates)}{more}:"
        f" need {horizon} steps ahead, have {horizon - len(dates)}",
        "give them with --future-data FILE, or as rows with an empty target",
    )


def _find_missing_ahead(panel: Panel, i: int, horizon: int) -> Bools:
    """Which covariates of series i are missing in the next steps, [H, Cf]."""
    # Steps beyond the last row of the series are missing in every column.
    width = panel.future.shape[1]
    ahead = np.full((horizon, width), np.nan)

    # What is known of them, from the end of the series on.
    known = int(min(panel.ahead[i], horizon))
    begin = int(panel.future_offsets[i] + panel.lengths[i])
    end = begin + known
    ahead[:known] = panel.future[begin:end]
    return np.asarray(np.isnan(ahead))


def _list_source_columns(names: Sequence[str], columns: Sequence[str]) -> list[str]:
    """The columns of the table that some encoded columns come from."""
    sources = []
    for column in columns:
        # A text column is encoded as one column for each of its categories.
        prefix = f"{column}="
        if any(name == column or name.startswith(prefix) for name in names):
            sources.append(column)
    return sources


def require_target_for_loss(panel: Panel, loss: Loss) -> None:
    """Raise UsageError for a loss of counts or of 0 and 1 whose target has other values."""
    if loss not in UNTRANSFORMED_LOSSES:
        return

    is_observed = ~np.isnan(panel.values)
    values = panel.values[is_observed]
    if loss == "bernoulli":
        is_wrong = (values != 0) & (values != 1)
        required = "of 0 and 1"
    else:
        is_wrong = (values < 0) | (values % 1 != 0)
        required = "of counts: whole numbers from 0 on"
    wrong = values[is_wrong]
    if len(wrong):
        raise UsageError(
            f"--loss {loss} needs a target {required};"
            f" it has {wrong[0]:g}{format_more(len(wrong))}",
            "choose another --loss",
        )


def require_loss_for_binary(panel: Panel, loss: Loss) -> None:
    """Raise DataError where the target is 0 or 1 and the loss is the default, of quantiles."""
    if loss == "quantile" and is_binary(panel):
        raise DataError(
            "the target holds only 0 and 1, which quantiles describe poorly",
            "fit it with --loss bernoulli for the probability of 1,"
            " or with --loss mse for a number",
        )


def require_positive_values(panel: Panel) -> None:
    """Raise UsageError where a series has a value that has no logarithm."""
    wrong = np.flatnonzero(panel.values <= 0)
    if not len(wrong):
        return

    raise UsageError(
        f"--transform log needs values above 0: {_format_first_value(panel, wrong)}",
        "leave it at auto, or choose none",
    )


def require_binary_values(panel: Panel) -> None:
    """Raise DataError where newer values of a target of 0 and 1 are others."""
    is_known = ~np.isnan(panel.values)
    is_other = (panel.values != 0) & (panel.values != 1)
    wrong = np.flatnonzero(is_known & is_other)
    if not len(wrong):
        return
    raise DataError(
        f"the run was trained on a target of 0 and 1: {_format_first_value(panel, wrong)}",
        "give 0, 1, or nothing where it is not known",
    )


def _format_first_value(panel: Panel, rows: Ints) -> str:
    """Name the first value of some rows by series and stamp, and how many more there are."""
    row = int(rows[0])
    value = panel.values[row]
    series = int(np.searchsorted(panel.offsets, row, side="right")) - 1
    step = row - int(panel.offsets[series])
    ordinal = int(panel.start[series]) + step
    stamp = panel.stamp_text(ordinal)

    key = ", ".join(panel.keys[series])
    name = f" of series {key!r}" if panel.keys[series] else ""
    more = format_more(len(rows))
    return f"{value:g}{name} at {stamp}{more}"


def _format_dates(dates: list[str]) -> str:
    if len(dates) <= 3:
        return format_names(dates)
    return f"{dates[0]} to {dates[-1]} ({len(dates)} steps)"
