"""Rows judged as they come, without a network: scores, reasons, events."""

import json
import math

import numpy as np
import pytest

from benchmarks.faults import SERIES, make_faulty_series, make_series
from lstmcast import UsageError
from lstmcast.monitoring.evidence.stream import (
    MIN_HISTORY_ROWS,
    EvidenceStream,
    JudgedRow,
    count_calm_rows,
    find_evidence_limit,
)


def judge(values: np.ndarray, rate: float = 0.001) -> list[JudgedRow]:
    stream = EvidenceStream(rate)
    return [stream.judge_row(float(value)) for value in values]


def openings(rows: list[JudgedRow]) -> list[int]:
    return [number for number, row in enumerate(rows) if row.opens]


def noise(length: int, seed: int = 0) -> np.ndarray:
    return 50 + np.random.default_rng(seed).normal(0, 2, length)


@pytest.mark.slow
def test_ordinary_series_open_events_no_more_often_than_stated() -> None:
    counts = {kind: len(openings(judge(make_series(kind, 3)))) for kind in SERIES}
    judged = len(SERIES) * (5_000 - MIN_HISTORY_ROWS)
    assert sum(counts.values()) <= 0.001 * judged
    # A single series has about five events by chance: ten or more have a chance of 1 in 30.
    assert max(counts.values()) < 12, counts


def test_a_spike_opens_one_event_that_says_why() -> None:
    values = noise(1_000)
    values[800:803] = 90
    rows = judge(values)
    assert 800 in openings(rows)
    spike = rows[800]
    assert spike.likelihood > 0.999 and spike.evidence > 3
    assert {"change", "level", "range"} <= set(spike.reasons)
    assert [row.event for row in rows[800:803]] == [spike.event] * 3
    assert not any(row.opens for row in rows[801 : 800 + count_calm_rows(0.001)])


def test_reasons_say_how_many_rows_they_are_of() -> None:
    values = noise(1_000)
    values[800:830] += 8
    reasons = {reason for row in judge(values)[800:830] for reason in row.reasons}
    assert {"mean of 10 rows", "shape of 12 rows"} <= reasons


@pytest.mark.parametrize("kind", ["white noise", "day", "trend", "counts"])
@pytest.mark.parametrize("length", [120, 900])
def test_a_value_outside_the_bounds_opens_an_event(kind: str, length: int) -> None:
    stream = EvidenceStream(0.001)
    for value in make_series(kind, 4)[:length].tolist():
        stream.judge_row(value)
    low, high = stream.find_bounds()
    assert low < stream.judge_row(stream._last_value).expected < high
    for value in (low, high):
        outside = value + 0.01 * math.copysign(high - low, value - (low + high) / 2)
        state = stream.to_state() | {"is_open": False, "calm": 0, "peak": 0.0}
        assert EvidenceStream.from_state(state).judge_row(outside).opens


def test_bounds_are_hardly_wider_after_a_spike() -> None:
    values = noise(700)
    values[600] = 50 + 30
    rows = judge(values)
    before, after = rows[599], rows[603]
    assert after.high - after.low < 1.5 * (before.high - before.low)
    assert rows[600].opens and rows[600].high < 70


@pytest.mark.parametrize(
    ("fault", "kinds"),
    [
        ("spike", ("white noise", "day", "trend", "counts", "bounded load")),
        ("stuck", ("white noise", "day", "lognormal", "counts")),
        ("variance", ("day", "quiet sensor", "sawtooth", "trend")),
        ("shift", ("white noise", "quiet sensor", "trend", "sawtooth")),
        ("shape", ("sawtooth", "regular bursts")),
    ],
)
def test_injected_faults_are_found_while_they_last(
    fault: str, kinds: tuple[str, ...]
) -> None:
    missed = []
    for kind in kinds:
        series = make_faulty_series(kind, fault, seed=5)
        rows = judge(series.values)
        events = {row.event for row in rows[series.first : series.last + 1]} - {0}
        if not events:
            missed.append(kind)
    assert missed == []


def test_a_stuck_value_is_an_event_of_its_own_kind() -> None:
    values = noise(600)
    values[500:560] = values[500]
    rows = judge(values)
    stuck = [number for number, row in enumerate(rows) if row.kind == "stuck"]
    assert 503 < stuck[0] < 515 and stuck[-1] == 559
    assert rows[stuck[0]].reasons == ("stuck",)


def test_a_gap_is_an_event_of_the_row_after_it() -> None:
    values = noise(300)
    stream = EvidenceStream(0.001)
    times = np.arange(300.0)
    times[200:] += 40
    rows = [
        stream.judge_row(float(value), float(time))
        for value, time in zip(values, times, strict=True)
    ]
    assert (rows[200].kind, rows[200].opens) == ("gap", True)
    assert [number for number, row in enumerate(rows) if row.kind == "gap"] == [200]


def test_missing_values_and_the_first_rows_are_not_judged() -> None:
    values = noise(100)
    values[70] = math.nan
    rows = judge(values)
    kinds = [row.kind for row in rows]
    assert kinds[:MIN_HISTORY_ROWS] == ["warm-up"] * MIN_HISTORY_ROWS
    assert kinds[70] == "missing" and math.isnan(rows[70].likelihood)
    judged = [row for row in rows if not math.isnan(row.likelihood)]
    assert len(judged) == 49 and all(0 <= row.likelihood <= 1 for row in judged)


