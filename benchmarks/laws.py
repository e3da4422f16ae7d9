"""Laws written as a user writes them: plain functions of one run, and nothing declared but names and supports."""

from __future__ import annotations

import jax
import jax.numpy as jnp

import jaxscale as js


def chinchilla(
    params: jax.Array, tokens: jax.Array, *, E: jax.Array, A: jax.Array, B: jax.Array, alpha: jax.Array, beta: jax.Array
) -> jax.Array:
    """L(N, D) = E + A N^-alpha + B D^-beta."""
    return E + A * params**-alpha + B * tokens**-beta


def hoffmann(
    params: jax.Array, tokens: jax.Array, *, e: jax.Array, a: jax.Array, b: jax.Array, alpha: jax.Array, beta: jax.Array
) -> jax.Array:
    """L(N, D) = exp(e) + exp(a - alpha ln N) + exp(b - beta ln D), as Hoffmann et al. 2022, eq. 3, minimised it."""
    return jnp.exp(e) + jnp.exp(a - alpha * jnp.log(params)) + jnp.exp(b - beta * jnp.log(tokens))


def power_2(x1: jax.Array, *, A1: jax.Array, a1: jax.Array) -> jax.Array:
    """L(x) = A1 x1^-a1."""
    return A1 * x1**-a1


def power_3(x1: jax.Array, *, E: jax.Array, A1: jax.Array, a1: jax.Array) -> jax.Array:
    """L(x) = E + A1 x1^-a1."""
    return E + A1 * x1**-a1


def power_5(
    x1: jax.Array, x2: jax.Array, *, E: jax.Array, A1: jax.Array, a1: jax.Array, A2: jax.Array, a2: jax.Array
) -> jax.Array:
    """L(x) = E + A1 x1^-a1 + A2 x2^-a2."""
    return power_3(x1, E=E, A1=A1, a1=a1) + power_2(x2, A1=A2, a1=a2)


def power_7(
    x1: jax.Array, x2: jax.Array, x3: jax.Array, *, A3: jax.Array, a3: jax.Array, **coefs: jax.Array
) -> jax.Array:
    """L(x) = E + A1 x1^-a1 + … + A3 x3^-a3."""
    return power_5(x1, x2, **coefs) + power_2(x3, A1=A3, a1=a3)


def power_9(
    x1: jax.Array, x2: jax.Array, x3: jax.Array, x4: jax.Array, *, A4: jax.Array, a4: jax.Array, **coefs: jax.Array
) -> jax.Array:
    """L(x) = E + A1 x1^-a1 + … + A4 x4^-a4."""
    return power_7(x1, x2, x3, **coefs) + power_2(x4, A1=A4, a1=a4)


CHINCHILLA = js.Law(
    "user-chinchilla",
    chinchilla,
    ("params", "tokens"),
    tuple(js.Coef(name) for name in ("E", "A", "B", "alpha", "beta")),
)
HOFFMANN = js.Law(
    "hoffmann",
    hoffmann,
    ("params", "tokens"),
    tuple(js.Coef(name, "real") for name in ("e", "a", "b", "alpha", "beta")),
)
POWERS = {2: power_2, 3: power_3, 5: power_5, 7: power_7, 9: power_9}


def power(size: int) -> js.Law:
    """Return the sum of power terms with 2, 3, 5, 7 or 9 coefs."""
    terms = max(size // 2, 1)
    names = ["E"] * (size > 2) + [f"{letter}{term}" for term in range(1, terms + 1) for letter in "Aa"]
    inputs = tuple(f"x{term}" for term in range(1, terms + 1))
    return js.Law(f"power-{size}", POWERS[size], inputs, tuple(js.Coef(name) for name in names))
