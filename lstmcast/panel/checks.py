"""What a fit and a forecast require of a panel.

Series long enough, targets that suit the loss, covariates known for the whole horizon.

Axes: N series, H horizon, Cf known-future covariates.
"""

import numpy as np

from lstmcast.config import UNTRANSFORMED_LOSSES, Config, Loss, WindowConfig
from lstmcast.errors import DataError, UsageError, format_more, format_names
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Bools, concat_ranges


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
    if config.model.transform == "log":
        require_positive_values(panel)


def require_series_length(panel: Panel, window: WindowConfig, horizon: int) -> None:
    """Raise DataError where no series is as long as the requested context and horizon together.

    A context or horizon that is not set adapts: the context shrinks to what a short series has.
    horizon: that of `window`, or the default where it has none.
    """
    if window.context is None and window.horizon is None:
        return
    context = window.context or 1
    # One long series is enough to learn from; shorter ones are forecast from what they have.
    need, have = context + horizon, int(panel.lengths.max())
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
    zero, one = panel.values == 0, panel.values == 1
    nothing_else = (zero | one | np.isnan(panel.values)).all()
    return bool(zero.any() and one.any() and nothing_else)


def require_future_covariates(panel: Panel, horizon: int) -> None:
    """Raise DataError where covariates known ahead are missing in the next `horizon` steps."""
    if not panel.future.shape[1]:
        return
    incomplete = _find_incomplete_series(panel, horizon)
    if not incomplete.any():
        return
    # Describe the first such series: which columns are missing, and when.
    i = int(incomplete.argmax())
    begin = int(panel.future_offsets[i] + panel.lengths[i])
    known = int(min(panel.ahead[i], horizon))
    ahead = np.full((horizon, panel.future.shape[1]), np.nan)
    ahead[:known] = panel.future[begin : begin + known]
    missing = np.isnan(ahead)
    missing_names = np.array(panel.future_names)[missing.any(axis=0)]
    columns = [
        column
        for column in panel.columns.future
        if any(_is_encoded_from(name, column) for name in missing_names)
    ]
    steps = np.flatnonzero(missing.any(axis=1))
    dates = panel.axis.texts(panel.start[i] + panel.lengths[i] + steps)
    where = f" in series {'/'.join(panel.keys[i])!r}" if panel.keys[i] else ""
    more = format_more(int(incomplete.sum()), "series")
    raise DataError(
        f"covariates known ahead ({', '.join(columns)}) are missing{where}"
        f" for {_format_dates(dates)}{more}:"
        f" need {horizon} steps ahead, have {horizon - len(dates)}",
        "give them with --future-data FILE, or as rows with an empty target",
    )


def _find_incomplete_series(panel: Panel, horizon: int) -> Bools:
    """Which series [N] lack a covariate known ahead in one of the next `horizon` steps."""
    # Either the rows end before the horizon does, or some of their cells are empty.
    incomplete = panel.ahead < horizon
    known = np.minimum(panel.ahead, horizon)
    rows = concat_ranges(panel.future_offsets[:-1] + panel.lengths, known)
    has_gap = np.isnan(panel.future[rows]).any(axis=1)
    series = np.repeat(np.arange(len(panel)), known)
    incomplete[series[has_gap]] = True
    return np.asarray(incomplete)


def require_target_for_loss(panel: Panel, loss: Loss) -> None:
    """Raise UsageError for a loss of counts or of 0 and 1 whose target has other values."""
    if loss not in UNTRANSFORMED_LOSSES:
        return
    values = panel.values[~np.isnan(panel.values)]
    if loss == "bernoulli":
        wrong = values[(values != 0) & (values != 1)]
        required = "of 0 and 1"
    else:
        wrong = values[(values < 0) | (values % 1 != 0)]
        required = "of counts: whole numbers from 0 on"
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
    # Name the first of them by its series and its stamp.
    row = wrong[0]
    series = int(np.searchsorted(panel.offsets, row, side="right")) - 1
    name = f" of series {', '.join(panel.keys[series])!r}" if panel.keys[series] else ""
    ordinal = panel.start[series] + row - panel.offsets[series]
    stamp = panel.axis.texts(np.array([ordinal]))[0]
    raise UsageError(
        f"--transform log needs values above 0:"
        f" {panel.values[row]:g}{name} at {stamp}{format_more(len(wrong))}",
        "leave it at auto, or choose none",
    )


def _is_encoded_from(name: str, column: str) -> bool:
    """Whether an encoded column comes from a column of the table."""
    return name == column or name.startswith(f"{column}=")


def _format_dates(dates: list[str]) -> str:
    if len(dates) <= 3:
        return format_names(dates)
    return f"{dates[0]} to {dates[-1]} ({len(dates)} steps)"
