"""The absolute value, as the limit of a smooth one: its minimum is reached by lowering a scale, not by subgradients."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxscale.numerics.rho import Rho
from jaxscale.objectives.spec import Objective, Space

LIMIT = 1e-6
"""Last scale in units of the mean absolute residual: rho is then within 1e-6 of |r|, relative to their mean."""
LEAST = 1e-14
"""Scale below which rounding of the residuals themselves shows, for tables without noise."""


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
    return Objective("absolute", space, rho, LEAST, LIMIT)


def rho(residual: jax.Array, scale: jax.Array) -> Rho:
    """Return sqrt(r² + scale²) - scale and its derivatives, elementwise."""
    length = jnp.sqrt(residual * residual + scale * scale)
    return Rho(
        value=residual * residual / (length + scale),
        psi=residual / length,
        curvature=(scale / length) ** 2 / length,
        weight=1.0 / length,
    )
