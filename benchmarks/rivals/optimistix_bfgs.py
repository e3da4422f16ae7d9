"""optimistix.BFGS under vmap: the strongest general minimiser to be had for JAX."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import optimistix as optx

from benchmarks.rivals.batches import objective, solve_in_batches
from benchmarks.rivals.frame import CENTRED_TOLERANCE, WHITENED_TOLERANCE, Frame, centred, published, whitened
from benchmarks.rivals.spec import Outcome, Rival, Study

MAX_STEPS = 256  # optimistix's default


def solve_published(study: Study) -> Outcome:
    """Fit all replicates in one batch as the public replication does each: plain logs, its one start."""
    return solve_in_batches(
        partial(program, CENTRED_TOLERANCE), replace(study, lanes=study.replicates), published(study)
    )


def solve_centred(study: Study) -> Outcome:
    """Fit all replicates in one batch on centred logs; one that optimistix does not call successful has failed."""
    return solve_batched(replace(study, lanes=study.replicates))


def solve_batched(study: Study) -> Outcome:
    """Do the same batch by batch."""
    return solve_in_batches(partial(program, CENTRED_TOLERANCE), study, centred(study))


def solve_whitened(study: Study) -> Outcome:
    """Do the same batch by batch in the whitened frame."""
    return solve_in_batches(partial(program, WHITENED_TOLERANCE), study, whitened(study))


@partial(jax.jit, static_argnames=("tolerance",))
def program(tolerance: float, frame: Frame, weights: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Return z (B, 5), value (B,) and success (B,) of optimistix BFGS with its own line search, for weights (B, n)."""
    solver: optx.BFGS = optx.BFGS(rtol=tolerance, atol=tolerance)

    def one(weight: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        def score(z: jax.Array, _: None) -> jax.Array:
            return objective(z, frame, weight)

        found: optx.Solution = optx.minimise(
            score, solver, jnp.zeros_like(frame.start), max_steps=MAX_STEPS, throw=False
        )
        return found.value, score(found.value, None), jnp.asarray(found.result == optx.RESULTS.successful)

    return jax.vmap(one)(weights)


PUBLISHED = Rival(
    "optimistix-bfgs-published",
    "optimistix BFGS, one vmap over all replicates, plain logs and the one published start",
    "whole",
    solve_published,
)
CENTRED = Rival(
    "optimistix-bfgs",
    "optimistix BFGS, centred logs, one vmap over all replicates, from the point fit",
    "whole",
    solve_centred,
)
BATCHED = Rival("optimistix-bfgs-batched", "the same in batches that fit the cache", "batched", solve_batched)
WHITENED = Rival(
    "optimistix-bfgs-whitened",
    "the same in batches, whitened by the curvature at the point fit",
    "batched",
    solve_whitened,
)
