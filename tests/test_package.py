import subprocess
import sys

import lstmcast
from lstmcast.errors import LstmcastError


def fresh(code: str) -> str:
    """What `code` prints in an interpreter of its own."""
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_the_kinds_of_error_are_public_and_share_a_base() -> None:
    for name in lstmcast.__all__:
        if name.endswith("Error"):
            assert issubclass(getattr(lstmcast, name), LstmcastError)


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(lstmcast, "forcaster")


def test_names_are_listed_before_they_are_loaded() -> None:
    assert (
        fresh("import lstmcast; print({'Forecaster', 'Panel', 'backtest'} <= set(dir(lstmcast)))")
        == "True"
    )


def test_a_function_named_like_its_module_stays_the_function_whoever_loads_the_module_first() -> (
    None
):
    for first in (
        "from lstmcast import backtest",
        "from lstmcast.evaluation.backtest import evaluate",
        "import lstmcast.evaluation.backtest",
    ):
        assert (
            fresh(f"import lstmcast; {first}; print(type(lstmcast.backtest).__name__)")
            == "function"
        )
