"""The record that a score returns, shared by those who write scores and those who minimise them."""

from __future__ import annotations

from typing import NamedTuple

import jax


class Score(NamedTuple):
    """A scored miss r: rho(r), rho'(r), rho''(r), and rho'(r) / r, the curvature of the parabola that majorises rho."""

    value: jax.Array
    slope: jax.Array
    curvature: jax.Array
    majoriser: jax.Array
