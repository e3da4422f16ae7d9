"""`js.plan`: the best params and tokens within limits, of a fit, of an ensemble, or of published coefs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import jax
import numpy as np

from jaxscale.allocation.findings import check_plannable
from jaxscale.allocation.frontier import in_chunks
from jaxscale.allocation.inputs import check_trade_off, fixed_values, given_law
from jaxscale.costs import COSTS, Cost
from jaxscale.costs.training import cost_under, fixed_inputs
from jaxscale.errors import UsageError
from jaxscale.laws import Law
from jaxscale.planning.limits import Limit, at_most, is_number
from jaxscale.planning.spending import (
    LARGEST,
    WITHIN,
    Planned,
    PlanNumbers,
    Spending,
    each_missed,
    each_planned,
)
from jaxscale.results import Ensemble, Fit
from jaxscale.results.plan import Plan, PlanStatus

EPOCHS = 15.387756
"""R_D of Muennighoff et al. 2023 (arXiv 2305.16264): a repeated token is worth e^(-1) after about so many epochs."""
ENDS = ("params at least 1", "tokens at least 1", "params without end", "tokens without end")
TARGET = "loss at most"

NOTHING_ASKED = "plan needs flops=, limits= or loss=: without any there is nothing to decide"
TWO_UNITS = "least = {least!r} is minimised only where loss= says what is to be reached"
BAD_LOSS = "loss = {loss!r} is no positive, finite number of nats per token"
REPEATED = (
    "tokens beyond {unique:.4g} unique ones are repeated, and worth less: by 1/e after {epochs:g} epochs "
    "(Muennighoff et al. 2023), which this law was not fitted to"
)
SERVED = "serving {tokens:.4g} tokens is counted in the budget at 2 N FLOP a token"
OWN_PRICE = "inference_tokens: '{law}' prices training by a rule of its own, and none for serving is known"
GOAL_INPUTS = "least: the cost '{name}' takes {inputs}, which are not known; give one without inputs"
TAKES_UNIQUE = "law '{law}' takes unique_tokens itself: fix it, fixed={{'unique_tokens': …}}"


def plan(
    source: Fit | Ensemble | None = None,
    *,
    flops: float | None = None,
    inference_tokens: float = 0.0,
    unique_tokens: float | None = None,
    limits: Sequence[Limit] = (),
    loss: float | None = None,
    least: Cost | str | None = None,
    law: Law | str | None = None,
    coefs: Mapping[str, float] | str | None = None,
    fixed: Mapping[str, float] | None = None,
) -> Plan:
    """Return the params and tokens of the least loss within limits, or of the least cost that reaches a loss.

    Parameters
    ----------
    source
        A Fit, an Ensemble, or None with law= and coefs=.
    flops
        The budget of training, and of serving where there is any, in FLOP.
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

    Returns
    -------
    Plan
        Scalars for one set of coefs, (R,) for an Ensemble; with a status, and where there is no plan, why.

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
    fit = source.fit if isinstance(source, Ensemble) else source
    law, coefs = given_law(fit, law, coefs, verb="plan", kinds="a Fit, an Ensemble")
    if fit is not None:
        check_plannable(fit)
    check_trade_off(law)
    values = fixed_values(law, fixed)
    every, assumed = list(limits), []
    spent, serving = _spending_cost(law, values, inference_tokens)
    assumed += [SERVED.format(tokens=inference_tokens)] if inference_tokens else []
    if flops is not None:
        every.insert(0, replace(at_most("6nd", flops), cost=spent, inputs=serving))
    goal, target = _goal(loss, least, spent)
    if not every and goal is None:
        raise UsageError(NOTHING_ASKED)
    if unique_tokens is not None:
        if "unique_tokens" in law.inputs:
            raise UsageError(TAKES_UNIQUE.format(law=law.name))
        unique_tokens = at_most("tokens", unique_tokens).cap
        assumed.append(REPEATED.format(unique=unique_tokens, epochs=EPOCHS))
    spending = Spending(law, tuple((one.cost, one.is_least) for one in every), goal, repeats=unique_tokens is not None)
    given = PlanNumbers(
        (),
        tuple(np.float64(values[name]) for name in fixed_inputs(law)),
        tuple(np.float64(one.cap) for one in every),
        (*({name: np.float64(value) for name, value in one.inputs.items()} for one in every), _floats(serving)),
        np.float64(target),
        (np.float64(unique_tokens or 1.0), np.float64(EPOCHS)),
    )
    sets = law.vector(coefs)[None]
    if isinstance(source, Ensemble):
        sets = np.concatenate([sets, np.stack([source.coefs[name] for name in law.names], axis=1)])
    found = in_chunks(each_planned, spending, (sets,), given)
    names = _names(every, goal)
    point = _plan(law, coefs, spending, given, names, jax.tree.map(lambda leaf: leaf[0], found), sets[0])
    caps = {name: one.cap for name, one in zip(names, every, strict=False)}
    point = replace(point, assumed=tuple(assumed), limits=caps)
    if not isinstance(source, Ensemble):
        return point
    rest = jax.tree.map(lambda leaf: leaf[1:], found)
    whole = _plan(law, coefs, spending, given, names, rest, sets[1:], usable=source.usable)
    return replace(whole, at_point=point, assumed=point.assumed, limits=point.limits)


