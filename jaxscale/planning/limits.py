"""What a plan must keep to: costs with caps, or with least amounts, in the units of the costs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from jaxscale.costs import COSTS, Cost, domain_tokens
from jaxscale.costs.parts import OF_DOMAIN
from jaxscale.errors import UsageError
from jaxscale.registry import unknown

BAD_CAP = "{name}: {cap!r} is no positive, finite amount of {unit}"
BAD_INPUT = "{name}: {key} = {value!r} is no {demand} number"
NO_INPUT = "the cost '{name}' takes params and tokens alone, and no '{key}'"
MAY_BE_ZERO = (
    "inference_tokens", "context", "sequences", "tokens_per_device", "serving_price", "idle_experts", "seconds_per_step"
)  # fmt: skip
"""Inputs of costs that may be nothing; prices and rates may not, nor what is divided by."""
ALIKE = 5e-10
"""How far a least amount may be above the most, in its logarithm, and be the same amount, rounded."""
ROOM = 2e-10
"""Between the least and the most of one amount, in its logarithm, where they are the same: of limits that leave no room
at all the multipliers are not decided, and no search ends."""


@dataclass(frozen=True)
class Limit:
    """A cost and its cap, or its least amount.

    Attributes
    ----------
    cost
        What is limited.
    cap
        The amount, in the cost's unit.
    is_least
        Whether it is the least amount and not the most.
    inputs
        What the cost takes besides params and tokens, name → number; the rest is fixed or chosen by the plan.

    Examples
    --------
    >>> js.planning.at_most("params", 7e9)
    <Limit: params at most 7e+09 params>
    """

    cost: Cost
    cap: float
    is_least: bool = False
    inputs: Mapping[str, float] = field(default_factory=dict)

    def __repr__(self) -> str:
        inputs = "".join(f", {name}={value:g}" for name, value in self.inputs.items())
        return f"<Limit: {self.name} {self.cap:g} {self.cost.unit}{inputs}>"

    @property
    def name(self) -> str:
        """The cost and the side on which it is limited."""
        return f"{self.cost.name} {'at least' if self.is_least else 'at most'}"


def at_most(cost: Cost | str, cap: float, **inputs: float) -> Limit:
    """Return the limit that a cost does not exceed an amount.

    Parameters
    ----------
    cost
        A Cost, or the name of one in `js.costs.COSTS`, or `tokens_of_` and a domain of the law's shares.
    cap
        In the cost's unit, above zero.
    **inputs
        What the cost takes besides params and tokens, but for inputs that the plan fixes or chooses.

    Returns
    -------
    Limit
        For `js.plan`.

    Raises
    ------
    UsageError
        For an unknown cost, an amount that is not positive and finite, and inputs that are unknown or impossible.

    Examples
    --------
    >>> js.planning.at_most("serving-memory", 80e9, bytes_per_param=2, context=8192, sequences=8, cache_share=0.125)
    <Limit: serving-memory at most 8e+10 bytes, bytes_per_param=2, context=8192, sequences=8, cache_share=0.125>
    """
    return _limit(cost, cap, inputs, is_least=False)


def at_least(cost: Cost | str, cap: float, **inputs: float) -> Limit:
    """Return the limit that a cost reaches an amount; parameters and errors as of `at_most`.

    Examples
    --------
    >>> js.planning.at_least("tokens_per_param", 20)
    <Limit: tokens_per_param at least 20 tokens per param>
    """
    return _limit(cost, cap, inputs, is_least=True)


def _limit(cost: Cost | str, cap: float, inputs: Mapping[str, float], *, is_least: bool) -> Limit:
    is_domain = isinstance(cost, str) and cost.startswith(OF_DOMAIN)
    cost = domain_tokens(str(cost).removeprefix(OF_DOMAIN)) if is_domain else COSTS.resolve(cost)
    if not is_number(cap) or not cap > 0:
        raise UsageError(BAD_CAP.format(name=cost.name, cap=cap, unit=cost.unit))
    for key in inputs:
        if not cost.inputs:
            raise UsageError(NO_INPUT.format(name=cost.name, key=key))
        if key not in cost.inputs:
            raise UsageError(unknown(f"input of the cost '{cost.name}':", key, cost.inputs))
    for key, value in inputs.items():
        may_be_zero = key in MAY_BE_ZERO
        if not is_number(value) or not (value >= 0 if may_be_zero else value > 0):
            demand = "finite, non-negative" if may_be_zero else "positive, finite"
            raise UsageError(BAD_INPUT.format(name=cost.name, key=key, value=value, demand=demand))
    given = {key: float(value) for key, value in inputs.items()}
    return Limit(cost, float(cap), is_least, {**dict(cost.defaults), **given})


def roomy_caps(limits: Sequence[Limit]) -> list[float]:
    """Return the caps (m,) of limits; of a least amount that is the most as well, a ROOM below."""
    return [min([one.cap, *_pinned(one, limits)]) for one in limits]


def _pinned(least: Limit, limits: Sequence[Limit]) -> list[float]:
    """Return what a least amount is to be instead, for each limit that says the same amount is the most."""
    most = [
        one.cap
        for one in limits
        if least.is_least and not one.is_least and (one.cost, one.inputs) == (least.cost, least.inputs)
    ]
    return [cap * math.exp(-ROOM) for cap in most if -ROOM < math.log(least.cap / cap) <= ALIKE]


def is_number(value: object) -> bool:
    """Return whether a value is one finite number, and no truth value."""
    if isinstance(value, bool) or not hasattr(value, "__float__") or isinstance(value, str):
        return False
    try:
        return math.isfinite(float(value))
    except (TypeError, ValueError, OverflowError):
        return False
