"""Over-training: Chinchilla's law with one exponent, in compute and tokens per param."""

from __future__ import annotations

from functools import partial

import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from jaxscale.laws.spec import Coef, Law, Published
from jaxscale.laws.starts import gridded
from jaxscale.numerics.powers import power
from jaxscale.precision import plainly

GADRE = "Gadre et al. 2024, arXiv 2403.08540"
RECIPE = "refit of the authors' data by their recipe: five runs, least squares of the loss"


def loss(flops, tokens_per_param, *, E, a, b, eta):
    """L(C, M) = E + (a M^eta + b M^-eta) C^-eta, in nats per token; elementwise in C and M.

    Chinchilla's law with both exponents 2 eta on C = 6 N D, where N² = C/(6M) and D² = CM/6.
    """
    compute, ratio = (
        jnp.log(flops),
        jnp.log(tokens_per_param),
    )  # the derivative of C/M has M², which float32 cannot hold
    return E + a * jnp.exp(-eta * (compute - ratio)) + b * jnp.exp(-eta * (compute + ratio))


@plainly
def optimal_tokens_per_param(*, a: ArrayLike, b: ArrayLike, eta: ArrayLike):
    """Return M* = (b/a)^(1/(2 eta)), the tokens per param of least loss, the same at every compute.

    Elementwise; NaN where a or b is not positive.
    """
    ratio = jnp.where((jnp.asarray(a) > 0) & (jnp.asarray(b) > 0), jnp.asarray(b) / a, jnp.nan)
    return power(ratio, 1.0 / (2.0 * jnp.asarray(eta)))


OVERTRAINING = Law(
    name="overtraining",
    loss=loss,
    inputs=("flops", "tokens_per_param"),
    coefs=(
        Coef("E", "positive", (0.5, 1.0, 2.0), "irreducible loss", "nats/token", span=(0.3, 3.0)),
        Coef("a", "positive", (10.0, 100.0, 1000.0), "scale of the size term", "nats/token · FLOP^eta", span=(20, 1e3)),
        Coef("b", "positive", (10.0, 100.0, 1000.0), "scale of the data term", "nats/token · FLOP^eta", span=(20, 1e3)),
        Coef("eta", "positive", (0.05, 0.12, 0.3), "exponent of compute, half of that of params", span=(0.08, 0.25)),
    ),
    equation="L = E + (a*M^eta + b*M^-eta)/C^eta",
    source=GADRE + ", eq. 4",
    starts=partial(gridded, loss, ("E", "a", "b"), {"eta": np.geomspace(0.02, 0.8, 24)}),
    published=tuple(
        Published(f"gadre2024-{corpus}", values, f"{GADRE}, runs on {name}, C4 validation loss; {RECIPE}", "refit")
        for corpus, name, values in (
            ("c4", "C4", (1.50826054172, 141.277254781, 189.515520432, 0.121236119499)),
            ("redpajama", "RedPajama", (1.83664837845, 212.236110248, 366.687173791, 0.136425351255)),
            ("refinedweb", "RefinedWeb", (1.73446208959, 157.116284132, 246.206686533, 0.127197422332)),
        )
    ),
    frontier="in closed form M* = (b/a)^(1/(2 eta)), optimal_tokens_per_param in jaxscale.laws.overtraining",
    notes=(
        "It is chinchilla-tied with alpha = 2 eta, A = a 6^-eta and B = b 6^-eta on C = 6 N D.",
        "The authors fit four coefs to five runs: one residual degree of freedom, and errors up to 4.3 % on what "
        "was held out.",
        "M is tokens per param, D/N; it is derived where a table has both.",
    ),
)

LAWS = (OVERTRAINING,)
