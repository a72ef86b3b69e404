"""A search ends in settings that are compared with the default on windows it never saw."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lstmcast.config import Config, ModelConfig, TrainConfig, WindowConfig
from lstmcast.errors import DataError, UsageError
from lstmcast.features.preprocessing import resolve_horizon
from lstmcast.panel.panel import Panel
from lstmcast.tuning import trials as trials_module
from lstmcast.tuning import tune as tune_module
from lstmcast.tuning.gain import Gain
from lstmcast.tuning.study import DONE, Trial
from lstmcast.tuning.tune import (
    Tuning,
    limit_windows,
    plan_search,
    suggest_space,
    tune,
)
from tests.make import panel_of, wavy

QUICK = Config(train=TrainConfig(steps=0))
CONTEXTS = ("context=6,24,36",)
"""What changes the forecasts even of a network that is not trained."""


@pytest.fixture(scope="module")
def panel() -> Panel:
    return panel_of([wavy(np.random.default_rng(i), 100) for i in range(2)])


@pytest.fixture(scope="module")
def found(panel: Panel) -> Tuning:
    tuning = tune(panel, QUICK, trials=6, params=CONTEXTS)
    assert tuning is not None
    return tuning


def without_seconds(found: Tuning | None) -> pd.DataFrame:
    assert found is not None
    return found.table().drop(columns="seconds")


def test_what_comes_after_the_search_changes_no_trial(
    panel: Panel, found: Tuning
) -> None:
    values = panel.values.copy()
    for end in panel.offsets[1:]:
        values[end - 36 : end] = np.random.default_rng(5).uniform(1, 1e6, 36)
    changed = tune(replace(panel, values=values), QUICK, trials=6, params=CONTEXTS)
    assert changed is not None
    pd.testing.assert_frame_equal(
        without_seconds(found), without_seconds(changed), check_exact=True
    )
    assert changed.verdict.model["mae"] > 10 * found.verdict.model["mae"]
    values[panel.offsets[1] - 37] += 1
    other = tune(replace(panel, values=values), QUICK, trials=6, params=CONTEXTS)
    assert not without_seconds(other).equals(without_seconds(found))


def test_any_number_of_processes_makes_the_same_search(
    panel: Panel, found: Tuning
) -> None:
    parallel = tune(panel, QUICK, trials=6, params=CONTEXTS, jobs=2)
    assert parallel is not None
    pd.testing.assert_frame_equal(
        without_seconds(found), without_seconds(parallel), check_exact=True
    )
    assert (parallel.gain, parallel.verdict) == (found.gain, found.verdict)


def test_the_first_trial_is_the_default_and_the_table_has_a_row_for_each(
    found: Tuning,
) -> None:
    table = found.table()
    assert table["trial"].tolist() == [*range(6)]
    assert (table["context"][0], table["state"][0], table["windows"][0]) == (
        "auto",
        "done",
        3,
    )
    assert table["error"][table["state"] == "done"].min() == found.best.error
    assert table["ratio"][0] == 1 and table["ratio"][found.best.number] <= 1
    assert found.verdict.windows == 3 * 2


def test_the_comparison_has_seeds_that_the_search_has_not_seen(
    panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the best trial is judged by the luck that made it the best."""
    seeds: dict[str, list[int]] = {"search": [], "comparison": []}
    seed_of = trials_module.with_derived_seed

    def recorded(config: Config, number: int) -> Config:
        seeded = seed_of(config, number)
        seeds[stage].append(seeded.train.seed)
        return seeded

    compare = tune_module.run_followed_jobs

    def run_comparison(*arguments: Any, **options: Any) -> Any:
        nonlocal stage
        stage = "comparison"
        return compare(*arguments, **options)

    stage = "search"
    monkeypatch.setattr(trials_module, "with_derived_seed", recorded)
    monkeypatch.setattr(tune_module, "run_followed_jobs", run_comparison)
    tune(panel, QUICK, trials=2, params=CONTEXTS)
    assert seeds["search"] and seeds["comparison"]
    assert not set(seeds["search"]) & set(seeds["comparison"])


def test_a_study_is_continued(panel: Panel, found: Tuning, tmp_path: Path) -> None:
    for trials in (2, 6):
        again = tune(
            panel, QUICK, trials=trials, params=CONTEXTS, study=tmp_path / "a.journal"
        )
    assert again is not None
    pd.testing.assert_frame_equal(
        without_seconds(found).drop(columns="why"),
        without_seconds(again).drop(columns="why"),
    )


def test_the_callers_panel_is_unchanged(panel: Panel) -> None:
    before = panel.fingerprint()
    tune(panel, QUICK, trials=1, params=CONTEXTS)
    assert panel.fingerprint() == before


