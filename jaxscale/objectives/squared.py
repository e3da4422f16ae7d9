"""The square of the residual: ordinary weighted least squares."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from jaxscale.numerics.rho import Rho
from jaxscale.objectives.spec import Objective, Space


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
    return Objective("squared", space, rho, math.inf)


def rho(residual: jax.Array, scale: jax.Array) -> Rho:
    """Return r² and its derivatives, elementwise; the scale plays no part."""
    two = jnp.full_like(residual, 2.0)
    return Rho(value=residual * residual, psi=2.0 * residual, curvature=two, weight=two)
