"""The best plan of one set of numbers and of many, and what no plan can avoid; pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from jaxscale.planning.interior import ConstrainedOptimum, KktCertificate, certify, constrained_optimum, lowest
from jaxscale.planning.spending import PlanNumbers, Spending

T = TypeVar("T")

WITHIN = 1e-9
"""How far a limit must be missed, in its logarithm, by every plan for there to be none."""
SHARED = 1e-6
"""Multiplier, where limits are missed by as little as can be, from which one is among those that conflict."""


@dataclass(frozen=True)
class Missing:
    """By how much some limit is missed at least, over (x, t): where more than nothing, there is no plan."""

    spending: Spending

    @property
    def is_convex(self) -> bool:
        """Whether the limits are."""
        return self.spending.is_convex

    @property
    def kept(self) -> int:
        """As of the plan: no input is beyond its ends."""
        return self.spending.kept

    def objective(self, x: Float[Array, " k"], p: PlanNumbers) -> Float[Array, ""]:
        """Return the largest excess."""
        return x[-1]

    def constraints(self, x: Float[Array, " k"], p: PlanNumbers) -> Float[Array, " m"]:
        """Return what is left of each excess beyond it; -1 at least, or there would be no end of it."""
        at, most = x[:-1], x[-1]
        left = jnp.append(self.spending.excess(at, p) - most, -1.0 - most)
        return jnp.concatenate([left, self.spending.beyond(at, p)])


class Planned(NamedTuple):
    """The optimum of one set of numbers.

    x: (n,), ln N and ln D, and the coordinates of chosen inputs.   loss: there.   multipliers: (m,), of each
    constraint, in what is minimised per unit of its logarithm, or of its coordinate.   certificate: how good it is.
    unique: what is minimised falls by so much per further unique token.
    """

    x: Float[Array, " n"]
    loss: Float[Array, ""]
    multipliers: Float[Array, " m"]
    certificate: KktCertificate
    unique: Float[Array, ""]


class Missed(NamedTuple):
    """What no plan can avoid: by how much some limit is exceeded, in its logarithm, and which stand against each other.

    excess: above WITHIN there is no plan.   is_none: there is none, or it would be a loss that the law only approaches.
    conflicts: (m,).
    """

    excess: Float[Array, ""]
    is_none: Bool[Array, ""]
    conflicts: Bool[Array, " m"]


def planned(spending: Spending, p: PlanNumbers) -> Planned:
    """Return the best plan; differentiable in p, under the caller's jit and vmap.

    Of several starts the lowest counts whose conditions are met; one at one param or one token, where a law that is not
    convex may fall on though nothing can be trained there, only where no other is.
    """
    starts = jax.lax.stop_gradient(spending.starts(p))

    def ended(start: jax.Array) -> Planned:
        found = constrained_optimum(spending, p, start)
        loss = spending.loss(found.x, p)
        unique = _worth_of_unique(spending, p, found)
        return Planned(found.x, loss, found.multipliers, certify(spending, p, found), unique)

    every = jax.vmap(ended)(starts)
    value = jax.vmap(lambda x: spending.objective(x, p))(every.x)
    is_inside = jnp.all(every.multipliers[:, spending.ones] <= 0, axis=1)
    best = lowest(value, every.certificate.is_met, is_inside)
    return jax.tree.map(lambda leaf: leaf[best], every)


def _worth_of_unique(spending: Spending, p: PlanNumbers, found: ConstrainedOptimum) -> jax.Array:
    """Return what is minimised falls by per further unique token: by the envelope theorem, at the plan as it is."""
    if not spending.repeats:
        return jnp.zeros_like(p.target)
    _, epochs = p.unique

    def lagrangian(unique: jax.Array) -> jax.Array:
        given = p._replace(unique=(unique, epochs))
        return spending.objective(found.x, given) + found.multipliers @ spending.constraints(found.x, given)

    return -jax.grad(lagrangian)(p.unique[0])


def missed(spending: Spending, p: PlanNumbers) -> Missed:
    """Return what no plan can avoid, and the limits that stand against one another where that is more than nothing."""
    start = spending.starts(p)[0]
    excess = jnp.max(spending.excess(start, p))
    least: ConstrainedOptimum = constrained_optimum(Missing(spending), p, jnp.append(start, excess + 1.0))
    most = least.x[-1]
    limits = len(least.multipliers) - spending.kept - 1  # without that on the excess itself
    against = jnp.concatenate([least.multipliers[:limits], least.multipliers[limits + 1 :]])
    is_none = most > WITHIN
    if spending.goal is not None:  # a law's floor: nothing but the target stands against it, and it is all but missed
        is_none |= (against[len(spending.limits)] > 1.0 - SHARED) & (most > -WITHIN)
    return Missed(most, is_none, (against > SHARED) & is_none)


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
