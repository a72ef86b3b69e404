"""The rows of a series judged as they come: how unusual each is, why, and which event it opens.

    value -> measures -> rarity of each -> combined -> likelihood -> event

Nothing is labelled, and nothing but rows of the same series before it decides about a row.
"""

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from lstmcast.monitoring.evidence.interruptions import GapFinder, StuckCounter
from lstmcast.monitoring.evidence.measures import (
    MEASURES,
    ROWS_MEASURED,
    Reference,
    RowMeasures,
)
from lstmcast.monitoring.evidence.rarity import RarityScale
from lstmcast.monitoring.rates import require_rate

MIN_HISTORY_ROWS = 50
"""Rows of a series before the first that is judged."""
MAX_CALM_ROWS, MIN_CALM_ROWS = 100, 5
"""Rows without anything unusual that close an event, by the rate: so few that a row which is
unusual by chance comes among them once in ten events."""
_CHANCE_IN_CALM = 0.1
NEW_REGIME_ROWS = 1_000
"""Rows of an event after which it counts as the new state of things, and is closed."""
_COMBINATION_POWER = 3
"""Power of the norm that combines rarities: between their sum (1) and the largest (infinite)."""
_DAMPING = 0.5
"""What the evidence of a row counts in an event that has shown stronger evidence already."""
_ESCALATION = 1.0
"""Evidence beyond the limit, as a multiple of the strongest so far, that opens an event of its own:
a spike then does, and twenty kinds of ordinary series do not open more of them."""
_DECADES, _EVIDENCE = (0.0, 1.0, 2.0, 3.0), (0.0, 1.0, 2.3, 4.0)
_EVIDENCE_PER_DECADE = 2.0
"""Combined evidence by how rare it is, 3 for once in 1,000 rows, and for each further decade:
several measures are looked at, and the largest of them is taken, so it is less rare than it looks.
Fitted to how often ordinary invented series of twenty kinds open an event, so that it is about as
often as the rate."""
_DOUBT_ROWS, _LONG_PAST_ROWS = 150.0, 500
"""Evidence that is taken off, times the rows that are known, and how many of these are enough."""
LEAST_RANGE_SCALE = 0.05
"""Least scale of how far a new extreme lies beyond the others, as a share of their range."""
SINGLE_ROW_MEASURES = ("error", "change", "level", "range")
"""Measures that a row sets by itself; the others take it together with the rows before it."""
MIN_ROWS_WITH_FORECASTS = 200
"""Rows of a series until which, where it is forecast, its forecasts alone decide: their errors are
known from other series, too, and the other measures still are not."""
_REASON_SHARE = 0.6
"""Measures at least so rare, relative to the rarest, are the reasons for an alarm."""
_MIN_COUNTER_RISES = 0.5
"""Share of the first rows that rise, of a series that never falls, for it to be a counter."""
_STATE_VERSION = 1


class ForecastEvidence(NamedTuple):
    """What forecasts say of a row, NaN where there is none.

    error: distance to the forecast from the row before, in half-widths of its interval. run: how
    far the rows up to this one strayed together from forecasts made before them, and run_rows how
    many rows these are. is_stuck: whether the value has not changed for longer than it ever did.
    """

    error: float
    run: float
    is_stuck: bool
    run_rows: int = 1


class JudgedRow(NamedTuple):
    """What was found of a row.

    likelihood: 1 minus the share of ordinary rows that are as unusual; NaN where the row was not
    judged. evidence: the same on a logarithmic scale, 3 for once in 1,000 rows. expected: the value
    before it. low, high: see `EvidenceStream.find_bounds`. event: number of the event that
    the row belongs to, 0 for none. opens: whether it opens that event. reasons: what is unusual,
    strongest first. kind: value, stuck or gap in an event; warm-up or missing of a row that was not
    judged. is_new_regime: whether the event before was closed because it lasted so long.
    """

    likelihood: float
    evidence: float
    expected: float
    low: float
    high: float
    event: int
    opens: bool
    reasons: tuple[str, ...]
    kind: str
    is_new_regime: bool


