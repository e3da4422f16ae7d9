"""The objectives that ship: Huber's rho, the square, and the absolute value as a limit of a smooth one."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from jaxscale.numerics.rho import Rho
from jaxscale.objectives.spec import Objective, Space, check_delta

KINK = 1e-9
"""A residual this close to the threshold, relative to it, counts as beyond: whether a minimum on a kink is strict must
not depend on rounding."""

LIMIT = 1e-6
"""Last scale in units of the mean absolute residual: rho is then within 1e-6 of |r|, relative to their mean."""
LEAST = 1e-14
"""Scale below which rounding of the residuals themselves shows, for tables without noise."""


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
    return Objective("huber", space, huber_rho, check_delta(delta))


def huber_rho(residual: jax.Array, scale: jax.Array) -> Rho:
    """Return Huber's rho and its derivatives, elementwise."""
    size = jnp.abs(residual)
    is_inside = size <= scale
    return Rho(
        value=jnp.where(is_inside, 0.5 * residual * residual, scale * (size - 0.5 * scale)),
        psi=jnp.clip(residual, -scale, scale),
        curvature=jnp.where(size <= (1.0 - KINK) * scale, jnp.ones_like(residual), 0.0),  # 1.0 would make it float64
        weight=jnp.where(is_inside, 1.0, scale / size),
    )


def squared(*, space: Space = "log") -> Objective:
    """Return the sum of r², the residual sum of squares.

    Parameters
    ----------
    space
        Where residuals are taken: `log`, ln prediction - ln loss, or `linear`, prediction - loss.

    Returns
    -------
    Objective
        With the name `squared`.

    Raises
    ------
    UsageError
        For a space that is neither.

    Examples
    --------
    >>> js.squared(space="linear").name
    'squared'
    """
    return Objective("squared", space, squared_rho, math.inf)


def squared_rho(residual: jax.Array, scale: jax.Array) -> Rho:
    """Return r² and its derivatives, elementwise; the scale plays no part."""
    two = jnp.full_like(residual, 2.0)
    return Rho(value=residual * residual, psi=2.0 * residual, curvature=two, weight=two)


def absolute(*, space: Space = "log") -> Objective:
    """Return the sum of |r|, whose minimum is a least-absolute-deviations fit.

    Parameters
    ----------
    space
        Where residuals are taken: `log`, ln prediction - ln loss, or `linear`, prediction - loss.

    Returns
    -------
    Objective
        With the name `absolute`.

    Raises
    ------
    UsageError
        For a space that is neither.

    Notes
    -----
    It is minimised as sqrt(r² + s²) - s while s goes to zero. Huber's rho has the same limit, but its curvature
    vanishes beyond the threshold, so that Newton's method must find by trial which residuals are to be zero; the
    hyperbola bends everywhere and took a third of the steps.

    References
    ----------
    Madsen & Nielsen 1993, for smoothing; Charbonnier 1994.

    Examples
    --------
    >>> js.absolute().space
    'log'
    """
    return Objective("absolute", space, absolute_rho, LEAST, LIMIT)


def absolute_rho(residual: jax.Array, scale: jax.Array) -> Rho:
    """Return sqrt(r² + scale²) - scale and its derivatives, elementwise."""
    length = jnp.sqrt(residual * residual + scale * scale)
    return Rho(
        value=residual * residual / (length + scale),
        psi=residual / length,
        curvature=(scale / length) ** 2 / length,
        weight=1.0 / length,
    )
