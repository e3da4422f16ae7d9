"""Minima at the edge of a support found without walking there: the coef is held on the edge, then asked to leave it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from jaxscale.engine.crowd import Job, Outcome, solve
from jaxscale.engine.programs import Clock
from jaxscale.fitting.bounds import pulls_of
from jaxscale.laws import Law
from jaxscale.status import Status

BEYOND = {"low": -100.0, "high": 30.0}
"""Where a coef stands on the real line while it is held: for a support that begins at zero, at 4e-44, and for one that
ends at one, at one to 13 digits. Its slope there is small and has a sign."""


def holdable(law: Law, edges: np.ndarray) -> np.ndarray:
    """Return which edges (…, p), NaN inside, a coef can be held at: finite ones."""
    mask: np.ndarray = np.isfinite(edges) & law.edged
    return mask


def solve_held(
    law: Law,
    job: Job,
    edges: np.ndarray,
    replicate: np.ndarray,
    start: np.ndarray,
    scale: np.ndarray,
    clock: Clock,
    on_done: Callable[[int], None] = lambda count: None,
) -> Outcome:
    """Minimise every lane over the other coefs, with those of `edges` (p,) held there; NaN for the others.

    A lane is `at_bound` where the others form a strict minimum and every held coef would raise the objective by
    leaving its edge: the conditions of Karush, Kuhn and Tucker. It is `stalled` where one would lower it; theta is
    then still the minimum with the coefs held, from where to go on.   Source: Nocedal & Wright 2006, §12.3.
    """
    held = holdable(law, edges)
    is_low = np.array([edge == support.low for edge, support in zip(edges, law.supports, strict=True)])
    place = np.where(is_low, BEYOND["low"], BEYOND["high"])
    others = replace(job, active=np.where(held, 0.0, job.active))
    outcome = solve(others, replicate, np.where(held, place, start), scale, clock, on_done)
    found = np.flatnonzero(outcome.status == Status.CONVERGED)
    if len(found):
        gradient = pulls_of(job, replicate[found], outcome.theta[found], clock).gradient[:, held]
        stays = (np.where(is_low[held], gradient, -gradient) > 0.0).all(axis=1)
        outcome.status[found] = np.where(stays, Status.AT_BOUND, Status.STALLED)
    return outcome
