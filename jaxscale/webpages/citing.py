"""What a paper cites: BibTeX of a law's sources, and of jaxscale by its CITATION.cff."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path
from typing import Any

from jaxscale.laws import Law

ARXIV = re.compile(r"arXiv (\d{4}\.\d{4,5})")
FILE = "CITATION.cff"


def citations_of(law: Law) -> tuple[str, ...]:
    """Return a BibTeX entry for each source that a law names; none for a law of the user's own."""
    text = resources.files("jaxscale.laws").joinpath("sources.bib").read_text(encoding="utf-8")
    entries = text.strip().split("\n\n")
    named = dict.fromkeys(ARXIV.findall(law.source))
    return tuple(entry for one in named for entry in entries if f"eprint = {{{one}}}" in entry)


def citation_key(entry: str) -> str:
    """Return the key by which a BibTeX entry is cited."""
    return entry.partition("{")[2].partition(",")[0]


def own_citation(version: str) -> str:
    """Return the BibTeX entry of jaxscale.   version: that computed the study."""
    facts = _citation_file()
    authors = " and ".join(f"{{{one['name']}}}" for one in facts["authors"])
    title = str(facts["title"]).replace(str(facts["title"]).partition(":")[0], "{jaxscale}", 1)
    fields = {"author": authors, "title": title, "version": version, "license": facts["license"]}
    body = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items())
    return f"@software{{jaxscale,\n{body}\n}}"


def _citation_file() -> dict[str, Any]:
    """Return what CITATION.cff says: beside the package in a clone, inside it where it was installed."""
    import yaml

    package = Path(str(resources.files("jaxscale")))
    inside = package / FILE
    text = (inside if inside.is_file() else package.parent / FILE).read_text(encoding="utf-8")
    facts: dict[str, Any] = yaml.safe_load(text)
    return facts
