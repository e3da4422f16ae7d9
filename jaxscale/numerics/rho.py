"""The record that a rho function returns, shared by those who write one and those who minimise it."""

from __future__ import annotations

from typing import NamedTuple

import jax


class Rho(NamedTuple):
    """rho(r), psi = rho'(r), the curvature rho''(r), and the weight psi / r, the majorising parabola's curvature."""

    value: jax.Array
    psi: jax.Array
    curvature: jax.Array
    weight: jax.Array
