"""The absolute score, as the limit of Huber's: its minimum is reached by lowering the scale, not by subgradients."""

from __future__ import annotations

import jax

from jaxscale.objectives import huber
from jaxscale.numerics.scores import Score
from jaxscale.objectives.spec import Objective, Space

LIMIT = 1e-8
"""Last scale in units of the mean absolute miss: the sum is then within 1e-8 of its limit, relative."""
LEAST = 1e-14
"""Scale below which rounding of the misses themselves shows, for tables without noise."""


def absolute(*, space: Space = "log") -> Objective:
    """Return the sum of |r|, whose minimum is a least-absolute-deviations fit.

    It is minimised as Huber's score divided by its scale while the scale goes to zero; each stage is smooth and
    starts from the one before.   Source: Madsen & Nielsen 1993 (smoothing of linear L1 problems).
    """
    return Objective("absolute", space, rho, LEAST, LIMIT)


def rho(miss: jax.Array, scale: jax.Array) -> Score:
    """Return Huber's score divided by its scale, |r| - scale/2 for all but the smallest misses, elementwise."""
    inner = huber.rho(miss, scale)
    return Score(*(part / scale for part in inner))


