"""The contract's rows on help and errors, by number: 8, 10, 11, 13 to 17, 22 to 25, 39, 40."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from lstmcast.cli import app, settings
from lstmcast.cli.commands.help import EXIT_CODE_MEANINGS
from lstmcast.errors import ExitCode
from tests.cli.conftest import PROGRAM, Program, environment, write_months
from tests.cli.test_app import failing
from tests.conftest import ROOT
from tests.test_architecture import HEAVY, modules_loaded

COMMANDS = (
    *(
        "fit",
        "predict",
        "forecast",
        "evaluate",
        "backtest",
        "tune",
        "detect",
        "update",
        "explain",
        "inspect",
    ),
    *("report", "export", "serve", "help", "demo"),
    *(
        "runs ls",
        "runs show",
        "runs diff",
        "runs check",
        "runs rm",
        "config show",
        "completion",
    ),
)
MAX_SHORT_LINES = 22
"""Lines of a terminal that is as small as they come, less the prompt and the command."""
QUICK = ("--target", "price", "--steps", 0)


def test_08_every_exit_code_is_unique_and_documented(lstmcast: Program) -> None:
    assert len({int(code) for code in ExitCode}) == len(ExitCode.__members__)
    assert set(EXIT_CODE_MEANINGS) == set(ExitCode)
    lines = lstmcast("help", "exit-codes").stdout.splitlines()
    assert [int(line.split()[0]) for line in lines] == sorted(ExitCode)


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["fitt"], "no command 'fitt'", "did you mean 'fit'?"),
        (["fit"], "missing argument 'DATA'", "see `lstmcast fit --help`"),
        (["fit", "x", "y"], "unexpected extra argument", "see `lstmcast fit --help`"),
        (["fit", "x", "--taget", "y"], "no option '--taget'", "did you mean --target?"),
        (["fit", "x", "--lr"], "'--lr' requires an argument", "--help`"),
        (
            ["fit", "x", "--target", "y", "--duplicates", "frist"],
            "--duplicates 'frist'",
            "did you mean 'first'?",
        ),
        (
            ["fit", "x", "--target", "y", "--horizon", "0"],
            "--horizon 0 is out of range",
            "give 1 or more",
        ),
        (
            ["fit", "x", "--target", "y", "--horizon", "z"],
            "--horizon: input should be a valid integer",
            "see",
        ),
        (
            ["fit", "x", "--target", "y", "--lr", "nan"],
            "--lr nan is out of range",
            "above 0",
        ),
        (
            ["fit", "x", "--target", "y", "--dropout", "1"],
            "--dropout 1.0 is out of range",
            "0 up to",
        ),
        (["fit", "x", "--target", "y", "-q", "-v"], "contradict", "one of them"),
        (["fit", "x", "--exog", "y"], "no option '--exog'", "--future (known ahead)"),
        (["fit", "x", "--periods", "9"], "no option '--periods'", "--horizon?"),
        (["predict", "x", "--epochs", "9"], "'--epochs'", "--steps of `lstmcast fit`"),
        (["train", "x"], "no command 'train'", "did you mean `lstmcast fit`?"),
        (["predict", "x", "--level", "0.8"], "--level '0.8'", "such as 80,95"),
        (
            ["predict", "x", "--level", "80", "--quantiles", "0.1"],
            "both say which quantiles",
            "give one",
        ),
        (
            ["fit", "x", "--target", "y", "--past", "y"],
            "given both as --target and as --past",
            "one role",
        ),
        (
            ["fit", "x", "--target", "y", "--fail-if", "masse>1"],
            "unknown metric 'masse'",
            "did you mean 'mase'?",
        ),
        (
            ["fit", "x", "--target", "y", "--fail-if", "mase=1"],
            "'mase=1' is not a rule",
            '"mase>1"',
        ),
        (
            ["fit", "x", "--target", "y", "--fail-if", "mase>one"],
            "'mase>one' is not a rule",
            '"mase>1"',
        ),
        (
            ["update", "x", "y", "--gate", "masse<=old"],
            "--gate 'masse<=old': unknown metric",
            "did you mean 'mase'?",
        ),
        (
            ["update", "x", "y", "--steps", "-1"],
            "--steps -1 is out of range",
            "give 0 or more",
        ),
        (["update", "x"], "update takes either DATA or --rollback", "give the file"),
        (
            ["fit", "x", "--target", "y", "--fail-if", "mase>old"],
            "nothing old to compare with",
            "give a number",
        ),
        (
            ["predict", "x", "--quantiles", "0.1,2"],
            "--quantiles '0.1,2' is out of range",
            "between 0 and 1",
        ),
        (
            ["predict", "x", "--format", "cvs"],
            "unknown --format 'cvs'",
            "did you mean 'csv'?",
        ),
        (
            ["predict", "x", "-o", "x.xls"],
            "no format has the extension of 'x.xls'",
            ".parquet",
        ),
    ],
)
def test_11_a_wrong_command_line_gets_an_error_and_what_to_do(
    arguments: list[str], message: str, hint: str, quickly: Program, tmp_path: Path
) -> None:
    done = quickly(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    first, second = done.stderr.splitlines()
    assert first.startswith("error: ") and message in first
    assert hint in second
    assert list(tmp_path.iterdir()) == []


def test_15_help_goes_to_stdout(lstmcast: Program) -> None:
    done = lstmcast("--help")
    assert (done.returncode, done.stderr) == (0, "")
    lines = {line.split()[0] for line in done.stdout.splitlines() if line.strip()}
    assert {command.split()[0] for command in COMMANDS} <= lines
    longest = max(map(len, done.stdout.splitlines()))
    assert longest <= 80, "the first sentence of a command's help is too long"


def test_15_short_help_is_what_most_people_need_and_names_the_rest(
    lstmcast: Program,
) -> None:
    done = lstmcast("-h")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) <= MAX_SHORT_LINES
    assert "  fit       Learn from DATA" in done.stdout
    assert "tune" not in done.stdout
    assert done.stdout.endswith("All commands: lstmcast --help\n")
    # The same on stderr where no command was given, which is an error.
    bare = lstmcast()
    assert (bare.returncode, bare.stdout, bare.stderr) == (2, "", done.stdout)


@pytest.mark.parametrize("command", COMMANDS)
def test_15_the_short_help_of_every_command_fits_on_a_small_screen(
    command: str, quickly: Program
) -> None:
    done = quickly(*command.split(), "-h")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert len(lines) <= MAX_SHORT_LINES
    assert max(map(len, lines)) <= 80
    assert lines[-1] == f"All options: lstmcast {command} --help"
    whole = quickly(*command.split(), "--help").stdout
    flags = re.findall(r"^  (?:-\w, )?(--[a-z-]+)", done.stdout, re.MULTILINE)
    assert all(f"{flag} " in whole for flag in flags)


def test_15_short_forms_are_those_of_their_options(
    quickly: Program, tmp_path: Path, sample: Path
) -> None:
    short = quickly(
        "forecast", sample / "shop.csv", "-t", "sold", "-s", "shop", "-H", 3
    )
    words = ("--target", "sold", "--series", "shop", "--horizon", 3)
    long = quickly("forecast", sample / "shop.csv", *words)
    assert short.returncode == 0
    assert short.stdout == long.stdout
    assert quickly("-V").stdout == quickly("--version").stdout
    out = ("fit", sample / "price.csv", "--steps", 0, "-q", "-o", "r")
    assert quickly(*out).stdout == "r\n"
    assert (tmp_path / "r" / "run.json").exists()


def test_15_version_names_the_tool_torch_python_and_the_device(
    lstmcast: Program,
) -> None:
    done = lstmcast("--version")
    assert re.fullmatch(
        r"lstmcast \S+ \(torch \S+, Python 3\.\d+\.\d+, (cpu|cuda|mps)\)\n", done.stdout
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_22_the_help_of_a_command_has_two_examples(
    command: str, quickly: Program
) -> None:
    done = quickly(*command.split(), "--help")
    assert done.returncode == 0
    examples = done.stdout.partition("Examples:\n")[2].partition("\n\n")[0].splitlines()
    assert len(examples) >= 2
    assert all(line.startswith(f"  lstmcast {command}") for line in examples)
    assert max(map(len, examples)) <= 80
    assert done.stdout.index("Examples:") < done.stdout.index("General:")


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (
            "month,price\n2010-01,1\n2010-02,2\n2010-03,x\n2010-04,4\n",
            [],
            "x.csv:4: column 'price': 'x' is not a number",
        ),
        (
            "month,price\n2010-01,1\n2010-02,inf\n2010-03,2\n",
            [],
            "x.csv:3: column 'price': 'inf'",
        ),
        ("month,price\n2010-01,1\n2010-01,2\n2010-02,2\n", [], "repeats a time stamp"),
        ("month,pirce\n2010-01,1\n2010-02,2\n", [], "no column 'price'"),
        ("month,price\n2010-01,1\n2010-02,2\n", [], "too few values"),
        ("", [], "x.csv"),
        (
            "month,price\n2010-01,1\n2010-02,2\n2010-03,3\n",
            ["--time", "mnth"],
            "no column 'mnth'",
        ),
    ],
)
def test_23_bad_data_is_reported_in_three_lines_and_leaves_nothing(
    text: str, options: list[str], message: str, quickly: Program, tmp_path: Path
) -> None:
    (tmp_path / "x.csv").write_text(text)
    done = quickly("fit", "x.csv", *QUICK, *options)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("reading x.csv\nerror: ")
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 3
    assert [file.name for file in tmp_path.iterdir()] == ["x.csv"]


def test_25_a_bug_keeps_its_traceback_in_a_log_and_exits_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert failing(ZeroDivisionError("division\nby zero"), monkeypatch) == 1
    first, second = capsys.readouterr().err.splitlines()
    assert first == "error: a bug in lstmcast: ZeroDivisionError: division\\nby zero"
    log = Path(second.rpartition(" ")[2])
    assert log.parent == tmp_path
    assert "Traceback" in log.read_text() and "ZeroDivisionError" in log.read_text()


@pytest.mark.parametrize("command", ["fit", "forecast", "backtest", "tune"])
def test_10_a_misspelt_column_gets_a_suggestion(
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_months(tmp_path / "x.csv", 40)
    monkeypatch.chdir(tmp_path)
    assert app.run_command_line([command, "x.csv", "--target", "pirce"]) == 3
    assert capsys.readouterr().err.splitlines()[1:] == [
        "error: x.csv has no column 'pirce'",
        "  did you mean 'price'?",
    ]


def test_13_inspect_prints_the_command_line_that_pins_its_guesses(
    lstmcast: Program, sample: Path
) -> None:
    pinned = lstmcast("inspect", sample / "shop.csv").stdout.splitlines()[-1]
    words = shlex.split(pinned)
    assert words[:2] == ["lstmcast", "fit"]
    assert {"--target", "--time", "--series", "--freq", "--season", "--horizon"} <= set(
        words
    )
    done = lstmcast(*words[1:], "--steps", 0, "-q", "--out", "run")
    assert (done.returncode, done.stdout, done.stderr) == (0, "run\n", "")


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["--help"], 0), (["--version"], 0), (["help", "fit"], 0), (["fit", "-h"], 0),
        (["backtest", "--help"], 0), (["completion", "bash"], 0), (["config", "show"], 0),
        (["fit"], 2), (["fit", "x", "--taget", "y"], 2),
        (["fit", "x", "--target", "y", "--horizon", "0"], 2),
        (["predict", "nowhere"], 4), (["runs", "show", "x"], 4),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_16_help_and_errors_of_usage_load_nothing_heavy(
    arguments: list[str], status: int
) -> None:
    loaded = modules_loaded("-m", "lstmcast", *arguments, status=status)
    assert "typer" in loaded
    assert loaded & HEAVY == set()


def test_17_fit_says_its_first_word_before_torch_is_loaded(tmp_path: Path) -> None:
    line = [*PROGRAM, "fit", "-", "--target", "y"]
    streams: dict[str, Any] = dict.fromkeys(
        ("stdin", "stdout", "stderr"), subprocess.PIPE
    )
    with subprocess.Popen(
        line, text=True, cwd=tmp_path, env=environment(), **streams
    ) as program:
        assert program.stderr
        assert program.stderr.readline() == "reading stdin\n"
        # It waits for its data by now; torch comes after these.
        assert "libtorch" not in Path(f"/proc/{program.pid}/maps").read_text()
        program.communicate("", timeout=60)
    assert program.returncode == 3


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory: pytest.TempPathFactory, fitted: Path) -> Path:
    """A folder that holds whatever the examples of the help name."""
    folder = tmp_path_factory.mktemp("kitchen")
    shutil.copytree(ROOT / "sample_data", folder / "sample_data")
    shutil.copytree(fitted / "runs", folder / "runs")
    (folder / "runs" / "old-price").rename(folder / "runs" / "price-price")
    shutil.copytree(folder / "runs" / "price-price", folder / "runs" / "november")
    (folder / "archive").mkdir()
    shutil.copy(fitted / "new.csv", folder / "newer.csv")
    import pandas as pd

    frame = pd.read_csv(folder / "sample_data" / "shop.csv").rename(
        columns={"sold": "units"}
    )
    frame = frame[frame["date"] < "2023-06-01"]
    frame.to_csv(folder / "sales.csv", index=False)
    frame.to_parquet(folder / "sales.parquet")
    plan = frame.assign(
        units=None, date=pd.to_datetime(frame["date"]) + pd.Timedelta(days=151)
    )
    pd.concat(
        [frame, plan.assign(date=plan["date"].dt.strftime("%Y-%m-%d"))]
    ).to_parquet(folder / "sales.parquet")
    plan.to_csv(folder / "plan.csv", index=False)
    (folder / "sales-by-shop").mkdir()
    for shop, part in pd.read_parquet(folder / "sales.parquet").groupby("shop"):
        part.to_parquet(folder / f"sales-by-shop/{shop}.parquet")
    text = frame.to_csv(index=False, sep=";", decimal=",")
    import gzip

    (folder / "sales.csv.gz").write_bytes(gzip.compress(text.encode()))
    roles = [
        "--target",
        "units",
        "--series",
        "shop",
        "--future",
        "price",
        "--out",
        str(folder / "runs" / "sales"),
    ]
    assert (
        app.run_command_line(
            ["fit", str(folder / "sales.csv"), *roles, "--steps", "0", "-q"]
        )
        == 0
    )
    return folder


def examples() -> list[str]:
    """Every example of every command's help."""
    shown = [
        command
        for command in settings.iter_commands(get_command(app.app))
        if not command.hidden
    ]
    return [line for command in shown for line in command.epilog.splitlines()]


