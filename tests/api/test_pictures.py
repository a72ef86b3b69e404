"""A forecaster draws itself with pyplot: the axes come back, and the figure is shown."""

import sys
from collections.abc import Iterator

import numpy as np
import pandas as pd
import polars as pl
import pytest

from lstmcast import Forecaster, NotFittedError, UsageError

pyplot = pytest.importorskip("matplotlib.pyplot")
pyplot.switch_backend("agg")

DAYS = 98


def make_shops() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    stamps = pd.date_range("2024-01-01", periods=DAYS + 7)
    parts = []
    for shop, noise in (("north", 1.0), ("south", 4.0), ("west", 2.0)):
        offer = (np.arange(DAYS + 7) % 10 < 2).astype(float)
        sold = 30 + 8 * offer + 5 * np.sin(2 * np.pi * np.arange(DAYS + 7) / 7)
        sold += noise * rng.normal(size=DAYS + 7)
        sold[DAYS:] = np.nan
        columns = {"shop": shop, "day": stamps, "sold": sold, "offer": offer}
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)


SHOPS = make_shops()


@pytest.fixture(scope="module")
def fitted() -> Forecaster:
    forecaster = Forecaster(steps=0, horizon=7)
    return forecaster.fit(SHOPS, target="sold", series="shop", future="offer")


@pytest.fixture(autouse=True)
def _close() -> Iterator[None]:
    yield
    pyplot.close("all")


def titles(axes: "np.ndarray[tuple[int], np.dtype[np.object_]]") -> list[str]:
    return [one.get_title(loc="left") for one in axes]


def test_the_forecast_that_is_drawn_is_that_of_predict(fitted: Forecaster) -> None:
    axes = fitted.plot(series="south", level=[80, 95], history=20)
    forecast = fitted.predict(level=[80, 95])
    own = forecast[forecast["shop"] == "south"]
    drawn = [line.get_ydata() for line in axes.lines]
    # Batches of another size round otherwise.
    expected = own["forecast"].to_numpy()
    ends = [y[-7:] for y in drawn if len(y) >= 7]
    assert any(np.allclose(end, expected, atol=1e-5) for end in ends)
    assert any(len(y) == 20 for y in drawn)
    assert len(axes.collections) == 2
    assert pyplot.get_fignums() == [axes.figure.number]
    assert pyplot.gcf() is axes.figure


@pytest.mark.parametrize(
    ("series", "shown"),
    [
        (None, ["north", "south", "west"]),
        (["west", "north"], ["west", "north"]),
        (2, ["north", "south"]),
        ("worst", ["north", "west", "south"]),
    ],
)
def test_series_are_chosen_by_name_number_or_error(
    fitted: Forecaster, series: str | int | list[str] | None, shown: list[str]
) -> None:
    axes = fitted.plot(series=series)
    if series == "worst":
        rows = fitted.verdict.by_series  # type: ignore[union-attr]
        worst = sorted(rows, key=lambda row: -row["mase"])
        shown = [row["key"][0] for row in worst]
    assert titles(axes) == shown


def test_an_unknown_series_is_named_as_the_argument_that_it_is(
    fitted: Forecaster,
) -> None:
    with pytest.raises(UsageError, match="series: no series is called 'est'"):
        fitted.plot(series="est")
    with pytest.raises(UsageError, match="did you mean 'west'"):
        fitted.plot_components(series="est")


def test_without_a_level_no_interval_is_drawn(fitted: Forecaster) -> None:
    assert not fitted.plot(series="west", level=[]).collections


def test_components_have_a_row_each_for_one_series(fitted: Forecaster) -> None:
    axes = fitted.plot_components(series="west", history=21)
    assert titles(axes) == [
        *("west", "level", "trend: change of the level in a step"),
        *("season of 7 steps (the week)", "effect of offer", "remainder"),
    ]
    parts = fitted.decompose()
    own = parts[parts["shop"] == "west"]
    np.testing.assert_allclose(
        axes[4].lines[1].get_ydata()[1:], own["effect_offer"][DAYS:]
    )


def test_the_table_of_components_is_a_frame_as_that_of_the_fit() -> None:
    frame = pl.from_pandas(SHOPS)
    forecaster = Forecaster(steps=0, horizon=7)
    forecaster.fit(frame, target="sold", series="shop", future="offer")
    parts = forecaster.decompose()
    assert isinstance(parts, pl.DataFrame) and len(parts) == 3 * (DAYS + 7)


def test_series_that_are_read_together_are_drawn_one_by_one() -> None:
    wide = SHOPS.dropna().pivot(index="day", columns="shop", values="sold")
    forecaster = Forecaster(steps=0, horizon=7, joint=True)
    forecaster.fit(wide.reset_index(), target=["north", "south", "west"])
    axes = forecaster.plot(series="west")
    forecast = forecaster.predict()[-7:]
    drawn = [line.get_ydata() for line in axes.lines]
    assert any(np.array_equal(y[-7:], forecast["forecast"]) for y in drawn)
    rows = forecaster.plot_components(series="west")
    np.testing.assert_array_equal(
        rows[0].lines[1].get_ydata()[1:], forecast["forecast"]
    )


def test_errors_are_those_of_the_hold_out_or_of_newer_rows(fitted: Forecaster) -> None:
    verdict = fitted.verdict
    assert verdict is not None
    by_step, methods, inside = fitted.plot_errors()
    np.testing.assert_array_equal(
        by_step.lines[0].get_ydata(), [row["mae"] for row in verdict.by_step]
    )
    assert len(methods.containers[0]) == 1 + len(verdict.baselines)
    assert inside.get_ylabel() == "% of actual values"

    newer = SHOPS.assign(sold=SHOPS["sold"].fillna(30.0))
    by_step = fitted.plot_errors(newer)[0]
    scored = fitted.evaluate(newer).verdict
    np.testing.assert_array_equal(
        by_step.lines[0].get_ydata(), [row["mae"] for row in scored.by_step]
    )


def test_nothing_is_drawn_of_what_is_not_there(
    monkeypatch: pytest.MonkeyPatch, fitted: Forecaster
) -> None:
    unfitted = Forecaster()
    for draw in (unfitted.plot, unfitted.plot_components, unfitted.plot_errors):
        with pytest.raises(NotFittedError):
            draw()
    short = Forecaster(steps=0).fit(np.arange(5.0))
    if short.verdict is None:
        with pytest.raises(UsageError, match=r"plot_errors\(frame\)"):
            short.plot_errors()
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(UsageError, match="matplotlib, which is not installed"):
        fitted.plot()
