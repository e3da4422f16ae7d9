"""The objective in JAX and the way through all replicates that the batched contestants share."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.rivals.frame import Frame, theta_of
from benchmarks.rivals.spec import DELTA, Outcome, Study
from jaxscale.precision import float64

Program = Callable[[Frame, jax.Array], tuple[jax.Array, jax.Array, jax.Array]]


def objective(z: jax.Array, frame: Frame, weight: jax.Array) -> jax.Array:
    """Return the weighted Huber sum of the log residuals at z (5,), for weight (n,)."""
    a0, b0, e, alpha, beta = frame.start + frame.factor @ z
    terms = jnp.exp(a0 - alpha * frame.log_params) + jnp.exp(b0 - beta * frame.log_tokens) + jnp.exp(e)
    residual = jnp.log(terms) - frame.log_loss
    psi = jnp.clip(residual, -DELTA, DELTA)
    return jnp.sum(weight * psi * (residual - 0.5 * psi))


def solve_in_batches(program: Program, study: Study, frame: Frame) -> Outcome:
    """Run a jitted program over all replicates, `study.lanes` at a time, in float64.

    program: from a frame and weights (B, n) to z (B, 5), value (B,) and success (B,). All batches are dispatched before
    the first is awaited. The last one is filled up with its final replicate, so that one shape is compiled.
    """
    size = min(study.lanes, study.replicates)
    missing = -study.replicates % size
    weights = np.concatenate([study.weights, np.repeat(study.weights[-1:], missing, axis=0)])
    with float64():
        on_device = jax.device_put(frame)
        answers = [program(on_device, jnp.asarray(part)) for part in np.split(weights, len(weights) // size)]
        z, value, success = (np.concatenate(parts)[: study.replicates] for parts in zip(*answers, strict=True))
    return Outcome(theta=theta_of(frame, z), value=value, failed=int(np.count_nonzero(~success)))
