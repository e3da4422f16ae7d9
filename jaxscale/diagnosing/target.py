"""The answer at a target budget as a function of theta: ln params, and the loss there."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np

from jaxscale.allocation.findings import frontier_findings
from jaxscale.allocation.frontier import SEVERAL, optima_of, prefetched_frontier
from jaxscale.allocation.inputs import can_allocate, fixed_values, measured_flops
from jaxscale.costs.training import fixed_inputs
from jaxscale.engine.data import chunks, fill
from jaxscale.errors import UsageError
from jaxscale.finding import Finding
from jaxscale.laws import Law
from jaxscale.laws.grouped import core_of, grouping_of
from jaxscale.results import Fit

STEP = 1e-4
"""Of a central difference in theta."""
FACTOR = 10.0
"""Times the largest measured compute: the target where none is given."""
BLOCK = 64
"""Points that are answered together: of one number, so that there is one program, which compiles for seconds."""
BAD_TARGET = "flops = {flops!r}: a target budget is a positive, finite number of FLOP"


@dataclass(frozen=True)
class Target:
    """A budget, and the law that splits it; has_answer: whether it does.   measured: the largest, None unknown."""

    law: Law
    flops: float | None
    fixed: Mapping[str, float]
    measured: float | None
    has_answer: bool

    def answers(self, theta: np.ndarray, known: np.ndarray) -> np.ndarray:
        """Return ln params, ln tokens and the loss (3, k) at theta (k, P); NaN where there is none.

        known: (P,) coefs as they are reported, in place of those of which theta is not finite or which are held.
        """
        if not self.has_answer or self.flops is None:
            return np.full((3, len(theta)), np.nan)
        coefs = coefs_at(self.law, theta, known)
        sound = np.isfinite(theta).all(axis=1)
        if not sound.any():
            return np.full((3, len(theta)), np.nan)
        coefs = np.where(sound[:, None], coefs, coefs[np.argmax(sound)])
        found = self._optima(coefs)
        return np.where(sound, np.stack([np.log(found[0]), np.log(found[1]), found[2]]), np.nan)

    def findings(self, fit: Fit) -> tuple[Finding, ...]:
        """Return what `js.frontier` finds of a fit's optimum here, such as its distance from the data."""
        if not self.has_answer or self.flops is None:
            return ()
        best = self._optima(fit.law.vector(fit.coefs)[None])
        params = np.full(1, np.nan) if len(fit.unidentified) >= SEVERAL else best[0]
        return frontier_findings(self.law, np.array([self.flops]), params, best[3], measured_flops(self.law, fit.runs))

    def prefetched(self) -> AbstractContextManager[None]:
        """Have the program of the answers compiled inside this scope, while another one is."""
        return prefetched_frontier(self.law, budgets=1, replicates=BLOCK - 1) if self.has_answer else nullcontext()

    def _optima(self, coefs: np.ndarray) -> np.ndarray:
        """Return params, tokens, the loss and whether an optimum is the lowest (4, k) at coefs (k, P)."""
        budgets = np.array([self.flops])
        parts = [
            optima_of(self.law, fill(coefs[part], BLOCK), budgets, self.fixed)[:, : part.stop - part.start, 0]
            for part in chunks(len(coefs), BLOCK)
        ]
        return np.concatenate(parts, axis=1)


def coefs_at(law: Law, theta: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return coefs (k, P) at theta (k, P), those of known (P,) where it is a number; NaN stands for one that moves."""
    return np.where(np.isnan(known), law.coordinates.to_coefs(theta), known)


def target_of(fit: Fit, flops: float | None, at: Mapping[str, float] | None) -> Target:
    """Return the target of a fit; raise UsageError for a budget that is none and for invalid fixed inputs."""
    number = isinstance(flops, int | float | np.number) and not isinstance(flops, bool)
    if flops is not None and not (number and 0.0 < float(flops) < np.inf):
        raise UsageError(BAD_TARGET.format(flops=flops))
    measured = measured_flops(core_of(fit.law), fit.runs)
    largest = None if measured is None else measured[1]
    target = float(flops) if flops is not None else None if largest is None else FACTOR * largest
    splits = grouping_of(fit.law) is None and can_allocate(fit.law)
    needed = set(fixed_inputs(fit.law)) if splits else set()
    given = dict(at or {})
    has_answer = target is not None and splits and (bool(given) or not needed)
    fixed = fixed_values(fit.law, given) if has_answer else {}
    return Target(fit.law, target, fixed, largest, has_answer)


def gradients_of(target: Target, theta: np.ndarray, known: np.ndarray, free: np.ndarray) -> np.ndarray:
    """Return d (ln params, ln tokens, ln loss) / d theta (3, p) of the coefs that are free, by central differences."""
    steps = STEP * np.eye(len(theta))[free]
    found = target.answers(np.concatenate([theta[None], theta + steps, theta - steps]), known)
    with np.errstate(invalid="ignore", divide="ignore"):
        found[2] = np.log(found[2])
    return np.asarray((found[:, 1 : len(steps) + 1] - found[:, len(steps) + 1 :]) / (2.0 * STEP))
