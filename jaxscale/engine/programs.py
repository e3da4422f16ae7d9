"""The device programs of a law: the problem it poses, the program that moves lanes on, and that of the verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.sharding import PartitionSpec
from jaxtyping import Array, Bool, Float, Int

from jaxscale.engine import placement
from jaxscale.engine.data import Flattening
from jaxscale.laws.charts import Chart
from jaxscale.laws.grouped import grouping_of
from jaxscale.laws.spec import Law
from jaxscale.numerics.elementary import log
from jaxscale.numerics.made import kept, made_of
from jaxscale.numerics.powers import with_exponentials
from jaxscale.numerics.rho import Rho
from jaxscale.resampling import Draw
from jaxscale.solvers.lanes import Method
from jaxscale.solvers.loop import Tolerances, move
from jaxscale.solvers.problem import Data, Problem, Row, Tree
from jaxscale.solvers.shares import Share
from jaxscale.solvers.verdict import judge
from jaxscale.status import RUNNING, Status

Advance = Callable[[Tree, Float[Array, "k width"], Int[Array, ""]], Float[Array, "k width"]]
"""From the draws and states of one block of lanes, and a number of evaluations, to their states after those."""


class Common(NamedTuple):
    """What all chunks of an ensemble share, as arrays on the device.

    columns (n, …) each; target (n,); active (p,); tolerances; rounding: as in `minimise`.
    """

    columns: tuple[jax.Array, ...]
    target: jax.Array
    active: jax.Array
    tolerances: Tolerances
    rounding: jax.Array


class StepBudget(NamedTuple):
    """How far one program call moves its lanes, int32 scalars of NumPy or the device.

    first, later: evaluations in the first round and in each one after it.   most: in all rounds together.   least: the
    call ends when fewer lanes than this still move; at least 1.
    """

    first: Tree
    later: Tree
    most: Tree
    least: Tree


class Question(NamedTuple):
    """What one chunk is asked: to move its lanes on.

    draw: what each lane sees of the table, (B, n) each; lanes (B, width), flattened; budget: how far each lane may go
    and when to stop. NumPy arrays, which the compiled program takes up faster than anything before it could, or the
    device's.
    """

    common: Common
    draw: Draw[Tree]
    lanes: Tree
    budget: StepBudget


def problem_of(
    law: Law, space: str, rho: Callable[[jax.Array, jax.Array], Rho], is_positive: tuple[bool, ...] = ()
) -> Problem:
    """Return the solver's view of a law under an objective: one row is (inputs, target).

    is_positive: of each input, whether all of the table is; without it nothing is known. A law with groups is seen as
    its core, of the coefs that a row's group has.
    """
    return _problem_of(law, law.chart, space, rho, is_positive)


@kept(256)
def _problem_of(
    law: Law,
    chart: Chart | None,
    space: str,
    rho: Callable[[jax.Array, jax.Array], Rho],
    is_positive: tuple[bool, ...],
) -> Problem:
    """Return the same; equal laws may be fitted in different coordinates."""
    grouping = grouping_of(law)
    if grouping is not None:
        one = problem_of(grouping.core, space, rho, is_positive[:-1])
        places = {name: at for at, name in enumerate(law.names)}
        seen = [grouping.coefs_of(group, places) for group in grouping.groups]

        def of_group(theta: tuple[jax.Array, ...], row: Row) -> jax.Array:
            (*inputs, _), target = row
            return one.residual(theta, (tuple(inputs), target))

        made_of(of_group, one.residual)
        return Problem.shared(Share(of_group, _kind, tuple(tuple(named.values()) for named in seen)), rho)
    known = is_positive or (False,) * len(law.inputs)
    coefs_above = {coef.name: support.low >= 0 for coef, support in zip(law.coefs, law.supports, strict=True)}
    if chart is None:
        loss = with_exponentials(law.loss, known, coefs_above)
    else:
        loss = with_exponentials(chart.loss, (*known, *(False for _ in law.coefs)), {})

    def residual(theta: tuple[jax.Array, ...], row: Row) -> jax.Array:
        inputs, target = row
        prediction = loss(*inputs, **coefs_of(law, theta)) if chart is None else loss(*inputs, *theta)
        return (log(prediction) if space == "log" else prediction) - target

    return Problem(made_of(residual, law, chart, space, is_positive), rho, len(law.coefs))


def _kind(row: Row) -> jax.Array:
    """Return the place of a row's group, the last input of a law with groups."""
    kind: jax.Array = row[0][-1]
    return kind


