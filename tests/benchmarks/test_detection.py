"""The pure parts of the benchmarks of anomalies and of serving."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import detection, serving
from benchmarks.detection import (
    FALSE,
    Case,
    credit,
    divide_by_limits,
    measure,
    probation,
    summary,
)
from lstmcast import Panel

LENGTH = 200
WINDOWS = ((60, 79), (120, 139))


@pytest.fixture(scope="module")
def case() -> Case:
    frame = pd.DataFrame(
        {
            "t": pd.date_range("2020-01-01", periods=LENGTH, freq="h"),
            "y": np.arange(LENGTH) % 7.0,
        }
    )
    return Case(
        "real",
        "one",
        Panel.from_frame(frame, target="y", time="t"),
        np.arange(LENGTH),
        WINDOWS,
    )


def alarms(*rows: int) -> np.ndarray:
    made = np.zeros(LENGTH, dtype=bool)
    made[list(rows)] = True
    return made


def test_credit_falls_from_the_first_row_of_a_window_to_its_end_and_on_behind_it() -> (
    None
):
    assert credit(-1.0) == pytest.approx(0.98661, abs=1e-5)
    assert credit(-0.5) == pytest.approx(0.84828, abs=1e-5)
    assert credit(0.0) == 0
    assert credit(1.0) == pytest.approx(-0.98661, abs=1e-5)
    assert (credit(2.99), credit(3.0)) == (pytest.approx(-1, abs=1e-4), -1.0)


def test_a_perfect_detector_scores_100_and_a_silent_one_0(case: Case) -> None:
    perfect = summary([measure(case, alarms(60, 120))])
    assert (perfect["score"], perfect["f1"], perfect["false"]) == (
        pytest.approx(100),
        1,
        0,
    )
    silent = summary([measure(case, alarms())])
    assert (silent["score"], silent["recall"], silent["f1"]) == (0, 0, 0)


def test_only_the_earliest_alarm_of_a_window_counts_and_later_ones_give_less(
    case: Case,
) -> None:
    first, both, late = (
        measure(case, alarms(*rows))["raw"] for rows in ((60,), (60, 75), (75,))
    )
    assert first == both > late > measure(case, alarms())["raw"]


def test_false_alarms_cost_more_the_farther_they_are_behind_a_window(
    case: Case,
) -> None:
    cost = [
        measure(case, alarms(row))["raw"] - measure(case, alarms())["raw"]
        for row in (80, 85, 119, 45)
    ]
    assert (
        0
        > cost[0]
        > cost[1]
        > cost[2]
        == pytest.approx(-FALSE * -credit(40 / 19), abs=1e-9)
    )
    assert cost[3] == pytest.approx(-FALSE)


def test_alarms_on_probation_do_not_count_and_neighbouring_ones_are_one(
    case: Case,
) -> None:
    assert probation(case) == 30
    found = measure(case, alarms(5, 40, 41, 42, 50))
    assert (found["false"], found["flagged"], found["windows"]) == (2, 4, 2)
    assert found["ordinary"] == LENGTH - 30 - 40


def test_probation_of_a_long_file_ends_after_750_rows(case: Case) -> None:
    long = Case("real", "long", case.panel, np.arange(10_000), ())
    assert probation(long) == 750


def test_the_best_threshold_is_the_best_of_all_that_could_be_tried(case: Case) -> None:
    values = np.random.default_rng(3).normal(size=LENGTH).round(1)
    values[[64, 125]] += 2
    tried = [summary([measure(case, values >= limit)])["score"] for limit in values]
    assert max(tried) > 0
    assert detection.best([(case, values)]) == pytest.approx(max(tried))
    assert detection.best([(case, np.zeros(LENGTH))]) == 0


def test_a_residual_detector_learns_its_limit_from_the_first_rows_alone() -> None:
    errors = np.r_[np.full(10, np.nan), np.linspace(0, 1, 90), [5.0, 0.5, 4.0]]
    fixed = divide_by_limits(errors, 100, adapt=False)
    assert fixed[:100].tolist() == [0] * 100
    assert fixed[100] > fixed[102] > 1 > fixed[101] > 0
    assert fixed[100] / fixed[102] == pytest.approx(5 / 4)


def test_the_files_of_a_folder_become_cases_and_all_detectors_judge_each_row(
    tmp_path: Path,
) -> None:
    rng = np.random.default_rng(0)
    values = 10 * np.sin(np.arange(900) * np.pi / 12) + rng.normal(size=900)
    values[700:703] += 60
    stamps = pd.date_range("2020-01-01", periods=900, freq="h").astype(str)
    (tmp_path / "nab" / "labels").mkdir(parents=True)
    (tmp_path / "nab" / "realOne").mkdir()
    pd.DataFrame({"timestamp": stamps, "value": values}).to_csv(
        tmp_path / "nab" / "realOne" / "a.csv", index=False
    )
    labels = f'{{"realOne/a.csv": [["{stamps[690]}.000000", "{stamps[710]}.000000"]]}}'
    (tmp_path / "nab" / "labels" / "combined_windows.json").write_text(labels)
    said: list[str] = []
    rows = detection.evaluate(detection.cases(tmp_path), said.append)
    assert [(row["group"], row["detector"]) for row in rows[:3]] == [
        ("realOne", f"{name}, fixed") for name in detection.DETECTORS
    ]
    assert all((row["found"], row["windows"]) == (1, 1) for row in rows)
    assert len(rows) == 12 and len(said) == 1
    assert detection.table(rows).count("\n") == 13


def test_a_row_of_the_page_of_serving_has_medians() -> None:
    made = serving.summary(serving.CASES[0], [0.01, 0.02, 0.03], [1.0, 2.0, 3.0])
    text = serving.table({"requests": 3, "starts": 3, "cases": [made]})
    name = serving.CASES[0].name
    assert text.splitlines()[-1] == f"| {name} | 20.0 | 30.0 | 2,000 | 100 |"