def test_a_counter_is_judged_by_its_increments_and_its_reset_is_an_event() -> None:
    steps = np.random.default_rng(0).poisson(20, 1_000)
    values = np.cumsum(steps).astype(float)
    values[700:] -= values[700]
    stream = EvidenceStream(0.001)
    rows = [stream.judge_row(float(value)) for value in values]
    assert stream.is_counter and 700 in openings(rows)
    assert rows[600].expected == pytest.approx(values[599] + steps[599])


def test_a_constant_has_an_event_where_it_changes() -> None:
    values = np.full(400, 3.0)
    values[300] = 3.1
    assert openings(judge(values)) == [300]


def test_one_spike_does_not_widen_the_limits_of_the_weeks_after_it() -> None:
    values = noise(3_000)
    values[1_000] = 500
    rows = judge(values)
    before, after = rows[999], rows[1_500]
    width = after.high - after.low
    assert width == pytest.approx(before.high - before.low, rel=0.5)


def test_a_new_level_is_learnt_and_the_old_event_is_closed() -> None:
    values = noise(4_000)
    values[2_000:] += 40
    rows = judge(values)
    assert 2_000 in openings(rows)
    assert sum(row.event > 0 for row in rows[2_800:]) < 20


def test_scores_of_different_units_are_the_same() -> None:
    values = noise(800)
    values[700] = 75
    plain, scaled = judge(values), judge(values * 1024 + 2048)
    assert scaled[700].evidence == pytest.approx(plain[700].evidence, rel=1e-6)


def test_a_higher_rate_needs_less_evidence() -> None:
    limits = [find_evidence_limit(rate) for rate in (0.1, 0.01, 0.001, 0.0001)]
    assert limits == sorted(limits) and limits[1] == pytest.approx(2.3)
    values = make_series("lognormal", 3)
    assert len(openings(judge(values, 0.01))) > len(openings(judge(values, 0.001)))


@pytest.mark.parametrize("rows", [0, 30, 49, 50, 700])
def test_it_goes_on_from_a_saved_state_as_if_there_had_been_no_break(rows: int) -> None:
    values = noise(900)
    values[650:680] += 30
    through = EvidenceStream(0.001)
    for time, value in enumerate(values[:rows]):
        through.judge_row(float(value), time)
    state = json.loads(json.dumps(through.to_state()))
    resumed = EvidenceStream.from_state(state)
    for time, value in enumerate(values[rows:], rows):
        expected = through.judge_row(float(value), time)
        found = resumed.judge_row(float(value), time)
        assert found.kind == expected.kind and found.event == expected.event
        if not math.isnan(expected.evidence):
            assert found.evidence == pytest.approx(expected.evidence, rel=1e-6)


@pytest.mark.parametrize("rate", [0.0, 0.5, -1.0])
def test_a_rate_out_of_range_is_refused(rate: float) -> None:
    with pytest.raises(UsageError, match="out of range"):
        EvidenceStream(rate)


@pytest.mark.parametrize("seed", range(8))
def test_a_spike_is_an_event_of_its_own_within_a_weaker_one(seed: int) -> None:
    values = noise(1_000, seed)
    values[300] += 60
    rows = judge(values)
    # With some of the seeds an event is open by chance.
    assert rows[300].opens and rows[300].event > max(row.event for row in rows[:300])
    # What is no stronger belongs to the event that is open.
    values[310] += 60
    again = judge(values)[310]
    assert again.event == rows[300].event and not again.opens


def test_a_short_past_opens_few_events_and_a_spike_is_seen_all_the_same() -> None:
    early = 0
    for kind in SERIES:
        rows = judge(make_series(kind, 11)[:200])
        early += len(openings(rows))
    # Of 3,000 rows: at first some more than the rate says, where nothing else is known.
    assert early <= 12
    for seed in range(8):
        values = noise(200, seed)
        values[120] += 60
        assert judge(values)[120].opens


def test_an_event_is_closed_after_exactly_so_many_calm_rows() -> None:
    values = np.resize([50.0, 51.0, 52.0], 900)
    values[500] = 500
    stream = EvidenceStream(0.001)
    opened = None
    for number, value in enumerate(values.tolist()):
        row = stream.judge_row(value)
        if row.opens:
            opened = number
        if opened is not None and row.event:
            last_unusual = number
    assert opened == 500
    stream = EvidenceStream(0.001)
    for value in values[: last_unusual + 1 + count_calm_rows(0.001)].tolist():
        stream.judge_row(value)
    assert stream.to_state()["is_open"]
    stream.judge_row(50.0)
    assert not stream.to_state()["is_open"]
    assert [count_calm_rows(rate) for rate in (1e-4, 1e-3, 0.01, 0.1)] == [
        100,
        100,
        10,
        5,
    ]


def test_a_counter_goes_on_from_the_value_that_was_saved() -> None:
    values = np.cumsum(np.random.default_rng(0).poisson(20, 300)).astype(float)
    stream = EvidenceStream(0.001)
    for value in values[:200].tolist():
        stream.judge_row(value)
    again = EvidenceStream.from_state(json.loads(json.dumps(stream.to_state())))
    fresh = EvidenceStream.from_state(EvidenceStream(0.001).to_state())
    assert again.judge_row(float(values[200])) == stream.judge_row(float(values[200]))
    assert fresh.judge_row(1.0).kind == "warm-up"
