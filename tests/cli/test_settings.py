"""Settings in their places; their precedence is in `test_contract_settings`."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lstmcast.cli import settings
from lstmcast.errors import UsageError


def option(**changes: Any) -> Any:
    """Return what these functions look at of an option."""
    return SimpleNamespace(
        **{"opts": ["--na"], "is_flag": False, "multiple": False} | changes
    )


def test_an_option_is_named_by_its_longest_flag() -> None:
    short = option(opts=["-j", "--jobs"])
    assert settings.option_name(short) == "jobs"
    assert settings.environment_variable(short) == "LSTMCAST_JOBS"


def test_options_of_one_call_have_no_variable() -> None:
    assert settings.environment_variable(option(opts=["--output", "-o"])) == ""


@pytest.mark.parametrize(
    ("changes", "value", "origin", "result"),
    [
        ({"is_flag": True}, "Yes", "LSTMCAST_NA", True),
        ({"is_flag": True}, False, "x.toml", False),
        ({"multiple": True}, "a,b", "LSTMCAST_NA", ["a", "b"]),
        ({"multiple": True}, "a,b", "x.toml", ["a,b"]),
        ({"multiple": True}, ["a", 1], "x.toml", ["a", "1"]),
        ({}, [0.1, 0.9], "x.toml", "0.1,0.9"),
        ({}, 3, "x.toml", 3),
    ],
)
def test_a_value_gets_the_form_of_the_command_line(
    changes: dict[str, Any], value: Any, origin: str, result: Any
) -> None:
    assert settings.to_option_value(option(**changes), value, origin) == result


def test_a_flag_is_true_or_false() -> None:
    with pytest.raises(UsageError, match="na is 'maybe' in x.toml"):
        settings.to_option_value(option(is_flag=True), "maybe", "x.toml")


@pytest.mark.parametrize(
    ("value", "text"),
    [("28", "28"), ("a\x7f", '"a\\u007f"'), (True, "true"), (["a", 1.5], '["a", 1.5]')],
)
def test_values_are_written_as_toml(value: Any, text: str) -> None:
    assert settings.format_toml(value) == text


def test_a_relative_xdg_folder_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/x")
    monkeypatch.setenv("XDG_CONFIG_HOME", "config")
    near, user = settings.settings_paths()
    assert (near, user) == (
        Path("lstmcast.toml"),
        Path("/home/x/.config/lstmcast/lstmcast.toml"),
    )
