"""Judged rows that can be drawn.

Draws nothing itself: the picture is that of `reporting`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lstmcast.api.pictures import ChosenSeries, show_pictures
from lstmcast.errors import UsageError
from lstmcast.monitoring import detection as monitoring
from lstmcast.panel.panel import Panel
from lstmcast.reporting.detection_plot import plot_detection
from lstmcast.reporting.judged_series import choose_judged_series
from lstmcast.reporting.plots import require_matplotlib
from lstmcast.timeaxis.timestamp_format import TimestampFormat


@dataclass(frozen=True, eq=False, repr=False)
class Detection(monitoring.Detection):
    """Rows that were judged, what is unusual among them, and a picture of it.

    rows: the series columns, the time column, `actual`, `expected`, `low` and `high` (a value
    outside is unusual by itself), `score` (1 minus the share of ordinary rows that are as unusual;
    missing where a row was not judged), `anomaly` (0 or 1: the row that opens an event, or with
    `alarm="row"` every row of it), `kind` (point, run, stuck or gap of a row in an event; warm-up,
    missing or known of a row that was not judged), `event` (its number in the series, missing for
    an ordinary row), and `reason`, strongest first: stuck, gap, error and run (by the forecasts of
    a run), change, level, mean, spread, range or shape (by what the series did before). target:
    name of the values. form: how stamps are written, where that is known.
    """

    target: str = "value"
    form: TimestampFormat | None = None

    def plot(self, *, series: ChosenSeries = None, history: int | None = None) -> Any:
        """Draw the values, the band of ordinary values, and the events with number and reason.

            forecaster.detect(newer).plot(series="worst")

        Args:
            series: those to draw: a name or a list of them (with slashes between the parts of one
                of several columns), a number of series, "worst" or "best" by their number of events
                (default: the four with most).
            history: newest rows to draw (default: all; a long series is thinned, without a loss of
                spikes).

        Returns:
            The matplotlib Axes, of several series an array of them. In a notebook the figure is
            shown; in a program `plt.show()` does that.

        Raises:
            UsageError: matplotlib is not installed (the extra `plot`), a series is unknown, or
                there is no row.
        """
        require_matplotlib()
        if not len(self.rows):
            raise UsageError("there is no row to draw", "judge some rows first")
        choice = choose_judged_series(
            self.rows,
            _name_series(series),
            target=self.target,
            form=self.form,
            n_history=history,
        )
        return show_pictures([plot_detection(choice, self.target)])


def name_detection(found: monitoring.Detection, panel: Panel) -> Detection:
    """Return what was found in the rows of a panel, with the names that it has there."""
    target = " and ".join(panel.columns.target)
    return Detection(found.rows, found.notes, target, panel.axis.form)


def _name_series(series: ChosenSeries) -> str | Sequence[str]:
    """What `choose_judged_series` takes for series that a user asks for."""
    if series is None:
        return ""
    if isinstance(series, str | int | np.integer):
        return str(series)
    return [str(name) for name in series]
