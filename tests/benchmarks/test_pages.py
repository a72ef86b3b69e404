"""Every measured figure of a page is what the results say, and stands where they put it."""

import json
import re
import shutil
from pathlib import Path

import pytest

from benchmarks import pages, speedpage
from benchmarks.figures import FOLDER, keep, kept
from benchmarks.pages import PARTS, marks, put, stale
from tests.conftest import ROOT

PAGES = tuple(dict.fromkeys(part.page for part in PARTS))
MEASURED = re.compile(r"(?<![\w.])\d*\.\d+")
"""A number with a decimal point, as measured ones are."""
SETTINGS = {
    "README.md": {"3.11", "3.12", "3.13", "3.14", "2.0", "0.6"},
    "docs/covariates.md": set(),
    "docs/tuning.md": {"0.0003", "0.001", "0.003", "0.2", "0.4", "0.1"},
    "docs/detection.md": {"0.001", "0.0003", "0.003", "0.999"},
}
"""Numbers that pages name which nobody measured: versions, settings. In other pages there are many
of these (equations, examples), and only their made parts are held."""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The pages and the results at another place."""
    for page in PAGES:
        (tmp_path / page).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / page, tmp_path / page)
    shutil.copytree(FOLDER, tmp_path / "docs" / "figures")
    return tmp_path


def test_no_page_is_stale() -> None:
    assert stale() == []


def made_parts(page: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    parts = [part for part in PARTS if part.page == page and kept(part.results[0])]
    return [
        text.split(marks(part.name)[0])[1].split(marks(part.name)[1])[0]
        if part.name
        else text
        for part in parts
    ]


@pytest.mark.parametrize("page", PAGES)
def test_any_other_figure_in_a_page_is_noticed(page: str, copy: Path) -> None:
    """The last number of each made part is changed in its last digit."""
    path = copy / page
    whole = path.read_text(encoding="utf-8")
    for part in made_parts(page):
        at = [found.end() - 1 for found in re.finditer(r"\d+(?:[.,]\d+)*", part)][-1]
        other = part[:at] + str((int(part[at]) + 1) % 10) + part[at + 1 :]
        assert whole.count(part) == 1
        path.write_text(whole.replace(part, other), encoding="utf-8")
        (line,) = stale(copy, copy / "docs" / "figures")
        assert line.startswith(f"{page}:")


@pytest.mark.parametrize("page", ["README.md", "docs/accuracy.md"])
def test_a_better_accuracy_than_was_measured_is_noticed(page: str, copy: Path) -> None:
    path = copy / page
    text = path.read_text(encoding="utf-8")
    figure = f"{kept('accuracy')['results'][0]['owa']:.3f}"
    assert figure in text
    path.write_text(text.replace(figure, f"0.1{figure[3:]}", 1), encoding="utf-8")
    assert len(stale(copy, copy / "docs" / "figures")) == 1


def test_another_result_is_noticed_in_all_pages_that_show_it(copy: Path) -> None:
    folder = copy / "docs" / "figures"
    found = kept("accuracy", folder)
    found["results"][1]["owa"] += 0.1
    keep("accuracy", found, folder)
    assert (
        len(stale(copy, folder)) == 3
    )  # the README, its page, the card of the weights


@pytest.mark.parametrize("page", SETTINGS)
def test_measured_figures_stand_in_made_parts_alone(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for part in made_parts(page):
        text = text.replace(part, "")
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    assert set(MEASURED.findall(text)) <= SETTINGS[page]


def test_all_results_say_when_they_were_measured_or_where_they_are_from() -> None:
    for path in FOLDER.glob("*.json"):
        found = json.loads(path.read_text(encoding="utf-8"))
        sections = found.get("sections", {"": found})
        if path.stem not in ("equivalents", "reliability"):
            assert all(
                {"measured", "source", "on"} & {*one, *found}
                for one in sections.values()
            ), path.name
        assert path.stat().st_size < 150_000


def test_the_results_of_each_file_are_shown_somewhere() -> None:
    shown = {name for part in PARTS for name in part.results}
    assert {path.stem for path in FOLDER.glob("*.json")} <= shown


def test_a_part_needs_its_marks() -> None:
    begin, end = marks("one")
    text = f"before\n{begin}\nold\n{end}\nafter\n"
    assert put(text, "one", "new\n") == f"before\n{begin}\n\nnew\n\n{end}\nafter\n"
    assert put(put(text, "one", "new"), "one", "new") == put(text, "one", "new")
    with pytest.raises(ValueError, match="no place for two"):
        put(text, "two", "new")


def test_the_check_says_what_is_stale(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pages.main(["--check"]) == 0
    monkeypatch.setattr(pages, "stale", lambda: ["README.md:9: a, but results say: b"])
    assert pages.main(["--check"]) == 1
    said = capsys.readouterr().err
    assert "README.md:9" in said and "make figures" in said


def test_speeds_in_different_precisions_are_not_set_beside_each_other_unsaid() -> None:
    rows = {
        "lstmcast": {"windows_per_second": 3000.0},
        "another": {"windows_per_second": 500.0},
    }
    stamp = {"source": "0", "on": "", "machine": {"cpu": "", "cores": 2, "python": ""}}
    stamp["machine"] |= {"versions": []}
    train = {"rows": rows, "precision": "bfloat16", **stamp}
    step = {"float32": {"whole": 2.0}, "bfloat16": {"whole": 1.0}}
    text = speedpage._train(train, {"train": train, "step": step})
    assert "| lstmcast | bfloat16 | 3,000 | 1.0 |  |" in text
    assert "takes 2.0 times as long in float32" in text
    rows["lstmcast, float32"] = {"windows_per_second": 1500.0}
    text = speedpage._train(train, {"train": train, "step": step})
    assert "| another | float32 | 500 | 6.0 | 3.0 |" in text
    assert "times as long" not in text
