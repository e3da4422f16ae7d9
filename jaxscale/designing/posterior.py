"""What the runs so far leave possible: coefs drawn from an approximate posterior, of any law, with several minima.

Each draw is the minimum for perturbed data and a perturbed prior mean, so that a draw follows the law where it is not
linear, and ends in whichever minimum explains its data best.   Source: Bardsley et al. 2014, SIAM J. Sci. Comput. 36,
randomize-then-optimize; Oliver et al. 1996, randomized maximum likelihood.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxscale.laws import Law
from jaxscale.laws.spec import Coef
from jaxscale.numerics.hosted import extended, hosted, shared_length
from jaxscale.numerics.supports import SUPPORTS

STEPS = 100
"""Steps of Levenberg and Marquardt at most."""
FLAT = 1e-8
"""Relative fall of the objective below which a lane has ended."""
SHRINK, GROW, FIRST, HEAVIEST = 0.25, 4.0, 1e-2, 1e10
"""Factors of the damping after a step that fell and one that rose; the first damping, and the one that ends a lane."""
LANES, LEAST_ROWS = 64, 16
"""Fits in one batch, and rows at least: shapes are padded, so that a law compiles for few of them."""
BASINS = 4
"""Different minima kept, those that explain the data best."""
UNLIKELY = 7.0
"""Difference of the objective, in nats of the posterior, beyond which a minimum is not kept."""
APART = 0.05
"""Distance between minima that count as two, in standard deviations of the prior."""
NOISE, NOISE_DOF = 0.005, 4.0
"""Standard deviation of ln loss before any data, and the degrees of freedom that it counts for."""
LEAST_SPREAD = 0.3
"""Least standard deviation of a coef of unknown value, on the real line."""


Walk: TypeAlias = tuple[jax.Array, jax.Array, jax.Array, jax.Array, jax.Array]
"""theta (p,), its value, the damping, whether it has ended, and the steps so far."""


class Prior(NamedTuple):
    """Independent normal distributions of theta.   mean, std: (p,), std > 0."""

    mean: np.ndarray
    std: np.ndarray


class Evidence(NamedTuple):
    """Runs, as far as a law sees them.

    columns: one (n, …) per input.   target: (n,), ln loss or loss.   scale: of the noise of each, (n,), relative.
    """

    columns: tuple[np.ndarray, ...]
    target: np.ndarray
    scale: np.ndarray


class Posterior(NamedTuple):
    """Draws of theta (S, p), the best minimum (p,), and the standard deviation of the target's noise."""

    draws: np.ndarray
    point: np.ndarray
    noise: float


def wide_prior(law: Law) -> Prior:
    """Return a prior with the middle of each coef's documented range and half its width, on the real line."""
    ends = np.array([_ends(coef) for coef in law.coefs])
    return Prior(ends.mean(axis=1), np.maximum(0.5 * (ends[:, 1] - ends[:, 0]), LEAST_SPREAD))


def posterior(
    law: Law,
    evidence: Evidence,
    prior: Prior,
    *,
    space: str = "log",
    noise: float | None = None,
    starts: np.ndarray | None = None,
    draws: int = 64,
    seed: int = 0,
) -> Posterior:
    """Return draws of theta given runs and a prior; of the prior alone where there are no runs.

    noise: standard deviation of the target, None for an estimate.   starts: (m, p), tried besides draws of the prior.
    draws: how many, none for the best minimum alone.
    """
    random = np.random.default_rng(seed)
    size = len(prior.mean)
    shifts = random.standard_normal((draws, size))
    if not len(evidence.target):
        return Posterior(prior.mean + prior.std * shifts, prior.mean, noise or NOISE)
    begun = prior.mean + 0.7 * prior.std * random.standard_normal((64, size))
    begun = begun if starts is None else np.concatenate([starts, begun])
    size_of_noise = noise or NOISE
    for _ in range(1 if noise is not None else 3):
        theta, value = fits(law, evidence, prior, space=space, noise=size_of_noise, starts=begun)
        kept = _basins(theta, value, prior)
        begun = theta[kept] if noise is None else begun
        if noise is None:
            size_of_noise = _noise(law, evidence, theta[kept[0]], space)
    minima = theta[kept]
    if not draws:
        return Posterior(minima[:0], minima[0], size_of_noise)
    moved = evidence.target + size_of_noise * evidence.scale * random.standard_normal((draws, len(evidence.target)))
    each = len(minima)
    found, value = fits(
        law,
        evidence._replace(target=np.repeat(moved, each, axis=0)),
        Prior(np.repeat(prior.mean + prior.std * shifts, each, axis=0), prior.std),
        space=space,
        noise=size_of_noise,
        starts=np.tile(minima, (draws, 1)),
    )
    best = np.argmin(value.reshape(draws, each), axis=1)
    return Posterior(found.reshape(draws, each, size)[np.arange(draws), best], minima[0], size_of_noise)


