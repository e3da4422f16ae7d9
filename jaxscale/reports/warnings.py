"""What a reader must be warned of: the findings of fit, ensemble and frontier, and what only a report can see."""

from __future__ import annotations

import math

import numpy as np

from jaxscale.allocation.frontier import has_frontier
from jaxscale.costs.training import fixed_inputs
from jaxscale.finding import Finding, forbids_plan
from jaxscale.fitting import still_open
from jaxscale.laws.grouped import grouping_of
from jaxscale.reports.answer import LEAST_USABLE, QUANTITIES, Answer, Banded
from jaxscale.text import shown

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
GROUP_UNUSED = (
    "the groups of the table are not used: the scheme '{scheme}' draws single rows; --scheme cluster draws whole groups"
)
GROUP_SIZES = "the scheme '{scheme}' draws single rows whatever their group, so that a group's share of the runs varies"

FAR = 10.0
"""Times the largest measured compute from which a budget stands out in the table."""
MANY = 0.1
TAIL = 5
"""Replicates that should lie beyond either limit of an interval."""


def warnings_of(answer: Answer) -> tuple[Finding, ...]:
    """Return every warning that the answer needs, at most one per code, the fit's own first."""
    known = list(answer.fit.findings)
    known += answer.ensemble.findings if answer.ensemble is not None else ()
    known += answer.frontier.findings if answer.frontier is not None else ()
    known = known if answer.ensemble is None else list(still_open(known, answer.ensemble.scheme))
    own = (_no_frontier(answer), _bands(answer), _tails(answer), _lost(answer), _groups(answer))
    found = [*known, *(finding for finding in own if finding is not None), *_of_groups(answer)]
    by_code: dict[str, Finding] = {}
    for finding in found:
        by_code.setdefault(finding.code, finding)
    return tuple(by_code.values())


def warnings_of_frontier(answer: Answer) -> tuple[Finding, ...]:
    """Return the warnings that belong to the frontier alone."""
    lost = _lost(answer)
    known = () if answer.frontier is None else answer.frontier.findings
    return known if lost is None else (*known, lost)


def _of_groups(answer: Answer) -> list[Finding]:
    """Return the warnings of the groups' frontiers, each kind once, for all the groups that it concerns."""
    said: dict[tuple[str, str], list[str]] = {}
    for group, part in answer.by_group.items():
        for one in warnings_of_frontier(part):
            said.setdefault((one.code, one.message), []).append(shown(group))
    messages: dict[str, list[str]] = {}
    for (code, message), groups in said.items():
        messages.setdefault(code, []).append(f"{', '.join(groups)}: {message}")
    return [Finding(code, "; ".join(texts)) for code, texts in messages.items()]


def times_measured(answer: Banded) -> np.ndarray | None:
    """Return each budget (b,) as a multiple of the largest measured compute; None where that is not known."""
    if answer.frontier is None or answer.frontier.measured is None:
        return None
    return np.asarray(answer.frontier.flops) / answer.frontier.measured[1]


def _no_frontier(answer: Answer) -> Finding | None:
    if answer.frontier is not None or answer.by_group:
        return None
    law = answer.fit.law
    if not answer.fit.is_usable:
        return Finding(NO_FRONTIER, FRONTIER_WITHHELD.format(status=answer.fit.status))
    forbidding = forbids_plan(answer.fit.findings)
    if forbidding is not None:
        return Finding(NO_FRONTIER, NOT_PLANNED.format(code=forbidding.code))
    needed = fixed_inputs(law) if has_frontier(law) else ()
    if needed:
        options = " ".join(f"--at {name}=NUMBER" for name in needed)
        return Finding(NO_FRONTIER, NOT_FIXED.format(law=law.name, names=", ".join(needed), options=options))
    return Finding(NO_FRONTIER, NO_SPLIT.format(law=law.name))


def _bands(answer: Answer) -> Finding | None:
    share = answer.usable_share
    if answer.ensemble is None and not answer.fit.is_usable:
        return Finding("no-bands", NOT_REFITTED.format(status=answer.fit.status))
    if answer.ensemble is None:
        return Finding("no-bands", NOT_BOOTSTRAPPED if answer.fit.free else NOTHING_FITTED)
    if share < LEAST_USABLE:
        return Finding("no-bands", MOST_FAILED.format(share=share, least=LEAST_USABLE))
    if 1.0 - share > MANY:
        return Finding("intervals-unreliable", MANY_FAILED.format(share=1.0 - share))
    return None


def _tails(answer: Answer) -> Finding | None:
    if answer.ensemble is None or not answer.has_bands:
        return None
    count = int(answer.ensemble.usable.sum())
    beyond = 0.5 * (1.0 - answer.level)
    if count * beyond >= TAIL * (1.0 - 1e-9):
        return None
    needed = math.ceil(TAIL / beyond / answer.usable_share * (1.0 - 1e-9))
    message = FEW_REPLICATES.format(count=count, tail=TAIL, level=100.0 * answer.level, needed=needed)
    return Finding("few-replicates", message)


def _lost(answer: Answer) -> Finding | None:
    """Return the finding about usable replicates that have no frontier although the point fit has one."""
    bands = [answer.frontier_band(quantity) for quantity in QUANTITIES]
    used = [band.n_used for band in bands if band is not None]
    if answer.ensemble is None or not used:
        return None
    usable = int(answer.ensemble.usable.sum())
    lost = usable - min(used)
    return Finding("replicates-without-optimum", LEFT_FRONTIER.format(count=lost, total=usable)) if lost else None


def _groups(answer: Answer) -> Finding | None:
    ensemble = answer.ensemble
    if ensemble is None or ensemble.whole is not None or answer.fit.runs.group is None or ensemble.scheme.has_groups:
        return None
    scheme = ensemble.scheme.name
    if grouping_of(answer.fit.law) is not None:
        return Finding("group-sizes-vary", GROUP_SIZES.format(scheme=scheme))
    return Finding("groups-unused", GROUP_UNUSED.format(scheme=scheme))
