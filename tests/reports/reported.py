"""Answers made by hand, without a fit: a simulated table, its law, an ensemble drawn around it."""

import numpy as np

from jaxscale.datasets.simulating import simulate
from jaxscale.laws import LAWS
from jaxscale.objectives import huber
from jaxscale.provenance import Provenance
from jaxscale.resampling import SCHEMES
from jaxscale.results import Certificate, Ensemble, Fit, Frontier, Study
from jaxscale.status import Status

COEFS = {"E": 1.8172, "A": 482.01, "B": 2085.43, "alpha": 0.3478, "beta": 0.3658}
MADE = Provenance("0.1.0", "0.10.2", "2.4.6", "3.11.7", "cpu", "float64", 1.5, 0.25, 2)


def fit_of(**changes):
    """Return a fit of chinchilla to nine sizes at each of six budgets, with any field replaced."""
    flops = np.repeat([1e18, 3e18, 1e19, 3e19, 1e20, 3e20], 9)
    params = 0.2 * flops**0.5 * np.tile(np.geomspace(0.25, 4.0, 9), 6)
    runs = simulate("chinchilla", COEFS, columns={"params": params, "flops": flops}, noise=0.004)
    fields = {
        "law": LAWS.resolve("chinchilla"),
        "objective": huber(),
        "runs": runs,
        "coefs": COEFS,
        "value": 1e-3,
        "status": Status.CONVERGED,
        "certificate": Certificate(1e-15, 1.2e4, 64, 61),
        "std": dict.fromkeys(COEFS, 0.01),
        "residuals": np.zeros(len(runs)),
        "fixed": (),
        "solver": "newton",
        "findings": runs.findings,
        "provenance": MADE,
    }
    return Fit(**{**fields, **changes})


def ensemble_of(fit, *, replicates=400, failed=0):
    """Return replicates around the fit, the first ones failed."""
    drawn = np.random.default_rng(1).lognormal(0.0, 0.05, (len(COEFS), replicates))
    coefs = {name: value * factor for (name, value), factor in zip(fit.coefs.items(), drawn, strict=True)}
    status = np.where(np.arange(replicates) < failed, Status.SINGULAR, Status.CONVERGED).astype(np.int8)
    value, steps = np.ones(replicates), np.ones(replicates, dtype=int)
    return Ensemble(fit, SCHEMES.resolve("pairs"), 5, coefs, value, status, steps, (), MADE)


def frontier_of(fit, ensemble=None, *, flops=(1e19, 5.76e23)):
    """Return a frontier with 20 tokens per param, and for an ensemble one that varies by ten percent."""
    flops = np.asarray(flops)
    params = np.sqrt(flops / 120.0)
    point = Frontier(fit.law, fit.coefs, flops, params, 20.0 * params, np.full(len(flops), 2.0), None, (1e18, 3e20))
    if ensemble is None:
        return point
    factor = np.random.default_rng(2).lognormal(0.0, 0.1, (len(ensemble), 1))
    factor[~ensemble.usable] = np.nan
    return Frontier(
        fit.law,
        fit.coefs,
        flops,
        params * factor,
        20.0 * params / factor,
        np.full(len(flops), 2.0) * factor,
        point,
        point.measured,
    )


def answer_of(*, replicates=400, failed=0, level=0.95, **changes):
    """Return a whole answer; replicates=0 leaves the ensemble out."""
    fit = fit_of(**changes)
    ensemble = ensemble_of(fit, replicates=replicates, failed=failed) if replicates else None
    return Study(fit, ensemble, frontier_of(fit, ensemble), level)
