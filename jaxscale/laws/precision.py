"""Low precision: bits in training reduce the effective params, and fewer bits afterwards add to the loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from jaxscale.errors import UsageError
from jaxscale.laws import chinchilla
from jaxscale.laws.inputs import PARAMS, TOKENS, Input
from jaxscale.laws.spec import Coef, Law
from jaxscale.laws.starts import projected
from jaxscale.numerics.elementary import saturation
from jaxscale.numerics.powers import power
from jaxscale.precision import plainly

SOURCE = "Kumar et al. 2024, arXiv 2411.04330"
GAMMAS = {"gamma_w": 2.6745, "gamma_a": 2.2102, "gamma_kv": 0.9578}
"""Bits over which each part saturates, for `fix=`; second-hand.   Source: Kumar et al. 2024."""
POST = {"C_T": 0.0598, "gamma_D": 0.5068, "gamma_N": 0.3439, "gamma_post": 0.5907}
"""Quantisation after training, for `fix=`; second-hand.   Source: Kumar et al. 2024."""
TIGHT = 1e-14
"""Bits to which the optimal precision is solved for."""
FULL_BITS = 16.0
"""C = 6 N D is the price at sixteen bits."""

NO_OPTIMUM = "gammas = {gammas}: with fewer than two parts in low precision the fewest bits are always the cheapest"

BITS_WEIGHTS = Input("bits_weights", "P_w", "bits", "precision of the weights in training", 3.0, 16.0)
BITS_ACTIVATIONS = Input("bits_activations", "P_a", "bits", "precision of the activations in training", 3.0, 16.0)
BITS_CACHE = Input("bits_cache", "P_kv", "bits", "precision of keys and values in training", 3.0, 16.0)
SMALL_RUNS = (replace(PARAMS, low=3e7, high=2e9), replace(TOKENS, low=1e9, high=3e10))
BITS_POST = Input("bits_post", "P_post", "bits", "precision of the weights after training", 3.0, 8.0)


@plainly
def effective_params(
    params: ArrayLike, bits_weights: ArrayLike, bits_activations: ArrayLike, bits_cache: ArrayLike, *,
    gamma_w: ArrayLike, gamma_a: ArrayLike, gamma_kv: ArrayLike,
):  # fmt: skip
    """Return N_eff = N (1 - e^(-P_w/gamma_w)) (1 - e^(-P_a/gamma_a)) (1 - e^(-P_kv/gamma_kv)); elementwise."""
    pairs = ((bits_weights, gamma_w), (bits_activations, gamma_a), (bits_cache, gamma_kv))
    kept = jnp.asarray(params)
    for bits, gamma in pairs:
        kept = kept * saturation(jnp.asarray(bits) / jnp.asarray(gamma))
    return kept


def loss(
    params, tokens, bits_weights, bits_activations, bits_cache, *, E, A, B, alpha, beta, gamma_w, gamma_a, gamma_kv
):
    """L = E + A N_eff^-alpha + B D^-beta, in nats per token; elementwise."""
    gammas = {"gamma_w": gamma_w, "gamma_a": gamma_a, "gamma_kv": gamma_kv}
    kept = effective_params(params, bits_weights, bits_activations, bits_cache, **gammas)
    return chinchilla.loss(kept, tokens, E=E, A=A, B=B, alpha=alpha, beta=beta)


def post_loss(
    params, tokens, bits_weights, bits_activations, bits_cache, bits_post, *,
    E, A, B, alpha, beta, gamma_w, gamma_a, gamma_kv, C_T, gamma_D, gamma_N, gamma_post,
):  # fmt: skip
    """L = E + A N_eff^-alpha + B D^-beta + C_T (D^gamma_D/N^gamma_N) e^(-P_post/gamma_post); elementwise."""
    core = {"E": E, "A": A, "B": B, "alpha": alpha, "beta": beta}
    gammas = {"gamma_w": gamma_w, "gamma_a": gamma_a, "gamma_kv": gamma_kv}
    trained = loss(params, tokens, bits_weights, bits_activations, bits_cache, **core, **gammas)
    return trained + C_T * power(tokens, gamma_D) * power(params, -gamma_N) * jnp.exp(-bits_post / gamma_post)


def flops_per_param_token(*, bits_weights, bits_activations, bits_cache, bits_post: jax.Array | None = None):
    """Return (6/16) P, in FLOP of sixteen bits, with P the mean of the three precisions in training.

    Bits after training cost nothing in it.   Source: Kumar et al. 2024, where the three are equal.
    """
    return 6.0 / FULL_BITS * (bits_weights + bits_activations + bits_cache) / 3.0


def optimal_bits(gammas: Sequence[float]) -> float:
    """Return the bits P, the same in every part, that minimise P/f(P), f = Π (1 - e^(-P/gamma)).

    It is the best precision of every budget: on C = (6/16) N D P the optimum depends on P through P/f alone.   With
    one gamma in three places it is 1.904 gamma, where (e^x - 1)/x = 3.   Raises UsageError for fewer than two parts.
    Source: Kumar et al. 2024, eq. 6, and the law itself.
    """
    scales = np.asarray(gammas, dtype=np.float64)
    if scales.ndim != 1 or len(scales) < 2 or not (np.isfinite(scales) & (scales > 0)).all():
        raise UsageError(NO_OPTIMUM.format(gammas=list(gammas)))
    from scipy.optimize import brentq  # slow to import

    def slope(bits: float) -> float:
        """Return d ln(P/f) / d ln P = 1 - Σ x/(e^x - 1), which rises with P."""
        x = bits / scales
        return float(1.0 - np.sum(x / np.expm1(x)))

    high = float(scales.max() * (10.0 + np.log(len(scales))))
    return float(brentq(slope, float(scales.min()), high, xtol=TIGHT))


RANGES = {
    "alpha": (0.1, 1.0), "beta": (0.1, 1.0), "gamma_w": (1.0, 6.0), "gamma_a": (1.0, 6.0), "gamma_kv": (0.4, 4.0),
}  # fmt: skip
POST_RANGES = {**RANGES, "gamma_D": (0.2, 1.0), "gamma_N": (0.1, 0.8), "gamma_post": (0.3, 1.2)}


COEFS = (
    Coef("E", starts=(2.0,), meaning="irreducible loss", unit="nats/token", span=(1.0, 3.0)),
    Coef("A", starts=(4e3,), meaning="scale of the size term", unit="nats/token · params^alpha", span=(100.0, 5000.0)),
    Coef("B", starts=(2e4,), meaning="scale of the data term", unit="nats/token · tokens^beta", span=(500.0, 20000.0)),
    Coef("alpha", starts=(0.3, 0.5), meaning="exponent of effective params", span=(0.25, 0.55)),
    Coef("beta", starts=(0.3, 0.5), meaning="exponent of tokens", span=(0.25, 0.55)),
    Coef("gamma_w", starts=(2.7,), meaning="bits over which weights saturate", unit="bits", span=(1.5, 4.0)),
    Coef("gamma_a", starts=(2.2,), meaning="bits over which activations saturate", unit="bits", span=(1.5, 4.0)),
    Coef("gamma_kv", starts=(1.0,), meaning="bits over which keys and values saturate", unit="bits", span=(0.7, 2.0)),
)
DAMAGE = "nats/token · params^gamma_N/tokens^gamma_D"
POST_COEFS = (
    Coef("C_T", "positive", (0.06,), "scale of the damage", DAMAGE, span=(0.03, 0.1)),
    Coef("gamma_D", starts=(0.5,), meaning="growth of the damage with tokens", span=(0.4, 0.6)),
    Coef("gamma_N", starts=(0.35,), meaning="fall of the damage with params", span=(0.25, 0.45)),
    Coef("gamma_post", starts=(0.6,), meaning="bits over which the damage fades", unit="bits", span=(0.4, 0.8)),
)
N_EFF = "N_eff = N*(1 - exp(-P_w/gamma_w))*(1 - exp(-P_a/gamma_a))*(1 - exp(-P_kv/gamma_kv))"
FRONTIER = (
    "it is the separable law's with A f^-alpha, f = N_eff/N, on C = (6/16) N D P, P the mean of "
    "the three precisions in training; the best P, the same at every budget, by laws.precision.optimal_bits"
)
NOTES = (
    "The scales A, B and E of the paper are not verified here; laws.precision.GAMMAS has its gammas, for fix=.",
    "Its headline of 7 to 8 bits does not follow from the three gammas, whose optimum is 3.47 bits: another fit.",
    "Fitted to at most 1.7e9 params and 26e9 tokens.",
)

PRECISION = Law(
    name="precision",
    loss=loss,
    inputs=("params", "tokens", "bits_weights", "bits_activations", "bits_cache"),
    coefs=COEFS,
    equation="L = E + A/N_eff^alpha + B/D^beta; " + N_EFF,
    source=SOURCE + ", eq. 2 without its last term",
    starts=partial(projected, loss, ("E", "A", "B"), RANGES),
    domain=(BITS_WEIGHTS, BITS_ACTIVATIONS, BITS_CACHE),
    flops_per_param_token=flops_per_param_token,
    frontier=FRONTIER,
    notes=NOTES,
)

PRECISION_POST = Law(
    name="precision-post",
    loss=post_loss,
    inputs=(*PRECISION.inputs, "bits_post"),
    coefs=(*COEFS, *POST_COEFS),
    equation="L = E + A/N_eff^alpha + B/D^beta + C_T*D^gamma_D/N^gamma_N*exp(-P_post/gamma_post); " + N_EFF,
    source=SOURCE + ", eq. 2",
    starts=partial(projected, post_loss, ("E", "A", "B", "C_T"), POST_RANGES, keep=32),
    domain=(*SMALL_RUNS, BITS_WEIGHTS, BITS_ACTIVATIONS, BITS_CACHE, BITS_POST),
    flops_per_param_token=flops_per_param_token,
    frontier="the price is that of law 'precision'; the damage grows with tokens",
    notes=(*NOTES, "The damage grows with tokens: past some number of them more training hurts the quantised network."),
)

LAWS = (PRECISION, PRECISION_POST)
