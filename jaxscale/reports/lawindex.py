"""The documents of all laws that ship, read from a file, so that a list of laws, a search and a shell need no JAX."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from jaxscale.errors import UsageError
from jaxscale.registry import unknown
from jaxscale.reports.jsontext import json_text
from jaxscale.reports.lawpages import Family, LawDocument

FOLDER = Path(__file__).parents[1] / "laws"
"""Of the laws; as a path, because its package imports JAX."""
INDEX = FOLDER / "index.json"


@dataclass(frozen=True)
class LawIndex:
    """The laws that ship, by the file that holds them."""

    families: tuple[Family, ...]

    def __iter__(self) -> Iterator[LawDocument]:
        return (law for family in self.families for law in family["laws"])

    @property
    def names(self) -> tuple[str, ...]:
        """Every name, in the order of the registry."""
        return tuple(law["name"] for law in self)

    @property
    def aliases(self) -> tuple[str, ...]:
        """Every second name."""
        return tuple(alias for law in self for alias in law["aliases"])

    def find(self, name: str) -> LawDocument:
        """Return the law of a name or an alias; raise UsageError, with the nearest names, for any other."""
        for law in self:
            if name in (law["name"], *law["aliases"]):
                return law
        raise UsageError(unknown("law", name, self.names))


def shipped() -> LawIndex:
    """Return the laws that ship: of the file, or of the registry where laws have changed since it was written."""
    kept = json.loads(INDEX.read_text(encoding="utf-8"))
    return LawIndex(tuple(kept["families"])) if kept["sources"] == _sources() else made_index()


def made_index() -> LawIndex:
    """Return the laws that ship, made from the registry; JAX is imported."""
    from jaxscale.reports.lawdocuments import registered

    return LawIndex(tuple(registered()))


def index_text() -> str:
    """Return the text of the file, made from the registry; ends with a newline."""
    return json_text({"sources": _sources(), "families": made_index().families}) + "\n"


def _sources() -> str:
    """Return the digest of all files of laws."""
    digest = sha256()
    for path in sorted(FOLDER.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
