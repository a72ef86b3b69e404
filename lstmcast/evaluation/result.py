"""What a backtest or an evaluation found."""

from dataclasses import dataclass

import pandas as pd

from lstmcast.scoring.result_views import ResultView, count_things
from lstmcast.scoring.verdict import Verdict


@dataclass(frozen=True, eq=False, repr=False)
class Result(ResultView):
    """How good forecasts from past cutoffs were.

    verdict: scores of all windows. folds: one verdict a cutoff, oldest first. forecasts: one row
    per series, cutoff and step: the series columns, `cutoff` (last timestamp known), the time
    column, `actual` (NaN where missing), then the columns of the forecast table.
    """

    verdict: Verdict
    folds: tuple[Verdict, ...]
    forecasts: pd.DataFrame

    def sentences(self) -> list[str]:
        """Return how many forecasts were scored, and how good they were."""
        cutoffs = count_things(len(self.folds), "cutoff")
        values = count_things(len(self.forecasts), "forecast value")
        return [f"{values} from {cutoffs}.", *self.verdict.sentences()]

    def make_summary_table(self) -> pd.DataFrame:
        """Return the scores of the model and of each baseline."""
        return self.verdict.to_frame().reset_index()
