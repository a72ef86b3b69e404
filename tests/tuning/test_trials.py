"""The loop of a search. Most of it is shown with fits that are played; one test has real ones."""

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
from lstmcast.tuning import trials as search
from lstmcast.tuning.space import Space, parse_params
from lstmcast.tuning.study import DONE, INTERRUPTED, PRUNED, Study
from lstmcast.tuning.trials import FoldOutcome, Search, fit_and_score
from tests.make import panel_of, wavy

SPACE, _ = parse_params(["dropout=0.1,0.2,0.3,0.4,0.5", "batch_size=4,8,16"])
Fits = list[tuple[float, int]]


def always(_: float) -> float:
    return math.inf


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> Fits:
    """Plays fits whose error is the dropout's distance from 0.3, and tells which were asked for."""
    asked: Fits = []

    def play(_: Panel, config: Config, number: int, strict: bool) -> FoldOutcome:  # noqa: ARG001
        asked.append((config.model.dropout, number))
        if config.model.dropout == 0.5:
            return FoldOutcome({}, math.nan, "", 1, None, 0.0, "diverged")
        error = abs(config.model.dropout - 0.3) + 0.1 * number
        return FoldOutcome({(): error}, error, "mase", 1, None, 2.0)

    monkeypatch.setattr(search, "fit_and_score", play)
    return asked


def searching(book: Study, space: Space = SPACE, **more: Any) -> Search:
    fold: Any = None
    return Search(
        book, Config(), space, [fold] * 3, more.pop("jobs", 1), more.pop("on_event", None)
    )


def test_the_default_is_trial_0_and_does_all_windows(fits: Fits) -> None:
    book = Study(SPACE, 0, {})
    searching(book).run(1, always)
    (trial,) = book.trials()
    assert (trial.number, trial.state, trial.settings) == (
        0,
        DONE,
        {"dropout": 0.1, "batch_size": 16},
    )
    assert trial.errors == pytest.approx([0.2, 0.3, 0.4])
    assert (trial.seconds, fits) == (6.0, [(0.1, 0), (0.1, 1), (0.1, 2)])


def test_a_search_makes_as_many_trials_as_asked_and_finds_the_best(fits: Fits) -> None:
    book, events = Study(SPACE, 0, {}), list[Event]()
    found = searching(book, on_event=events.append)
    found.run(20, always)
    assert len(book.trials()) == 20 == events[-1].total == events[-1].step
    assert found.best().settings["dropout"] == 0.3
    assert not found.is_default(found.best()) and found.config(found.best()).model.dropout == 0.3
    states = {one.state for one in book.trials()}
    assert states == {DONE, PRUNED}
    worse = [one for one in book.trials() if one.state == PRUNED and not one.why]
    assert worse and all(len(one.errors) < 3 for one in worse)
    assert len(fits) < 3 * 20


def test_settings_that_cannot_be_fitted_end_a_trial_with_the_reason(fits: Fits) -> None:
    book = Study(SPACE, 0, {})
    searching(book).run(20, always)
    failed = [one for one in book.trials() if one.settings["dropout"] == 0.5]
    assert failed and all(
        (one.state, one.why, one.errors) == (PRUNED, "diverged", []) for one in failed
    )
    assert fits.count((0.5, 0)) >= 1


def test_settings_that_contradict_each_other_end_a_trial_too(fits: Fits) -> None:  # noqa: ARG001
    space, _ = parse_params(["cell=lstm,gru", "precision=bfloat16"])
    book = Study(space, 0, {})
    searching(book, space).run(12, always)
    assert {one.why for one in book.trials() if one.state == PRUNED and one.why} == {
        "--precision bfloat16 does not go with --cell gru"
    }


def test_the_same_settings_are_fitted_once(fits: Fits) -> None:
    space, _ = parse_params(["dropout=0.1,0.2"])
    book = Study(space, 0, {})
    searching(book, space).run(15, always)
    assert len(book.trials()) == 15
    assert len(fits) == len(set(fits)) <= 6


def test_a_study_that_is_gone_on_with_ends_as_one_that_was_not_interrupted(
    fits: Fits, tmp_path: Path
) -> None:
    whole, parts = Study(SPACE, 0, {}), tmp_path / "a.journal"
    searching(whole).run(13, always)
    count = len(fits)
    for trials in (1, 5, 13, 13):
        searching(Study(SPACE, 0, {}, parts)).run(trials, always)
    again = Study(SPACE, 0, {}, parts).trials()
    assert [one._replace(seconds=0) for one in again] == [
        one._replace(seconds=0) for one in whole.trials()
    ]
    assert len(fits) == 2 * count


