"""What a plan is asked for: the limits, the budgets and what is minimised, of a law whose coefs come later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from jaxscale.allocation.frontier import checked_budgets
from jaxscale.allocation.inputs import check_trade_off, fixed_values
from jaxscale.costs import COSTS, Cost
from jaxscale.costs.training import cost_under, fixed_inputs
from jaxscale.errors import UsageError
from jaxscale.laws import LAWS, Law
from jaxscale.planning.limits import Limit, at_most, is_number
from jaxscale.planning.spending import PlanNumbers, Spending
from jaxscale.results.plan import TARGET

EPOCHS = LAWS.resolve("data-constrained").constants("muennighoff2023")["R_D"]
"""After about so many epochs a repeated token is worth e^(-1) of a new one (Muennighoff et al. 2023)."""
ENDS = ("params at least 1", "tokens at least 1", "params without end", "tokens without end")

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


@dataclass(frozen=True)
class PlanQuestion:
    """What is minimised, and within what.

    spending, given: the program's static and dynamic parts; no coefs yet.   budgets: (b,), FLOP.   is_one: a single
    budget, or none: no axis of them.   caps: name of a limit → its cap.   names: of all constraints, in their order.
    assumed: what neither the law nor the limits say.
    """

    spending: Spending
    given: PlanNumbers
    budgets: np.ndarray
    is_one: bool
    caps: Mapping[str, float | np.ndarray]
    names: tuple[str, ...]
    assumed: tuple[str, ...]

    @property
    def law(self) -> Law:
        """The law, whose coefs are not said."""
        return self.spending.law


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
) -> PlanQuestion:
    """Return what is asked, checked; arguments and errors as of `plan`."""
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
        (*(_floats(one.inputs) for one in every), _floats(serving if goal is spent else {})),
        np.float64(target),
        (np.float64(unique_tokens or 1.0), np.float64(EPOCHS)),
    )
    names = _names(every, goal)
    is_one = np.ndim(flops if flops is not None else 0) == 0
    caps: dict[str, float | np.ndarray] = {name: one.cap for name, one in zip(names, every, strict=False)}
    if flops is not None and not is_one:
        caps[names[0]] = budgets
    return PlanQuestion(spending, given, budgets, is_one, caps, names, tuple(assumed))


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
