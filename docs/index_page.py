"""What a package index shows of lstmcast: the README with links that hold there, and its addresses.

A hook of the build, see `tool.hatch.metadata.hooks.custom` in pyproject.toml. On an index page a
relative link leads nowhere: it becomes the address of that file in the repository, at the tag of
this version. Until there is a repository to point to, only the text of such a link stays.
"""

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?://|#)([^)\s]+)\)")
"""A link of Markdown to a file of the repository, or a picture of it."""


def link_to_repository(page: str, repository: str, version: str) -> str:
    """Return a page of Markdown whose links to files hold anywhere.

    repository: its address without a slash at the end, empty where there is none yet.
    """

    def replace(match: re.Match[str]) -> str:
        is_picture, text, place = match.groups()
        if not repository:
            return "" if is_picture else text
        kind = "raw" if is_picture else "blob"
        return f"{is_picture}[{text}]({repository}/{kind}/v{version}/{place})"

    return LINK.sub(replace, page)


def project_urls(repository: str) -> dict[str, str]:
    """Return the addresses that an index lists beside a project; none without a repository."""
    if not repository:
        return {}
    files = f"{repository}/blob/main/docs"
    return {
        "Source": repository,
        "Documentation": f"{files}/tutorial.md",
        "Changelog": f"{files}/changelog.md",
        "Issues": f"{repository}/issues",
    }


class IndexPageHook(MetadataHookInterface):
    """Adds the readme and the addresses of the project to its metadata."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set what pyproject.toml calls dynamic."""
        repository = self.config["repository"].rstrip("/")
        readme = Path(self.root, "README.md").read_text(encoding="utf-8")
        text = link_to_repository(readme, repository, metadata["version"])
        metadata["readme"] = {"content-type": "text/markdown", "text": text}
        metadata["urls"] = project_urls(repository)
