"""Minima at the edge of a support found without walking there: the coef is held on the edge, then asked to leave it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from jaxscale.engine.compiling import Clock
from jaxscale.engine.crowd import Job, Outcome, solve
from jaxscale.fitting.bounds import pulls_of
from jaxscale.laws import Law
from jaxscale.status import Status

BEYOND = {"low": -100.0, "high": 30.0}
"""Where a coef stands on the real line while it is held: for a support that begins at zero, at 4e-44, and for one that
ends at one, at one to 13 digits. Its slope there is small and has a sign."""
SAME_MINIMUM = 1e-8
"""Relative difference in the objective below which two minima are one."""


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
        pull = pulls_of(job, replicate[found], outcome.theta[found], clock)
        outward = np.where(is_low, pull.gradient, -pull.gradient)
        stays = (outward > pull.doubt)[:, held].all(axis=1)  # where the objective is flat, rounding would hold it too
        outcome.status[found] = np.where(stays, Status.AT_BOUND, Status.STALLED)
    return outcome


def try_edges(law: Law, job: Job, outcome: Outcome, clock: Clock) -> None:
    """Where no lane with the lowest value is usable, hold one coef after another at its lower edge in those that fail.

    Lanes of the table itself. One that walks towards an edge may stall or run out of steps before it is there; it is
    replaced where that leads to a minimum no higher than where it stopped.
    """
    low = np.array([support.low for support in law.supports])
    for at in np.flatnonzero(np.isfinite(low) & (job.active > 0)):
        value = np.where(np.isfinite(outcome.value), outcome.value, np.inf)
        lanes = np.flatnonzero((outcome.status > Status.AT_BOUND) & np.isfinite(value))
        if not len(lanes) or np.any(outcome.status[value <= value.min() * (1.0 + SAME_MINIMUM)] <= Status.AT_BOUND):
            return
        edges = np.where(np.arange(len(low)) == at, low, np.nan)
        again = solve_held(law, job, edges, np.full(len(lanes), -1), outcome.theta[lanes], np.zeros(len(lanes)), clock)
        outcome.steps[lanes] += again.steps
        saved = (again.status == Status.AT_BOUND) & (again.value <= value[lanes] * (1.0 + SAME_MINIMUM))
        for mine, other in zip((outcome.theta, outcome.value, outcome.status), again, strict=False):
            mine[lanes[saved]] = other[saved]
