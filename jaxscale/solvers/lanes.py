"""Lanes: the rows of a batch in motion, and the methods that say where each goes next."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from jaxscale.solvers.problem import Data, Evaluation, Problem, Tree
from jaxscale.status import RUNNING

FINE = 1e-14
"""Newton decrement, relative to the value, at which a lane takes its last step, Newton's own."""
NEAR = 0.3
"""Newton decrement, relative to the value, within which least squares are steered by their exact Hessian."""


class Lanes(NamedTuple):
    """A batch in motion.

    theta (B, p); scale (B,), 0 for "not chosen yet"; damping (B,), the method's own memory of how bold to be;
    is_final (B,): rho has a scale, and is at its last one; here: the evaluation at theta; decrement (B,); status (B,)
    int32, `RUNNING` while it moves; steps (B,) int32; memory: the method's own pytree, leaves (B, …), or None.
    """

    theta: Float[Array, "B p"]
    scale: Float[Array, " B"]
    damping: Float[Array, " B"]
    is_final: Bool[Array, " B"]
    here: Evaluation
    decrement: Float[Array, " B"]
    status: Int[Array, " B"]
    steps: Int[Array, " B"]
    memory: Tree = None


class Proposal(NamedTuple):
    """Where lanes are to go next, (B,) each but for trial (B, p).

    promise: the gain that the method's model promises of its whole step, which says whether anything is left to gain.
    expected: that of the trial point, which the damping is judged by.   length: the share of the step that the trial
    point is.   memory: the method's own.
    """

    trial: Float[Array, "B p"]
    promise: Float[Array, " B"]
    expected: Float[Array, " B"]
    length: Float[Array, " B"]
    memory: Tree


class Method(Protocol):
    """Where to go next: a pair of pure functions and the damping of a fresh lane."""

    @property
    def fresh_damping(self) -> float:
        """The damping of a lane that has not moved yet."""
        ...

    @property
    def max_steps(self) -> int:
        """Evaluations after which a lane is given up."""
        ...

    def propose(self, problem: Problem, data: Data, active: jax.Array, lanes: Lanes) -> Proposal:
        """Return where the lanes are to go next."""
        ...

    def start(self, lanes: Lanes) -> Tree:
        """Return the memory of a fresh batch: a pytree with leading axis B, or None."""
        ...


def fresh_lanes(
    method: Method,
    theta: Float[Array, "B p"] | Float[np.ndarray, "B p"],
    scale: Float[Array, " B"] | Float[np.ndarray, " B"],
    damping: float | None = None,
) -> Lanes:
    """Return lanes that have not moved yet; NumPy in, NumPy out, but for the memory of a method that has one.

    scale: (B,) first scale of the objective, or 0 to choose it from the lane's own residuals.   damping: the first one,
    in place of the method's own.
    """
    of: Any = theta.__array_namespace__()
    lanes, size = theta.shape
    nothing = of.zeros((lanes,), dtype=theta.dtype)
    square = of.zeros((lanes, size, size), dtype=theta.dtype)
    unknown = Evaluation(nothing + of.inf, of.zeros_like(theta), square, square, nothing)
    count = of.zeros((lanes,), dtype=of.int32)
    first = nothing + (method.fresh_damping if damping is None else damping)
    fresh = Lanes(
        of.asarray(theta), of.asarray(scale), first, nothing > 0, unknown, nothing + of.inf, count + RUNNING, count
    )
    return fresh._replace(memory=method.start(fresh))


def is_far(lanes: Lanes) -> Bool[Array, " B"]:
    """Return which lanes are least squares and not near a minimum yet."""
    return jnp.isinf(lanes.scale) & ~(lanes.decrement <= NEAR * lanes.here.value)
