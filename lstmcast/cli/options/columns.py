"""Options for the roles of columns, and for what the network reads besides them."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from lstmcast.cli.options.complete import complete_column, read_column_names
from lstmcast.cli.options.declare import (
    COLUMNS,
    DEFAULT_INFERRED,
    DEFAULT_NONE,
    make_flag,
    make_option,
)
from lstmcast.config import Columns, InputConfig
from lstmcast.panel.frames.known_names import find_known_target


def _column_option(
    text: str, default: str = DEFAULT_NONE, names: tuple[str, ...] = ()
) -> object:
    return make_option(
        COLUMNS, "COL", text, default, *names, autocompletion=complete_column
    )


class RoleOptions:
    """What columns are, by role; the fields of a subclass are the options of the roles."""

    target: list[str] | None

    def roles(self, data: str = "") -> Columns:
        """Return the columns by role; raises UsageError without a target.

        data: the file, in which a column `y` or `target` is the target where none is named.
        `cli.data.find_roles` finds the target where there is but one column of numbers, too.
        """
        requested = self.requested()
        target = requested.get("target") or _find_known_target(data)
        # A target that is not there is refused by `Columns`, with a hint.
        return Columns(**requested | {"target": target})

    def known_roles(self, data: str) -> Columns | None:
        """Return the columns by role; None where neither option nor name says the target."""
        is_known = bool(self.target or _find_known_target(data))
        return self.roles(data) if is_known else None

    def requested(self) -> dict[str, tuple[str, ...]]:
        """Return only the roles that the command line names, each with its columns."""
        roles = {role: tuple(names) for role, names in vars(self).items() if names}
        time = roles.get("time", ())
        # A date that is split over columns is one option with commas, or the option repeated.
        if len(time) == 1:
            parts = time[0].split(",")
            roles["time"] = tuple(part.strip() for part in parts)
        return roles


@dataclass(frozen=True)
class ColumnOptions(RoleOptions):
    """The columns of DATA, by role."""

    target: Annotated[
        list[str] | None,
        _column_option(
            "Column to forecast; repeat it for several, each a series.",
            "the only column of numbers",
            ("--target", "-t"),
        ),
    ] = None
    time: Annotated[
        list[str] | None,
        _column_option(
            "Column of times; year,month,day if split; none: rows are in order.",
            DEFAULT_INFERRED,
        ),
    ] = None
    series: Annotated[
        list[str] | None,
        _column_option(
            "Column that names the series of a panel; repeatable.",
            names=("--series", "-s"),
        ),
    ] = None
    past: Annotated[
        list[str] | None,
        _column_option("Covariate known up to now; repeatable."),
    ] = None
    future: Annotated[
        list[str] | None,
        _column_option("Covariate known ahead, such as holidays; repeatable."),
    ] = None
    static: Annotated[
        list[str] | None,
        _column_option("Covariate with one value per series; repeatable."),
    ] = None


@dataclass(frozen=True)
class WatchOptions(RoleOptions):
    """The columns of DATA that is judged without a run."""

    target: Annotated[
        list[str] | None,
        _column_option(
            "Column to judge, where there is no RUN; repeat it for several, each a series.",
            "the only column of numbers",
            ("--target", "-t"),
        ),
    ] = None
    time: Annotated[
        list[str] | None,
        _column_option(
            "Column of times, where there is no RUN; none: rows are in order.",
            DEFAULT_INFERRED,
        ),
    ] = None
    series: Annotated[
        list[str] | None,
        _column_option(
            "Column that names the series, where there is no RUN; repeatable.",
            names=("--series", "-s"),
        ),
    ] = None


def _find_known_target(data: str) -> tuple[str, ...]:
    """The column of a file whose name says that it is the target; none of what is not a file."""
    names = read_column_names(data)
    if data.endswith(".parquet") and Path(data).is_file():
        from pyarrow import ArrowException  # slow to import
        from pyarrow.parquet import read_schema

        # What is wrong with the file is said where it is read.
        with suppress(ArrowException, OSError):
            names = read_schema(data).names
    target = find_known_target(names)
    return () if target is None else (target,)


@dataclass(frozen=True)
class InputOptions:
    """What the network reads besides the columns."""

    calendar: Annotated[
        bool,
        make_flag(
            COLUMNS,
            "Add hour, day and month, where they matter, as inputs.",
            "--calendar",
        ),
    ] = False
    holidays: Annotated[
        str | None,
        make_option(
            COLUMNS,
            "COUNTRY",
            "Add the holidays of a country: DE, or DE-BY for a part of it.",
            DEFAULT_NONE,
        ),
    ] = None
    joint: Annotated[
        bool,
        make_flag(
            COLUMNS, "Forecast each target from the past of the others too.", "--joint"
        ),
    ] = False

    def config(self) -> InputConfig:
        """Return the same as configuration."""
        return InputConfig(**vars(self))