def coefs_of(law: Law, theta: Sequence[jax.Array]) -> dict[str, jax.Array]:
    """Return the coefs of theta, a sequence of p arrays on the real line."""
    return {name: support.from_real(value) for name, support, value in zip(law.names, law.supports, theta, strict=True)}


def solve_chunk(
    problem: Problem,
    method: Method,
    flattening: Flattening,
    block: int,
    mesh: jax.sharding.Mesh | None,
    question: Question,
) -> Float[Array, "B width"]:
    """Move each lane on; those that converged are for `judge_chunk` to confirm.

    Lanes that move come before those that only fill the chunk.   block: how many move together; it divides B.
    mesh: devices that each take their own share of the lanes, with nothing to wait for; None for a single one.
    """
    solve = partial(_solve_share, problem, method, flattening, block)
    if mesh is None:
        return solve(question)
    alike: Tree = PartitionSpec()
    shared: Tree = PartitionSpec(placement.AXIS)
    asked = (Question(alike, shared, shared, alike),)
    return jax.shard_map(solve, mesh=mesh, in_specs=asked, out_specs=shared, check_vma=False)(question)


def _solve_share(
    problem: Problem, method: Method, flattening: Flattening, block: int, question: Question
) -> Float[Array, "B width"]:
    common, budget = question.common, question.budget
    rows = (common.columns, common.target)

    def is_moving(state: jax.Array) -> jax.Array:
        return flattening.unflatten(state).status == RUNNING

    def advance(draw: Draw[jax.Array], state: jax.Array, steps: jax.Array) -> jax.Array:
        data, lanes = Data(rows, *draw), flattening.unflatten(state)
        moved = move(problem, method, data, lanes, common.active, common.tolerances, common.rounding, steps)
        return flattening.flatten(moved)

    return in_rounds(advance, is_moving, question.draw, question.lanes, block, budget)


def in_rounds(
    advance: Advance,
    is_moving: Callable[[Float[Array, "B width"]], Bool[Array, " B"]],
    draw: Tree,
    state: Float[Array, "B width"],
    block: int,
    budget: StepBudget,
) -> Float[Array, "B width"]:
    """Return the states after rounds in which every lane that moves is advanced once, `block` lanes at a time.

    A batch pays for its slowest lane. A block is narrow enough for a core's cache, and the next round leaves out the
    lanes that ended in this one.   draw: pytree with leaves (B, n), what each lane sees.   block: a divisor of B. The
    last block of a round is filled up with lanes that have ended, which stay as they are.
    """

    def go_on(carry: tuple[jax.Array, jax.Array]) -> Bool[Array, ""]:
        state, spent = carry
        return (jnp.sum(is_moving(state)) >= budget.least) & (spent < budget.most)

    def once(carry: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        state, spent = carry
        moving = is_moving(state)
        order = jnp.argsort(~moving)  # stable, so that the grouping is the same on every device
        steps = jnp.minimum(jnp.where(spent == 0, budget.first, budget.later), budget.most - spent)

        def move(count: jax.Array, state: jax.Array) -> jax.Array:
            at = jax.lax.dynamic_slice(order, (count * block,), (block,))
            own = jax.tree.map(lambda part: part[at], draw)
            return state.at[at].set(advance(own, state[at], steps), unique_indices=True)

        count = jnp.sum(moving, dtype=jnp.int32)
        return jax.lax.fori_loop(0, (count + (block - 1)) // block, move, state), spent + steps

    state, _ = jax.lax.while_loop(go_on, once, (state, jnp.zeros((), jnp.int32)))
    return state


class Ended(NamedTuple):
    """Lanes to be judged: flattened (B, width), with their weight and their number of rows that count, (B,) each.

    active, bounded (p,); rounding: as in `minimise`.
    """

    lanes: Tree
    total_weight: Tree
    rows: Tree
    active: Tree
    bounded: Tree
    rounding: Tree


def judge_chunk(
    rho: Callable[[jax.Array, jax.Array], Rho], flattening: Flattening, ended: Ended
) -> Float[Array, "B width"]:
    """Return the lanes with their final statuses: a replicate with fewer distinct rows than free coefs is degenerate.

    A program of its own, since it knows neither the law nor the rows.
    """
    lanes = judge(rho, flattening.unflatten(ended.lanes), ended.bounded, ended.total_weight, ended.rounding)
    is_degenerate = ended.rows < jnp.sum(ended.active)
    status = jnp.where(is_degenerate & (lanes.status != RUNNING), int(Status.DEGENERATE), lanes.status)
    return flattening.flatten(lanes._replace(status=status))
