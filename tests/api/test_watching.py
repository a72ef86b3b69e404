"""Frames and files judged without a forecaster."""

from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from lstmcast import (
    ArgumentError,
    Config,
    DataError,
    EvidenceStream,
    Forecaster,
    Panel,
    UsageError,
    detect,
)

LENGTH, SPIKE = 200, 150
RNG = np.random.default_rng(4)
MINUTES = RNG.integers(1, 30, LENGTH).cumsum()
WHEN = pd.Timestamp("2024-05-01") + pd.to_timedelta(MINUTES, unit="min")
CPU = np.where(np.arange(LENGTH) == SPIKE, 400, RNG.normal(50, 2, LENGTH))
FRAME = pd.DataFrame({"when": WHEN, "cpu": CPU, "host": "a"})


def test_a_frame_is_judged_row_by_row() -> None:
    found = detect(FRAME, target="cpu", time="when")
    assert len(found.rows) == LENGTH and found.figures["judged"] == LENGTH - 50
    assert np.flatnonzero(found.rows["anomaly"]).tolist() == [SPIKE]
    assert found.events["from"].tolist() == [WHEN[SPIKE]]
    stream = EvidenceStream(0.001)
    likelihoods = [stream.judge_row(value).likelihood for value in CPU]
    np.testing.assert_array_equal(found.rows["score"], likelihoods)


def test_the_target_is_the_only_column_of_numbers_of_any_kind_of_data(
    tmp_path: Path,
) -> None:
    expected = detect(FRAME).rows
    FRAME.to_csv(tmp_path / "cpu.csv", index=False)
    FRAME.to_parquet(tmp_path / "cpu.parquet")
    pairs = FRAME.set_index("when")["cpu"]
    for data in (
        pl.from_pandas(FRAME),
        pairs,
        tmp_path / "cpu.csv",
        str(tmp_path / "cpu.parquet"),
    ):
        found = detect(data).rows
        np.testing.assert_allclose(found["score"], expected["score"])
    np.testing.assert_array_equal(detect(panel=CPU).rows["score"], expected["score"])


def test_periods_come_back_as_periods_and_a_picture_can_be_drawn() -> None:
    frame = FRAME.assign(when=pd.period_range("2020-01", periods=LENGTH, freq="M"))
    found = detect(frame, target="cpu")
    assert found.rows["when"].tolist() == frame["when"].tolist()
    axes = found.plot()
    assert axes.get_ylabel() == "cpu"


def test_alarms_and_rates_are_those_that_are_asked_for() -> None:
    by_row = detect(FRAME, rate=0.01, alarm="row")
    assert by_row.figures["anomalies"] == by_row.rows["event"].notna().sum() > 1
    with pytest.raises(UsageError, match="rate=0.6 is out of range"):
        detect(FRAME, rate=0.6)


def test_series_and_what_they_share() -> None:
    both = pd.concat([FRAME, FRAME.assign(host="b")])
    found = detect(both, series="host", target="cpu")
    assert found.figures["events"] == 2
    assert f"unusual at once: 2 of 2 series at {WHEN[SPIKE]}: a, b" in found.notes


def test_a_state_goes_on_from_call_to_call(tmp_path: Path) -> None:
    file = tmp_path / "cpu.state"
    options = {"target": "cpu", "time": "when"}
    detect(FRAME[:120], state=file, **options)
    found = detect(FRAME, state=file).rows
    assert found["kind"].tolist()[:120] == ["known"] * 120
    whole = detect(FRAME, **options).rows
    np.testing.assert_array_equal(found["score"][120:], whole["score"][120:])
    with pytest.raises(UsageError, match="these have time='other'"):
        detect(FRAME.assign(other=range(LENGTH)), state=file, time="other")


def test_settings_of_the_reading_are_arguments() -> None:
    days = [f"{1 + n % 28}.{1 + n // 28}.2024" for n in range(LENGTH)]
    frame = FRAME.assign(when=days, cpu=CPU.round(2))
    frame.loc[3, "cpu"] = -999
    found = detect(frame, date_format="%d.%m.%Y", na="-999", target="cpu")
    assert found.rows["kind"][3] == "missing"
    assert found.rows["when"].tolist() == days


@pytest.fixture(scope="module")
def forecaster() -> Forecaster:
    days = pd.date_range("2024-01-01", periods=100)
    frame = pd.DataFrame({"ds": days, "y": RNG.normal(0, 1, 100)})
    return Forecaster(Config(steps=0, horizon=7)).fit(frame)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"freq": "D"}, "unknown argument 'freq'"),
        ({"fill": "zero"}, "unknown argument 'fill'"),
        ({"adapt": False}, "adapt=False is for a forecaster"),
    ],
)
def test_arguments_of_the_other_form_are_refused(
    options: dict[str, object], message: str, forecaster: Forecaster
) -> None:
    with pytest.raises(ArgumentError, match=message):
        detect(FRAME, **options)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="'target' is for data without"):
        detect(forecaster, FRAME, target="cpu")
    with pytest.raises(ArgumentError, match="'state' is for data without"):
        detect(forecaster, FRAME, state="x")


def test_what_is_no_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="detect needs data"):
        detect()
    with pytest.raises(ArgumentError, match="'str' is no forecaster"):
        detect("run", FRAME)
    with pytest.raises(ArgumentError, match="a Panel has regular steps already"):
        detect(Panel.from_frame(FRAME.assign(when=range(LENGTH)), target="cpu"))
    with pytest.raises(DataError, match="there is no file"):
        detect(tmp_path / "none.csv")
