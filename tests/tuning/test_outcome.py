"""What a search found shows its best trials first."""

import math
from types import SimpleNamespace
from typing import Any

from lstmcast.config import Config
from lstmcast.tuning.outcome import Tuning
from lstmcast.tuning.study import DONE, Trial


def test_the_best_trials_are_shown_first() -> None:
    trials = [
        Trial(number, DONE, {}, [error], 1.0)
        for number, error in enumerate((2.0, 3.0, 1.0))
    ]
    verdict: Any = SimpleNamespace()
    found = Tuning(
        default=Config(),
        tuned=Config(),
        space=(),
        best=trials[0],
        trials=trials,
        gain=None,
        verdict=verdict,
        measure="MASE",
        horizon=7,
        windows=1,
        unseen=1,
        notes=(),
    )
    assert found.make_summary_table()["trial"].tolist() == [2, 0, 1]
    assert found.table()["trial"].tolist() == [0, 1, 2]
    assert repr(found).startswith("<Tuning: None of 3 trials did better")
    assert "<td>0.5</td>" in found._repr_html_()
    assert not found.adopted and math.isclose(found.promised, 0)
