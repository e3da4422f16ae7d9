"""Links as they work in the repository, made to work on the site.

A page in `docs/` and a file that it includes link to files of the repository by relative paths. A file that is a page
of the site, or is included by one, becomes a link to that page; any other file that exists becomes a link to the
repository. A path that leads nowhere is left as it is, and Sphinx reports it.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from sphinx.application import Sphinx

DOCS = Path(__file__).parents[1]
ROOT = DOCS.parent
INCLUDED = {
    "README.md": "manual.md",
    "CHANGELOG.md": "development/changes.md",
    "CONTRIBUTING.md": "development/contributing.md",
    "jaxscale/laws/README.md": "reference/laws.md",
    "jaxscale/reports/schemas/fit.json": "reference/json.md",
    "jaxscale/datasets/pilot.md": "reference/pilot.md",
}
"""Files outside docs/ → the page that shows them."""
LINK = re.compile(r"(?<=\]\()(?!\w+:|/|#)([^)\s#]+)(#[^)\s]*)?(?=\))")

TARGET = re.compile(r'^<a id="([\w-]+)"></a>$', re.MULTILINE)
"""What a link within a page leads to besides headings; MyST has a syntax of its own for it."""


def on_the_site(text: str, folder: Path, repository: str) -> str:
    """Return Markdown whose links, relative to `folder`, lead to pages of the site or to the repository."""

    def rewritten(found: re.Match[str]) -> str:
        path, anchor = (folder / found[1]).resolve(), found[2] or ""
        if not path.exists() or not path.is_relative_to(ROOT):
            return found[0]
        name = path.relative_to(ROOT).as_posix()
        if path.is_relative_to(DOCS):
            return f"/{path.relative_to(DOCS).as_posix()}{anchor}"
        if name in INCLUDED:
            return f"/{INCLUDED[name]}{anchor}"
        return f"{repository}/{'tree' if path.is_dir() else 'blob'}/main/{name}{anchor}"

    return TARGET.sub(r"(\1)=", LINK.sub(rewritten, text))


def setup(app: Sphinx) -> dict[str, bool]:
    """Rewrite every page, and every file that one includes, as it is read."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    def rewrite(folder: Path, content: list[str]) -> None:
        content[0] = on_the_site(content[0], folder, project["urls"]["Source"])

    def page(app: Sphinx, name: str, content: list[str]) -> None:
        rewrite(app.env.doc2path(name).parent, content)

    def included(app: Sphinx, path: Path, parent: str, content: list[str]) -> None:
        rewrite((DOCS / path).resolve().parent, content)

    app.connect("source-read", page)
    app.connect("include-read", included)
    return {"parallel_read_safe": True}
