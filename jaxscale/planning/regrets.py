"""Draws of the coefs with the best plan of each, and what other plans lose beside these: on the host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxscale.allocation.frontier import in_chunks
from jaxscale.engine.data import fill
from jaxscale.planning.interior import MET
from jaxscale.planning.planned import each_planned, each_reached
from jaxscale.planning.question import PlanQuestion
from jaxscale.planning.risk import each_loss
from jaxscale.planning.spending import LARGEST, PlanNumbers, Spending
from jaxscale.results.regret import Regret, RegretCurve, quantiles_of

SIZES = 41
"""Points of a regret curve."""
MARGIN = 0.5
"""How far a curve goes beyond the sizes of most draws' own plans, in ln N."""
GRID = 257
"""Amounts of tokens tried before the most that the limits leave is bisected."""
KEPT = 1e-12
"""By how much a limit is exceeded, in its logarithm, where only rounding does."""
TOGETHER = 64
"""Plans that are priced together at least: one program for all."""
HALVINGS = 50
"""Of a step of that grid, 0.3 in ln D."""
EDGES = (0.005, 0.995)
"""Quantiles of the draws' own sizes that a curve covers."""
FLAT = 1e-9
"""Share of FLOP below which less is wasted than the least is known to."""


@dataclass(frozen=True)
class PlannedDraws:
    """The draws of one law that have a best plan.

    question: within what.   sets: (R, p) coefs.   optima: (R, n), ln N, ln D and further inputs.   lowest: (R,) losses
    there.   is_binding: (R, m), by constraint.   plug_in: (n,), the plan of the point.   left_out: reason → draws
    without one.
    """

    question: PlanQuestion
    sets: np.ndarray
    optima: np.ndarray
    lowest: np.ndarray
    is_binding: np.ndarray
    plug_in: np.ndarray
    left_out: Mapping[str, int]


def planned_draws(question: PlanQuestion, point: np.ndarray, sets: np.ndarray, usable: np.ndarray) -> PlannedDraws:
    """Return the draws (R, p) of a law, planned, with the point (p,).   usable: (R,)."""
    whole = np.concatenate([point[None], sets])
    found = in_chunks(each_planned, question.spending, (whole,), question.budgets, question.given)
    is_met = np.asarray(found.certificate.is_met)[:, 0] & (found.x[:, 0, :2] < LARGEST - 1.0).all(axis=1)
    counts, is_planned = usable & is_met[1:], is_met[1:]
    left_out = {"unusable replicate": int((~usable).sum()), "no plan of its own": int((usable & ~is_planned).sum())}
    plug_in = np.where(is_met[0], np.asarray(found.x)[0, 0], np.nan)
    x, loss, multipliers = (np.asarray(one)[1:, 0][counts] for one in (found.x, found.loss, found.multipliers))
    left_out = {reason: count for reason, count in left_out.items() if count}
    return PlannedDraws(question, sets[counts], x, loss, multipliers > 0, plug_in, left_out)


@dataclass(frozen=True)
class Scene:
    """All draws, of one law after another.   weight: (R,), of sum one.   price: dollars per FLOP, or None."""

    parts: tuple[PlannedDraws, ...]
    weight: np.ndarray
    price: float | None

    @property
    def question(self) -> PlanQuestion:
        """Within what: the limits of every law are the same."""
        return self.parts[0].question

    @property
    def optima(self) -> np.ndarray:
        """Each draw's own plan (R, n), with the logarithms of params and tokens first."""
        return np.concatenate([part.optima for part in self.parts])

    @property
    def lowest(self) -> np.ndarray:
        """The loss of each draw's own plan (R,)."""
        return np.concatenate([part.lowest for part in self.parts])

    @property
    def binding(self) -> dict[str, float]:
        """Name of a limit → share of the draws in whose own plan it binds."""
        shares = self.weight @ np.concatenate([part.is_binding for part in self.parts])
        names = self.question.names
        return {name: min(float(shares[names.index(name)]), 1.0) for name in self.question.caps}

    def losses(self, x: np.ndarray) -> np.ndarray:
        """Return the losses (R, k) of plans x (k, n)."""
        padded = fill(x, max(TOGETHER, len(x)))
        each = [
            in_chunks(each_loss, one.question.spending, (one.sets,), padded, one.question.given) for one in self.parts
        ]
        return np.concatenate(each)[:, : len(x)]

    def regrets(self, x: np.ndarray) -> np.ndarray:
        """Return the losses (R, k) of plans x (k, n) beyond each draw's lowest."""
        return self.losses(x) - self.lowest[:, None]


def regrets_of(scene: Scene, plans: Mapping[str, np.ndarray]) -> dict[str, Regret]:
    """Return name → regret of plans (n,)."""
    x = np.stack(list(plans.values()))
    losses = scene.losses(x)
    flops = np.concatenate([_wasted(part, x, rows) for part, rows in _by_part(scene, losses)])
    excess = _excess(scene.question, x)
    names = tuple(scene.question.caps)
    found = {}
    for at, name in enumerate(plans):
        found[name] = Regret(
            params=float(np.exp(x[at, 0])),
            tokens=float(np.exp(x[at, 1])),
            inputs={name: float(one) for name, one in scene.question.inputs_at(x[at]).items()},
            loss=losses[:, at],
            nats=losses[:, at] - scene.lowest,
            flops=flops[:, at],
            dollars=None if scene.price is None else scene.price * flops[:, at],
            weight=scene.weight,
            exceeded=tuple(one for one, over in zip(names, excess[at], strict=False) if over > MET),
        )
    return found


