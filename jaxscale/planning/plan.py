"""`js.plan`: the best params and tokens within limits, of a fit, of an ensemble, or of published coefs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import jax
import numpy as np
from numpy.typing import ArrayLike

from jaxscale.allocation.findings import check_plannable
from jaxscale.allocation.frontier import in_chunks
from jaxscale.allocation.inputs import given_law, run_columns
from jaxscale.costs import Cost
from jaxscale.costs.spec import Amounts
from jaxscale.laws import Law, predict_with
from jaxscale.planning.inputs import Coordinate
from jaxscale.planning.limits import Limit
from jaxscale.planning.planned import Planned, each_missed, each_planned
from jaxscale.planning.question import PlanQuestion, question_of
from jaxscale.planning.spending import LARGEST, REACHED
from jaxscale.results import Ensemble, Fit, Study
from jaxscale.results.kinds import drawn_from
from jaxscale.results.plan import TARGET, UNIQUE, Plan, PlanStatus
from jaxscale.results.samples import check_drawn


def plan(
    source: Study | Fit | Ensemble | None = None,
    *,
    flops: float | Sequence[float] | np.ndarray | None = None,
    inference_tokens: float = 0.0,
    unique_tokens: float | None = None,
    limits: Sequence[Limit] = (),
    loss: float | None = None,
    least: Cost | str | None = None,
    law: Law | str | None = None,
    coefs: Mapping[str, float] | str | None = None,
    fixed: Mapping[str, float] | None = None,
    choose: Mapping[str, tuple[float, float]] | None = None,
) -> Plan:
    """Return the params and tokens of the least loss within limits, or of the least cost that reaches a loss.

    Parameters
    ----------
    source
        A Study, of which its replicates are taken where these are usable, else its fit; a Fit, an Ensemble, or None
        with law= and coefs=.
    flops
        The budget of training, and of serving where there is any, in FLOP; or several, (b,), with a plan of each.
    inference_tokens
        Tokens that the model will serve once it is trained: 2 N FLOP each, out of the budget.
    unique_tokens
        How many different tokens there are. More are repeated and worth less (Muennighoff et al. 2023).
    limits
        From `js.planning.at_most` and `at_least`.
    loss
        The loss to reach, in nats per token; the cost is then minimised.
    least
        Which cost that is: a Cost without inputs of its own, or its name; the FLOP of training and serving by default.
    law, coefs
        In place of a source: a law, and its coefs, name → number, or the name of a published set.
    fixed
        The law's inputs that are neither params nor tokens, name → number.
    choose
        Inputs of the law, or of the limits' costs, that are chosen as params and tokens are: name → (least, most).

    Returns
    -------
    Plan
        Scalars for one set of coefs, (R,) for an Ensemble, (b,) and (R, b) for several budgets; with a status, and
        where there is no plan, why.

    Raises
    ------
    UsageError
        For amounts that are impossible, a law without a trade-off, and an input that is not fixed.
    RunsError
        For a table whose numbers are not what they are taken for.

    Examples
    --------
    >>> limits = [js.planning.at_most("params", 7e9)]
    >>> best = js.plan(law="chinchilla", coefs="besiroglu2024", flops=1e24, inference_tokens=1e12, limits=limits)
    >>> print(f"{best.params:.3g} params, {best.tokens:.3g} tokens; what binds: {', '.join(best.binding)}")
    7e+09 params, 2.35e+13 tokens; what binds: lifetime at most, params at most
    """
    fixed = source.at if fixed is None and isinstance(source, Study) else fixed
    source = drawn_from(source)
    fit = source.fit if isinstance(source, Ensemble) else source
    law, coefs = given_law(fit, law, coefs, verb="plan", kinds="a Study, a Fit, an Ensemble")
    if fit is not None:
        check_plannable(fit)
    question = question_of(
        law,
        flops=flops,
        inference_tokens=inference_tokens,
        unique_tokens=unique_tokens,
        limits=limits,
        loss=loss,
        least=least,
        fixed=fixed,
        choose=choose,
    )
    sets = law.vector(coefs)[None]
    if isinstance(source, Ensemble):  # with its replicates, since the point alone would need a program of its own
        sets = np.concatenate([sets, coef_sets(source)])
    found = in_chunks(each_planned, question.spending, (sets,), question.budgets, question.given)
    status, conflicts = _statuses(question, found, sets)
    point = _shown(question, coefs, jax.tree.map(lambda leaf: leaf[:1], found), status[:1], np.ones(1, bool))
    conflict = tuple(name for name, takes_part in zip(question.names, conflicts, strict=True) if takes_part)
    point = replace(_first(point), conflict=conflict)
    if not isinstance(source, Ensemble):
        return point
    whole = _shown(question, coefs, jax.tree.map(lambda leaf: leaf[1:], found), status[1:], source.usable)
    return replace(whole, at_point=point)


def coef_sets(ensemble: Ensemble) -> np.ndarray:
    """Return the coefs of every replicate (R, p), in the law's order; raise UsageError for those of a jackknife."""
    check_drawn(ensemble.scheme)
    return np.stack([ensemble.coefs[name] for name in ensemble.fit.law.names], axis=1)


