from types import SimpleNamespace
from typing import Any

import pytest

from lstmcast.cli.gates import check_gates, parse_gates
from lstmcast.errors import GateError, UsageError

VERDICT: Any = SimpleNamespace(
    model={"mase": 0.9, "smape": float("nan"), "coverage": 0.8}, skill=-0.1
)


@pytest.mark.parametrize(
    ("rule", "trips"),
    [
        ("mase>1", False),
        ("mase > .8", True),
        ("MASE>=0.9", True),
        ("mase>0.9", False),
        ("coverage<0.7", False),
        ("coverage<=0.8", True),
        ("skill<0", True),
        ("smape>1000", True),  # not known: no gate lets it through
    ],
)
def test_a_gate_trips_where_its_rule_holds(rule: str, trips: bool) -> None:
    gates = parse_gates([rule])
    if trips:
        with pytest.raises(GateError):
            check_gates(gates, VERDICT)
    else:
        check_gates(gates, VERDICT)


def test_all_gates_that_trip_are_named_with_their_figures() -> None:
    with pytest.raises(GateError) as caught:
        check_gates(parse_gates(["mase>1", "mase>0.5", "skill<0"]), VERDICT)
    assert caught.value.message == "quality gate not met: mase is 0.9, skill is -0.1"
    assert caught.value.hint == "--fail-if mase>0.5, skill<0"


@pytest.mark.parametrize(
    "rule",
    ["", "mase", "mase>", ">1", "mase==1", "mase>x", "mase>1 2", "owa>1", "mase>old"],
)
def test_what_is_no_rule_is_refused(rule: str) -> None:
    with pytest.raises(UsageError):
        parse_gates([rule])
