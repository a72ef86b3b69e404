"""Where a run goes unless told."""

import os
import re
from pathlib import Path

from lstmcast.disk import digest

_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)")
_SUFFIXES = re.compile(r"(?i)(\.(csv|tsv|txt|parquet|arrow|feather|gz|zst))+$")


def default_path(source: str, targets: tuple[str, ...]) -> Path:
    """Where a run goes unless told: `runs/<file stem>-<target>`, always one plain file name under `runs`."""
    stem = "stdin" if source == "-" else _SUFFIXES.sub("", _name(source))
    name = re.sub(r"[^\w.+-]+", "_", "-".join((stem, *targets))).lstrip(".")
    if len(os.fsencode(name)) > 100:
        name = f"{os.fsencode(name)[:80].decode(errors='ignore')}-{digest(os.fsencode(name))[:8]}"
    return Path("runs", f"_{name}" if _RESERVED.match(name) else name)


def _name(source: str) -> str:
    """Return the last part of a path that names something: of the pattern `sales/*.parquet` it is `sales`."""
    pattern = not Path(source).exists()
    parts = [part for part in Path(source).parts if not (pattern and re.search(r"[*?\[]", part))]
    return Path(*parts).resolve().name if parts else "data"
