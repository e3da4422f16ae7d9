"""Reports of results: tables for the terminal, and one strict JSON document."""

from jaxscale.reports.agreement import agreement_document, print_agreement
from jaxscale.reports.checks import check_document, print_check
from jaxscale.reports.comparing import comparison_document, print_comparison
from jaxscale.reports.constants import Constants, constants_frontier_document, print_constants_frontier
from jaxscale.reports.coverage import coverage_document, print_coverage
from jaxscale.reports.designs import DesignReport, design_document, print_design
from jaxscale.reports.diagnosis import diagnosis_document, print_diagnosis, why_no_diagnosis
from jaxscale.reports.document import fit_document, frontier_document, json_text
from jaxscale.reports.inventories import inventory_document, print_inventory
from jaxscale.reports.lawpages import law_document, laws_markdown, print_law, print_laws
from jaxscale.reports.lawsearch import matching
from jaxscale.reports.pages import print_fit, print_frontier
from jaxscale.reports.plandocument import plan_document
from jaxscale.reports.planreport import PlanReport
from jaxscale.reports.plans import print_plan
from jaxscale.reports.predictions import (
    Predictions,
    predictions_document,
    print_predictions,
)
from jaxscale.reports.reaching import Reached, print_reached, reached_document
from jaxscale.reports.recipes import print_recipes, recipes_document
from jaxscale.reports.scores import print_score, score_document
from jaxscale.reports.specifications import print_specifications, specification_notes, specifications_document
from jaxscale.reports.studies import print_studies, studies_document
from jaxscale.reports.summaries import summary_of
from jaxscale.reports.warnings import warnings_of

__all__ = [
    "Constants",
    "DesignReport",
    "PlanReport",
    "Predictions",
    "Reached",
    "agreement_document",
    "check_document",
    "comparison_document",
    "constants_frontier_document",
    "coverage_document",
    "design_document",
    "diagnosis_document",
    "fit_document",
    "frontier_document",
    "inventory_document",
    "json_text",
    "law_document",
    "laws_markdown",
    "matching",
    "plan_document",
    "predictions_document",
    "print_agreement",
    "print_check",
    "print_comparison",
    "print_constants_frontier",
    "print_coverage",
    "print_design",
    "print_diagnosis",
    "print_fit",
    "print_frontier",
    "print_inventory",
    "print_law",
    "print_laws",
    "print_plan",
    "print_predictions",
    "print_reached",
    "print_recipes",
    "print_score",
    "print_specifications",
    "print_studies",
    "reached_document",
    "recipes_document",
    "score_document",
    "specification_notes",
    "specifications_document",
    "studies_document",
    "summary_of",
    "warnings_of",
    "why_no_diagnosis",
]  # fmt: skip
