"""What the replicates of a bootstrap leave possible, in place of an approximate posterior with normal noise.

Normal noise of the size of the residuals is surer than the replicates where runs go together, where the law does not
hold exactly, or where a few runs decide a coef.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from jaxscale.designing.asking import HELD
from jaxscale.designing.criteria import DesignProblem, criterion_over_draws, factors_of
from jaxscale.errors import UsageError
from jaxscale.results import Ensemble

AIMED = ("regret", "prediction", "n-opt", "v-optimal")
"""Criteria that are a spread of something; of the others, the factor is that of what the runs are for."""
TOO_FEW = "design: {count} replicates are usable and have every coef within its support, and {least} are needed"
OF_REPLICATES = "the coefs are known as well as the spread of {count:,} replicates says ({scheme})"
AT_AN_EDGE = "{count:,} replicates with a coef at the edge of its support were left out"


def of_replicates(
    question: DesignProblem, ensemble: Ensemble, criterion: str, *, draws: int, seed: int
) -> DesignProblem:
    """Return the problem with replicates of the same law for what the runs leave possible.

    The first so many of them are the draws. The covariance of normal noise is inflated by one factor, so that the
    criterion without more runs is what it is over these draws: measured in what the runs are for and not in theta,
    where a coef that matters little may be spread without end. Raises UsageError where there are too few.
    """
    thetas = reals_of(ensemble)
    count, size = thetas.shape
    least = 2 * size + 2
    if count < least:
        raise UsageError(TOO_FEW.format(count=count, least=least))
    # a coef that was fixed is the same in all replicates, and a covariance has no root then
    moved = thetas[:draws] + HELD * np.random.default_rng([seed, 4]).standard_normal((min(draws, count), size))
    known = replace(question, believed=question.believed._replace(draws=moved))
    aim = criterion if criterion in AIMED else "regret" if question.region is None else "prediction"
    factors = factors_of(known, aim)
    return replace(known, inflation=criterion_over_draws(known, aim) / factors.criterion(factors.start()))


def as_sure(question: DesignProblem) -> DesignProblem:
    """Return the problem with the noise of the runs so far of such a size that refits are as sure as the replicates."""
    old = question.evidence
    return replace(question, evidence=old._replace(scale=old.scale * np.sqrt(question.inflation)), inflation=1.0)


def reals_of(ensemble: Ensemble) -> np.ndarray:
    """Return theta (R, p) of the usable replicates with every coef within its support."""
    law = ensemble.fit.law
    with np.errstate(divide="ignore", invalid="ignore"):
        pairs = zip(law.names, law.supports, strict=True)
        thetas = np.stack([support.to_real(ensemble.coefs[name]) for name, support in pairs], axis=1)
    return np.asarray(thetas[ensemble.usable & np.isfinite(thetas).all(axis=1)])


def told(ensemble: Ensemble) -> list[str]:
    """Return what is assumed of the coefs, in words."""
    count = len(reals_of(ensemble))
    lost = int(ensemble.usable.sum()) - count
    return [
        OF_REPLICATES.format(count=count, scheme=ensemble.scheme.name),
        *([AT_AN_EDGE.format(count=lost)] if lost else []),
    ]
