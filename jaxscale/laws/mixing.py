"""Data mixtures: the exponential law of the shares, and an additive term beside size and data."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import jax.numpy as jnp
import numpy as np

from jaxscale.errors import UsageError
from jaxscale.laws import chinchilla
from jaxscale.laws.inputs import PARAMS, TOKENS, Input
from jaxscale.laws.predicting import drawn
from jaxscale.laws.spec import Coef, Law
from jaxscale.laws.starts import Columns, projected
from jaxscale.numerics.powers import power

YE = "Ye et al. 2024, arXiv 2403.16952"
DOMAINS = ("1", "2", "3")
"""The domains of the laws that ship; laws of named ones are made by `mixing_law` and `mixing_scale_law`."""

BAD_DOMAINS = "domains = {domains!r}: give two or more different names that can stand in a column's name, as 'web'"


@dataclass(frozen=True)
class Mixing:
    """The law's function for some domains; equal domains make an equal law."""

    domains: tuple[str, ...]

    @property
    def __signature__(self) -> inspect.Signature:
        free = self.domains[:-1]
        return signature_of(tuple(map(share_of, free)), ("c", "k", *(f"t_{name}" for name in free)))

    def __call__(self, *shares, **coefs):
        """L(r) = c + k exp(sum of t_j r_j), over all domains but the last, in nats per token; elementwise."""
        pulls = [coefs[f"t_{domain}"] for domain in self.domains[:-1]]
        exponent = sum((pull * share for pull, share in zip(pulls, shares, strict=True)), start=jnp.zeros(()))
        return coefs["c"] + coefs["k"] * jnp.exp(exponent)

    def starts(self, columns: Columns, target: np.ndarray) -> list[dict[str, float]]:
        """Return 16 start points: the pulls searched, c and k solved for."""
        return projected(self, ("c", "k"), {f"t_{name}": (-8.0, 8.0) for name in self.domains[:-1]}, columns, target)

    def design(self, random: np.random.Generator, rows: int) -> Mapping[str, np.ndarray]:
        """Return shares (rows,) of every domain but the last, from mixtures drawn evenly."""
        drawn = random.dirichlet(np.ones(len(self.domains)), rows)
        return {share_of(name): drawn[:, j] for j, name in enumerate(self.domains[:-1])}


def mixing_law(domains: Sequence[str]) -> Law:
    """Return the law of the loss on one validation domain for training domains of these names: "mixing-web-code-…".

    Its inputs are the columns share_NAME of all domains but the last, whose share is what is left.   Raises UsageError
    for fewer than two domains, a name twice, or one that cannot stand in a column's name.
    """
    return _law_of(checked_domains(domains))


@cache
def _law_of(names: tuple[str, ...]) -> Law:
    """Return the law; the same one for the same names, as its start points are a method and equal to no other's."""
    *free, last = names
    function = Mixing(names)
    exponent = " + ".join(f"t_{name}*h_{name}" for name in free)
    return Law(
        name="mixing" if names == DOMAINS else f"mixing-{'-'.join(names)}",
        loss=function,
        inputs=tuple(map(share_of, free)),
        coefs=(
            Coef("c", starts=(1.5,), meaning="loss that no mixture removes", unit="nats/token", span=(0.5, 3.0)),
            Coef("k", "positive", (1.0,), f"loss above it, trained on {last} alone", "nats/token", span=(0.3, 3.0)),
            *(
                Coef(f"t_{name}", "real", (-2.0, 0.5), f"pull of {name} against {last}", span=(-4.0, 4.0))
                for name in free
            ),
        ),
        equation=f"L = c + k*exp({exponent})",
        source=YE,
        starts=function.starts,
        domain=tuple(map(share_input, free)),
        design=function.design,
        frontier="none: neither size nor data enters; mixtures that add over domains are law 'mixing-scale'",
        notes=(
            f"Shares sum to one, so only pulls against one domain are identified: that of {last} is 0, and k is the "
            "paper's k exp(t) of it.",
            "One law per validation domain; a mixed validation loss is the mean of their predictions by its shares.",
            "Pulls are badly identified by runs whose mixtures differ little.",
        ),
    )


def checked_domains(domains: Sequence[str]) -> tuple[str, ...]:
    """Return the names of domains; raise UsageError unless they are two or more, different, and fit for columns."""
    names = tuple(domains)
    are_words = all(isinstance(name, str) and f"h_{name}".isidentifier() for name in names)
    if isinstance(domains, str) or not are_words or len(names) < 2 or len(set(names)) < len(names):
        raise UsageError(BAD_DOMAINS.format(domains=domains))
    return names


def signature_of(inputs: Sequence[str], coefs: Sequence[str]) -> inspect.Signature:
    """Return the signature (inputs, *, coefs) of a law's function that is made for its names."""
    Parameter = inspect.Parameter
    positional = [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in inputs]
    return inspect.Signature([*positional, *(Parameter(name, Parameter.KEYWORD_ONLY) for name in coefs)])


def share_of(domain: str) -> str:
    """Return the column that holds a domain's share of the training tokens."""
    return f"share_{domain}"


def share_input(domain: str) -> Input:
    """Return a domain's share as an input."""
    meaning = f"share of training tokens from {domain}"
    return Input(share_of(domain), f"h_{domain}", "share", meaning, 0.0, 1.0, is_composition=True)


SHUKOR = "Shukor et al. 2025, arXiv 2507.09404"
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
    return _scale_law_of(checked_domains(domains))


@cache
def _scale_law_of(names: tuple[str, ...]) -> Law:
    """Return the law; the same one for the same names, as its start points are a method and equal to no other's."""
    function = MixingScale(names)
    worth = " + ".join(f"C_{name}*h_{name}^gamma_{name}" for name in names)
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
        source=SHUKOR,
        starts=function.starts,
        domain=tuple(map(share_input, names)),
        design=function.design,
        frontier=(
            "the separable law's at any mixture; the best mixture is the same at every scale, by "
            "laws.mixing.optimal_shares"
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
    from scipy.optimize import brentq  # slow to import

    names = checked_domains(domains)
    worth, exponent = (np.array([float(coefs[f"{letter}_{name}"]) for name in names]) for letter in ("C", "gamma"))
    if not ((exponent > 0) & (exponent < 1)).all():
        raise UsageError(NOT_CONCAVE.format(gammas=exponent.tolist()))
    if not (np.isfinite(worth) & (worth > 0)).all():
        raise UsageError(NOT_WORTH.format(worths=worth.tolist()))

    marginal = np.log(worth * exponent)

    def log_shares(log_price: float) -> np.ndarray:
        return (marginal - log_price) / (1.0 - exponent)

    low, high = float(marginal.min()) - 1.0, float(np.max(marginal + (1.0 - exponent) * np.log(len(names)))) + 1.0
    price = brentq(lambda log_price: float(np.logaddexp.reduce(log_shares(log_price))), low, high, xtol=1e-15)
    return dict(zip(names, map(float, np.exp(log_shares(price))), strict=True))


LAWS = (mixing_law(DOMAINS), mixing_scale_law(DOMAINS))
