"""Where the value of an option comes from when no flag gives it: the environment, then files, then the default.

    flags > LSTMCAST_* > --config FILE, or else ./lstmcast.toml > the user's file > defaults

Works on the options as the commands declare them: an option that is added anywhere can be set
everywhere. Knows no setting by its name but the few that belong to one call only.
"""

import dataclasses
import json
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints

from typer import Context

from lstmcast.config import Columns, Config
from lstmcast.errors import UsageError, suggest_similar

SETTINGS_FILE = "lstmcast.toml"
VARIABLE_PREFIX = "LSTMCAST_"
PER_CALL_OPTIONS = {
    *(
        "help",
        "version",
        "config",
        "debug",
        "json",
        "output",
        "out",
        "force",
        "resume",
        "dry-run",
        "plot",
        "origin",
    ),
    *("study", "param"),
}
"""Options that belong to one call: a place to write to, an act. No file or variable sets them."""
CONFIG_SECTIONS = {"columns": Columns} | get_type_hints(Config)
"""Headings under which settings may stand, as in a run's configuration."""
_ORIGINS_KEY = "lstmcast.origins"
_BOOLEAN_WORDS = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
}


class SettingsLayer(NamedTuple):
    """Values by option, all from one place."""

    origin: str
    values: dict[str, Any]


def option_name(option: Any) -> str:
    """Return the name by which an option is set in files: its longest flag without dashes, as in `batch-size`."""
    return str(max(option.opts, key=len)).lstrip("-")


def environment_variable(option: Any) -> str:
    """Return the environment variable of an option; empty where there is none."""
    name = option_name(option)
    return "" if name in PER_CALL_OPTIONS else VARIABLE_PREFIX + name.replace("-", "_").upper()


def options_of(command: Any) -> dict[str, Any]:
    """Return the options of a command that can be set, by name."""
    options = (one for one in command.params if one.param_type_name == "option")
    return {name: one for one in options if (name := option_name(one)) not in PER_CALL_OPTIONS}


def all_options(root: Any) -> dict[str, Any]:
    """Return the options of all commands that can be set, by name; of one that several have, the first."""
    found: dict[str, Any] = {}
    for command in iter_commands(root):
        found = options_of(command) | found
    return found


def iter_commands(command: Any) -> Iterator[Any]:
    """Give the commands of a tree of commands, groups left out."""
    children = getattr(command, "commands", None)
    if children is None:
        yield command
    for child in (children or {}).values():
        yield from iter_commands(child)


def load_settings(context: Context, file: str | None) -> str | None:
    """Let a command's options take what no flag gives from the environment and from files: callback of `--config`."""
    if context.resilient_parsing:
        return file
    known, own = all_options(context.find_root().command), options_of(context.command)
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for layer in reversed(read_layers(file, known)):
        for name in layer.values.keys() & own.keys():
            values[own[name].name] = to_option_value(own[name], layer.values[name], layer.origin)
            origins[own[name].name] = layer.origin
    context.default_map = {**(context.default_map or {}), **values}
    context.meta[_ORIGINS_KEY] = origins
    return file


def read_layers(file: str | None, known: Mapping[str, Any]) -> list[SettingsLayer]:
    """Return all that is set outside the command line, strongest first. Raises UsageError for an unknown key."""
    found = [
        SettingsLayer(f"{VARIABLE_PREFIX}{name.replace('-', '_').upper()}", {name: text})
        for name, text in _read_environment(known)
    ]
    if file is not None:
        return [*found, read_layer(file, known)]
    return [
        *found,
        *(read_layer(str(place), known) for place in settings_paths() if place.is_file()),
    ]


def settings_paths() -> list[Path]:
    """Return where settings are looked for, the nearest first."""
    base = os.environ.get("XDG_CONFIG_HOME") or ""
    home = os.environ.get("HOME") or ""
    user = Path(base) if Path(base).is_absolute() else Path(home, ".config") if home else None
    return [Path(SETTINGS_FILE), *([user / "lstmcast" / SETTINGS_FILE] if user else [])]


def read_layer(file: str, known: Mapping[str, Any]) -> SettingsLayer:
    """Read settings from TOML, or from a run, its run.json or other JSON of that form. Raises UsageError."""
    place = Path(file)
    if place.is_dir() or place.name == "run.json":
        from lstmcast.runs.directory import open_run

        manifest = open_run(place if place.is_dir() else place.parent).manifest
        return SettingsLayer(file, _settings_of_run(manifest, known))
    try:
        text = place.read_text(encoding="utf-8-sig")
        content = json.loads(text) if place.suffix.lower() == ".json" else tomllib.loads(text)
    except FileNotFoundError:
        raise UsageError(
            f"there is no file {file!r}", "give --config a TOML file or a run"
        ) from None
    except UnicodeDecodeError:
        raise UsageError(
            f"{file!r} is not text in UTF-8", "write settings as TOML: horizon = 28"
        ) from None
    except ValueError as error:
        raise UsageError(f"{file}: {error}", "write settings as TOML: horizon = 28") from None
    if not isinstance(content, dict):
        raise UsageError(f"{file!r} holds no settings", "write settings as TOML: horizon = 28")
    return SettingsLayer(file, _flatten_settings(content, known, file))


