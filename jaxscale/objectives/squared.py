"""The square of the miss: ordinary weighted least squares."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from jaxscale.numerics.scores import Score
from jaxscale.objectives.spec import Objective, Space


def squared(*, space: Space = "log") -> Objective:
    """Return the sum of r², the residual sum of squares."""
    return Objective("squared", space, rho, math.inf)


def rho(miss: jax.Array, scale: jax.Array) -> Score:
    """Return r² and its derivatives, elementwise; the scale plays no part."""
    two = jnp.full_like(miss, 2.0)
    return Score(value=miss * miss, slope=2.0 * miss, curvature=two, majoriser=two)
