"""Several targets of one table forecast from one another's past: what the others did, beside what a series did itself.

Axes: N series, T steps, K targets, F features of each.
"""

import numpy as np
from numpy.typing import NDArray

from lstmcast.errors import UsageError
from lstmcast.features import Steps
from lstmcast.panel import Panel

FEATURES = (0, 1, 2, 5)
"""Of the step features: distance from the usual, last change, change over a season, surprise; all in scales."""


def require_targets(panel: Panel) -> None:
    """Raise UsageError where there is one target only."""
    if len(panel.columns.target) < 2:
        raise UsageError("--joint needs more than one target", "name each column with --target, or leave out --joint")


def joint_inputs(panel: Panel, steps: Steps) -> NDArray[np.float32]:
    """At each step the features of all targets of the same row, 0 where one has no value, and which of them one is.

    Returns [sum T, K * (F + 1)]; nothing after a step is in its row.
    """
    place = {name: number for number, name in enumerate(panel.columns.target)}
    target = np.array([place[key[-1]] for key in panel.keys])
    _, group = np.unique(np.array(["\0".join(key[:-1]) for key in panel.keys]), return_inverse=True)
    sibling = np.full((group.max() + 1, len(place)), -1)
    sibling[group, target] = np.arange(len(panel))
    owner = np.repeat(np.arange(len(panel)), panel.lengths)
    stamp = panel.start[owner] + np.arange(len(owner)) - panel.offsets[owner]
    out = np.zeros((len(owner), len(place), len(FEATURES) + 1), dtype=np.float32)
    for k in range(len(place)):
        other = sibling[group[owner], k]
        step = stamp - panel.start[other]
        there = (other >= 0) & (step >= 0) & (step < panel.lengths[other])
        out[there, k, :-1] = steps.x[(panel.offsets[other] + step)[there]][:, FEATURES]
    out[np.arange(len(owner)), target[owner], -1] = 1
    return out.reshape(len(owner), -1)