class EvidenceStream:
    """Judges the rows of one series as they come.

    rate: share of ordinary rows that may open an event. errors: how rare errors of forecasts are,
    where rows come with their forecasts: a young series is judged by it. `learns`: whether scales
    go on learning from the rows that are judged. `n_events`: events opened so far.

    A series that never falls and mostly rises in its first 50 rows is a counter, and judged by its
    increments.

    Raises UsageError for a rate out of range.
    """

    def __init__(self, rate: float, errors: RarityScale | None = None) -> None:
        require_rate(rate)
        self.rate = rate
        self.learns = True
        self.is_counter = False
        self._errors = errors
        self._first: list[float] = []
        self._first_forecasts: list[ForecastEvidence | None] = []
        self._n_judged = 0
        self._measures = RowMeasures()
        self._scales = {name: _make_scale(name) for name in MEASURES}
        if errors is not None:
            self._scales |= {name: _make_scale(name) for name in ("error", "run")}
        self._stuck = StuckCounter(rate)
        self._gaps = GapFinder()
        self._last_value = math.nan
        self.n_events = 0
        self._was_stuck = False
        self._close_event()

    def judge_row(
        self,
        value: float,
        time: float | None = None,
        forecast: ForecastEvidence | None = None,
    ) -> JudgedRow:
        """Judge the next row, NaN for a missing value, and learn from it.

        time: of the row, in any unit, where gaps between rows count. forecast: what a network says
        of the row; the result then has no bounds, which lie around that forecast.
        """
        after_gap = time is not None and self._gaps.is_after_gap(time)
        if not math.isfinite(value):
            return make_unjudged_row("missing")

        expected = low = high = math.nan
        if forecast is None:
            base = self._last_value if self.is_counter else 0.0
            expected = base + self._measures.last
            low, high = self.find_bounds()
        is_stuck = self._is_stuck(value, forecast)
        rarities, combined = self._find_evidence(value, is_stuck, forecast)
        self._last_value = value
        if not rarities:
            return make_unjudged_row("warm-up")

        row = self._update_event(combined, is_stuck, after_gap)
        if row.kind == "value":
            run_rows = 1 if forecast is None else forecast.run_rows
            row = row._replace(reasons=_describe_reasons(rarities, run_rows))
        return row._replace(expected=expected, low=low, high=high)

    def _is_stuck(self, value: float, forecast: ForecastEvidence | None) -> bool:
        if forecast is not None:
            return forecast.is_stuck
        return self._stuck.is_stuck(value)

    def _find_evidence(
        self, value: float, is_stuck: bool, forecast: ForecastEvidence | None
    ) -> tuple[dict[str, float], float]:
        """Rarity of each measure of a row, and all of them combined; the row is learnt from.

        There is none where the row cannot be judged.
        """
        by_errors = self._errors if self._is_young else None
        rarities: dict[str, float] = {}
        combined = 0.0
        if self._is_warm:
            base = self._last_value if self.is_counter else 0.0
            rarities = self._learn(value - base, is_stuck, forecast)
            combined = max(_combine_rarities(rarities) - self._doubt, 0.0)
            self._n_judged += 1
        else:
            self._warm_up(value, forecast)

        if forecast is None:
            return rarities, combined
        if not math.isfinite(forecast.error):
            return {}, 0.0
        if by_errors is not None:
            # A single measure is as rare as it is: none was chosen among several.
            rarity = by_errors.measure_rarity(forecast.error)
            return {"error": rarity}, _find_evidence_of(rarity)
        return rarities, combined

    @property
    def _n_known(self) -> int:
        return len(self._first) + self._n_judged

    @property
    def _doubt(self) -> float:
        """Evidence that is taken off: of a short past, and of more measures than were fitted to."""
        more = len(self._scales) / len(MEASURES)
        return _doubt_short_past(self._n_known) + _EVIDENCE_PER_DECADE * math.log10(
            more
        )

    @property
    def _is_young(self) -> bool:
        return self._n_known < MIN_ROWS_WITH_FORECASTS

    def find_bounds(self, forecast: Reference | None = None) -> tuple[float, float]:
        """The values that the next row lies between, unless it is unusual by itself.

        What counts is the row's change, level, range and, with a forecast, its error: outside of
        the bounds they are evidence enough for an event, whatever the rows before were. forecast:
        the median, and the half-widths of the interval. The bounds are infinite while nothing is
        known.
        """
        if forecast is not None and self._is_young and self._errors is not None:
            limit = self._errors.find_limit(-math.log10(self.rate))
            low = forecast.low - limit * forecast.below
            return low, forecast.high + limit * forecast.above
        if not self._is_warm:
            return -math.inf, math.inf

        references = self._measures.find_references()
        if forecast is not None:
            references["error"] = forecast
        needed = find_evidence_limit(self.rate) + self._doubt
        low, high = -math.inf, math.inf
        # One measure is evidence enough where it is as rare as needed, several together where they
        # are less so: of `count` that are equally rare, the nearest bounds are those of the last.
        for count in range(1, len(references) + 1):
            rarity = needed / count ** (1 / _COMBINATION_POWER)
            lows, highs = [], []
            for name, reference in references.items():
                limit = self._scales[name].find_limit(rarity)
                lows.append(reference.low - limit * reference.below)
                highs.append(reference.high + limit * reference.above)
            low = max(low, sorted(lows)[-count])
            high = min(high, sorted(highs)[count - 1])
        base = self._last_value if self.is_counter else 0.0
        return base + low, base + high

    def _warm_up(self, value: float, forecast: ForecastEvidence | None) -> None:
        """Keep one of the first rows; the last of them are learnt from together."""
        self._first.append(value)
        self._first_forecasts.append(forecast)
        if len(self._first) < MIN_HISTORY_ROWS:
            return

        pairs = zip(self._first, self._first[1:], strict=False)
        rises = [after - before for before, after in pairs]
        share_of_rises = sum(rise > 0 for rise in rises) / len(rises)
        never_falls = min(rises) >= 0
        self.is_counter = never_falls and share_of_rises >= _MIN_COUNTER_RISES
        numbers, forecasts = self._first, self._first_forecasts
        if self.is_counter:
            numbers, forecasts = rises, forecasts[1:]
        for number, one in zip(numbers, forecasts, strict=True):
            self._learn(number, False, one)

    def _learn(
        self, number: float, is_stuck: bool, forecast: ForecastEvidence | None
    ) -> dict[str, float]:
        """Rarity of each measure of the next number; all are learnt from.

        Not so where forecasts follow a stuck value: how well they do says nothing of others.
        """
        measured = self._measures.measure_row(number)
        if forecast is not None:
            by_forecasts = {"error": forecast.error, "run": forecast.run}
            # What was not forecast is not measured either.
            for name, measure in by_forecasts.items():
                if math.isfinite(measure):
                    measured[name] = measure

        rarities = {}
        is_learnt = self.learns and not (is_stuck and forecast)
        for name, measure in measured.items():
            scale = self._scales[name]
            rarities[name] = scale.measure_rarity(measure)
            if is_learnt:
                scale.learn(measure)
        return rarities

    def forget_events(self) -> None:
        """Begin to count events anew, with none open: after a history that is only learnt from."""
        self.n_events = 0
        self._close_event()

    def _close_event(self) -> None:
        self._is_open = False
        self._has_interruption = False
        self._peak = 0.0
        self._calm = 0
        self._age = 0

    def _update_event(
        self,
        combined: float,
        is_stuck: bool,
        after_gap: bool,
    ) -> JudgedRow:
        """Open, keep open or close an event by the evidence of a row."""
        limit = find_evidence_limit(self.rate)
        is_unusual = combined >= limit
        begins_stuck = is_stuck and not self._was_stuck
        self._was_stuck = is_stuck

        is_new_regime = False
        calm_rows = self._calm
        if self._is_open:
            self._age += 1
            self._calm = 0 if is_unusual or is_stuck else self._calm + 1
            is_new_regime = self._age > NEW_REGIME_ROWS and not is_stuck
            if self._calm > count_calm_rows(self.rate) or is_new_regime:
                self._close_event()

        # An interruption joins an open event that was unusual a few rows ago, or that has had an
        # interruption already: so one failure raises one alarm.
        is_calm = calm_rows > MIN_CALM_ROWS and not self._has_interruption
        is_apart = not self._is_open or is_calm
        is_interrupted = begins_stuck or after_gap
        begins = (is_interrupted and is_apart) or (is_unusual and not self._is_open)
        # Something far stronger than what an open event has shown is an event of its own.
        escalates = self._is_open and combined >= limit + _ESCALATION * self._peak
        opens = begins or escalates
        # What an open event has shown already is not shown again by weaker evidence.
        counted = combined
        if self._is_open and combined <= self._peak:
            counted = _DAMPING * combined
        if opens:
            self._close_event()
            self._is_open = True
            self.n_events += 1
        if self._is_open:
            # An interruption is certain by itself, whatever the values are.
            shown = max(combined, limit) if is_interrupted else combined
            self._peak = max(self._peak, shown)
            self._has_interruption |= is_interrupted

        if opens and not is_unusual:
            counted = limit
        evidence = _calibrate_evidence(counted)
        belongs = self._is_open and (is_unusual or is_stuck or after_gap)
        kind = ""
        if belongs:
            kind = "stuck" if is_stuck else "gap" if after_gap else "value"
        return JudgedRow(
            likelihood=1 - 10**-evidence,
            evidence=evidence,
            expected=math.nan,
            low=math.nan,
            high=math.nan,
            event=self.n_events if belongs else 0,
            opens=opens,
            reasons=(kind,) if belongs else (),
            kind=kind,
            is_new_regime=is_new_regime,
        )

    def to_state(self) -> dict[str, Any]:
        """All that is remembered of rows without forecasts, as JSON can hold it.

        `from_state` goes on from it.
        """
        last = self._last_value
        return {
            "version": _STATE_VERSION,
            "rate": self.rate,
            "is_counter": self.is_counter,
            "first": self._first,
            "judged": self._n_judged,
            "measures": self._measures.to_state() if self._is_warm else None,
            "scales": {name: scale.numbers for name, scale in self._scales.items()},
            "stuck": self._stuck.to_state(),
            "gaps": self._gaps.to_state(),
            "last_value": last if math.isfinite(last) else None,
            "events": self.n_events,
            "is_open": self._is_open,
            "has_interruption": self._has_interruption,
            "peak": self._peak,
            "calm": self._calm,
            "age": self._age,
            "was_stuck": self._was_stuck,
        }

    @property
    def _is_warm(self) -> bool:
        return len(self._first) >= MIN_HISTORY_ROWS

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "EvidenceStream":
        """Go on from what `to_state` gave, as if there had been no break."""
        stream = cls(state["rate"])
        stream.is_counter = state["is_counter"]
        stream._first = list(state["first"])
        stream._first_forecasts = [None] * len(stream._first)
        stream._n_judged = state["judged"]
        if state["measures"]:
            stream._measures = RowMeasures.from_state(state["measures"])
        for name, numbers in state["scales"].items():
            stream._scales[name] = _make_scale(name, numbers)
        stream._stuck = StuckCounter.from_state(state["stuck"], stream.rate)
        stream._gaps = GapFinder.from_state(state["gaps"])
        if state["last_value"] is not None:
            stream._last_value = state["last_value"]
        stream.n_events = state["events"]
        stream._is_open = state["is_open"]
        stream._has_interruption = state["has_interruption"]
        stream._peak = state["peak"]
        stream._calm = state["calm"]
        stream._age = state["age"]
        stream._was_stuck = state["was_stuck"]
        return stream


