"""What people type first: each of it works, or says in one line what to write instead.

The numbers are those of a list of 38 things that users of Nixtla, darts, sktime and scikit-learn
typed when they first saw the library.
"""

import copy
import pickle
import pydoc
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from lstmcast import Config, Event, Forecaster, Panel, TrainConfig, score

DAYS = pd.date_range("2024-01-01", periods=120)
QUICK = {"steps": 0, "horizon": 14}
LIBRARIES = ("numpy", "pandas")


def make_frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    week = 10 + 3 * np.sin(2 * np.pi * np.arange(120) / 7)
    parts = [
        pd.DataFrame({"unique_id": key, "ds": DAYS, "y": week + rng.normal(size=120)})
        for key in ("a", "b")
    ]
    return pd.concat(parts, ignore_index=True)


FRAME = make_frame()
TRAIN = FRAME[FRAME["ds"] < "2024-04-15"]
TEST = FRAME[FRAME["ds"] >= "2024-04-15"]
SERIES = pd.Series(FRAME["y"][:120].to_numpy(), index=DAYS)


@pytest.fixture(scope="module")
def fitted() -> Forecaster:
    return Forecaster(**QUICK).fit(TRAIN)


@pytest.fixture(scope="module")
def with_plan() -> Forecaster:
    frame = TRAIN.assign(price=TRAIN["ds"].dt.day % 5, holiday=0.0)
    return Forecaster(**QUICK).fit(frame, future=["price", "holiday"])


PLAN = TEST.assign(price=TEST["ds"].dt.day % 5, holiday=0.0).drop(columns="y")


def say(call: Callable[[], Any], kind: type[Exception] = Exception) -> str:
    """What an error says: one line, without an option of the command line."""
    with pytest.raises(kind) as caught:
        call()
    text = str(caught.value)
    assert "\n" not in text and "--" not in text
    return text


def test_1_the_name_of_another_library_is_answered_with_ours() -> None:
    assert "called 'horizon' here" in say(lambda: Forecaster(h=14), TypeError)
    assert "did you mean 'horizon'" in say(lambda: Forecaster(horizn=14), TypeError)


def test_2_to_4_settings_are_arguments_by_their_own_names() -> None:
    assert Forecaster(horizon=14).config == Config(horizon=14)
    assert Forecaster(steps=0).config.train.steps == 0
    assert Config(horizon=14).window.horizon == 14


def test_5_a_frame_with_the_usual_columns_is_fitted(fitted: Forecaster) -> None:
    forecast = fitted.predict()
    assert list(forecast) == ["unique_id", "ds", "forecast", "q10", "q50", "q90"]
    assert len(forecast) == 28 and forecast["ds"].min() == pd.Timestamp("2024-04-15")


@pytest.mark.parametrize("roles", [{}, {"target": "y"}])
def test_6_and_7_a_panel_knows_the_usual_columns(roles: dict[str, str]) -> None:
    panel = Panel.from_frame(FRAME, **roles)
    assert (panel.columns.series, panel.columns.time) == (("unique_id",), ("ds",))
    assert len(panel) == 2


def test_8_a_series_with_dates_is_fitted() -> None:
    forecast = Forecaster(**QUICK).fit(SERIES).predict()
    assert list(forecast)[:2] == ["time", "forecast"]
    assert forecast["time"].iloc[0] == DAYS[-1] + pd.Timedelta("1D")
    monthly = pd.Series(
        np.arange(48.0), pd.period_range("2020-01", periods=48, freq="M"), name="sales"
    )
    panel = Forecaster(**QUICK).fit(monthly).panel
    assert panel.columns.target == ("sales",) and panel.axis.freq.startswith("M")


def test_9_a_series_is_a_panel_whatever_its_name() -> None:
    for series in (SERIES, SERIES.rename("price")):
        assert Panel.from_frame(series, target="y").columns.target == ("y",)


def test_10_a_panel_of_a_frame_says_what_to_write() -> None:
    assert "Panel.from_frame(frame)" in say(lambda: Panel(FRAME), TypeError)  # type: ignore[call-arg]


def test_11_an_array_is_one_series() -> None:
    forecast = Forecaster(**QUICK).fit(np.arange(200.0)).predict(3)
    assert forecast["step"].tolist() == [201, 202, 203]


def test_12_a_forecaster_shows_what_matters(fitted: Forecaster) -> None:
    assert repr(Forecaster(cell="gru")) == "Forecaster(cell='gru')"
    assert "2 series of 'y'" in repr(fitted) and "horizon 14" in repr(fitted)
    page = fitted._repr_html_()
    assert fitted.verdict is not None
    assert fitted.verdict.sentences()[0].split("'")[0] in page and "<table>" in page
    assert "not fitted" in Forecaster()._repr_html_()


