"""A missing optional package is an error before any work, with the command that installs it."""

import sys

import pytest

from lstmcast.errors import UsageError
from lstmcast.extras import require_extra


def test_a_missing_package_is_named_with_the_command_that_installs_it() -> None:
    with pytest.raises(UsageError, match="pictures need nowhere_lib, which is not") as caught:
        require_extra("pictures need", "plot", "json", "nowhere_lib")
    assert caught.value.hint == "pip install 'lstmcast[plot]'"


def test_packages_that_are_installed_are_not_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "wave", raising=False)
    require_extra("sounds need", "sound", "json", "wave")
    assert "wave" not in sys.modules