def make_unjudged_row(kind: str) -> JudgedRow:
    """Make the result of a row that could not be judged, or was not to be."""
    nothing = math.nan
    return JudgedRow(
        nothing, nothing, nothing, nothing, nothing, 0, False, (), kind, False
    )


def count_calm_rows(rate: float) -> int:
    """Rows without anything unusual that close an event."""
    rows = round(_CHANCE_IN_CALM / rate)
    return min(max(rows, MIN_CALM_ROWS), MAX_CALM_ROWS)


def find_evidence_limit(rate: float) -> float:
    """The combined evidence that opens an event in this share of ordinary rows at most."""
    return _find_evidence_of(-math.log10(rate))


def _find_evidence_of(decades: float) -> float:
    """The combined evidence that is as rare as this, 3 for once in 1,000 rows."""
    beyond = max(decades - _DECADES[-1], 0.0)
    known = float(np.interp(decades, _DECADES, _EVIDENCE))
    return known + _EVIDENCE_PER_DECADE * beyond


def _calibrate_evidence(combined: float) -> float:
    """Combined evidence as the negative decimal logarithm of a share of ordinary rows."""
    beyond = max(combined - _EVIDENCE[-1], 0.0)
    known = float(np.interp(combined, _EVIDENCE, _DECADES))
    return known + beyond / _EVIDENCE_PER_DECADE


