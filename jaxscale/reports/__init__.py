"""From results to what a person or a program reads: tables for the terminal, and one strict JSON document."""

from jaxscale.reports.agreement import agreement_document, print_agreement
from jaxscale.reports.answer import Answer
from jaxscale.reports.cautions import cautions_of
from jaxscale.reports.document import fit_document, frontier_document, json_text
from jaxscale.reports.lawpages import law_document, print_law, print_laws
from jaxscale.reports.pages import print_fit, print_frontier

__all__ = [
    "Answer",
    "agreement_document",
    "cautions_of",
    "fit_document",
    "frontier_document",
    "json_text",
    "law_document",
    "print_agreement",
    "print_fit",
    "print_frontier",
    "print_law",
    "print_laws",
]
