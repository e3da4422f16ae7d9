"""How the runs of several recipes are drawn: their design points together where they are the same, else apart."""

from __future__ import annotations

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np

from jaxscale.resampling.pairs import draw as draw_rows
from jaxscale.resampling.spec import Draw, Fitted, Scheme, Table
from jaxscale.runs import Runs

SAME = 1e-9
"""Relative difference of inputs that are one design point."""
PAIRED = (
    "paired: the recipes have the same {count} design points, and a replicate draws a point for all of them at once"
)
APART = "independent: {why}, so that each recipe's runs are drawn by themselves"
COUNTS = "{first} has {one} runs and {other} has {many}"
POINTS = "{shared} of the {count} design points of {first} are not those of {other}"


def by_design(runs: Runs, inputs: tuple[str, ...]) -> Runs:
    """Return the runs by their inputs, the first one first: one order for every recipe on one design."""
    return runs.take(np.lexsort([runs[name] for name in reversed(inputs)]), "")


def pairing_of(parts: Mapping[str, Runs], inputs: tuple[str, ...]) -> tuple[bool, str]:
    """Return whether all recipes, `by_design`, have one design, and that in words."""
    (first, own), *others = parts.items()
    for other, theirs in others:
        if len(theirs) != len(own):
            told = {"first": first, "one": len(own), "other": other, "many": len(theirs)}
            return False, APART.format(why=COUNTS.format(**told))
        apart = [~np.isclose(own[name], theirs[name], rtol=SAME, atol=0.0) for name in inputs]
        differ = int(np.sum(np.any(apart, axis=0)))
        if differ:
            why = POINTS.format(shared=differ, count=len(own), first=first, other=other)
            return False, APART.format(why=why)
    return True, PAIRED.format(count=len(own))


def stacked(parts: Mapping[str, Runs], whole: Runs) -> Runs:
    """Return one table of the recipes' runs, block after block, from the table that they were taken of."""
    rows = np.concatenate([part.row for part in parts.values()])
    place = {row: at for at, row in enumerate(whole.row.tolist())}
    return whole.take(np.array([place[row] for row in rows.tolist()]), "not compared")


def draw_points(key: jax.Array, table: Table, fitted: Fitted | None = None) -> Draw[jax.Array]:
    """Return weights: design points drawn with replacement, each for all recipes at once.

    The runs of a recipe are one cluster, as many and in one order in each, one cluster after the other.
    """
    places = jnp.arange(table.weight.shape[0], dtype=jnp.int32)
    count = table.rows // (jnp.max(table.cluster) + 1)
    times = draw_rows(key, Table((places < count).astype(table.weight.dtype), count, table.cluster)).weight
    return Draw(times[jnp.mod(places, count)] * table.weight)


def draw_apart(key: jax.Array, table: Table, fitted: Fitted | None = None) -> Draw[jax.Array]:
    """Return weights: of each recipe as many runs as it has, drawn with replacement among its own.

    The runs of a recipe are one cluster, one cluster after the other; all of them have a weight.
    """
    size = table.weight.shape[0]
    is_there = table.weight > 0
    count = jnp.zeros(size, jnp.int32).at[table.cluster].add(is_there.astype(jnp.int32))
    first = jnp.cumsum(count) - count
    bits = jax.random.bits(key, (size,), jnp.uint32).astype(jnp.uint64)
    within = ((bits * count[table.cluster].astype(jnp.uint64)) >> jnp.uint64(32)).astype(jnp.int32)
    place = jnp.where(is_there, first[table.cluster].astype(jnp.int32) + within, size)
    return Draw(jnp.zeros_like(table.weight).at[place].add(1.0, mode="drop") * table.weight)


TOGETHER = Scheme("paired design points", draw_points, "Efron & Tibshirani 1993, §8.4, of points for several recipes")
BY_RECIPE = Scheme("pairs of each recipe", draw_apart, "Davison & Hinkley 1997, §3.2, several samples")
