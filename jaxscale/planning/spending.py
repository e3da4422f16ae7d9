"""A law under limits as a program of logarithms: the least loss, or the least cost of a loss; pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from jaxscale.costs import COSTS, Cost
from jaxscale.costs.renting import HOURS
from jaxscale.costs.serving import QUERY, SERVING
from jaxscale.costs.training import (
    FLOPS_PER_PARAM_TOKEN,
    PARAMS,
    TOKENS,
    TOKENS_PER_PARAM,
    TRAINING,
    cost_under,
    fixed_inputs,
)
from jaxscale.laws import Law, chinchilla
from jaxscale.laws.repeated import decayed
from jaxscale.planning.interior import ConstrainedOptimum, KktCertificate, certify, constrained_optimum
from jaxscale.solvers.problem import Tree

T = TypeVar("T")

LARGEST = 80.0
"""ln of params and of tokens that no plan reaches, 5.5e34: one that does is limited by nothing."""
SUMS = (chinchilla.loss, chinchilla.tied_loss)
"""Laws that are sums of monomials: convex in logarithms, as are these where repeated tokens count for less."""
SHIPPED = tuple(COSTS)
"""Costs that are sums of monomials, all of them."""
SINGLE = (TRAINING, SERVING, QUERY, HOURS, PARAMS, TOKENS, TOKENS_PER_PARAM)
"""Costs that are a single monomial, whose logarithm is a straight line."""
FIRST = (0.5, 0.35, 0.65)
"""Shares of the logarithm of a budget that the params have at the starts: a law need not be convex."""
SPAN = 55.0
"""ln of params times tokens at the starts where no budget says it: 1e24 FLOP."""
WITHIN = 1e-9
"""How far a limit must be missed, in its logarithm, by every plan for there to be none."""
SHARED = 1e-6
"""Multiplier, where limits are missed by as little as can be, from which one is among those that conflict."""


class PlanNumbers(NamedTuple):
    """The numbers of a plan, all scalars but for coefs and fixed, which are tuples in the law's order.

    caps: of each limit.   inputs: of each limit, and of the goal last, by name.   target: the loss to reach.
    unique: unique tokens, and how many epochs of them are worth anything; (inf, 1) for no end of them.
    """

    coefs: tuple[Tree, ...]
    fixed: tuple[Tree, ...]
    caps: tuple[Tree, ...]
    inputs: tuple[dict[str, Tree], ...]
    target: Tree
    unique: tuple[Tree, Tree]


@dataclass(frozen=True)
class Spending:
    """What is minimised over x = (ln N, ln D): the law's loss, or `goal` where the loss has a target.

    limits: the cost and whether the cap is the least amount, of each.   repeats: whether tokens beyond the unique ones
    count for less, as in Muennighoff et al. 2023.   has_budgets: whether the first limit has several caps, one a plan.
    Hashable: a static argument of every program.
    """

    law: Law
    limits: tuple[tuple[Cost, bool], ...]
    goal: Cost | None = None
    repeats: bool = False
    has_budgets: bool = False

    @property
    def starts(self) -> int:
        """From how many points to start: one where the law is a sum of monomials, and the problem convex."""
        return 1 if self.is_convex else len(FIRST)

    @property
    def is_convex(self) -> bool:
        """Whether all are sums of monomials, and single ones where the amount is the least one: a user's cost may be
        anything.
        """
        are_convex = all(cost in (SINGLE if is_least else SHIPPED) for cost, is_least in self.limits)
        return self.law.loss in SUMS and are_convex and (self.goal is None or self.goal in SHIPPED)

    def loss(self, x: jax.Array, p: PlanNumbers) -> jax.Array:
        """Return the law's loss of exp(x)."""
        params, tokens = jnp.exp(x[0]), jnp.exp(x[1])
        fixed = dict(zip(fixed_inputs(self.law), p.fixed, strict=True))
        cost = cost_under(self.law)
        if self.repeats:
            tokens = decayed(tokens, *p.unique)
        sizes = {
            "params": params,
            "tokens": tokens,
            "flops": cost.amount(params, tokens, **{name: fixed[name] for name in cost.inputs}),
            "tokens_per_param": tokens / params,
        }
        inputs = {**sizes, **fixed}
        return self.law.loss(
            *(inputs[name] for name in self.law.inputs), **dict(zip(self.law.names, p.coefs, strict=True))
        )

    def amount(self, cost: Cost, x: jax.Array, inputs: dict[str, jax.Array]) -> jax.Array:
        """Return the logarithm of a cost."""
        return jnp.log(cost.amount(jnp.exp(x[0]), jnp.exp(x[1]), **inputs))

    def objective(self, x: Float[Array, " 2"], p: PlanNumbers) -> Float[Array, ""]:
        """Return the loss in nats, or the logarithm of the goal."""
        return self.loss(x, p) if self.goal is None else self.amount(self.goal, x, p.inputs[-1])

    def constraints(self, x: Float[Array, " 2"], p: PlanNumbers) -> Float[Array, " m"]:
        """Return by how much each limit is exceeded, in its logarithm; zero or less where all is well."""
        over = []
        for (cost, is_least), cap, inputs in zip(self.limits, p.caps, p.inputs[: len(self.limits)], strict=True):
            above = self.amount(cost, x, inputs) - jnp.log(cap)
            over.append(-above if is_least else above)
        if self.goal is not None:
            over.append(jnp.log(self.loss(x, p)) - jnp.log(p.target))
        return jnp.stack([*over, -x[0], -x[1], x[0] - LARGEST, x[1] - LARGEST])


