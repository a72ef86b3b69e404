"""What moves a forecast, as a picture."""

import numpy as np
import pandas as pd
import pytest

from lstmcast.evaluation.explain import Explanation, Factor
from lstmcast.panel.panel import Panel
from lstmcast.reporting.explanation_plot import plot_attention, plot_explanation
from lstmcast.reporting.plots import encode_picture


def test_each_kind_of_input_has_its_bars_the_strongest_on_top() -> None:
    factors = (
        Factor("covariate", "price", 0.4, 0.1),
        Factor("covariate", "holiday", 0.2, -0.01),
        Factor("lag", "7", 0.9, 0.5),
    )
    picture = plot_explanation(Explanation(3, 14, 0.8, factors), top=1)
    covariates, lags = picture.figure.axes
    assert [text.get_text() for text in covariates.get_yticklabels()] == ["price"]
    assert [text.get_text() for text in lags.get_yticklabels()] == ["7"]
    assert [bar.get_width() for bar in lags.patches] == [0.9, 0.5]
    (legend,) = picture.figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "moves the forecast by",
        "error without it grows by",
    ]
    assert encode_picture(picture, "png").startswith(b"\x89PNG")


@pytest.mark.parametrize("count", [1, 2])
def test_attention_lies_behind_the_values_that_it_is_of(count: int) -> None:
    stamps = pd.date_range("2026-01-01", periods=5)
    frames = [
        pd.DataFrame({"day": stamps, "shop": f"s{i}", "y": np.arange(5.0)})
        for i in range(count)
    ]
    frame = pd.concat(frames)
    panel = Panel.from_frame(frame, target="y", time="day", series="shop")
    table = frame[["shop", "day"]].assign(attention=0.2)
    picture = plot_attention(panel, table)
    axes = picture.figure.axes
    assert len(axes) == 2 * count
    (line,) = axes[0].get_lines()
    assert line.get_ydata().tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert axes[1].collections[0].get_paths()[0].vertices[:, 1].max() == 20.0
