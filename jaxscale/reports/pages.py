"""Whole reports on a console: facts, tables, warnings, and other conventions of counting, in reading order."""

from __future__ import annotations

import math

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from jaxscale.digits import ABSENT, count, scientific, significant
from jaxscale.finding import Finding
from jaxscale.reports.exponents import exponent_line
from jaxscale.reports.facts import fit_facts, frontier_facts, reduced_facts, warning_table
from jaxscale.reports.lawdocuments import headline_of
from jaxscale.reports.layout import bare_table, fact_table, plain
from jaxscale.reports.tables import bounded, coef_table, frontier_table
from jaxscale.reports.warnings import EXTRAPOLATION, NO_FRONTIER, warnings_of, warnings_of_frontier
from jaxscale.results import Count, Counts, Study
from jaxscale.text import shown_name

WITH_FRONTIER = {EXTRAPOLATION: "Extrapolation", NO_FRONTIER: "No frontier"}
"""Warnings that stand above the frontier or in its place, and how they begin."""
ALONG = "What the runs do show, the loss along "

HEADLINE = "Counted another way: point fits without intervals, each in its own {counted}"
COUNTED, WITH_FLOPS = "N and D, its budgets C = 6 N D of these", "N, D and C"
MOVES = "From one convention to another {what}."
NOTHING_MOVES = "No convention that was asked for changes what the law takes."
EXPONENT, PARAMS = "a of N ∝ C^a runs from {low} to {high}", "params at {flops} FLOP from {low} to {high}"
SAME, STATUS, BEWARE = "; here the same as {name}", "; the fit is '{status}'", "; beware: {codes}"
LEFT_OUT = "Not by this table: "


def print_fit(study: Study, console: Console, *, width: int) -> None:
    """Print a fit: its facts, its coefs, its frontier and the warnings.

    width: columns at which prose wraps. Tables keep the width of their numbers, so the console must be wide enough
    for them; no number is ever wrapped or cut.
    """
    console.print(fact_table(fit_facts(study)), width=width)
    console.print()
    console.print(coef_table(study, width))
    console.print()
    _print_frontier_part(study, console, width)


def print_frontier(study: Study, console: Console, *, width: int) -> None:
    """Print a frontier with the facts about it; width and console as in `print_fit`."""
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
    """Print the frontier of each group; return the other warnings."""
    for at, (group, part) in enumerate(study.groups.items()):
        if at:
            console.print()
        console.print(Text.assemble(("group ", "dim"), plain(shown_name(group), "bold")), width=width)
        _print_budgets(part, warnings_of_frontier(part), console, width)
    return tuple(caution for caution in cautions if caution.code not in WITH_FRONTIER)


def _print_budgets(study: Study, cautions: tuple[Finding, ...], console: Console, width: int) -> None:
    """Print the frontier's headline, its warnings and its table; or why there is none."""
    if study.frontier is not None:
        console.print(Text(_headline(study)), width=width)
    for caution in cautions:
        if caution.code in WITH_FRONTIER:
            begin = (f"{WITH_FRONTIER[caution.code]}: ", "bold yellow")
            console.print(Text.assemble(begin, plain(caution.message, "yellow")), width=width)
    if study.frontier is not None and exponent_line(study):
        console.print(plain(exponent_line(study)), width=width)
    if study.frontier is not None:
        console.print()
        console.print(frontier_table(study.frontier, study.frontier_band if study.has_bands else None))


def _print_reduced(study: Study, line: str, console: Console, width: int) -> tuple[Finding, ...]:
    """Print the reduced fit, the loss along the curve of the runs; return its warnings."""
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
    """Return the headline of the frontier, with the origin of its bands."""
    band = study.frontier_band("loss")
    name = headline_of(study.fit.law)
    if band is None:
        return f"{name}, without bands"
    used = f"{band.n_used:,} of {band.n_total:,} replicates"
    return f"{name}; bands: {100.0 * band.level:g} % {band.method}, {used}"


