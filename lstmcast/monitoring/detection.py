"""What was found of judged rows: a table of them, the events among them, and figures.

Made from what `evidence` says of each row, with a run and without one. Knows neither forecasts nor
the terminal.

Axes: K rows.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lstmcast.monitoring.events import KINDS, count_events, find_events
from lstmcast.monitoring.evidence.stream import (
    NEW_REGIME_ROWS,
    SINGLE_ROW_MEASURES,
    JudgedRow,
)
from lstmcast.monitoring.rates import Alarm
from lstmcast.ragged import Floats
from lstmcast.scoring.result_views import ResultView, count_things

NUMERIC_COLUMNS = ("actual", "expected", "low", "high", "score")
"""Numbers that the table has of each row."""


@dataclass(frozen=True, eq=False, repr=False)
class Detection(ResultView):
    """Rows that were judged, and what is unusual among them.

    rows: the series columns, the time column, `actual`, `expected`, `low` and `high` (a value
    outside is unusual by itself), `score` (1 minus the share of ordinary rows that are as unusual;
    missing where a row was not judged), `anomaly` (0 or 1, see `Alarm`), `kind` (point, run, stuck
    or gap of a row in an event; warm-up, missing or known of a row that was not judged), `event`
    (its number in the series, missing for an ordinary row), and `reason`, strongest first: stuck,
    gap, error and run (by the forecasts of a run), change, level, mean, spread, range or shape (by
    what the series did before, see `evidence.measures`).
    """

    rows: pd.DataFrame
    notes: tuple[str, ...] = ()

    @property
    def figures(self) -> dict[str, float]:
        """Numbers of flagged rows, events, and unusual rows of each kind; rows judged; share."""
        kind = self.rows["kind"]
        anomalies = int(self.rows["anomaly"].sum())
        judged = int(self.rows["score"].notna().sum())
        points, runs, gaps, stuck = (int((kind == one).sum()) for one in KINDS)
        return {
            "anomalies": anomalies,
            "events": count_events(self.rows),
            "points": points,
            "runs": runs,
            "stuck": stuck,
            "gaps": gaps,
            "judged": judged,
            "share": anomalies / max(judged, 1),
        }

    @property
    def events(self) -> pd.DataFrame:
        """The events, a row each, see `events.find_events`."""
        return find_events(self.rows)

    def sentences(self) -> list[str]:
        """Return what was found, and the notes."""
        return [f"{describe_figures(self.figures)}.", *self.notes]

    def make_summary_table(self) -> pd.DataFrame:
        """Return the events."""
        return self.events


def describe_figures(figures: Mapping[str, float]) -> str:
    """Return what was found, in plain words."""
    found = describe_counts(int(figures["events"]), int(figures["judged"]))
    if not figures["events"]:
        return found

    names = {
        "points": "single",
        "runs": "in runs",
        "stuck": "stuck",
        "gaps": "after gaps",
    }
    kinds = [
        f"{int(figures[name]):,} {text}"
        for name, text in names.items()
        if figures[name]
    ]
    return f"{found}, with unusual rows: {', '.join(kinds)}"


def describe_counts(n_events: int, n_judged: int) -> str:
    """Return how many events there are among how many rows, in words."""
    events = count_things(n_events, "event") if n_events else "no event"
    return f"{events} in {count_things(n_judged, 'row')} judged"


def describe_new_regimes(
    judged: Sequence[JudgedRow], name_row: Callable[[int], tuple[str, str]]
) -> list[str]:
    """Say which series were unusual for so long that this counts as their new state.

    name_row: from the place of a row to the name of its series ("" for a single one) and its stamp.
    """
    sentences = []
    for place, row in enumerate(judged):
        if row.is_new_regime:
            name, stamp = name_row(place)
            where = f"{name}: " if name else ""
            lasted = f"unusual for {NEW_REGIME_ROWS:,} rows up to {stamp}"
            sentence = (
                f"{where}{lasted}, which is taken for its new state from there on"
            )
            sentences.append(sentence)
    return sentences


def build_judged_rows(
    columns: Mapping[Any, Any],
    actual: Floats,
    judged: Sequence[JudgedRow],
    alarm: Alarm,
) -> pd.DataFrame:
    """Build the table of judged rows, see `Detection`.

    columns: series columns and the time column, [K] each. actual: values [K].
    """
    events = np.array([row.event for row in judged], dtype=np.int64)
    belongs = events > 0
    opens = np.array([row.opens for row in judged], dtype=bool)
    is_flagged = opens if alarm == "event" else belongs
    return pd.DataFrame(
        {
            **columns,
            "actual": actual,
            "expected": np.array([row.expected for row in judged], dtype=np.float64),
            "low": np.array([row.low for row in judged], dtype=np.float64),
            "high": np.array([row.high for row in judged], dtype=np.float64),
            "score": np.array([row.likelihood for row in judged], dtype=np.float64),
            "anomaly": is_flagged.astype(np.int64),
            "kind": pd.Series([_name_kind(row) for row in judged], dtype=str),
            "event": pd.arrays.IntegerArray(events, ~belongs),
            "reason": pd.Series([", ".join(row.reasons) for row in judged], dtype=str),
        }
    )


def _name_kind(row: JudgedRow) -> str:
    """Kind of a row as the table has it."""
    if row.kind != "value":
        return row.kind
    return "point" if row.reasons[0] in SINGLE_ROW_MEASURES else "run"
