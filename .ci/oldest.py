"""Print the oldest version that pyproject.toml allows of each requirement, as constraints for pip.

torch is left to constraints.txt: its old versions come without a build for the processor alone.
"""

import re
import tomllib
from pathlib import Path

LEFT_OUT = ("torch", "dask", "ray", "mlflow-skinny", "sqlalchemy", "alembic")
"""The engines and the tracker bring whole trees of their own, with bounds of their own."""


def main() -> None:
    """Print a line for each requirement of the program and of its extras."""
    page = Path(__file__).parents[1] / "pyproject.toml"
    project = tomllib.loads(page.read_text(encoding="utf-8"))["project"]
    extras = dict(project["optional-dependencies"])
    # Tools of development are what they are.
    del extras["dev"]
    oldest = {}
    for requirement in [*project["dependencies"], *sum(extras.values(), [])]:
        match = re.fullmatch(r"([\w-]+)(?:\[.*\])?>=([\w.]+).*", requirement)
        if match and match[1] not in LEFT_OUT:
            oldest[match[1]] = match[2]
    for name, version in sorted(oldest.items()):
        print(f"{name}=={version}")


if __name__ == "__main__":
    main()
