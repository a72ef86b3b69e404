"""Pages from results: `python -m benchmarks.pages [--check]`.

Every measured figure that a page shows is in a part that is made here from docs/figures/: a whole
page, or what stands between two marks. With `--check` nothing is written, and the exit status is 1
where a page is not what the results say.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import (
    beyond,
    covariates,
    detection,
    estimates,
    firstpage,
    gaps,
    ideas,
    model,
    mutations,
    online_detection,
    reading,
    reliability,
    scalepage,
    serving,
    speedpage,
    tables,
    tuning,
    updating,
)
from benchmarks.figures import FOLDER, kept
from benchmarks.sets import ROOT

Found = dict[str, Any]


class Part(NamedTuple):
    """A part of a page, the results that it is made from, and what makes its text of them.

    name: stands in the marks around the part; none where the part is the whole page.
    """

    page: str
    name: str
    results: tuple[str, ...]
    write: Callable[..., str]


PARTS = (
    Part("docs/accuracy.md", "", ("accuracy",), tables.page),
    Part("docs/performance.md", "", ("performance",), speedpage.kept_page),
    Part("docs/scale.md", "", ("scale",), scalepage.kept_page),
    Part("docs/reading.md", "", ("reading",), reading.page),
    Part("docs/covariates.md", "covariates", ("covariates",), covariates.kept_table),
    Part("docs/covariates.md", "beyond", ("beyond",), beyond.sentences),
    Part("docs/covariates.md", "gaps", ("gaps",), gaps.table),
    Part("docs/tuning.md", "tuning", ("tuning",), tuning.kept_table),
    Part("docs/model.md", "model", ("model",), model.table),
    Part("docs/model.md", "ideas", ("ideas",), ideas.table),
    Part("docs/detection.md", "detection", ("detection",), detection.kept_table),
    Part(
        "docs/detection.md",
        "online_detection",
        ("online_detection",),
        online_detection.kept_table,
    ),
    Part("docs/serving.md", "serving", ("serving",), serving.table),
    Part("docs/howto.md", "updating", ("updating",), updating.table),
    Part("docs/howto.md", "estimates", ("estimates",), estimates.sentence),
    Part("docs/reliability.md", "reliability", ("reliability",), reliability.table),
    Part(
        "docs/reliability.md",
        "mutations",
        ("mutations", "equivalents"),
        mutations.table,
    ),
    Part("README.md", "reasons", ("accuracy", "performance"), firstpage.reasons),
    Part("README.md", "accuracy", ("accuracy",), firstpage.accuracy),
    Part("README.md", "speed", ("performance",), firstpage.speed),
    Part(
        "lstmcast/pretrained/README.md", "accuracy", ("accuracy",), firstpage.untrained
    ),
)


def marks(name: str) -> tuple[str, str]:
    """What stands before and after a part."""
    return f"<!-- benchmarks.{name}: begin -->", f"<!-- benchmarks.{name}: end -->"


def put(text: str, name: str, made: str) -> str:
    """Put a part between its marks, or in place of the whole page; raises ValueError without."""
    if not name:
        return made
    begin, end = marks(name)
    before, found, rest = text.partition(begin)
    _, ended, after = rest.partition(end)
    if not found or not ended:
        raise ValueError(
            f"no place for {name}: it needs a line {begin} and a line {end}"
        )
    # A blank line on both sides, or Markdown takes a list for more of the comment.
    return f"{before}{begin}\n\n{made.strip()}\n\n{end}{after}"


def made(page: str, text: str, folder: Path = FOLDER) -> str:
    """Return the text of a page with all of its parts as the results say."""
    for part in PARTS:
        if part.page == page:
            results = [kept(name, folder) for name in part.results]
            if results[0]:
                text = put(text, part.name, part.write(*results))
    return text


def stale(root: Path = ROOT, folder: Path = FOLDER) -> list[str]:
    """Return the lines of pages that are not what the results say, and what they would be."""
    found = []
    for page in dict.fromkeys(part.page for part in PARTS):
        text = (root / page).read_text(encoding="utf-8")
        old, new = text.splitlines(), made(page, text, folder).splitlines()
        if old != new:
            at = next(
                (k for k, (a, b) in enumerate(zip(old, new, strict=False)) if a != b),
                min(len(old), len(new)),
            )
            lines = (one[at] if at < len(one) else "nothing" for one in (old, new))
            found.append(f"{page}:{at + 1}: " + ", but results say: ".join(lines))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the pages, or say what is stale in them; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.pages", description=__doc__
    )
    parser.add_argument("--check", action="store_true", help="write nothing")
    if parser.parse_args(arguments).check:
        lines = stale()
        advice = [
            "run `make figures`, and edit docs/figures/ or the benchmark, not the page"
        ]
        print("\n".join(lines + advice * bool(lines)), file=sys.stderr)
        return int(bool(lines))
    for page in dict.fromkeys(part.page for part in PARTS):
        path = ROOT / page
        text = path.read_text(encoding="utf-8")
        path.write_text(made(page, text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
