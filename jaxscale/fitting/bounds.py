"""Coefs at the edge of their support: which they are in a lane that ended at a bound, and where the edge is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxscale.engine.batches import chunks, fill
from jaxscale.engine.border import upload
from jaxscale.engine.compiling import Clock, run
from jaxscale.engine.crowd import Job, table_of
from jaxscale.laws import Law
from jaxscale.resampling import Scheme, draw_replicate, key_of, key_words
from jaxscale.solvers.loop import INSENSITIVE
from jaxscale.solvers.problem import Problem, Row, Tree

WIDTH = 128
"""Lanes per program call."""
DOUBT = 1e-6
"""Share of the sum of a gradient's absolute terms that a minimiser leaves and that says nothing about a direction."""


class Pull(NamedTuple):
    """Per lane: the objective (B,), its gradient (B, p), how much of that may be rounding, and the squared effects."""

    value: jax.Array | np.ndarray
    gradient: jax.Array | np.ndarray
    doubt: jax.Array | np.ndarray
    effect: jax.Array | np.ndarray


def edges_of(law: Law, job: Job, replicate: np.ndarray, theta: np.ndarray, clock: Clock) -> np.ndarray:
    """Return the edge at which each coef lies (k, p) in lanes that ended at a bound, NaN for coefs inside.

    replicate: (k,) indices, -1 for the table as it is.   theta: (k, p).   A coef is at an edge where it no longer
    changes any prediction, and the edge is the one towards which the objective falls. How far a lane happened to walk
    is of no importance: the coef is at zero, not at 1e-14.
    """
    can = law.edged & (job.active > 0)
    low, high = (np.array([getattr(support, end) for support in law.supports]) for end in ("low", "high"))
    pull = pulls_of(job, replicate, theta, clock)
    effect = np.where(can, pull.effect, np.inf)
    # the least of them is at its edge even where rounding, another here than in the loop, says otherwise
    is_inert = effect <= np.maximum(INSENSITIVE * pull.value[:, None], effect.min(axis=1, keepdims=True))
    is_low = np.where(pull.gradient == 0.0, theta < 0.0, pull.gradient > 0.0)
    edges: np.ndarray = np.where(is_inert & can, np.where(is_low, low, high), np.nan)
    return edges


def inside(law: Law, coefs: Mapping[str, float], points: np.ndarray) -> np.ndarray:
    """Return coefs as a point (p,) on the real line from which a lane can start: those at an edge amid the grid.

    points: (S, p), the grid of starts. Near the edge a step would hardly lead away from it.
    """
    theta = np.median(points, axis=0)
    for at, (name, support) in enumerate(zip(law.names, law.supports, strict=True)):
        if support.contains(coefs[name]):
            theta[at] = support.to_real(np.asarray(coefs[name]))
    return theta


def pulls_of(job: Job, replicate: np.ndarray, theta: np.ndarray, clock: Clock) -> Pull:
    """Return the pull (k, …), NumPy, on lanes at theta (k, p); replicate: (k,) indices, -1 for the table as it is."""
    batch, parts = job.batch, []
    for part in chunks(len(theta), WIDTH):
        lanes = (fill(replicate[part].astype(np.int32), WIDTH), fill(theta[part], WIDTH))
        goal = (job.goal.least, job.goal.relative, np.float64(batch.noise))
        argument = upload(((batch.columns, batch.target), table_of(batch), key_words(job.seed), lanes, goal))
        found = run(clock, pulls, (job.problem, job.scheme), argument)
        parts.append([array[: part.stop - part.start] for array in found])
    return Pull(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def pulls(problem: Problem, scheme: Scheme, argument: Tree) -> Pull:
    """Return the pull of the objective on every coordinate, on the device, without second derivatives.

    argument: rows, the table, the key's two words, the lanes' replicates (B,) and theta (B, p), least and relative
    scale, and the miss that rounding alone produces.
    """
    rows, table, words, (replicate, theta), (least, relative, noise) = argument

    def miss(point: jax.Array, row: Row) -> jax.Array:
        return problem.residual(tuple(point), row)

    def one(index: jax.Array, point: jax.Array) -> Pull:
        mass = jnp.where(index < 0, table.weight, draw_replicate(scheme, key_of(words), table, index))
        residual = jax.vmap(miss, in_axes=(None, 0))(point, rows)
        slope = jax.vmap(jax.grad(miss), in_axes=(None, 0))(point, rows)
        is_real = mass > 0
        spread = jnp.sum(jnp.where(is_real, mass * jnp.abs(residual), 0.0)) / jnp.sum(mass)
        scale = jnp.maximum(least, relative * spread)
        score = problem.rho(residual, scale)
        doubt = DOUBT * jnp.abs(score.slope) + problem.rho(jnp.full_like(residual, noise), scale).slope
        first, bound = (jnp.where(is_real, mass * part, 0.0) for part in (score.slope, score.majoriser))
        slope = jnp.where(is_real[:, None], slope, 0.0)
        value = jnp.sum(jnp.where(is_real, mass * score.value, 0.0))
        return Pull(value, first @ slope, (mass * doubt) @ jnp.abs(slope), bound @ (slope * slope))

    return jax.vmap(one)(replicate, theta)
