"""The public names of the package: resolved when they are used, and never those of modules."""

import subprocess
import sys
from importlib.metadata import version

import pytest

import lstmcast
from lstmcast.errors import LstmcastError


def run_fresh(code: str) -> str:
    """What `code` prints in an interpreter of its own."""
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return result.stdout.strip()


def test_the_kinds_of_error_are_public_and_share_a_base() -> None:
    for name in lstmcast.__all__:
        if name.endswith("Error"):
            assert issubclass(getattr(lstmcast, name), LstmcastError)


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(lstmcast, "forcaster")


def test_names_are_listed_before_they_are_loaded() -> None:
    code = "import lstmcast; print({'Forecaster', 'Panel', 'backtest'} <= set(dir(lstmcast)))"
    assert run_fresh(code) == "True"


@pytest.mark.parametrize(
    "first",
    [
        "from lstmcast import backtest",
        "from lstmcast.evaluation.backtest import evaluate",
        "import lstmcast.evaluation.backtest",
    ],
)
def test_a_function_named_like_its_module_stays_the_function(first: str) -> None:
    code = f"import lstmcast; {first}; print(type(lstmcast.backtest).__name__)"
    assert run_fresh(code) == "function"


def test_the_version_is_that_of_the_installed_package() -> None:
    assert lstmcast.__version__ == version("lstmcast")
