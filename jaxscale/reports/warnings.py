"""Warnings to the reader: the findings of a study, those that only a report can see, and absent numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import numpy as np

from jaxscale.allocation.frontier import has_frontier
from jaxscale.costs.training import fixed_inputs
from jaxscale.digits import scientific
from jaxscale.errors import IntervalError
from jaxscale.finding import Finding, forbids_plan
from jaxscale.intervals import Band
from jaxscale.laws import ExpressionLoss
from jaxscale.laws.grouped import core_of, grouping_of
from jaxscale.results import LEAST_USABLE, QUANTITIES, Frontier, Study
from jaxscale.text import listed, shown

EXTRAPOLATION = "extrapolation"
NO_FRONTIER = "no-frontier"
"""Codes of the warnings that stand with the frontier, not below it."""

NO_SPLIT = "the law '{law}' does not say how a budget is best spent"
NOT_FIXED = "the law '{law}' takes {names} too, which no budget decides; say at what they are fixed: {options}"
NOT_PLANNED = "nothing is planned from numbers that are not what they are taken for: see {code}"
FRONTIER_WITHHELD = "the fit is '{status}', not a minimum, and nothing is planned from it"
NOT_REFITTED = "the fit is '{status}', not a minimum, and was not bootstrapped"
NOT_BOOTSTRAPPED = "the fit was not bootstrapped, so nothing has an interval"
NOTHING_FITTED = "every coef was held fixed, so there is nothing to bootstrap and nothing has an interval"
MOST_FAILED = "only {share:.1%} of the replicates are usable; below {least:.0%} no interval is given"
MANY_FAILED = "{share:.1%} of the replicates failed and are left out: intervals may be too narrow"
FEW_REPLICATES = (
    "{count:,} usable replicates leave fewer than {tail} beyond each limit of a {level:g} % interval, "
    "whose ends are then chance; ask for {needed:,} or more"
)
LEFT_FRONTIER = "{count:,} of {total:,} replicates have no optimum at some budget; the frontier's bands leave them out"
POINT_INTERVAL = (
    "all {count:,} usable replicates have the same {names}, to rounding: an interval without width says nothing of "
    "errors, and these runs show none, as runs that lie on the law exactly do"
)
KINKS = (
    "the law is written with {names}, whose slope jumps: where a fit or a replicate ends at the jump, its status is no "
    "minimum; logaddexp, softplus or sigmoid are smooth"
)
KINKED = ("abs", "min", "max", "minimum", "maximum")
"""Functions of typed laws without a slope everywhere."""
ROUNDING = 1e-9
"""Relative width of an interval that is none."""
GROUP_UNUSED = (
    "the groups of the table are not used: the scheme '{scheme}' draws single rows; --scheme cluster draws whole groups"
)
GROUP_SIZES = "the scheme '{scheme}' draws single rows whatever their group, so that a group's share of the runs varies"

BandOf: TypeAlias = Callable[[str], Band | None]
"""The band (b,) of one of QUANTITIES; None where there are no bands."""
FAR = 10.0
"""Times the largest measured compute from which a budget stands out in the table."""
MANY = 0.1
OF_THE_FIT = {"point_std", "robust_std", "profile"}
"""What intervals need whose limits do not come from replicates."""
TAIL = 5
"""Replicates that should lie beyond either limit of an interval."""

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


def warnings_of(study: Study) -> tuple[Finding, ...]:
    """Return every warning that the study needs, at most one per code, the fit's own first."""
    known = list(study.fit.findings)
    known += study.ensemble.findings if study.ensemble is not None else ()
    known += study.frontier.findings if study.frontier is not None else ()
    if study.ensemble is not None:
        from jaxscale.refitting import still_open  # whose import a page without replicates need not wait for

        known = list(still_open(known, study.ensemble.scheme))
    own = (_no_frontier(study), _bands(study), _intervals(study), _tails(study), _lost(study), _groups(study))
    rest = [*own, _alike(study), _kinks(study)]
    found = [*known, *(finding for finding in rest if finding is not None), *_of_groups(study)]
    by_code: dict[str, Finding] = {}
    for finding in found:
        by_code.setdefault(finding.code, finding)
    return tuple(by_code.values())


def warnings_of_frontier(study: Study) -> tuple[Finding, ...]:
    """Return the warnings that belong to the frontier alone."""
    lost = _lost(study)
    known = () if study.frontier is None else study.frontier.findings
    return known if lost is None else (*known, lost)


def _of_groups(study: Study) -> list[Finding]:
    """Return the warnings of the groups' frontiers, each kind once, for all the groups that it concerns."""
    said: dict[tuple[str, str], list[str]] = {}
    for group, part in study.groups.items():
        for one in warnings_of_frontier(part):
            said.setdefault((one.code, one.message), []).append(shown(group))
    messages: dict[str, list[str]] = {}
    for (code, message), groups in said.items():
        messages.setdefault(code, []).append(f"{', '.join(groups)}: {message}")
    return [Finding(code, "; ".join(texts)) for code, texts in messages.items()]


def times_measured(frontier: Frontier) -> np.ndarray | None:
    """Return each budget (b,) as a multiple of the largest measured compute; None where that is not known."""
    return None if frontier.measured is None else np.asarray(frontier.flops) / frontier.measured[1]