def test_the_space_follows_from_lengths_and_frequency() -> None:
    def names(panel: Panel) -> dict[str, tuple[Any, ...]]:
        return {one.name: one.values for one in suggest_space(panel, Config())}

    short = names(panel_of([wavy(np.random.default_rng(0), 60)]))
    assert short["context"] == (None, 12) and short["transform"] == ("auto", "none")
    assert "hidden" not in short
    long = names(panel_of([wavy(np.random.default_rng(0), 2500, season=7)], freq="D"))
    assert long["context"] == (None, 14, 56, 112) and {
        "hidden",
        "cell",
        "calendar",
    } <= set(long)
    below = names(panel_of([wavy(np.random.default_rng(0), 60) - 100]))
    assert "transform" not in below
    assert "calendar" not in names(
        panel_of([wavy(np.random.default_rng(0), 60)], freq="YS")
    )


def test_what_the_user_set_is_not_searched() -> None:
    panel = panel_of([wavy(np.random.default_rng(0), 60)])
    config = Config(model=ModelConfig(dropout=0.3), train=TrainConfig(lr=1e-3))
    assert {"dropout", "lr"} & {
        one.name for one in suggest_space(panel, config)
    } == set()


def test_every_default_of_the_space_is_in_it_and_first() -> None:
    panel = panel_of([wavy(np.random.default_rng(0), 2500, season=7)], freq="D")
    for one in plan_search(panel).space:
        assert one.values[0] == getattr(getattr(Config(), one.section), one.name)


def test_short_data_have_fewer_windows_and_a_note() -> None:
    assert limit_windows(panel_of([np.arange(96.0)]), 12, 3, 3) == (3, 3, ())
    windows, unseen, (note,) = limit_windows(panel_of([np.arange(72.0)]), 12, 3, 3)
    assert (windows, unseen) == (2, 2)
    assert (
        note == "the data is short: 2 of 3 windows for the search, 2 of 3 to compare on"
    )
    assert limit_windows(panel_of([np.arange(48.0)]), 12, 3, 3)[:2] == (1, 1)
    with pytest.raises(DataError, match="need 48 steps, the longest series has 47"):
        limit_windows(panel_of([np.arange(47.0)]), 12, 3, 3)


@pytest.mark.parametrize("name", ["trials", "windows", "unseen"])
def test_counts_below_one_are_refused(name: str, panel: Panel) -> None:
    with pytest.raises(UsageError, match=f"{name}=0"):
        plan_search(panel, **{name: 0})


def test_a_budget_that_is_used_up_leaves_only_the_default(panel: Panel) -> None:
    tuning = tune(panel, QUICK, params=CONTEXTS, time_budget=1e-3)
    assert tuning is not None
    assert [one.number for one in tuning.trials] == [0]
    assert tuning.gain is None and not tuning.adopted and tuning.changes() == []
    assert tuning.sentences() == [
        "None of 1 trials did better than the default: the default stays."
    ]
    assert tuning.config == QUICK


def replace_trial(found: Tuning, errors: list[float]) -> list[Trial]:
    """The trials of a search whose last one did all windows, with these errors."""
    return [*found.trials[:-1], found.trials[-1]._replace(state=DONE, errors=errors)]


@pytest.mark.parametrize(
    ("gain", "end"),
    [
        (Gain(0.2, 0.1, 0.8, 1.0), "more than noise: the tuned settings are taken."),
        (Gain(0.2, 0.3, 0.8, 1.0), "no more than noise: the default stays."),
        (Gain(-0.2, 0.1, 1.2, 1.0), "was chance: the default stays."),
        (
            Gain(math.nan, math.nan, math.nan, math.nan),
            "could not be fitted: the default stays.",
        ),
    ],
)
def test_the_outcome_is_put_in_words_and_acted_upon(
    gain: Gain, end: str, found: Tuning
) -> None:
    tuned = replace(QUICK, window=WindowConfig(context=36))
    best = replace_trial(found, errors=[one / 2 for one in found.trials[0].errors])
    tuning = replace(found, gain=gain, tuned=tuned, best=best[-1], trials=best)
    first = tuning.sentences()[0]
    assert (
        first
        == "Best of 6 trials, with 50.0 % less error than the default in the search: context=36."
    )
    assert tuning.sentences()[-1].endswith(end)
    assert tuning.adopted is ("are taken" in end)
    assert tuning.config == (tuned if tuning.adopted else QUICK)


def test_the_horizon_is_that_of_a_fit() -> None:
    wave = 10 + np.sin(np.arange(120) * 2 * np.pi / 12)
    panel = Panel.from_frame(
        pd.DataFrame({"t": np.arange(120), "y": wave}), target="y", time="t"
    )
    assert plan_search(panel).horizon == resolve_horizon(panel, Config()) == 12
