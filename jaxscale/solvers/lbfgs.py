"""optax's L-BFGS, with its own line search, as a second opinion on any law."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxscale.numerics import small_spd
from jaxscale.solvers.lanes import Lanes, Proposal
from jaxscale.solvers.problem import Data, Problem, Tree


class Memory(NamedTuple):
    """A lane's frame (theta = base + frame · z), the scale it is for, where it meant to go, and optax's own state."""

    base: jax.Array
    frame: jax.Array
    scale: jax.Array
    expected: jax.Array
    inner: Tree


@dataclass(frozen=True)
class LBFGS:
    """`optax.lbfgs` in coordinates in which the metric of the lane's first point is the identity.

    The loop's tests of acceptance and convergence are those of every method. A lane whose step was refused, or whose
    scale was lowered, begins again with an empty memory and a new frame.   Source: Nocedal & Wright 2006, §7.2.
    """

    name: str = "lbfgs"
    fresh_damping: float = 0.1
    max_steps: int = 500

    def start(self, lanes: Lanes) -> Memory:
        """Return memories that no lane will find fitting, so that every lane begins afresh."""
        theta = jnp.asarray(lanes.theta)
        frame = jnp.zeros((*theta.shape, theta.shape[1]), theta.dtype)
        return Memory(theta, frame, jnp.full_like(theta[:, 0], -1.0), theta, jax.vmap(_optimiser().init)(theta))

    def propose(self, problem: Problem, data: Data, active: jax.Array, lanes: Lanes) -> Proposal:
        """Return the end of one line search per lane, and the first-order gain there."""
        memory = lanes.memory
        is_fresh = (memory.scale != lanes.scale) | jnp.any(memory.expected != lanes.theta, axis=1)
        empty = jax.vmap(_optimiser().init)(jnp.zeros_like(lanes.theta))
        inner = jax.tree.map(
            lambda new, old: jnp.where(is_fresh.reshape(is_fresh.shape + (1,) * (new.ndim - 1)), new, old),
            empty,
            memory.inner,
        )
        base = jnp.where(is_fresh[:, None], lanes.theta, memory.base)
        frame = jnp.where(is_fresh[:, None, None], small_spd.whitener(lanes.here.metric), memory.frame)

        def search(
            origin: jax.Array,
            turn: jax.Array,
            point: jax.Array,
            weight: jax.Array,
            shift: jax.Array | None,
            scale: jax.Array,
            state: Tree,
        ) -> tuple[jax.Array, Tree]:
            def total(z: jax.Array) -> jax.Array:
                theta = tuple(origin + (turn @ z) * active)
                residual = jax.vmap(lambda row: problem.residual(theta, row))(data.rows)
                residual = residual if shift is None else residual - shift
                return jnp.sum(jnp.where(weight > 0, weight * problem.rho(residual, scale).value, 0.0))

            optimiser = _optimiser()
            value, gradient = jax.value_and_grad(total)(point)
            step, after = optimiser.update(gradient, state, point, value=value, grad=gradient, value_fn=total)
            return point + step, after

        z = small_spd.coordinates(frame, lanes.theta - base)
        scale = jnp.where(lanes.scale > 0, lanes.scale, 1.0)
        moved, inner = jax.vmap(search)(base, frame, z, data.weight, data.shift, scale, inner)
        trial = base + jnp.einsum("bij,bj->bi", frame, moved) * active
        promise = jnp.abs(jnp.sum((trial - lanes.theta) * lanes.here.gradient, axis=1))
        memory = Memory(base, frame, lanes.scale, trial, inner)
        return Proposal(trial, promise, promise, jnp.ones_like(promise), memory)


def _optimiser() -> Tree:
    """Return optax's L-BFGS, whose import takes a sixth of a second that fits by other methods save."""
    import optax

    return optax.lbfgs()
