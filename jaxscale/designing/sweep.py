"""A sweep to begin with, before there are any runs: how many budgets, how many sizes on each, and how far apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np

from jaxscale.costs.training import cost_under
from jaxscale.designing.asking import SPREAD, known_runs, positive, wanted
from jaxscale.designing.criteria import DesignProblem, factors_of
from jaxscale.designing.posterior import NOISE, posterior
from jaxscale.errors import UsageError
from jaxscale.laws import Law

DRAWS = 64
"""Draws of the coefs."""
BUDGETS, SIZES, RATIOS, DECADES = (2, 3, 4, 6), (3, 4, 5, 7, 9), (2.0, 4.0, 8.0, 16.0), (1.0, 2.0, 3.0)
"""What is tried: budgets, sizes on each, the factor from the best size to the outermost, decades from first to last."""
NOT_COUNTS = "{name} = {value!r} are no counts of two or more"
NOT_RATIOS = "{name} = {value!r} are no finite numbers above {least:g}"


@dataclass(frozen=True)
class Sweep:
    """A sweep of sizes on several budgets.

    Attributes
    ----------
    params, tokens, flops
        (n,) of the runs, from the smallest budget to the largest.
    budgets, sizes
        How many budgets, and how many sizes on each.
    ratio
        Factor from the size that is expected best to the outermost.
    decades
        Decades of compute from the first budget to the last.
    cost
        FLOP of all runs together.
    before, after
        Expected regret of the plan without the sweep and after it, nats per token.
    tried
        Every sweep that was compared: budgets, sizes, ratio, decades and the expected regret after it.

    Examples
    --------
    >>> first = js.designing.sweep("chinchilla", "besiroglu2024", budget=1e20, target=1e24)
    >>> len(first.params) == first.budgets * first.sizes and first.after < first.before
    True
    """

    params: np.ndarray
    tokens: np.ndarray
    flops: np.ndarray
    budgets: int
    sizes: int
    ratio: float
    decades: float
    cost: float
    before: float
    after: float
    tried: tuple[tuple[int, int, float, float, float], ...]


def sweep(
    law: Law | str,
    coefs: Mapping[str, float] | str,
    *,
    budget: float,
    target: float | Sequence[float],
    spread: float = SPREAD,
    noise: float = NOISE,
    budgets: Sequence[int] = BUDGETS,
    sizes: Sequence[int] = SIZES,
    ratios: Sequence[float] = RATIOS,
    decades: Sequence[float] = DECADES,
    fixed: Mapping[str, float] | None = None,
    seed: int = 0,
) -> Sweep:
    """Return the sweep of least expected regret at the target, of those that cost the budget.

    Parameters
    ----------
    law, coefs
        A law that trades params for tokens, and its coefs, or the name of a published set.
    budget
        What the sweep may cost, in FLOP.
    target
        Budgets of the plans, in FLOP.
    spread
        How well the coefs are known: a standard deviation on the real line, relative for positive ones.
    noise
        Standard deviation of ln loss.
    budgets, sizes, ratios, decades
        What is tried: numbers of budgets, of sizes on each, factors from the best size to the outermost, and decades of
        compute between the first budget and the last. Every combination costs the whole budget.
    fixed
        The law's other inputs, name → number.
    seed
        Of the draws.

    Returns
    -------
    Sweep
        The runs, and the expected regret of every sweep that was tried.

    Raises
    ------
    UsageError
        For numbers that are invalid, and a law without a trade-off.

    Examples
    --------
    >>> first = js.designing.sweep("chinchilla", "besiroglu2024", budget=1e20, target=1e24)
    >>> bool(np.isclose(first.cost, 1e20))
    True
    """
    law, evidence, prior, space, _ = known_runs(None, law, coefs, spread)
    flops, _, beside = wanted(law, target, fixed)
    budget, noise = positive("budget", budget), positive("noise", noise)
    _check(budgets, sizes, ratios, decades)
    believed = posterior(law, evidence, prior, space=space, noise=noise, draws=DRAWS, seed=seed)
    question = DesignProblem(law, evidence, prior, believed, (), space, flops, None, beside)
    designs = list(product(budgets, sizes, ratios, decades))
    runs = [_runs(question, budget, *one) for one in designs]
    lengths = np.cumsum([0, *(len(params) for params, _ in runs)])
    columns = _columns(question, *(np.concatenate(parts) for parts in zip(*runs, strict=True)))
    factors = factors_of(_asked(question, columns), "regret")
    after = [factors.criterion(factors.after(range(*ends))) for ends in pairwise(lengths)]
    best = int(np.argmin(after))
    params, compute = runs[best]
    tried = tuple((*one, float(value)) for one, value in zip(designs, after, strict=True))
    tokens = compute / (_price(question) * params)
    before = factors.criterion(factors.start())
    return Sweep(params, tokens, compute, *designs[best], float(compute.sum()), before, after[best], tried)


def _asked(question: DesignProblem, columns: tuple[np.ndarray, ...]) -> DesignProblem:
    known = (question.law, question.evidence, question.prior, question.believed, columns, question.space)
    return DesignProblem(*known, question.flops, question.region, question.fixed)


def _price(question: DesignProblem) -> float:
    """Return the FLOP of a param per token."""
    cost, fixed = cost_under(question.law), question.fixed or {}
    return float(cost.per_param_token(**{name: fixed[name] for name in cost.inputs}))


def _runs(
    question: DesignProblem, budget: float, count: int, sizes: int, ratio: float, decades: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return params and FLOP (count · sizes,) of a sweep around the sizes that are expected best."""
    steps = np.geomspace(1.0, 10.0**decades, count)
    budgets = budget / (sizes * steps.sum()) * steps
    known = (question.law, question.evidence, question.prior, question.believed, (), question.space)
    # the best size is very nearly a power of the budget between the ends that are asked for here
    ends = DesignProblem(*known, np.array([budget * 1e-5, budget]), None, question.fixed)
    low, high = ends.optima(question.believed.point[None]).log_params[0]
    share = np.log(budgets / (budget * 1e-5)) / np.log(1e5)
    centre = low + share * (high - low)
    offsets = np.linspace(-np.log(ratio), np.log(ratio), sizes)
    return np.exp((centre[:, None] + offsets).reshape(-1)), np.repeat(budgets, sizes)


def _columns(question: DesignProblem, params: np.ndarray, flops: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the law's inputs (n,) of runs."""
    tokens = flops / (_price(question) * params)
    sizes = {"params": params, "tokens": tokens, "flops": flops, "tokens_per_param": tokens / params}
    every = {**{name: np.full_like(params, value) for name, value in (question.fixed or {}).items()}, **sizes}
    return tuple(every[name] for name in question.law.inputs)


def _check(budgets: Sequence[int], sizes: Sequence[int], ratios: Sequence[float], decades: Sequence[float]) -> None:
    for name, counts in (("budgets", budgets), ("sizes", sizes)):
        given = np.asarray(counts)
        if given.ndim != 1 or not given.size or given.dtype.kind not in "iu" or (given < 2).any():
            raise UsageError(NOT_COUNTS.format(name=name, value=counts))
    for name, values, least in (("ratios", ratios, 1.0), ("decades", decades, 0.0)):
        given = np.asarray(values)
        if given.ndim != 1 or not given.size or given.dtype.kind not in "iuf" or not (given > least).all():
            raise UsageError(NOT_RATIOS.format(name=name, value=values, least=least))
        if not np.isfinite(given).all():
            raise UsageError(NOT_RATIOS.format(name=name, value=values, least=least))
