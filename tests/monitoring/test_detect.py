from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from lstmcast import Config, DataError, Forecaster, Panel, TrainConfig, UsageError
from lstmcast.monitoring.detect import Detector, detect
from lstmcast.monitoring.detection import Detection
from lstmcast.monitoring.row_errors import RowErrorModel, RowErrors

Change = Callable[[np.ndarray], None]
TRAINED, LENGTH, SEASON = 720, 1000, 24


def hourly(seed: int = 0, length: int = LENGTH) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.asarray(
        100
        + 20 * np.sin(2 * np.pi * np.arange(length) / SEASON)
        + 2 * rng.normal(size=length)
    )


def frame_of(values: np.ndarray, **columns: object) -> pd.DataFrame:
    stamps = pd.date_range("2024-01-01", periods=len(values), freq="h")
    return pd.DataFrame({"t": stamps, "y": values, **columns})


def fit(frame: pd.DataFrame, **roles: object) -> Forecaster:
    panel = Panel.from_frame(frame, target="y", time="t", **roles)  # type: ignore[arg-type]
    return Forecaster(Config(train=TrainConfig(steps=0))).fit(panel)


@pytest.fixture(scope="module")
def forecaster() -> Forecaster:
    return fit(frame_of(hourly()).head(TRAINED))


def detect_hourly(
    forecaster: Forecaster, values: np.ndarray, **options: float
) -> Detection:
    panel = Panel.from_frame(frame_of(values), like=forecaster.panel)
    return detect(forecaster, panel, **{"rate": 0.005, **options})  # type: ignore[arg-type]


def test_a_row_has_its_expectation_an_interval_around_it_and_a_score(
    forecaster: Forecaster,
) -> None:
    rows = detect_hourly(forecaster, hourly()).rows
    assert list(rows) == [
        "t",
        "actual",
        "expected",
        "low",
        "high",
        "score",
        "anomaly",
        "kind",
        "event",
        "reason",
    ]
    assert rows["t"].tolist() == frame_of(hourly())["t"][TRAINED:].tolist()
    assert rows["actual"].tolist() == hourly()[TRAINED:].tolist()
    assert ((rows["low"] < rows["expected"]) & (rows["expected"] < rows["high"])).all()
    assert np.abs(rows["expected"] - rows["actual"]).mean() < 4
    assert rows["score"].between(0, 1).all()
    outside = (rows["actual"] < rows["low"]) | (rows["actual"] > rows["high"])
    assert rows["event"][outside].notna().all()


@pytest.mark.parametrize("seed", range(3))
def test_ordinary_rows_are_flagged_no_more_often_than_stated(
    forecaster: Forecaster, seed: int
) -> None:
    values = np.concatenate(
        [hourly()[:TRAINED], hourly(seed + 1, 1500)[: 1500 - TRAINED % SEASON]]
    )
    figures = detect_hourly(forecaster, values, rate=0.01).figures
    assert figures["judged"] == 1500
    assert figures["share"] < 0.02  # 0.01, and runs of alarms come together


def spike(values: np.ndarray) -> None:
    values[850] += 25


@pytest.mark.parametrize("size", [30, -30, 60])
def test_the_row_after_a_wrong_one_is_judged_without_it(
    forecaster: Forecaster, size: float
) -> None:
    values = hourly()
    values[850] += size
    rows = detect_hourly(forecaster, values).rows
    wrong, after = rows.iloc[850 - TRAINED], rows.iloc[851 - TRAINED]
    assert (wrong["kind"], wrong["anomaly"]) == ("point", 1)
    assert "error" in wrong["reason"] and "error" not in after["reason"]
    assert abs(rows["expected"][851 - TRAINED] - hourly()[851]) < 8


def small_and_long(values: np.ndarray) -> None:
    values[850:880] += 4


def restless(values: np.ndarray) -> None:
    values[850:880] += 6 * np.random.default_rng(5).normal(size=30)


def stuck(values: np.ndarray) -> None:
    values[850:880] = values[850]


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        (spike, {"point"}),
        (small_and_long, {"run"}),
        (restless, {"point", "run"}),
        (stuck, {"stuck"}),
    ],
)
def test_changes_of_each_kind_are_found_and_named(
    forecaster: Forecaster, change: Change, kinds: set[str]
) -> None:
    values = hourly()
    change(values)
    rows = detect_hourly(forecaster, values).rows
    inside = rows[(rows.index >= 850 - TRAINED) & (rows.index < 880 - TRAINED)]
    assert set(inside["kind"]) & kinds
    assert inside["event"].notna().sum() >= 3 or change is spike
    assert rows["anomaly"][rows.index < 850 - TRAINED].sum() <= 2


