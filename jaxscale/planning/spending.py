"""A law under limits as a program of logarithms: the least loss, or the least cost of a loss; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxscale.costs import COSTS, Cost
from jaxscale.costs.fitted import PowerAmount
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
from jaxscale.planning.inputs import ChosenInput
from jaxscale.solvers.problem import Tree

LARGEST = 80.0
"""ln of params and of tokens that no plan reaches, 5.5e34: one that does is limited by nothing."""
SUMS = (chinchilla.loss, chinchilla.tied_loss)
"""Laws that are sums of monomials: convex in logarithms, as are these where repeated tokens count for less."""
SHIPPED = tuple(COSTS)
"""Costs that are sums of monomials, but for those that depend on the loss."""
SINGLE = (TRAINING, SERVING, QUERY, HOURS, PARAMS, TOKENS, TOKENS_PER_PARAM)
"""Costs that are a single monomial, whose logarithm is a straight line."""
FIRST = (0.5, 0.35, 0.65)
"""Shares of the logarithm of a budget that the params have at the starts: a law need not be convex."""
SPAN = 55.0
"""ln of params times tokens at the starts where no budget says it: 1e24 FLOP."""
MIDDLES = (0.5, 0.5, 0.5, 0.1, 0.9)
"""Where between its ends a chosen input is at the starts; those beyond FIRST have the first share of the budget."""
ENDS = 4
"""How many constraints say that params and tokens are one at least, and not without end."""
REACHED = "loss_reached"
"""The input of a cost that depends on the loss of the plan, as that of a batch near the critical one does."""


class PlanNumbers(NamedTuple):
    """The numbers of a plan, all scalars but for coefs and fixed, which are tuples in the law's order.

    caps: of each limit.   inputs: of each limit, and of the goal last, by name.   target: the loss to reach.
    unique: unique tokens, and how many epochs of them are worth anything; (inf, 1) for no end of them.
    ends: least and most of each input that is chosen.
    """

    coefs: tuple[Tree, ...]
    fixed: tuple[Tree, ...]
    caps: tuple[Tree, ...]
    inputs: tuple[dict[str, Tree], ...]
    target: Tree
    unique: tuple[Tree, Tree]
    ends: tuple[tuple[Tree, Tree], ...] = ()


@dataclass(frozen=True)
class Spending:
    """What is minimised over x = (ln N, ln D, …): the law's loss, or `goal` where the loss has a target.

    limits: the cost and whether the cap is the least amount, of each.   repeats: whether tokens beyond the unique ones
    count for less, as in Muennighoff et al. 2023.   has_budgets: whether the first limit has several caps, one a plan.
    chosen: further inputs of the law or of costs that are unknowns, each in its coordinate, after ln N and ln D.
    Hashable: a static argument of every program.
    """

    law: Law
    limits: tuple[tuple[Cost, bool], ...]
    goal: Cost | None = None
    repeats: bool = False
    has_budgets: bool = False
    chosen: tuple[ChosenInput, ...] = ()

    @property
    def kept(self) -> int:
        """How many constraints, the last ones, hold on the way too: laws need not be defined beyond an input's ends."""
        return 2 * len(self.chosen)

    @property
    def fixed(self) -> tuple[str, ...]:
        """The law's inputs that neither a budget decides nor a plan chooses, in order."""
        names = [one.name for one in self.chosen]
        return tuple(name for name in fixed_inputs(self.law) if name not in names)

    @property
    def has_parts(self) -> bool:
        """Whether shares of one whole are chosen."""
        return any(one.is_part for one in self.chosen)

    @property
    def ones(self) -> slice:
        """Which constraints say that params and tokens are one at least."""
        before = len(self.limits) + (self.goal is not None)
        return slice(before, before + ENDS - 2)

    @property
    def endless(self) -> slice:
        """Which constraints say that params and tokens are not without end."""
        return slice(self.ones.stop, self.ones.stop + 2)

    @property
    def is_convex(self) -> bool:
        """Whether all are sums of monomials, and single ones where the amount is the least one: a user's cost may be
        anything.
        """
        are_convex = all(_is_single(cost) if is_least else _is_sum(cost) for cost, is_least in self.limits)
        return self.law.loss in SUMS and are_convex and not self.chosen and (self.goal is None or _is_sum(self.goal))

    def known(self, x: jax.Array, p: PlanNumbers) -> dict[str, jax.Array]:
        """Return the law's fixed inputs, and all that are chosen, by name."""
        values = dict(zip(self.fixed, p.fixed, strict=True))
        for one, y, ends in zip(self.chosen, x[2:], p.ends, strict=True):
            values[one.name] = one.coordinate.input(y, ends, jnp.exp)
        return values

    def loss(self, x: jax.Array, p: PlanNumbers) -> jax.Array:
        """Return the law's loss of exp(x)."""
        params, tokens = jnp.exp(x[0]), jnp.exp(x[1])
        known = self.known(x, p)
        cost = cost_under(self.law)
        if self.repeats:
            tokens = decayed(tokens, *p.unique)
        sizes = {
            "params": params,
            "tokens": tokens,
            "flops": cost.amount(params, tokens, **{name: known[name] for name in cost.inputs}),
            "tokens_per_param": tokens / params,
        }
        inputs = {**known, **sizes}
        return self.law.loss(
            *(inputs[name] for name in self.law.inputs), **dict(zip(self.law.names, p.coefs, strict=True))
        )

    def amount(self, cost: Cost, x: jax.Array, inputs: dict[str, jax.Array], p: PlanNumbers) -> jax.Array:
        """Return the logarithm of a cost; what it takes is given with it, chosen, fixed, or the loss of the plan."""
        known = {**self.known(x, p), **inputs} if cost.inputs else {}
        if REACHED in cost.inputs:
            known[REACHED] = self.loss(x, p)
        taken = {name: known[name] for name in cost.inputs}
        return jnp.log(cost.amount(jnp.exp(x[0]), jnp.exp(x[1]), **taken))

    def objective(self, x: Float[Array, " n"], p: PlanNumbers) -> Float[Array, ""]:
        """Return the loss in nats, or the logarithm of the goal."""
        return self.loss(x, p) if self.goal is None else self.amount(self.goal, x, p.inputs[-1], p)

    def constraints(self, x: Float[Array, " n"], p: PlanNumbers) -> Float[Array, " m"]:
        """Return what must be zero or less: `excess`, then `beyond`."""
        return jnp.concatenate([self.excess(x, p), self.beyond(x, p)])

    def excess(self, x: Float[Array, " n"], p: PlanNumbers) -> Float[Array, " m"]:
        """Return by how much each limit is exceeded, in its logarithm, and then the target, sizes and the whole."""
        over = []
        for (cost, is_least), cap, inputs in zip(self.limits, p.caps, p.inputs[: len(self.limits)], strict=True):
            above = self.amount(cost, x, inputs, p) - jnp.log(cap)
            over.append(-above if is_least else above)
        if self.goal is not None:
            over.append(jnp.log(self.loss(x, p)) - jnp.log(p.target))
        over += [-x[0], -x[1], x[0] - LARGEST, x[1] - LARGEST]
        if self.has_parts:
            known = self.known(x, p)
            over.append(jnp.log(sum((known[one.name] for one in self.chosen if one.is_part), jnp.zeros(()))))
        return jnp.stack(over)

    def beyond(self, x: Float[Array, " n"], p: PlanNumbers) -> Float[Array, " k"]:
        """Return by how much each chosen input is below its least and above its most, in its coordinate."""
        sides = []
        for one, y, ends in zip(self.chosen, x[2:], p.ends, strict=True):
            low, high = one.coordinate.ends(ends, jnp.log)
            sides += [low - y, y - high]
        return jnp.stack(sides) if sides else jnp.zeros(0, x.dtype)

    def starts(self, p: PlanNumbers) -> Float[Array, "s n"]:
        """Return where to start: one point where the problem is convex.

        At shares of the smallest amount of compute that is a limit, or of a usual one, with inputs between their ends.
        """
        spans = [
            jnp.log(cap) - jnp.log(FLOPS_PER_PARAM_TOKEN)
            for (cost, is_least), cap in zip(self.limits, p.caps, strict=True)
            if cost.unit == "FLOP" and not is_least
        ]
        span = jnp.min(jnp.stack(spans)) if spans else jnp.full_like(p.target, SPAN)
        several = (*FIRST, FIRST[0], FIRST[0]) if self.chosen else FIRST
        shares = several[:1] if self.is_convex else several
        share = jnp.array(shares, span.dtype)
        columns = [share * span, (1.0 - share) * span]
        between = jnp.array(MIDDLES[: len(shares)], span.dtype)
        for one, ends in zip(self.chosen, p.ends, strict=True):
            low, high = one.coordinate.ends(ends, jnp.log)
            columns.append(low + between * (high - low))
        return jnp.stack(columns, axis=1)


def _is_single(cost: Cost) -> bool:
    """Whether a cost is a single monomial."""
    return cost in SINGLE or isinstance(cost.amount, PowerAmount)


def _is_sum(cost: Cost) -> bool:
    """Whether a cost is a sum of monomials; one that depends on the loss is none."""
    return (cost in SHIPPED or _is_single(cost)) and REACHED not in cost.inputs
