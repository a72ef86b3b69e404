"""Where the value of an option comes from: flags, the environment, files, or the default.

    flags > LSTMCAST_* > --config FILE, or else ./lstmcast.toml > the user's file > defaults

Works on the options as the commands declare them: an option that is added anywhere can be set
everywhere. Knows no setting by its name but the few that belong to one call only.
"""

import dataclasses
import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints

from typer import Context

from lstmcast.cli.options.synonyms import find_option
from lstmcast.config import Columns, Config
from lstmcast.errors import UsageError, suggest_similar

SETTINGS_FILE = "lstmcast.toml"
VARIABLE_PREFIX = "LSTMCAST_"
_OUTPUT_OPTIONS = ("output", "out", "force", "plot", "dry-run", "study", "state")
_GENERAL_OPTIONS = ("h", "help", "version", "config", "debug", "json")
PER_CALL_OPTIONS = {*_OUTPUT_OPTIONS, *_GENERAL_OPTIONS, "resume", "origin", "param"}
"""Options that belong to one call: a place to write to, an act. No file or variable sets them."""
CONFIG_SECTIONS = {"columns": Columns} | get_type_hints(Config)
"""Headings under which settings may stand, as in a run's configuration."""
_ORIGINS_KEY = "lstmcast.origins"
_TOML_HINT = "write settings as TOML: horizon = 28"
_TRUE_WORDS = ("1", "true", "yes", "on")
_FALSE_WORDS = ("0", "false", "no", "off")
_BOOLEAN_WORDS = dict.fromkeys(_TRUE_WORDS, True) | dict.fromkeys(_FALSE_WORDS, False)


class SettingsLayer(NamedTuple):
    """Values by option, all from one place."""

    origin: str
    values: dict[str, Any]


def option_name(option: Any) -> str:
    """Return the name of an option in files: its longest flag without dashes, as `batch-size`."""
    return str(max(option.opts, key=len)).lstrip("-")


def environment_variable(option: Any) -> str:
    """Return the environment variable of an option; empty where there is none."""
    name = option_name(option)
    return "" if name in PER_CALL_OPTIONS else _variable_of(name)


def _variable_of(name: str) -> str:
    return VARIABLE_PREFIX + name.replace("-", "_").upper()


def options_of(command: Any) -> dict[str, Any]:
    """Return the options of a command that can be set, by name."""
    options = {
        option_name(parameter): parameter
        for parameter in command.params
        if parameter.param_type_name == "option"
    }
    return {
        name: option for name, option in options.items() if name not in PER_CALL_OPTIONS
    }


def all_options(root: Any) -> dict[str, Any]:
    """Return the options of all commands that can be set, by name.

    Of an option that several commands have, the first one is returned.
    """
    options: dict[str, Any] = {}
    for command in iter_commands(root):
        options = options_of(command) | options
    return options


def iter_commands(command: Any) -> Iterator[Any]:
    """Give the commands of a tree of commands, groups left out."""
    children = getattr(command, "commands", None)
    if children is None:
        yield command
    for child in (children or {}).values():
        yield from iter_commands(child)


def load_settings(context: Context, file: str | None) -> str | None:
    """Set the defaults of a command from the environment and from files; callback of `--config`."""
    if context.resilient_parsing:
        return file
    known = all_options(context.find_root().command)
    options = options_of(context.command)
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    # Weakest first, so that a stronger layer takes the place of a weaker one.
    for layer in reversed(read_layers(file, known)):
        for name in layer.values.keys() & options.keys():
            option = options[name]
            value = layer.values[name]
            values[option.name] = to_option_value(option, value, layer.origin)
            origins[option.name] = layer.origin
    context.default_map = {**(context.default_map or {}), **values}
    context.meta[_ORIGINS_KEY] = origins
    return file