def test_a_higher_rate_flags_more_and_has_narrower_intervals(
    forecaster: Forecaster,
) -> None:
    few, many = (
        detect_hourly(forecaster, hourly(), rate=rate) for rate in (0.004, 0.1)
    )
    unusual = [int(found.rows["event"].notna().sum()) for found in (few, many)]
    assert unusual[0] < unusual[1]
    width = [(found.rows["high"] - found.rows["low"]).mean() for found in (few, many)]
    assert width[1] < width[0]


def test_a_history_too_short_for_the_rate_is_noted(forecaster: Forecaster) -> None:
    assert detector_notes(forecaster, 0.01) == ()
    [note] = detector_notes(forecaster, 0.001)
    assert (
        "696 rows of history are too few for a rate of 0.001 (1000 are needed)" in note
    )


def detector_notes(forecaster: Forecaster, rate: float) -> tuple[str, ...]:
    return Detector(forecaster, rate=rate).notes


def test_rows_one_by_one_are_judged_as_they_are_together(
    forecaster: Forecaster,
) -> None:
    values = hourly()
    values[[760, 770]] = np.nan, values[770] + 30
    whole = detect_hourly(forecaster, values[:780]).rows
    detector = Detector(forecaster, rate=0.005)
    parts = []
    for row in range(TRAINED, 780):
        if not np.isnan(values[row]):
            frame = frame_of(values).iloc[[row]]
            parts.append(
                detector.judge(Panel.from_frame(frame, like=forecaster.panel)).rows
            )
    rows = pd.concat(parts, ignore_index=True)
    expected = whole[whole["kind"] != "missing"].reset_index(drop=True)
    assert (len(whole) - len(expected), expected["anomaly"].sum()) == (1, 1)
    assert (rows["t"].tolist(), rows["kind"].tolist()) == (
        expected["t"].tolist(),
        expected["kind"].tolist(),
    )
    # One by one they look back less far.
    np.testing.assert_allclose(rows["expected"], expected["expected"], rtol=0.005)
    np.testing.assert_allclose(rows["score"], expected["score"], atol=0.05)


def test_the_future_of_a_row_does_not_change_its_verdict(
    forecaster: Forecaster,
) -> None:
    changed = hourly()
    changed[900:] = 1e6
    a, b = (
        detect_hourly(forecaster, hourly()).rows,
        detect_hourly(forecaster, changed).rows,
    )
    pd.testing.assert_frame_equal(a[: 900 - TRAINED], b[: 900 - TRAINED])


@pytest.mark.parametrize("adapt", [True, False])
def test_fixed_scales_do_not_learn(forecaster: Forecaster, adapt: bool) -> None:
    detector = Detector(forecaster, rate=0.005, adapt=adapt)
    before = len(detector.pooled.numbers)
    [key] = forecaster.panel.keys
    limit = detector._stream(key)._scales["error"].find_limit(4.0)
    noisy = hourly()
    noisy[TRAINED:] += np.random.default_rng(1).normal(0, 8, LENGTH - TRAINED)
    detector.judge(Panel.from_frame(frame_of(noisy), like=forecaster.panel))
    learnt = len(detector.pooled.numbers) > before
    widened = detector._stream(key)._scales["error"].find_limit(4.0) > limit
    assert (learnt, widened) == (adapt, adapt)


def test_memory_is_bounded_however_many_rows_come(forecaster: Forecaster) -> None:
    detector = Detector(forecaster, rate=0.005)
    values = np.concatenate([hourly(), np.tile(hourly(), 3)])
    for start in range(TRAINED, 3000, 190):
        part = frame_of(values).iloc[start : start + 190]
        detector.judge(Panel.from_frame(part, like=forecaster.panel))
    assert int(detector.known.lengths.max()) <= 2 * forecaster.memory + 190


def test_covariates_known_ahead_explain_what_would_otherwise_be_an_anomaly() -> None:
    rng = np.random.default_rng(3)
    sale = (rng.random(LENGTH) < 0.05).astype(float)
    sale[[800, 900]] = 1, 0
    values = hourly() + 40 * sale
    values[900] += 40
    frame = frame_of(values, sale=sale)
    forecaster = fit(frame.head(TRAINED), future="sale")
    rows = detect(
        forecaster, Panel.from_frame(frame, like=forecaster.panel), rate=0.005
    ).rows
    assert rows["anomaly"][900 - TRAINED] == 1
    assert rows["anomaly"][800 - TRAINED] == 0
    assert rows["expected"][800 - TRAINED] > rows["expected"][824 - TRAINED] + 20


def shops(length: int, **changes: Change) -> pd.DataFrame:
    parts = []
    for number, name in enumerate(("north", "south", "new")):
        values = hourly(number, length) * (number + 1)
        changes.get(name, lambda _: None)(values)
        parts.append(frame_of(values, shop=name))
    return pd.concat(parts, ignore_index=True)