@dataclass(frozen=True)
class Missing:
    """By how much some limit is missed at least, over (x, t): where more than nothing, there is no plan."""

    spending: Spending

    @property
    def is_convex(self) -> bool:
        """Whether the limits are."""
        return self.spending.is_convex

    def objective(self, x: Float[Array, " 3"], p: PlanNumbers) -> Float[Array, ""]:
        """Return the largest excess."""
        return x[2]

    def constraints(self, x: Float[Array, " 3"], p: PlanNumbers) -> Float[Array, " m"]:
        """Return what is left of each excess beyond it; -1 at least, or there would be no end of it."""
        return jnp.append(self.spending.constraints(x[:2], p) - x[2], -1.0 - x[2])


class Planned(NamedTuple):
    """The optimum of one set of numbers.

    x: (2,), ln N and ln D.   loss: there.   multipliers: (m,), of each constraint, in what is minimised per unit of its
    logarithm.   certificate: how good it is.   unique: what is minimised falls by so much per further unique token.
    """

    x: Float[Array, " 2"]
    loss: Float[Array, ""]
    multipliers: Float[Array, " m"]
    certificate: KktCertificate
    unique: Float[Array, ""]


class Missed(NamedTuple):
    """What no plan can avoid: by how much some limit is exceeded, in its logarithm, and which stand against each other.

    excess: above WITHIN there is no plan.   conflicts: (m,).
    """

    excess: Float[Array, ""]
    conflicts: Bool[Array, " m"]


def planned(spending: Spending, p: PlanNumbers) -> Planned:
    """Return the best plan; differentiable in p, under the caller's jit and vmap.

    Of several starts the lowest counts whose conditions are met.
    """
    starts = jax.lax.stop_gradient(_starts(spending, p))

    def ended(start: jax.Array) -> Planned:
        found = constrained_optimum(spending, p, start)
        loss = spending.loss(found.x, p)
        unique = _worth_of_unique(spending, p, found, loss)
        return Planned(found.x, loss, found.multipliers, certify(spending, p, found), unique)

    every = jax.vmap(ended)(starts)
    value = jax.vmap(lambda x: spending.objective(x, p))(every.x)
    best = jnp.argmin(jnp.where(every.certificate.is_met, value, jnp.inf))
    return jax.tree.map(lambda leaf: leaf[best], every)


def _worth_of_unique(spending: Spending, p: PlanNumbers, found: ConstrainedOptimum, loss: jax.Array) -> jax.Array:
    """Return what is minimised falls by per further unique token: by the envelope theorem, at the plan as it is."""
    if not spending.repeats:
        return jnp.zeros_like(loss)
    _, epochs = p.unique
    falls = -jax.grad(lambda unique: spending.loss(found.x, p._replace(unique=(unique, epochs))))(p.unique[0])
    return falls if spending.goal is None else found.multipliers[len(spending.limits)] * falls / loss


def missed(spending: Spending, p: PlanNumbers) -> Missed:
    """Return what no plan can avoid, and the limits that stand against one another where that is more than nothing."""
    start = _starts(spending, p)[0]
    excess = jnp.max(spending.constraints(start, p))
    least: ConstrainedOptimum = constrained_optimum(Missing(spending), p, jnp.append(start, excess + 1.0))
    return Missed(least.x[2], (least.multipliers[:-1] > SHARED) & (least.x[2] > WITHIN))


def _starts(spending: Spending, p: PlanNumbers) -> Float[Array, "s 2"]:
    """Return where to start: at shares of the smallest amount of compute that is a limit, or of a usual one."""
    spans = [
        jnp.log(cap) - jnp.log(FLOPS_PER_PARAM_TOKEN)
        for (cost, is_least), cap in zip(spending.limits, p.caps, strict=True)
        if cost.unit == "FLOP" and not is_least
    ]
    span = jnp.min(jnp.stack(spans)) if spans else jnp.full_like(p.target, SPAN)
    share = jnp.array(FIRST[: spending.starts], span.dtype)
    return jnp.stack([share * span, (1.0 - share) * span], axis=1)


def each_planned(spending: Spending, argument: tuple[jax.Array, jax.Array, PlanNumbers]) -> Planned:
    """Return the plans of sets of coefs (R, p) at budgets (b,), the other numbers alike; each field (R, b, …)."""
    return _each(planned, spending, argument)


def each_reached(spending: Spending, argument: tuple[jax.Array, jax.Array, PlanNumbers]) -> Planned:
    """Return the cheapest plans of sets of coefs (R, p) that reach a loss (R,) of each; each field (R, …)."""
    sets, targets, p = argument

    def one(coefs: jax.Array, target: jax.Array) -> Planned:
        return planned(spending, p._replace(coefs=tuple(coefs), target=target))

    found: Planned = jax.vmap(one)(sets, targets)
    return found


def each_missed(spending: Spending, argument: tuple[jax.Array, jax.Array, PlanNumbers]) -> Missed:
    """Return what no plan of sets of coefs (R, p) at budgets (b,) can avoid; each field (R, b, …)."""
    return _each(missed, spending, argument)


def _each(
    of: Callable[[Spending, PlanNumbers], T], spending: Spending, argument: tuple[jax.Array, jax.Array, PlanNumbers]
) -> T:
    sets, budgets, p = argument

    def one(coefs: jax.Array, budget: jax.Array) -> T:
        caps = (budget, *p.caps[1:]) if spending.has_budgets else p.caps
        return of(spending, p._replace(coefs=tuple(coefs), caps=caps))

    # one budget at a time: its plans are found in as many steps, and fit into the cache
    found: T = jax.lax.map(lambda budget: jax.vmap(one, in_axes=(0, None))(sets, budget), budgets)
    swapped: T = jax.tree.map(lambda leaf: jnp.swapaxes(leaf, 0, 1), found)
    return swapped
