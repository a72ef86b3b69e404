"""What all pages share: templates that escape, files of this folder, and the policy of security."""

import base64
import hashlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

_FOLDER = Path(__file__).parent


def read_asset(name: str) -> str:
    """Return a stylesheet or a script of this folder."""
    return (_FOLDER / name).read_text(encoding="utf-8")


def join_scripts(*names: str) -> str:
    """Return the script of charts: what all of them share, then these files."""
    return "\n".join(map(read_asset, ("chart_parts.js", *names)))


def load_template(name: str) -> Any:
    """Return a template of this folder; whatever it is given is escaped."""
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_show_control_characters,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(name)


def _show_control_characters(value: Any) -> Any:
    """Spell out control and bidirectional characters, which can make text look like another."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    shown = []
    for char in value:
        if char.isprintable() or char in "\n\N{NO-BREAK SPACE}":
            shown.append(char)
        else:
            escaped = char.encode("unicode_escape").decode("ascii")
            shown.append(escaped)
    return "".join(shown)


def make_policy(stylesheet: str, script: str) -> str:
    """The policy that allows this stylesheet, this script and pictures inside the page, no more."""
    scripts = f"script-src {_hash_source(script)}; " if script else ""
    return (
        f"default-src 'none'; img-src data:; {scripts}"
        f"style-src {_hash_source(stylesheet)}; base-uri 'none'; form-action 'none'"
    )


def _hash_source(text: str) -> str:
    # A browser takes the hash of what stands between the tags, so the page holds it unchanged.
    sha256 = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(sha256).decode()}'"
