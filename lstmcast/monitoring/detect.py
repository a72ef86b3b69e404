"""Rows that are not as a run expects them, gathered into events.

A row is judged by its own error, by the run of rows that ends in it, see `row_errors`, by what its
series did before, see `evidence`, and by whether it still changes, see `flat_runs`. All of that
becomes one score, and rows that are unusual become events. Knows neither files nor the terminal.

Axes: N series, K rows.
"""

import math
from typing import NamedTuple

import numpy as np

from lstmcast.config import DEFAULT_FALSE_ALARM_RATE
from lstmcast.errors import DataError, UsageError
from lstmcast.forecasting.predictor import Predictor
from lstmcast.monitoring.detection import (
    Detection,
    build_judged_rows,
    describe_new_regimes,
)
from lstmcast.monitoring.evidence.rarity import MIN_NUMBERS, RarityScale
from lstmcast.monitoring.evidence.stream import (
    EvidenceStream,
    ForecastEvidence,
    JudgedRow,
    make_unjudged_row,
)
from lstmcast.monitoring.flat_runs import FlatRunCounter
from lstmcast.monitoring.rates import Alarm, require_rate
from lstmcast.monitoring.row_errors import (
    RowErrorModel,
    RowErrors,
    list_steps,
    look_up_values,
)
from lstmcast.panel.extend import append_new_series, with_training_history
from lstmcast.panel.holdout import split_holdout
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Bools, Floats, Ints

_MIN_HOLDOUT_ROWS = 30
"""Hold-out rows that show how much larger errors are on rows that training has not seen."""
_MIN_HISTORY_ROWS, _MAX_HISTORY_ROWS = 1_000, 4_000
"""Rows of history that are learnt from: twice as many as the rate needs, within these bounds."""
_MIN_SERIES_ROWS = 200
"""Rows of each series among them, where there are many series."""
_MAX_ERROR = 1e9
"""Half-widths beyond which an error is no larger: those of a constant have next to no width."""
_NEVER = -(2**62)
"""Ordinal before any time step: of the end of a training that a series had no part in."""

_SeriesKey = tuple[str, ...]


class _History(NamedTuple):
    """Newest rows of a series of the run: ordinals, values, sizes of errors and runs, [K] each."""

    ordinals: Ints
    values: Floats
    sizes: Floats
    runs: Floats


