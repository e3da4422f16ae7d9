"""Why a number is missing from a document: JSON has no NaN, and a bare null explains nothing."""

from __future__ import annotations

import math

import numpy as np

from jaxscale.digits import power
from jaxscale.finding import Finding
from jaxscale.results import Study

EXPLAINED = "null stands for a number that does not exist: {reasons}"
NO_CONDITION = "certificate.condition (the Hessian is not positive definite)"
NO_STD = "std of {names} ({why})"
NOT_FINITE = "{names} (not finite at the point where the fit stopped)"
NO_TRADE_OFF = "frontier {names} ('{law}' does not trade one for the other)"
NO_OPTIMUM = "frontier {names} at {budgets} FLOP (no optimum inside the range)"
NOT_A_MINIMUM = "the fit is not a minimum"
NOT_IDENTIFIED = "coefs {names} (the runs do not determine them)"
AT_INFINITY = "coefs {names} (at infinity, the edge of the support)"
AT_BOUND = "at the edge of the support"
WITHOUT_VALUE = "they have no value of their own"
NO_COVARIANCE = "the curvature gives no covariance there"
NO_DOF = "as many coefs as runs"
NO_DOF_IN_GROUP = "as many coefs of their own as the group has runs"


def missing_values(study: Study) -> tuple[Finding, ...]:
    """Return one finding that names every absent number of the document with its reason; nothing if all are there.

    Bands are not named here: where they are absent the warning `no-bands` says so.
    """
    reasons = [*_of_fit(study), *_of_frontier(study)]
    return (Finding("absent-numbers", EXPLAINED.format(reasons="; ".join(reasons))),) if reasons else ()


def _of_fit(study: Study) -> list[str]:
    fit, reasons = study.fit, []
    certificate = fit.certificate
    at_infinity = [name for name in fit.at_bound if math.isinf(fit.coefs[name])]
    explained = {NOT_IDENTIFIED: fit.unidentified, AT_INFINITY: at_infinity}
    reasons += [text.format(names=", ".join(names)) for text, names in explained.items() if names]
    left = {name: coef for name, coef in fit.coefs.items() if name not in (*fit.unidentified, *at_infinity)}
    numbers = {**left, "objective_value": fit.value, "certificate.scaled_gradient": certificate.scaled_gradient}
    broken = [name for name, value in numbers.items() if not math.isfinite(value)]
    if broken:
        reasons.append(NOT_FINITE.format(names=", ".join(broken)))
    if certificate.condition is None or not math.isfinite(certificate.condition):
        reasons.append(NO_CONDITION)
    without = [name for name in fit.free if fit.std.get(name) is None]
    at_bound = [name for name in without if name in fit.at_bound and fit.is_usable]
    without_value = [name for name in without if name in fit.unidentified and fit.is_usable]
    told = (*at_bound, *without_value)
    lone = [name for name in without if name not in told and fit.is_usable and fit.dof_of(name) <= 0 < fit.dof]
    others = [name for name in without if name not in (*told, *lone)]
    why = NOT_A_MINIMUM if not fit.is_usable else NO_DOF if fit.dof <= 0 else NO_COVARIANCE
    said = ((at_bound, AT_BOUND), (without_value, WITHOUT_VALUE), (lone, NO_DOF_IN_GROUP), (others, why))
    for names, reason in said:
        reasons += [NO_STD.format(names=", ".join(names), why=reason)] if names else []
    return reasons


def _of_frontier(study: Study) -> list[str]:
    if study.frontier is None:
        return []
    point, by_budgets = study.frontier.point, dict[tuple[int, ...], list[str]]()
    for name in ("params", "tokens", "loss", "tokens_per_param"):
        absent = tuple(np.flatnonzero(~np.isfinite(getattr(point, name))).tolist())
        if absent:
            by_budgets.setdefault(absent, []).append(name)
    return [_frontier_reason(study, absent, names) for absent, names in by_budgets.items()]


def _frontier_reason(study: Study, absent: tuple[int, ...], names: list[str]) -> str:
    flops: np.ndarray = np.empty(0) if study.frontier is None else study.frontier.flops
    if len(absent) == len(flops) and "loss" not in names:
        return NO_TRADE_OFF.format(names=", ".join(names), law=study.fit.law.name)
    budgets = ", ".join(power(float(flops[index])) for index in absent[:5])
    return NO_OPTIMUM.format(names=", ".join(names), budgets=budgets + (", …" if len(absent) > 5 else ""))
