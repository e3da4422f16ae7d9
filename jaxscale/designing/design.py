"""`js.design`: which of the candidate runs to make next, within a budget, and when to stop."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from jaxscale.designing.asking import (
    SPREAD,
    Target,
    candidate_columns,
    known_runs,
    positive,
    prices_of,
    wanted,
)
from jaxscale.designing.choosing import Prices, Purchases, chosen_set, ordered
from jaxscale.designing.criteria import CRITERIA, POINTS, UNITS, DesignProblem, factors_of
from jaxscale.designing.posterior import NOISE, posterior
from jaxscale.designing.refits import simulated
from jaxscale.designing.replicates import as_sure, of_replicates, told
from jaxscale.errors import UsageError
from jaxscale.laws import Law
from jaxscale.registry import unknown
from jaxscale.results import Design, Ensemble, Fit, Study
from jaxscale.results.kinds import drawn_from
from jaxscale.runs import Runs

DRAWS = 128
"""Draws of the coefs that the runs leave possible, for a criterion that is an expectation over them."""
AT_POINT = ("n-opt", "d-optimal", "v-optimal")
"""Criteria that need no draws: they are of the best fit alone."""
SURELY = 2.0
"""Standard errors by which simulated refits must prefer another set to that of the criterion itself."""
REGION_ONLY = "criterion '{criterion}' is of a plan: target= must be its budgets in FLOP, not a region"
TOO_DEAR = "budget = {budget:.4g} buys none of the candidates: the cheapest costs {cheapest:.4g}"
NO_INSIDE = (
    "target: at none of its budgets has law '{law}' an optimum inside, so that no run can tell its size; "
    "ask for others, or for a region"
)
BAD_WORTH = "worth = {worth!r} is no number, zero or more, nor infinite"
BAD_SEED = "seed = {seed!r} is no integer, zero or more"
ASSUMED_NOISE = "the noise of ln loss is not known from runs: {noise:g} was assumed"
ASSUMED_SPREAD = "each coef was taken to be known to a standard deviation of {spread:g} on the real line"
ASSUMED_WORTH = "a nat at the target is worth the FLOP that would lower the loss there as much"
STOPPED_SPENT = "no other candidate fits what is left of the budget"
STOPPED_ALL = "every candidate is bought"
STOPPED_WORTH = "the next run costs more than what it tells is worth"


def design(
    source: Study | Ensemble | Fit | Runs | None = None,
    *,
    candidates: Mapping[str, ArrayLike],
    budget: float,
    target: Target | None = None,
    criterion: str | None = None,
    costs: str | ArrayLike | None = None,
    trunk: str | None = None,
    trunk_costs: str | ArrayLike | None = None,
    worth: float | None = None,
    noise: float | None = None,
    law: Law | str | None = None,
    coefs: Mapping[str, float] | str | None = None,
    spread: float = SPREAD,
    fixed: Mapping[str, float] | None = None,
    seed: int = 0,
) -> Design:
    """Return the candidate runs that lower the expected regret of a plan most, or the error of predictions.

    Parameters
    ----------
    source
        An Ensemble, or a Study with one, whose replicates say how well the coefs are known; a Fit, or Runs with law=,
        also fewer than the
        law has coefs, where normal noise says it; None with law= and coefs=.
    candidates
        Name → (n,) inputs of the law, or sizes that decide them, one row per run that could be made; each is bought
        once at most. Other columns, such as costs, may be among them.
    budget
        What may be spent, in the unit of the costs.
    target
        Budgets of the plans, in FLOP; or name → inputs of a region, where predictions are wanted.
    criterion
        One of `js.designing.CRITERIA`; by default regret for plans and prediction for a region.
    costs
        A column of the candidates, or (n,) numbers; their FLOP by default.
    trunk
        A column that names the trunk of each run: cooldowns of one trunk share what it cost.
    trunk_costs
        A column or (n,) numbers: the part of each run's cost that is the trunk's. Of each trunk the largest is paid.
    worth
        What one nat at the target is worth, in the unit of the costs: a run is bought while what it tells is worth its
        cost. By default, where costs are FLOP and the criterion is regret, the FLOP that would lower the loss as much;
        infinite for no such rule.
    noise
        Standard deviation of ln loss; by default it is estimated from the runs.
    law, coefs
        In place of a Fit.
    spread
        Where coefs= are known from elsewhere, their standard deviation on the real line, relative for positive ones.
    fixed
        The law's inputs that a budget does not decide, name → number.
    seed
        Of the draws.

    Returns
    -------
    Design
        The chosen rows in the order of purchase, what they cost, and the expected criterion before and after.

    Raises
    ------
    UsageError
        For numbers that are invalid, names that are unknown, and a budget that buys none of the candidates.

    Notes
    -----
    The coefs that the runs leave possible are drawn; the criterion is linearised at draws and averaged, and sets are
    chosen by gain per cost and exchange. For regret and prediction simulated refits compare the set with those of
    classical criteria, one of which takes its place where it is better by two standard errors. For prediction the
    truth is taken to depart from the law by something smooth that is about as large as the noise.

    Examples
    --------
    >>> candidates = {"params": np.geomspace(1e8, 1e9, 6), "tokens": np.full(6, 1e10)}
    >>> known = {"law": "chinchilla", "coefs": "besiroglu2024"}
    >>> chosen = js.design(candidates=candidates, budget=5e19, target=1e23, criterion="d-optimal", **known)
    >>> chosen.cost <= 5e19
    True
    """
    source = drawn_from(source)
    replicates, source = (source, source.fit) if isinstance(source, Ensemble) else (None, source)
    law, evidence, prior, space, starts = known_runs(source, law, coefs, spread)
    flops, region, beside = wanted(law, target, fixed)
    criterion = criterion if criterion is not None else "regret" if region is None else "prediction"
    if criterion not in CRITERIA:
        raise UsageError(unknown("criterion", criterion, CRITERIA))
    if region is not None and criterion in ("regret", "n-opt"):
        raise UsageError(REGION_ONLY.format(criterion=criterion))
    budget = positive("budget", budget)
    noise = None if noise is None else positive("noise", noise)
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise UsageError(BAD_SEED.format(seed=seed))
    columns = candidate_columns(law, candidates)
    prices = prices_of(law, candidates, columns, costs, trunk, trunk_costs)
    if prices.cost.min() > budget:
        raise UsageError(TOO_DEAR.format(budget=budget, cheapest=prices.cost.min()))
    draws = 0 if criterion in AT_POINT or replicates is not None else POINTS if criterion == "log-uniform" else DRAWS
    believed = posterior(law, evidence, prior, space=space, noise=noise, starts=starts, draws=draws, seed=int(seed))
    inputs = tuple(columns[name] for name in law.inputs)
    question = DesignProblem(law, evidence, prior, believed, inputs, space, flops, region, beside)
    if criterion in ("regret", "n-opt") and not question.optima(believed.point[None]).slope.any():
        raise UsageError(NO_INSIDE.format(law=law.name))
    if replicates is not None:
        question = of_replicates(question, replicates, criterion, draws=DRAWS, seed=int(seed))
    choice, proposal, judged = _chosen(question, criterion, prices, budget, int(seed))
    rate = _worth(question, criterion, worth, costs is None)
    kept = _worthwhile(choice, rate)
    reported = factors_of(question, _shown(criterion, region))
    assumed = [ASSUMED_NOISE.format(noise=NOISE)] if noise is None and source is None else []
    assumed += [ASSUMED_SPREAD.format(spread=spread)] if source is None else []
    assumed += [ASSUMED_WORTH] if worth is None and np.isfinite(rate) else []
    assumed += told(replicates) if replicates is not None else []
    stopped = STOPPED_WORTH if kept < len(choice.places) else STOPPED_SPENT
    return Design(
        law=law,
        criterion=criterion,
        rows=np.array(choice.places[:kept], dtype=np.int64),
        costs=np.array(choice.costs[:kept]),
        path=np.array(choice.path[: kept + 1]),
        unit=UNITS[_shown(criterion, region)],
        values=reported.falls(reported.start()) / prices.cost,
        prices=prices.cost,
        columns=columns,
        budget=budget,
        noise=believed.noise,
        stopped=STOPPED_ALL if kept == len(prices.cost) else stopped,
        worth=rate,
        proposal=proposal,
        judged=judged,
        assumed=tuple(assumed),
    )


def _shown(criterion: str, region: object) -> str:
    """Return the criterion in which a choice is reported: what a set that is even in cost was not chosen for."""
    if criterion == "log-uniform":
        return "regret" if region is None else "prediction"
    return criterion


def _chosen(
    question: DesignProblem, criterion: str, prices: Prices, budget: float, seed: int
) -> tuple[Purchases, str, dict[str, float]]:
    """Return the set, whose proposal it is, and what simulated refits made of every proposal."""
    shown = factors_of(question, _shown(criterion, question.region))
    if criterion == "log-uniform":
        return ordered(shown, prices, _even(prices, budget, seed)), criterion, {}
    if criterion not in ("regret", "prediction"):
        return chosen_set(shown, prices, budget), criterion, {}
    classical = "n-opt" if criterion == "regret" else "v-optimal"
    proposals = {
        criterion: shown,
        f"{criterion}, regressed": factors_of(question, criterion, is_regressed=True),
        classical: factors_of(question, classical),
        "d-optimal": factors_of(question, "d-optimal"),
    }
    sets = {name: chosen_set(factors, prices, budget).places for name, factors in proposals.items()}
    values = simulated(as_sure(question), list(sets.values()), seed=seed)
    judged = {name: float(value.mean()) for name, value in zip(sets, values, strict=True)}
    gains = values[0] - values  # the same truths and noise for all: paired
    errors = gains.std(axis=1, ddof=1) / np.sqrt(gains.shape[1])
    surely = np.where(gains.mean(axis=1) > SURELY * errors, gains.mean(axis=1), 0.0)
    best = list(sets)[int(np.argmax(surely))]
    return ordered(shown, prices, sets[best]), best, judged


def _even(prices: Prices, budget: float, seed: int) -> list[int]:
    """Return runs within a budget, in turn from eighths of the range of ln cost, at random in each."""
    order = np.random.default_rng([seed, 2]).permutation(len(prices.cost))
    scale = np.log(prices.cost)
    step = max(float(np.ptp(scale)), 1e-12) / 8.0
    part = np.minimum((scale - scale.min()) // step, 7.0)
    taken: list[int] = []
    while True:
        before = len(taken)
        for place in np.unique(part)[::-1]:
            fits = (int(one) for one in order if part[one] == place and one not in taken)
            one = next((one for one in fits if prices.total([*taken, one]) <= budget), None)
            taken += [] if one is None else [one]
        if len(taken) == before:
            return taken


def _worth(question: DesignProblem, criterion: str, worth: float | None, is_flops: bool) -> float:
    """Return what a unit of the criterion is worth, in the unit of the costs; NaN for no stopping rule."""
    if worth is not None:
        given = np.asarray(worth)
        if given.ndim or given.dtype.kind not in "iuf" or np.isnan(given) or given < 0:
            raise UsageError(BAD_WORTH.format(worth=worth))
        return float(given) if np.isfinite(given) else float("nan")
    if criterion != "regret" or not is_flops or question.flops is None:
        return float("nan")
    optima = question.optima(question.believed.point[None])
    return float(np.mean(question.flops / np.maximum(optima.per_flops[0], 1e-300)))


def _worthwhile(choice: Purchases, worth: float) -> int:
    """Return how many runs to buy: those after which worth times the fall of the criterion, less cost, is greatest."""
    if np.isnan(worth):
        return len(choice.places)
    gained = worth * (choice.path[0] - np.array(choice.path)) - np.concatenate([[0.0], np.cumsum(choice.costs)])
    return int(np.argmax(gained))
