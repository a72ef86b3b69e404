"""The sentences of a verdict say plainly who won, by how much, and what the interval is worth."""

from dataclasses import replace

import numpy as np
import pytest

from lstmcast.ragged import NAN
from lstmcast.scoring.verdict import Verdict, score_forecasts
from lstmcast.scoring.wording import describe_verdict, name_season, name_step
from tests.scoring.cases import LEVELS, RAMP, panel_of, quantiles_around


def years(*, noise: float, trend: float = 0.0) -> list[float]:
    rng = np.random.default_rng(0)
    month = np.arange(96)
    return list(
        100
        + trend * month
        + 10 * np.sin(2 * np.pi * month / 12)
        + noise * rng.normal(size=96)
    )


def test_a_win_over_repeating_the_year_is_described_in_plain_words() -> None:
    values = years(noise=1)
    origins = np.array([47, 59, 71, 83])
    centre = [
        [values[o + h] + (0.1 if h % 2 else -0.1) for h in range(1, 13)]
        for o in origins
    ]
    verdict = score_forecasts(
        panel_of(values),
        np.zeros(4, int),
        origins,
        quantiles_around(centre),
        LEVELS,
        12,
    )
    percent = round(100 * verdict.skill)
    assert verdict.beats_baseline
    baseline_error = verdict.baselines["seasonal_mean"]["mae"]
    assert verdict.sentences() == [
        f"On the last 4 windows of 12 months the model's error was {percent} % below that of "
        "the mean of the last four years.",
        "It was off by 0.1 on average, the mean of the last four years by "
        f"{baseline_error:.4g}.",
        "Of 48 actual values 48 fell inside the 80 % interval; it is wider than necessary.",
    ]


def test_a_loss_to_the_baseline_is_stated_first_and_plainly() -> None:
    verdict = score_forecasts(
        panel_of(RAMP),
        np.array([0]),
        np.array([7]),
        quantiles_around([[10.0, 11]]),
        LEVELS,
        1,
    )
    assert verdict.best_baseline == "drift"
    assert verdict.sentences()[0].startswith(
        "On the last 2 months the model was off by 1 on average"
    )
    noisy = [1.0, 3, 2, 4, 3, 5, 4, 6, 5, 7]
    worse = score_forecasts(
        panel_of(noisy),
        np.array([0]),
        np.array([7]),
        quantiles_around([[6.0, 9.5]]),
        LEVELS,
        1,
    )
    assert worse.sentences()[0].startswith(
        "The model does not beat the best baseline: on the last 2 months its error was "
    )


def test_every_hundred_values_are_counted_as_a_hundred() -> None:
    values = years(noise=1)
    origins = np.arange(40, 80)
    centre = [
        [values[o + h] + (3.0 if (o + h) % 5 == 0 else 0.0) for h in range(1, 6)]
        for o in origins
    ]
    verdict = score_forecasts(
        panel_of(values),
        np.zeros(40, int),
        origins,
        quantiles_around(centre),
        LEVELS,
        12,
    )
    assert (
        verdict.sentences()[-2]
        == "Of 100 actual values 80 fell inside the 80 % interval."
    )


def test_windows_that_overlap_are_counted_for_what_they_are() -> None:
    """24 windows of 14 days within 56: as much as 4, and too few to call an interval wide."""
    values = list(np.random.default_rng(1).normal(50, 3, 120))
    origins = np.round(np.linspace(63, 105, 24)).astype(int)
    centre = [[values[o + h] for h in range(1, 15)] for o in origins]
    overlapping = score_forecasts(
        panel_of(values, freq="D"),
        np.zeros(24, int),
        origins,
        quantiles_around(centre),
        LEVELS,
        1,
    )
    assert (overlapping.windows, overlapping.independent) == (24, 4)
    assert overlapping.sentences()[-1] == (
        "The 24 windows overlap: as evidence they are worth 4 that do not."
    )
    apart = replace(overlapping, windows=24, independent=24)
    assert not any("overlap" in sentence for sentence in apart.sentences())


