"""Options for what counts as unusual, and which rows of it are shown."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from lstmcast.cli.options.declare import (
    DEFAULT_NONE,
    OUTPUT,
    WINDOW,
    make_flag,
    make_option,
)
from lstmcast.config import DEFAULT_FALSE_ALARM_RATE
from lstmcast.monitoring.rates import (
    SENSITIVITY_RATES,
    Alarm,
    Sensitivity,
    resolve_rate,
)

if TYPE_CHECKING:
    import pandas as pd

    from lstmcast.monitoring.detection import Detection

_LEVELS = [f"{name} ({rate:g})" for name, rate in SENSITIVITY_RATES.items()]
_SENSITIVITIES = f"{', '.join(_LEVELS[:-1])} or {_LEVELS[-1]}"


@dataclass(frozen=True)
class DetectionOptions:
    """How easily an event is opened, which of its rows are flagged, and which rows are shown."""

    rate: Annotated[
        float | None,
        make_option(
            WINDOW,
            "SHARE",
            "Share of ordinary rows that may open an event, above 0 and below 0.5.",
            f"{DEFAULT_FALSE_ALARM_RATE:g}",
        ),
    ] = None
    sensitivity: Annotated[
        Sensitivity | None,
        make_option(
            WINDOW,
            "LEVEL",
            f"The rate in words: {_SENSITIVITIES}.",
            DEFAULT_NONE,
        ),
    ] = None
    alarm: Annotated[
        Alarm,
        make_option(
            WINDOW,
            "WHICH",
            "Flag the row that opens an event, or every row of it.",
        ),
    ] = "event"
    only_anomalies: Annotated[
        bool,
        make_flag(OUTPUT, "Print rows of events alone.", "--only-anomalies"),
    ] = False
    events: Annotated[
        bool,
        make_flag(OUTPUT, "Print a row for each event instead.", "--events"),
    ] = False

    def find_rate(self) -> float:
        """The rate, said in one way or the other; raises UsageError where it is in both."""
        return resolve_rate(self.rate, self.sensitivity)

    def select(self, detection: "Detection") -> "pd.DataFrame":
        """The table that is asked for."""
        if self.events:
            return detection.events
        return self.select_rows(detection.rows)

    def select_rows(self, rows: "pd.DataFrame") -> "pd.DataFrame":
        """The judged rows that are asked for."""
        return rows[rows["event"].notna()] if self.only_anomalies else rows
