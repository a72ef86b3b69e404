"""What a backtest found says how much was scored and how good it was."""

import numpy as np

from lstmcast.config import Config
from lstmcast.evaluation.backtest import backtest
from lstmcast.evaluation.result import Result
from tests.make import panel_of, wavy


def test_a_result_says_what_was_scored_and_shows_all_methods() -> None:
    panel = panel_of([wavy(np.random.default_rng(0), 60)] * 2)
    result = backtest(panel, Config(horizon=4, steps=0), windows=3, refit=False)
    assert isinstance(result, Result)
    assert repr(result) == "<Result: 24 forecast values from 3 cutoffs.>"
    page = result._repr_html_()
    assert result.verdict.sentences()[0].split("'")[0] in page
    table = result.make_summary_table()
    assert table["method"].tolist() == ["lstmcast", *result.verdict.baselines]
    assert table["mase"][0] == result.verdict.model["mase"]
