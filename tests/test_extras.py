import json
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from lstmcast import UsageError, extras
from lstmcast.extras import (
    MissingPackageError,
    install_command,
    require_extra,
    require_torch,
)


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
    assert raised.value.hint == install_command("sound")


def test_a_package_that_is_loaded_needs_no_place_on_disk(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import numpy  # noqa: F401

    monkeypatch.setattr(extras, "find_spec", lambda _: None)
    require_extra("arrays need", "arrays", "numpy")


class _Installed:
    """An installed lstmcast, and what its direct_url.json says."""

    def __init__(self, recorded: str | None) -> None:
        self.recorded = recorded

    def read_text(self, _: str) -> str | None:
        return self.recorded


@pytest.mark.parametrize(
    ("origin", "command"),
    [
        (None, "pip install 'lstmcast[plot]'"),
        ({"dir_info": {}, "url": "HERE"}, "pip install '.[plot]'"),
        ({"dir_info": {"editable": True}, "url": "HERE"}, "pip install -e '.[plot]'"),
        (
            {"dir_info": {}, "url": "file:///some%20where"},
            "pip install '/some where[plot]'",
        ),
        (
            {"archive_info": {}, "url": "file:///a.whl"},
            "pip install 'lstmcast[plot] @ file:///a.whl'",
        ),
        (
            {"vcs_info": {"vcs": "git"}, "url": "https://example.org/a"},
            "pip install 'lstmcast[plot] @ git+https://example.org/a'",
        ),
    ],
)
def test_an_extra_is_installed_from_where_lstmcast_came_from(
    origin: dict[str, Any] | None,
    command: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    recorded = None
    if origin:
        url = origin["url"].replace("HERE", tmp_path.as_uri())
        recorded = json.dumps(origin | {"url": url})
    monkeypatch.setattr(metadata, "distribution", lambda _: _Installed(recorded))
    assert install_command("plot") == command


def test_a_checkout_that_is_not_installed_is_installed_with_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_distribution(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", no_distribution)
    assert install_command("plot") == "pip install '.[plot]'"


def test_torch_is_installed_by_its_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingPackageError, match="a fit needs torch") as raised:
        require_torch("a fit needs")
    assert raised.value.hint == "pip install torch"
