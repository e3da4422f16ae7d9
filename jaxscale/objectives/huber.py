"""Huber's rho: a parabola for small residuals, a straight line for large ones."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxscale.numerics.rho import Rho
from jaxscale.objectives.spec import Objective, Space, check_delta

KINK = 1e-9
"""A residual this close to the threshold, relative to it, counts as beyond: whether a minimum on a kink is strict must
not depend on rounding."""


def huber(delta: float = 1e-3, *, space: Space = "log") -> Objective:
    """Return the sum of r²/2 for |r| ≤ delta and delta (|r| - delta/2) beyond.

    Parameters
    ----------
    delta
        The threshold, in the units of r: in log space a relative error. Hoffmann et al. 2022 use 1e-3, which makes
        nearly every row count by its absolute residual.
    space
        Where residuals are taken: `log`, ln prediction - ln loss, or `linear`, prediction - loss.

    Returns
    -------
    Objective
        With the name `huber`.

    Raises
    ------
    UsageError
        For a delta that is not positive and finite, or another space.

    References
    ----------
    Huber 1964.

    Examples
    --------
    >>> js.huber(0.01).delta
    0.01
    """
    return Objective("huber", space, rho, check_delta(delta))


def rho(residual: jax.Array, scale: jax.Array) -> Rho:
    """Return Huber's rho and its derivatives, elementwise."""
    size = jnp.abs(residual)
    is_inside = size <= scale
    return Rho(
        value=jnp.where(is_inside, 0.5 * residual * residual, scale * (size - 0.5 * scale)),
        psi=jnp.clip(residual, -scale, scale),
        curvature=jnp.where(size <= (1.0 - KINK) * scale, jnp.ones_like(residual), 0.0),  # 1.0 would make it float64
        weight=jnp.where(is_inside, 1.0, scale / size),
    )
