import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstmcast.config import Config, TrainConfig, WindowConfig
from lstmcast.errors import UsageError
from lstmcast.evaluation.backtest import Result, backtest
from lstmcast.extras import install_command
from lstmcast.panel.panel import Panel
from lstmcast.reporting import plots
from lstmcast.scoring.verdict import score_forecasts
from lstmcast.training.forecaster import Forecaster
from tests.make import panel_of, wavy

CONFIG = Config(window=WindowConfig(horizon=4), train=TrainConfig(steps=0))


@pytest.fixture(scope="module")
def panel() -> Panel:
    rng = np.random.default_rng(0)
    return panel_of([wavy(rng, 60), wavy(rng, 50)])


@pytest.fixture(scope="module")
def result(panel: Panel) -> Result:
    return backtest(panel, CONFIG, windows=2, refit=False)


def words(picture: plots.Picture) -> set[str]:
    """All that is written in a picture."""
    return set(
        re.findall(
            r"<text[^>]*>([^<]+)</text>", plots.encode_picture(picture, "svg").decode()
        )
    )


def test_a_forecast_is_drawn_for_each_series_after_its_history(panel: Panel) -> None:
    forecast = Forecaster(CONFIG).fit(panel).predict(quantiles=(0.1, 0.5, 0.9))
    picture = plots.plot_forecast(panel, forecast)
    assert {"s0", "s1", "observed", "forecast"} <= words(picture)
    assert (
        "4 months ahead" in picture.caption
        and "Of 100 values to come, 80" in picture.caption
    )
    drawn = picture.figure.axes[1].lines
    np.testing.assert_array_equal(drawn[1].get_ydata()[1:], forecast["forecast"][4:])
    np.testing.assert_array_equal(drawn[0].get_ydata()[-5:], panel.series(1)[-5:])
    # No gap: the forecast begins where the history ends.
    assert drawn[0].get_xdata()[-1] == drawn[1].get_xdata()[0]
    assert "80 % interval" in words(picture)


def test_a_backtest_has_a_dotted_line_for_each_cutoff(
    panel: Panel, result: Result
) -> None:
    axes = plots.plot_backtest(panel, result.forecasts).figure.axes[0]
    assert len([line for line in axes.lines if line.get_linestyle() == ":"]) == 2


def test_scores_are_drawn_as_they_are(result: Result) -> None:
    verdict = result.verdict
    by_step = plots.plot_error_by_step(verdict).figure.axes[0].lines
    np.testing.assert_array_equal(
        by_step[0].get_ydata(), [row["mae"] for row in verdict.by_step]
    )
    bars = plots.plot_baselines(verdict).figure.axes[0].containers[0]
    assert [bar.get_width() for bar in bars] == [
        verdict.model["mae"],
        *(scores["mae"] for scores in verdict.baselines.values()),
    ]
    inside = plots.plot_coverage(verdict).figure.axes[0].lines[0].get_ydata()
    np.testing.assert_allclose(
        inside, [100 * row["coverage"] for row in verdict.by_step]
    )


def test_steps_ahead_are_marked_by_whole_numbers(result: Result) -> None:
    for plot in (plots.plot_error_by_step, plots.plot_coverage):
        axes = plot(result.verdict).figure.axes[0]
        marks = axes.get_xticks()
        assert (marks == np.round(marks)).all() and len(marks) > 1


def test_of_probabilities_the_squared_error_is_drawn() -> None:
    panel = panel_of([np.array([0.0, 1, 0, 0, 1, 0, 1, 0])])
    forecasts = np.full((1, 3, 1), 0.4)
    verdict = score_forecasts(
        panel,
        np.array([0]),
        np.array([4]),
        forecasts,
        np.array([0.5]),
        1,
        probability=True,
    )
    bars = plots.plot_baselines(verdict).figure.axes[0].containers[0]
    assert [bar.get_width() for bar in bars] == [
        verdict.model["brier"],
        verdict.baselines["base_rate"]["brier"],
    ]
    lines = plots.plot_error_by_step(verdict).figure.axes[0].lines
    np.testing.assert_allclose(lines[0].get_ydata(), [0.16, 0.36, 0.16])


def test_each_member_has_its_curve_of_losses() -> None:
    rows = [
        {"step": step, "loss": 1.0, "validation": 0.5, "member": member}
        for member in ("a", "b")
        for step in (0, 10)
    ]
    assert {"a", "b"} <= words(plots.plot_training(rows))


def test_names_are_drawn_as_they_are_never_as_formulas() -> None:
    panel = panel_of([wavy(np.random.default_rng(0), 40)] * 2)
    odd: Any = object.__new__(Panel)
    object.__setattr__(
        odd, "__dict__", {**vars(panel), "keys": (("$x_1$",), ("<script>&\u65e5",))}
    )
    forecast = Forecaster(CONFIG).fit(panel).predict()
    svg = plots.encode_picture(plots.plot_forecast(odd, forecast), "svg").decode()
    assert (
        "$x_1$" in svg and "&lt;script&gt;&amp;\u65e5" in svg and "<script>" not in svg
    )


@pytest.mark.parametrize(
    ("form", "magic"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")]
)
def test_a_picture_is_written_in_the_form_of_its_extension(
    form: str, magic: bytes, tmp_path: Path, result: Result
) -> None:
    plots.write_picture(plots.plot_baselines(result.verdict), tmp_path / f"x.{form}")
    data = (tmp_path / f"x.{form}").read_bytes()
    assert data.startswith(magic)
    assert data == plots.encode_picture(plots.plot_baselines(result.verdict), form)
    assert [file.name for file in tmp_path.iterdir()] == [f"x.{form}"]


def test_an_unknown_form_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match=r"'x\.gif'"):
        plots.parse_picture_format("x.gif")


def test_without_matplotlib_the_error_names_what_to_install(
    monkeypatch: pytest.MonkeyPatch, result: Result
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(UsageError) as caught:
        plots.plot_baselines(result.verdict)
    assert caught.value.hint == install_command("plot")