def _shown(
    question: PlanQuestion, coefs: Mapping[str, float], found: Planned, status: np.ndarray, usable: np.ndarray
) -> Plan:
    """Return the plans of what was found, fields (R, b, …), with statuses (R, b); usable: (R,).

    coefs: of the point fit.
    """
    spending, given = question.spending, question.given
    is_optimal = (status == PlanStatus.OPTIMAL) & usable[:, None]
    x, loss = np.where(is_optimal[..., None], found.x, np.nan), np.where(is_optimal, found.loss, np.nan)
    params, tokens = np.exp(x[..., 0]), np.exp(x[..., 1])
    goal, count = spending.goal, len(spending.limits)

    def spent(cost: Cost, inputs: Mapping[str, float]) -> np.ndarray:
        amount: np.ndarray = cost.amount(params, tokens, **question.taken(cost, inputs, x, loss))
        return amount

    cost = np.full(params.shape, np.nan) if goal is None else spent(goal, given.inputs[-1])
    unit = np.where(is_optimal, 1.0, np.nan) if goal is None else cost
    caps = (question.budgets, *given.caps[1:]) if spending.has_budgets else given.caps
    worth: dict[str, np.ndarray] = {
        name: (-1.0 if is_least else 1.0) * np.asarray(found.multipliers)[..., at] / cap * unit
        for at, (name, (_, is_least), cap) in enumerate(zip(question.names, spending.limits, caps, strict=False))
    }
    used: dict[str, np.ndarray] = {name: spent(cost, one) for name, (cost, _), one in _limited(question)}
    if goal is not None:
        worth[TARGET] = np.asarray(found.multipliers)[..., count] / given.target * unit
    if spending.repeats:
        worth[UNIQUE] = np.asarray(found.unique) * unit
    inputs = question.inputs_at(x)
    for at, name in enumerate(question.at_ends):
        one, ends, is_most = spending.chosen[at // 2], given.ends[at // 2], at % 2
        sign = 1.0 if is_most else -1.0
        slope = one.coordinate.slope(ends[is_most], ends)
        worth[name] = sign * _of_end(question, found, at) * slope * unit
        used[name] = inputs[one.name]

    def shaped(array: np.ndarray) -> np.ndarray:
        return array[:, 0] if question.is_one else array

    return Plan(
        law=question.law,
        coefs=dict(coefs),
        params=shaped(params),
        tokens=shaped(tokens),
        inputs={name: shaped(one) for name, one in inputs.items()},
        loss=shaped(loss),
        cost=shaped(cost),
        unit="nats per token" if goal is None else goal.unit,
        multipliers={name: shaped(value) for name, value in worth.items()},
        limits=dict(question.caps),
        spent={name: shaped(one) for name, one in used.items()},
        floors=(*(name for name, (_, is_least), _ in _limited(question) if is_least), *question.at_ends[::2]),
        amounts={name: _amount(question, cost, one, coefs, x[0, 0]) for name, (cost, _), one in _limited(question)},
        status=shaped(status),
        residual=shaped(np.asarray(found.certificate.residual)),
        assumed=question.assumed,
    )


def _limited(question: PlanQuestion) -> Iterator[tuple[str, tuple[Cost, bool], Mapping[str, float]]]:
    """Yield the name of each limit, its cost and whether the cap is the least amount, and what is given with it."""
    yield from zip(question.names, question.spending.limits, question.given.inputs, strict=False)


def _of_end(question: PlanQuestion, found: Planned, at: int) -> np.ndarray:
    """Return the multiplier (R, b) of one of the ends of the chosen inputs; the coordinates of some run backwards."""
    chosen = question.spending.chosen[at // 2]
    place = at ^ 1 if chosen.coordinate is Coordinate.REST else at
    return np.asarray(found.multipliers)[..., len(question.names) - question.spending.kept + place]


def _amount(
    question: PlanQuestion, cost: Cost, inputs: Mapping[str, float], coefs: Mapping[str, float], x: np.ndarray
) -> Callable[[Amounts, Amounts], Amounts]:
    """Return amount(params, tokens) of a cost with the inputs of one plan x (n,), in NumPy."""
    law = question.law

    def amount(params: Amounts, tokens: Amounts) -> Amounts:
        loss = None
        if REACHED in cost.inputs:
            known: dict[str, ArrayLike] = {
                **question.values,
                **question.inputs_at(x),
                "params": params,
                "tokens": tokens,
            }
            loss = predict_with(law, coefs, run_columns(law, known))
        return cost.amount(params, tokens, **question.taken(cost, inputs, x, loss))

    return amount


def _first(plan: Plan) -> Plan:
    """Return the plan of the first set of coefs, without its axis."""
    return replace(
        plan,
        params=plan.params[0],
        tokens=plan.tokens[0],
        inputs={name: one[0] for name, one in plan.inputs.items()},
        loss=plan.loss[0],
        cost=plan.cost[0],
        status=np.asarray(plan.status)[0],
        residual=plan.residual[0],
        multipliers={name: one[0] for name, one in plan.multipliers.items()},
        spent={name: one[0] for name, one in plan.spent.items()},
    )


def _statuses(question: PlanQuestion, found: Planned, sets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the statuses (R, b) of what was found for sets of coefs (R, p), each a PlanStatus.

    And which constraints (m,) stand against one another in the first set at the first budget.
    """
    is_met, multipliers = np.asarray(found.certificate.is_met), np.asarray(found.multipliers)
    is_large = (np.asarray(found.x)[..., :2] >= LARGEST - 1.0).any(axis=-1)
    is_endless = (multipliers[..., question.spending.endless] > 0).any(axis=-1) | is_large
    status = np.full(is_met.shape, PlanStatus.STALLED, dtype=object)
    status[is_met] = PlanStatus.OPTIMAL
    is_none, conflicts = np.zeros(is_met.shape, bool), np.zeros(multipliers.shape[-1], bool)
    lost = np.flatnonzero(~is_met.all(axis=1))
    if len(lost):
        missed = in_chunks(each_missed, question.spending, (sets[lost],), question.budgets, question.given)
        is_none[lost] = missed.is_none
        conflicts = np.asarray(missed.conflicts)[0, 0] if lost[0] == 0 else conflicts
    is_none &= ~is_met
    status[is_none] = PlanStatus.INFEASIBLE
    status[is_endless & ~is_none] = PlanStatus.UNLIMITED
    return status, conflicts
