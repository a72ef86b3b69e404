"""Rules on figures, and on figures beside older ones."""

import pytest

from lstmcast.errors import UsageError
from lstmcast.scoring.gates import Gate

NOW, OLD = (
    {"mase": 1.01, "coverage": 0.8, "skill": float("nan")},
    {"mase": 1.0, "coverage": 0.7, "skill": 0.1},
)


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ("mase<=old", False),
        ("mase<=1.02*old", True),
        ("mase < 1.01 * OLD", False),
        ("coverage>=old", True),
        ("coverage>0.9", False),
        ("skill>=old", False),
        ("wql<=old", False),
    ],
)
def test_a_rule_can_compare_with_older_figures(rule: str, holds: bool) -> None:
    assert Gate.parse(rule).holds(NOW, OLD) is holds


@pytest.mark.parametrize("rule", ["mase<=old", "mase<=1.02*old", "coverage>0.7"])
def test_a_rule_reads_back_as_it_is_typed(rule: str) -> None:
    assert str(Gate.parse(rule)) == rule


@pytest.mark.parametrize(
    "rule", ["mase<=older", "mase<=two*old", "mase<=old*2", "masse<=old"]
)
def test_text_that_is_not_a_rule_is_refused_under_the_name_of_its_option(
    rule: str,
) -> None:
    with pytest.raises(UsageError, match="gate"):
        Gate.parse(rule, "--gate")
