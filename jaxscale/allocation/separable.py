"""The algebra of the separable law E + A N^-alpha + B D^-beta on a price C = k N^u D^v: its frontier and its contours.

Pure functions, elementwise in coefs and arguments, differentiable; of plain numbers and NumPy arrays in float64, with a
JAX array among the arguments in the caller's precision. `coefs` holds E, A, B,
alpha and beta, or is the name of a published set; without beta the exponents are tied, beta = alpha. Where A, B, alpha
or beta is not positive there is no value: NaN. UsageError for a name that is unknown or a coef that is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxscale.costs.training import SIX, Price
from jaxscale.errors import UsageError
from jaxscale.laws import LAWS, Law
from jaxscale.numerics.powers import power
from jaxscale.precision import plainly

NOT_SEPARABLE = "law '{name}' is not the separable one; its coefs are {coefs}, and E, A, B, alpha (and beta) are needed"
NO_COEFS = "coefs of the separable law are E, A, B, alpha and, unless it is tied, beta; missing: {missing}"


Given: TypeAlias = Mapping[str, ArrayLike] | str
"""Coefs by name, or the name of a published set of `chinchilla` or `chinchilla-tied`."""
TIED = ("E", "A", "B", "alpha")


class Coefs(NamedTuple):
    """The five coefs as arrays."""

    E: jax.Array
    A: jax.Array
    B: jax.Array
    alpha: jax.Array
    beta: jax.Array

    @classmethod
    def of(cls, coefs: Given) -> Coefs:
        """Return coefs by name, or published ones; those of a tied law have no beta. NaN for all but E that is not > 0.

        Two negative ones would pass for a law otherwise.
        """
        named = by_name(coefs)
        floor, *terms = (jnp.asarray({"beta": named["alpha"], **named}[name]) for name in cls._fields)
        return cls(floor, *(jnp.where(term > 0, term, jnp.nan) for term in terms))


def by_name(coefs: Given) -> Mapping[str, ArrayLike]:
    """Return coefs by name; raise UsageError for a name that is unknown or a coef that is missing."""
    if isinstance(coefs, str):
        tied = LAWS.resolve("chinchilla-tied")
        law = tied if coefs in {one.name for one in tied.published} else LAWS.resolve("chinchilla")
        return law.constants(coefs)
    missing = [name for name in TIED if name not in coefs]
    if missing:
        raise UsageError(NO_COEFS.format(missing=", ".join(missing)))
    return coefs


def check_separable(law: Law) -> None:
    """Raise UsageError for a law of other coefs than those of the separable one, tied or not."""
    if set(law.names) not in ({*TIED, "beta"}, set(TIED)):
        raise UsageError(NOT_SEPARABLE.format(name=law.name, coefs=", ".join(law.names)))


class Optimum(NamedTuple):
    """The best split of a budget: G of the law, N, D, loss in nats per token, and the N-term's share of loss - E."""

    scale: jax.Array
    params: jax.Array
    tokens: jax.Array
    loss: jax.Array
    share: jax.Array


class Exponents(NamedTuple):
    """How the optimum grows with compute: N ~ C^params, D ~ C^tokens, loss - E ~ C^-loss."""

    params: jax.Array
    tokens: jax.Array
    loss: jax.Array


@plainly
def exponents(coefs: Given, price: Price = SIX) -> Exponents:
    """Return beta/q, alpha/q and alpha beta/q with q = alpha v + beta u.   Source: Hoffmann et al. 2022, eq. 4."""
    law = Coefs.of(coefs)
    q = law.alpha * price.v + law.beta * price.u
    return Exponents(law.beta / q, law.alpha / q, law.alpha * law.beta / q)


@plainly
def optimum(coefs: Given, flops: ArrayLike, price: Price = SIX) -> Optimum:
    """Return the split with the lowest loss on C = k N^u D^v; flops broadcast against coefs.

    G = (alpha v A / (beta u B))^(1/q), N = G^v (C/k)^(beta/q), D = G^-u (C/k)^(alpha/q).   Source: Hoffmann et al.
    2022, eq. 4, for u = v = 1.
    """
    law, rate = Coefs.of(coefs), exponents(coefs, price)
    scale = optimum_scale(coefs, price)
    bought = jnp.asarray(flops) / price.k
    params = power(scale, price.v) * power(bought, rate.params)
    tokens = power(scale, -jnp.asarray(price.u)) * power(bought, rate.tokens)
    loss = law.E + reducible_scale(coefs, price) * power(bought, -rate.loss)
    return Optimum(scale, params, tokens, loss, optimum_share(coefs, price))


@plainly
def optimum_scale(coefs: Given, price: Price = SIX) -> jax.Array:
    """Return G = (alpha v A / (beta u B))^(1/q)."""
    law = Coefs.of(coefs)
    q = law.alpha * price.v + law.beta * price.u
    return power(law.alpha * price.v * law.A / (law.beta * price.u * law.B), 1.0 / q)


@plainly
def reducible_scale(coefs: Given, price: Price = SIX) -> jax.Array:
    """Return K of L* - E = K (C/k)^-gamma: A G^(-alpha v) + B G^(beta u)."""
    law, scale = Coefs.of(coefs), optimum_scale(coefs, price)
    return law.A * power(scale, -law.alpha * price.v) + law.B * power(scale, law.beta * price.u)


@plainly
def optimum_share(coefs: Given, price: Price = SIX) -> jax.Array:
    """Return the N-term's share of loss - E at every optimum, w = beta u / q: for C = k N D also the exponent of N."""
    law = Coefs.of(coefs)
    return law.beta * price.u / (law.alpha * price.v + law.beta * price.u)


@plainly
def flops_to_reach(coefs: Given, loss: ArrayLike, price: Price = SIX) -> jax.Array:
    """Return the least compute that reaches a loss, C* = k (K/(L - E))^(1/gamma); NaN at a loss below E, inf at E."""
    law, rate = Coefs.of(coefs), exponents(coefs, price)
    return power(reducible_scale(coefs, price) / _above(loss - law.E), 1.0 / rate.loss) * price.k


@plainly
def tokens_to_reach(coefs: Given, loss: ArrayLike, *, params: ArrayLike) -> jax.Array:
    """Return the tokens with which N params reach a loss, D = (B/(L - E - A N^-alpha))^(1/beta): the IsoLoss contour.

    NaN for N below `least_params`, inf at it.
    """
    law = Coefs.of(coefs)
    left = _above(loss - law.E - law.A * power(jnp.asarray(params), -law.alpha))
    return power(law.B / left, 1.0 / law.beta)


@plainly
def least_params(coefs: Given, loss: ArrayLike) -> jax.Array:
    """Return the size that reaches a loss on endless tokens only, (A/(L - E))^(1/alpha): where the contour begins."""
    law = Coefs.of(coefs)
    return power(law.A / _above(loss - law.E), 1.0 / law.alpha)


@plainly
def least_tokens(coefs: Given, loss: ArrayLike) -> jax.Array:
    """Return the tokens that reach a loss in an endless model only, (B/(L - E))^(1/beta)."""
    law = Coefs.of(coefs)
    return power(law.B / _above(loss - law.E), 1.0 / law.beta)


def _above(difference: ArrayLike) -> jax.Array:
    """Return a difference that must not be negative; NaN, of value and derivatives, where it is."""
    return jnp.where(jnp.asarray(difference) >= 0, difference, jnp.nan)
