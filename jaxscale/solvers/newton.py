"""Newton's method with the exact second derivative, damped in the metric of the majorising parabolas."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from jaxscale.numerics import small_spd
from jaxscale.solvers.lanes import FINE, Lanes, Proposal, is_far
from jaxscale.solvers.problem import Data, Problem, Tree, best_length

RIDGE = 1e-12
"""Added to the metric, relative to its diagonal, so that directions without effect stay finite."""
REWEIGHTED = 0.4
"""Share of the metric that stands in for a Hessian that is indefinite although the scale is final. Not delicate: with
0.2 or 1 in its place replicates take a twentieth more steps."""
LAST = 1e-10
"""Largest damping of the last step: too little to shorten it, enough to stay put where the objective is flat."""
SMOOTH = 1e-6
"""Newton decrement, relative to the value, from which Newton's own step is taken: hardly a residual still passes the
threshold."""
SWEEPS = 2
"""Of Jacobi rotations: eigenvectors to a few percent reflect as well as exact ones, in a third of the time."""
PATIENCE = 100
"""Evaluations after which a lane that is still far from a minimum goes on with the exact Hessian: where the residuals
stay large, the model of Gauss and Newton converges only linearly."""


@dataclass(frozen=True)
class Newton:
    """Step -(H + λ M)⁻¹ g, with H the exact Hessian and M the metric; where H is indefinite, |H| or a share of M.

    M makes the damping independent of the coordinates: at λ = 1 a step is about one of iteratively reweighted least
    squares, which descends, and at λ = 0 it is Newton's.   Source: Nocedal & Wright 2006, §3.4 and §10.3.

    Least squares far from a minimum begin with Levenberg's and Marquardt's step, -(M + λ D)⁻¹ g: with D the largest
    diagonal of M so far it turns towards the steepest descent where M hardly sees a direction, while the exact
    Hessian there leads into whatever basin curves that way.   Source: Moré 1978, The Levenberg–Marquardt algorithm.

    is_patient: False for the exact Hessian from the first step on.
    """

    name: str = "newton"
    fresh_damping: float = 0.1
    max_steps: int = 500
    is_patient: bool = True

    def start(self, lanes: Lanes) -> Tree:
        """Return the memory (B, p) of lanes that have met no metric yet: its largest diagonal entries so far."""
        return lanes.theta.__array_namespace__().zeros_like(lanes.theta)

    def propose(self, problem: Problem, data: Data, active: jax.Array, lanes: Lanes) -> Proposal:
        """Return the best length of one step per lane, what the models promise, and the memory.

        Where rho has a threshold the step is only a direction until the lane is near its end: the objective has a kink
        wherever a residual passes it, and how far to go is asked of all rows at once.
        """
        here = lanes.here
        diagonal = jnp.diagonal(here.metric, axis1=1, axis2=2)
        ridge = RIDGE * diagonal + jnp.finfo(diagonal.dtype).tiny
        metric = here.metric + jax.vmap(jnp.diag)(ridge)
        is_last = lanes.decrement <= FINE * here.value  # then the step is Newton's own, but for flat directions
        damping = jnp.where(is_last, jnp.minimum(lanes.damping, LAST), lanes.damping)
        is_indefinite = jnp.isinf(lanes.decrement) & jnp.isfinite(here.value)
        hessian = jnp.where((is_indefinite & lanes.is_final)[:, None, None], REWEIGHTED * metric, here.curvature)
        is_walking = is_far(lanes) & (lanes.steps < PATIENCE) & self.is_patient
        is_reflected = is_indefinite & ~lanes.is_final & (lanes.status < 0) & ~is_walking
        hessian = jax.lax.cond(
            jnp.any(is_reflected),
            lambda: jnp.where(is_reflected[:, None, None], _reflected(here.curvature, diagonal), hessian),
            lambda: hessian,
        )
        largest = jnp.maximum(lanes.memory, diagonal)
        scaling = jax.vmap(jnp.diag)(largest + jnp.finfo(largest.dtype).tiny)
        hessian = jnp.where(is_walking[:, None, None], here.metric, hessian)
        ridge = jnp.where(is_walking[:, None, None], scaling, metric)
        step, _ = small_spd.solve(hessian + damping[:, None, None] * ridge, here.gradient)
        quadratic = jnp.einsum("bj,bjk,bk->b", step, hessian, step)
        promise = jnp.sum(step * here.gradient, axis=1) - 0.5 * quadratic
        has_kinks = jnp.isfinite(lanes.scale) & (lanes.scale > 0) & jnp.isfinite(here.value) & (lanes.status < 0)
        has_kinks &= ~(lanes.decrement <= SMOOTH * here.value)

        def searched() -> tuple[jax.Array, jax.Array]:
            length, value = best_length(problem, data, lanes.theta, step, lanes.scale)
            return jnp.where(has_kinks, length, 1.0), jnp.where(has_kinks, here.value - value, promise)

        length, expected = jax.lax.cond(jnp.any(has_kinks), searched, lambda: (jnp.ones_like(promise), promise))
        return Proposal(lanes.theta - length[:, None] * step, promise, expected, length, largest)


def _reflected(matrix: jax.Array, diagonal: jax.Array) -> jax.Array:
    """Return |matrix|, by its eigenvalues in the units in which the metric's diagonal is one."""
    unit = jnp.where(diagonal > 0, diagonal, 1.0) ** -0.5  # equal units keep the arithmetic accurate
    outer = unit[:, :, None] * unit[:, None, :]
    return small_spd.absolute_value(matrix * outer, SWEEPS) / outer
