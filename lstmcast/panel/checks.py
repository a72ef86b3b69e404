"""What a fit and a forecast need of a panel: long enough series, covariates known ahead, targets for the loss.

Axes: N series, H horizon, Cf known-future covariates.
"""

import numpy as np

from lstmcast.config import UNTRANSFORMED_LOSSES, Loss, WindowConfig
from lstmcast.errors import DataError, UsageError, format_more, format_names
from lstmcast.panel.panel import Panel
from lstmcast.ragged import concat_ranges


def require_series_length(panel: Panel, window: WindowConfig, horizon: int) -> None:
    """Raise DataError where no series is as long as the context and the horizon that were asked for.

    What was not asked for gives way: a context shrinks to what a short series has. horizon: that of
    `window`, or the default where it has none.
    """
    if window.context is None and window.horizon is None:
        return
    context = window.context or 1
    have = int(panel.lengths.max())
    if context + horizon <= have:
        return
    fits = have - horizon
    hint = (
        f"the largest context that fits is {fits}"
        if fits > 0
        else f"the longest horizon that fits is {have - 1}"
    )
    longest = "the longest series has" if len(panel) > 1 else "the series has"
    raise DataError(
        f"too few steps: need {context + horizon} (context {context} and horizon {horizon}), {longest} {have}",
        f"{hint}: --{'context' if fits > 0 else 'horizon'} {fits if fits > 0 else have - 1}; or give more rows",
    )


def is_binary(panel: Panel) -> bool:
    """Whether the target holds 0 and 1, both of them, and nothing else."""
    values = panel.values
    zero, one = values == 0, values == 1
    return bool(zero.any() and one.any() and (zero | one | np.isnan(values)).all())


def require_future_covariates(panel: Panel, horizon: int) -> None:
    """Raise DataError where covariates known ahead are not known for each of the next `horizon` steps of a series."""
    names, wide = panel.columns.future, panel.future.shape[1]
    if not wide:
        return
    known = np.minimum(panel.ahead, horizon)
    rows = concat_ranges(panel.future_offsets[:-1] + panel.lengths, known)
    holes = np.isnan(panel.future[rows]).any(axis=1)
    short = panel.ahead < horizon
    series = np.repeat(np.arange(len(panel)), known)
    bad = short.copy()
    bad[series[holes]] = True
    if not bad.any():
        return
    i = int(bad.argmax())
    begin = int(panel.future_offsets[i] + panel.lengths[i])
    ahead = np.full((horizon, wide), np.nan)
    ahead[: known[i]] = panel.future[begin : begin + known[i]]
    steps, columns = np.isnan(ahead).any(axis=1), np.isnan(ahead).any(axis=0)
    absent = [
        name
        for name in names
        if any(_is_encoded_from(full, name) for full in np.array(panel.future_names)[columns])
    ]
    dates = panel.axis.texts(panel.start[i] + panel.lengths[i] + np.flatnonzero(steps))
    where = f" in series {'/'.join(panel.keys[i])!r}" if panel.keys[i] else ""
    more = format_more(int(bad.sum()), "series")
    raise DataError(
        f"covariates known ahead ({', '.join(absent)}) are missing{where} for {_format_dates(dates)}{more}:"
        f" need {horizon} steps ahead, have {horizon - len(dates)}",
        "give them with --future-data FILE, or as rows with an empty target",
    )


def require_target_for_loss(panel: Panel, loss: Loss) -> None:
    """Raise UsageError where the loss is one of counts or of 0 and 1, and the target has other values."""
    if loss not in UNTRANSFORMED_LOSSES:
        return
    values = panel.values[~np.isnan(panel.values)]
    events = loss == "bernoulli"
    wrong = (
        values[(values != 0) & (values != 1)]
        if events
        else values[(values < 0) | (values % 1 != 0)]
    )
    if len(wrong):
        want = "of 0 and 1" if events else "of counts: whole numbers from 0 on"
        more = format_more(len(wrong))
        raise UsageError(
            f"--loss {loss} needs a target {want}; it has {wrong[0]:g}{more}", "take another --loss"
        )


def require_loss_for_binary(panel: Panel, loss: Loss) -> None:
    """Raise DataError where the target is a truth, 0 or 1, and no loss was chosen that makes sense of it."""
    if loss == "quantile" and is_binary(panel):
        raise DataError(
            "the target holds 0 and 1 only, whose quantiles say next to nothing",
            "fit it with --loss bernoulli for the probability of 1, or with --loss mse for a number",
        )


def _is_encoded_from(full: str, column: str) -> bool:
    """Whether an encoded column is of a column of the table."""
    return full == column or full.startswith(f"{column}=")


def _format_dates(dates: list[str]) -> str:
    return (
        format_names(dates)
        if len(dates) <= 3
        else f"{dates[0]} to {dates[-1]} ({len(dates)} steps)"
    )


def require_positive_values(panel: Panel) -> None:
    """Raise UsageError where a series has a value that has no logarithm."""
    wrong = np.flatnonzero(panel.values <= 0)
    if len(wrong):
        series = int(np.searchsorted(panel.offsets, wrong[0], side="right")) - 1
        name = f" of series {', '.join(panel.keys[series])!r}" if panel.keys[series] else ""
        stamp = panel.axis.texts(
            np.array([panel.start[series] + wrong[0] - panel.offsets[series]])
        )[0]
        more = format_more(len(wrong))
        raise UsageError(
            f"--transform log needs values above 0: {panel.values[wrong[0]]:g}{name} at {stamp}{more}",
            "leave it at auto, or take none",
        )
