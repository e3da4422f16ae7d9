"""What a plan is asked for: the limits, the budgets and what is minimised, of a law whose coefs come later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from jaxscale.allocation.budgets import checked_budgets
from jaxscale.allocation.inputs import check_trade_off, fixed_values
from jaxscale.costs import COSTS, Cost
from jaxscale.costs.fitted import PowerAmount
from jaxscale.costs.spec import Amounts
from jaxscale.costs.training import cost_under
from jaxscale.digits import significant
from jaxscale.errors import UsageError
from jaxscale.laws import LAWS, Law
from jaxscale.planning.inputs import chosen_inputs
from jaxscale.planning.limits import Limit, at_most, is_number, roomy_caps
from jaxscale.planning.spending import REACHED, PlanNumbers, Spending
from jaxscale.results.plan import TARGET
from jaxscale.speaking import fixing

EPOCHS = LAWS.resolve("data-constrained").constants("muennighoff2023")["R_D"]
"""After about so many epochs a repeated token is worth e^(-1) of a new one (Muennighoff et al. 2023)."""
ENDS = ("params at least 1", "tokens at least 1", "params without end", "tokens without end")
WHOLE = "shares of one whole"

NOT_LIMITS = "limits = {limits!r} is no list of limits; make them with js.planning.at_most(…) and at_least(…)"
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
GOAL_INPUTS = "least: the cost '{name}' takes {inputs}, which are not known; fix or choose them, or give another cost"
LIMIT_INPUTS = "{name} needs {missing}: give it with the limit, or fix or choose it where law '{law}' takes it"
CONTINUOUS = "{name} is chosen as a number of any value from {low} to {high}, whether or not one can be built"
TAKES_UNIQUE = "law '{law}' takes unique_tokens itself: say how many by {how}"


@dataclass(frozen=True)
class PlanQuestion:
    """What is minimised, and within what.

    spending, given: the program's static and dynamic parts; no coefs yet.   budgets: (b,), FLOP.   is_one: a single
    budget, or none: no axis of them.   caps: name of a limit → its cap.   names: of all constraints, in their order.
    assumed: what neither the law nor the limits say.   values: of the law's fixed inputs, name → value.
    """

    spending: Spending
    given: PlanNumbers
    budgets: np.ndarray
    is_one: bool
    caps: Mapping[str, float | np.ndarray]
    names: tuple[str, ...]
    assumed: tuple[str, ...]
    values: Mapping[str, float]

    @property
    def law(self) -> Law:
        """The law, whose coefs are not said."""
        return self.spending.law

    @property
    def at_ends(self) -> tuple[str, ...]:
        """Names of what holds the chosen inputs between their ends, least and most of each, in order."""
        return self.names[len(self.names) - self.spending.kept :]

    def inputs_at(self, x: np.ndarray) -> dict[str, np.ndarray]:
        """Return the chosen inputs (…) of plans x (…, n), by name."""
        pairs = zip(self.spending.chosen, np.moveaxis(x, -1, 0)[2:], self.given.ends, strict=True)
        return {one.name: one.coordinate.input(y, ends) for one, y, ends in pairs}

    def taken(
        self, cost: Cost, given: Mapping[str, Amounts], x: np.ndarray, loss: np.ndarray | None = None
    ) -> dict[str, Amounts]:
        """Return what a cost takes besides sizes, of plans x (…, n) with these losses (…); given: with the limit."""
        known = {**self.values, **self.inputs_at(x), **given, REACHED: loss}
        return {name: known[name] for name in cost.inputs}


def question_of(
    law: Law,
    *,
    flops: float | Sequence[float] | np.ndarray | None = None,
    inference_tokens: float = 0.0,
    unique_tokens: float | None = None,
    limits: Sequence[Limit] = (),
    loss: float | None = None,
    least: Cost | str | None = None,
    fixed: Mapping[str, float] | None = None,
    choose: Mapping[str, tuple[float, float]] | None = None,
) -> PlanQuestion:
    """Return what is asked, checked; arguments and errors as of `plan`."""
    check_trade_off(law)
    if not isinstance(limits, Sequence) or not all(isinstance(one, Limit) for one in limits):
        raise UsageError(NOT_LIMITS.format(limits=limits))
    if unique_tokens is not None and "unique_tokens" in law.inputs:
        raise UsageError(TAKES_UNIQUE.format(law=law.name, how=fixing(["unique_tokens"])))
    choose = choose or {}
    limited = tuple(name for one in limits for name in one.cost.inputs if name not in one.inputs and name != REACHED)
    chosen, ends = chosen_inputs(law, limited, choose, fixed or {})
    values = fixed_values(law, fixed, choose)
    _check_limits(law, limits, (*values, *choose, REACHED))
    every, assumed = list(limits), []
    spent, serving = _spending_cost(law, inference_tokens)
    assumed += [SERVED.format(tokens=inference_tokens)] if inference_tokens else []
    budgets = np.ones(1)
    if flops is not None:
        budgets = checked_budgets(flops)
        every.insert(0, Limit(spent, float(budgets[0]), inputs=serving))
    goal, target = _goal(loss, least, spent, (*values, *choose))
    if not every and goal is None:
        raise UsageError(NOTHING_ASKED)
    if unique_tokens is not None:
        if not is_number(unique_tokens) or not unique_tokens > 0:
            raise UsageError(BAD_UNIQUE.format(unique=unique_tokens))
        assumed.append(REPEATED.format(unique=unique_tokens, epochs=EPOCHS))
    kinds = tuple((one.cost, one.is_least) for one in every)
    taken = dict.fromkeys([*(cost for cost, _ in kinds), *([] if goal is None else [goal])])
    assumed += [cost.source for cost in taken if isinstance(cost.amount, PowerAmount)]
    assumed += [
        CONTINUOUS.format(name=one, low=significant(low, 4), high=significant(high, 4))
        for one, (low, high) in zip(choose, ends, strict=True)
    ]
    spending = Spending(
        law, kinds, goal, repeats=unique_tokens is not None, has_budgets=flops is not None, chosen=chosen
    )
    given = PlanNumbers(
        (),
        tuple(np.float64(values[name]) for name in spending.fixed),
        tuple(np.float64(cap) for cap in roomy_caps(every)),
        (*(_floats(one.inputs) for one in every), _floats(serving if goal is spent else {})),
        np.float64(target),
        (np.float64(unique_tokens or 1.0), np.float64(EPOCHS)),
        tuple((np.float64(low), np.float64(high)) for low, high in ends),
    )
    sides = [f"{name} at {side}" for name in choose for side in ("least", "most")]
    whole = [WHOLE] if spending.has_parts else []
    names = _numbered([*(one.name for one in every), *([] if goal is None else [TARGET]), *ENDS, *whole, *sides])
    is_one = np.ndim(flops if flops is not None else 0) == 0
    caps: dict[str, float | np.ndarray] = {name: one.cap for name, one in zip(names, every, strict=False)}
    if flops is not None and not is_one:
        caps[names[0]] = budgets
    caps |= dict(zip(names[len(names) - len(sides) :], (end for pair in ends for end in pair), strict=True))
    return PlanQuestion(spending, given, budgets, is_one, caps, names, tuple(assumed), values)


def _check_limits(law: Law, limits: Sequence[Limit], known: tuple[str, ...]) -> None:
    """Raise UsageError for a limit whose cost takes what is not known."""
    for one in limits:
        missing = [name for name in one.cost.inputs if name not in one.inputs and name not in known]
        if missing:
            raise UsageError(LIMIT_INPUTS.format(name=one.cost.name, missing=", ".join(missing), law=law.name))


def _spending_cost(law: Law, inference_tokens: float) -> tuple[Cost, dict[str, float]]:
    """Return the FLOP of training under a law, and of serving where there is any, with what it takes for that."""
    training = cost_under(law)
    if inference_tokens == 0:
        return training, {}
    served = at_most("lifetime", 1.0, inference_tokens=inference_tokens)
    if training.inputs:
        raise UsageError(OWN_PRICE.format(law=law.name))
    return served.cost, dict(served.inputs)


def _goal(
    loss: float | None, least: Cost | str | None, spent: Cost, known: tuple[str, ...]
) -> tuple[Cost | None, float]:
    """Return the cost to be minimised and the loss to reach; None and 1 where the loss itself is minimised."""
    if loss is None:
        if least is not None:
            raise UsageError(TWO_UNITS.format(least=least))
        return None, 1.0
    if not is_number(loss) or not loss > 0:
        raise UsageError(BAD_LOSS.format(loss=loss))
    goal = spent if least is None else COSTS.resolve(least)
    missing = [name for name in goal.inputs if name not in known]
    if least is not None and missing:
        raise UsageError(GOAL_INPUTS.format(name=goal.name, inputs=", ".join(missing)))
    return goal, float(loss)


def _floats(inputs: Mapping[str, float]) -> dict[str, np.float64]:
    return {name: np.float64(value) for name, value in inputs.items()}


def _numbered(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names; one that comes twice with a number, from 1 in the order in which they were given."""
    return tuple(
        f"{name} ({names[:at].count(name) + 1})" if names.count(name) > 1 else name for at, name in enumerate(names)
    )