def _no_frontier(study: Study) -> Finding | None:
    if study.frontier is not None or study.groups:
        return None
    law = study.fit.law
    if not study.fit.is_usable:
        return Finding(NO_FRONTIER, FRONTIER_WITHHELD.format(status=study.fit.status))
    forbidding = forbids_plan(study.fit.findings)
    if forbidding is not None:
        return Finding(NO_FRONTIER, NOT_PLANNED.format(code=forbidding.code))
    needed = fixed_inputs(law) if has_frontier(law) else ()
    if needed:
        options = " ".join(f"--at {name}=NUMBER" for name in needed)
        return Finding(NO_FRONTIER, NOT_FIXED.format(law=law.name, names=", ".join(needed), options=options))
    return Finding(NO_FRONTIER, NO_SPLIT.format(law=law.name))


def _bands(study: Study) -> Finding | None:
    share = study.usable_share
    if study.ensemble is None and not study.fit.is_usable:
        return Finding("no-bands", NOT_REFITTED.format(status=study.fit.status))
    if study.ensemble is None:
        return Finding("no-bands", NOT_BOOTSTRAPPED if study.fit.free else NOTHING_FITTED)
    if share < LEAST_USABLE:
        return Finding("no-bands", MOST_FAILED.format(share=share, least=LEAST_USABLE))
    if 1.0 - share > MANY:
        return Finding("intervals-unreliable", MANY_FAILED.format(share=1.0 - share))
    return None


def _intervals(study: Study) -> Finding | None:
    """Return the finding about quantities that have replicates and no interval of the kind that was asked for."""
    ensemble, reasons = study.ensemble, dict[str, list[str]]()
    if ensemble is None or not study.has_bands:
        return None
    known = [name for name in study.fit.free if name not in study.fit.unidentified]
    tries: list[tuple[str, Callable[..., object]]] = [(name, partial(ensemble.interval, name)) for name in known]
    if study.frontier is not None:
        tries += [(name, partial(study.frontier.interval, name)) for name in QUANTITIES]
    for group, part in study.groups.items():
        if part.frontier is not None:
            tries += [(f"{name} of {shown(group)}", partial(part.frontier.interval, name)) for name in QUANTITIES]
    for name, interval in tries:
        try:
            interval(level=study.level, method=study.interval)
        except IntervalError as error:
            reasons.setdefault(str(error), []).append(name)
    return (
        Finding("no-interval", "; ".join(f"{', '.join(of)}: {why}" for why, of in reasons.items())) if reasons else None
    )


def _tails(study: Study) -> Finding | None:
    if study.ensemble is None or not study.has_bands or OF_THE_FIT & set(study.interval.needs):
        return None
    count = int(study.ensemble.usable.sum())
    beyond = 0.5 * (1.0 - study.level)
    if count * beyond >= TAIL * (1.0 - 1e-9):
        return None
    needed = math.ceil(TAIL / beyond / study.usable_share * (1.0 - 1e-9))
    message = FEW_REPLICATES.format(count=count, tail=TAIL, level=100.0 * study.level, needed=needed)
    return Finding("few-replicates", message)


def _alike(study: Study) -> Finding | None:
    """Return the finding about coefs that all replicates have alike, of an ensemble in memory."""
    ensemble = study.ensemble
    if ensemble is None or not study.has_bands or hasattr(ensemble.coefs, "blocks") or int(ensemble.usable.sum()) < 2:
        return None
    known = [name for name in study.fit.free if name not in (*study.fit.at_bound, *study.fit.unidentified)]
    alike = [name for name in known if _is_one_value(ensemble.samples(name))]
    if not alike:
        return None
    return Finding("point-interval", POINT_INTERVAL.format(names=listed(alike), count=int(ensemble.usable.sum())))


def _is_one_value(samples: np.ndarray) -> bool:
    known = samples[np.isfinite(samples)]
    return bool(known.size > 1 and np.ptp(known) <= ROUNDING * np.max(np.abs(known)))


def _kinks(study: Study) -> Finding | None:
    """Return the finding about functions without a slope everywhere in a law that was typed."""
    loss = core_of(study.fit.law).loss
    kinked = [name for name in loss.functions if name in KINKED] if isinstance(loss, ExpressionLoss) else []
    return Finding("kinked-law", KINKS.format(names=listed(kinked))) if kinked else None


def _lost(study: Study) -> Finding | None:
    """Return the finding about usable replicates that have no frontier although the point fit has one."""
    bands = [study.frontier_band(quantity) for quantity in QUANTITIES]
    used = [band.n_used for band in bands if band is not None]
    if study.ensemble is None or not used:
        return None
    usable = int(study.ensemble.usable.sum())
    lost = usable - min(used)
    return Finding("replicates-without-optimum", LEFT_FRONTIER.format(count=lost, total=usable)) if lost else None


def _groups(study: Study) -> Finding | None:
    ensemble = study.ensemble
    if ensemble is None or ensemble.whole is not None or study.fit.runs.group is None or ensemble.scheme.has_groups:
        return None
    scheme = ensemble.scheme.name
    if grouping_of(study.fit.law) is not None:
        return Finding("group-sizes-vary", GROUP_SIZES.format(scheme=scheme))
    return Finding("groups-unused", GROUP_UNUSED.format(scheme=scheme))


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
    budgets = ", ".join(scientific(float(flops[index])) for index in absent[:5])
    return NO_OPTIMUM.format(names=", ".join(names), budgets=budgets + (", …" if len(absent) > 5 else ""))
