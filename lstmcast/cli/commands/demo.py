"""`lstmcast demo`: a small file to try the other commands on."""

import shlex
from pathlib import Path
from typing import Annotated

from typer import Argument

from lstmcast.cli.options.results import ShowOptions
from lstmcast.cli.show import output
from lstmcast.cli.show.console import Reporter
from lstmcast.errors import ResourceError, UsageError
from lstmcast.runs.disk import write_file

EXAMPLES = """\
lstmcast demo
lstmcast demo first-try.csv"""
SAMPLE_FILE = Path(__file__).parents[2] / "samples" / "price.csv"
"""An invented daily price of two years: a week, a winter and a few spikes."""
DemoFile = Annotated[str, Argument(metavar="FILE", help="CSV file to write.")]


def demo(file: DemoFile = SAMPLE_FILE.name, *, show: ShowOptions) -> None:
    """Write a small sample to try lstmcast on; prints its path.

    It is an invented daily price of two years. On stderr stand three commands to type next. A file
    that holds anything else is never replaced.
    """
    place = Path(file)
    content = SAMPLE_FILE.read_bytes()
    if place.is_dir():
        place = place / SAMPLE_FILE.name
    if place.exists() and place.read_bytes() != content:
        raise UsageError(
            f"{str(place)!r} is there already and is not the sample",
            f"name another file: lstmcast demo {_name_beside(place)}",
        )
    if not place.parent.is_dir():
        hint = f"make it: mkdir -p {shlex.quote(str(place.parent))}"
        raise ResourceError(f"there is no folder {str(place.parent)!r}", hint)
    if not place.exists():
        write_file(place, content)

    name = shlex.quote(str(place))
    commands = [
        f"lstmcast inspect {name}",
        f"lstmcast forecast {name}",
        f"lstmcast fit {name}",
    ]
    Reporter.of(show).say("now try:", *(f"  {command}" for command in commands))
    facts = {"file": str(place), "commands": commands}
    output.write_path_or_object("demo", place, facts, as_json=show.json)


def _name_beside(place: Path) -> str:
    """Return a name next to `place` that is free."""
    number = 2
    while place.with_stem(f"{place.stem}-{number}").exists():
        number += 1
    return shlex.quote(str(place.with_stem(f"{place.stem}-{number}")))
