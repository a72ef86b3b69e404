"""Kinds of error carry an exit code and a hint; hints name what may have been meant."""

import copy

import pytest

from lstmcast.errors import (
    ArgumentError,
    DataError,
    ExitCode,
    GateError,
    LockedError,
    LstmcastError,
    NotFittedError,
    RunError,
    UsageError,
    format_more,
    format_names,
    shorten_long_parts,
    suggest_similar,
    to_python_words,
)


def test_an_error_has_a_message_a_hint_and_an_exit_code() -> None:
    error = DataError("no column 'y'", "name one with --target")
    assert str(error) == "no column 'y'; name one with target"
    assert error.message == "no column 'y'"
    assert (error.hint, error.exit_code) == ("name one with --target", ExitCode.DATA)
    assert LstmcastError("x").hint == ""


@pytest.mark.parametrize(
    ("words", "in_python"),
    [
        ("--loss 'qantile' is unknown", "loss='qantile' is unknown"),
        (
            "--loss mse does not go with --transform log",
            "loss='mse' does not go with transform='log'",
        ),
        (
            "the largest context that fits is 3: --context 3",
            "the largest context that fits is 3: context=3",
        ),
        ("leave out --batch-size, or -j", "leave out batch_size, or -j"),
        ("--joint needs more than one target", "joint needs more than one target"),
        (
            "the weights do not fit --no-attention",
            "the weights do not fit attention=False",
        ),
        ("--from pretrained needs an LSTM", "start='pretrained' needs an LSTM"),
        ("column 'a--b' is empty", "column 'a--b' is empty"),
        ("give them with --future-data FILE", "give them with future=..."),
    ],
)
def test_as_text_an_error_names_arguments_and_no_options(
    words: str, in_python: str
) -> None:
    assert to_python_words(words) == in_python
    error = UsageError("wrong", words)
    assert str(error) == f"wrong; {in_python}" and error.hint == words


def test_an_error_goes_to_another_process_whole() -> None:
    error = copy.copy(ArgumentError("--lr 3 is no text", "give --lr"))
    assert (error.message, error.hint) == ("--lr 3 is no text", "give --lr")


def test_errors_are_what_python_would_raise() -> None:
    assert issubclass(ArgumentError, TypeError) and issubclass(
        ArgumentError, UsageError
    )
    assert issubclass(NotFittedError, AttributeError)


def test_errors_of_usage_and_data_are_value_errors_too() -> None:
    assert issubclass(UsageError, ValueError) and issubclass(DataError, ValueError)
    assert not issubclass(RunError, ValueError)


def test_exit_codes_never_change() -> None:
    codes = {code.name: code.value for code in ExitCode}
    assert codes == {
        **{
            "OK": 0,
            "BUG": 1,
            "USAGE": 2,
            "DATA": 3,
            "RUN": 4,
            "DIVERGED": 5,
            "RESOURCE": 6,
        },
        **{"GATE": 7, "LOCKED": 8, "INTERRUPTED": 130, "TERMINATED": 143},
    }
    assert (GateError.exit_code, LockedError.exit_code) == (7, 8)


def test_a_similar_word_is_suggested_whatever_its_case() -> None:
    assert suggest_similar("pirce", ["price", "sales"]) == "did you mean 'price'?"
    assert suggest_similar("PRICE", ["Price", "sales"]) == "did you mean 'Price'?"


def test_where_no_word_is_similar_the_first_ones_are_listed() -> None:
    assert suggest_similar("x", ["price", "sales"]) == "there is 'price', 'sales'"
    hint = suggest_similar("?", [f"c{number}" for number in range(15)])
    assert hint.endswith("'c11' and 3 more") and "c12" not in hint


@pytest.mark.parametrize(
    ("names", "count", "expected"),
    [
        (["a", "b"], None, "a, b"),
        (["a", "b", "c", "d"], None, "a, b, c and 1 more"),
        (["a", "b", "c"], 1003, "a, b, c and 1,000 more"),
        ([], None, ""),
    ],
)
def test_the_first_names_are_listed_and_the_rest_counted(
    names: list[str], count: int | None, expected: str
) -> None:
    assert format_names(names, count) == expected


def test_what_there_is_besides_the_one_shown_is_counted() -> None:
    assert format_more(1) == format_more(0) == ""
    assert format_more(2) == " (and 1 more)"
    assert format_more(1202, "rows") == " (and 1,201 more rows)"


def test_a_cell_of_any_length_is_cut_in_a_message_and_a_path_is_not() -> None:
    for cell in ("x" * 100_000, "a b " * 50_000, "it's\n" * 20_000):
        error = DataError(
            f"data.csv:7: column 'y': {cell!r} is no number", f"--na {cell}"
        )
        assert len(error.message) < 200
        assert error.message.startswith("data.csv:7: column 'y': ")
        assert error.message.endswith("is no number")
    path = f"/{'folder/' * 40}data.csv"
    assert (
        shorten_long_parts(f"there is no file {path!r}") == f"there is no file {path!r}"
    )
    assert shorten_long_parts("short 'and' plain") == "short 'and' plain"


def test_long_names_are_cut_in_a_list_of_them() -> None:
    assert len(format_names(["k" * 5000, "b"])) < 120
