"""What a plan for a budget gains and loses by uncertain coefs: the best size, its derivatives, and the regret.

At a budget C the loss of ln N = u is L(u) along C = k N D. A plan at u' where u is best costs L'' (u' - u)²/2 to second
order, for any law that trades params for tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxscale.allocation.allocate import optima
from jaxscale.allocation.split import Split
from jaxscale.costs.training import fixed_inputs
from jaxscale.designing.posterior import named_coefs
from jaxscale.laws import Law
from jaxscale.numerics.hosted import extended, hosted

SETS = 64
"""Thetas in one batch."""


class Optima(NamedTuple):
    """The best sizes of S thetas on b budgets.

    log_params: (S, b).   bend: L'' along the budget, (S, b), in nats.   per_flops: -dL/d ln C at the optimum, (S, b).
    slope: d ln N / d theta, (S, b, p), zero where there is no interior optimum.   loss: (S, b).
    """

    log_params: np.ndarray
    bend: np.ndarray
    per_flops: np.ndarray
    slope: np.ndarray
    loss: np.ndarray


def best_sizes(law: Law, thetas: np.ndarray, flops: np.ndarray, fixed: Mapping[str, float]) -> Optima:
    """Return the best sizes of thetas (S, p) on budgets (b,)."""
    beside = np.array([fixed[name] for name in fixed_inputs(law)])
    some = extended(thetas, -(-len(thetas) // SETS) * SETS).reshape(-1, SETS, thetas.shape[1])
    found = [hosted(_optima(law), part, np.asarray(flops, np.float64), beside) for part in some]
    return Optima(*(np.concatenate(parts)[: len(thetas)] for parts in zip(*found, strict=True)))


def best_plan(optima: Optima) -> np.ndarray:
    """Return ln N (b,) of least expected regret: the mean of the optima, weighted by the bend."""
    bend = np.maximum(optima.bend, 0.0)
    total = bend.sum(axis=0)
    plain = optima.log_params.mean(axis=0)
    return np.where(total > 0, np.sum(bend * optima.log_params, axis=0) / np.where(total > 0, total, 1.0), plain)


@lru_cache(maxsize=64)
def _optima(law: Law) -> Callable[..., Optima]:
    """Return (thetas (S, p), budgets (b,), fixed (h,)) → Optima."""

    def one(theta: jax.Array, flops: jax.Array, fixed: jax.Array) -> Optima:
        coefs = jnp.stack(list(named_coefs(law, theta).values()))
        found = optima(law, (coefs[None], flops[None], fixed))
        log_params, is_inside = found.log_params[0, 0], found.is_interior[0, 0]

        def loss(u: jax.Array, log_flops: jax.Array, theta: jax.Array) -> jax.Array:
            split = Split.of(law, log_flops, tuple(named_coefs(law, theta).values()), tuple(fixed))
            return split.loss(law, u)

        slope = jax.grad(loss)
        at = (log_params, jnp.log(flops), theta)
        bend = jnp.where(is_inside, jax.grad(slope)(*at), 0.0)
        across = jax.grad(slope, argnums=2)(*at)
        steady = jnp.where(bend > 0, -across / jnp.where(bend > 0, bend, 1.0), 0.0)
        return Optima(log_params, bend, -jax.grad(loss, argnums=1)(*at), steady, loss(*at))  # type: ignore[arg-type]

    return jax.vmap(jax.vmap(one, (None, 0, None)), (0, None, None))
