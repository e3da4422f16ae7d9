"""What to beware of in a frontier, and in what a loss needs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from jaxscale.allocation.inputs import can_allocate
from jaxscale.errors import RunsError
from jaxscale.finding import Finding, forbids_plan
from jaxscale.laws import Law
from jaxscale.results import Ensemble, Fit, Solution

FAR = 10.0
"""Compute beyond the largest measured run, as a factor, from which a frontier says that it extrapolates."""
FURTHEST = 1e4
"""The same factor, from which the budgets can hardly be those that are meant."""

LOSS_ONLY = "law '{name}' knows compute only: its frontier has a loss and no split into params and tokens"
AT_END = (
    "the law has no optimum inside at {count} of {total} budgets of the point fit: its loss falls on to one param or "
    "one token, where nothing can be trained, or is too flat to tell. The runs do not determine the size; params, "
    "tokens and loss are absent there"
)
REPLICATES_WITHOUT = (
    "{count:,} of {total:,} usable replicates have no optimum at some budget, since their runs do not determine the "
    "size; they are in no band of the frontier"
)
LOWER_AT_END = (
    "at {count} of {total} budgets of the point fit the law promises less loss still at one param or one token, where "
    "nothing can be trained: the optimum given is the best one inside"
)
REPLICATES_LOWER = (
    "at some budget {count} of {total} usable replicates promise less loss still at one param or one token: their best "
    "optimum inside is in the bands"
)
NOT_PLANNED = "nothing is planned from this table: {why}"
EXTRAPOLATED = "budgets up to {factor:,g} times the largest measured compute ({measured:.3g} FLOP) are extrapolation"
NEARER = "; ask for budgets near the runs (flops)"
NOT_REACHED = "no amount of {name} reaches {target} {value:g}{where}: the law stays above it"
ALWAYS_REACHED = "{target} {value:g} is reached by every amount of {name}{where} that was tried"
REPLICATES_NOT_REACHED = (
    "{count} of {total} usable replicates never reach {target} {value:g}{where}: they count as infinite in the band"
)


def check_plannable(fit: Fit) -> None:
    """Raise RunsError where a finding says that the table's numbers are not what they are taken for."""
    forbidding = forbids_plan(fit.findings)
    if forbidding is not None:
        raise RunsError(NOT_PLANNED.format(why=forbidding.message))


def frontier_findings(
    law: Law, budgets: np.ndarray, params: np.ndarray, is_lowest: np.ndarray, measured: tuple[float, float] | None
) -> tuple[Finding, ...]:
    """Return what to say of one set of coefs at budgets (b,).   params: (b,), NaN without an optimum inside."""
    findings, total = [], len(budgets)
    if not is_lowest.all():
        findings.append(Finding("lower-at-end", LOWER_AT_END.format(count=int(np.sum(is_lowest == 0)), total=total)))
    if not can_allocate(law):
        findings.append(Finding("no-split", LOSS_ONLY.format(name=law.name)))
    elif np.isnan(params).any():
        findings.append(Finding("optimum-at-end", AT_END.format(count=int(np.isnan(params).sum()), total=total)))
    if measured is not None and budgets.max() >= FAR * measured[1]:
        factor = budgets.max() / measured[1]
        message = EXTRAPOLATED.format(factor=float(f"{factor:.3g}"), measured=measured[1])
        findings.append(Finding("extrapolation", message + (NEARER if factor >= FURTHEST else "")))
    return tuple(findings)


def replicate_findings(ensemble: Ensemble, params: np.ndarray, is_lowest: np.ndarray) -> tuple[Finding, ...]:
    """Return what to say of the optima (R, b) of an ensemble.   params: NaN without an optimum inside."""
    usable = ensemble.usable
    without, lower = np.isnan(params).any(axis=1), (is_lowest == 0).any(axis=1)
    counts = {"total": usable, "without": usable & without, "lower": usable & lower}
    return counted_findings(ensemble.fit.law, **{name: int(np.sum(one)) for name, one in counts.items()})


def counted_findings(law: Law, *, total: int, without: int, lower: int) -> tuple[Finding, ...]:
    """Return what to say of so many usable replicates, of which some have no optimum inside, or less loss at an end."""
    findings = []
    if without and can_allocate(law):
        message = REPLICATES_WITHOUT.format(count=without, total=total)
        findings.append(Finding("replicates-without-optimum", message))
    if lower:
        findings.append(Finding("replicates-lower-at-end", REPLICATES_LOWER.format(count=lower, total=total)))
    return tuple(findings)


def solution_findings(
    law: Law, name: str, levels: np.ndarray, inputs: Mapping[str, np.ndarray], amount: np.ndarray
) -> tuple[Finding, ...]:
    """Return which of the losses (k,) no amount of an input reaches, and which every amount does."""
    findings = []
    for place, one in enumerate(amount):
        told = {"name": name, "target": law.target, "value": levels[place], "where": _where(inputs, place)}
        if np.isinf(one):
            findings.append(Finding("not-reached", NOT_REACHED.format(**told)))
        elif np.isnan(one):
            findings.append(Finding("always-reached", ALWAYS_REACHED.format(**told)))
    return tuple(findings)


def replicates_not_reached(ensemble: Ensemble, point: Solution, amounts: np.ndarray) -> tuple[Finding, ...]:
    """Return how many replicates never reach each loss.   amounts: (R, k), infinite there."""
    findings = []
    for place, count in enumerate(np.isinf(amounts).sum(axis=0).tolist()):
        told = {"target": point.law.target, "value": point.loss[place], "where": _where(point.inputs, place)}
        if count:
            message = REPLICATES_NOT_REACHED.format(**told, count=count, total=int(ensemble.usable.sum()))
            findings.append(Finding("replicates-not-reached", message))
    return tuple(findings)


def _where(inputs: Mapping[str, np.ndarray], place: int) -> str:
    said = ", ".join(f"{name}={values[place]:g}" for name, values in inputs.items())
    return f" at {said}" if said else ""
