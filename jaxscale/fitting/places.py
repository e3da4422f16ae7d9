"""Where a lane stands when bounds are looked for around it, and what may be asked of its own table there."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace

import numpy as np

from jaxscale.engine.compiling import Clock
from jaxscale.engine.job import Job
from jaxscale.fitting.multipliers import Multipliers, multipliers_of
from jaxscale.fitting.optimum import jacobian_at
from jaxscale.laws import Law

UNCHANGED = 1e-12
"""Relative difference in the objective that moving a coef without any effect makes."""
FALLS = 2.0
"""Factor on a lane's objective beyond which a bound is not near it."""


@dataclass(frozen=True)
class Place:
    """A lane to look around from: theta (p,), its replicate, -1 for the table as it is, and its objective there.

    weight: (bucket,) of the lane's own table.   middle: (p,) theta amid the grid of starts.
    """

    theta: np.ndarray
    replicate: int
    value: float
    weight: np.ndarray
    middle: np.ndarray

    def values(self, law: Law, job: Job, points: np.ndarray, clock: Clock) -> np.ndarray:
        """Return the objective (k,) of this lane's table at points (k, p), inf where there is none."""
        value = self.multipliers(law, job, points, np.full(len(law.names), False), clock).value
        found: np.ndarray = np.where(np.isfinite(value), value, np.inf)
        return found

    def multipliers(self, law: Law, job: Job, points: np.ndarray, minimised: np.ndarray, clock: Clock) -> Multipliers:
        """Return the multipliers (k, …) on this lane's table at points (k, p)."""
        return multipliers_of(job, minimised, np.full(len(points), self.replicate), points, clock)

    def jacobian(self, job: Job, theta: np.ndarray, clock: Clock) -> np.ndarray:
        """Return d residual / d theta (m, p) of the lane's own rows, times the roots of their weights."""
        return jacobian_at(job, replace(job.batch, weight=self.weight), theta, clock)


def free_of(job: Job, held: Container[int] = ()) -> np.ndarray:
    """Return which coefs (p,) are minimised where those at these places are held."""
    return np.array([active > 0 and at not in held for at, active in enumerate(job.active)])