def fits(
    law: Law, evidence: Evidence, prior: Prior, *, space: str, noise: float, starts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return theta (B, p) and half the penalised sum of squares (B,) of fits from starts (B, p).

    evidence.target: (n,), or (B, n), one for each fit; prior.mean: (p,) or (B, p). Infinite where a fit failed.
    """
    lanes, rows = len(starts), len(evidence.columns[0])
    length, width = max(LEAST_ROWS, shared_length(rows)), LANES
    weight = np.pad(1.0 / (noise * evidence.scale), (0, length - rows))
    columns = tuple(extended(column, length) for column in evidence.columns)
    target = np.broadcast_to(evidence.target, (lanes, rows))
    target = extended(target, length, axis=1)
    mean = np.broadcast_to(prior.mean, starts.shape)
    found = []
    for first in range(0, lanes, width):
        some = [extended(part[first : first + width], width) for part in (starts, target, mean)]
        found.append(hosted(_descents(law, space), *some, 1.0 / prior.std, weight, columns))
    theta, value = (np.concatenate(parts)[:lanes] for parts in zip(*found, strict=True))
    return theta, np.where(np.isfinite(value), value, np.inf)


def predicted(law: Law, thetas: np.ndarray, columns: tuple[np.ndarray, ...], *, space: str) -> np.ndarray:
    """Return the target (S, n) that thetas (S, p) predict for runs."""
    return _evaluated(_values(law, space), thetas, columns)


def slopes(law: Law, thetas: np.ndarray, columns: tuple[np.ndarray, ...], *, space: str) -> np.ndarray:
    """Return d target / d theta (S, n, p) at thetas (S, p)."""
    return _evaluated(_jacobians(law, space), thetas, columns)


def named_coefs(law: Law, theta: tuple[jax.Array, ...] | Float[Array, " p"]) -> dict[str, jax.Array]:
    """Return theta (p,) as coefs by name, under a trace."""
    parts = zip(law.names, law.supports, theta, strict=True)
    return {name: support.from_real(value) for name, support, value in parts}


def _ends(coef: Coef) -> tuple[float, float]:
    low, high = SUPPORTS.resolve(coef.support).to_real(np.array(coef.range))
    return float(low), float(high)


def _basins(theta: np.ndarray, value: np.ndarray, prior: Prior) -> list[int]:
    """Return the places of the different minima, the best first."""
    kept: list[int] = []
    order = np.argsort(value, kind="stable")
    for place in order:
        if value[place] - value[order[0]] > UNLIKELY or len(kept) == BASINS:
            break
        away = np.abs(theta[kept] - theta[place]) / prior.std
        if not kept or away.max(axis=1).min() > APART:
            kept.append(int(place))
    return kept or [int(order[0])]


def _noise(law: Law, evidence: Evidence, theta: np.ndarray, space: str) -> float:
    """Return the standard deviation of residuals, with NOISE counting for NOISE_DOF degrees of freedom more."""
    residual = (predicted(law, theta[None], evidence.columns, space=space)[0] - evidence.target) / evidence.scale
    dof = max(len(residual) - len(theta), 0)
    return float(np.sqrt((NOISE_DOF * NOISE**2 + np.sum(residual**2)) / (NOISE_DOF + dof)))


def _evaluated(function: Callable[..., jax.Array], thetas: np.ndarray, columns: tuple[np.ndarray, ...]) -> np.ndarray:
    rows, sets = len(columns[0]), len(thetas)
    padded = tuple(extended(column, shared_length(rows)) for column in columns)
    return np.asarray(hosted(function, extended(thetas, shared_length(sets)), padded))[:sets, :rows]


@lru_cache(maxsize=64)
def _values(law: Law, space: str) -> Callable[..., jax.Array]:
    """Return (thetas (S, p), columns) → target (S, n)."""
    return jax.vmap(_model(law, space), (0, None))


@lru_cache(maxsize=64)
def _jacobians(law: Law, space: str) -> Callable[..., jax.Array]:
    """Return (thetas (S, p), columns) → d target / d theta (S, n, p)."""
    return jax.vmap(jax.jacfwd(_model(law, space)), (0, None))


@lru_cache(maxsize=64)
def _model(law: Law, space: str) -> Callable[[jax.Array, tuple[jax.Array, ...]], jax.Array]:
    """Return (theta (p,), columns) → target (n,)."""

    def model(theta: jax.Array, columns: tuple[jax.Array, ...]) -> jax.Array:
        coefs = named_coefs(law, theta)
        loss = jax.vmap(lambda *run: jnp.asarray(law.loss(*run, **coefs), theta.dtype))(*columns)
        return jnp.log(loss) if space == "log" else loss

    return model


@lru_cache(maxsize=64)
def _descents(law: Law, space: str) -> Callable[..., tuple[jax.Array, jax.Array]]:
    """Return (starts, target, mean, 1/std, 1/noise, columns) → (theta, value), lanes on the first three."""
    model = _model(law, space)

    def descent(
        start: jax.Array,
        target: jax.Array,
        mean: jax.Array,
        tightness: jax.Array,
        weight: jax.Array,
        columns: tuple[jax.Array, ...],
    ) -> tuple[jax.Array, jax.Array]:
        def residual(theta: jax.Array) -> jax.Array:
            data = jnp.where(weight > 0, weight * (model(theta, columns) - target), 0.0)
            return jnp.concatenate([data, tightness * (theta - mean)])

        def value_of(theta: jax.Array) -> jax.Array:
            value = 0.5 * jnp.sum(residual(theta) ** 2)
            return jnp.where(jnp.isfinite(value), value, jnp.inf)

        def is_moving(state: Walk) -> jax.Array:
            return ~state[3] & (state[4] < STEPS)

        def advance(state: Walk) -> Walk:
            theta, value, damping, _, steps = state
            here, jacobian = residual(theta), jax.jacfwd(residual)(theta)
            normal = jacobian.T @ jacobian
            matrix = normal + damping * jnp.diag(jnp.diagonal(normal))
            slope = jacobian.T @ here
            step = jnp.linalg.solve(matrix, slope)
            there = value_of(theta - step)
            falls = there < value
            # what the step promises, and not only what it brings: at a minimum rounding decides which way a value goes
            is_flat = (step @ slope <= FLAT * value) | (falls & (value - there <= FLAT * value))
            is_done = is_flat | (damping > HEAVIEST) | ~jnp.isfinite(value)
            theta = jnp.where(falls, theta - step, theta)
            damping = damping * jnp.where(falls, SHRINK, GROW)
            return theta, jnp.where(falls, there, value), damping, is_done, steps + 1

        first = jnp.asarray(FIRST, start.dtype)
        begun = (start, value_of(start), first, jnp.asarray(False), jnp.zeros((), jnp.int32))
        theta, value, *_ = jax.lax.while_loop(is_moving, advance, begun)
        return theta, value

    return jax.vmap(descent, (0, 0, 0, None, None, None))
