"""What a shell may offer for the value of an option, without loading torch or pandas.

These are callbacks that Typer attaches to an option (`autocompletion`), and what they need.
"""

import csv
import gzip
from pathlib import Path

from typer import Context

from lstmcast.cli.show.output import TABLE_FORMATS

_MAX_PEEKED_BYTES = 65536
"""Bytes of a file that are looked at for its header."""
_GZIP_MAGIC = b"\x1f\x8b"
_BINARY_MAGIC = (b"PAR1", b"ARROW1", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"{", b"[")
"""First bytes of Parquet, Arrow, Zstandard, workbooks and JSON, whose header is no line of text."""


def complete_column(context: Context, incomplete: str) -> list[str]:
    """Offer the columns of the DATA file that stands on the command line already."""
    names = read_column_names(_data_argument(context))
    return [name for name in names if name.startswith(incomplete)]


def complete_format(incomplete: str) -> list[str]:
    """Offer the formats in which tables are written."""
    return [name for name in TABLE_FORMATS if name.startswith(incomplete)]


def read_column_names(file: str) -> list[str]:
    """Return the names in the first line of a text table; nothing if it is none or unreadable."""
    try:
        start = _read_start(Path(file).expanduser())
        if start.startswith(_BINARY_MAGIC) or b"\0" in start:
            return []
        header = start.decode("utf-8-sig", "replace").splitlines()[0]
    # An error would be printed into the line that is being typed.
    except (OSError, EOFError, IndexError, RuntimeError):
        return []
    # Of a tie the first counts: a single column has none of them, and any will do.
    delimiter = max(",;\t|", key=header.count)
    names = next(csv.reader([header], delimiter=delimiter), [])
    return [name.strip() for name in names if name.strip()]


def _read_start(path: Path) -> bytes:
    """Return the first bytes of a file, unpacked if it is gzip; none of what is not a file."""
    # To read from a pipe would take from it what the command is to read.
    if not path.is_file():
        return b""
    with path.open("rb") as raw:
        start = raw.read(_MAX_PEEKED_BYTES)
    if not start.startswith(_GZIP_MAGIC):
        return start
    with gzip.open(path) as unpacked:
        return unpacked.read(_MAX_PEEKED_BYTES)


def _data_argument(context: Context) -> str:
    """Return the DATA argument of a command line that is still being typed, or an empty text."""
    arguments = [
        p.name for p in context.command.params if p.param_type_name == "argument"
    ]
    # The parser stops at an option whose value is not there yet, before it assigns the arguments:
    # they are left in `context.args` then.
    unassigned = dict(zip(arguments, context.args, strict=False))
    # Where RUN may be left out, a single argument is DATA.
    for name in ("data", "run"):
        given = context.params.get(name) or unassigned.get(name)
        if given:
            return str(given)
    return ""
