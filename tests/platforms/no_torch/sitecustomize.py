"""On PYTHONPATH, this lets Python start as if torch and scipy were not installed."""

import sys
from importlib.machinery import ModuleSpec, PathFinder

ABSENT = ("torch", "scipy")


class PresentPackages(PathFinder):
    """Finds what is installed, but none of the packages that are to be absent."""

    @classmethod
    def find_spec(cls, name: str, path=None, target=None) -> ModuleSpec | None:
        """Return where a module is."""
        if name.partition(".")[0] in ABSENT:
            return None
        return super().find_spec(name, path, target)

    @classmethod
    def find_distributions(cls, *arguments, **named):
        """Return the metadata of packages."""
        for found in super().find_distributions(*arguments, **named):
            if found.metadata["Name"] not in ABSENT:
                yield found


sys.meta_path[sys.meta_path.index(PathFinder)] = PresentPackages
