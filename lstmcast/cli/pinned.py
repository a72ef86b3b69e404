"""The command line that reads a file as it was read, with nothing left to be found."""

from typing import TYPE_CHECKING, Any

from lstmcast.cli.options import DataOptions, WindowOptions

if TYPE_CHECKING:
    from lstmcast.inspection.findings import Inspection
    from lstmcast.tables.table import Table
    from lstmcast.timeaxis.axis import TimeAxis


def pin_command_line(
    data: str, table: "Table", found: "Inspection", reading: DataOptions, window: WindowOptions
) -> list[str]:
    """Return the words of the `fit` that takes DATA for what was found in it."""
    words = ["lstmcast", "fit", data]
    for role, names in to_role_options(found).items():
        words += [word for name in names for word in (f"--{role}", name)]
    options = {
        **_dialect_options(table),
        **_axis_options(found),
        **_given_options(reading),
        **_given_options(window),
    }
    if options.get("delimiter") == "\t":
        options["delimiter"] = "tab"
    options |= {"season": found.seasons.main, "horizon": found.horizon}
    for name, value in options.items():
        option = name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{option}" if value else f"--no-{option}")
        else:
            words += [
                word
                for text in (value if isinstance(value, list) else [value])
                for word in (f"--{option}", str(text))
            ]
    return words


def to_role_options(found: "Inspection") -> dict[str, tuple[str, ...]]:
    """Return the columns of every role, as options take them."""
    roles = vars(found.panel.columns)
    return {**roles, "time": (",".join(roles["time"]),)}


def _given_options(options: Any) -> dict[str, Any]:
    """Return the options that were given."""
    return {
        name: value
        for name, value in vars(options).items()
        if value != getattr(type(options), name)
    }


def _dialect_options(table: "Table") -> dict[str, Any]:
    if table.source is None:
        return {}
    dialect = table.source.dialect
    return {
        "delimiter": dialect.delimiter,
        "decimal": dialect.decimal,
        "encoding": "utf-8",
        "header": dialect.has_header,
    }


def _axis_options(found: "Inspection") -> dict[str, Any]:
    axis, columns = found.panel.axis, found.panel.columns
    form = _date_format_of(axis) if len(columns.time) == 1 else ""
    return {"freq": axis.freq} | ({"date_format": form} if form else {})


def _date_format_of(axis: "TimeAxis") -> str:
    """Return how times are written, as `--date-format` takes it; nothing where the numbers or types leave no doubt."""
    form = axis.form
    if form.kind == "text":
        return form.layout
    return form.layout if form.kind == "number" and "%" not in form.layout else ""
