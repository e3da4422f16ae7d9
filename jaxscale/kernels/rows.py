"""The pass over the rows as one Pallas kernel in float32; must equal `solvers.problem.evaluate`.

Applies where every float is a float32 and, on a GPU, a row's leaves are single numbers. Measured against float64, with
Chinchilla's law on 50 rows, interpreted on a CPU: within 12 eps (1e-6) of a lane's largest value, curvature or metric
and 50 eps of its largest gradient, as the plain pass in float32.

It has not run on an accelerator, and nothing is known of its speed. Its programs were compiled ahead of time, without
a device: for an NVIDIA H100 and a TPU v5e, p from 1 to 10, with JAX 0.10.2 and 0.12.0.1. On the H100 the kernel then
takes 80 registers for p = 5 and spills none.

A `pallas_call` on a GPU is Triton's since JAX 0.11, which calls Triton deprecated and warns so. Before, JAX's own
choice was Mosaic GPU; that knows neither `add_any` nor negative integer powers, hence no derivative in reverse mode,
in 0.12 either. So Triton is asked for by name. Mosaic GPU also wants `plgpu.kernel` in place of `pallas_call`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, TypeAlias

import jax
import jax.numpy as jnp
from jax.experimental import pallas as pl
from jax.experimental.pallas import tpu
from jaxtyping import Array, Float

from jaxscale import precision
from jaxscale.solvers.problem import Data, Evaluation, Problem, Row, Tree, assemble, terms

Ref: TypeAlias = Any
"""A block in a chip's memory, as Pallas hands it to a kernel."""

Backend: TypeAlias = Literal["gpu", "tpu", "interpreter"]

LINE = 128
"""Lanes side by side: a TPU's vector is 8 lines of them; four warps of a GPU take one line, a lane per thread."""

NOT_FLOAT32 = "the kernel takes float32 alone, the widest float of a TPU; found: {found}"
NOT_SINGLE = "on a GPU the kernel takes one number per row and leaf; found a leaf of shape {shape}"


