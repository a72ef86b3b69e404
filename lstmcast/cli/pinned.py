"""The command line that reads a file as it was read, with nothing left to be inferred."""

from typing import TYPE_CHECKING, Any

from lstmcast.cli.options.fitting import WindowOptions
from lstmcast.cli.options.reading import DataOptions

if TYPE_CHECKING:
    from lstmcast.inspection.findings import Inspection
    from lstmcast.tables.table import Table
    from lstmcast.timeaxis.axis import TimeAxis


def pin_command_line(
    data: str,
    table: "Table",
    found: "Inspection",
    reading: DataOptions,
    window: WindowOptions,
) -> list[str]:
    """Return the words of a `fit` that names all that was found in DATA as options."""
    from lstmcast.panel.checks import is_binary

    # What the user requested comes after what was inferred, and takes its place.
    options = {
        **_dialect_options(table),
        **_axis_options(found),
        **_requested_options(reading),
        **_requested_options(window),
    }
    if options.get("delimiter") == "\t":
        options["delimiter"] = "tab"
    options |= {"season": found.seasons.main, "horizon": found.horizon}
    if is_binary(found.panel):
        options["loss"] = "bernoulli"  # without it a fit refuses such a target

    words = ["lstmcast", "fit", data]
    for role, names in to_role_options(found).items():
        words += _option_words(role, list(names))
    for name, value in options.items():
        words += _option_words(name.replace("_", "-"), value)
    return words


def to_role_options(found: "Inspection") -> dict[str, tuple[str, ...]]:
    """Return the columns of every role, as the options of the roles take them."""
    roles = vars(found.panel.columns)
    return {**roles, "time": (",".join(roles["time"]),)}


def _option_words(option: str, value: Any) -> list[str]:
    """Return the words that give an option a value; a list repeats the option."""
    if isinstance(value, bool):
        return [f"--{option}" if value else f"--no-{option}"]
    values = value if isinstance(value, list) else [value]
    words: list[str] = []
    for one in values:
        words += [f"--{option}", str(one)]
    return words


def _requested_options(options: DataOptions | WindowOptions) -> dict[str, Any]:
    """Return the options that differ from their defaults."""
    defaults = vars(type(options)())
    return {
        name: value for name, value in vars(options).items() if value != defaults[name]
    }


def _dialect_options(table: "Table") -> dict[str, Any]:
    if table.source is None:
        return {}
    dialect = table.source.dialect
    thousands = {"thousands": dialect.thousands} if dialect.thousands else {}
    return {
        "delimiter": dialect.delimiter,
        "decimal": dialect.decimal,
        **thousands,
        "encoding": "utf-8",
        "header": dialect.has_header,
    }


def _axis_options(found: "Inspection") -> dict[str, Any]:
    from lstmcast.ingest.timetext.split import find_date_parts

    axis = found.panel.axis
    options: dict[str, Any] = {"freq": axis.freq}
    if axis.grid.closed:
        options["closed"] = axis.grid.closed
    # A date that is split into year, month... has no format.
    if not find_date_parts(found.panel.columns.time):
        date_format = _date_format_of(axis)
        if date_format:
            options["date_format"] = date_format
    return options


def _date_format_of(axis: "TimeAxis") -> str:
    """Return the `--date-format` of an axis; empty where numbers or types leave no doubt."""
    from lstmcast.timeaxis.formats import without_spellings

    form = axis.form
    is_unit = form.kind == "number" and "%" not in form.layout
    if form.kind == "text" or is_unit:
        return without_spellings(form.layout)
    return ""
