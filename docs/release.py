"""Build what is released, and check it: `python docs/release.py build`, then `... ready`.

build: sdist and wheel in dist/, built twice and compared byte by byte; what an index would refuse;
and that the wheel holds all that the program reads. ready: whether this commit may be released.
What is done by hand is in releasing.md.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"
NEEDED_IN_WHEEL = (
    "lstmcast/py.typed",
    "lstmcast/pretrained/long_seasons.safetensors",
    "lstmcast/pretrained/weights.safetensors",
    "lstmcast/reporting/pages/report.css",
    "lstmcast/reporting/pages/report.html.jinja",
    "lstmcast/reporting/pages/served.html.jinja",
)


class NotReadyError(Exception):
    """Something stands in the way of a release."""


def build_twice() -> None:
    """Build into dist/, and again elsewhere; raise NotReadyError unless the bytes are the same."""
    shutil.rmtree(DIST, ignore_errors=True)
    _build(DIST)
    with tempfile.TemporaryDirectory() as folder:
        again = Path(folder)
        _build(again)
        for file in sorted(DIST.iterdir()):
            if file.read_bytes() != (again / file.name).read_bytes():
                raise NotReadyError(f"{file.name} has other bytes when built again")
            print(f"{file.name}: {file.stat().st_size:,} bytes, the same twice")


def check_files() -> None:
    """Raise NotReadyError where an index would refuse a file, or the wheel lacks something."""
    files = [str(file) for file in sorted(DIST.iterdir())]
    _run([sys.executable, "-m", "twine", "check", "--strict", *files])
    (wheel,) = DIST.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    missing = sorted(set(NEEDED_IN_WHEEL) - names)
    if missing:
        raise NotReadyError(f"{wheel.name} lacks {', '.join(missing)}")


def check_commit() -> None:
    """Raise NotReadyError unless this commit is one to release."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    version = project["project"]["version"]
    hook = project["tool"]["hatch"]["metadata"]["hooks"]["custom"]
    changelog = (ROOT / "docs" / "changelog.md").read_text(encoding="utf-8")
    if not hook["repository"]:
        raise NotReadyError("pyproject.toml names no repository: links would be lost")
    if not re.search(rf"^## {re.escape(version)} ", changelog, re.MULTILINE):
        raise NotReadyError(f"docs/changelog.md has no heading for {version}")
    if _run(["git", "status", "--porcelain"]):
        raise NotReadyError("there are changes that are not committed")
    if _run(["git", "tag", "--list", f"v{version}"]):
        raise NotReadyError(f"v{version} is released already: raise the version")


def _build(folder: Path) -> None:
    # Times within the archives are that of the commit, whenever they are built.
    stamp = _run(["git", "log", "-1", "--format=%ct"]).strip()
    command = [sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT)]
    _run(command, SOURCE_DATE_EPOCH=stamp)


def _run(command: Sequence[str], **variables: str) -> str:
    """Run a command in the repository; returns what it prints."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NotReadyError(f"{' '.join(command)}:\n{done.stdout}{done.stderr}")
    return done.stdout


def main(arguments: Sequence[str]) -> int:
    """Do what is asked; returns the exit status."""
    try:
        match arguments:
            case ["build"]:
                build_twice()
                check_files()
            case ["ready"]:
                check_commit()
            case _:
                print(__doc__, file=sys.stderr)
                return 2
    except NotReadyError as error:
        print(f"not ready: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
