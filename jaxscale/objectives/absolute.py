"""The absolute score, as the limit of a smooth one: its minimum is reached by lowering a scale, not by subgradients."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxscale.numerics.scores import Score
from jaxscale.objectives.spec import Objective, Space

LIMIT = 1e-6
"""Last scale in units of the mean absolute miss: the score is then within 1e-6 of |r|, relative to their mean."""
LEAST = 1e-14
"""Scale below which rounding of the misses themselves shows, for tables without noise."""


def absolute(*, space: Space = "log") -> Objective:
    """Return the sum of |r|, whose minimum is a least-absolute-deviations fit.

    It is minimised as sqrt(r² + s²) - s while s goes to zero. Huber's score has the same limit, but its curvature
    vanishes beyond the bend, so that Newton's method must find by trial which misses are to be zero; the hyperbola
    bends everywhere and took a third of the steps.   Source: Madsen & Nielsen 1993, for smoothing; Charbonnier 1994.
    """
    return Objective("absolute", space, rho, LEAST, LIMIT)


def rho(miss: jax.Array, scale: jax.Array) -> Score:
    """Return sqrt(r² + scale²) - scale and its derivatives, elementwise."""
    length = jnp.sqrt(miss * miss + scale * scale)
    return Score(
        value=miss * miss / (length + scale),
        slope=miss / length,
        curvature=(scale / length) ** 2 / length,
        majoriser=1.0 / length,
    )