def test_each_series_of_a_panel_is_judged_and_a_new_one_after_its_warm_up() -> None:
    def high(values: np.ndarray) -> None:
        values[600] += 100

    frame = shops(700, south=high)
    known = frame[frame["shop"] != "new"]
    forecaster = fit(known[known["t"] < known["t"].iloc[550]], series="shop")
    rows = detect(
        forecaster, Panel.from_frame(frame, like=forecaster.panel), rate=0.005
    ).rows
    assert rows.groupby("shop", sort=False).size().to_dict() == {
        "north": 150,
        "south": 150,
        "new": 700,
    }
    south = rows[rows["shop"] == "south"]
    wrong = south.loc[south["score"].idxmax()]
    assert wrong[["t", "anomaly", "kind"]].tolist() == [frame["t"][600], 1, "point"]
    new = rows[rows["shop"] == "new"].reset_index(drop=True)
    assert (
        set(new["kind"][:SEASON]) == {"warm-up"} and new["score"][:SEASON].isna().all()
    )
    assert new["score"][SEASON:].notna().all()


def test_a_constant_series_has_an_anomaly_where_it_changes() -> None:
    values = np.full(400, 7.0)
    forecaster = fit(frame_of(values).head(300))
    values[350] = 7.5
    rows = detect_hourly(forecaster, values).rows
    assert rows["anomaly"].tolist()[:51] == [0] * 50 + [1]


def test_errors_on_rows_trained_on_are_scaled_up_to_those_on_hold_out_rows() -> None:
    frame = frame_of(hourly())
    config = Config(train=TrainConfig(steps=2, members=2))
    trained = Forecaster(config).fit(
        Panel.from_frame(frame.head(TRAINED), target="y", time="t")
    )
    series, rows = np.zeros(TRAINED, np.int64), np.arange(TRAINED)
    errors = np.where(rows < TRAINED - 96, 1.0, 3.0)
    detector = Detector(trained, rate=0.005)
    factor = detector._out_of_sample_factor(series, rows, errors)
    assert (factor[0], factor[-1]) == (3.0, 1.0)


def test_limits_are_those_of_errors_on_rows_that_training_has_not_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    frame = frame_of(hourly())
    config = Config(train=TrainConfig(steps=2, members=2))
    panel = Panel.from_frame(frame.head(TRAINED), target="y", time="t")
    trained = Forecaster(config).fit(panel)
    really_fit = RowErrorModel.fit

    def fit_with_smaller_errors_in_training(
        model: RowErrorModel, panel: Panel, lower: np.ndarray, upper: np.ndarray
    ) -> RowErrors:
        errors = really_fit(model, panel, lower, upper)
        sizes = np.random.default_rng(0).uniform(1, 2, len(errors.point))
        sizes[-96:] = 3.0  # the hold-out
        return errors._replace(point=sizes)

    monkeypatch.setattr(RowErrorModel, "fit", fit_with_smaller_errors_in_training)
    detector = Detector(trained, rate=0.2)
    # Sizes in training count twice, as 2 to 4: a tenth of all is above some 3.6, none was before.
    assert 3.3 < detector.pooled.find_limit(1.0) < 3.9


def test_a_stuck_value_is_an_event_however_long_it_lasts(
    forecaster: Forecaster,
) -> None:
    values = hourly()
    values[850:950] = values[850]
    found = detect_hourly(forecaster, values)
    [event] = found.events[found.events["kind"] == "stuck"].to_dict("records")
    hours = frame_of(values)["t"]
    assert (event["from"], event["to"]) == (hours[850], hours[949])
    assert (event["rows"], event["value"]) == (100, values[850])
    kinds = found.rows["kind"][854 - TRAINED : 950 - TRAINED]
    assert set(kinds) == {"stuck"} and found.figures["stuck"] == 96
    first_rows = found.rows[850 - TRAINED : 855 - TRAINED]
    assert first_rows["anomaly"].sum() == 1 and first_rows["score"].max() >= 0.995
    assert found.rows["kind"][950 - TRAINED :].isin(["", "point", "run"]).all()
    assert f"in {found.figures['judged']:,} rows judged, with unusual rows: " in repr(
        found
    )
    assert "96 stuck" in repr(found)
    assert "<td>stuck</td>" in found._repr_html_()


