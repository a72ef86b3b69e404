"""The notebooks of docs/ run as they are, show what they say, and are kept without output."""

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")

FOLDER = ROOT / "docs" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def read_notebook(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def list_code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_there_is_one_for_a_series_and_one_for_a_panel() -> None:
    names = [path.name for path in NOTEBOOKS]
    assert names == ["one_series.ipynb", "panel_with_covariates.ipynb"]
    guide = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")
    assert all(f"(notebooks/{name})" in guide for name in names)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_what_it_printed(path: Path) -> None:
    notebook = read_notebook(path)
    nbformat.validate(notebook)
    for cell in list_code_cells(notebook):
        assert cell.outputs == [] and cell.execution_count is None
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert not any(cell.metadata for cell in notebook.cells)


@pytest.mark.filterwarnings("default")  # those of Jupyter's own packages
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_shows_tables_pictures_and_bars(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYTHONWARNINGS", "error::UserWarning:lstmcast")
    notebook = read_notebook(path)
    place = {"metadata": {"path": str(FOLDER)}}
    nbclient.NotebookClient(notebook, timeout=600, resources=place).execute()

    for cell in list_code_cells(notebook):
        kinds = {kind for out in cell.outputs for kind in out.get("data", {})}
        # What goes to a stream is a warning or a remark that no one asked for.
        assert all(out.output_type != "stream" for out in cell.outputs), cell.source
        is_picture = cell.source.startswith("forecaster.plot")
        assert ("image/png" in kinds) == is_picture, cell.source
        pages = [out.data.get("text/html", "") for out in cell.outputs]
        if cell.source.startswith(("forecaster.", "watcher.")) and not is_picture:
            assert any("<table" in page for page in pages), cell.source
        if "progress=True" in cell.source:
            assert any("<progress" in page for page in pages)