class Detector:
    """Judges rows as they come, by the forecasts of a run and by what their series did before.

    rate: share of ordinary rows that may open an event. Scales are those of the newest rows of the
    run's own history; with `adapt` they learn from the rows that are judged, each after its row was
    judged. alarm: which rows of an event are flagged. `notes` says where the history was too short.
    `known` is the history that the next rows go on from. Raises UsageError for a rate out of range,
    and for a run that forecasts probabilities.
    """

    def __init__(
        self,
        forecaster: Predictor,
        *,
        rate: float = DEFAULT_FALSE_ALARM_RATE,
        adapt: bool = True,
        alarm: Alarm = "event",
    ) -> None:
        require_rate(rate)
        if forecaster.probability:
            raise UsageError(
                "a run that forecasts probabilities has no intervals to detect anomalies with",
                "fit it with --loss mse",
            )

        self.forecaster = forecaster
        self.rate = rate
        self.adapt = adapt
        self.alarm: Alarm = alarm
        self.known = forecaster.panel
        self.notes: tuple[str, ...] = ()
        self.errors = RowErrorModel(forecaster)
        cutoffs = forecaster.cutoff.tolist()
        self._cutoff = dict(zip(self.known.keys, cutoffs, strict=True))
        self._last_alarms: dict[_SeriesKey, int] = {}
        self._flat_runs = FlatRunCounter(self.known, rate, adapt=adapt)
        self._streams: dict[_SeriesKey, EvidenceStream] = {}
        self._histories = self._learn_history()

    def count_events(self) -> int:
        """How many events were opened so far."""
        return sum(stream.n_events for stream in self._streams.values())

    def judge(self, panel: Panel, *, every: bool = False) -> Detection:
        """Judge the rows of a panel that are newer than the training, and append them to `known`.

        every: have a row in the table for those that are not newer, too, which are not judged.
        """
        memory = self.forecaster.memory
        joined = with_training_history(panel, self.known, memory, since=True)
        first_new = self._first_new_ordinals(joined)
        first = panel.start if every else np.maximum(first_new, panel.start)

        # The joined history begins before these rows: from ordinals to its steps.
        lower = np.clip(first - joined.start, 0, joined.lengths)
        upper = joined.lengths
        series, rows = list_steps(lower, upper)

        # Each of the rows, also as a place on the time axis.
        ordinals = joined.start[series] + rows
        is_new = ordinals >= first_new[series]

        errors = self.errors.measure(joined, lower, upper)
        judged = self._judge_rows(joined, series, rows, errors, is_new)
        columns = {
            **joined.key_columns(series),
            joined.axis.name: joined.axis.stamps(ordinals),
        }
        actual = look_up_values(joined, series, rows)
        table = build_judged_rows(columns, actual, judged, self.alarm)

        # The next rows go on from these.
        if is_new.any():
            self.known = append_new_series(joined, self.known)
        # Trimmed only now and then, since that copies all of it.
        if (self.known.lengths > 2 * memory).any():
            self.known = self.known.tail(memory)

        def name_row(place: int) -> tuple[str, str]:
            [stamp] = joined.axis.texts(ordinals[[place]])
            return "/".join(joined.keys[int(series[place])]), stamp

        regimes = describe_new_regimes(judged, name_row)
        return Detection(table, (*joined.notes, *regimes))

    def is_new(self, panel: Panel) -> bool:
        """Whether every row of a panel is newer than the known rows of its series."""
        place = panel.align(self.known)
        known_ends = self.known.start + self.known.lengths
        is_unknown = place < 0
        is_later = panel.start >= known_ends[place]
        return bool((is_unknown | is_later).all())

    def is_known(self, panel: Panel) -> bool:
        """Whether no row of a panel is newer than the rows that the run was trained on."""
        ends = panel.start + panel.lengths
        is_trained_on = ends <= self._first_new_ordinals(panel)
        return bool(is_trained_on.all())

    def require(self, found: Detection) -> None:
        """Raise DataError where there was nothing to judge."""
        if len(found.rows):
            return

        cutoff = self.forecaster.cutoff.max()
        ordinals = np.array([cutoff])
        (last,) = self.forecaster.axis.texts(ordinals)
        raise DataError(
            f"nothing newer than what the run was trained on, which ends at {last}",
            "give newer rows",
        )

    def _first_new_ordinals(self, panel: Panel) -> Ints:
        """Ordinal of the first step of each series that is newer than its training, [N]."""
        cutoffs = [self._cutoff.get(key, _NEVER) for key in panel.keys]
        last_trained = np.array(cutoffs, dtype=np.int64)
        return last_trained + 1

    def _learn_history(self) -> dict[_SeriesKey, _History]:
        """Measure the newest rows of the history; streams learn from them when they are needed."""
        panel = self.known
        needed = round(1 / self.rate)
        wanted = min(max(2 * needed, _MIN_HISTORY_ROWS), _MAX_HISTORY_ROWS)
        wanted_each = max(-(-wanted // len(panel)), _MIN_SERIES_ROWS)

        # The newest rows of each series, if they can be forecast.
        upper = panel.lengths
        first_forecast = np.minimum(self.errors.warm_up, upper)
        lower = np.maximum(upper - wanted_each, first_forecast)
        errors = self.errors.fit(panel, lower, upper)

        series, rows = list_steps(lower, upper)
        sizes = np.minimum(np.abs(errors.point), _MAX_ERROR)
        factor = self._out_of_sample_factor(series, rows, sizes)

        # What the errors would be, had training not seen these rows.
        sizes = sizes * factor
        runs, _ = self.errors.largest_run_deviations(errors)
        is_observed = ~np.isnan(sizes)
        self.pooled = RarityScale(sizes[is_observed].tolist())
        count = int(is_observed.sum())
        if count < needed:
            self.notes += (self._describe_short_history(count, needed),)

        ordinals = panel.start[series] + rows
        values = look_up_values(panel, series, rows)
        histories = {}
        for number, key in enumerate(panel.keys):
            own = slice(*np.searchsorted(series, [number, number + 1]))
            histories[key] = _History(ordinals[own], values[own], sizes[own], runs[own])
        return histories

    def _describe_short_history(self, count: int, needed: int) -> str:
        effect = "nothing can be flagged"
        if count >= MIN_NUMBERS:
            effect = "scores are extrapolated beyond the errors observed"

        problem = f"{count} rows of history are too few for a rate of {self.rate:g}"
        return f"{problem} ({needed} are needed): {effect}"

    def _stream(self, key: _SeriesKey) -> EvidenceStream:
        """The evidence of a series, which has learnt from its history."""
        stream = self._streams.get(key)
        if stream is not None:
            return stream

        stream = EvidenceStream(self.rate, self.pooled)
        history = self._histories.pop(key, None)
        if history is not None:
            columns = (column.tolist() for column in history)
            for ordinal, value, size, run in zip(*columns, strict=True):
                forecast = ForecastEvidence(size, run, is_stuck=False)
                time = None if np.isnan(value) else ordinal
                stream.judge_row(value, time, forecast)
            stream.forget_events()
        stream.learns = self.adapt
        self._streams[key] = stream
        return stream

    def _out_of_sample_factor(self, series: Ints, rows: Ints, sizes: Floats) -> Floats:
        """How many times larger errors are on hold-out rows than on rows trained on, [K].

        It is 1 for hold-out rows themselves, and where there are too few rows to compare.
        """
        forecaster = self.forecaster
        unchanged = np.ones(len(rows))
        if not any(record["step"] for record in forecaster.history):
            return unchanged  # nothing was trained: all rows are out of sample

        validation = forecaster.config.window.validation
        split = split_holdout(
            self.known, forecaster.horizon, forecaster.season, validation
        )

        # Errors on either side of the end of the training.
        held_out = rows >= split.ends[series]
        observed = ~np.isnan(sizes)
        holdout = sizes[held_out & observed]
        trained = sizes[~held_out & observed]
        if min(len(holdout), len(trained)) < _MIN_HOLDOUT_ROWS:
            return unchanged

        # A series that is forecast without any error has no ratio.
        usual = float(np.median(trained))
        if not usual > 0:
            return unchanged

        ratio = float(np.median(holdout)) / usual
        return np.where(held_out, 1.0, max(1.0, ratio))

    def _judge_rows(
        self, panel: Panel, series: Ints, rows: Ints, errors: RowErrors, is_new: Bools
    ) -> list[JudgedRow]:
        """Judge rows; evidence is looked up, and learnt from, in the order of time."""
        stamps = panel.start[series] + rows
        actual = look_up_values(panel, series, rows)
        runs, run_rows = self.errors.largest_run_deviations(errors)
        judged = [make_unjudged_row("known")] * len(rows)

        # Rows of one time step are judged in the order of the series, so that results are the same
        # whether rows arrive together or one by one.
        in_time = np.lexsort((series, stamps))
        for place in in_time.tolist():
            number = int(series[place])
            key = panel.keys[number]
            stamp = int(stamps[place])
            value = float(actual[place])
            stream = self._stream(key)
            low, high = math.nan, math.nan
            if is_new[place]:
                # The row before was wrong: a forecast that took it for right is not to be trusted.
                if self._last_alarms.get(key) == stamp - 1:
                    row = int(rows[place])
                    self._remeasure(panel, number, row, place, errors)

                forecast = errors.interval.take(place)
                low, high = stream.find_bounds(forecast)
                # Every row counts, also where its series is too young for a forecast.
                is_stuck = self._flat_runs.measure_excess(key, stamp, value) > 1
                size = min(abs(float(errors.point[place])), _MAX_ERROR)
                run = float(runs[place])
                evidence = ForecastEvidence(size, run, is_stuck, int(run_rows[place]))
                time = None if np.isnan(value) else stamp
                judged[place] = stream.judge_row(value, time, evidence)
                self._learn_error(key, stamp, size, judged[place], is_stuck=is_stuck)

            expected = float(errors.interval.expected[place])
            is_bounded = math.isfinite(low) and math.isfinite(high)
            judged[place] = judged[place]._replace(
                expected=expected,
                low=low if is_bounded else math.nan,
                high=high if is_bounded else math.nan,
            )

        return judged

    def _learn_error(
        self,
        key: _SeriesKey,
        stamp: int,
        size: float,
        row: JudgedRow,
        *,
        is_stuck: bool,
    ) -> None:
        """Learn what errors are usual, and where a forecast from a row is not to be trusted."""
        if "error" in row.reasons:
            self._last_alarms[key] = stamp
        # How well a stuck value is forecast says nothing of ordinary rows.
        if self.adapt and not is_stuck and np.isfinite(size):
            self.pooled.learn(size)

    def _remeasure(
        self, panel: Panel, series: int, row: int, place: int, errors: RowErrors
    ) -> None:
        """Measure a row after an alarm by a forecast that has not seen the alarm, if it is nearer.

        The forecast from the row of the alarm took a wrong value for a right one. Changes
        `errors` at `place`.
        """
        origin = row - 2
        if origin < self.errors.warm_up - 1:
            return

        interval, errors_past_alarm = self.errors.measure_past_alarm(panel, series, row)
        error = errors_past_alarm[0]
        if abs(error) < abs(errors.point[place]):
            for column, nearer in zip(errors.interval, interval, strict=True):
                column[place] = nearer[0]
            errors.point[place] = error


def detect(
    forecaster: Predictor,
    panel: Panel,
    *,
    rate: float = DEFAULT_FALSE_ALARM_RATE,
    adapt: bool = True,
    alarm: Alarm = "event",
) -> Detection:
    """Judge the rows of `panel` that are newer than the forecaster's training, see `Detector`.

    Raises DataError where no row is newer, and UsageError for a rate out of range or a run that
    forecasts probabilities.
    """
    detector = Detector(forecaster, rate=rate, adapt=adapt, alarm=alarm)
    found = detector.judge(panel)
    detector.require(found)
    notes = (*found.notes, *detector.notes)
    return Detection(found.rows, notes)
