"""The contract's rows on settings, named by their numbers: 18 to 21, and what belongs to them."""

import json
import os
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from lstmcast.cli import app, settings
from lstmcast.config import Config
from tests.cli.conftest import Program

OPTIONS: dict[str, Any] = settings.all_options(get_command(app.app))


@pytest.fixture(autouse=True)
def clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, and no settings of whoever runs the tests."""
    for name in os.environ:
        if name.startswith("LSTMCAST_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path


def shown(
    capsys: pytest.CaptureFixture[str], *arguments: str
) -> dict[str, dict[str, Any]]:
    assert app.run_command_line(["config", "show", "--json", *arguments]) == 0
    found: dict[str, dict[str, Any]] = json.loads(capsys.readouterr().out)["settings"]
    return found


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert app.run_command_line(list(arguments)) == 2
    out, err = capsys.readouterr()
    assert out == ""
    return err.splitlines()


def test_18_flags_come_before_the_environment_the_project_s_file_the_user_s_and_the_defaults(
    clean: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    user = clean / "xdg" / "lstmcast" / "lstmcast.toml"
    user.parent.mkdir(parents=True)
    user.write_text("horizon = 0\nlr = 0.5\nseed = 5\n")
    assert (
        refused(capsys, "fit", "x", "--target", "y")[0]
        == f"error: --horizon 0 is out of range (set in {user})"
    )
    Path("lstmcast.toml").write_text("horizon = -1\nlr = 0.25\n")
    assert (
        "--horizon -1 is out of range (set in lstmcast.toml)"
        in refused(capsys, "fit", "x", "--target", "y")[0]
    )
    monkeypatch.setenv("LSTMCAST_HORIZON", "-2")
    assert (
        "--horizon -2 is out of range (set in LSTMCAST_HORIZON)"
        in refused(capsys, "fit", "x", "--target", "y")[0]
    )
    line = ("fit", "x", "--target", "y", "--horizon", "-3")
    assert refused(capsys, *line)[0] == "error: --horizon -3 is out of range"
    known = shown(capsys)
    assert [known[name]["value"] for name in ("horizon", "lr", "seed", "patience")] == [
        "-2",
        0.25,
        5,
        3,
    ]


def test_18_a_file_named_with_config_is_read_instead_of_those_that_are_found(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("lstmcast.toml").write_text("horizon = 9\n")
    Path("best.toml").write_text("[train]\nlr = 0.5\nstart = 'scratch'\n")
    known = shown(capsys, "--config", "best.toml")
    assert {name: one["value"] for name, one in known.items() if one["origin"] == "best.toml"} == {
        "lr": 0.5, "from": "scratch",
    }  # fmt: skip
    assert known["horizon"]["value"] is None


def test_18_settings_reach_the_program(
    lstmcast: Program, fitted: Path, tmp_path: Path
) -> None:
    (tmp_path / "lstmcast.toml").write_text(
        "target = 'price'\n[window]\nhorizon = 3\n[train]\nsteps = 0\n"
    )
    done = lstmcast(
        "fit", fitted / "old.csv", "--out", "run", env={"LSTMCAST_QUIET": "1"}
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "run\n", "")
    manifest = json.loads((tmp_path / "run" / "run.json").read_text())
    assert (manifest["horizon"], manifest["config"]["train"]["steps"]) == (3, 0)
    forecast = lstmcast(
        "predict", "run", env={"LSTMCAST_QUANTILES": "0.25,0.75"}
    ).stdout
    assert forecast.splitlines()[0] == "month,forecast,q25,q75"


def test_18_a_run_s_own_configuration_can_be_fed_back(
    quickly: Program, fitted: Path, tmp_path: Path
) -> None:
    line = (
        "--horizon",
        3,
        "--steps",
        0,
        "--na",
        "-",
        "--seed",
        7,
        "--time",
        "month",
        "--out",
        "one",
    )
    assert (
        quickly("fit", fitted / "old.csv", "--target", "price", *line).returncode == 0
    )
    for source in ("one", "one/run.json"):
        again = quickly(
            "fit",
            fitted / "old.csv",
            "--config",
            source,
            "--out",
            "two",
            "--force",
            "-q",
        )
        assert (again.returncode, again.stderr) == (0, "")
        first, second = (
            json.loads((tmp_path / name / "run.json").read_text())
            for name in ("one", "two")
        )
        assert (
            first["config"] == second["config"]
            and first["panel"]["columns"] == second["panel"]["columns"]
        )
        assert (
            first["files"]["model.safetensors"] == second["files"]["model.safetensors"]
        )


def test_19_config_show_says_where_each_setting_comes_from(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("lstmcast.toml").write_text("[columns]\npast = ['wind speed', 'rain']\n")
    monkeypatch.setenv("LSTMCAST_SERIES", "shop,region")
    assert app.run_command_line(["config", "show", "--origin"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [
        re.sub(" +", " ", line)
        for line in lines
        if re.match("past|series|seed|# lr", line)
    ] == [
        "# lr = # default: chosen by validation",
        'past = ["wind speed", "rain"] # lstmcast.toml',
        "seed = 0 # default",
        'series = ["shop", "region"] # LSTMCAST_SERIES',
    ]
    assert app.run_command_line(["config", "show"]) == 0
    text = capsys.readouterr().out
    assert tomllib.loads(text) == {
        "past": ["wind speed", "rain"],
        "series": ["shop", "region"],
    }


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            "horizn = 3",
            "unknown setting 'horizn' in lstmcast.toml",
            "did you mean 'horizon'?",
        ),
        (
            "[windwo]\nhorizon = 3",
            "unknown section [windwo] in lstmcast.toml",
            "did you mean 'window'?",
        ),
        (
            "[window]\nlr = 3",
            "unknown setting 'lr' in lstmcast.toml",
            "'horizon'",
        ),
        ("force = true", "unknown setting 'force' in lstmcast.toml", ""),
        (
            "quiet = 'perhaps'",
            "--quiet is 'perhaps' in lstmcast.toml",
            "give true or false",
        ),
        ("horizon = ", "lstmcast.toml: Invalid value (at end of document)", "TOML"),
        ("horizon = 'long'", "--horizon: input should be a valid integer", "--help"),
        (
            "duplicates = 'frist'",
            "--duplicates 'frist' is unknown (set in lstmcast.toml)",
            "did you mean 'first'?",
        ),
    ],
)
def test_20_what_is_no_setting_is_refused_with_a_suggestion(
    text: str, message: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("lstmcast.toml").write_text(text)
    first, second = refused(capsys, "fit", "x", "--target", "y")
    assert message in first and hint in second


def test_20_an_unknown_variable_is_refused_with_a_suggestion(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LSTMCAST_HORIZN", "3")
    assert refused(capsys, "fit", "x") == [
        "error: unknown setting LSTMCAST_HORIZN in the environment",
        "  did you mean 'LSTMCAST_HORIZON'?",
    ]  # fmt: skip


def test_20_a_file_of_settings_that_is_not_there_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert (
        "there is no file 'best.toml'"
        in refused(capsys, "fit", "x", "--config", "best.toml")[0]
    )


@pytest.mark.parametrize(
    "command", ["fit", "predict", "forecast", "evaluate", "backtest", "tune", "inspect"]
)
def test_21_the_help_names_each_option_s_default_range_and_variable(
    command: str, quickly: Program
) -> None:
    text = quickly(command, "--help").stdout
    records = re.split(r"\n(?:  |\n\S+\n  )(?=-)", text.partition("Arguments:")[2])[1:]
    records = [record for record in records if not record.startswith("-h ")]
    assert len(records) > 5
    for record in (re.sub(r"\s+", " ", one) for one in records):
        flag = re.search(r"--([a-z][a-z-]+)", record)
        assert flag, record
        if flag[1] not in settings.PER_CALL_OPTIONS:
            assert re.search(
                rf"\[.*{settings.VARIABLE_PREFIX}{flag[1].replace('-', '_').upper()}\]",
                record,
            ), record
        if re.match(r"--?\S+(, --\S+)? [A-Z]+\s", record):
            assert "[default: " in record, record
        if re.search(r" (N|STEPS|RATE|SHARE|NORM|LEVELS)\s", record):
            assert re.search(
                r"\d or more|above 0|between 0 and 1|0 to below 1", record
            ), record


def test_every_setting_of_a_configuration_has_an_option_or_stays_at_its_default() -> (
    None
):
    named = {option.name for option in OPTIONS.values()}
    assert {"horizon", "lr", "seed", "duplicates", "hidden"} <= named
    for section, values in Config().to_dict().items():
        assert named & set(values), section


PROGRAM = get_command(app.app)


def commands_of(root: Any) -> dict[str, Any]:
    """Every command that is shown, by its words."""
    found = {}
    for name, command in root.commands.items():
        inner = commands_of(command) if hasattr(command, "commands") else {"": command}
        found |= {f"{name} {rest}".strip(): leaf for rest, leaf in inner.items()}
    return {name: command for name, command in found.items() if not command.hidden}


COMMANDS = commands_of(PROGRAM)
WITH_OPTIONS = [words for words in COMMANDS if settings.options_of(COMMANDS[words])]


def value_for(option: Any) -> str:
    """A value that is not the default of an option, as a variable would hold it."""
    if option.is_flag:
        return "false" if option.default else "true"
    choices = getattr(option.type_descriptor, "choices", None) or ()
    others = [str(choice) for choice in choices if choice != option.default]
    return others[0] if others else "7"


@pytest.mark.parametrize("words", WITH_OPTIONS)
def test_18_a_variable_works_wherever_its_option_does(
    words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = COMMANDS[words]
    options = settings.options_of(command)
    expected: dict[str, Any] = {}
    for option in options.values():
        text = value_for(option)
        variable = settings.environment_variable(option)
        assert f"{variable}]" in command.get_help(context_of(words)).replace("\n", " ")
        monkeypatch.setenv(variable, text)
        expected[option.name] = {"true": True, "false": False}.get(text, text)

    given = context_of(words).params
    shown = {}
    for name in expected:
        value = given[name]
        value = value[0] if isinstance(value, (list, tuple)) else value
        shown[name] = value if isinstance(value, bool) else str(value)
        if isinstance(value, float):
            shown[name] = f"{value:g}"
    assert shown == expected


def context_of(words: str) -> Any:
    """A command that has been given its arguments, and no option."""
    command = COMMANDS[words]
    first = [*words.split()[:1]]
    arguments = [
        "x"
        for parameter in command.params
        if parameter.param_type_name == "argument" and parameter.required
    ]
    with (
        PROGRAM.make_context("lstmcast", first) as outer,
        command.make_context(words, arguments, parent=outer) as context,
    ):
        return context
