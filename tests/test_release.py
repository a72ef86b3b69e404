"""What is released holds elsewhere: links of the index page, bounds, what the wheel has."""

import importlib.util
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))[
    "project"
]


def load_script(name: str) -> ModuleType:
    """A script of docs/, which is no package."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def index_page(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The hook of the build, whose backend only an environment for building has."""
    interface: Any = ModuleType("interface")
    interface.MetadataHookInterface = object
    for name in ("hatchling", "hatchling.metadata", "hatchling.metadata.plugin"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, "hatchling.metadata.plugin.interface", interface)
    return load_script("index_page")


@pytest.fixture
def release() -> ModuleType:
    return load_script("release")


def test_links_of_the_index_page_lead_into_the_repository(
    index_page: ModuleType,
) -> None:
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = index_page.link_to_repository(page, "https://example.org/it", "1.2")
    assert "](https://example.org/it/raw/v1.2/docs/pictures/forecast.png)" in shown
    assert "[tutorial](https://example.org/it/blob/v1.2/docs/tutorial.md)" in shown
    places = re.findall(r"\]\(([^)]+)\)", shown)
    assert all(place.startswith(("https://", "http://", "#")) for place in places)


def test_without_a_repository_the_index_page_has_texts_and_no_dead_links(
    index_page: ModuleType,
) -> None:
    page = "![A picture](a.png) see [how to](docs/howto.md) and [here](#here)"
    shown = index_page.link_to_repository(page, "", "1.2")
    assert shown == " see how to and [here](#here)"
    assert index_page.project_urls("") == {}


def test_no_requirement_of_users_has_an_upper_bound() -> None:
    extras = PROJECT["optional-dependencies"]
    needed = [
        *PROJECT["dependencies"],
        *(line for name in extras if name != "dev" for line in extras[name]),
    ]
    assert [line for line in needed if "<" in line or ">=" not in line] == []


def test_the_oldest_versions_are_those_of_the_requirements() -> None:
    command = [sys.executable, str(ROOT / ".ci" / "oldest.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    oldest = dict(line.split("==") for line in done.stdout.splitlines())
    for requirement in PROJECT["dependencies"]:
        name, version = requirement.split(">=")
        assert name == "torch" or oldest[name] == version


def test_a_commit_is_not_ready_without_a_repository_to_link_to(
    release: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    hook = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    if hook["hatch"]["metadata"]["hooks"]["custom"]["repository"]:
        pytest.skip("there is one")
    assert release.main(["ready"]) == 1
    assert "names no repository" in capsys.readouterr().err


def test_a_wheel_that_lacks_what_the_program_reads_is_refused(
    release: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release, "DIST", tmp_path)
    monkeypatch.setattr(release, "_run", lambda *_: "")
    with zipfile.ZipFile(tmp_path / "a.whl", "w") as wheel:
        for name in release.NEEDED_IN_WHEEL[1:]:
            wheel.writestr(name, "")
    with pytest.raises(release.NotReadyError, match=r"a\.whl lacks lstmcast/py\.typed"):
        release.check_files()
    for name in release.NEEDED_IN_WHEEL:
        assert (ROOT / name).is_file()


def test_bytes_that_differ_when_built_again_are_refused(
    release: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[Path] = []

    def build(folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        built.append(folder)
        (folder / "a.whl").write_bytes(bytes(len(built)))

    monkeypatch.setattr(release, "DIST", tmp_path / "dist")
    monkeypatch.setattr(release, "_build", build)
    with pytest.raises(release.NotReadyError, match="other bytes when built again"):
        release.build_twice()
