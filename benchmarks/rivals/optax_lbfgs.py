"""optax.lbfgs under vmap: the first thing to reach for in JAX."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

from benchmarks.rivals.batches import objective, solve_in_batches
from benchmarks.rivals.frame import CENTRED_TOLERANCE, WHITENED_TOLERANCE, Frame, centred, published, whitened
from benchmarks.rivals.spec import Outcome, Rival, Study

MAX_STEPS = 200  # none of 2,000 replicates of the 240-row Chinchilla table needed more, in either frame


class Lane(NamedTuple):
    """One replicate on its way: z (5,), optax's state, the steps taken, and the largest gradient component."""

    z: jax.Array
    state: optax.OptState
    steps: jax.Array
    slope: jax.Array


def solve_published(study: Study) -> Outcome:
    """Fit all replicates in one batch as the public replication does each: plain logs, its one start."""
    return solve_in_batches(
        partial(program, CENTRED_TOLERANCE), replace(study, lanes=study.replicates), published(study)
    )


def solve_centred(study: Study) -> Outcome:
    """Fit all replicates in one batch on centred logs; one that ends above the gradient tolerance has failed."""
    return solve_batched(replace(study, lanes=study.replicates))


def solve_batched(study: Study) -> Outcome:
    """Do the same batch by batch."""
    return solve_in_batches(partial(program, CENTRED_TOLERANCE), study, centred(study))


def solve_whitened(study: Study) -> Outcome:
    """Do the same batch by batch in the whitened frame."""
    return solve_in_batches(partial(program, WHITENED_TOLERANCE), study, whitened(study))


@partial(jax.jit, static_argnames=("tolerance",))
def program(tolerance: float, frame: Frame, weights: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
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
            return (lane.steps < MAX_STEPS) & (lane.slope > tolerance)

        origin = jnp.zeros_like(frame.start)
        last = jax.lax.while_loop(moves, step, Lane(origin, solver.init(origin), jnp.array(0), jnp.array(jnp.inf)))
        return last.z, score(last.z), last.slope <= tolerance

    return jax.vmap(one)(weights)


PUBLISHED = Rival(
    "optax-lbfgs-published",
    "optax.lbfgs, one vmap over all replicates, plain logs and the one published start",
    "whole",
    solve_published,
)
CENTRED = Rival(
    "optax-lbfgs", "optax.lbfgs, centred logs, one vmap over all replicates, from the point fit", "whole", solve_centred
)
BATCHED = Rival("optax-lbfgs-batched", "the same in batches that fit the cache", "batched", solve_batched)
WHITENED = Rival(
    "optax-lbfgs-whitened", "the same in batches, whitened by the curvature at the point fit", "batched", solve_whitened
)
