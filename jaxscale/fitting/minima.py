"""The minima at which the lanes of a fit ended: the one to report, the lanes that agree with it, and the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from jaxscale.engine.scheduler import Outcome
from jaxscale.fitting.bounds import SAME_MINIMUM
from jaxscale.results import Minimum
from jaxscale.status import Status

MOST_MINIMA = 5


def best_lane(
    outcome: Outcome, count: int, rank: Sequence[tuple[int, int, int, int]] = (), indistinct: float = SAME_MINIMUM
) -> int:
    """Return the lane to report: the lowest usable value, or the lowest finite one where none is usable.

    count: of the first lanes; one of the others must lie lower than the best of these. Where the runs leave a direction
    open, they wander along it to an edge, at the same value.   rank: of each lane's bound; of several at the lowest
    value the one of least rank is taken.   indistinct: share by which a minimum may lie above a limit at infinity that
    the runs cannot tell from it.
    """
    value = np.where(np.isfinite(outcome.value), outcome.value, np.inf)
    usable = np.where(outcome.status <= Status.AT_BOUND, value, np.inf)
    best = int(np.argmin(usable[:count] if np.isfinite(usable[:count]).any() else value[:count]))
    lowest = int(np.argmin(usable))
    best = lowest if usable[lowest] < value[best] * (1.0 - SAME_MINIMUM) else best
    if not rank:
        return best
    if rank[best][0]:
        finite = np.array([not one[0] for one in rank])
        lower = np.where(finite, usable, np.inf)
        best = int(np.argmin(lower)) if lower.min() <= usable[best] * (1.0 + indistinct) else best
    alike = np.flatnonzero(np.isclose(usable, usable[best], rtol=SAME_MINIMUM, atol=1e-28))
    return min([best, *alike.tolist()], key=lambda lane: rank[lane])


def agreeing(outcome: Outcome, value: float) -> np.ndarray:
    """Return which lanes (S,) ended usable at this value."""
    return np.isclose(outcome.value, value, rtol=SAME_MINIMUM, atol=1e-28) & (outcome.status <= Status.AT_BOUND)


def other_minima(
    every: Sequence[Mapping[str, float]], begun: np.ndarray, outcome: Outcome, is_counted: np.ndarray
) -> tuple[Minimum, ...]:
    """Return the other minima that usable lanes found, lowest first, each once.

    every: the coefs of each lane.   begun: from which start each came.   is_counted: lanes (S,) to leave out.
    """
    left = (outcome.status <= Status.AT_BOUND) & ~is_counted
    found: list[Minimum] = []
    while left.any() and len(found) < MOST_MINIMA:
        lane = int(np.argmin(np.where(left, outcome.value, np.inf)))
        same = agreeing(outcome, outcome.value[lane]) & left
        same[lane] = True
        found.append(Minimum(float(outcome.value[lane]), every[lane], len(np.unique(begun[same]))))
        left &= ~same
    return tuple(found)
