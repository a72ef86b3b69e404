"""What is told of an error; the whole program is in `test_app` and `test_contract_help`."""

import errno

import pytest

from lstmcast.cli.problems import Problem, describe_error
from lstmcast.errors import DataError, ExitCode, ResourceError


def test_an_error_of_a_user_keeps_its_words() -> None:
    problem = describe_error(DataError("x.csv:3: no number", "mend it"))
    assert problem == Problem(ExitCode.DATA, "data", "x.csv:3: no number", "mend it")


@pytest.mark.parametrize(
    ("number", "hint"),
    [
        (errno.ENOSPC, "make room, or write somewhere else with --out or -o"),
        (errno.EACCES, "write somewhere else with --out or -o"),
        (errno.ECONNRESET, ""),
    ],
)
def test_an_error_of_the_system_names_the_file_and_a_way_out(
    number: int, hint: str
) -> None:
    problem = describe_error(OSError(number, "Trouble", "out.csv"))
    assert problem == Problem(ExitCode.RESOURCE, "resource", "'out.csv': Trouble", hint)


def test_a_resource_error_says_more_than_that_memory_is_short() -> None:
    error = ResourceError("x.csv needs 9 GB")
    error.__cause__ = MemoryError()
    assert describe_error(error).message == "x.csv needs 9 GB"
    assert describe_error(MemoryError()).message == "out of memory"
