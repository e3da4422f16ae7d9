"""First derivatives of a lane's objective, and Lagrange multipliers of the coefs that are not minimised."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxscale.engine.batches import chunks, fill
from jaxscale.engine.compiling import Clock, run
from jaxscale.engine.scheduler import Job, table_of
from jaxscale.engine.transfer import upload
from jaxscale.resampling import Scheme, draw_replicate, key_of, key_words
from jaxscale.solvers.problem import Problem, Row, Tree

WIDTH = 128
"""Lanes per program call."""
SPANNED = 1e-12
"""What is left of a column, relative to it, below which the columns before it span it."""


class Multipliers(NamedTuple):
    """Per lane: value (B,), the objective; gradient, effect, multiplier, total, apart (B, p), in theta.

    effect: squared effect on the predictions, in the metric.   multiplier: the gradient at fixed predictions of what
    the coefs that are minimised could do instead, Lagrange's multiplier of a coef that is held.   total: the sum of
    the gradient's absolute terms.   apart: the share of a coef's column that those of the minimised ones do not span.
    """

    value: jax.Array | np.ndarray
    gradient: jax.Array | np.ndarray
    effect: jax.Array | np.ndarray
    multiplier: jax.Array | np.ndarray
    total: jax.Array | np.ndarray
    apart: jax.Array | np.ndarray


def multipliers_of(
    job: Job, minimised: np.ndarray, replicate: np.ndarray, theta: np.ndarray, clock: Clock
) -> Multipliers:
    """Return the multipliers (k, …), NumPy, on lanes at theta (k, p).

    minimised: (p,) bool, the coefs that are not held.   replicate: (k,) indices, -1 for the table as it is.
    """
    parts = []
    for part in chunks(len(theta), WIDTH):
        found, _ = _run(job, minimised, replicate[part], theta[part], clock)
        parts.append([array[: part.stop - part.start] for array in found])
    return Multipliers(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def weight_of_lane(job: Job, replicate: int, theta: np.ndarray, clock: Clock) -> np.ndarray:
    """Return the weights (bucket,) of one lane's own table, by the program of the multipliers; theta: (p,)."""
    weight: np.ndarray = _run(job, np.zeros(len(theta), bool), np.array([replicate]), theta[None], clock)[1][0]
    return weight


def _run(
    job: Job, minimised: np.ndarray, replicate: np.ndarray, theta: np.ndarray, clock: Clock
) -> tuple[Multipliers, np.ndarray]:
    batch = job.batch
    lanes = (fill(replicate.astype(np.int32), WIDTH), fill(theta, WIDTH))
    scales, rows = (job.tolerances.min_scale, job.tolerances.relative_scale), (batch.columns, batch.target)
    argument = upload((rows, table_of(batch), key_words(job.seed), lanes, scales, minimised.astype(np.float64)))
    found: tuple[Multipliers, np.ndarray] = run(clock, multipliers, (job.problem, job.scheme), argument)
    return found


def multipliers(problem: Problem, scheme: Scheme, argument: Tree) -> tuple[Multipliers, jax.Array]:
    """Return the first derivatives in every coordinate, and each lane's weights (B, n), on the device.

    argument: rows, the table, the key's two words, the lanes' replicates (B,) and theta (B, p), least and relative
    scale, and which coordinates (p,) are minimised.

    A multiplier is summed over what is left of a column beside those of the minimised coordinates, not over the column:
    their own gradients are zero, so the sum is the same, and it keeps its sign where hardly anything is left.
    """
    rows, table, words, (replicate, theta), (least, relative), minimised = argument

    def residual_at(point: jax.Array, row: Row) -> jax.Array:
        return problem.residual(tuple(point), row)

    def one(index: jax.Array, point: jax.Array) -> tuple[Multipliers, jax.Array]:
        mass = jnp.where(index < 0, table.weight, draw_replicate(scheme, key_of(words), table, index))
        residual = jax.vmap(residual_at, in_axes=(None, 0))(point, rows)
        slope = jax.vmap(jax.grad(residual_at), in_axes=(None, 0))(point, rows)
        is_real = mass > 0
        spread = jnp.sum(jnp.where(is_real, mass * jnp.abs(residual), 0.0)) / jnp.sum(mass)
        rho = problem.rho(residual, jnp.maximum(least, relative * spread))
        force, bound = (jnp.where(is_real, mass * part, 0.0) for part in (rho.psi, rho.weight))
        slope = jnp.where(is_real[:, None], slope, 0.0)
        root = jnp.sqrt(bound)[:, None]
        length = jnp.sqrt(jnp.sum((root * slope) ** 2, axis=0))
        unit = root * slope / jnp.where(length > 0, length, 1.0)
        left = _left_of(unit, minimised)
        rest = jnp.where(root > 0, left / jnp.where(root > 0, root, 1.0), 0.0) * length
        value = jnp.sum(jnp.where(is_real, mass * rho.value, 0.0))
        apart = jnp.sqrt(jnp.sum(left * left, axis=0))
        return Multipliers(value, force @ slope, length**2, force @ rest, jnp.abs(force) @ jnp.abs(slope), apart), mass

    return jax.vmap(one)(replicate, theta)


def _left_of(columns: jax.Array, minimised: jax.Array) -> jax.Array:
    """Return what the columns (n, p), of length one or zero, have beside those of the minimised (p,), taken in order.

    By Gram and Schmidt, each twice, since once leaves a rounding error of the size of what is taken away. A column that
    those before it span counts for nothing, as does one that is not minimised.
    """
    frame = jnp.zeros_like(columns)
    for at in range(columns.shape[1]):
        left = columns[:, at] * minimised[at]
        for _ in range(2):
            left = left - frame @ (frame.T @ left)
        length = jnp.sqrt(jnp.sum(left * left))
        frame = frame.at[:, at].set(jnp.where(length > SPANNED, left / jnp.where(length > 0, length, 1.0), 0.0))
    first = columns - frame @ (frame.T @ columns)
    return first - frame @ (frame.T @ first)