def test_one_measure_chooses_the_rival_and_is_what_the_sentence_compares() -> None:
    """Drift is best by the mean error, the last value by the scaled one: drift is the rival."""
    big = [1000.0 * v for v in range(1, 25)]
    small = [1.0, 2.0] * 12
    origins = np.array([17, 17])
    ahead = np.arange(18, 24)
    centre = [[big[t] + 900 for t in ahead], [small[t] for t in ahead]]
    verdict = score_forecasts(
        panel_of(big, small),
        np.array([0, 1]),
        origins,
        quantiles_around(centre),
        LEVELS,
        1,
    )
    best = min(verdict.baselines, key=lambda name: verdict.baselines[name]["mae"])
    assert verdict.best_baseline == best == "drift"
    assert verdict.skill < 0
    assert verdict.skill == 1 - verdict.model["mae"] / verdict.baselines["drift"]["mae"]
    assert "does not beat" in verdict.sentences()[0]


def test_the_rivals_are_of_all_seasons() -> None:
    """Days of a week: the day before is far worse than the week before."""
    day = np.sin(2 * np.pi * np.arange(24 * 42) / 24)
    weekday = np.repeat(np.tile([0.0, 0, 0, 0, 0, 9, 5], 6), 24)
    values = list(day + weekday + 0.01 * np.random.default_rng(0).normal(size=len(day)))
    verdict = score_forecasts(
        panel_of(values, freq="h"),
        np.zeros(7, int),
        24 * np.arange(10, 17),
        np.zeros((7, 24, 3)),
        LEVELS,
        24,
        second_season=168,
    )
    assert verdict.best_baseline in ("seasonal_naive_2", "seasonal_mean_2")
    assert verdict.baselines["seasonal_naive"]["mae"] > 1
    week_before = replace(verdict, best_baseline="seasonal_naive_2")
    assert "repeating the week before" in week_before.sentences()[0]
    plain = score_forecasts(
        panel_of(values, freq="h"),
        np.zeros(7, int),
        24 * np.arange(30, 37),
        np.zeros((7, 24, 3)),
        LEVELS,
        24,
    )
    assert not any(name.endswith("_2") for name in plain.baselines)


@pytest.mark.parametrize("inside", [3, 4, 6])
def test_few_values_give_no_verdict_on_the_width_of_the_interval(inside: int) -> None:
    values = years(noise=1)
    centre = [[values[80 + h] + (0.0 if h < inside else 50.0) for h in range(6)]]
    sentence = score_forecasts(
        panel_of(values),
        np.array([0]),
        np.array([79]),
        quantiles_around(centre),
        LEVELS,
        12,
    ).sentences()[-1]
    assert sentence == f"Of 6 actual values {inside} fell inside the 80 % interval."


def test_an_interval_that_misses_far_too_much_is_called_too_narrow() -> None:
    values = years(noise=1)
    centre = [[values[80 + h] + 50.0 for h in range(6)]]
    verdict = score_forecasts(
        panel_of(values),
        np.array([0]),
        np.array([79]),
        quantiles_around(centre),
        LEVELS,
        12,
    )
    assert (
        verdict.sentences()[-1]
        == "Of 6 actual values 0 fell inside the 80 % interval; it is too narrow."
    )


def test_large_and_small_series_that_disagree_are_both_reported() -> None:
    big, small = [1000 * v for v in years(noise=1)], years(noise=1)
    centre = [[big[84 + h] for h in range(6)], [small[84 + h] + 8 for h in range(6)]]
    verdict = score_forecasts(
        panel_of(big, small),
        np.array([0, 1]),
        np.array([83, 83]),
        quantiles_around(centre),
        LEVELS,
        12,
    )
    assert verdict.beats_baseline
    assert verdict.model["mase"] > verdict.baselines["seasonal_naive"]["mase"]
    assert verdict.sentences()[1].startswith(
        "With all series weighted equally, whatever their size, its error was "
    )
    assert "below" not in verdict.sentences()[1]


@pytest.mark.parametrize(
    ("freq", "season", "name"),
    [
        ("h", 24, "day"),
        ("h", 168, "week"),
        ("30min", 48, "day"),
        ("5min", 2016, "week"),
        ("D", 7, "week"),
        ("D", 365, "year"),
        ("B", 5, "week"),
        ("W-SUN", 52, "year"),
        ("MS", 12, "year"),
        ("QS-OCT", 4, "year"),
        ("MS", 7, ""),
        ("1", 12, ""),
        ("YS", 1, ""),
    ],
)
def test_a_season_is_called_what_people_call_it(
    freq: str, season: int, name: str
) -> None:
    assert name_season(freq, season) == name