def test_a_value_is_as_stuck_row_by_row_as_it_is_in_a_file(
    forecaster: Forecaster,
) -> None:
    values = hourly()
    values[TRAINED:] = np.round(values[TRAINED:], 1)
    values[724:745] = 101.25
    values[730] = np.nan
    whole = detect_hourly(forecaster, values[:750]).rows
    detector = Detector(forecaster, rate=0.005)
    parts = []
    for row in range(TRAINED, 750):
        if not np.isnan(values[row]):
            panel = Panel.from_frame(
                frame_of(values).iloc[[row]], like=forecaster.panel
            )
            parts.append(detector.judge(panel).rows)
    kinds = pd.concat(parts, ignore_index=True)["kind"] == "stuck"
    observed = whole[whole["kind"] != "missing"]["kind"] == "stuck"
    assert kinds.tolist() == observed.tolist()
    assert kinds.sum() == 16


def test_missing_rows_are_no_stuck_sensor(forecaster: Forecaster) -> None:
    values = hourly()
    values[800:900] = np.nan
    assert detect_hourly(forecaster, values).figures["stuck"] == 0


def test_a_stuck_value_does_not_make_limits_stricter(forecaster: Forecaster) -> None:
    values = hourly()
    values[750:950] = 120.0
    detector = Detector(forecaster, rate=0.005)
    before = len(detector.pooled.numbers)
    found = detector.judge(Panel.from_frame(frame_of(values), like=forecaster.panel))
    ordinary = found.figures["judged"] - found.figures["stuck"]
    assert found.figures["stuck"] > 190
    assert len(detector.pooled.numbers) == before + ordinary


def test_zeros_that_training_shows_are_not_stuck_and_other_values_are() -> None:
    rng = np.random.default_rng(7)
    demand = np.where(rng.random(700) < 0.9, 0.0, rng.integers(1, 6, 700))
    demand[600:640] = 0.0
    demand[660:680] = 3.0
    frame = pd.concat(
        [frame_of(demand, shop="few"), frame_of(hourly(2, 700), shop="many")]
    )
    known = frame[frame["t"] < frame["t"].iloc[550]]
    forecaster = fit(known, series="shop")
    panel = Panel.from_frame(frame, like=forecaster.panel)
    found = detect(forecaster, panel, rate=0.005)
    [event] = found.events[found.events["kind"] == "stuck"].to_dict("records")
    assert (event["shop"], event["value"], event["rows"]) == ("few", 3.0, 20)
    assert event["from"] == frame["t"].iloc[660]


@pytest.mark.parametrize("rate", [0.0, 0.5, -1.0])
def test_a_rate_out_of_range_is_refused(forecaster: Forecaster, rate: float) -> None:
    with pytest.raises(UsageError, match="rate="):
        Detector(forecaster, rate=rate)


def test_probabilities_are_refused() -> None:
    frame = frame_of((hourly() > 100).astype(float)).head(200)
    config = Config(train=TrainConfig(steps=0, loss="bernoulli", members=1))
    forecaster = Forecaster(config).fit(Panel.from_frame(frame, target="y", time="t"))
    with pytest.raises(UsageError, match="probabilities"):
        Detector(forecaster)


def test_nothing_newer_than_the_training_is_an_error(forecaster: Forecaster) -> None:
    with pytest.raises(
        DataError,
        match="nothing newer than what the run was trained on, which ends at 2024-01-30 23",
    ):
        detect_hourly(forecaster, hourly()[:TRAINED])


def test_every_row_of_an_event_is_flagged_where_that_is_asked_for(
    forecaster: Forecaster,
) -> None:
    values = hourly()
    values[850:860] += 60
    panel = Panel.from_frame(frame_of(values), like=forecaster.panel)
    by_event, by_row = (
        detect(forecaster, panel, rate=0.005, alarm=alarm).rows
        for alarm in ("event", "row")
    )
    inside = slice(850 - TRAINED, 860 - TRAINED)
    assert by_event["event"].equals(by_row["event"])
    assert by_event["anomaly"][inside].tolist()[0] == 1
    assert by_event["anomaly"][inside].sum() < by_row["anomaly"][inside].sum()
    assert (by_row["anomaly"] == 1).equals(by_row["event"].notna())


def test_a_gap_in_time_is_an_event_of_the_row_after_it(forecaster: Forecaster) -> None:
    values = hourly()
    values[800:880] = np.nan
    found = detect_hourly(forecaster, values)
    [gap] = found.events[found.events["kind"] == "gap"].to_dict("records")
    assert gap["from"] == frame_of(values)["t"][880] and gap["reason"] == "gap"
    assert found.figures["gaps"] == 1


def test_a_new_state_is_said_once_it_has_lasted(forecaster: Forecaster) -> None:
    values = hourly(0, 2500)
    growth = 1.01 ** np.arange(1600)
    values[900:] = np.random.default_rng(0).normal(900, 300, 1600) * growth
    found = detect_hourly(forecaster, values)
    told = [note for note in found.notes if "new state" in note]
    assert len(told) >= 1 and told[0].startswith("unusual for 1,000 rows up to 2024-")
