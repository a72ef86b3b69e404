"""Batches against a slow reference in plain Python, and which windows training draws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmcast.features.candidates import N_FAST_CANDIDATES, horizon_features
from lstmcast.features.seasonal.long_memory import LEVEL_NAMES, list_patterns
from lstmcast.features.steps import FEATURE_CLIP, TARGET_CLIP, Seasons, StepArrays
from lstmcast.features.windows import Batch, ScaledCovariates, Windows, default_context
from lstmcast.ragged import NAN, Ints
from lstmcast.training.sampler import WindowSampler
from tests.make import steps_of, wavy


def some_steps(seasons: Seasons, lengths: tuple[int, ...] = (40, 9, 63)) -> StepArrays:
    rng = np.random.default_rng(5)
    series = []
    for i, length in enumerate(lengths):
        y = wavy(rng, length, seasons.main) - (30.0 if i == 1 else 0.0)
        y[rng.random(length) < 0.1] = NAN
        y[0] = 2.0
        series.append(y)
    return steps_of(series, seasons)


def some_covariates(
    steps: StepArrays, ahead: tuple[int, ...] = (4, 0, 2)
) -> ScaledCovariates:
    rng = np.random.default_rng(6)
    total = np.diff(steps.offsets) + np.array(ahead)
    step = rng.normal(size=(len(steps.z), 3)).astype(np.float32)
    table = rng.normal(size=(int(total.sum()), 2)).astype(np.float32)
    return ScaledCovariates(step, table, np.concatenate([[0], np.cumsum(total)]))


def slow_candidates(
    steps: StepArrays, series: int, origin: int, horizon: int
) -> list[list[float]]:
    """Candidates of one window by their definitions, on the series' own arrays."""
    m, m2, _ = steps.seasons
    rows = slice(steps.offsets[series], steps.offsets[series + 1])
    z, level, index = steps.z[rows], steps.level[rows], steps.index[rows]
    trend, slope, slow, profile = (
        steps.trend[rows],
        steps.slope[rows],
        steps.slow_level[rows],
        steps.profile[rows],
    )
    phi = 0.9 if m == 1 else 0.98
    out = []
    for h in range(1, horizon + 1):
        same = origin + h
        while same > origin:
            same -= m
        season_index = index[same] if same >= 0 and m > 1 else 0.0
        naive = z[same] if same >= 0 else z[origin]
        flat_level = level[origin] + season_index
        naive2, with_profile = naive, flat_level
        if m2:
            long = origin + h
            while long > origin:
                long -= m2
            if long >= 0:
                naive2 = z[long]
                with_profile = (
                    level[origin] + profile[long] if origin >= m2 - 1 else flat_level
                )
        damping = sum(phi**j for j in range(1, h + 1))
        out.append(
            [
                z[origin],
                naive,
                naive2,
                flat_level,
                flat_level + trend[origin] * damping,
                slow[origin] + season_index,
                flat_level + 0.5 * slope[origin] * h,
                with_profile,
                *slow_pattern_forecasts(steps, rows, origin, h),
            ]
        )
    return out