def read_layers(file: str | None, known: Mapping[str, Any]) -> list[SettingsLayer]:
    """Return all that is set outside the command line, strongest first.

    `file` is the one of `--config`; `known` are all options by name. Raises UsageError for an
    unknown key.
    """
    # Each variable is a layer of its own, so that an error can name it.
    layers = [
        SettingsLayer(_variable_of(name), {name: text})
        for name, text in _read_environment(known)
    ]
    if file is not None:
        return [*layers, read_layer(file, known)]
    layers += [
        read_layer(str(path), known) for path in settings_paths() if path.is_file()
    ]
    return layers


def settings_paths() -> list[Path]:
    """Return where settings are looked for, the nearest first."""
    paths = [Path(SETTINGS_FILE)]
    base = Path(os.environ.get("XDG_CONFIG_HOME") or "")
    home = os.environ.get("HOME") or ""
    # The XDG specification says that a relative path is to be ignored.
    if base.is_absolute():
        paths.append(base / "lstmcast" / SETTINGS_FILE)
    elif home:
        paths.append(Path(home, ".config") / "lstmcast" / SETTINGS_FILE)
    return paths


def read_layer(file: str, known: Mapping[str, Any]) -> SettingsLayer:
    """Read settings from TOML, from a run or its run.json, or from other JSON of that form.

    Raises UsageError where the file cannot be read, or has an unknown key.
    """
    path = Path(file)
    if path.is_dir() or path.name == "run.json":
        from lstmcast.runs.contents import open_trained_run

        run = path if path.is_dir() else path.parent
        manifest = open_trained_run(run).manifest
        return SettingsLayer(file, _settings_of_run(manifest, known))
    try:
        text = path.read_text(encoding="utf-8-sig")
        content = (
            json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
        )
    except FileNotFoundError:
        hint = "give --config a TOML file or a run"
        raise UsageError(f"there is no file {file!r}", hint) from None
    except UnicodeDecodeError:
        raise UsageError(f"{file!r} is not text in UTF-8", _TOML_HINT) from None
    except ValueError as error:
        raise UsageError(f"{file}: {error}", _TOML_HINT) from None
    if not isinstance(content, dict):
        raise UsageError(f"{file!r} holds no settings", _TOML_HINT)
    return SettingsLayer(file, _flatten_settings(content, known, file))


def format_toml(value: Any) -> str:
    """Write a value as TOML, whose numbers, texts, booleans and lists are those of JSON.

    A text that is a number is written without quotes.
    """
    if isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?", value):
        return value
    # TOML forbids the one control character that JSON allows.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def command_words(manifest: Mapping[str, Any], known: Mapping[str, Any]) -> list[str]:
    """Return the options that fit a run again: all that differs from the defaults."""
    aliases = _option_aliases(known)
    defaults = Config().to_dict() | {"columns": {}}
    config: dict[str, Any] = {
        "columns": manifest["panel"]["columns"],
        **manifest["config"],
    }
    words: list[str] = []
    for section in CONFIG_SECTIONS:
        for key, value in config.get(section, {}).items():
            name = aliases.get(key, key.replace("_", "-"))
            if name in known:
                default = defaults[section].get(key)
                words += _option_words(name, value, default)
    return words


def _option_words(name: str, value: Any, default: Any) -> list[str]:
    """Return the words that set an option; none where it is empty or has its default."""
    is_empty = value in (None, [], (), "")
    if is_empty or value == _tuple_to_list(default):
        return []
    if isinstance(value, bool):
        return [f"--{name}" if value else f"--no-{name}"]
    values = [value]
    if isinstance(value, list):
        # An option that is repeated adds to its default.
        values = [entry for entry in value if entry not in (default or ())]
    words: list[str] = []
    for entry in values:
        words += [f"--{name}", str(entry)]
    return words


def origin_of(context: Context, name: str) -> str:
    """Return where a parameter was set outside the command line; empty if it was not set there."""
    source = context.get_parameter_source(name)
    if source is None or source.name != "DEFAULT_MAP":
        return ""
    origins = context.meta.get(_ORIGINS_KEY, {})
    return str(origins.get(name, ""))


