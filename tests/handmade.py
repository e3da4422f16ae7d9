"""Results made by hand, without a fit: tables, ensembles and frontiers of known laws, for drawing only."""

from dataclasses import replace

import numpy as np

from jaxscale.laws import LAWS, predict_with
from jaxscale.objectives import huber
from jaxscale.provenance import Provenance
from jaxscale.resampling import SCHEMES
from jaxscale.results import Certificate, Ensemble, Fit, Frontier
from jaxscale.runs import Runs
from jaxscale.status import Status

PROVENANCE = Provenance("0", "0", "0", "0", "cpu", "float64", 0.0, 0.0, 0)
CHINCHILLA = {"E": 1.817218, "A": 477.826, "B": 2143.417, "alpha": 0.347310, "beta": 0.367172}
COEFS = {
    "chinchilla": CHINCHILLA,
    "chinchilla-tied": {"E": 1.86914, "A": 520.825, "B": 1487.716, "alpha": 0.3526596},
    "farseer": {
        "a_1": -0.124, "alpha": 0.123, "b_1": 0.424, "a_2": 88.01, "beta": -0.1, "b_2": -6.287, "a_3": -0.021,
        "gamma": 0.169, "b_3": -0.091,
    },
    "kaplan": {"N_c": 6.4e13, "D_c": 1.8e13, "alpha_N": 0.076, "alpha_D": 0.103},
    "power": {"E": 1.7, "A": 2500.0, "alpha": 0.17},
    "power-params": {"E": 1.9, "A": 480.0, "alpha": 0.347},
    "power-tokens": {"E": 1.9, "A": 2143.0, "alpha": 0.367},
    "pure-power": {"A": 30.0, "alpha": 0.05},
    "pure-power-params": {"A": 11.0, "alpha": 0.065},
    "pure-power-tokens": {"A": 20.0, "alpha": 0.08},
}  # fmt: skip
SPREAD = {"E": 0.014, "A": 0.258, "B": 0.421, "alpha": 0.045, "beta": 0.055}


def runs_of(law, coefs, *, rows=60, noise=0.01, seed=1, **labels):
    """Return runs on a grid of compute and size whose losses are the law's, times exp(noise · normal)."""
    rng = np.random.default_rng(seed)
    flops = 10.0 ** rng.uniform(18.5, 21.5, rows)
    params = 10.0 ** (0.5 * np.log10(flops) - 1.2 + rng.uniform(-0.7, 0.7, rows))
    columns = {"params": params, "tokens": flops / (6.0 * params), "flops": flops}
    loss = predict_with(law, coefs, columns) * np.exp(noise * rng.standard_normal(rows))
    return Runs.from_arrays(loss=loss, **columns, **labels)


def fit_of(name="chinchilla", *, runs=None, objective=None, fixed=(), status=Status.CONVERGED, **table):
    """Return a Fit with the coefs of COEFS, whose residuals are those of its runs."""
    law, coefs = LAWS.resolve(name), COEFS[name]
    runs = runs_of(law, coefs, **table) if runs is None else runs
    objective = huber() if objective is None else objective
    predicted = predict_with(law, coefs, {key: runs.columns[key] for key in law.inputs})
    is_log = objective.space == "log"
    residuals = np.log(predicted / runs.loss) if is_log else predicted - runs.loss
    checked = Certificate(1e-15, 1e4, 64, 61)
    std = dict.fromkeys(coefs)
    return Fit(law, objective, runs, coefs, 1e-3, status, checked, std, residuals, fixed, "newton", (), PROVENANCE)


def ensemble_of(fit, *, replicates=300, seed=0, unusable=0.0):
    """Return an ensemble around the fit: normal in logs, each scale tied to its exponent; a share of it unusable."""
    rng = np.random.default_rng(seed)
    drawn = {}
    for name, value in fit.coefs.items():
        shock = rng.standard_normal(replicates)
        drawn[name] = value * np.exp(SPREAD.get(name, 0.03) * shock)
    if {"A", "alpha"} <= set(drawn):
        drift = np.log(drawn["alpha"] / fit.coefs["alpha"])
        drawn["A"] = fit.coefs["A"] * np.exp(5.5 * drift + 0.05 * rng.standard_normal(replicates))
    if {"B", "beta"} <= set(drawn):
        drift = np.log(drawn["beta"] / fit.coefs["beta"])
        drawn["B"] = fit.coefs["B"] * np.exp(7.5 * drift + 0.08 * rng.standard_normal(replicates))
    for name in fit.fixed:
        drawn[name] = np.full(replicates, fit.coefs[name])
    status = np.zeros(replicates, dtype=np.int8)
    status[: round(unusable * replicates)] = Status.NON_FINITE
    value, steps = np.full(replicates, 1e-3), np.full(replicates, 8, dtype=np.int32)
    return Ensemble(fit, SCHEMES.resolve("pairs"), seed, drawn, value, status, steps, (), PROVENANCE)


def frontier_of(fit, ensemble=None, *, flops=None):
    """Return the frontier by search on a grid of sizes; NaN params and tokens for a law without a trade-off."""
    flops = np.geomspace(1e18, 1e26, 41) if flops is None else np.asarray(flops, dtype=float)
    point = Frontier(fit.law, fit.coefs, flops, *_optimum(fit.law, fit.coefs, flops), measured=(3e18, 3e21))
    if ensemble is None:
        return point
    lanes = []
    for r in range(len(ensemble)):
        one = {name: float(values[r]) for name, values in ensemble.coefs.items()}
        lanes.append(_optimum(fit.law, one, flops) if ensemble.usable[r] else np.full((3, len(flops)), np.nan))
    params, tokens, loss = np.stack(lanes, axis=1)
    return replace(point, params=params, tokens=tokens, loss=loss, at_point=point)


def _optimum(law, coefs, flops):
    if law.inputs != ("params", "tokens"):
        column = {"flops": flops, "params": np.sqrt(flops / 120.0), "tokens": np.sqrt(flops * 20.0 / 6.0)}
        absent = np.full(len(flops), np.nan)
        return np.stack([absent, absent, predict_with(law, coefs, {law.inputs[0]: column[law.inputs[0]]})])
    if law.name == "chinchilla":  # closed form: Hoffmann et al. 2022, eq. 4
        E, A, B, alpha, beta = (coefs[name] for name in ("E", "A", "B", "alpha", "beta"))
        params = (alpha * A / (beta * B)) ** (1 / (alpha + beta)) * (flops / 6.0) ** (beta / (alpha + beta))
        tokens = flops / (6.0 * params)
        return np.stack([params, tokens, E + A * params**-alpha + B * tokens**-beta])
    sizes = np.sqrt(flops)[:, None] * np.geomspace(1e-4, 1e2, 400)
    losses = predict_with(law, coefs, {"params": sizes, "tokens": flops[:, None] / (6.0 * sizes)})
    best = losses.argmin(axis=1)
    rows = np.arange(len(flops))
    return np.stack([sizes[rows, best], flops / (6.0 * sizes[rows, best]), losses[rows, best]])