@dataclass(frozen=True)
class RowsKernel:
    """The pass over the rows for one backend; called like `solvers.problem.evaluate`, hashable like it.

    One program of the grid sums at most `rows` rows for `lines` · 128 lanes, its sums in registers, one row after
    another; programs that share lanes hand in partial sums, so that none waits for another.
    """

    backend: Backend
    lines: int
    rows: int

    def __call__(
        self,
        problem: Problem,
        data: Data,
        theta: Float[Array, "B p"],
        scale: Float[Array, " B"],
        active: Float[Array, " p"],
        metric: Float[Array, "B p p"] | None = None,
    ) -> Evaluation:
        """Return what `solvers.problem.evaluate` returns; raise TypeError where the kernel does not apply.

        metric: returned in place of its own, whose sums are made all the same.
        """
        mine, bundle = jax.tree.flatten((data.shift, data.own))
        perturbed = [data.weight, *mine]
        self._check(data.rows, theta, scale, active, *perturbed)
        lanes, count = data.weight.shape
        lines = self.lines * math.ceil(lanes / (self.lines * LINE))
        blocks = math.ceil(count / self.rows)
        height = math.ceil(count / blocks)  # an even cut leaves fewer rows of padding than blocks
        below, beside = (0, blocks * height - count), (0, lines * LINE - lanes)
        # lanes last and in lines, rows first: a program reads a row of weights as one aligned vector
        points = jnp.pad(theta.T, ((0, 0), beside)).reshape(problem.size, lines, LINE)
        own = [jnp.pad(array.T, (below, beside)).reshape(blocks * height, lines, LINE) for array in perturbed]
        scales = jnp.pad(scale, beside, constant_values=1.0).reshape(lines, LINE)
        leaves, tree = jax.tree.flatten(data.rows)
        tables = [jnp.pad(leaf.reshape(count, -1), (below, (0, 0))).reshape(blocks, height, -1) for leaf in leaves]
        tables = [jnp.swapaxes(table, 1, 2) for table in tables]
        sums = 2 + problem.size + 2 * len(problem.pairs)
        memory = tpu.SMEM if self.backend == "tpu" else None  # a TPU reads single numbers from there alone
        with precision.float32():
            partial_sums = pl.pallas_call(
                partial(_sum_rows, problem, tree, [leaf.shape[1:] for leaf in leaves], bundle),
                grid=(lines // self.lines, blocks),
                in_specs=[
                    *(
                        pl.BlockSpec((None, *table.shape[1:]), lambda i, j: (j, 0, 0), memory_space=memory)
                        for table in tables
                    ),
                    pl.BlockSpec((problem.size, self.lines, LINE), lambda i, j: (0, i, 0)),
                    *(pl.BlockSpec((height, self.lines, LINE), lambda i, j: (j, i, 0)) for _ in own),
                    pl.BlockSpec((self.lines, LINE), lambda i, j: (i, 0)),
                ],
                out_specs=pl.BlockSpec((None, sums, self.lines, LINE), lambda i, j: (j, 0, i, 0)),
                out_shape=jax.ShapeDtypeStruct((blocks, sums, lines, LINE), jnp.float32),
                interpret=self.backend == "interpreter",
                name="rows",
                **_compiling(self.backend),
            )(*tables, points, *own, scales)
        total = jnp.sum(partial_sums, axis=0).reshape(sums, lines * LINE)[:, :lanes]
        there = assemble(problem, tuple(total), data.total_weight, active)
        return there if metric is None else there._replace(metric=metric)

    def _check(self, rows: Row, *arrays: jax.Array) -> None:
        leaves = jax.tree.leaves(rows)
        found = {leaf.dtype.name for leaf in (*leaves, *arrays) if jnp.issubdtype(leaf.dtype, jnp.floating)}
        if found != {"float32"}:
            raise TypeError(NOT_FLOAT32.format(found=", ".join(sorted(found))))
        for leaf in leaves:
            if self.backend == "gpu" and leaf.ndim > 1:  # Triton stacks no scalars
                raise TypeError(NOT_SINGLE.format(shape=leaf.shape))


ON_GPU = RowsKernel("gpu", lines=1, rows=64)
ON_TPU = RowsKernel("tpu", lines=8, rows=256)
INTERPRETED = RowsKernel("interpreter", lines=1, rows=64)


def _sum_rows(problem: Problem, tree: Tree, shapes: list[tuple[int, ...]], bundle: Tree, *refs: Ref) -> None:
    """Write the sums over one block of rows for one block of lanes: the body of the kernel.

    bundle: the structure of what each lane has of a row beside its weight: a shift, and leaves of its own.
    """
    tables, (points, weights, *mine, scales, sums) = refs[: len(shapes)], refs[len(shapes) :]
    theta = tuple(points[k] for k in range(problem.size))
    scale = scales[...]

    def per_lane(weight: jax.Array, row: Row, *own: jax.Array) -> tuple[jax.Array, ...]:
        def one(theta: Tree, weight: jax.Array, scale: jax.Array, *own: jax.Array) -> tuple[jax.Array, ...]:
            shift, beside = jax.tree.unflatten(bundle, own)
            return terms(problem, theta, weight, scale, row if beside is None else (row, beside), shift)

        return jax.vmap(jax.vmap(one))(theta, weight, scale, *own)

    def add(i: jax.Array, so_far: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
        row = jax.tree.unflatten(tree, [_row_of(table, shape, i) for table, shape in zip(tables, shapes, strict=True)])
        parts = per_lane(weights[i], row, *(array[i] for array in mine))
        return tuple(a + b for a, b in zip(so_far, parts, strict=True))

    nothing = (jnp.zeros_like(scale),) * sums.shape[0]
    for k, total in enumerate(jax.lax.fori_loop(0, weights.shape[0], add, nothing)):
        sums[k] = total


def _row_of(table: Ref, shape: tuple[int, ...], i: jax.Array) -> jax.Array:
    """Return one leaf of row i: a scalar, or an array where the leaf has further axes."""
    if shape == ():
        return table[0, i]
    return jnp.stack([table[k, i] for k in range(table.shape[0])]).reshape(shape)


def _compiling(backend: Backend) -> dict[str, Any]:
    """Return what `pallas_call` needs to know of the backend."""
    if backend == "gpu":
        from jax.experimental.pallas import triton  # deprecated: its absence must break nothing but this

        return {"compiler_params": triton.CompilerParams(num_warps=LINE // 32, num_stages=1)}
    return {}
