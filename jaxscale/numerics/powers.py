"""Powers of positive numbers, written so that derivatives in the exponent stay finite."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike


def power(base: ArrayLike, exponent: ArrayLike) -> jax.Array:
    """Return base ** exponent for base > 0 (not checked), elementwise, as exp(exponent ln base).

    One exponential serves the value and every derivative in the exponent, and ln base is shared by all lanes.
    """
    return jnp.exp(jnp.asarray(exponent) * jnp.log(base))
