"""How many false alarms are allowed."""

import pytest

from lstmcast import UsageError
from lstmcast.monitoring.rates import require_rate, resolve_rate


def test_a_rate_is_said_in_one_of_two_ways() -> None:
    assert resolve_rate(None, None) == 0.001
    assert resolve_rate(0.02, None) == 0.02
    assert resolve_rate(None, "high") > resolve_rate(None, "low")
    with pytest.raises(UsageError, match="in two ways"):
        resolve_rate(0.02, "low")
    with pytest.raises(UsageError, match="sensitivity"):
        resolve_rate(None, "lw")


@pytest.mark.parametrize("rate", [0.0, 0.5, -1.0, float("nan")])
def test_a_share_that_is_none_or_nearly_all_is_refused(rate: float) -> None:
    require_rate(0.49)
    with pytest.raises(UsageError, match="rate"):
        require_rate(rate)
