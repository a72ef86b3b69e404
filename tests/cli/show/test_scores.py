"""Scores as data; how a verdict is reached is in `tests/scoring`."""

from types import SimpleNamespace
from typing import Any

import pytest

from lstmcast.cli.show import scores
from lstmcast.cli.show.console import Reporter

FIGURES = dict.fromkeys(scores.SCORE_COLUMNS, 0.5)


@pytest.fixture
def verdict() -> Any:
    return SimpleNamespace(
        of_events=False,
        model=FIGURES,
        baselines={"naive": {"mase": 1.0}},
        by_step=({"step": 1, "mae": 2.0}, {"step": 2, "mae": 3.0}),
        by_series=({"key": ["a"], "mae": 2.0}, {"key": ["b"], "mae": 4.0}),
    )


@pytest.mark.parametrize(
    ("by", "lines"),
    [
        ("step", ["step,mae", "1,2.0", "2,3.0"]),
        ("series", ["shop,mae", "a,2.0", "b,4.0"]),
        (
            "method",
            [
                "method,mase,rmsse,smape,mae,rmse,wql,coverage",
                "model,0.5,0.5,0.5,0.5,0.5,0.5,0.5",
                "naive,1.0,,,,,,",
            ],
        ),
    ],
)
def test_scores_have_a_row_per_method_step_or_series(
    by: str, lines: list[str], verdict: Any, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    scores.write_scores(verdict, "csv", ["shop"], command="evaluate", extra={}, by=by)
    assert capfdbinary.readouterr().out.decode().splitlines() == lines


def test_messages_show_the_same_table_as_evaluate_with_a_missing_figure_left_out(
    verdict: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    scores.report_scores(Reporter(), verdict)
    header, model, naive = capsys.readouterr().err.splitlines()
    assert header.split() == ["method", *scores.SCORE_COLUMNS]
    assert model.split()[0] == "model" and {*map(float, model.split()[1:])} == {0.5}
    assert naive.split() == ["naive", "1.0000"]
