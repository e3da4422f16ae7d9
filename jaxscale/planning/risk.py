"""One plan for many draws of the coefs: the least mean regret of the worst share of them; pure, and its cuts.

Regret of a plan under a draw is its loss less that of the draw's own best plan. Over the worst share q of the draws its
mean is the largest of all means under weights of at most 1/q times the draws' own: each such weighting is one smooth
constraint on t, the mean to be made least (Rockafellar & Uryasev 2000). q = 1 is the expected regret, q = 0 that of the
worst draw.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from jaxscale.planning.interior import certify, constrained_optimum, lowest
from jaxscale.planning.spending import PlanNumbers, Spending
from jaxscale.solvers.problem import Tree

CUTS = 8
"""Weightings in one program: two unknowns need few at a time."""


class RiskNumbers(NamedTuple):
    """The numbers of a risk; a tuple has one entry for each law.

    plans: with coefs that are arrays (R,).   baselines: (R,), what is taken off each loss.   cuts: (CUTS, R) weights.
    is_there: (CUTS,), not padding.   unit: of t, in nats: the size of a loss, which is hundreds in a corner.
    """

    plans: tuple[PlanNumbers, ...]
    baselines: tuple[Tree, ...]
    cuts: tuple[Tree, ...]
    is_there: Tree
    unit: Tree


@dataclass(frozen=True)
class Risk:
    """The least t that no cut exceeds, over (x, t), within the limits of the first law.

    spendings: one for each law; their limits are the same.   Hashable: a static argument of every program.
    """

    spendings: tuple[Spending, ...]

    @property
    def is_convex(self) -> bool:
        """Whether every law is, within its limits."""
        return all(one.is_convex for one in self.spendings)

    @property
    def kept(self) -> int:
        """As of the plan: no input is beyond its ends."""
        return self.spendings[0].kept

    def objective(self, x: Float[Array, " k"], p: RiskNumbers) -> Float[Array, ""]:
        """Return t."""
        return x[-1]

    def constraints(self, x: Float[Array, " k"], p: RiskNumbers) -> Float[Array, " m"]:
        """Return by how much each cut exceeds t, the limits' excess, and how far inputs are beyond their ends."""
        at, least = x[:-1], x[-1]
        means = jnp.zeros(CUTS, x.dtype)
        for spending, plan, baseline, cut in zip(self.spendings, p.plans, p.baselines, p.cuts, strict=True):
            means = means + cut @ (losses_at(spending, plan, at) - baseline)
        above = jnp.where(p.is_there, means / p.unit - least, -1.0)
        return jnp.concatenate([above, self.spendings[0].constraints(at, p.plans[0])])


class Risked(NamedTuple):
    """x: (n,), ln N, ln D and further inputs.   least: t, in nats: no plan has less.   weights: (CUTS,), multipliers,
    of sum one.
    """

    x: Float[Array, " n"]
    least: Float[Array, ""]
    weights: Float[Array, " k"]
    is_met: Bool[Array, ""]


def losses_at(spending: Spending, plan: PlanNumbers, x: Float[Array, " n"]) -> Float[Array, " R"]:
    """Return the loss of one plan under every draw; the plan's coefs are arrays (R,)."""
    return jax.vmap(lambda coefs: spending.loss(x, plan._replace(coefs=coefs)))(plan.coefs)


def least_risk(risk: Risk, argument: tuple[RiskNumbers, jax.Array]) -> Risked:
    """Return the plan of the least risk, of (numbers, starts (s, n + 1)); of several starts the lowest, as a plan."""
    numbers, starts = argument

    def ended(start: jax.Array) -> tuple[Risked, jax.Array, jax.Array]:
        found = constrained_optimum(risk, numbers, start)
        is_met = certify(risk, numbers, found).is_met
        is_inside = jnp.all(found.multipliers[CUTS:][risk.spendings[0].ones] <= 0)
        risked = Risked(found.x[:-1], found.x[-1] * numbers.unit, found.multipliers[:CUTS], is_met)
        return risked, found.x[-1], is_inside

    every, value, is_inside = jax.vmap(ended)(starts)
    best = lowest(value, every.is_met, is_inside)
    return jax.tree.map(lambda leaf: leaf[best], every)


def each_loss(spending: Spending, argument: tuple[jax.Array, jax.Array, PlanNumbers]) -> Float[Array, "R k"]:
    """Return the losses of plans x (k, n) under sets of coefs (R, p)."""
    sets, x, p = argument
    found = jax.vmap(lambda one: losses_at(spending, p._replace(coefs=tuple(sets.T)), one), out_axes=1)(x)
    return found


def tail_weights(values: np.ndarray, weights: np.ndarray, tail: float) -> np.ndarray:
    """Return the weights (R,), of sum one, under which the mean of values (R,) is that of the worst share `tail`.

    weights: (R,), of the draws, of sum one.   tail: 0 for the largest value alone.
    """
    order = np.argsort(-values, kind="stable")
    ahead = np.cumsum(weights[order]) - weights[order]
    taken = np.minimum(weights[order], np.maximum(tail - ahead, 0.0))
    if not taken.sum() > 0:
        taken = (np.arange(len(order)) == 0).astype(np.float64)
    found = np.zeros_like(taken)
    found[order] = taken / taken.sum()
    return found
