"""The table by which ideas for the pretraining are chosen: old weights and new, on no test part."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.ideas import Trial, read_weights, score_network, table
from lstmcast.panel.panel import Panel
from lstmcast.training.initial_weights import PRETRAINED_WEIGHTS_FILE


def weekly_panel(n_series: int = 3) -> Panel:
    days = np.arange(140)
    frames = []
    for number in range(n_series):
        values = 100 + 20 * (days % 7 < 5) + number + 0.1 * np.sin(days)
        stamps = pd.date_range("2024-01-01", periods=len(days))
        frames.append(pd.DataFrame({"unique_id": number, "ds": stamps, "y": values}))
    return Panel.from_frame(pd.concat(frames))


def scale_of(trial: Trial) -> float:
    """Mean absolute change from one week to the next before the windows."""
    known = trial.panel.values[: trial.panel.lengths[0] - 28]
    return float(np.abs(known[7:] - known[:-7]).mean())


def test_a_network_is_scored_beside_the_best_naive_on_the_last_windows() -> None:
    network = read_weights(PRETRAINED_WEIGHTS_FILE)
    trial = Trial("weeks", "battery", weekly_panel(), 14, 2, 7)
    scores = score_network(network, trial)
    # The week repeats itself but for a wave a thousand times smaller than the level.
    assert scores["mase"] < 2 and scores["wql"] < 0.01
    assert scores.keys() == {"mase", "wql", "coverage", "ratio"}
    # What is scored counts, and nothing of it is known to the forecast.
    values = trial.panel.values.copy()
    values[trial.panel.offsets[1:] - 1] += 1e4
    raised = trial._replace(panel=replace(trial.panel, values=values))
    worse = score_network(network, raised)
    assert worse["mase"] == pytest.approx(
        scores["mase"] + 1e4 / 28 / scale_of(trial), rel=0.01
    )


def test_the_table_has_geometric_means_and_the_worst() -> None:
    scores = [
        {"kind": "battery", "ratio": 0.5, "wql": 0.1},
        {"kind": "battery", "ratio": 2.0, "wql": 0.4},
        {"kind": "validation", "ratio": 0.9, "wql": 0.3},
    ]
    rows = table({"ideas": {"more of it": scores}}).splitlines()
    assert rows[2] == "| more of it | 1.000, 2.00 | 0.2000 | 0.900, 0.90 | 0.3000 |"


def test_what_is_no_network_is_refused(tmp_path: Path) -> None:
    (tmp_path / "weights.safetensors").write_bytes(b"nothing")
    with pytest.raises(Exception, match="header"):
        read_weights(tmp_path / "weights.safetensors")
