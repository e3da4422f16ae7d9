"""Mixtures of data at any scale: what a mixture leaves to learn is added to what size and data leave."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import jax.numpy as jnp
import numpy as np

from jaxscale.errors import UsageError
from jaxscale.laws import chinchilla
from jaxscale.laws.inputs import PARAMS, TOKENS
from jaxscale.laws.mixing import DOMAINS, checked, share_input, share_of, signature_of, symbol_of
from jaxscale.laws.ranges import drawn
from jaxscale.laws.spec import Coef, Law
from jaxscale.laws.starts import Columns, projected
from jaxscale.numerics.powers import power

SOURCE = "Shukor et al. 2025, arXiv 2507.09404"
EDGE = 0.02
"""The smallest share in the mixtures of the documented range: a power of a share is not smooth at nothing."""

NOT_WORTH = "C_i = {worths}: each must be positive and finite"
NOT_CONCAVE = "gamma = {gammas}: the best mixture lies inside only where every exponent is between 0 and 1"


@dataclass(frozen=True)
class MixingScale:
    """The law's function for some domains; equal domains make an equal law."""

    domains: tuple[str, ...]

    @property
    def __signature__(self) -> inspect.Signature:
        values, exponents = ([f"{letter}_{name}" for name in self.domains] for letter in ("C", "gamma"))
        coefs = ("E", "A", "B", "alpha", "beta", *values, *exponents)
        return signature_of(("params", "tokens", *map(share_of, self.domains)), coefs)

    def __call__(self, params, tokens, *shares, **coefs):
        """L(N, D, h) = E + 1/(sum of C_i h_i^gamma_i) + A N^-alpha + B D^-beta, in nats per token; elementwise."""
        return self.scaled(params, tokens, *shares, one=1.0, **coefs)

    def scaled(self, params, tokens, *shares, one, E, A, B, alpha, beta, **coefs):
        """Return the loss with the term of the mixture times `one`."""
        worth = jnp.zeros(())
        for domain, share in zip(self.domains, shares, strict=True):
            worth = worth + coefs[f"C_{domain}"] * power(share, coefs[f"gamma_{domain}"])
        return chinchilla.loss(params, tokens, E=E, A=A, B=B, alpha=alpha, beta=beta) + one / worth

    def first_is_one(self, **setting):
        """Return the coefs of a loss in which the first domain is worth 1, and the others what they are beside it."""
        return {**setting, f"C_{self.domains[0]}": 1.0}

    def starts(self, columns: Columns, target: np.ndarray) -> list[dict[str, float]]:
        """Return 32 start points: the exponents and relative worths searched, the four scales solved for."""
        ranges = {"alpha": (0.1, 0.9), "beta": (0.1, 0.9)}
        ranges |= {f"gamma_{name}": (0.1, 1.5) for name in self.domains}
        ranges |= {f"C_{name}": (0.05, 20.0) for name in self.domains[1:]}
        linear = ("E", "one", "A", "B")
        found = projected(self.scaled, linear, ranges, columns, target, coefs=self.first_is_one, keep=32)
        for start in found:
            one = start.pop("one")
            start |= {f"C_{name}": start[f"C_{name}"] / one for name in self.domains}
        return found

    def design(self, random: np.random.Generator, rows: int) -> Mapping[str, np.ndarray]:
        """Return params, tokens and shares (rows,), the mixtures drawn evenly away from the edges."""
        count = len(self.domains)
        shares = EDGE + (1.0 - count * EDGE) * random.dirichlet(np.ones(count), rows)
        sizes = {one.name: drawn(one.low, one.high, random, rows) for one in (PARAMS, TOKENS)}
        return {**sizes, **{share_of(name): shares[:, j] for j, name in enumerate(self.domains)}}


def mixing_scale_law(domains: Sequence[str]) -> Law:
    """Return the additive law for training domains of these names: "mixing-scale-web-code-…".

    Its inputs are params, tokens and the columns share_NAME of every domain.   Raises UsageError as `mixing_law` does.
    """
    return _law_of(checked(domains))


@cache
def _law_of(names: tuple[str, ...]) -> Law:
    """Return the law; the same one for the same names, as its start points are a method and equal to no other's."""
    function = MixingScale(names)
    worth = " + ".join(f"C_{name}*{symbol_of(name)}^gamma_{name}" for name in names)
    return Law(
        name="mixing-scale" if names == DOMAINS else f"mixing-scale-{'-'.join(names)}",
        loss=function,
        inputs=("params", "tokens", *map(share_of, names)),
        coefs=(
            *chinchilla.CHINCHILLA.coefs,
            *(
                Coef(f"C_{name}", starts=(2.0,), meaning=f"worth of {name}", unit="token/nats", span=(0.5, 5.0))
                for name in names
            ),
            *(Coef(f"gamma_{name}", starts=(0.5,), meaning=f"exponent of {name}", span=(0.2, 0.9)) for name in names),
        ),
        equation=f"L = E + 1/({worth}) + A/N^alpha + B/D^beta",
        source=SOURCE,
        starts=function.starts,
        domain=tuple(map(share_input, names)),
        design=function.design,
        frontier=(
            "the separable law's at any mixture; the best mixture is the same at every scale, by "
            "laws.mixing_scale.optimal_shares"
        ),
        notes=(
            "The structure is the paper's additive law, from which it follows that the best mixture is the same at "
            "every scale; its exact form and constants are not verified here, so none ship.",
            "Shares that are more than one together are refused; less than one is taken as it is given.",
        ),
    )


def optimal_shares(domains: Sequence[str], coefs: Mapping[str, float]) -> dict[str, float]:
    """Return the mixture that minimises the law, domain → share: where C_i gamma_i h_i^(gamma_i - 1) are equal.

    Neither params nor tokens enter.   Raises UsageError where an exponent is not between 0 and 1: the optimum is then
    at an edge; or where a C_i is not positive.
    """
    names = checked(domains)
    worth, exponent = (np.array([float(coefs[f"{letter}_{name}"]) for name in names]) for letter in ("C", "gamma"))
    if not ((exponent > 0) & (exponent < 1)).all():
        raise UsageError(NOT_CONCAVE.format(gammas=exponent.tolist()))
    if not (np.isfinite(worth) & (worth > 0)).all():
        raise UsageError(NOT_WORTH.format(worths=worth.tolist()))

    def shares(log_price: float) -> np.ndarray:
        return np.exp((np.log(worth * exponent) - log_price) / (1.0 - exponent))

    marginal = np.log(worth * exponent)
    low, high = float(marginal.min()) - 1.0, float(np.max(marginal + (1.0 - exponent) * np.log(len(names)))) + 1.0
    while (middle := 0.5 * (low + high)) not in (low, high):
        low, high = (middle, high) if shares(middle).sum() > 1.0 else (low, middle)
    return dict(zip(names, map(float, shares(middle)), strict=True))


LAWS = (mixing_scale_law(DOMAINS),)
