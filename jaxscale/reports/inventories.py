"""Reports of a large study at work: how many replicates are there, which are missing, and what was made again."""

from __future__ import annotations

from rich.console import Console

from jaxscale.finding import Finding
from jaxscale.parts import Inventory
from jaxscale.reports.document import SCHEMA_VERSION
from jaxscale.reports.facts import warning_table
from jaxscale.reports.layout import fact_table, plain
from jaxscale.results import Ensemble
from jaxscale.text import Json, counted, escaped, listed, shown_name

THERE = "{there:,} of {asked:,} replicates, in {parts}; {usable}"
MISSING = "{count}: replicates {which}"
WHOLE = "none"
OF_PARTS = ("part-remade", "parts-retried")
"""Codes of what is worth knowing about the work itself."""


def print_inventory(found: Inventory, made: Ensemble | None, console: Console) -> None:
    """Print what of a study is there.   made: the ensemble of the parts that are there, where it was read."""
    usable = "" if made is None else f"{int(made.usable.sum()):,} of them usable"
    words = {"there": found.there, "asked": found.asked, "parts": counted(found.parts, "part"), "usable": usable}
    ranges = listed([f"{start:,} … {stop - 1:,}" for start, stop in found.missing])
    count = counted(len(found.missing), "part")
    facts = [
        ("study", plain(shown_name(str(found.folder)))),
        ("there", plain(THERE.format(**words).rstrip("; "))),
        ("missing", plain(WHOLE if found.is_whole else MISSING.format(count=count, which=ranges))),
    ]
    console.print(fact_table(facts))
    notes = _notes(found, made)
    if notes:
        console.print(warning_table(notes))


def inventory_document(found: Inventory, made: Ensemble | None = None) -> dict[str, Json]:
    """Return what of a study is there as a document.   made: as in `print_inventory`."""
    return {
        "schema_version": SCHEMA_VERSION,
        "study": str(found.folder),
        "replicates": found.there,
        "asked": found.asked,
        "parts": found.parts,
        "missing": [list(one) for one in found.missing],
        "usable": None if made is None else int(made.usable.sum()),
        "damaged": [escaped(line) for line in found.damaged],
        "warnings": [{"code": one.code, "message": one.message} for one in _notes(found, made)],
    }


def _notes(found: Inventory, made: Ensemble | None) -> list[Finding]:
    return [] if made is None else [one for one in made.findings if one.code in OF_PARTS]
