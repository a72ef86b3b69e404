import sys

import pytest

from lstmcast import UsageError, extras
from lstmcast.extras import require_extra


def test_what_is_installed_is_not_complained_of_and_not_imported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "wave", raising=False)
    require_extra("sounds need", "sound", "wave")
    assert "wave" not in sys.modules


@pytest.mark.parametrize("how", ["not on disk", "forbidden"])
def test_the_first_missing_package_is_named_with_the_line_that_installs_it(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if how == "forbidden":
        monkeypatch.setitem(sys.modules, "nosuchthing", None)
    with pytest.raises(
        UsageError, match="sounds need nosuchthing, which is not"
    ) as raised:
        require_extra("sounds need", "sound", "json", "nosuchthing")
    assert raised.value.hint == "pip install 'lstmcast[sound]'"


def test_a_package_that_is_loaded_needs_no_place_on_disk(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda _: None)
    require_extra("arrays need", "arrays", "numpy")