def test_13_a_number_is_the_horizon(fitted: Forecaster) -> None:
    assert fitted.predict(5).equals(fitted.predict(horizon=5))


def test_14_a_level_is_an_interval(fitted: Forecaster) -> None:
    forecast = fitted.predict(horizon=14, level=[80, 95])
    assert list(forecast)[3:] == ["q2.5", "q10", "q90", "q97.5"]
    assert (forecast["q2.5"] <= forecast["q97.5"]).all()


@pytest.mark.parametrize("argument", [{"fh": [1, 2, 3]}, {"h": 3}])
def test_15_and_16_the_horizon_of_other_libraries_is_named(
    fitted: Forecaster, argument: dict[str, Any]
) -> None:
    assert "called 'horizon' here" in say(lambda: fitted.predict(**argument), TypeError)


@pytest.mark.parametrize("horizon", [-3, 0])
def test_17_a_horizon_out_of_range_is_refused(fitted: Forecaster, horizon: int) -> None:
    assert "give 1 step or more" in say(lambda: fitted.predict(horizon=horizon))
    assert "whole number" in say(lambda: fitted.predict(horizon=1.5), TypeError)


@pytest.mark.parametrize(("span", "steps"), [("7D", 7), ("1W", 7), ("36h", 1)])
def test_18_a_span_of_time_is_a_horizon(
    fitted: Forecaster, span: str, steps: int
) -> None:
    assert len(fitted.predict(horizon=span)) == 2 * steps
    assert "no span of time" in say(lambda: fitted.predict(horizon="soon"))


def test_19_a_frame_of_what_is_known_ahead_is_the_future(with_plan: Forecaster) -> None:
    forecast = with_plan.predict(PLAN)
    assert forecast.equals(with_plan.predict(future=PLAN)) and len(forecast) == 28
    assert "future=..." in say(lambda: with_plan.predict())


def test_20_the_future_of_other_libraries_is_named(with_plan: Forecaster) -> None:
    assert "called 'future' here" in say(
        lambda: with_plan.predict(X_df=PLAN), TypeError
    )


def test_21_quantiles_are_shares(fitted: Forecaster) -> None:
    text = say(lambda: fitted.predict(quantiles=[90]))
    assert "0.9" in text and "level=[80]" in text
    assert "such as 80" in say(lambda: fitted.predict(level=0.8))


def test_22_cross_validation_has_the_columns_of_nixtla(fitted: Forecaster) -> None:
    table = fitted.cross_validation(FRAME, n_windows=2, level=[80])
    assert list(table) == [
        *("unique_id", "ds", "cutoff", "y"),
        *("lstmcast", "lstmcast-lo-80", "lstmcast-hi-80"),
    ]
    assert table.groupby(["unique_id", "cutoff"]).size().tolist() == [14] * 4
    same = table.merge(FRAME, on=["unique_id", "ds"])
    assert (same["y_x"] == same["y_y"]).all()
    assert (table["cutoff"] < table["ds"]).all()


def test_23_the_data_of_the_fit_are_forecast(fitted: Forecaster) -> None:
    table = fitted.predict_insample(level=[80])
    assert list(table)[:5] == ["unique_id", "ds", "cutoff", "y", "lstmcast"]
    errors = fitted.residuals()
    assert (errors["residual"] == errors["y"] - errors["lstmcast"]).all()


def test_24_a_forecast_is_drawn(fitted: Forecaster) -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("agg")
    axes = fitted.plot()
    assert [one.get_title(loc="left") for one in axes] == ["a", "b"]
    assert pyplot.gcf() is axes[0].figure
    pyplot.close("all")


def test_25_the_score_is_the_negative_mase(fitted: Forecaster) -> None:
    assert fitted.score(TEST) == -fitted.evaluate(TEST).verdict.model["mase"]
    assert "need rows after 2024-04-14" in say(lambda: fitted.score(fitted.panel))


def test_26_a_setting_is_changed_by_its_own_name() -> None:
    assert Forecaster().set_params(horizon=7).config == Config(horizon=7)
    assert "did you mean" in say(lambda: Forecaster().set_params(horizn=7), TypeError)


def test_27_scikit_learn_knows_whether_it_is_fitted(fitted: Forecaster) -> None:
    validation = pytest.importorskip("sklearn.utils.validation")
    validation.check_is_fitted(fitted)
    with pytest.raises(ValueError, match="not fitted yet"):
        validation.check_is_fitted(Forecaster())