def with_setting_origin(error: UsageError, context: Context) -> UsageError:
    """Return an error about an option with where its value was set, if not on the command line."""
    # Messages about an option begin with its flag: "--horizon 0 is out of range".
    match = re.match(r"--([a-z-]+)", error.message)
    name = match[1] if match else ""
    option = options_of(context.command).get(name)
    origin = origin_of(context, option.name) if option else ""
    if not origin:
        return error
    return UsageError(f"{error.message} (set in {origin})", error.hint)


def to_option_value(option: Any, value: Any, origin: str) -> Any:
    """Return a value in the form in which the command line would give it; raises UsageError."""
    if option.is_flag:
        boolean = _BOOLEAN_WORDS.get(str(value).lower(), value)
        if not isinstance(boolean, bool):
            message = f"--{option_name(option)} is {boolean!r} in {origin}"
            raise UsageError(message, "give true or false")
        return boolean
    if option.multiple:
        # A variable has no lists: several values are separated by commas.
        if isinstance(value, str) and origin.startswith(VARIABLE_PREFIX):
            value = value.split(",")
        values = value if isinstance(value, list) else [value]
        return [str(entry) for entry in values]
    # A date that is split over columns is a list in a file, and one text on the command line.
    return ",".join(map(str, value)) if isinstance(value, list) else value


def _read_environment(known: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Give the options that environment variables set, with their texts; raises UsageError."""
    variables = {environment_variable(option): name for name, option in known.items()}
    for key in sorted(os.environ):
        if not key.startswith(VARIABLE_PREFIX):
            continue
        if key not in variables:
            hint = suggest_similar(key, variables)
            raise UsageError(f"unknown setting {key} in the environment", hint)
        if os.environ[key]:
            yield variables[key], os.environ[key]


def _settings_of_run(
    manifest: Mapping[str, Any], known: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the settings that a run was given; those that it inferred are inferred anew."""
    defaults = Config().to_dict()
    columns = {
        role: names for role, names in manifest["panel"]["columns"].items() if names
    }
    content = {"columns": columns}
    for section, values in manifest["config"].items():
        content[section] = {
            key: value
            for key, value in values.items()
            if value != _tuple_to_list(defaults[section].get(key))
        }
    return _flatten_settings(content, known, "the run")


def _tuple_to_list(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _flatten_settings(
    content: Mapping[str, Any], known: Mapping[str, Any], file: str
) -> dict[str, Any]:
    """Return settings by option, from keys at the top or under the headings of a configuration."""
    aliases = _option_aliases(known)
    settings: dict[str, Any] = {}
    for section, key, value in _iter_settings(content, file):
        name = aliases.get(key, key.replace("_", "-"))
        if section is None:
            allowed = known
        else:
            fields = {
                field.name for field in dataclasses.fields(CONFIG_SECTIONS[section])
            }
            allowed = {
                known_as: opt for known_as, opt in known.items() if opt.name in fields
            }
        if name not in allowed:
            keys = [allowed_name.replace("-", "_") for allowed_name in allowed]
            hint = suggest_similar(key, keys)
            meant = find_option(name)
            if meant in allowed:
                hint = f"did you mean {meant.replace('-', '_')!r}?"
            raise UsageError(f"unknown setting {key!r} in {file}", hint)
        if value is not None:
            settings[name] = value
    return settings


def _iter_settings(
    content: Mapping[str, Any], file: str
) -> Iterator[tuple[str | None, str, Any]]:
    """Give the section (None at the top), the key and the value of each setting in a file."""
    for key, value in content.items():
        if not isinstance(value, dict):
            yield None, key, value
            continue
        if key not in CONFIG_SECTIONS:
            hint = suggest_similar(key, CONFIG_SECTIONS)
            raise UsageError(f"unknown section [{key}] in {file}", hint)
        for inner_key, inner_value in value.items():
            yield key, inner_key, inner_value


def _option_aliases(known: Mapping[str, Any]) -> dict[str, str]:
    """Return names in a run's configuration that are not the option's own: `start` is `--from`."""
    return {
        option.name: name
        for name, option in known.items()
        if option.name.replace("_", "-") != name
    }
