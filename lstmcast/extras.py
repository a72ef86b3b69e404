"""Packages that are not always installed: said before any work, with the command that installs them."""

import sys
from importlib.util import find_spec

from lstmcast.errors import UsageError


def require_extra(what: str, extra: str, *packages: str) -> None:
    """Raise UsageError unless `packages` can be imported; nothing is imported by asking.

    what: the feature and its verb, as in "pictures need". extra: the name of the group of packages
    in pyproject.toml that has them.
    """
    for package in packages:
        if package not in sys.modules and find_spec(package) is None:
            raise UsageError(
                f"{what} {package}, which is not installed", f"pip install 'lstmcast[{extra}]'"
            )
