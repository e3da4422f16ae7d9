"""`js.plan`: the best params and tokens within limits, of a fit, of an ensemble, or of published coefs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import jax
import numpy as np

from jaxscale.allocation.findings import check_plannable
from jaxscale.allocation.frontier import checked_budgets, in_chunks
from jaxscale.allocation.inputs import check_trade_off, fixed_values, given_law
from jaxscale.costs import COSTS, Cost
from jaxscale.costs.training import cost_under, fixed_inputs
from jaxscale.errors import UsageError
from jaxscale.laws import LAWS, Law
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

EPOCHS = LAWS.resolve("data-constrained").constants("muennighoff2023")["R_D"]
"""After about so many epochs a repeated token is worth e^(-1) of a new one (Muennighoff et al. 2023)."""
ENDS = ("params at least 1", "tokens at least 1", "params without end", "tokens without end")
TARGET = "loss at most"

NOTHING_ASKED = "plan needs flops=, limits= or loss=: without any there is nothing to decide"
TWO_UNITS = "least = {least!r} is minimised only where loss= says what is to be reached"
BAD_UNIQUE = "unique_tokens = {unique!r} is no positive, finite number of tokens"
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
    flops: float | Sequence[float] | np.ndarray | None = None,
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
    fit = source.fit if isinstance(source, Ensemble) else source
    law, coefs = given_law(fit, law, coefs, verb="plan", kinds="a Fit, an Ensemble")
    if fit is not None:
        check_plannable(fit)
    check_trade_off(law)
    values = fixed_values(law, fixed)
    every, assumed = list(limits), []
    spent, serving = _spending_cost(law, values, inference_tokens)
    assumed += [SERVED.format(tokens=inference_tokens)] if inference_tokens else []
    budgets = np.ones(1)
    if flops is not None:
        budgets = checked_budgets(flops)
        every.insert(0, Limit(spent, float(budgets[0]), inputs=serving))
    goal, target = _goal(loss, least, spent)
    goal_inputs = serving if goal is spent else {}
    if not every and goal is None:
        raise UsageError(NOTHING_ASKED)
    if unique_tokens is not None:
        if "unique_tokens" in law.inputs:
            raise UsageError(TAKES_UNIQUE.format(law=law.name))
        if not is_number(unique_tokens) or not unique_tokens > 0:
            raise UsageError(BAD_UNIQUE.format(unique=unique_tokens))
        assumed.append(REPEATED.format(unique=unique_tokens, epochs=EPOCHS))
    kinds = tuple((one.cost, one.is_least) for one in every)
    spending = Spending(law, kinds, goal, repeats=unique_tokens is not None, has_budgets=flops is not None)
    given = PlanNumbers(
        (),
        tuple(np.float64(values[name]) for name in fixed_inputs(law)),
        tuple(np.float64(one.cap) for one in every),
        (*({name: np.float64(value) for name, value in one.inputs.items()} for one in every), _floats(goal_inputs)),
        np.float64(target),
        (np.float64(unique_tokens or 1.0), np.float64(EPOCHS)),
    )
    sets = law.vector(coefs)[None]
    if isinstance(source, Ensemble):  # with its replicates, since the point alone would need a program of its own
        sets = np.concatenate([sets, np.stack([source.coefs[name] for name in law.names], axis=1)])
    found = in_chunks(each_planned, spending, (sets,), budgets, given)
    names, (status, conflicts) = _names(every, goal), _statuses(spending, given, budgets, found, sets)
    asked = Asked(law, dict(coefs), spending, given, budgets, names, np.ndim(flops if flops is not None else 0) == 0)
    caps: dict[str, float | np.ndarray] = {name: one.cap for name, one in zip(names, every, strict=False)}
    if flops is not None and not asked.is_one:
        caps[names[0]] = budgets
    point = asked.plan(jax.tree.map(lambda leaf: leaf[:1], found), status[:1], np.ones(1, bool))
    conflict = tuple(name for name, takes_part in zip(names, conflicts, strict=True) if takes_part)
    point = replace(_first(point), assumed=tuple(assumed), limits=caps, conflict=conflict)
    if not isinstance(source, Ensemble):
        return point
    whole = asked.plan(jax.tree.map(lambda leaf: leaf[1:], found), status[1:], source.usable)
    return replace(whole, at_point=point, assumed=point.assumed, limits=caps)


@dataclass(frozen=True)
class Asked:
    """What a plan was asked for.   names: of all constraints.   is_one: a single budget, or none: no axis of them."""

    law: Law
    coefs: Mapping[str, float]
    spending: Spending
    given: PlanNumbers
    budgets: np.ndarray
    names: tuple[str, ...]
    is_one: bool

    def plan(self, found: Planned, status: np.ndarray, usable: np.ndarray) -> Plan:
        """Return the plans of what was found, fields (R, b, …), with statuses (R, b); usable: (R,)."""
        spending, given = self.spending, self.given
        is_optimal = (status == PlanStatus.OPTIMAL) & usable[:, None]
        params, tokens = np.moveaxis(np.where(is_optimal[..., None], np.exp(found.x), np.nan), -1, 0)
        goal, count = spending.goal, len(spending.limits)
        spent = [
            cost.amount(params, tokens, **inputs)
            for (cost, _), inputs in zip(spending.limits, given.inputs[:count], strict=True)
        ]
        cost = np.full(params.shape, np.nan) if goal is None else goal.amount(params, tokens, **given.inputs[-1])
        unit = np.where(is_optimal, 1.0, np.nan) if goal is None else cost
        caps = (self.budgets, *given.caps[1:]) if spending.has_budgets else given.caps
        worth = {
            name: (-1.0 if is_least else 1.0) * found.multipliers[..., at] / cap * unit
            for at, (name, (_, is_least), cap) in enumerate(zip(self.names, spending.limits, caps, strict=False))
        }
        if goal is not None:
            worth[TARGET] = found.multipliers[..., count] / given.target * unit

        def shaped(array: np.ndarray) -> np.ndarray:
            return array[:, 0] if self.is_one else array

        return Plan(
            law=self.law,
            coefs=dict(self.coefs),
            params=shaped(params),
            tokens=shaped(tokens),
            loss=shaped(np.where(is_optimal, found.loss, np.nan)),
            cost=shaped(cost),
            unit="nats per token" if goal is None else goal.unit,
            multipliers={name: shaped(value) for name, value in worth.items()},
            limits={},
            spent={name: shaped(amount) for name, amount in zip(self.names, spent, strict=False)},
            status=shaped(status),
            residual=shaped(np.asarray(found.certificate.residual)),
        )


def _first(plan: Plan) -> Plan:
    """Return the plan of the first set of coefs, without its axis."""
    return replace(
        plan,
        params=plan.params[0],
        tokens=plan.tokens[0],
        loss=plan.loss[0],
        cost=plan.cost[0],
        status=np.asarray(plan.status)[0],
        residual=plan.residual[0],
        multipliers={name: one[0] for name, one in plan.multipliers.items()},
        spent={name: one[0] for name, one in plan.spent.items()},
    )


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


def _statuses(
    spending: Spending, given: PlanNumbers, budgets: np.ndarray, found: Planned, sets: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the statuses (R, b) of what was found for sets of coefs (R, p), each a PlanStatus.

    And which constraints (m,) stand against one another in the first set at the first budget.
    """
    is_met, multipliers = np.asarray(found.certificate.is_met), np.asarray(found.multipliers)
    is_endless = (multipliers[..., -2:] > 0).any(axis=-1) | (np.asarray(found.x) >= LARGEST - 1.0).any(axis=-1)
    status = np.full(is_met.shape, PlanStatus.STALLED, dtype=object)
    status[is_met] = PlanStatus.OPTIMAL
    is_none, conflicts = np.zeros(is_met.shape, bool), np.zeros(multipliers.shape[-1], bool)
    lost = np.flatnonzero(~is_met.all(axis=1))
    if len(lost):
        missed = in_chunks(each_missed, spending, (sets[lost],), budgets, given)
        is_none[lost] = missed.excess > WITHIN
        conflicts = np.asarray(missed.conflicts)[0, 0] if lost[0] == 0 else conflicts
    is_none &= ~is_met
    status[is_none] = PlanStatus.INFEASIBLE
    status[is_endless & ~is_none] = PlanStatus.UNLIMITED
    return status, conflicts
