"""Newton's method with the exact second derivative, damped in the metric of the scores' majoriser."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from jaxscale.numerics import small_spd
from jaxscale.solvers.loop import FINE, Lanes
from jaxscale.solvers.problem import Problem, Row, Tree

RIDGE = 1e-12
"""Added to the metric, relative to its diagonal, so that directions without effect stay finite."""
LAST = 1e-10
"""Largest damping of the last step: too little to shorten it, enough to stay put where the objective is flat."""


@dataclass(frozen=True)
class Newton:
    """Step -(H + λ M)⁻¹ g, with H the exact Hessian and M the metric; where H is indefinite, |H| in place of H.

    M makes the damping independent of the coordinates: at λ = 1 a step is about one of iteratively reweighted least
    squares, which descends, and at λ = 0 it is Newton's.   Source: Nocedal & Wright 2006, §3.4 and §10.3.
    """

    name: str = "newton"
    fresh_damping: float = 0.1
    max_steps: int = 500

    def start(self, lanes: Lanes) -> Tree:
        """Return no memory: a Newton step needs none."""
        return None

    def propose(
        self, problem: Problem, rows: Row, weight: jax.Array, active: jax.Array, lanes: Lanes, memory: Tree
    ) -> tuple[jax.Array, jax.Array, Tree]:
        """Return theta - (H + λ M)⁻¹ g per lane, and the gain of the quadratic model there."""
        here = lanes.here
        diagonal = jnp.diagonal(here.metric, axis1=1, axis2=2)
        ridge = RIDGE * diagonal + jnp.finfo(diagonal.dtype).tiny
        metric = here.metric + jax.vmap(jnp.diag)(ridge)
        is_last = lanes.decrement <= FINE * here.value  # then the step is Newton's own, but for flat directions
        damping = jnp.where(is_last, jnp.minimum(lanes.damping, LAST), lanes.damping)
        step, pivot = small_spd.solve(here.curvature + damping[:, None, None] * metric, here.gradient)
        is_convex = (pivot > 0) & jnp.isfinite(lanes.decrement)
        is_bent = (lanes.status < 0) & jnp.isfinite(here.value) & ~is_convex

        def convexify() -> jax.Array:
            unit = jnp.where(diagonal > 0, diagonal, 1.0) ** -0.5  # equal units keep the arithmetic accurate
            outer = unit[:, :, None] * unit[:, None, :]
            bowl, slope = lanes.damping[:, None, None] * metric * outer, here.gradient * unit

            def by_eigenvalues() -> jax.Array:
                return small_spd.solve(small_spd.absolute(here.curvature * outer) + bowl, slope)[0]

            quick, _ = small_spd.solve(here.curvature * outer + bowl, slope, reflect=True)
            careful = is_bent & ~lanes.is_final
            either = jax.lax.cond(
                jnp.any(careful), lambda: jnp.where(careful[:, None], by_eigenvalues(), quick), lambda: quick
            )
            return jnp.where(is_convex[:, None], step, either * unit)

        step = jax.lax.cond(jnp.any(is_bent), convexify, lambda: step)
        bent = jnp.einsum("bj,bjk,bk->b", step, here.curvature, step)
        return lanes.theta - step, jnp.sum(step * here.gradient, axis=1) - 0.5 * bent, memory
