"""Reports on coefs that were not fitted here: published constants, or numbers that a user gave; no data, no bands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from jaxscale.finding import Finding
from jaxscale.intervals import Band
from jaxscale.laws import Law, Published
from jaxscale.provenance import Provenance
from jaxscale.reports.document import SCHEMA_VERSION, Json, budget_rows, number, written_warning
from jaxscale.reports.facts import fact_table, fixed_facts
from jaxscale.reports.lawfacts import headline_of
from jaxscale.reports.safe import plain
from jaxscale.reports.tables import frontier_table
from jaxscale.reports.warnings import EXTRAPOLATION
from jaxscale.results import Frontier

NO_BANDS = "coefs that were not fitted here have no bands"
NO_RUNS = "the runs behind these coefs are not here: nothing tells how far beyond them a prediction lies"
SET_BY_HAND = "given by --set"


@dataclass(frozen=True)
class Known:
    """A law at coefs that were given.   constants: the published set, None for numbers of one's own."""

    law: Law
    coefs: Mapping[str, float]
    constants: Published | None = None
    frontier: Frontier | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What to beware of in every number that rests on coefs without their runs."""
        return (Finding("no-bands", NO_BANDS), Finding(EXTRAPOLATION, NO_RUNS))

    @property
    def has_bands(self) -> bool:
        """Whether there is an ensemble; there is none."""
        return False

    def frontier_band(self, quantity: str) -> Band | None:
        """Return no band."""
        return None


def print_known_frontier(known: Known, console: Console, *, width: int) -> None:
    """Print the frontier of known coefs and where they stand; width and console as in `print_fit`."""
    console.print(fact_table(known_facts(known)), width=width)
    console.print()
    console.print(Text(f"{headline_of(known.law)}, without bands"), width=width)
    for finding in () if known.frontier is None else known.frontier.findings:
        console.print(plain(finding.message, "yellow"), width=width)
    console.print()
    console.print(frontier_table(known))


def known_frontier_document(known: Known) -> dict[str, Json]:
    """Return the document of `frontier --json`, with null for what belongs to a fit, and where the coefs stand."""
    findings = () if known.frontier is None else known.frontier.findings
    fixed = {} if known.frontier is None else known.frontier.fixed
    return {
        **known_document(known),
        "frontier": budget_rows(known),
        "fixed_inputs": {name: number(value) for name, value in fixed.items()},
        "reduced": {},
        "warnings": [written_warning(one) for one in (*known.findings, *findings)],
        "provenance": known_provenance(known),
    }


def known_document(known: Known) -> dict[str, Json]:
    """Return the law and the coefs of a document; what belongs to data and fit is null."""
    return {
        "schema_version": SCHEMA_VERSION,
        "law": known.law.name,
        "equation": known.law.equation,
        "data": None,
        "coefs": {name: number(value) for name, value in known.coefs.items()},
        "status": None,
        "bootstrap": None,
        "groups": {},
    }


def known_provenance(known: Known) -> dict[str, Json]:
    """Return which versions made a document, and the name, source and tag of the published set."""
    made, chosen = Provenance.of("", 0.0, 0.0, 0), known.constants
    constants = None if chosen is None else {"name": chosen.name, "source": chosen.source, "tag": chosen.tag}
    return {
        "jaxscale": made.jaxscale,
        "jax": made.jax,
        "numpy": made.numpy,
        "python": made.python,
        "precision": made.precision,
        "constants": constants,
    }


def known_facts(known: Known) -> list[tuple[str, Text]]:
    """Return what is said before numbers that rest on known coefs: a label and a text each."""
    law, chosen = known.law, known.constants
    source = SET_BY_HAND if chosen is None else f"{chosen.name} ({chosen.tag}): {chosen.source}"
    fixed = {} if known.frontier is None else known.frontier.fixed
    facts = [
        ("law", plain(f"{law.name}:  {law.equation}")),
        ("coefs", plain("   ".join(f"{name} {value!r}" for name, value in known.coefs.items()))),
        ("constants", plain(source)),
        ("bands", plain(f"none: {NO_BANDS}")),
        ("data", plain(f"none: {NO_RUNS}")),
    ]
    return [*facts, *fixed_facts(fixed)]