def _spending_cost(law: Law, values: Mapping[str, float], inference_tokens: float) -> tuple[Cost, dict[str, float]]:
    """Return the FLOP of training under a law, and of serving where there is any, with the inputs they take."""
    training = cost_under(law)
    inputs = {name: values[name] for name in training.inputs}
    if inference_tokens == 0:
        return training, inputs
    served = at_most("lifetime", 1.0, inference_tokens=inference_tokens)
    if training.inputs:
        raise UsageError(OWN_PRICE.format(law=law.name))
    return served.cost, dict(served.inputs)


def _goal(loss: float | None, least: Cost | str | None, spent: Cost) -> tuple[Cost | None, float]:
    """Return the cost to be minimised and the loss to reach; None and 1 where the loss itself is minimised."""
    if loss is None:
        if least is not None:
            raise UsageError(TWO_UNITS.format(least=least))
        return None, 1.0
    if not is_number(loss) or not loss > 0:
        raise UsageError(BAD_LOSS.format(loss=loss))
    goal = spent if least is None else COSTS.resolve(least)
    if least is not None and goal.inputs:
        raise UsageError(GOAL_INPUTS.format(name=goal.name, inputs=", ".join(goal.inputs)))
    return goal, float(loss)


def _floats(inputs: Mapping[str, float]) -> dict[str, np.float64]:
    return {name: np.float64(value) for name, value in inputs.items()}


def _names(limits: Sequence[Limit], goal: Cost | None) -> tuple[str, ...]:
    """Return the names of all constraints, numbered where one comes twice."""
    names = [one.name for one in limits]
    names = [f"{name} ({at + 1})" if names.count(name) > 1 else name for at, name in enumerate(names)]
    return (*names, *([] if goal is None else [TARGET]), *ENDS)


def _plan(
    law: Law,
    coefs: Mapping[str, float],
    spending: Spending,
    given: PlanNumbers,
    names: tuple[str, ...],
    found: Planned,
    sets: np.ndarray,
    usable: np.ndarray | None = None,
) -> Plan:
    """Return the plan of what was found: of one set of coefs (p,), or of many (R, p) of which some are usable."""
    x, multipliers = np.asarray(found.x), np.asarray(found.multipliers)
    status, conflict = _statuses(spending, given, names, found, np.atleast_2d(sets))
    is_optimal = status == PlanStatus.OPTIMAL.value
    if usable is not None:
        is_optimal &= usable
    is_optimal = is_optimal.reshape(np.shape(found.loss))
    params, tokens = np.where(is_optimal[..., None], np.exp(x), np.nan).T
    with np.errstate(invalid="ignore"):
        amounts = [
            cost.amount(params, tokens, **inputs)
            for (cost, _), inputs in zip(spending.limits, given.inputs[: len(spending.limits)], strict=True)
        ]
        goal = spending.goal
        cost = np.full(params.shape, np.nan) if goal is None else goal.amount(params, tokens, **given.inputs[-1])
    worth = {}
    for at, (name, (_, is_least), cap) in enumerate(zip(names, spending.limits, given.caps, strict=False)):
        sign = -1.0 if is_least else 1.0
        worth[name] = np.where(is_optimal, sign * multipliers[..., at] / cap * (1.0 if goal is None else cost), np.nan)
    if goal is not None:
        worth[TARGET] = np.where(is_optimal, multipliers[..., len(spending.limits)] / given.target * cost, np.nan)
    return Plan(
        law=law,
        coefs=dict(coefs),
        params=params[()],
        tokens=tokens[()],
        loss=np.where(is_optimal, found.loss, np.nan)[()],
        cost=cost[()],
        unit="nats per token" if goal is None else goal.unit,
        multipliers=worth,
        limits={},
        spent=dict(zip(names, amounts, strict=False)),
        status=PlanStatus(status[0]) if usable is None else np.array([PlanStatus(one) for one in status]),
        conflict=conflict,
        residual=np.asarray(found.certificate.residual)[()],
    )


def _statuses(
    spending: Spending, given: PlanNumbers, names: tuple[str, ...], found: Planned, sets: np.ndarray
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the statuses (R,) as text, and the names of the limits that stand against one another in the first."""
    is_met = np.atleast_1d(found.certificate.is_met)
    is_endless = np.atleast_2d(found.multipliers)[:, -2:].max(axis=1) > 0
    is_endless |= np.atleast_2d(found.x).max(axis=1) >= LARGEST - 1.0
    status = np.where(is_met & ~is_endless, "optimal", np.where(is_endless, "unlimited", "stalled")).astype(object)
    lost = np.flatnonzero(~is_met)
    conflict: tuple[str, ...] = ()
    if len(lost):
        missed = in_chunks(each_missed, spending, (sets[lost],), given)
        is_none = missed.excess > WITHIN
        status[lost[is_none]] = "infeasible"
        if lost[0] == 0 and is_none[0]:
            conflict = tuple(name for name, takes_part in zip(names, missed.conflicts[0], strict=True) if takes_part)
    return status, conflict
