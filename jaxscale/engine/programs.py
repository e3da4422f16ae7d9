"""What runs on the device: a law's problem, and the program that draws lanes, moves them on and judges them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.sharding import PartitionSpec
from jaxtyping import Array, Float

from jaxscale.engine import placement
from jaxscale.engine.compaction import StepBudget, in_blocks, in_rounds
from jaxscale.engine.flattening import Flattening
from jaxscale.laws.grouped import grouping_of
from jaxscale.laws.spec import Law
from jaxscale.numerics.exponentials import with_exponentials
from jaxscale.numerics.logs import log
from jaxscale.numerics.rho import Rho
from jaxscale.resampling import Scheme, Table, draw_replicate, key_of
from jaxscale.solvers.loop import Method, Tolerances, judge, move
from jaxscale.solvers.problem import Pass, Problem, Row, Tree, select
from jaxscale.solvers.shares import Share
from jaxscale.solvers.surrogate import LEAST, ROUNDING, Surrogate, descend
from jaxscale.status import RUNNING, Status


class Common(NamedTuple):
    """What all chunks of an ensemble share, as arrays on the device.

    columns (n, …) each; target (n,); table: what a scheme may look at; key: its two words; active, bounded (p,);
    tolerances; rounding; surrogate: of the residuals around the point where lanes begin, or one that says nothing.
    """

    columns: tuple[jax.Array, ...]
    target: jax.Array
    table: Table
    key: jax.Array
    active: jax.Array
    bounded: jax.Array
    tolerances: Tolerances
    rounding: jax.Array
    surrogate: Surrogate


class Question(NamedTuple):
    """What one chunk is asked: to move its lanes on.

    replicate (B,) int32, -1 for the table as it is; lanes (B, width), packed; budget: how far each lane may go and when
    to stop; surrogate_steps int32: steps on the surrogate that fresh lanes begin with, 0 for none. NumPy arrays, which
    the compiled program takes up faster than anything before it could.
    """

    common: Common
    replicate: Tree
    lanes: Tree
    budget: StepBudget
    surrogate_steps: Tree


@lru_cache(maxsize=256)
def problem_of(
    law: Law, space: str, rho: Callable[[jax.Array, jax.Array], Rho], is_positive: tuple[bool, ...] = ()
) -> Problem:
    """Return the solver's view of a law under an objective: one row is (inputs, target).

    is_positive: of each input, whether all of the table is; without it nothing is known. A law with groups is seen as
    its core, of the coefs that a row's group has.
    """
    grouping = grouping_of(law)
    if grouping is not None:
        one = problem_of(grouping.core, space, rho, is_positive[:-1])
        places = {name: at for at, name in enumerate(law.names)}
        seen = [grouping.coefs_of(group, places) for group in grouping.groups]

        def of_group(theta: tuple[jax.Array, ...], row: Row) -> jax.Array:
            (*inputs, _), target = row
            return one.residual(theta, (tuple(inputs), target))

        return Problem.shared(Share(of_group, _kind, tuple(tuple(named.values()) for named in seen)), rho)
    coefs_above = {coef.name: support.low >= 0 for coef, support in zip(law.coefs, law.supports, strict=True)}
    loss = with_exponentials(law.loss, is_positive or (False,) * len(law.inputs), coefs_above)

    def residual(theta: tuple[jax.Array, ...], row: Row) -> jax.Array:
        inputs, target = row
        prediction = loss(*inputs, **coefs_of(law, theta))
        return (log(prediction) if space == "log" else prediction) - target

    return Problem(residual, rho, len(law.coefs))


def _kind(row: Row) -> jax.Array:
    """Return the place of a row's group, the last input of a law with groups."""
    kind: jax.Array = row[0][-1]
    return kind


def coefs_of(law: Law, theta: Sequence[jax.Array]) -> dict[str, jax.Array]:
    """Return the coefs of theta, a sequence of p arrays on the real line."""
    return {name: support.from_real(value) for name, support, value in zip(law.names, law.supports, theta, strict=True)}


def solve_chunk(
    problem: Problem,
    scheme: Scheme,
    method: Method,
    flattening: Flattening,
    block: int,
    mesh: jax.sharding.Mesh | None,
    early: Pass,
    question: Question,
) -> Float[Array, "B width"]:
    """Draw each lane's weights and move it on; a table with fewer distinct rows than free coefs is degenerate.

    Lanes that move come before those that only fill the chunk.   block: how many move together; it divides B.
    mesh: devices that each take their own share of the lanes, with nothing to wait for; None for a single one.
    early: the pass over the rows of the surrogate's steps, in float32.
    """
    solve = partial(_solve_share, problem, scheme, method, flattening, block, early)
    if mesh is None:
        return solve(question)
    alike: Tree = PartitionSpec()
    shared: Tree = PartitionSpec(placement.AXIS)
    asked = (Question(alike, shared, shared, alike, alike),)
    return jax.shard_map(solve, mesh=mesh, in_specs=asked, out_specs=shared, check_vma=False)(question)


def _solve_share(
    problem: Problem,
    scheme: Scheme,
    method: Method,
    flattening: Flattening,
    block: int,
    early: Pass,
    question: Question,
) -> Float[Array, "B width"]:
    common, budget = question.common, question.budget
    rows = (common.columns, common.target)

    def is_moving(state: jax.Array) -> jax.Array:
        return flattening.unflatten(state).status == RUNNING

    draw = jax.vmap(partial(draw_weight, scheme, common))
    drawn = in_blocks(draw, question.replicate, block, jnp.sum(is_moving(question.lanes), dtype=jnp.int32))

    def advance(weight: jax.Array, state: jax.Array, steps: jax.Array) -> jax.Array:
        lanes = flattening.unflatten(state)
        fresh = (lanes.status == RUNNING) & (lanes.steps == 0) & (question.surrogate_steps > 0)
        start, bar = jax.lax.cond(
            jnp.any(fresh),
            lambda: descend(
                problem, common.surrogate, weight, lanes.scale, common.active, question.surrogate_steps, early
            ),
            lambda: (lanes.theta, lanes.scale),
        )
        begun = lanes._replace(
            theta=jnp.where(fresh[:, None], start, lanes.theta),
            damping=jnp.where(fresh, LEAST, lanes.damping),
        )
        most = jnp.where(fresh, bar * (1 + ROUNDING), jnp.inf)
        moved = move(
            problem, method, rows, weight, begun, common.active, common.tolerances, common.rounding, steps, most
        )
        is_failed = fresh & (moved.status > int(Status.AT_BOUND))  # then it begins again where it was
        return flattening.flatten(select(is_failed, lanes._replace(steps=moved.steps), moved))

    state = in_rounds(advance, is_moving, drawn, question.lanes, block, budget)
    lanes = judge(problem, flattening.unflatten(state), common.bounded, jnp.sum(drawn, axis=1), common.rounding)
    is_degenerate = jnp.sum(drawn > 0, axis=1) < jnp.sum(common.active)
    status = jnp.where(is_degenerate & (lanes.status != RUNNING), int(Status.DEGENERATE), lanes.status)
    return flattening.flatten(lanes._replace(status=status))


def draw_weight(scheme: Scheme, common: Common, replicate: jax.Array) -> jax.Array:
    """Return the weights (n,) of one replicate: its key depends on the seed and its index alone."""
    drawn = draw_replicate(scheme, key_of(common.key), common.table, replicate)
    return jnp.where(replicate < 0, common.table.weight, drawn)
