"""What a fit and its replicates have to say for themselves, as warnings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from jaxscale.engine.scheduler import Outcome
from jaxscale.finding import Finding
from jaxscale.fitting.collinearity import Aliasing, TableDesign, law_along
from jaxscale.fitting.diagnostics import Diagnostics
from jaxscale.laws import ExpressionLoss
from jaxscale.laws.grouped import core_of, grouping_of
from jaxscale.results import Fit
from jaxscale.results.fit import spread_on
from jaxscale.status import Status
from jaxscale.text import counted

COLLINEAR = (
    "{ties} in all {rows}, so that {coefs} of '{law}' cannot be told apart: quite other values predict the runs "
    "as well. {rest}Add runs for which that does not hold."
)
ALONG = "Identified is the loss along that line, {equation} (law '{law}'). "
WEAKENED = (
    "{ties} in all {rows}: {coefs} of '{law}' rest on the shape of one curve, not on a comparison of runs; "
    "add runs for which that does not hold"
)
NEARLY = (
    "{moving} vary together (they share {share:.1%} of the variance of their logs), and what each does alone rests on "
    "the rest; add runs in which one is large and another small"
)
NOT_CONVERGED = "the fit ended as '{status}': {meaning}; by start: {reasons}"
PART_NOT_FINITE = "{part} in '{law}' is not finite at the start, {coefs}"
RANK_DEFICIENT = (
    "at the optimum the runs determine {rank} of {size} combinations of coefs (condition number {condition:.1e}): "
    "{directions} can move without a change of any prediction, so no covariance is given; "
    "hold one of them at a number, as in --fix {last}=0.3"
)
TWO_VALUES = (
    "{name} takes two values in all runs, and {coefs} need three to be told apart: a level, a scale and an exponent; "
    "add runs at another {name}, or hold one of them at a number, as in --fix {last}=0.3"
)
FLAT = "at the optimum the objective does not bend along {direction}, so no covariance is given"
NARROW = (
    "delta {delta:g} is {times:.0f} times below the typical residual, {residual:.2g}: the objective is nearly the sum "
    "of |residual|, whose minimum may be flat or have a corner; try --delta {wider:.2g}, or --objective squared"
)
AT_BOUND = "{places}: the minimum lies at the edge of the support; the interval is one-sided, without a standard error"
FEW_ROWS = "{rows} for {free}: the bootstrap is unreliable below {three}; {left}"
LEFT = "{dof} {is_} left for the errors, on which 95 % lies within {reach:.3g} standard errors, not 1.96"
NONE_LEFT = "no degree of freedom is left, so that there are no standard errors"
ONE_MINIMUM = "1 other minimum was found, with an objective {excess:.2%} higher"
SEVERAL_MINIMA = "{count} other minima were found; the next one has an objective {excess:.2%} higher"
FEW_AGREE = "only {agreeing} of {starts} starts reached this minimum; a lower one may exist"

NOT_SPLIT = (
    "at this bound {names} are one constant, {formula} = {value:.6g}{error}: the runs say nothing about how it is split"
)
NO_VALUE = "at this bound {names} have no value: others predict the runs as well, to rounding"
NO_VALUE_ALONE = "at this bound {names} has no value: any other predicts the same"

FEW_AGREEING = 0.1
FAR_BELOW = 3.0
"""Typical residual in units of the threshold of rho from which a failed fit says so."""
NEAR = 0.9
"""Share of the variance of the logs, that of a correlation of 0.95, from which inputs are said to vary together."""


def findings_of_design(fit: Fit, design: TableDesign, aliasing: Aliasing) -> tuple[Finding, ...]:
    """Return what the design of the table forbids the law, or makes it pay for; at most one finding."""
    rows = counted(int(np.sum(fit.runs.weight > 0)), "run")
    told = {"ties": str(design), "rows": rows, "law": fit.law.name}
    if aliasing.unidentified:
        along = None if grouping_of(fit.law) else law_along(fit.runs, design)
        rest = "" if along is None else ALONG.format(equation=along.equation, law=along.name)
        return (Finding("collinear-design", COLLINEAR.format(coefs=joined(aliasing.unidentified), rest=rest, **told)),)
    if aliasing.weakened:
        return (Finding("collinear-design", WEAKENED.format(coefs=joined(aliasing.weakened), **told)),)
    if design.likeness > NEAR:
        return (Finding("nearly-collinear", NEARLY.format(moving=joined(design.moving), share=design.likeness)),)
    return ()


def findings_of_fit(
    fit: Fit, outcome: Outcome, diagnostics: Diagnostics, *, start: Mapping[str, float], is_explained: bool
) -> tuple[Finding, ...]:
    """Return what is worth knowing about a fit, most serious first.

    outcome: of every lane, those of the start points first.   start: the coefs of the first one.   is_explained:
    whether a finding about the design says already why the fit is singular.
    """
    found = []
    status, certificate = fit.status, fit.certificate
    if not status.is_usable and not is_explained:
        message = NOT_CONVERGED.format(
            status=status, meaning=status.meaning, reasons=status_counts(outcome.status[: certificate.starts])
        )
        found += [
            Finding("not-converged", message),
            *_directions(fit, diagnostics),
            *_narrow(fit),
            *_not_finite(fit, start),
        ]
    if status is Status.AT_BOUND:
        places = [place(name, fit.coefs[name]) for name in fit.at_bound if name not in fit.unidentified]
        if places:
            found.append(Finding("at-bound", AT_BOUND.format(places=joined(places))))
        found += _without_value(fit)
    if certificate.agreeing_starts < FEW_AGREEING * certificate.starts and status.is_usable:
        message = FEW_AGREE.format(agreeing=certificate.agreeing_starts, starts=certificate.starts)
        found.append(Finding("few-starts-agree", message))
    if certificate.other_minima and not is_explained:
        lowest = float(np.min(outcome.value[outcome.status <= Status.AT_BOUND]))
        excess = min(minimum.value for minimum in certificate.other_minima) / lowest - 1.0
        count = len(certificate.other_minima)
        message = (ONE_MINIMUM if count == 1 else SEVERAL_MINIMA).format(count=count, excess=excess)
        found.append(Finding("several-minima", message))
    rows, free = int(np.sum(fit.runs.weight > 0)), len(fit.free)
    if rows < 3 * free:
        left = LEFT.format(is_="is" if fit.dof == 1 else "are", **spread_on(fit.dof)) if fit.dof > 0 else NONE_LEFT
        told = {"rows": counted(rows, "run"), "free": counted(free, "free coef"), "three": 3 * free}
        message = FEW_ROWS.format(left=left, **told)
        found.append(Finding("few-rows", message))
    return tuple(found)


def _without_value(fit: Fit) -> list[Finding]:
    """Return which coefs of a fit at a bound have no value, and what some of them are together."""
    found, left = [], list(fit.unidentified)
    for one in fit.joint:
        error = "" if one.std is None else f" ± {one.std:.2g}"
        message = NOT_SPLIT.format(names=joined(one.names), formula=one.formula, value=one.value, error=error)
        found.append(Finding("not-split", message))
        left = [name for name in left if name not in one.names]
    if left:
        words = NO_VALUE_ALONE if len(left) == 1 else NO_VALUE
        found.append(Finding("no-value", words.format(names=joined(left))))
    return found


def status_counts(codes: np.ndarray) -> str:
    """Return "61 converged, 3 stalled" for an array of status codes, most frequent first."""
    values, counts = np.unique(codes, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return ", ".join(f"{int(counts[i])} {Status(int(values[i]))}" for i in order)


def _narrow(fit: Fit) -> list[Finding]:
    """Return that the threshold of a failed fit lies far below its residuals, where it does."""
    delta, residual = fit.objective.delta, float(np.median(np.abs(fit.residuals[fit.runs.weight > 0])))
    if delta is None or not FAR_BELOW * delta < residual < np.inf:
        return []
    return [
        Finding("narrow-delta", NARROW.format(delta=delta, times=residual / delta, residual=residual, wider=residual))
    ]


def _not_finite(fit: Fit, start: Mapping[str, float]) -> list[Finding]:
    """Return which part of a typed law is not finite at the start, and in which rows, where that ended the fit."""
    loss = fit.law.loss
    if fit.status is not Status.NON_FINITE or not isinstance(loss, ExpressionLoss):
        return []
    counted_rows = fit.runs.weight > 0
    found = loss.first_not_finite({name: fit.runs.columns[name][counted_rows] for name in fit.law.inputs}, start)
    if found is None:
        return []
    coefs = ", ".join(f"{name} = {value:g}" for name, value in start.items())
    text = PART_NOT_FINITE.format(part=found[0], law=fit.law.name, coefs=coefs)
    return [Finding("part-not-finite", text, tuple(fit.runs.row[counted_rows][found[1]].tolist()))]


def _directions(fit: Fit, diagnostics: Diagnostics) -> list[Finding]:
    """Return which combination of coefs is not determined, for a fit that is singular."""
    null_space, flattest = diagnostics.null_space, diagnostics.flattest
    if fit.status is not Status.SINGULAR:
        return []
    if null_space.directions:
        told = {"rank": null_space.rank, "size": null_space.size, "condition": null_space.condition}
        deficient = Finding(
            "rank-deficient",
            RANK_DEFICIENT.format(directions=joined(null_space.directions), last=null_space.coefs[-1], **told),
        )
        return [*_few_values(fit, null_space.coefs), deficient]
    return [] if flattest is None else [Finding("flat-direction", FLAT.format(direction=flattest))]


def _few_values(fit: Fit, coefs: Sequence[str]) -> list[Finding]:
    """Return which inputs take two values only, where a level, a scale and an exponent, which need three, are open."""
    rows, found = fit.runs.weight > 0, []
    for name in core_of(fit.law).inputs:
        column = fit.runs.columns[name]
        if column.ndim == 1 and len(np.unique(column[rows])) == 2 and len(coefs) >= 3:
            found.append(TWO_VALUES.format(name=name, coefs=joined(coefs), last=coefs[-1]))
    return [Finding("two-values", "; ".join(found))] if found else []


def place(name: str, edge: float) -> str:
    """Return "E = 0" for a coef at an edge."""
    return f"{name} = {edge:g}" if np.isfinite(edge) else f"{name} → ∞"


def joined(words: Iterable[str]) -> str:
    """Return "E, A and alpha"."""
    *most, last = list(words)
    return f"{', '.join(most)} and {last}" if most else last
