"""How sure the best size of the separable law is, and what it costs to train another.

Variances are for C = k N D. The coordinates are theta = (ln A, ln B, ln E, alpha, beta), in this order, and for a tied
law (ln A, ln B, ln E, alpha); a covariance is (5, 5) or (4, 4) in them. At fixed C, Var(ln D_opt) = Var(ln N_opt).
Costs are for C = k N^u D^v. ratio is N / N_opt throughout: at equal loss N_opt of the compute that would have sufficed,
at equal compute that of the compute spent. Elementwise, differentiable; coefs as in `separable`.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from jaxscale.allocation.separable import (
    Coefs,
    Given,
    by_name,
    check_separable,
    exponents,
    optimum,
    optimum_share,
    reducible_scale,
)
from jaxscale.costs.training import FLOPS_PER_PARAM_TOKEN, SIX, Price
from jaxscale.errors import UsageError
from jaxscale.numerics.powers import power
from jaxscale.precision import plainly
from jaxscale.results import Ensemble

TOO_FEW = "{count} usable replicates: a variance needs two at least"


@plainly
def gradient_of_log_params(coefs: Given, flops: ArrayLike, k: jax.Array | float = FLOPS_PER_PARAM_TOKEN) -> jax.Array:
    """Return d ln N_opt / d theta, (…, 5) for flops (…), or (…, 4) where the exponents are tied.

    Source: the delta method on Hoffmann et al. 2022, eq. 4.
    """
    base, rate = _gradients(coefs)
    return base + rate * jnp.log(jnp.asarray(flops) / k)[..., None]


@plainly
def variance_of_log_params(
    coefs: Given,
    covariance: ArrayLike,
    flops: ArrayLike,
    k: jax.Array | float = FLOPS_PER_PARAM_TOKEN,
) -> jax.Array:
    """Return Var(ln N_opt) by the delta method, quadratic in ln C; of flops' shape."""
    slope = gradient_of_log_params(coefs, flops, k)
    return jnp.einsum("...i,ij,...j->...", slope, jnp.asarray(covariance), slope)


@plainly
def expected_waste(coefs: Given, variance: ArrayLike) -> jax.Array:
    """Return E[ln C/C*] for a size of which ln N is uncertain by this variance: (alpha + beta)/2 Var, second order."""
    law = Coefs.of(coefs)
    return 0.5 * (law.alpha + law.beta) * jnp.asarray(variance)


@plainly
def pivot_flops(coefs: Given, covariance: ArrayLike, k: jax.Array | float = FLOPS_PER_PARAM_TOKEN) -> jax.Array:
    """Return the compute at which Var(ln N_opt) is smallest, by the delta method; FLOP."""
    base, rate = _gradients(coefs)
    spread = jnp.asarray(covariance)
    return jnp.exp(-(base @ spread @ rate) / (rate @ spread @ rate)) * k


def theta_covariance(ensemble: Ensemble) -> np.ndarray:
    """Return the covariance of theta over the usable replicates of the separable law, (5, 5), or (4, 4) where tied.

    Raises UsageError for another law, or fewer than two usable replicates.
    """
    _check(ensemble)
    columns = [np.log(ensemble.coefs[name]) for name in ("A", "B", "E")]
    columns += [ensemble.coefs[name] for name in ("alpha", "beta") if name in ensemble.coefs]
    return np.cov(np.stack(columns)[:, ensemble.usable])


def pivot_of(ensemble: Ensemble, k: float = FLOPS_PER_PARAM_TOKEN) -> float:
    """Return the compute at which ln N_opt varies least over the usable replicates, FLOP: exact, no delta method.

    ln N_opt = ln G + a ln(C/k) in every replicate, so that the least variance is at ln(C/k) = -Cov(ln G, a) / Var(a);
    NaN where a does not vary, as with tied exponents.   Raises UsageError as `theta_covariance`.
    """
    _check(ensemble)
    A, B, alpha, beta = (
        np.asarray(ensemble.coefs[name if name in ensemble.coefs else "alpha"])[ensemble.usable]
        for name in ("A", "B", "alpha", "beta")
    )
    log_scale = np.log(alpha * A / (beta * B)) / (alpha + beta)
    together = np.cov(np.stack([log_scale, beta / (alpha + beta)]))
    if together[1, 1] == 0.0:
        return float("nan")
    return float(k * np.exp(-together[0, 1] / together[1, 1]))


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


def _gradients(coefs: Given) -> tuple[jax.Array, jax.Array]:
    """Return both parts of the gradient of ln N_opt, which is base + rate ln(C/k)."""
    law = Coefs.of(coefs)
    alpha, beta = law.alpha, law.beta
    s = alpha + beta
    g, none = jnp.log(alpha * law.A / (beta * law.B)) / s, jnp.zeros_like(s)
    base: tuple[jax.Array, ...] = (1.0 / s, -1.0 / s, none, 1.0 / (alpha * s) - g / s, -1.0 / (beta * s) - g / s)
    rate: tuple[jax.Array, ...] = (none, none, none, -beta / s**2, alpha / s**2)
    if "beta" not in by_name(coefs):
        base, rate = ((*part[:3], part[3] + part[4]) for part in (base, rate))
    return jnp.stack(base), jnp.stack(rate)


def _check(ensemble: Ensemble) -> None:
    check_separable(ensemble.fit.law)
    if int(ensemble.usable.sum()) < 2:
        raise UsageError(TOO_FEW.format(count=int(ensemble.usable.sum())))
