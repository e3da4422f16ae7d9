"""Lanes of one chunk moved on in rounds inside one program: those that still move come together in blocks.

A batch pays for its slowest lane. A block is narrow enough for a core's cache, and the next round leaves out the lanes
that ended in this one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from jaxscale.solvers.problem import Tree

Advance = Callable[[Tree, Float[Array, "k width"], Int[Array, ""]], Float[Array, "k width"]]
"""From the draws and states of one block of lanes, and a number of evaluations, to their states after those."""


class StepBudget(NamedTuple):
    """How far one program call moves its lanes, int32 scalars of NumPy or the device.

    first, later: evaluations in the first round and in each one after it.   most: in all rounds together.   least: the
    call ends when fewer lanes than this still move; at least 1.
    """

    first: Tree
    later: Tree
    most: Tree
    least: Tree


def in_rounds(
    advance: Advance,
    is_moving: Callable[[Float[Array, "B width"]], Bool[Array, " B"]],
    draw: Tree,
    state: Float[Array, "B width"],
    block: int,
    budget: StepBudget,
) -> Float[Array, "B width"]:
    """Return the states after rounds in which every lane that moves is advanced once, `block` lanes at a time.

    draw: pytree with leaves (B, n), what each lane sees.   block: a divisor of B. The last block of a round is filled
    up with lanes that have ended, which stay as they are.
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
        return jax.lax.fori_loop(0, _blocks(count, block), move, state), spent + steps

    state, _ = jax.lax.while_loop(go_on, once, (state, jnp.zeros((), jnp.int32)))
    return state


def in_blocks(
    function: Callable[[Int[Array, " k"]], Tree],
    argument: Int[Array, " B"],
    block: int,
    count: Int[Array, ""],
) -> Tree:
    """Return function(argument), a pytree with leaves (B, n), computed `block` entries at a time for the first `count`
    of them, and zeros beyond.
    """

    def compute(at: jax.Array, whole: Tree) -> Tree:
        def write(into: jax.Array, part: jax.Array) -> jax.Array:
            return jax.lax.dynamic_update_slice(into, part, (at * block, jnp.zeros_like(at)))

        return jax.tree.map(write, whole, function(jax.lax.dynamic_slice(argument, (at * block,), (block,))))

    shapes = jax.eval_shape(function, argument)
    zeros = jax.tree.map(lambda one: jnp.zeros(one.shape, one.dtype), shapes)
    return jax.lax.fori_loop(0, _blocks(count, block), compute, zeros)


def _blocks(count: jax.Array, block: int) -> jax.Array:
    return (count + (block - 1)) // block
