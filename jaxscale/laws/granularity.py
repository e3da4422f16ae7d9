"""Fine-grained experts: finer ones make each parameter count for more, with diminishing returns."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from jaxscale.laws import chinchilla
from jaxscale.laws.chinchilla import DATA, SIZE
from jaxscale.laws.inputs import PARAMS, Input
from jaxscale.laws.spec import Coef, Law, Published
from jaxscale.laws.starts import projected
from jaxscale.numerics.powers import power

SOURCE = "Krajewski et al. 2024, arXiv 2402.07871"
GRANULARITY = Input(
    "granularity", "G", "ratio", "width of a dense feed-forward layer over that of an expert, d_ff/d_expert", 1.0, 64.0
)


def loss(params, tokens, granularity, *, a, alpha, b, beta, g, gamma, c):
    """L(N, D, G) = c + (g/G^gamma + a) N^-alpha + b D^-beta, in nats per token; elementwise."""
    scale = a + g * power(granularity, -gamma)
    return chinchilla.loss(params, tokens, E=c, A=scale, B=b, alpha=alpha, beta=beta)


RANGES = {"alpha": (0.05, 0.6), "beta": (0.05, 0.6), "gamma": (0.1, 2.0)}

GRANULAR = Law(
    name="granularity",
    loss=loss,
    inputs=("params", "tokens", "granularity"),
    coefs=(
        Coef("a", starts=(18.0,), meaning="scale of the finest size term", unit=SIZE.unit, span=(5.0, 50.0)),
        Coef("alpha", starts=(0.1, 0.3), meaning="exponent of params", span=(0.1, 0.3)),
        Coef("b", starts=(30.0,), meaning="scale of the data term", unit=DATA.unit, span=(10.0, 100.0)),
        Coef("beta", starts=(0.1, 0.3), meaning="exponent of tokens", span=(0.1, 0.3)),
        Coef("g", starts=(2.0,), meaning="what coarse experts add to a", unit=SIZE.unit, span=(0.5, 10.0)),
        Coef("gamma", starts=(0.5,), meaning="exponent of granularity", span=(0.3, 1.2)),
        Coef("c", starts=(0.5,), meaning="irreducible loss", unit="nats/token", span=(0.3, 2.0)),
    ),
    equation="L = c + (g/G^gamma + a)/N^alpha + b/D^beta",
    source=SOURCE,
    starts=partial(projected, loss, ("c", "a", "g", "b"), RANGES),
    published=(Published("krajewski2024", (18.1, 0.115, 30.8, 0.147, 2.1, 0.58, 0.47), SOURCE, "second-hand"),),
    domain=(replace(PARAMS, meaning="total non-embedding parameters, expansion rate 64"), GRANULARITY),
    frontier="it is the separable law's with A = a + g/G^gamma",
    notes=(
        "N is total non-embedding parameters at 64 times as many experts as a dense layer has; it is not active ones.",
        "C = 6 N D leaves the cost of routing out, so that at a given budget finer experts always look better here.",
        "A secondary source groups the equation wrongly, as g/G^gamma + a (1/b + N^alpha/D^beta).",
    ),
)

LAWS = (GRANULAR,)
