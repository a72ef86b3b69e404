"""Options for how a file is read."""

import re
from dataclasses import dataclass
from typing import Annotated

from lstmcast.cli.options.declare import (
    DEFAULT_INFERRED,
    DEFAULT_NONE,
    READING,
    make_option,
)
from lstmcast.config import BadRows, DataConfig, Duplicates, Fill
from lstmcast.errors import UsageError

_BAD_ROWS_HELP = "Rows with too many or too few cells: error, or skip."
RunBadRows = Annotated[
    BadRows | None, make_option(READING, "POLICY", _BAD_ROWS_HELP, "as in training")
]
"""`--bad-rows` of a command that reads new data as a run's were read."""


@dataclass(frozen=True)
class DataOptions:
    """How a file is understood."""

    freq: Annotated[
        str | None,
        make_option(
            READING,
            "FREQ",
            "Time step: h, D, B, W-SUN, MS, ME, QS, YS, 30min...",
            DEFAULT_INFERRED,
        ),
    ] = None
    tz: Annotated[
        str | None,
        make_option(
            READING,
            "ZONE",
            "Zone of times that name none, and of days: like Europe/Berlin, UTC or +01:00.",
            "as in the data",
        ),
    ] = None
    date_format: Annotated[
        str | None,
        make_option(
            READING,
            "FORMAT",
            "Format of times: like %d/%m/%Y, or the unit of numbers: s, ms, us, ns, excel, years.",
            DEFAULT_INFERRED,
        ),
    ] = None
    delimiter: Annotated[
        str | None,
        make_option(
            READING,
            "CHAR",
            "Separator of the columns in a text file; tab for a tab.",
            DEFAULT_INFERRED,
        ),
    ] = None
    decimal: Annotated[
        str | None,
        make_option(
            READING, "CHAR", "Decimal mark in a text file: . or ,", DEFAULT_INFERRED
        ),
    ] = None
    thousands: Annotated[
        str | None,
        make_option(
            READING,
            "CHAR",
            "Separator of thousands in a text file: , . ' or blank.",
            DEFAULT_NONE,
        ),
    ] = None
    encoding: Annotated[
        str | None,
        make_option(
            READING, "NAME", "Encoding of a text file, such as latin-1.", "utf-8"
        ),
    ] = None
    na: Annotated[
        list[str] | None,
        make_option(
            READING,
            "TEXT",
            "Text or number that means missing, besides empty, NA and null; repeatable.",
            DEFAULT_NONE,
        ),
    ] = None
    # No plain flag: neither form is a third value, and the help says what that means.
    header: Annotated[
        bool | None,
        make_option(
            READING,
            "",
            "Whether the first line of a text file holds the column names.",
            DEFAULT_INFERRED,
            "--header/--no-header",
        ),
    ] = None
    bad_rows: Annotated[BadRows, make_option(READING, "POLICY", _BAD_ROWS_HELP)] = (
        DataConfig.bad_rows
    )
    max_bytes: Annotated[
        str | None,
        make_option(
            READING,
            "SIZE",
            "Largest size that a file may unpack to, such as 16GB.",
            "what fits in memory",
        ),
    ] = None
    duplicates: Annotated[
        Duplicates,
        make_option(
            READING,
            "POLICY",
            "Rows of one series that share a time: error, first, last, mean or sum.",
        ),
    ] = DataConfig.duplicates
    fill: Annotated[
        Fill,
        make_option(
            READING,
            "POLICY",
            "What the network reads where the target is missing: nothing (none), the value before"
            " (forward), a line (linear) or 0 (zero, which is also learnt and scored).",
        ),
    ] = DataConfig.fill
    resample: Annotated[
        str | None,
        make_option(
            READING,
            "RULE:HOW",
            "Aggregate rows to a step, as D:sum; mean, sum, min, max, median, first, last, count.",
            "rows as they are; mean",
        ),
    ] = None

    def config(self) -> DataConfig:
        """Return the same as configuration; raises UsageError for a size that is none."""
        # Without repetitions, in the order given.
        further_words = self.na or ()
        missing_words = dict.fromkeys((*DataConfig.na, *further_words))
        # A shell makes it hard to type a tab.
        is_tab = self.delimiter in ("tab", "\\t")
        delimiter = "\t" if is_tab else self.delimiter
        changes = {
            "na": tuple(missing_words),
            "delimiter": delimiter,
            "max_bytes": parse_size(self.max_bytes),
        }
        return DataConfig(**{**vars(self), **changes})


_MAX_SIZE = 1e18
"""Bytes beyond any memory."""


def parse_size(text: str | None, name: str = "--max-bytes") -> int | None:
    """Return the bytes of a size like 500MB; None for None. Raises UsageError."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?) ?([kMGT]?)i?B?", text.strip(), re.IGNORECASE)
    if not match:
        raise UsageError(
            f"{name} {text!r} is not a size", "give bytes, or a size like 500MB or 16GB"
        )
    number = float(match[1])
    if number > _MAX_SIZE:
        raise UsageError(f"{name} {text!r} is out of range", "give a smaller size")
    unit = match[2].lower()
    if not unit:
        return int(number)
    # Units are decimal: the i of KiB changes nothing.
    power = "kmgt".index(unit) + 1
    return int(number * 1000**power)
