"""Optional packages: an error before any work, with the command that installs what is missing."""

import sys
from importlib.util import find_spec

from lstmcast.errors import UsageError


def require_extra(what: str, extra: str, *packages: str) -> None:
    """Raise UsageError unless `packages` are installed. Nothing is imported by asking.

    what: the feature and its verb, as in "pictures need". extra: the name of the group of packages
    in pyproject.toml that has them.
    """
    for package in packages:
        if not _is_installed(package):
            raise UsageError(
                f"{what} {package}, which is not installed",
                f"pip install 'lstmcast[{extra}]'",
            )


def _is_installed(package: str) -> bool:
    # Python's own mark of a module that must not be imported is None in sys.modules.
    if package in sys.modules:
        return sys.modules[package] is not None
    return find_spec(package) is not None