def print_counts(counts: Counts, console: Console, *, width: int) -> None:
    """Print the fits side by side, each convention, and those that the table does not allow."""
    own = [one for one in counts.counts if one.same_as is None]
    counted = WITH_FLOPS if "flops" in own[0].fit.law.inputs else COUNTED
    console.print(Text(HEADLINE.format(counted=counted), style="bold"), width=width)
    console.print(plain(_moves(own)), width=width)
    if len(own) > 1:
        console.print()
        console.print(_coefs(own))
    if len(own) > 1 and any(one.frontier is not None for one in own):
        console.print()
        console.print(_frontiers(own))
    console.print()
    console.print(_legend(counts), width=width)
    if counts.left_out:
        left_out = "; ".join(f"{name} {why}" for name, why in counts.left_out.items())
        console.print()
        console.print(plain(LEFT_OUT + left_out, "dim"), width=width)


def _moves(own: list[Count]) -> str:
    """Return how far the exponent, and the params at the largest budget, differ between the fits."""
    if len(own) == 1:
        return NOTHING_MOVES
    said = []
    exponents = [one.exponent for one in own if one.exponent is not None]
    if len(exponents) > 1:
        said.append(EXPONENT.format(low=significant(min(exponents), 3), high=significant(max(exponents), 3)))
    frontiers = [one.frontier for one in own if one.frontier is not None]
    sizes = [float(front.params[-1]) for front in frontiers if math.isfinite(front.params[-1])]
    if len(sizes) > 1:
        ends = {"low": count(min(sizes)), "high": count(max(sizes))}
        said.append(PARAMS.format(flops=scientific(float(frontiers[0].flops[-1])), **ends))
    return MOVES.format(what=", and ".join(said or ["the coefs differ as follows"]))


def _coefs(own: list[Count]) -> Table:
    """Return one row per fit: its coefs and the exponent of params."""
    names = own[0].fit.law.names
    has_exponent = any(one.exponent is not None for one in own)
    table = bare_table()
    table.add_column("convention", no_wrap=True, style="bold")
    for name in (*names, *(("a",) if has_exponent else ())):
        table.add_column(name, justify="right", no_wrap=True)
    for one in own:
        values = [ABSENT if name in one.fit.unidentified else bounded(one.fit.coefs[name]) for name in names]
        exponent = [significant(one.exponent, 3)] if has_exponent else []
        table.add_row(plain(one.convention.name), *values, *exponent)
    return table


def _frontiers(own: list[Count]) -> Table:
    """Return two rows per fit: the best params and, below, the best tokens of every budget; or one, of the loss."""
    budgets = next(one.frontier.flops for one in own if one.frontier is not None)
    table = bare_table()
    table.add_column("FLOP", no_wrap=True, style="bold")
    table.add_column("", no_wrap=True, style="dim")
    for flops in budgets:
        table.add_column(scientific(float(flops)), justify="right", no_wrap=True)
    has_split = any(np.isfinite(one.frontier.params).any() for one in own if one.frontier is not None)
    for one in own:
        name = plain(one.convention.name)
        if one.frontier is None:
            table.add_row(name, ABSENT)
        elif has_split:
            table.add_row(name, "params N", *(count(float(value)) for value in one.frontier.params))
            table.add_row("", "tokens D", *(count(float(value)) for value in one.frontier.tokens))
        else:
            table.add_row(name, "loss", *(significant(float(value), 4) for value in one.frontier.loss))
    return table


def _legend(counts: Counts) -> Table:
    """Return each convention with its formula and its remarks."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    for one in counts.counts:
        same = "" if one.same_as is None else SAME.format(name=one.same_as)
        status = "" if one.fit.is_usable else STATUS.format(status=one.fit.status)
        codes = [finding.code for finding in one.own_findings(counts.counts[0])]
        beware = BEWARE.format(codes=", ".join(codes)) if codes else ""
        note = f"; {one.convention.note}" if one.convention.note else ""
        table.add_row(plain(one.convention.name), plain(one.convention.formula + same + status + beware + note))
    return table