@pytest.mark.parametrize("line", examples())
def test_22_every_example_of_the_help_runs(
    line: str,
    kitchen: Path,
    tmp_path: Path,
    quickly: Program,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shutil.copytree(kitchen, tmp_path, dirs_exist_ok=True)
    if " fit " in line:
        shutil.rmtree(tmp_path / "runs")
    monkeypatch.setenv(
        "LSTMCAST_STEPS", "0"
    )  # what a fit learns is not in question here
    from lstmcast.deployment import serve_server

    listen = serve_server.open_listening_socket
    monkeypatch.setattr(
        serve_server, "open_listening_socket", lambda *_: listen("127.0.0.1", 0)
    )
    monkeypatch.setattr(
        serve_server, "run_server", lambda *_: None
    )  # it would answer until it is stopped
    words = shlex.split(line.partition(" > ")[0])
    assert words[0] == "lstmcast"
    if "--rollback" in words:
        more = ("newer.csv", "--steps", 1, "--validation", 6, "--gate", "mase>0")
        assert quickly(*words[1:-1], *more).returncode == 0
    done = quickly(*words[1:])
    assert done.returncode in ((0, 7) if "--fail-if" in words else (0,)), done.stderr


def test_24_an_error_in_the_data_names_line_column_value_and_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"2010-01-{day:02},{'x' if day % 2 else day}" for day in range(1, 31)]
    (tmp_path / "x.csv").write_text("\n".join(["day,price", *rows]))
    monkeypatch.chdir(tmp_path)
    assert app.run_command_line(["fit", "x.csv", "--target", "price"]) == 3
    first = capsys.readouterr().err.splitlines()[1]
    assert first.startswith("error: x.csv:2: column 'price': 'x' is not a number")
    assert "14 more" in first


