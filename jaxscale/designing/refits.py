"""Sets of runs judged by simulated refits: new losses from each draw, fitted again, and what the plan then loses.

No approximation of first order is in it, and the fits have their several minima.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from jaxscale.designing.criteria import DesignProblem
from jaxscale.designing.misfit import potential_terms
from jaxscale.designing.posterior import Evidence, fits, predicted

SIMULATIONS = 48
"""Draws taken for the truth."""


def simulated(question: DesignProblem, sets: Sequence[Sequence[int]], *, seed: int) -> np.ndarray:
    """Return for each set and truth (k, S) the regret of the refitted plan in nats, or its mean squared error.

    All sets meet the same truths and, run by run, the same noise. Of a region the truths depart from the law.
    """
    law, space, noise = question.law, question.space, question.believed.noise
    truths = question.believed.draws[:SIMULATIONS]
    count, size = truths.shape
    losses = predicted(law, truths, question.candidates, space=space)
    random = np.random.default_rng([seed, 1])
    losses, away = losses + noise * random.standard_normal(losses.shape), 0.0
    if question.flops is None:
        _, bought, aimed = potential_terms(question.evidence.columns, question.candidates, question.wanted())
        off = noise * random.standard_normal((count, bought.shape[1]))
        losses, away = losses + off @ bought.T, off @ aimed.T
    starts = np.stack([truths, np.broadcast_to(question.believed.point, truths.shape)], axis=1).reshape(-1, size)
    old = question.evidence
    found: dict[tuple[int, ...], np.ndarray] = {}
    for places in (tuple(sorted(one)) for one in sets):
        if places in found:
            continue
        columns = tuple(
            np.concatenate([a, b[list(places)]]) for a, b in zip(old.columns, question.candidates, strict=True)
        )
        known = np.broadcast_to(old.target, (count, len(old.target)))
        target = np.repeat(np.concatenate([known, losses[:, list(places)]], axis=1), 2, axis=0)
        evidence = Evidence(columns, target, np.concatenate([old.scale, np.ones(len(places))]))
        theta, value = fits(law, evidence, question.prior, space=space, noise=noise, starts=starts)
        best = np.argmin(value.reshape(count, 2), axis=1)
        found[places] = _lost(question, truths, away, theta.reshape(count, 2, size)[np.arange(count), best])
    return np.array([found[tuple(sorted(places))] for places in sets])


def _lost(question: DesignProblem, truths: np.ndarray, away: np.ndarray | float, fitted: np.ndarray) -> np.ndarray:
    """Return the regret (S,), or the mean squared error over the region, of fits (S, p) where truths (S, p) hold.

    away: by how much the truths depart from the law in the region, (S, m).
    """
    law, space = question.law, question.space
    if question.flops is None:
        region = question.wanted()
        error = predicted(law, truths, region, space=space) + away - predicted(law, fitted, region, space=space)
        return np.asarray(np.mean(error**2, axis=1))
    best, planned = question.optima(truths), question.optima(fitted).log_params
    lost = []
    for truth, log_params, least in zip(truths, planned, best.loss, strict=True):
        lost.append(predicted(law, truth[None], question.planned(log_params), space="linear")[0] - least)
    return np.mean(lost, axis=1)
