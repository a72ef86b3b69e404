"""Inputs for several targets that are forecast together, so that each can see the others.

Knows no frames, files or torch.

Axes: N series, T steps, F step features, V targets; flat arrays hold all series end to end.
"""

import numpy as np

from lstmcast.errors import UsageError
from lstmcast.features.rows import series_of_rows
from lstmcast.features.steps import StepArrays
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Ints, Singles, concat_ranges

JOINT_FEATURE_INDICES = (0, 1, 2, 5)
"""Which step features of the other targets are read: distance from the centre, last change, change
over a season, surprise; all in scales."""


def require_several_targets(panel: Panel) -> None:
    """Raise UsageError where there is one target only."""
    if len(panel.columns.target) < 2:
        raise UsageError(
            "--joint needs more than one target",
            "name each column with --target, or leave out --joint",
        )


def joint_inputs(panel: Panel, steps: StepArrays) -> Singles:
    """Features of all targets at the same step, and which of them a series is.

    Returns [sum T, V * (len(JOINT_FEATURE_INDICES) + 1)]: for each target its features, 0 where it
    has no value, and a 1 if it is the series' own. Nothing after a step is in its row.
    """
    n_targets = len(panel.columns.target)
    n_features = len(JOINT_FEATURE_INDICES)
    own_target, series_of_target = _find_target_series(panel)
    owner = series_of_rows(panel.offsets)

    # Where each step is on the axis that all series share.
    ordinal = concat_ranges(panel.start, panel.lengths)

    n_steps = len(owner)
    shape = (n_steps, n_targets, n_features + 1)
    inputs = np.zeros(shape, dtype=np.float32)

    for k in range(n_targets):
        # The series of target k may begin and end elsewhere, or be missing (-1).
        other = series_of_target[owner, k]
        other_step = ordinal - panel.start[other]
        has_begun = other_step >= 0
        has_not_ended = other_step < panel.lengths[other]
        is_inside = has_begun & has_not_ended
        is_there = other >= 0
        exists = is_there & is_inside

        rows = panel.offsets[other] + other_step
        rows = rows[exists]
        features = steps.x[rows]
        inputs[exists, k, :-1] = features[:, JOINT_FEATURE_INDICES]

    # The last input of a target marks it as the series' own.
    target = own_target[owner]
    every_step = np.arange(n_steps)
    inputs[every_step, target, -1] = 1

    return inputs.reshape(n_steps, -1)


def _find_target_series(panel: Panel) -> tuple[Ints, Ints]:
    """The target [N] that each series is of, and the series [N, V] of all targets of its keys.

    -1 where a target has no series with these keys. The last part of a key names the target.
    """
    targets = panel.columns.target
    numbers = {name: number for number, name in enumerate(targets)}
    own_target = []
    shared_keys = []
    for *shared, target in panel.keys:
        own_target.append(numbers[target])
        shared_keys.append("\0".join(shared))

    # A group is the series that differ in their target alone.
    _, group = np.unique(shared_keys, return_inverse=True)
    n_groups = group.max() + 1
    n_targets = len(numbers)
    series_of_group = np.full((n_groups, n_targets), -1)
    series_of_group[group, own_target] = np.arange(len(panel))
    return np.array(own_target), series_of_group[group]
