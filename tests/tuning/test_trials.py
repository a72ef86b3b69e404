"""The loop of a search, mostly on fits that are simulated; some tests have real ones."""

import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstmcast.compute.progress import Event
from lstmcast.config import Config, TrainConfig
from lstmcast.errors import DivergedError, UsageError
from lstmcast.panel.panel import Panel
from lstmcast.tuning import study as studies
from lstmcast.tuning import trials as trial_loop
from lstmcast.tuning.space import Space, parse_params, with_trial_settings
from lstmcast.tuning.study import DONE, INTERRUPTED, PRUNED, Study
from lstmcast.tuning.trials import FoldOutcome, Search, fit_and_score
from tests.make import panel_of, wavy

SPACE, _ = parse_params(["dropout=0.1,0.2,0.3,0.4,0.5", "batch_size=4,8,16"])
Fits = list[tuple[float, int]]


def always(_: float) -> float:
    return math.inf


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> Fits:
    """Simulates fits whose error is the dropout's distance from 0.3, and lists them."""
    done: Fits = []

    def simulate(
        _: Panel,
        config: Config,
        number: int,
        strict: bool,  # noqa: ARG001
        on_event: Any = None,  # noqa: ARG001
    ) -> FoldOutcome:
        done.append((config.model.dropout, number))
        if config.model.dropout == 0.5:
            return FoldOutcome({}, math.nan, "", 1, None, 0.0, "diverged")
        error = abs(config.model.dropout - 0.3) + 0.1 * number
        return FoldOutcome({(): error}, error, "mase", 1, None, 2.0)

    monkeypatch.setattr(trial_loop, "fit_and_score", simulate)
    return done


def make_search(study: Study, space: Space = SPACE, **more: Any) -> Search:
    fold: Any = None
    return Search(
        study,
        Config(),
        space,
        [fold] * 3,
        more.pop("jobs", 1),
        more.pop("on_event", None),
    )


def test_the_default_is_trial_0_and_does_all_windows(fits: Fits) -> None:
    study = Study(SPACE, 0, {})
    make_search(study).run(1, always)
    (trial,) = study.trials()
    assert (trial.number, trial.state, trial.settings) == (
        0,
        DONE,
        {"dropout": 0.1, "batch_size": 16},
    )
    assert trial.errors == pytest.approx([0.2, 0.3, 0.4])
    assert (trial.seconds, fits) == (6.0, [(0.1, 0), (0.1, 1), (0.1, 2)])


def test_a_search_makes_as_many_trials_as_requested_and_finds_the_best(
    fits: Fits,
) -> None:
    study, events = Study(SPACE, 0, {}), list[Event]()
    search = make_search(study, on_event=events.append)
    search.run(20, always)
    assert len(study.trials()) == 20 == events[-1].total == events[-1].step
    assert search.best().settings["dropout"] == 0.3
    assert (
        not search.is_default(search.best())
        and search.config(search.best()).model.dropout == 0.3
    )
    states = {trial.state for trial in study.trials()}
    assert states == {DONE, PRUNED}
    worse = [
        trial for trial in study.trials() if trial.state == PRUNED and not trial.why
    ]
    assert worse and all(len(trial.errors) < 3 for trial in worse)
    assert len(fits) < 3 * 20


def test_settings_that_cannot_be_fitted_end_a_trial_with_the_reason(fits: Fits) -> None:
    study = Study(SPACE, 0, {})
    make_search(study).run(20, always)
    failed = [trial for trial in study.trials() if trial.settings["dropout"] == 0.5]
    assert failed and all(
        (trial.state, trial.why, trial.errors) == (PRUNED, "diverged", [])
        for trial in failed
    )
    assert fits.count((0.5, 0)) >= 1


def test_settings_that_contradict_each_other_end_a_trial_too(fits: Fits) -> None:  # noqa: ARG001
    space, _ = parse_params(["cell=lstm,gru", "precision=bfloat16"])
    study = Study(space, 0, {})
    make_search(study, space).run(12, always)
    assert {
        trial.why for trial in study.trials() if trial.state == PRUNED and trial.why
    } == {"--precision bfloat16 does not go with --cell gru"}


def test_the_same_settings_are_fitted_once(fits: Fits) -> None:
    space, _ = parse_params(["dropout=0.1,0.2"])
    study = Study(space, 0, {})
    make_search(study, space).run(15, always)
    assert len(study.trials()) == 15
    assert len(fits) == len(set(fits)) <= 6


