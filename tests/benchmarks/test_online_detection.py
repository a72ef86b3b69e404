"""The benchmark of rows judged online."""

import numpy as np
import pandas as pd

from benchmarks.detection import Case
from benchmarks.online_detection import (
    Judged,
    count_early,
    evaluate_group,
    judge_online,
    kept_table,
)
from lstmcast import Panel


def test_a_spike_in_its_window_is_found_early_and_the_figures_say_so() -> None:
    values = np.arange(400) % 7.0
    values[300] = 40
    steps = np.arange(400)
    frame = pd.DataFrame({"step": steps, "value": values})
    panel = Panel.from_frame(frame, target="value")
    case = Case("real", "one", panel, steps, ((290, 319),))

    evidence, opens = judge_online(values)
    assert opens[300] and evidence.argmax() == 300
    assert count_early(case, opens) == 1

    judged = Judged(case, evidence, opens, 0.5)
    row = evaluate_group("real", [judged], [(case, values)])
    assert (row["found"], row["early"], row["rows_a_second"]) == (1, 1, 800)
    assert "| real |" in kept_table({"rows": [row]})
