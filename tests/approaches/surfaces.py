"""Noise-free tables on a separable surface, of which the optimum is known."""

import numpy as np

import jaxscale as js

PRINTED = js.LAWS.resolve("chinchilla").constants("hoffmann2022")
ASYMMETRIC = {**PRINTED, "alpha": 0.46, "beta": 0.15}
BUDGETS = np.array([6e18, 1e20, 3e21])


def optimum_of(coefs, flops):
    """laws.md C0."""
    A, B, alpha, beta = (coefs[name] for name in ("A", "B", "alpha", "beta"))
    s = alpha + beta
    return (alpha * A / (beta * B)) ** (1 / s) * (flops / 6) ** (beta / s)


def profiles_on(coefs, reach, *, budgets=BUDGETS, points=15, noise=0.0, seed=0):
    """Fifteen sizes per budget, from 1/reach to reach times the best."""
    params = np.concatenate([optimum_of(coefs, flops) * np.geomspace(1 / reach, reach, points) for flops in budgets])
    flops = np.repeat(budgets, points)
    columns = {"params": params, "tokens": flops / 6 / params, "flops": flops, "budget": flops}
    return js.simulate("chinchilla", coefs, columns=columns, noise=noise, seed=seed)


def curves_on(coefs, *, sizes=20, points=60, noise=0.0, seed=0):
    """Long training curves of many sizes, from 1 to 1000 tokens per param."""
    params = np.repeat(np.geomspace(1e7, 1e10, sizes), points)
    tokens = params * np.tile(np.geomspace(1.0, 1000.0, points), sizes)
    group = np.repeat([f"run {number}" for number in range(sizes)], points)
    return js.simulate(
        "chinchilla", coefs, columns={"params": params, "tokens": tokens, "group": group}, noise=noise, seed=seed
    )
