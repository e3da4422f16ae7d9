"""Objectives of a convex rho: Huber's, the square, the logarithm of the hyperbolic cosine, and the absolute value."""

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
    """Return the sum of r²/2 for `|r|` ≤ delta and delta (`|r|` - delta/2) beyond.

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


def log_cosh(delta: float = 1e-3, *, space: Space = "log") -> Objective:
    """Return the sum of delta² ln cosh(r / delta): r²/2 for small residuals, delta (`|r|` - delta ln 2) for large ones.

    Parameters
    ----------
    delta
        Where the square passes into the absolute value, in the units of r: in log space a relative error.
    space
        Where residuals are taken: `log`, ln prediction - ln loss, or `linear`, prediction - loss.

    Returns
    -------
    Objective
        With the name `log-cosh`.

    Raises
    ------
    UsageError
        For a delta that is not positive and finite, or another space.

    Notes
    -----
    It is Huber's rho without its kink: the curvature 1 / cosh²(r / delta) vanishes nowhere.

    References
    ----------
    Green 1990, IEEE Transactions on Medical Imaging 9, 84.

    Examples
    --------
    >>> js.log_cosh(0.01).delta
    0.01
    """
    return Objective("log-cosh", space, log_cosh_rho, check_delta(delta))


def log_cosh_rho(residual: jax.Array, scale: jax.Array) -> Rho:
    """Return scale² ln cosh(r / scale) and its derivatives, elementwise, without overflow or cancellation."""
    size = jnp.abs(residual) / scale
    decay = jnp.exp(-2.0 * size)
    steep = -jnp.expm1(-2.0 * size) / (1.0 + decay)  # tanh
    near = jnp.minimum(size, 1.0)
    rise = jnp.expm1(near)  # 2 sinh²(x/2) = (e^x - 1)² / (2 e^x), and cosh x is one more
    small, large = jnp.log1p(0.5 * rise * rise / (1.0 + rise)), size + jnp.log1p(decay) - math.log(2.0)
    is_apart = size > 0.0
    return Rho(
        value=scale * scale * jnp.where(size <= 1.0, small, large),
        psi=jnp.sign(residual) * scale * steep,
        curvature=4.0 * decay / (1.0 + decay) ** 2,
        weight=jnp.where(is_apart, steep / jnp.where(is_apart, size, 1.0), 1.0),
    )


def absolute(*, space: Space = "log") -> Objective:
    """Return the sum of `|r|`, whose minimum is a least-absolute-deviations fit.

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