def format_toml(value: Any) -> str:
    """Write a value as TOML, where JSON's numbers, texts, booleans and lists are TOML's."""
    if isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?", value):
        return value
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def command_words(manifest: Mapping[str, Any], known: Mapping[str, Any]) -> list[str]:
    """Return the options that fit a run again: all that differs from the defaults."""
    words: list[str] = []
    defaults = Config().to_dict() | {"columns": {}}
    config: dict[str, Any] = {"columns": manifest["panel"]["columns"], **manifest["config"]}
    for section in CONFIG_SECTIONS:
        for key, value in config.get(section, {}).items():
            option = known.get(_option_aliases(known).get(key, key.replace("_", "-")))
            usual = defaults[section].get(key)
            if option is None or value in (None, [], (), "") or value == _tuple_to_list(usual):
                continue
            flag = f"--{option_name(option)}"
            if isinstance(value, bool):
                words.append(flag if value else f"--no-{option_name(option)}")
                continue
            listed = value if isinstance(value, list) else [value]
            words += [
                word
                for one in listed
                if one not in (usual or () if isinstance(value, list) else ())
                for word in (flag, str(one))
            ]
    return words


def origin_of(context: Context, name: str) -> str:
    """Return the place outside the command line that set a parameter; empty where a flag or the default did."""
    source = context.get_parameter_source(name)
    if source is None or source.name != "DEFAULT_MAP":
        return ""
    return str(context.meta.get(_ORIGINS_KEY, {}).get(name, ""))


def with_setting_origin(error: UsageError, context: Context) -> UsageError:
    """Say of an error about an option where its value was set, if that is not on the command line."""
    found = re.match(r"--([a-z-]+)", error.message)
    option = options_of(context.command).get(found[1]) if found else None
    origin = origin_of(context, option.name) if option else ""
    return UsageError(f"{error.message} (set in {origin})", error.hint) if origin else error


def _read_environment(known: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    variables = {environment_variable(option): name for name, option in known.items()}
    for key in sorted(os.environ):
        if key.startswith(VARIABLE_PREFIX):
            if key not in variables:
                raise UsageError(
                    f"unknown setting {key} in the environment", suggest_similar(key, variables)
                )
            if os.environ[key]:
                yield variables[key], os.environ[key]


def _settings_of_run(manifest: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a run was told, as settings; what it was not told stays to be found anew."""
    defaults = Config().to_dict()
    config = {
        section: {
            key: value
            for key, value in values.items()
            if value != _tuple_to_list(defaults[section].get(key))
        }
        for section, values in manifest["config"].items()
    }
    columns = {key: value for key, value in manifest["panel"]["columns"].items() if value}
    return _flatten_settings({"columns": columns, **config}, known, "the run")


def _tuple_to_list(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _flatten_settings(
    content: Mapping[str, Any], known: Mapping[str, Any], file: str
) -> dict[str, Any]:
    """Settings by option, from keys at the top or under the headings of a run's configuration."""
    values: dict[str, Any] = {}
    for key, value in content.items():
        if isinstance(value, dict):
            if key not in CONFIG_SECTIONS:
                raise UsageError(
                    f"unknown section [{key}] in {file}", suggest_similar(key, CONFIG_SECTIONS)
                )
            own = {field.name for field in dataclasses.fields(CONFIG_SECTIONS[key])}
            pairs: Iterable[tuple[str, Any]] = value.items()
        else:
            own, pairs = None, [(key, value)]
        for inner, one in pairs:
            name = _option_aliases(known).get(inner, inner.replace("_", "-"))
            if name not in known or (own is not None and known[name].name not in own):
                raise UsageError(
                    f"unknown setting {inner!r} in {file}",
                    suggest_similar(inner, _setting_keys(known, own)),
                )
            if one is not None:
                values[name] = one
    return values


def _setting_keys(known: Mapping[str, Any], own: set[str] | None) -> list[str]:
    return [name.replace("-", "_") for name, one in known.items() if own is None or one.name in own]


def _option_aliases(known: Mapping[str, Any]) -> dict[str, str]:
    """Names in a run's configuration that are not the option's own, as `start` for `--from`."""
    return {one.name: name for name, one in known.items() if one.name.replace("_", "-") != name}


def to_option_value(option: Any, value: Any, origin: str) -> Any:
    """Return a value in the form in which the command line would give it."""
    if option.is_flag:
        value = _BOOLEAN_WORDS.get(str(value).lower(), value)
        if not isinstance(value, bool):
            raise UsageError(
                f"--{option_name(option)} is {value!r} in {origin}", "give true or false"
            )
        return value
    if option.multiple:
        split = (
            value.split(",")
            if isinstance(value, str) and origin.startswith(VARIABLE_PREFIX)
            else value
        )
        return [str(one) for one in split] if isinstance(split, list) else [str(split)]
    return ",".join(map(str, value)) if isinstance(value, list) else value