def _make_scale(name: str, numbers: Iterable[float] = ()) -> RarityScale:
    """Make the scale of a measure; most rows of a short past set no new extreme, some do."""
    return RarityScale(numbers, LEAST_RANGE_SCALE if name == "range" else 1e-12)


def _doubt_short_past(n_known: int) -> float:
    """Evidence that is taken off while the past is short: its tails are hardly known."""
    return max(_DOUBT_ROWS / n_known - _DOUBT_ROWS / _LONG_PAST_ROWS, 0.0)


def _combine_rarities(rarities: dict[str, float]) -> float:
    """Combine rarities into one number: strong in one of them, or fairly strong in several."""
    powers = [rarity**_COMBINATION_POWER for rarity in rarities.values()]
    combined: float = math.fsum(powers) ** (1 / _COMBINATION_POWER)
    return combined


def _describe_reasons(rarities: dict[str, float], run_rows: int) -> tuple[str, ...]:
    """The measures that make a row unusual, the rarest first, with the rows that they look at."""
    ordered = sorted(rarities, key=lambda name: -rarities[name])
    least = _REASON_SHARE * rarities[ordered[0]]
    rows_of = ROWS_MEASURED | {"run": run_rows}
    reasons = []
    for name in ordered:
        if rarities[name] >= least:
            rows = rows_of.get(name, 1)
            reasons.append(name if rows == 1 else f"{name} of {rows} rows")
    return tuple(reasons)
