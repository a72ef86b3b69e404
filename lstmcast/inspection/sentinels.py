"""Numbers that stand for a missing value, such as -999: named, and left to the user to declare.

Axes: n cells of a column.
"""

import re
from dataclasses import dataclass, replace

import numpy as np

from lstmcast.inspection.finding import Certainty, Finding
from lstmcast.ragged import Bools, Floats, Ints
from lstmcast.tables.number_columns import to_float_column
from lstmcast.tables.table import Table

_NINES = re.compile(r"-?9{2,}(\.9+)?|9{2,}0*")
_OTHER_CODES = frozenset({-1.0, 0.0, -2147483648.0, 2147483647.0, -32768.0, 32767.0})
"""Numbers beside nines that programs write where they have none."""
_MIN_CELLS, _MIN_VALUES = 20, 5
_MAX_SHARE = 0.4
"""A number that is more common than this is the usual one."""
_MIN_REPEATS = 3
"""So often a number that is no code stands far from all others, if it means missing."""
_MAX_SENTINELS = 3
_MAKE_EMPTY = "make these cells empty"
"""What to do where no text is read, which `--na` could name."""


@dataclass(frozen=True)
class Sentinel:
    """A number that seems to mean missing, and how often it stands there.

    low, high: the other values lie between them.
    """

    value: float
    count: int
    certainty: Certainty
    low: float
    high: float


def find_sentinels(values: Floats) -> list[Sentinel]:
    """Find numbers among values [n], NaN where missing, that rather mean that there is none."""
    known = values[~np.isnan(values)]
    found: list[Sentinel] = []

    # With one of them out, another may stand apart from what is left.
    for _ in range(_MAX_SENTINELS):
        if len(known) < _MIN_CELLS:
            break
        distinct = np.unique(known)
        if len(distinct) < _MIN_VALUES:
            break

        candidate = _judge_extreme(known, known.min())
        if candidate is None:
            candidate = _judge_extreme(known, known.max())
        if candidate is None:
            break
        found.append(candidate)
        known = known[known != candidate.value]

    if not found:
        return []
    # The others without all of them.
    low = float(known.min())
    high = float(known.max())
    return [replace(one, low=low, high=high) for one in found]


@np.errstate(over="ignore", invalid="ignore")
def _judge_extreme(known: Floats, value: float) -> Sentinel | None:
    """Whether the smallest or the largest of known values [n] stands for a missing one."""
    is_it = known == value
    count = int(is_it.sum())
    rest = known[~is_it]
    if count > _MAX_SHARE * len(known) or _is_on_few_phases(is_it):
        return None

    # Few others may be outliers: their range is that of nearly all of them.
    gap = float(np.abs(rest - value).min())
    low, middle, high = np.quantile(rest, [0.02, 0.5, 0.98])
    rounding = 1e-9 * abs(middle)
    is_far = gap > max(high - low, rounding)

    written = f"{value:.10g}"
    is_code = bool(_NINES.fullmatch(written)) or value in _OTHER_CODES

    # What cannot be negative has no -999, wherever the others lie.
    is_impossible = value < 0 and bool((rest >= 0).all())
    is_impossible_code = is_impossible and value <= -99
    is_whole = bool((rest % 1 == 0).all())
    is_count_below_zero = value == -1 and is_impossible and is_whole

    certainty: Certainty
    if is_code and (is_far or is_impossible_code):
        certainty = "likely"
    elif count >= _MIN_REPEATS and (is_far or is_count_below_zero):
        certainty = "guess"
    else:
        return None

    least = float(rest.min())
    largest = float(rest.max())
    return Sentinel(float(value), count, certainty, least, largest)


def _is_on_few_phases(is_it: Bools) -> bool:
    """Whether a value comes on one or two days of the week only: then it is a closed day."""
    places: Ints = np.flatnonzero(is_it)
    phases = np.unique(places % 7)
    return len(places) >= 6 and len(phases) <= 2


def find_sentinel_cells(table: Table, names: list[str]) -> dict[str, list[Sentinel]]:
    """Sentinels of these columns of numbers, by their names."""
    found = {name: find_sentinels(to_float_column(table, name)) for name in names}
    return {name: sentinels for name, sentinels in found.items() if sentinels}


def describe_sentinels(
    table: Table, sentinels: dict[str, list[Sentinel]]
) -> Finding | None:
    """The finding on numbers that mean missing; None where there are none."""
    if not sentinels:
        return None

    parts, options, figures = [], [], []
    for name, several in sentinels.items():
        for one in several:
            text = _text_of(table, name, one.value)
            times = "once" if one.count == 1 else f"{one.count:,} times"
            others = f"the others lie from {one.low:g} to {one.high:g}"
            parts.append(f"{text} {times} in {name!r}, where {others}")
            if table.is_text:
                options.append(f"--na {text}")
            figures.append(
                {
                    "column": name,
                    "value": one.value,
                    "text": text,
                    "count": one.count,
                    "certainty": one.certainty,
                }
            )

    found = "; ".join(parts[:3])
    if len(parts) > 3:
        found += f"; and {len(parts) - 3} more"

    # The same number may stand in several columns.
    options = list(dict.fromkeys(options))
    todo = _MAKE_EMPTY
    if options:
        todo = " ".join(["say", *options])

    is_guess = any(one["certainty"] == "guess" for one in figures)
    return Finding(
        "sentinel",
        found,
        f"missing? then {todo}",
        {"values": figures, "options": options},
        "guess" if is_guess else "likely",
        ("values that were real",),
    )


def _text_of(table: Table, name: str, value: float) -> str:
    """A number as it stands in the file, which is what --na is compared with."""
    if not table.is_text:
        return f"{value:g}"

    numbers = to_float_column(table, name)
    rows = np.flatnonzero(numbers == value)
    first = int(rows[0])
    cell = table.verbatim(name).iloc[first]
    return str(cell).strip()
