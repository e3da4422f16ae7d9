"""Huber's score: a parabola for small misses, a straight line for large ones."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxscale.numerics.scores import Score
from jaxscale.objectives.spec import Objective, Space, check_delta

KINK = 1e-9
"""A miss this close to the bend, relative to it, counts as beyond: whether a minimum on a kink is strict must not
depend on rounding."""


def huber(delta: float = 1e-3, *, space: Space = "log") -> Objective:
    """Return the sum of r²/2 for |r| ≤ delta and delta (|r| - delta/2) beyond.

    delta: in the units of r, in log space a relative error; Hoffmann et al. 2022 use 1e-3, which makes nearly every
    row count by its absolute miss.   Source: Huber 1964.
    """
    return Objective("huber", space, rho, check_delta(delta))


def rho(miss: jax.Array, scale: jax.Array) -> Score:
    """Return Huber's score and its derivatives, elementwise."""
    size = jnp.abs(miss)
    is_inside = size <= scale
    return Score(
        value=jnp.where(is_inside, 0.5 * miss * miss, scale * (size - 0.5 * scale)),
        slope=jnp.clip(miss, -scale, scale),
        curvature=jnp.where(size <= (1.0 - KINK) * scale, jnp.ones_like(miss), 0.0),  # 1.0 would make it float64
        majoriser=jnp.where(is_inside, 1.0, scale / size),
    )
