"""What it costs to train a model of another size than the best, under the separable law on a price C = k N^u D^v.

ratio is N / N_opt throughout: at equal loss N_opt of the compute that would have sufficed, at equal compute that of the
compute spent. Elementwise, differentiable; coefs as in `separable`.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxscale.allocation.separable import Coefs, Given, exponents, optimum, optimum_share, reducible_scale
from jaxscale.costs.training import SIX, Price
from jaxscale.numerics.powers import power
from jaxscale.precision import plainly


@plainly
def overhead(coefs: Given, ratio: ArrayLike, price: Price = SIX) -> jax.Array:
    """Return C/C* with which a model `ratio` times the best size reaches the same loss; NaN below `least_ratio`.

    rho^u [(1 - w rho^-alpha) / (1 - w)]^(-v/beta), the same at every loss.
    """
    law, w, rho = Coefs.of(coefs), optimum_share(coefs, price), jnp.asarray(ratio)
    left = (1.0 - w * power(rho, -law.alpha)) / (1.0 - w)
    left = jnp.where(left >= 0, left, jnp.nan)
    return power(rho, price.u) * power(left, -price.v / law.beta)


@plainly
def overhead_near(coefs: Given, ratio: ArrayLike, price: Price = SIX) -> jax.Array:
    """Return ln(C/C*) at equal loss to second order in ln rho: (u/v) (alpha v + beta u)/2 (ln rho)^2."""
    law = Coefs.of(coefs)
    bend = (law.alpha * price.v + law.beta * price.u) * price.u / price.v
    return 0.5 * bend * jnp.log(jnp.asarray(ratio)) ** 2


@plainly
def least_ratio(coefs: Given, price: Price = SIX) -> jax.Array:
    """Return rho_min = w^(1/alpha): smaller models never reach the loss, on however many tokens."""
    return power(optimum_share(coefs, price), 1.0 / Coefs.of(coefs).alpha)


@plainly
def excess_loss(coefs: Given, flops: ArrayLike, *, ratio: ArrayLike, price: Price = SIX) -> jax.Array:
    """Return L - L* of a model `ratio` times the best size at equal compute, in nats per token.

    R* [w rho^-alpha + (1 - w) rho^(beta u/v) - 1], R* = L* - E.
    """
    law, best, rho = Coefs.of(coefs), optimum(coefs, flops, price), jnp.asarray(ratio)
    reducible = reducible_scale(coefs, price) * power(jnp.asarray(flops) / price.k, -exponents(coefs, price).loss)
    x = jnp.log(rho)  # near the optimum both terms are one, and what they leave is of second order
    terms = best.share * jnp.expm1(-law.alpha * x) + (1.0 - best.share) * jnp.expm1(law.beta * price.u / price.v * x)
    return reducible * terms


@plainly
def excess_loss_near(coefs: Given, flops: ArrayLike, *, ratio: ArrayLike, price: Price = SIX) -> jax.Array:
    """Return L - L* at equal compute to second order in ln rho: (u/v) alpha beta R*/2 (ln rho)^2, a parabola."""
    law, best = Coefs.of(coefs), optimum(coefs, flops, price)
    bend = law.alpha * law.beta * price.u / price.v * (best.loss - law.E)
    return 0.5 * bend * jnp.log(jnp.asarray(ratio)) ** 2


@plainly
def substitution(coefs: Given, *, params: ArrayLike, tokens: ArrayLike) -> jax.Array:
    """Return the elasticity of substitution of params for tokens along a contour of equal loss, sigma.

    1/sigma = 1 + beta w_N + alpha w_D with w_N, w_D the shares of alpha A N^-alpha and beta B D^-beta in their sum;
    2/(alpha + beta + 2) on the frontier of C = k N D.
    """
    law = Coefs.of(coefs)
    of_params = law.alpha * law.A * power(jnp.asarray(params), -law.alpha)
    of_tokens = law.beta * law.B * power(jnp.asarray(tokens), -law.beta)
    w = of_params / (of_params + of_tokens)
    return 1.0 / (1.0 + law.beta * w + law.alpha * (1.0 - w))
