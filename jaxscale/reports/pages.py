"""Whole reports on a console: facts, tables, warnings, in the order in which they are read."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from jaxscale.finding import Finding
from jaxscale.reports.countpages import print_counts
from jaxscale.reports.facts import fact_table, fit_facts, frontier_facts, plain, reduced_facts, warning_table
from jaxscale.reports.lawpages import headline_of
from jaxscale.reports.tables import coef_table, frontier_table
from jaxscale.reports.warnings import EXTRAPOLATION, NO_FRONTIER, warnings_of, warnings_of_frontier
from jaxscale.results import Study
from jaxscale.text import shown_name

WITH_FRONTIER = {EXTRAPOLATION: "Extrapolation", NO_FRONTIER: "No frontier"}
"""Warnings that stand above the frontier or in its place, and how they begin."""
ALONG = "What the runs do show, the loss along "


def print_fit(study: Study, console: Console, *, width: int) -> None:
    """Print a fit: what it is, its coefs, its frontier, what to beware of.

    width: columns at which prose wraps. Tables keep the width of their numbers, so the console must be wide enough
    for them; no number is ever wrapped or cut.
    """
    console.print(fact_table(fit_facts(study)), width=width)
    console.print()
    console.print(coef_table(study, width))
    console.print()
    _print_frontier_part(study, console, width)


def print_frontier(study: Study, console: Console, *, width: int) -> None:
    """Print a frontier with what it rests on; width and console as in `print_fit`."""
    console.print(fact_table(frontier_facts(study)), width=width)
    console.print()
    _print_frontier_part(study, console, width)


def _print_frontier_part(study: Study, console: Console, width: int) -> None:
    cautions = warnings_of(study)
    if study.groups:
        cautions = _print_groups(study, cautions, console, width)
    else:
        _print_budgets(study, cautions, console, width)
    if study.reduced is not None:
        own = _print_reduced(study.reduced, study.line, console, width)
        cautions += tuple(caution for caution in own if caution not in cautions)
    if study.comparison is not None:
        console.print()
        print_counts(study.comparison, console, width=width)
    others = [caution for caution in cautions if caution.code not in WITH_FRONTIER]
    if others:
        console.print()
        console.print(warning_table(others), width=width)


def _print_groups(study: Study, cautions: tuple[Finding, ...], console: Console, width: int) -> tuple[Finding, ...]:
    """Print the frontier of each group; return what to beware of besides."""
    for at, (group, part) in enumerate(study.groups.items()):
        if at:
            console.print()
        console.print(Text.assemble(("group ", "dim"), plain(shown_name(group), "bold")), width=width)
        _print_budgets(part, warnings_of_frontier(part), console, width)
    return tuple(caution for caution in cautions if caution.code not in WITH_FRONTIER)


def _print_budgets(study: Study, cautions: tuple[Finding, ...], console: Console, width: int) -> None:
    """Print the frontier's headline, what to beware of with it, and its table; or why there is none."""
    if study.frontier is not None:
        console.print(Text(_headline(study)), width=width)
    for caution in cautions:
        if caution.code in WITH_FRONTIER:
            begin = (f"{WITH_FRONTIER[caution.code]}: ", "bold yellow")
            console.print(Text.assemble(begin, plain(caution.message, "yellow")), width=width)
    if study.frontier is not None:
        console.print()
        console.print(frontier_table(study.frontier, study.frontier_band if study.has_bands else None))


def _print_reduced(study: Study, line: str, console: Console, width: int) -> tuple[Finding, ...]:
    """Print what is identified where the fit is not: the loss along one curve; return what to beware of with it."""
    cautions = warnings_of(study)
    console.print()
    console.print(Text.assemble((ALONG, "bold"), plain(line)), width=width)
    console.print(fact_table(reduced_facts(study)), width=width)
    console.print()
    console.print(coef_table(study, width))
    console.print()
    _print_budgets(study, cautions, console, width)
    return cautions


def _headline(study: Study) -> str:
    """Return what the frontier is and what its bands are made of."""
    band = study.frontier_band("loss")
    name = headline_of(study.fit.law)
    if band is None:
        return f"{name}, without bands"
    used = f"{band.n_used:,} of {band.n_total:,} replicates"
    return f"{name}; bands: {100.0 * band.level:g} % {band.method}, {used}"
