"""Specification curves made up by hand, without a fit."""

from itertools import product

import numpy as np

import jaxscale as js
from jaxscale.results import Specification, SpecificationCurve, SpecificationFit

RUNS = js.Runs.from_arrays(params=[1e8, 1e9], tokens=[1e10, 1e11], loss=[3.0, 2.5])
LAWS, DELTAS = ("chinchilla", "kaplan", "skaling"), (1e-3, 1e-2, 1.0)
ROWS = ("all", "smallest-10%", "loss < 3.4 and row != 17 and row != 23")
NOTHING = {"params": np.nan, "loss": np.nan}


def answer(specification, params, loss, spread=0.2, status="converged", reason=""):
    """What a specification says, with a spread of ln N and a twentieth of it in the loss."""
    low = {"params": params * np.exp(-2 * spread), "loss": loss - spread / 10}
    high = {"params": params * np.exp(2 * spread), "loss": loss + spread / 10}
    variance = {"params": spread**2, "loss": (spread / 20) ** 2}
    return SpecificationFit(specification, status, reason, None, 40, 100, params, loss, low, high, variance)


def curve(*, is_product=True, laws=LAWS, deltas=DELTAS, rows=ROWS, failed=1):
    """All combinations of a few choices, or one at a time; the last ones have no answer."""
    found, random = [], np.random.default_rng(2)
    for law, delta, kept, objective in product(laws, deltas, rows, ("huber", "squared")):
        own = delta if objective == "huber" else None
        one = Specification(law, objective, own, "log", "measured", "table", kept)
        if one in [other.specification for other in found]:
            continue
        if found and not is_product and len(one.differences(found[0].specification)) > 1:
            continue
        place = laws.index(law) + 0.3 * deltas.index(delta) + 0.1 * rows.index(kept)
        found.append(answer(one, 7e10 * np.exp(0.4 * place + 0.1 * random.standard_normal()), 1.9 + 0.02 * place))
    for place in range(1, 1 + failed):
        one = found[-place].specification
        found[-place] = SpecificationFit(
            one, "singular", "the fit is no minimum", None, 40, 0, np.nan, np.nan, NOTHING, NOTHING, NOTHING
        )
    return SpecificationCurve(RUNS, 5.76e23, tuple(found), 0.95, 100, 0, is_product, {"early-25%": "no checkpoints"})
