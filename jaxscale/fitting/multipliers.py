"""Questions to a lane's objective: its first derivatives, and Lagrange multipliers of coefs that are not minimised."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxscale.engine.compiling import Clock, run
from jaxscale.engine.data import chunks, fill, upload
from jaxscale.engine.job import Job, draws
from jaxscale.fitting.optimum import jacobian_at
from jaxscale.laws import Law
from jaxscale.solvers.problem import Data, Problem, Row, Tree

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
        found = _run(job, minimised, replicate[part], theta[part], clock)
        parts.append([array[: part.stop - part.start] for array in found])
    return Multipliers(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def _run(job: Job, minimised: np.ndarray, replicate: np.ndarray, theta: np.ndarray, clock: Clock) -> Multipliers:
    draw = jax.tree.map(lambda part: fill(part, WIDTH), draws(job, replicate, clock))
    data = Data((job.batch.columns, job.batch.target), *draw)
    scales = (job.tolerances.min_scale, job.tolerances.relative_scale)
    argument = upload((data, fill(theta, WIDTH), scales, minimised.astype(np.float64)))
    found: Multipliers = run(clock, multipliers, (job.problem,), argument)
    return found


def multipliers(problem: Problem, argument: Tree) -> Multipliers:
    """Return the first derivatives in every coordinate, on the device.

    argument: Data; the lanes' theta (B, p); least and relative scale; which coordinates (p,) are minimised.

    A multiplier is summed over what is left of a column beside those of the minimised coordinates, not over the column:
    their own gradients are zero, so the sum is the same, and it keeps its sign where hardly anything is left.
    """
    data, theta, (least, relative), minimised = argument
    seen = None if data.shift is None else 0

    def residual_at(point: jax.Array, row: Row) -> jax.Array:
        return problem.residual(tuple(point), row)

    def one(weight: jax.Array, shift: jax.Array | None, point: jax.Array) -> Multipliers:
        residual = jax.vmap(residual_at, in_axes=(None, 0))(point, data.rows)
        residual = residual if shift is None else residual - shift
        jacobian = jax.vmap(jax.grad(residual_at), in_axes=(None, 0))(point, data.rows)
        is_real = weight > 0
        spread = jnp.sum(jnp.where(is_real, weight * jnp.abs(residual), 0.0)) / jnp.sum(weight)
        rho = problem.rho(residual, jnp.maximum(least, relative * spread))
        psi, bound = (jnp.where(is_real, weight * part, 0.0) for part in (rho.psi, rho.weight))
        jacobian = jnp.where(is_real[:, None], jacobian, 0.0)
        root = jnp.sqrt(bound)[:, None]
        length = jnp.sqrt(jnp.sum((root * jacobian) ** 2, axis=0))
        unit = root * jacobian / jnp.where(length > 0, length, 1.0)
        left = _left_of(unit, minimised)
        rest = jnp.where(root > 0, left / jnp.where(root > 0, root, 1.0), 0.0) * length
        value = jnp.sum(jnp.where(is_real, weight * rho.value, 0.0))
        apart = jnp.sqrt(jnp.sum(left * left, axis=0))
        return Multipliers(value, psi @ jacobian, length**2, psi @ rest, jnp.abs(psi) @ jnp.abs(jacobian), apart)

    return jax.vmap(one, in_axes=(0, seen, 0))(data.weight, data.shift, theta)


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


@dataclass(frozen=True)
class Place:
    """A lane to look around from: theta (p,), its replicate, -1 for the table as it is, and its objective there.

    weight: (bucket,) of the lane's own table.   middle: (p,) theta amid the grid of starts.
    """

    theta: np.ndarray
    replicate: int
    value: float
    weight: np.ndarray
    middle: np.ndarray

    def values(self, law: Law, job: Job, points: np.ndarray, clock: Clock) -> np.ndarray:
        """Return the objective (k,) of this lane's table at points (k, p), inf where there is none."""
        value = self.multipliers(law, job, points, np.full(len(law.names), False), clock).value
        found: np.ndarray = np.where(np.isfinite(value), value, np.inf)
        return found

    def multipliers(self, law: Law, job: Job, points: np.ndarray, minimised: np.ndarray, clock: Clock) -> Multipliers:
        """Return the multipliers (k, …) on this lane's table at points (k, p)."""
        return multipliers_of(job, minimised, np.full(len(points), self.replicate), points, clock)

    def jacobian(self, job: Job, theta: np.ndarray, clock: Clock) -> np.ndarray:
        """Return d residual / d theta (m, p) of the lane's own rows, times the roots of their weights."""
        return jacobian_at(job, replace(job.batch, weight=self.weight), theta, clock)


def free_of(job: Job, held: Container[int] = ()) -> np.ndarray:
    """Return which coefs (p,) are minimised where those at these places are held."""
    return np.array([active > 0 and at not in held for at, active in enumerate(job.active)])