def curve_of(scene: Scene, others: Sequence[np.ndarray]) -> RegretCurve | None:
    """Return the regret of sizes, with the most tokens that the limits leave; None where they leave no choice.

    others: plans (n,), which the curve covers too; further inputs are those of the first of them.
    """
    rest = others[0][2:]
    sizes = scene.optima[:, 0]
    ends = np.append(quantiles_of(sizes, scene.weight, EDGES), [one[0] for one in others])
    sizes = np.linspace(max(ends.min() - MARGIN, 0.0), ends.max() + MARGIN, SIZES)
    tokens = most_tokens(scene.question, sizes, rest)
    there = np.isfinite(tokens)
    if there.sum() < 2:
        return None
    x = whole_plans(sizes, np.where(there, tokens, 0.0), rest)
    nats = scene.regrets(x)[:, there]
    return RegretCurve(np.exp(sizes[there]), np.exp(tokens[there]), nats)


def whole_plans(log_params: np.ndarray, log_tokens: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """Return plans (k, n) of sizes ln N and ln D (k,), and further inputs (n - 2,), the same in all."""
    return np.column_stack([log_params, log_tokens, np.broadcast_to(rest, (len(log_params), len(rest)))])


def most_tokens(question: PlanQuestion, log_params: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """Return ln of the most tokens that sizes (k,), ln N, may have within the limits; NaN where there are none.

    rest: (n - 2,), the further inputs of all, in their coordinates.
    """
    padded = fill(log_params, max(TOGETHER, len(log_params)))
    return np.asarray(in_chunks(each_most, question.spending, (padded,), rest, question.given))[: len(log_params)]


def each_most(spending: Spending, argument: tuple[jax.Array, jax.Array, PlanNumbers]) -> Float[Array, " k"]:
    """Return ln of the most tokens within the limits, of (ln N (k,), further inputs (n - 2,), numbers); NaN where no
    amount is.
    """
    sizes, rest, p = argument
    grid = jnp.linspace(0.0, LARGEST, GRID)

    def is_kept(size: jax.Array, tokens: jax.Array) -> jax.Array:
        x = jnp.concatenate([jnp.stack([size, tokens]), rest])
        return jnp.all(spending.excess(x, p) <= KEPT)

    def most(size: jax.Array) -> jax.Array:
        kept = jax.vmap(lambda tokens: is_kept(size, tokens))(grid)
        low = jnp.max(jnp.where(kept, grid, -jnp.inf))

        def halved(_: jax.Array, ends: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
            middle = 0.5 * (ends[0] + ends[1])
            fine = is_kept(size, middle)
            return jnp.where(fine, middle, ends[0]), jnp.where(fine, ends[1], middle)

        start = jnp.where(jnp.isfinite(low), low, 0.0)
        low, _ = jax.lax.fori_loop(0, HALVINGS, halved, (start, start + LARGEST / (GRID - 1)))
        return jnp.where(jnp.any(kept), low, jnp.nan)

    found: jax.Array = jax.vmap(most)(sizes)
    return found


def _by_part(scene: Scene, rows: np.ndarray) -> list[tuple[PlannedDraws, np.ndarray]]:
    """Return each part with its rows of (R, …)."""
    ends = np.cumsum([len(part.sets) for part in scene.parts])[:-1]
    return list(zip(scene.parts, np.split(rows, ends), strict=True))


def _excess(question: PlanQuestion, x: np.ndarray) -> np.ndarray:
    """Return by how much plans x (k, n) exceed each limit, in its logarithm: (k, m)."""
    spending, given = question.spending, question.given
    params, tokens = np.exp(x.T[:2])
    found = []
    for (cost, is_least), cap, inputs in zip(spending.limits, given.caps, given.inputs, strict=False):
        above = np.log(cost.amount(params, tokens, **question.taken(cost, inputs, x)) / cap)
        found.append(-above if is_least else above)
    return np.stack(found, axis=1)


def _wasted(part: PlannedDraws, x: np.ndarray, losses: np.ndarray) -> np.ndarray:
    """Return the FLOP (R, k) that plans x (k, n) spend beyond the least that reaches their losses (R, k)."""
    question = part.question
    spending, given = question.spending, question.given
    (budget, _), count = spending.limits[0], len(spending.limits)
    reaching = replace(spending, limits=spending.limits[1:], goal=budget, has_budgets=False)
    beside = given._replace(caps=given.caps[1:], inputs=(*given.inputs[1:count], given.inputs[0]))
    each = []
    for plan, target in zip(x, losses.T, strict=True):  # one program, whatever the number of plans
        found = in_chunks(each_reached, reaching, (part.sets, target), beside)
        at = np.asarray(found.x)
        least = budget.amount(*np.exp(at.T[:2]), **question.taken(budget, given.inputs[0], at))
        spent = budget.amount(*np.exp(plan[:2]), **question.taken(budget, given.inputs[0], plan))
        wasted = np.where(np.abs(spent - least) <= FLAT * spent, 0.0, spent - least)
        each.append(np.where(found.certificate.is_met, wasted, np.nan))
    return np.stack(each, axis=1)
