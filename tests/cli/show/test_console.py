import io
import re
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from lstmcast.cli.show import console
from lstmcast.cli.show.console import Reporter

PHASES: list[dict[str, Any]] = [
    {"phase": "prepare", "message": "season [/red] 12"},
    {"phase": "train", "validation": 0.6},
    {"phase": "train", "step": 0, "total": 20, "loss": float("nan"), "validation": 0.5},
    {"phase": "train", "step": 10, "total": 20, "loss": 0.25, "validation": 0.4},
    {
        "phase": "member",
        "step": 1,
        "total": 2,
        "message": "as it is",
        "validation": 0.4,
    },
    {"phase": "train", "step": 20, "total": 20, "loss": 0.125, "validation": 0.3},
]


def event(**fields: Any) -> Any:
    return SimpleNamespace(
        **{"message": "", "step": 0, "total": 0, "loss": None, "validation": None}
        | {"part": 0.0}
        | fields
    )


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(capsys: pytest.CaptureFixture[str], **options: bool) -> str:
    with Reporter(**options).progress() as on_event:
        for fields in PHASES:
            on_event(event(**fields))
    out, err = capsys.readouterr()
    assert out == ""
    return err


def test_off_a_terminal_each_phase_is_one_plain_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert shown(capsys) == "  season [/red] 12\ntraining\n"


def test_verbose_adds_a_line_for_each_validation(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert shown(capsys, verbose=True).splitlines()[2:] == [
        "  train  validation 0.6000",
        "  train 0/20  validation 0.5000",
        "  train 10/20  loss 0.2500  validation 0.4000",
        "  member 1/2  as it is  validation 0.4000",
        "  train 20/20  loss 0.1250  validation 0.3000",
    ]


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    report = Reporter(quiet=True)
    report.say("x")
    report.found(["y"])
    report.sentences("y z")
    assert shown(capsys, quiet=True) == ""


def test_a_terminal_gets_a_bar_with_step_loss_and_validation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with Reporter().progress() as on_event:
        for fields in PHASES:
            on_event(event(**fields))
    text = terminal.getvalue()
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)
    assert "20/20" in text and "validation 0.3000" in text
    assert "season [/red] 12\n" in text


@pytest.mark.parametrize("columns", [50, 60, 80, 140])
def test_a_bar_is_one_line_in_which_no_number_is_cut(
    columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console.Pace, "estimate_seconds", lambda *_: 720.0)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(columns))
    losses = {"loss": 0.1234, "validation": 0.5678}
    with Reporter().progress() as on_event:
        on_event(event(phase="tune", message="no\x1b 7", step=3, total=400, **losses))
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", terminal.getvalue())
    frames = [line.strip() for line in re.split(r"[\r\n]", text) if line.strip()]
    last = frames[-1]
    assert max(map(len, frames)) <= columns
    whole = r"tune [━╸╺ ]* 3/400 0:00:00 about 12 min left"
    assert re.match(whole, last), last
    rest = re.sub(whole, "", last).strip()
    message = "no\\x1b 7"
    figures = {
        50: "",
        60: message,
        80: f"{message}  loss 0.1234",
        140: f"{message}  loss 0.1234  validation 0.5678",
    }
    assert rest == figures[columns]


def test_figures_without_room_are_left_out_whole() -> None:
    text = "12 rows, 3 failed  loss 0.1234"
    assert console.cut_figures(text, 30) == text
    assert console.cut_figures(text, 29) == "12 rows, 3 failed"
    assert console.cut_figures(text, 12) == "12 rows"
    assert console.cut_figures(text, 6) == ""


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_terminal_that_cannot_redraw_gets_lines(
    term: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", term)
    assert not console.is_live(Terminal())


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("plain é €", "plain é €"),
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("a\nb\r\t\x07", "a\\nb\\r\\t\\x07"),
        ("abc\u202edcba\u2066", "abc\\u202edcba\\u2066"),
        ("\udcff", "\\udcff"),
        ("[red]x[/red]", "[red]x[/red]"),
    ],
)
def test_what_a_terminal_would_obey_is_shown_escaped(text: str, escaped: str) -> None:
    assert console.escape_unprintable(text) == escaped


def test_a_plain_table_aligns_names_left_and_figures_right() -> None:
    assert console.format_table(
        ["", "mase"], [["model", "0.9"], ["seasonal_naive", "1"]]
    ) == [
        "                mase",
        "model            0.9",
        "seasonal_naive     1",
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.75213, "0.7521"),
        (13.32149, "13.32"),
        (449.2345, "449.2"),
        (123456.7, "123457"),
        (0.0123456, "0.01235"),
        (0.0, "0"),
        (-0.1, "-0.1000"),
        (1e-9, "1.000e-09"),
        (2.5e9, "2.500e+09"),
        (float("nan"), "-"),
        (None, "-"),
        (float("inf"), "inf"),
    ],
)
def test_figures_have_few_digits(value: float | None, text: str) -> None:
    assert console.format_number(value) == text


def test_long_work_off_a_terminal_says_once_a_minute_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seconds = iter([0.0, 0.0, 30.0, 61.0, 90.0, 122.0])
    monkeypatch.setattr(console.time, "monotonic", lambda: next(seconds))
    with Reporter().progress() as on_event:
        for part in (0.0, 0.5, 1.0, 1.5, 2.0):
            on_event(event(phase="backtest", total=4, part=part))
    first, *lines = capsys.readouterr().err.splitlines()
    assert first == "forecasting from past cutoffs"
    assert [re.sub(r"\d\d:\d\d:\d\d", "TIME", line) for line in lines] == [
        "  TIME  backtest 0/4  25 % done  about 3 min left",
        "  TIME  backtest 0/4  50 % done  about 2 min left",
    ]


def test_sentences_are_broken_between_words_and_keep_a_number_and_its_percent_sign(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(console, "get_terminal_width", lambda: 20)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    Reporter().sentences("its error was 12.3 % above", colour="bad")
    assert terminal.getvalue().splitlines() == [
        "\x1b[33mits error was\x1b[0m",
        "\x1b[33m12.3 % above\x1b[0m",
    ]


def test_an_error_and_its_hints_are_broken_between_words(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "is_live", lambda _: True)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "40")
    console.write_error(
        "covariates known ahead (holiday, weather) are missing\n",
        "give them with --future-data FILE, or as rows with an empty target",
    )
    assert capsys.readouterr().err.splitlines() == [
        "error: covariates known ahead (holiday,",
        "  weather) are missing\\n",
        "  give them with --future-data FILE, or",
        "    as rows with an empty target",
    ]
    monkeypatch.setattr(console, "is_live", lambda _: False)
    console.write_error("a " * 60 + "b", "hint")
    assert len(capsys.readouterr().err.splitlines()) == 2
