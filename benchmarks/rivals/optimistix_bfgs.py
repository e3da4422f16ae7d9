"""optimistix.BFGS under vmap: the strongest general minimiser to be had for JAX."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import optimistix as optx

from benchmarks.rivals.batches import objective, solve_in_batches
from benchmarks.rivals.frame import TOLERANCE, Frame
from benchmarks.rivals.spec import Outcome, Rival, Study

MAX_STEPS = 256  # optimistix's default; 27 was the slowest of 200 replicates of the 240-row Chinchilla table


def solve(study: Study) -> Outcome:
    """Fit the replicates batch by batch; one that optimistix does not call successful counts as failed."""
    return solve_in_batches(program, study)


@jax.jit
def program(frame: Frame, weights: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Return z (B, 5), value (B,) and success (B,) of optimistix BFGS with its own line search, for weights (B, n)."""
    solver: optx.BFGS = optx.BFGS(rtol=TOLERANCE, atol=TOLERANCE)

    def one(weight: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        def score(z: jax.Array, _: None) -> jax.Array:
            return objective(z, frame, weight)

        found: optx.Solution = optx.minimise(
            score, solver, jnp.zeros_like(frame.start), max_steps=MAX_STEPS, throw=False
        )
        return found.value, score(found.value, None), jnp.asarray(found.result == optx.RESULTS.successful)

    return jax.vmap(one)(weights)


RIVAL = Rival("optimistix-bfgs", "optimistix BFGS under vmap, whitened, from the point fit", "batched", solve)
