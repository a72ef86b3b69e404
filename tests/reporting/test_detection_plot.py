"""The picture of judged rows: what is drawn of values, bands and events."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from lstmcast.reporting.detection_plot import (
    EVENT_LOOKS,
    place_labels,
    plot_detection,
)
from lstmcast.reporting.judged_series import choose_judged_series
from lstmcast.reporting.plots import write_picture
from tests.reporting.make import judge_values, make_panel_table, make_table


def plot(rows: pd.DataFrame, **options: Any) -> Any:
    picture = plot_detection(choose_judged_series(rows, **options), "celsius")
    return picture, picture.figure.axes


def list_texts(axes: Any) -> list[str]:
    return [text.get_text() for text in axes.texts]


def list_legend(picture: Any) -> list[str]:
    [legend] = picture.figure.legends
    return [text.get_text() for text in legend.get_texts()]


def list_marks(axes: Any, kind: str) -> list[float]:
    look = EVENT_LOOKS[kind]
    return [
        float(line.get_ydata()[0])
        for line in axes.lines
        if line.get_marker() == look.marker and to_hex(line.get_color()) == look.colour
    ]


def test_each_event_has_a_number_a_reason_and_a_mark_where_it_opened() -> None:
    rows = make_table(60, {23: (1, "point", "error, range"), 41: (2, "run", "mean")})
    picture, [axes] = plot(rows)
    assert list_texts(axes) == ["1 error, range", "2 mean"]
    assert list_marks(axes, "value") == [3, 1]
    assert picture.title == "Anomalies in celsius: 2 events in 60 rows judged"
    assert list_legend(picture) == ["ordinary values", "expected", "observed", "event"]


def test_a_stuck_sensor_is_thick_and_named_by_its_value() -> None:
    events = dict.fromkeys(range(30, 40), (1, "stuck", "stuck"))
    rows = make_table(60, events)
    rows.loc[30:39, "actual"] = 7
    picture, [axes] = plot(rows)
    assert list_texts(axes) == ["1 stuck at 7"]
    [thick] = [line for line in axes.lines if line.get_linewidth() == 3]
    assert (thick.get_ydata() == 7).all() and len(thick.get_ydata()) == 10
    assert list_marks(axes, "stuck") == [7] and "stuck" in list_legend(picture)


def test_a_gap_is_hatched_and_breaks_the_line() -> None:
    stamps = pd.date_range("2026-01-01", periods=70).delete(range(30, 40))
    rows = make_table(60, {30: (1, "gap", "gap")}, stamps)
    picture, [axes] = plot(rows)
    [hatched] = [patch for patch in axes.patches if patch.get_hatch()]
    first, last = stamps[29], stamps[30]
    begin, end = (pd.Timestamp("1970-01-01"), pd.Timedelta("1D"))
    days = [(stamp - begin) / end for stamp in (first, last)]
    box = hatched.get_extents().transformed(axes.transData.inverted())
    np.testing.assert_allclose([box.x0, box.x1], days)
    observed = next(line for line in axes.lines if line.get_label() == "observed")
    assert np.flatnonzero(np.isnan(observed.get_ydata())).tolist() == [30]
    assert "gap" in list_legend(picture)


def test_a_file_without_events_has_none_in_its_picture() -> None:
    picture, [axes] = plot(make_table(60, {}))
    assert list_texts(axes) == [] and not axes.patches
    assert "no event in 60 rows" in picture.title
    assert list_legend(picture) == ["ordinary values", "expected", "observed"]


def test_a_panel_has_axes_for_each_series_and_one_legend() -> None:
    table = make_panel_table(
        boiler=make_table(60, {23: (1, "point", "error")}),
        door=make_table(60, {30: (1, "stuck", "stuck")}),
    )
    picture, axes = plot(table)
    assert [one.get_title(loc="left") for one in axes] == ["boiler", "door"]
    assert list_legend(picture)[-2:] == ["event", "stuck"]
    picture, axes = plot(table, which="door")
    assert "(1 of 2 series)" in picture.figure.get_suptitle() and len(axes) == 1


def test_a_row_between_missing_ones_is_a_dot() -> None:
    rows = make_table(30, {})
    rows.loc[[10, 12], "actual"] = np.nan
    _, [axes] = plot(rows)
    dots = next(line for line in axes.lines if line.get_marker() == ".")
    assert dots.get_ydata().tolist() == [1]


def test_labels_never_overlap_and_the_strongest_come_first() -> None:
    events = {row: (row, "point", "error, level, range") for row in range(100, 160)}
    rows = make_table(1000, events)
    rows.loc[130, "score"] = 0.999999
    [series] = choose_judged_series(rows).series
    labels = place_labels(series)
    texts = [label.text for label in labels]
    assert "130 error, level, range" in texts and len(texts) < 60
    for line in (0, 1):
        begins = [label.share for label in labels if label.line == line]
        assert begins == sorted(begins) and len(set(begins)) == len(begins)


def test_a_label_at_the_right_end_stands_before_its_event() -> None:
    rows = make_table(100, {97: (1, "point", "error, level, range")})
    [label] = place_labels(choose_judged_series(rows).series[0])
    assert label.is_before and label.share == pytest.approx(97 / 99)


def test_nothing_but_missing_values_is_an_empty_picture() -> None:
    rows = make_table(20, {})
    rows["actual"] = np.nan
    _, [axes] = plot(rows)
    assert list_texts(axes) == []


@pytest.mark.parametrize("form", ["png", "svg", "pdf"])
def test_a_long_file_makes_a_light_picture_with_its_spike(
    form: str, tmp_path: Path
) -> None:
    n_rows = 80_000  # days that every pandas can count
    rows = make_table(n_rows, {}, pd.RangeIndex(n_rows))
    rows.loc[55_555, "actual"] = 99
    picture, [axes] = plot(rows)
    observed = next(line for line in axes.lines if line.get_label() == "observed")
    assert len(observed.get_ydata()) <= 2400 and max(observed.get_ydata()) == 99
    file = tmp_path / f"x.{form}"
    write_picture(picture, file)
    assert file.stat().st_size < 400_000


def test_rows_judged_by_their_own_past_can_be_drawn() -> None:
    rng = np.random.default_rng(3)
    values = 20 + rng.standard_normal(400)
    values[300] = 60
    stamps = pd.date_range("2026-01-01", periods=400, freq="h")
    _, [axes] = plot(judge_values(values.tolist(), stamps))
    assert list_marks(axes, "value") == [60]
    assert any(text.startswith("1 ") for text in list_texts(axes))
