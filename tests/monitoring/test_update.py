"""New rows for a run: it goes on from them, and learns from them where that makes it no worse."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from lstmcast.config import Config, InputConfig, ModelConfig, TrainConfig, WindowConfig
from lstmcast.errors import DataError
from lstmcast.forecasting.predictor import Predictor
from lstmcast.monitoring.update import Update, _find_trained_networks, update
from lstmcast.panel.panel import Panel
from lstmcast.scoring.gates import Gate
from lstmcast.training.forecaster import Forecaster
from tests.make import panel_of, wavy

CONFIG = Config(
    window=WindowConfig(horizon=4, context=12, season=12),
    model=ModelConfig(hidden=6, layers=1, dropout=0.0),
    train=TrainConfig(
        start="scratch", steps=12, members=2, jobs=1, batch_size=8, origins=4
    ),
)
ALWAYS, NEVER = [Gate.parse("mase>=0")], [Gate.parse("mase<0")]
SERIES = [wavy(np.random.default_rng(seed), 90) for seed in (1, 2)]


def months(count: int, first: int = 0, series: int = 2) -> Panel:
    """Months `first` to `count` of both series."""
    start = f"{2001 + first // 12}-{first % 12 + 1:02}-01"
    return panel_of([one[first:count] for one in SERIES[:series]], start=start)


@pytest.fixture(scope="module")
def fitted() -> Forecaster:
    return Forecaster(CONFIG).fit(months(60))


def weights(forecaster: Predictor) -> np.ndarray:
    return np.concatenate(
        [
            one.ravel()
            for network in forecaster.networks
            for one in network.weights.values()
        ]
    )


def test_nothing_new_changes_nothing(fitted: Forecaster) -> None:
    outcome = update(fitted, months(50))
    assert outcome.forecaster is fitted
    assert (outcome.news, outcome.rows, outcome.kept) == (False, 0, None)


@pytest.mark.parametrize("first", [0, 60])
def test_too_few_new_rows_extend_the_history_and_are_learnt_from_later(
    first: int, fitted: Forecaster
) -> None:
    outcome = update(fitted, months(63, first))
    assert (outcome.rows, outcome.kept) == (6, None) and "too few" in outcome.why
    longer = outcome.forecaster
    np.testing.assert_array_equal(longer.cutoff, fitted.cutoff)
    assert np.array_equal(weights(longer), weights(fitted))
    pd.testing.assert_frame_equal(longer.predict(), fitted.predict(months(63)))
    later = update(longer, months(66, 63), gates=ALWAYS, steps=2)
    assert (later.rows, later.learnt, later.kept) == (6, 4, True)


def test_networks_trained_further_are_kept_where_the_gate_holds(
    fitted: Forecaster,
) -> None:
    before = weights(fitted)
    outcome = update(fitted, months(70), gates=ALWAYS, steps=5)
    assert outcome.kept and outcome.was and outcome.now
    # Of ten new months the newest five are for checking.
    assert (outcome.rows, outcome.learnt, outcome.windows) == (20, 10, 4)
    updated = outcome.forecaster
    assert updated.panel.axis.texts(updated.cutoff) == ["2006-05-01"] * 2
    assert updated.predict()["t"].min() == pd.Timestamp("2006-11-01")
    assert not np.array_equal(weights(updated), before) and np.array_equal(
        weights(fitted), before
    )
    assert updated.verdict == outcome.now
    assert {row["member"] for row in updated.history} > {"update of 1", "update of 2"}
    assert outcome.now.model["mase"] != outcome.was.model["mase"]


@pytest.mark.parametrize("gates", [ALWAYS, NEVER])
def test_an_update_says_what_was_new_and_whether_it_is_kept(
    gates: list[Gate], fitted: Forecaster
) -> None:
    outcome = update(fitted, months(70), gates=gates, steps=1)
    assert repr(outcome) == "<Update: 20 new rows, 0 late and 0 changed values.>"
    new, learnt, decision = outcome.sentences()
    assert "10 rows" in learnt and "4 windows" in learnt
    assert f"not {gates[0]}" in decision or outcome.kept
    table = outcome.make_summary_table()
    assert outcome.was is not None and outcome.now is not None
    scores = [outcome.was.model["mase"], outcome.now.model["mase"]]
    assert table["mase"].tolist() == scores
    nothing = update(fitted, months(50))
    assert "Nothing was learnt: " in nothing._repr_html_()
    assert nothing.make_summary_table().empty


def test_where_the_gate_fails_the_networks_stay_and_the_history_grows(
    fitted: Forecaster,
) -> None:
    outcome = update(fitted, months(70), gates=NEVER, steps=5)
    assert outcome.kept is False
    assert np.array_equal(weights(outcome.forecaster), weights(fitted))
    pd.testing.assert_frame_equal(
        outcome.forecaster.predict(), fitted.predict(months(70))
    )
    np.testing.assert_array_equal(outcome.forecaster.cutoff, fitted.cutoff)
    again = update(outcome.forecaster, months(72), gates=ALWAYS, steps=5)
    assert (again.rows, again.learnt) == (4, 12)


def test_hold_out_rows_do_not_change_the_weights(fitted: Forecaster) -> None:
    wild = panel_of([np.concatenate([one[:65], one[65:70] * 9]) for one in SERIES])
    tame, other = (
        update(fitted, panel, gates=ALWAYS, steps=3) for panel in (months(70), wild)
    )
    assert np.array_equal(weights(tame.forecaster), weights(other.forecaster))
    assert tame.now and other.now and tame.now.model["mase"] < other.now.model["mase"]


def test_changed_values_of_known_rows_are_refused_or_accepted(
    fitted: Forecaster,
) -> None:
    values = [one[:64].copy() for one in SERIES]
    values[1][[3, 5]] = 5.0
    first_change = r"s1, 2001-04-01, y: [\d.]+ -> 5 \(and 1 more\)"
    with pytest.raises(DataError, match=first_change) as refused:
        update(fitted, panel_of(values))
    assert "--revised" in refused.value.hint
    outcome = update(fitted, panel_of(values), revised=True)
    assert (outcome.rows, outcome.changed) == (8, 2)
    assert outcome.forecaster.panel.series(1)[3] == 5.0


def test_series_may_be_new_or_missing(fitted: Forecaster) -> None:
    rng = np.random.default_rng(5)
    later = replace(panel_of([SERIES[1][:70], wavy(rng, 70)]), keys=(("s1",), ("s2",)))
    for gates in (ALWAYS, NEVER):
        outcome = update(fitted, later, gates=gates, steps=2)
        assert outcome.kept is (gates is ALWAYS)
        forecast = outcome.forecaster.predict()
        assert forecast.groupby("id")["t"].min().astype(str).to_dict() == {
            "s0": "2006-01-01",
            "s1": "2006-11-01",
            "s2": "2006-11-01",
        }
        assert (
            len(outcome.forecaster.cutoff)
            == len(outcome.forecaster.scaling.scaler.log)
            == 3
        )
        assert np.isfinite(forecast["forecast"]).all()


def test_of_a_new_series_only_what_is_newer_than_the_training_is_to_be_learnt(
    fitted: Forecaster,
) -> None:
    def with_new(first: int) -> Update:
        """Months up to 70 of the new series "s2", beside those of the known ones."""
        start = f"{2001 + first // 12}-{first % 12 + 1:02}-01"
        new = panel_of([wavy(np.random.default_rng(5), 70 - first)], start=start)
        frame = pd.concat(
            [to_frame(months(70)), to_frame(replace(new, keys=(("s2",),)))]
        )
        panel = Panel.from_frame(frame, target="y", time="t", series="id")
        return update(fitted, panel, steps=0)

    trained_until = fitted.cutoff.max()
    # Its months before the end of the training are history, as those of the others are.
    long_before = with_new(0).forecaster
    assert long_before.cutoff.tolist() == [trained_until] * 3
    # One that begins later has nothing to learn from in its first month.
    later = with_new(64).forecaster
    assert later.cutoff.tolist() == [trained_until] * 2 + [later.panel.start[2]]
    assert later.panel.axis.texts(later.cutoff[2:]) == ["2006-05-01"]


def to_frame(panel: Panel) -> pd.DataFrame:
    series = np.repeat(np.arange(len(panel)), panel.lengths)
    first = panel.offsets[series]
    ordinals = panel.start[series] + np.arange(len(panel.values)) - first
    return pd.DataFrame(
        {
            "id": [panel.keys[i][0] for i in series.tolist()],
            "t": panel.axis.stamps(ordinals),
            "y": panel.values,
        }
    )


def test_a_pretrained_network_as_shipped_is_trained_only_on_request() -> None:
    shipped = Forecaster(
        Config(window=CONFIG.window, train=TrainConfig(steps=0, jobs=1))
    ).fit(months(60, series=1))
    outcome = update(shipped, months(70, series=1))
    assert (outcome.kept, outcome.rows) == (None, 10) and "shipped" in outcome.why
    requested = update(shipped, months(70, series=1), steps=1, gates=ALWAYS)
    assert requested.kept


def test_with_no_steps_the_history_grows_and_nothing_is_learnt(
    fitted: Forecaster,
) -> None:
    outcome = update(fitted, months(70), steps=0)
    assert (outcome.kept, outcome.learnt) == (
        None,
        10,
    ) and "no training steps" in outcome.why


def test_the_same_update_twice_makes_the_same_run(fitted: Forecaster) -> None:
    one, two = (
        update(fitted, months(70), gates=ALWAYS, steps=3).forecaster for _ in range(2)
    )
    assert np.array_equal(weights(one), weights(two))


def test_of_very_many_rows_the_newest_are_kept(
    fitted: Forecaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(update.__globals__, "MAX_HISTORY_STEPS", 10)
    monkeypatch.setattr(Forecaster, "memory", 20)
    outcome = update(fitted, months(70), gates=NEVER, steps=1)
    # Ten of the thirty are still to be learnt from.
    assert outcome.forecaster.panel.lengths.tolist() == [30, 30]
    kept = update(outcome.forecaster, months(74, 70), gates=ALWAYS, steps=1)
    assert kept.kept and kept.learnt == 14


@pytest.mark.parametrize("loss", ["mse", "huber", "student-t", "negative-binomial"])
def test_runs_of_every_loss_are_updated(loss: str) -> None:
    counts = [np.round(one) for one in SERIES]
    panels = [panel_of([one[:end] for one in counts]) for end in (60, 70)]
    config = replace(CONFIG, train=replace(CONFIG.train, loss=loss, members=1, steps=3))
    assert_updated(
        update(Forecaster(config).fit(panels[0]), panels[1], gates=ALWAYS, steps=2)
    )


def test_a_run_of_probabilities_is_updated_and_judged_as_one() -> None:
    events = [
        (np.random.default_rng(seed).random(90) < 0.3).astype(float) for seed in (1, 2)
    ]
    panels = [panel_of([one[:end] for one in events]) for end in (60, 70)]
    config = replace(
        CONFIG, train=replace(CONFIG.train, loss="bernoulli", members=1, steps=3)
    )
    outcome = update(Forecaster(config).fit(panels[0]), panels[1], steps=2)
    assert outcome.now and [str(gate) for gate in outcome.gates] == ["brier<=old"]
    assert outcome.forecaster.predict()["probability"].between(0, 1).all()


@pytest.mark.parametrize("scale", ["standard", "robust", "minmax", "none"])
def test_runs_of_every_scale_are_updated(scale: str) -> None:
    config = replace(
        CONFIG,
        model=replace(CONFIG.model, scale=scale),
        train=replace(CONFIG.train, members=1, steps=3),
    )
    assert_updated(
        update(Forecaster(config).fit(months(60)), months(70), gates=ALWAYS, steps=2)
    )


def test_runs_with_covariates_calendar_and_several_targets_are_updated() -> None:
    days, rng = 100, np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "day": pd.date_range("2024-02-01", periods=days),
            "promo": rng.random(days) < 0.3,
        }
    )
    frame["heat"] = rng.normal(10, 3, days)
    frame["sold"] = 50 + 9 * frame["promo"] + rng.normal(0, 5, days)
    frame["returned"] = frame["sold"].shift(1, fill_value=50) / 5 + rng.normal(
        0, 1, days
    )

    def until(end: int) -> Panel:
        known = frame.copy()
        known.loc[end:, ["sold", "returned", "heat"]] = np.nan
        return Panel.from_frame(
            known[: end + 4],
            target=["sold", "returned"],
            time="day",
            past="heat",
            future="promo",
        )

    config = replace(
        CONFIG,
        window=WindowConfig(horizon=4, context=14, season=7),
        inputs=InputConfig(calendar=True, joint=True),
        train=replace(CONFIG.train, members=1, steps=3),
    )
    outcome = update(
        Forecaster(config).fit(until(80)), until(94), gates=ALWAYS, steps=2
    )
    assert_updated(outcome)
    assert outcome.forecaster.predict()["day"].max() == pd.Timestamp(
        "2024-02-01"
    ) + pd.Timedelta(days=97)


def assert_updated(outcome: Update) -> None:
    assert outcome.kept and outcome.was and outcome.now
    assert np.isfinite(outcome.forecaster.predict()["forecast"]).all()


def test_an_update_is_judged_series_by_series(fitted: Forecaster) -> None:
    outcome = update(fitted, months(70), gates=ALWAYS, steps=1)
    assert outcome.was and outcome.now
    for verdict in (outcome.was, outcome.now):
        assert [row["key"] for row in verdict.by_series] == [["s0"], ["s1"]]


def test_networks_as_they_were_shipped_are_told_from_those_that_were_trained() -> None:
    shipped = replace(CONFIG.train, start="pretrained", steps=0)
    config = Config(window=WindowConfig(horizon=4), train=shipped)
    untrained = Forecaster(config).fit(months(60))
    assert _find_trained_networks(untrained) == []
    trained = Forecaster(CONFIG).fit(months(60))
    assert _find_trained_networks(trained) == list(range(len(trained.networks)))
