"""Questions to a lane's objective: its first derivatives, and Lagrange multipliers of coefs that are not minimised.

Every lane's rows are seen by the program of `views_of`, which the fit has, and summed on the host.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from jaxscale.engine.compiling import Clock
from jaxscale.engine.data import chunks
from jaxscale.engine.job import Job, draws
from jaxscale.fitting.optimum import jacobian_at, views_of, views_of_lanes
from jaxscale.numerics.hosted import rho_of
from jaxscale.numerics.rho import Rho

WIDTH = 128
"""Most lanes that are summed together."""
MOST_ROWS = 1 << 20
"""Rows times lanes that are summed together, in longer tables: each takes as many numbers as there are coefs, often."""
SPANNED = 1e-12
"""What is left of a column, relative to it, below which the columns before it span it."""


class Multipliers(NamedTuple):
    """Per lane, NumPy: value (B,), the objective; gradient, effect, multiplier, total, apart (B, p), in theta.

    effect: squared effect on the predictions, in the metric.   multiplier: the gradient at fixed predictions of what
    the coefs that are minimised could do instead, Lagrange's multiplier of a coef that is held.   total: the sum of
    the gradient's absolute terms.   apart: the share of a coef's column that those of the minimised ones do not span.
    """

    value: np.ndarray
    gradient: np.ndarray
    effect: np.ndarray
    multiplier: np.ndarray
    total: np.ndarray
    apart: np.ndarray


def multipliers_of(
    job: Job, minimised: np.ndarray, replicate: np.ndarray, theta: np.ndarray, clock: Clock
) -> Multipliers:
    """Return the multipliers (k, …) on lanes at theta (k, p).

    minimised: (p,) bool, the coefs that are not held.   replicate: (k,) indices, -1 for the table as it is.

    A multiplier is summed over what is left of a column beside those of the minimised coordinates, not over the column:
    their own gradients are zero, so the sum is the same, and it keeps its sign where hardly anything is left.
    """
    parts = [
        Multipliers(lanes.total, *_summed(lanes.psi, lanes.bound, lanes.weight, lanes.jacobian, minimised))
        for lanes in _lanes(job, replicate, theta, clock)
    ]
    return Multipliers(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def lane_values(job: Job, replicate: np.ndarray, theta: np.ndarray, clock: Clock) -> np.ndarray:
    """Return the objective (k,) of lanes at theta (k, p); replicate: (k,) indices, -1 for the table as it is."""
    return np.concatenate([np.empty(0), *(lanes.total for lanes in _lanes(job, replicate, theta, clock))])


def values_at_points(job: Job, replicate: np.ndarray, points: np.ndarray, clock: Clock) -> np.ndarray:
    """Return the objective (k, K) of each of the replicates (k,) at each of some points (K, p)."""
    draw = draws(job, replicate, clock)
    views = views_of(job, job.batch, points, 1.0, clock)
    residual = np.concatenate([np.asarray(some.residual) for some in views])
    shift = np.zeros((len(draw.weight), 1)) if draw.shift is None else draw.shift
    pairs = zip(draw.weight, shift, strict=True)
    return np.stack([_total(_rho(job, weight, residual - own), weight) for weight, own in pairs])


def jacobians_of(job: Job, replicate: np.ndarray, theta: np.ndarray, clock: Clock) -> Iterator[np.ndarray]:
    """Yield d residual / d theta (k, n, p) of some lanes after the others, times the roots of their rows' weights."""
    for lanes in _lanes(job, replicate, theta, clock):
        root = np.sqrt(lanes.weight)[:, :, None]
        yield np.where(root > 0, root * lanes.jacobian, 0.0)


class Summands(NamedTuple):
    """Per lane and row of the bucket: psi, rho's weight and the row's weight (k, n), the jacobian (k, n, p); the
    objective is total (k,).
    """

    psi: np.ndarray
    bound: np.ndarray
    total: np.ndarray
    weight: np.ndarray
    jacobian: np.ndarray