def test_28_scikit_learn_searches_settings_over_time() -> None:
    selection = pytest.importorskip("sklearn.model_selection")
    search = selection.GridSearchCV(
        Forecaster(steps=0, horizon=7),
        {"season": [1, 7]},
        cv=selection.TimeSeriesSplit(2),
    )
    search.fit(FRAME.sort_values("ds"))
    assert search.best_params_ == {"season": 7} and search.best_score_ < 0


def test_29_before_fit_there_is_one_thing_to_do() -> None:
    for call in (
        lambda: Forecaster().predict(),
        lambda: Forecaster().verdict,
        lambda: Forecaster().predict_insample(),
        lambda: Forecaster().simulate(),
    ):
        assert "call fit(data) first" in say(call, AttributeError)
    assert not hasattr(Forecaster(), "panel")


def test_30_and_31_a_wrong_setting_is_refused_at_once() -> None:
    assert 'Config(cell="gru"' in say(lambda: Config(model="gru"), TypeError)  # type: ignore[arg-type]
    text = say(lambda: Config(train=TrainConfig(loss="qantile")))  # type: ignore[arg-type]
    assert text == "loss='qantile' is unknown; did you mean 'quantile'?"


def test_32_a_verdict_is_a_table(fitted: Forecaster) -> None:
    verdict = fitted.verdict
    assert verdict is not None
    table = verdict.to_frame()
    assert table.loc["lstmcast", "mase"] == verdict.model["mase"]
    assert set(table.index) == {"lstmcast", *verdict.baselines}
    assert f"<td>{verdict.model['mase']:.4g}</td>" in verdict._repr_html_()
    assert len(repr(verdict)) < 100


def test_33_and_34_a_panel_is_a_line_and_a_frame(fitted: Forecaster) -> None:
    assert len(repr(fitted.panel).splitlines()) == 1
    assert fitted.panel.to_frame().equals(TRAIN.reset_index(drop=True))


def test_35_a_frame_of_polars_gives_one_back() -> None:
    frame = pl.from_pandas(TRAIN)
    forecast = Forecaster(**QUICK).fit(frame).predict(3)
    assert isinstance(forecast, pl.DataFrame) and len(forecast) == 6
    assert forecast.schema["ds"] == frame.schema["ds"]


def test_36_an_index_of_ids_and_times_is_read() -> None:
    names = {"unique_id": "item_id", "ds": "timestamp", "y": "target"}
    indexed = FRAME.rename(columns=names).set_index(["item_id", "timestamp"])
    for data in (indexed, indexed["target"]):
        panel = Panel.from_frame(data)
        assert panel.columns.series == ("item_id",) and len(panel) == 2


def test_37_help_starts_with_an_example() -> None:
    head = pydoc.plain(pydoc.render_doc(Forecaster)).splitlines()[:12]
    assert any("Forecaster(horizon=14).fit(frame)" in line for line in head)


def test_38_a_fit_shows_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    events: list[Event] = []
    quick = Forecaster(steps=3, members=1, horizon=7, start="scratch", hidden=4)
    quick.fit(SERIES, progress=True, on_event=events.append)
    assert any(event.total for event in events)
    assert "1/1" in capsys.readouterr().out


def test_what_worked_goes_on_working(fitted: Forecaster, tmp_path: Any) -> None:
    base = pytest.importorskip("sklearn.base")
    copied = base.clone(fitted)
    assert copied.config is not None and not hasattr(copied, "panel")
    forecast = fitted.predict()
    assert len(forecast.merge(TEST, on=["unique_id", "ds"])) == 28
    assert score(forecast, FRAME).model["mase"] > 0
    loaded = Forecaster.load(fitted.save(tmp_path / "run"))
    for other in (loaded, copy.deepcopy(fitted), pickle.loads(pickle.dumps(fitted))):
        assert other.predict().equals(forecast)
    both = pd.concat([TRAIN, TEST])
    assert len(Panel.from_frame(both, like=fitted.panel)) == 2
    numbered = TRAIN.assign(unique_id=TRAIN["unique_id"].map({"a": 1, "b": 2}))
    assert set(Forecaster(**QUICK).fit(numbered).predict()["unique_id"]) == {1, 2}
    named = TRAIN.assign(unique_id=TRAIN["unique_id"].astype("category"))
    assert set(Forecaster(**QUICK).fit(named).predict()["unique_id"]) == {"a", "b"}
