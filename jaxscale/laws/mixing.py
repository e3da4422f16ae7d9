"""Mixtures of data: the loss on one domain as an exponential of the shares of all."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import jax.numpy as jnp
import numpy as np

from jaxscale.errors import UsageError
from jaxscale.laws.inputs import Input
from jaxscale.laws.spec import Coef, Law
from jaxscale.laws.starts import Columns, projected

SOURCE = "Ye et al. 2024, arXiv 2403.16952"
DOMAINS = ("1", "2", "3")
"""The domains of the laws that ship; laws of named ones are made by `mixing_law` and `mixing_scale_law`."""

BAD_DOMAINS = "domains = {domains!r}: give two or more different names that can stand in a column's name, as 'web'"


@dataclass(frozen=True)
class Mixing:
    """The law's function for some domains; equal domains make an equal law."""

    domains: tuple[str, ...]

    @property
    def __signature__(self) -> inspect.Signature:
        return signature_of((*map(share_of, self.domains[:-1]),), ("c", "k", *map(pull_of, self.domains[:-1])))

    def __call__(self, *shares, **coefs):
        """L(r) = c + k exp(sum of t_j r_j), over all domains but the last, in nats per token; elementwise."""
        pulls = [coefs[pull_of(domain)] for domain in self.domains[:-1]]
        exponent = sum((pull * share for pull, share in zip(pulls, shares, strict=True)), start=jnp.zeros(()))
        return coefs["c"] + coefs["k"] * jnp.exp(exponent)

    def starts(self, columns: Columns, target: np.ndarray) -> list[dict[str, float]]:
        """Return 16 start points: the pulls searched, c and k solved for."""
        return projected(self, ("c", "k"), {pull_of(name): (-8.0, 8.0) for name in self.domains[:-1]}, columns, target)

    def design(self, random: np.random.Generator, rows: int) -> Mapping[str, np.ndarray]:
        """Return shares (rows,) of every domain but the last, from mixtures drawn evenly."""
        drawn = random.dirichlet(np.ones(len(self.domains)), rows)
        return {share_of(name): drawn[:, j] for j, name in enumerate(self.domains[:-1])}


def mixing_law(domains: Sequence[str]) -> Law:
    """Return the law of the loss on one validation domain for training domains of these names: "mixing-web-code-…".

    Its inputs are the columns share_NAME of all domains but the last, whose share is what is left.   Raises UsageError
    for fewer than two domains, a name twice, or one that cannot stand in a column's name.
    """
    return _law_of(checked(domains))


@cache
def _law_of(names: tuple[str, ...]) -> Law:
    """Return the law; the same one for the same names, as its start points are a method and equal to no other's."""
    *free, last = names
    function = Mixing(names)
    exponent = " + ".join(f"{pull_of(name)}*{symbol_of(name)}" for name in free)
    return Law(
        name="mixing" if names == DOMAINS else f"mixing-{'-'.join(names)}",
        loss=function,
        inputs=tuple(map(share_of, free)),
        coefs=(
            Coef("c", starts=(1.5,), meaning="loss that no mixture removes", unit="nats/token", span=(0.5, 3.0)),
            Coef(
                "k",
                starts=(1.0,),
                meaning=f"loss above it, trained on {last} alone",
                unit="nats/token",
                span=(0.3, 3.0),
            ),
            *(
                Coef(pull_of(name), "real", (-2.0, 0.5), f"pull of {name} against {last}", span=(-4.0, 4.0))
                for name in free
            ),
        ),
        equation=f"L = c + k*exp({exponent})",
        source=SOURCE,
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


def checked(domains: Sequence[str]) -> tuple[str, ...]:
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


def symbol_of(domain: str) -> str:
    """Return the symbol of a domain's share."""
    return f"h_{domain}"


def pull_of(domain: str) -> str:
    """Return the coef that a domain's share is multiplied by."""
    return f"t_{domain}"


def share_input(domain: str) -> Input:
    """Return what is known of a domain's share as an input."""
    meaning = f"share of training tokens from {domain}"
    return Input(share_of(domain), symbol_of(domain), "share", meaning, 0.0, 1.0, is_composition=True)


LAWS = (mixing_law(DOMAINS),)
