"""`lstmcast config show`: the settings in force, each with its origin."""

from typing import Annotated, Any, NamedTuple

from typer import Context

from lstmcast.cli import settings
from lstmcast.cli.options.declare import GENERAL, make_flag
from lstmcast.cli.options.results import ShowOptions
from lstmcast.cli.show import output

HELP = "Show the settings that files and the environment make."
EXAMPLES = {
    "show": """\
lstmcast config show --origin
lstmcast config show --config runs/price-price > lstmcast.toml"""
}
_DEFAULT_ORIGIN = "default"
ShowOrigin = Annotated[
    bool,
    make_flag(
        GENERAL, "Show the origin of each setting, and the defaults too.", "--origin"
    ),
]


class _Setting(NamedTuple):
    """A setting in force; `meaning` says what a default of None stands for."""

    name: str
    value: Any
    origin: str
    meaning: str = ""


def show(context: Context, *, origin: ShowOrigin = False, show: ShowOptions) -> None:
    """Show the settings in force, as a file that --config reads.

    Without --origin only settings that differ from the defaults are shown.
    """
    known = settings.all_options(context.find_root().command)
    layers = settings.read_layers(show.config, known)
    rows = [
        _find_setting(name, option, layers) for name, option in sorted(known.items())
    ]
    if show.json:
        values = {row.name: {"value": row.value, "origin": row.origin} for row in rows}
        files = [str(path) for path in settings.settings_paths()]
        output.write_object("config show", {"settings": values, "files": files})
        return
    shown = [row for row in rows if origin or row.origin != _DEFAULT_ORIGIN]
    lines = [_format_setting(row, origin=origin) for row in shown]
    output.write_lines(lines, errors="surrogateescape")


def _find_setting(
    name: str, option: Any, layers: list[settings.SettingsLayer]
) -> _Setting:
    """Return an option's value from the strongest layer that sets it, else its default."""
    # The layers come strongest first.
    for layer in layers:
        if name in layer.values:
            value = settings.to_option_value(option, layer.values[name], layer.origin)
            return _Setting(name, value, layer.origin)
    meaning = option.show_default if isinstance(option.show_default, str) else ""
    return _Setting(name, option.default, _DEFAULT_ORIGIN, meaning)


def _format_setting(row: _Setting, *, origin: bool) -> str:
    """Return a setting as a line of TOML, which has no null: a value of None is a comment."""
    key = row.name.replace("-", "_")
    line = (
        f"# {key} = "
        if row.value is None
        else f"{key} = {settings.format_toml(row.value)}"
    )
    if not origin:
        return line
    meaning = f": {row.meaning}" if row.meaning and row.value is None else ""
    return f"{line:<34}  # {row.origin}{meaning}"
