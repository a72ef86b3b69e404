"""Write `docs/api.md` from the docstrings of the public names: `python docs/api.py [--check]`.

With `--check` nothing is written; the exit status is 1 where the page is not what the docstrings
say today.
"""

import inspect
import sys
from enum import Enum
from pathlib import Path
from typing import Any

import lstmcast

PAGE = Path(__file__).with_name("api.md")
HEAD = """\
# The library

Written by `make docs` from the docstrings; do not edit. An introduction is in the
[guide](guide.md#from-python).
"""


def describe_name(name: str) -> str:
    """The section of a public name: its docstring and, of a class, those of its own methods."""
    value = getattr(lstmcast, name)
    parts = [f"\n## {name}\n", to_block(name, value)]
    if inspect.isclass(value) and not issubclass(value, Exception | Enum):
        for method, function in list_methods(value):
            parts.append(f"\n### {name}.{method}\n")
            parts.append(to_block(method, function))
    return "\n".join(parts)


def list_methods(kind: type) -> list[tuple[str, Any]]:
    """Public methods and properties of a class that have a docstring, by name."""
    found = []
    for name, value in inspect.getmembers(kind):
        is_method = callable(value) or isinstance(value, property)
        if not name.startswith("_") and is_method and inspect.getdoc(value):
            found.append((name, value))
    return found


def to_block(name: str, value: Any) -> str:
    """Names of the arguments and the docstring, as a block of text."""
    doc = inspect.getdoc(value) or ""
    return f"```text\n{name}{format_arguments(value)}\n\n{doc}\n```"


def format_arguments(value: Any) -> str:
    """The arguments of a function by name; nothing of what is not called."""
    if isinstance(value, property) or (
        inspect.isclass(value) and issubclass(value, Enum)
    ):
        return ""
    parts = []
    for parameter in inspect.signature(value).parameters.values():
        if parameter.name == "self":
            continue
        star = {parameter.VAR_KEYWORD: "**", parameter.VAR_POSITIONAL: "*"}
        is_optional = parameter.default is not parameter.empty
        mark = "=..." if is_optional else ""
        parts.append(f"{star.get(parameter.kind, '')}{parameter.name}{mark}")
    return f"({', '.join(parts)})"


def page() -> str:
    """The whole page as it should be."""
    names = [name for name in lstmcast.__all__ if name != "__version__"]
    return HEAD + "\n".join(describe_name(name) for name in names) + "\n"


def main() -> int:
    """Write the page, or with `--check` say whether it is stale."""
    new = page()
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(new, encoding="utf-8")
        return 0
    is_fresh = PAGE.exists() and PAGE.read_text(encoding="utf-8") == new
    if not is_fresh:
        print("docs/api.md is stale: run `make docs` and commit it", file=sys.stderr)
    return int(not is_fresh)


if __name__ == "__main__":
    sys.exit(main())
