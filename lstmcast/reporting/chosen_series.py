"""Which series of a panel a picture shows, as a user names them."""

from collections.abc import Sequence
from math import isnan
from typing import Protocol

import numpy as np
import pandas as pd

from lstmcast.errors import UsageError, suggest_similar
from lstmcast.panel.forecast_table import find_series_numbers
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Ints
from lstmcast.reporting.plots import MAX_PLOTTED_SERIES
from lstmcast.scoring.verdict import Verdict

MAX_CHOSEN_SERIES = 24
"""Series that one picture shows at most."""


class RankSeries(Protocol):
    """What gives the places of series in the order of a measure."""

    def __call__(self, *, worst_first: bool) -> Ints:
        """Return the places of all series that can be ranked."""


def choose_series(
    panel: Panel, which: str | Sequence[str], verdict: Verdict | None = None
) -> Ints:
    """Return the numbers of the series to draw.

    which: names, a list or a text with commas between them, with slashes within those of several
    columns; a number of series from the first one on; "worst" or "best" for those of most and least
    error in a verdict.

    Raises UsageError for a name that no series has, and where no verdict has the errors of series.
    """
    names = ["/".join(key) or panel.columns.target[0] for key in panel.keys]

    def rank(*, worst_first: bool) -> Ints:
        return _rank_series(panel, verdict, worst_first=worst_first)

    return choose_names(names, which, rank)


def choose_names(
    names: Sequence[str], which: str | Sequence[str], rank: RankSeries
) -> Ints:
    """Return the places of the series to draw among these names.

    which: as of `choose_series`. rank: gives the places for "worst" and "best".

    Raises UsageError for a name that is not among them.
    """
    if which in ("worst", "best"):
        return rank(worst_first=which == "worst")[:MAX_PLOTTED_SERIES]
    if isinstance(which, str):
        if which.isdecimal() and which not in names:
            count = min(int(which), len(names), MAX_CHOSEN_SERIES)
            return np.arange(max(count, 1))
        which = which.split(",")
    places = {name: place for place, name in enumerate(names)}
    chosen = []
    for name in which:
        plain = "/".join(part.strip() for part in name.split("/"))
        if plain not in places:
            raise UsageError(
                f"--plot-series: no series is called {plain!r}",
                suggest_similar(plain, tuple(names[:1000])),
            )
        chosen.append(places[plain])
    return np.array(chosen[:MAX_CHOSEN_SERIES])


def select_series(
    panel: Panel, forecast: pd.DataFrame, chosen: Ints
) -> tuple[Panel, pd.DataFrame]:
    """Return these series of a panel, and their rows of its forecast or of its backtest."""
    if "cutoff" in forecast:
        is_chosen = np.isin(find_series_numbers(forecast, panel), chosen)
        return panel.select(chosen), forecast[is_chosen]
    horizon = len(forecast) // len(panel)
    rows = chosen[:, None] * horizon + np.arange(horizon)
    return panel.select(chosen), forecast.iloc[rows.ravel()]


def _rank_series(panel: Panel, verdict: Verdict | None, *, worst_first: bool) -> Ints:
    rows = verdict.by_series if verdict else ()
    measure = "brier" if verdict and verdict.of_events else "mase"
    errors = {
        tuple(row["key"]): row[measure]
        for row in rows
        if row.get(measure) is not None and not isnan(row[measure])
    }
    known = [place for place, key in enumerate(panel.keys) if key in errors]
    if not known:
        raise UsageError(
            "--plot-series: no verdict has the errors of these series",
            "name them, or give a number of them",
        )
    known.sort(key=lambda place: errors[panel.keys[place]], reverse=worst_first)
    return np.array(known)
