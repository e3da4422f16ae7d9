"""Start points of a law that is known by its text only: on a grid of what is not linear, solved for what is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import jax
import jax.numpy as jnp
import numpy as np

from jaxscale import precision

MOST = 64
"""Largest grid; of a larger product of start values every k-th point is taken."""
LEAST = 1e-3
"""Share of the loss that a positive coef gives at least, where least squares would have none of it."""


@dataclass(frozen=True)
class Profile:
    """Start points (Law.starts) by variable projection; equal to another of the same fields.

    linear: coefs in which the loss is jointly affine.   grids: of every coef its name, support and start values.
    Source: Golub & Pereyra 1973.
    """

    loss: Callable[..., jax.Array]
    linear: tuple[str, ...]
    grids: tuple[tuple[str, str, tuple[float, ...]], ...]

    def __call__(self, columns: Mapping[str, np.ndarray], target: np.ndarray) -> Sequence[Mapping[str, float]]:
        """Return a start per grid point: least squares of the relative miss in the linear coefs, the others given."""
        curved = [(name, values) for name, _, values in self.grids if name not in self.linear]
        points = list(product(*(values for _, values in curved)))
        stride = -(-len(points) // MOST)
        while stride > 1 and any(len(values) % stride == 0 for _, values in curved):
            stride += 1  # a stride that divides a count would never try its other values
        points = points[::stride]
        supports = {name: support for name, support, _ in self.grids}
        found = []
        for point, parts in zip(points, self._parts(columns, [name for name, _ in curved], points), strict=True):
            solved = _solved(parts, target, [supports[name] for name in self.linear])
            if solved is not None:
                start = {**dict(zip(self.linear, solved, strict=True)), **dict(zip(dict(curved), point, strict=True))}
                found.append({name: float(start[name]) for name, _, _ in self.grids})
        return found

    def _parts(
        self, columns: Mapping[str, np.ndarray], curved: Sequence[str], points: Sequence[Sequence[float]]
    ) -> np.ndarray:
        """Return (points, 1 + linear, rows): what the loss is without the linear coefs, and what each adds at one."""
        units = np.eye(1 + len(self.linear))[:, 1:]

        def one(point: jax.Array, unit: jax.Array, run: tuple[jax.Array, ...]) -> jax.Array:
            values = {name: point[index] for index, name in enumerate(curved)}
            return self.loss(*run, **values, **{name: unit[index] for index, name in enumerate(self.linear)})

        over_rows = jax.vmap(one, (None, None, 0))
        every = jax.vmap(jax.vmap(over_rows, (None, 0, None)), (0, None, None))
        with precision.float64():
            runs = tuple(jnp.asarray(column, dtype=jnp.float64) for column in columns.values())
            grid = np.array(points).reshape(len(points), len(curved))
            found = np.array(every(jnp.asarray(grid), jnp.asarray(units), runs), dtype=np.float64)
        found[:, 1:] -= found[:, :1]
        return found


def _solved(parts: np.ndarray, target: np.ndarray, supports: Sequence[str]) -> np.ndarray | None:
    """Return the linear coefs, inside their supports; None where the grid point gives no finite loss."""
    if not np.isfinite(parts).all():
        return None
    basis, rest = (parts[1:] / target).T, 1.0 - parts[0] / target
    size = np.linalg.norm(basis, axis=0) / np.sqrt(len(target))
    if not (size > 0).all():
        return None
    scaled = basis / size
    low = np.array([{"real": -np.inf}.get(support, LEAST) for support in supports])
    kept = np.ones(len(supports), dtype=bool)
    solution = np.full(len(supports), LEAST)
    for _ in supports:  # a coef at its least stays there; the others are solved for again
        solution = np.where(kept, 0.0, LEAST)
        solution[kept] = np.linalg.lstsq(scaled[:, kept], rest - scaled @ solution, rcond=None)[0]
        if (solution >= low)[kept].all():
            break
        kept &= solution >= low
    solution = np.maximum(solution, low) / size
    is_share = np.array([support == "unit" for support in supports], dtype=bool)
    return np.where(is_share, np.minimum(solution, 1.0 - LEAST), solution)
