"""Results as plain text: the page that a command prints of one, or its first line and its table."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console

from jaxscale.reports.checks import print_check
from jaxscale.reports.comparing import print_comparison
from jaxscale.reports.coverage import print_coverage
from jaxscale.reports.diagnosis import print_diagnosis
from jaxscale.reports.facts import fit_facts
from jaxscale.reports.layout import fact_table
from jaxscale.reports.pages import print_fit
from jaxscale.reports.recipes import print_recipes
from jaxscale.reports.specifications import print_specifications
from jaxscale.reports.studies import print_studies
from jaxscale.reports.tables import coef_table, frontier_table
from jaxscale.results import (
    Check,
    Comparison,
    Coverage,
    Diagnosis,
    Ensemble,
    Frontier,
    RecipeComparison,
    SpecificationCurve,
    Studies,
    Study,
)
from jaxscale.results.result import Result

WIDTH = 100
"""Columns at which prose wraps."""
UNBOUNDED = 10_000
"""Columns of the console: no table is wrapped or cut."""


def _print_ensemble(found: Ensemble, console: Console, *, width: int) -> None:
    study = Study(found.fit, found)
    console.print(fact_table(fit_facts(study)), width=width)
    console.print()
    console.print(coef_table(study, width))


def _print_frontier(found: Frontier, console: Console, *, width: int) -> None:
    console.print(repr(found).strip("<>"), width=width)
    console.print()
    console.print(frontier_table(found, found.interval if found.is_ensemble else None))


PAGES: dict[type[Result], Callable[..., None]] = {
    Study: print_fit,
    Ensemble: _print_ensemble,
    Frontier: _print_frontier,
    Check: print_check,
    Comparison: print_comparison,
    Coverage: print_coverage,
    Diagnosis: print_diagnosis,
    RecipeComparison: print_recipes,
    SpecificationCurve: print_specifications,
    Studies: print_studies,
}


def summary_of(answer: Result) -> str:
    """Return a result in plain text; of a kind without a page its first line and its table."""
    if type(answer) not in PAGES:
        return f"{repr(answer).strip('<>')}\n\n{_table(answer)}"
    console = Console(width=UNBOUNDED, force_terminal=False, no_color=True, highlight=False, markup=False, emoji=False)
    with console.capture() as captured:
        PAGES[type(answer)](answer, console, width=WIDTH)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def _table(answer: Result) -> str:
    text: str = answer.to_frame().to_string(max_rows=30, float_format="{:.6g}".format)
    return text