def _lanes(job: Job, replicate: np.ndarray, theta: np.ndarray, clock: Clock) -> Iterator[Summands]:
    """Yield some of the lanes (k,) after the other."""
    scale = float(job.tolerances.min_scale)
    for part in chunks(len(theta), max(1, min(WIDTH, MOST_ROWS // len(job.batch.target)))):
        draw = draws(job, replicate[part], clock)
        views = views_of_lanes(job, theta[part], draw.shift, scale, clock)
        rho = _rho(job, draw.weight, np.asarray(views.residual)) if job.tolerances.relative_scale else views.rho
        total = _total(rho, draw.weight)
        yield Summands(np.asarray(rho.psi), np.asarray(rho.weight), total, draw.weight, np.asarray(views.jacobian))


def _rho(job: Job, weight: np.ndarray, residual: np.ndarray) -> Rho:
    """Return rho (…, n) of residuals (…, n) of lanes of weight (…, n), at their own last scales."""
    least, relative = (float(one) for one in job.tolerances[:2])
    with np.errstate(all="ignore"):
        spread = np.sum(np.where(weight > 0, weight * np.abs(residual), 0.0), axis=-1) / np.sum(weight, axis=-1)
    scale = np.maximum(least, relative * spread) if relative else np.full_like(spread, least)
    return rho_of(job.problem.rho, residual, scale[..., None])


def _total(rho: Rho, weight: np.ndarray) -> np.ndarray:
    """Return the objective (…,)."""
    with np.errstate(all="ignore"):
        total: np.ndarray = np.sum(np.where(weight > 0, weight * np.asarray(rho.value), 0.0), axis=-1)
    return total


def _summed(
    psi: np.ndarray, bound: np.ndarray, weight: np.ndarray, jacobian: np.ndarray, minimised: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Return gradient, effect, multiplier, total and apart (k, p) of psi, rho's weight and weight (k, n), and jacobian
    (k, n, p).
    """
    is_real = weight > 0
    with np.errstate(all="ignore"):
        force, bound = (np.where(is_real, weight * part, 0.0) for part in (psi, bound))
        slope = np.where(is_real[:, :, None], jacobian, 0.0)
        root = np.sqrt(bound)[:, :, None]
        length = np.sqrt(np.sum((root * slope) ** 2, axis=1))
        left = _left_of(root * slope / np.where(length > 0, length, 1.0)[:, None, :], minimised)
        rest = np.where(root > 0, left / np.where(root > 0, root, 1.0), 0.0) * length[:, None, :]
        apart = np.sqrt(np.sum(left * left, axis=1))
        gradient, multiplier, total = (
            np.einsum("kn,knp->kp", one, other)
            for one, other in ((force, slope), (force, rest), (np.abs(force), np.abs(slope)))
        )
    return gradient, length**2, multiplier, total, apart


def _left_of(columns: np.ndarray, minimised: np.ndarray) -> np.ndarray:
    """Return what the columns (k, n, p), of length one or zero, have beside those of the minimised (p,), in order.

    By Gram and Schmidt, each twice, since once leaves a rounding error of the size of what is taken away. A column that
    those before it span counts for nothing, as does one that is not minimised.
    """
    frame = np.zeros_like(columns)
    for at in np.flatnonzero(minimised):
        left = _beside(columns[:, :, [at]], frame)
        length = np.sqrt(np.sum(left * left, axis=1, keepdims=True))
        frame[:, :, [at]] = np.where(length > SPANNED, left / np.where(length > 0, length, 1.0), 0.0)
    return _beside(columns, frame)


def _beside(columns: np.ndarray, frame: np.ndarray) -> np.ndarray:
    """Return the columns (k, n, q) without what orthonormal ones (k, n, p) span of them."""
    for _ in range(2):
        columns = columns - frame @ (frame.transpose(0, 2, 1) @ columns)
    return columns


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

    def values(self, job: Job, points: np.ndarray, clock: Clock) -> np.ndarray:
        """Return the objective (k,) of this lane's table at points (k, p), inf where there is none."""
        value = lane_values(job, np.full(len(points), self.replicate), points, clock)
        found: np.ndarray = np.where(np.isfinite(value), value, np.inf)
        return found

    def multipliers(self, job: Job, points: np.ndarray, minimised: np.ndarray, clock: Clock) -> Multipliers:
        """Return the multipliers (k, …) on this lane's table at points (k, p)."""
        return multipliers_of(job, minimised, np.full(len(points), self.replicate), points, clock)

    def jacobian(self, job: Job, theta: np.ndarray, clock: Clock) -> np.ndarray:
        """Return d residual / d theta (m, p) of the lane's own rows, times the roots of their weights."""
        return jacobian_at(job, replace(job.batch, weight=self.weight), theta, clock)


def free_of(job: Job, held: Container[int] = ()) -> np.ndarray:
    """Return which coefs (p,) are minimised where those at these places are held."""
    return np.array([active > 0 and at not in held for at, active in enumerate(job.active)])
