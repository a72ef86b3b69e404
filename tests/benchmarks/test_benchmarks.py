"""The pure parts of the accuracy benchmark: how data is split, dated, scored and shown."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmarks import accuracy, covariates, model, tuning, updating
from benchmarks.product import (
    LEVELS,
    ProductError,
    competition_scores,
    windows_per_second,
)
from benchmarks.references import references
from benchmarks.sets import (
    COMPETITIONS,
    SETS,
    STEPS_SUFFIX,
    Competition,
    Everyday,
    dated,
    flat,
    select,
    split,
)
from benchmarks.simple import forecasts
from benchmarks.tables import (
    SHORT_SETS,
    long_series_ratio,
    m3_all,
    page,
    short_series_mean,
    summary,
)
from benchmarks.windows import last_origins
from lstmcast.config import Config, ModelConfig, TrainConfig
from lstmcast.panel.panel import Panel

TINY = Competition("m1_quarterly", "m1", 2, 1, "QS", (10.0, 1.0))


def numbered() -> pd.DataFrame:
    """Two series of 6 and 4 steps."""
    lengths = {"a": 6, "b": 4}
    return pd.concat(
        [
            pd.DataFrame(
                {"unique_id": k, "t": range(1, n + 1), "y": np.arange(1.0, n + 1)}
            )
            for k, n in lengths.items()
        ],
        ignore_index=True,
    )


def test_histories_of_any_length_end_at_the_same_stamp_and_the_test_part_follows() -> (
    None
):
    train, test = split(dated(numbered(), 2, "MS"), 2)
    assert train.groupby("unique_id")["ds"].max().astype(str).to_dict() == {
        "a": "2015-12-01",
        "b": "2015-12-01",
    }
    assert train.groupby("unique_id").size().to_dict() == {"a": 4, "b": 2}
    assert test["ds"].dt.strftime("%Y-%m").tolist() == ["2016-01", "2016-02"] * 2
    assert test["y"].tolist() == [5, 6, 3, 4]


@pytest.mark.parametrize("freq", ["YS", "QS", "MS", "W-SUN", "h"])
def test_dates_are_consecutive_in_every_frequency(freq: str) -> None:
    frame = dated(numbered(), 2, freq)
    for _, one in frame.groupby("unique_id"):
        expected = pd.date_range(one["ds"].iloc[0], periods=len(one), freq=freq)
        assert one["ds"].tolist() == expected.tolist()


def test_steps_without_a_frequency_keep_their_numbers() -> None:
    assert dated(numbered(), 2, None)["ds"].tolist() == [1, 2, 3, 4, 5, 6, 1, 2, 3, 4]


def test_sets_are_chosen_by_name_or_group_in_a_fixed_order() -> None:
    assert select(["m1", "m4_weekly"]) == [
        "m4_weekly",
        "m1_yearly",
        "m1_quarterly",
        "m1_monthly",
    ]
    assert select([]) == list(SETS)
    with pytest.raises(ValueError, match="no set or group 'm9'"):
        select(["m9"])


def perfect(test: pd.DataFrame) -> pd.DataFrame:
    """A forecast table that is right, with quantiles around it."""
    made = test[["unique_id", "ds"]].assign(forecast=test["y"])
    return made.assign(
        **{f"q{100 * level:g}": test["y"] + level - 0.5 for level in LEVELS}
    )


def test_scores_of_a_forecast_table_by_hand() -> None:
    train, test = split(dated(numbered(), 2, "QS"), 2)
    right = competition_scores(train, test, perfect(test), TINY)
    assert (right["smape"], right["mase"], right["owa"], right["coverage"]) == (
        0,
        0,
        0,
        1,
    )
    assert (right["series"], right["points"]) == (2, 4)
    off = perfect(test).assign(forecast=test["y"] + 2)
    assert (
        competition_scores(train, test, off, TINY)["mase"] == 2
    )  # the in-sample step is 1


def test_a_forecast_table_in_another_order_scores_the_same() -> None:
    train, test = split(dated(numbered(), 2, "QS"), 2)
    shuffled = perfect(test).assign(forecast=test["y"] * 1.5).iloc[[3, 1, 0, 2]]
    ordered = perfect(test).assign(forecast=test["y"] * 1.5)
    assert competition_scores(train, test, shuffled, TINY) == competition_scores(
        train, test, ordered, TINY
    )


def test_a_forecast_that_lacks_a_stamp_is_an_error() -> None:
    train, test = split(dated(numbered(), 2, "QS"), 2)
    with pytest.raises(ProductError, match="1 of 4"):
        competition_scores(train, test, perfect(test).iloc[1:], TINY)


def test_rolling_origins_leave_whole_horizons_to_the_end_and_skip_series_too_short() -> (
    None
):
    series, origins = last_origins(np.array([20, 9, 10]), 2, 3)
    assert series.tolist() == [0, 0, 0, 2, 2, 2]
    assert origins.tolist() == [13, 15, 17, 3, 5, 7]


def test_flat_storage_knows_where_each_series_begins() -> None:
    values, offsets = flat(numbered())
    assert offsets.tolist() == [0, 6, 10]
    assert values[6] == 1


def everyday(
    name: str, mase: float, kind: str = "fit", seed: int = 0
) -> dict[str, object]:
    """A result as `measured` gives it."""
    scores = {"mase": mase, "smape": 5.0, "wql": None, "coverage": 0.8, "seconds": 2.0}
    return {"set": name, "kind": kind, "seed": seed, "points": 24} | scores


def found(*results: dict[str, object]) -> dict[str, Any]:
    """Results with rivals: the last value, and the mean of four seasons, which is better."""
    rivals = {"naive": {"mase": 1.0}, "seasonal mean (12)": {"mase": 0.5}}
    names = {str(one["set"]) for one in results}
    others = {"m4_weekly": [("M4, the winner (ES-RNN)", {"owa": 0.851})]}
    simple = dict.fromkeys(names, rivals)
    return {"results": list(results), "references": others, "simple": simple}


def test_summary_is_over_sets_after_the_mean_over_seeds() -> None:
    results = found(
        everyday("co2_monthly", 0.4),
        everyday("co2_monthly", 0.6, seed=1),
        everyday("air_passengers", 2.0),
    )
    assert summary(results, "everyday", "fit") == {
        "sets": 2,
        "geometric_mean": pytest.approx(1.0),
        "worst": 2.0,
        "above": 0.5,
    }
    assert summary(results, "everyday", "fit", means=True)["worst"] == 4.0
    assert summary(results, "fresh", "fit") == {}


def test_the_rival_is_the_best_of_all_seasons_that_the_calendar_knows() -> None:
    """Where a week repeats itself and the days of it differ, the day before is no rival."""
    days = np.tile(np.repeat(np.arange(7.0), 48), 10)
    offsets = np.array([0, len(days)])
    where = (days, offsets, np.array([0]), np.array([48 * 63 - 1]), 48)
    errors = {
        name: float(np.abs(forecast - days[48 * 63 : 48 * 64]).mean())
        for name, forecast in forecasts(*where, (48, 336))
    }
    assert errors["seasonal naive (336)"] == 0 < errors["seasonal naive (48)"]
    assert errors["naive"] > 0 and errors["mean"] == pytest.approx(3.0)
    taxi = SETS["nyc_taxi"]
    assert isinstance(taxi, Everyday) and taxi.seasons == (48, 336)
    short = {name for name, _ in forecasts(*where[:3], np.array([400]), 48, (48, 336))}
    assert "seasonal naive (336)" not in short  # seen once only


def test_short_series_are_compared_as_the_published_models_are() -> None:
    results = [
        {**everyday(name, 1.0, "zero-shot"), "wql": 0.1, "mape": None}
        for name in SHORT_SETS
    ]
    part = found(*results)
    naive = {"mase": 2.0, "wql": 0.4}
    part["simple"] = {
        name: {f"seasonal naive ({SETS[name].season})": naive, "naive": naive}
        for name in SHORT_SETS
    }
    means = short_series_mean(part, "zero-shot")
    assert means == {"mase": pytest.approx(0.5), "wql": pytest.approx(0.25)}
    assert short_series_mean(part, "fit") == {}
    text = page(part)
    assert "| lstmcast, nothing trained | 0.500 | 0.250 |" in text
    assert text.index("lstmcast, nothing trained | 0.5") < text.index(
        "| Chronos-2, 120"
    )

    part["results"] = results[1:]
    assert short_series_mean(part, "zero-shot") == {}
    assert "## Short business series" not in page(part)


def test_long_series_are_compared_with_the_better_of_both_seasons() -> None:
    name = "hospital_load_hourly"
    part = found(everyday(name, 0.6, "zero-shot"))
    part["simple"] = {
        name: {
            "naive": {"mase": 0.1},
            "seasonal naive (24)": {"mase": 10.0},
            "seasonal naive (168)": {"mase": 1.5},
        }
    }
    assert long_series_ratio(part, name, "zero-shot") == pytest.approx(0.4)
    assert long_series_ratio(part, name, "fit") is None
    text = page(part)
    assert "- lstmcast, nothing trained: geometric mean 0.400, worst 0.40." in text
    assert f"| {name} | 0.400 | 0.600 |" in text and "| 1.500 |" in text


def test_the_whole_of_m3_is_weighted_by_observations_and_waits_for_all_parts() -> None:
    sizes = {
        "m3_yearly": 3870,
        "m3_quarterly": 6048,
        "m3_monthly": 25704,
        "m3_other": 1392,
    }
    theta = {
        "m3_yearly": 16.97,
        "m3_quarterly": 8.96,
        "m3_monthly": 13.89,
        "m3_other": 4.41,
    }
    results = [
        {"set": name, "kind": "fit", "seed": 0, "smape": theta[name], "points": points}
        for name, points in sizes.items()
    ]
    assert (
        round(m3_all(results, "fit")["smape"], 2) == 13.05
    )  # as in the recomputed table of the competition
    assert m3_all(results[1:], "fit") == {}


def test_the_page_shows_figures_references_and_failures() -> None:
    results = [
        everyday("air_passengers", 0.5),
        everyday("air_passengers", 0.75, "zero-shot"),
        *(
            {
                "set": "m4_weekly",
                "kind": "fit",
                "seed": seed,
                "smape": 6 + seed,
                "owa": 0.7,
            }
            for seed in (0, 1)
        ),
        {
            "set": "m1_yearly",
            "kind": "fit",
            "seed": 0,
            "error": "lstmcast fit exit 3: too short",
        },
    ]
    text = page(found(*results))
    assert (
        "| m4_weekly | **lstmcast** | 6.50 ± 0.50 |  |  | 0.700 |  |  |  |  |" in text
    )
    assert "|  | M4, the winner (ES-RNN) |" in text
    assert "| air_passengers | 0.500 | 0.750 | 0.500 | naive 1.000 | 1.000 |" in text
    assert "lstmcast: geometric mean 0.500, worst 0.50, 0% of 1 above 1.02" in text
    assert "- m1_yearly, fit, seed 0: lstmcast fit exit 3: too short" in text
    widths = {
        line.count("|")
        for line in text.splitlines()
        if line.startswith("| m4") or line.startswith("| set | whose")
    }
    assert len(widths) == 1


def test_results_survive_json_and_name_no_path(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accuracy, "simple_errors", lambda _: {})
    text = json.dumps(
        accuracy.report([everyday("air_passengers", 0.5)]), allow_nan=False
    )
    assert str(Path.home()) not in text
    assert str(accuracy.ROOT) not in text
    assert json.loads(text)["results"][0]["mase"] == 0.5
    assert capsys.readouterr().out == ""


def test_the_fingerprint_follows_source_and_weights_only(tmp_path: Path) -> None:
    for name in (
        "lstmcast/a.py",
        "lstmcast/pretrained/w.safetensors",
        "lstmcast/__pycache__/a.pyc",
        "README.md",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1")
    for name in accuracy.MEASURED_BY:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("1")
    first = accuracy.fingerprint(tmp_path)
    (tmp_path / "README.md").write_text("2")
    (tmp_path / "lstmcast/__pycache__/a.pyc").write_text("2")
    assert accuracy.fingerprint(tmp_path) == first
    (tmp_path / "lstmcast/pretrained/w.safetensors").write_text("2")
    assert accuracy.fingerprint(tmp_path) != first


def test_what_was_measured_is_not_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[str, ...]] = []

    def once(_one: object, _seed: int, *options: str) -> dict[str, float]:
        calls.append(options)
        return {"mase": 1.0, "wql": float("nan")}

    monkeypatch.setattr(accuracy, "measure", once)
    first = accuracy.measured("m1_yearly", 0, "fit", cache=tmp_path)
    assert accuracy.measured("m1_yearly", 0, "fit", cache=tmp_path) == first
    assert first["wql"] is None
    assert len(calls) == 1
    accuracy.measured("m1_yearly", 0, "zero-shot", cache=tmp_path)
    accuracy.measured("m1_yearly", 0, "fit", cache=tmp_path, fresh=True)
    assert calls == [(), ("--steps", "0"), ()]


def test_a_failure_is_reported_and_tried_again_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> dict[str, float]:
        raise ProductError("lstmcast fit exit 3: no")

    monkeypatch.setattr(accuracy, "measure", fail)
    assert (
        accuracy.measured("m1_yearly", 0, "fit", cache=tmp_path)["error"]
        == "lstmcast fit exit 3: no"
    )
    assert list(tmp_path.iterdir()) == []


def test_results_of_other_sets_stay_where_the_source_is_the_same() -> None:
    new = [{"set": "m4_weekly", "kind": "fit", "owa": 0.7}]
    old = [
        {"set": "m1_yearly", "kind": "fit", "owa": 0.9},
        {"set": "m4_weekly", "kind": "fit", "owa": 0.8},
        {"set": "m4_hourly", "kind": "fit", "owa": 0.4},
    ]
    same = {"source": accuracy.fingerprint(), "results": old}
    assert accuracy.add_kept(new, same) == [old[2], new[0], old[0]]
    other = {"source": "another", "results": old}
    assert accuracy.add_kept(new, other) == new
    assert accuracy.add_kept(new, {}) == new


def test_every_competition_has_someone_to_be_compared_with() -> None:
    for one in COMPETITIONS:
        # The same series without dates stand beside those with them.
        name = one.name.removesuffix(STEPS_SUFFIX)
        assert name in SETS and references(name), name


def test_the_speed_is_that_of_the_members_that_were_trained(tmp_path: Path) -> None:
    history = tmp_path / "history.csv"
    history.write_text(
        "step,seconds,loss,validation,lr,member\n0,0,,1,0,as it is\n50,2,1,1,0,a\n100,4,1,1,0,a\n"
    )
    assert windows_per_second(history) == 100 * 32 * 8 / 4
    history.write_text("step,seconds,loss,validation,lr,member\n0,0,,1,0,as it is\n")
    assert windows_per_second(history) is None


def test_the_covariates_table_says_what_was_saved() -> None:
    one = {
        "case": "prices",
        "windows": 3,
        "without": {"mae": 10.0, "mase": 1.0},
        "with": {"mae": 8.0, "mase": 0.8},
    }
    text = covariates.table([{**one, "saved": 0.2, "by_seed": [0.19, 0.21]}], [0, 1])
    assert "| prices | 3 | 10 | 8 | 20.0 % | 19.0 %, 21.0 % | 1.000 | 0.800 |" in text


def test_each_covariates_case_says_what_it_demands() -> None:
    assert [case.least for case in covariates.CASES if "power" in case.name] == [0.05]
    assert all(case.added and case.request for case in covariates.CASES)


def test_the_table_of_searches_sets_what_was_promised_beside_what_was_kept() -> None:
    one = {
        "case": "prices",
        "seed": 1,
        "cpu": 91.2,
        "promised": 0.07,
        "adopted": False,
        "tuned": ["hidden=32"],
    }
    gain = {"share": 0.02, "spread": 0.31, "default": 1.0, "tuned": 0.98}
    nothing = {**one, "seed": 2, "promised": 0.0, "gain": None, "tuned": []}
    lines = tuning.table([{**one, "gain": gain}, nothing]).splitlines()
    assert (
        lines[2]
        == "| prices | 1 | 7.0 % | 2.0 % ± 31.0 | 1.000, 0.980 | default | hidden=32 | 91 |"
    )
    assert lines[3] == "| prices | 2 | 0.0 % | - | - | default | the default | 91 |"
    assert lines[-1].startswith("Not searched yet: air passengers, monthly (seed 0); ")
    every = [
        one | {"case": case.words, "seed": seed, "gain": None}
        for case in tuning.CASES
        for seed in tuning.SEEDS
    ]
    assert "Not searched yet" not in tuning.table(every)
    assert all(case.name in SETS for case in tuning.CASES)


def test_the_story_of_updates_goes_week_by_week_through_all_ways(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hours = np.arange(24 * 7 * 6)
    rows = pd.DataFrame(
        {
            "t": pd.date_range("2024-01-01", periods=len(hours), freq="h"),
            "y": 50
            + hours % 24
            + hours % 7
            + np.random.default_rng(7).random(len(hours)),
        }
    )
    shipped = TrainConfig(steps=0, jobs=1)
    monkeypatch.setattr(updating, "TrainConfig", lambda **_: shipped)
    monkeypatch.setattr(updating, "AGAIN", 2)
    found = updating.story(
        Panel.from_frame(rows, target="y", time="t"), weeks=3, first=3
    )
    assert {len(row) for row in found["errors"].values()} == {3}
    assert (
        found["errors"]["fitted"] == found["errors"]["updated"]
    )  # a network as it was shipped stays so
    found["kept"], found["errors"]["updated"] = 1, [0.0, 0.0, 0.5]
    lines = updating.table(updating.summary(found)).splitlines()
    assert lines[0] == "| mean absolute error | weeks 1 to 3 | all | CPU seconds |"
    assert lines[4].startswith("| **updated each week** | 0.2 | 0.2 |")
    assert lines[-1].startswith("1 of 2 updates were kept; ")


def test_parts_of_the_network_are_compared_with_the_default_of_the_same_seed() -> None:
    runs: model.Runs = {
        (model.DEFAULT, "a"): [model.Run(1.0, 3.0), model.Run(2.0, 5.0)],
        (model.DEFAULT, "b"): [model.Run(4.0, 1.0), model.Run(4.0, 1.0)],
        ("other", "a"): [model.Run(2.0, 10.0), model.Run(2.0, 10.0)],
        ("other", "b"): [model.Run(2.0, 0.0), model.Run(2.0, 0.0)],
    }
    simple = {"a": 3.0, "b": 5.0}
    found = {"simple": simple, "rows": model.summary(runs, simple)}
    lines = model.table(found).splitlines()
    assert lines[2] == "| the best simple method | 3.000 | 5.000 | | |"
    assert lines[3].startswith(f"| {model.DEFAULT} | 1.500 ± 0.707 | 4.000 ± 0.000 |")
    assert lines[4] == "| other | 2.000 ± 0.000 | 2.000 ± 0.000 | 0.854 ± 0.207 | 10 |"


def test_runs_that_were_written_down_are_not_made_again(tmp_path: Path) -> None:
    kept = tmp_path / "kept.jsonl"
    assert model.known(kept) == {} == model.known(None)
    kept.write_text('[0, "one", "a", 1.5, 2.0]\n[1, "one", "a", 1.25, 3.0]\n')
    assert model.known(kept) == {
        (0, "one", "a"): model.Run(1.5, 2.0),
        (1, "one", "a"): model.Run(1.25, 3.0),
    }


def test_the_parts_of_the_network_are_measured_on_windows_that_no_fit_has_seen() -> (
    None
):
    for case in model.cases(Path("nowhere")):
        assert (case.origins >= case.ends[case.series] - 1).all()
        assert (case.origins + case.horizon < case.panel.lengths[case.series]).all()
        assert 1 < model.simple(case) < 4
    assert len({kind[0] for kind in model.KINDS}) == len(model.KINDS)
    assert all(
        Config(model=ModelConfig(**m), train=TrainConfig(**t))
        for _, m, t in model.KINDS
    )