def test_a_default_that_was_interrupted_is_tried_again_from_where_it_was(
    fits: Fits, tmp_path: Path
) -> None:
    book = Study(SPACE, 0, {}, tmp_path / "a.journal")
    trial = book.ask({"dropout": 0.1, "batch_size": 16})
    book.report(trial.number, [0.2], 2.0)
    book.end_own_trials()
    searching(Study(SPACE, 0, {}, tmp_path / "a.journal")).run(1, always)
    assert fits == [(0.1, 1), (0.1, 2)]
    assert [one.state for one in Study(SPACE, 0, {}, tmp_path / "a.journal").trials()] == [
        INTERRUPTED,
        DONE,
    ]


def test_a_default_that_another_process_left_unfinished_is_tried_in_the_end(
    fits: Fits, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from lstmcast.tuning import study

    other = Study(SPACE, 0, {}, tmp_path / "a.journal")
    other.ask({"dropout": 0.1, "batch_size": 16})
    alive = iter([True, False])
    monkeypatch.setattr(study, "_is_alive", lambda _: next(alive))
    book = Study(SPACE, 0, {}, tmp_path / "a.journal")
    found = searching(book)
    found.run(3, always)
    states = [(one.state, found.is_default(one)) for one in book.trials()]
    assert states[0] == (INTERRUPTED, True) and states[-1] == (DONE, True)
    assert len(fits) >= 3


def test_when_time_is_up_no_fit_begins_but_those_of_the_default(fits: Fits) -> None:
    book, told = Study(SPACE, 0, {}), list[float]()

    def at_once(seconds: float) -> float:
        told.append(seconds)
        return time.monotonic()

    searching(book).run(20, at_once)
    assert (len(fits), told, len(book.trials())) == (3, [2.0], 1)


def test_trials_that_time_cuts_short_are_left(monkeypatch: pytest.MonkeyPatch, fits: Fits) -> None:
    now = iter(range(1000))
    monkeypatch.setattr(search.time, "monotonic", lambda: next(now))
    book = Study(SPACE, 0, {})
    searching(book).run(20, lambda _: 4.0)
    cut = [one for one in book.trials() if one.state == INTERRUPTED]
    assert len(book.trials()) == 5 and len(cut) >= 2
    assert {one.why for one in cut} == {"out of time"}
    assert len(fits) < 3 + 4


def test_what_is_wrong_with_the_default_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def diverge(*_: Any, **__: Any) -> FoldOutcome:
        raise DivergedError("diverged", "try a lower --lr")

    monkeypatch.setattr(search, "backtest", diverge)
    book = Study(SPACE, 0, {})
    with pytest.raises(DivergedError):
        searching(book).run(3, always)
    book.end_own_trials()
    assert [one.state for one in book.trials()] == [INTERRUPTED]
    assert fit_and_score(None, Config(), 0, False).why == "diverged"  # type: ignore[arg-type]


def test_a_fit_learns_from_all_but_the_last_horizon_and_says_its_error() -> None:
    panel = panel_of([wavy(np.random.default_rng(0), 60), wavy(np.random.default_rng(1), 48)])
    config = Config(train=TrainConfig(steps=0))
    made = fit_and_score(panel, config, 0, True)
    assert set(made.errors) == {("s0",), ("s1",)}
    assert made.error == pytest.approx(np.mean(list(made.errors.values())))
    assert (made.measure, made.why) == ("mase", "")
    assert made.forecasts is not None and len(made.forecasts) == 2 * 12
    again = fit_and_score(panel, config, 0, True)
    assert again._replace(forecasts=None, seconds=0) == made._replace(forecasts=None, seconds=0)


def test_a_contradiction_in_the_default_is_raised_as_it_is() -> None:
    panel = panel_of([wavy(np.random.default_rng(0), 60)])
    config = Config(train=TrainConfig(steps=0, start="pretrained"))
    space, _ = parse_params(["hidden=32"])
    from lstmcast.tuning.space import with_trial_settings

    wrong = with_trial_settings(config, space, {"hidden": 32})
    with pytest.raises(UsageError, match="--from pretrained"):
        fit_and_score(panel, wrong, 0, True)
    assert "--from pretrained" in fit_and_score(panel, wrong, 0, False).why
