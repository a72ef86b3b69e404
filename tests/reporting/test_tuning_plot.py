"""The picture of a search: which trials it shows, and where."""

from typing import Any

import numpy as np
import pytest

from lstmcast.config import Config
from lstmcast.reporting.tuning_plot import MAX_PLOTTED_RATIO, plot_trials
from lstmcast.tuning.study import DONE, INTERRUPTED, PRUNED, Trial
from lstmcast.tuning.tune import Tuning

pytest.importorskip("matplotlib", reason="needs the extra plot")
DEFAULT = Trial(0, DONE, {}, [2.0, 2.0], 1.0)


def search_of(*trials: Trial) -> Tuning:
    """A search with these trials after the default; the picture reads nothing else of it."""
    rest: Any = None
    return Tuning(
        default=Config(),
        tuned=Config(),
        space=(),
        best=DEFAULT,
        trials=[DEFAULT, *trials],
        gain=None,
        verdict=rest,
        measure="mase",
        horizon=4,
        windows=2,
        unseen=2,
        notes=(),
    )


def lines_of(found: Tuning) -> dict[str, np.ndarray]:
    """Lines of the picture by their labels, as points [n, 2]."""
    (axes,) = plot_trials(found).figure.axes
    return {str(line.get_label()): line.get_xydata() for line in axes.lines}


def test_finished_trials_are_points_at_their_error_over_the_default_s() -> None:
    found = search_of(
        Trial(1, DONE, {}, [3.0, 3.0], 1.0), Trial(2, DONE, {}, [1.0, 2.0], 1.0)
    )
    assert lines_of(found)["all windows"].tolist() == [[0, 1], [1, 1.5], [2, 0.75]]


def test_a_line_follows_the_best_trial_so_far() -> None:
    found = search_of(
        Trial(1, DONE, {}, [1.0, 2.0], 1.0), Trial(2, DONE, {}, [4.0, 4.0], 1.0)
    )
    (axes,) = plot_trials(found).figure.axes
    steps = [line for line in axes.lines if line.get_drawstyle() == "steps-post"]
    assert [line.get_ydata().tolist() for line in steps] == [[1.0, 0.75, 0.75]]


def test_trials_that_ended_early_are_rings_and_the_worst_are_only_counted() -> None:
    near = Trial(1, PRUNED, {}, [2.5], 1.0)
    far = Trial(2, PRUNED, {}, [2.0 * MAX_PLOTTED_RATIO + 1], 1.0)
    found = search_of(near, far)
    assert lines_of(found)["ended early"].tolist() == [[1, 1.25]]
    assert plot_trials(found).caption.endswith("1 more ended early, above 1.5.")
    assert "ended early" not in plot_trials(search_of(near)).caption


def test_trials_without_an_error_are_left_out() -> None:
    found = search_of(
        Trial(1, INTERRUPTED, {}, [2.0], 1.0), Trial(2, PRUNED, {}, [], 1.0)
    )
    lines = lines_of(found)
    assert lines["all windows"].tolist() == [[0, 1]] and "ended early" not in lines


def test_the_caption_names_the_measure_that_was_minimised() -> None:
    assert plot_trials(search_of()).caption.startswith("Error (mase) of each trial")
