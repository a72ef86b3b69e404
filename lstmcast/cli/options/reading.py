"""Options for how a file is read."""

import re
from dataclasses import dataclass, replace
from typing import Annotated, Any

from lstmcast.cli.options.declare import (
    DEFAULT_INFERRED,
    DEFAULT_NONE,
    READING,
    make_option,
)
from lstmcast.config import BadRows, DataConfig, Duplicates, Ended, Fill, Last
from lstmcast.errors import UsageError

_BAD_ROWS_HELP = "Rows with too many or too few cells: error, or skip."


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
            "Zone of times that name none, and of days: like Europe/Berlin, UTC or +01:00;"
            " UTC:Europe/London for times in UTC and days of London.",
            "as in the data",
        ),
    ] = None
    date_format: Annotated[
        str | None,
        make_option(
            READING,
            "FORMAT",
            "Format of times: like %d/%m/%Y, pt:%b-%y with names in Portuguese,"
            " or the unit of numbers: s, ms, us, ns, excel, years.",
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
    last: Annotated[
        Last,
        make_option(
            READING,
            "POLICY",
            "Newest values: auto (unlikely ones do not count in forecasts), keep (all count), "
            "or drop (the last one of each series is missing).",
        ),
    ] = DataConfig.last
    resample: Annotated[
        str | None,
        make_option(
            READING,
            "RULE:HOW",
            "Aggregate rows to a step, as D:sum; mean, sum, min, max, median, first, last, count.",
            "rows as they are; mean",
        ),
    ] = None

    snap: Annotated[
        bool | None,
        make_option(
            READING,
            "",
            "Whether rows move to the nearest regular step.",
            "where all miss it by a tenth at most",
            "--snap/--no-snap",
        ),
    ] = None
    closed: Annotated[
        str,
        make_option(
            READING,
            "TIMES",
            "Times without steps: sun, 0-9, 'sat 13-24', nov-mar; none; auto: those never seen.",
        ),
    ] = DataConfig.closed
    ended: Annotated[
        Ended,
        make_option(
            READING,
            "POLICY",
            "Series that end before the others: keep, drop, or extend to the newest end.",
        ),
    ] = DataConfig.ended

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


def _make_run_option(metavar: str, text: str, *names: str) -> Any:
    """Declare an option that stands for what a run was fitted with, where it is not given."""
    return make_option(READING, metavar, text, "as in training", *names)


@dataclass(frozen=True)
class RunDataOptions:
    """How new data of a run are read, where that differs from its training.

    What the steps are is the run's own: these options change how rows are found, not what they
    mean.
    """

    tz: Annotated[
        str | None, _make_run_option("ZONE", "Zone of times that name none.")
    ] = None
    date_format: Annotated[
        str | None, _make_run_option("FORMAT", "Format of times: like %d/%m/%Y.")
    ] = None
    delimiter: Annotated[
        str | None, _make_run_option("CHAR", "Separator of the columns; tab for a tab.")
    ] = None
    decimal: Annotated[
        str | None, _make_run_option("CHAR", "Decimal mark in a text file: . or ,")
    ] = None
    thousands: Annotated[
        str | None, _make_run_option("CHAR", "Separator of thousands in a text file.")
    ] = None
    encoding: Annotated[
        str | None, _make_run_option("NAME", "Encoding of a text file.")
    ] = None
    na: Annotated[
        list[str] | None,
        _make_run_option("TEXT", "Further text that means missing; repeatable."),
    ] = None
    header: Annotated[
        bool | None,
        _make_run_option(
            "",
            "Whether the first line of a text file holds the column names.",
            "--header/--no-header",
        ),
    ] = None
    bad_rows: Annotated[BadRows | None, _make_run_option("POLICY", _BAD_ROWS_HELP)] = (
        None
    )
    max_bytes: Annotated[
        str | None,
        _make_run_option("SIZE", "Largest size that a file may unpack to."),
    ] = None
    duplicates: Annotated[
        Duplicates | None,
        _make_run_option(
            "POLICY",
            "Rows of one series that share a time: error, first, last, mean or sum.",
        ),
    ] = None
    snap: Annotated[
        bool | None,
        _make_run_option(
            "", "Whether rows move to the nearest regular step.", "--snap/--no-snap"
        ),
    ] = None
    ended: Annotated[
        Ended | None,
        _make_run_option(
            "POLICY", "Series that end before the others: keep, drop or extend."
        ),
    ] = None

    def given(self) -> dict[str, Any]:
        """Return the options that were given, by name."""
        return {name: value for name, value in vars(self).items() if value is not None}

    def apply(self, config: DataConfig) -> DataConfig:
        """Return how a run was read, with the options that were given in their place.

        Raises UsageError for a size that is none.
        """
        changes = self.given()
        if "na" in changes:
            changes["na"] = tuple(dict.fromkeys((*config.na, *changes["na"])))
        if "max_bytes" in changes:
            changes["max_bytes"] = parse_size(self.max_bytes)
        if self.delimiter in ("tab", "\\t"):
            changes["delimiter"] = "\t"
        return replace(config, **changes)


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