@pytest.mark.parametrize(
    ("freq", "name"),
    [
        ("D", "day"),
        ("h", "hour"),
        ("W-SUN", "week"),
        ("ME", "month"),
        ("QS-FEB", "quarter"),
        ("30min", ""),
        ("1", ""),
    ],
)
def test_a_step_has_its_everyday_name(freq: str, name: str) -> None:
    assert name_step(freq) == name


def binary_verdict(*, brier: float, auc: float = 0.8) -> Verdict:
    """A verdict on probabilities for a week of one series, whose base rate has an error of 0.2."""
    return Verdict(
        series=1,
        windows=1,
        origins=1,
        horizon=7,
        season=1,
        season_name="",
        observed=7,
        unscaled=0,
        interval=(0.1, 0.9),
        model={"brier": brier, "auc": auc, "calibration": 0.05},
        baselines={"base_rate": {"brier": 0.2}},
        best_baseline="base_rate",
        skill=1 - brier / 0.2,
        by_step=(),
        step_name="day",
    )


def test_probabilities_that_beat_the_base_rate_are_described_as_such() -> None:
    assert describe_verdict(binary_verdict(brier=0.1)) == [
        "On the last 7 days the probabilities beat the base rate: their mean squared error was "
        "0.1, that of always forecasting the share of ones so far 0.2.",
        "Of a 1 and a 0, the 1 had the higher probability in 80 of 100 cases.",
        "The probabilities differed from the observed shares of ones by 5 percentage points on "
        "average.",
    ]


@pytest.mark.parametrize("brier", [0.2, 0.3, NAN])
def test_probabilities_that_do_not_beat_the_base_rate_are_described_as_such(
    brier: float,
) -> None:
    sentence = describe_verdict(binary_verdict(brier=brier))[0]
    assert sentence.startswith(
        "The probabilities do not beat the base rate: on the last 7 days "
    )


def test_ranks_are_left_out_where_only_one_kind_was_observed() -> None:
    sentences = describe_verdict(binary_verdict(brier=0.1, auc=NAN))
    assert not any("cases" in sentence for sentence in sentences)


def test_a_forecast_that_is_a_simple_methods_is_said_to_do_as_well() -> None:
    line = [np.array([0]), np.array([7]), quantiles_around([[9.0]])]
    verdict = score_forecasts(panel_of(RAMP), *line, LEVELS, 1)
    as_well = "did as well as the best simple method, extending the line"
    sentence = describe_verdict(replace(verdict, skill=0.0))[0]
    assert as_well in sentence
    assert "off by" in sentence
    several = describe_verdict(replace(verdict, skill=0.0, series=2))[0]
    assert as_well in several
    assert "off by" not in several


@pytest.mark.parametrize(
    ("skill", "words"),
    [
        (0.12, "12 % below"),
        (0.001, "less than 1 % below"),
        (0.015, "2 % below"),
        (-0.3, "30 % above"),
        (-2.1, "3.1 times"),
    ],
)
def test_differences_are_percentages_up_to_twice_the_error(
    skill: float, words: str
) -> None:
    verdict = score_forecasts(
        panel_of(RAMP),
        np.array([0]),
        np.array([7]),
        quantiles_around([[9.0]]),
        LEVELS,
        1,
    )
    sentence = describe_verdict(replace(verdict, skill=skill))[0]
    assert f"error was {words} that of" in sentence


def test_a_rival_that_was_asked_for_is_not_called_the_best() -> None:
    noisy = [1.0, 3, 2, 4, 3, 5, 4, 6, 5, 7]
    case = (panel_of(noisy), np.array([0]), np.array([7]))
    late = quantiles_around([[30.0, 31]])
    best = score_forecasts(*case, late, LEVELS, 1)
    asked = score_forecasts(*case, late, LEVELS, 1, against="mean")
    assert best.best_baseline != "mean" and asked.best_baseline == "mean"
    assert best.sentences()[0].startswith("The model does not beat the best baseline:")
    assert asked.sentences()[0].startswith(
        "The model does not beat the mean of all values so far: on the last 2 months"
    )
