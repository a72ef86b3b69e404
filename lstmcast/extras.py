"""Packages that may be missing: an error before any work, with the command that installs them."""

import json
import sys
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from shlex import quote

from lstmcast.errors import UsageError

EXTRA_OF_PACKAGE = {"torch": "", "scipy": "likelihood"}
"""Packages whose import may fail far from where they are asked for, and the extra that has them;
none for a package of the plain install."""


class MissingPackageError(UsageError):
    """A package is not installed that a feature needs."""


def require_extra(what: str, extra: str, *packages: str) -> None:
    """Raise MissingPackageError unless `packages` are installed. Nothing is imported by asking.

    what: the feature and its verb, as in "pictures need". extra: the name of the group of packages
    in pyproject.toml that has them.
    """
    for package in packages:
        if not is_installed(package):
            raise missing_package_error(what, package, extra)


def require_torch(what: str) -> None:
    """Raise MissingPackageError unless torch is installed, which forecasting does without.

    what: as in `require_extra`. Nothing is imported by asking.
    """
    require_extra(what, EXTRA_OF_PACKAGE["torch"], "torch")


def missing_package_error(
    what: str, package: str, extra: str = ""
) -> MissingPackageError:
    """Return the error of a missing package; without an extra it is installed by its own name."""
    command = install_command(extra) if extra else f"pip install {package}"
    return MissingPackageError(f"{what} {package}, which is not installed", command)


def install_command(extra: str) -> str:
    """Return the command that adds an extra to this lstmcast, from where it was installed.

    Packaging tools record that in direct_url.json (PEP 610) for all but a package index.
    """
    try:
        recorded = metadata.distribution("lstmcast").read_text("direct_url.json")
    except (
        metadata.PackageNotFoundError
    ):  # run from a checkout, without being installed
        return f"pip install {quote(f'.[{extra}]')}"
    if recorded is None:
        return f"pip install {quote(f'lstmcast[{extra}]')}"

    origin = json.loads(recorded)
    url: str = origin["url"]
    if "dir_info" not in origin:
        scheme = f"{origin['vcs_info']['vcs']}+" if "vcs_info" in origin else ""
        return f"pip install {quote(f'lstmcast[{extra}] @ {scheme}{url}')}"

    from urllib.parse import urlsplit  # both are slow to import
    from urllib.request import url2pathname

    folder = Path(url2pathname(urlsplit(url).path))
    place = "." if folder == Path.cwd() else str(folder)
    editable = "-e " if origin["dir_info"].get("editable") else ""
    return f"pip install {editable}{quote(f'{place}[{extra}]')}"


def is_installed(package: str) -> bool:
    """Whether a package can be imported; it is not imported for that."""
    # Python's own mark of a module that must not be imported is None in sys.modules.
    if package in sys.modules:
        return sys.modules[package] is not None
    return find_spec(package) is not None
