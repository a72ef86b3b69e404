"""Optional packages: checked before any work, with the command that installs a missing one.

Knows no package itself.
"""

import sys
from importlib.util import find_spec

from lstmcast.errors import UsageError


def require_extra(feature: str, extra: str, *packages: str) -> None:
    """Raise UsageError unless `packages` can be imported; none of them is imported for it.

    feature: who needs them, with the verb, as in "pictures need". extra: name of the group of
    optional packages in pyproject.toml that has them.
    """
    for package in packages:
        if not _is_installed(package):
            raise UsageError(
                f"{feature} {package}, which is not installed", f"pip install 'lstmcast[{extra}]'"
            )


def _is_installed(package: str) -> bool:
    if package in sys.modules:
        return sys.modules[package] is not None  # None stands for one whose import is blocked
    return find_spec(package) is not None
