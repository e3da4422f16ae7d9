"""Reports on given coefs: published constants or a user's own numbers, without data and without bands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from jaxscale.finding import Finding
from jaxscale.laws import Law, Published
from jaxscale.provenance import Provenance
from jaxscale.reports.document import SCHEMA_VERSION, budget_rows, written_limits, written_warning
from jaxscale.reports.facts import fixed_facts
from jaxscale.reports.jsontext import number
from jaxscale.reports.lawdocuments import headline_of
from jaxscale.reports.layout import fact_table, plain
from jaxscale.reports.tables import frontier_table
from jaxscale.reports.warnings import EXTRAPOLATION
from jaxscale.results import Frontier
from jaxscale.text import Json

NO_BANDS = "coefs that were not fitted here have no bands"
NO_RUNS = "the runs behind these coefs are not here: nothing tells how far beyond them a prediction lies"
SET_BY_HAND = "given by --set"
BEWARE = (Finding("no-bands", NO_BANDS), Finding(EXTRAPOLATION, NO_RUNS))
"""The warnings of every number from coefs without their runs."""


@dataclass(frozen=True)
class Constants:
    """A law at given coefs.   published: their published set, None for a user's own numbers."""

    law: Law
    coefs: Mapping[str, float]
    published: Published | None = None


def print_constants_frontier(given: Constants, frontier: Frontier, console: Console, *, width: int) -> None:
    """Print the frontier of given coefs and their source; width and console as in `print_fit`."""
    console.print(fact_table([*constants_facts(given), *fixed_facts(frontier.fixed)]), width=width)
    console.print()
    console.print(Text(f"{headline_of(given.law)}, without bands"), width=width)
    for finding in frontier.findings:
        console.print(plain(finding.message, "yellow"), width=width)
    console.print()
    console.print(frontier_table(frontier))


def constants_frontier_document(given: Constants, frontier: Frontier) -> dict[str, Json]:
    """Return the document of `frontier --json`, with null for the keys of a fit, and the source of the coefs."""
    return {
        **constants_document(given),
        "frontier": budget_rows(frontier),
        "exponents": {
            name: {"value": number(frontier.exponent(name)), **written_limits(None)} for name in ("params", "tokens")
        },
        "fixed_inputs": {name: number(value) for name, value in frontier.fixed.items()},
        "reduced": {},
        "warnings": [written_warning(one) for one in (*BEWARE, *frontier.findings)],
        "provenance": constants_provenance(given),
    }


def constants_document(given: Constants) -> dict[str, Json]:
    """Return the law and the coefs of a document; what belongs to data and fit is null."""
    return {
        "schema_version": SCHEMA_VERSION,
        "law": given.law.name,
        "equation": given.law.equation,
        "data": None,
        "coefs": {name: number(value) for name, value in given.coefs.items()},
        "status": None,
        "bootstrap": None,
        "groups": {},
    }


def constants_provenance(given: Constants) -> dict[str, Json]:
    """Return the versions that made a document, and the name, source and tag of the published set."""
    made, chosen = Provenance.of("", 0.0, 0.0, 0), given.published
    versions = {name: getattr(made, name) for name in ("jaxscale", "jax", "numpy", "python", "precision")}
    constants = None if chosen is None else {"name": chosen.name, "source": chosen.source, "tag": chosen.tag}
    return {**versions, "constants": constants}


def constants_facts(given: Constants) -> list[tuple[str, Text]]:
    """Return the facts about given coefs, printed before their numbers: a label and a text each."""
    law, chosen = given.law, given.published
    source = SET_BY_HAND if chosen is None else f"{chosen.name} ({chosen.tag}): {chosen.source}"
    return [
        ("law", plain(f"{law.name}:  {law.equation}")),
        ("coefs", plain("   ".join(f"{name} {value!r}" for name, value in given.coefs.items()))),
        ("constants", plain(source)),
        ("bands", plain(f"none: {NO_BANDS}")),
        ("data", plain(f"none: {NO_RUNS}")),
    ]
