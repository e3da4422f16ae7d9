"""What a growing amount comes to where each further unit is worth less: 1 - exp(-x), exact in every derivative."""

from __future__ import annotations

import jax
import jax.numpy as jnp


@jax.custom_jvp
def saturation(amount: jax.Array) -> jax.Array:
    """Return 1 - exp(-x), elementwise; its derivative is exp(-x), which JAX's of `expm1` rounds to zero beyond 37."""
    return -jnp.expm1(-amount)


@saturation.defjvp
def _derivative(primals: tuple[jax.Array], tangents: tuple[jax.Array]) -> tuple[jax.Array, jax.Array]:
    return saturation(*primals), jnp.exp(-primals[0]) * tangents[0]
