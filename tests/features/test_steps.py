"""Features know only the past; each array is checked against a recursion in plain Python."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmcast.features import candidates, scaler, steps
from lstmcast.features.smoothing import fill_gaps_from_past
from lstmcast.features.steps import Seasons, StepArrays
from lstmcast.ragged import NAN, Floats
from tests.make import flat, slow_ema, steps_of, wavy

SEASONS = (
    Seasons(1, 0),
    Seasons(4, 0),
    Seasons(12, 0),
    Seasons(1, 13),
    Seasons(5, 15),
    Seasons(24, 48),
)
ARRAYS = (
    "x",
    "z",
    "observed",
    "scale",
    "level",
    "slow_level",
    "trend",
    "slope",
    "index",
)
SHOCKS = (0.0, NAN, -1e9, 1e9, 1e-9, 1e250, -1e250)


def gappy(seed: int, length: int, season: int, share: float = 0.15) -> Floats:
    """A series with values missing here and there; negative at times where the seed is odd."""
    rng = np.random.default_rng(seed)
    y = wavy(rng, length, season) - (20.0 if seed % 2 else 0.0)
    y[rng.random(length) < share] = NAN
    y[0] = 3.0
    return y


def shocked(y: Floats, origin: int, step: int, value: float, whole: bool) -> Floats:
    """The series with `value` at a step after the origin, or from there on."""
    out = y.copy()
    at = origin + 1 + step % (len(y) - origin - 1)
    out[at : None if whole else at + 1] = value
    return out


def assert_same_past(
    one: StepArrays, other: StepArrays, series: int, origin: int
) -> None:
    """No array up to the origin, and no candidate from it, differs by a bit."""
    first = int(one.offsets[series])
    until = slice(first, first + origin + 1)
    for name in ARRAYS:
        a, b = getattr(one, name)[until], getattr(other, name)[until]
        assert a[-1].tobytes() == b[-1].tobytes(), name
        if (
            name == "x"
        ):  # inside the first season a step may know the rest of that season
            a, b = a[one.seasons.main - 1 :], b[one.seasons.main - 1 :]
            assert a.tobytes() == b.tobytes(), name
    at = np.array([series]), np.array([origin])
    for horizon in (1, 2 * one.seasons.main + 3):
        a, b = (
            candidates.forecast_candidates(one, *at, horizon),
            candidates.forecast_candidates(other, *at, horizon),
        )
        assert a.tobytes() == b.tobytes()
        for back in (1, 2):
            a, b = (
                candidates.older_seasonal_values(s, *at, horizon, back)
                for s in (one, other)
            )
            assert a.tobytes() == b.tobytes()


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 50),
    seasons=st.sampled_from(SEASONS),
    late=st.floats(0, 1),
    step=st.integers(0, 1000),
    value=st.sampled_from(SHOCKS) | st.floats(-1e6, 1e6),
    whole=st.booleans(),
)
def test_no_change_of_the_future_changes_a_feature_or_candidate_by_a_bit(
    seed: int, seasons: Seasons, late: float, step: int, value: float, whole: bool
) -> None:
    y, other = gappy(seed, 60, seasons.main), gappy(seed + 1, 37, seasons.main)
    origin = seasons.main - 1 + int(late * (len(y) - seasons.main - 1))
    state = scaler.fit_scaler(*flat([other, y]))
    before = steps_of([other, y], seasons, state)
    after = steps_of([other, shocked(y, origin, step, value, whole)], seasons, state)
    assert_same_past(before, after, 1, origin)
    assert_same_past(before, after, 0, len(other) - 1)


@pytest.mark.parametrize("origin", [14, 20, 40])
def test_the_profile_of_a_second_season_knows_only_the_past_once_that_season_is_over(
    origin: int,
) -> None:
    y = gappy(2, 60, 5)
    state = scaler.fit_scaler(*flat([y]))
    before = steps_of([y], Seasons(5, 15), state)
    after = steps_of([shocked(y, origin, 0, 1e6, True)], Seasons(5, 15), state)
    assert (
        before.profile[: origin + 1].tobytes() == after.profile[: origin + 1].tobytes()
    )


def test_the_profile_of_a_second_season_knows_only_the_past_just_before_that_season_is_over() -> (
    None
):
    y = gappy(2, 60, 5)
    state = scaler.fit_scaler(*flat([y]))
    before = steps_of([y], Seasons(5, 15), state)
    after = steps_of([shocked(y, 11, 0, 1e6, True)], Seasons(5, 15), state)
    at = np.array([0]), np.array([11])
    assert (
        candidates.forecast_candidates(before, *at, 8).tobytes()
        == candidates.forecast_candidates(after, *at, 8).tobytes()
    )


@pytest.mark.parametrize(
    ("seasons", "cut"),
    [(Seasons(12, 0), 13), (Seasons(7, 0), 7), (Seasons(24, 168), 230)],
    ids=str,
)
def test_features_are_the_same_to_the_bit_whatever_number_of_steps_follows(
    seasons: Seasons, cut: int
) -> None:
    for seed in range(0, 60, 2):
        y = gappy(seed, 400, seasons.main)
        short, long = (
            steps_of([z], seasons, scaler.fit_scaler(*flat([y]))) for z in (y[:cut], y)
        )
        assert short.index[cut - 1].tobytes() == long.index[cut - 1].tobytes()
        assert short.profile[:cut].tobytes() == long.profile[:cut].tobytes()


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 50), seasons=st.sampled_from(SEASONS), cut=st.integers(24, 59)
)
def test_features_of_a_longer_history_begin_with_those_of_a_shorter_one(
    seed: int, seasons: Seasons, cut: int
) -> None:
    y, other = gappy(seed, 60, seasons.main), gappy(seed + 1, 200, seasons.main)
    state = scaler.fit_scaler(*flat([y]))
    both = state.take(np.array([0, 0]))
    single = steps_of([y[:cut]], seasons, state)
    together = steps_of([y, other], seasons, both)
    assert_same_past(single, together, 0, cut - 1)


@pytest.mark.parametrize("seasons", SEASONS, ids=str)
def test_a_series_has_the_same_features_whatever_stands_beside_it(
    seasons: Seasons,
) -> None:
    many = [
        gappy(seed, length, seasons.main)
        for seed, length in enumerate((60, 3, 200, 61, 1, 75, 60))
    ]
    panel = steps_of(many, seasons)
    for i, y in enumerate(many):
        single = steps_of([y], seasons)
        rows = slice(panel.offsets[i], panel.offsets[i + 1])
        for name in (*ARRAYS, "profile"):
            together, apart = getattr(panel, name)[rows], getattr(single, name)
            if len(y) >= 2 * seasons.main:
                assert together.tobytes() == apart.tobytes(), name
            np.testing.assert_allclose(together, apart, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("seasons", SEASONS, ids=str)
def test_features_are_the_same_to_the_bit_however_many_steps_are_at_work_at_once(
    seasons: Seasons, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [
        gappy(seed, length, seasons.main)
        for seed, length in enumerate((400, 130, 131, 132))
    ]
    whole = steps_of(many, seasons)
    monkeypatch.setattr(steps, "_MAX_BLOCK_CELLS", 37)
    parts = steps_of(many, seasons)
    for name in (*ARRAYS, "profile"):
        assert getattr(whole, name).tobytes() == getattr(parts, name).tobytes(), name


def test_features_of_a_long_series_take_little_memory_beside_themselves() -> None:
    y = np.random.default_rng(0).normal(size=1_000_000).cumsum()
    offsets = np.array([0, len(y)])
    state = scaler.fit_scaler(y, offsets)
    tracemalloc.start()
    x = steps.compute_step_arrays(y, offsets, Seasons(24, 168), state).x
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (
        most - x.nbytes < 3 * x.nbytes
    )  # the features themselves are reserved, but not written, while most is held


# ---- the transform and its inverse


def test_logs_are_decided_for_each_series_by_itself() -> None:
    t = np.arange(1, 41.0)
    with_zeros, mostly_zero = t.copy(), np.zeros(40)
    with_zeros[5] = mostly_zero[3] = 0.0
    mostly_zero[[10, 20]] = 7.0
    cases = [t, t - 5, with_zeros, mostly_zero, np.zeros(40), np.full(40, NAN), -t]
    state = scaler.fit_scaler(*flat(cases))
    assert state.log.tolist() == [True, False, True, False, False, False, False]
    assert state.low.tolist() == [0.0, -np.inf, 0.0, 0.0, 0.0, -np.inf, -np.inf]
    assert state.shift[0] == 0.0
    assert state.shift[2] == pytest.approx(0.2 * np.median(with_zeros), rel=0.1)


VALUES = st.one_of(
    st.sampled_from([0.0, NAN, 1e-300, 1e-9, 1.0, 1e9, 1e250]),
    st.floats(0, 1e6, allow_subnormal=False),
    st.floats(-1e6, 1e6, allow_subnormal=False),
)


@settings(max_examples=300, deadline=None)
@given(
    series=st.lists(st.lists(VALUES, min_size=1, max_size=12), min_size=1, max_size=4)
)
def test_the_inverse_gives_back_what_was_transformed(series: list[list[float]]) -> None:
    values, offsets = flat([np.array(one) for one in series])
    state = scaler.fit_scaler(values, offsets)
    owner = np.repeat(np.arange(len(series)), np.diff(offsets))
    z = scaler.transform_values(values, owner, state)
    np.testing.assert_array_equal(np.isnan(z), np.isnan(values))
    back = scaler.inverse_transform(z, owner, state)
    most = np.array([np.nanmax(np.abs(np.append(one, 0.0))) for one in series])
    error = np.abs(back - values)
    assert (
        np.isnan(error) | (error <= 1e-9 * np.abs(values) + 1e-12 * most[owner])
    ).all()


@settings(max_examples=200, deadline=None)
@given(
    y=st.lists(st.floats(0, 1e6) | st.just(0.0), min_size=1, max_size=12),
    z=st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=5),
)
def test_nothing_falls_below_zero_for_a_series_that_never_was(
    y: list[float], z: list[float]
) -> None:
    state = scaler.fit_scaler(*flat([np.array(y)]))
    out = scaler.inverse_transform(np.array(z), np.zeros(len(z), np.int64), state)
    assert (out >= 0).all()
    assert np.isfinite(out).all()


def test_a_series_that_was_negative_may_be_so_again() -> None:
    state = scaler.fit_scaler(*flat([np.array([1.0, -2.0, 3.0])]))
    assert scaler.inverse_transform(
        np.array([-50.0]), np.array([0]), state
    ).tolist() == [-50.0]


def test_later_values_below_the_floor_still_have_a_logarithm() -> None:
    state = scaler.fit_scaler(*flat([np.array([5.0, 6.0, 7.0])]))
    z = scaler.transform_values(
        np.array([0.0, -100.0, 0.5]), np.zeros(3, np.int64), state
    )
    np.testing.assert_allclose(z, np.log(0.5))


def test_transforming_does_not_change_the_values_passed_in() -> None:
    y = np.array([1.0, 2.0, 4.0])
    state = scaler.fit_scaler(*flat([y]))
    z = scaler.transform_values(y, np.zeros(3, np.int64), state)
    scaler.inverse_transform(z, np.zeros(3, np.int64), state)
    assert y.tolist() == [1.0, 2.0, 4.0]
    np.testing.assert_allclose(z, np.log(y))


# ---- the arrays, step by step in plain Python


def slow_arrays(y: Floats, m: int, log: bool) -> dict[str, list[float]]:
    """z, scale, index, level and trend of one series by definition, one step after the other."""
    z = fill_gaps_from_past((np.log(y) if log else y)[None], m)[0]
    observed = ~np.isnan(y)
    n, window = len(z), max(m, 4)
    average = [float(np.mean(z[max(0, t - window + 1) : t + 1])) for t in range(n)]
    out: dict[str, list[float]] = {
        name: [] for name in ("scale", "index", "level", "trend", "slope")
    }
    first_mean = float(np.mean(z[:m][observed[:m]])) if observed[:m].any() else 0.0
    rest = [z[t] - (first_mean if t < m else average[t]) for t in range(n)]
    both = [float(t > 0 and observed[t] and observed[t - 1]) for t in range(n)]
    alpha = 1 / max(2 * m, 10)
    s1 = slow_ema([abs(z[t] - z[t - 1]) if t else 0.0 for t in range(n)], both, alpha)
    pairs = [float(observed[t] and observed[t - m]) for t in range(m, n)]
    sm = slow_ema([abs(z[t] - z[t - m]) for t in range(m, n)], pairs, alpha)
    for t in range(n):
        usual = max(abs(average[t]), float(np.mean(np.abs(z[: t + 1])))) + 1e-9
        spread = s1[t] if m == 1 or t < m else max(sm[t - m], 0.25 * s1[t])
        out["scale"].append(spread + steps.MIN_SCALE * (1.0 if log else usual))
        phase = list(range(t % m, t + 1, m))
        smoothed = slow_ema(
            [rest[s] for s in phase], [float(observed[s]) for s in phase], 0.3
        )[-1]
        out["index"].append(smoothed if m > 1 else 0.0)
    adjusted = [z[t] - out["index"][t if t < m else t - m] * (m > 1) for t in range(n)]
    weight = [float(s) for s in observed]
    out["level"] = slow_ema(adjusted, weight, 0.5)
    rise = [(average[t] - average[t - window]) / window for t in range(window, n)]
    out["trend"] = [0.0] * window + slow_ema(rise, weight[window:], 1 / max(m, 5))
    for t in range(n):
        known = [s for s in range(t + 1) if observed[s]]
        fit = (
            np.polyfit(known, [adjusted[s] for s in known], 1)[0]
            if len(known) >= 4
            else 0.0
        )
        out["slope"].append(float(fit))
    return out


@pytest.mark.parametrize("season", [1, 4, 12])
@pytest.mark.parametrize("seed", [0, 1])
def test_every_array_is_what_its_definition_says(season: int, seed: int) -> None:
    y = gappy(seed, 50, season)
    arrays = steps_of([y], Seasons(season, 0))
    assert bool(arrays.state.log[0]) == (seed == 0)
    for name, expected in slow_arrays(y, season, seed == 0).items():
        np.testing.assert_allclose(
            getattr(arrays, name), expected, rtol=1e-7, atol=1e-9, err_msg=name
        )


# ---- whatever comes, numbers


@settings(max_examples=150, deadline=None)
@given(
    series=st.lists(st.lists(VALUES, min_size=1, max_size=40), min_size=1, max_size=4),
    seasons=st.sampled_from(SEASONS),
)
def test_features_of_any_series_are_finite_and_bounded(
    series: list[list[float]], seasons: Seasons
) -> None:
    arrays = steps_of([np.array(one) for one in series], seasons)
    assert np.isfinite(arrays.x).all()
    assert np.abs(arrays.x).max() <= steps.FEATURE_CLIP
    assert (arrays.scale > 0).all()
    for name in (
        "z",
        "scale",
        "level",
        "slow_level",
        "trend",
        "slope",
        "index",
        "profile",
    ):
        assert np.isfinite(getattr(arrays, name)).all(), name


@pytest.mark.parametrize("factor", [1e-6, 1e6])
@pytest.mark.parametrize("season", [1, 12])
def test_features_do_not_depend_on_the_unit_of_measurement(
    factor: float, season: int
) -> None:
    for y in (gappy(0, 60, season), gappy(1, 60, season)):
        one, other = (
            steps_of([y], Seasons(season, 0)),
            steps_of([y * factor], Seasons(season, 0)),
        )
        np.testing.assert_allclose(one.x, other.x, rtol=2e-3, atol=2e-3)


def test_lengths_are_grouped_with_little_padding_and_none_is_lost() -> None:
    lengths = np.random.default_rng(0).integers(1, 2000, 300)
    groups = list(steps.group_by_length(lengths))
    rows = np.concatenate([rows for rows, _ in groups])
    assert sorted(rows.tolist()) == list(range(300))
    for group, width in groups:
        assert width == lengths[group].max()
        assert width <= 1.25 * lengths[group].min() + 4