def test_39_the_page_of_commands_has_every_command_as_its_help_says() -> None:
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    for command in COMMANDS:
        section = text.partition(f"\n## lstmcast {command}\n")[2].partition("\n## ")[0]
        for option in settings.options_of(leaf(command)):
            assert f"--{option}" in section, (command, option)


def leaf(command: str) -> Any:
    found: Any = get_command(app.app)
    for word in command.split():
        found = found.commands[word]
    return found


def test_40_an_option_means_the_same_in_every_command() -> None:
    kinds: dict[str, tuple[Any, ...]] = {}
    for command in settings.iter_commands(get_command(app.app)):
        for name, option in settings.options_of(command).items():
            kind = (
                option.name,
                option.metavar,
                option.multiple,
                option.is_flag,
                str(option.type_descriptor.annotation),
            )
            if (
                name != "windows"
            ):  # of a backtest always a number, of an evaluation as many as fit
                assert kinds.setdefault(name, kind) == kind, (command.name, name)
            assert option.prompt is None


def test_40_nothing_is_written_but_the_run(
    lstmcast: Program, tmp_path: Path, fitted: Path
) -> None:
    home, temporary = tmp_path / "home", tmp_path / "tmp"
    home.mkdir()
    temporary.mkdir()
    place = {
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "XDG_CACHE_HOME": str(home / "cache"),
    }
    assert lstmcast("fit", fitted / "old.csv", *QUICK, env=place).returncode == 0
    assert lstmcast("predict", "runs/old-price", env=place).returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "runs", "tmp"]
    assert [*home.iterdir(), *temporary.iterdir()] == []
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["old-price"]


def test_every_number_of_the_contract_has_a_test() -> None:
    names = re.compile(r"^def test_(?:check_)?((?:\d\d_)+)", re.MULTILINE)
    texts = [
        path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")
    ]
    numbers = {
        int(number)
        for text in texts
        for found in names.findall(text)
        for number in found.split("_")
        if number
    }
    assert numbers == set(range(1, 41))
