"""What moves under other conventions of counting: one line per fit that differs, and its frontier."""

from __future__ import annotations

import math

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from jaxscale.digits import ABSENT, count, power, significant
from jaxscale.reports.facts import plain
from jaxscale.results import Count, Counts

HEADLINE = "Counted another way: point fits without intervals, each in its own {counted}"
COUNTED, WITH_FLOPS = "N and D, its budgets C = 6 N D of these", "N, D and C"
MOVES = "From one convention to another {what}."
NOTHING_MOVES = "No convention that was asked for changes what the law takes."
EXPONENT, PARAMS = "a of N ∝ C^a runs from {low} to {high}", "params at {flops} FLOP from {low} to {high}"
SAME, STATUS, BEWARE = "; here the same as {name}", "; the fit is '{status}'", "; beware: {codes}"
LEFT_OUT = "Not by this table: "
INFINITE = "∞"


def print_counts(counts: Counts, console: Console, *, width: int) -> None:
    """Print the fits side by side, what each convention is, and which the table does not allow."""
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
        said.append(PARAMS.format(flops=power(float(frontiers[0].flops[-1])), **ends))
    return MOVES.format(what=", and ".join(said or ["the coefs differ as follows"]))


def _coefs(own: list[Count]) -> Table:
    """Return one row per fit: its coefs and the exponent of params."""
    names = own[0].fit.law.names
    has_exponent = any(one.exponent is not None for one in own)
    table = _table()
    table.add_column("convention", no_wrap=True, style="bold")
    for name in (*names, *(("a",) if has_exponent else ())):
        table.add_column(name, justify="right", no_wrap=True)
    for one in own:
        values = [ABSENT if name in one.fit.unidentified else _coef(one.fit.coefs[name]) for name in names]
        exponent = [significant(one.exponent, 3)] if has_exponent else []
        table.add_row(plain(one.convention.name), *values, *exponent)
    return table


def _frontiers(own: list[Count]) -> Table:
    """Return two rows per fit: the best params and, below, the best tokens of every budget; or one, of the loss."""
    budgets = next(one.frontier.flops for one in own if one.frontier is not None)
    table = _table()
    table.add_column("FLOP", no_wrap=True, style="bold")
    table.add_column("", no_wrap=True, style="dim")
    for flops in budgets:
        table.add_column(power(float(flops)), justify="right", no_wrap=True)
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
    """Return each convention with its formula, and what is special about it here."""
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


def _coef(value: float) -> str:
    return INFINITE if value == math.inf else significant(value, 4)


def _table() -> Table:
    return Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0), header_style="")
