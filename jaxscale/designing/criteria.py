"""What a set of runs is chosen for: the regret of a plan, a prediction, or a classical criterion of design."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from jaxscale import names
from jaxscale.costs.training import cost_under, fixed_inputs
from jaxscale.designing.factors import Factors, linearised, regressed
from jaxscale.designing.misfit import potential_terms
from jaxscale.designing.posterior import Evidence, Posterior, Prior, predicted, slopes
from jaxscale.designing.targets import Optima, best_plan, best_sizes
from jaxscale.laws import Law

CRITERIA = names.CRITERIA
"""regret: of a plan, in nats.   prediction: variance of ln loss over a region.   n-opt: variance of ln N_opt.

d-optimal: determinant of the covariance of the coefs.   v-optimal: as prediction, at the best fit alone, of a law that
is exact.
log-uniform: runs spread evenly in the logarithm of their cost.
"""
UNITS = {
    "regret": "nats per token",
    "prediction": "variance of ln loss",
    "n-opt": "variance of ln N_opt",
    "d-optimal": "ln det of the covariance",
    "v-optimal": "variance of ln loss",
    "log-uniform": "nats per token",
}
POINTS = 32
"""Draws at which a criterion is linearised and averaged."""


@dataclass(frozen=True)
class DesignProblem:
    """What is known, what may be bought, and what it is for.

    candidates: one (n, …) per input.   flops: budgets (b,) of the plans.   region: where predictions are wanted, one
    (m, …) per input; of a plan, the planned models.   fixed: the law's inputs that a budget does not decide.
    inflation: of the covariance of theta, where replicates are less sure than normal noise.
    """

    law: Law
    evidence: Evidence
    prior: Prior
    believed: Posterior
    candidates: tuple[np.ndarray, ...]
    space: str
    flops: np.ndarray | None = None
    region: tuple[np.ndarray, ...] | None = None
    fixed: Mapping[str, float] | None = None
    inflation: float = 1.0

    def optima(self, thetas: np.ndarray) -> Optima:
        """Return the best sizes of thetas (S, p) on the budgets."""
        assert self.flops is not None
        return best_sizes(self.law, thetas, self.flops, self.fixed or {})

    def covariance(self, thetas: np.ndarray, terms: np.ndarray | None = None) -> np.ndarray:
        """Return the covariance of theta (S, p, p), linearised at each of thetas (S, p).

        terms: further ones of the runs (n, q), of coefs with the noise for their standard deviation: (S, p + q, p + q).
        """
        terms = np.zeros((len(self.evidence.scale), 0)) if terms is None else terms
        std = np.concatenate([self.prior.std, np.full(terms.shape[1], self.believed.noise)])
        precision = np.broadcast_to(np.diag(std**-2.0), (len(thetas), len(std), len(std)))
        if len(self.evidence.scale):
            rows = with_terms(slopes(self.law, thetas, self.evidence.columns, space=self.space), terms)
            rows = rows / (self.believed.noise * self.evidence.scale[:, None])
            precision = precision + np.swapaxes(rows, 1, 2) @ rows
        return self.inflation * np.linalg.inv(precision)

    def planned(self, log_params: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return the models (b,) of ln N (b,) on the budgets, as columns of the law."""
        assert self.flops is not None
        fixed, cost = self.fixed or {}, cost_under(self.law)
        price = np.asarray(cost.per_param_token(**{name: fixed[name] for name in cost.inputs}), np.float64)
        params = np.exp(log_params)
        tokens = self.flops / (price * params)
        sizes = {"params": params, "tokens": tokens, "flops": self.flops, "tokens_per_param": tokens / params}
        every = {**sizes, **{name: np.full_like(params, fixed[name]) for name in fixed_inputs(self.law)}}
        return tuple(every[name] for name in self.law.inputs)

    def wanted(self) -> tuple[np.ndarray, ...]:
        """Return the region of predictions: the one that is given, or the planned models of the best fit."""
        if self.region is not None:
            return self.region
        return self.planned(self.optima(self.believed.point[None]).log_params[0])


def factors_of(question: DesignProblem, criterion: str, *, is_regressed: bool = False) -> Factors:
    """Return the linear models of a criterion.

    is_regressed: for regret and prediction, one model by regression on the draws in place of the mean over models that
    are linearised at some of them.
    """
    law, believed, space = question.law, question.believed, question.space
    if is_regressed:
        draws = believed.draws
        candidates = predicted(law, draws, question.candidates, space=space)
        targets = _scaled(question, draws) if criterion == "regret" else _predictions(question, draws)
        return regressed(candidates, targets, draws, believed.noise)
    thetas = believed.draws[:POINTS] if criterion in ("regret", "prediction") else believed.point[None]
    candidates = slopes(law, thetas, question.candidates, space=space)
    if criterion == "d-optimal":
        targets = np.zeros((1, 0, thetas.shape[1]))
    elif criterion in ("prediction", "v-optimal"):
        region = question.wanted()
        targets = slopes(law, thetas, region, space=space) / np.sqrt(len(region[0]))
        if criterion == "prediction":
            return _with_misfit(question, thetas, candidates, targets)
    else:
        optima = question.optima(thetas)
        size = optima.slope / np.sqrt(optima.slope.shape[1])
        targets = size if criterion == "n-opt" else size * np.sqrt(0.5 * np.maximum(optima.bend, 0.0))[..., None]
    return linearised(candidates, targets, question.covariance(thetas), believed.noise)


def _with_misfit(question: DesignProblem, thetas: np.ndarray, candidates: np.ndarray, targets: np.ndarray) -> Factors:
    """Return the models of a prediction of the truth, which departs from the law."""
    region = question.wanted()
    known, bought, aimed = potential_terms(question.evidence.columns, question.candidates, region)
    rows, aims = with_terms(candidates, bought), with_terms(targets, aimed / np.sqrt(len(region[0])))
    return linearised(rows, aims, question.covariance(thetas, known), question.believed.noise)


def with_terms(rows: np.ndarray, terms: np.ndarray) -> np.ndarray:
    """Return rows (S, n, p) with terms (n, q) beside each: (S, n, p + q)."""
    return np.concatenate([rows, np.broadcast_to(terms, (len(rows), *terms.shape))], axis=2)


def criterion_over_draws(question: DesignProblem, criterion: str) -> float:
    """Return the criterion over the draws themselves, without any linear model; d-optimal: what the runs are for."""
    draws = question.believed.draws
    if question.region is not None or criterion in ("prediction", "v-optimal"):
        return float(np.sum(np.var(_predictions(question, draws), axis=0)))
    if criterion == "n-opt":
        return float(np.mean(np.var(question.optima(draws).log_params, axis=0)))
    return float(np.sum(np.mean(_scaled(question, draws) ** 2, axis=0)))


def _scaled(question: DesignProblem, draws: np.ndarray) -> np.ndarray:
    """Return targets (S, b) whose summed variance is the mean regret of the best plan."""
    optima = question.optima(draws)
    root = np.sqrt(0.5 * np.maximum(optima.bend, 0.0) / optima.bend.shape[1])
    return root * (optima.log_params - best_plan(optima))


def _predictions(question: DesignProblem, draws: np.ndarray) -> np.ndarray:
    region = question.wanted()
    return predicted(question.law, draws, region, space=question.space) / np.sqrt(len(region[0]))