def test_a_study_that_is_continued_ends_as_one_that_was_not_interrupted(
    fits: Fits, tmp_path: Path
) -> None:
    whole, parts = Study(SPACE, 0, {}), tmp_path / "a.journal"
    make_search(whole).run(13, always)
    count = len(fits)
    for trials in (1, 5, 13, 13):
        make_search(Study(SPACE, 0, {}, parts)).run(trials, always)
    again = Study(SPACE, 0, {}, parts).trials()
    assert [trial._replace(seconds=0) for trial in again] == [
        trial._replace(seconds=0) for trial in whole.trials()
    ]
    assert len(fits) == 2 * count


def test_a_default_that_was_interrupted_is_tried_again_from_where_it_was(
    fits: Fits, tmp_path: Path
) -> None:
    study = Study(SPACE, 0, {}, tmp_path / "a.journal")
    trial = study.ask({"dropout": 0.1, "batch_size": 16})
    study.report(trial.number, [0.2], 2.0)
    study.end_own_trials()
    make_search(Study(SPACE, 0, {}, tmp_path / "a.journal")).run(1, always)
    assert fits == [(0.1, 1), (0.1, 2)]
    assert [
        trial.state for trial in Study(SPACE, 0, {}, tmp_path / "a.journal").trials()
    ] == [
        INTERRUPTED,
        DONE,
    ]


def test_a_default_that_another_process_left_unfinished_is_tried_in_the_end(
    fits: Fits, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = Study(SPACE, 0, {}, tmp_path / "a.journal")
    other.ask({"dropout": 0.1, "batch_size": 16})
    alive = iter([True, False])
    monkeypatch.setattr(studies, "_is_alive", lambda _: next(alive))
    study = Study(SPACE, 0, {}, tmp_path / "a.journal")
    search = make_search(study)
    search.run(3, always)
    states = [(trial.state, search.is_default(trial)) for trial in study.trials()]
    assert states[0] == (INTERRUPTED, True) and states[-1] == (DONE, True)
    assert len(fits) >= 3


def test_when_time_is_up_no_fit_begins_but_those_of_the_default(fits: Fits) -> None:
    study, seconds_of_fits = Study(SPACE, 0, {}), list[float]()

    def at_once(seconds: float) -> float:
        seconds_of_fits.append(seconds)
        return time.monotonic()

    make_search(study).run(20, at_once)
    assert (len(fits), seconds_of_fits, len(study.trials())) == (3, [2.0], 1)


def test_trials_that_time_cuts_short_are_recorded_as_interrupted(
    monkeypatch: pytest.MonkeyPatch, fits: Fits
) -> None:
    now = iter(range(1000))
    monkeypatch.setattr(trial_loop.time, "monotonic", lambda: next(now))
    study = Study(SPACE, 0, {})
    make_search(study).run(20, lambda _: 4.0)
    cut = [trial for trial in study.trials() if trial.state == INTERRUPTED]
    assert len(study.trials()) == 5 and len(cut) >= 2
    assert {trial.why for trial in cut} == {"out of time"}
    assert len(fits) < 3 + 4


def test_errors_of_the_default_are_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def diverge(*_: Any, **__: Any) -> FoldOutcome:
        raise DivergedError("diverged", "try a lower --lr")

    monkeypatch.setattr(trial_loop, "backtest", diverge)
    study = Study(SPACE, 0, {})
    with pytest.raises(DivergedError):
        make_search(study).run(3, always)
    study.end_own_trials()
    assert [trial.state for trial in study.trials()] == [INTERRUPTED]
    assert fit_and_score(None, Config(), 0, False).why == "diverged"  # type: ignore[arg-type]


def test_a_fit_learns_from_all_but_the_last_horizon_and_returns_its_error() -> None:
    panel = panel_of(
        [wavy(np.random.default_rng(0), 60), wavy(np.random.default_rng(1), 48)]
    )
    config = Config(train=TrainConfig(steps=0))
    outcome = fit_and_score(panel, config, 0, True)
    assert set(outcome.errors) == {("s0",), ("s1",)}
    assert outcome.error == pytest.approx(np.mean(list(outcome.errors.values())))
    assert (outcome.measure, outcome.why) == ("mase", "")
    assert outcome.forecasts is not None and len(outcome.forecasts) == 2 * 12
    again = fit_and_score(panel, config, 0, True)
    assert again._replace(forecasts=None, seconds=0) == outcome._replace(
        forecasts=None, seconds=0
    )


def test_a_contradiction_in_the_default_is_raised_as_it_is() -> None:
    panel = panel_of([wavy(np.random.default_rng(0), 60)])
    config = Config(train=TrainConfig(steps=0, start="pretrained"))
    space, _ = parse_params(["hidden=32"])
    wrong = with_trial_settings(config, space, {"hidden": 32})
    with pytest.raises(UsageError, match="start='pretrained'"):
        fit_and_score(panel, wrong, 0, True)
    assert "--from pretrained" in fit_and_score(panel, wrong, 0, False).why
