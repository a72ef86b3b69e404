"""`lstmcast config show`: the settings in force, each with its origin."""

from typing import Annotated, Any

from typer import Context, Option

from lstmcast.cli import settings
from lstmcast.cli.options import ShowOptions
from lstmcast.cli.show import output

HELP = "Show the settings that files and the environment make."
EXAMPLES = {
    "show": """\
lstmcast config show --origin
lstmcast config show --config runs/price-price > lstmcast.toml"""
}
ShowOrigin = Annotated[
    bool, Option("--origin", help="Say beside each where it comes from; the defaults too.")
]


def show(context: Context, *, origin: ShowOrigin = False, show: ShowOptions) -> None:
    """Show the settings in force, as a file that --config reads.

    Without --origin only what differs from the defaults is shown.
    """
    known = settings.all_options(context.find_root().command)
    layers = settings.read_layers(show.config, known)
    rows = [_describe_setting(name, option, layers) for name, option in sorted(known.items())]
    if show.json:
        shown = {row["name"]: {"value": row["value"], "origin": row["origin"]} for row in rows}
        files = [str(place) for place in settings.settings_paths()]
        output.write_object("config show", {"settings": shown, "files": files})
        return
    lines = [
        _format_setting(row, origin=origin) for row in rows if origin or row["origin"] != "default"
    ]
    output.write_stdout("".join(f"{line}\n" for line in lines).encode(errors="surrogateescape"))


def _describe_setting(
    name: str, option: Any, layers: list[settings.SettingsLayer]
) -> dict[str, Any]:
    layer = next((layer for layer in layers if name in layer.values), None)
    if layer is None:
        told = option.show_default if isinstance(option.show_default, str) else ""
        return {"name": name, "value": option.default, "origin": "default", "told": told}
    return {
        "name": name,
        "value": settings.to_option_value(option, layer.values[name], layer.origin),
        "origin": layer.origin,
    }


def _format_setting(row: dict[str, Any], *, origin: bool) -> str:
    key = row["name"].replace("-", "_")
    line = (
        f"# {key} = " if row["value"] is None else f"{key} = {settings.format_toml(row['value'])}"
    )
    if not origin:
        return line
    told = f": {row['told']}" if row.get("told") and row["value"] is None else ""
    return f"{line:<34}  # {row['origin']}{told}"
