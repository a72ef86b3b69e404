"""Pages are what the program says today, and what was measured."""

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest

from docs import api, generate
from lstmcast.config import Cell, Loss, ModelConfig, Optimizer, Scale, Transform
from tests.conftest import ROOT


def test_the_page_of_commands_is_not_stale() -> None:
    command = [sys.executable, "docs/generate.py", "--check"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr


def test_the_page_of_the_library_is_what_its_docstrings_say() -> None:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert page == api.page(), "run `make docs` and commit docs/api.md"
    for name in ("## Forecaster", "### Forecaster.simulate", "## backtest"):
        assert f"\n{name}\n" in page


def test_a_stale_page_is_refused_and_says_how_to_mend_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generate, "PAGE", tmp_path / "commands.md")
    monkeypatch.setattr(generate, "page", lambda: "new\n")
    (tmp_path / "commands.md").write_text("old\n", encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["generate.py", "--check"])
    assert generate.main() == 1
    assert "make docs" in capsys.readouterr().err
    assert (tmp_path / "commands.md").read_text(encoding="utf-8") == "old\n"
    monkeypatch.setattr(sys, "argv", ["generate.py"])
    assert generate.main() == 0
    assert (tmp_path / "commands.md").read_text(encoding="utf-8") == "new\n"


def test_the_page_of_the_network_names_every_option_of_it_and_no_other() -> None:
    text = (ROOT / "docs" / "model.md").read_text(encoding="utf-8")
    known = set(
        re.findall(
            r"--[a-z][a-z-]+",
            (ROOT / "docs" / "commands.md").read_text(encoding="utf-8"),
        )
    )
    assert set(re.findall(r"--[a-z][a-z-]+", text)) <= known
    for field in fields(ModelConfig):
        assert f"--{field.name.replace('_', '-')}" in text
    choices = {
        *get_args(Cell),
        *get_args(Loss),
        *get_args(Optimizer),
        *get_args(Scale),
        *get_args(Transform),
    }
    assert all(choice in text for choice in choices)


def test_every_command_has_its_section() -> None:
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert {"fit", "predict", "evaluate", "backtest"} <= set(generate.command_names())
    assert all(f"\n## lstmcast {name}\n" in text for name in generate.command_names())


def test_files_that_the_page_for_contributors_names_are_there() -> None:
    text = (ROOT / "docs" / "contributing.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_/]+(?:\.py|\.md|/))`", text))
    places = (ROOT / "lstmcast", ROOT / "tests", ROOT)
    assert len(named) > 20
    assert [
        name for name in named if not any((p / name).exists() for p in places)
    ] == []
