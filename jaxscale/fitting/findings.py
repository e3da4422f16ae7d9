"""What a fit and its replicates have to confess, in words."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from jaxscale.engine.crowd import Outcome
from jaxscale.results import Certificate
from jaxscale.runs import Finding, Runs
from jaxscale.status import Status

NOT_CONVERGED = "the fit ended as '{status}': {meaning}; by start: {reasons}"
AT_BOUND = "{names} no longer changes any prediction: the fit lies at the edge of what the law can be"
FEW_ROWS = "{rows} runs for {free} free coefs: the bootstrap is unreliable below {three}"
SEVERAL_MINIMA = "{count} other minima were found; the next one has an objective {excess:.2%} higher"
FEW_AGREE = "only {agreeing} of {starts} starts reached this minimum; a lower one may exist"
SOME_FAILED = "{failed} of {total} replicates are not usable ({reasons})"

FEW_AGREEING = 0.1


def findings_of_fit(
    runs: Runs,
    free: int,
    status: Status,
    certificate: Certificate,
    coefs: Mapping[str, float],
    outcome: Outcome,
) -> tuple[Finding, ...]:
    """Return what is worth knowing about a fit, most serious first."""
    found = []
    if not status.is_usable:
        reasons = counted(outcome.status)
        message = NOT_CONVERGED.format(status=status, meaning=status.meaning, reasons=reasons)
        found.append(Finding("not-converged", message))
    if status is Status.AT_BOUND:
        names = ", ".join(name for name in coefs if coefs[name] < 1e-6) or "a coefficient"
        found.append(Finding("at-bound", AT_BOUND.format(names=names)))
    if certificate.agreeing_starts < FEW_AGREEING * certificate.starts and status.is_usable:
        found.append(
            Finding(
                "few-starts-agree", FEW_AGREE.format(agreeing=certificate.agreeing_starts, starts=certificate.starts)
            )
        )
    if certificate.other_minima:
        best = min(minimum.value for minimum in certificate.other_minima)
        lowest = float(np.min(outcome.value[outcome.status <= Status.AT_BOUND]))
        message = SEVERAL_MINIMA.format(count=len(certificate.other_minima), excess=best / lowest - 1.0)
        found.append(Finding("several-minima", message))
    rows = int(np.sum(runs.weight > 0))
    if rows < 3 * free:
        found.append(Finding("few-rows", FEW_ROWS.format(rows=rows, free=free, three=3 * free)))
    return tuple(found)


def counted(codes: np.ndarray) -> str:
    """Return "61 converged, 3 stalled" for an array of status codes, most frequent first."""
    values, counts = np.unique(codes, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return ", ".join(f"{int(counts[i])} {Status(int(values[i]))}" for i in order)


def findings_of_crowd(codes: np.ndarray) -> tuple[Finding, ...]:
    """Return what is worth knowing about a crowd of replicates, from their status codes (R,)."""
    failed = codes > Status.AT_BOUND
    found = []
    if failed.any():
        message = SOME_FAILED.format(failed=int(failed.sum()), total=len(codes), reasons=counted(codes[failed]))
        found.append(Finding("replicates-failed", message))
    bound = int(np.sum(codes == Status.AT_BOUND))
    if bound:
        message = f"{bound} of {len(codes)} replicates ended at a bound: intervals there are one-sided"
        found.append(Finding("replicates-at-bound", message))
    return tuple(found)
