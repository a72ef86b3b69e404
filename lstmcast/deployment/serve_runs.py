"""The runs that a server answers for, each under its name in addresses.

A run that is loaded is never changed: an update puts another one in its place, and a request keeps
the one that it began with. Knows no web framework.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from lstmcast.config import DEFAULT_QUANTILE_LEVELS
from lstmcast.deployment.serve_requests import ForecastRequest
from lstmcast.errors import DataError, LstmcastError, UsageError, format_names
from lstmcast.forecasting.predictor import Predictor
from lstmcast.panel.extend import with_training_history
from lstmcast.panel.panel import Panel
from lstmcast.scoring.wording import describe_verdict

READING_ERRORS: tuple[type[Exception], ...] = (Exception,)
"""What may go wrong with a table that nobody has thought of: the client's, not the server's.

All of it: a forged file can ask for memory that is not there, or name a codec that fails.
"""


class UnknownRunError(UsageError):
    """A request that names a run which is not served."""


@dataclass
class ServedRun:
    """A run that is loaded, and how to find out whether its folder holds a newer version.

    path: the run as the server was told of it. find_newer: gives the run anew where it was
    replaced, else None.
    """

    path: str
    predictor: Predictor
    find_newer: Callable[[], Predictor | None] | None = None

    @property
    def name(self) -> str:
        """What addresses call it: the name of its folder."""
        return name_run(self.path)

    @property
    def address(self) -> str:
        """The path of its address, without the slash before it: `runs/NAME`."""
        return f"runs/{quote(self.name, safe='')}"

    def take_newest(self) -> Predictor:
        """Return the run as its folder holds it now."""
        newer = self.find_newer() if self.find_newer else None
        if newer is not None:
            self.predictor = newer
        return self.predictor

    def describe_state(self) -> dict[str, Any]:
        """Return which run it is, what it forecasts, and until when its data go."""
        predictor = self.take_newest()
        axis = predictor.axis
        return {
            "run": self.path,
            "series": len(predictor.panel),
            "freq": axis.freq,
            "horizon": predictor.horizon,
            "trained_until": axis.texts(predictor.cutoff.max(keepdims=True))[0],
        }

    def describe(self) -> dict[str, Any]:
        """Return its state with its name, its address, its targets and its verdict."""
        state = self.describe_state()
        predictor = self.predictor
        verdict = predictor.verdict
        return {
            "name": self.name,
            "forecast": f"/{self.address}/forecast",
            **state,
            "target": list(predictor.panel.columns.target),
            "beats_baseline": verdict.beats_baseline if verdict else None,
            "verdict": describe_verdict(verdict) if verdict else [],
        }


def name_run(path: str) -> str:
    """Return the name of a run's folder, as far as it can be written in UTF-8."""
    name = os.path.basename(os.path.abspath(path))  # noqa: PTH100, PTH119 - as it is typed
    return name.encode("utf-8", "replace").decode()


def require_different_names(paths: Sequence[str]) -> None:
    """Raise UsageError where two runs would have the same address."""
    counts = Counter(map(name_run, paths))
    name, count = counts.most_common(1)[0]
    if count == 1:
        return
    same = [path for path in paths if name_run(path) == name]
    raise UsageError(
        f"{count} runs would be served as /runs/{name}: {format_names(list(map(repr, same)))}",
        "name each folder differently, or serve them by servers of their own",
    )


@contextmanager
def as_data_errors() -> Iterator[None]:
    """Raise DataError for whatever else reading a client's table raises."""
    try:
        yield
    except LstmcastError:
        raise
    except READING_ERRORS as error:
        raise DataError(
            "request: its table cannot be understood",
            "send it as CSV, or as JSON with the values written as in the training data",
        ) from error


def forecast_columns(
    predictor: Predictor, wanted: ForecastRequest
) -> tuple[dict[str, Any], list[str]]:
    """Return the columns of a forecast, and notes on the rows that were sent.

    Raises UsageError for what this run cannot forecast, DataError for rows that do not go with it.
    """
    panel = None
    if predictor.probability and wanted.quantiles != DEFAULT_QUANTILE_LEVELS:
        raise UsageError("quantiles: a probability has none", "leave it out")
    if wanted.table is not None:
        known, config = predictor.panel, predictor.config.data
        with as_data_errors():
            panel = Panel.from_table(wanted.table, known.columns, config, like=known)
        panel = with_training_history(panel, known, predictor.context)
    columns = predictor.columns(
        panel, horizon=wanted.horizon, quantiles=wanted.quantiles
    )
    notes = list(panel.notes) if panel else []
    return columns, notes + predictor.describe_recent(panel or predictor.panel)