def slow_pattern_forecasts(
    steps: StepArrays, rows: slice, origin: int, h: int
) -> list[float]:
    """Each level without patterns, with the pattern of every season at a step ahead."""
    total = 0.0
    for pattern in list_patterns(steps.seasons):
        mean = getattr(steps, pattern.name)[rows]
        same = origin + h
        while same > origin:
            same -= pattern.season
        is_whole = pattern.name == "pattern" or origin >= pattern.season - 1
        if same >= 0 and is_whole:
            total += mean[min(same + pattern.width // 2, origin)]
    return [getattr(steps, name)[rows][origin] + total for name in LEVEL_NAMES]


def clip(value: float, limit: float) -> float:
    return max(-limit, min(limit, value))


def assert_window(
    windows: Windows, batch: Batch, b: int, p: int, series: int, origin: int, end: int
) -> None:
    """One window of a batch is what a plain loop makes of the step arrays."""
    steps, horizon = windows.steps, windows.horizon
    first, m = int(steps.offsets[series]), steps.seasons.main
    scale = float(steps.scale[first + origin])
    options = slow_candidates(steps, series, origin, horizon)
    assert float(batch.scale[b, p, 0]) == scale
    shared = horizon_features(horizon, steps.seasons, steps.state.log[[series]])[0]
    for h in range(1, horizon + 1):
        row = options[h - 1]
        base = row[1]
        np.testing.assert_allclose(float(batch.base[b, p, h - 1]), base, rtol=1e-12)
        blend = [clip((value - base) / scale, TARGET_CLIP) for value in row]
        np.testing.assert_allclose(
            batch.blend[b, p, h - 1], blend, rtol=1e-5, atol=1e-5
        )
        older = []
        for back in (1, 2):
            at = origin + h - m * (-(-h // m))
            for _ in range(back):
                at = at - m if at - m >= 0 else at
            older.append(float(steps.z[first + max(at, 0)]))
        relative = [(value - base) / scale for value in older] + [
            (base - float(steps.z[first + origin])) / scale
        ]
        fast, slow = blend[:N_FAST_CANDIDATES], blend[N_FAST_CANDIDATES:]
        begin_local = [clip(value, FEATURE_CLIP) for value in (*fast, *relative)]
        last = [clip(value, FEATURE_CLIP) for value in slow]
        expected = [*begin_local, *shared[h - 1].tolist(), *last]
        if windows.covariates is not None:
            begin, stop = windows.covariates.ahead_offsets[series : series + 2]
            at = int(begin) + origin + h
            width = windows.covariates.ahead.shape[1]
            expected += (
                windows.covariates.ahead[at].tolist() if at < stop else [0.0] * width
            )
        np.testing.assert_allclose(
            batch.local[b, p, h - 1], expected, rtol=1e-5, atol=1e-5
        )
        target = float(batch.target[b, p, h - 1])
        if origin + h >= end or not steps.observed[first + origin + h]:
            assert np.isnan(target)
        else:
            answer = clip(
                (float(steps.z[first + origin + h]) - base) / scale, TARGET_CLIP
            )
            np.testing.assert_allclose(target, answer, rtol=1e-5, atol=1e-5)


def assert_context(
    windows: Windows, batch: Batch, b: int, series: int, close: int, chunk: int
) -> None:
    """The chunk of a row holds the steps up to its last origin, zeros before the series began."""
    steps = windows.steps
    first = int(steps.offsets[series])
    for c in range(chunk):
        t = close - chunk + 1 + c
        row = batch.x[c, b]
        if t < 0:
            assert not row.any()
            continue
        expected = steps.x[first + t].tolist()
        if windows.covariates is not None:
            expected += windows.covariates.step[first + t].tolist()
        assert row.tolist() == np.array(expected, dtype=np.float32).tolist()


@settings(max_examples=25, deadline=None)
@given(
    seasons=st.sampled_from(
        [
            Seasons(1, 0),
            Seasons(4, 0),
            Seasons(6, 12),
            Seasons(1, 5),
            Seasons(1, 45),
            Seasons(2, 4, 20),
        ]
    ),
    horizon=st.integers(1, 14),
    covariates=st.booleans(),
    withheld=st.integers(0, 5),
    data=st.data(),
)
def test_a_batch_is_what_a_plain_loop_makes_of_the_steps(
    seasons: Seasons, horizon: int, covariates: bool, withheld: int, data: st.DataObject
) -> None:
    steps = some_steps(seasons)
    table = some_covariates(steps) if covariates else None
    windows = Windows(steps, horizon, context=8, stride=6, covariates=table)
    series = np.array(data.draw(st.lists(st.integers(0, 2), min_size=1, max_size=3)))
    close = [data.draw(st.integers(0, int(windows.lengths[i]) - 1)) for i in series]
    at = np.array([[max(0, c - 3), c, max(0, c - 5)] for c in close])
    ends = windows.lengths - withheld
    batch = windows.batch(series, at, windows.chunk, ends)
    assert batch.x.shape[:2] == (windows.chunk, len(series))
    assert batch.target.shape == (len(series), 3, horizon)
    for b, i in enumerate(series.tolist()):
        assert_context(windows, batch, b, i, close[b], windows.chunk)
        for p in range(3):
            assert int(batch.at[b, p]) == windows.chunk - 1 - (close[b] - at[b, p])
            assert_window(windows, batch, b, p, i, int(at[b, p]), int(ends[i]))


def test_targets_are_known_to_the_end_of_the_series_by_default() -> None:
    windows = Windows(
        steps_of([np.arange(20.0) - 5], Seasons(1, 0)), 6, context=5, stride=3
    )
    target = windows.batch(np.array([0]), np.array([[15]]), 5).target[0, 0]
    assert np.isnan(target).tolist() == [False] * 4 + [True] * 2


def test_the_network_output_one_step_from_the_target_leads_back_to_the_series() -> None:
    steps = some_steps(Seasons(4, 0))
    batch = Windows(steps, 8, context=8, stride=4).batch(
        np.array([2]), np.array([[40]]), 12
    )
    z = batch.base + batch.target * batch.scale
    first = int(steps.offsets[2])
    known = ~np.isnan(z[0, 0])
    np.testing.assert_allclose(
        z[0, 0][known], steps.z[first + 41 : first + 49][known], rtol=1e-5
    )


SHOCK = st.sampled_from([NAN, 0.0, -1e9, 1e9, 1e250]) | st.floats(-1e6, 1e6)


@settings(max_examples=60, deadline=None)
@given(
    seasons=st.sampled_from([Seasons(1, 0), Seasons(4, 0), Seasons(12, 0)]),
    value=SHOCK,
    data=st.data(),
)
def test_no_input_of_a_batch_changes_with_the_future(
    seasons: Seasons, value: float, data: st.DataObject
) -> None:
    y = wavy(np.random.default_rng(1), 50, seasons.main)
    origin = data.draw(st.integers(seasons.main - 1, 48))
    changed = y.copy()
    changed[data.draw(st.integers(origin + 1, 49)) :] = value
    before = steps_of([y], seasons)
    after = steps_of([changed], seasons, before.state)
    at = np.array([0]), np.array([[origin]])
    one, other = (
        Windows(s, 5, context=6, stride=4).batch(*at, min(9, origin - seasons.main + 2))
        for s in (before, after)
    )
    for name in ("x", "at", "local", "blend", "base", "scale"):
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes(), name


def test_covariates_known_in_the_past_only_are_not_shown_ahead() -> None:
    steps = some_steps(Seasons(4, 0))
    plain = some_covariates(steps)
    step = plain.step.copy()
    first = int(steps.offsets[2])
    step[first + 31 :] = 99.0
    changed = plain._replace(step=step)
    at = np.array([2]), np.array([[30, 25]])
    one, other = (
        Windows(steps, 5, context=8, stride=4, covariates=c).batch(*at, 12)
        for c in (plain, changed)
    )
    assert one.x.tobytes() == other.x.tobytes()
    assert one.local.tobytes() == other.local.tobytes()


# ---- what training draws


def drawn(
    sampler: WindowSampler, monkeypatch: pytest.MonkeyPatch, times: int = 60
) -> list[tuple[int, Ints]]:
    """Series and origins of every window that a sampler draws."""
    draws: list[tuple[int, Ints]] = []
    plain = Windows.batch

    def watch(
        self: Windows, series: Ints, origins: Ints, chunk: int, ends: Ints | None = None
    ) -> Batch:
        draws.extend(zip(series.tolist(), origins, strict=True))
        assert chunk == self.chunk
        return plain(self, series, origins, chunk, ends)

    monkeypatch.setattr(Windows, "batch", watch)
    rng = np.random.default_rng(0)
    for _ in range(times):
        batch = sampler.draw(rng, 16, 4)
        assert (~np.isnan(batch.target)).any()
    return draws


def whole(lengths: tuple[int, ...], seasons: Seasons) -> StepArrays:
    rng = np.random.default_rng(0)
    return steps_of([wavy(rng, length, seasons.main) for length in lengths], seasons)


def test_origins_lie_between_the_first_season_and_a_horizon_before_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    windows = Windows(whole((60, 40), Seasons(4, 0)), 6, context=8, stride=16)
    ends = np.array([50, 40])
    sampler = WindowSampler.over(windows, ends)
    assert sampler is not None
    draws = drawn(sampler, monkeypatch)
    for i, last in ((0, 43), (1, 33)):
        origins = np.concatenate([at for series, at in draws if series == i])
        assert set(origins.tolist()) == set(range(3, last + 1))
    for _, at in draws:
        assert at[0] == at.max()
        assert at.max() - at.min() < windows.stride


@pytest.mark.parametrize("end", [40, 8])  # 8: only parts of a horizon fit
def test_what_lies_behind_the_training_part_is_never_a_target(end: int) -> None:
    y = wavy(np.random.default_rng(0), 60, 4)
    steps = steps_of([y], Seasons(4, 0))
    other = steps_of(
        [np.concatenate([y[:end], np.full(60 - end, 1e9)])], Seasons(4, 0), steps.state
    )
    batches = []
    for s in (steps, other):
        sampler = WindowSampler.over(
            Windows(s, 6, context=8, stride=8), np.array([end])
        )
        assert sampler is not None
        batches.append(sampler.draw(np.random.default_rng(3), 32, 8))
    for one, changed in zip(*batches, strict=True):
        assert one.tobytes() == changed.tobytes()


def test_a_series_too_short_for_a_whole_horizon_teaches_with_a_part(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    windows = Windows(whole((10,), Seasons(4, 0)), 8, context=8, stride=8)
    sampler = WindowSampler.over(windows, windows.lengths)
    assert sampler is not None
    origins = np.concatenate([at for _, at in drawn(sampler, monkeypatch, 20)])
    assert origins.min() == 3
    assert origins.max() == 5  # half a horizon remains


def test_a_series_without_a_window_is_never_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    windows = Windows(whole((4, 30, 1, 3), Seasons(4, 0)), 4, context=8, stride=8)
    sampler = WindowSampler.over(windows, windows.lengths)
    assert sampler is not None
    assert {series for series, _ in drawn(sampler, monkeypatch, 20)} == {1}


def test_there_is_no_sampler_where_no_series_has_a_window() -> None:
    windows = Windows(whole((4, 2, 1), Seasons(4, 0)), 4, context=8, stride=8)
    assert WindowSampler.over(windows, windows.lengths) is None


def test_series_are_drawn_by_the_square_root_of_their_windows() -> None:
    windows = Windows(
        whole((20, 20 + 4 * 12, 2000), Seasons(4, 0)), 4, context=8, stride=8
    )
    sampler = WindowSampler.over(windows, windows.lengths)
    assert sampler is not None
    count = np.array(
        [20 - 4 - 3, 20 + 48 - 4 - 3, 80]
    )  # the longest is capped at ten strides
    np.testing.assert_allclose(sampler.weight, np.sqrt(count) / np.sqrt(count).sum())


def test_the_same_generator_draws_the_same_batch() -> None:
    sampler = WindowSampler.over(
        Windows(some_steps(Seasons(4, 0)), 5, context=8, stride=8),
        np.array([40, 9, 63]),
    )
    assert sampler is not None
    one, other = (sampler.draw(np.random.default_rng(9), 8, 4) for _ in range(2))
    for a, b in zip(one, other, strict=True):
        assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize(
    ("seasons", "horizon", "expected"),
    [
        (Seasons(1, 0), 6, 12),
        (Seasons(1, 0), 8, 16),
        (Seasons(12, 0), 18, 36),
        (Seasons(24, 168), 48, 72),
        # A day of minutes is remembered by the features, not by the context.
        (Seasons(1440, 10080), 60, 512),
        (Seasons(60, 0), 12, 120),
        (Seasons(24, 168), 168, 192),
    ],
)
def test_the_context_holds_two_seasons_and_the_horizon(
    seasons: Seasons, horizon: int, expected: int
) -> None:
    assert default_context(seasons, horizon) == expected
