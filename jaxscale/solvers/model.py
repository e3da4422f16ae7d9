"""A model of every row's miss around one point, for the first steps of lanes that all begin there.

A bootstrap starts its replicates at the point fit. Around it a quadratic in theta predicts each miss without the law's
exponentials, in float32, and well enough that only a few exact evaluations are left to make.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxscale.numerics.small_spd import pack_indices
from jaxscale.solvers.problem import Evaluation, Problem, Row, Tree, evaluate

ROUNDING = 1e-6
"""What float32 makes of a miss, relative to the mean miss."""
SEEN = 1e-7
"""Length of a coordinate's effect beyond those before it, relative to its own, below which it is none."""


class Model(NamedTuple):
    """Misses as quadratics in z, where theta = base + frame · z: miss + slope · z + z · bend · z / 2.

    miss (n,), slope p × (n,), bend p (p + 1) / 2 × (n,): float32.   base (p,), frame (p, p): float64; the metric at
    base is 1 in z for the whole table, so that float32 is enough for derivatives in z.   NumPy arrays, or the device's.
    """

    miss: Tree
    slope: tuple[Tree, ...]
    bend: tuple[Tree, ...]
    base: Tree
    frame: Tree

    def theta(self, z: Float[Array, "B p"]) -> Float[Array, "B p"]:
        """Return the points of coordinates z."""
        return self.base + z @ self.frame.T


def model_of(
    miss: np.ndarray, slope: np.ndarray, bend: np.ndarray, mass: np.ndarray, base: np.ndarray, least: float
) -> Model:
    """Return the model of derivatives in theta: miss, mass (n,), slope (n, p), bend (n, p (p + 1) / 2), base (p,).

    mass: what each row adds to the metric per squared slope.   least: squared length in the metric below which a
    coordinate changes nothing and keeps its own unit.   Rows that are not finite count for nothing: no lane may give
    them a weight.   NumPy in and out, for the host.
    """
    size = slope.shape[1]
    is_fine = np.isfinite(miss) & np.isfinite(slope).all(axis=1) & np.isfinite(bend).all(axis=1) & np.isfinite(mass)
    miss, slope, bend = (np.where(is_fine.reshape(-1, *[1] * (a.ndim - 1)), a, 0.0) for a in (miss, slope, bend))
    upper = np.linalg.qr(np.sqrt(np.where(is_fine, mass, 0.0))[:, None] * slope, mode="r")
    length = np.linalg.norm(upper, axis=0)
    is_seen = (np.abs(np.diagonal(upper)) > SEEN * length) & (length**2 > least)
    frame = np.linalg.inv(np.where(is_seen[:, None], upper, np.eye(size)))
    first, second = (list(side) for side in zip(*pack_indices(size), strict=True))
    full = np.empty((len(miss), size, size))
    full[:, first, second] = full[:, second, first] = bend
    turned = (frame.T @ full @ frame)[:, first, second]
    columns = [np.ascontiguousarray(column, np.float32) for column in (miss, *(slope @ frame).T, *turned.T)]
    return Model(columns[0], tuple(columns[1 : size + 1]), tuple(columns[size + 1 :]), base, frame)


def no_model(problem: Problem, rows: int) -> Model:
    """Return a model of the right shapes that says nothing, for lanes that begin apart."""
    size = problem.size
    packed = size * (size + 1) // 2
    nothing = np.zeros(rows)
    return model_of(nothing, np.zeros((rows, size)), np.zeros((rows, packed)), nothing, np.zeros(size), 0.0)


def predict(
    problem: Problem,
    model: Model,
    z: Float[Array, "B p"],
    weight: Float[Array, "B n"],
    scale: Float[Array, " B"],
    active: Float[Array, " p"],
) -> Evaluation:
    """Return what the model says of the objective at z, with its own derivatives in z: float64, good to float32."""
    z, scale, active = (array.astype(jnp.float32) for array in (z, scale, active))
    metric = jnp.broadcast_to(jnp.eye(problem.size, dtype=z.dtype), (*z.shape, problem.size))
    rows = (model.miss, model.slope, model.bend)
    there = evaluate(_quadratic(problem), rows, z, weight, scale, active, metric)
    return Evaluation(*(part.astype(jnp.float64) for part in there))


@lru_cache(maxsize=256)
def _quadratic(problem: Problem) -> Problem:
    """Return the problem whose misses are quadratics: one row is (miss, slope, bend)."""

    def residual(z: tuple[jax.Array, ...], row: Row) -> jax.Array:
        miss, slope, bend = row
        for j in range(problem.size):
            miss = miss + slope[j] * z[j]
        for at, (j, k) in enumerate(pack_indices(problem.size)):
            miss = miss + (0.5 if j == k else 1.0) * bend[at] * z[j] * z[k]
        return miss

    return Problem(residual, problem.rho, problem.size)
