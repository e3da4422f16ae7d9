"""optax.lbfgs under vmap: the first thing to reach for in JAX."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

from benchmarks.rivals.batches import objective, solve_in_batches
from benchmarks.rivals.frame import TOLERANCE, Frame
from benchmarks.rivals.spec import Outcome, Rival, Study

MAX_STEPS = 50  # 20 was the slowest of 200 replicates of the 240-row Chinchilla table


class Lane(NamedTuple):
    """One replicate on its way: z (5,), optax's state, the steps taken, and the largest gradient component."""

    z: jax.Array
    state: optax.OptState
    steps: jax.Array
    slope: jax.Array


def solve(study: Study) -> Outcome:
    """Fit the replicates batch by batch; one that ends above the gradient tolerance counts as failed."""
    return solve_in_batches(program, study)


@jax.jit
def program(frame: Frame, weights: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Return z (B, 5), value (B,) and success (B,) of optax.lbfgs with its own line search, for weights (B, n)."""
    solver = optax.lbfgs()

    def one(weight: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        def score(z: jax.Array) -> jax.Array:
            return objective(z, frame, weight)

        value_and_grad = optax.value_and_grad_from_state(score)  # reuses what the line search has evaluated

        def step(lane: Lane) -> Lane:
            value, gradient = value_and_grad(lane.z, state=lane.state)
            move, state = solver.update(gradient, lane.state, lane.z, value=value, grad=gradient, value_fn=score)
            slope = jnp.max(jnp.abs(optax.tree.get(state, "grad")))
            return Lane(optax.apply_updates(lane.z, move), state, lane.steps + 1, slope)

        def moves(lane: Lane) -> jax.Array:
            return (lane.steps < MAX_STEPS) & (lane.slope > TOLERANCE)

        origin = jnp.zeros_like(frame.start)
        last = jax.lax.while_loop(moves, step, Lane(origin, solver.init(origin), jnp.array(0), jnp.array(jnp.inf)))
        return last.z, score(last.z), last.slope <= TOLERANCE

    return jax.vmap(one)(weights)


RIVAL = Rival("optax-lbfgs", "optax.lbfgs under vmap, whitened, from the point fit", "batched", solve)
