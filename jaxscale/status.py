"""How a minimisation ended: the closed set of outcomes, a word each."""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """The outcome of one lane. `converged` and `at_bound` are usable; every other one is a failure with its reason.

    Attributes
    ----------
    CONVERGED
        A strict minimum: the Newton decrement is at rounding and the curvature is positive.
    AT_BOUND
        A minimum at the edge of a coefficient's support, which no longer changes any prediction.
    STALLED
        No step lowers the objective although the gradient is not at rounding.
    MAX_STEPS
        The step limit came first.
    SINGULAR
        The runs do not identify the coefficients: quite other values predict them as well.
    NON_FINITE
        The objective is not finite at the start.
    DEGENERATE
        Fewer distinct rows than free coefficients.

    Examples
    --------
    >>> str(fit.status), fit.status.is_usable
    ('converged', True)
    """

    CONVERGED = 0
    AT_BOUND = 1
    STALLED = 2
    MAX_STEPS = 3
    SINGULAR = 4
    NON_FINITE = 5
    DEGENERATE = 6

    @property
    def is_usable(self) -> bool:
        """Whether the lane's coefs are a minimum that may enter an interval."""
        return self <= Status.AT_BOUND

    @property
    def meaning(self) -> str:
        """One sentence: what happened and what it implies."""
        return _MEANINGS[self]

    def __str__(self) -> str:
        return self.name.lower()


RUNNING = -1
"""The code of a lane that still moves; it never leaves the engine."""

_MEANINGS = {
    Status.CONVERGED: "a strict minimum: the Newton decrement is at rounding and the curvature is positive",
    Status.AT_BOUND: "a minimum at the edge of a coefficient's support, which no longer changes any prediction",
    Status.STALLED: "no step lowers the objective although the gradient is not at rounding",
    Status.MAX_STEPS: "the step limit came first",
    Status.SINGULAR: "the runs do not identify the coefficients: quite other values predict them as well",
    Status.NON_FINITE: "the objective is not finite at the start",
    Status.DEGENERATE: "fewer distinct rows than free coefficients",
}
